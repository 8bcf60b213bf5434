"""The commands for the audit: is it whole, and away with what is old enough."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import click

from leadscore.cli.acting import acting, audit_trail, opened
from leadscore.cli.days import not_after_today
from leadscore.cli.group import Run, cli, lang_option, settings_of
from leadscore.cli.tables import minute
from leadscore.console import say
from leadscore.errors import LeadscoreError
from leadscore.language import Lang, Text

_EMPTY = Text(zh="审计记录为空，没有异常。", en="OK: the audit is empty.")
_WHOLE = Text(
    zh="审计记录完整：共 {count} 条，自 {first} 至 {last}。",
    en="OK: {count} records, from {first} to {last}.",
)
_PRUNED = Text(
    zh="第 1 至 {pruned} 条已按规定删除。", en="Records 1 to {pruned} were pruned on purpose."
)
_BROKEN = Text(
    zh="审计记录不完整：{fault}。此前的 {count} 条完好。请保护现场，并与备份对照。",
    en="the audit is not whole: {fault}. The {count} records before that are. Keep everything as "
    "it is, and compare it with a backup.",
)
_GONE = Text(
    zh="已删除 {day} 之前的 {count} 条审计记录。", en="removed {count} records from before {day}."
)


class AuditBrokenError(LeadscoreError):
    """An audit that somebody has changed."""

    code = "broken_audit"


@cli.group()
def audit() -> None:
    """Check the record of who did what. 核对审计记录。"""


@audit.command("verify")
@lang_option
@click.pass_obj
def verify_audit(run: Run, lang: Lang | None) -> None:
    """Say whether the audit is whole, or where it breaks. 核对是否完整，或在何处断开。

    An older copy passes, of the whole database or of the records with the mark of their end:
    compare the number of records with the one of last time, which only pruning lowers.
    旧的副本也能通过（整个数据库，或记录连同末尾标记）：请与上次的条数对照，只有 prune 会减少条数。
    """
    settings = settings_of(run, lang)
    from leadscore.store.auditing.check import verify

    with opened(settings) as database, database.read() as connection:
        verdict = verify(connection, audit_trail(settings))
    count = f"{verdict.count:,}"
    if verdict.fault is not None:
        raise AuditBrokenError(_BROKEN.format(fault=verdict.fault, count=count))
    first, last = minute(verdict.first_at), minute(verdict.last_at)
    whole = _WHOLE.format(count=count, first=first, last=last) if verdict.count else _EMPTY
    say(whole.pick(run.lang))
    if verdict.pruned:
        say(_PRUNED.format(pruned=verdict.pruned).pick(run.lang))


@audit.command("prune")
@click.option(
    "--before", metavar="DATE", required=True, help="Remove what is older. 删除此日之前的记录。"
)
@lang_option
@click.pass_obj
def prune_audit(run: Run, before: str, lang: Lang | None) -> None:
    """Remove records that are older than a day, and than 200 days. 删除旧记录，至少保留 200 天。"""
    settings_of(run, lang)
    day = not_after_today(before, "--before", today=date.today())
    with acting(run, lang, "audit.prune") as doing:
        from leadscore.store.auditing.check import prune

        start = datetime.combine(day, time(), UTC)
        count = prune(doing.connection, doing.trail, before=start, now=doing.now)
        doing.about, doing.details = ("audit", None), {"before": day.isoformat(), "count": count}
    say(_GONE.format(count=f"{count:,}", day=day.isoformat()).pick(run.lang))
