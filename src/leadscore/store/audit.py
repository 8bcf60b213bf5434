"""The audit: who did what, in an HMAC chain that is checked, read and pruned."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import (
    Column,
    Connection,
    Row,
    String,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy import Text as LongText

from leadscore.errors import Detail
from leadscore.files import place_secret
from leadscore.store.database import METADATA, Moment, Number, insert_unless_there, storable_text
from leadscore.store.errors import StoreError, refusals
from leadscore.text import Text, room_words

WORDS = room_words("store")


AUDIT = Table(
    "audit",
    METADATA,
    Column("sequence", Number, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False, index=True),
    Column("actor", String(100), nullable=False, index=True),
    Column("role", String(20), nullable=False),
    Column("action", String(60), nullable=False, index=True),
    Column("object_kind", String(40)),
    Column("object_id", String(200)),
    Column("address", String(64)),
    Column("result", String(20), nullable=False),
    # The text itself is sealed: JSON that a database has read and written again may differ in it.
    Column("details", LongText, nullable=False),
    Column("mac", String(64), nullable=False),
)
"""What was done, one row an act, numbered from 1 without a gap."""

AUDIT_HEAD = Table(
    "audit_head",
    METADATA,
    Column("mark", String(8), primary_key=True),
    Column("sequence", Number, nullable=False),
    Column("mac", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)
"""Two sealed marks: ``end`` is the last record; ``start``, once pruned, the last one taken away."""

_UNCHANGED = "audit: rows are only ever added"
_PRUNED = "coalesce((SELECT sequence FROM audit_head WHERE mark = 'start'), 0)"

_SQLITE_UPDATE = f"""
CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, '{_UNCHANGED}'); END
"""
_SQLITE_DELETE = f"""
CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON audit WHEN OLD.sequence > {_PRUNED}
BEGIN SELECT RAISE(ABORT, '{_UNCHANGED}'); END
"""
_POSTGRESQL_FUNCTION = f"""
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.sequence <= {_PRUNED} THEN RETURN OLD; END IF;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'integrity_constraint_violation', MESSAGE = '{_UNCHANGED}';
END $$
"""
_POSTGRESQL_ROWS = """
CREATE TRIGGER audit_refuses_changes BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_refuse()
"""
_POSTGRESQL_TRUNCATE = """
CREATE TRIGGER audit_refuses_truncate BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
"""

AUDIT_TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (_SQLITE_UPDATE, _SQLITE_DELETE),
    "postgresql": (_POSTGRESQL_FUNCTION, _POSTGRESQL_ROWS, _POSTGRESQL_TRUNCATE),
}
"""By database, for a migration to run: only rows up to the mark ``start`` may go, none change."""


Result = Literal["done", "refused"]
FIRST = "0" * 64
"""What stands for the seal of a record before the first."""

# Put together once: they are run with every act.
_END = select(AUDIT_HEAD).where(AUDIT_HEAD.c.mark == "end").with_for_update()
_ADD = insert(AUDIT)
_MOVE = (
    update(AUDIT_HEAD)
    .where(AUDIT_HEAD.c.mark == bindparam("which"))
    .values({name: bindparam(name) for name in ("sequence", "mac", "seal")})
)

_BROKEN = WORDS["audit.broken"]

_KEY_BYTES = 32
_MOST_BYTES = 65_536
_OPEN_TO_OTHERS = stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP

_BAD_KEY = WORDS["audit.bad_key"]
_SO_LONG = Text(zh=f"{_KEY_BYTES} 到 {_MOST_BYTES} 字节", en=f"{_KEY_BYTES} to {_MOST_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Record:
    """One act.

    Attributes
    ----------
    actor, role
        Name of the user, ``key:`` and the name of a key, ``cli`` or ``job``; and as what they did
        it.
    action
        What was done, such as ``user.add``.
    object_kind, object_id
        To what.
    address
        From which address of the network; None for what was done on this machine.
    result
        Whether it was done, or refused.
    details
        Plain JSON values that tell more: no secrets, nothing personal.
    """

    actor: str
    role: str
    action: str
    object_kind: str | None = None
    object_id: str | None = None
    address: str | None = None
    result: Result = "done"
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mark:
    """A record that stands for all before it: its number and its seal."""

    sequence: int
    mac: str

    def content(self) -> bytes:
        """Return what is sealed."""
        return f"{self.sequence}:{self.mac}".encode()


class SealingKey:
    """A file of random bytes, made on first use; nothing is touched before that.

    Parameters
    ----------
    path
        Where the key lies.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._secret: bytes | None = None

    def make(self) -> None:
        """Make the key unless there is one; of two processes the first makes it.

        Raises
        ------
        StoreError
            If it can't be made.
        """
        with refusals(self.path.parent):
            if not self.path.exists():
                place_secret(self.path, secrets.token_bytes(_KEY_BYTES))

    def seal(self, purpose: str, content: bytes) -> str:
        """Return the HMAC-SHA-256 of a purpose and a content, in 64 hex digits.

        Raises
        ------
        StoreError
            If the key isn't there or can't be trusted.
        """
        if self._secret is None:
            self._secret = self._read()
        return hmac.digest(self._secret, purpose.encode() + b"\0" + content, hashlib.sha256).hex()

    def holds(self, purpose: str, content: bytes, seal: str) -> bool:
        """Tell whether a seal is the one that this key gives."""
        return hmac.compare_digest(self.seal(purpose, content).encode(), seal.encode())

    def _read(self) -> bytes:
        with refusals(self.path.parent):
            if not self.path.exists():
                raise StoreError(WORDS["audit.no_key"].format(path=self.path))
            with self.path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                secret = file.read(_MOST_BYTES + 1)
        if os.name != "nt" and mode & _OPEN_TO_OTHERS:
            detail = Detail(str(self.path), f"{stat.S_IMODE(mode):o}", WORDS["audit.only_you"])
            raise StoreError(_BAD_KEY.format(path=self.path), [detail])
        if not _KEY_BYTES <= len(secret) <= _MOST_BYTES:
            detail = Detail(str(self.path), str(len(secret)), _SO_LONG)
            raise StoreError(_BAD_KEY.format(path=self.path), [detail])
        return secret


