"""Flask reads bodies and writes answers through these, as strictly as `strict_json` has it."""

from __future__ import annotations

import json
from typing import Any

from flask import Request
from flask.json.provider import JSONProvider

from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.web.errors import REFUSALS, InvalidRequestError, MediaTypeError
from leadscore.web.strict_json import json_kind, parse_json

_OBJECT = Text(zh="一个 JSON 对象", en="a JSON object")
_JSON = Text(zh="application/json", en="application/json")
_PLAIN = Text(zh="未压缩的正文", en="a body that isn't compressed")


class StrictJSON(JSONProvider):
    """What Flask writes and reads JSON with: compact, Chinese as it is, never NaN."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Return JSON; ValueError if a NaN or an infinity got as far as here."""
        shape: dict[str, Any] = {"ensure_ascii": False, "separators": (",", ":")} | kwargs
        return json.dumps(obj, allow_nan=False, **shape)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:  # noqa: ARG002 (Flask's signature)
        """Return the value of a JSON text; see `parse_json`."""
        return parse_json(s.encode() if isinstance(s, str) else s)


class StrictRequest(Request):
    """A request whose JSON body is an object in UTF-8, or an error that names the place."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:  # noqa: ARG002
        """Return the body.

        Every fault is raised, whatever ``silent`` says: a framework that asks silently would turn
        it into "the body is missing".

        Raises
        ------
        MediaTypeError, BadJsonError, InvalidRequestError
            If the body isn't declared as JSON, isn't JSON, or isn't an object.
        """
        self._check_media_type()
        value = parse_json(self.get_data(cache=cache))
        if not isinstance(value, dict):
            message = REFUSALS[422][1]
            raise InvalidRequestError(message, [Detail("$", json_kind(value), _OBJECT)])
        return value

    def _check_media_type(self) -> None:
        charset = self.mimetype_params.get("charset", "utf-8").lower()
        encoding = self.headers.get("Content-Encoding", "identity")
        message = REFUSALS[415][1]
        if self.mimetype != "application/json" or charset not in {"utf-8", "utf8"}:
            got = self.headers.get("Content-Type", "∅")
            raise MediaTypeError(message, [Detail("Content-Type", got, _JSON)])
        if encoding != "identity":
            raise MediaTypeError(message, [Detail("Content-Encoding", encoding, _PLAIN)])
