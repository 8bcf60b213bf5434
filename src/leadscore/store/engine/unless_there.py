"""Adds a row unless one with its key is there, whoever else does so at the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_unless_there(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Add a row, and tell whether it was added.

    Who comes second waits until the first one's transaction has ended, and then finds its row.
    """
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(values).on_conflict_do_nothing()
    added = connection.execute(statement, execution_options={"preserve_rowcount": True})
    return added.rowcount == 1
