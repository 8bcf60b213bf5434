"""Who serves, profile versions, pursuits, facts, matches and plans, and one generation of all."""

from __future__ import annotations

from string import punctuation

import sqlalchemy as sa
from alembic import op

from leadscore.store.database import METADATA, Json, Moment, Number, trigger_statements

revision = "0005"
down_revision = "0004"

_TABLES = sa.MetaData(naming_convention=METADATA.naming_convention)
_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_GROWING = ("champions", "profile_versions")
_STAGES = (
    # id, Chinese, English, whether it ends a pursuit
    ("lead", "线索", "lead", False),
    ("screened", "研判", "screened", False),
    ("contacted", "对接", "contacted", False),
    ("visited", "考察", "visited", False),
    ("negotiating", "洽谈", "negotiating", False),
    ("signed", "签约", "signed", False),
    ("registered", "注册", "registered", False),
    ("building", "开工", "building", False),
    ("producing", "投产", "producing", True),
    ("paused", "搁置", "paused", False),
    ("lost", "流失", "lost", True),
)
_ADDED = (
    # table, column, kind, table whose ``id`` it names
    ("firms", "merged_into", Number, "firms"),
    ("outcomes", "pursuit_id", Number, "pursuits"),
    ("lists", "undone_at", Moment(), None),
    ("lists", "undone_by", sa.Text(), None),
    ("scores", "profile", sa.Text(), None),
    ("scores", "facts", sa.Text(), None),
)
_INDEXED = ("merged_into", "pursuit_id")

# Each two characters that follow each other, so that words of two are found, too. On SQLite the
# program gives its connections the function ``bigrams``, which writes them one after another.
_MARKS = punctuation.replace("'", "''").replace('"', '""')
_FILL = "INSERT INTO standing_bigrams(rowid, bigrams)"
_TAKE = "INSERT INTO standing_bigrams(standing_bigrams, rowid, bigrams)"
_ADD_NEW = f"{_FILL} VALUES (new.firm_id, bigrams(new.text));"
_TAKE_OLD = f"{_TAKE} VALUES ('delete', old.firm_id, bigrams(old.text));"
_TRIGGER = "CREATE TRIGGER standing_texts_{} ON standing_texts BEGIN {} END"
_SEARCH = {
    "sqlite": [
        f"""
        CREATE VIRTUAL TABLE standing_bigrams USING fts5(
            bigrams, content='', tokenize="ascii tokenchars '{_MARKS}'"
        )
        """,
        _TRIGGER.format("insert AFTER INSERT", _ADD_NEW),
        _TRIGGER.format("delete AFTER DELETE", _TAKE_OLD),
        _TRIGGER.format("update AFTER UPDATE", f"{_TAKE_OLD} {_ADD_NEW}"),
        f"{_FILL} SELECT firm_id, bigrams(text) FROM standing_texts",  # noqa: S608 - no value
    ],
    "postgresql": [
        """
        CREATE FUNCTION bigrams(text) RETURNS text[] LANGUAGE sql
        IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
            SELECT array_agg(one || following) FROM unnest(
                string_to_array($1, NULL), (string_to_array($1, NULL))[2:]
            ) AS letters(one, following) WHERE following IS NOT NULL
        $$
        """,
        "CREATE INDEX ix_standing_texts_bigrams ON standing_texts USING gin (bigrams(text))",
        # Else frequent ones would seem to be found sooner by working all of them out anew.
        "ALTER INDEX ix_standing_texts_bigrams ALTER COLUMN 1 SET STATISTICS 0",
    ],
}


