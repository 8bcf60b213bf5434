"""The lists that were handed in: files, what became of them, and files that wait."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Select

from leadscore.lists.problems import Problem
from leadscore.store.database import (
    METADATA,
    Id,
    Json,
    Number,
    StoreError,
    columns_of,
    insert_row,
    insert_rows,
    storable_text,
)
from leadscore.store.jobs import JOBS
from leadscore.text import Text, room_words

WORDS = room_words("store")

State = Literal["waiting", "reading", "scoring", "done", "failed", "cancelled"]

OPEN: tuple[State, ...] = ("waiting", "reading", "scoring")
"""States of a list that is still to be taken in."""


class UnknownListError(StoreError):
    """A number that no list has."""

    code = "unknown_list"


@dataclass(frozen=True, slots=True)
class _List:
    """A list as it was kept.

    ``as_of`` is the day as of which the list knows its firms: an older list never overwrites what a
    newer one says. ``mapping`` says of headers which canonical column they mean. ``counts`` is
    rows, ranked, vetoed and set_aside, once done; ``error`` is code, zh and en, once failed. One
    that was ``undone`` says nothing of its firms any more.
    """

    id: Id
    file_name: str
    sha256: Annotated[str, {"index": True}]
    uploaded_by: str
    uploaded_at: datetime
    state: State
    as_of: date
    mapping: Mapping[str, str]
    notices: Sequence[Mapping[str, str]]
    counts: Mapping[str, int] | None
    model: str | None
    error: Mapping[str, Any] | None
    job_id: Annotated[int | None, Number]
    undone_at: datetime | None
    undone_by: str | None


LISTS = sa.Table("lists", METADATA, *columns_of(_List))


@dataclass(frozen=True, slots=True)
class KeptList(_List):
    """A list as it stands, and 0..1 how far the job is that takes it in."""

    progress: float


LIST_FILES = sa.Table(
    "list_files",
    METADATA,
    sa.Column("list_id", Number, sa.ForeignKey("lists.id"), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
"""The files themselves, until they are taken in: whoever does that may be another process."""

LIST_FIRMS = sa.Table(
    "list_firms",
    METADATA,
    sa.Column("list_id", Number, sa.ForeignKey("lists.id"), primary_key=True),
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("sheet", sa.Text),
    sa.Column("said", Json),
    sa.Column("order_key", sa.LargeBinary, nullable=False),
    sa.Index("ix_list_firms_firm_id", "firm_id", "list_id"),
    sa.Index("ix_list_firms_list_id_order_key", "list_id", "order_key"),
)
"""Which firms stand in a list; ``said`` is what the list says of the firm, where that is not what
the store held of it afterwards; ``order_key`` is where the firm stands now, as `STANDINGS` has it,
so that places within a list are counted from one index."""

LIST_PROBLEMS = sa.Table(
    "list_problems",
    METADATA,
    sa.Column("list_id", Number, sa.ForeignKey("lists.id"), primary_key=True),
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


def add_list(
    connection: Connection, *, file_name: str, content: bytes, mapping: Mapping[str, str],
    as_of: date, actor: str, now: datetime,
) -> int:  # fmt: skip
    """Keep a file that is to be taken in, and return the number of the list."""
    values = {
        "file_name": storable_text(file_name), "sha256": hashlib.sha256(content).hexdigest(),
        "uploaded_by": actor, "uploaded_at": now, "state": "waiting", "as_of": as_of,
        "mapping": dict(mapping), "notices": [],
    }  # fmt: skip
    number = insert_row(connection, LISTS, values)
    connection.execute(LIST_FILES.insert().values(list_id=number, content=content))
    return number


def name_job(connection: Connection, list_id: int, job_id: int) -> None:
    """Keep which job takes a list in."""
    connection.execute(sa.update(LISTS).where(LISTS.c.id == list_id).values(job_id=job_id))


def read_kept_list(connection: Connection, list_id: int) -> KeptList:
    """Return a list; raises `UnknownListError`."""
    row = connection.execute(_lists().where(LISTS.c.id == list_id)).one_or_none()
    if row is None:
        raise UnknownListError(WORDS["lists.unknown"].format(id=list_id))
    return KeptList(**row._asdict())


def kept_lists(
    connection: Connection, *, before: int | None = None, limit: int = 50
) -> list[KeptList]:
    """Return lists, the newest first; ``before`` is the last number of the page before."""
    query = _lists().order_by(LISTS.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(LISTS.c.id < before)
    return [KeptList(**row._asdict()) for row in connection.execute(query)]


def file_of(connection: Connection, list_id: int) -> bytes | None:
    """Return the file of a list; None once it was taken in."""
    query = sa.select(LIST_FILES.c.content).where(LIST_FILES.c.list_id == list_id)
    content: bytes | None = connection.scalar(query)
    return content


def set_state(connection: Connection, list_id: int, state: State) -> None:
    """Keep how far a list is."""
    connection.execute(sa.update(LISTS).where(LISTS.c.id == list_id).values(state=state))


def end_list(connection: Connection, list_id: int, state: State, **values: Any) -> None:
    """Keep how a list ended; its file is let go."""
    connection.execute(sa.update(LISTS).where(LISTS.c.id == list_id).values(state=state, **values))
    connection.execute(sa.delete(LIST_FILES).where(LIST_FILES.c.list_id == list_id))


def keep_problems(
    connection: Connection, list_id: int, problems: Sequence[Problem], *, after: int = 0
) -> None:
    """Keep what was wrong with a list, in order, ``after`` so many that stay as they are."""
    kept = LIST_PROBLEMS.c
    connection.execute(
        sa.delete(LIST_PROBLEMS).where(kept.list_id == list_id, kept.position > after)
    )
    rows = [
        {
            "list_id": list_id, "position": position, "row": problem.row, "sheet": problem.sheet,
            "column": problem.column and storable_text(problem.column),
            "found": storable_text(problem.found),
            "wanted_zh": storable_text(problem.wanted.zh),
            "wanted_en": storable_text(problem.wanted.en),
            "code": problem.code, "set_aside": problem.set_aside,
        }
        for position, problem in enumerate(problems, start=after + 1)
    ]  # fmt: skip
    insert_rows(connection, LIST_PROBLEMS, rows)


def problems_of(connection: Connection, list_id: int, *, limit: int | None = None) -> list[Problem]:
    """Return what was wrong with a list, in order."""
    kept = LIST_PROBLEMS.c
    query = sa.select(LIST_PROBLEMS).where(kept.list_id == list_id).order_by(kept.position)
    return [
        Problem(
            row.row, row.column, row.found, Text(zh=row.wanted_zh, en=row.wanted_en), row.code,
            row.sheet, set_aside=row.set_aside,
        )
        for row in connection.execute(query.limit(limit))
    ]  # fmt: skip


def count_problems(connection: Connection, list_id: int) -> dict[str, int]:
    """Return how many problems of each kind a list has, the most frequent first."""
    kept, many = LIST_PROBLEMS.c, sa.func.count().label("many")
    query = sa.select(kept.code, many).where(kept.list_id == list_id).group_by(kept.code)
    rows = connection.execute(query.order_by(many.desc(), kept.code))
    return {row.code: row.many for row in rows}


def _lists() -> Select[Any]:
    # A list whose job ended without it has ended as the job has.
    ended = LISTS.c.state.in_(OPEN) & JOBS.c.state.in_(("failed", "cancelled"))
    state = sa.case((ended, JOBS.c.state), else_=LISTS.c.state).label("state")
    done = LISTS.c.state == "done"
    progress = sa.case((done, 1.0), else_=sa.func.coalesce(JOBS.c.progress, 0.0)).label("progress")
    others = [column for column in LISTS.c if column.name != "state"]
    joined = LISTS.outerjoin(JOBS, JOBS.c.id == LISTS.c.job_id)
    return sa.select(*others, state, progress).select_from(joined)


KEPT_FOR = timedelta(days=1)
MOST_EACH = 3
"""Files of one person that may wait at the same moment."""


class UnknownUploadError(StoreError):
    """A number that no waiting file of this person has."""

    code = "unknown_upload"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that waits.

    It holds whatever it holds, people's names and numbers too: so it is kept for a day, few of each
    person, and shown to that person only.
    """

    id: Id
    file_name: str
    content: bytes
    uploaded_by: Annotated[str, {"index": True}]
    uploaded_at: Annotated[datetime, {"index": True}]


