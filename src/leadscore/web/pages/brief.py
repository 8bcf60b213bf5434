"""The brief for a visit: one view of a firm, as a page, on paper and as a Word document."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response
from sqlalchemy import Connection

from leadscore.city import City
from leadscore.city.profile import Place
from leadscore.features.catalogue import CATALOGUE
from leadscore.learning.scorecard import Scorecard
from leadscore.lists.columns import column
from leadscore.lists.values.words import STAGES
from leadscore.report.brief import brief_paper
from leadscore.report.word import write_word
from leadscore.store.current_ranking import Score, score_history
from leadscore.store.firms import read_firm
from leadscore.text import Lang
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import store_refusals
from leadscore.web.idempotent import noted
from leadscore.web.pages import shell
from leadscore.web.pages.firm import COLUMNS, shown_values, timeline
from leadscore.web.routes.payloads import DOCX, file_answer, kept_apart, written_file

_FACTS = (
    "registered_capital_cny", "paid_in_capital_cny", "staff", "revenue_cny", "revenue_growth",
    "founded_on", "province", "city", "titles", "listed_on", "funding", "patents", "status",
    "intended_investment_cny", "event", "referred_by",
)  # fmt: skip
_TOLD_BY_THE_FIRM = ("sector", "scale", "capability", "momentum", "origin", "risk")
"""Families whose features are missing because nobody has asked yet."""
_NOT_ASKED = frozenset({"chain", "target_region", "neighbour_city", "same_province"})
"""What one asks for otherwise: by what it makes, and where it sits."""
_TO_SETTLE_IN = ("base", "cluster", "park")
"""Kinds of places in which a firm could settle, so that one for no segment is for any."""

_TEXT_WIDTH, _FACT_WIDTH, _LINE_WIDTH = 420, 60, 120
_MOST_FOR, _MOST_AGAINST, _MOST_ASKED, _MOST_CONTACTS, _MOST_PLACES = 6, 5, 8, 6, 6
_MOST_NAMES = 8


def brief_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/firms/<id>/brief``, and the same as a Word document."""

    @pages.get("/firms/<int:id>/brief")
    @requires("read")
    def brief(id: int) -> Response:  # noqa: A002 (as the address has it)
        lang = dependencies.page_lang()
        with store_refusals(), dependencies.database.read() as connection:
            view = brief_of(dependencies, connection, id)
        paper = brief_paper(view, lang)
        return shell.page(
            dependencies, "brief.html", title=paper.title, firm_id=id, name=view["name"],
            paper=paper,
        )  # fmt: skip

    @pages.get("/firms/<int:id>/brief.docx")
    @requires("read")
    def brief_document(id: int) -> Response:  # noqa: A002 (as the address has it)
        lang = dependencies.page_lang()
        with store_refusals(), dependencies.database.read() as connection:
            view = brief_of(dependencies, connection, id)
        noted(dependencies.access, "brief.export", ("firm", str(id)), {"format": "docx"})
        now = dependencies.access.clock()
        write = partial(write_word, brief_paper(view, lang), now=now)
        return file_answer(kept_apart(written_file(write, ".docx")), f"brief-{id}.docx", DOCX)


def brief_of(dependencies: Dependencies, connection: Connection, firm_id: int) -> dict[str, Any]:
    """Return all that a brief says of a firm, as values and in the words of the page's language.

    Raises `UnknownFirmError`.
    """
    lang, scorer = dependencies.page_lang(), dependencies.scorer()
    city = scorer.city
    firm = read_firm(connection, firm_id)
    history = score_history(connection, firm_id, limit=1)
    values = shown_values(dependencies, scorer, connection, firm, history)
    summary, standing, score = values["firm"], values["standing"], values["score"]
    points = list(_points(score, values["falls"])) if score else []
    record = values["record"]
    makes = next((record[name] for name in COLUMNS if record.get(name)), None)
    roles = CATALOGUE["role"].levels
    segment = standing["segment"] if standing else None
    return {
        "name": clipped(firm.name, 90),
        "credit_code": firm.credit_code,
        "city": city.name.pick(lang),
        "today": dependencies.today(),
        "veto": standing["veto_text"] if standing else None,
        "by_hand": bool(summary["corrections"]),
        "score": _score(score, standing, values["interval"], roles, lang) if score else None,
        "stage": STAGES[standing["stage"]].pick(lang)
        if standing and standing["stage"] in STAGES
        else None,
        "makes": makes and clipped(str(makes), _TEXT_WIDTH),
        "facts": _facts(values["fields"]),
        "gap": _gap(city, segment, values["gap"], lang),
        "places": [_place(city, place, lang) for place in places_for(city, segment)],
        "statement": {
            "title": city.statement.title.pick(lang), "number": city.statement.number,
            "year": city.statement.year,
        },
        "strong": [point for point in points if point["points"] > 0][:_MOST_FOR],
        "weak": [point for point in points if point["points"] < 0][:_MOST_AGAINST],
        "unknown": [
            clipped(text, _LINE_WIDTH)
            for text in _unknown(scorer.card.scorecard, score, record, lang)[:_MOST_ASKED]
        ],
        "stale": [
            clipped(field["label"], _FACT_WIDTH) for field in values["fields"] if field["stale"]
        ][:_MOST_ASKED],
        "contacts": [
            {
                "day": outcome["day"], "stage": STAGES[outcome["stage"]].pick(lang),
                "remark": clipped(outcome["reason"] or "", _LINE_WIDTH),
                "by": outcome["recorded_by"],
            }
            for outcome in timeline(summary["outcomes"], "")[0]
            if outcome["state"] == "held"
        ][:_MOST_CONTACTS],
        "next": _next(summary["pursuits"]),
    }  # fmt: skip


