"""Tells the store that another model serves: the models are mirrored, the firms scored anew."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, select, table

from leadscore.jobs.kinds import RESCORE
from leadscore.store.jobs.jobs import list_jobs, submit
from leadscore.store.models import mirror

if TYPE_CHECKING:
    from leadscore.learning.shelf.shelf import Shelf

# Named only: the module of that table brings pandas along, which a command that turns back to
# another model must not wait for.
_STANDINGS = table("standings", column("firm_id"), column("model"))


def tell_store(
    connection: Connection, shelf: Shelf, city_id: str, *, by: str, now: datetime
) -> int | None:
    """Mirror the models, and return the number of the job that scores all firms by the champion.

    A job of that kind that waits already is the one: it asks for the champion when it begins.

    Parameters
    ----------
    connection
        Within a write transaction, begun before or after the champion was changed.
    shelf
        Where the champion is named.
    city_id
        The city.
    by
        Who asks for the job.
    now
        When; with a time zone.

    Returns
    -------
    None if every firm that is kept has its score by the champion.
    """
    champion = mirror(connection, shelf, city_id, now=now)
    if champion is None:
        return None
    others = select(_STANDINGS.c.firm_id).where(_STANDINGS.c.model != champion).limit(1)
    if connection.scalar(others) is None:
        return None
    waiting = list_jobs(connection, states=["waiting"], kinds=[RESCORE], limit=1)
    return waiting[0].id if waiting else submit(connection, RESCORE, {}, by=by, now=now)
