"""A firm with all that is kept of it, as the answers show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from leadscore.language import Lang
from leadscore.lists.columns import column
from leadscore.ranking.reasons import Wording
from leadscore.ranking.vetoes import WORDING
from leadscore.store.firms.firms import Firm, read_firm
from leadscore.store.firms.overrides import FIELDS, exclusions_of, overrides_of
from leadscore.store.firms.stages import Entry, outcomes_of
from leadscore.store.models import scorecards
from leadscore.store.ranking.changes import Change, change_between
from leadscore.store.ranking.pages import ranks
from leadscore.store.ranking.scores import Score, read_score, score_history
from leadscore.store.ranking.standings import STANDINGS
from leadscore.web.routes.backing import moment
from leadscore.web.routes.ranking import main_reasons

_STANDING = (
    "grade", "priority", "likelihood", "fit", "segment", "role", "veto", "stage",
)  # fmt: skip
_SCORE = (
    "id", "model", "likelihood", "fit", "priority", "grade", "segment", "role", "veto",
    "base_points",
)  # fmt: skip
_OUTCOME = ("entry", "stage", "reason", "withdrawn", "in_force", "recorded_by", "source")


def firm_answer(
    wording: Wording, connection: Connection, firm: Firm, today: date, lang: Lang
) -> dict[str, Any]:
    """Return a firm as `firm_payloads.FirmAnswer` describes it."""
    return firm_summary(wording, connection, firm, lang) | {
        "fields": [_field(firm, name, today, lang) for name in firm.record],
        "scores": [
            score_answer(wording, each, firm, lang) for each in score_history(connection, firm.id)
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
        and {name: override.values.get(name) for name in FIELDS}
        | {"reason": override.reason, "by": override.by, "at": moment(override.at)},
        "exclusion": exclusion
        and {"reason": exclusion.reason, "by": exclusion.by, "at": moment(exclusion.at)},
        "outcomes": [
            outcome_answer(each) for each in outcomes_of(connection, [firm]).get(firm.id, [])
        ],
    }


def outcome_answer(entry: Entry) -> dict[str, Any]:
    """Return an outcome as the answers show it."""
    return {name: getattr(entry, name) for name in _OUTCOME} | {
        "day": entry.day.isoformat(),
        "recorded": moment(entry.recorded),
    }


def score_answer(wording: Wording, score: Score, firm: Firm, lang: Lang) -> dict[str, Any]:
    """Return a score as the answers show it."""
    return {name: getattr(score, name) for name in _SCORE} | {
        "as_of": score.as_of.isoformat(),
        "scored_at": moment(score.scored_at),
        "points": dict(score.points),
        "reasons": list(main_reasons(wording, score.worded_from(firm.record), lang)),
    }


def changes_answer(
    wording: Wording,
    connection: Connection,
    firm_id: int,
    older: int | None,
    newer: int | None,
    lang: Lang,
) -> dict[str, Any]:
    """Return why a score changed, as `firm_payloads.ChangesAnswer` describes it.

    Raises
    ------
    UnknownFirmError, UnknownScoreError
        If there is no such firm, or it has no such score.
    """
    firm = read_firm(connection, firm_id)
    given: list[int | None] = [older, newer]
    last = score_history(connection, firm_id, limit=2)
    ends: list[Score | None] = [
        read_score(connection, firm_id, number)
        if number
        else next(iter(last[place : place + 1]), None)
        for number, place in zip(given, (1, 0), strict=True)
    ]
    change = None
    if ends[0] and ends[1]:
        cards = scorecards(connection, {ends[0].model, ends[1].model})
        change = change_between(ends[0], ends[1], cards)
    return {
        "older": ends[0] and score_answer(wording, ends[0], firm, lang),
        "newer": ends[1] and score_answer(wording, ends[1], firm, lang),
        "points": change and change.points,
        "data_points": change and change.data,
        "model_points": change and change.model,
        "base_points": change and change.base,
        "features": _feature_changes(change),
        "missing_models": list(change.missing) if change else [],
    }


def _feature_changes(change: Change | None) -> Sequence[dict[str, Any]]:
    return [
        {
            "feature": each.feature,
            "before": each.before,
            "after": each.after,
            "data_points": each.data,
            "model_points": each.model,
        }
        for each in (change.features if change else ())
    ]


def _field(firm: Firm, name: str, today: date, lang: Lang) -> dict[str, Any]:
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
        "veto_text": row["veto"] and WORDING[row["veto"]].pick(lang),
    }
