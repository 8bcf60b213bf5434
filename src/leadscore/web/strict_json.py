"""JSON that means the same to everyone: no NaN, no key twice, no number beyond a double, UTF-8."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from leadscore.errors import Detail
from leadscore.lists.problems import shown
from leadscore.text import Text, room_words
from leadscore.web.errors import BadJsonError

WORDS = room_words("web")


_LONGEST_INTEGER = 300
"""Digits; no larger integer fits into a double (1.8e308)."""
_MOST_KEYS = 200
"""Keys of one object; a firm has some sixty, and each that nobody knows costs an error."""
_SNIPPET = 30

_FEWER = Text(zh=f"至多 {_MOST_KEYS} 个键", en=f"at most {_MOST_KEYS} keys")

_WANTED = {
    "Expecting value": WORDS["strict_json.wanted_expecting_value"],
    "Expecting property name": WORDS["strict_json.wanted_expecting_property_name"],
    "Expecting ':' delimiter": WORDS["strict_json.wanted_expecting_delimiter"],
    "Expecting ',' delimiter": WORDS["strict_json.wanted_expecting_delimiter_2"],
    "Extra data": WORDS["strict_json.wanted_extra_data"],
    "Unterminated string": WORDS["strict_json.wanted_unterminated_string"],
    "Invalid control character": WORDS["strict_json.wanted_invalid_control_character"],
    "Invalid \\escape": WORDS["strict_json.wanted_invalid_escape"],
    "Invalid \\uXXXX escape": WORDS["strict_json.wanted_invalid_u_xxxx_escape"],
    "Illegal trailing comma": WORDS["strict_json.wanted_illegal_trailing_comma"],
}
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:NaN|Infinity)|-?\d[\d.eE+-]*', re.DOTALL)


class _RefusedError(Exception):
    """Raised by the hooks below, which don't know where in the text they are."""


class _OddNumberError(_RefusedError):
    pass


class _OddObjectError(_RefusedError):
    pass


def _refuse_number(literal: str) -> NoReturn:
    raise _OddNumberError(literal)


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_INTEGER:
        _refuse_number(digits)
    return int(digits)


def _fraction(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        _refuse_number(digits)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if not len(found) == len(pairs) <= _MOST_KEYS:
        raise _OddObjectError
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_fraction,
    parse_constant=_refuse_number,
)


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON text.

    A byte order mark is passed over, as RFC 8259 allows.

    Raises
    ------
    BadJsonError
        With the place (line and column, or the path of a key that stands twice), for anything that
        is not JSON in UTF-8, for NaN, infinities and numbers beyond the range of a double, for
        nesting that is too deep to follow, and for objects of more than 200 keys.

    >>> parse_json(b'{"firms": []}')
    {'firms': []}
    """
    try:
        text = body.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as fault:
        byte = f"0x{body[fault.start]:02x}"
        raise _bad(f"byte {fault.start + 1}", byte, WORDS["strict_json.utf8"]) from None
    try:
        return _parsed(text)
    except json.JSONDecodeError as fault:
        wanted = (words for start, words in _WANTED.items() if fault.msg.startswith(start))
        snippet = text[fault.pos : fault.pos + _SNIPPET] or "∅"
        raise _bad(
            _place(text, fault.pos), snippet, next(wanted, WORDS["strict_json.not_json"])
        ) from None
    except _OddNumberError as fault:
        literal = str(fault)
        raise _bad(
            _place(text, _find(text, literal)),
            shown(literal, _SNIPPET),
            WORDS["strict_json.number"],
        ) from None
    except RecursionError:
        raise _bad("$", "[[[…", WORDS["strict_json.shallow"]) from None


def _parsed(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except _OddObjectError:
        raise _bad(*_odd_object(text)) from None


def _bad(where: str, got: str, wanted: Text) -> BadJsonError:
    return BadJsonError(WORDS["strict_json.not_json"], [Detail(where, got, wanted)])


def _place(text: str, position: int) -> str:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return f"line {line}, column {column}"


def _find(text: str, literal: str) -> int:
    tokens = _TOKEN.finditer(text)
    return next((token.start() for token in tokens if token.group() == literal), 0)


class _Pairs(list[tuple[str, Any]]):
    """An object whose keys may stand twice."""


def _odd_object(text: str) -> tuple[str, str, Text]:
    """Find the object at which the decoder stopped: where, what stands there, what is wanted."""
    whole = json.loads(text, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    waiting: list[tuple[Any, tuple[Any, ...]]] = [(whole, ())]
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, _Pairs) and len(value) > _MOST_KEYS:
            return _written(path), str(len(value)), _FEWER
        seen = set()
        for step, inner in _steps(value):
            here = (path, step)
            if step in seen:
                return _written(here), str(step), WORDS["strict_json.once"]
            seen.add(step)
            waiting.append((inner, here))
    raise AssertionError  # both decoders read the same text


def _steps(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, _Pairs):
        yield from value
    elif isinstance(value, list):
        yield from enumerate(value)


def _written(path: tuple[Any, ...]) -> str:
    steps: list[str] = []
    while path:
        path, step = path
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step}")
    return "".join(reversed(steps)).removeprefix(".") or "$"


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
