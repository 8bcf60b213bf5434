"""Takes away the oldest records of the audit and leaves a sealed mark where they ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select

from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.store.auditing.check import verify
from leadscore.store.auditing.tables import AUDIT, AUDIT_HEAD
from leadscore.store.auditing.trail import AuditTrail, Mark, move_mark
from leadscore.store.faults import StoreError

KEPT_DAYS = 200
"""No record may go sooner: six months and some days."""

_TOO_YOUNG = Text(
    zh=f"审计记录至少保存 {KEPT_DAYS} 天，不能删除更近的。请给出更早的日期。",
    en=f"the audit is kept for at least {KEPT_DAYS} days. Name an earlier day.",
)
_EARLIER = Text(zh="不晚于 {day} 的日期", en="a day not later than {day}")
_BROKEN = Text(
    zh="审计记录已被改动（{fault}），为保留痕迹，不予删除。",
    en="the audit has been tampered with ({fault}); nothing is removed, so that the traces stay.",
)


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
        raise StoreError(_BROKEN.format(fault=fault))
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
