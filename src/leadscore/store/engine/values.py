"""Between columns of a table of pandas and the plain values that a database takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import Column, Connection, DateTime, Select, type_coerce

from leadscore.store.engine.metadata import Moment

_ROWS_AT_ONCE = 1_000
"""So few that they are gone before the garbage collector looks at them: twice as fast as all."""

_ARROW = {
    "int64": pa.int64(),
    "bool": pa.bool_(),
    "str": pa.large_string(),
    "datetime64[us]": pa.date32(),
    "datetime64[us, UTC]": pa.timestamp("us", "UTC"),
}


def plain_values(column: pd.Series) -> list[Any]:
    """Return the values as Python's own, None for what is missing, days as `datetime.date`."""
    values = column.tolist()
    if column.dtype.kind == "M":
        return [None if value is pd.NaT else value.date() for value in values]
    return [None if value is pd.NA or value != value else value for value in values]


def quick(column: Column[Any]) -> Any:
    """Return a column as `read_frame` wants it: Arrow turns moments into UTC, and much faster."""
    return (
        type_coerce(column, DateTime(timezone=True)) if isinstance(column.type, Moment) else column
    )


def read_frame(
    connection: Connection, query: Select[Any], types: Mapping[str, str]
) -> pd.DataFrame:
    """Return all rows of a query as a table.

    Parameters
    ----------
    connection
        Within a transaction.
    query
        Selects the columns of ``types``, in their order, moments by way of `quick`.
    types
        Names of the columns with their types in pandas.
    """
    none = pa.table({name: pa.array([], _ARROW[dtype]) for name, dtype in types.items()})
    parts = [
        pa.table(
            [
                pa.array(*each)
                for each in zip(zip(*rows, strict=True), none.schema.types, strict=True)
            ],
            none.schema,
        )
        for rows in connection.execute(query).partitions(_ROWS_AT_ONCE)
    ]
    frame: pd.DataFrame = pa.concat_tables([none, *parts]).to_pandas(date_as_object=False)
    return frame.astype(dict(types))
