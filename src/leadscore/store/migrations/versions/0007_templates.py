"""How files were read before, and the milestones beside the stages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from leadscore.store.database import METADATA, Json, Moment, Number

revision = "0007"
down_revision = "0006"

_TABLES = sa.MetaData(naming_convention=METADATA.naming_convention)


def upgrade() -> None:
    """Make the tables."""
    _TABLES.create_all(op.get_bind(), checkfirst=False)


sa.Table(
    "templates",
    _TABLES,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("mapping", Json, nullable=False),
    sa.Column("stages", Json, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
sa.Table(
    "milestones",
    _TABLES,
    sa.Column("id", Number, primary_key=True),
    sa.Column("credit_code", sa.Text, index=True),
    sa.Column("name", sa.Text, index=True),
    sa.Column("milestone", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("recorded", Moment, nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("sheet", sa.Text),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
)
