"""The firms: what is known of each, and where every field came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy import Text as LongText

from leadscore.lists.cleaning import Firm as Record
from leadscore.lists.cleaning import records_of
from leadscore.lists.columns import CANONICAL
from leadscore.lists.values.cells import Value
from leadscore.store.database import (
    METADATA,
    Json,
    Moment,
    Number,
    in_parts,
    one_of_some,
    take_turns,
)
from leadscore.store.errors import StoreError
from leadscore.text import room_words

WORDS = room_words("store")


Records = Sequence[tuple[str, dict[str, Any]]]
"""Digest and fields of each firm."""

_KINDS: dict[str, Callable[[Any], Value]] = {
    "str": str, "float64": float, "datetime64[us]": date.fromisoformat
}  # fmt: skip
_READERS = {each.name: _KINDS[each.dtype] for each in CANONICAL}
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def field_records(firms: pd.DataFrame) -> Records:
    """Return the digest and the filled canonical columns of each firm, as JSON has them.

    Parameters
    ----------
    firms
        Canonical columns; others are left out.

    >>> from leadscore.lists.columns import blank_firms
    >>> firm = blank_firms(1).assign(name="甲", founded_on=pd.Timestamp(2016, 11, 1))
    >>> field_records(firm)[0][1]
    {'name': '甲', 'founded_on': '2016-11-01'}
    """
    return [field_record(firm) for firm in records_of(firms)]


def field_record(firm: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the digest and the filled canonical columns of one firm, as JSON has them."""
    record = {
        name: value.isoformat() if isinstance(value, date) else value
        for name in _READERS
        if (value := firm.get(name)) is not None
    }
    return hashlib.sha256(_encode(record).encode()).hexdigest(), record


def known_firm(record: Mapping[str, Any]) -> Record:
    """Return a firm as it is scored, of what JSON has kept of it.

    >>> known_firm({"founded_on": "2016-11-01", "name": "甲", "staff": 5})
    {'name': '甲', 'founded_on': datetime.date(2016, 11, 1), 'staff': 5.0}
    """
    return {
        name: read(value)
        for name, read in _READERS.items()
        if (value := record.get(name)) is not None
    }


