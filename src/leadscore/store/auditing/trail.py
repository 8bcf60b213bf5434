"""The audit: who did what to what, from where, with what result; chained, so that it can't change.

Each record is sealed with a key outside the database, together with the seal of the record before
it, and a sealed mark says which record is the last one. So a record that was edited, removed, put
in between or cut off the end is found by `leadscore.store.auditing.check`. What can't be told that
way: an older copy of the whole database, or of the records together with the mark.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, insert, select, update

from leadscore.durable import place_secret
from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.store.auditing.tables import AUDIT, AUDIT_HEAD
from leadscore.store.engine.texts import storable_text
from leadscore.store.engine.unless_there import insert_unless_there
from leadscore.store.faults import StoreError, refusals

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

_BROKEN = Text(
    zh="审计记录已被改动，不能续写。请运行 leadscore audit verify 查看何处断开，并从备份恢复。",
    en="the audit has been tampered with and can't be continued. leadscore audit verify says where "
    "it breaks; restore it from a backup.",
)

_KEY_BYTES = 32
_MOST_BYTES = 65_536
_OPEN_TO_OTHERS = stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP

_NO_KEY = Text(
    zh="找不到审计记录的密钥文件 {path}，无法核对或续写已有的审计记录。请从备份恢复该文件。",
    en="the key of the audit, {path}, isn't there, so the records that there are can neither be "
    "checked nor continued. Restore it from a backup.",
)
_BAD_KEY = Text(
    zh="审计记录的密钥文件 {path} 不可用。请从备份恢复该文件，并运行 chmod 600 {path}。",
    en="the key of the audit, {path}, can't be used. Restore it from a backup, and run "
    "chmod 600 {path}.",
)
_SO_LONG = Text(zh=f"{_KEY_BYTES} 到 {_MOST_BYTES} 字节", en=f"{_KEY_BYTES} to {_MOST_BYTES} bytes")
_ONLY_YOU = Text(zh="只有所有者可读写（600）", en="readable by its owner only (600)")


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
                raise StoreError(_NO_KEY.format(path=self.path))
            with self.path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                secret = file.read(_MOST_BYTES + 1)
        if os.name != "nt" and mode & _OPEN_TO_OTHERS:
            detail = Detail(str(self.path), f"{stat.S_IMODE(mode):o}", _ONLY_YOU)
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
