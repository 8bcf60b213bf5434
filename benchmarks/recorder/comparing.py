"""Compares two records value by value, and gathers the differences of one kind."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import Any

TOLERANT = frozenset({"likelihood", "priority"})
"""Columns whose numbers may be `TOLERANCE` apart; everything else is compared exactly."""
TOLERANCE = 1e-12

ABSENT = "(absent)"
"""What is said of a value that only the other record has."""

ROW = "(row)"
"""The column of a difference that is about a whole row."""

_A_ROW = "(a row)"
_KEYS = ("feature", "code", "column", "segment", "id", "version", "name", "where")
_SPEAKING = frozenset({"feature", "code", "column"})
"""Keys of entries that tell kinds apart; the others only tell entries apart."""
_ANY = "*"
_NAME, _NUMBER = "‹name›", "#"
_NUMBERS = re.compile(r"[-+−]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?", re.IGNORECASE)
_DIGEST = "‹digest›"
_DIGESTS = re.compile(r"(?<![0-9a-zA-Z.])(?=[a-f]*[0-9])[0-9a-f]{8,}(?![0-9a-zA-Z])")
_IDS = re.compile(r"(?<![\w.])[a-z]+\.[a-z_]+(?![\w.])")
"""Ids of segments, such as ``led.chip``."""
_CLAUSES = re.compile(r"; ?|；|\n")
_NAMES_IN_A_ROW = re.compile(f"{_NAME}(?:(?:、|, | and |和|与|;|；){_NAME})+")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a record.

    Attributes
    ----------
    source
        File or address that it is about.
    table
        What it tells of it, such as ``cleaned`` or ``problems``.
    key
        Which row of the table.
    values
        Plain values by column; dictionaries and lists may be nested.
    label
        Name of the firm, for reading.
    """

    source: str
    table: str
    key: str
    values: Mapping[str, Any]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs; ``general`` is its column without what only tells entries apart."""

    part: str
    source: str
    table: str
    row: str
    label: str
    column: str
    general: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Comparison:
    """The differences of one part, and how many rows and values were compared."""

    part: str
    rows: int
    values: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Kind:
    """Differences that are the same but for numbers and names.

    Attributes
    ----------
    table, column
        Where they are.
    before, after
        What they have in common.
    differences
        All of them, in the order of the record.
    """

    table: str
    column: str
    before: str
    after: str
    differences: tuple[Difference, ...]

    @property
    def largest(self) -> float | None:
        """The largest change, if all are changes of numbers."""
        changes = [
            abs(each.after - each.before)
            for each in self.differences
            if _is_number(each.before) and _is_number(each.after)
        ]
        return max(changes) if len(changes) == len(self.differences) else None


def read_record(path: Path) -> list[Row]:
    """Return the rows of a record that `recording.Record` wrote."""
    with path.open(encoding="utf-8") as lines:
        return [Row(**json.loads(line)) for line in lines]


def compare(part: str, before: Iterable[Row], after: Iterable[Row]) -> Comparison:
    """Compare two records of one part.

    Rows of the same source, table and key belong together; a row that only one record has is one
    difference.

    >>> old = [Row("a.csv", "cleaned", "2", {"name": "甲", "staff": 3})]
    >>> new = [Row("a.csv", "cleaned", "2", {"name": "甲", "staff": 4})]
    >>> [(each.column, each.before, each.after) for each in compare("lists", old, new).differences]
    [('staff', 3, 4)]
    """
    known, other = _by_place(before), _by_place(after)
    differences: list[Difference] = []
    values = 0
    for place in dict.fromkeys((*known, *other)):
        old, new = known.get(place), other.get(place)
        if old is None or new is None:
            some = old or new
            assert some is not None  # noqa: S101 (the place is from one of the two)
            pair = (ABSENT, some.values) if old is None else (some.values, ABSENT)
            differences.append(_difference(part, some, (ROW, ROW), *pair))
            continue
        mine, theirs = dict(_leaves(old.values)), dict(_leaves(new.values))
        columns = dict.fromkeys((*mine, *theirs))
        for column in columns:
            a, b = mine.get(column, ABSENT), theirs.get(column, ABSENT)
            values += max(1, len(a) if isinstance(a, list) else 1)
            if not _same(column[1], a, b):
                for x, y in _pieces(a, b):
                    differences.append(_difference(part, new, column, x, y))
    return Comparison(part, len(known.keys() | other.keys()), values, tuple(differences))


def kinds(differences: Iterable[Difference], names: Iterable[str]) -> list[Kind]:
    """Gather differences of one kind, the most frequent first.

    Parameters
    ----------
    differences
        Of one part.
    names
        Names that may stand in texts; numbers and the firm's own name are left out in any case.
    """
    blank = Blanks(names)
    gathered: dict[tuple[str, str, str, str], list[Difference]] = defaultdict(list)
    for each in differences:
        if each.column == ROW:
            shapes = tuple(
                ABSENT if side == ABSENT else _A_ROW for side in (each.before, each.after)
            )
        else:
            shapes = changed_clauses(blank(each.before, each.label), blank(each.after, each.label))
        gathered[(each.table, each.general, *shapes)].append(each)
    found = [Kind(*key, tuple(members)) for key, members in gathered.items()]
    return sorted(found, key=lambda kind: -len(kind.differences))


def changed_clauses(before: str, after: str) -> tuple[str, str]:
    """Leave out the clauses that two texts share; of one text, those that it repeats.

    >>> changed_clauses("fills a gap; is a maker; grows", "fills a gap; makes it; grows")
    ('is a maker', 'makes it')
    """
    if before == after:
        once = "; ".join(dict.fromkeys(_CLAUSES.split(before)))
        return once, once
    one, other = (_CLAUSES.split(text) for text in (before, after))
    changes = [
        (one[a:a_end], other[b:b_end])
        for what, a, a_end, b, b_end in SequenceMatcher(None, one, other).get_opcodes()
        if what != "equal"
    ]
    old, new = (
        " … ".join(filter(None, map("; ".join, side))) for side in zip(*changes, strict=True)
    )
    return (old or ABSENT, new or ABSENT) if changes else (before, after)


class Blanks:
    """Leaves numbers, digests, ids of segments and known names out of a value.

    >>> Blanks(["LED芯片"])("主营业务匹配LED芯片（匹配度 73%）", "")
    '主营业务匹配‹name›（匹配度 #%）'
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._starting: dict[str, list[str]] = defaultdict(list)
        for name in sorted({name for name in names if len(name) > 1}, key=len, reverse=True):
            self._starting[name[:2]].append(name)
        self._blanked = lru_cache(maxsize=200_000)(self._blank)

    def __call__(self, value: Any, label: str) -> str:
        """Return the value as text, without numbers and names."""
        if _is_number(value):
            return _NUMBER
        text = value if isinstance(value, str) else as_text(value)
        if label and label in text:
            text = text.replace(label, _NAME)
        return self._blanked(text)

    def _blank(self, text: str) -> str:
        parts, at = [], 0
        while at < len(text):
            known = self._starting.get(text[at : at + 2], ())
            name = next((name for name in known if text.startswith(name, at)), None)
            parts.append(_NAME if name else text[at])
            at += len(name) if name else 1
        named = _NAMES_IN_A_ROW.sub(_NAME, _IDS.sub(_NAME, "".join(parts)))
        blanked = _DIGESTS.sub(_DIGEST, named)
        return _NUMBERS.sub(_NUMBER, blanked)


