"""Users: who may come in, and their invitations."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple, get_args

from sqlalchemy import Column, Connection, String, Table, select, update

from leadscore.errors import Detail
from leadscore.numbers import moment
from leadscore.store.audit import AuditTrail, Record
from leadscore.store.database import (
    METADATA,
    Database,
    Moment,
    StoreError,
    columns_of,
    digest,
    insert_unless_there,
    new_token,
    storable_text,
)
from leadscore.text import Text, room_words, shown

WORDS = room_words("store")


Role = Literal["viewer", "officer", "administrator", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
LINK_LASTS = timedelta(hours=24)

_NAME = re.compile(r"\w[\w.@-]{0,63}")
_RESERVED = ("cli", "job", "demo", "anonymous")  # by which the audit tells who is no user

A_NAME = WORDS["users.a_name"]


class ConflictError(StoreError):
    """An act that what is kept already speaks against."""

    code = "conflict"


class BadNameError(StoreError):
    """A text that can't be the name of a user or a key."""

    code = "bad_name"


class UnknownNameError(StoreError):
    """A name that nobody and nothing has."""

    code = "unknown_name"


@dataclass(frozen=True, slots=True)
class User:
    """A user as others may see them; an invited one has no password yet."""

    name: Annotated[str, String(64), {"primary_key": True}]
    role: Annotated[Role, String(20)]
    state: Annotated[Literal["invited", "active", "disabled"], String(10)]
    created_at: datetime
    link_until: datetime | None


USERS = Table(
    "users",
    METADATA,
    *columns_of(User),
    Column("password", String(200)),
    Column("password_set_at", Moment),
    Column("link_hash", String(64), unique=True),
    Column("created_by", String(100), nullable=False),
)

_PUBLIC = select(*(USERS.c[field.name] for field in fields(User)))


def folded(name: str) -> str:
    """Return one way of writing a name for all that look alike."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def canonical_name(name: str) -> str:
    """Return a name as it is kept; raises `BadNameError`."""
    kept = folded(name)
    if not _NAME.fullmatch(kept) or kept in _RESERVED:
        message = WORDS["users.bad_name"].format(name=shown(name))
        raise BadNameError(message, [Detail("name", name, A_NAME)])
    return kept


def add(connection: Connection, name: str, role: Role, *, by: str, now: datetime) -> str:
    """Invite a user, and return the secret of the link; raises `BadNameError`, `ConflictError`."""
    kept = canonical_name(name)
    token = new_token()
    values: dict[str, Any] = {
        "name": kept, "role": role, "state": "invited", "created_at": now, "created_by": by,
        "link_hash": digest(token), "link_until": now + LINK_LASTS,
    }  # fmt: skip
    if not insert_unless_there(connection, USERS, values):
        raise ConflictError(WORDS["users.taken"].format(name=kept))
    return token


FIRST_ADMINISTRATOR = "admin"  # name of the user whom the first start invites


def invite_first_administrator(
    database: Database, trail: AuditTrail, now: datetime
) -> tuple[str, datetime] | None:
    """Return the secret of a new link for the first administrator, and until when it is good.

    None once somebody came in.
    """
    invited = (FIRST_ADMINISTRATOR, "invited")
    with database.read() as connection:
        names = [(user.name, user.state) for user in everybody(connection)]
    if names not in ([], [invited]):
        return None
    with database.write() as connection:
        names = [(user.name, user.state) for user in everybody(connection)]
        if not names:
            token = add(connection, FIRST_ADMINISTRATOR, "administrator", by="cli", now=now)
        elif names == [invited]:
            token = renew_link(connection, FIRST_ADMINISTRATOR, now=now)
        else:
            return None
        record = Record("cli", "administrator", "user.link", "user", FIRST_ADMINISTRATOR)
        trail.append(connection, record, now)
    return token, now + LINK_LASTS


def renew_link(connection: Connection, name: str, *, now: datetime) -> str:
    """Return the secret of a new link, the only good one; a disabled user is invited again."""
    user = get(connection, name)
    token = new_token()
    values = {"link_hash": digest(token), "link_until": now + LINK_LASTS}
    if user.state == "disabled":
        values |= {"state": "invited", "password": None}
    _set(connection, user.name, values)
    return token


def change(
    connection: Connection, name: str, *, role: Role | None = None, disabled: bool | None = None
) -> User:
    """Give a user another role, disable them, or let them in again, and return them as they are.

    Raises `UnknownNameError`, and `ConflictError` if nobody would be left to administer.
    """
    _lock_administrators(connection, name)
    user = get(connection, name)
    values: dict[str, Any] = {}
    if role is not None and role != user.role:
        values["role"] = role
    if disabled and user.state != "disabled":
        values |= {"state": "disabled", "link_hash": None, "link_until": None}
    if disabled is False and user.state == "disabled":
        kept = connection.scalar(select(USERS.c.password).where(USERS.c.name == user.name))
        values["state"] = "active" if kept else "invited"
    if not values:
        return user
    leaves = values.get("role", "administrator") != "administrator" or disabled
    if leaves and user.role == "administrator" and user.state == "active":
        _check_not_last(connection, user.name)
    _set(connection, user.name, values)
    return get(connection, user.name)


def _lock_administrators(connection: Connection, name: str) -> None:
    # Always in one order, lest two administrators who disable each other wait for each other.
    concerned = (USERS.c.name == storable_text(folded(name))) | (USERS.c.role == "administrator")
    query = select(USERS.c.name).where(concerned).order_by(USERS.c.name)
    connection.execute(query.with_for_update())


def _check_not_last(connection: Connection, name: str) -> None:
    others = select(USERS.c.name).where(
        USERS.c.role == "administrator", USERS.c.state == "active", USERS.c.name != name
    )
    if connection.scalar(others.limit(1)) is None:
        raise ConflictError(WORDS["users.last"].format(name=name))


def _set(connection: Connection, name: str, values: Mapping[str, Any]) -> None:
    connection.execute(update(USERS).where(USERS.c.name == name).values(values))


def get(connection: Connection, name: str) -> User:
    """Return a user; raises `UnknownNameError`."""
    query = _PUBLIC.where(USERS.c.name == storable_text(folded(name)))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownNameError(WORDS["users.unknown"].format(name=shown(name)))
    return User(**row._asdict())


def everybody(connection: Connection) -> Sequence[User]:
    """Return all users by name."""
    return [User(**row._asdict()) for row in connection.execute(_PUBLIC.order_by(USERS.c.name))]


def password_of(connection: Connection, name: str) -> str | None:
    """Return what is kept of the password of a user who may log in; None if there is none such."""
    mine = (USERS.c.name == storable_text(name)) & (USERS.c.state == "active")
    return connection.scalar(select(USERS.c.password).where(mine))


def last_password_of(connection: Connection, name: str) -> str | None:
    """Return what is kept of the password that a user had last, whether or not it lets them in."""
    return connection.scalar(select(USERS.c.password).where(USERS.c.name == name))


def replace_password(
    connection: Connection, name: str, before: str | None, after: str, *, now: datetime
) -> bool:
    """Keep another password of an active user, and let a link that is still open be dead.

    False, and nothing changed, if what was kept is not as ``before`` by now.
    """
    mine = (USERS.c.name == name) & (USERS.c.password == before) & (USERS.c.state == "active")
    values = {
        "password": after, "password_set_at": now, "link_hash": None, "link_until": None,
    }  # fmt: skip
    return connection.execute(update(USERS).where(mine).values(values)).rowcount == 1


class LinkError(StoreError):
    """A one-time link that can't be used, or not any more."""

    code = "dead_link"


