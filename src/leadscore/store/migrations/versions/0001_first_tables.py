"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from leadscore.store.audit import AUDIT_TRIGGERS
from leadscore.store.database import METADATA, Json, Moment, Number, trigger_statements

revision = "0001"
down_revision = None

_TABLES = sa.MetaData(naming_convention=METADATA.naming_convention)
_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_GROWING = ("outcomes", "snapshot_fields", "snapshots", "scores")


def upgrade() -> None:
    """Make the tables, and the triggers of those that only grow."""
    connection = op.get_bind()
    _TABLES.create_all(connection, checkfirst=False)
    for table in _GROWING:
        for statement in trigger_statements(table, connection.dialect.name):
            connection.exec_driver_sql(statement)
    for statement in AUDIT_TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)


sa.Table(
    "api_keys",
    _TABLES,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("prefix", sa.String(12), nullable=False),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("created_by", sa.String(100), nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("revoked_at", Moment),
    sa.Column("last_used", Moment),
)
sa.Table(
    "attempts",
    _TABLES,
    sa.Column("name_hash", sa.String(64), primary_key=True),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("last_at", Moment, nullable=False, index=True),
    sa.Column("locked_until", Moment),
)
sa.Table(
    "audit",
    _TABLES,
    sa.Column("sequence", Number, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("actor", sa.String(100), nullable=False, index=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("action", sa.String(60), nullable=False, index=True),
    sa.Column("object_kind", sa.String(40)),
    sa.Column("object_id", sa.String(200)),
    sa.Column("address", sa.String(64)),
    sa.Column("result", sa.String(20), nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("mac", sa.String(64), nullable=False),
)
sa.Table(
    "audit_head",
    _TABLES,
    sa.Column("mark", sa.String(8), primary_key=True),
    sa.Column("sequence", Number, nullable=False),
    sa.Column("mac", sa.String(64), nullable=False),
    sa.Column("seal", sa.String(64), nullable=False),
)
sa.Table(
    "firms",
    _TABLES,
    sa.Column("id", Number, primary_key=True, autoincrement=False),
    sa.Column("credit_code", sa.Text, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False, index=True),
    sa.Column("record", Json, nullable=False),
    sa.Column("origins", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
sa.Table(
    "idempotency",
    _TABLES,
    sa.Column("actor", sa.String(100), primary_key=True),
    sa.Column("route", sa.String(300), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("body_sha256", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("headers", sa.Text),
    sa.Column("body", sa.LargeBinary),
    sa.Column("created_at", Moment, nullable=False, index=True),
)
sa.Table(
    "jobs",
    _TABLES,
    sa.Column("id", Number, primary_key=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("payload", Json, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("words", Json),
    sa.Column("result", Json),
    sa.Column("error", Json),
    sa.Column("submitted_by", sa.String(100), nullable=False),
    sa.Column("submitted_at", Moment, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("worker", sa.String(100)),
    sa.Column("heartbeat_at", Moment),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Index("ix_jobs_state_id", "state", "id"),
)
sa.Table(
    "lists",
    _TABLES,
    sa.Column("id", Number, primary_key=True),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False, index=True),
    sa.Column("uploaded_by", sa.Text, nullable=False),
    sa.Column("uploaded_at", Moment, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("mapping", Json, nullable=False),
    sa.Column("notices", Json, nullable=False),
    sa.Column("counts", Json),
    sa.Column("model", sa.Text),
    sa.Column("error", Json),
    sa.Column("job_id", Number),
)
sa.Table(
    "models",
    _TABLES,
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("manifest", Json),
    sa.Column("mirrored_at", Moment, nullable=False),
)
sa.Table(
    "outcomes",
    _TABLES,
    sa.Column("entry", Number, primary_key=True, autoincrement=False),
    sa.Column("firm_id", Number, index=True),
    sa.Column("credit_code", sa.Text, index=True),
    sa.Column("name", sa.Text, index=True),
    sa.Column("former_names", sa.Text),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("withdrawn", sa.Boolean, nullable=False),
    sa.Column("recorded", Moment, nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("sheet", sa.Text),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.CheckConstraint("credit_code IS NOT NULL OR name IS NOT NULL", name="firm_is_named"),
)
sa.Table(
    "snapshot_fields",
    _TABLES,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("record", Json, nullable=False),
)
sa.Table(
    "users",
    _TABLES,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("password", sa.String(200)),
    sa.Column("password_set_at", Moment),
    sa.Column("link_hash", sa.String(64), unique=True),
    sa.Column("link_until", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("created_by", sa.String(100), nullable=False),
)
sa.Table(
    "exclusions",
    _TABLES,
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
sa.Table(
    "former_names",
    _TABLES,
    sa.Column("name_key", sa.Text, primary_key=True),
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True, index=True),
)
sa.Table(
    "list_files",
    _TABLES,
    sa.Column("list_id", Number, sa.ForeignKey("lists.id"), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
sa.Table(
    "list_firms",
    _TABLES,
    sa.Column("list_id", Number, sa.ForeignKey("lists.id"), primary_key=True),
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True, index=True),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("sheet", sa.Text),
    sa.Column("said", Json),
)
sa.Table(
    "list_problems",
    _TABLES,
    sa.Column("list_id", Number, sa.ForeignKey("lists.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("row", sa.Integer),
    sa.Column("sheet", sa.Text),
    sa.Column("column", sa.Text),
    sa.Column("found", sa.Text, nullable=False),
    sa.Column("wanted_zh", sa.Text, nullable=False),
    sa.Column("wanted_en", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("set_aside", sa.Boolean, nullable=False),
)
sa.Table(
    "overrides",
    _TABLES,
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("values", Json, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
sa.Table(
    "sessions",
    _TABLES,
    sa.Column("id_hash", sa.String(64), primary_key=True),
    sa.Column("user", sa.String(64), sa.ForeignKey("users.name"), nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False, index=True),
    sa.Column("seen_at", Moment, nullable=False),
)
sa.Table(
    "snapshots",
    _TABLES,
    sa.Column("id", Number, primary_key=True),
    sa.Column("firm_id", Number, index=True),
    sa.Column("digest", sa.Text, sa.ForeignKey("snapshot_fields.digest"), nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("kept_at", Moment, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.UniqueConstraint("digest", "as_of", "model"),
)
sa.Table(
    "standing_texts",
    _TABLES,
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)
sa.Table(
    "scores",
    _TABLES,
    sa.Column("id", Number, primary_key=True, autoincrement=False),
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), nullable=False),
    sa.Column("snapshot_id", Number, sa.ForeignKey("snapshots.id"), index=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("scored_at", Moment, nullable=False),
    sa.Column("likelihood", sa.Float, nullable=False),
    sa.Column("fit", sa.Float, nullable=False),
    sa.Column("priority", sa.Float, nullable=False),
    sa.Column("grade", sa.Text, nullable=False),
    sa.Column("segment", sa.Text),
    sa.Column("role", sa.Text),
    sa.Column("veto", sa.Text),
    sa.Column("base_points", sa.Float, nullable=False),
    sa.Column("points", Json, nullable=False),
    sa.Column("values", Json, nullable=False),
    sa.Column("reasons", Json, nullable=False),
    sa.Column("segments", sa.Text),
    sa.Column("words", sa.Text),
    sa.Index("ix_scores_firm_id_id", "firm_id", "id"),
)
sa.Table(
    "standings",
    _TABLES,
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("score_id", Number, sa.ForeignKey("scores.id"), nullable=False),
    sa.Column("list_id", Number, sa.ForeignKey("lists.id")),
    sa.Column("row", sa.Integer),
    sa.Column("name", _KEY, nullable=False),
    sa.Column("credit_code", sa.Text),
    sa.Column("priority", sa.Float, nullable=False),
    sa.Column("likelihood", sa.Float, nullable=False),
    sa.Column("fit", sa.Float, nullable=False),
    sa.Column("grade", _KEY, nullable=False),
    sa.Column("chain", _KEY),
    sa.Column("segment", _KEY),
    sa.Column("role", _KEY),
    sa.Column("region", _KEY),
    sa.Column("province", sa.Text),
    sa.Column("city", sa.Text),
    sa.Column("veto", _KEY),
    sa.Column("vetoed", sa.Boolean, nullable=False),
    sa.Column("stage", _KEY),
    sa.Column("excluded", sa.Boolean, nullable=False),
    sa.Column("overridden", sa.Boolean, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Index("ix_standings_chain", "chain", "vetoed", "priority", "firm_id"),
    sa.Index("ix_standings_facets", "chain", "segment", "role", "grade", "stage", "veto"),
    sa.Index("ix_standings_fit", "vetoed", "fit", "firm_id"),
    sa.Index("ix_standings_grade", "grade", "vetoed", "priority", "firm_id"),
    sa.Index("ix_standings_likelihood", "vetoed", "likelihood", "firm_id"),
    sa.Index("ix_standings_name", "vetoed", "name", "firm_id"),
    sa.Index("ix_standings_priority", "vetoed", "priority", "firm_id"),
    sa.Index("ix_standings_region", "region", "vetoed", "priority", "firm_id"),
    sa.Index("ix_standings_role", "role", "vetoed", "priority", "firm_id"),
    sa.Index("ix_standings_segment", "segment", "vetoed", "priority", "firm_id"),
    sa.Index("ix_standings_stage", "stage", "vetoed", "priority", "firm_id"),
)
