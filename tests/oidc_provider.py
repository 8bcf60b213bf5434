"""A small provider of OpenID Connect on this machine, which a test lets lie as it likes."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

CLIENT_ID, CLIENT_SECRET = "leadscore", "geheim & +%"
_KEYS: dict[str, RSAKey] = {}


def key(name: str) -> RSAKey:
    """Return a key by its id; each is made once, for it takes long."""
    if name not in _KEYS:
        _KEYS[name] = RSAKey.generate_key(2048, {"kid": name, "use": "sig"})
    return _KEYS[name]


@dataclass
class SmallProvider:
    """The provider.

    Attributes
    ----------
    clock
        Says when tokens are issued.
    claims
        What is said of the user who logs in, beyond what every token holds; what is None is left
        out.
    signer, published
        Id of the key that signs, and ids of those that the set of keys holds.
    codes
        Codes that were handed out and not used, with what was asked for.
    asked
        Paths that were asked for.
    """

    clock: Callable[[], datetime]
    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"preferred_username": "li.na"})
    signer: str = "one"
    published: list[str] = field(default_factory=lambda: ["one"])
    signature: str = "RS256"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Callable[[], Response]] = field(default_factory=dict)

    def log_in(self, address: str) -> str:
        """Do what a browser and a user do at the provider; return where it sends them back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.asked)}-{len(self.codes)}"
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "session_state": "x", "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    @Request.application
    def __call__(self, request: Request) -> Response:
        self.asked.append(request.path)
        if request.path in self.answers:
            return self.answers[request.path]()
        if request.path == "/.well-known/openid-configuration":
            return answer(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                }
                | self.metadata
            )
        if request.path == "/keys":
            return answer({"keys": [key(name).as_dict(private=False) for name in self.published]})
        if request.path == "/token":
            return self._token(request)
        return answer({"error": "not_found"}, 404)

    def _token(self, request: Request) -> Response:
        pair = f"{CLIENT_ID}:{'geheim+%26+%2B%25'}"
        basic = f"Basic {base64.b64encode(pair.encode()).decode()}"
        in_form = request.form.get("client_secret") == CLIENT_SECRET
        if request.headers.get("Authorization") != basic and not in_form:
            return answer({"error": "invalid_client"}, 401)
        asked = self.codes.pop(request.form["code"], None)
        challenge = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        if (
            asked is None
            or asked["redirect_uri"] != request.form["redirect_uri"]
            or asked["code_challenge"] != base64.urlsafe_b64encode(challenge).decode().rstrip("=")
        ):
            return answer({"error": "invalid_grant"}, 400)
        return answer({"access_token": "x", "id_token": self.id_token(asked["nonce"])})

    def id_token(self, nonce: str) -> str:
        now = int(self.clock().timestamp())
        said = {
            "iss": self.issuer, "aud": CLIENT_ID, "sub": "4711", "nonce": nonce, "iat": now,
            "exp": now + 300,
        } | self.claims  # fmt: skip
        said = {name: value for name, value in said.items() if value is not None}
        header = {"alg": self.signature, "kid": self.signer}
        if self.signature == "none":
            parts = [encoded(header), encoded(said), ""]
            return ".".join(parts)
        if self.signature == "HS256":  # with the public key as if it were a shared secret
            secret = OctKey.import_key(base64.b64encode(key(self.signer).as_pem(private=False)))
            return jwt.encode(header, said, secret, algorithms=["HS256"])
        return jwt.encode(header, said, key(self.signer), algorithms=[self.signature])


def answer(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@contextmanager
def running_provider(clock: Callable[[], datetime]) -> Iterator[SmallProvider]:
    """Give a provider that listens on a free port of this machine."""
    provider = SmallProvider(clock)
    server = make_server("127.0.0.1", 0, provider, threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
