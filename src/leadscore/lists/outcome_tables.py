"""Ledgers whose cells mean something only by their sheet, titles, legend or the columns beside.

They are rewritten before anything is laid out, so that columns and cells are read in one way only.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from leadscore.lists.columns import normal_header
from leadscore.lists.outcome_columns import DATED, OF_STAGES, known_of, mostly, stage_named
from leadscore.lists.problems import listed
from leadscore.lists.reading.table import TextTable
from leadscore.lists.values.dates import day_of
from leadscore.lists.values.words import tidy_word
from leadscore.text import Text, room_words, shown

WORDS = room_words("lists")

_PART = re.compile(r"(?P<of>.*?)(?:的)?/?(?P<part>年|月|日)[份度]?")
_YEAR = re.compile(r"(?<!\d)20\d\d(?!\d)")
_MONTH_AND_DAY = re.compile(r"\d{1,2}月(?:份|\d{1,2}[日号]?)?")
_FIGURE = re.compile(r"(\d{1,4})(?:\.0)?[年月日号]?份?")
_YES_ON = re.compile(r"\s*(?:是|已|有|√|✓|✔|[Yy]es)\s*[(（,，:：]?\s*([12]\d{3}.+?)\s*[)）]?\s*")
_NUMBERED = re.compile(r"\d{1,2}(?:\.0)?|[A-Z]")
_LEGEND = re.compile(
    r"(?<![\dA-Za-z.])(\d{1,2}|[A-Z])\s*[-—–:：、.．=＝为]*\s*"
    r"([\u4e00-\u9fff]{1,12}|[A-Z][a-z]{3,}(?: [a-z]+)?)"
)


def made_plain(table: TextTable, mapping: Mapping[str, str]) -> tuple[TextTable, list[Text]]:
    """Return a table whose cells say by themselves what sheet, title and notes say of them.

    Year, month and perhaps day of columns of their own become one column, the first of them. Days
    without year (3月15日) get the only one that the sheet or its titles name, and numbers of
    stages the words of the legend. Columns of the owner's ``mapping`` stay as they are.
    """
    said = set(map(normal_header, mapping))
    headers, notices = [*table.headers], []
    columns = {
        position: table.column(position)
        for position, header in enumerate(headers)
        if normal_header(header) not in said
    }
    written = dict(columns)
    _join_days(headers, columns)
    for position, texts in columns.items():
        dated = {text: day for text in {*texts} if text and (day := _day_of_yes(text))}
        if dated:
            columns[position] = [dated.get(text, text) if text else text for text in texts]
    years = set(_YEAR.findall(table.sheet or "")) or set(_YEAR.findall(" ".join(table.beside)))
    for position, texts in columns.items():
        header = headers[position]
        if len(years) == 1 and mostly(texts, _without_year):
            (year,) = years
            columns[position] = [
                f"{year}年{text.strip()}" if text and _without_year(text) else text
                for text in texts
            ]
            notices.append(WORDS["outcomes.year_added"].format(header=shown(header), year=year))
        legend = _legend(" ".join((header, *table.beside))) if OF_STAGES.search(header) else {}
        if legend and all(_NUMBERED.fullmatch(text) for text in known_of(texts)):
            columns[position] = [
                legend.get(text.removesuffix(".0"), text) if text else text for text in texts
            ]
            words = listed([f"{number}={word}" for number, word in legend.items()])
            notices.append(WORDS["outcomes.by_legend"].format(header=shown(header), words=words))
    changed = {at: texts for at, texts in columns.items() if texts is not written[at]}
    cells = table.cells.copy() if changed else table.cells
    for position, texts in changed.items():
        cells[position] = texts
    return replace(table, headers=tuple(headers), cells=cells), notices


def _join_days(headers: list[str], columns: dict[int, list[str | None]]) -> None:
    parts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for position in columns:
        if part := _PART.fullmatch(normal_header(headers[position])):
            parts[part["of"]].setdefault(part["part"], position)
    for of, places in parts.items():
        if not places.keys() >= {"年", "月"}:
            continue
        years = [_part(text) for text in columns[places["年"]] if text]
        if not years or not all(len(year) in (2, 4) for year in years):
            continue
        first, *others = (places[part] for part in "年月日" if part in places)
        columns[first] = [
            "-".join(_part(text or "") for text in (texts if texts[-1] else texts[:2]))
            if any(texts) else None
            for texts in zip(*(columns[place] for place in (first, *others)), strict=True)
        ]  # fmt: skip
        headers[first] = (of if DATED.search(of) else f"{of}日期") if of else "日期"
        for place in others:
            headers[place], columns[place] = "", [None] * len(columns[place])


def _legend(text: str) -> dict[str, str]:
    """Return the words of stages by number that a legend gives; empty if it isn't one."""
    pairs = [(number, word) for number, word in _LEGEND.findall(text) if stage_named(word)]
    words = dict(pairs)
    return words if len(words) > 1 and len(set(pairs)) == len(words) else {}


def _without_year(text: str) -> object:
    return _MONTH_AND_DAY.fullmatch(tidy_word(text))


def _day_of_yes(text: str) -> str | None:
    given = _YES_ON.fullmatch(text)
    return given[1] if given and day_of(given[1]) else None


def _part(text: str) -> str:
    figure = _FIGURE.fullmatch(tidy_word(text))
    return figure[1] if figure else text
