"""Opens a city profile and reports every mistake in it at once."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from leadscore.city.checks import spanning_mistakes
from leadscore.city.profile import City
from leadscore.city.wording import details, show
from leadscore.errors import CityError, Detail
from leadscore.language import Text

_AT = re.compile(r"(?P<reason>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)")
_INVALID = Text(
    zh="城市画像 {source} 有 {count} 处错误，请改正后重试：",
    en="the city profile {source} has {count} mistake(s); correct them and try again:",
)
_NO_TOML = Text(
    zh="城市画像 {source} 不是正确的 TOML 文件{place}：{reason}。",
    en="the city profile {source} is not valid TOML{place}: {reason}.",
)
_AT_END = Text(zh="（文件末尾）", en=" at its end")
_AT_LINE = Text(
    zh="（第 {line} 行第 {column} 列，该行为 {shown}）",
    en=" in line {line}, column {column}, which reads {shown}",
)
_NO_FILE = Text(
    zh="找不到城市画像 {source}，请检查路径。",
    en="there is no city profile at {source}; check the path.",
)
_FOLDER = Text(
    zh="{source} 是文件夹，请给出其中的 TOML 文件。",
    en="{source} is a folder; name the TOML file in it.",
)
_UNREADABLE = Text(
    zh="无法读取城市画像 {source}：{reason}。", en="can't read the city profile {source}: {reason}."
)
_NO_UTF8 = Text(
    zh="城市画像 {source} 第 {line} 行不是 UTF-8 编码，请另存为 UTF-8。",
    en="the city profile {source} is not UTF-8 in line {line}; save it as UTF-8.",
)
_TOO_DEEP = Text(
    zh="城市画像 {source} 的括号嵌套过深。", en="the city profile {source} nests brackets too deep."
)


def load_city(path: Path) -> City:
    """Read a city profile from a TOML file.

    Parameters
    ----------
    path
        A TOML file in UTF-8, with or without byte-order mark.

    Returns
    -------
    City
        The checked, frozen profile.

    Raises
    ------
    CityError
        If the file can't be opened or read as TOML, or with **all** its mistakes as details:
        the key (``chain[mobile].segment[screen].supply``), what stands there, what is allowed.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise CityError(_NO_FILE.format(source=path)) from None
    except IsADirectoryError:
        raise CityError(_FOLDER.format(source=path)) from None
    except (OSError, ValueError) as fault:
        # Windows says "permission denied" of a folder; a NUL in a path is a ValueError.
        if isinstance(fault, OSError) and path.is_dir():
            raise CityError(_FOLDER.format(source=path)) from None
        reason = getattr(fault, "strerror", None) or str(fault)
        raise CityError(_UNREADABLE.format(source=path, reason=reason)) from fault
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        raise CityError(_NO_UTF8.format(source=path, line=line)) from None
    return parse_city(text, source=path.name)


def parse_city(text: str, *, source: str = "profile") -> City:
    """Read a city profile from TOML text; ``source`` is what errors call it.

    Raises
    ------
    CityError
        As `load_city`.
    """
    document = _document(text, source)
    mistakes: list[Detail] = []
    city = None
    try:
        city = City.model_validate(document)
    except ValidationError as fault:
        mistakes += details(fault.errors(include_url=False), document)
    mistakes += spanning_mistakes(document)
    if city is None or mistakes:
        raise CityError(_INVALID.format(source=source, count=len(mistakes)), mistakes)
    return city


def _document(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise CityError(_toml_fault(str(fault), text, source)) from None
    except RecursionError:
        raise CityError(_TOO_DEEP.format(source=source)) from None


def _toml_fault(message: str, text: str, source: str) -> Text:
    """Put the place of a syntax error, which tomllib gives in words, into both languages."""
    found = _AT.fullmatch(message)
    if found is None:
        reason = message.removesuffix(" (at end of document)")
        place = Text(zh="", en="") if reason == message else _AT_END
        return _NO_TOML.format(source=source, place=place, reason=reason)
    line, column = int(found["line"]), int(found["column"])
    shown = show(text.split("\n")[line - 1].strip())
    place = _AT_LINE.format(line=line, column=column, shown=shown)
    return _NO_TOML.format(source=source, place=place, reason=found["reason"])
