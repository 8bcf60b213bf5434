"""Drafts a city profile from a short table: which segments of the library a city has and lacks."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from leadscore.city.loading import one_of, show
from leadscore.city.profile import SUPPLY_SCALE
from leadscore.city.segments import Entry, library_chain, library_segments, plain
from leadscore.errors import CityError, Detail
from leadscore.files import shipped
from leadscore.text import room_words
from leadscore.validation import unreadable

WORDS = room_words("city")

COLUMNS: Final = {
    "segment": ("segment", "环节"),
    "supply": ("supply", "has", "供给", "本地供给", "现状"),
    "sought": ("sought", "seeks", "引进", "是否引进", "要引进"),
    "anchors": ("anchors", "龙头", "龙头企业", "已有企业"),
}
"""The columns of the table, and how their headers may be written; the first one is needed."""
_SUPPLIES: Final = {
    **{word: word for word in SUPPLY_SCALE},
    "无": "none",
    "没有": "none",
    "缺": "none",
    "弱": "weak",
    "薄弱": "weak",
    "部分": "partial",
    "一般": "partial",
    "强": "strong",
    "优势": "strong",
    "完整": "complete",
}
_YES: Final = frozenset({"yes", "y", "true", "1", "是", "要", "引进", "√", "x"})
_NO: Final = frozenset({"no", "n", "false", "0", "否", "不", ""})
_BETWEEN: Final = re.compile(r"[、,，;；\n]+")


class DraftRow(NamedTuple):
    """What a city says of one segment."""

    entry: Entry
    supply: str  # a word of `SUPPLY_SCALE`, or a number 0..1 as text
    sought: bool
    anchors: tuple[str, ...]


def read_draft(path: Path) -> list[DraftRow]:
    """Read a table (.csv or .xlsx, the header in its first row); CityError with all mistakes."""
    try:
        if path.suffix.lower() == ".csv":
            text = path.read_bytes().decode("utf-8-sig")
            rows = [list(row) for row in csv.reader(io.StringIO(text))]
        else:
            from python_calamine import CalamineError, CalamineWorkbook  # late: it takes a while

            try:
                sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
            except CalamineError as fault:
                raise CityError(WORDS["drafting.no_table"].format(path=path)) from fault
            rows = [[str(cell) for cell in row] for row in sheet.to_python()]
    except OSError as fault:
        name = WORDS["drafting.the_table"].format(path=path)
        raise CityError(unreadable(name, fault)) from fault
    except UnicodeDecodeError:
        raise CityError(WORDS["drafting.no_table"].format(path=path)) from None
    return draft_rows(rows, source=path.name)


def draft_rows(rows: Sequence[Sequence[str]], *, source: str) -> list[DraftRow]:
    """Read rows of cells, of which the first one is the header; CityError with all mistakes."""
    header = [cell.strip().casefold() for cell in rows[0]] if rows else []
    places = {
        name: next((at for at, cell in enumerate(header) if cell in headers), None)
        for name, headers in COLUMNS.items()
    }
    if places["segment"] is None:
        wanted = [Detail(source, show(", ".join(header)), WORDS["drafting.columns"])]
        raise CityError(WORDS["drafting.no_segments"].format(source=source), wanted)
    known = _known()
    drafted: dict[str, DraftRow] = {}
    wrong: list[Detail] = []
    for number, row in enumerate(rows[1:], start=2):
        cells = {
            name: row[at].strip() if at is not None and at < len(row) else ""
            for name, at in places.items()
        }
        if not any(cells.values()):
            continue
        entry, supply = known.get(plain(cells["segment"])), _supply(cells["supply"])
        sought = cells["sought"].casefold()
        where = f"{source}: {number}"
        if entry is None:
            wish = one_of(cells["segment"], list(known), WORDS["loading.library_segment"])
            wrong.append(Detail(where, show(cells["segment"]), wish))
        elif entry.id in drafted:
            wrong.append(Detail(where, show(cells["segment"]), WORDS["drafting.once"]))
        if supply is None:
            wrong.append(Detail(where, show(cells["supply"]), WORDS["drafting.supply"]))
        if sought not in _YES | _NO:
            wrong.append(Detail(where, show(cells["sought"]), WORDS["drafting.sought"]))
        if entry is not None and supply is not None:
            anchors = tuple(
                name.strip() for name in _BETWEEN.split(cells["anchors"]) if name.strip()
            )
            drafted[entry.id] = DraftRow(entry, supply, sought in _YES, anchors)
    if wrong or not drafted:
        message = WORDS[f"drafting.{'invalid' if wrong else 'no_rows'}"]
        raise CityError(message.format(source=source, count=len(wrong)), wrong)
    return list(drafted.values())


def _known() -> dict[str, Entry]:
    # By full id, and by a name that only one segment bears.
    entries = list(library_segments())
    known = {entry.id: entry for entry in entries}
    names: dict[str, list[Entry]] = {}
    for entry in entries:
        for name in {entry.segment.name.zh, entry.segment.name.en}:
            names.setdefault(plain(name), []).append(entry)
    return {name: own[0] for name, own in names.items() if len(own) == 1} | known


def _supply(cell: str) -> str | None:
    if cell.casefold() in _SUPPLIES:
        return _SUPPLIES[cell.casefold()]
    if not cell:
        return "none"
    try:
        share = float(cell)
    except ValueError:
        return None
    return str(share) if 0 <= share <= 1 else None


def profile_text(
    rows: Iterable[DraftRow], *, city_id: str, name: tuple[str, str], division_code: str
) -> str:
    """Return a profile as TOML: what the table says, and the rest from the template to be changed.

    ``name`` is in Chinese and English; the points of the expert card are the template's.
    """
    template = shipped("templates", "city.toml").read_text("utf-8")
    head = template[: template.index("# 一条产业链，其下逐个写环节")]
    card = template[template.index("# 专家评分卡") :]
    zh, en = (json.dumps(half, ensure_ascii=False) for half in name)
    head = re.sub(r'(?m)^id = "example"$', f'id = "{city_id}"', head)
    head = re.sub(r'(?m)^name = \{ zh = "示例市".*$', f"name = {{ zh = {zh}, en = {en} }}", head)
    head = re.sub(r'(?m)^division_code = ""', f'division_code = "{division_code}"', head)
    by_chain: dict[str, list[DraftRow]] = {}
    for row in rows:
        by_chain.setdefault(row.entry.segment.chain_id, []).append(row)
    chains = ", ".join(f"{chain} = 4" for chain in by_chain)
    card = re.sub(r"(?m)^levels = \{ drones = 4,", f"levels = {{ {chains},", card)
    return head + "\n".join([*_chains(by_chain), *_anchors(by_chain), "", card])


def _chains(by_chain: dict[str, list[DraftRow]]) -> Iterator[str]:
    for chain_id, rows in by_chain.items():
        yield f"# {library_chain(chain_id).name.zh} · {library_chain(chain_id).name.en}"
        yield f'[[chain]]\nlibrary = "{chain_id}"\n'
        for entry, supply, sought, _ in rows:
            yield f"[[chain.segment]] # {entry.segment.name.zh} · {entry.segment.name.en}"
            yield f'library = "{entry.id}"'
            yield f'supply = "{supply}"' if supply in SUPPLY_SCALE else f"supply = {supply}"
            yield "sought = true\n" if sought else ""


def _anchors(by_chain: dict[str, list[DraftRow]]) -> Iterator[str]:
    segments: dict[str, list[str]] = {}
    for row in (row for rows in by_chain.values() for row in rows):
        for name in row.anchors:
            segments.setdefault(name, []).append(row.entry.id)
    for name, ids in segments.items():
        quoted = json.dumps(name, ensure_ascii=False)
        yield f"[[anchor]]\nname = {{ zh = {quoted}, en = {quoted} }}"
        yield f'kind = "manufacturer"\nsegments = {json.dumps(ids)}\n'
