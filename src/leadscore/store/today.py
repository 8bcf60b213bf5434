"""What the day brings: steps that are due, and what has changed since somebody was here last."""

from __future__ import annotations

import sqlalchemy as sa

from leadscore.store.database import METADATA, Moment

LAST_VISITS = sa.Table(
    "last_visits",
    METADATA,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("began", Moment, nullable=False),
    sa.Column("before", Moment),
)
"""When each person's present visit began, and when the one before did."""
