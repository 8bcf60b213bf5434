"""Puts what pydantic found wrong with a request into words, whatever the request is about."""

from __future__ import annotations

from itertools import islice
from typing import Any

from pydantic import ValidationError

from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.web.errors import SHOWN_DETAILS, InvalidRequestError
from leadscore.web.mistakes import MISTAKES, json_path
from leadscore.web.strict_json import json_kind

_SECRET = frozenset({"password", "token"})
"""Fields whose values are never repeated."""

_WANTED = {
    "missing": Text(zh="必填", en="a value: it must be given"),
    "extra_forbidden": Text(
        zh="没有此字段；可用字段见 /openapi/", en="no such field; /openapi/ lists them"
    ),
    "string_type": Text(zh="文字", en="a string"),
    "string_too_short": Text(zh="至少 {min_length} 个字符", en="at least {min_length} characters"),
    "string_too_long": Text(zh="至多 {max_length} 个字符", en="at most {max_length} characters"),
    "string_pattern_mismatch": Text(zh="符合 {pattern} 的文字", en="text that matches {pattern}"),
    "string_unicode": Text(zh="没有半个代理对的文字", en="text without half a surrogate pair"),
    "int_type": Text(zh="整数", en="a whole number"),
    "int_parsing": Text(zh="整数", en="a whole number"),
    "bool_type": Text(zh="true 或 false", en="true or false"),
    "greater_than_equal": Text(zh="不小于 {ge}", en="at least {ge}"),
    "less_than_equal": Text(zh="不大于 {le}", en="at most {le}"),
    "literal_error": Text(zh="{expected} 之一", en="one of {expected}"),
    "timezone_aware": Text(
        zh="带时区的时刻，如 2026-11-24T08:30:00Z",
        en="a moment with its zone, such as 2026-11-24T08:30:00Z",
    ),
}
_WANTED["datetime_from_date_parsing"] = _WANTED["datetime_parsing"] = _WANTED["timezone_aware"]
_OTHER = Text(zh="/openapi/ 所写的内容", en="what /openapi/ says")


def plain_mistakes(error: ValidationError) -> InvalidRequestError:
    """Return the error to answer with: each wrong place once, and what is wanted there."""
    places: dict[tuple[int | str, ...], Any] = {}
    for mistake in error.errors(include_url=False):
        places.setdefault(mistake["loc"], mistake)
    details = [_detail(mistake) for mistake in islice(places.values(), SHOWN_DETAILS)]
    return InvalidRequestError(MISTAKES.format(count=len(places)), details)


def _detail(mistake: Any) -> Detail:
    kind, where = mistake["type"], mistake["loc"]
    shape = _WANTED.get(kind, _OTHER)
    places = {name: _without_quotes(value) for name, value in mistake.get("ctx", {}).items()}
    return Detail(json_path(where), _got(mistake), shape.format(**places))


def _got(mistake: Any) -> str:
    if mistake["type"] == "missing":
        return "∅"
    return "…" if _SECRET.intersection(mistake["loc"]) else json_kind(mistake["input"])


def _without_quotes(value: object) -> str:
    return str(value).replace("'", "").replace(" or ", ", ")
