"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from leadscore.store.audit import AUDIT_TRIGGERS
from leadscore.store.database import Json, Moment, Number, trigger_statements

revision = "0001"
down_revision = None

_GROWING = ("outcomes", "snapshot_fields", "snapshots", "scores")


def upgrade() -> None:
    """Make the tables, and the triggers of those that only grow."""
    _api_keys()
    _attempts()
    _audit()
    _audit_head()
    _firms()
    _idempotency()
    _jobs()
    _lists()
    _models()
    _outcomes()
    _snapshot_fields()
    _users()
    _exclusions()
    _former_names()
    _list_files()
    _list_firms()
    _list_problems()
    _overrides()
    _sessions()
    _snapshots()
    _standing_texts()
    _scores()
    _standings()
    connection = op.get_bind()
    for table in _GROWING:
        for statement in trigger_statements(table, connection.dialect.name):
            connection.exec_driver_sql(statement)
    for statement in AUDIT_TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.Column("last_used", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
    )


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("name_hash", sa.String(length=64), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("last_at", Moment(), nullable=False),
        sa.Column("locked_until", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("name_hash", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_last_at"), "attempts", ["last_at"], unique=False)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("sequence", Number, autoincrement=False, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("object_kind", sa.String(length=40), nullable=True),
        sa.Column("object_id", sa.String(length=200), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_action"), "audit", ["action"], unique=False)
    op.create_index(op.f("ix_audit_actor"), "audit", ["actor"], unique=False)
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)


def _audit_head() -> None:
    op.create_table(
        "audit_head",
        sa.Column("mark", sa.String(length=8), nullable=False),
        sa.Column("sequence", Number, nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_audit_head")),
    )


def _firms() -> None:
    op.create_table(
        "firms",
        sa.Column("id", Number, autoincrement=False, nullable=False),
        sa.Column("credit_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("record", Json, nullable=False),
        sa.Column("origins", Json, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firms")),
        sa.UniqueConstraint("credit_code", name=op.f("uq_firms_credit_code")),
    )
    op.create_index(op.f("ix_firms_name_key"), "firms", ["name_key"], unique=False)


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("route", sa.String(length=300), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("actor", "route", "key", name=op.f("pk_idempotency")),
    )
    op.create_index(op.f("ix_idempotency_created_at"), "idempotency", ["created_at"], unique=False)


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", Number, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("words", Json, nullable=True),
        sa.Column("result", Json, nullable=True),
        sa.Column("error", Json, nullable=True),
        sa.Column("submitted_by", sa.String(length=100), nullable=False),
        sa.Column("submitted_at", Moment(), nullable=False),
        sa.Column("started_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=100), nullable=True),
        sa.Column("heartbeat_at", Moment(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_state_id", "jobs", ["state", "id"], unique=False)


def _lists() -> None:
    op.create_table(
        "lists",
        sa.Column("id", Number, nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("uploaded_at", Moment(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("mapping", Json, nullable=False),
        sa.Column("notices", Json, nullable=False),
        sa.Column("counts", Json, nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("error", Json, nullable=True),
        sa.Column("job_id", Number, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lists")),
    )
    op.create_index(op.f("ix_lists_sha256"), "lists", ["sha256"], unique=False)


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("manifest", Json, nullable=True),
        sa.Column("mirrored_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_models")),
    )


def _outcomes() -> None:
    op.create_table(
        "outcomes",
        sa.Column("entry", Number, autoincrement=False, nullable=False),
        sa.Column("firm_id", Number, nullable=True),
        sa.Column("credit_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("former_names", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("recorded", Moment(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=True),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "credit_code IS NOT NULL OR name IS NOT NULL", name=op.f("ck_outcomes_firm_is_named")
        ),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_outcomes")),
    )
    op.create_index(op.f("ix_outcomes_credit_code"), "outcomes", ["credit_code"], unique=False)
    op.create_index(op.f("ix_outcomes_firm_id"), "outcomes", ["firm_id"], unique=False)
    op.create_index(op.f("ix_outcomes_name"), "outcomes", ["name"], unique=False)


def _snapshot_fields() -> None:
    op.create_table(
        "snapshot_fields",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("record", Json, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_snapshot_fields")),
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("password", sa.String(length=200), nullable=True),
        sa.Column("password_set_at", Moment(), nullable=True),
        sa.Column("link_hash", sa.String(length=64), nullable=True),
        sa.Column("link_until", Moment(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_users")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_users_link_hash")),
    )


def _exclusions() -> None:
    op.create_table(
        "exclusions",
        sa.Column("firm_id", Number, autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["firm_id"], ["firms.id"], name=op.f("fk_exclusions_firm_id_firms")
        ),
        sa.PrimaryKeyConstraint("firm_id", name=op.f("pk_exclusions")),
    )


def _former_names() -> None:
    op.create_table(
        "former_names",
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("firm_id", Number, nullable=False),
        sa.ForeignKeyConstraint(
            ["firm_id"], ["firms.id"], name=op.f("fk_former_names_firm_id_firms")
        ),
        sa.PrimaryKeyConstraint("name_key", "firm_id", name=op.f("pk_former_names")),
    )
    op.create_index("ix_former_names_firm_id", "former_names", ["firm_id"], unique=False)


def _list_files() -> None:
    op.create_table(
        "list_files",
        sa.Column("list_id", Number, autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_id"], ["lists.id"], name=op.f("fk_list_files_list_id_lists")
        ),
        sa.PrimaryKeyConstraint("list_id", name=op.f("pk_list_files")),
    )


def _list_firms() -> None:
    op.create_table(
        "list_firms",
        sa.Column("list_id", Number, autoincrement=False, nullable=False),
        sa.Column("firm_id", Number, autoincrement=False, nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=True),
        sa.Column("said", Json, nullable=True),
        sa.ForeignKeyConstraint(
            ["firm_id"], ["firms.id"], name=op.f("fk_list_firms_firm_id_firms")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["lists.id"], name=op.f("fk_list_firms_list_id_lists")
        ),
        sa.PrimaryKeyConstraint("list_id", "firm_id", name=op.f("pk_list_firms")),
    )
    op.create_index("ix_list_firms_firm_id", "list_firms", ["firm_id"], unique=False)


def _list_problems() -> None:
    op.create_table(
        "list_problems",
        sa.Column("list_id", Number, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column("sheet", sa.Text(), nullable=True),
        sa.Column("column", sa.Text(), nullable=True),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("wanted_zh", sa.Text(), nullable=False),
        sa.Column("wanted_en", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("set_aside", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_id"], ["lists.id"], name=op.f("fk_list_problems_list_id_lists")
        ),
        sa.PrimaryKeyConstraint("list_id", "position", name=op.f("pk_list_problems")),
    )


def _overrides() -> None:
    op.create_table(
        "overrides",
        sa.Column("firm_id", Number, autoincrement=False, nullable=False),
        sa.Column("values", Json, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_overrides_firm_id_firms")),
        sa.PrimaryKeyConstraint("firm_id", name=op.f("pk_overrides")),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.name"], name=op.f("fk_sessions_user_users")),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_created_at"), "sessions", ["created_at"], unique=False)
    op.create_index(op.f("ix_sessions_user"), "sessions", ["user"], unique=False)


def _snapshots() -> None:
    op.create_table(
        "snapshots",
        sa.Column("id", Number, nullable=False),
        sa.Column("firm_id", Number, nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("kept_at", Moment(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"], ["snapshot_fields.digest"], name=op.f("fk_snapshots_digest_snapshot_fields")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
        sa.UniqueConstraint(
            "digest", "as_of", "model", name=op.f("uq_snapshots_digest_as_of_model")
        ),
    )
    op.create_index(op.f("ix_snapshots_firm_id"), "snapshots", ["firm_id"], unique=False)


def _standing_texts() -> None:
    op.create_table(
        "standing_texts",
        sa.Column("firm_id", Number, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["firm_id"], ["firms.id"], name=op.f("fk_standing_texts_firm_id_firms")
        ),
        sa.PrimaryKeyConstraint("firm_id", name=op.f("pk_standing_texts")),
    )


def _scores() -> None:
    op.create_table(
        "scores",
        sa.Column("id", Number, autoincrement=False, nullable=False),
        sa.Column("firm_id", Number, nullable=False),
        sa.Column("snapshot_id", Number, nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("scored_at", Moment(), nullable=False),
        sa.Column("likelihood", sa.Float(), nullable=False),
        sa.Column("fit", sa.Float(), nullable=False),
        sa.Column("priority", sa.Float(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("veto", sa.Text(), nullable=True),
        sa.Column("base_points", sa.Float(), nullable=False),
        sa.Column("points", Json, nullable=False),
        sa.Column("values", Json, nullable=False),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("segments", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_scores_firm_id_firms")),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.id"], name=op.f("fk_scores_snapshot_id_snapshots")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scores")),
    )
    op.create_index("ix_scores_firm_id_id", "scores", ["firm_id", "id"], unique=False)
    op.create_index(op.f("ix_scores_snapshot_id"), "scores", ["snapshot_id"], unique=False)


def _standings() -> None:
    op.create_table(
        "standings",
        sa.Column("firm_id", Number, autoincrement=False, nullable=False),
        sa.Column("score_id", Number, nullable=False),
        sa.Column("list_id", Number, nullable=True),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column(
            "name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("credit_code", sa.Text(), nullable=True),
        sa.Column("priority", sa.Float(), nullable=False),
        sa.Column("likelihood", sa.Float(), nullable=False),
        sa.Column("fit", sa.Float(), nullable=False),
        sa.Column(
            "grade", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column(
            "chain", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True
        ),
        sa.Column(
            "segment", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True
        ),
        sa.Column(
            "role", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True
        ),
        sa.Column(
            "region", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True
        ),
        sa.Column("province", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column(
            "veto", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True
        ),
        sa.Column("vetoed", sa.Boolean(), nullable=False),
        sa.Column(
            "stage", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True
        ),
        sa.Column("excluded", sa.Boolean(), nullable=False),
        sa.Column("overridden", sa.Boolean(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firms.id"], name=op.f("fk_standings_firm_id_firms")),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name=op.f("fk_standings_list_id_lists")),
        sa.ForeignKeyConstraint(
            ["score_id"], ["scores.id"], name=op.f("fk_standings_score_id_scores")
        ),
        sa.PrimaryKeyConstraint("firm_id", name=op.f("pk_standings")),
    )
    op.create_index(
        "ix_standings_chain", "standings", ["chain", "vetoed", "priority", "firm_id"], unique=False
    )
    op.create_index(
        "ix_standings_facets",
        "standings",
        ["chain", "segment", "role", "grade", "stage", "veto"],
        unique=False,
    )
    op.create_index("ix_standings_fit", "standings", ["vetoed", "fit", "firm_id"], unique=False)
    op.create_index(
        "ix_standings_grade", "standings", ["grade", "vetoed", "priority", "firm_id"], unique=False
    )
    op.create_index(
        "ix_standings_likelihood", "standings", ["vetoed", "likelihood", "firm_id"], unique=False
    )
    op.create_index("ix_standings_name", "standings", ["vetoed", "name", "firm_id"], unique=False)
    op.create_index(
        "ix_standings_priority", "standings", ["vetoed", "priority", "firm_id"], unique=False
    )
    op.create_index(
        "ix_standings_region",
        "standings",
        ["region", "vetoed", "priority", "firm_id"],
        unique=False,
    )
    op.create_index(
        "ix_standings_role", "standings", ["role", "vetoed", "priority", "firm_id"], unique=False
    )
    op.create_index(
        "ix_standings_segment",
        "standings",
        ["segment", "vetoed", "priority", "firm_id"],
        unique=False,
    )
    op.create_index(
        "ix_standings_stage", "standings", ["stage", "vetoed", "priority", "firm_id"], unique=False
    )
