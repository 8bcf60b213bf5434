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
    """Put a backup back; others should be stopped. 从备份恢复；请先停止其他程序。

    The audit goes back with it and notes that it was restored, not what was lost: the records that
    are younger than the backup.
    审计随之回到备份时，并记下这次恢复；备份之后的记录不在其中，也不会另行指出。
    """
    settings = settings_of(run, lang)
    from leadscore.cli.acting import ACTOR, audit_trail
    from leadscore.startup import connect_database
    from leadscore.store.auditing.trail import Record
    from leadscore.store.engine.backups import restore

    with contextlib.closing(connect_database(settings)) as database:
        restore(database, file, replace=replace)
        say(_RESTORED.format(file=file, where=database.shown).pick(run.lang))
        trail, details = audit_trail(settings), {"file": file.name}
        record = Record(ACTOR, "administrator", "database.restore", "database", details=details)
        with database.write() as connection:
            trail.append(connection, record, datetime.now(UTC))
