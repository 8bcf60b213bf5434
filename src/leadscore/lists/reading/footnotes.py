"""Rows below a header that are no firms: totals, headings, notes, guidance, the header again."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd

from leadscore.lists.columns import recognise
from leadscore.lists.problems import Problem
from leadscore.lists.reading.header import Header, Merge, Row, duplicate_headers, fold
from leadscore.lists.reading.table import TextColumns, TextTable, refuse
from leadscore.lists.values.amounts import stated_unit
from leadscore.text import room_words, shown

WORDS = room_words("lists")

MAX_CELL_CHARACTERS = 1_000_000
"""The longest scope of a firm known to us has some 5,000 characters; Excel allows 32,767."""

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
_EXAMPLE = re.compile(
    r"[（(【\[]?\s*(?:示例|样例|范例|举例|例子|填写示例|填报示例|填写样例|example)\s*\d?[)）】\]]?\s*$"
    r"|[（(【\[]?\s*(?:(?:填写|填报|填表|字段)(?:说明|要求|须知|规则|提示)|说明)\s*[)）】\]]?\s*$",
    re.IGNORECASE,
)
_EXAMPLE_NAME = re.compile(
    r"[（(【\[]?\s*(?:例|例如|示例|样例|如|e\.g\.|example)\s*(?:[:：,，]|[)）】\]])", re.IGNORECASE
)
_TO_FILL = re.compile(
    r"[（(【\[*＊]*\s*(?:(?:必|选|可不|非必)(?:填|选)|可选|(?:条件|系统|自动)(?:必填|生成|填充)|required|optional"
    r"|(?:请|须|应|需)(?:填|输入|按|与|写|选).{0,40}|(?:填写|与营业执照).{0,40}|(?:企业|公司|单位)?全称"
    r"|(?:文本|数字|数值|日期|整数|字符)(?:型|格式|类型)?)(?:项)?\s*[)）】\]*＊]*",
    re.IGNORECASE,
)
_FOOTNOTE = re.compile(
    r"\s*[*※（(\[【]*\s*(注\d*|备注|说明|填表人|填报人|制表人?|填报单位|制表日期|填报日期|数据来源|"
    r"资料来源|来源|notes?|sources?)\s*[:：]",
    re.IGNORECASE,
)


def finish_table(
    columns: TextColumns, header: Header, source: str, row: int, head: Sequence[Row],
    sheet: str | None = None, problems: Iterable[Problem] = (), merges: Sequence[Merge] = (),
) -> TextTable:  # fmt: skip
    """Return the table below a header that ends in a row; ``head`` are the first rows."""
    cells, rows = columns.finish()
    told = (*duplicate_headers(header, row, sheet), *problems)
    above = tuple(filter(None, chain.from_iterable(head[: header.first])))
    unit = stated_unit(above)
    continued = {
        below + 1: first[0] + 1
        for first, last in merges
        if first[0] > header.end and first[1] == header.name_at
        for below in range(first[0] + 1, last[0] + 1)
    }
    table = TextTable(header.names, cells, rows, sheet, told, unit, row, continued, beside=above)
    return without_totals_and_notes(table, header, source, _rows_across(header, merges))


def _rows_across(header: Header, merges: Sequence[Merge]) -> frozenset[int]:
    """Return the rows below a header over all of which one cell is merged."""
    read = [at for at, meaning in enumerate(header.columns) if meaning is not None]
    if len(read) < 2:
        return frozenset()
    return frozenset(
        first[0] + 1
        for first, last in merges
        if first[0] > header.end and first[1] <= read[0] and last[1] >= read[-1]
    )


def without_totals_and_notes(
    table: TextTable, header: Header, source: str, across: Collection[int] = ()
) -> TextTable:
    """Drop blank rows, set rows aside that are no firms, and drop what hangs over at the right.

    In the rows ``across`` one cell is merged over the whole width. Each row that is taken out and
    not blank leaves one problem with ``set_aside``. Raises `ListError` if the header of another
    table stands among the rows.
    """
    cells, rows = table.cells, table.rows
    filled = ~_blank(cells)
    if not filled.all():
        cells, rows = cells[filled], rows[filled]
    where = f"{source}!{table.sheet}" if table.sheet else source
    others = _non_firms(cells, rows, header, where, across)
    problems, beside = [], [*table.beside]
    for at, (code, label) in sorted(others.items()):
        if code == "footnote_row":
            beside.extend(cells.iloc[at].dropna())
        wanted, row = WORDS[f"footnotes.{code}"], int(rows[at])
        problems.append(Problem(row, None, label, wanted, code, table.sheet, set_aside=True))
    if others:
        firms = np.ones(len(cells), dtype=bool)
        firms[list(others)] = False
        cells, rows = cells[firms], rows[firms]
    width = cells.shape[1]
    while width and not table.headers[width - 1] and cells[width - 1].isna().all():
        width -= 1
    return without_oversized_cells(
        replace(
            table,
            headers=table.headers[:width],
            cells=cells.iloc[:, :width].reset_index(drop=True),
            rows=rows,
            problems=(*table.problems, *problems),
            beside=tuple(beside),
        )
    )


def _blank(cells: pd.DataFrame) -> np.ndarray:
    blank = np.ones(len(cells), dtype=bool)
    for at in range(cells.shape[1]):
        places = np.flatnonzero(blank)
        if not len(places):
            break
        texts = cells[at].iloc[places]
        blank[places] = (texts.isna() | (texts.str.strip() == "")).to_numpy(dtype=bool)
    return blank


def _non_firms(
    cells: pd.DataFrame, rows: np.ndarray, header: Header, source: str, across: Collection[int]
) -> dict[int, tuple[str, str]]:
    """Return, by position, the rows that are no firms, with the kind and what betrays it."""
    merged = np.flatnonzero(np.isin(rows, [*across])) if across else ()
    others = {**_headings(cells, merged), **_guidance(cells, header), **_footnotes(cells, merged)}
    name_at = header.name_at
    # A total is labelled in one of the first columns or in that of the name.
    for at in sorted({*range(min(3, cells.shape[1])), name_at or 0}):
        for place in _places(cells[at].str.fullmatch(_TOTAL, na=False)):
            if _is_total(cells.iloc[place], at):
                others[place] = ("totals_row", shown(cells[at].iloc[place]))
    if name_at is not None:
        meaning = header.columns[name_at]
        names = [_lower(header.names[name_at])]
        names += (meaning.label.zh, *meaning.aliases) if meaning else ()
        for place in _places(cells[name_at].str.strip().isin(names)):
            if _is_header_again(cells.iloc[place], header, f"{source}:{rows[place]}"):
                others[place] = ("header_again", shown(cells[name_at].iloc[place]))
    return others


def _places(mask: pd.Series) -> list[int]:
    places: list[int] = np.flatnonzero(mask.to_numpy(dtype=bool)).tolist()
    return places


def _footnotes(cells: pd.DataFrame, merged: Iterable[int]) -> dict[int, tuple[str, str]]:
    footnotes = {}
    for place in (*merged, *range(max(len(cells) - 10, 0), len(cells))):
        written = cells.iloc[place].dropna()
        note = _FOOTNOTE.match(written.iloc[0]) if len(written) == 1 else None
        if note:
            # What follows the colon may be a person's name: it is not repeated.
            footnotes[place] = ("footnote_row", shown(note.group(0).strip()))
    return footnotes


def _guidance(cells: pd.DataFrame, header: Header) -> dict[int, tuple[str, str]]:
    """Return the rows just below a header that say how to fill it in, or are an example of it."""
    guidance: dict[int, tuple[str, str]] = {}
    name_at = header.name_at or 0
    for place in range(min(3, len(cells))):
        row = cells.iloc[place]
        label = next((row[at] for at in range(name_at + 1) if isinstance(row[at], str)), "")
        name = row[name_at] if isinstance(row[name_at], str) else ""
        texts = [_TO_FILL.fullmatch(text.strip()) for text in row.dropna()]
        if _EXAMPLE.match(label.strip()) or _EXAMPLE_NAME.match(name.strip()):
            guidance[place] = ("guidance_row", shown(label, 20))
        elif _TO_FILL.fullmatch((name or label).strip()) or (len(texts) > 1 and all(texts)):
            guidance[place] = ("guidance_row", shown(name or label, 20))
        else:
            break
    return guidance


def _headings(cells: pd.DataFrame, merged: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return the rows whose only cell groups the firms below or says that the list ends."""
    headings = {}
    for place in merged:
        written = cells.iloc[place].dropna()
        if len(written) == 1 and not _FIRM.search(written.iloc[0]):
            headings[int(place)] = ("heading_row", shown(written.iloc[0].strip()))
    single = np.flatnonzero(cells.notna().sum(axis=1).eq(1))
    for at in range(cells.shape[1]) if len(single) else ():
        alone = cells[at].iloc[single]
        for place in single[alone.str.slice(0, 100).str.fullmatch(_HEADING, na=False)]:
            text = cells[at].iloc[place].strip()
            if not _FIRM.search(text):  # 一、 may also number a firm
                headings[int(place)] = ("heading_row", shown(text))
    return headings


