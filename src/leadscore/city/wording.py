"""Words each mistake in a profile for its editor: the key, what stands there, what is allowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from leadscore.city.profile import City
from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.textwidth import cut

Step = str | int
NOTHING: Final = "—"
_SHOWN: Final = 60
_LISTED: Final = 12
# Steps that pydantic adds to a path and no file has: which shape of points, "the key itself".
_INNER: Final = frozenset({"NumericPoints", "LevelPoints", "[key]"})

_WANTED: Final[dict[str, Text]] = {
    "missing": Text(zh="必填，不能缺少", en="a value: this key is required"),
    "string_type": Text(zh='加引号的文字，如 "…"', en='text in quotes, "…"'),
    "string_too_short": Text(zh="不为空的文字", en="text that is not empty"),
    "string_too_long": Text(zh="不超过 {max_length} 个字", en="at most {max_length} characters"),
    "string_pattern_mismatch": Text(zh="符合 {pattern} 的写法", en="text of the form {pattern}"),
    "float_type": Text(zh="不加引号的数", en="a number, without quotes"),
    "int_type": Text(zh="不加引号的整数", en="a whole number, without quotes"),
    "finite_number": Text(zh="有限的数", en="a finite number"),
    "greater_than": Text(zh="大于 {gt} 的数", en="a number above {gt}"),
    "greater_than_equal": Text(zh="不小于 {ge} 的数", en="a number of at least {ge}"),
    "less_than": Text(zh="小于 {lt} 的数", en="a number below {lt}"),
    "less_than_equal": Text(zh="不大于 {le} 的数", en="a number of at most {le}"),
    "bool_type": Text(zh="true 或 false", en="true or false"),
    "literal_error": Text(zh="其中之一：{expected}", en="one of {expected}"),
    "tuple_type": Text(zh="方括号里的列表 […]", en="a list in brackets […]"),
    "too_short": Text(zh="至少 {min_length} 项", en="at least {min_length} of them"),
    "dict_type": Text(zh="一个表 {{…}}", en="a table {{…}}"),
    "model_type": Text(zh="一个表 {{…}}", en="a table {{…}}"),
    "model_attributes_type": Text(zh="一个表 {{…}}", en="a table {{…}}"),
}
_FORMS: Final[dict[str, Text]] = {
    r"^[a-z][a-z0-9_]*$": Text(
        zh="小写英文字母开头的标识，只含小写字母、数字与 _",
        en="an id of lower-case letters, digits and _, a letter first",
    ),
    r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$": Text(
        zh="“产业链.环节”形式的标识，如 chain.segment", en="an id of the form chain.segment"
    ),
    r"^\d{2}(\d{2}|90\d{2})?$": Text(
        zh="2、4 或 6 位行政区划代码，加引号", en="a division code of 2, 4 or 6 digits, in quotes"
    ),
}


def details(errors: Iterable[ErrorDetails], document: dict[str, Any]) -> list[Detail]:
    """Return what pydantic found as details with friendly keys, one for each place and wish."""
    listed = list(errors)
    found: dict[tuple[str, Text], Detail] = {}
    for error in listed:
        if error["type"] == "too_short" and _has_worse_below(error, listed):
            continue
        path = [step for step in error["loc"] if step not in _INNER]
        where = key_path(document, path)
        wanted = _unknown_key(path) if error["type"] == "extra_forbidden" else _wanted(error)
        got = NOTHING if error["type"] == "missing" else show(error["input"])
        found.setdefault((where, wanted), Detail(where=where, got=got, wanted=wanted))
    return list(found.values())


def _has_worse_below(error: ErrorDetails, errors: Iterable[ErrorDetails]) -> bool:
    """Tell whether a list is "too short" only because pydantic left out the items it refused."""
    here = error["loc"]
    deeper = (other["loc"] for other in errors if len(other["loc"]) > len(here))
    return any(loc[: len(here)] == here for loc in deeper)


def show(value: object) -> str:
    """Return ``value`` as the file writes it, near enough, cut to a readable length."""
    return cut(json.dumps(value, ensure_ascii=False, default=str), _SHOWN)


def key_path(document: dict[str, Any], path: Sequence[Step]) -> str:
    """Return a path of keys and list positions with ids in the place of positions.

    >>> document = {"chain": [{"id": "mobile", "segment": [{"id": "screen"}, {}]}]}
    >>> key_path(document, ["chain", 0, "segment", 0, "supply"])
    'chain[mobile].segment[screen].supply'
    >>> key_path(document, ["chain", 0, "segment", 1, "id"])
    'chain[mobile].segment[#2].id'
    """
    words: list[str] = []
    here: Any = document
    for step in path:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(step, int):
            words[-1:] = [f"{words[-1] if words else ''}[{_handle(here, step)}]"]
        else:
            words.append(step)
    return ".".join(words)


def _handle(item: object, position: int) -> str:
    """Return what a person calls an item of a list: its id, its name, or else its number."""
    if isinstance(item, dict):
        name = item.get("name")
        calls = (
            item.get("id"),
            name.get("zh") if isinstance(name, dict) else name,
            item.get("segment"),
        )
        for call in calls:
            if isinstance(call, str) and call.strip() and call.isprintable():
                return call.strip()
    return f"#{position + 1}"


def nearest(word: str, allowed: Collection[str]) -> str | None:
    """Return the allowed word that was probably meant, if one is near enough.

    >>> nearest("suply", ["supply", "feeds"]), nearest("odm", ["led.chip", "mobile.odm"])
    ('supply', 'mobile.odm')
    """
    ends = [full for full in allowed if full.endswith(f".{word}")]
    return next(iter(ends or difflib.get_close_matches(word, allowed, n=1)), None)


def one_of(word: str, allowed: Collection[str], what: Text) -> Text:
    """Return what is allowed and what was probably meant; a long list only if nothing is near."""
    guess = nearest(word, allowed)
    zh, en = what.zh, what.en
    if guess:
        zh, en = f"{zh}，是否想写 {guess}？", f"{en}, did you mean {guess}?"
    if not guess or len(allowed) <= _LISTED:
        names = ", ".join(allowed)
        zh, en = f"{zh}（可用：{names}）", f"{en} (allowed: {names})"
    return Text(zh=zh, en=en)


def _wanted(error: ErrorDetails) -> Text:
    context = error.get("ctx", {})
    if error["type"] == "profile":
        return Text(zh=context["zh"], en=context["en"])
    form = _FORMS.get(str(context.get("pattern")))
    known = _WANTED.get(error["type"])
    if known is None:
        return Text(zh=error["msg"], en=error["msg"])
    return form or known.format(**{name: _plain(value) for name, value in context.items()})


def _plain(value: object) -> object:
    return f"{value:g}" if isinstance(value, float) else value


def _unknown_key(path: Sequence[Step]) -> Text:
    allowed = _keys_at(path[:-1])
    return one_of(str(path[-1]), allowed, Text(zh="画像中已有的项", en="a known key"))


def _keys_at(path: Sequence[Step]) -> list[str]:
    """Return the keys that the profile knows at a place, by walking its models."""
    models: list[type] = [City]
    for step in path:
        kinds = [
            field.annotation
            for model in models
            if issubclass(model, BaseModel)
            for name, field in model.model_fields.items()
            if step == (field.alias or name)
        ]
        if kinds:
            models = [model for kind in kinds for model in _models_in(kind)]
    return list(dict.fromkeys(key for model in models for key in _keys_of(model)))


def _models_in(annotation: Any) -> list[type]:
    if isinstance(annotation, type) and (issubclass(annotation, BaseModel) or annotation is Text):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]


def _keys_of(model: type) -> list[str]:
    if issubclass(model, BaseModel):
        keys = (field.alias or name for name, field in model.model_fields.items())
        return [key for key in keys if " " not in key]
    return ["zh", "en"]
