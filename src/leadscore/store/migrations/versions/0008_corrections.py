"""Overrides become facts, which enter the score, and a grade by hand has its place in the order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from leadscore.store.database import Json, Moment

revision = "0008"
down_revision = "0007"

_OVERRIDES = sa.table(
    "overrides", sa.column("firm_id", sa.Integer), sa.column("values", Json),
    sa.column("reason", sa.Text), sa.column("by", sa.Text), sa.column("at", Moment),
)  # fmt: skip
_FACTS = sa.table(
    "facts", sa.column("firm_id", sa.BigInteger), sa.column("field", sa.Text),
    sa.column("value", Json), sa.column("valid_from", sa.Date), sa.column("recorded_at", Moment),
    sa.column("recorded_by", sa.Text), sa.column("source", sa.Text), sa.column("reason", sa.Text),
)  # fmt: skip


_JOBS = sa.table(
    "jobs", sa.column("kind", sa.Text), sa.column("payload", Json), sa.column("state", sa.Text),
    sa.column("progress", sa.Float), sa.column("submitted_by", sa.Text),
    sa.column("submitted_at", Moment), sa.column("attempts", sa.Integer),
    sa.column("cancel_requested", sa.Boolean),
)  # fmt: skip


def _rescoring() -> dict[str, Any]:
    # What officers had set enters the scores once the firms are scored anew.
    return {
        "kind": "rescore", "payload": {}, "state": "waiting", "progress": 0.0,
        "submitted_by": "-", "submitted_at": datetime.now(UTC), "attempts": 0,
        "cancel_requested": False,
    }  # fmt: skip


def upgrade() -> None:
    """Take over what officers had set, and have the firms scored anew by it."""
    connection = op.get_bind()
    query = sa.select(_OVERRIDES).order_by(_OVERRIDES.c.firm_id)
    overrides = connection.execute(query).mappings().all()
    for row in overrides:
        said = {
            "valid_from": row["at"].date(), "recorded_at": row["at"], "recorded_by": row["by"],
            "source": "override", "reason": row["reason"], "firm_id": row["firm_id"],
        }  # fmt: skip
        for name, value in row["values"].items():
            fact = {"field": name, "value": value}
            if name == "segment":
                fact = {"field": "segments", "value": [value]}
            connection.execute(sa.insert(_FACTS).values(said | fact))
    if overrides:
        connection.execute(sa.insert(_JOBS).values(_rescoring()))
    op.drop_table("overrides")
    op.add_column("scores", sa.Column("order_priority", sa.Float))