def as_text(value: Any) -> str:
    """Return a value as it is shown.

    >>> as_text(0.1), as_text(None), as_text("甲"), as_text({"a": [1]})
    ('0.1', 'null', '甲', '{"a": [1]}')
    """
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


Column = tuple[str, str]
"""Path of a value, and the same without the keys that only tell entries apart."""


def _by_place(rows: Iterable[Row]) -> dict[tuple[str, str, str], Row]:
    found: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        key, again = row.key, 1
        while (row.source, row.table, key) in found:
            again += 1
            key = f"{row.key} ({again})"
        found[row.source, row.table, key] = row
    return found


def _leaves(value: Any, path: Column = ("", "")) -> Iterator[tuple[Column, Any]]:
    """Yield every value that holds no others, with its path; lists of texts are one value."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, _within(path, key, key))
    elif isinstance(value, list) and value and not all(isinstance(each, str) for each in value):
        keys = _keys_of(value)
        if keys is None:
            for place, inner in enumerate(value):
                yield from _leaves(inner, _within(path, str(place), _ANY))
            return
        name, named = keys
        yield _within(path, "order", "order"), named
        for key, inner in zip(named, value, strict=True):
            general = key if name in _SPEAKING else _ANY
            yield from _leaves(inner, _within(path, f"[{key}]", f"[{general}]"))
    else:
        yield path, value


def _within(path: Column, key: str, general: str) -> Column:
    return (f"{path[0]}.{key}".lstrip("."), f"{path[1]}.{general}".lstrip("."))


def _keys_of(entries: Sequence[Any]) -> tuple[str, list[str]] | None:
    """Return what names the entries of a list, if something does: its key, and the names."""
    if not all(isinstance(each, Mapping) for each in entries):
        return None
    for key in _KEYS:
        named = [str(each[key]) for each in entries if key in each]
        if len(named) == len(entries) and len(set(named)) == len(named):
            return key, named
    return None


def _same(general: str, before: Any, after: Any) -> bool:
    if before == after and type(before) is type(after):
        return True
    if _is_number(before) and _is_number(after):
        near = TOLERANCE if general.rpartition(".")[2] in TOLERANT else 0.0
        return math.isclose(before, after, rel_tol=0.0, abs_tol=near)
    return False


def _pieces(before: Any, after: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the pieces in which two values differ: of lists of texts, what was changed."""
    if not (isinstance(before, list) and isinstance(after, list)):
        yield before, after
        return
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for what, a, a_end, b, b_end in matcher.get_opcodes():
        if what == "replace" and a_end - a == b_end - b:  # line for line
            yield from zip(before[a:a_end], after[b:b_end], strict=True)
        elif what != "equal":
            yield "\n".join(before[a:a_end]) or ABSENT, "\n".join(after[b:b_end]) or ABSENT


def _difference(part: str, row: Row, column: Column, before: Any, after: Any) -> Difference:
    return Difference(
        part, row.source, row.table, row.key, row.label, column[0], column[1], before, after
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
