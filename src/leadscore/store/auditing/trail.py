"""The audit: who did what to what, from where, with what result; chained, so that it can't change.

Each record is sealed with a key outside the database (`leadscore.store.auditing.sealing`), together
with the seal of the record before it, and a sealed mark says which record is the last one. So a
record that was edited, removed, put in between or cut off the end is found by
`leadscore.store.auditing.check`. An older copy of the whole database can't be told that way:
therefore the last mark is also written to a file beside the key
(`leadscore.store.auditing.anchor`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from leadscore.language import Text
from leadscore.store.auditing.anchor import Anchor
from leadscore.store.auditing.sealing import SealingKey
from leadscore.store.auditing.tables import AUDIT, AUDIT_HEAD
from leadscore.store.engine.texts import storable_text
from leadscore.store.engine.unless_there import insert_unless_there
from leadscore.store.faults import StoreError

_LOG = logging.getLogger(__name__)

Result = Literal["done", "refused"]
FIRST = "0" * 64
"""What stands for the seal of a record before the first."""

# Put together once: they are run with every act.
_NAMED = select(AUDIT.c.mac).where(AUDIT.c.sequence == bindparam("named")).scalar_subquery()
_END = (
    select(AUDIT_HEAD, _NAMED.label("named_mac"))
    .where(AUDIT_HEAD.c.mark == "end")
    .with_for_update()
)
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
    """A record that stands for all before it: its number and its seal.

    ``continues`` tells whether the chain up to it holds what the file beside the key names.
    """

    sequence: int
    mac: str
    continues: bool = field(default=True, compare=False)

    def content(self) -> bytes:
        """Return what is sealed."""
        return f"{self.sequence}:{self.mac}".encode()


class AuditTrail:
    """Writes the audit of a database; safe to share between threads.

    Parameters
    ----------
    key_file
        Where the key lies: it is made on first use, and must not be where the database is kept or
        backed up, for whoever has both can forge. ``.head`` beside it is the last mark.
    """

    def __init__(self, key_file: Path) -> None:
        self.key = SealingKey(key_file)
        self.anchor = Anchor(key_file.with_suffix(".head"), self.key)

    def append(self, connection: Connection, record: Record, now: datetime) -> Mark:
        """Add a record within the caller's transaction: it is kept if and only if that is.

        From here to the end of the transaction all others wait who append: do it last.

        Returns
        -------
        The new last mark. Who has committed the transaction hands it to `publish`.

        Raises
        ------
        StoreError
            If the marks were tampered with, or the key is missing or can't be trusted.
        """
        last = self.last(connection)
        row = _row(record, last.sequence + 1, now)
        row["mac"] = self.key.seal("audit record", sealed_bytes(row, last.mac))
        connection.execute(_ADD, row)
        mark = Mark(last.sequence + 1, row["mac"], last.continues)
        move_mark(connection, "end", mark, self.key)
        return mark

    def publish(self, mark: Mark) -> None:
        """Write a mark that has been committed to the file beside the key, unless a later one is.

        Of a chain that isn't the one in the file the mark is not written, lest the trace be lost.
        What the operating system refuses is logged: the act itself has been done by then.
        """
        if mark.continues:
            self.anchor.advance(mark.sequence, mark.mac)
        else:
            _LOG.error("the database is another one than the last mark of the audit stands for")

    def last(self, connection: Connection) -> Mark:
        """Return the last mark, locked against other writers until the transaction ends.

        Raises
        ------
        StoreError
            As `append`.
        """
        anchored = self._anchored()
        named = {"named": anchored[0] if anchored else 0}
        row = connection.execute(_END, named).one_or_none()
        if row is None:
            self._begin(connection)
            row = connection.execute(_END, named).one()
        mark = Mark(row.sequence, row.mac, _continues(row, anchored))
        if not self.key.holds("audit end", mark.content(), row.seal):
            raise StoreError(_BROKEN)
        return mark

    def _anchored(self) -> tuple[int, str] | None:
        try:
            return self.anchor.read()
        except (OSError, ValueError):
            return None  # for `publish` to tell

    def _begin(self, connection: Connection) -> None:
        """Begin the chain; of two who do it at the same moment one waits and finds it begun."""
        if connection.scalar(select(AUDIT.c.sequence).limit(1)) is not None:
            raise StoreError(_BROKEN)
        self.key.make()
        mark = Mark(0, FIRST)
        seal = self.key.seal("audit end", mark.content())
        values = {"mark": "end", "sequence": 0, "mac": FIRST, "seal": seal}
        insert_unless_there(connection, AUDIT_HEAD, values)


def _continues(row: Row[Any], anchored: tuple[int, str] | None) -> bool:
    """Tell whether the records up to the last one hold the one that the file names.

    They don't where an older copy of the database was put back, for the file is written when a
    record has been committed, and so never names one that is still to come.
    """
    if anchored is None or anchored == (row.sequence, row.mac):
        return True
    sequence, mac = anchored
    return sequence < row.sequence and row.named_mac in (None, mac)  # None: it was pruned


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
