"""Takes a list in as a job: a list that was handed in before is read, scored and kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from leadscore.errors import ListError
from leadscore.jobs.context import JobContext
from leadscore.jobs.kinds import Workplace
from leadscore.store.lists.failed_rows import failed_rows, keep_failed_rows
from leadscore.store.lists.intake import take_in_list
from leadscore.store.lists.lists import counts_dict, file_of, read_kept_list
from leadscore.store.lists.reading import read_whole


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
    _keep_what_failed(context, payload["list_id"], now.astimezone().date())
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


def _keep_what_failed(context: JobContext, list_id: int, today: date) -> None:
    """Keep the rows with problems as they stand in the file, which goes when it is taken in."""
    with context.database.read() as connection:
        kept, content = read_kept_list(connection, list_id), file_of(connection, list_id)
    if content is None:
        return
    try:
        read = read_whole(content, kept.file_name, kept.mapping, today=today)
    except ListError:  # which is told by what takes the list in
        return
    with context.database.write() as connection:
        keep_failed_rows(connection, list_id, failed_rows(read))