class AuditTrail:
    """Writes the audit of a database; safe to share between threads.

    Parameters
    ----------
    key_file
        Where the key lies: it is made on first use, and must not be where the database is kept or
        backed up, for whoever has both can forge.
    """

    def __init__(self, key_file: Path) -> None:
        self.key = SealingKey(key_file)

    def append(self, connection: Connection, record: Record, now: datetime) -> None:
        """Add a record within the caller's transaction: it is kept if and only if that is.

        From here to the end of the transaction all others wait who append: do it last.

        Raises
        ------
        StoreError
            If the marks were tampered with, or the key is missing or can't be trusted.
        """
        last = self.last(connection)
        row = _row(record, last.sequence + 1, now)
        row["mac"] = self.key.seal("audit record", sealed_bytes(row, last.mac))
        connection.execute(_ADD, row)
        move_mark(connection, "end", Mark(last.sequence + 1, row["mac"]), self.key)

    def last(self, connection: Connection) -> Mark:
        """Return the last mark, locked against other writers until the transaction ends.

        Raises
        ------
        StoreError
            As `append`.
        """
        row = connection.execute(_END).one_or_none()
        if row is None:
            self._begin(connection)
            row = connection.execute(_END).one()
        mark = Mark(row.sequence, row.mac)
        if not self.key.holds("audit end", mark.content(), row.seal):
            raise StoreError(_BROKEN)
        return mark

    def _begin(self, connection: Connection) -> None:
        """Begin the chain; of two who do it at the same moment one waits and finds it begun."""
        if connection.scalar(select(AUDIT.c.sequence).limit(1)) is not None:
            # Records without a mark; or another has begun the chain since its end was looked for.
            if connection.execute(_END).one_or_none() is None:
                raise StoreError(_BROKEN)
            return
        self.key.make()
        mark = Mark(0, FIRST)
        seal = self.key.seal("audit end", mark.content())
        values = {"mark": "end", "sequence": 0, "mac": FIRST, "seal": seal}
        insert_unless_there(connection, AUDIT_HEAD, values)


