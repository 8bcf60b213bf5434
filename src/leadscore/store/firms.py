"""The firms: what is known of each, and where every field came from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.lists.cleaning import Firm as Record
from leadscore.lists.cleaning import records_of
from leadscore.lists.columns import BY_HAND, CANONICAL
from leadscore.lists.dedupe import normal_name, normal_name_of
from leadscore.lists.values.cells import Value
from leadscore.store.database import (
    METADATA,
    GivenId,
    Number,
    StoreError,
    Written,
    columns_of,
    in_parts,
    insert_rows,
    one_of_some,
    rows_of_some,
    take_turns,
)
from leadscore.text import Text, room_words

if TYPE_CHECKING:
    import pandas as pd

WORDS = room_words("store")

Records = Sequence[tuple[str, Written]]
"""Digest and fields of each firm."""

_KINDS: dict[str, Callable[[Any], Value]] = {
    "str": str, "float64": float, "datetime64[us]": date.fromisoformat
}  # fmt: skip
_READERS = {each.name: _KINDS[each.dtype] for each in CANONICAL} | dict.fromkeys(BY_HAND, str)


def field_records(firms: pd.DataFrame) -> Records:
    """Return the digest and the filled canonical columns of each firm, as JSON has them.

    >>> import pandas as pd
    >>> from leadscore.lists.columns import blank_firms
    >>> firm = blank_firms(1).assign(name="甲", founded_on=pd.Timestamp(2016, 11, 1))
    >>> field_records(firm)[0][1]
    {'name': '甲', 'founded_on': '2016-11-01'}
    """
    return [field_record(firm) for firm in records_of(firms)]


def field_record(firm: Mapping[str, Any]) -> tuple[str, Written]:
    """Return the digest and the filled columns of one firm, as JSON has them.

    They are the canonical ones, and those of `BY_HAND` of a firm that was corrected.
    """
    record = Written(
        {
            name: value.isoformat() if isinstance(value, date) else value
            for name in _READERS
            if (value := firm.get(name)) is not None
        }
    )
    return hashlib.sha256(record.text.encode()).hexdigest(), record


def known_firm(record: Mapping[str, Any]) -> Record:
    """Return a firm as it is scored, of what JSON has kept of it, corrections applied or not.

    >>> known_firm({"founded_on": "2016-11-01", "name": "甲", "staff": 5})
    {'name': '甲', 'staff': 5.0, 'founded_on': datetime.date(2016, 11, 1)}
    """
    return {
        name: read(value)
        for name, read in _READERS.items()
        if (value := record.get(name)) is not None
    }


class UnknownFirmError(StoreError):
    """A number that no firm has."""

    code = "unknown_firm"


class MergedFirmError(StoreError):
    """A firm that turned out to be another, which is named ``into``."""

    code = "merged_firm"

    def __init__(self, message: Text, into: int) -> None:
        super().__init__(message)
        self.into = into

    def __reduce__(self) -> Any:
        """Pickle with the number of the other."""
        return type(self), (self.message, self.into)


class GoneFirmError(StoreError):
    """A firm that only a list knew whose import was undone."""

    code = "gone"


class ChangedFirmError(StoreError):
    """A firm that has changed since it was looked at."""

    code = "changed_meanwhile"


@dataclass(frozen=True, slots=True)
class Firm:
    """A firm as the store knows it.

    ``record`` holds the canonical columns that are filled; ``origins`` says of each where it is
    from: ``list`` (None if somebody wrote it), ``row``, ``at`` and ``as_of``. ``name_key`` is the
    normal form of the name. ``version`` counts the changes of whatever is shown of the firm. One
    that turned out to be another is ``merged_into`` that, and no longer shown by itself; one is
    ``gone_with`` the list that alone knew it, when its import was undone, and nothing of it counts.
    """

    id: GivenId
    credit_code: Annotated[str | None, {"unique": True}]
    name: str
    name_key: Annotated[str, {"index": True}]
    record: Mapping[str, Any]
    origins: Mapping[str, Mapping[str, Any]]
    created_at: Annotated[datetime, {"index": True}]
    updated_at: datetime
    version: int
    merged_into: Annotated[int | None, Number, sa.ForeignKey("firms.id"), {"index": True}] = None
    gone_with: Annotated[int | None, Number, sa.ForeignKey("lists.id"), {"index": True}] = None

    @property
    def shown(self) -> bool:
        """Whether it is a firm of its own."""
        return self.merged_into is None and self.gone_with is None


FIRMS = sa.Table("firms", METADATA, *columns_of(Firm))
FORMER_NAMES = sa.Table(
    "former_names",
    METADATA,
    sa.Column("name_key", sa.Text, primary_key=True),
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
    sa.Index("ix_former_names_firm_id", "firm_id"),
)
"""Normal forms of the names that firms bore before."""

# Put together once: they are run with every act of an officer.
_ONE = sa.select(FIRMS).where(FIRMS.c.id == sa.bindparam("number"))
_ONE_LOCKED = _ONE.with_for_update()
_SOME = sa.select(FIRMS).where(FIRMS.c.id.in_(one_of_some()))
_COUNT_UP = (
    sa.update(FIRMS)
    .where(FIRMS.c.id.in_(one_of_some()))
    .values(version=FIRMS.c.version + 1, updated_at=sa.bindparam("now"))
)
_CHANGED = ("id", "credit_code", "name", "name_key", "record", "origins", "updated_at")
_CHANGE = (
    sa.update(FIRMS)
    .where(FIRMS.c.id == sa.bindparam("new_id"))
    .values({name: sa.bindparam(f"new_{name}") for name in _CHANGED[1:]})
    .values(version=FIRMS.c.version + 1)
)


def read_firm(connection: Connection, firm_id: int, *, lock: bool = False) -> Firm:
    """Return a firm, locked if asked for.

    Raises `UnknownFirmError`, `MergedFirmError` if it turned out to be another, and
    `GoneFirmError` if it went with the only list that knew it.
    """
    query = _ONE_LOCKED if lock else _ONE
    row = connection.execute(query, {"number": firm_id}).one_or_none()
    if row is None:
        raise UnknownFirmError(WORDS["firms.unknown"].format(id=firm_id))
    firm = Firm(*row)
    if firm.merged_into is not None:
        words = WORDS["firms.merged"].format(id=firm_id, name=firm.name, into=firm.merged_into)
        raise MergedFirmError(words, firm.merged_into)
    if firm.gone_with is not None:
        words = WORDS["firms.gone"].format(id=firm_id, name=firm.name, list=firm.gone_with)
        raise GoneFirmError(words)
    return firm


def firm_to_change(connection: Connection, firm_id: int, *, version: int | None = None) -> Firm:
    """Return a firm, locked; raises `ChangedFirmError` if its ``version`` is another by now."""
    firm = read_firm(connection, firm_id, lock=True)
    if version is not None and version != firm.version:
        raise ChangedFirmError(WORDS["firms.changed"].format(id=firm_id))
    return firm


def read_firms(connection: Connection, firm_ids: Collection[int]) -> dict[int, Firm]:
    """Return firms by their numbers; a number that no firm has is left out."""
    return {row.id: Firm(*row) for row in rows_of_some(connection, _SOME, firm_ids)}


_SHOWN = (FIRMS.c.merged_into.is_(None), FIRMS.c.gone_with.is_(None))


def next_firms(connection: Connection, after: int, count: int) -> list[Firm]:
    """Return the first firms with higher numbers than ``after``, in their order."""
    query = sa.select(FIRMS).where(FIRMS.c.id > after, *_SHOWN).order_by(FIRMS.c.id).limit(count)
    return [Firm(*row) for row in connection.execute(query)]


def count_firms(connection: Connection) -> int:
    """Return how many firms are kept."""
    return connection.scalar(sa.select(sa.func.count()).select_from(FIRMS).where(*_SHOWN)) or 0


def next_firm_id(connection: Connection) -> int:
    """Return the number of the next new firm; others who add firms wait until this has ended."""
    take_turns(connection, FIRMS)
    return int(connection.scalar(sa.select(sa.func.max(FIRMS.c.id))) or 0) + 1


def write_firms(
    connection: Connection, known: Sequence[Firm | None], records: Sequence[Mapping[str, Any]],
    origins: Sequence[Mapping[str, Mapping[str, Any]]], *, first: int, now: datetime,
) -> list[Firm]:  # fmt: skip
    """Write what is known of firms, and from where, and return them as they are kept, in order.

    ``known`` are the firms as they were, None for a new one; new ones are numbered from ``first``
    on, which is of `next_firm_id`.
    """
    firms: list[Firm] = []
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    names: list[tuple[str, int]] = []
    for old, record, origin in zip(known, records, origins, strict=True):
        if old:
            number, created, version = old.id, old.created_at, old.version + 1
        else:
            number, created, version = first, now, 1
            first += 1
        code, name = record.get("credit_code"), record["name"]
        key = normal_name_of(name)
        firm = Firm(number, code, name, key, record, origin, created, now, version)
        firms.append(firm)
        if old:
            changed.append({f"new_{column}": getattr(firm, column) for column in _CHANGED})
        else:
            new.append({column: getattr(firm, column) for column in Firm.__slots__})
        names += [(former, number) for former in former_keys(record)]
    insert_rows(connection, FIRMS, new)
    if changed:
        connection.execute(_CHANGE, changed)
    if names:
        _add_former_names(connection, names)
    return firms


def former_keys(record: Mapping[str, Any]) -> list[str]:
    """Return the normal forms of a firm's former names."""
    if not record.get("former_names"):
        return []
    names = str(record["former_names"]).split(";")
    return [normal_name_of(name) for name in names if name.strip()]


