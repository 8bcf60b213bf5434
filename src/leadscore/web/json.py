"""Reads and writes JSON that means the same to everyone: no NaN, no key twice, UTF-8."""

from __future__ import annotations

import json
import re
import sys
from decimal import Decimal
from typing import Any

from flask import Request
from flask.json.provider import JSONProvider
from pydantic_core import from_json

from leadscore.errors import Detail
from leadscore.text import Text, room_words, shown
from leadscore.validation import NOTHING, json_path
from leadscore.web.errors import REFUSALS, BadJsonError, MediaTypeError, invalid

WORDS = room_words("web")

_MOST_KEYS = 200
"""Keys of one object; a firm has some sixty, and each that nobody knows costs an error."""
_SNIPPET = 30
_SHAPE: dict[str, Any] = {"ensure_ascii": False, "separators": (",", ":"), "allow_nan": False}
_COMPACT = json.JSONEncoder(**_SHAPE)
_LARGEST = sys.float_info.max

_NOT_JSON = WORDS["json.not_json"]
_NUMBER = WORDS["json.number"]
_FEWER = Text(zh=f"至多 {_MOST_KEYS} 个键", en=f"at most {_MOST_KEYS} keys")
_ESCAPE = WORDS["json.escape"]
_AT = re.compile(r"(?P<fault>.*) at line (?P<line>\d+) column (?P<column>\d+)")
# As `from_json` begins to say what is wrong.
_WANTED = {
    "expected value": WORDS["json.value"],
    "EOF while parsing a value": WORDS["json.value"],
    "EOF while parsing a string": WORDS["json.wanted_eof_while_parsing_a_string"],
    "EOF": WORDS["json.wanted_eof"],
    "key must be a string": WORDS["json.wanted_key_must_be_a_string"],
    "expected `:`": WORDS["json.wanted_expected"],
    "expected `,`": WORDS["json.wanted_eof"],
    "trailing comma": WORDS["json.wanted_trailing_comma"],
    "trailing characters": WORDS["json.wanted_trailing_characters"],
    "control character": WORDS["json.wanted_control_character"],
    "invalid escape": _ESCAPE,
    "unexpected end of hex escape": _ESCAPE,
    "lone": _ESCAPE,
    "invalid number": _NUMBER,
    "number out of range": _NUMBER,
    "recursion limit": WORDS["json.wanted_recursion_limit"],
}


class StrictJSON(JSONProvider):
    """What Flask writes and reads JSON with: compact, Chinese as it is, never NaN."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Return JSON; ValueError if a NaN or an infinity got as far as here."""
        return json.dumps(obj, **_SHAPE | kwargs) if kwargs else _COMPACT.encode(obj)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:  # noqa: ARG002 (Flask's signature)
        """Return the value of a JSON text; see `parse_json`."""
        return parse_json(s.encode() if isinstance(s, str) else s)


class StrictRequest(Request):
    """A request whose JSON body is an object in UTF-8, or an error that names the place."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:  # noqa: ARG002
        """Return the body, or raise that it isn't declared as JSON, isn't JSON, or isn't an object.

        Whatever ``silent`` says: a framework that asks silently would say that the body is missing.
        """
        self._check_media_type()
        value = parse_json(self.get_data(cache=cache))
        if not isinstance(value, dict):
            raise invalid("$", json_kind(value), WORDS["json.object"])
        return value

    def _check_media_type(self) -> None:
        charset = self.mimetype_params.get("charset", "utf-8").lower()
        encoding = self.headers.get("Content-Encoding", "identity")
        if self.mimetype != "application/json" or charset not in {"utf-8", "utf8"}:
            got = self.headers.get("Content-Type", "∅")
            place = Detail("Content-Type", got, WORDS["json.json"])
        elif encoding != "identity":
            place = Detail("Content-Encoding", encoding, WORDS["json.plain"])
        else:
            return
        raise MediaTypeError(REFUSALS[415][1], [place])


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON text; a byte order mark is passed over, as RFC 8259 allows.

    Raises BadJsonError with the place (line and column, or a path) for anything that is not JSON in
    UTF-8, for NaN, infinities and numbers beyond the range of a double, for half a surrogate pair,
    for a key that stands twice in an object, for objects of more than 200 keys, and deep nesting.

    >>> parse_json(b'{"firms": []}')
    {'firms': []}
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as fault:
        raise BadJsonError(_NOT_JSON, [_syntax(body, str(fault))]) from None
    if not _sound(value, body) and (oddity := _oddity(body)):
        raise BadJsonError(_NOT_JSON, [oddity])
    return value


def _syntax(body: bytes, message: str) -> Detail:
    """Return what `from_json` says, which counts bytes, with the place in characters."""
    try:
        lines = body.decode().split("\n")
    except UnicodeDecodeError as fault:
        return Detail(f"byte {fault.start + 1}", f"0x{body[fault.start]:02x}", WORDS["json.utf8"])
    match = _AT.fullmatch(message)
    if match is None:
        return Detail("$", shown(message), _NOT_JSON)
    line, column = int(match["line"]), int(match["column"]) - (match["fault"][:3] != "EOF")
    text = lines[line - 1]
    before = len(text.encode()[:column].decode(errors="ignore"))
    wanted = (words for start, words in _WANTED.items() if match["fault"].startswith(start))
    got = text[before : before + _SNIPPET] or NOTHING
    return Detail(f"line {line}, column {before + 1}", got, next(wanted, _NOT_JSON))


def _sound(value: Any, body: bytes) -> bool:
    """Tell quickly whether nothing is odd in a value; False only sends it to `_oddity`.

    A key that stands twice is once in the value. So the text then has more colons than the value,
    which has one for each key and those within its texts, unless some are written as escapes.
    """
    colons, texts, stack = 0, [], [value]
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind is str:
            texts.append(item)
        elif kind is dict:
            if len(item) > _MOST_KEYS:
                return False
            colons += len(item)
            texts += item
            stack += item.values()
        elif kind is list:
            stack += item
        elif kind in (int, float) and not -_LARGEST <= item <= _LARGEST:
            return False
    return b"\\u003" not in body and colons + "".join(texts).count(":") == body.count(b":")


class _Pairs(list[tuple[str, Any]]):
    """An object whose keys may stand twice."""


def _oddity(body: bytes) -> Detail | None:
    """Return the first key that stands twice, object of too many keys, or number too large."""
    whole = json.loads(body.decode(), object_pairs_hook=_Pairs, parse_float=Decimal)
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(whole, ())]
    while stack:
        value, path = stack.pop()
        if isinstance(value, _Pairs):
            if len(value) > _MOST_KEYS:
                return Detail(json_path(path), str(len(value)), _FEWER)
            seen = set()
            for key, inner in value:
                if key in seen:
                    return Detail(json_path((*path, key)), key, WORDS["json.once"])
                seen.add(key)
                stack.append((inner, (*path, key)))
        elif isinstance(value, list):
            stack += [(inner, (*path, at)) for at, inner in enumerate(value)]
        elif isinstance(value, int | Decimal) and not -_LARGEST <= value <= _LARGEST:
            return Detail(json_path(path), shown(value, _SNIPPET), _NUMBER)
    return None


def json_kind(value: object) -> str:
    """Return what a value is called in JSON; short values stand for themselves.

    >>> json_kind({"a": 1}), json_kind([1, 2]), json_kind(None), json_kind(True), json_kind(1.5)
    ('{…}', '[…]', 'null', 'true', '1.5')
    """
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    if isinstance(value, list):
        return "[…]" if value else "[]"
    return shown(value if isinstance(value, str) else json.dumps(value))