def move_mark(
    connection: Connection, name: Literal["end", "start"], mark: Mark, key: SealingKey
) -> None:
    """Let a mark that is there stand at another record."""
    seal = key.seal(f"audit {name}", mark.content())
    values = {"which": name, "sequence": mark.sequence, "mac": mark.mac, "seal": seal}
    connection.execute(_MOVE, values)


def sealed_bytes(row: Mapping[str, Any], mac_before: str) -> bytes:
    """Return the bytes of a record that its seal is made from, with the seal before it."""
    parts: list[Any] = [mac_before]
    for column in AUDIT.c:
        if column.name == "at":
            parts.append(row["at"].astimezone(UTC).isoformat(timespec="microseconds"))
        elif column.name != "mac":
            parts.append(row[column.name])
    return json.dumps(parts, ensure_ascii=True, separators=(",", ":")).encode()


def _row(record: Record, sequence: int, now: datetime) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "at": now.astimezone(UTC),
        "actor": _short(record.actor, "actor"),
        "role": record.role,
        "action": record.action,
        "object_kind": record.object_kind,
        "object_id": _short(record.object_id, "object_id"),
        "address": _short(record.address, "address"),
        "result": record.result,
        "details": json.dumps(
            record.details, ensure_ascii=True, allow_nan=False, sort_keys=True,
            separators=(",", ":"),
        ),
    }  # fmt: skip


def _short(text: str | None, column: str) -> str | None:
    """Return text as the column takes it: a name that is too long loses its end, not the act."""
    length: int = AUDIT.c[column].type.length  # type: ignore[attr-defined]
    return None if text is None else storable_text(text)[:length]


_PAGE = 2_000


KEPT_DAYS = 200
"""No record may go sooner: six months and some days."""

