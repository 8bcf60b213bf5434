"""The tables of the audit, and the triggers that keep everybody from changing what they hold."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from leadscore.store.engine.metadata import METADATA, Moment, Number

AUDIT = Table(
    "audit",
    METADATA,
    Column("sequence", Number, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False, index=True),
    Column("actor", String(100), nullable=False, index=True),
    Column("role", String(20), nullable=False),
    Column("action", String(60), nullable=False, index=True),
    Column("object_kind", String(40)),
    Column("object_id", String(200)),
    Column("address", String(64)),
    Column("result", String(20), nullable=False),
    # The text itself is sealed: JSON that a database has read and written again may differ in it.
    Column("details", Text, nullable=False),
    Column("mac", String(64), nullable=False),
)
"""What was done, one row an act, numbered from 1 without a gap."""

AUDIT_HEAD = Table(
    "audit_head",
    METADATA,
    Column("mark", String(8), primary_key=True),
    Column("sequence", Number, nullable=False),
    Column("mac", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)
"""Two sealed marks: ``end`` is the last record; ``start``, once pruned, the last one taken away."""

_UNCHANGED = "audit: rows are only ever added"
_PRUNED = "coalesce((SELECT sequence FROM audit_head WHERE mark = 'start'), 0)"

_SQLITE_UPDATE = f"""
CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, '{_UNCHANGED}'); END
"""
_SQLITE_DELETE = f"""
CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON audit WHEN OLD.sequence > {_PRUNED}
BEGIN SELECT RAISE(ABORT, '{_UNCHANGED}'); END
"""
_POSTGRESQL_FUNCTION = f"""
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.sequence <= {_PRUNED} THEN RETURN OLD; END IF;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'integrity_constraint_violation', MESSAGE = '{_UNCHANGED}';
END $$
"""
_POSTGRESQL_ROWS = """
CREATE TRIGGER audit_refuses_changes BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_refuse()
"""
_POSTGRESQL_TRUNCATE = """
CREATE TRIGGER audit_refuses_truncate BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
"""

AUDIT_TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (_SQLITE_UPDATE, _SQLITE_DELETE),
    "postgresql": (_POSTGRESQL_FUNCTION, _POSTGRESQL_ROWS, _POSTGRESQL_TRUNCATE),
}
"""By database, for a migration to run: only rows up to the mark ``start`` may go, none change."""
