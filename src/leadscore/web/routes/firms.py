"""The routes of one firm: all that is kept of it, and what officers do with it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field
from sqlalchemy import Connection, RowMapping, select

from leadscore.lists.columns import column
from leadscore.lists.values.words import STAGES
from leadscore.ranking.reasons import Wording
from leadscore.store import acts as firm_acts
from leadscore.store.current_ranking import STANDINGS, Score, read_score, score_history
from leadscore.store.firms import (
    OVERRIDABLE,
    Firm,
    exclusions_of,
    firm_to_change,
    overrides_of,
    read_firm,
)
from leadscore.store.models import scorecards
from leadscore.store.outcomes import Entry, outcomes_of
from leadscore.store.pursuits import Pursuit, pursuits_of
from leadscore.store.ranking import ranks, veto_of
from leadscore.store.scoring import Change, change_between
from leadscore.text import Lang, room_words
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import invalid, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import Payload, api_blueprint, example
from leadscore.web.routes.payloads import (
    BODY,
    CHANGES,
    QUERY,
    WRITES,
    Day,
    GivenDay,
    Grade,
    LangOnly,
    LangQuery,
    MainReason,
    Moment,
    Number,
    NumberPath,
    Role,
    Share,
    Slug,
    Words,
    documented,
    etag,
    fields_of,
    matched_tag,
    moment,
)
from leadscore.web.routes.ranking import main_reasons

WORDS = room_words("web")


class FieldAnswer(Payload):
    """What is known of a firm in one column, and where from."""

    column: str
    label: str
    value: float | str
    list_id: int | None = Field(description="The list that says so.")
    row: int | None
    as_of: Day = Field(description="The day as of which it is known.")
    age_days: int


class KeptScoreAnswer(Payload):
    """A score that the firm was given."""

    id: int
    model: str
    as_of: Day
    scored_at: Moment
    likelihood: Share
    fit: Share
    priority: Share
    grade: Grade
    segment: str | None
    role: str | None
    veto: str | None = Field(description="By the fields of the firm alone.")
    base_points: float
    points: dict[str, float] = Field(
        description="By feature, those that add nothing left out; with base_points they add up to "
        "the log-odds of the likelihood."
    )
    reasons: list[MainReason]


class StandingAnswer(Payload):
    """Where the firm stands now, officers' words included."""

    rank: int | None = Field(description="Place among all firms that are kept and not vetoed.")
    grade: Grade
    priority: Share
    likelihood: Share
    fit: Share
    segment: str | None
    segment_name: str | None
    role: str | None
    veto: str | None
    veto_text: str | None
    stage: str | None
    owner: str | None = Field(description="Who has the pursuit in hand.")


class OverrideAnswer(Payload):
    """What counts instead of the machine's values."""

    grade: Grade | None
    segment: str | None
    role: str | None
    reason: str
    by: str
    at: Moment


class ExclusionAnswer(Payload):
    """That the firm is not to be courted."""

    reason: str
    by: str
    at: Moment


class OutcomeAnswer(Payload):
    """What became of the firm."""

    entry: int
    stage: str
    day: Day
    reason: str | None
    withdrawn: bool
    in_force: bool
    recorded: Moment
    recorded_by: str
    source: str
    pursuit: int | None


class PursuitAnswer(Payload):
    """One pursuit of the firm: from its first outcome to what ended it, and what was known then."""

    id: int
    opened: Day
    closed: Day | None
    reason: str | None = Field(description="Why it ended.")
    owner: str | None
    next_step: str | None
    next_step_on: Day | None
    list_id: int | None
    rank: int | None = Field(description="When it began.")
    model: str | None


class FirmAnswer(Payload):
    """A firm with all that is kept of it."""

    id: int
    name: str
    credit_code: str | None
    created_at: Moment
    updated_at: Moment
    fields: list[FieldAnswer]
    standing: StandingAnswer | None
    override: OverrideAnswer | None
    exclusion: ExclusionAnswer | None
    scores: list[KeptScoreAnswer] = Field(description="The newest first, a hundred at most.")
    outcomes: list[OutcomeAnswer]
    pursuits: list[PursuitAnswer]