def link_owner(connection: Connection, token: str, *, now: datetime, lock: bool = True) -> str:
    """Return whose link it is; raises `LinkError`, which says whether it has expired."""
    columns = select(USERS.c.name, USERS.c.link_until, USERS.c.state)
    query = columns.where(USERS.c.link_hash == digest(token))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None or row.state == "disabled":
        raise LinkError(WORDS["users.dead_link"])
    if row.link_until <= now:
        until = Text(zh=moment(row.link_until, "zh"), en=moment(row.link_until, "en"))
        raise LinkError(WORDS["users.old_link"].format(until=until))
    name: str = row.name
    return name


def use_link(connection: Connection, token: str, password_hash: str, *, now: datetime) -> str:
    """Set the password of the link's owner, who is active from then on; raises `LinkError`."""
    name = link_owner(connection, token, now=now)
    values = {
        "password": password_hash, "password_set_at": now, "state": "active",
        "link_hash": None, "link_until": None,
    }  # fmt: skip
    _set(connection, name, values)
    return name


BY = "proxy:header"
"""As whose doing a user is kept whom a group has brought; no user and no key has such a name."""
BROUGHT = frozenset({BY, "oidc:provider"})
"""The same, also as it was called while leadscore asked a provider itself."""


class Admitted(NamedTuple):
    """The role of who comes in, and what has changed with them by that, as the audit calls it."""

    role: Role
    change: str | None = None


def provision_user(
    connection: Connection, name: str, mapped: Role | None, *, follows_groups: bool, now: datetime
) -> Admitted | None:
    """Let a user in whom the proxy vouches for; None if they may not come in.

    Who has a password is not let in: that name is opened by the password alone, whatever others
    are called at the office's log-in. A user whom an administrator has invited keeps the role that
    they gave, whatever the groups; they need their link no more. One whom a group has brought has
    the role ``mapped`` to their group, and no way in without one. Where groups have no roles at
    all, nobody ``follows_groups`` and everybody keeps the role that they have here. ``name`` is as
    `canonical_name` has it. Raises `ConflictError` if the group would take the role from the last
    administrator.
    """
    query = select(USERS.c.role, USERS.c.state, USERS.c.created_by, USERS.c.password)
    row = connection.execute(query.where(USERS.c.name == name).with_for_update()).one_or_none()
    if row is None:
        return None if mapped is None else _bring(connection, name, mapped, now)
    if row.state == "disabled" or row.password is not None:
        return None
    act = None
    if follows_groups and row.created_by in BROUGHT:
        if mapped is None:
            return None
        if mapped != row.role:
            change(connection, name, role=mapped)
            act = "user.change"
    if row.state == "invited":
        values = {"state": "active", "link_hash": None, "link_until": None}
        invited = (USERS.c.name == name) & (USERS.c.state == "invited")
        connection.execute(update(USERS).where(invited).values(values))
    user = get(connection, name)
    return Admitted(user.role, act) if user.state == "active" else None


def _bring(connection: Connection, name: str, role: Role, now: datetime) -> Admitted | None:
    values = {
        "name": name, "role": role, "state": "active", "created_at": now, "created_by": BY,
    }  # fmt: skip
    if insert_unless_there(connection, USERS, values):
        return Admitted(role, "user.add")
    # They came at the same moment by another request.
    return provision_user(connection, name, role, follows_groups=True, now=now)
