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
from typing import Annotated, Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from leadscore.errors import Detail
from leadscore.files import place_secret
from leadscore.store.database import (
    METADATA,
    Moment,
    Number,
    StoreError,
    UnavailableError,
    columns_of,
    insert_unless_there,
    refusals,
    storable_text,
)
from leadscore.store.sqlite import Unavailability
from leadscore.text import Text, room_words
from leadscore.validation import is_full

WORDS = room_words("store")

Result = Literal["done", "refused"]


@dataclass(frozen=True, slots=True)
class Record:
    """One act: who did what to which object, from where, and whether it was done or refused.

    ``actor`` is the name of the user, ``key:`` and the name of a key, ``cli`` or ``job``; ``role``
    as what they did it; ``action`` is such as ``user.add``; ``address`` is None for what was done
    on this machine; ``details`` are plain JSON values that tell more: no secrets, nothing personal.
    """

    actor: Annotated[str, sa.String(100), {"index": True}]
    role: Annotated[str, sa.String(20)]
    action: Annotated[str, sa.String(60), {"index": True}]
    object_kind: Annotated[str | None, sa.String(40)] = None
    object_id: Annotated[str | None, sa.String(200)] = None
    address: Annotated[str | None, sa.String(64)] = None
    result: Annotated[Result, sa.String(20)] = "done"
    # The text itself is sealed: JSON that a database has read and written again may differ in it.
    details: Annotated[Mapping[str, Any], sa.Text] = field(default_factory=dict)


AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("sequence", Number, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False, index=True),
    *columns_of(Record),
    sa.Column("mac", sa.String(64), nullable=False),
)
"""What was done, one row an act, numbered from 1 without a gap."""

