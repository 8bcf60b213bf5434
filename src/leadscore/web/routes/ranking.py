"""The routes of the ranking: pages of it, and the whole of it as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from functools import partial
from itertools import islice
from typing import Annotated, Any, Literal, TypeVar

import pandas as pd
from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy import Connection

from leadscore.errors import Detail
from leadscore.jobs.tasks import EXPORT, check_format, export_file
from leadscore.lists.writing import write_ranking
from leadscore.ranking.order import FACT_COLUMNS, RANKING_COLUMNS, certainty_answer
from leadscore.ranking.reasons import Wording
from leadscore.ranking.score import Scorer
from leadscore.ranking.vetoes import WORDING
from leadscore.store import ranking as stored
from leadscore.store.facets import FACETS, Facets, facets
from leadscore.store.jobs import Job, read_job, submit
from leadscore.text import Lang, room_words
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import (
    REFUSALS,
    ContradictionError,
    GoneError,
    NothingThereError,
    store_refusals,
)
from leadscore.web.idempotent import Act, Answer, noted, written
from leadscore.web.openapi import CertaintyAnswer, Payload, api_blueprint, example
from leadscore.web.routes.payloads import (
    BODY,
    CSV,
    QUERY,
    WRITES,
    XLSX,
    Day,
    Grade,
    JobAsked,
    LangOnly,
    LangQuery,
    MainReason,
    Moment,
    Number,
    NumberPath,
    Share,
    Slug,
    described,
    documented,
    file_answer,
    kept_apart,
    moment,
    ranking_csv,
    sent_file,
    written_file,
)

WORDS = room_words("web")

FileKind = Literal["csv", "xlsx"]

FILE_COLUMNS = (*RANKING_COLUMNS, *FACT_COLUMNS, "corrections")
"""What may be asked for; ``corrections`` stands in a file also where anything was corrected."""


def ranking_file(
    dependencies: Dependencies, kind: FileKind, asked: stored.RankingFilter, *, sort: stored.Sort,
    lang: Lang, columns: Sequence[str] = (),
) -> Response:  # fmt: skip
    """Return the ranking in one state as a file for a browser to save."""
    chosen = list(dict.fromkeys(columns))

    def parts() -> Iterator[pd.DataFrame]:
        scorer = dependencies.scorer()
        with dependencies.database.read() as connection:
            for _, table in stored.written_parts(connection, asked, scorer, lang, sort=sort):
                if chosen:
                    table = table.reindex(columns=chosen)
                yield table

    if kind == "csv":
        return file_answer(kept_apart(ranking_csv(parts(), lang)), "ranking.csv", CSV)
    write = partial(write_ranking, pd.concat(list(parts()), ignore_index=True), lang=lang)
    return file_answer(written_file(write, ".xlsx"), "ranking.xlsx", XLSX)


_Region = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[^\x00]+$")]
_Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
_Owner = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]
_COLUMN = "|".join(FILE_COLUMNS)
_COLUMNS = rf"^(?:{_COLUMN})(?:,(?:{_COLUMN}))*$"
_VETOES = "|".join(("yes", "no", *WORDING))


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


class _OneToo:
    # In the description, too, one value may stand for a list of it.
    def __get_pydantic_json_schema__(self, core: Any, describe: Any) -> dict[str, Any]:
        several: dict[str, Any] = describe(core)
        return {"anyOf": [several["items"], several]}


_One = TypeVar("_One")
_MOST_VALUES = 100  # of one filter
_Several = Annotated[
    list[_One], Field(max_length=_MOST_VALUES), BeforeValidator(_listed), _OneToo()
]
"""One value or several, of which any may hold."""

FILTERS = (
    "text", "list", "chain", "segment", "role", "region", "grade", "stage", "owner", "veto",
    "shortlist",
)  # fmt: skip
"""The filters by the names that addresses have for them."""


class RankingConditions(BaseModel):
    """Which firms, and in which order; of one filter any value may hold, of several filters all."""

    list_id: _Several[Number] = Field(
        default=[], alias="list", description="Firms of any of these lists."
    )
    chain: _Several[Slug] = Field(default=[], description="Chains, or `none`.")
    segment: _Several[Slug] = Field(default=[], description="Segments, or `none`.")
    role: _Several[Slug] = Field(default=[], description="Roles, or `none`.")
    region: _Several[_Region] = Field(
        default=[],
        description="行政区划代码的开头，或省、市名称。 Beginnings of division codes, or names of "
        "provinces or cities.",
        examples=[["44", "深圳市"]],
    )
    grade: _Several[Annotated[str, Field(pattern=r"^[ABCD]{1,4}$")]] = Field(
        default=[],
        description="Any of these grades; `AB` is `A` and `B`.",
        examples=[["A", "B"]],
    )
    veto: _Several[Annotated[str, Field(pattern=rf"^(?:{_VETOES})$")]] = Field(
        default=[],
        description="`no`: firms that nothing speaks against; `yes`: the others; or reasons.",
    )
    stage: _Several[Slug] = Field(default=[], description="Stages, or `none`.")
    owner: _Several[_Owner] = Field(
        default=[], description="Who has the pursuit in hand, or `none`."
    )
    text: _Text | None = Field(
        default=None,
        description="名称、代码、业务里都要有的词。 Words that must all occur in "
        "name, code or business.",
    )
    shortlist: _Several[Number] = Field(default=[], description="Firms of any of these shortlists.")
    sort: stored.Sort = Field(
        default="-priority",
        description="A minus puts the highest first; the usual order decides among equals.",
    )

    def asked(self) -> stored.RankingFilter:
        """Return which firms are meant."""
        return stored.RankingFilter.of(
            list_id=self.list_id,
            **{name: getattr(self, name) for name in FILTERS if name != "list"},
        )


class RankingQuery(RankingConditions):
    """Which firms, in which order, and told in which language."""

    model_config = QUERY

    lang: LangQuery = None


class RankingFileQuery(RankingQuery):
    """Which firms, in which order, and which of their columns."""

    columns: Annotated[str, Field(max_length=500, pattern=_COLUMNS)] | None = Field(
        default=None,
        description="列名，以逗号隔开；缺省为全部。 Columns, joined by commas; those of a written "
        "ranking if missing.",
        examples=["rank,name,grade,veto"],
    )

    def wanted(self) -> list[str]:
        """Return the columns that are asked for; none for all."""
        return self.columns.split(",") if self.columns else []


class RankingPageQuery(RankingQuery):
    """Which firms, in which order, and from where on."""

    cursor: Annotated[str, Field(min_length=1, max_length=stored.LONGEST)] | None = Field(
        default=None, description="`next` of the page before, asked for with the same order."
    )
    limit: int = Field(default=stored.PAGE, ge=1, le=stored.LONGEST_PAGE)
    counts: bool = Field(default=False, description="Count the firms by chain, grade and so on.")


class RankedFirm(CertaintyAnswer):
    """A firm of the ranking, as it stands now."""

    id: int
    rank: int | None = Field(
        description="全部已存且未被否决的企业中的名次；按名单查询（`list`）时为该名单中的名次；"
        "其他筛选不改变名次。 Place among all firms that are kept and not vetoed; with `list`, in "
        "that list; no other filter changes it."
    )
    name: str
    credit_code: str | None
    grade: Grade
    priority: Share
    likelihood: Share
    fit: Share
    chain: str | None
    segment: str | None
    segment_name: str | None
    main_segment: str | None = Field(
        description="契合度最高的环节；只筛选一个环节时 `segment`、`role`、`fit`、`priority` "
        "是该环节的，并按它排列。 The segment that it fits best. Where one segment is asked for, "
        "`segment`, `role`, `fit` and `priority` are those for the gap there, and order the firms."
    )
    main_segment_name: str | None
    role: str | None
    province: str | None
    city: str | None
    veto: str | None = Field(description="Why not to court the firm, as a stable key.")
    veto_text: str | None
    stage: str | None
    owner: str | None = Field(description="Who has the pursuit in hand.")
    excluded: bool
    overridden: bool = Field(description="The same as `corrected`, as it was called before.")
    corrected: bool = Field(description="An officer has corrected something of the firm.")
    reasons: list[MainReason]
    model: str
    as_of: Day
    scored_at: Moment
    list_id: int | None = Field(description="Where the firm was last seen.")
    row: int | None


class RankingCounts(Payload):
    """How many firms there are, by value; `none` stands for those without one."""

    total: int
    chain: dict[str, int]
    segment: dict[str, int]
    role: dict[str, int]
    grade: dict[str, int]
    stage: dict[str, int]
    owner: dict[str, int]
    veto: dict[str, int]
    lists: dict[str, int]


class RankingAnswer(Payload):
    """A page of the ranking: firms that may be courted, then the vetoed ones."""

    firms: list[RankedFirm]
    next: str | None = Field(description="`cursor` of the next page.")
    counts: RankingCounts | None = Field(description="If they were asked for.")


def ranking_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/ranking`` and the same as a file."""
    api = api_blueprint("ranking", "排名 The ranking")

    @api.get("/ranking", **documented(
        "ranking", RankingAnswer,
        links=dict.fromkeys(("firm.id", "changes.id", "addOutcome.id"), "/firms/0/id"),
    ))  # fmt: skip
    @requires("read")
    def ranking(query: RankingPageQuery) -> Response:
        lang = dependencies.lang()
        with store_refusals(), dependencies.database.read() as connection:
            page = page_asked(connection, query)
            counted = facets(connection, query.asked()) if query.counts else None
        scorer = dependencies.scorer()
        return jsonify(
            {
                "firms": ranked_firms(scorer, page.firms, lang),
                "next": page.next and page.next.written(),
                "counts": counted and _counts(counted),
            }
        )

    @api.get("/ranking.csv", **documented("rankingCsv", described(CSV)))
    @requires("read")
    def as_csv(query: RankingFileQuery) -> Response:
        return _file(dependencies, "csv", query)

    @api.get("/ranking.xlsx", **documented("rankingXlsx", described(XLSX)))
    @requires("read")
    def as_workbook(query: RankingFileQuery) -> Response:
        return _file(dependencies, "xlsx", query)

    return api