def _add_former_names(connection: Connection, pairs: Sequence[tuple[str, int]]) -> None:
    query = sa.select(FORMER_NAMES).where(FORMER_NAMES.c.firm_id.in_(one_of_some()))
    known = {tuple(row) for row in rows_of_some(connection, query, {firm for _, firm in pairs})}
    new = [
        {"name_key": key, "firm_id": firm}
        for key, firm in dict.fromkeys(pairs)
        if (key, firm) not in known
    ]
    insert_rows(connection, FORMER_NAMES, new)


def count_up(connection: Connection, firm_ids: Iterable[int], *, now: datetime) -> None:
    """Give firms of which something else has changed their next version."""
    for some in in_parts(firm_ids):
        connection.execute(_COUNT_UP, {"some": some, "now": now})


class Exclusion(NamedTuple):
    """That a firm is not to be courted, and why."""

    reason: str
    by: str
    at: datetime


class Hiding(NamedTuple):
    """That a firm stands in no ranking, count or export, and why."""

    reason: str
    by: str
    at: datetime


EXCLUSIONS, HIDDEN_FIRMS = (
    sa.Table(
        name,
        METADATA,
        sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
        *columns_of(row),
    )
    for name, row in (("exclusions", Exclusion), ("hidden_firms", Hiding))
)
_EXCLUDED, _HIDDEN = (
    sa.select(table).where(table.c.firm_id.in_(one_of_some()))
    for table in (EXCLUSIONS, HIDDEN_FIRMS)
)


