"""The commands of an administrator: the database, its audit, users, and keys of programs."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from leadscore.cli.group import (
    ACTOR,
    FILE,
    Run,
    acting,
    audit_trail,
    cli,
    day_option,
    opened,
    with_run,
)
from leadscore.errors import LeadscoreError
from leadscore.terminal import echo, minute
from leadscore.text import room_words

if TYPE_CHECKING:
    from leadscore.store.users import Role

WORDS = room_words("cli")

_MOST_DAYS = 3 * 365
_role_option = click.option(
    "--role", type=click.Choice(("viewer", "officer", "administrator", "auditor")), required=True,
    help="What they may do. 角色。",
)  # fmt: skip


@cli.group()
def db() -> None:
    """Look after the database. 维护数据库。"""


@db.command("upgrade")
@with_run
def upgrade_database(run: Run) -> None:
    """Make the database, or bring it to this version. 建立或升级数据库。"""
    settings = run.settings()
    from leadscore.startup import connect_database, open_database
    from leadscore.store.migrations import is_current

    with contextlib.closing(connect_database(settings)) as database:
        current = is_current(database)
    with contextlib.closing(open_database(settings)) as database:
        done = WORDS["database.current"] if current else WORDS["database.upgraded"]
        run.say(done.format(where=database.shown))


@db.command("backup")
@click.argument("file", metavar="FILE", type=FILE)
@with_run
def back_up_database(run: Run, file: Path) -> None:
    """Copy the database and the models while others work on. 在线备份数据库和模型。"""
    settings = run.settings()
    from leadscore.store.audit import Record
    from leadscore.store.backups import back_up

    trail, details = audit_trail(settings), {"file": file.name}
    record = Record(ACTOR, "administrator", "database.backup", "database", details=details)
    with opened(settings) as database:

        def note() -> None:
            with database.write() as connection:
                trail.append(connection, record, datetime.now(UTC))

        back_up(database, settings.home, file, before=note)
    run.say(WORDS["database.backed_up"].format(file=file))


@db.command("restore")
@click.argument("file", metavar="FILE", type=FILE)
@click.option(
    "--replace", is_flag=True, help="Even if the database holds data. 即使数据库里已有数据。"
)
@with_run
def restore_database(run: Run, file: Path, *, replace: bool) -> None:
    """Put a backup back; others should be stopped. 从备份恢复；请先停止其他程序。

    The audit goes back with it and notes that it was restored, not what was lost: the records that
    are younger than the backup.
    审计随之回到备份时，并记下这次恢复；备份之后的记录不在其中，也不会另行指出。
    """
    settings = run.settings()
    from leadscore.startup import connect_database
    from leadscore.store.audit import Record
    from leadscore.store.backups import restore

    trail, details = audit_trail(settings), {"file": file.name}
    record = Record(ACTOR, "administrator", "database.restore", "database", details=details)
    with contextlib.closing(connect_database(settings)) as database:
        restore(database, settings.home, file, replace=replace, trail=trail, record=record)
        run.say(WORDS["database.restored"].format(file=file, where=database.shown))


class AuditBrokenError(LeadscoreError):
    """An audit that somebody has changed."""

    code = "broken_audit"


@cli.group()
def audit() -> None:
    """Check the record of who did what. 核对审计记录。"""


@audit.command("verify")
@with_run
def verify_audit(run: Run) -> None:
    """Say whether the audit is whole, or where it breaks. 核对是否完整，或在何处断开。

    An older copy passes, of the whole database or of the records with the mark of their end:
    compare the number of records with the one of last time, which only pruning lowers.
    旧的副本也能通过（整个数据库，或记录连同末尾标记）：请与上次的条数对照，只有 prune 会减少条数。
    """
    settings = run.settings()
    from leadscore.store.audit import verify

    with opened(settings) as database, database.read() as connection:
        verdict = verify(connection, audit_trail(settings))
    count = f"{verdict.count:,}"
    if verdict.fault is not None:
        raise AuditBrokenError(WORDS["database.broken"].format(fault=verdict.fault, count=count))
    if verdict.count:
        first, last = minute(verdict.first_at), minute(verdict.last_at)
        run.say(WORDS["database.whole"].format(count=count, first=first, last=last))
    else:
        run.say(WORDS["database.empty"])
    if verdict.pruned:
        run.say(WORDS["database.pruned"].format(pruned=verdict.pruned))


@audit.command("prune")
@click.option(
    "--before", metavar="DATE", required=True, help="Remove what is older. 删除此日之前的记录。"
)
@with_run
def prune_audit(run: Run, before: str) -> None:
    """Remove records that are older than a day, and than 200 days. 删除旧记录，至少保留 200 天。"""
    run.settings()
    day = day_option(before, "--before")
    with acting(run, "audit.prune") as doing:
        from leadscore.store.audit import prune

        start = datetime.combine(day, time(), UTC)
        count = prune(doing.connection, doing.trail, before=start, now=doing.now)
        doing.about, doing.details = ("audit", None), {"before": day.isoformat(), "count": count}
    run.say(WORDS["database.gone"].format(count=f"{count:,}", day=day.isoformat()))


@cli.group()
def users() -> None:
    """Say who may log in, and as what. 管理用户。"""


@users.command("add")
@click.argument("name", metavar="NAME")
@_role_option
@with_run
def add_user(run: Run, name: str, role: str) -> None:
    """Invite a user; prints the link by which they set a password. 邀请用户，给出一次性链接。"""
    with acting(run, "user.add") as doing:
        from leadscore.store import users as store

        token = store.add(doing.connection, name, cast("Role", role), by=ACTOR, now=doing.now)
        user = store.get(doing.connection, name)
        doing.about, doing.details = ("user", user.name), {"role": role}
    _show_link(run, user.name, token)


@users.command("list")
@with_run
def list_users(run: Run) -> None:
    """List the users. 列出用户。"""
    settings = run.settings()
    from leadscore.store.users import everybody

    with opened(settings) as database, database.read() as connection:
        rows = [
            [
                user.name, WORDS[f"users.role.{user.role}"].pick(run.lang),
                WORDS[f"users.state.{user.state}"].pick(run.lang), minute(user.created_at),
            ]
            for user in everybody(connection)
        ]  # fmt: skip
    headers = [WORDS[f"users.head.{head}"] for head in ("name", "role", "state", "since")]
    run.say_table(headers, rows, nothing=WORDS["users.no_users"])


@users.command("disable")
@click.argument("name", metavar="NAME")
@with_run
def disable_user(run: Run, name: str) -> None:
    """Let a user in no more, and end their sessions. 停用用户。"""
    with acting(run, "user.change") as doing:
        from leadscore.store import sessions
        from leadscore.store import users as store

        user = store.change(doing.connection, name, disabled=True)
        sessions.end_all(doing.connection, user.name)
        doing.about, doing.details = ("user", user.name), {"disabled": True}
    run.say(WORDS["users.disabled"].format(name=user.name))


@users.command("reset")
@click.argument("name", metavar="NAME")
@with_run
def reset_user(run: Run, name: str) -> None:
    """Give a user a new link to set a password; also lets a disabled one in again. 重设密码。"""
    with acting(run, "user.link") as doing:
        from leadscore.store import users as store
        from leadscore.store.sessions import forget_attempts

        user = store.get(doing.connection, name)
        token = store.renew_link(doing.connection, user.name, now=doing.now)
        forget_attempts(doing.connection, user.name)
        doing.about = ("user", user.name)
    _show_link(run, user.name, token)


def _show_link(run: Run, name: str, token: str) -> None:
    from leadscore.web.auth import link_path

    run.tell(WORDS["users.link"].format(name=name))
    echo(link_path(token))


@cli.group()
def keys() -> None:
    """Give programs keys, and take them back. 管理程序用的密钥。"""


@keys.command("add")
@click.argument("name", metavar="NAME")
@_role_option
@click.option(
    "--days", type=click.IntRange(1, _MOST_DAYS), default=365, help="Days it is good. 有效天数。"
)
@with_run
def add_key(run: Run, name: str, role: str, days: int) -> None:
    """Make a key and print it, once. 生成密钥，只显示一次。"""
    with acting(run, "key.add") as doing:
        from leadscore.store import api_keys as store

        token = store.add(
            doing.connection, name, cast("Role", role), by=ACTOR, now=doing.now, days=days
        )
        key = store.get(doing.connection, name)
        doing.about, doing.details = ("key", key.name), {"role": role, "days": days}
    run.tell(WORDS["users.key"].format(name=key.name, until=minute(key.expires_at)))
    echo(token)


@keys.command("list")
@with_run
def list_keys(run: Run) -> None:
    """List the keys, also those that are worth nothing any more. 列出密钥。"""
    settings = run.settings()
    from leadscore.store.api_keys import ApiKey, all_keys

    now = datetime.now(UTC)

    def row(key: ApiKey) -> list[str]:
        return [
            key.name, key.prefix + "…", WORDS[f"users.role.{key.role}"].pick(run.lang),
            WORDS[f"users.state.{key.state(now)}"].pick(run.lang), minute(key.created_at),
            minute(key.expires_at), minute(key.last_used),
        ]  # fmt: skip

    with opened(settings) as database, database.read() as connection:
        rows = [row(key) for key in all_keys(connection)]
    heads = ("name", "begins", "role", "state", "since", "until", "last_used")
    headers = [WORDS[f"users.head.{head}"] for head in heads]
    run.say_table(headers, rows, nothing=WORDS["users.no_keys"])


@keys.command("revoke")
@click.argument("name", metavar="NAME")
@with_run
def revoke_key(run: Run, name: str) -> None:
    """Let a key be worth nothing from now on. 撤销密钥。"""
    with acting(run, "key.revoke") as doing:
        from leadscore.store.api_keys import revoke

        key = revoke(doing.connection, name, now=doing.now)
        doing.about = ("key", key.name)
    run.say(WORDS["users.revoked"].format(name=key.name))