_TOO_YOUNG = Text(
    zh=f"审计记录至少保存 {KEPT_DAYS} 天，不能删除更近的。请给出更早的日期。",
    en=f"the audit is kept for at least {KEPT_DAYS} days. Name an earlier day.",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a check.

    Attributes
    ----------
    count
        Records that are whole, up to the break if there is one.
    first_at, last_at
        When the first and the last of those were written; None if there are none.
    pruned
        Number of the last record that was taken away on purpose; 0 if none was.
    fault
        Where the chain breaks; None if it is whole.
    """

    count: int
    first_at: datetime | None
    last_at: datetime | None
    pruned: int
    fault: Text | None


class _Check:
    """One walk through the records; `at` is the last one that was found whole."""

    def __init__(self, connection: Connection, trail: AuditTrail) -> None:
        self.connection, self.trail = connection, trail
        rows = {row.mark: row for row in connection.execute(select(AUDIT_HEAD))}
        self.start_row, self.end_row = rows.get("start"), rows.get("end")
        self.start = Mark(0, FIRST)
        if self.start_row is not None:
            self.start = Mark(self.start_row.sequence, self.start_row.mac)
        self.at, self.count = self.start, 0
        self.first_at: datetime | None = None
        self.last_at: datetime | None = None

    def fault(self) -> Text | None:
        """Return the first break."""
        if self.end_row is None and self.start_row is None and not self._any_record():
            return None
        for name, row in (("start", self.start_row), ("end", self.end_row)):
            if row is not None and not self._sealed(name, row):
                return WORDS["audit.bad_mark"].format(mark=name)
        if self.end_row is None:
            return WORDS["audit.no_end"]
        return self._walk() or self._end_fault()

    def _walk(self) -> Text | None:
        for row in self._records():
            expected = self.at.sequence + 1
            if row.sequence != expected:
                return WORDS["audit.removed"].format(sequence=expected, found=row.sequence)
            content = sealed_bytes(row._asdict(), self.at.mac)
            if not self.trail.key.holds("audit record", content, row.mac):
                return WORDS["audit.edited"].format(sequence=row.sequence)
            self.at = Mark(row.sequence, row.mac)
            self.count += 1
            self.first_at = self.first_at or row.at
            self.last_at = row.at
        return None

    def _end_fault(self) -> Text | None:
        assert self.end_row is not None  # noqa: S101 (looked at before the walk)
        end = Mark(self.end_row.sequence, self.end_row.mac)
        if end == self.at:
            return None
        shape = WORDS["audit.cut"] if end.sequence > self.at.sequence else WORDS["audit.added"]
        return shape.format(sequence=end.sequence, found=self.at.sequence)

    def _any_record(self) -> bool:
        return self.connection.scalar(select(AUDIT.c.sequence).limit(1)) is not None

    def _sealed(self, name: str, row: Row[Any]) -> bool:
        content = Mark(row.sequence, row.mac).content()
        return self.trail.key.holds(f"audit {name}", content, row.seal)

    def _records(self) -> Iterator[Row[Any]]:
        """Yield the records in their order, a page at a time, so that any number fits."""
        after = -1
        while True:
            query = select(AUDIT).where(AUDIT.c.sequence > after).order_by(AUDIT.c.sequence)
            rows = self.connection.execute(query.limit(_PAGE)).all()
            yield from rows
            if len(rows) < _PAGE:
                return
            after = rows[-1].sequence


def verify(connection: Connection, trail: AuditTrail) -> Verdict:
    """Check every record and both marks.

    What is whole may still be an older copy: of the whole database, or of the records with the mark
    of the end, and an audit without any record or mark passes for one that was never begun.

    Parameters
    ----------
    connection
        In a transaction that sees one state of the tables.
    trail
        Whose key sealed them.

    Raises
    ------
    StoreError
        If there are records and the key is missing or can't be trusted.
    """
    check = _Check(connection, trail)
    fault = check.fault()
    return Verdict(check.count, check.first_at, check.last_at, check.start.sequence, fault)


def prune(connection: Connection, trail: AuditTrail, *, before: datetime, now: datetime) -> int:
    """Remove all records from before a moment, and return how many those were.

    Raises
    ------
    StoreError
        If some would be younger than `KEPT_DAYS`, or the chain is broken.
    """
    latest = now - timedelta(days=KEPT_DAYS)
    if before > latest:
        wanted = WORDS["audit.earlier"].format(day=latest.date().isoformat())
        detail = Detail("--before", before.date().isoformat(), wanted)
        raise StoreError(_TOO_YOUNG, [detail])
    trail.last(connection)  # nobody appends from here on, so that what is checked holds still
    fault = verify(connection, trail).fault
    if fault is not None:
        raise StoreError(WORDS["audit.tampered"].format(fault=fault))
    first_kept = connection.scalar(select(func.min(AUDIT.c.sequence)).where(AUDIT.c.at >= before))
    going = select(AUDIT.c.sequence, AUDIT.c.mac).order_by(AUDIT.c.sequence.desc()).limit(1)
    if first_kept is not None:
        going = going.where(AUDIT.c.sequence < first_kept)
    last = connection.execute(going).one_or_none()
    if last is None:
        return 0
    _leave_mark(connection, trail, Mark(last.sequence, last.mac))
    gone = connection.execute(delete(AUDIT).where(AUDIT.c.sequence <= last.sequence))
    return gone.rowcount


def _leave_mark(connection: Connection, trail: AuditTrail, mark: Mark) -> None:
    there = connection.scalar(select(AUDIT_HEAD.c.mark).where(AUDIT_HEAD.c.mark == "start"))
    if there is None:
        values = {"mark": "start", "sequence": 0, "mac": mark.mac, "seal": ""}
        connection.execute(insert(AUDIT_HEAD).values(values))
    move_mark(connection, "start", mark, trail.key)


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
