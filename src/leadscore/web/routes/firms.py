"""The routes of one firm: all that is kept of it, and what officers do with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field
from sqlalchemy import Connection, RowMapping, select

from leadscore.lists.columns import column
from leadscore.lists.corrections import COLUMNS
from leadscore.lists.values.words import STAGES
from leadscore.ranking.order import certainty_answer
from leadscore.ranking.reasons import Wording
from leadscore.ranking.score import Scorer
from leadscore.store import acts as firm_acts
from leadscore.store.corrections import between
from leadscore.store.current_ranking import (
    STANDINGS,
    Score,
    read_score,
    score_history,
    values_of,
)
from leadscore.store.facets import segments_of
from leadscore.store.facts import Fact, all_facts_of, facts_of, with_corrections
from leadscore.store.firms import Firm, exclusions_of, firm_to_change, hidden_of, read_firm
from leadscore.store.lists import own_fields_of
from leadscore.store.merging import merges_of
from leadscore.store.models import scorecards
from leadscore.store.outcomes import Entry, outcomes_of
from leadscore.store.pursuits import Pursuit, pursuits_of
from leadscore.store.ranking import ranks, veto_of
from leadscore.store.scoring import Change, change_between
from leadscore.text import Lang, room_words
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import CertaintyAnswer, Payload, api_blueprint, example
from leadscore.web.routes.payloads import (
    BODY,
    CHANGES,
    QUERY,
    WRITES,
    CorrectionAnswer,
    CorrectionChangeAnswer,
    Day,
    GivenDay,
    Grade,
    LangOnly,
    LangQuery,
    MachineAnswer,
    MainReason,
    Moment,
    Number,
    NumberPath,
    Share,
    Words,
    correction_answer,
    documented,
    etag,
    fields_of,
    machine_answer,
    matched_tag,
    moment,
)
from leadscore.web.routes.ranking import main_reasons

WORDS = room_words("web")


class FieldAnswer(Payload):
    """What is known of a firm in one column, and where from."""

    column: str
    label: str
    value: float | str | None = Field(description="As it counts, officers' corrections included.")
    listed: float | str | None = Field(description="What the lists say.")
    correction: int | None = Field(description="The number of what corrected it.")
    list_id: int | None = Field(description="The list that says so.")
    row: int | None
    as_of: Day = Field(description="The day as of which it is known.")
    age_days: int
    listed_since: bool = Field(description="A list has said otherwise since it was corrected.")


class KeptScoreAnswer(CertaintyAnswer):
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
        description="By feature, the difference from an average firm, those without any left out; "
        "with base_points they add up to the log-odds of the likelihood."
    )
    reasons: list[MainReason]


class StandingAnswer(CertaintyAnswer):
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
    """Grade, segment and role as officers have corrected them."""

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


class MergedAnswer(Payload):
    """A firm that was merged into this one; ``merge`` is what to name when it is split off."""

    merge: int
    firm: int
    name: str
    reason: str
    by: str
    at: Moment


class SegmentAnswer(Payload):
    """A segment that the firm truly works in, and what it is worth for the gap there."""

    segment: str
    segment_name: str | None
    role: str | None
    use: str | None
    strength: Share
    fit: Share
    priority: Share


class OwnColumnsAnswer(Payload):
    """What a list has of the firm in columns of its user's own, by their headers."""

    list_id: int
    row: int
    values: dict[str, str]


class FirmAnswer(Payload):
    """A firm with all that is kept of it."""

    id: int
    name: str
    credit_code: str | None
    created_at: Moment
    updated_at: Moment
    fields: list[FieldAnswer]
    standing: StandingAnswer | None
    works_in: list[SegmentAnswer] = Field(description="The one that it fits best first.")
    override: OverrideAnswer | None
    corrections: list[CorrectionAnswer] = Field(description="Those that count.")
    machine: MachineAnswer | None = Field(description="null where nothing was corrected.")
    exclusion: ExclusionAnswer | None
    hidden: ExclusionAnswer | None = Field(
        description="Why it stands in no ranking, count or export."
    )
    merged: list[MergedAnswer] = Field(description="Firms that turned out to be this one.")
    own_columns: list[OwnColumnsAnswer] = Field(
        description="Columns of its lists that mean nothing to leadscore, the newest list first."
    )
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
    corrections: list[CorrectionChangeAnswer] = Field(
        description="What officers corrected or took back in between."
    )
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
OVERRIDDEN = {"grade": "grade", "segments": "segment", "role": "role"}
"""What was called an override before there were corrections, by its field of now."""
_OUTCOME = (
    "entry", "stage", "reason", "withdrawn", "in_force", "recorded_by", "source", "pursuit",
)  # fmt: skip


