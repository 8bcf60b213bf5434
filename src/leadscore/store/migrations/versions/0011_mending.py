"""What undoing an import and merging firms need, hidden firms, and previews with addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from leadscore.store.database import METADATA, Json, Moment, Number, new_token

revision = "0011"
down_revision = "0010"

_TABLES = sa.MetaData(naming_convention=METADATA.naming_convention)
_ADDED = (
    # table, column, kind, table whose ``id`` it names
    ("list_firms", "digest", sa.Text(), None),
    ("list_firms", "replaced", Json, None),
    ("list_firms", "own", Json, None),
    ("list_firms", "through", Number, "firms"),
    ("lists", "own_columns", Json, None),
    ("firms", "gone_with", Number, "lists"),
    ("uploads", "token", sa.Text(), None),
    ("uploads", "became", sa.Text(), None),
    ("uploads", "list_id", Number, "lists"),
)
_INDEXED = (("list_firms", "through"), ("firms", "gone_with"), ("uploads", "token"))

# What a list said is what its import left of the firm, where it says nothing else: that is the
# last score before the import ended.
_SAID = """
    UPDATE list_firms SET digest = (
        SELECT snapshots.digest FROM scores
        JOIN snapshots ON snapshots.id = scores.snapshot_id
        JOIN lists ON lists.id = list_firms.list_id
        JOIN jobs ON jobs.id = lists.job_id
        WHERE scores.firm_id = list_firms.firm_id AND scores.scored_at <= jobs.ended_at
        ORDER BY scores.id DESC LIMIT 1
    ) WHERE said IS NULL
"""


def upgrade() -> None:
    """Make the tables, add the columns, and find what lists of before have said."""
    connection = op.get_bind()
    for name in ("hidden_firms", "merges"):
        _TABLES.tables[name].create(connection)
    for table, column, kind, named in _ADDED:
        # In plain SQL: Alembic adds no foreign key to a table of SQLite.
        key = f" CONSTRAINT fk_{table}_{column}_{named} REFERENCES {named} (id)" if named else ""
        form = kind.compile(connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column} {form}{key}")
    for table, column in _INDEXED:
        op.create_index(f"ix_{table}_{column}", table, [column])
    connection.exec_driver_sql(_SAID)
    uploads = sa.table("uploads", sa.column("id", Number), sa.column("token", sa.Text))
    for number in connection.scalars(sa.select(uploads.c.id)).all():
        same = sa.update(uploads).where(uploads.c.id == number)
        connection.execute(same.values(token=new_token()))


# What is there already, and is referred to.
sa.Table("firms", _TABLES, sa.Column("id", Number, primary_key=True))
sa.Table(
    "hidden_firms",
    _TABLES,
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
sa.Table(
    "merges",
    _TABLES,
    sa.Column("id", Number, primary_key=True),
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), nullable=False, index=True),
    sa.Column("into_id", Number, sa.ForeignKey("firms.id"), nullable=False, index=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("moved", Json, nullable=False),
    sa.Column("undone_at", Moment),
    sa.Column("undone_by", sa.Text),
)
