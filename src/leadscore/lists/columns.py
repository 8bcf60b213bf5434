"""The canonical columns of a list, and how a header is read: its column, unit, and year."""

from __future__ import annotations

import csv
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal

import pandas as pd

from leadscore.files import shipped
from leadscore.lists.values.amounts import CURRENCY_PATTERN, NO_UNIT, Unit, read_unit
from leadscore.lists.values.numbers import MULTIPLIER_PATTERN
from leadscore.lists.values.words import VOCABULARY
from leadscore.text import Text, room_words

WORDS = room_words("lists")

Kind = Literal[
    "name", "former", "text", "list", "remark", "identifier", "credit_code", "status", "stage",
    "amount", "share", "count", "staff", "year", "date", "place", "division",
    "currency", "matched", "imported", "flag", "personal", "ignored",
]  # fmt: skip
"""How the cells of a column are read; the last row of kinds never becomes a column of firms."""

_PASSING = frozenset({"currency", "matched", "imported", "flag", "personal", "ignored"})
_UNITS: dict[Kind, Literal["CNY", "fraction", "count", "year"]] = {
    "amount": "CNY", "share": "fraction", "count": "count", "staff": "count", "year": "year",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical column; a unit that its values carry stands at the end of its name.

    Aliases are headers that mean it, beside the name and the labels, in any spelling that
    `normal_header` makes equal. They, and the words ``beside`` them, may stand around a value.
    """

    name: str
    kind: Kind
    label: Text
    meaning: Text
    aliases: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        """True if it becomes a column of firms."""
        return self.kind not in _PASSING

    @property
    def personal(self) -> bool:
        """True if it holds data about people, which is never read."""
        return self.kind == "personal"

    @property
    def unit(self) -> Literal["CNY", "fraction", "count", "year"] | None:
        """What its numbers count; missing if it holds none."""
        return _UNITS.get(self.kind)

    @property
    def dtype(self) -> str:
        """The pandas dtype of its values."""
        if self.kind in _UNITS:
            return "float64"
        return "datetime64[us]" if self.kind == "date" else "str"


_BY_NAME = {
    name: Column(
        name,
        row["kind"],
        Text(**row["label"]),
        Text(**row["meaning"]),
        tuple(row["aliases"]),
        tuple(row.get("beside", ())),
    )
    for name, row in tomllib.loads(shipped("columns.toml").read_text("utf-8")).items()
}
COLUMNS = tuple(_BY_NAME.values())
"""All that a header may mean, with those that are read in passing or dropped."""

CANONICAL = tuple(column for column in COLUMNS if column.kept)
"""The columns of a clean list, in order; each is always there, missing where the list lacks it."""


BY_HAND = ("segments", "role", "use", "grade", "unfounded", "corrected_on")
"""What a corrected firm has beside canonical columns, as texts; no list brings any of them.

``segments`` (ids, joined by ``;``, "" for none), ``role``, ``use`` and ``grade`` are an officer's;
``unfounded`` are the features whose reasons an officer has called wrong, joined by ``;``;
``corrected_on`` is the day of the last correction.
"""


def column(name: str) -> Column:
    """Return a canonical column by its name; KeyError if there is none."""
    return _BY_NAME[name]


_DROPPED = re.compile(r"[\s_\-*:.'\"`“”‘’]+")
_BRACKETS = str.maketrans("[]{}【】〔〕〖〗「」<>《》", "()()()()()()()()")
_YEAR = re.compile(r"(?P<year>(?:19|20)\d\d)(?:年度|年|度)?(?:末|底)?")
_YEAR_FIRST = re.compile(rf"\(?{_YEAR.pattern}\)?(?P<rest>.+)")
_YEAR_LAST = re.compile(rf"(?P<rest>.+?)\(?{_YEAR.pattern}\)?")
_LAST_YEAR = re.compile(r"\(?(?:上一?(?:会计)?年度?|去年|前一年|近一年|最近一年)的?\)?")
_WHOLE_YEAR = re.compile(r"(?:全年|年度|本年度?|当年)")
_COUNTING = re.compile(rf"{CURRENCY_PATTERN}|[千万亿元%]")
_LAST_BRACKET = re.compile(r"(?P<rest>.+)\((?P<inside>[^()]*)\)")
_FIRST_BRACKET = re.compile(r"\((?P<inside>[^()]*)\)(?P<rest>.+)")
_LAST_SLASH = re.compile(r"(.+)[/,;|·]([^/()]+)")
_BARE_MONEY = re.compile(
    rf"(.+?)((?:{CURRENCY_PATTERN})?(?:{MULTIPLIER_PATTERN})?(?:元|{CURRENCY_PATTERN})|万|亿|%)"
)
_WIND = re.compile(
    r"\((?P<title>单位|报告期|交易日期|截止日期|报表类型|级别|币种|年度)\)(?P<said>[^()/]*)"
)
YEAR_BEFORE = 1
"""The year of a header that says 上年 or 去年: it comes after those that name one, or none."""

_GROUPS, _BARE = tuple(VOCABULARY["groups"]), frozenset(VOCABULARY["bare"])
_PERSONAL = re.compile(VOCABULARY["personal"])


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a header: the normal form of the name that is left, and what was split off.

    Bare words such as 名称 must not be trusted below an upper half that says nothing of firms.
    """

    key: str
    unit: Unit = NO_UNIT
    year: int | None = None
    below: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """What a header of a list was understood to say: a column, the unit of plain numbers, a year.

    It is canonical if it is the name of the column itself, whose unit is fixed.
    """

    column: Column
    unit: Unit = NO_UNIT
    year: int | None = None
    canonical: bool = False


def normal_header(header: str) -> str:
    """Return a header without the differences that mean nothing.

    Unicode NFKC, case folded, in simplified characters; without spaces, zero-width characters,
    underscores, hyphens, stars, colons, full stops and quotes; all brackets round.

    >>> normal_header(" 企業（机构）类型 "), normal_header("Registered_Address")
    ('企业(机构)类型', 'registeredaddress')
    """
    text = unicodedata.normalize("NFKC", header[:200]).casefold()
    visible = "".join(mark for mark in text if unicodedata.category(mark) not in {"Cc", "Cf"})
    plain = visible.translate(_BRACKETS)
    return _DROPPED.sub("", plain if plain.isascii() else plain.translate(simplified()))


@cache
def simplified() -> dict[int, str]:
    """Return the simplified character for each traditional one in headers and names of places."""
    with shipped("codes", "traditional.csv").open(encoding="utf-8", newline="") as file:
        return {ord(row["traditional"]): row["simplified"] for row in csv.DictReader(file)}


@lru_cache(maxsize=4096)
def read_heading(header: str) -> Heading | None:
    """Return what a header says; missing if no canonical column is meant.

    The rows of a header that takes two are joined by ``/``.

    >>> heading = read_heading("意向投资额（亿元）")
    >>> heading.column.name, heading.unit.times
    ('intended_investment_cny', 100000000.0)
    """
    table, key = _by_key(), normal_header(header)
    if key in table:
        return Heading(table[key], canonical=normal_header(table[key].name) == key)
    for part in _halves(key):  # rather too much is dropped than a person's data read
        if part in table and table[part].personal:
            return Heading(table[part])
    if _PERSONAL.search(key):
        return Heading(column("contact"))
    for reading in _trusted(header):
        known, unit = table.get(reading.key), reading.unit
        counted = {"share"} if unit.percent else {"amount", "count", "staff"}
        if known and (known.kind in counted or unit == NO_UNIT):
            return Heading(known, unit, reading.year)
    return None


def own_conclusions(headers: Sequence[str]) -> frozenset[str]:
    """Return the headers under which leadscore itself wrote what it concluded of the firms.

    They are such only beside each other: an officer's own 环节 or 等级 alone is not.

    >>> (
    ...     sorted(own_conclusions(["企业", "环节", "等级", "契合度"])),
    ...     own_conclusions(["企业", "环节"]),
    ... )
    (['契合度', '环节', '等级'], frozenset())
    """
    own = {header: _own_headers().get(normal_header(header)) for header in headers}
    names = {name for name in own.values() if name}
    if len(names) < 2 or (names <= _COMMON and len(names & _COMMON) < 4):
        return frozenset()
    return frozenset(header for header, name in own.items() if name)


_CONCLUSIONS = (
    "rank", "grade", "priority", "likelihood", "fit", "segment", "role", "reasons", "veto",
    "segments", "model", "segment_name", "role_name", "matched_words", "corrections",
)  # fmt: skip
# What an officer's own list may well have: these alone make no export, unless most stand together.
_COMMON = frozenset(
    {
        "rank",
        "grade",
        "priority",
        "segment",
        "role",
        "reasons",
        "model",
        "segment_name",
        "role_name",
    }
)


@cache
def _own_headers() -> dict[str, str]:
    headers: dict[str, str] = {}
    for name in _CONCLUSIONS:
        header = WORDS[f"workbook.ranking.{name}.header"]
        headers |= {normal_header(words): name for words in (name, header.zh, header.en)}
    return headers


def recognise(header: str) -> Column | None:
    """Return the canonical column that a header means; missing if none."""
    heading = read_heading(header)
    return heading.column if heading else None


@cache
def _by_key() -> dict[str, Column]:
    """Return the columns by normal form of name, label and alias; a clash is a mistake there."""
    columns: dict[str, Column] = {}
    for one in COLUMNS:
        for words in (one.name, one.label.zh, one.label.en, *one.aliases):
            known = columns.setdefault(normal_header(words), one)
            if known is not one:
                raise ValueError(f"{words!r} names both {known.name} and {one.name}")
    return columns


def _trusted(header: str) -> Iterator[Reading]:
    for reading in readings(header):
        if not (reading.below and reading.key in _BARE):
            yield reading
        for yes_no in ("是否为", "是否"):
            if reading.key.startswith(yes_no):
                yield Reading(reading.key.removeprefix(yes_no), reading.unit)


def readings(header: str) -> Iterator[Reading]:
    """Yield the ways to read a header, the most literal first.

    The whole; the whole without unit and year; for a header joined of several rows the rows run
    together, from each of them down, then the lowest, then those above; last the whole without
    what stands in brackets.

    >>> [r.key for r in readings("意向投资额（亿元）")][:2]
    ['意向投资额(亿元)', '意向投资额']
    >>> next(r.year for r in readings("2023年营业收入（万元）") if r.key == "营业收入")
    2023
    """
    whole = _WIND.sub(_of_wind, normal_header(header))
    yield from _peeled(whole)
    parts = _halves(whole)
    if len(parts) > 1:
        for at in range(len(parts) - 1):
            yield from _peeled("".join(parts[at:]))
        vague = not any(part.startswith(_GROUPS) for part in parts[:-1])
        for reading in _peeled(parts[-1]):
            yield replace(reading, below=vague)
        for part in reversed(parts[:-1]):
            yield from _peeled(part)
    for pattern in (_LAST_BRACKET, _FIRST_BRACKET):
        bracket = pattern.fullmatch(whole)
        if bracket and not _COUNTING.search(bracket["inside"]):
            yield from _peeled(bracket["rest"])


def _of_wind(part: re.Match[str]) -> str:
    # Wind writes on lines of their own what it counts, and of when: [报告期] 2023年报, [单位] 万元.
    title, said = part["title"], part["said"]
    if title == "单位":
        return f"({said})"
    year = re.fullmatch(r"((?:19|20)\d\d)(?:年报|年度|年|1231)", said)
    if year is None and title in ("报告期", "交易日期", "截止日期") and said != "最新":
        return part[0]
    return f"({year[1]}年)" if year else ""


def _halves(key: str) -> list[str]:
    """Return the parts of a joined header, upper row first; a slash in brackets joins nothing."""
    return [part for part in re.split(r"/(?![^(]*\))", key) if part]


def _peeled(key: str) -> Iterator[Reading]:
    literal = Reading(key)
    yield literal
    for reading in _without_unit(literal):
        yield reading
        yield from _without_year(reading)
    for reading in _without_year(literal):
        yield reading
        yield from _without_unit(reading)


def _without_unit(reading: Reading) -> Iterator[Reading]:
    bracket = _LAST_BRACKET.fullmatch(reading.key)
    if bracket:
        yield from _from_bracket(bracket["rest"], bracket["inside"], reading.year)
    for pattern in (_LAST_SLASH, _BARE_MONEY):
        parts = pattern.fullmatch(reading.key)
        unit = read_unit(parts[2]) if parts else None
        if parts and unit:
            yield Reading(parts[1], unit, reading.year)


def _from_bracket(rest: str, inside: str, year: int | None) -> Iterator[Reading]:
    unit = NO_UNIT
    for piece in filter(None, re.split("[,、;]", inside)):
        if named := read_unit(piece):
            unit = named
        elif when := _YEAR.fullmatch(piece):
            year = int(when["year"])
        else:
            return
    yield Reading(rest, unit, year)


def _without_year(reading: Reading) -> Iterator[Reading]:
    for pattern in (_YEAR_FIRST, _YEAR_LAST):
        parts = pattern.fullmatch(reading.key)
        if parts:
            yield Reading(parts["rest"], reading.unit, int(parts["year"]))
    if last := _LAST_YEAR.match(reading.key):
        yield Reading(reading.key[last.end() :], reading.unit, YEAR_BEFORE)
    elif reading.key.endswith(("(上年)", "(去年)", "(上年度)", "(上一年度)")):
        yield Reading(reading.key.rpartition("(")[0], reading.unit, YEAR_BEFORE)
    elif whole := _WHOLE_YEAR.match(reading.key):
        yield Reading(reading.key[whole.end() :], reading.unit)


def blank_firms(count: int) -> pd.DataFrame:
    """Return ``count`` rows of all canonical columns, all missing, numbered from 0."""
    names = [one.name for one in CANONICAL]
    blank = pd.DataFrame(index=pd.RangeIndex(count), columns=names, dtype=object)
    return blank.astype({one.name: one.dtype for one in CANONICAL})