AUDIT_HEAD = sa.Table(
    "audit_head",
    METADATA,
    sa.Column("mark", sa.String(8), primary_key=True),
    sa.Column("sequence", Number, nullable=False),
    sa.Column("mac", sa.String(64), nullable=False),
    sa.Column("seal", sa.String(64), nullable=False),
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

# Put together once: they are run with every act.
_END = sa.select(AUDIT_HEAD).where(AUDIT_HEAD.c.mark == "end").with_for_update()
_ADD = sa.insert(AUDIT)
_MOVE = (
    sa.update(AUDIT_HEAD)
    .where(AUDIT_HEAD.c.mark == sa.bindparam("which"))
    .values({name: sa.bindparam(name) for name in ("sequence", "mac", "seal")})
)
_ANY = sa.select(AUDIT.c.sequence).limit(1)

_SHORTENED = ("actor", "object_id", "address")
_KEY_BYTES = 32
_MOST_BYTES = 65_536
_OPEN_TO_OTHERS = stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP

_PAGE = 2_000
KEPT_DAYS = 200
"""No record may go sooner: six months and some days."""


class _Mark(NamedTuple):
    """A record that stands for all before it: its number and its seal."""

    sequence: int
    mac: str

    def content(self) -> bytes:
        return f"{self.sequence}:{self.mac}".encode()


_BEFORE_FIRST = _Mark(0, "0" * 64)


class AuditTrail:
    """Writes the audit of a database; safe to share between threads.

    ``key_file`` is made on first use, and must not be where the database is kept or backed up, for
    whoever has both can forge. All methods raise `StoreError` if the key is missing or can't be
    trusted.
    """

    def __init__(self, key_file: Path) -> None:
        self.key_file = key_file
        self._secret: bytes | None = None

    def append(self, connection: Connection, record: Record, now: datetime) -> None:
        """Add a record within the caller's transaction: it is kept if and only if that is.

        From here to the end of the transaction all others wait who append: do it last. Raises
        `StoreError` if the marks were tampered with.
        """
        last = self.last(connection)
        row = {
            **{name: getattr(record, name) for name in Record.__slots__},
            **{name: _short(getattr(record, name), name) for name in _SHORTENED},
            "sequence": last.sequence + 1, "at": now.astimezone(UTC),
            "details": json.dumps(
                record.details, allow_nan=False, sort_keys=True, separators=(",", ":")
            ),
        }  # fmt: skip
        mac = self.seal("audit record", _sealed_bytes(row, last.mac))
        connection.execute(_ADD, row | {"mac": mac})
        self._move(connection, "end", _Mark(last.sequence + 1, mac))

    def last(self, connection: Connection) -> _Mark:
        """Return the last mark, locked against other writers; raises `StoreError` if forged."""
        row = connection.execute(_END).one_or_none()
        if row is None:
            self._begin(connection)
            row = connection.execute(_END).one()
        if not self.marks(row):
            raise StoreError(WORDS["audit.broken"])
        return _Mark(row.sequence, row.mac)

    def seal(self, purpose: str, content: bytes) -> str:
        """Return the HMAC-SHA-256 of a purpose and a content, in 64 hex digits."""
        if self._secret is None:
            self._secret = self._read_key()
        return hmac.digest(self._secret, purpose.encode() + b"\0" + content, hashlib.sha256).hex()

    def holds(self, purpose: str, content: bytes, seal: str) -> bool:
        """Tell whether a seal is the one that the key gives."""
        return hmac.compare_digest(self.seal(purpose, content).encode(), seal.encode())

    def marks(self, row: Row[Any]) -> bool:
        """Tell whether a row of `AUDIT_HEAD` has the seal that the key gives."""
        return self.holds(f"audit {row.mark}", _Mark(row.sequence, row.mac).content(), row.seal)

    def forget_up_to(self, connection: Connection, mark: _Mark) -> int:
        """Remove the records up to a mark, and return how many those were."""
        start = sa.select(AUDIT_HEAD.c.mark).where(AUDIT_HEAD.c.mark == "start")
        if connection.scalar(start) is None:
            values = {"mark": "start", "sequence": 0, "mac": mark.mac, "seal": ""}
            connection.execute(sa.insert(AUDIT_HEAD).values(values))
        self._move(connection, "start", mark)
        gone = sa.delete(AUDIT).where(AUDIT.c.sequence <= mark.sequence)
        return connection.execute(gone).rowcount

    def _begin(self, connection: Connection) -> None:
        # Of two who do it at the same moment one waits and finds it begun.
        if connection.scalar(_ANY) is not None:
            # Records without a mark; or another has begun the chain since its end was looked for.
            if connection.execute(_END).one_or_none() is None:
                raise StoreError(WORDS["audit.broken"])
            return
        try:
            with refusals(self.key_file.parent):
                if not self.key_file.exists():
                    place_secret(self.key_file, secrets.token_bytes(_KEY_BYTES))
        except StoreError as error:  # nothing is wrong with the audit: it can't be begun just now
            why: Unavailability = "full" if is_full(error.__cause__) else "denied"
            raise UnavailableError(error.message, error.details, why) from error
        seal = self.seal("audit end", _BEFORE_FIRST.content())
        values = {"mark": "end", **_BEFORE_FIRST._asdict(), "seal": seal}
        insert_unless_there(connection, AUDIT_HEAD, values)

    def _move(self, connection: Connection, which: str, mark: _Mark) -> None:
        seal = self.seal(f"audit {which}", mark.content())
        connection.execute(_MOVE, {"which": which, **mark._asdict(), "seal": seal})

    def _read_key(self) -> bytes:
        path = self.key_file
        with refusals(path.parent):
            if not path.exists():
                raise StoreError(WORDS["audit.no_key"].format(path=path))
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                secret = file.read(_MOST_BYTES + 1)
        if os.name != "nt" and mode & _OPEN_TO_OTHERS:
            detail = Detail(str(path), f"{stat.S_IMODE(mode):o}", WORDS["audit.only_you"])
        elif not _KEY_BYTES <= len(secret) <= _MOST_BYTES:
            wanted = WORDS["audit.key_length"].format(least=_KEY_BYTES, most=_MOST_BYTES)
            detail = Detail(str(path), str(len(secret)), wanted)
        else:
            return secret
        raise StoreError(WORDS["audit.bad_key"].format(path=path), [detail])


def _sealed_bytes(row: Mapping[str, Any], mac_before: str) -> bytes:
    parts: list[Any] = [mac_before]
    for column in AUDIT.c:
        if column.name == "at":
            parts.append(row["at"].astimezone(UTC).isoformat(timespec="microseconds"))
        elif column.name != "mac":
            parts.append(row[column.name])
    return json.dumps(parts, separators=(",", ":")).encode()


def _short(text: str | None, column: str) -> str | None:
    # A name that is too long loses its end, not the act.
    length: int = AUDIT.c[column].type.length  # type: ignore[attr-defined]
    return None if text is None else storable_text(text)[:length]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a check.

    ``count`` records are whole, up to the ``fault`` if there is one, and were written between
    ``first_at`` and ``last_at``; ``pruned`` is the number of the last record that was taken away on
    purpose, 0 if none was.
    """

    count: int
    first_at: datetime | None
    last_at: datetime | None
    pruned: int
    fault: Text | None


def verify(connection: Connection, trail: AuditTrail) -> Verdict:
    """Check every record and both marks, in a transaction that sees one state of the tables.

    What is whole may still be an older copy: of the whole database, or of the records with the mark
    of the end, and an audit without any record or mark passes for one that was never begun. Raises
    `StoreError` if there are records and the key is missing or can't be trusted.
    """
    heads = {row.mark: row for row in connection.execute(sa.select(AUDIT_HEAD))}
    start, end = heads.get("start"), heads.get("end")
    at = pruned = _BEFORE_FIRST if start is None else _Mark(start.sequence, start.mac)
    count, first_at, last_at = 0, None, None

    def verdict(fault: Text | None) -> Verdict:
        return Verdict(count, first_at, last_at, pruned.sequence, fault)

    for mark in (start, end):
        if mark is not None and not trail.marks(mark):
            return verdict(WORDS["audit.bad_mark"].format(mark=mark.mark))
    if end is None:
        begun = start is not None or connection.scalar(_ANY) is not None
        return verdict(WORDS["audit.no_end"] if begun else None)
    for row in _records(connection):
        if fault := _fault(trail, at, row):
            return verdict(fault)
        at = _Mark(row.sequence, row.mac)
        count, first_at, last_at = count + 1, first_at or row.at, row.at
    if at == (end.sequence, end.mac):
        return verdict(None)
    shape = WORDS["audit.cut"] if end.sequence > at.sequence else WORDS["audit.added"]
    return verdict(shape.format(sequence=end.sequence, found=at.sequence))


def _fault(trail: AuditTrail, before: _Mark, row: Row[Any]) -> Text | None:
    expected = before.sequence + 1
    if row.sequence != expected:
        return WORDS["audit.removed"].format(sequence=expected, found=row.sequence)
    if not trail.holds("audit record", _sealed_bytes(row._asdict(), before.mac), row.mac):
        return WORDS["audit.edited"].format(sequence=row.sequence)
    return None


def _records(connection: Connection) -> Iterator[Row[Any]]:
    after = -1
    while True:
        query = sa.select(AUDIT).where(AUDIT.c.sequence > after).order_by(AUDIT.c.sequence)
        rows = connection.execute(query.limit(_PAGE)).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1].sequence


def prune(connection: Connection, trail: AuditTrail, *, before: datetime, now: datetime) -> int:
    """Remove the records from before a moment; raises `StoreError` if too young, or forged."""
    latest = now - timedelta(days=KEPT_DAYS)
    if before > latest:
        wanted = WORDS["audit.earlier"].format(day=latest.date().isoformat())
        detail = Detail("--before", before.date().isoformat(), wanted)
        raise StoreError(WORDS["audit.too_young"].format(days=KEPT_DAYS), [detail])
    trail.last(connection)  # nobody appends from here on, so that what is checked holds still
    fault = verify(connection, trail).fault
    if fault is not None:
        raise StoreError(WORDS["audit.tampered"].format(fault=fault))
    kept = sa.select(sa.func.min(AUDIT.c.sequence)).where(AUDIT.c.at >= before)
    first_kept = connection.scalar(kept)
    going = sa.select(AUDIT.c.sequence, AUDIT.c.mac).order_by(AUDIT.c.sequence.desc()).limit(1)
    if first_kept is not None:
        going = going.where(AUDIT.c.sequence < first_kept)
    last = connection.execute(going).one_or_none()
    return 0 if last is None else trail.forget_up_to(connection, _Mark(*last))


def page(
    connection: Connection, *, before: int | None = None, actor: str | None = None,
    action: str | None = None, since: datetime | None = None, until: datetime | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:  # fmt: skip
    """Return records, the newest first, of just this actor and action, within [since, until).

    ``before`` is the number of the last record of the page before.
    """
    query = sa.select(AUDIT).order_by(AUDIT.c.sequence.desc()).limit(limit)
    if before is not None:
        query = query.where(AUDIT.c.sequence < before)
    if actor is not None:
        query = query.where(AUDIT.c.actor == actor)
    if action is not None:
        query = query.where(AUDIT.c.action == action)
    if since is not None:
        query = query.where(AUDIT.c.at >= since)
    if until is not None:
        query = query.where(AUDIT.c.at < until)
    return connection.execute(query).all()
