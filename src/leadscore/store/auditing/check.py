"""Goes through the audit from its first record to its last and says where the chain breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from leadscore.language import Text
from leadscore.store.auditing.tables import AUDIT, AUDIT_HEAD
from leadscore.store.auditing.trail import FIRST, AuditTrail, Mark, sealed_bytes

_PAGE = 2_000

_EDITED = Text(
    zh="第 {sequence} 条记录被改动过，或它前面的记录被换过",
    en="record {sequence} was edited, or the one before it was exchanged",
)
_REMOVED = Text(
    zh="第 {sequence} 条记录不见了（下一条是第 {found} 条）",
    en="record {sequence} was removed (the next one is {found})",
)
_CUT = Text(
    zh="末尾被截去：最后一条应为第 {sequence} 条，只找到第 {found} 条",
    en="the end was cut off: the last record should be {sequence}, but is {found}",
)
_ADDED = Text(
    zh="第 {found} 条记录之后没有封记，记录是从旁加入的（最后一条应为第 {sequence} 条）",
    en="record {found} was put there from aside: the last record should be {sequence}",
)
_NO_END = Text(
    zh="审计记录的末尾标记不见了", en="the mark of the last record of the audit was removed"
)
_BAD_MARK = Text(
    zh="审计记录的标记“{mark}”被改动过", en="the mark “{mark}” of the audit was edited"
)
_BAD_ANCHOR = Text(
    zh="密钥旁的标记文件 {path} 被改动过，或密钥已换",
    en="the file of the last mark, {path}, was edited, or the key is another one",
)
_OLDER = Text(
    zh="末尾被截去，或数据库是旧的副本：{path} 说已写到第 {sequence} 条，只找到第 {found} 条",
    en="the end was cut off, or the database is an older copy: by {path} there were {sequence} "
    "records, but the last one is {found}",
)
_OTHER = Text(
    zh="第 {sequence} 条记录不是 {path} 所记的那一条：其后的记录被重写过",
    en="record {sequence} isn't the one that {path} names: the records were written anew",
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
        # Before anything is read of the database, lest a record be written between the two.
        self.anchored, self.anchor_is_sound = _anchored(trail)
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
        if not self.anchor_is_sound:
            return _BAD_ANCHOR.format(path=self.trail.anchor.path)
        if self.end_row is None and self.start_row is None and not self._any_record():
            return self._anchor_fault()
        for name, row in (("start", self.start_row), ("end", self.end_row)):
            if row is not None and not self._sealed(name, row):
                return _BAD_MARK.format(mark=name)
        if self.end_row is None:
            return _NO_END
        return self._walk() or self._end_fault() or self._anchor_fault()

    def _walk(self) -> Text | None:
        anchored = self.anchored
        for row in self._records():
            expected = self.at.sequence + 1
            if row.sequence != expected:
                return _REMOVED.format(sequence=expected, found=row.sequence)
            content = sealed_bytes(row._asdict(), self.at.mac)
            if not self.trail.key.holds("audit record", content, row.mac):
                return _EDITED.format(sequence=row.sequence)
            if anchored and anchored[0] == row.sequence and anchored[1] != row.mac:
                return _OTHER.format(sequence=row.sequence, path=self.trail.anchor.path)
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
        shape = _CUT if end.sequence > self.at.sequence else _ADDED
        return shape.format(sequence=end.sequence, found=self.at.sequence)

    def _anchor_fault(self) -> Text | None:
        path = self.trail.anchor.path
        if self.anchored is None or self.anchored[0] <= self.at.sequence:
            return None
        return _OLDER.format(path=path, sequence=self.anchored[0], found=self.at.sequence)

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


def _anchored(trail: AuditTrail) -> tuple[tuple[int, str] | None, bool]:
    try:
        return trail.anchor.read(), True
    except ValueError:
        return None, False


def verify(connection: Connection, trail: AuditTrail) -> Verdict:
    """Check every record, both marks, and the file beside the key.

    Parameters
    ----------
    connection
        In a transaction that has read nothing yet and sees one state of the tables.
    trail
        Key and file.

    Raises
    ------
    StoreError
        If there are records and the key is missing or can't be trusted.
    """
    check = _Check(connection, trail)
    fault = check.fault()
    return Verdict(check.count, check.first_at, check.last_at, check.start.sequence, fault)
