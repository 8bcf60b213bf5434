"""The one order as a key of each firm that stands somewhere, and indexes by it."""

from __future__ import annotations

import struct

import sqlalchemy as sa
from alembic import op

from leadscore.store.database import Number

revision = "0004"
down_revision = "0003"

_AT_ONCE = 5_000
_FILTERS = ("chain", "segment", "role", "grade", "stage", "region")

_STANDINGS = sa.table(
    "standings",
    *(sa.column(name) for name in ("vetoed", "priority", "likelihood", "fit", "name")),
    sa.column("credit_code"),
    sa.column("firm_id", Number),
    sa.column("order_key", sa.LargeBinary),
)


def upgrade() -> None:
    """Give each row its key, and let the indexes end in it."""
    for name in (*_FILTERS, "name", "likelihood", "fit", "priority"):
        op.drop_index(f"ix_standings_{name}", table_name="standings")
    for table in ("standings", "list_firms"):
        key = sa.Column("order_key", sa.LargeBinary(), nullable=False, server_default="")
        op.add_column(table, key)
    _fill()
    if op.get_context().dialect.name == "postgresql":
        for table in ("standings", "list_firms"):
            op.alter_column(table, "order_key", server_default=None)
    for name in _FILTERS:
        op.create_index(f"ix_standings_{name}", "standings", [name, "vetoed", "order_key"])
    for name in ("likelihood", "fit"):
        falling = sa.text(f"{name} DESC")
        op.create_index(f"ix_standings_{name}", "standings", ["vetoed", falling, "order_key"])
    op.create_index("ix_standings_name", "standings", ["vetoed", "name"])
    op.create_index("ix_standings_quarters", "standings", ["vetoed", "fit", "likelihood"])
    op.create_index("ix_standings_order_key", "standings", ["vetoed", "order_key"])
    op.create_index("ix_list_firms_list_id_order_key", "list_firms", ["list_id", "order_key"])
    # Rows of this table are longer now: which lists a firm is in is read from the index alone.
    op.drop_index("ix_list_firms_firm_id", table_name="list_firms")
    op.create_index("ix_list_firms_firm_id", "list_firms", ["firm_id", "list_id"])


def _fill() -> None:
    connection, at, last = op.get_bind(), _STANDINGS.c, 0
    known = sa.select(_STANDINGS).order_by(at.firm_id).limit(_AT_ONCE)
    write = sa.update(_STANDINGS).where(at.firm_id == sa.bindparam("firm"))
    write = write.values(order_key=sa.bindparam("key"))
    while rows := connection.execute(known.where(at.firm_id > last)).mappings().all():
        connection.execute(write, [{"firm": row["firm_id"], "key": _key(row)} for row in rows])
        last = rows[-1]["firm_id"]
    # A member of a list stands somewhere: both are written at once.
    op.execute(
        "UPDATE list_firms SET order_key = (SELECT order_key FROM standings"
        " WHERE standings.firm_id = list_firms.firm_id)"
    )


def _key(row: sa.RowMapping) -> bytes:
    """Return the key as `leadscore.ranking.order.order_key` made it when this was written."""
    fractions = struct.pack(">ddd", *(row[name] for name in ("priority", "likelihood", "fit")))
    falling = (int.from_bytes(fractions) ^ ((1 << 192) - 1)).to_bytes(24)
    code = b"\xff" if row["credit_code"] is None else str(row["credit_code"]).encode() + b"\0"
    flag = b"\x01" if row["vetoed"] else b"\0"
    name: str = row["name"]
    return flag + falling + name[:400].encode() + b"\0" + code + int(row["firm_id"]).to_bytes(8)