def _firm_answer(dependencies: Dependencies, connection: Connection, firm: Firm) -> dict[str, Any]:
    scorer, lang, today = dependencies.scorer(), dependencies.lang(), dependencies.today()
    facts = facts_of(connection, [firm.id]).get(firm.id, [])
    return firm_summary(scorer, connection, firm, today, lang) | {
        "fields": field_answers(firm, facts, today, lang),
        "scores": [
            _score_answer(scorer, score, record, lang)
            for score, record in worded_scores(score_history(connection, firm.id), firm, facts)
        ],
    }


def worded_scores(
    history: Sequence[Score], firm: Firm, facts: Sequence[Fact]
) -> Iterator[tuple[Score, Mapping[str, Any]]]:
    """Yield the scores of a firm, the newest first, each with the record that words it.

    What was corrected since an older one is not put into its mouth.
    """
    for place, score in enumerate(history):
        yield score, record_of(firm, facts) if place == 0 else firm.record


def record_of(firm: Firm, facts: Sequence[Fact]) -> Mapping[str, Any]:
    """Return what counts of a firm: what lists have said, and what officers corrected."""
    return with_corrections(firm.record, [fact.correction for fact in facts])


def firm_summary(
    scorer: Scorer, connection: Connection, firm: Firm, today: date, lang: Lang
) -> dict[str, Any]:
    """Return the same without its fields and its scores."""
    wording = scorer.wording
    facts = facts_of(connection, [firm.id]).get(firm.id, [])
    standing = connection.execute(select(STANDINGS).where(STANDINGS.c.firm_id == firm.id))
    exclusion = exclusions_of(connection, [firm.id]).get(firm.id)
    hiding = hidden_of(connection, [firm.id]).get(firm.id)
    return {
        "id": firm.id,
        "name": firm.name,
        "credit_code": firm.credit_code,
        "created_at": moment(firm.created_at),
        "updated_at": moment(firm.updated_at),
        "standing": _standing(scorer, connection, standing.mappings().one_or_none(), lang),
        "works_in": [
            {name: row[name] for name in ("segment", "role", "use", "strength", "fit", "priority")}
            | {"segment_name": wording.segment(row["segment"], lang)}
            for row in segments_of(connection, firm.id)
        ],
        "override": _override_answer(facts),
        "corrections": [correction_answer(fact, wording, lang) for fact in facts],
        "machine": machine_answer(scorer, connection, firm, today, lang) if facts else None,
        "hidden": hiding and {"reason": hiding.reason, "by": hiding.by, "at": moment(hiding.at)},
        "merged": [
            {
                "merge": one.id,
                "firm": other.id,
                "name": other.name,
                "reason": one.reason,
                "by": one.by,
                "at": moment(one.at),
            }
            for one, other in merges_of(connection, firm.id)
        ],
        "own_columns": [
            {"list_id": own.list_id, "row": own.row, "values": own.fields}
            for own in own_fields_of(connection, firm.id)
        ],
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


def _override_answer(facts: Sequence[Fact]) -> dict[str, Any] | None:
    judged = [fact for fact in facts if fact.field in OVERRIDDEN]
    if not judged:
        return None
    values: dict[str, Any] = {OVERRIDDEN[fact.field]: fact.value for fact in judged}
    segments, last = values.pop("segment", None), judged[-1]
    return dict.fromkeys(OVERRIDDEN.values()) | values | {
        "segment": segments[0] if segments else None,
        "reason": last.reason or "", "by": last.recorded_by, "at": moment(last.recorded_at),
    }  # fmt: skip


def changed_corrections(
    connection: Connection, older: Score, newer: Score, wording: Wording, lang: Lang
) -> list[dict[str, Any]]:
    """Return what officers corrected or took back between two scores of a firm, in words."""
    first, last = sorted((older.scored_at, newer.scored_at))
    facts = all_facts_of(connection, older.firm_id)
    return [
        correction_answer(fact, wording, lang) | {"began": began == (first == older.scored_at)}
        for fact, began in between(facts, first, last)
    ]


def pursuit_answer(pursuit: Pursuit) -> dict[str, Any]:
    """Return a pursuit as the answers show it."""
    return fields_of(PursuitAnswer, pursuit)


def _outcome_answer(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in _OUTCOME} | {
        "day": entry.day.isoformat(),
        "recorded": moment(entry.recorded),
    }


def _score_answer(
    scorer: Scorer, score: Score, record: Mapping[str, Any], lang: Lang
) -> dict[str, Any]:
    (interval,) = scorer.intervals([(score.model, score.values)])
    return {name: getattr(score, name) for name in _SCORE} | {
        **certainty_answer(scorer, interval, lang),
        "as_of": score.as_of.isoformat(),
        "scored_at": moment(score.scored_at),
        "points": dict(score.points),
        "reasons": list(main_reasons(scorer.wording, score.worded_from(record), lang)),
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


def field_answers(
    firm: Firm, facts: Sequence[Fact], today: date, lang: Lang
) -> list[dict[str, Any]]:
    """Return the fields of a firm as the answers show them: what counts, and what lists say."""
    record = record_of(firm, facts)
    by_hand = {fact.field: fact for fact in facts}
    answers = []
    for name in dict.fromkeys([*firm.record, *(name for name in by_hand if name in COLUMNS)]):
        fact, origin = by_hand.get(name), firm.origins.get(name, {})
        as_of = fact.valid_from.isoformat() if fact else str(origin["as_of"])
        since = (
            fact is not None
            and "at" in origin
            and datetime.fromisoformat(origin["at"]) > fact.recorded_at
        )
        value = record.get(name)
        answers.append({
            "column": name,
            "label": column(name).label.pick(lang),
            "value": value,
            "listed": firm.record.get(name),
            "correction": fact.id if fact else None,
            "list_id": origin.get("list"),
            "row": origin.get("row"),
            "as_of": as_of,
            "age_days": max((today - date.fromisoformat(as_of)).days, 0),
            "listed_since": since and firm.record.get(name) != value,
        })  # fmt: skip
    return answers


def _standing(
    scorer: Scorer, connection: Connection, row: RowMapping | None, lang: Lang
) -> dict[str, Any] | None:
    if row is None:
        return None
    firm_id, number = row["firm_id"], row["score_id"]
    values = values_of(connection, [number])[number]
    (interval,) = scorer.intervals([(row["model"], values)])
    return {name: row[name] for name in _STANDING} | {
        **certainty_answer(scorer, interval, lang),
        "rank": ranks(connection, [firm_id]).get(firm_id),
        "segment_name": scorer.wording.segment(row["segment"], lang),
        "veto_text": veto_of(row, lang),
    }


AS_SEEN = {
    f"{operation}.{parameter}": value
    for operation in ("override", "dropOverride", "addCorrection", "exclude", "dropExclusion")
    for parameter, value in (
        ("path.id", "$request.path.id"),
        ("header.If-Match", "$response.header.ETag"),
    )
} | {
    f"{operation}.path.id": "$request.path.id"
    for operation in ("addOutcome", "changes", "corrections")
}
"""Where an answer that shows a firm leads."""


def firm_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/firms``."""
    api = api_blueprint("firms", "企业 Firms")

    @api.get("/firms/<int:id>", **documented("firm", FirmAnswer, 404, links=AS_SEEN))
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
        scorer, lang = dependencies.scorer(), dependencies.lang()
        with store_refusals(), dependencies.database.read() as connection:
            firm = read_firm(connection, path.id)
            older, newer, change = compared_scores(connection, path.id, query.older, query.newer)
            facts = facts_of(connection, [path.id]).get(path.id, [])
            history = score_history(connection, path.id, limit=1)
            between = older and newer and changed_corrections(
                connection, older, newer, scorer.wording, lang
            )  # fmt: skip
        features = change.features if change else ()

        def shown(score: Score | None) -> dict[str, Any] | None:
            if score is None:
                return None
            is_last = score.id == history[0].id
            record = record_of(firm, facts) if is_last else firm.record
            return _score_answer(scorer, score, record, lang)

        return jsonify(
            older=shown(older),
            newer=shown(newer),
            corrections=between or [],
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

    @api.put("/firms/<int:id>/exclusion", **documented(
        "exclude", FirmAnswer, *BODY, 404, 412, 428, more=CHANGES, links=AS_SEEN,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.exclude")
    def exclude(act: Act, path: NumberPath, body: NewExclusion) -> Answer:
        version = matched_version(act.connection, path.id)
        firm = firm_acts.exclude(
            act.connection, path.id, body.reason, version=version, actor=act.actor,
            now=act.now,
        )  # fmt: skip
        return changed_firm(dependencies, act, firm)

    @api.delete("/firms/<int:id>/exclusion", **documented(
        "dropExclusion", FirmAnswer, 404, 412, 428, more=CHANGES, links=AS_SEEN,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.exclude.drop")
    def drop_exclusion(act: Act, path: NumberPath) -> Answer:
        version = matched_version(act.connection, path.id)
        firm = firm_acts.take_exclusion_back(act.connection, path.id, version=version, now=act.now)
        return changed_firm(dependencies, act, firm)

    return api


def matched_version(connection: Connection, firm_id: int) -> int:
    """Return the version of a firm that is about to be changed, or refuse by ``If-Match``."""
    version = firm_to_change(connection, firm_id).version
    matched_tag(str(version))
    return version


def changed_firm(dependencies: Dependencies, act: Act, firm: Firm, **details: Any) -> Answer:
    """Return the answer that shows a firm as it has become."""
    body = _firm_answer(dependencies, act.connection, firm)
    return Answer(body, 200, etag(firm.version), _firm(firm.id), details)


def _firm(firm_id: int) -> tuple[str, str]:
    return "firm", str(firm_id)
