"""What the day brings: what has changed since somebody was here last, and what came true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping
from sqlalchemy.dialects import postgresql, sqlite

from leadscore.lists.dedupe import normal_name_of
from leadscore.store.champions import CHAMPIONS
from leadscore.store.current_ranking import SCORES, STANDINGS, Score
from leadscore.store.database import METADATA, Moment, one_of_some, rows_of_some
from leadscore.store.facts import FACTS
from leadscore.store.firms import FIRMS, Firm, read_firms
from leadscore.store.models import scorecards
from leadscore.store.outcomes import outcomes, outcomes_of
from leadscore.store.pursuits import pursuits_of
from leadscore.store.scoring import change_between

LAST_VISITS = sa.Table(
    "last_visits",
    METADATA,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("began", Moment, nullable=False),
    sa.Column("before", Moment),
)
"""When each person's present visit began, and when the one before did."""

_VISIT = timedelta(hours=4)  # within which looking again is the same visit
_FIRST = timedelta(days=7)  # of which somebody is told who was never here before


def last_visit(connection: Connection, actor: str, *, now: datetime) -> datetime:
    """Return since when things are new to somebody: when their visit before this one began.

    To who was never here before, a week is new.
    """
    query = sa.select(LAST_VISITS).where(LAST_VISITS.c.actor == actor)
    row = connection.execute(query).one_or_none()
    if row is None:
        return now - _FIRST
    since: datetime | None = row.began if now - row.began >= _VISIT else row.before
    return since or now - _FIRST


def note_visit(connection: Connection, actor: str, *, now: datetime) -> None:
    """Note that somebody is here; what is so within four hours is one visit."""
    at = LAST_VISITS.c
    row = connection.execute(sa.select(LAST_VISITS).where(at.actor == actor)).one_or_none()
    if row is not None and now - row.began < _VISIT:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"began": now, "before": row.began if row else None}
    statement = insert(LAST_VISITS).values(actor=actor, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["actor"], set_=values))


_LISTED = 5  # of each kind
_LOOKED_AT = 500  # first firms of the ranking of which is said how they moved
_MOVED = 0.005  # of a likelihood, from which on it reads otherwise

Why = Literal["data", "model", "corrected", "unknown"]


@dataclass(frozen=True, slots=True)
class Moved:
    """A firm that is scored otherwise by now, and what it comes from.

    ``corrected`` if an officer has said or withdrawn something of it meanwhile, else ``data`` or
    ``model``, whichever moved it more; ``unknown`` where the card of then can't be had.
    """

    firm_id: int
    name: str
    older: Score
    newer: Score
    why: Why


@dataclass(frozen=True, slots=True)
class News:
    """What has changed since a moment.

    How many firms are new, and the first of them in the ranking; the firms that moved most, of the
    first 500 and of those that somebody has in hand; the champions that took over meanwhile.
    """

    new: int
    best: Sequence[RowMapping]
    moved: Sequence[Moved]
    models: Sequence[str]


def news_since(connection: Connection, since: datetime, owner: str) -> News:
    """Return what has changed since a moment, to a person."""
    at = STANDINGS.c
    is_new = FIRMS.c.created_at > since
    new = connection.scalar(sa.select(sa.func.count()).select_from(FIRMS).where(is_new)) or 0
    best: Sequence[RowMapping] = []
    if new:
        # Numbers of firms only rise: the first one by time has the lowest.
        first = connection.scalar(
            sa.select(FIRMS.c.id).where(is_new).order_by(FIRMS.c.created_at, FIRMS.c.id).limit(1)
        )
        query = sa.select(at.firm_id, at.name, at.grade, at.overridden, at.segment, at.likelihood)
        query = query.where(at.firm_id >= first, at.vetoed.is_(False))
        best = connection.execute(query.order_by(at.order_key).limit(_LISTED)).mappings().all()
    took = sa.select(CHAMPIONS.c.version).where(CHAMPIONS.c.at > since).order_by(CHAMPIONS.c.at)
    models = list(dict.fromkeys(connection.scalars(took)))
    return News(new, best, _moved(connection, since, owner), models)


