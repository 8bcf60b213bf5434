"""A provider of OpenID Connect: its addresses and keys, and what it says of who has logged in."""

from __future__ import annotations

import re
import threading
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from leadscore.store.access.users import Role
from leadscore.web.access.oidc.fetching import FetchError, check_address, fetch_json, post_form
from leadscore.web.access.oidc.handshakes import Handshake
from leadscore.web.access.oidc.id_tokens import TokenError, UnknownSignerError, verified_claims

_DISCOVERY = "/.well-known/openid-configuration"
_KEPT = timedelta(hours=1)
_PAUSE = timedelta(seconds=10)
_CODE = re.compile("[a-z_]{5,60}")


@dataclass(frozen=True, slots=True)
class Registration:
    """How the provider knows us, and what we ask of it.

    Attributes
    ----------
    issuer
        Address by which the provider calls itself.
    client_id, client_secret
        As the provider has registered us; a public client has no secret.
    scopes
        What is asked for, with spaces between.
    name_claim
        Where the name of the user stands; it must be one that users can't choose themselves.
    roles_claim, roles
        Where the user's groups stand, and which role each has here, the first one first.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    scopes: str = "openid profile email"
    name_claim: str = "preferred_username"
    roles_claim: str = "groups"
    roles: tuple[tuple[str, Role], ...] = ()


@dataclass(frozen=True, slots=True)
class _Addresses:
    authorization: str
    token: str
    keys: str
    secret_in_form: bool


@dataclass(slots=True)
class _Known:
    """What the provider has said of itself, and since when that is known."""

    addresses: _Addresses | None = None
    keys: dict[str, Any] | None = None
    since: datetime | None = None
    failed_at: datetime | None = None


class Provider:
    """A provider; safe to share between threads, and asked for nothing before its first use.

    Parameters
    ----------
    registration
        How it knows us.
    """

    def __init__(self, registration: Registration) -> None:
        self.registration = registration
        self._known = _Known()
        self._turn = threading.Lock()

    def log_in_address(self, handshake: Handshake, back: str, now: datetime) -> str:
        """Return the address at which somebody logs in there.

        Parameters
        ----------
        handshake
            The log-in.
        back
            Address to which the provider sends the browser afterwards.
        now
            What was learned of the provider more than an hour before is asked for anew.

        Raises
        ------
        FetchError
            If the provider can't be asked, or not understood.
        """
        address = self._addresses(now).authorization
        asked = {
            "response_type": "code",
            "client_id": self.registration.client_id,
            "redirect_uri": back,
            "scope": self.registration.scopes,
            "state": handshake.state,
            "nonce": handshake.nonce,
            "code_challenge": handshake.challenge,
            "code_challenge_method": "S256",
        }
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}"

    def claims(self, handshake: Handshake, back: str, code: str, now: datetime) -> dict[str, Any]:
        """Return what the provider says of who has logged in, once it is found to be its word.

        Parameters
        ----------
        handshake, back
            As for `log_in_address`.
        code
            What the browser has brought back.
        now
            When the word must be good.

        Raises
        ------
        FetchError
            If the provider can't be asked, or not understood.
        TokenError
            If it refuses the code, or its word can't be believed.
        """
        token = self._id_token(handshake, back, code, now)
        expected: dict[str, Any] = {
            "issuer": self.registration.issuer,
            "client_id": self.registration.client_id,
            "nonce": handshake.nonce,
            "now": now,
        }
        keys = self._keys(now)
        try:
            return verified_claims(token, keys, **expected)
        except UnknownSignerError:
            # Providers change their keys from time to time.
            return verified_claims(token, self._keys(now, but=keys), **expected)

    def _id_token(self, handshake: Handshake, back: str, code: str, now: datetime) -> str:
        addresses, us = self._addresses(now), self.registration
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": us.client_id,
            "code_verifier": handshake.verifier,
        }
        headers = {}
        if us.client_secret is not None and addresses.secret_in_form:
            form["client_secret"] = us.client_secret
        elif us.client_secret is not None:
            pair = f"{quote_plus(us.client_id)}:{quote_plus(us.client_secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        status, answer = post_form(addresses.token, form, headers)
        if status >= 500:
            msg = f"status {status}"
            raise FetchError(msg)
        token = answer.get("id_token")
        if status != 200 or not isinstance(token, str):
            code = str(answer.get("error"))
            raise TokenError(code if _CODE.fullmatch(code) else "no id_token")
        return token

    def _addresses(self, now: datetime) -> _Addresses:
        with self._turn:
            since = self._known.since
            if self._known.addresses is None or since is None or now - since >= _KEPT:
                found = self._fetch(self.registration.issuer.rstrip("/") + _DISCOVERY, now)
                self._known = _Known(self._discovered(found), since=now)
            assert self._known.addresses is not None  # noqa: S101 (learned above)
            return self._known.addresses

    def _keys(self, now: datetime, but: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the provider's keys; ``but`` are those that won't do: others must be asked for."""
        addresses = self._addresses(now)
        with self._turn:
            if self._known.keys is None or self._known.keys is but:
                self._known.keys = self._fetch(addresses.keys, now)
            return self._known.keys

    def _fetch(self, address: str, now: datetime) -> dict[str, Any]:
        """Ask, but not again at once where nobody answers: others wait behind us meanwhile."""
        failed_at = self._known.failed_at
        if failed_at is not None and timedelta() <= now - failed_at < _PAUSE:
            msg = "it did not answer a moment ago"
            raise FetchError(msg)
        try:
            return fetch_json(address)
        except FetchError:
            self._known.failed_at = now
            raise

    def _discovered(self, found: dict[str, Any]) -> _Addresses:
        if found.get("issuer") != self.registration.issuer:
            msg = f"it calls itself {str(found.get('issuer'))[:200]!r}"
            raise FetchError(msg)
        methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return _Addresses(
            check_address(found.get("authorization_endpoint")),
            check_address(found.get("token_endpoint")),
            check_address(found.get("jwks_uri")),
            secret_in_form="client_secret_basic" not in methods,
        )