def upgrade() -> None:
    """Make the tables, with the office's stages as they were, and add the columns."""
    connection = op.get_bind()
    op.drop_table("attempts")  # of the last day, by name alone
    new = [table for table in _TABLES.sorted_tables if "there" not in table.info]
    _TABLES.create_all(connection, tables=new, checkfirst=False)
    for table in _GROWING:
        for statement in trigger_statements(table, connection.dialect.name):
            connection.exec_driver_sql(statement)
    for table, column, kind, named in _ADDED:
        # In plain SQL: Alembic adds no foreign key to a table of SQLite.
        key = f" CONSTRAINT fk_{table}_{column}_{named} REFERENCES {named} (id)" if named else ""
        form = kind.compile(connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column} {form}{key}")
        if column in _INDEXED:
            op.create_index(f"ix_{table}_{column}", table, [column])
    op.create_index("ix_jobs_submitted_by_started_at", "jobs", ["submitted_by", "started_at"])
    for statement in _SEARCH[connection.dialect.name]:
        connection.exec_driver_sql(statement)
    connection.execute(_TABLES.tables["generation"].insert(), {"mark": "now", "number": 1})
    rows = [
        {"id": id_, "kind": "stage", "position": at, "zh": zh, "en": en, "terminal": terminal}
        for at, (id_, zh, en, terminal) in enumerate(_STAGES, start=1)
    ]
    connection.execute(_TABLES.tables["stages"].insert(), rows)


sa.Table(
    "generation",
    _TABLES,
    sa.Column("mark", sa.String(8), primary_key=True),
    sa.Column("number", Number, nullable=False),
)
sa.Table(
    "attempts",
    _TABLES,
    sa.Column("subject", sa.String(64), primary_key=True),
    sa.Column("name_hash", sa.String(64), index=True),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("last_at", Moment, nullable=False, index=True),
    sa.Column("wait_until", Moment),
    sa.Column("known_at", Moment, index=True),
)
sa.Table(
    "champions",
    _TABLES,
    sa.Column("city", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
sa.Table(
    "profile_versions",
    _TABLES,
    sa.Column("city", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("supply", Json, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("rests_on", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
)
sa.Table(
    "stages",
    _TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("zh", sa.Text, nullable=False),
    sa.Column("en", sa.Text, nullable=False),
    sa.Column("terminal", sa.Boolean, nullable=False),
)
# Those that are there already, as far as the new ones name them.
for _name in ("firms", "lists", "scores"):
    sa.Table(_name, _TABLES, sa.Column("id", Number, primary_key=True), info={"there": True})
sa.Table(
    "plans",
    _TABLES,
    sa.Column("id", Number, primary_key=True),
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("starts", sa.Date, nullable=False),
    sa.Column("ends", sa.Date, nullable=False),
    sa.Column("capacity", Json, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("profile", sa.Integer, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
)
sa.Table(
    "pursuits",
    _TABLES,
    sa.Column("id", Number, primary_key=True),
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), nullable=False, index=True),
    sa.Column("opened", sa.Date, nullable=False),
    sa.Column("closed", sa.Date),
    sa.Column("reason", sa.Text),
    sa.Column("owner", sa.Text),
    sa.Column("next_step", sa.Text),
    sa.Column("next_step_on", sa.Date, index=True),
    sa.Column("list_id", Number, sa.ForeignKey("lists.id")),
    sa.Column("rank", sa.Integer),
    sa.Column("model", sa.Text),
    sa.Column("score_id", Number, sa.ForeignKey("scores.id")),
    sa.Column("plan_id", Number, sa.ForeignKey("plans.id")),
    sa.Column("propensity", sa.Float),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
sa.Table(
    "visits",
    _TABLES,
    sa.Column("id", Number, primary_key=True),
    sa.Column("plan_id", Number, sa.ForeignKey("plans.id"), index=True),
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), nullable=False, index=True),
    sa.Column("pursuit_id", Number, sa.ForeignKey("pursuits.id")),
    sa.Column("position", sa.Integer),
    sa.Column("planned_on", sa.Date),
    sa.Column("made_on", sa.Date),
    sa.Column("officer", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
)
sa.Table(
    "facts",
    _TABLES,
    sa.Column("id", Number, primary_key=True),
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), nullable=False, index=True),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value", Json),
    sa.Column("valid_from", sa.Date, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("list_id", Number, sa.ForeignKey("lists.id"), index=True),
    sa.Column("withdrawn_at", Moment),
    sa.Column("withdrawn_by", sa.Text),
)
sa.Table(
    "firm_segments",
    _TABLES,
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("segment", _KEY, primary_key=True),
    sa.Column("role", sa.Text),
    sa.Column("use", sa.Text),
    sa.Column("strength", sa.Float, nullable=False),
    sa.Column("fit", sa.Float, nullable=False),
    sa.Index("ix_firm_segments_segment", "segment", "fit"),
)