def _score(
    score: Score, standing: Mapping[str, Any], interval: tuple[float, float] | None,
    roles: Mapping[str, Any], lang: Lang,
) -> dict[str, Any]:  # fmt: skip
    return {
        "model": score.model, "as_of": score.as_of, "interval": interval,
        "grade": standing["grade"], "rank": standing["rank"], "likelihood": score.likelihood,
        "fit": score.fit,
        "role": roles[standing["role"]].pick(lang) if standing["role"] in roles else None,
    }  # fmt: skip


def _points(score: Score, falls: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    # The reasons that have a bar of their own on the firm's page, with the values they name.
    order = sorted(score.points, key=lambda name: -abs(score.points[name]))
    named = [name for name in order if score.points[name]]
    for name, step in zip(named, falls["steps"], strict=False):
        yield {
            "feature": name, "value": score.values.get(name), "points": step["points"],
            "text": step["text"],
        }  # fmt: skip


def _facts(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by = {field["column"]: field for field in fields}
    return [
        {
            "label": field["label"], "value": clipped(str(field["value"]), _FACT_WIDTH),
            "file": field["file_name"], "row": field["row"], "as_of": field["as_of"],
            "stale": field["stale"], "by": getattr(field.get("made"), "recorded_by", None),
        }
        for name in _FACTS
        if (field := by.get(name))
    ]  # fmt: skip


def _gap(
    city: City, segment: str | None, gap: Mapping[str, Any] | None, lang: Lang
) -> dict[str, Any] | None:
    if gap is None or segment is None:
        return None
    near = [
        (neighbour.name.pick(lang), delivery.supply)
        for neighbour in city.neighbours
        for delivery in neighbour.delivers
        if delivery.segment == segment
    ]
    return {
        "chain": gap["chain"].pick(lang), "segment": gap["segment"].pick(lang),
        "words": gap["supply_words"].pick(lang), "sought": city.segments[segment].sought,
        "gap": gap["gap"], "supply": gap["supply"], "neighbours": gap["neighbours"],
        "discount": city.neighbour_discount,
        "near": sorted(near, key=lambda each: -each[1]),
        "buyers": gap["buyers"][:_MOST_NAMES], "suppliers": gap["suppliers"][:_MOST_NAMES],
    }  # fmt: skip


def places_for(city: City, segment: str | None) -> list[Place]:
    """Return the places of a city that suit a segment, those that name it first.

    Next come places for other segments of its chain, then those to settle in that name none.
    """
    if segment is None:
        return []
    chain = city.segments[segment].chain_id
    of_chain = {key for key, each in city.segments.items() if each.chain_id == chain}

    def order(place: Place) -> int:
        if segment in place.segments:
            return 0
        if of_chain.intersection(place.segments):
            return 1
        return 2 if not place.segments and place.kind in _TO_SETTLE_IN else 3

    return sorted((each for each in city.places if order(each) < 3), key=order)[:_MOST_PLACES]


def _place(city: City, place: Place, lang: Lang) -> dict[str, Any]:
    return {
        "name": place.name.pick(lang), "kind": place.kind,
        "suits": [city.segments[key].name.pick(lang) for key in place.segments],
        "sections": list(dict.fromkeys(
            line.section for line in place.evidence if line.section
        )),
    }  # fmt: skip


def _next(pursuits: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    running = [pursuit for pursuit in pursuits if pursuit["closed"] is None]
    if not running:
        return None
    last = running[-1]
    return {"step": last["next_step"], "day": last["next_step_on"], "owner": last["owner"]}


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


def _unknown(
    card: Scorecard, score: Score | None, record: Mapping[str, Any], lang: Lang
) -> list[str]:
    # What can be asked; what could move the score most first.
    if score is None:
        return []
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
    first = [name for name in ("main_business", "city") if not record.get(name)]
    return [column(name).label.pick(lang) for name in first] + asked
