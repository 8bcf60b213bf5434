"""The board: firms by stage, with who has each in hand, what comes next, and what is overdue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, RowMapping

from leadscore.store.current_ranking import STANDINGS
from leadscore.store.database import Database
from leadscore.store.firms import FIRMS
from leadscore.store.pursuits import PURSUITS
from leadscore.store.users import USERS

COLUMN = 20
"""Cards of a column that are shown at once."""

_AT, _OF = STANDINGS.c, PURSUITS.c
_CARDS = STANDINGS.outerjoin(PURSUITS, _OF.id == _AT.pursuit_id)
_CARD = (
    *(
        _AT[name]
        for name in (
            "firm_id", "name", "grade", "overridden", "segment", "stage", "owner", "veto",
            "rests_until", "rest_reason", "likelihood", "pursuit_id",
        )
    ),
    _OF.next_step, _OF.next_step_on, _OF.opened,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """Which firms stand on the board; of several conditions all must hold.

    ``owner`` may be ``none``: nobody has them in hand.
    """

    owner: str | None = None
    chain: str | None = None
    segment: str | None = None
    overdue: bool = False

    def conditions(self, today: date) -> list[ColumnElement[bool]]:
        """Return what must hold of a firm and its pursuit."""
        named = [
            _AT[name].is_(None) if wanted == "none" else _AT[name] == wanted
            for name in ("owner", "chain", "segment")
            if (wanted := getattr(self, name)) is not None
        ]
        return [*named, *([_overdue(today)] if self.overdue else [])]


def _overdue(today: date) -> ColumnElement[bool]:
    return _OF.next_step_on < today


class ColumnCount(NamedTuple):
    """How many firms stand under a stage, and of how many the next step is overdue."""

    firms: int
    overdue: int


def count_columns(
    connection: Connection, asked: BoardFilter, *, today: date
) -> dict[str, ColumnCount]:
    """Count the firms under each stage that has any."""
    holds = [_AT.stage.is_not(None), *asked.conditions(today)]
    firms = sa.select(_AT.stage, sa.func.count()).where(*holds).group_by(_AT.stage)
    firms = firms.select_from(_CARDS if asked.overdue else STANDINGS)
    late = sa.select(_AT.stage, sa.func.count()).where(*holds, _overdue(today))
    late = late.select_from(_LATE).group_by(_AT.stage)
    overdue = {row[0]: row[1] for row in connection.execute(late)}
    counted = connection.execute(firms).all()
    return {row[0]: ColumnCount(row[1], overdue.get(row[0], 0)) for row in counted}


# From the few that have a step, not from all that have a stage.
_LATE = PURSUITS.join(STANDINGS, (_AT.firm_id == _OF.firm_id) & (_AT.pursuit_id == _OF.id)).join(
    FIRMS, FIRMS.c.id == _AT.firm_id
)


def column_cards(
    connection: Connection, stage: str, asked: BoardFilter, *, today: date, start: int = 0,
    limit: int = COLUMN,
) -> Sequence[RowMapping]:  # fmt: skip
    """Return cards under a stage, from the one numbered ``start`` on.

    Those whose next step is overdue come first, the longest overdue first of all; the others follow
    in the order of the ranking.
    """
    holds = [_AT.stage == stage, *asked.conditions(today)]
    late = sa.select(*_CARD, FIRMS.c.version).select_from(_LATE).where(*holds, _overdue(today))
    late = late.order_by(_OF.next_step_on, _AT.vetoed, _AT.order_key).offset(start).limit(limit)
    cards = list(connection.execute(late).mappings())
    if len(cards) == limit or asked.overdue:
        return cards
    many = sa.select(sa.func.count()).select_from(_LATE).where(*holds, _overdue(today))
    before = connection.scalar(many) or 0
    other = sa.select(*_CARD, FIRMS.c.version).select_from(
        _CARDS.join(FIRMS, FIRMS.c.id == _AT.firm_id)
    )
    other = other.where(*holds, sa.or_(_OF.next_step_on.is_(None), _OF.next_step_on >= today))
    other = other.order_by(_AT.vetoed, _AT.order_key).offset(max(start - before, 0))
    return [*cards, *connection.execute(other.limit(limit - len(cards))).mappings()]


def due_steps(
    connection: Connection, owner: str, *, until: date, limit: int = 20
) -> Sequence[RowMapping]:
    """Return the firms of an owner whose next step is due by a day, the earliest first."""
    query = sa.select(*_CARD, FIRMS.c.version).select_from(_LATE)
    query = query.where(_AT.owner == owner, _OF.next_step_on <= until)
    query = query.order_by(_OF.next_step_on, _AT.vetoed, _AT.order_key).limit(limit)
    return connection.execute(query).mappings().all()


_COUNT_DUE = (
    sa.select(sa.func.count().label("due"))
    .select_from(_LATE)
    .where(_OF.owner == sa.bindparam("owner"))
    .where(_OF.next_step_on <= sa.bindparam("until", type_=sa.Date))
)


def count_due(database: Database, owner: str, *, until: date) -> int:
    """Count the same; asked with every page."""
    row = database.look_up(_COUNT_DUE, {"owner": owner, "until": until})
    return row["due"] if row else 0


def owners(connection: Connection) -> list[str]:
    """Return who may have a firm in hand: all who may record, and whoever has one, by name."""
    may = sa.select(USERS.c.name).where(
        USERS.c.role.in_(("officer", "administrator")), USERS.c.state != "disabled"
    )
    have = sa.select(_OF.owner).where(_OF.owner.is_not(None)).distinct()
    return sorted({*connection.scalars(may), *connection.scalars(have)})


class PursuitRow(NamedTuple):
    """A pursuit with its firm, as it stands."""

    id: int
    firm_id: int
    name: str
    stage: str | None
    grade: str
    segment: str | None
    opened: date
    closed: date | None
    reason: str | None
    owner: str | None
    next_step: str | None
    next_step_on: date | None
    list_id: int | None
    rank: int | None
    model: str | None
    score_id: int | None


def list_pursuits(
    connection: Connection, asked: BoardFilter, *, today: date, stage: str | None = None,
    open_only: bool = False, before: int | None = None, limit: int = 50,
) -> list[PursuitRow]:  # fmt: skip
    """Return pursuits, the newest first; ``before`` is the last number of the page before."""
    of_pursuit = (
        "id", "firm_id", "opened", "closed", "reason", "owner", "next_step", "next_step_on",
        "list_id", "rank", "model", "score_id",
    )  # fmt: skip
    columns = [_OF[name] if name in of_pursuit else _AT[name] for name in PursuitRow._fields]
    query = sa.select(*columns).select_from(PURSUITS.join(STANDINGS, _AT.firm_id == _OF.firm_id))
    query = query.where(*asked.conditions(today)).order_by(_OF.id.desc()).limit(limit)
    if stage is not None:
        query = query.where(_AT.stage == stage, _AT.pursuit_id == _OF.id)
    if open_only:
        query = query.where(_OF.closed.is_(None))
    if before is not None:
        query = query.where(_OF.id < before)
    return [PursuitRow(*row) for row in connection.execute(query)]
