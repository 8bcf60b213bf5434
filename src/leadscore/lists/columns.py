"""Others call a column by many names: this tells which canonical column a header means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from leadscore.lists.headers.canonical import CANONICAL, COLUMNS
from leadscore.lists.headers.column import Column
from leadscore.lists.headers.headings import NO_UNIT, Reading, halves, normal_header, readings
from leadscore.lists.headers.units import Unit

__all__ = ["CANONICAL", "COLUMNS", "Column", "Heading", "column", "read_heading", "recognise"]


@dataclass(frozen=True, slots=True)
class Heading:
    """What a header of a list was understood to say.

    Attributes
    ----------
    column
        The canonical column.
    unit
        Unit of plain numbers below the header, as far as it names one.
    year
        The year that it names, as in ``2023年营业收入``.
    canonical
        True if the header is the canonical name itself, whose unit is fixed.
    """

    column: Column
    unit: Unit = NO_UNIT
    year: int | None = None
    canonical: bool = False


_PERSONAL = re.compile(
    "电话|手机|邮箱|联系人|联系方式|身份证|微信|法定代表|法人代表|姓名|e?mail|phone|wechat"
)
_BARE = frozenset(
    "名称 单位 地址 简介 类型 产品 行业 规模 状态 说明 编号 省 市 年度".split()  # noqa: SIM905
)
"""Words that mean a firm's only where nothing above them says otherwise: 项目 over 名称 does."""


def column(name: str) -> Column:
    """Return a canonical column by its name; KeyError if there is none.

    >>> column("registered_capital_cny").unit
    'CNY'
    """
    return _by_name()[name]


@cache
def _by_name() -> dict[str, Column]:
    return {each.name: each for each in COLUMNS}


@cache
def _by_key() -> dict[str, Column]:
    """Normal form of every name, label and alias; a clash is a mistake in the table above."""
    found: dict[str, Column] = {}
    for each in COLUMNS:
        for words in (each.name, each.label.zh, each.label.en, *each.aliases):
            known = found.setdefault(normal_header(words), each)
            if known is not each:
                raise ValueError(f"{words!r} names both {known.name} and {each.name}")
    return found


@lru_cache(maxsize=4096)
def read_heading(header: str) -> Heading | None:
    """Return what a header says; missing if no canonical column is meant.

    Parameters
    ----------
    header
        As written; the rows of a merged header joined by ``/``.

    >>> heading = read_heading("意向投资额（亿元）")
    >>> heading.column.name, heading.unit.times
    ('intended_investment_cny', 100000000.0)
    >>> read_heading("联系人/名称").column.personal
    True
    """
    table = _by_key()
    whole = table.get(normal_header(header))
    if whole:
        return Heading(whole, canonical=normal_header(whole.name) == normal_header(header))
    personal = _personal(header, table)
    if personal:
        return Heading(personal)
    for reading in _trusted(header):
        known = table.get(reading.key)
        if known and _fits(known, reading):
            return Heading(known, reading.unit, reading.year)
    return None


def recognise(header: str) -> Column | None:
    """Return the canonical column that a header means; missing if none.

    >>> recognise("企业（机构）类型").name
    'enterprise_type'
    >>> recognise("天气") is None
    True
    """
    heading = read_heading(header)
    return heading.column if heading else None


def _trusted(header: str) -> Iterator[Reading]:
    for reading in readings(header):
        if not (reading.below and reading.key in _BARE):
            yield reading
        for yes_no in ("是否为", "是否"):
            if reading.key.startswith(yes_no):
                yield Reading(reading.key.removeprefix(yes_no), reading.unit)


def _personal(header: str, table: dict[str, Column]) -> Column | None:
    """Return a personal column if any part of the header names people: rather too much dropped."""
    for part in halves(header):
        known = table.get(part)
        if known and known.personal:
            return known
    words = _PERSONAL.search(normal_header(header))
    return column("contact") if words else None


def _fits(known: Column, reading: Reading) -> bool:
    """Tell whether the unit that was split off can belong to the column."""
    unit = reading.unit
    if unit.percent:
        return known.kind == "share"
    if unit.currency or unit.times:
        return known.kind in {"amount", "count", "staff"}
    return True
