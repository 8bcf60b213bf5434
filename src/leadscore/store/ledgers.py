"""Ledgers that were handed in: files of outcomes that wait, are imported, or have been."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.city.profile import City
from leadscore.lists.problems import Problem
from leadscore.lists.values.places import divisions
from leadscore.store.database import (
    METADATA,
    Id,
    Number,
    StoreError,
    columns_of,
    insert_row,
    insert_rows,
    storable_text,
)
from leadscore.store.jobs import JOBS
from leadscore.store.lists import KEPT_FOR, MOST_EACH
from leadscore.text import Text, room_words

WORDS = room_words("store")

State = Literal["looked_at", "waiting", "done", "failed", "cancelled"]
_TOKEN_BYTES = 16


class UnknownLedgerError(StoreError):
    """An address or a number that no ledger of this person has, or not any more."""

    code = "unknown_ledger"


@dataclass(frozen=True, slots=True)
class Ledger:
    """A file of outcomes; ``content`` is let go once it is imported.

    While it is only ``looked_at`` it is shown to whoever brought it, under its ``token``, for a
    day. ``said`` is what was said of it: ``mapping``, ``stages``, ``remembered``, ``skip_rows``.
    ``counts`` are entries read, new, known, set_aside and milestones, and the pursuits of the file
    by what they came to, once done; ``error`` is code, zh, en and details, once failed.
    """

    id: Id
    token: Annotated[str, {"unique": True}]
    file_name: str
    sha256: str
    content: bytes | None
    uploaded_by: Annotated[str, {"index": True}]
    uploaded_at: datetime
    state: State
    said: Mapping[str, Any]
    notices: Sequence[Mapping[str, str]]
    counts: Mapping[str, int] | None
    error: Mapping[str, Any] | None
    job_id: Annotated[int | None, Number]


LEDGERS = sa.Table("ledgers", METADATA, *columns_of(Ledger))

LEDGER_PROBLEMS = sa.Table(
    "ledger_problems",
    METADATA,
    sa.Column("ledger_id", Number, sa.ForeignKey("ledgers.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("row", sa.Integer),
    sa.Column("sheet", sa.Text),
    sa.Column("column", sa.Text),
    sa.Column("found", sa.Text, nullable=False),
    sa.Column("wanted_zh", sa.Text, nullable=False),
    sa.Column("wanted_en", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("set_aside", sa.Boolean, nullable=False),
)


def names_of_place(city: City) -> frozenset[str]:
    """Return names and codes of a city: who settles there is not lost elsewhere."""
    code, places = city.about.division_code, divisions().places
    names = {city.name.zh, city.name.zh.removesuffix("市"), city.name.en.lower(), code}
    names |= {
        name for name, place in places.items() if code and code in (place.city, place.province)
    }
    if len(code) > 2:
        names |= {name for name, place in places.items() if place == (code[:2], None)}
    return frozenset(name for name in names if name)


def keep_ledger(
    connection: Connection, *, file_name: str, content: bytes, actor: str, now: datetime
) -> str:
    """Keep a file that is to be looked at, and return its token.

    Of one person `MOST_EACH` wait, for a day; older ones give way.
    """
    kept, waiting = LEDGERS.c, LEDGERS.c.state == "looked_at"
    drop_expired_ledgers(connection, now=now)
    own = sa.select(kept.id).where(waiting, kept.uploaded_by == actor).order_by(kept.id.desc())
    too_many = connection.scalars(own.offset(MOST_EACH - 1).limit(100)).all()
    connection.execute(sa.delete(LEDGERS).where(kept.id.in_(too_many)))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    insert_row(connection, LEDGERS, {
        "token": token, "file_name": storable_text(file_name), "content": content,
        "sha256": hashlib.sha256(content).hexdigest(), "uploaded_by": actor, "uploaded_at": now,
        "state": "looked_at", "said": {}, "notices": [],
    })  # fmt: skip
    return token


def drop_expired_ledgers(connection: Connection, *, now: datetime) -> int:
    """Let files go that were looked at and not handed in within a day; return how many."""
    kept = LEDGERS.c
    expired = (kept.state == "looked_at") & (kept.uploaded_at < now - KEPT_FOR)
    return connection.execute(sa.delete(LEDGERS).where(expired)).rowcount


def waiting_ledger(connection: Connection, token: str, *, actor: str, now: datetime) -> Ledger:
    """Return a file of this person that is still looked at; raises `UnknownLedgerError`."""
    row = connection.execute(_waiting(actor, now).where(LEDGERS.c.token == token)).one_or_none()
    if row is None:
        raise UnknownLedgerError(WORDS["lists.gone"])
    return _ledger(row)


def waiting_ledgers(connection: Connection, *, actor: str, now: datetime) -> list[Ledger]:
    """Return the files of this person that are still looked at, the newest first."""
    rows = connection.execute(_waiting(actor, now).order_by(LEDGERS.c.id.desc()))
    return [_ledger(row) for row in rows]


def _waiting(actor: str, now: datetime) -> sa.Select[Any]:
    kept = LEDGERS.c
    return sa.select(LEDGERS).where(
        kept.state == "looked_at", kept.uploaded_by == actor, kept.uploaded_at >= now - KEPT_FOR
    )


def _ledger(row: sa.Row[Any]) -> Ledger:
    return Ledger(**row._asdict())


def drop_ledger(connection: Connection, token: str, *, actor: str) -> None:
    """Let a file go that is only looked at, if it is there and this person's."""
    kept = LEDGERS.c
    own = (kept.token == token) & (kept.uploaded_by == actor) & (kept.state == "looked_at")
    connection.execute(sa.delete(LEDGERS).where(own))


