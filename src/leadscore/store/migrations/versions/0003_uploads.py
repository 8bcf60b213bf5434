"""Files that wait to be looked at, and the rows of lists that had problems."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from leadscore.store.database import Json, Moment, Number

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "uploads",
        sa.Column("id", Number, nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("uploaded_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    for name in ("uploaded_at", "uploaded_by"):
        op.create_index(op.f(f"ix_uploads_{name}"), "uploads", [name])
    op.create_table(
        "list_failed_rows",
        sa.Column("list_id", Number, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sheet", sa.Text(), nullable=True),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column("cells", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["list_id"], ["lists.id"], name=op.f("fk_list_failed_rows_list_id_lists")
        ),
        sa.PrimaryKeyConstraint("list_id", "position", name=op.f("pk_list_failed_rows")),
    )
