"""A firm in pursuit keeps its rank: who has it in hand, how long a lost one rests, and notes."""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from leadscore.store.database import METADATA, Json, Moment, Number

revision = "0009"
down_revision = "0008"

_TABLES = sa.MetaData(naming_convention=METADATA.naming_convention)
_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_REST_MONTHS = 12  # as the program has it unless an office says otherwise
_GONE = ("deregistered", "revoked", "liquidating")
_HERE = ("registered", "building", "producing")
_REOPENING = ("lead", "screened", "contacted", "visited", "negotiating", "framework")
_ENDING = ("producing", "lost")
_AT_ONCE = 500

_FIRMS = sa.table(
    "firms", sa.column("id"), sa.column("credit_code"), sa.column("name_key"),
    sa.column("origins", Json),
)  # fmt: skip
_OUTCOMES = sa.table(
    "outcomes",
    *(sa.column(name) for name in (
        "entry", "firm_id", "credit_code", "name", "stage", "reason", "withdrawn", "pursuit_id",
        "recorded_by",
    )),
    sa.column("day", sa.Date),
)  # fmt: skip
_PURSUITS = sa.table(
    "pursuits",
    *(sa.column(name) for name in ("id", "firm_id", "reason", "owner", "recorded_by", "version",
                                   "score_id", "model", "list_id")),
    sa.column("opened", sa.Date), sa.column("closed", sa.Date), sa.column("recorded_at", Moment),
)  # fmt: skip
_SCORES = sa.table(
    "scores", sa.column("id"), sa.column("firm_id"), sa.column("model"), sa.column("veto"),
    sa.column("scored_at", Moment),
)  # fmt: skip
_LIST_FIRMS = sa.table(
    "list_firms", sa.column("list_id"), sa.column("firm_id"),
    sa.column("order_key", sa.LargeBinary),
)  # fmt: skip
_LISTS = sa.table("lists", sa.column("id"), sa.column("uploaded_at", Moment))
_STANDINGS = sa.table(
    "standings",
    *(sa.column(name) for name in ("firm_id", "score_id", "stage", "excluded", "veto", "vetoed",
                                   "pursuit_id", "owner", "rest_reason")),
    sa.column("order_key", sa.LargeBinary), sa.column("rests_until", sa.Date),
)  # fmt: skip


def upgrade() -> None:
    """Add columns and tables, open the pursuits that files have told of, and place firms anew."""
    connection = op.get_bind()
    new = [table for table in _TABLES.sorted_tables if "there" not in table.info]
    _TABLES.create_all(connection, tables=new, checkfirst=False)
    number = Number.compile(connection.dialect)
    key = "CONSTRAINT fk_standings_pursuit_id_pursuits REFERENCES pursuits (id)"
    connection.exec_driver_sql(f"ALTER TABLE standings ADD COLUMN pursuit_id {number} {key}")
    for column in (
        sa.Column("owner", _KEY), sa.Column("rests_until", sa.Date),
        sa.Column("rest_reason", sa.Text),
    ):  # fmt: skip
        op.add_column("standings", column)
    op.create_index("ix_standings_owner", "standings", ["owner", "vetoed", "order_key"])
    op.drop_index("ix_standings_facets", table_name="standings")
    op.create_index(
        "ix_standings_facets", "standings",
        ["chain", "segment", "role", "grade", "stage", "owner", "veto", "province", "city"],
    )  # fmt: skip
    op.create_index("ix_firms_created_at", "firms", ["created_at"])
    op.create_index("ix_scores_scored_at", "scores", ["scored_at"])
    op.create_index("ix_outcomes_stage_day", "outcomes", ["stage", "day"])
    of_firms = _outcomes_of_firms(connection)
    _open_pursuits(connection, of_firms)
    _place(connection, of_firms)