def page_asked(connection: Connection, query: RankingPageQuery) -> stored.RankingPage:
    """Return the firms of a page of the ranking, and where the next one begins."""
    after = stored.read_cursor(query.cursor, query.sort) if query.cursor else None
    return stored.ranking_page(
        connection, query.asked(), sort=query.sort, after=after, limit=query.limit
    )


def ranked_firms(
    scorer: Scorer, rows: Sequence[Mapping[str, Any]], lang: Lang, *,
    most_reasons: int | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return firms of the ranking as the answers show them, with no more reasons than are shown."""
    sure = scorer.intervals([(row["model"], row["values"]) for row in rows])
    return [
        _ranked_firm(scorer.wording, row, lang, most_reasons)
        | certainty_answer(scorer, interval, lang)
        for row, interval in zip(rows, sure, strict=True)
    ]


def _ranked_firm(
    wording: Wording, row: Mapping[str, Any], lang: Lang, most_reasons: int | None
) -> dict[str, Any]:
    same = (
        "rank", "name", "credit_code", "grade", "priority", "likelihood", "fit", "chain", "segment",
        "role", "province", "city", "veto", "stage", "owner", "excluded", "overridden", "model",
        "row",
    )  # fmt: skip
    return {name: row[name] for name in same} | {
        "id": row["firm_id"],
        "list_id": row["list_id"],
        "corrected": row["overridden"],
        "segment_name": wording.segment(row["segment"], lang),
        "main_segment": row["scored_segment"],
        "main_segment_name": wording.segment(row["scored_segment"], lang),
        "veto_text": stored.veto_of(row, lang),
        "reasons": list(islice(main_reasons(wording, row, lang), most_reasons)),
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
            name: {value or stored.NONE: many for value, many in counted.counts[name].items()}
            for name in FACETS
        },
        "lists": {str(number): many for number, many in counted.lists.items()},
    }


def _file(dependencies: Dependencies, kind: FileKind, query: RankingFileQuery) -> Response:
    noted(dependencies.access, "ranking.export", details={"format": kind})
    return ranking_file(
        dependencies, kind, query.asked(), sort=query.sort, lang=dependencies.lang(),
        columns=query.wanted(),
    )  # fmt: skip


class NewExport(RankingConditions):
    """Which firms, in which order, and how they are written."""

    model_config = example({"grade": "AB", "format": "xlsx", "lang": "zh"})

    format: Literal["csv", "xlsx"] = Field(
        default="csv",
        description="xlsx；csv（缺省）答 410，请用 GET /ranking.csv。 xlsx; csv, which is meant if "
        "it is missing, is answered 410: use GET /ranking.csv.",
    )
    lang: Literal["zh", "en"] | None = Field(
        default=None,
        description="文件的语言，缺省同回答 Of the file; that of the answer if missing.",
    )


def export_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/exports``."""
    api = api_blueprint("exports", "排名 The ranking", tag="ranking")

    @api.post("/exports", **documented(
        "addExport", JobAsked, *BODY, 410, 429, status=202, more=WRITES,
        links={"readJob.id": "/job_id", "exportFile.id": "/job_id"},
    ))  # fmt: skip
    @requires("read")
    @written(dependencies.access, "ranking.export")
    def add_export(act: Act, body: NewExport) -> Answer:
        payload = {
            "filter": body.asked().told(),
            "sort": body.sort,
            "format": body.format,
            "lang": body.lang or dependencies.lang(),
        }
        check_format(payload)
        job = submit(act.connection, EXPORT, payload, by=act.actor, now=act.now)
        details = {"format": body.format}
        return Answer({"job_id": job}, 202, about=("job", str(job)), details=details)

    @api.get("/exports/<int:id>", **documented("exportFile", described(XLSX), 404, 409, 410))
    @requires("read")
    def fetch(path: NumberPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with store_refusals(), dependencies.database.read() as connection:
            name = _file_name(read_job(connection, path.id))
        file = export_file(
            dependencies.exports, name, now=dependencies.access.clock().astimezone(UTC)
        )
        if file is None:
            raise GoneError(
                REFUSALS[410][1],
                [Detail("id", str(path.id), WORDS["routes_ranking.within_a_week"])],
            )
        noted(dependencies.access, "export.fetch", ("job", str(path.id)))
        return file_answer(sent_file(file), f"ranking-{path.id}.xlsx", XLSX)

    return api


def _file_name(job: Job) -> str:
    number = str(job.id)
    if job.kind != EXPORT:
        raise NothingThereError(
            REFUSALS[404][1], [Detail("id", number, WORDS["routes_ranking.an_export"])]
        )
    check_format(job.payload)
    if job.state != "done" or job.result is None:
        raise ContradictionError(
            WORDS["routes_ranking.not_yet"],
            [Detail("id", f"{number} ({job.state})", WORDS["routes_ranking.done"])],
        )
    return str(job.result["file"])
