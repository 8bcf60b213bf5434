"""Tables that only grow: the database itself refuses to change or remove their rows."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Table

_SQLITE = """
CREATE TRIGGER {table}_refuses_{deed} BEFORE {deed} ON {table}
BEGIN SELECT RAISE(ABORT, '{table}: rows are only ever added'); END
"""
_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'integrity_constraint_violation',
        MESSAGE = TG_TABLE_NAME || ': rows are only ever added';
END $$
"""
_POSTGRESQL = """
CREATE TRIGGER {table}_refuses_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_changes()
"""


def trigger_statements(table: str, dialect: str) -> Iterator[str]:
    """Yield the SQL that makes a table append-only, for a migration to run.

    An attempt to change or remove a row then fails with an `sqlalchemy.exc.IntegrityError`.

    Parameters
    ----------
    table
        Name of a table that is there.
    dialect
        ``sqlite`` or ``postgresql``.
    """
    if dialect == "sqlite":
        for deed in ("update", "delete"):
            yield _SQLITE.format(table=table, deed=deed)
    else:
        yield _POSTGRESQL_FUNCTION
        yield _POSTGRESQL.format(table=table)


def append_only(table: Table) -> Table:
    """Mark a table as one to which rows are only added; its migration gives it the triggers."""
    table.info["append_only"] = True
    return table