def _outcomes_of_firms(connection: sa.Connection) -> dict[int, list[sa.Row[Any]]]:
    # As the program tells whose an entry is: by its number, else its code, else its name.
    # Names are read with pandas at hand, which a home that needs no migration must not wait for.
    from leadscore.lists.dedupe import normal_name_of

    rows = connection.execute(sa.select(_OUTCOMES).order_by(_OUTCOMES.c.entry)).all()
    if not rows:
        return {}
    codes, names = dict[str, int](), dict[str, int]()
    firms = sa.select(_FIRMS.c.id, _FIRMS.c.credit_code, _FIRMS.c.name_key)
    for firm in connection.execute(firms.order_by(_FIRMS.c.id)):
        names.setdefault(firm.name_key, firm.id)
        if firm.credit_code:
            codes[firm.credit_code] = firm.id
    of_firms = defaultdict[int, list[sa.Row[Any]]](list)
    for row in rows:
        owner = row.firm_id
        if owner is None and row.credit_code:
            owner = codes.get(row.credit_code)
        elif owner is None:
            owner = names.get(normal_name_of(row.name))
        if owner is not None:
            of_firms[owner].append(row)
    return of_firms


def _starts(entries: Iterable[sa.Row[Any]]) -> list[date]:
    # On which days a firm was pursued again after it was lost.
    entries = [*entries]
    gone = {(row.stage, row.day) for row in entries if row.withdrawn}
    held = {(row.day, row.stage == "lost", row.stage) for row in entries}
    starts, lost = list[date](), None
    for day, _, stage in sorted(held):
        if (stage, day) in gone:
            continue
        if stage == "lost":
            lost = day
        elif lost and stage in _REOPENING and day > lost:
            if lost.day == 1 and (lost.year, lost.month) == (day.year, day.month):
                continue
            starts.append(day)
            lost = None
    return starts


def _held(entries: Sequence[sa.Row[Any]], starts: Sequence[date]) -> list[sa.Row[Any]]:
    latest = {(bisect_right(starts, row.day), row.stage): row for row in entries}
    return [row for row in latest.values() if not row.withdrawn]


def _open_pursuits(
    connection: sa.Connection, of_firms: Mapping[int, Sequence[sa.Row[Any]]]
) -> None:
    there = defaultdict[int, list[date]](list)
    for firm, opened in connection.execute(sa.select(_PURSUITS.c.firm_id, _PURSUITS.c.opened)):
        there[firm].append(opened)
    now = datetime.now(UTC)
    for firm, entries in of_firms.items():
        starts = _starts(entries)
        known = {bisect_right(starts, opened) for opened in there[firm]}
        parts = defaultdict[int, list[sa.Row[Any]]](list)
        for row in sorted(_held(entries, starts), key=lambda row: (row.day, row.entry)):
            parts[bisect_right(starts, row.day)].append(row)
        for at in sorted(parts.keys() - known):
            first, last = parts[at][0], parts[at][-1]
            over = last.stage in _ENDING
            values = {
                "firm_id": firm, "opened": first.day, "closed": last.day if over else None,
                "reason": last.reason if over else None, "recorded_by": first.recorded_by,
                "recorded_at": now, "version": 1, **_known_on(connection, firm, first.day),
            }  # fmt: skip
            connection.execute(_PURSUITS.insert().values(values))


def _known_on(connection: sa.Connection, firm: int, day: date) -> dict[str, Any]:
    until = datetime(day.year, day.month, day.day, 23, 59, 59).astimezone()
    scores, lists, at = _SCORES.c, _LISTS.c, _LIST_FIRMS.c
    score = connection.execute(
        sa.select(scores.id, scores.model)
        .where(scores.firm_id == firm, scores.scored_at <= until)
        .order_by(scores.id.desc())
        .limit(1)
    ).one_or_none()
    listed = sa.select(sa.func.max(at.list_id)).join_from(
        _LIST_FIRMS, _LISTS, lists.id == at.list_id
    )
    listed = listed.where(at.firm_id == firm, lists.uploaded_at <= until)
    return {
        "list_id": connection.scalar(listed), "score_id": score and score.id,
        "model": score and score.model,
    }  # fmt: skip


