"""The sections of a model's page, to stand on a page of their own or within another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadscore.city.profile import City
from leadscore.learning.modelpage import audit, cardsection, opening, trialsection
from leadscore.learning.modelpage.entries import card_tables
from leadscore.learning.modelpage.gates import verdict
from leadscore.learning.modelpage.markup import Html, joined, tag
from leadscore.learning.modelpage.wording import Wording
from leadscore.text import Lang, room_words

WORDS = room_words("learning")


@dataclass(frozen=True, slots=True)
class ModelSections:
    """A model, told section by section.

    Attributes
    ----------
    contents
        Links to the sections, as a ``nav``.
    sections
        All sections, one after another; style and scope are `leadscore.learning.modelpage.style`'s.
    status
        The decision on the model in a word; None where none was taken.
    """

    contents: Html
    sections: Html
    status: Html | None


def model_sections(
    manifest: Mapping[str, Any], lang: Lang, city: City | None = None
) -> ModelSections:
    """Return what a manifest tells; it is as for `leadscore.learning.modelpage.render_html`.

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
    kept = [(anchor, name, content) for anchor, name, content in made if content]
    links = [tag("li", tag("a", name, href=f"#{anchor}")) for anchor, name, _ in kept]
    found = verdict(manifest, words)
    return ModelSections(
        contents=tag("nav", tag("ul", links), aria_label=words.say(WORDS["sections.contents"])),
        sections=joined(*(content for _, _, content in kept)),
        status=opening.status(found, words) if found else None,
    )


def card_sections(manifest: Mapping[str, Any], lang: Lang, city: City | None = None) -> Html:
    """Return the card alone: how to read a score, and the points of every feature.

    Raises
    ------
    ModelError
        If the manifest holds no sound card.
    """
    tables = card_tables(manifest)
    words = Wording(lang, tables.whole, city)
    return joined(
        cardsection.reading_section(tables, words), cardsection.card_section(tables, words)
    )
