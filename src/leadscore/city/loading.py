"""Opens a city profile and reports every mistake in it at once."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from leadscore.city.graph import rings
from leadscore.city.profile import City
from leadscore.city.wording import Step, details, key_path, one_of, show
from leadscore.errors import CityError, Detail
from leadscore.language import Text

Document = dict[str, Any]
Item = tuple[tuple[Step, ...], dict[str, Any]]
_WITH_ID: Final = ("place", "target_region", "event", "sought")

_UNIQUE: Final = Text(zh="不与第 {first} 个重复", en="no repeat of number {first}")
_NO_SEGMENT: Final = Text(zh="本画像中的环节", en="a segment of this profile")
_NO_RING: Final = Text(
    zh="不成环的供货关系；此处成环：{ring}", en="a graph without rings; this is one: {ring}"
)
_ONCE: Final = Text(
    zh="每个词只出现一次；它已在 {list} 中", en="each word once; it is in {list} already"
)
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
    mistakes += _spanning_mistakes(document)
    if city is None or mistakes:
        raise CityError(_INVALID.format(source=source, count=len(mistakes)), mistakes)
    return city


def _document(text: str, source: str) -> Document:
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


def _spanning_mistakes(document: Document) -> list[Detail]:
    """Return the mistakes that span several tables, even while others are still in it.

    The raw document is read, so a wrong type in one place never hides a ring in another; what is
    not of the shape that a check needs is passed over, since the models report it.
    """
    return [
        *_repeats(document),
        *_dangling(document),
        *_rings(document),
        *_contradicting_words(document),
    ]


def _items(parent: Document, key: str, path: tuple[Step, ...] = ()) -> Iterator[Item]:
    """Yield the tables of an array of tables with their paths."""
    found = parent.get(key)
    for position, item in enumerate(found if isinstance(found, list) else []):
        if isinstance(item, dict):
            yield (*path, key, position), item


def _segments(document: Document) -> Iterator[tuple[str, Item]]:
    """Yield the segments with their full ids."""
    for path, chain in _items(document, "chain"):
        for place, segment in _items(chain, "segment", path):
            if isinstance(chain.get("id"), str) and isinstance(segment.get("id"), str):
                yield f"{chain['id']}.{segment['id']}", (place, segment)


def _texts(item: dict[str, Any], key: str) -> Iterator[tuple[int, str]]:
    found = item.get(key)
    for position, text in enumerate(found if isinstance(found, list) else []):
        if isinstance(text, str):
            yield position, text


def _repeats(document: Document) -> Iterator[Detail]:
    """Yield ids, names and deliveries that occur twice among their own kind."""
    groups = [
        *(("id", _items(document, kind)) for kind in ("chain", *_WITH_ID)),
        *(("id", _items(chain, "segment", path)) for path, chain in _items(document, "chain")),
        *(("name", _items(document, kind)) for kind in ("anchor", "neighbour")),
        *(
            ("segment", _items(neighbour, "delivers", path))
            for path, neighbour in _items(document, "neighbour")
        ),
    ]
    for key, items in groups:
        seen: dict[str, int] = {}
        for path, item in items:
            name = item.get(key)
            call = name.get("zh") if isinstance(name, dict) else name
            if not isinstance(call, str):
                continue
            first = seen.setdefault(call, int(path[-1]) + 1)
            if first != int(path[-1]) + 1:
                where = f"{key_path(document, path[:-1])}[#{int(path[-1]) + 1}].{key}"
                yield Detail(where, show(call), _UNIQUE.format(first=first))


def _dangling(document: Document) -> Iterator[Detail]:
    """Yield references to segments that the profile does not have."""
    known = [full for full, _ in _segments(document)]
    lists = [("feeds", item) for _, item in _segments(document)]
    for kind in ("anchor", "place", "sought"):
        lists += [("segments", item) for item in _items(document, kind)]
    for key, (path, item) in lists:
        for position, text in _texts(item, key):
            if text not in known:
                where = key_path(document, (*path, key, position))
                yield Detail(where, show(text), one_of(text, known, _NO_SEGMENT))
    for path, neighbour in _items(document, "neighbour"):
        for place, delivery in _items(neighbour, "delivers", path):
            named = delivery.get("segment")
            if isinstance(named, str) and named not in known:
                where = key_path(document, (*place, "segment"))
                yield Detail(where, show(named), one_of(named, known, _NO_SEGMENT))


def _rings(document: Document) -> Iterator[Detail]:
    """Yield the rings among the segments, named from the segment they were met at."""
    places = dict(_segments(document))
    edges = {
        full: [text for _, text in _texts(segment, "feeds")]
        for full, (_, segment) in places.items()
    }
    for ring in rings(edges):
        last = ring[-2]
        where = key_path(document, (*places[last][0], "feeds"))
        yield Detail(where, show(ring[-1]), _NO_RING.format(ring=" → ".join(ring)))


def _contradicting_words(document: Document) -> Iterator[Detail]:
    """Yield words that a segment lists twice, be it in one list or in two.

    Two segments may share a word: a text with it then speaks of both.
    """
    for _, (path, segment) in _segments(document):
        home: dict[str, str] = {}
        for key in ("makes", "hints", "excludes"):
            for position, text in _texts(segment, key):
                plain = unicodedata.normalize("NFKC", text).casefold().strip()
                if plain in home:
                    where = key_path(document, (*path, key, position))
                    yield Detail(where, show(text), _ONCE.format(list=home[plain]))
                home.setdefault(plain, key)
