"""Reads the audit page by page, the newest records first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from leadscore.store.auditing.tables import AUDIT


def page(
    connection: Connection,
    *,
    before: int | None = None,
    actor: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """Return records, the newest first.

    Parameters
    ----------
    before
        Only records with a lower number: the last one of the page before.
    actor, action
        Only those with just this actor, with just this action.
    since
        Only those from this moment on.
    until
        Only those before this moment.
    limit
        How many at most.
    """
    wanted = [
        AUDIT.c.sequence < before if before is not None else None,
        AUDIT.c.actor == actor if actor is not None else None,
        AUDIT.c.action == action if action is not None else None,
        AUDIT.c.at >= since if since is not None else None,
        AUDIT.c.at < until if until is not None else None,
    ]
    query = select(AUDIT).order_by(AUDIT.c.sequence.desc()).limit(limit)
    conditions = [each for each in wanted if each is not None]
    if conditions:
        query = query.where(and_(*conditions))
    return connection.execute(query).all()
