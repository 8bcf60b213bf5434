"""Ledgers that were handed in, and what was wrong with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from leadscore.store.database import METADATA, Json, Moment, Number

revision = "0010"
down_revision = "0009"

_TABLES = sa.MetaData(naming_convention=METADATA.naming_convention)


def upgrade() -> None:
    """Make the tables."""
    _TABLES.create_all(op.get_bind(), checkfirst=False)


sa.Table(
    "ledgers",
    _TABLES,
    sa.Column("id", Number, primary_key=True),
    sa.Column("token", sa.Text, nullable=False, unique=True),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary),
    sa.Column("uploaded_by", sa.Text, nullable=False, index=True),
    sa.Column("uploaded_at", Moment, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("said", Json, nullable=False),
    sa.Column("notices", Json, nullable=False),
    sa.Column("counts", Json),
    sa.Column("error", Json),
    sa.Column("job_id", Number),
)
sa.Table(
    "ledger_problems",
    _TABLES,
    sa.Column("ledger_id", Number, sa.ForeignKey("ledgers.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("row", sa.Integer),
    sa.Column("sheet", sa.Text),
    sa.Column("column", sa.Text),
    sa.Column("found", sa.Text, nullable=False),
    sa.Column("wanted_zh", sa.Text, nullable=False),
    sa.Column("wanted_en", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("set_aside", sa.Boolean, nullable=False),
)
