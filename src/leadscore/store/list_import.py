"""Takes a list in: from the file to firms that are linked, merged, scored and placed."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    Table,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy import Text as LongText

from leadscore.errors import Detail, LeadscoreError, ListError
from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.columns import CANONICAL, recognise
from leadscore.lists.dedupe import settle_repeats
from leadscore.lists.problems import Problem, shown
from leadscore.lists.reading.file import read_list
from leadscore.lists.reading.header import UNREAD, HeaderPlace, header_place, split_address
from leadscore.lists.reading.table import RawList, TextTable
from leadscore.ranking.batch import Counts
from leadscore.ranking.score import Scorer
from leadscore.store.current_ranking import STANDINGS
from leadscore.store.database import METADATA, Database, Json, Number, plain_values, storable_text
from leadscore.store.errors import StoreError
from leadscore.store.firms import Firm, Records, field_records, next_firm_id
from leadscore.store.linking import Linked, Origins, Record, all_merged, as_seen, link
from leadscore.store.lists import (
    LIST_FIRMS,
    KeptList,
    counts_dict,
    end_list,
    file_of,
    keep_problems,
    read_kept_list,
    set_state,
)
from leadscore.store.scoring import (
    PAUSE_SECONDS,
    WRITTEN_AT_ONCE,
    ScoredFirms,
    score_firms,
    write_firms,
    write_scores,
)
from leadscore.text import Text, room_words

WORDS = room_words("store")


_LABELS = {each.name: each.label.zh for each in CANONICAL}
_UNIT = re.compile(r"\s*[（(][^（）()]*[）)]\s*$")
_LONGEST_NAME = 80


@dataclass(frozen=True, eq=False)
class Uploaded:
    """A file that was handed in, as it stands and as it was understood.

    Attributes
    ----------
    raw
        Its tables, with their own headers.
    meant
        The same tables with the headers that count: other ones where its owner named the column,
        empty where a column is not to be read.
    clean
        Its firms, each once, and its problems.
    """

    raw: RawList
    meant: RawList
    clean: CleanList


def read_uploaded(
    content: bytes,
    file_name: str,
    mapping: Mapping[str, str],
    *,
    today: date,
    place: HeaderPlace | None = None,
) -> Uploaded:
    """Return a file as it stands, and the firms that it holds, each once.

    Parameters
    ----------
    content
        The file.
    file_name
        What its owner calls it, for messages.
    mapping
        Canonical columns, or "" for one that is not to be read, by the headers that mean them or by
        their places: ``sheet!B3``, or ``sheet!B`` where the row of the header is to be found; of
        files without sheets ``!B3`` and ``!B``. Then no other sheet is read. Headers that aren't
        named are recognised as ever.
    today
        Days after it are not believed.
    place
        Where the header stands if no key of ``mapping`` says so.

    Raises
    ------
    ListError
        If the file can't be read, or the mapping names a header or a column that isn't there.
    """
    check_mapping(mapping)
    place = header_place(mapping) or place
    with tempfile.TemporaryDirectory(prefix="leadscore-") as folder:
        path = Path(folder) / _plain_name(file_name)
        path.write_bytes(content)
        raw = read_list(path, place)
    if not mapping:
        return Uploaded(raw, raw, settle_repeats(clean(raw, today=today)))
    mapped, headers = _mapped(raw, mapping)
    cleaned = settle_repeats(clean(mapped, today=today))
    problems = (
        replace(problem, column=headers.get(problem.column or "", problem.column))
        for problem in cleaned.problems
    )
    return Uploaded(raw, mapped, replace(cleaned, problems=tuple(problems)))


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Refuse a mapping to columns that are not canonical ones.

    Raises
    ------
    ListError
        Naming each of them.
    """
    wrong = [Detail(header, name, WORDS["list_import.a_column"]) for header, name in mapping.items()
             if name not in _LABELS and name != UNREAD]  # fmt: skip
    if wrong:
        raise ListError(WORDS["list_import.bad_mapping"], wrong)


def _mapped(raw: RawList, mapping: Mapping[str, str]) -> tuple[RawList, dict[str, str]]:
    """Return the list with other headers, and what each of these was."""
    cells = {key: cell for key in mapping if (cell := split_address(key)) is not None}
    there = {header for table in raw.tables for header in table.headers}
    widest = max(len(table.headers) for table in raw.tables)
    absent = [Detail("mapping", key, WORDS["list_import.a_header"]) for key in mapping
              if (cells[key][2] >= widest if key in cells else key not in there)]  # fmt: skip
    if absent:
        raise ListError(WORDS["list_import.bad_mapping"], absent)
    by_place = {cell[2]: mapping[key] for key, cell in cells.items()}
    was: dict[str, str] = {}

    def rename(table: TextTable) -> TextTable:
        headers = list(table.headers)
        for at, header in enumerate(table.headers):
            name = by_place.get(at, mapping.get(header))
            if name is not None:
                headers[at] = _header(header, name)
                was.setdefault(headers[at], header)
        return replace(table, headers=tuple(headers))

    tables = tuple(rename(table) for table in raw.tables)
    return replace(raw, tables=tables), was


