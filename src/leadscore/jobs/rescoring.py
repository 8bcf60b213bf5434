"""Scores all firms anew as a job, as when another model has become the champion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.jobs.context import JobContext
from leadscore.jobs.kinds import Workplace
from leadscore.language import Text
from leadscore.store.firms.firms import count_firms
from leadscore.store.models import mirror
from leadscore.store.ranking.scored_firms import rescore as score_anew

_SCORING = Text(zh="重新评分：{done} / {all} 家", en="scoring anew: {done} of {all} firms")


def rescore(
    context: JobContext,
    payload: Mapping[str, Any],  # noqa: ARG001 (every kind is given one)
    workplace: Workplace,
) -> Mapping[str, Any]:
    """Score every firm by the champion.

    Parameters
    ----------
    context
        Of the job.
    payload
        Nothing.
    workplace
        Whose champion scores.

    Returns
    -------
    Mapping
        ``firms``, how many were scored, and ``model``, by which.
    """
    with context.database.read() as connection:
        total = count_firms(connection)
    done = 0

    def told(more: int) -> None:
        nonlocal done
        context.check_cancelled()
        done += more
        context.progress(min(done / max(total, 1), 1.0), _SCORING.format(done=done, all=total))

    scorer = workplace.scorer()
    count = score_anew(
        context.database,
        scorer=scorer,
        today=workplace.clock().astimezone().date(),
        clock=workplace.clock,
        progress=told,
    )
    with context.database.write() as connection:  # opening the champion may have made a version
        mirror(connection, workplace.shelf, scorer.city.id, now=workplace.clock())
    return {"firms": count, "model": scorer.model}
