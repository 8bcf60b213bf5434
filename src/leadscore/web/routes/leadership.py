"""The routes of the report for the leadership: its values, and the same as Word and workbook."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated, Any, Literal

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from leadscore.errors import Detail
from leadscore.report.leadership import write_leadership
from leadscore.store.leadership import ReportScope, leadership_report
from leadscore.text import Lang, room_words
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import ContradictionError, NothingThereError, invalid, store_refusals
from leadscore.web.idempotent import noted
from leadscore.web.openapi import Payload, api_blueprint
from leadscore.web.routes.payloads import (
    DOCX,
    QUERY,
    XLSX,
    Day,
    Grade,
    LangQuery,
    Share,
    Stage,
    described,
    documented,
    file_answer,
    kept_apart,
    written_file,
)

WORDS = room_words("web")

_CHAIN = r"[a-z][a-z0-9_]{0,99}"
# Not `date`: that also takes a number, as seconds since 1970.
_IsoDay = Annotated[
    str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"})
]
_Count = Annotated[int, Field(ge=0)]


class ReportQuery(BaseModel):
    """Which days the report covers, and which chains."""

    model_config = QUERY

    starts: _IsoDay | None = Field(
        default=None, description="起始日，缺省为今年1月1日。 First day; 1 January if missing."
    )
    ends: _IsoDay | None = Field(
        default=None,
        description="截止日，缺省或晚于今天时为今天。 Last day; today if missing or later.",
    )
    chains: Annotated[
        str, Field(max_length=1_000, pattern=rf"^{_CHAIN}(?:,{_CHAIN})*$")
    ] | None = Field(
        default=None,
        description="产业链，以逗号隔开；缺省为全部。 Chains, joined by commas; all if missing.",
        examples=["led"],
    )  # fmt: skip
    lang: LangQuery = None


class ReportPeriod(Payload):
    """The days that the report covers, both included."""

    starts: Day
    ends: Day


class ReportStatement(Payload):
    """The public paper that the city profile rests on."""

    title: str
    number: str
    issuer: str
    year: int


class ReportList(Payload):
    """A list of firms."""

    id: int
    file_name: str
    as_of: Day
    rows: int | None


class ReportSource(Payload):
    """Where the figures come from."""

    model: str
    model_day: Day | None
    learned_from: int | None = Field(description="How many outcomes the model learned from.")
    profile: int | None = Field(description="Version of the city profile.")
    statement: ReportStatement
    neighbour_discount: Share
    firms: _Count = Field(description="Firms scored, of the chains that are meant.")
    as_of: Day | None = Field(description="The newest day as of which a firm is scored.")
    lists: list[ReportList]


class ReportSegment(Payload):
    """A segment of a chain."""

    id: str
    name: str
    position: str
    supply: Share
    neighbour_supply: Share
    neighbours: list[str]
    gap: Share
    sought: bool
    anchors: list[str]
    candidates: _Count


class ReportChain(Payload):
    """A chain."""

    id: str
    name: str
    segments: list[ReportSegment]


class ReportTarget(Payload):
    """A firm to court for a gap."""

    id: int
    rank: int | None
    name: str
    grade: Grade
    likelihood: Share
    interval: list[Share] | None = Field(description="Nine in ten; null where it is unknown.")
    fit: Share
    priority: Share
    stage: Stage | None
    reason: str | None
    list_id: int | None
    row: int | None
    model: str
    as_of: Day


class ReportGap(ReportSegment):
    """A gap, the largest first, with the first firms of the ranking if it is sizeable."""

    chain: str
    sizeable: bool
    targets: list[ReportTarget]


class ReportStage(Payload):
    """How many firms stand at a stage today, and the sum of their likelihoods."""

    stage: Stage
    firms: _Count
    likelihood: float


class ReportForecast(Payload):
    """What was forecast of firms first contacted in the period, and what became of them."""

    target: Stage
    horizon_days: int
    courted: _Count
    forecast: _Count = Field(description="With a score from before first contact.")
    without_forecast: _Count
    expected: float = Field(description="Sum of the likelihoods of those with a score.")
    landed: _Count
    landed_of_all: _Count
    ended: _Count
    open: _Count
    passed: _Count = Field(description="Whose horizon has passed: only these can be compared.")
    passed_expected: float
    passed_landed: _Count
    range: list[int] | None = Field(description="Nine in ten, if the forecasts are right.")
    enough: bool = Field(description="Whether these are enough to judge the forecast by.")
    enough_from: int


class ReportNewList(Payload):
    """A list that was imported in the period."""

    id: int
    file_name: str
    day: Day
    ranked: int | None


class ReportReached(Payload):
    """How often a stage was recorded for a day of the period."""

    stage: Stage
    firms: _Count


class ReportSupply(Payload):
    """A change of local supply."""

    segment: str
    name: str
    before: Share
    after: Share
    day: Day
    reason: str


class ReportModel(Payload):
    """A model that was put to use."""

    version: str
    act: str
    day: Day
    reason: str | None


class ReportMove(Payload):
    """A firm of another grade than before the period."""

    id: int
    name: str
    before: Grade
    after: Grade
    likelihood_before: Share
    likelihood: Share


class ReportGrades(Payload):
    """Firms of another grade than by their last score before the period; the largest moves."""

    up: _Count
    down: _Count
    firms: list[ReportMove]


class ReportChanges(Payload):
    """What changed in the period."""

    lists: list[ReportNewList]
    lists_undone: _Count
    new_firms: _Count
    stages: list[ReportReached]
    supplies: list[ReportSupply]
    models: list[ReportModel]
    grades: ReportGrades


class ReportAnswer(Payload):
    """The report for the leadership."""

    city: str
    name: str
    today: Day
    some_chains: bool
    period: ReportPeriod
    source: ReportSource
    chains: list[ReportChain]
    gaps: list[ReportGap]
    pursuits: list[ReportStage]
    forecast: ReportForecast
    changes: ReportChanges


def report_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/report`` and the same as files."""
    api = api_blueprint("report", "汇报 The report for the leadership")

    @api.get("/report", **documented("report", ReportAnswer, 404, 409))
    @requires("read")
    def report(query: ReportQuery) -> Response:
        scope = _scope_of(dependencies, query)
        return jsonify(report_of(dependencies, scope, dependencies.lang()))

    @api.get("/report.docx", **documented("reportDocx", described(DOCX), 404, 409))
    @requires("read")
    def as_document(query: ReportQuery) -> Response:
        return _file(dependencies, _scope_of(dependencies, query), "docx")

    @api.get("/report.xlsx", **documented("reportXlsx", described(XLSX), 404, 409))
    @requires("read")
    def as_workbook(query: ReportQuery) -> Response:
        return _file(dependencies, _scope_of(dependencies, query), "xlsx")

    return api


