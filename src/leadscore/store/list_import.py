"""Takes a list in: from the file to firms that are linked, merged, scored and placed."""

from __future__ import annotations

import gc
import re
import tempfile
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.errors import LeadscoreError
from leadscore.lists.cleaning import CleanList
from leadscore.lists.columns import recognise
from leadscore.lists.own_columns import OwnValues, own_headers, own_values
from leadscore.lists.problems import Problem
from leadscore.lists.reading.table import UPLOADED, release_memory
from leadscore.lists.understanding import ReadList, read_firms
from leadscore.ranking.batch import Counts, processes_for, scoring_processes
from leadscore.ranking.score import Scorer
from leadscore.store.contributions import replaced_by
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
from leadscore.store.facts import Corrections, corrections_of, with_corrections
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
from leadscore.store.snapshots import keep_records
from leadscore.text import Text, room_words, shown

WORDS = room_words("store")

_LONGEST_NAME = 80


@contextmanager
def as_file(content: bytes, file_name: str) -> Iterator[Path]:
    """Give a file that was handed in a place on the disk, under a name for messages."""
    with tempfile.TemporaryDirectory(prefix="leadscore-") as folder:
        path = Path(folder) / _plain_name(file_name)
        path.write_bytes(content)
        yield path


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


def _failed_rows(read: ReadList) -> Iterator[FailedRow]:
    wrong = {(each.sheet, each.row) for each in read.clean.problems if each.row is not None}
    left = _MOST_FAILED_ROWS
    for raw, meant in zip(read.mapped.raw.tables, read.mapped.meant.tables, strict=True):
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
                counts = kept.counts or {}
                return Counts(*(counts.get(each.name, 0) for each in fields(Counts)))
            set_state(connection, list_id, "reading")
        progress(0.0, WORDS["list_import.reading"])
        with as_file(content, kept.file_name) as path:
            del content  # it and the text of its cells need not stay while firms are scored
            read = read_firms(path, kept.mapping, today=today, limits=UPLOADED)
        clean, failed = read.clean, list(_failed_rows(read))
        own = own_values(read.mapped)
        del read
        with database.write() as connection:
            set_state(connection, list_id, "scoring")
            _keep_failed_rows(connection, list_id, failed)
        del failed
        release_memory()
        with _no_search_for_garbage():
            return _Import(database, kept, clean, own, scorer, today, now, progress, check).run()
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

    The rows that aren't stored yet, where they stand and which firms they are, and what was
    corrected of these.
    """

    linked: Linked
    corrections: Corrections
    rows: list[int]
    sheets: list[str | None]


class _Piece(NamedTuple):
    """Some rows of a plan: what the list says of each firm, what is known once it has, from where.

    It is made late and let go early: of all rows of a long list it would be most of the memory.
    """

    said: Records
    records: list[Record]
    origins: list[Origins]

    def part(self, rows: slice) -> _Piece:
        return _Piece(self.said[rows], self.records[rows], self.origins[rows])


@dataclass(frozen=True, eq=False)
class _Import:
    """The firms of one list on their way into the store."""

    database: Database
    kept: KeptList
    clean: CleanList
    own: OwnValues
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
            if len(ours) == len(plan.rows):
                return self._end(plan)
            in_vain = 0 if ours else in_vain + 1
        raise StoreError(WORDS["list_import.busy"])

    def _planned(self) -> _Plan:
        with self.database.read() as connection:
            linked = _lacking(connection, self.kept.id, link(connection, self.clean))
            numbers = [firm.id for firm in linked.known if firm]
            corrections = corrections_of(connection, numbers, as_of=self.today)
        _ = linked.keys  # which takes a while, so not while others wait
        rows, sheets = linked.firms["row"].tolist(), plain_values(linked.firms["sheet"])
        return _Plan(linked, corrections, rows, sheets)

    def _piece(self, plan: _Plan, part: slice) -> _Piece:
        said = field_records(plan.linked.firms.iloc[part])
        records, origins = all_merged(
            plan.linked.known[part], (fields for _, fields in said), plan.rows[part],
            list_id=self.kept.id, at=self.now, as_of=self.kept.as_of,
        )  # fmt: skip
        return _Piece(said, records, origins)

    def _store(self, plan: _Plan, ours: set[int]) -> None:
        # While some firms are stored others score the next ones; all but one of the cores, for that
        # which stores. It ends where a firm is no longer as it was seen.
        total, scoring = len(plan.rows), deque[_Piece]()
        portions, begun, done = Portions(self.database), time.monotonic(), 0

        def to_score() -> Iterator[list[Record]]:
            for at in range(0, total, _PIECE):
                part = slice(at, at + _PIECE)
                scoring.append(self._piece(plan, part))
                # A list undoes no correction.
                yield [
                    with_corrections(record, plan.corrections.get(firm.id, ()) if firm else ())
                    for firm, record in zip(
                        plan.linked.known[part], scoring[-1].records, strict=True
                    )
                ]

        self._tell(done, total, begun)
        with scoring_processes(self.scorer, processes_for(total, spared=1)) as score:
            for scored in score(partial(score_firms, as_of=self.today), to_score()):
                piece = scoring.popleft()
                for of_piece in portions.parts(len(scored)):
                    some = scored[of_piece]
                    part = slice(done, done + len(some))
                    those = piece.part(of_piece)
                    with portions.write(len(some)) as connection:
                        firms = self._stored(connection, plan, part, those, some, ours)
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
        self, connection: Connection, plan: _Plan, part: slice, piece: _Piece,
        scored: Sequence[KeptScore], ours: Collection[int],
    ) -> list[int] | None:  # fmt: skip
        # Nothing is stored, and None returned, if somebody has changed one of the firms meanwhile.
        # ``ours`` are the firms that were stored since the plan was made.
        first = next_firm_id(connection)
        if not as_seen(connection, plan.linked, part, ours):
            return None
        self.check()
        known, records = plan.linked.known[part], piece.records
        firms = write_firms(connection, known, records, piece.origins, first=first, now=self.now)
        self.check()
        numbers = [firm.id for firm in firms]
        rows, sheets = plan.rows[part], plan.sheets[part]
        seen = {number: (self.kept.id, row) for number, row in zip(numbers, rows, strict=True)}
        keys = write_scores(
            connection, firms, scored, seen, now=self.now, source=self.kept.file_name,
            new={number for number in numbers if number >= first},
        )  # fmt: skip
        if self.kept.as_of < self.today:
            # What the list says is what was known on its day; the score above is of today, and may
            # rest on newer lists as well.
            keep_records(
                connection, piece.said, as_of=self.kept.as_of, model=self.scorer.model,
                source=self.kept.file_name, now=self.now, firm_ids=numbers,
            )  # fmt: skip
        # What the list says is kept with the snapshot, where that holds no more and no less.
        same = [said[0] == score.digest for said, score in zip(piece.said, scored, strict=True)]
        members = [
            {"list_id": self.kept.id, "firm_id": number, "row": row, "sheet": sheet,
             "said": None if is_same else said, "digest": digest if is_same else None,
             "replaced": replaced_by(firm, origins), "own": self.own.get((sheet, row)),
             "order_key": key}
            for number, row, sheet, (digest, said), is_same, firm, origins, key in zip(
                numbers, rows, sheets, piece.said, same, known, piece.origins, keys, strict=True
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
                model=self.scorer.model, own_columns=own_headers(self.own) or None,
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
