"""A stage of its own for framework agreements, which bind nobody, before signing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_STAGES = sa.table(
    "stages",
    sa.column("id", sa.Text),
    sa.column("kind", sa.Text),
    sa.column("position", sa.Integer),
    sa.column("zh", sa.Text),
    sa.column("en", sa.Text),
    sa.column("terminal", sa.Boolean),
)


def upgrade() -> None:
    """Add the stage before signing; all from there on move one place back."""
    connection = op.get_bind()
    at = connection.scalar(sa.select(_STAGES.c.position).where(_STAGES.c.id == "signed"))
    later = sa.update(_STAGES).where(_STAGES.c.position >= at)
    connection.execute(later.values(position=_STAGES.c.position + 1))
    row = {
        "id": "framework", "kind": "stage", "position": at, "zh": "框架协议",
        "en": "framework agreement", "terminal": False,
    }  # fmt: skip
    connection.execute(sa.insert(_STAGES), row)
