"""Totals, footnotes and repeated headers stand among the rows of a list but are no firms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from leadscore.lists.columns import recognise
from leadscore.lists.problems import Problem, shown
from leadscore.lists.reading.header import Header, fold
from leadscore.lists.reading.table import TextTable, refuse
from leadscore.text import Text, room_words

WORDS = room_words("lists")


MAX_CELL_CHARACTERS = 1_000_000
"""The longest scope of a firm known to us has some 5,000 characters; Excel allows 32,767."""
LABEL_COLUMNS = 3
"""A total is labelled in one of the first columns or in that of the name."""
FOOTNOTE_ROWS = 10
"""Footnotes are looked for among this many last rows."""
LONGEST_HEADING = 100

_TOTAL = (
    r"(?i)\s*(?:合\s*计|平\s*均[值数]?|总\s*计|小\s*计|共\s*计|累\s*计|总\s*和|sub-?totals?"
    r"|grand totals?|totals?)"
    r"(?:\s*[（(][^）)]*[）)])?\s*[:：]?\s*(?:[\d,，]+\s*(?:家|户|个|条|项|firms)?)?\s*"
)
_HEADING = (
    r"\s*(?:(?P<listed>[一二三四五六七八九十]{1,3}、.*)|.*[(（]\s*(?:共|计)?\s*\d+\s*[家户][)）]"
    r"|[(（【]?\s*以下(?:空白|无正文)\s*[)）】]?)\s*"
)
_FIRM = re.compile(r"(?:公司|集团|厂|研究[院所])\s*$")
_FIGURE = re.compile(
    r"[^A-Za-z\u4e00-\u9fff]*[\d\-—–/][^A-Za-z\u4e00-\u9fff]*(?:[家户个条项人万亿元%]|亿元|万元)*"
)
_FOOTNOTE = re.compile(
    r"\s*[*※（(\[【]*\s*(注\d*|备注|说明|填表人|填报人|制表人?|填报单位|制表日期|填报日期|数据来源|"
    r"资料来源|来源|notes?|sources?)\s*[:：]",
    re.IGNORECASE,
)

_SET_ASIDE = {
    "totals_row": WORDS["footnotes.set_aside_totals_row"],
    "heading_row": WORDS["footnotes.set_aside_heading_row"],
    "footnote_row": WORDS["footnotes.set_aside_footnote_row"],
    "header_again": WORDS["footnotes.set_aside_header_again"],
}
_SHORTER = Text(
    zh=f"至多 {MAX_CELL_CHARACTERS:,} 个字符；该单元格按缺失处理",
    en=f"at most {MAX_CELL_CHARACTERS:,} characters; the cell counts as missing",
)


def without_asides(table: TextTable, header: Header, source: str) -> TextTable:
    """Drop blank rows, set rows aside that are no firms, and drop what hangs over at the right.

    Blank rows vanish without a problem, as they hold nothing; each other row that is taken out
    leaves one problem with ``set_aside``.

    Parameters
    ----------
    table
        The rows below the header.
    header
        Its header; the name column tells where to look.
    source
        Name for messages.

    Raises
    ------
    ListError
        If the header of another table stands among the rows.
    """
    cells, rows = table.cells, table.rows
    filled = ~_blank(cells)
    if not filled.all():
        cells, rows = cells[filled], rows[filled]
    found = _found(cells, rows, header, f"{source}!{table.sheet}" if table.sheet else source)
    problems = [
        Problem(
            row=int(rows[at]),
            column=None,
            found=label,
            wanted=_SET_ASIDE[code],
            code=code,
            sheet=table.sheet,
            set_aside=True,
        )
        for at, (code, label) in sorted(found.items())
    ]
    if found:
        kept = np.ones(len(cells), dtype=bool)
        kept[list(found)] = False
        cells, rows = cells[kept], rows[kept]
    width = _used_width(cells, table.headers)
    return without_giants(
        replace(
            table,
            headers=table.headers[:width],
            cells=cells.iloc[:, :width].reset_index(drop=True),
            rows=rows,
            problems=(*table.problems, *problems),
        )
    )


def _blank(cells: pd.DataFrame) -> np.ndarray:
    """Return which rows hold nothing but spaces."""
    blank = np.ones(len(cells), dtype=bool)
    for at in range(cells.shape[1]):
        places = np.flatnonzero(blank)
        if not len(places):
            break
        texts = cells[at].iloc[places]
        empty = texts.isna() | (texts.str.strip() == "")
        blank[places] = empty.to_numpy(dtype=bool)
    return blank


def _found(
    cells: pd.DataFrame, rows: np.ndarray, header: Header, source: str
) -> dict[int, tuple[str, str]]:
    """Return, by position, the rows that are no firms, with the kind and what betrays it."""
    found = {**_headings(cells), **_footnotes(cells)}
    name_at = header.name_at
    for at in sorted({*range(min(LABEL_COLUMNS, cells.shape[1])), name_at or 0}):
        for place in _places(cells[at].str.fullmatch(_TOTAL, na=False)):
            if _is_total(cells.iloc[place], at):
                found[place] = ("totals_row", shown(cells[at].iloc[place]))
    if name_at is not None:
        names = _header_words(header, name_at)
        for place in _places(cells[name_at].str.strip().isin(names)):
            where = f"{source}:{rows[place]}"
            if _is_header_again(cells.iloc[place], header, where):
                found[place] = ("header_again", shown(cells[name_at].iloc[place]))
    return found


def _header_words(header: Header, name_at: int) -> list[str]:
    column = header.columns[name_at]
    aliases = (column.label.zh, *column.aliases) if column else ()
    return [_lower(header.names[name_at]), *aliases]


def _places(mask: pd.Series) -> list[int]:
    return [int(place) for place in np.flatnonzero(mask.to_numpy(dtype=bool))]


def _footnotes(cells: pd.DataFrame) -> dict[int, tuple[str, str]]:
    found = {}
    for place in range(max(len(cells) - FOOTNOTE_ROWS, 0), len(cells)):
        written = cells.iloc[place].dropna()
        note = _FOOTNOTE.match(written.iloc[0]) if len(written) == 1 else None
        if note:
            # What follows the colon may be a person's name: it is not repeated.
            found[place] = ("footnote_row", shown(note.group(0).strip()))
    return found


def _headings(cells: pd.DataFrame) -> dict[int, tuple[str, str]]:
    """Return the rows whose only cell groups the firms below or says that the list ends.

    一、 may also number a firm: what ends like a firm's name is left to be one.
    """
    found = {}
    single = np.flatnonzero(cells.notna().sum(axis=1).eq(1))
    for at in range(cells.shape[1]) if len(single) else ():
        alone = cells[at].iloc[single]
        for place in single[alone.str.slice(0, LONGEST_HEADING).str.fullmatch(_HEADING, na=False)]:
            text = cells[at].iloc[place].strip()
            if not _FIRM.search(text):
                found[int(place)] = ("heading_row", shown(text))
    return found


def _is_total(row: pd.Series, label_at: int) -> bool:
    """Tell whether all cells beside the label are figures, as in a sum, not a firm's facts."""
    others = row.drop(label_at).dropna()
    return all(not text.strip() or _FIGURE.fullmatch(text.strip()) for text in others)


