"""Firms as they were known when they were scored: what learning learns from, kept once each."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.json as pj
import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.lists.columns import BY_HAND, CANONICAL, blank_firms
from leadscore.store.database import (
    APPEND_ONLY,
    METADATA,
    Database,
    Json,
    Moment,
    Number,
    insert_rows,
    one_of_some,
    quick,
    read_frame,
    rows_of_some,
    storable_text,
    take_turns,
)
from leadscore.store.facts import FACTS
from leadscore.store.firms import FIRMS, Records, as_survivors, field_records

snapshot_fields = sa.Table(
    "snapshot_fields",
    METADATA,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("record", Json, nullable=False),
    info=APPEND_ONLY,
)
"""What was known of firms: the canonical columns that are filled, and what was corrected."""

snapshots = sa.Table(
    "snapshots",
    METADATA,
    sa.Column("id", Number, primary_key=True),
    sa.Column("firm_id", Number, index=True),
    sa.Column("digest", sa.Text, sa.ForeignKey("snapshot_fields.digest"), nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("kept_at", Moment, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.UniqueConstraint("digest", "as_of", "model"),
    info=APPEND_ONLY,
)
"""Which fields were scored, as of which day and by which model."""

_COLUMNS = [*(each.name for each in CANONICAL), *BY_HAND]
_DAYS = [each.name for each in CANONICAL if each.dtype.startswith("datetime")]
_PARSING = pj.ParseOptions(
    explicit_schema=pa.schema(
        [
            *(
                (each.name, pa.float64() if each.dtype == "float64" else pa.large_string())
                for each in CANONICAL
            ),
            *((name, pa.large_string()) for name in BY_HAND),
        ]
    ),
    unexpected_field_behavior="ignore",
)
_READING = pj.ReadOptions(block_size=1 << 26)  # no record is longer than a block
_TYPES = {
    "digest": "str", "as_of": "datetime64[us]", "kept": "datetime64[us, UTC]", "model": "str",
    "source": "str",
}  # fmt: skip


def keep_records(
    connection: Connection, records: Records, *, as_of: date, model: str, source: str,
    now: datetime, firm_ids: Sequence[int | None] | None = None,
) -> list[int]:  # fmt: skip
    """Keep what is known of firms as of a day and return the number of the snapshot of each.

    ``firm_ids`` are the firms of the store that the records are. A firm whose fields were kept as
    of the same day for the same model keeps its snapshot. Others who keep firms wait until the
    transaction ends.
    """
    take_turns(connection, snapshots)
    digests = [digest for digest, _ in records]
    known = _known(connection, digests, as_of, model)
    last = int(connection.scalar(sa.select(sa.func.max(snapshots.c.id))) or 0)
    same = {"as_of": as_of, "kept_at": now, "model": model, "source": storable_text(source)}
    new: dict[str, dict[str, Any]] = {}
    for digest, firm_id in zip(digests, firm_ids or [None] * len(digests), strict=True):
        if digest not in known:
            known[digest] = last + len(new) + 1
            new[digest] = {"id": known[digest], "digest": digest, "firm_id": firm_id, **same}
    if new:
        _keep_fields(connection, {key: record for key, record in records if key in new})
        insert_rows(connection, snapshots, list(new.values()))
    return [known[digest] for digest in digests]


def read_snapshots(connection: Connection) -> pd.DataFrame:
    """Return all firms that were ever kept, in the order of keeping; merged ones as the other.

    Today's canonical columns and those of `BY_HAND`, then ``as_of``, ``kept`` (UTC), ``model`` and
    ``source``.
    """
    kept = snapshots.c
    query = sa.select(kept.digest, kept.as_of, quick(kept.kept_at), kept.model, kept.source)
    found = read_frame(connection, query.order_by(kept.id), _TYPES)
    text = sa.cast if connection.dialect.name == "postgresql" else sa.type_coerce
    fields = snapshot_fields.c
    rows = connection.execute(sa.select(fields.digest, text(fields.record, sa.Text))).all()
    places = pd.Index([row[0] for row in rows], dtype="str").get_indexer(found["digest"])
    firms = _frame([row[1] for row in rows]).take(places).reset_index(drop=True)
    firms = as_survivors(connection, firms)
    return pd.concat([firms, found.drop(columns="digest")], axis=1)


# A grade by hand and a doubted reason judge the firm: what it was known to be leaves them out.
_DATED = [name for name in _COLUMNS if name not in {"grade", "unfounded", "corrected_on"}]


def read_dated_facts(connection: Connection) -> pd.DataFrame:
    """Return what was said of firms as of a day, and was not withdrawn, in the order of saying.

    Columns as `leadscore.learning.training_data.FACTS`; segments are joined by ``;``.
    """
    facts, firms = FACTS.c, FIRMS.c
    query = (
        sa.select(firms.credit_code, firms.name, facts.field, facts.value, facts.valid_from)
        .join_from(FACTS, FIRMS, firms.id == facts.firm_id)
        .where(facts.withdrawn_at.is_(None), facts.field.in_(_DATED))
        .order_by(facts.id)
    )
    rows = [
        (code, name, None, field, ";".join(value) if isinstance(value, list) else value, day)
        for code, name, field, value, day in connection.execute(query)
    ]
    columns = ["credit_code", "name", "former_names", "field", "value", "valid_from"]
    table = pd.DataFrame(rows, columns=columns, dtype="object")
    types = dict.fromkeys(("credit_code", "name", "former_names", "field"), "str")
    return table.astype({**types, "valid_from": "datetime64[us]"})


class SqlSnapshots:
    """Firms as they were known on a day, kept in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(
        self, firms: pd.DataFrame, *, as_of: date, model: str, source: str, now: datetime,
        noting: Callable[[Connection], object] = lambda _: None,
    ) -> None:  # fmt: skip
        """Keep firms, see `keep_records`, with what is noted of it in the same transaction."""
        records = field_records(firms)
        with self._database.write() as connection:
            keep_records(connection, records, as_of=as_of, model=model, source=source, now=now)
            noting(connection)

    def is_empty(self) -> bool:
        """Tell whether nothing was ever kept."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(snapshots.c.id).limit(1)) is None


def _known(
    connection: Connection, digests: Sequence[str], as_of: date, model: str
) -> dict[str, int]:
    query = sa.select(snapshots.c.digest, snapshots.c.id)
    query = query.where(snapshots.c.as_of == as_of, snapshots.c.model == model)
    query = query.where(snapshots.c.digest.in_(one_of_some()))
    return {row[0]: row[1] for row in rows_of_some(connection, query, digests)}


def _keep_fields(connection: Connection, records: Mapping[str, Mapping[str, Any]]) -> None:
    digest = snapshot_fields.c.digest
    query = sa.select(digest).where(digest.in_(one_of_some()))
    present = {row[0] for row in rows_of_some(connection, query, records)}
    rows = [{"digest": key, "record": records[key]} for key in records if key not in present]
    insert_rows(connection, snapshot_fields, rows)


def _frame(records: list[str]) -> pd.DataFrame:
    # The columns are today's canonical ones, whatever their time knew.
    if not records:
        return blank_firms(0).assign(**{name: pd.Series(dtype="str") for name in BY_HAND})
    lines = io.BytesIO("\n".join(records).encode())
    table = pj.read_json(lines, read_options=_READING, parse_options=_PARSING)
    frame: pd.DataFrame = table.to_pandas()
    for name in _DAYS:
        frame[name] = pd.to_datetime(frame[name], format="%Y-%m-%d")
    dtypes = blank_firms(0).dtypes.to_dict() | dict.fromkeys(BY_HAND, "str")
    return frame[_COLUMNS].astype(dtypes)