def _moved(connection: Connection, since: datetime, owner: str) -> list[Moved]:
    at, score = STANDINGS.c, SCORES.c
    anew_since = sa.select(score.id).where(score.scored_at > since)
    first = connection.scalar(anew_since.order_by(score.scored_at, score.id).limit(1))
    if first is None:
        return []
    some = sa.select(at.firm_id, at.name, at.score_id)
    top = some.where(at.vetoed.is_(False)).order_by(at.order_key).limit(_LOOKED_AT)
    own = some.where(at.owner == owner).limit(_LOOKED_AT)
    rows = {row.firm_id: row for query in (top, own) for row in connection.execute(query)}
    anew = {firm: row for firm, row in rows.items() if row.score_id >= first}
    before = sa.select(sa.func.max(score.id)).where(
        score.firm_id.in_(one_of_some()), score.id < first
    )
    older = [row[0] for row in rows_of_some(connection, before.group_by(score.firm_id), anew)]
    known = sa.select(score.id, score.firm_id, score.likelihood, score.grade)
    known = known.where(score.id.in_(one_of_some()))
    of_firm = {row.firm_id: row for row in rows_of_some(connection, known, older)}
    now = [anew[firm].score_id for firm in of_firm]
    steps = [
        (abs(row.likelihood - of_firm[row.firm_id].likelihood), of_firm[row.firm_id].id, row)
        for row in rows_of_some(connection, known, now)
        if abs(row.likelihood - of_firm[row.firm_id].likelihood) >= _MOVED
        or row.grade != of_firm[row.firm_id].grade
    ]
    steps.sort(key=lambda step: (-step[0], step[1]))
    return _explained(connection, [(old, row.id) for _, old, row in steps[:_LISTED]], anew, since)


def _explained(
    connection: Connection, pairs: Sequence[tuple[int, int]], standing: Mapping[int, Any],
    since: datetime,
) -> list[Moved]:  # fmt: skip
    query = sa.select(SCORES).where(SCORES.c.id.in_(one_of_some()))
    rows = rows_of_some(connection, query, [number for pair in pairs for number in pair])
    scores = {score.id: score for score in (Score(*row) for row in rows)}
    cards = scorecards(connection, {score.model for score in scores.values()})
    meanwhile = sa.or_(FACTS.c.recorded_at > since, FACTS.c.withdrawn_at > since)
    said = sa.select(FACTS.c.firm_id).where(
        FACTS.c.firm_id.in_(one_of_some()), FACTS.c.list_id.is_(None), meanwhile
    )
    firms = [scores[new].firm_id for _, new in pairs]
    corrected = {row[0] for row in rows_of_some(connection, said, firms)}
    moved = []
    for old, new in pairs:
        older, newer = scores[old], scores[new]
        change, why = change_between(older, newer, cards), "unknown"
        if newer.firm_id in corrected:
            why = "corrected"
        elif change.data is not None and change.model is not None:
            why = "data" if abs(change.data) >= abs(change.model) else "model"
        name = standing[newer.firm_id].name
        moved.append(Moved(newer.firm_id, name, older, newer, why))  # type: ignore[arg-type]
    return moved


@dataclass(frozen=True, slots=True)
class CameTrue:
    """A firm that signed, and what was told of it when its pursuit began, if anything was."""

    firm_id: int
    name: str
    day: date
    opened: date | None
    likelihood: float | None
    model: str | None


_LATELY = timedelta(days=180)


def came_true(connection: Connection, *, today: date) -> list[CameTrue]:
    """Return the firms that signed within half a year, the latest first."""
    firms = _who_signed(connection, today - _LATELY)
    pursuits = {
        pursuit.id: pursuit
        for of_firm in pursuits_of(connection, firms).values()
        for pursuit in of_firm
    }
    latest = [
        (entry.day, firm, pursuits.get(entry.pursuit or 0))
        for firm, entries in outcomes_of(connection, firms.values()).items()
        for entry in entries
        if entry.in_force and entry.stage == "signed" and entry.day >= today - _LATELY
    ]
    latest.sort(key=lambda one: (one[0], one[1]), reverse=True)
    told = sa.select(SCORES.c.id, SCORES.c.likelihood).where(SCORES.c.id.in_(one_of_some()))
    wanted = {pursuit.score_id for _, _, pursuit in latest if pursuit and pursuit.score_id}
    likelihoods = {row.id: row.likelihood for row in rows_of_some(connection, told, wanted)}
    return [
        CameTrue(
            firm, firms[firm].name, day, pursuit.opened if pursuit else None,
            likelihoods.get(pursuit.score_id or 0) if pursuit else None,
            pursuit.model if pursuit else None,
        )
        for day, firm, pursuit in latest[:_LISTED]
    ]  # fmt: skip


def _who_signed(connection: Connection, since: date) -> dict[int, Firm]:
    # An entry of a file names a firm by its code, else by its name.
    at = outcomes.c
    query = sa.select(at.firm_id, at.credit_code, at.name).where(
        at.stage == "signed", at.day >= since, at.withdrawn.is_(False)
    )
    signed = connection.execute(query).all()
    numbers = {row.firm_id for row in signed if row.firm_id is not None}
    others = [row for row in signed if row.firm_id is None]
    for column, values in (
        (FIRMS.c.credit_code, {row.credit_code for row in others if row.credit_code}),
        (FIRMS.c.name_key, {normal_name_of(row.name) for row in others if not row.credit_code}),
    ):
        of_some = sa.select(FIRMS.c.id).where(column.in_(one_of_some()))
        numbers.update(row[0] for row in rows_of_some(connection, of_some, values))
    return read_firms(connection, numbers)
