"""Random secrets that are handed out once; what is kept of them is only their hash."""

from __future__ import annotations

import hashlib
import secrets

_BYTES = 32


def new_token(prefix: str = "") -> str:
    """Return a secret of 256 random bits in letters, digits, ``-`` and ``_``."""
    return prefix + secrets.token_urlsafe(_BYTES)


def digest(token: str) -> str:
    """Return what is kept of a secret, 64 hex digits.

    A secret of 256 random bits can't be guessed, so it needs no slow hash as a password does; and
    whoever times a look-up by this learns of the hash, from which nothing leads back.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
