"""From a provider's word on who somebody is to a session of theirs here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.store.access.admission import Admitted, admit
from leadscore.store.access.users import Role
from leadscore.store.auditing.trail import Record
from leadscore.web.access.callers import Access, Caller
from leadscore.web.access.oidc.provider import Registration
from leadscore.web.access.oidc.refusals import no_name, not_let_in
from leadscore.web.access.signing_in import begin_session
from leadscore.web.store_refusals import store_refusals

_HOW = {"by": "oidc"}


def let_in(
    access: Access,
    registration: Registration,
    claims: Mapping[str, Any],
    *,
    address: str | None,
    secret: str | None,
) -> Caller:
    """Return the caller with a new session; the one that the browser had has ended.

    Parameters
    ----------
    access
        Who is known here.
    registration
        Where in the claims name and groups stand.
    claims
        What the provider says of somebody, found to be its word.
    address, secret
        Where the browser is, and the session that it had.

    Raises
    ------
    UnauthorizedError
        If the claims hold no name.
    ForbiddenError
        If nobody of that name may come in.
    UnacceptableError, ContradictionError
        If the name can't be one here, or a role can't be changed.
    """
    name, role = _name(registration, claims), mapped_role(registration, claims)
    now = access.clock()
    with store_refusals(), access.database.write() as connection:
        admitted = admit(connection, name, role, now=now)
        if admitted is not None:
            found = begin_session(access, connection, admitted.name, now=now, secret=secret)
            if admitted.change is not None:
                access.trail.append(connection, _change(admitted, address), now)
            begun = Record(
                found.actor, found.role, "session.begin", "user", found.actor, address,
                details=_HOW,
            )  # fmt: skip
            access.trail.append(connection, begun, now)
    if admitted is None:
        note_refusal(access, address)
        raise not_let_in()
    return found


def mapped_role(registration: Registration, claims: Mapping[str, Any]) -> Role | None:
    """Return the role of the first group of the registration that somebody is in.

    >>> office = Registration("https://id.example", "x", roles=(("boss", "administrator"),))
    >>> [mapped_role(office, {"groups": groups}) for groups in (["a", "boss"], "boss", ["a"], 7)]
    ['administrator', 'administrator', None, None]
    """
    said = claims.get(registration.roles_claim)
    groups = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    return next((role for group, role in registration.roles if group in groups), None)


def note_refusal(access: Access, address: str | None) -> None:
    """Note that somebody came with a provider's answer and wasn't let in."""
    record = Record(
        "anonymous", "-", "session.begin", None, None, address, "refused", details=_HOW
    )  # fmt: skip
    with access.database.write() as connection:
        access.trail.append(connection, record, access.clock())


def _name(registration: Registration, claims: Mapping[str, Any]) -> str:
    claim = registration.name_claim
    name = claims.get(claim)
    # At some providers users write whatever address they like.
    unproved = claim == "email" and claims.get("email_verified") is not True
    if not isinstance(name, str) or not name or unproved:
        raise no_name(claim)
    return name


def _change(admitted: Admitted, address: str | None) -> Record:
    assert admitted.change is not None  # noqa: S101 (asked before)
    details = {"role": admitted.role, **_HOW}
    name = admitted.name
    return Record("oidc", "-", admitted.change, "user", name, address, details=details)