class NewOutcome(BaseModel):
    """That the firm reached a stage."""

    model_config = example({"stage": "visited", "day": "2026-11-20", "reason": "showed the line"})

    stage: Annotated[str, Field(pattern=f"^(?:{'|'.join(STAGES)})$")]
    day: GivenDay
    reason: Words | None = None
    withdrawn: bool = Field(default=False, description="True to take the stage back.")


class NewOverride(BaseModel):
    """What is to count instead of the machine's values; what isn't named stays the machine's."""

    model_config = example({"grade": "A", "reason": "The owner wants to come."})

    grade: Grade | None = None
    segment: Slug | None = None
    role: Role | None = None
    reason: Words


class NewExclusion(BaseModel):
    """Why the firm is not to be courted."""

    model_config = example({"reason": "Under investigation."})

    reason: Words


class ChangesQuery(BaseModel):
    """Which two scores; the last two if none is named."""

    model_config = QUERY

    older: Number | None = Field(default=None, description="Number of a score.")
    newer: Number | None = Field(default=None, description="Number of a score.")
    lang: LangQuery = None


class FeatureChangeAnswer(Payload):
    """What a feature, or a pair of them, has to do with the difference."""

    feature: str
    before: float | str | None
    after: float | str | None
    data_points: float = Field(description="From the firm's data.")
    model_points: float = Field(description="From another model.")


class ChangesAnswer(Payload):
    """Why the score changed: points = data_points + model_points."""

    older: KeptScoreAnswer | None = Field(description="None where there is one score only.")
    newer: KeptScoreAnswer | None
    points: float | None
    data_points: float | None
    model_points: float | None = Field(description="base_points among them.")
    base_points: float | None
    features: list[FeatureChangeAnswer]
    missing_models: list[str] = Field(
        description="不再能取得评分卡的模型；这时不作拆分。 Models whose cards can't be had any "
        "more: then the difference is not split."
    )


_STANDING = (
    "grade", "priority", "likelihood", "fit", "segment", "role", "veto", "stage", "owner",
)  # fmt: skip
_SCORE = (
    "id", "model", "likelihood", "fit", "priority", "grade", "segment", "role", "veto",
    "base_points",
)  # fmt: skip
_OUTCOME = (
    "entry", "stage", "reason", "withdrawn", "in_force", "recorded_by", "source", "pursuit",
)  # fmt: skip


def _firm_answer(dependencies: Dependencies, connection: Connection, firm: Firm) -> dict[str, Any]:
    wording, lang, today = dependencies.scorer().wording, dependencies.lang(), dependencies.today()
    return firm_summary(wording, connection, firm, lang) | {
        "fields": [field_answer(firm, name, today, lang) for name in firm.record],
        "scores": [
            _score_answer(wording, score, firm, lang)
            for score in score_history(connection, firm.id)
        ],
    }


def firm_summary(
    wording: Wording, connection: Connection, firm: Firm, lang: Lang
) -> dict[str, Any]:
    """Return the same without its fields and its scores."""
    standing = connection.execute(select(STANDINGS).where(STANDINGS.c.firm_id == firm.id))
    override = overrides_of(connection, [firm.id]).get(firm.id)
    exclusion = exclusions_of(connection, [firm.id]).get(firm.id)
    return {
        "id": firm.id,
        "name": firm.name,
        "credit_code": firm.credit_code,
        "created_at": moment(firm.created_at),
        "updated_at": moment(firm.updated_at),
        "standing": _standing(wording, connection, standing.mappings().one_or_none(), lang),
        "override": override
        and {name: override.values.get(name) for name in OVERRIDABLE}
        | {"reason": override.reason, "by": override.by, "at": moment(override.at)},
        "exclusion": exclusion
        and {"reason": exclusion.reason, "by": exclusion.by, "at": moment(exclusion.at)},
        "outcomes": [
            _outcome_answer(entry) for entry in outcomes_of(connection, [firm]).get(firm.id, [])
        ],
        "pursuits": [
            pursuit_answer(pursuit)
            for pursuit in pursuits_of(connection, [firm.id]).get(firm.id, [])
        ],
    }


