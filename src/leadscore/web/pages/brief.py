"""A brief for a visit, on one page of paper: who they are, why go, and what to ask."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from leadscore.features.catalogue import CATALOGUE
from leadscore.learning.scorecard import Scorecard
from leadscore.lists.columns import column
from leadscore.lists.values.words import STAGES
from leadscore.store.current_ranking import Score, score_history
from leadscore.store.firms import Firm, read_firm
from leadscore.text import Lang
from leadscore.web.auth import requires
from leadscore.web.errors import store_refusals
from leadscore.web.pages import shell
from leadscore.web.pages.firm import (
    COLUMNS,
    KnownField,
    gap_of,
    known_fields,
    shown_value,
    timeline,
)
from leadscore.web.pages.waterfall import Step, intervals, waterfall
from leadscore.web.routes.firms import firm_summary

if TYPE_CHECKING:
    from leadscore.web.pages.shell import Site

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
_MOST_FOR, _MOST_AGAINST, _MOST_ASKED, _MOST_OUTCOMES, _MOST_NAMES = 5, 4, 8, 5, 5


@dataclass(frozen=True, slots=True)
class Brief:
    """What the page says beside the figures; every text is clipped to what a page holds."""

    makes: str | None
    facts: Sequence[tuple[str, str]]
    pro: Sequence[Step]
    contra: Sequence[Step]
    unknown: Sequence[str]
    stale: Sequence[str]
    outcomes: Sequence[Mapping[str, Any]]


def brief_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/firms/<id>/brief``."""
    backing = site.backing

    @pages.get("/firms/<int:id>/brief")
    @requires("read")
    def brief(id: int) -> Response:  # noqa: A002 (as the address has it)
        lang, today, scorer = site.lang(), backing.today(), backing.scorer()
        with store_refusals(), backing.database.read() as connection:
            firm = read_firm(connection, id)
            answer = firm_summary(scorer.wording, connection, firm, lang)
            score = next(iter(score_history(connection, id, limit=1)), None)
            fields = known_fields(connection, firm, today, lang)
        standing = answer["standing"]
        steps = waterfall(score, firm, scorer.wording, lang).steps if score else ()
        asked = unknown_of(score, scorer.card.scorecard_, firm, lang) if score else []
        return shell.page(
            site,
            "brief.html",
            title=site.words["brief.heading"].pick(lang).format(name=firm.name),
            firm=answer,
            name=clipped(firm.name, 90),
            standing=standing,
            role=_name(CATALOGUE["role"].levels, standing and standing["role"], lang),
            stage=_name(STAGES, standing and standing["stage"], lang),
            stages={key: name.pick(lang) for key, name in STAGES.items()},
            score=score,
            interval=intervals(scorer, [(score.model, score.values)])[0] if score else None,
            gap=gap_of(scorer.city, standing, lang) if standing else None,
            most_names=_MOST_NAMES,
            city=scorer.city.name.pick(lang),
            today=today,
            brief=_brief(firm, answer, steps, asked, fields, lang),
        )


def clipped(text: str, width: int) -> str:
    """Return a text that takes no more than so many columns; Chinese takes two each.

    >>> clipped("风电叶片的研发", 9), clipped("blades", 9)
    ('风电叶片…', 'blades')
    """
    plain = " ".join(text.split())
    taken = 0
    for place, each in enumerate(plain):
        taken += 2 if unicodedata.east_asian_width(each) in "WF" else 1
        if taken > width:
            return plain[:place].rstrip() + "…"
    return plain


def unknown_of(score: Score, card: Scorecard, firm: Firm, lang: Lang) -> list[str]:
    """Return what isn't known of a firm and can be asked; what could move its score most first."""
    spreads = {each.feature: float(each.values.max() - each.values.min()) for each in card.tables}
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


def _brief(
    firm: Firm, answer: Mapping[str, Any], steps: Sequence[Step], asked: Sequence[str],
    fields: Sequence[KnownField], lang: Lang,
) -> Brief:  # fmt: skip
    text = next((firm.record[name] for name in COLUMNS if firm.record.get(name)), None)
    line, _ = timeline(answer["outcomes"], "")
    held = [each for each in line if each["state"] == "held"]
    return Brief(
        makes=text and clipped(str(text), _TEXT_WIDTH),
        facts=[_fact(name, firm.record[name], lang) for name in _FACTS if name in firm.record],
        pro=[each for each in steps if each.points > 0][:_MOST_FOR],
        contra=[each for each in steps if each.points < 0][:_MOST_AGAINST],
        unknown=[clipped(each, _LINE_WIDTH) for each in asked[:_MOST_ASKED]],
        stale=[clipped(each.label, _FACT_WIDTH) for each in fields if each.stale][:_MOST_ASKED],
        outcomes=[
            dict(each, reason=clipped(each["reason"] or "", _LINE_WIDTH))
            for each in held[:_MOST_OUTCOMES]
        ],
    )


def _fact(name: str, value: object, lang: Lang) -> tuple[str, str]:
    of = column(name)
    return of.label.pick(lang), clipped(shown_value(of, value, lang), _FACT_WIDTH)


def _name(names: Mapping[str, Any], key: str | None, lang: Lang) -> str | None:
    name = names.get(key or "")
    return name.pick(lang) if name else None