def _is_header_again(row: pd.Series, header: Header, where: str) -> bool:
    """Tell whether a row is the header once more; refuse the header of another table."""
    written = [(at, text) for at, text in enumerate(row) if isinstance(text, str)]
    meanings = {at: recognise(text) for at, text in written}
    same = [
        fold(text) == fold(_lower(header.names[at]))
        or (meanings[at] is not None and meanings[at] is header.columns[at])
        for at, text in written
    ]
    if 2 * same.count(True) > len(written):
        return True
    if sum(meaning is not None for meaning in meanings.values()) < 2:
        return False
    raise refuse(
        WORDS["footnotes.is_header_again"],
        where=where,
        got=", ".join(shown(text, 20) for _, text in written[:12]),
        wanted=WORDS["footnotes.is_header_again_wanted"],
    )


def _lower(name: str) -> str:
    """Return the lower half of a header that was joined of two rows."""
    return name.rpartition("/")[2].strip()


def _used_width(cells: pd.DataFrame, headers: Sequence[str]) -> int:
    """Return the number of columns up to the last that has a header or any value."""
    width = cells.shape[1]
    while width and not headers[width - 1] and cells[width - 1].isna().all():
        width -= 1
    return width


def without_giants(table: TextTable) -> TextTable:
    """Empty the cells that are too long to be a fact about a firm, each with a problem."""
    cells = table.cells.copy()
    problems = []
    for at, header in enumerate(table.headers):
        lengths = cells[at].str.len()
        giant = (lengths > MAX_CELL_CHARACTERS).to_numpy(dtype=bool)
        if not giant.any():
            continue
        problems += [
            Problem(
                row=int(table.rows[place]),
                column=header or None,
                found=f"{int(lengths.iloc[place]):,}",
                wanted=_SHORTER,
                code="cell_too_long",
                sheet=table.sheet,
            )
            for place in np.flatnonzero(giant)
        ]
        cells[at] = cells[at].mask(giant)
    return replace(table, cells=cells, problems=(*table.problems, *problems))
