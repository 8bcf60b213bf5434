"""The routes of the ranking: pages of it, and the whole of it as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from leadscore.language import Lang
from leadscore.ranking.reasons import Wording
from leadscore.ranking.vetoes import WORDING
from leadscore.store.ranking.cursor import read_cursor
from leadscore.store.ranking.filter import NONE
from leadscore.store.ranking.pages import FACETS, Facets, facets, ranking_page
from leadscore.web.access.permissions import requires
from leadscore.web.documentation import SECURED, leads_to, refusals
from leadscore.web.idempotent import noted
from leadscore.web.routes.backing import READS_QUERY, Backing, moment
from leadscore.web.routes.files import CSV, XLSX, described
from leadscore.web.routes.ranking_files import FileKind, ranking_file
from leadscore.web.routes.ranking_payloads import (
    RankingAnswer,
    RankingFileQuery,
    RankingPageQuery,
)
from leadscore.web.store_refusals import store_refusals

_TAG = Tag(name="ranking", description="排名 The ranking")


def ranking_routes(backing: Backing) -> APIBlueprint:
    """Return ``/api/v1/ranking`` and the same as a file."""
    api = APIBlueprint(
        "ranking", __name__, url_prefix="/api/v1", abp_tags=[_TAG], abp_security=SECURED
    )

    @api.get(
        "/ranking",
        operation_id="ranking",
        summary="排名 A page of the ranking",
        openapi_extensions=READS_QUERY
        | leads_to(
            200,
            ("firm", {"id": "$response.body#/firms/0/id"}),
            ("changes", {"id": "$response.body#/firms/0/id"}),
            ("addOutcome", {"id": "$response.body#/firms/0/id"}),
        ),
        responses={200: RankingAnswer, **refusals(401, 403, 422, 431, 500)},
    )
    @requires("read")
    def ranking(query: RankingPageQuery) -> Response:
        asked, lang = query.asked(), backing.lang()
        with store_refusals(), backing.database.read() as connection:
            after = read_cursor(query.cursor, query.sort) if query.cursor else None
            page = ranking_page(connection, asked, sort=query.sort, after=after, limit=query.limit)
            counted = facets(connection, asked) if query.counts else None
        wording = backing.scorer().wording
        return jsonify(
            {
                "firms": [_firm(wording, row, lang) for row in page.firms],
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
    def as_csv(query: RankingFileQuery) -> Response:
        return _file(backing, "csv", query)

    @api.get(
        "/ranking.xlsx",
        operation_id="rankingXlsx",
        summary="排名工作簿 The ranking as a workbook",
        openapi_extensions=READS_QUERY,
        responses={200: described(XLSX), **refusals(401, 403, 422, 431, 500)},
    )
    @requires("read")
    def as_workbook(query: RankingFileQuery) -> Response:
        return _file(backing, "xlsx", query)

    return api


def _firm(wording: Wording, row: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    same = (
        "rank", "name", "credit_code", "grade", "priority", "likelihood", "fit", "chain", "segment",
        "role", "province", "city", "veto", "stage", "excluded", "overridden", "model", "row",
    )  # fmt: skip
    return {name: row[name] for name in same} | {
        "id": row["firm_id"],
        "list_id": row["list_id"],
        "segment_name": wording.segment(row["segment"], lang),
        "veto_text": row["veto"] and WORDING[row["veto"]].pick(lang),
        "reasons": list(main_reasons(wording, row, lang)),
        "as_of": row["as_of"].isoformat(),
        "scored_at": moment(row["scored_at"]),
    }


def main_reasons(
    wording: Wording, score: Mapping[str, Any], lang: Lang
) -> Iterator[dict[str, Any]]:
    """Yield the main reasons of a score as the answers show them; see `Wording.kept_reasons`."""
    for feature, points, text in wording.kept_reasons(score, lang):
        yield {"feature": feature, "points": points, "text": text}


def _counts(counted: Facets) -> dict[str, Any]:
    return {
        "total": counted.total,
        **{
            name: {value or NONE: many for value, many in counted.counts[name].items()}
            for name in FACETS
        },
        "lists": {str(number): many for number, many in counted.lists.items()},
    }


def _file(backing: Backing, kind: FileKind, query: RankingFileQuery) -> Response:
    noted(backing.access, "ranking.export", details={"format": kind})
    return ranking_file(
        backing, kind, query.asked(), sort=query.sort, lang=backing.lang(),
        columns=query.wanted(),
    )  # fmt: skip