def _header(header: str, column: str) -> str:
    """Return a header that means a column, with the unit that the old one names."""
    if column == UNREAD:
        return ""
    unit = _UNIT.search(header)
    return _LABELS[column] + (unit.group() if unit else "")


def _plain_name(file_name: str) -> str:
    """Return a name that a file may have on any system, for messages only."""
    last = re.split(r"[/\\]", file_name)[-1]
    name = re.sub(r'[<>:"|?*\x00-\x1f]', "_", last)[-_LONGEST_NAME:].strip(". ")
    return shown(name) or "list"


LIST_FAILED_ROWS = Table(
    "list_failed_rows",
    METADATA,
    Column("list_id", Number, ForeignKey("lists.id"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("sheet", LongText),
    Column("row", Integer),
    Column("cells", Json, nullable=False),
)
"""``row`` is missing where ``cells`` are the headers of the sheet, which precede its rows. Columns
about people are left out, as everywhere in the store."""

MOST_ROWS = 10_000
"""More rows than these are not mended by hand: then it is the export that needs another look."""


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A row as it stood in the file, or the headers of a sheet, where ``row`` is missing."""

    sheet: str | None
    row: int | None
    cells: list[str | None]


def failed_rows(uploaded: Uploaded) -> Iterator[FailedRow]:
    """Yield headers and rows with problems, sheet by sheet, at most `MOST_ROWS` of them."""
    wrong = {(each.sheet, each.row) for each in uploaded.clean.problems if each.row is not None}
    left = MOST_ROWS
    for raw, meant in zip(uploaded.raw.tables, uploaded.meant.tables, strict=True):
        kept = _columns(meant)
        places = [at for at, row in enumerate(raw.rows.tolist()) if (raw.sheet, row) in wrong]
        places = places[:left]
        if not places or not kept:
            continue
        left -= len(places)
        yield FailedRow(raw.sheet, None, [raw.headers[at] for at in kept])
        part = raw.cells.iloc[places, kept]
        texts = part.astype(object).where(part.notna(), None)
        for at, cells in zip(places, texts.itertuples(index=False, name=None), strict=True):
            yield FailedRow(raw.sheet, int(raw.rows[at]), list(cells))


def _columns(table: TextTable) -> list[int]:
    """Return the places of the columns that are not about people."""
    found = []
    for at, header in enumerate(table.headers):
        meaning = recognise(header) if header else None
        if meaning is None or not meaning.personal:
            found.append(at)
    return found


def keep_failed_rows(connection: Connection, list_id: int, rows: Iterator[FailedRow]) -> None:
    """Keep the rows of a list in the place of those that were kept of it before."""
    connection.execute(delete(LIST_FAILED_ROWS).where(LIST_FAILED_ROWS.c.list_id == list_id))
    values = [
        {"list_id": list_id, "position": position, "sheet": each.sheet, "row": each.row,
         "cells": [cell and storable_text(cell) for cell in each.cells]}
        for position, each in enumerate(rows, start=1)
    ]  # fmt: skip
    if values:
        connection.execute(LIST_FAILED_ROWS.insert(), values)


def kept_failed_rows(connection: Connection, list_id: int) -> list[FailedRow]:
    """Return what was kept of a list, in order."""
    kept = LIST_FAILED_ROWS.c
    query = select(kept.sheet, kept.row, kept.cells).where(kept.list_id == list_id)
    return [FailedRow(*row) for row in connection.execute(query.order_by(kept.position))]


def count_failed_rows(connection: Connection, list_id: int) -> int:
    """Return how many rows of a list are kept."""
    kept = LIST_FAILED_ROWS.c
    query = select(func.count()).where(kept.list_id == list_id, kept.row.is_not(None))
    return connection.execute(query).scalar_one()


_ADD_MEMBER = LIST_FIRMS.insert().values(
    order_key=select(STANDINGS.c.order_key)
    .where(STANDINGS.c.firm_id == bindparam("placed"))
    .scalar_subquery()
)


@dataclass(frozen=True, eq=False)
class Look:
    """What is to be written, if the store is still as it was.

    Attributes
    ----------
    linked
        The rows that aren't stored yet, and which firms they are.
    said
        What the list says of each.
    records, origins
        What is known of each once it has, and where each field is from.
    scored
        Their scores.
    """

    linked: Linked
    said: Records
    records: list[Record]
    origins: list[Origins]
    scored: ScoredFirms

    def __len__(self) -> int:
        """Return how many firms are yet to be stored."""
        return len(self.records)


def look(
    database: Database,
    kept: KeptList,
    clean: CleanList,
    *,
    scorer: Scorer,
    today: date,
    now: datetime,
    progress: Callable[[int, int], object],
) -> Look:
    """Link, merge and score the rows of a list that are not stored yet.

    Parameters
    ----------
    database
        With the tables of the store.
    kept
        The list.
    clean
        What it says.
    scorer
        The champion.
    today, now
        Day as of which the firms are scored, and when.
    progress
        Told how many firms are scored, and how many there are.
    """
    with database.read() as connection:
        linked = _lacking(connection, kept.id, link(connection, clean))
    said = field_records(linked.firms)
    records, origins = all_merged(
        linked.known, (fields for _, fields in said), linked.firms["row"].tolist(),
        list_id=kept.id, at=now, as_of=kept.as_of,
    )  # fmt: skip
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        progress(done, len(records))

    scored = score_firms(records, scorer, as_of=today, progress=tell)
    return Look(linked, said, records, origins, scored)


def _lacking(connection: Connection, list_id: int, linked: Linked) -> Linked:
    """Leave out the rows that are stored already, by a worker that was stopped or before others."""
    query = select(LIST_FIRMS.c.sheet, LIST_FIRMS.c.row, LIST_FIRMS.c.firm_id)
    members = connection.execute(query.where(LIST_FIRMS.c.list_id == list_id)).all()
    if not members:
        return linked
    stored = {(member.sheet, member.row) for member in members}
    firms = {member.firm_id for member in members}
    rows, names = linked.firms["row"].tolist(), plain_values(linked.firms["name"])
    places = list(zip(plain_values(linked.firms["sheet"]), rows, strict=True))
    left, problems = [], list(linked.problems)
    for at, (place, firm) in enumerate(zip(places, linked.known, strict=True)):
        if place in stored:
            continue
        if firm is None or firm.id not in firms:
            left.append(at)
            continue
        (sheet, row), wanted = place, WORDS["list_import.twice"].format(id=firm.id)
        found = shown(names[at])
        problems.append(Problem(row, None, found, wanted, "repeat", sheet, set_aside=True))
    return replace(
        linked,
        firms=linked.firms.iloc[np.array(left, dtype=np.int64)].reset_index(drop=True),
        known=[linked.known[at] for at in left],
        problems=problems,
    )


def store_part(
    database: Database,
    kept: KeptList,
    look: Look,
    part: slice,
    ours: set[int],
    *,
    now: datetime,
    check: Callable[[], object],
) -> bool:
    """Store some firms in one transaction; False if somebody else has changed one meanwhile.

    Parameters
    ----------
    database
        With the tables of the store.
    kept
        The list.
    look
        What is to be stored.
    part
        Which of its firms.
    ours
        Numbers of the firms that were stored since the look; those of the part are added.
    now
        When; with a time zone.
    check
        Called between the steps; it may raise, and then nothing of the part is stored.
    """
    rows, known = look.linked.firms.iloc[part], look.linked.known[part]
    with database.write() as connection:
        first = next_firm_id(connection)
        if not as_seen(connection, look.linked, part, ours):
            return False
        check()
        firms = write_firms(connection, known, look.records[part], look.origins[part],
                            first=first, now=now)  # fmt: skip
        check()
        seen = {firm.id: (kept.id, row) for firm, row in
                zip(firms, rows["row"].tolist(), strict=True)}  # fmt: skip
        write_scores(connection, firms, look.scored, seen, start=part.start, now=now,
                     source=kept.file_name)  # fmt: skip
        _write_members(connection, kept, look, part, firms)
        check()
    ours.update(firm.id for firm in firms)
    return True


def end_of_list(database: Database, kept: KeptList, clean: CleanList, look: Look) -> Counts:
    """Keep what was wrong with a list of which all firms are stored, and where its rows went."""
    problems = _in_order(clean, look.linked.problems)
    with database.write() as connection:
        counts = _counts(connection, kept.id, clean.rows_in)
        keep_problems(connection, kept.id, problems)
        end_list(
            connection, kept.id, "done", counts=counts_dict(counts), model=look.scored.model,
            notices=[{"zh": notice.zh, "en": notice.en} for notice in clean.notices],
        )  # fmt: skip
    return counts


def _write_members(
    connection: Connection, kept: KeptList, look: Look, part: slice, firms: list[Firm]
) -> None:
    rows = look.linked.firms.iloc[part]
    members = [
        {"list_id": kept.id, "firm_id": firm.id, "placed": firm.id, "row": row, "sheet": sheet,
         "said": None if fields == record else fields}
        for firm, row, sheet, (_, fields), record in zip(
            firms, rows["row"].tolist(), plain_values(rows["sheet"]), look.said[part],
            look.records[part], strict=True,
        )
    ]  # fmt: skip
    connection.execute(_ADD_MEMBER, members)


def _in_order(clean: CleanList, found: list[Problem]) -> list[Problem]:
    """Return all problems by sheet and row, as the list has them."""
    both = (*clean.problems, *found)
    order = {sheet: place for place, sheet in enumerate(dict.fromkeys(p.sheet for p in both))}
    return sorted(both, key=lambda problem: (order[problem.sheet], problem.row or -1))


def _counts(connection: Connection, list_id: int, rows: int) -> Counts:
    """Return where the rows went: what is stored stands in the ranking, the rest was set aside."""
    members = LIST_FIRMS.join(STANDINGS, STANDINGS.c.firm_id == LIST_FIRMS.c.firm_id)
    query = select(STANDINGS.c.vetoed, func.count()).select_from(members)
    grouped = query.where(LIST_FIRMS.c.list_id == list_id).group_by(STANDINGS.c.vetoed)
    stored = {row[0]: row[1] for row in connection.execute(grouped)}
    ranked, vetoed = stored.get(False, 0), stored.get(True, 0)
    return Counts(rows, ranked, vetoed, rows - ranked - vetoed)


Progress = Callable[[float, Text], object]

_READ, _SCORED = 0.15, 0.8  # of all the work, once the file is read and its firms are scored
_LOOKS = 5
"""Looks in vain, one after the other, at a list of which others keep changing the firms."""

_READING = WORDS["list_import.reading"]
_SCORING = WORDS["list_import.scoring"]


def take_in_list(
    database: Database,
    list_id: int,
    *,
    scorer: Scorer,
    now: datetime,
    today: date,
    progress: Progress = lambda _fraction, _words: None,
    check: Callable[[], object] = lambda: None,
) -> Counts:
    """Read, link, merge, score and keep the firms of a list that was handed in.

    A list that was taken in already is left as it is.

    Parameters
    ----------
    database
        With the tables of the store.
    list_id
        A list of `leadscore.store.lists`.
    scorer
        The champion.
    now
        When; with a time zone.
    today
        Day as of which the firms are scored.
    progress
        Told how far the work is, 0..1; it may raise to end it.
    check
        Called often while firms are stored; it may raise to end it, and must not write.

    Raises
    ------
    ListError
        If the file can't be read as a list. The list is kept as failed.
    """
    try:
        with database.write() as connection:
            kept, content = read_kept_list(connection, list_id), file_of(connection, list_id)
            if content is None:
                return Counts(**(kept.counts or counts_dict(Counts(0, 0, 0, 0))))
            set_state(connection, list_id, "reading")
        progress(0.0, _READING)
        read = read_uploaded(content, kept.file_name, kept.mapping, today=today)
        with database.write() as connection:
            set_state(connection, list_id, "scoring")
            keep_failed_rows(connection, list_id, failed_rows(read))
        last = _stored(database, kept, read.clean, scorer, today, now, progress, check)
        return end_of_list(database, kept, read.clean, last)
    except LeadscoreError as error:
        words = {"code": error.code, "zh": error.render("zh"), "en": error.render("en")}
        with database.write() as connection:
            end_list(connection, list_id, "failed", error=words)
        raise


def _stored(
    database: Database, kept: KeptList, clean: CleanList, scorer: Scorer, today: date,
    now: datetime, progress: Progress, check: Callable[[], object],
) -> Look:  # fmt: skip
    """Store all firms of a list; return the last look at it."""

    def scored(done: int, all_: int) -> None:
        share = _READ + (_SCORED - _READ) * done / max(all_, 1)
        progress(share, _SCORING.format(done=done, all=all_))

    in_vain = 0
    while in_vain < _LOOKS:
        found = look(database, kept, clean, scorer=scorer, today=today, now=now, progress=scored)
        ours: set[int] = set()
        for start in range(0, len(found), WRITTEN_AT_ONCE):
            share = _SCORED + (1 - _SCORED) * start / len(found)
            progress(share, WORDS["list_import.storing"].format(done=start, all=len(found)))
            part = slice(start, start + WRITTEN_AT_ONCE)
            if not store_part(database, kept, found, part, ours, now=now, check=check):
                break
            time.sleep(PAUSE_SECONDS)
        if len(ours) == len(found):
            return found
        in_vain = 0 if ours else in_vain + 1
    raise StoreError(WORDS["list_import.busy"])
