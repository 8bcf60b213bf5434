"""Hands lists of invented firms to the store, for the tests of what it keeps of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Table, func, select

from leadscore.city import City, load_city
from leadscore.learning.expert import fit_expert
from leadscore.learning.history import EVENTS
from leadscore.lists.values.codes import ALPHABET, is_valid_code
from leadscore.ranking.batch import Counts
from leadscore.ranking.score import Scorer
from leadscore.store.current_ranking import STANDINGS
from leadscore.store.database import GENERATION, METADATA, Database
from leadscore.store.firms import FIRMS
from leadscore.store.list_import import take_in_list
from leadscore.store.lists import add_list
from leadscore.store.profiles import Profiles
from leadscore.store.pursuits import STAGES

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
TODAY = date(2026, 11, 24)

BLADES = "风电叶片的研发、生产和销售"
SCANNERS = "医学影像设备的研发、生产和销售，主要产品为CT机"
BREAD = "面包、糕点的生产和销售"


def code(number: int) -> str:
    """Return a valid credit code for each number."""
    body = f"91440300{number:09d}"
    return next(body + mark for mark in ALPHABET if is_valid_code(body + mark))


@cache
def lakeport() -> City:
    """Return the invented city of the tests."""
    return load_city(Path(__file__).parent / "cities" / "lakeport.toml")


def profiles(database: Database) -> Profiles:
    """Return the profile of the invented city, its changes to be kept in a database."""
    return Profiles(lakeport, database)


@cache
def scorer(model: str = "m1") -> Scorer:
    """Return the experts' card of the invented city under any name."""
    return Scorer(fit_expert(lakeport()), model)


def blank_events() -> pd.DataFrame:
    """Return a table of no outcomes."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in EVENTS.items()})


def as_csv(*rows: Mapping[str, Any]) -> bytes:
    """Return rows as a file with all their columns."""
    told = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(told, columns)
    writer.writeheader()
    writer.writerows(rows)
    return told.getvalue().encode()


def hand_in(
    database: Database,
    *rows: Mapping[str, Any],
    content: bytes | None = None,
    file_name: str = "名单.csv",
    mapping: Mapping[str, str] | None = None,
    as_of: date = TODAY,
) -> int:
    """Keep a list that is to be taken in, and return its number."""
    with database.write() as connection:
        return add_list(
            connection, file_name=file_name, content=content or as_csv(*rows),
            mapping=mapping or {}, as_of=as_of, actor="li.na", now=NOW,
        )  # fmt: skip


def take_in(database: Database, *rows: Mapping[str, Any], **options: Any) -> Counts:
    """Hand a list in and take it in.

    What becomes of a list in an empty store is always the same, so it is done once, and then the
    rows of the store are put in as they were.
    """
    asked = repr((database.dialect, rows, sorted(options.items())))
    empty = not any(_rows(database).values())
    if empty and asked in _TAKEN_IN:
        counts, kept = _TAKEN_IN[asked]
        _put(database, kept)
        return counts
    number = hand_in(database, *rows, **options)
    counts = take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY)
    if empty:
        _TAKEN_IN[asked] = counts, _rows(database)
    return counts


_TAKEN_IN: dict[str, tuple[Counts, dict[Table, list[dict[str, Any]]]]] = {}


def _rows(database: Database) -> dict[Table, list[dict[str, Any]]]:
    """Return all rows of all tables, but for what a migration has put there."""
    with database.read() as connection:
        return {
            table: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in METADATA.sorted_tables
            if table not in (GENERATION, STAGES)
        }


def _put(database: Database, kept: Mapping[Table, list[dict[str, Any]]]) -> None:
    """Put rows into the tables of an empty store, so that new ones get the numbers after them."""
    with database.write() as connection:
        for table, rows in kept.items():
            if rows:
                connection.execute(table.insert(), rows)
        if database.dialect == "postgresql":
            for table, rows in kept.items():
                numbered = table.autoincrement_column
                if rows and numbered is not None:
                    last = max(row[numbered.name] for row in rows)
                    sequence = func.pg_get_serial_sequence(table.name, numbered.name)
                    connection.execute(select(func.setval(sequence, last)))


def firms(database: Database) -> list[Any]:
    """Return the rows of all firms, in the order of their numbers."""
    with database.read() as connection:
        return list(connection.execute(select(FIRMS).order_by(FIRMS.c.id)))


def standings(database: Database) -> dict[str, Any]:
    """Return where the firms stand, by name."""
    with database.read() as connection:
        return {row.name: row for row in connection.execute(select(STANDINGS))}
