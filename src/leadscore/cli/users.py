"""The commands for users and keys: who may come in, and which programs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import click

from leadscore.cli.group import ACTOR, Run, acting, cli, lang_option, opened, settings_of
from leadscore.terminal import minute, say, table, tell
from leadscore.text import Lang, room_words

if TYPE_CHECKING:
    from leadscore.store.users import Role

WORDS = room_words("cli")


_ROLES = ("viewer", "officer", "administrator", "auditor")
_MOST_DAYS = 3 * 365

_ROLE_NAMES = {
    "viewer": WORDS["users.role_names_viewer"],
    "officer": WORDS["users.role_names_officer"],
    "administrator": WORDS["users.role_names_administrator"],
    "auditor": WORDS["users.role_names_auditor"],
}
_STATES = {
    "invited": WORDS["users.states_invited"],
    "active": WORDS["users.states_active"],
    "disabled": WORDS["users.states_disabled"],
    "expired": WORDS["users.states_expired"],
    "revoked": WORDS["users.states_revoked"],
}
_USER_HEADERS = (
    WORDS["users.name"],
    WORDS["users.role"],
    WORDS["users.state"],
    WORDS["users.since"],
)
_KEY_HEADERS = (
    WORDS["users.name"],
    WORDS["users.key_headers"],
    WORDS["users.role"],
    WORDS["users.state"],
    WORDS["users.since"],
    WORDS["users.key_headers_2"],
    WORDS["users.key_headers_3"],
)


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
    headers = [each.pick(run.lang) for each in _USER_HEADERS]
    say("\n".join(table([headers, *rows])) if rows else WORDS["users.no_users"].pick(run.lang))


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
    say(WORDS["users.disabled"].format(name=user.name).pick(run.lang))


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

    tell(WORDS["users.link"].format(name=name).pick(run.lang))
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
    tell(WORDS["users.key"].format(name=key.name, until=minute(key.expires_at)).pick(run.lang))
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
    headers = [each.pick(run.lang) for each in _KEY_HEADERS]
    say("\n".join(table([headers, *rows])) if rows else WORDS["users.no_keys"].pick(run.lang))


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
    say(WORDS["users.revoked"].format(name=key.name).pick(run.lang))