FIRMS = Table(
    "firms",
    METADATA,
    Column("id", Number, primary_key=True, autoincrement=False),
    Column("credit_code", LongText, unique=True),
    Column("name", LongText, nullable=False),
    Column("name_key", LongText, nullable=False, index=True),
    Column("record", Json, nullable=False),
    Column("origins", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("version", Integer, nullable=False),
)
"""``record`` holds the canonical columns that are filled; ``origins`` says of each where it is
from: ``list`` (None if somebody wrote it), ``row``, ``at`` and ``as_of``. ``name_key`` is the
normal form of the name. ``version`` counts the changes of whatever is shown of the firm."""

FORMER_NAMES = Table(
    "former_names",
    METADATA,
    Column("name_key", LongText, primary_key=True),
    Column("firm_id", Number, ForeignKey("firms.id"), primary_key=True),
    Index("ix_former_names_firm_id", "firm_id"),
)
"""Normal forms of the names that firms bore before."""

# Put together once: they are run with every act of an officer.
_ONE = select(FIRMS).where(FIRMS.c.id == bindparam("number"))
_ONE_LOCKED = _ONE.with_for_update()
_SOME = select(FIRMS).where(FIRMS.c.id.in_(one_of_some()))
_COUNT_UP = (
    update(FIRMS)
    .where(FIRMS.c.id.in_(one_of_some()))
    .values(version=FIRMS.c.version + 1, updated_at=bindparam("now"))
)

_UNKNOWN = WORDS["firms.unknown"]


class UnknownFirmError(StoreError):
    """A number that no firm has."""

    code = "unknown_firm"


class ChangedFirmError(StoreError):
    """A firm that has changed since it was looked at."""

    code = "changed_meanwhile"


@dataclass(frozen=True, slots=True)
class Firm:
    """A firm as the store knows it.

    Attributes
    ----------
    id
        Its number, which never changes.
    credit_code
        Its credit code, if one is known.
    record, origins
        What is known, and of each column where it is from (see `FIRMS`).
    version
        Counts changes, from 1.
    """

    id: int
    credit_code: str | None
    name: str
    name_key: str
    record: Mapping[str, Any]
    origins: Mapping[str, Mapping[str, Any]]
    created_at: datetime
    updated_at: datetime
    version: int


def read_firm(connection: Connection, firm_id: int, *, lock: bool = False) -> Firm:
    """Return a firm; with ``lock`` nobody else changes it until the transaction ends.

    Raises
    ------
    UnknownFirmError
        If there is none with this number.
    """
    query = _ONE_LOCKED if lock else _ONE
    row = connection.execute(query, {"number": firm_id}).one_or_none()
    if row is None:
        raise UnknownFirmError(_UNKNOWN.format(id=firm_id))
    return _firm(row)


def firm_to_change(connection: Connection, firm_id: int, *, version: int | None = None) -> Firm:
    """Return a firm and keep others from changing it until the transaction ends.

    Parameters
    ----------
    version
        The version that was looked at; any if None.

    Raises
    ------
    UnknownFirmError
        If there is none with this number.
    ChangedFirmError
        If it has another version by now.
    """
    firm = read_firm(connection, firm_id, lock=True)
    if version is not None and version != firm.version:
        raise ChangedFirmError(WORDS["firms.changed"].format(id=firm_id))
    return firm


def read_firms(connection: Connection, firm_ids: Collection[int]) -> dict[int, Firm]:
    """Return firms by their numbers; a number that no firm has is left out."""
    found: dict[int, Firm] = {}
    for some in in_parts(firm_ids):
        rows = connection.execute(_SOME, {"some": some})
        found.update((row.id, _firm(row)) for row in rows)
    return found


def next_firms(connection: Connection, after: int, count: int) -> list[Firm]:
    """Return the first firms with higher numbers than ``after``, in their order."""
    query = select(FIRMS).where(FIRMS.c.id > after).order_by(FIRMS.c.id).limit(count)
    return [_firm(row) for row in connection.execute(query)]


def count_firms(connection: Connection) -> int:
    """Return how many firms are kept."""
    return connection.scalar(select(func.count()).select_from(FIRMS)) or 0


def next_firm_id(connection: Connection) -> int:
    """Return the number of the next new firm; others who add firms wait until this has ended."""
    take_turns(connection, FIRMS)
    return int(connection.scalar(select(func.max(FIRMS.c.id))) or 0) + 1


def add_firms(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Add firms: rows of `FIRMS`, numbered from `next_firm_id` on."""
    if rows:
        connection.execute(FIRMS.insert(), rows)


def change_firms(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Write rows of `FIRMS` over those with the same ``id``; their version counts up."""
    if not rows:
        return
    changed: dict[str, Any] = {
        name: bindparam(f"new_{name}")
        for name in ("credit_code", "name", "name_key", "record", "origins", "updated_at")
    }
    statement = update(FIRMS).where(FIRMS.c.id == bindparam("firm"))
    given = [{"firm": row["id"], **{f"new_{name}": row[name] for name in changed}} for row in rows]
    connection.execute(statement.values(changed | {"version": FIRMS.c.version + 1}), given)


def count_up(connection: Connection, firm_ids: Iterable[int], *, now: datetime) -> None:
    """Give firms of which something else has changed their next version."""
    for some in in_parts(firm_ids):
        connection.execute(_COUNT_UP, {"some": some, "now": now})


def add_former_names(connection: Connection, pairs: Collection[tuple[str, int]]) -> None:
    """Keep that firms bore names: pairs of a normal form and the number of the firm."""
    known: set[tuple[str, int]] = set()
    for some in in_parts({firm for _, firm in pairs}):
        query = select(FORMER_NAMES.c.name_key, FORMER_NAMES.c.firm_id)
        rows = connection.execute(query.where(FORMER_NAMES.c.firm_id.in_(some)))
        known.update((key, firm) for key, firm in rows)
    new = [{"name_key": key, "firm_id": firm} for key, firm in dict.fromkeys(pairs)
           if (key, firm) not in known]  # fmt: skip
    if new:
        connection.execute(FORMER_NAMES.insert(), new)


def _firm(row: Row[Any]) -> Firm:
    return Firm(**row._mapping)  # noqa: SLF001 (its public name, see SQLAlchemy's documentation)
