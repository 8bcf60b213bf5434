"""Shortlists of firms, views of the ranking that users keep, and indexes from which is counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from leadscore.store.database import Moment, Number

revision = "0002"
down_revision = "0001"

_WIDER = {
    "ix_standings_facets": [
        "chain", "segment", "role", "grade", "stage", "veto", "province", "city",
    ],
    "ix_standings_fit": ["vetoed", "fit", "firm_id", "likelihood"],
}  # fmt: skip


def upgrade() -> None:
    """Make the tables, and let two indexes hold more columns."""
    _shortlists()
    _shortlist_firms()
    _saved_views()
    for name, columns in _WIDER.items():
        op.drop_index(name, table_name="standings")
        op.create_index(name, "standings", columns, unique=False)


def _shortlists() -> None:
    op.create_table(
        "shortlists",
        sa.Column("id", Number, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shortlists")),
        sa.UniqueConstraint("name", name=op.f("uq_shortlists_name")),
    )


def _shortlist_firms() -> None:
    op.create_table(
        "shortlist_firms",
        sa.Column("shortlist_id", Number, autoincrement=False, nullable=False),
        sa.Column("firm_id", Number, autoincrement=False, nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["firm_id"], ["firms.id"], name=op.f("fk_shortlist_firms_firm_id_firms")
        ),
        sa.ForeignKeyConstraint(
            ["shortlist_id"],
            ["shortlists.id"],
            name=op.f("fk_shortlist_firms_shortlist_id_shortlists"),
        ),
        sa.PrimaryKeyConstraint("shortlist_id", "firm_id", name=op.f("pk_shortlist_firms")),
    )
    op.create_index("ix_shortlist_firms_firm_id", "shortlist_firms", ["firm_id"], unique=False)


def _saved_views() -> None:
    op.create_table(
        "saved_views",
        sa.Column("id", Number, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("saved_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_saved_views_owner_name")),
    )
