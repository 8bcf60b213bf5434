"""The users: who may log in, as what, and the one-time links by which they set a password."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Column, Connection, Row, String, Table, select, update

from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.lists.problems import shown
from leadscore.store.access.tokens import digest, new_token
from leadscore.store.engine.metadata import METADATA, Moment
from leadscore.store.engine.texts import storable_text
from leadscore.store.engine.unless_there import insert_unless_there
from leadscore.store.faults import StoreError

Role = Literal["viewer", "officer", "administrator", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
LINK_HOURS = 24
"""How long a one-time link can be used."""

USERS = Table(
    "users",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("state", String(10), nullable=False),
    Column("password", String(200)),
    Column("password_set_at", Moment),
    Column("link_hash", String(64), unique=True),
    Column("link_until", Moment),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(100), nullable=False),
)
"""States: ``invited`` (has no password yet), ``active``, ``disabled``."""

_NAME = re.compile(r"\w[\w.@-]{0,63}")
RESERVED = ("cli", "job", "demo", "anonymous")
"""Names by which the audit tells who is no user."""

A_NAME = Text(
    zh="字母、汉字、数字、“_”“.”“-”“@”，至多 64 个字符，以字母、汉字或数字开头",
    en="letters, digits, _ . - and @ in at most 64 characters, the first a letter or digit",
)
_BAD_NAME = Text(
    zh="“{name}”不能作名称。请换一个。", en="{name} can't be a name here. Choose another."
)
_TAKEN = Text(
    zh="已有名为“{name}”的用户。请换一个名称，或用 leadscore users reset 给他新的链接。",
    en="there is a user {name} already. Choose another name, or give them a new link with "
    "leadscore users reset.",
)
_UNKNOWN = Text(zh="没有名为“{name}”的用户", en="there is no user {name}")
_LAST = Text(
    zh="“{name}”是最后一位管理员，不能停用或改任。请先任命另一位。",
    en="{name} is the last administrator and can't be disabled or given another role. Appoint "
    "another one first.",
)


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
    """A user as others may see them."""

    name: str
    role: Role
    state: Literal["invited", "active", "disabled"]
    created_at: datetime
    link_until: datetime | None


def folded(name: str) -> str:
    """Return one way of writing a name for all that look alike."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def canonical_name(name: str) -> str:
    """Return a name as it is kept.

    Raises
    ------
    BadNameError
        If it can't be a name.
    """
    kept = folded(name)
    if not _NAME.fullmatch(kept) or kept in RESERVED:
        raise BadNameError(_BAD_NAME.format(name=shown(name)), [Detail("name", name, A_NAME)])
    return kept


def add(connection: Connection, name: str, role: Role, *, by: str, now: datetime) -> str:
    """Invite a user, and return the secret of the link by which they set their password.

    Raises
    ------
    BadNameError
        If the name can't be one.
    ConflictError
        If somebody has it.
    """
    kept = canonical_name(name)
    token = new_token()
    values: dict[str, Any] = {
        "name": kept, "role": role, "state": "invited", "created_at": now, "created_by": by,
        "link_hash": digest(token), "link_until": now + timedelta(hours=LINK_HOURS),
    }  # fmt: skip
    if not insert_unless_there(connection, USERS, values):
        raise ConflictError(_TAKEN.format(name=kept))
    return token


def renew_link(connection: Connection, name: str, *, now: datetime) -> str:
    """Return the secret of a new link; the one before is dead, a password stays until it is used.

    A disabled user becomes an invited one by it.

    Raises
    ------
    UnknownNameError
        If nobody has the name.
    """
    user = get(connection, name)
    token = new_token()
    values = {"link_hash": digest(token), "link_until": now + timedelta(hours=LINK_HOURS)}
    if user.state == "disabled":
        values |= {"state": "invited", "password": None}
    connection.execute(update(USERS).where(USERS.c.name == user.name).values(values))
    return token


def change(
    connection: Connection, name: str, *, role: Role | None = None, disabled: bool | None = None
) -> User:
    """Give a user another role, disable them, or let them in again, and return them as they are.

    Raises
    ------
    UnknownNameError
        If nobody has the name.
    ConflictError
        If nobody would be left to administer.
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
    connection.execute(update(USERS).where(USERS.c.name == user.name).values(values))
    return get(connection, user.name)


def _lock_administrators(connection: Connection, name: str) -> None:
    """Let nobody else change a user or an administrator until the transaction ends.

    Always in one order, lest two administrators who disable each other wait for each other.
    """
    connection.execute(
        select(USERS.c.name)
        .where((USERS.c.name == storable_text(folded(name))) | (USERS.c.role == "administrator"))
        .order_by(USERS.c.name)
        .with_for_update()
    )


def _check_not_last(connection: Connection, name: str) -> None:
    others = connection.scalar(
        select(USERS.c.name)
        .where(USERS.c.role == "administrator", USERS.c.state == "active", USERS.c.name != name)
        .limit(1)
    )
    if others is None:
        raise ConflictError(_LAST.format(name=name))


def get(connection: Connection, name: str) -> User:
    """Return a user.

    Raises
    ------
    UnknownNameError
        If nobody has the name.
    """
    query = select(USERS).where(USERS.c.name == storable_text(folded(name)))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownNameError(_UNKNOWN.format(name=shown(name)))
    return _user(row)


def everybody(connection: Connection) -> Sequence[User]:
    """Return all users by name."""
    return [_user(row) for row in connection.execute(select(USERS).order_by(USERS.c.name))]


def password_of(connection: Connection, name: str) -> str | None:
    """Return what is kept of the password of a user who may log in; None if there is none such."""
    return connection.scalar(
        select(USERS.c.password).where(
            USERS.c.name == storable_text(name), USERS.c.state == "active"
        )
    )


def replace_password(
    connection: Connection, name: str, before: str | None, after: str, *, now: datetime
) -> bool:
    """Keep another password of an active user, and let a link that is still open be dead.

    Parameters
    ----------
    connection
        Within the caller's transaction.
    name
        Who it is.
    before, after
        What was kept when the present password was checked, and what is to be.
    now
        When.

    Returns
    -------
    False if somebody has changed the password meanwhile, or disabled the user: nothing is changed.
    """
    mine = (USERS.c.name == name) & (USERS.c.password == before) & (USERS.c.state == "active")
    values = {
        "password": after, "password_set_at": now, "link_hash": None, "link_until": None,
    }  # fmt: skip
    return connection.execute(update(USERS).where(mine).values(values)).rowcount == 1


def _user(row: Row[Any]) -> User:
    return User(row.name, row.role, row.state, row.created_at, row.link_until)