def ask_for_ledger(
    connection: Connection, ledger_id: int, job_id: int, said: Mapping[str, Any]
) -> None:
    """Keep that a file is to be imported, by which job, and what was said of it."""
    values = {"state": "waiting", "job_id": job_id, "said": dict(said)}
    connection.execute(sa.update(LEDGERS).where(LEDGERS.c.id == ledger_id).values(values))


def read_ledger(connection: Connection, ledger_id: int) -> Ledger:
    """Return a ledger that was handed in; raises `UnknownLedgerError`."""
    query = _handed_in().where(LEDGERS.c.id == ledger_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownLedgerError(WORDS["ledgers.unknown"].format(id=ledger_id))
    return _ledger(row)


def handed_in_ledgers(
    connection: Connection, *, before: int | None = None, limit: int = 50
) -> list[Ledger]:
    """Return ledgers that were handed in, without their content, the newest first."""
    query = _handed_in().order_by(LEDGERS.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(LEDGERS.c.id < before)
    return [_ledger(row) for row in connection.execute(query)]


def content_of(connection: Connection, ledger_id: int) -> bytes | None:
    """Return the file of a ledger; None once it was imported."""
    query = sa.select(LEDGERS.c.content).where(LEDGERS.c.id == ledger_id)
    content: bytes | None = connection.scalar(query)
    return content


def _handed_in() -> sa.Select[Any]:
    # Without its content, which may be large. One whose job ended without it has ended as that has.
    ended = (LEDGERS.c.state == "waiting") & JOBS.c.state.in_(("failed", "cancelled"))
    state = sa.case((ended, JOBS.c.state), else_=LEDGERS.c.state).label("state")
    given: dict[str, Any] = {"content": sa.null().label("content"), "state": state}
    columns = [given.get(column.name, column) for column in LEDGERS.c]
    joined = LEDGERS.outerjoin(JOBS, JOBS.c.id == LEDGERS.c.job_id)
    return sa.select(*columns).select_from(joined).where(LEDGERS.c.state != "looked_at")


def end_ledger(
    connection: Connection, ledger_id: int, state: State, problems: Sequence[Problem] = (),
    **values: Any,
) -> None:  # fmt: skip
    """Keep how the import of a ledger ended; its file is let go."""
    of_it = LEDGERS.c.id == ledger_id
    connection.execute(sa.update(LEDGERS).where(of_it).values(state=state, content=None, **values))
    connection.execute(sa.delete(LEDGER_PROBLEMS).where(LEDGER_PROBLEMS.c.ledger_id == ledger_id))
    rows = [
        {
            "ledger_id": ledger_id, "position": position, "row": problem.row,
            "sheet": problem.sheet, "column": problem.column and storable_text(problem.column),
            "found": storable_text(problem.found), "wanted_zh": storable_text(problem.wanted.zh),
            "wanted_en": storable_text(problem.wanted.en), "code": problem.code,
            "set_aside": problem.set_aside,
        }
        for position, problem in enumerate(problems, start=1)
    ]  # fmt: skip
    insert_rows(connection, LEDGER_PROBLEMS, rows)


def ledger_problems(
    connection: Connection, ledger_id: int, *, limit: int | None = None
) -> list[Problem]:
    """Return what was wrong with a ledger, in order."""
    kept = LEDGER_PROBLEMS.c
    query = sa.select(LEDGER_PROBLEMS).where(kept.ledger_id == ledger_id).order_by(kept.position)
    return [
        Problem(
            row.row, row.column, row.found, Text(zh=row.wanted_zh, en=row.wanted_en), row.code,
            row.sheet, set_aside=row.set_aside,
        )
        for row in connection.execute(query.limit(limit))
    ]  # fmt: skip
