"""Every segment that a firm truly works in, with its priority for the gap there."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_COUNTED = ("works_in", "role", "grade", "stage", "owner", "veto", "province", "city")
_STRONG = 0.15  # as the program has it that writes them: a weaker match is a passing word
_SHARE = 0.5  # of the strongest one

_MATCHES = sa.table(
    "firm_segments",
    *(sa.column(name) for name in ("firm_id", "segment", "chain", "strength", "fit", "priority")),
)
_STANDINGS = sa.table(
    "standings",
    *(sa.column(name) for name in ("firm_id", "works_in", "likelihood", "fit", "priority")),
)


def upgrade() -> None:
    """Drop passing words, and reckon the priority of each segment as the firm's own was."""
    zero, none = sa.text("0"), sa.text("''")
    op.add_column("firm_segments", sa.Column("chain", _KEY, nullable=False, server_default=none))
    op.add_column(
        "firm_segments", sa.Column("priority", sa.Float, nullable=False, server_default=zero)
    )
    other = _MATCHES.alias("other").c
    strongest = (
        sa.select(sa.func.max(other.strength))
        .where(other.firm_id == _MATCHES.c.firm_id)
        .scalar_subquery()
    )
    passing = sa.or_(_MATCHES.c.strength < _STRONG, _MATCHES.c.strength < _SHARE * strongest)
    weak = sa.select(_MATCHES.c.firm_id, _MATCHES.c.segment).where(passing)
    op.execute(
        sa.delete(_MATCHES).where(sa.tuple_(_MATCHES.c.firm_id, _MATCHES.c.segment).in_(weak))
    )
    chain = (
        sa.func.split_part(_MATCHES.c.segment, ".", 1)
        if op.get_bind().dialect.name == "postgresql"
        else sa.func.substr(_MATCHES.c.segment, 1, sa.func.instr(_MATCHES.c.segment, ".") - 1)
    )
    # priority = likelihood * (floor + (1 - floor) * fit), of which the firm's own gives the floor.
    at, fit = _STANDINGS.c, _MATCHES.c.fit
    rest = at.priority - at.likelihood * at.fit
    floor = sa.case((at.fit < 1, rest * (1 - fit) / sa.func.nullif(1 - at.fit, 0)), else_=0.0)
    priority = (
        sa.select(at.likelihood * fit + floor)
        .where(at.firm_id == _MATCHES.c.firm_id)
        .scalar_subquery()
    )
    op.execute(sa.update(_MATCHES).values(chain=chain, priority=sa.func.coalesce(priority, 0.0)))
    op.drop_index("ix_firm_segments_segment", "firm_segments")
    op.create_index("ix_firm_segments_segment", "firm_segments", ["segment", "priority"])
    op.create_index("ix_firm_segments_chain", "firm_segments", ["chain", "firm_id"])
    op.add_column("standings", sa.Column("works_in", _KEY))
    _tell_standings(op.get_bind())
    for name in ("chain", "segment", "facets"):
        op.drop_index(f"ix_standings_{name}", "standings")
    op.create_index("ix_standings_facets", "standings", list(_COUNTED))


def _tell_standings(connection: sa.Connection) -> None:
    of_firms = sa.select(_MATCHES.c.firm_id, _MATCHES.c.segment)
    rows = connection.execute(of_firms.order_by(_MATCHES.c.firm_id, _MATCHES.c.segment)).all()
    told = [
        {"firm": firm, "told": ";".join(row.segment for row in of_firm)}
        for firm, of_firm in groupby(rows, attrgetter("firm_id"))
    ]
    if told:
        tell = sa.update(_STANDINGS).where(_STANDINGS.c.firm_id == sa.bindparam("firm"))
        connection.execute(tell.values(works_in=sa.bindparam("told")), told)
