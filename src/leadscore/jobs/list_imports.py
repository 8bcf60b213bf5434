"""Takes a list in as a job: a list that was handed in before is read, scored and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.jobs.context import JobContext
from leadscore.jobs.kinds import Workplace
from leadscore.store.lists.intake import take_in_list
from leadscore.store.lists.lists import counts_dict


def import_list(
    context: JobContext, payload: Mapping[str, Any], workplace: Workplace
) -> Mapping[str, Any]:
    """Read, score and keep a list by the champion.

    Parameters
    ----------
    context
        Of the job.
    payload
        ``list_id``: a list that waits.
    workplace
        Whose champion scores.

    Returns
    -------
    Mapping
        ``list_id`` and where its rows went: ``rows``, ``ranked``, ``vetoed``, ``set_aside``.
    """
    now = workplace.clock()
    counts = take_in_list(
        context.database,
        payload["list_id"],
        scorer=workplace.scorer(),
        now=now,
        today=now.astimezone().date(),
        progress=context.progress,
        check=context.check_cancelled,
    )
    return {"list_id": payload["list_id"], **counts_dict(counts)}
