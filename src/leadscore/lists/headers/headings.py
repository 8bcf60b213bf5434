"""A header says more than a name: what else it carries (unit, year, group) is taken apart here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from leadscore.lists.headers.units import CURRENCY_PATTERN, MULTIPLIER_PATTERN, Unit, read_unit

NO_UNIT = Unit()

_DROPPED = re.compile(r"[\s_\-*:.'\"`“”‘’]+")
_BRACKETS = str.maketrans("[]{}【】〔〕〖〗「」<>《》", "()()()()()()()()")
_YEAR = re.compile(r"((?:19|20)\d\d)(?:年度|年|度)?(?:末|底)?")
_YEAR_FIRST = re.compile(rf"\(?{_YEAR.pattern}\)?(.+)")
_YEAR_LAST = re.compile(rf"(.+?)\(?{_YEAR.pattern}\)?")
_COUNTING = re.compile(rf"{CURRENCY_PATTERN}|[千万亿元%]")
_LAST_BRACKET = re.compile(r"(.+)\(([^()]*)\)")
_FIRST_BRACKET = re.compile(r"\(([^()]*)\)(.+)")
_LAST_SLASH = re.compile(r"(.+)[/,;|·]([^/()]+)")
_BARE_MONEY = re.compile(
    rf"(.+?)((?:{CURRENCY_PATTERN})?(?:{MULTIPLIER_PATTERN})?(?:元|{CURRENCY_PATTERN})|万|亿|%)"
)
_LONGEST_HEADER = 200
_GROUPS = ("企业", "公司", "单位", "基本", "工商", "主体", "company", "firm", "enterprise", "basic")


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a header.

    Attributes
    ----------
    key
        Normal form of the name that is left.
    unit
        What was split off it.
    year
        The year that the header names, as in ``2023年营业收入``; missing if none.
    below
        True if the key is the lower half of a two-row header whose upper half says nothing of
        firms, so that bare words such as 名称 must not be trusted.
    """

    key: str
    unit: Unit = NO_UNIT
    year: int | None = None
    below: bool = False


def normal_header(header: str) -> str:
    """Return a header without the differences that mean nothing.

    Unicode NFKC, case folded; without spaces, zero-width characters, underscores, hyphens, stars,
    colons, full stops and quotes; all brackets round.

    >>> normal_header(" 企业（机构）类型 ")
    '企业(机构)类型'
    >>> normal_header("Registered_Address")
    'registeredaddress'
    """
    text = unicodedata.normalize("NFKC", header[:_LONGEST_HEADER]).casefold()
    visible = "".join(mark for mark in text if unicodedata.category(mark) not in {"Cc", "Cf"})
    return _DROPPED.sub("", visible.translate(_BRACKETS))


def halves(header: str) -> list[str]:
    """Return the normal forms of the parts of a joined header, upper row first.

    >>> halves("企业基本情况/企业名称")
    ['企业基本情况', '企业名称']
    """
    key = normal_header(header)
    outside = re.split(r"/(?![^(]*\))", key)
    return [part for part in outside if part]


def readings(header: str) -> Iterator[Reading]:
    """Yield the ways to read a header, the most literal first.

    The whole; the whole without unit and year; for a header joined of two rows the rows run
    together, then the lower, then the upper; last the whole without what stands in brackets.

    >>> [r.key for r in readings("意向投资额（亿元）")][:2]
    ['意向投资额(亿元)', '意向投资额']
    >>> next(r.unit.times for r in readings("营业收入/万元") if r.key == "营业收入")
    10000.0
    >>> next(r.year for r in readings("2023年营业收入（万元）") if r.key == "营业收入")
    2023
    """
    whole = normal_header(header)
    yield from _peeled(whole)
    parts = halves(header)
    if len(parts) > 1:
        yield from _peeled("".join(parts))
        vague = not parts[0].startswith(_GROUPS)
        for reading in _peeled(parts[-1]):
            yield Reading(reading.key, reading.unit, reading.year, below=vague)
        yield from _peeled(parts[0])
    for pattern, rest, inside in ((_LAST_BRACKET, 1, 2), (_FIRST_BRACKET, 2, 1)):
        found = pattern.fullmatch(whole)
        if found and not _COUNTING.search(found[inside]):
            yield from _peeled(found[rest])


def _peeled(key: str) -> Iterator[Reading]:
    """Yield the key as it is, then without its unit, then without its year."""
    yield Reading(key)
    for reading in _without_unit(Reading(key)):
        yield reading
        yield from _without_year(reading)
    for reading in _without_year(Reading(key)):
        yield reading
        yield from _without_unit(reading)


def _without_unit(reading: Reading) -> Iterator[Reading]:
    bracket = _LAST_BRACKET.fullmatch(reading.key)
    if bracket:
        yield from _from_bracket(bracket[1], bracket[2], reading)
    for pattern in (_LAST_SLASH, _BARE_MONEY):
        found = pattern.fullmatch(reading.key)
        unit = read_unit(found[2]) if found else None
        if found and unit:
            yield Reading(found[1], unit, reading.year)


def _from_bracket(rest: str, inside: str, reading: Reading) -> Iterator[Reading]:
    """Yield the reading of a bracket that holds nothing but a unit, a year, or both."""
    unit, year = NO_UNIT, reading.year
    for piece in (piece for piece in re.split("[,、;]", inside) if piece):
        named = read_unit(piece)
        when = _YEAR.fullmatch(piece)
        if named:
            unit = named
        elif when:
            year = int(when[1])
        else:
            return
    yield Reading(rest, unit, year)


def _without_year(reading: Reading) -> Iterator[Reading]:
    for pattern, year, rest in ((_YEAR_FIRST, 1, 2), (_YEAR_LAST, 2, 1)):
        found = pattern.fullmatch(reading.key)
        if found:
            yield Reading(found[rest], reading.unit, int(found[year]))
