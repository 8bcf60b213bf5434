"""A model as one self-contained page: no script, nothing fetched, sound under a strict policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.city.profile import City
from leadscore.language import Lang, Text
from leadscore.learning.modelpage import audit, cardsection, opening, trialsection
from leadscore.learning.modelpage.entries import card_tables
from leadscore.learning.modelpage.facts import city_name
from leadscore.learning.modelpage.markup import Html, tag
from leadscore.learning.modelpage.style import STYLE
from leadscore.learning.modelpage.wording import Wording

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What the page allows itself: its own style and nothing else."""

_LANGUAGES: dict[Lang, str] = {"zh": "zh-CN", "en": "en"}
_CONTENTS = Text(zh="目录", en="Contents")
_FOOT = Text(
    zh="本页由 leadscore 根据模型清单生成，不含脚本，也不连接网络。",
    en="Written by leadscore from the manifest of the model. It runs no script, fetches nothing.",
)


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
    tables = card_tables(manifest)
    words = Wording(lang, tables.whole, city)
    made = [
        ("about", opening.about_name(words), opening.about(manifest, tables, words)),
        ("decision", opening.decision_name(words), opening.decision(manifest, words)),
        ("trial", words.say(trialsection.HEADING), trialsection.trial_section(manifest, words)),
        ("reading", words.say(cardsection.READING), cardsection.reading_section(tables, words)),
        ("card", words.say(cardsection.HEADING), cardsection.card_section(tables, words)),
        ("audit", words.say(audit.HEADING), audit.audit_section(manifest, words)),
    ]
    sections = [(anchor, name, content) for anchor, name, content in made if content]
    links = [tag("li", tag("a", name, href=f"#{anchor}")) for anchor, name, _ in sections]
    body = tag(
        "body",
        opening.banner(manifest, words),
        tag("nav", tag("ul", links), aria_label=words.say(_CONTENTS)),
        tag("main", [content for _, _, content in sections]),
        tag("footer", words.say(_FOOT)),
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
        tag("style", Html(STYLE)),
    )
