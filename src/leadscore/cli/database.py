"""The commands for the database and its audit."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, time
from pathlib import Path

import click

from leadscore.cli.group import (
    FILE,
    Run,
    acting,
    audit_trail,
    cli,
    lang_option,
    not_after_today,
    opened,
    settings_of,
)
from leadscore.errors import LeadscoreError
from leadscore.terminal import minute, say
from leadscore.text import Lang, room_words

WORDS = room_words("cli")


@cli.group()
def db() -> None:
    """Look after the database. 维护数据库。"""


@db.command("upgrade")
@lang_option
@click.pass_obj
def db_upgrade(run: Run, lang: Lang | None) -> None:
    """Make the database, or bring it to this version. 建立或升级数据库。"""
    settings = settings_of(run, lang)
    from leadscore.startup import connect_database
    from leadscore.store.database import migrate

    with contextlib.closing(connect_database(settings)) as database:
        done = WORDS["database.upgraded"] if migrate(database) else WORDS["database.current"]
        say(done.format(where=database.shown).pick(run.lang))


@db.command("backup")
@click.argument("file", metavar="FILE", type=FILE)
@lang_option
@click.pass_obj
def db_backup(run: Run, file: Path, lang: Lang | None) -> None:
    """Copy the whole database while others work on. 在线备份整个数据库。"""
    settings = settings_of(run, lang)
    from leadscore.startup import open_database
    from leadscore.store.backups import back_up

    with contextlib.closing(open_database(settings)) as database:
        back_up(database, file)
    say(WORDS["database.backed_up"].format(file=file).pick(run.lang))


@db.command("restore")
@click.argument("file", metavar="FILE", type=FILE)
@click.option(
    "--replace", is_flag=True, help="Even if the database holds data. 即使数据库里已有数据。"
)
@lang_option
@click.pass_obj
def db_restore(run: Run, file: Path, *, replace: bool, lang: Lang | None) -> None:
    """Put a backup back; others should be stopped. 从备份恢复；请先停止其他程序。

    The audit goes back with it and notes that it was restored, not what was lost: the records that
    are younger than the backup.
    审计随之回到备份时，并记下这次恢复；备份之后的记录不在其中，也不会另行指出。
    """
    settings = settings_of(run, lang)
    from leadscore.cli.group import ACTOR, audit_trail
    from leadscore.startup import connect_database
    from leadscore.store.audit import Record
    from leadscore.store.backups import restore

    with contextlib.closing(connect_database(settings)) as database:
        restore(database, file, replace=replace)
        say(WORDS["database.restored"].format(file=file, where=database.shown).pick(run.lang))
        trail, details = audit_trail(settings), {"file": file.name}
        record = Record(ACTOR, "administrator", "database.restore", "database", details=details)
        with database.write() as connection:
            trail.append(connection, record, datetime.now(UTC))


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
    from leadscore.store.audit import verify

    with opened(settings) as database, database.read() as connection:
        verdict = verify(connection, audit_trail(settings))
    count = f"{verdict.count:,}"
    if verdict.fault is not None:
        raise AuditBrokenError(WORDS["database.broken"].format(fault=verdict.fault, count=count))
    first, last = minute(verdict.first_at), minute(verdict.last_at)
    whole = (
        WORDS["database.whole"].format(count=count, first=first, last=last)
        if verdict.count
        else WORDS["database.empty"]
    )
    say(whole.pick(run.lang))
    if verdict.pruned:
        say(WORDS["database.pruned"].format(pruned=verdict.pruned).pick(run.lang))


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
        from leadscore.store.audit import prune

        start = datetime.combine(day, time(), UTC)
        count = prune(doing.connection, doing.trail, before=start, now=doing.now)
        doing.about, doing.details = ("audit", None), {"before": day.isoformat(), "count": count}
    say(WORDS["database.gone"].format(count=f"{count:,}", day=day.isoformat()).pick(run.lang))