def _is_total(row: pd.Series, label_at: int) -> bool:
    """Tell whether all cells beside the label are figures, as in a sum, not a firm's facts."""
    others = row.drop(label_at).dropna()
    return all(not text.strip() or _FIGURE.fullmatch(text.strip()) for text in others)


def _is_header_again(row: pd.Series, header: Header, where: str) -> bool:
    """Tell whether a row is the header once more; refuse the header of another table."""
    written = [(at, text, recognise(text)) for at, text in enumerate(row) if isinstance(text, str)]
    same = [
        fold(text) == fold(_lower(header.names[at]))
        or (meaning is not None and meaning is header.columns[at])
        for at, text, meaning in written
    ]
    if 2 * same.count(True) > len(written):
        return True
    if sum(meaning is not None for _, _, meaning in written) < 2:
        return False
    got = ", ".join(shown(text, 20) for _, text, _ in written[:12])
    raise refuse(WORDS["footnotes.two_lists"], where, got, WORDS["footnotes.one_list"])


def _lower(name: str) -> str:
    return name.rpartition("/")[2].strip()


def without_oversized_cells(table: TextTable) -> TextTable:
    """Empty the cells that are too long to be a fact about a firm, each with a problem."""
    cells, problems = table.cells.copy(), []
    wanted = WORDS["footnotes.cell_too_long"].format(n=f"{MAX_CELL_CHARACTERS:,}")
    for at, header in enumerate(table.headers):
        lengths = cells[at].str.len()
        oversized = (lengths > MAX_CELL_CHARACTERS).to_numpy(dtype=bool)
        for place in np.flatnonzero(oversized):
            row, got = int(table.rows[place]), f"{int(lengths.iloc[place]):,}"
            problem = Problem(row, header or None, got, wanted, "cell_too_long", table.sheet)
            problems.append(problem)
        if oversized.any():
            cells[at] = cells[at].mask(oversized)
    return replace(table, cells=cells, problems=(*table.problems, *problems))
