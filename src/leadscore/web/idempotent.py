"""Runs a view that writes in one transaction with its audit record and its idempotency record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from flask import Response, current_app, request
from sqlalchemy import Connection

from leadscore.store import idempotency
from leadscore.store.audit import Record
from leadscore.store.idempotency import Asked, Given
from leadscore.text import Text
from leadscore.web.auth import Access, Caller, caller
from leadscore.web.errors import invalid, store_refusals

HEADER = "Idempotency-Key"
FIELD = "idempotency_key"  # field of a form of our pages that holds the key
IDEMPOTENCY_PARAMETER = {
    "name": HEADER, "in": "header", "required": False,
    "description": "同一个键和正文在 24 小时内重发，得到同样的回答，不会做第二次。 The same key "
    "and body, sent again within 24 hours, get the same answer without a second effect.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}  # fmt: skip
"""How the description of a route names the header."""

_MOST = 255
_PAGE = "text/html; charset=utf-8"
_A_KEY = Text(zh=f"1 至 {_MOST} 个可见的 ASCII 字符", en=f"1 to {_MOST} visible ASCII characters")

_P = ParamSpec("_P")


@dataclass(frozen=True, slots=True)
class Act:
    """What a view that writes is given."""

    connection: Connection  # within the transaction in which everything is written
    caller: Caller
    now: datetime

    @property
    def actor(self) -> str:
        """Who does it, as it is kept."""
        return self.caller.actor


@dataclass(frozen=True, slots=True)
class Answer:
    """What a view that writes gives."""

    body: Mapping[str, Any] | str | None = None  # JSON values, or the text of a page
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    # For the audit: kind and name of what was changed; JSON values without anything secret.
    about: tuple[str, str] | tuple[()] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    # Where the same request must not be answered the same: a secret is shown once, and not kept.
    again: Answer | None = None


def written(
    access: Access, action: str, *, fingerprint: Callable[[], bytes] | None = None
) -> Callable[[Callable[Concatenate[Act, _P], Answer]], Callable[_P, Response]]:
    """Give a view its transaction; stands under the line of its route.

    The view's effect, the audit record of it, and the answer that is kept for its idempotency key
    are committed together, or not at all if it raises. Of requests with one key at the same moment
    one is carried out, and the others wait for its answer.
    """

    def decorate(view: Callable[Concatenate[Act, _P], Answer]) -> Callable[_P, Response]:
        @wraps(view)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> Response:
            body = fingerprint() if fingerprint else request.get_data(cache=True)
            who, now = caller(), access.clock()
            asked = _asked(who, body)
            with store_refusals(), access.database.write() as connection:
                given = idempotency.begin(connection, asked, now) if asked else None
                if given is not None:
                    return _response(given)
                answer = view(Act(connection, who, now), *args, **kwargs)
                given = _given(answer)
                if asked:
                    idempotency.finish(connection, asked, _given(answer.again or answer))
                access.trail.append(connection, _record(action, who, answer), now)
            return _response(given)

        return run

    return decorate


def noted(
    access: Access,
    action: str,
    about: tuple[str, str] | tuple[()] = (),
    details: Mapping[str, Any] | None = None,
) -> None:
    """Put into the audit what the caller of a route that only reads takes away."""
    access.note(_record(action, caller(), Answer(about=about, details=details or {})))


def check_key() -> None:
    """Refuse a key that can't be one, also where nothing is written and it would not be used."""
    _key()


def _asked(who: Caller, body: bytes) -> Asked | None:
    key = _key()
    if key is None:
        return None
    # The route as a hash: an address may be longer than a key of a table.
    address = hashlib.sha256(request.full_path.encode("utf-8", "surrogatepass")).hexdigest()
    route = f"{request.method} {address}"
    # Said of another version of what is changed, it is another request.
    version = request.headers.get("If-Match", "").encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(b"\0".join([body, version] if version else [body])).hexdigest()
    return Asked(who.actor, route, key, digest)


def _key() -> str | None:
    key = request.headers.get(HEADER)
    if key is None and not request.is_json:  # whose form is empty, and takes time to be read
        key = request.form.get(FIELD)
    if key is not None and not (1 <= len(key) <= _MOST and all("!" <= each <= "~" for each in key)):
        raise invalid(HEADER, key, _A_KEY)
    return key


def _record(action: str, who: Caller, answer: Answer) -> Record:
    kind, name = answer.about or (None, None)
    return Record(
        who.actor, who.role, action, kind, name, request.remote_addr, "done", answer.details
    )


def _given(answer: Answer) -> Given:
    body = answer.body
    if isinstance(body, str):
        return Given(answer.status, {**answer.headers, "Content-Type": _PAGE}, body.encode())
    content = b"" if body is None else current_app.json.dumps(body).encode()
    return Given(answer.status, answer.headers, content)


def _response(given: Given) -> Response:
    response = Response(given.body, given.status, dict(given.headers))
    if "Content-Type" not in given.headers:
        response.mimetype = "application/json"
    if not given.body:
        del response.headers["Content-Type"]
    return response
