"""A brief for a visit, on one page of paper: who they are, why go, and what to ask."""

from __future__ import annotations

import unicodedata

from flask import Blueprint, Response

from leadscore.features.catalogue import CATALOGUE
from leadscore.learning.scorecard import Scorecard
from leadscore.lists.columns import column
from leadscore.store.current_ranking import Score, score_history
from leadscore.store.firms import Firm, read_firm
from leadscore.text import Lang
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import store_refusals
from leadscore.web.pages import shell
from leadscore.web.pages.firm import (
    COLUMNS,
    gap_of,
    intervals,
    known_fields,
    shown_value,
    timeline,
    waterfall,
)
from leadscore.web.pages.shell import TRANSLATIONS
from leadscore.web.routes.firms import firm_summary

_FACTS = (
    "registered_capital_cny", "staff", "revenue_cny", "revenue_growth", "founded_on", "province",
    "city", "titles", "funding", "patents", "status", "intended_investment_cny", "event",
    "referred_by",
)  # fmt: skip
_TOLD_BY_THE_FIRM = ("sector", "scale", "capability", "momentum", "origin", "risk")
"""Families whose features are missing because nobody has asked yet."""
_NOT_ASKED = frozenset({"chain", "target_region", "neighbour_city", "same_province"})
"""What one asks for otherwise: by what it makes, and where it sits."""

_TEXT_WIDTH, _FACT_WIDTH, _LINE_WIDTH = 420, 44, 120
_MOST_FOR, _MOST_AGAINST, _MOST_ASKED, _MOST_OUTCOMES = 5, 4, 8, 5


def brief_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/firms/<id>/brief``."""

    @pages.get("/firms/<int:id>/brief")
    @requires("read")
    def brief(id: int) -> Response:  # noqa: A002 (as the address has it)
        lang, today, scorer = dependencies.page_lang(), dependencies.today(), dependencies.scorer()
        with store_refusals(), dependencies.database.read() as connection:
            firm = read_firm(connection, id)
            answer = firm_summary(scorer.wording, connection, firm, lang)
            score = next(iter(score_history(connection, id, limit=1)), None)
            fields = known_fields(connection, firm, today, lang)
        standing = answer["standing"]
        steps = waterfall(score, firm, scorer.wording, lang).steps if score else ()
        unknown = unknown_of(score, scorer.card.scorecard, firm, lang) if score else []
        makes = next((firm.record[name] for name in COLUMNS if firm.record.get(name)), None)
        held = [each for each in timeline(answer["outcomes"], "")[0] if each["state"] == "held"]
        return shell.page(
            dependencies, "brief.html", title=TRANSLATIONS["brief.heading"].format(name=firm.name),
            firm=answer, name=clipped(firm.name, 90), standing=standing, score=score,
            interval=intervals(scorer, [(score.model, score.values)])[0] if score else None,
            gap=gap_of(scorer.city, standing, lang), city=scorer.city.name, today=today,
            makes=makes and clipped(str(makes), _TEXT_WIDTH),
            facts=[
                (column(name).label, clipped(shown_value(column(name), value, lang), _FACT_WIDTH))
                for name in _FACTS
                if (value := firm.record.get(name)) is not None
            ],
            pro=[step for step in steps if step.points > 0][:_MOST_FOR],
            contra=[step for step in steps if step.points < 0][:_MOST_AGAINST],
            unknown=[clipped(text, _LINE_WIDTH) for text in unknown[:_MOST_ASKED]],
            stale=[
                clipped(field["label"], _FACT_WIDTH) for field in fields if field["stale"]
            ][:_MOST_ASKED],
            outcomes=[
                outcome | {"reason": clipped(outcome["reason"] or "", _LINE_WIDTH)}
                for outcome in held[:_MOST_OUTCOMES]
            ],
        )  # fmt: skip


def clipped(text: str, width: int) -> str:
    """Return a text that takes no more than so many columns; Chinese takes two each.

    >>> clipped("风电叶片的研发", 9), clipped("blades", 9)
    ('风电叶片…', 'blades')
    """
    plain = " ".join(text.split())
    taken = 0
    for place, letter in enumerate(plain):
        taken += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if taken > width:
            return plain[:place].rstrip() + "…"
    return plain


def unknown_of(score: Score, card: Scorecard, firm: Firm, lang: Lang) -> list[str]:
    """Return what isn't known of a firm and can be asked; what could move its score most first."""
    spreads = {
        table.feature: float(table.values.max() - table.values.min()) for table in card.tables
    }
    missing = [
        name
        for name, feature in CATALOGUE.items()
        if score.values.get(name) is None
        and feature.family in _TOLD_BY_THE_FIRM
        and name not in _NOT_ASKED
    ]
    missing.sort(key=lambda name: -spreads.get(name, 0.0))
    asked = [CATALOGUE[name].meaning.pick(lang) for name in missing]
    first = [name for name in ("main_business", "city") if not firm.record.get(name)]
    return [column(name).label.pick(lang) for name in first] + asked
