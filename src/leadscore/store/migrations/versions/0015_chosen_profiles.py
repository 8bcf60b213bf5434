"""City profiles that were chosen on a page, each as it was written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from leadscore.store.database import METADATA, Moment, Number, trigger_statements

revision = "0015"
down_revision = "0012"

_TABLES = sa.MetaData(naming_convention=METADATA.naming_convention)


def upgrade() -> None:
    """Make the table, to which rows are only added."""
    connection = op.get_bind()
    _TABLES.create_all(connection, checkfirst=False)
    for statement in trigger_statements("chosen_profiles", connection.dialect.name):
        connection.exec_driver_sql(statement)


sa.Table(
    "chosen_profiles",
    _TABLES,
    sa.Column("number", Number, primary_key=True),
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
