"""The rows of a list with problems, as they stood in the file, to be mended and handed in again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    Table,
    Text,
    delete,
    func,
    select,
)

from leadscore.lists.columns import recognise
from leadscore.lists.files.texttable import TextTable
from leadscore.store.engine.metadata import METADATA, Json, Number
from leadscore.store.engine.texts import storable_text
from leadscore.store.lists.reading import Uploaded

LIST_FAILED_ROWS = Table(
    "list_failed_rows",
    METADATA,
    Column("list_id", Number, ForeignKey("lists.id"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("sheet", Text),
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
