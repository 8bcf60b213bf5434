"""What ties the answer of the provider to the browser that has asked for it."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from leadscore.store.access.tokens import new_token


@dataclass(frozen=True, slots=True)
class Handshake:
    """One log-in that has begun.

    All that must match later is made from one secret that only the browser keeps, each by a hash
    from which nothing leads back; so nothing has to be kept here in between.

    Attributes
    ----------
    secret
        What the browser keeps.
    """

    secret: str

    @property
    def state(self) -> str:
        """What the provider hands back through the browser."""
        return self._made("state")

    @property
    def nonce(self) -> str:
        """What must stand in the ID token."""
        return self._made("nonce")

    @property
    def verifier(self) -> str:
        """What only who has begun can show for the code (RFC 7636), 64 characters."""
        return self._made("verifier")

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier beforehand."""
        hashed = hashlib.sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(hashed).rstrip(b"=").decode()

    def answers(self, state: str) -> bool:
        """Tell whether a state is that of this log-in."""
        return hmac.compare_digest(self.state.encode(), state.encode("utf-8", "replace"))

    def _made(self, purpose: str) -> str:
        content = f"leadscore oidc {purpose}\0{self.secret}"
        return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()


def new_handshake() -> Handshake:
    """Begin a log-in."""
    return Handshake(new_token())
