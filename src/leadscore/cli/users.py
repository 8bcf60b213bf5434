"""The commands for users and keys: who may come in, and which programs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import click

from leadscore.cli.group import (
    ACTOR,
    Run,
    acting,
    cli,
    lang_option,
    minute,
    opened,
    settings_of,
    table,
)
from leadscore.terminal import say, tell
from leadscore.text import Lang, Text

if TYPE_CHECKING:
    from leadscore.store.users import Role

_ROLES = ("viewer", "officer", "administrator", "auditor")
_MOST_DAYS = 3 * 365

_ROLE_NAMES = {
    "viewer": Text(zh="查看", en="viewer"),
    "officer": Text(zh="招商专员", en="officer"),
    "administrator": Text(zh="管理员", en="administrator"),
    "auditor": Text(zh="审计", en="auditor"),
}
_STATES = {
    "invited": Text(zh="已邀请", en="invited"),
    "active": Text(zh="启用", en="active"),
    "disabled": Text(zh="已停用", en="disabled"),
    "expired": Text(zh="已过期", en="expired"),
    "revoked": Text(zh="已撤销", en="revoked"),
}
_NAME = Text(zh="名称", en="name")
_ROLE = Text(zh="角色", en="role")
_STATE = Text(zh="状态", en="state")
_SINCE = Text(zh="建于", en="since")
_USER_HEADERS = (_NAME, _ROLE, _STATE, _SINCE)
_KEY_HEADERS = (
    _NAME, Text(zh="开头", en="begins"), _ROLE, _STATE, _SINCE, Text(zh="到期", en="until"),
    Text(zh="最近使用", en="last used"),
)  # fmt: skip

_LINK = Text(
    zh="请把这个链接交给“{name}”，24 小时内有效，只能用一次，接在服务地址之后打开即可设密码：",
    en="give this link to {name}: behind the address of the service it sets a password, once, "
    "within 24 hours:",
)
_DISABLED = Text(
    zh="“{name}”已停用，其会话全部结束。", en="{name} is disabled, and all their sessions ended."
)
_KEY = Text(
    zh="密钥“{name}”如下，只显示这一次，{until} 到期。请求时写在 Authorization: Bearer 之后：",
    en="the key {name}, shown only now and good until {until}; send it behind "
    "Authorization: Bearer:",
)
_REVOKED = Text(zh="密钥“{name}”已撤销。", en="the key {name} is revoked.")
_NO_USERS = Text(
    zh="还没有用户；leadscore serve 会给出第一位管理员的链接。",
    en="there is no user yet; leadscore serve prints a link for the first administrator.",
)
_NO_KEYS = Text(zh="还没有密钥。", en="there is no key yet.")


def _role_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--role", type=click.Choice(_ROLES), required=True, help="What they may do. 角色。"
    )(command)


@cli.group()
def users() -> None:
    """Say who may log in, and as what. 管理用户。"""


@users.command("add")
@click.argument("name", metavar="NAME")
@_role_option
@lang_option
@click.pass_obj
def add_user(run: Run, name: str, role: str, lang: Lang | None) -> None:
    """Invite a user; prints the link by which they set a password. 邀请用户，给出一次性链接。"""
    with acting(run, lang, "user.add") as doing:
        from leadscore.store import users as store

        token = store.add(doing.connection, name, cast("Role", role), by=ACTOR, now=doing.now)
        user = store.get(doing.connection, name)
        doing.about, doing.details = ("user", user.name), {"role": role}
    _show_link(run, user.name, token)


@users.command("list")
@lang_option
@click.pass_obj
def list_users(run: Run, lang: Lang | None) -> None:
    """List the users. 列出用户。"""
    settings = settings_of(run, lang)
    from leadscore.store.users import everybody

    with opened(settings) as database, database.read() as connection:
        found = everybody(connection)
    rows = [
        [
            user.name, _ROLE_NAMES[user.role].pick(run.lang), _STATES[user.state].pick(run.lang),
            minute(user.created_at),
        ]
        for user in found
    ]  # fmt: skip
    say(table(_USER_HEADERS, rows, run.lang) if rows else _NO_USERS.pick(run.lang))


@users.command("disable")
@click.argument("name", metavar="NAME")
@lang_option
@click.pass_obj
def disable_user(run: Run, name: str, lang: Lang | None) -> None:
    """Let a user in no more, and end their sessions. 停用用户。"""
    with acting(run, lang, "user.change") as doing:
        from leadscore.store import sessions
        from leadscore.store import users as store

        user = store.change(doing.connection, name, disabled=True)
        sessions.end_all(doing.connection, user.name)
        doing.about, doing.details = ("user", user.name), {"disabled": True}
    say(_DISABLED.format(name=user.name).pick(run.lang))


@users.command("reset")
@click.argument("name", metavar="NAME")
@lang_option
@click.pass_obj
def reset_user(run: Run, name: str, lang: Lang | None) -> None:
    """Give a user a new link to set a password; also lets a disabled one in again. 重设密码。"""
    with acting(run, lang, "user.link") as doing:
        from leadscore.store import users as store
        from leadscore.store.sessions import forget_attempts

        user = store.get(doing.connection, name)
        token = store.renew_link(doing.connection, user.name, now=doing.now)
        forget_attempts(doing.connection, user.name)
        doing.about = ("user", user.name)
    _show_link(run, user.name, token)


def _show_link(run: Run, name: str, token: str) -> None:
    from leadscore.web.guard import link_path

    tell(_LINK.format(name=name).pick(run.lang))
    say(link_path(token))


@cli.group()
def keys() -> None:
    """Give programs keys, and take them back. 管理程序用的密钥。"""


@keys.command("add")
@click.argument("name", metavar="NAME")
@_role_option
@click.option(
    "--days", type=click.IntRange(1, _MOST_DAYS), default=365, help="Days it is good. 有效天数。"
)
@lang_option
@click.pass_obj
def add_key(run: Run, name: str, role: str, days: int, lang: Lang | None) -> None:
    """Make a key and print it, once. 生成密钥，只显示一次。"""
    with acting(run, lang, "key.add") as doing:
        from leadscore.store import api_keys as store

        token = store.add(
            doing.connection, name, cast("Role", role), by=ACTOR, now=doing.now, days=days
        )
        key = store.get(doing.connection, name)
        doing.about, doing.details = ("key", key.name), {"role": role, "days": days}
    tell(_KEY.format(name=key.name, until=minute(key.expires_at)).pick(run.lang))
    say(token)


@keys.command("list")
@lang_option
@click.pass_obj
def list_keys(run: Run, lang: Lang | None) -> None:
    """List the keys, also those that are worth nothing any more. 列出密钥。"""
    settings = settings_of(run, lang)
    from leadscore.store.api_keys import ApiKey, all_keys

    now = datetime.now(UTC)

    def row(key: ApiKey) -> list[str]:
        state = "revoked" if key.revoked_at else "expired" if key.expires_at <= now else "active"
        return [
            key.name, key.prefix + "…", _ROLE_NAMES[key.role].pick(run.lang),
            _STATES[state].pick(run.lang), minute(key.created_at), minute(key.expires_at),
            minute(key.last_used),
        ]  # fmt: skip

    with opened(settings) as database, database.read() as connection:
        rows = [row(key) for key in all_keys(connection)]
    say(table(_KEY_HEADERS, rows, run.lang) if rows else _NO_KEYS.pick(run.lang))


@keys.command("revoke")
@click.argument("name", metavar="NAME")
@lang_option
@click.pass_obj
def revoke_key(run: Run, name: str, lang: Lang | None) -> None:
    """Let a key be worth nothing from now on. 撤销密钥。"""
    with acting(run, lang, "key.revoke") as doing:
        from leadscore.store.api_keys import revoke

        key = revoke(doing.connection, name, now=doing.now)
        doing.about = ("key", key.name)
    say(_REVOKED.format(name=key.name).pick(run.lang))
