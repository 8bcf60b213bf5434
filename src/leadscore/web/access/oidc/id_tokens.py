"""Checks the signed word of a provider on who somebody is; the cryptography is joserfc's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from typing import Any

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
)  # fmt: skip
"""Signatures by a key that only the provider has: never ``none``, never a shared secret."""
_LEEWAY_SECONDS = 60


class TokenError(Exception):
    """An ID token that can't be believed; says why, in the words of the standard."""


class UnknownSignerError(TokenError):
    """An ID token whose key isn't among those that are known."""


def is_installed() -> bool:
    """Tell whether the extra ``oidc`` is there."""
    return find_spec("joserfc") is not None


def verified_claims(
    token: str, keys: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: datetime
) -> dict[str, Any]:
    """Return what an ID token says.

    Parameters
    ----------
    token
        As the provider gave it.
    keys
        The provider's set of keys (RFC 7517).
    issuer, client_id, nonce
        Who must have issued it, for whom, and for which log-in.
    now
        When it must be good, give or take a minute.

    Raises
    ------
    UnknownSignerError
        If none of the keys is the one that it names.
    TokenError
        If anything else is wrong with it.
    """
    # Imported late: it comes with an extra, and nothing else needs it.
    from joserfc.errors import InvalidKeyIdError, JoseError
    from joserfc.jwk import KeySet
    from joserfc.jwt import JWTClaimsRegistry, decode

    expected = JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=_LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        nonce={"essential": True, "value": nonce},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        known = KeySet.import_key_set(_for_signatures(keys))
        claims: dict[str, Any] = decode(token, known, algorithms=ALGORITHMS).claims
        expected.validate(claims)
    except InvalidKeyIdError as error:
        raise UnknownSignerError(_reason(error)) from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TokenError(_reason(error)) from error
    if claims.get("azp", client_id) != client_id:
        msg = "invalid_claim: azp"
        raise TokenError(msg)
    return claims


def _reason(error: Exception) -> str:
    """Return what is wrong without what stands there: it gets into the log."""
    code, claim = getattr(error, "error", type(error).__name__), getattr(error, "claim", None)
    return f"{code}: {claim}" if claim else str(code)


def _for_signatures(keys: Mapping[str, Any]) -> Any:
    """Return the keys that sign; a set may hold others, also of kinds that came later."""
    listed = keys.get("keys")
    if not isinstance(listed, list):
        msg = "no set of keys"
        raise TokenError(msg)
    kinds = ("RSA", "EC")
    return {
        "keys": [
            key
            for key in listed
            if isinstance(key, dict) and key.get("kty") in kinds and key.get("use", "sig") == "sig"
        ]
    }
