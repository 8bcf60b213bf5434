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

MISTAKES = Text(zh="请求有{count}处错误", en="the request has {count} mistake(s)")
"""How an answer to a request with mistakes begins."""

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


def invalid_request(error: ValidationError) -> InvalidRequestError:
    """Return the error to answer with: each wrong place once, whatever it failed to be."""
    places: dict[tuple[int | str, ...], Any] = {}
    for mistake in error.errors(include_url=False, include_context=False):
        places.setdefault(mistake["loc"][:3], mistake)
    details = [
        Detail(json_path(place), *_words(mistake))
        for place, mistake in islice(places.items(), SHOWN_DETAILS)
    ]
    return InvalidRequestError(MISTAKES.format(count=len(places)), details)


def json_path(steps: tuple[int | str, ...]) -> str:
    """Return a path as it is written in JSON tools.

    >>> json_path(("firms", 0, "name"))
    'firms[0].name'
    """
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return written.removeprefix(".") or "$"


def _words(mistake: Any) -> tuple[str, Text]:
    """Return what stands at a wrong place, and what is wanted there."""
    kind, loc = mistake["type"], mistake["loc"]
    got = "∅" if kind == "missing" else json_kind(mistake["input"])
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
