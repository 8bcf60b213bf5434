"""Checks the chain of the audit from its first record to its last, and prunes the oldest ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.store.auditing.tables import AUDIT, AUDIT_HEAD
from leadscore.store.auditing.trail import FIRST, AuditTrail, Mark, move_mark, sealed_bytes
from leadscore.store.faults import StoreError

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

KEPT_DAYS = 200
"""No record may go sooner: six months and some days."""

_TOO_YOUNG = Text(
    zh=f"审计记录至少保存 {KEPT_DAYS} 天，不能删除更近的。请给出更早的日期。",
    en=f"the audit is kept for at least {KEPT_DAYS} days. Name an earlier day.",
)
_EARLIER = Text(zh="不晚于 {day} 的日期", en="a day not later than {day}")
_TAMPERED = Text(
    zh="审计记录已被改动（{fault}），为保留痕迹，不予删除。",
    en="the audit has been tampered with ({fault}); nothing is removed, so that the traces stay.",
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
                return _BAD_MARK.format(mark=name)
        if self.end_row is None:
            return _NO_END
        return self._walk() or self._end_fault()

    def _walk(self) -> Text | None:
        for row in self._records():
            expected = self.at.sequence + 1
            if row.sequence != expected:
                return _REMOVED.format(sequence=expected, found=row.sequence)
            content = sealed_bytes(row._asdict(), self.at.mac)
            if not self.trail.key.holds("audit record", content, row.mac):
                return _EDITED.format(sequence=row.sequence)
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
        wanted = _EARLIER.format(day=latest.date().isoformat())
        detail = Detail("--before", before.date().isoformat(), wanted)
        raise StoreError(_TOO_YOUNG, [detail])
    trail.last(connection)  # nobody appends from here on, so that what is checked holds still
    fault = verify(connection, trail).fault
    if fault is not None:
        raise StoreError(_TAMPERED.format(fault=fault))
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
