"""Hands a list in: its file is kept, and a job is to take it in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import Connection

from leadscore.jobs.kinds import IMPORT_LIST
from leadscore.store.jobs.jobs import submit
from leadscore.store.lists.lists import add_list, name_job


def hand_in_list(
    connection: Connection,
    *,
    file_name: str,
    content: bytes,
    mapping: Mapping[str, str],
    as_of: date,
    actor: str,
    now: datetime,
) -> tuple[int, int]:
    """Keep a file as a list, ask for the job that takes it in, and return the numbers of both.

    Parameters are as of `leadscore.store.lists.lists.add_list`.
    """
    number = add_list(
        connection, file_name=file_name, content=content, mapping=mapping, as_of=as_of,
        actor=actor, now=now,
    )  # fmt: skip
    job = submit(connection, IMPORT_LIST, {"list_id": number}, by=actor, now=now)
    name_job(connection, number, job)
    return number, job
