"""What is selected of the ranking at once, and what was done with many firms at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from leadscore.store.database import METADATA, Json, Moment, Number

revision = "0012"
down_revision = "0011"

_TABLES = sa.MetaData(naming_convention=METADATA.naming_convention)


def upgrade() -> None:
    """Make the tables."""
    for name in _MADE:
        _TABLES.tables[name].create(op.get_bind())


# What is there already, and is referred to.
sa.Table("firms", _TABLES, sa.Column("id", Number, primary_key=True))
sa.Table("jobs", _TABLES, sa.Column("id", Number, primary_key=True))
_MADE = ("selections", "selection_firms", "bulk_acts", "bulk_act_firms")

sa.Table(
    "selections",
    _TABLES,
    sa.Column("id", Number, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("made_at", Moment, nullable=False, index=True),
    sa.Column("total", sa.Integer, nullable=False),
)
sa.Table(
    "selection_firms",
    _TABLES,
    sa.Column("selection_id", sa.ForeignKey("selections.id"), primary_key=True),
    sa.Column("firm_id", sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("version", Number, nullable=False),
    sa.Index("ix_selection_firms_firm_id", "firm_id"),
)
sa.Table(
    "bulk_acts",
    _TABLES,
    sa.Column("id", Number, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("arguments", Json, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("job_id", Number, sa.ForeignKey("jobs.id")),
    sa.Column("selection_id", Number),
    sa.Column("undoes", Number, sa.ForeignKey("bulk_acts.id"), unique=True),
)
sa.Table(
    "bulk_act_firms",
    _TABLES,
    sa.Column("act_id", sa.ForeignKey("bulk_acts.id"), primary_key=True),
    sa.Column("firm_id", sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("version", Number),
    sa.Column("result", sa.Text),
    sa.Column("why", Json),
    sa.Column("before", Json),
    sa.Index("ix_bulk_act_firms_firm_id", "firm_id"),
)