def _place(connection: sa.Connection, of_firms: Mapping[int, Sequence[sa.Row[Any]]]) -> None:
    # Who was courted had the veto ``in_pursuit``; the first byte of the key says whether there is
    # any.
    at, today = _STANDINGS.c, datetime.now(UTC).astimezone().date()
    last = sa.select(_PURSUITS.c.firm_id, _PURSUITS.c.id)
    last = last.order_by(_PURSUITS.c.firm_id, _PURSUITS.c.opened, _PURSUITS.c.id)
    pursuits = {row.firm_id: row.id for row in connection.execute(last)}
    placed = sa.select(
        at.firm_id, at.stage, at.excluded, at.veto, at.order_key, _SCORES.c.veto.label("scored")
    )
    placed = placed.join_from(_STANDINGS, _SCORES, _SCORES.c.id == at.score_id)
    staged = connection.execute(placed.where(at.stage.is_not(None) | (at.veto == "in_pursuit")))
    changed = []
    for row in staged.all():
        entries = of_firms.get(row.firm_id, ())
        held = _held(entries, _starts(entries))
        reached = max(held, key=lambda entry: (entry.day, entry.entry), default=None)
        until = _rest(connection, row, reached)
        veto = _veto(row, resting=until is not None and today < until)
        changed.append({
            "firm": row.firm_id, "new_veto": veto, "new_vetoed": veto is not None,
            "key": bytes([veto is not None]) + bytes(row.order_key[1:]),
            "pursuit": pursuits.get(row.firm_id), "until": until,
            "why": reached.reason if reached and until else None,
        })  # fmt: skip
    write = sa.update(_STANDINGS).where(at.firm_id == sa.bindparam("firm")).values(
        veto=sa.bindparam("new_veto"), vetoed=sa.bindparam("new_vetoed"),
        order_key=sa.bindparam("key"), pursuit_id=sa.bindparam("pursuit"),
        rests_until=sa.bindparam("until"), rest_reason=sa.bindparam("why"),
    )  # fmt: skip
    in_lists = sa.update(_LIST_FIRMS).where(_LIST_FIRMS.c.firm_id == sa.bindparam("firm"))
    in_lists = in_lists.values(order_key=sa.bindparam("key"))
    for start in range(0, len(changed), _AT_ONCE):
        some = changed[start : start + _AT_ONCE]
        connection.execute(write, some)
        connection.execute(in_lists, [{"firm": row["firm"], "key": row["key"]} for row in some])


def _rest(connection: sa.Connection, row: Any, last: sa.Row[Any] | None) -> date | None:
    if row.stage != "lost":
        return None
    if last is None:
        origins = sa.select(_FIRMS.c.origins).where(_FIRMS.c.id == row.firm_id)
        listed: Any = connection.scalar(origins)
        day = date.fromisoformat(listed["stage"]["as_of"])
    else:
        day = last.day
    year, month = divmod(day.year * 12 + day.month - 1 + _REST_MONTHS, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _veto(row: Any, *, resting: bool) -> str | None:
    if row.scored in _GONE:
        return str(row.scored)
    if row.excluded:
        return "excluded"
    if row.scored == "already_here" or row.stage in _HERE:
        return "already_here"
    return "resting" if resting else None


for _name in ("firms", "pursuits"):
    sa.Table(_name, _TABLES, sa.Column("id", Number, primary_key=True), info={"there": True})
sa.Table(
    "office",
    _TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", Json, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
sa.Table(
    "notes",
    _TABLES,
    sa.Column("id", Number, primary_key=True),
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), nullable=False, index=True),
    sa.Column("pursuit_id", Number, sa.ForeignKey("pursuits.id")),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False, index=True),
)
sa.Table(
    "last_visits",
    _TABLES,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("began", Moment, nullable=False),
    sa.Column("before", Moment),
)
