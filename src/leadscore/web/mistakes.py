"""Turns what pydantic found wrong with a request into places and words for its owner."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice
from typing import Any

from pydantic import ValidationError

from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.lists.columns import CANONICAL, recognise
from leadscore.web.errors import SHOWN_DETAILS, InvalidRequestError
from leadscore.web.payloads import MAX_FIRMS, longest, takes_numbers
from leadscore.web.strict_json import json_kind

_KNOWN = {column.name: column for column in CANONICAL}
_LONGEST_NAME = 60
"""Characters of an unknown field that are compared with the known ones."""

_MISTAKES = Text(zh="请求有{count}处错误", en="the request has {count} mistake(s)")

_FIRMS = Text(zh=f"1 至 {MAX_FIRMS} 家企业组成的数组", en=f"an array of 1 to {MAX_FIRMS} firms")
_FIRM = Text(zh="一个企业对象", en="an object that describes a firm")
_NAME = Text(zh="企业名称（文字）", en="the name of the firm, a string")
_WORDS = Text(zh="文字或 null", en="a string or null")
_DATE = Text(zh="日期，如 2011-06-08，或 null", en="a date such as 2011-06-08, or null")
_WORDS_OR_NUMBER = Text(zh="数字、文字或 null", en="a number, a string or null")
_SHORTER = Text(zh="至多 {count} 个字符", en="at most {count} characters")
_UNICODE = Text(zh="没有半个代理对的文字", en="text without half a surrogate pair")
_FIRMS_ONLY = Text(zh="除 firms 外没有其他字段", en="no field beside firms")
_PERHAPS = Text(zh="没有此字段；您是否指 {name}？", en="no such field; did you mean {name}?")
_KNOWN_ONLY = Text(zh="没有此字段；可用字段见 /openapi/", en="no such field; /openapi/ lists them")

_WANTED = {
    "missing": Text(zh="必填", en="a value: it must be given"),
    "extra_forbidden": _KNOWN_ONLY,
    "string_type": Text(zh="文字", en="a string"),
    "string_too_short": Text(zh="至少 {min_length} 个字符", en="at least {min_length} characters"),
    "string_too_long": Text(zh="至多 {max_length} 个字符", en="at most {max_length} characters"),
    "string_pattern_mismatch": Text(zh="符合 {pattern} 的文字", en="text that matches {pattern}"),
    "string_unicode": _UNICODE,
    "int_type": Text(zh="整数", en="a whole number"),
    "int_parsing": Text(zh="整数", en="a whole number"),
    "bool_type": Text(zh="true 或 false", en="true or false"),
    "greater_than_equal": Text(zh="不小于 {ge}", en="at least {ge}"),
    "less_than_equal": Text(zh="不大于 {le}", en="at most {le}"),
    "literal_error": Text(zh="{expected} 之一", en="one of {expected}"),
}
_OTHER = Text(zh="/openapi/ 所写的内容", en="what /openapi/ says")


def invalid_firms(error: ValidationError) -> InvalidRequestError:
    """Return the error for firms to score: each wrong place once, in the words of its column."""
    places: dict[tuple[int | str, ...], Any] = {}
    for mistake in error.errors(include_url=False, include_context=False):
        places.setdefault(mistake["loc"][:3], mistake)
    details = [
        Detail(_json_path(place), *_words(mistake))
        for place, mistake in islice(places.items(), SHOWN_DETAILS)
    ]
    return InvalidRequestError(_MISTAKES.format(count=len(places)), details)


def _json_path(steps: tuple[int | str, ...]) -> str:
    """Return a path as it is written in JSON tools.

    >>> _json_path(("firms", 0, "name"))
    'firms[0].name'
    """
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return written.removeprefix(".") or "$"


def _words(mistake: Any) -> tuple[str, Text]:
    """Return what stands at a wrong place, and what is wanted there."""
    kind, loc = mistake["type"], mistake["loc"]
    got = _got(mistake)
    if kind == "extra_forbidden":
        return json_kind(loc[-1]), _meant(str(loc[-1])) if len(loc) > 1 else _FIRMS_ONLY
    if kind == "string_unicode":
        return got, _UNICODE
    if len(loc) <= 1:
        return (str(len(mistake["input"])) if kind == "too_long" else got), _FIRMS
    if len(loc) == 2:
        return got, _FIRM
    column = _KNOWN[loc[2]]
    if kind == "string_too_long":
        return got, _SHORTER.format(count=longest(column))
    if column.name == "name":
        return got, _NAME
    if column.kind == "date":
        return got, _DATE
    return got, _WORDS_OR_NUMBER if takes_numbers(column) else _WORDS


def _meant(field: str) -> Text:
    """Suggest the field that an unknown one may be meant for; its value is never repeated."""
    column = recognise(field[:_LONGEST_NAME])
    if column is not None and column.name in _KNOWN:
        return _PERHAPS.format(name=column.name)
    close = get_close_matches(field[:_LONGEST_NAME], _KNOWN, n=1)
    return _PERHAPS.format(name=close[0]) if close else _KNOWN_ONLY


def plain_mistakes(error: ValidationError) -> InvalidRequestError:
    """Return the error for any other request: each wrong place once, and what is wanted there."""
    places: dict[tuple[int | str, ...], Any] = {}
    for mistake in error.errors(include_url=False):
        places.setdefault(mistake["loc"], mistake)
    details = [_detail(mistake) for mistake in islice(places.values(), SHOWN_DETAILS)]
    return InvalidRequestError(_MISTAKES.format(count=len(places)), details)


def _detail(mistake: Any) -> Detail:
    kind, where = mistake["type"], mistake["loc"]
    shape = _WANTED.get(kind, _OTHER)
    places = {name: _without_quotes(value) for name, value in mistake.get("ctx", {}).items()}
    return Detail(_json_path(where), _got(mistake), shape.format(**places))


def _without_quotes(value: object) -> str:
    return str(value).replace("'", "").replace(" or ", ", ")


def _got(mistake: Any) -> str:
    return "∅" if mistake["type"] == "missing" else json_kind(mistake["input"])
