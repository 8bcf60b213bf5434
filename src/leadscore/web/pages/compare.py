"""Two to four firms side by side: what is known of each, how it scores, and where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from leadscore.features.catalogue import CATALOGUE
from leadscore.lists.columns import column
from leadscore.lists.understanding import shown_value
from leadscore.ranking.reasons import Wording, meaning_of
from leadscore.ranking.score import Scorer
from leadscore.store.current_ranking import Score, score_history
from leadscore.store.facets import candidates
from leadscore.store.facts import facts_of
from leadscore.store.firms import Firm, read_firms
from leadscore.store.ranking import RankingFilter, ranking_page
from leadscore.text import Lang
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import InvalidRequestError, store_refusals
from leadscore.web.pages import shell
from leadscore.web.pages.shell import TRANSLATIONS, ignore, whole_number
from leadscore.web.routes.firms import field_answers, firm_summary

FEWEST, MOST = 2, 4
"""Firms that stand side by side."""

FACTS = (
    "credit_code", "founded_on", "province", "city", "registered_capital_cny", "staff",
    "revenue_cny", "main_business", "exchange", "security_code", "status",
)  # fmt: skip
_ALIKE_POINTS = 0.5  # features that differ by less are folded
_OFFERED = 8  # firms to add


def compare_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/compare``, which shows what ``/api/v1/firms/<id>`` says of each firm."""

    @pages.get("/compare")
    @requires("read")
    def compare() -> Response:
        lang, scorer = dependencies.page_lang(), dependencies.scorer()
        text = request.args.get("text", "").strip()[:200]
        with store_refusals(), dependencies.database.read() as connection:
            firms = _asked_firms(connection)
            answers = [
                _firm_column(connection, firm, scorer, dependencies.today(), lang) for firm in firms
            ]
            offered = _offered(connection, firms, answers, text) if len(firms) < MOST else []
        scores = [answer["score"] for answer in answers]
        sure = scorer.intervals(
            [(score.model, score.values) if score else ("", {}) for score in scores]
        )
        numbers = [firm.id for firm in firms]
        return shell.page(
            dependencies, "compare.html", title=TRANSLATIONS["compare.title"], firms=answers,
            enough=len(firms) >= FEWEST, most=MOST, text=text, intervals=sure,
            facts=_fact_rows(answers), models={score.model for score in scores if score},
            points=_point_rows(scores, scorer.wording, lang),
            offered=[(row["name"], _address([*numbers, row["firm_id"]])) for row in offered],
            without={
                number: _address([each for each in numbers if each != number])
                for number in numbers
            },
        )  # fmt: skip

    @pages.post("/ranking/compare")
    @requires("read")
    def compare_chosen() -> Response:
        given = [whole_number(text) for text in request.form.getlist("firm")]
        numbers = list(dict.fromkeys(number for number in given if number is not None))
        if not FEWEST <= len(numbers) <= MOST:
            raise InvalidRequestError(TRANSLATIONS["compare.choose"])
        return shell.go(_address(numbers))


def _address(numbers: Sequence[int]) -> str:
    return f"/compare?{urlencode([('firm', number) for number in numbers])}"


def _asked_firms(connection: Connection) -> list[Firm]:
    numbers: dict[int, str] = {}
    for text in request.args.getlist("firm"):
        number = whole_number(text)
        if number is None:
            ignore("firm", text, TRANSLATIONS["shell.a_number"])
        else:
            numbers.setdefault(number, text)
    there = read_firms(connection, numbers)
    for number, text in numbers.items():
        if number not in there:
            ignore("firm", text, TRANSLATIONS["compare.a_firm"])
    firms = [there[number] for number in numbers if number in there]
    for firm in firms[MOST:]:
        ignore("firm", str(firm.id), TRANSLATIONS["compare.at_most"])
    return firms[:MOST]


def _firm_column(
    connection: Connection, firm: Firm, scorer: Scorer, today: date, lang: Lang
) -> dict[str, Any]:
    answer = firm_summary(scorer, connection, firm, today, lang)
    facts = facts_of(connection, [firm.id]).get(firm.id, [])
    fields = {
        field["column"]: field
        | {"shown": shown_value(column(field["column"]), field["value"], lang)}
        for field in field_answers(firm, facts, today, lang)
        if field["column"] in FACTS and field["value"] is not None
    }
    pursuits = answer["pursuits"]
    score = next(iter(score_history(connection, firm.id, limit=1)), None)
    return answer | {
        "known": fields, "owner": pursuits[-1]["owner"] if pursuits else None, "score": score,
    }  # fmt: skip


def _fact_rows(answers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for name in FACTS:
        cells = [answer["known"].get(name) for answer in answers]
        if any(cells):
            values = {cell and cell["shown"] for cell in cells}
            rows.append({
                "label": column(name).label, "cells": cells,
                "differs": len(values) > 1 and name != "credit_code",
            })  # fmt: skip
    return rows


def _point_rows(scores: Sequence[Score | None], wording: Wording, lang: Lang) -> dict[str, Any]:
    # Of each feature the points of each firm, what differs most first; all add up to the total.
    names = {name for score in scores if score for name, points in score.points.items() if points}
    rows: list[dict[str, Any]] = []
    for name in names:
        points = [score.points.get(name, 0.0) if score else None for score in scores]
        there = [each for each in points if each is not None]
        known = name in CATALOGUE
        rows.append({
            "label": meaning_of(name, lang) if known else name, "spread": max(there) - min(there),
            "cells": [
                {
                    "points": each,
                    "value": wording.value(name, score.values.get(name), lang)
                    if known and score else "",
                    "place": _place(each, there),
                }
                for each, score in zip(points, scores, strict=True)
            ],
        })  # fmt: skip
    rows.sort(key=lambda row: (-row["spread"], row["label"]))
    return {
        "differ": [row for row in rows if row["spread"] >= _ALIKE_POINTS],
        "alike": [row for row in rows if row["spread"] < _ALIKE_POINTS],
        "base": [score and score.base_points for score in scores],
        "total": [score and score.total_points for score in scores],
    }


def _place(points: float | None, all_points: Sequence[float]) -> str:
    # Whether it is the highest or the lowest of a row whose points differ.
    if points is None or max(all_points) - min(all_points) < _ALIKE_POINTS:
        return ""
    return {max(all_points): "highest", min(all_points): "lowest"}.get(points, "")


def _offered(
    connection: Connection, firms: Sequence[Firm], answers: Sequence[Mapping[str, Any]], text: str
) -> list[Mapping[str, Any]]:
    # By the words that were searched for, else the best of the same segment.
    there = {firm.id for firm in firms}
    if text:
        page = ranking_page(connection, RankingFilter.of(text=text), limit=_OFFERED + len(there))
        rows: Sequence[Mapping[str, Any]] = page.firms
    else:
        standing = [answer["standing"] for answer in answers if answer["standing"]]
        segments = {each["segment"] for each in standing if each["segment"]}
        best = candidates(connection, segments)
        rows = [row for segment in segments for row in best[segment].best]
    return [row for row in rows if row["firm_id"] not in there][:_OFFERED]
