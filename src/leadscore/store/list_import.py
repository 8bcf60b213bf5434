"""Takes a list in: from the file to firms that are linked, merged, scored and placed."""

from __future__ import annotations

import gc
import re
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.errors import LeadscoreError
from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.columns import recognise
from leadscore.lists.dedupe import settle_repeats
from leadscore.lists.mapping import check_mapping, with_mapping
from leadscore.lists.problems import Problem
from leadscore.lists.reading import read_list
from leadscore.lists.reading.header import HeaderPlace, header_place
from leadscore.lists.reading.table import (
    UPLOADED,
    Limits,
    RawList,
    release_memory,
)
from leadscore.ranking.batch import Counts, processes_for, scoring_processes
from leadscore.ranking.score import Scorer
from leadscore.store.current_ranking import STANDINGS
from leadscore.store.database import (
    METADATA,
    Database,
    Number,
    StoreError,
    columns_of,
    insert_rows,
    plain_values,
    storable_text,
)
from leadscore.store.firms import Records, field_records, next_firm_id, write_firms
from leadscore.store.lists import (
    LIST_FIRMS,
    KeptList,
    end_list,
    file_of,
    keep_problems,
    read_kept_list,
    set_state,
)
from leadscore.store.scoring import (
    KeptScore,
    Linked,
    Origins,
    Portions,
    Record,
    all_merged,
    as_seen,
    link,
    score_firms,
    write_scores,
)
from leadscore.text import Text, room_words, shown

WORDS = room_words("store")

_LONGEST_NAME = 80


@dataclass(frozen=True, eq=False)
class Uploaded:
    """A file that was handed in, as it stands and as it was understood.

    ``meant`` are the tables of ``raw`` with the headers that count: other ones where its owner
    named the column, empty where a column is not to be read; ``clean`` has its firms, each once.
    """

    raw: RawList
    meant: RawList
    clean: CleanList


@contextmanager
def as_file(content: bytes, file_name: str) -> Iterator[Path]:
    """Give a file that was handed in a place on the disk, under a name for messages."""
    with tempfile.TemporaryDirectory(prefix="leadscore-") as folder:
        path = Path(folder) / _plain_name(file_name)
        path.write_bytes(content)
        yield path


def read_uploaded(
    path: Path, mapping: Mapping[str, str], *, today: date, place: HeaderPlace | None = None,
    limits: Limits = UPLOADED,
) -> Uploaded:  # fmt: skip
    """Return a file as it stands, and the firms that it holds, each once.

    ``mapping`` has canonical columns, or "" for one that is not to be read, by the headers that
    mean them or by their places: ``sheet!B3``, or ``sheet!B`` where the row of the header is to be
    found; of files without sheets ``!B3`` and ``!B``. Then no other sheet is read. Headers that
    aren't named are recognised as ever. ``place`` is where the header stands if no key of
    ``mapping`` says so. Days after ``today`` are not believed. ``limits`` say how much is read.

    Raises `ListError` if the file can't be read, or the mapping names a header or a column that
    isn't there.
    """
    check_mapping(mapping)
    place = header_place(mapping) or place
    raw = read_list(path, place, limits)
    if not mapping:
        return Uploaded(raw, raw, _firms_of(raw, today))
    mapped, headers = with_mapping(raw, mapping)
    cleaned = _firms_of(mapped, today)
    problems = (
        replace(problem, column=headers.get(problem.column or "", problem.column))
        for problem in cleaned.problems
    )
    return Uploaded(raw, mapped, replace(cleaned, problems=tuple(problems)))


def _firms_of(raw: RawList, today: date) -> CleanList:
    firms = clean(raw, today=today)
    release_memory()
    return settle_repeats(firms)


def _plain_name(file_name: str) -> str:
    # For messages only.
    last = re.split(r"[/\\]", file_name)[-1]
    name = re.sub(r'[<>:"|?*\x00-\x1f]', "_", last)[-_LONGEST_NAME:].strip(". ")
    return shown(name) or "list"


