"""Files that wait to be looked at by who brought them, before they are handed in as a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, LargeBinary, Table, Text, delete, select

from leadscore.language import Text as Words
from leadscore.store.engine.metadata import METADATA, Moment, Number
from leadscore.store.engine.texts import storable_text
from leadscore.store.faults import StoreError

UPLOADS = Table(
    "uploads",
    METADATA,
    Column("id", Number, primary_key=True),
    Column("file_name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("uploaded_by", Text, nullable=False, index=True),
    Column("uploaded_at", Moment, nullable=False, index=True),
)
"""They hold whatever the file holds, people's names and numbers too: so they are kept for a day,
few of each person, and shown to that person only."""

KEPT_FOR = timedelta(days=1)
MOST_EACH = 3
"""Files of one person that may wait at the same moment."""

_GONE = Words(
    zh="这个待导入的文件已不在：超过一天未确认、已导入或已放弃。请重新选择文件。",
    en="this file isn't waiting any more: it was imported, given up, or not confirmed within a "
    "day. Choose it again.",
)


class UnknownUploadError(StoreError):
    """A number that no waiting file of this person has."""

    code = "unknown_upload"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that waits; the attributes are the columns of `UPLOADS`."""

    id: int
    file_name: str
    content: bytes
    uploaded_by: str
    uploaded_at: datetime


def keep_upload(
    connection: Connection, *, file_name: str, content: bytes, actor: str, now: datetime
) -> int:
    """Keep a file and return its number; older files give way, those of others after a day."""
    kept, own = UPLOADS.c, UPLOADS.c.uploaded_by == actor
    drop_expired_uploads(connection, now=now)
    newest_first = select(kept.id).where(own).order_by(kept.id.desc()).offset(MOST_EACH - 1)
    too_many = connection.scalars(newest_first.limit(100)).all()
    connection.execute(delete(UPLOADS).where(kept.id.in_(too_many)))
    values = {
        "file_name": storable_text(file_name), "content": content, "uploaded_by": actor,
        "uploaded_at": now,
    }  # fmt: skip
    number: int = connection.execute(
        UPLOADS.insert().values(values).returning(kept.id)
    ).scalar_one()
    return number


def drop_expired_uploads(connection: Connection, *, now: datetime) -> int:
    """Let the files go that have waited for too long, whoever brought them; return how many."""
    return connection.execute(
        delete(UPLOADS).where(UPLOADS.c.uploaded_at < now - KEPT_FOR)
    ).rowcount


def read_upload(connection: Connection, upload_id: int, *, actor: str, now: datetime) -> Upload:
    """Return a file that waits.

    Raises
    ------
    UnknownUploadError
        If there is none, it has waited for too long, or it is somebody else's.
    """
    kept = UPLOADS.c
    query = select(UPLOADS).where(
        kept.id == upload_id, kept.uploaded_by == actor, kept.uploaded_at >= now - KEPT_FOR
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownUploadError(_GONE)
    return Upload(*row)


def drop_upload(connection: Connection, upload_id: int, *, actor: str) -> None:
    """Let a file go, if it is there and this person's."""
    kept = UPLOADS.c
    connection.execute(delete(UPLOADS).where(kept.id == upload_id, kept.uploaded_by == actor))