UPLOADS = sa.Table("uploads", METADATA, *columns_of(Upload))


def keep_upload(
    connection: Connection, *, file_name: str, content: bytes, actor: str, now: datetime
) -> int:
    """Keep a file and return its number; older files give way, those of others after a day."""
    kept, own = UPLOADS.c, UPLOADS.c.uploaded_by == actor
    drop_expired_uploads(connection, now=now)
    newest_first = sa.select(kept.id).where(own).order_by(kept.id.desc()).offset(MOST_EACH - 1)
    too_many = connection.scalars(newest_first.limit(100)).all()
    connection.execute(sa.delete(UPLOADS).where(kept.id.in_(too_many)))
    values = {
        "file_name": storable_text(file_name), "content": content, "uploaded_by": actor,
        "uploaded_at": now,
    }  # fmt: skip
    return insert_row(connection, UPLOADS, values)


def drop_expired_uploads(connection: Connection, *, now: datetime) -> int:
    """Let the files go that have waited for too long, whoever brought them; return how many."""
    expired = sa.delete(UPLOADS).where(UPLOADS.c.uploaded_at < now - KEPT_FOR)
    return connection.execute(expired).rowcount


def read_upload(connection: Connection, upload_id: int, *, actor: str, now: datetime) -> Upload:
    """Return a file of this person that still waits; raises `UnknownUploadError`."""
    kept = UPLOADS.c
    query = sa.select(UPLOADS).where(
        kept.id == upload_id, kept.uploaded_by == actor, kept.uploaded_at >= now - KEPT_FOR
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownUploadError(WORDS["lists.gone"])
    return Upload(*row)


def drop_upload(connection: Connection, upload_id: int, *, actor: str) -> None:
    """Let a file go, if it is there and this person's."""
    kept = UPLOADS.c
    connection.execute(sa.delete(UPLOADS).where(kept.id == upload_id, kept.uploaded_by == actor))
