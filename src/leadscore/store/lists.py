"""The lists that were handed in: files, what became of them, and files that wait."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, Select

from leadscore.lists.own_columns import MOST_COLUMNS
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
    new_token,
    one_of_some,
    rows_of_some,
    storable_text,
)
from leadscore.store.jobs import JOBS
from leadscore.text import Text, room_words

WORDS = room_words("store")

State = Literal["waiting", "reading", "scoring", "done", "failed", "cancelled", "undoing", "undone"]

OPEN: tuple[State, ...] = ("waiting", "reading", "scoring")
"""States of a list that is still to be taken in."""


class UnknownListError(StoreError):
    """A number that no list has."""

    code = "unknown_list"


class BusyListError(StoreError):
    """A list that can't be undone, since it is still being taken in or was undone already."""

    code = "conflict"


@dataclass(frozen=True, slots=True)
class _List:
    """A list as it was kept.

    ``as_of`` is the day as of which the list knows its firms: an older list never overwrites what a
    newer one says. ``mapping`` says of headers which canonical column they mean. ``counts`` is
    rows, ranked, vetoed and set_aside, once done; ``error`` is code, zh and en, once failed. One
    that was ``undone`` says nothing of its firms any more. ``own_columns`` are headers of the
    user's own, whose cells are kept with the firms of the list.
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
    own_columns: Sequence[str] | None


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
    sa.Column("digest", sa.Text),
    sa.Column("replaced", Json),
    sa.Column("own", Json),
    sa.Column("through", Number, sa.ForeignKey("firms.id"), index=True),
    sa.Column("order_key", sa.LargeBinary, nullable=False),
    sa.Index("ix_list_firms_firm_id", "firm_id", "list_id"),
    sa.Index("ix_list_firms_list_id_order_key", "list_id", "order_key"),
)
"""Which firms stand in a list. What the list says of the firm is ``said``, or else the fields that
`leadscore.store.snapshots` keeps under ``digest``; ``replaced`` are value and origin of the fields
that no list had said and that this one replaced; ``own`` what stands in columns of the user's own.
``through`` is a firm that was merged into this one, and stands in the list in its place.
``order_key`` is where the firm stands now, as `STANDINGS` has it, so that places within a list are
counted from one index; that of a firm without a place is `NOWHERE`."""

NOWHERE = b"\xff"
"""What comes after every ``order_key``."""

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


def count_members(connection: Connection, list_id: int) -> int:
    """Return how many firms stand in a list."""
    query = sa.select(sa.func.count()).where(LIST_FIRMS.c.list_id == list_id)
    return connection.execute(query).scalar_one()


class OwnFields(NamedTuple):
    """What a list has of a firm in columns of the user's own."""

    list_id: int
    file_name: str
    row: int
    fields: Mapping[str, str]


def own_fields_of(connection: Connection, firm_id: int) -> list[OwnFields]:
    """Return what lists have of a firm in columns of their user's own, the newest list first."""
    at = LIST_FIRMS.c
    query = (
        sa.select(at.list_id, LISTS.c.file_name, at.row, at.own)
        .join_from(LIST_FIRMS, LISTS, LISTS.c.id == at.list_id)
        .where(at.firm_id == firm_id, at.own.is_not(None))
        .order_by(at.list_id.desc())
    )
    return [OwnFields(*row) for row in connection.execute(query)]


def own_headers_of(connection: Connection, list_ids: Collection[int] = ()) -> list[str]:
    """Return the headers of the user's own columns of some lists, or of all that were not undone.

    The newest list's come first, at most `MOST_COLUMNS`.
    """
    query = sa.select(LISTS.c.own_columns).where(
        LISTS.c.own_columns.is_not(None), LISTS.c.undone_at.is_(None)
    )
    if list_ids:
        query = query.where(LISTS.c.id.in_(list(list_ids)))
    lists = connection.scalars(query.order_by(LISTS.c.id.desc()).limit(200))
    return list(dict.fromkeys(header for headers in lists for header in headers))[:MOST_COLUMNS]


_OWN = (
    sa.select(LIST_FIRMS.c.firm_id, LIST_FIRMS.c.own)
    .where(LIST_FIRMS.c.firm_id.in_(one_of_some()), LIST_FIRMS.c.own.is_not(None))
    .order_by(LIST_FIRMS.c.list_id)
)


