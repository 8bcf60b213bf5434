"""The routes of the ranking: pages of it, and the whole of it as a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd
from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from sqlalchemy import RowMapping

from leadscore.features.catalogue import CATALOGUE
from leadscore.language import Lang
from leadscore.lists.writing import write_ranking
from leadscore.ranking.reasons import signed
from leadscore.ranking.vetoes import WORDING
from leadscore.store.ranking.cursor import read_cursor
from leadscore.store.ranking.filter import NONE
from leadscore.store.ranking.pages import FACETS, Facets, facets, ranking_page, whole_ranking
from leadscore.web.access.permissions import requires
from leadscore.web.access.routes_session import SECURED
from leadscore.web.documentation import refusals
from leadscore.web.routes.backing import READS_QUERY, Backing, moment, words
from leadscore.web.routes.files import (
    CSV,
    XLSX,
    described,
    file_answer,
    ranking_csv,
    written_file,
)
from leadscore.web.routes.ranking_payloads import RankingAnswer, RankingPageQuery, RankingQuery
from leadscore.web.store_refusals import store_refusals

_TAG = Tag(name="ranking", description="排名 The ranking")
_JOINT = {"zh": "；", "en": "; "}
_SHAPE = {"zh": "{text}（{points}）", "en": "{text} ({points})"}


def ranking_routes(backing: Backing) -> APIBlueprint:
    """Return ``/api/v1/ranking`` and the same as a file."""
    api = APIBlueprint(
        "ranking", __name__, url_prefix="/api/v1", abp_tags=[_TAG], abp_security=SECURED
    )

    @api.get(
        "/ranking",
        operation_id="ranking",
        summary="排名 A page of the ranking",
        openapi_extensions=READS_QUERY,
        responses={200: RankingAnswer, **refusals(401, 403, 422, 431, 500)},
    )
    @requires("read")
    def ranking(query: RankingPageQuery) -> Response:
        asked, lang = query.asked(), backing.lang()
        with store_refusals(), backing.database.read() as connection:
            after = read_cursor(query.cursor, query.sort) if query.cursor else None
            page = ranking_page(connection, asked, sort=query.sort, after=after, limit=query.limit)
            counted = facets(connection, asked) if query.counts else None
        return jsonify(
            {
                "firms": [_firm(backing, row, lang) for row in page.firms],
                "next": page.next and page.next.written(),
                "counts": counted and _counts(counted),
            }
        )

    @api.get(
        "/ranking.csv",
        operation_id="rankingCsv",
        summary="排名文件 The ranking as CSV",
        openapi_extensions=READS_QUERY,
        responses={200: described(CSV), **refusals(401, 403, 422, 431, 500)},
    )
    @requires("read")
    def as_csv(query: RankingQuery) -> Response:
        lang = backing.lang()
        return file_answer(ranking_csv(_tables(backing, query, lang), lang), "ranking.csv", CSV)

    @api.get(
        "/ranking.xlsx",
        operation_id="rankingXlsx",
        summary="排名工作簿 The ranking as a workbook",
        openapi_extensions=READS_QUERY,
        responses={200: described(XLSX), **refusals(401, 403, 422, 431, 500)},
    )
    @requires("read")
    def as_workbook(query: RankingQuery) -> Response:
        lang = backing.lang()
        table = pd.concat(list(_tables(backing, query, lang)), ignore_index=True)
        write = partial(write_ranking, table, lang=lang)
        return file_answer(written_file(write, ".xlsx"), "ranking.xlsx", XLSX)

    return api


def _firm(backing: Backing, row: RowMapping, lang: Lang) -> dict[str, Any]:
    same = (
        "name", "credit_code", "grade", "priority", "likelihood", "fit", "chain", "segment",
        "role", "province", "city", "veto", "stage", "excluded", "overridden", "model", "row",
    )  # fmt: skip
    return {name: row[name] for name in same} | {
        "id": row["firm_id"],
        "list_id": row["list_id"],
        "segment_name": segment_name(backing, row["segment"], lang),
        "veto_text": row["veto"] and WORDING[row["veto"]].pick(lang),
        "reasons": main_reasons(row["reasons"], lang),
        "as_of": row["as_of"].isoformat(),
        "scored_at": moment(row["scored_at"]),
    }


def main_reasons(reasons: Any, lang: Lang) -> list[dict[str, Any]]:
    """Return the main reasons of a score as the answers show them."""
    return [
        {"feature": each["feature"], "points": each["points"], "text": words(each, lang)}
        for each in reasons
    ]


def segment_name(backing: Backing, segment: str | None, lang: Lang) -> str | None:
    """Return the name of a segment; None for none, and for one that the city has no longer."""
    known = backing.scorer().city.segments.get(segment or "")
    return known.name.pick(lang) if known else None


def _counts(counted: Facets) -> dict[str, Any]:
    return {
        "total": counted.total,
        **{
            name: {value or NONE: many for value, many in counted.counts[name].items()}
            for name in FACETS
        },
        "lists": {str(number): many for number, many in counted.lists.items()},
    }


def _tables(backing: Backing, query: RankingQuery, lang: Lang) -> Iterator[pd.DataFrame]:
    """Yield the ranking as tables with the columns of a written ranking; at least one."""
    ranked = 0
    with backing.database.read() as connection:
        for part in whole_ranking(connection, query.asked(), sort=query.sort):
            yield _table(backing, part, ranked, lang)
            ranked += sum(not row["vetoed"] for row in part)
        if not ranked:
            yield _table(backing, [], 0, lang)


def _table(backing: Backing, rows: Any, ranked: int, lang: Lang) -> pd.DataFrame:
    """Return a part of the ranking; ranks go on from ``ranked``, vetoed firms have none."""
    column = {name: [row[name] for row in rows] for name in (
        "name", "credit_code", "grade", "priority", "likelihood", "fit", "segment", "role",
        "segments", "row", "model", "words", "province", "city",
    )}  # fmt: skip
    roles = {level: name.pick(lang) for level, name in CATALOGUE["role"].levels.items()}
    texts = {
        "reasons": [_line(row["reasons"], lang) for row in rows],
        "veto": [row["veto"] and WORDING[row["veto"]].pick(lang) for row in rows],
        "segment_name": [segment_name(backing, key, lang) for key in column["segment"]],
        "role_name": [roles.get(key) for key in column["role"]],
        "matched_words": column.pop("words"),
    }
    columns = column | texts
    numbers = {"priority": "float64", "likelihood": "float64", "fit": "float64", "row": "Int64"}
    table = pd.DataFrame(
        {name: pd.Series(columns[name], dtype=numbers.get(name, "str")) for name in _COLUMNS}
    )
    free = table["veto"].isna()
    rank = (free.cumsum() + ranked).astype("Int64").mask(~free)
    table.insert(0, "rank", rank)
    return table


_COLUMNS = (
    "name", "credit_code", "grade", "priority", "likelihood", "fit", "segment", "role", "reasons",
    "veto", "segments", "row", "model", "segment_name", "role_name", "matched_words", "province",
    "city",
)  # fmt: skip


def _line(reasons: Any, lang: Lang) -> str:
    """Return the main reasons as one line of words and points."""
    return _JOINT[lang].join(
        _SHAPE[lang].format(text=words(each, lang), points=signed(each["points"]))
        for each in reasons
    )