# More rows than these are not mended by hand: then it is the export that needs another look.
_MOST_FAILED_ROWS = 10_000


class FailedRow(NamedTuple):
    """A row as it stood in the file, or the headers of a sheet, where ``row`` is missing.

    The headers precede their rows. Columns about people are left out, as everywhere in the store.
    """

    sheet: str | None
    row: int | None
    cells: list[str | None]


LIST_FAILED_ROWS = sa.Table(
    "list_failed_rows",
    METADATA,
    sa.Column("list_id", Number, sa.ForeignKey("lists.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    *columns_of(FailedRow),
)


def _failed_rows(uploaded: Uploaded) -> Iterator[FailedRow]:
    wrong = {(each.sheet, each.row) for each in uploaded.clean.problems if each.row is not None}
    left = _MOST_FAILED_ROWS
    for raw, meant in zip(uploaded.raw.tables, uploaded.meant.tables, strict=True):
        meanings = [recognise(header) if header else None for header in meant.headers]
        shared = [at for at, column in enumerate(meanings) if not (column and column.personal)]
        places = [at for at, row in enumerate(raw.rows.tolist()) if (raw.sheet, row) in wrong]
        places = places[:left]
        if not places or not shared:
            continue
        left -= len(places)
        yield FailedRow(raw.sheet, None, [raw.headers[at] for at in shared])
        part = raw.cells.iloc[places, shared]
        texts = part.astype(object).where(part.notna(), None)
        for at, cells in zip(places, texts.itertuples(index=False, name=None), strict=True):
            yield FailedRow(raw.sheet, int(raw.rows[at]), list(cells))


def _keep_failed_rows(connection: Connection, list_id: int, rows: Iterable[FailedRow]) -> None:
    connection.execute(sa.delete(LIST_FAILED_ROWS).where(LIST_FAILED_ROWS.c.list_id == list_id))
    values = [
        {"list_id": list_id, "position": position, "sheet": sheet, "row": row,
         "cells": [cell and storable_text(cell) for cell in cells]}
        for position, (sheet, row, cells) in enumerate(rows, start=1)
    ]  # fmt: skip
    insert_rows(connection, LIST_FAILED_ROWS, values)


def kept_failed_rows(connection: Connection, list_id: int) -> list[FailedRow]:
    """Return what was kept of a list, in order."""
    kept = LIST_FAILED_ROWS.c
    query = sa.select(kept.sheet, kept.row, kept.cells).where(kept.list_id == list_id)
    return [FailedRow(*row) for row in connection.execute(query.order_by(kept.position))]


def count_failed_rows(connection: Connection, list_id: int) -> int:
    """Return how many rows of a list are kept."""
    kept = LIST_FAILED_ROWS.c
    query = sa.select(sa.func.count()).where(kept.list_id == list_id, kept.row.is_not(None))
    return connection.execute(query).scalar_one()


_READ = 0.15  # of all the work, once the file is read and its firms are linked
_PIECE = 2_000  # firms that are scored together, and then stored
_MINUTE = 90  # seconds from which minutes are said
_PLANS = 5  # in vain, one after the other, for a list of which others keep changing the firms


def take_in_list(
    database: Database, list_id: int, *, scorer: Scorer, now: datetime, today: date,
    progress: Callable[[float, Text], object] = lambda _fraction, _words: None,
    check: Callable[[], object] = lambda: None,
) -> Counts:  # fmt: skip
    """Read, link, merge, score as of today and keep the firms of a list that was handed in.

    A list that was taken in already is left as it is. ``progress`` is told how far the work is,
    0..1; it may raise to end it. ``check`` is called often while firms are stored; it may raise,
    too, and must not write. Raises `ListError` if the file can't be read as a list, which is then
    kept as failed.
    """
    try:
        with database.write() as connection:
            kept, content = read_kept_list(connection, list_id), file_of(connection, list_id)
            if content is None:
                return Counts(**kept.counts) if kept.counts else Counts(0, 0, 0, 0)
            set_state(connection, list_id, "reading")
        progress(0.0, WORDS["list_import.reading"])
        with as_file(content, kept.file_name) as path:
            del content  # it and the text of its cells need not stay while firms are scored
            read = read_uploaded(path, kept.mapping, today=today)
        clean, failed = read.clean, list(_failed_rows(read))
        del read
        with database.write() as connection:
            set_state(connection, list_id, "scoring")
            _keep_failed_rows(connection, list_id, failed)
        del failed
        release_memory()
        with _no_search_for_garbage():
            return _Import(database, kept, clean, scorer, today, now, progress, check).run()
    except LeadscoreError as error:
        words = {"code": error.code, "zh": error.render("zh"), "en": error.render("en")}
        with database.write() as connection:
            end_list(connection, list_id, "failed", error=words)
        raise


@contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    # A long list is millions of objects and none of them a cycle: looking for some again and again
    # takes a quarter of the time in which it is stored.
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is to be written, if the store is still as it was.

    The rows that aren't stored yet, where they stand and which firms they are, what the list says
    of each, what is known of each once it has, and where each field is from.
    """

    linked: Linked
    rows: list[int]
    sheets: list[str | None]
    said: Records
    records: list[Record]
    origins: list[Origins]


@dataclass(frozen=True, eq=False)
class _Import:
    """The firms of one list on their way into the store."""

    database: Database
    kept: KeptList
    clean: CleanList
    scorer: Scorer
    today: date
    now: datetime
    progress: Callable[[float, Text], object]
    check: Callable[[], object]

    def run(self) -> Counts:
        in_vain = 0
        while in_vain < _PLANS:
            plan, ours = self._planned(), set[int]()
            self._store(plan, ours)
            if len(ours) == len(plan.records):
                return self._end(plan)
            in_vain = 0 if ours else in_vain + 1
        raise StoreError(WORDS["list_import.busy"])

    def _planned(self) -> _Plan:
        with self.database.read() as connection:
            linked = _lacking(connection, self.kept.id, link(connection, self.clean))
        _ = linked.keys  # which takes a while, so not while others wait
        said = field_records(linked.firms)
        rows, sheets = linked.firms["row"].tolist(), plain_values(linked.firms["sheet"])
        records, origins = all_merged(
            linked.known, (fields for _, fields in said), rows, list_id=self.kept.id,
            at=self.now, as_of=self.kept.as_of,
        )  # fmt: skip
        return _Plan(linked, rows, sheets, said, records, origins)

    def _store(self, plan: _Plan, ours: set[int]) -> None:
        # While some firms are stored others score the next ones; all but one of the cores, for that
        # which stores. It ends where a firm is no longer as it was seen.
        records, total = plan.records, len(plan.records)
        pieces = [records[at : at + _PIECE] for at in range(0, total, _PIECE)]
        portions, begun, done = Portions(self.database), time.monotonic(), 0
        self._tell(done, total, begun)
        with scoring_processes(self.scorer, processes_for(total, spared=1)) as score:
            for scored in score(partial(score_firms, as_of=self.today), pieces):
                for of_piece in portions.parts(len(scored)):
                    some = scored[of_piece]
                    part = slice(done, done + len(some))
                    with portions.write(len(some)) as connection:
                        firms = self._stored(connection, plan, part, some, ours)
                    if firms is None:
                        return
                    ours.update(firms)
                    done += len(some)
                    self._tell(done, total, begun)

    def _tell(self, done: int, total: int, begun: float) -> None:
        if not total:
            return
        left = round((time.monotonic() - begun) * (total - done) / done) if done else None
        words = WORDS["list_import.storing"].format(done=done, all=total)
        if left:
            time_left = WORDS["list_import.seconds"].format(count=left)
            if left > _MINUTE:
                time_left = WORDS["list_import.minutes"].format(count=round(left / 60))
            words = WORDS["list_import.storing_still"].format(done=done, all=total, left=time_left)
        self.progress(_READ + (1 - _READ) * done / total, words)

    def _stored(
        self, connection: Connection, plan: _Plan, part: slice, scored: Sequence[KeptScore],
        ours: Collection[int],
    ) -> list[int] | None:  # fmt: skip
        # Nothing is stored, and None returned, if somebody has changed one of the firms meanwhile.
        # ``ours`` are the firms that were stored since the plan was made.
        first = next_firm_id(connection)
        if not as_seen(connection, plan.linked, part, ours):
            return None
        self.check()
        known, records = plan.linked.known[part], plan.records[part]
        firms = write_firms(
            connection, known, records, plan.origins[part], first=first, now=self.now
        )
        self.check()
        numbers = [firm.id for firm in firms]
        rows, sheets = plan.rows[part], plan.sheets[part]
        seen = {number: (self.kept.id, row) for number, row in zip(numbers, rows, strict=True)}
        keys = write_scores(
            connection, firms, scored, seen, now=self.now, source=self.kept.file_name,
            new={number for number in numbers if number >= first},
        )  # fmt: skip
        said = (fields for _, fields in plan.said[part])
        members = [
            {"list_id": self.kept.id, "firm_id": number, "row": row, "sheet": sheet,
             "said": None if fields == record else fields, "order_key": key}
            for number, row, sheet, fields, record, key in zip(
                numbers, rows, sheets, said, records, keys, strict=True
            )
        ]  # fmt: skip
        insert_rows(connection, LIST_FIRMS, members)
        self.check()
        return numbers

    def _end(self, plan: _Plan) -> Counts:
        # What is stored stands in the ranking, the rest was set aside.
        problems = [*self.clean.problems, *plan.linked.problems]
        sheets = {sheet: at for at, sheet in enumerate(dict.fromkeys(p.sheet for p in problems))}
        problems.sort(key=lambda problem: (sheets[problem.sheet], problem.row or -1))
        stored = (
            sa.select(STANDINGS.c.vetoed, sa.func.count())
            .join_from(LIST_FIRMS, STANDINGS, STANDINGS.c.firm_id == LIST_FIRMS.c.firm_id)
            .where(LIST_FIRMS.c.list_id == self.kept.id)
            .group_by(STANDINGS.c.vetoed)
        )
        portions = Portions(self.database)
        for part in portions.parts(len(problems)):
            some = problems[part]
            with portions.write(len(some)) as connection:
                self.check()
                keep_problems(connection, self.kept.id, some, after=part.start)
        with self.database.write() as connection:
            many = {row[0]: row[1] for row in connection.execute(stored)}
            ranked, vetoed = many.get(False, 0), many.get(True, 0)
            rows = self.clean.rows_in
            counts = Counts(rows, ranked, vetoed, rows - ranked - vetoed)
            end_list(
                connection, self.kept.id, "done", counts=asdict(counts),
                model=self.scorer.model,
                notices=[asdict(notice) for notice in self.clean.notices],
            )  # fmt: skip
        return counts


def _lacking(connection: Connection, list_id: int, linked: Linked) -> Linked:
    # By a worker that was stopped, or before others changed firms of the list.
    query = sa.select(LIST_FIRMS.c.sheet, LIST_FIRMS.c.row, LIST_FIRMS.c.firm_id)
    members = connection.execute(query.where(LIST_FIRMS.c.list_id == list_id)).all()
    if not members:
        return linked
    stored = {(member.sheet, member.row) for member in members}
    firms = {member.firm_id for member in members}
    table = linked.firms
    columns = (plain_values(table["sheet"]), table["row"].tolist(), plain_values(table["name"]))
    left, problems = [], list(linked.problems)
    for at, (sheet, row, name, firm) in enumerate(zip(*columns, linked.known, strict=True)):
        if (sheet, row) in stored:
            continue
        if firm is None or firm.id not in firms:
            left.append(at)
            continue
        wanted = WORDS["list_import.twice"].format(id=firm.id)
        problems.append(Problem(row, None, shown(name), wanted, "repeat", sheet, set_aside=True))
    return replace(
        linked,
        firms=table.iloc[np.array(left, dtype=np.int64)].reset_index(drop=True),
        known=[linked.known[at] for at in left],
        problems=problems,
    )
