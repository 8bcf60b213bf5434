"""Retrains the model as a job: the stages of the walk are its progress, the decision its result."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from leadscore.jobs.champions import tell_store
from leadscore.jobs.context import JobContext
from leadscore.jobs.kinds import Workplace
from leadscore.language import Text
from leadscore.learning.retraining.walk import retrain as walk
from leadscore.store.firms.outcomes import read_outcomes
from leadscore.store.firms.snapshots import read_snapshots

_STAGES = 7
"""Stages that a retraining tells of: reading, then six of its own."""

_READING = Text(zh="读取结果和快照", en="reading outcomes and snapshots")


def retrain(
    context: JobContext, payload: Mapping[str, Any], workplace: Workplace
) -> Mapping[str, Any]:
    """Learn from outcomes, and let a better model serve from then on.

    It can be cancelled between two stages, the last time before the challenger is saved.

    Parameters
    ----------
    context
        Of the job.
    payload
        ``as_of`` (ISO date or None: today), ``dry_run`` (bool) and ``promote_anyway`` (the reason
        of a person who overrules the gates, or None); each may be missing.
    workplace
        The city, the shelf, and what is forecast.

    Returns
    -------
    Mapping
        ``version``, ``champion`` (what served until now), ``serves`` (what serves from now on),
        ``promoted``, ``dry_run``, ``decision`` as
        `leadscore.learning.promotion.decision.Decision.to_dict` gives it, and the
        sentences ``preface`` and ``upshot`` {zh, en}.
    """
    stage = 0

    def told(words: Text) -> None:
        nonlocal stage
        context.progress(stage / _STAGES, words)
        stage += 1

    told(_READING)
    now = workplace.clock()
    with context.database.read() as connection:
        events, snapshots = read_outcomes(connection), read_snapshots(connection)
    as_of = payload.get("as_of")
    notices: list[Text] = []
    city = workplace.city()
    done = walk(
        city,
        events,
        snapshots,
        workplace.shelf,
        as_of=date.fromisoformat(as_of) if as_of else now.astimezone().date(),
        now=now,
        rules=workplace.rules(),
        dry_run=bool(payload.get("dry_run", False)),
        overrule=payload.get("promote_anyway"),
        progress=told,
        notify=notices.append,
    )
    with context.database.write() as connection:
        tell_store(connection, workplace.shelf, city.id, by="job", now=now)
    return {
        "version": done.version,
        "champion": done.champion,
        "serves": done.serves,
        "promoted": done.decision.promoted,
        "dry_run": done.dry_run,
        "decision": done.decision.to_dict(),
        "preface": [_both(text) for text in (*notices, *done.preface)],
        "upshot": _both(done.upshot),
    }


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
