"""The commands for the database: bring it up to date, copy it, put a copy back."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import click

from leadscore.cli.group import FILE, Run, cli, lang_option, settings_of
from leadscore.console import say
from leadscore.language import Lang, Text

_UPGRADED = Text(zh="数据库 {where} 已升级", en="the database {where} was upgraded")
_CURRENT = Text(zh="数据库 {where} 已是最新", en="the database {where} is up to date")
_BACKED_UP = Text(zh="已备份到 {file}", en="backed up to {file}")
_RESTORED = Text(
    zh="已从 {file} 恢复到数据库 {where}", en="restored {file} into the database {where}"
)
_LOST = Text(
    zh="备份之后的 {count} 条审计记录不在其中；审计已记下这次恢复。",
    en="{count} records of the audit are younger than the backup and not in it; the audit says "
    "that it was restored.",
)


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
    from leadscore.store.engine.migrating import migrate

    with contextlib.closing(connect_database(settings)) as database:
        done = _UPGRADED if migrate(database) else _CURRENT
        say(done.format(where=database.shown).pick(run.lang))


@db.command("backup")
@click.argument("file", metavar="FILE", type=FILE)
@lang_option
@click.pass_obj
def db_backup(run: Run, file: Path, lang: Lang | None) -> None:
    """Copy the whole database while others work on. 在线备份整个数据库。"""
    settings = settings_of(run, lang)
    from leadscore.startup import open_database
    from leadscore.store.engine.backups import back_up

    with contextlib.closing(open_database(settings)) as database:
        back_up(database, file)
    say(_BACKED_UP.format(file=file).pick(run.lang))


@db.command("restore")
@click.argument("file", metavar="FILE", type=FILE)
@click.option(
    "--replace", is_flag=True, help="Even if the database holds data. 即使数据库里已有数据。"
)
@lang_option
@click.pass_obj
def db_restore(run: Run, file: Path, *, replace: bool, lang: Lang | None) -> None:
    """Put a backup back; others should be stopped. 从备份恢复；请先停止其他程序。"""
    settings = settings_of(run, lang)
    from leadscore.cli.acting import ACTOR, audit_trail
    from leadscore.startup import connect_database
    from leadscore.store.auditing.restoring import note_restore
    from leadscore.store.engine.backups import restore

    with contextlib.closing(connect_database(settings)) as database:
        restore(database, file, replace=replace)
        say(_RESTORED.format(file=file, where=database.shown).pick(run.lang))
        trail, now = audit_trail(settings), datetime.now(UTC)
        lost = note_restore(database, trail, file, actor=ACTOR, now=now)
    if lost:
        say(_LOST.format(count=f"{lost:,}").pick(run.lang))
