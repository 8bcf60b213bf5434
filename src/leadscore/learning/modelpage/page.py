"""A model as one self-contained page: no script, nothing fetched, sound under a strict policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.city.profile import City
from leadscore.learning.modelpage import opening
from leadscore.learning.modelpage.entries import card_tables
from leadscore.learning.modelpage.facts import city_name
from leadscore.learning.modelpage.markup import Html, tag
from leadscore.learning.modelpage.sections import model_sections
from leadscore.learning.modelpage.style import SCOPE, whole_style
from leadscore.learning.modelpage.wording import Wording
from leadscore.text import Lang, room_words

WORDS = room_words("learning")


POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What the page allows itself: its own style and nothing else."""

_LANGUAGES: dict[Lang, str] = {"zh": "zh-CN", "en": "en"}


def render_html(manifest: Mapping[str, Any], lang: Lang, city: City | None = None) -> str:
    """Return a model's manifest as a page to read, print and keep.

    Parameters
    ----------
    manifest
        What the shelf keeps of a version, of experts or trained. What it lacks is left out.
    lang
        Language of everything but levels and names that the data brought.
    city
        The profile of the model's city, for the names of its chains and the experts' reasons;
        without it the ids of the chains stand.

    Returns
    -------
    str
        One HTML document, well-formed as XML too; everything from the manifest is escaped. The
        same manifest always gives the same text.

    Raises
    ------
    ModelError
        If the manifest holds no sound card.
    """
    told = model_sections(manifest, lang, city)
    words = Wording(lang, card_tables(manifest).whole, city)
    body = tag(
        "body",
        opening.banner(manifest, words),
        told.contents,
        tag("main", told.sections),
        tag("footer", words.say(WORDS["page.foot"])),
        class_=SCOPE,
    )
    title = words.say(opening.TITLE, city=city_name(manifest, words))
    whole = tag(
        "html", _head(title, str(manifest.get("version") or "")), body, lang=_LANGUAGES[lang]
    )
    return f"<!DOCTYPE html>\n{whole.text}\n"


def _head(title: str, version: str) -> Html:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} · {version}" if version else title),
        tag("style", Html(whole_style())),
    )
