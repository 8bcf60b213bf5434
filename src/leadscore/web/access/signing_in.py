"""Logging in by a password or by the office's proxy, and setting a password.

A log-in takes the same time and gets the same answer whether a name exists or not.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from leadscore.store.access import attempts, one_time_links, passwords, sessions, users
from leadscore.store.access.admission import BY, admit
from leadscore.store.auditing.trail import Record
from leadscore.web.access.callers import Access, Caller
from leadscore.web.access.links import FIRST_ADMINISTRATOR
from leadscore.web.access.proxies import ProxyUser
from leadscore.web.access.refusals import (
    locked,
    no_password,
    no_proxy_name,
    not_let_in,
    wrong_password,
    wrong_present_password,
)
from leadscore.web.store_refusals import store_refusals


def log_in(
    access: Access, name: str, password: str, *, address: str | None, secret: str | None
) -> Caller:
    """Return the caller with a new session; the one that the browser had has ended.

    Raises
    ------
    TooManyAttemptsError
        If too many failed under this name.
    UnauthorizedError
        If there is no such user, or that isn't their password.
    """
    now, name = access.clock(), users.folded(name)
    kept = _begin_attempt(access, name, now)
    # Outside of any transaction: it takes long, on purpose, and others want to write.
    right = passwords.matches(kept, password)
    found = _begin(access, name, kept, now, secret, address) if right else None
    if found is None:
        _note_failure(access, name, now, address)
        raise wrong_password()
    return found


def _begin_attempt(access: Access, name: str, now: datetime) -> str | None:
    """Count an attempt, and return what is kept of the password of whoever has the name."""
    with access.database.write() as connection:
        locked_until = attempts.begin(connection, name, now, access.lockout)
        kept = users.password_of(connection, name)
    if locked_until is not None:
        raise locked(locked_until - now)
    return kept


def _begin(
    access: Access,
    name: str,
    kept: str | None,
    now: datetime,
    secret: str | None,
    address: str | None,
) -> Caller | None:
    """Begin a session, unless the user was disabled or has set another password meanwhile."""
    with access.database.write() as connection:
        if users.password_of(connection, name) != kept:
            return None
        attempts.succeed(connection, name)
        new = _begin_session(access, connection, name, now=now, secret=secret)
        record = Record(name, new.role, "session.begin", "user", name, address)
        access.trail.append(connection, record, now)
    return new


def _begin_session(
    access: Access, connection: Connection, name: str, *, now: datetime, secret: str | None
) -> Caller:
    # The session whose secret the browser had ends.
    if secret is not None:
        sessions.end(connection, secret)
    new = sessions.begin(connection, name, now=now, limits=access.limits)
    return Caller(name, users.get(connection, name).role, new)


def let_in(access: Access, named: ProxyUser, *, address: str | None, secret: str | None) -> Caller:
    """Return the user whom the office's proxy names with a new session.

    Raises
    ------
    ForbiddenError
        If what it says is no name, or nobody of that name may come in by it.
    ContradictionError
        If their group would take the role from the last administrator.
    """
    now, details = access.clock(), {"by": "proxy"}
    try:
        name = users.canonical_name(named.name or "")
    except users.BadNameError:
        _note_proxy_refusal(access, None, now, address)
        raise no_proxy_name() from None
    with store_refusals(), access.database.write() as connection:
        # The first start invites an administrator: nobody is that by being called so elsewhere.
        admitted = name != FIRST_ADMINISTRATOR and admit(
            connection, name, named.role, follows_groups=named.follows_groups, now=now
        )
        if admitted:
            new = _begin_session(access, connection, name, now=now, secret=secret)
            if admitted.change is not None:
                change = Record(
                    BY, "-", admitted.change, "user", name, address,
                    details={"role": admitted.role, **details},
                )  # fmt: skip
                access.trail.append(connection, change, now)
            begun = Record(name, new.role, "session.begin", "user", name, address, details=details)
            access.trail.append(connection, begun, now)
    if not admitted:
        _note_proxy_refusal(access, name, now, address)
        raise not_let_in()
    return replace(new, by_proxy=True)


def _note_proxy_refusal(
    access: Access, name: str | None, now: datetime, address: str | None
) -> None:
    """Note whom the proxy named in vain: unlike what is typed at a log-in, it is no password."""
    record = Record(
        "anonymous", "-", "session.begin", "user" if name else None, name, address, "refused",
        details={"by": "proxy"},
    )  # fmt: skip
    with access.database.write() as connection:
        access.trail.append(connection, record, now)


def _note_failure(access: Access, name: str, now: datetime, address: str | None) -> None:
    """Note a failed log-in; a name that nobody has isn't kept, for it may be a password."""
    with access.database.write() as connection:
        access.trail.append(connection, _failure(connection, name, address), now)


def _failure(connection: Connection, name: str, address: str | None) -> Record:
    try:
        user = users.get(connection, name)
    except users.UnknownNameError:
        return Record("anonymous", "-", "session.begin", None, None, address, "refused")
    return Record("anonymous", "-", "session.begin", "user", user.name, address, "refused")


def change_password(
    access: Access, found: Caller, present: str, password: str, *, address: str | None
) -> None:
    """Give the user who is logged in another password; their other sessions end.

    Raises
    ------
    InvalidRequestError
        If it is no user with a password and a session, or that isn't their present password.
    TooManyAttemptsError
        If too many attempts failed under this name, here or at the log-in.
    UnacceptableError
        If the new one is too easy to guess.
    """
    if found.session is None or found.by_proxy:
        raise no_password()
    now, name = access.clock(), found.actor
    with store_refusals():
        passwords.check_password(password, name)
    kept = _begin_attempt(access, name, now)
    if kept is not None and passwords.matches(kept, present):
        new = passwords.hash_password(password)
        with access.database.write() as connection:
            done = users.replace_password(connection, name, kept, new, now=now)
            if done:
                attempts.succeed(connection, name)
                sessions.end_others(connection, name, keep=found.session)
                record = Record(name, found.role, "password.change", "user", name, address)
                access.trail.append(connection, record, now)
        if done:
            return
    refused = Record(name, found.role, "password.change", "user", name, address, "refused")
    with access.database.write() as connection:
        access.trail.append(connection, refused, now)
    raise wrong_present_password()


def set_password(access: Access, token: str, password: str, *, address: str | None) -> str:
    """Set the password of the owner of a one-time link, and return their name.

    All their sessions end.

    Raises
    ------
    NothingThereError
        If the link is dead.
    UnacceptableError
        If the password is too easy to guess.
    """
    now = access.clock()
    with store_refusals():
        with access.database.read() as connection:
            name = one_time_links.link_owner(connection, token, now=now, lock=False)
        passwords.check_password(password, name)
        kept = passwords.hash_password(password)
        with access.database.write() as connection:
            name = one_time_links.use_link(connection, token, kept, now=now)
            sessions.end_all(connection, name)
            attempts.succeed(connection, name)
            role = users.get(connection, name).role
            record = Record(name, role, "password.set", "user", name, address)
            access.trail.append(connection, record, now)
    return name