def pursuit_answer(pursuit: Pursuit) -> dict[str, Any]:
    """Return a pursuit as the answers show it."""
    return fields_of(PursuitAnswer, pursuit)


def _outcome_answer(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in _OUTCOME} | {
        "day": entry.day.isoformat(),
        "recorded": moment(entry.recorded),
    }


def _score_answer(wording: Wording, score: Score, firm: Firm, lang: Lang) -> dict[str, Any]:
    return {name: getattr(score, name) for name in _SCORE} | {
        "as_of": score.as_of.isoformat(),
        "scored_at": moment(score.scored_at),
        "points": dict(score.points),
        "reasons": list(main_reasons(wording, score.worded_from(firm.record), lang)),
    }


def compared_scores(
    connection: Connection, firm_id: int, older: int | None, newer: int | None
) -> tuple[Score | None, Score | None, Change | None]:
    """Return two scores of a firm, the last two if none is named, and what changed between them."""
    last = [*score_history(connection, firm_id, limit=2), None, None]
    one = last[1] if older is None else read_score(connection, firm_id, older)
    other = last[0] if newer is None else read_score(connection, firm_id, newer)
    if one is None or other is None:
        return one, other, None
    cards = scorecards(connection, {one.model, other.model})
    return one, other, change_between(one, other, cards)


def field_answer(firm: Firm, name: str, today: date, lang: Lang) -> dict[str, Any]:
    """Return a field of a firm as the answers show it."""
    origin = firm.origins[name]
    return {
        "column": name,
        "label": column(name).label.pick(lang),
        "value": firm.record[name],
        "list_id": origin["list"],
        "row": origin["row"],
        "as_of": origin["as_of"],
        "age_days": max((today - date.fromisoformat(origin["as_of"])).days, 0),
    }


def _standing(
    wording: Wording, connection: Connection, row: RowMapping | None, lang: Lang
) -> dict[str, Any] | None:
    if row is None:
        return None
    firm_id = row["firm_id"]
    return {name: row[name] for name in _STANDING} | {
        "rank": ranks(connection, [firm_id]).get(firm_id),
        "segment_name": wording.segment(row["segment"], lang),
        "veto_text": veto_of(row, lang),
    }


_AS_SEEN = {
    f"{operation}.{parameter}": value
    for operation in ("override", "dropOverride", "exclude", "dropExclusion")
    for parameter, value in (
        ("path.id", "$request.path.id"),
        ("header.If-Match", "$response.header.ETag"),
    )
} | {"addOutcome.path.id": "$request.path.id", "changes.path.id": "$request.path.id"}
"""Where an answer that shows a firm leads."""