def exclusions_of(connection: Connection, firm_ids: Collection[int]) -> dict[int, Exclusion]:
    """Return which of the firms are not to be courted, by their numbers."""
    return {
        row.firm_id: Exclusion(*row[1:]) for row in rows_of_some(connection, _EXCLUDED, firm_ids)
    }


def hidden_of(connection: Connection, firm_ids: Collection[int]) -> dict[int, Hiding]:
    """Return which of the firms are hidden, by their numbers."""
    return {row.firm_id: Hiding(*row[1:]) for row in rows_of_some(connection, _HIDDEN, firm_ids)}


def as_survivors(connection: Connection, named: pd.DataFrame) -> pd.DataFrame:
    """Return a table that names firms by ``credit_code`` and ``name``, merged ones as the other."""
    losers = [Firm(*row) for row in connection.execute(_LOSERS)]
    if not losers:
        return named
    survivors = read_firms(connection, {firm.merged_into or 0 for firm in losers})
    table = named.copy()
    keys = normal_name(table["name"].fillna(""))
    for firm in losers:
        survivor, code = survivors[firm.merged_into or 0], firm.record.get("credit_code")
        is_it = table["credit_code"].isna() & (keys == firm.name_key)
        if code:
            is_it |= table["credit_code"] == code
        table.loc[is_it, ["credit_code", "name"]] = [survivor.credit_code, survivor.name]
    return table


_LOSERS = sa.select(FIRMS).where(FIRMS.c.merged_into.is_not(None)).order_by(FIRMS.c.id)
_MERGED = sa.select(FIRMS).where(FIRMS.c.merged_into.in_(one_of_some())).order_by(FIRMS.c.id)


def merged_into(connection: Connection, firm_ids: Collection[int]) -> dict[int, list[Firm]]:
    """Return the firms that turned out to be one of these, by the numbers of these."""
    merged: dict[int, list[Firm]] = {}
    for row in rows_of_some(connection, _MERGED, firm_ids):
        merged.setdefault(row.merged_into, []).append(Firm(*row))
    return merged


def rewrite_firm(
    connection: Connection, firm: Firm, record: Mapping[str, Any],
    origins: Mapping[str, Mapping[str, Any]], *, now: datetime,
) -> Firm:  # fmt: skip
    """Write what is known of a firm in the place of all that was, and return it as it is kept.

    Names that it bore before are those of the record alone, unlike with `write_firms`.
    """
    connection.execute(sa.delete(FORMER_NAMES).where(FORMER_NAMES.c.firm_id == firm.id))
    (written,) = write_firms(connection, [firm], [record], [origins], first=0, now=now)
    return written