def usual_period(today: date) -> tuple[date, date]:
    """Return the days that a report covers unless others are asked for: this year until today."""
    return date(today.year, 1, 1), today


def report_of(dependencies: Dependencies, scope: ReportScope, lang: Lang) -> dict[str, Any]:
    """Return the report as `ReportAnswer` describes it."""
    scorer = dependencies.scorer()
    with store_refusals(), dependencies.database.read() as connection:
        profile = dependencies.profiles.current(connection).number_of(scorer.city)
        return leadership_report(
            connection, scorer, dependencies.registry, scope, today=dependencies.today(),
            profile=profile, lang=lang,
        )  # fmt: skip


def _day(name: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise invalid(name, str(text), WORDS["leadership.day"]) from error


def _scope_of(dependencies: Dependencies, query: ReportQuery) -> ReportScope:
    today = dependencies.today()
    first, last = usual_period(today)
    ends = min(_day("ends", query.ends) or last, today)  # what is still to come has no figures
    starts = _day("starts", query.starts) or min(first, ends)
    if starts > ends:
        wanted = WORDS["leadership.order"].format(ends=ends)
        details = [Detail("starts", starts.isoformat(), wanted)]
        raise ContradictionError(WORDS["leadership.no_period"], details)
    chains = tuple(query.chains.split(",")) if query.chains else ()
    known = [chain.id for chain in dependencies.scorer().city.chains]
    for chain in chains:
        if chain not in known:
            wanted = WORDS["leadership.chain"].format(chains=", ".join(known))
            raise NothingThereError(WORDS["leadership.no_chain"], [Detail("chains", chain, wanted)])
    return ReportScope(starts, ends, chains)


def _file(
    dependencies: Dependencies, scope: ReportScope, kind: Literal["docx", "xlsx"]
) -> Response:
    lang = dependencies.lang()
    told = report_of(dependencies, scope, lang)
    noted(dependencies.access, "report.export", details={
        "format": kind, "starts": scope.starts.isoformat(), "ends": scope.ends.isoformat(),
    } | ({"chains": list(scope.chains)} if scope.chains else {}))  # fmt: skip
    write = partial(write_leadership, told, lang=lang, now=dependencies.access.clock())
    content = kept_apart(written_file(write, f".{kind}"))
    return file_answer(content, f"report.{kind}", DOCX if kind == "docx" else XLSX)