def own_values_of(connection: Connection, firm_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Return what the newest list of each firm has under each header of the user's own."""
    values: dict[int, dict[str, str]] = {}
    for row in rows_of_some(connection, _OWN, firm_ids):
        values.setdefault(row.firm_id, {}).update(row.own)
    return values


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
    members = sa.select(LIST_FIRMS.c.list_id).where(LIST_FIRMS.c.list_id == LISTS.c.id).exists()
    undone = LISTS.c.undone_at.is_not(None)
    state = sa.case(
        (undone & members, "undoing"), (undone, "undone"), (ended, JOBS.c.state),
        else_=LISTS.c.state,
    ).label("state")  # fmt: skip
    done = (LISTS.c.state == "done") & LISTS.c.undone_at.is_(None)
    progress = sa.case((done, 1.0), else_=sa.func.coalesce(JOBS.c.progress, 0.0)).label("progress")
    others = [column for column in LISTS.c if column.name != "state"]
    joined = LISTS.outerjoin(JOBS, JOBS.c.id == LISTS.c.job_id)
    return sa.select(*others, state, progress).select_from(joined)


KEPT_FOR = timedelta(days=1)
MOST_EACH, MOST_BYTES = 10, 256 * 1024 * 1024
"""Files of one person, and bytes in all, that may wait at the same moment."""
_REMEMBERED = timedelta(days=30)

Became = Literal["imported", "discarded", "expired"]


class UnknownUploadError(StoreError):
    """An address that no waiting file has which this person may see."""

    code = "unknown_upload"


class EndedUploadError(StoreError):
    """A file that waits no longer: what it ``became``, and the list that it is."""

    code = "gone"

    def __init__(self, message: Text, became: Became, list_id: int | None) -> None:
        super().__init__(message)
        self.became, self.list_id = became, list_id

    def __reduce__(self) -> Any:
        """Pickle with what became of it."""
        return type(self), (self.message, self.became, self.list_id)


class TooManyUploadsError(StoreError):
    """One file too many of somebody whose others still wait."""

    code = "too_many_uploads"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that waits under an address that can't be guessed, for as long as `KEPT_FOR`.

    It holds whatever it holds, people's names and numbers too: so only who uploaded it may see it,
    and administrators. Once it waits no longer its content is gone, and what it ``became`` is kept.
    """

    id: Id
    file_name: str
    content: bytes
    uploaded_by: Annotated[str, {"index": True}]
    uploaded_at: Annotated[datetime, {"index": True}]
    token: Annotated[str | None, {"index": True}]
    became: Annotated[Became | None, sa.Text]
    list_id: Annotated[int | None, Number, sa.ForeignKey("lists.id")]

    @property
    def until(self) -> datetime:
        """When it goes by itself."""
        return self.uploaded_at + KEPT_FOR


UPLOADS = sa.Table("uploads", METADATA, *columns_of(Upload))
_upload = UPLOADS.c


def keep_upload(
    connection: Connection, *, file_name: str, content: bytes, actor: str, now: datetime
) -> str:
    """Keep a file, and return the token of its address.

    None gives way to another before its time; raises `TooManyUploadsError` for one too many.
    """
    drop_expired_uploads(connection, now=now)
    size = sa.func.coalesce(sa.func.sum(sa.func.length(_upload.content)), 0)
    query = sa.select(sa.func.count(), size).where(
        _upload.uploaded_by == actor, _upload.became.is_(None)
    )
    many, held = connection.execute(query).one()
    if many >= MOST_EACH or held + len(content) > MOST_BYTES:
        words = WORDS["lists.too_many_uploads"]
        raise TooManyUploadsError(words.format(most=MOST_EACH, size=MOST_BYTES >> 20))
    token = new_token()
    insert_row(connection, UPLOADS, {
        "file_name": storable_text(file_name), "content": content, "uploaded_by": actor,
        "uploaded_at": now, "token": token,
    })  # fmt: skip
    return token


def drop_expired_uploads(connection: Connection, *, now: datetime) -> int:
    """Let the files go that have waited for too long, whoever brought them; return how many."""
    old = sa.delete(UPLOADS).where(_upload.uploaded_at < now - _REMEMBERED)
    connection.execute(old)
    expired = sa.update(UPLOADS).where(
        _upload.uploaded_at < now - KEPT_FOR, _upload.became.is_(None)
    )
    return connection.execute(expired.values(content=b"", became="expired")).rowcount


def read_upload(
    connection: Connection, token: str, *, actor: str, any_of: bool = False, now: datetime
) -> Upload:
    """Return a file of this person that still waits, or ``any_of`` whomever.

    Raises `UnknownUploadError`, and `EndedUploadError` if it waits no longer.
    """
    row = connection.execute(sa.select(UPLOADS).where(_upload.token == token)).one_or_none()
    if row is None or (row.uploaded_by != actor and not any_of):
        raise UnknownUploadError(WORDS["lists.gone"])
    upload = Upload(*row)
    became: Became | None = upload.became or ("expired" if upload.until < now else None)
    if became is not None:
        words = WORDS[f"lists.upload_{became}"].format(name=upload.file_name)
        raise EndedUploadError(words, became, upload.list_id)
    return upload


def end_upload(
    connection: Connection, upload: Upload, became: Became, *, list_id: int | None = None
) -> None:
    """Let a file go, and keep what it became."""
    same = sa.update(UPLOADS).where(_upload.id == upload.id)
    connection.execute(same.values(content=b"", became=became, list_id=list_id))


class WaitingUpload(NamedTuple):
    """A file that waits, without its content."""

    token: str
    file_name: str
    uploaded_by: str
    uploaded_at: datetime

    @property
    def until(self) -> datetime:
        """When it goes by itself."""
        return self.uploaded_at + KEPT_FOR


def waiting_uploads(
    connection: Connection, *, actor: str, any_of: bool = False, now: datetime
) -> list[WaitingUpload]:
    """Return the files of this person that wait, or ``any_of`` whomever, the newest first."""
    columns = (_upload.token, _upload.file_name, _upload.uploaded_by, _upload.uploaded_at)
    query = sa.select(*columns).where(
        _upload.became.is_(None), _upload.uploaded_at >= now - KEPT_FOR, _upload.token.is_not(None)
    )
    if not any_of:
        query = query.where(_upload.uploaded_by == actor)
    rows = connection.execute(query.order_by(_upload.id.desc()).limit(100))
    return [WaitingUpload(*row) for row in rows]