def firm_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/firms``."""
    api = api_blueprint("firms", "企业 Firms")

    @api.get("/firms/<int:id>", **documented("firm", FirmAnswer, 404, links=_AS_SEEN))
    @requires("read")
    def firm(path: NumberPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with store_refusals(), dependencies.database.read() as connection:
            firm = read_firm(connection, path.id)
            response = jsonify(_firm_answer(dependencies, connection, firm))
        response.headers.update(etag(firm.version))
        return response

    @api.get("/firms/<int:id>/changes", **documented("changes", ChangesAnswer, 404))
    @requires("read")
    def changes(path: NumberPath, query: ChangesQuery) -> Response:
        wording, lang = dependencies.scorer().wording, dependencies.lang()
        with store_refusals(), dependencies.database.read() as connection:
            firm = read_firm(connection, path.id)
            older, newer, change = compared_scores(connection, path.id, query.older, query.newer)
        features = change.features if change else ()
        return jsonify(
            older=older and _score_answer(wording, older, firm, lang),
            newer=newer and _score_answer(wording, newer, firm, lang),
            points=change and change.points,
            data_points=change and change.data,
            model_points=change and change.model,
            base_points=change and change.base,
            features=[
                {
                    "feature": feature.feature, "before": feature.before, "after": feature.after,
                    "data_points": feature.data, "model_points": feature.model,
                }
                for feature in features
            ],
            missing_models=list(change.missing) if change else [],
        )  # fmt: skip

    @api.post("/firms/<int:id>/outcomes", **documented(
        "addOutcome", OutcomeAnswer, *BODY, 404, status=201, more=WRITES,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "outcome.add")
    def add_outcome(act: Act, path: NumberPath, body: NewOutcome) -> Answer:
        entry = firm_acts.enter_outcome(
            act.connection, path.id, stage=body.stage, day=body.day, reason=body.reason,
            withdrawn=body.withdrawn, actor=act.actor, now=act.now, today=dependencies.today(),
        )  # fmt: skip
        details = {"stage": body.stage, "withdrawn": body.withdrawn}
        return Answer(_outcome_answer(entry), 201, about=_firm(path.id), details=details)

    @api.put("/firms/<int:id>/override", **documented(
        "override", FirmAnswer, *BODY, 404, 412, 428, more=CHANGES, links=_AS_SEEN,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.override")
    def override(act: Act, path: NumberPath, body: NewOverride) -> Answer:
        values = body.model_dump(include={"grade", "segment", "role"}, exclude_none=True)
        _check_values(dependencies, values)
        version = _matched(act.connection, path.id)
        firm = firm_acts.override(
            act.connection, path.id, values, body.reason, version=version, actor=act.actor,
            now=act.now,
        )  # fmt: skip
        return _changed(dependencies, act, firm, **values)

    @api.delete("/firms/<int:id>/override", **documented(
        "dropOverride", FirmAnswer, 404, 412, 428, more=CHANGES, links=_AS_SEEN,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.override.drop")
    def drop_override(act: Act, path: NumberPath) -> Answer:
        version = _matched(act.connection, path.id)
        firm = firm_acts.take_override_back(act.connection, path.id, version=version, now=act.now)
        return _changed(dependencies, act, firm)

    @api.put("/firms/<int:id>/exclusion", **documented(
        "exclude", FirmAnswer, *BODY, 404, 412, 428, more=CHANGES, links=_AS_SEEN,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.exclude")
    def exclude(act: Act, path: NumberPath, body: NewExclusion) -> Answer:
        version = _matched(act.connection, path.id)
        firm = firm_acts.exclude(
            act.connection, path.id, body.reason, version=version, actor=act.actor,
            now=act.now,
        )  # fmt: skip
        return _changed(dependencies, act, firm)

    @api.delete("/firms/<int:id>/exclusion", **documented(
        "dropExclusion", FirmAnswer, 404, 412, 428, more=CHANGES, links=_AS_SEEN,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.exclude.drop")
    def drop_exclusion(act: Act, path: NumberPath) -> Answer:
        version = _matched(act.connection, path.id)
        firm = firm_acts.take_exclusion_back(act.connection, path.id, version=version, now=act.now)
        return _changed(dependencies, act, firm)

    return api


def _matched(connection: Connection, firm_id: int) -> int:
    version = firm_to_change(connection, firm_id).version
    matched_tag(str(version))
    return version


def _changed(dependencies: Dependencies, act: Act, firm: Firm, **details: str) -> Answer:
    body = _firm_answer(dependencies, act.connection, firm)
    return Answer(body, 200, etag(firm.version), _firm(firm.id), details)


def _firm(firm_id: int) -> tuple[str, str]:
    return "firm", str(firm_id)


def _check_values(dependencies: Dependencies, values: dict[str, str]) -> None:
    segment = values.get("segment")
    if not values:
        raise invalid("$", "∅", WORDS["firms.something"])
    if segment is not None and segment not in dependencies.scorer().city.segments:
        raise invalid("segment", segment, WORDS["firms.a_segment"])
