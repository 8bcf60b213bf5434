"""Acts on many firms at once: what is selected, what was done with each firm, and how it is undone.

A selection is what a filter held when somebody chose all of it: firms that come later are not among
them. An act goes through its firms in portions, each in one transaction, and keeps for every firm
what became of it; what has changed since it was selected is left alone and told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple, get_args

import sqlalchemy as sa
from sqlalchemy import Connection, Row, Select

from leadscore.errors import Detail, LeadscoreError
from leadscore.lists.values.words import STAGES
from leadscore.store import acts, shortlists
from leadscore.store.current_ranking import STANDINGS, refresh
from leadscore.store.database import (
    METADATA,
    Id,
    Json,
    Number,
    StoreError,
    columns_of,
    in_parts,
    insert_row,
    insert_rows,
    one_of_some,
    rows_of_some,
)
from leadscore.store.facets import how_many
from leadscore.store.firms import (
    EXCLUSIONS,
    FIRMS,
    UnknownFirmError,
    exclusions_of,
    read_firms,
)
from leadscore.store.jobs import submit
from leadscore.store.outcomes import outcomes, outcomes_of
from leadscore.store.pursuits import PURSUITS, pursuits_of
from leadscore.store.ranking import RankingFilter
from leadscore.store.shortlists import SELECTION_FIRMS, SELECTIONS, SHORTLIST_FIRMS
from leadscore.text import Text, room_words, shown

WORDS = room_words("store")

BulkKind = Literal["stage", "owner", "exclude", "include", "add", "remove"]
BULK_KINDS: tuple[BulkKind, ...] = get_args(BulkKind)
UNDO = "undo"
BULK_JOB = "bulk_act"
"""The kind of job that goes through the firms of an act."""

MOST_SELECTED = 200_000
"""Firms that may be selected at once."""
PORTION = 200
"""Firms of one transaction; an act with no more is done at once, one with more by a job."""
KEPT = timedelta(days=2)
"""How long a selection can be used."""
_MOST_SELECTIONS = 20  # of one person; the oldest are let go

Result = Literal["done", "same", "changed", "refused"]


class UnknownSelectionError(StoreError):
    """A number that no selection of the person has, or has no more."""

    code = "unknown_selection"


class UnknownBulkActError(StoreError):
    """A number that no act on many firms has."""

    code = "unknown_bulk_act"


class BulkActError(StoreError):
    """An act on many firms that can't be as it stands."""

    code = "bad_bulk_act"


class UndoneActError(StoreError):
    """An act that can't be undone, or has been."""

    code = "conflict"


class Selection(NamedTuple):
    """Firms that were chosen at once, and how many those were then."""

    id: int
    made_at: datetime
    total: int


def select_firms(
    connection: Connection, asked: RankingFilter, *, owner: str, now: datetime
) -> Selection:
    """Select all firms that a filter holds now; raises `BulkActError` for none or too many."""
    total = how_many(connection, asked)
    if not 1 <= total <= MOST_SELECTED:
        wanted = WORDS["bulk.some"].format(most=MOST_SELECTED)
        raise BulkActError(WORDS["bulk.bad"], [Detail("firms", str(total), wanted)])
    _let_go(connection, owner, now)
    values = {"owner": owner, "made_at": now, "total": total}
    number = insert_row(connection, SELECTIONS, values)
    meant = (
        sa.select(sa.literal(number), STANDINGS.c.firm_id, FIRMS.c.version)
        .join_from(STANDINGS, FIRMS, FIRMS.c.id == STANDINGS.c.firm_id)
        .where(*asked.conditions(connection))
    )
    columns = ("selection_id", "firm_id", "version")
    connection.execute(SELECTION_FIRMS.insert().from_select(columns, meant))
    members = SELECTION_FIRMS.c.selection_id == number  # others may write since they were counted
    total = connection.scalar(sa.select(sa.func.count()).where(members)) or 0
    connection.execute(sa.update(SELECTIONS).where(SELECTIONS.c.id == number).values(total=total))
    return Selection(number, now, total)


def _let_go(connection: Connection, owner: str, now: datetime) -> None:
    at = SELECTIONS.c
    own = sa.select(at.id).where(at.owner == owner).order_by(at.id.desc())
    surplus = connection.scalars(own.offset(_MOST_SELECTIONS - 1)).all()
    old = connection.scalars(sa.select(at.id).where(at.made_at < now - KEPT)).all()
    for some in in_parts({*surplus, *old}):
        members = SELECTION_FIRMS.c.selection_id.in_(some)
        connection.execute(sa.delete(SELECTION_FIRMS).where(members))
        connection.execute(sa.delete(SELECTIONS).where(at.id.in_(some)))


def read_selection(
    connection: Connection, selection_id: int, *, owner: str, now: datetime
) -> Selection:
    """Return a selection of somebody; raises `UnknownSelectionError`."""
    at = SELECTIONS.c
    query = sa.select(at.id, at.made_at, at.total).where(at.id == selection_id, at.owner == owner)
    row = connection.execute(query.where(at.made_at >= now - KEPT)).one_or_none()
    if row is None:
        raise UnknownSelectionError(WORDS["bulk.unknown_selection"].format(id=selection_id))
    return Selection(*row)


def selected_of(
    connection: Connection, selection_id: int, firm_ids: Collection[int]
) -> dict[int, bool]:
    """Return which firms stand in a selection, each with whether it has changed since."""
    at = SELECTION_FIRMS.c
    query = sa.select(at.firm_id, at.version != FIRMS.c.version)
    query = query.join_from(SELECTION_FIRMS, FIRMS, FIRMS.c.id == at.firm_id)
    query = query.where(at.selection_id == selection_id, at.firm_id.in_(one_of_some()))
    return {row[0]: bool(row[1]) for row in rows_of_some(connection, query, firm_ids)}


@dataclass(frozen=True, slots=True)
class BulkAct:
    """An act on many firms: what is done with them, by whom, and what it undoes.

    ``arguments`` are ``stage``, ``day`` (ISO) and ``reason`` of a stage; ``owner``; ``reason`` of
    an exclusion; ``shortlist`` and its ``name``. ``job_id`` is of the job that does it, None if it
    was done at once.
    """

    id: Id
    kind: str
    arguments: Mapping[str, Any]
    total: int
    by: str
    at: datetime
    ended_at: datetime | None
    job_id: Annotated[int | None, Number, sa.ForeignKey("jobs.id")]
    selection_id: Annotated[int | None, Number]
    undoes: Annotated[int | None, Number, sa.ForeignKey("bulk_acts.id"), {"unique": True}]


BULK_ACTS = sa.Table("bulk_acts", METADATA, *columns_of(BulkAct))
BULK_ACT_FIRMS = sa.Table(
    "bulk_act_firms",
    METADATA,
    sa.Column("act_id", sa.ForeignKey("bulk_acts.id"), primary_key=True),
    sa.Column("firm_id", sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("version", Number),  # as it was selected; None if whatever it is now will do
    sa.Column("result", sa.Text),  # a `Result`; None as long as it is to come
    sa.Column("why", Json),  # in words, if it was refused
    sa.Column("before", Json),  # what an undoing needs
    sa.Index("ix_bulk_act_firms_firm_id", "firm_id"),
)
_firms = BULK_ACT_FIRMS.c


def begin_act(
    connection: Connection, kind: BulkKind, arguments: Mapping[str, Any], *, by: str, now: datetime,
    today: date, selection: int | None = None, firms: Collection[int] = (),
) -> BulkAct:  # fmt: skip
    """Do something with the firms of a selection, or with some, and return the act.

    Few are done within this transaction, many by a job. Raises `BulkActError` for arguments that
    can't be, `UnknownSelectionError`, and what `shortlists` raises for one that is not there.
    """
    if kind in ("add", "remove"):
        name = {each.id: each.name for each in shortlists.shortlists(connection)}
        number = arguments.get("shortlist")
        if number not in name:
            raise shortlists.UnknownShortlistError(
                WORDS["shortlists.unknown"].format(id=shown(str(number)))
            )
        arguments = {"shortlist": number, "name": name[number]}
    _check(kind, arguments, today)
    at = SELECTION_FIRMS.c
    if selection is not None:
        total = read_selection(connection, selection, owner=by, now=now).total
        targets = sa.select(at.firm_id, at.version).where(at.selection_id == selection)
        act = _new_act(connection, kind, arguments, total, by, now, selection_id=selection)
        _aim(connection, act, targets)
    else:
        if unknown := sorted(set(firms) - read_firms(connection, firms).keys()):
            raise UnknownFirmError(WORDS["firms.unknown"].format(id=unknown[0]))
        act = _new_act(connection, kind, arguments, len(set(firms)), by, now)
        insert_rows(
            connection, BULK_ACT_FIRMS,
            [{"act_id": act, "firm_id": firm} for firm in sorted(set(firms))],
        )  # fmt: skip
    return _started(connection, act, by=by, now=now, today=today)


def undo_act(
    connection: Connection, act_id: int, *, by: str, now: datetime, today: date
) -> BulkAct:
    """Take back what an act has done, as far as it still stands, and return the act that does so.

    Raises `UnknownBulkActError`, and `UndoneActError` for an act that still goes on, undoes another
    one, or has been undone.
    """
    undone = read_act(connection, act_id, lock=True)
    there = connection.scalar(sa.select(BULK_ACTS.c.id).where(BULK_ACTS.c.undoes == act_id))
    if undone.kind == UNDO or undone.ended_at is None or there is not None:
        raise UndoneActError(WORDS["bulk.not_undoable"].format(id=act_id))
    done = (_firms.act_id == act_id) & (_firms.result == "done")
    total = connection.scalar(sa.select(sa.func.count()).where(done)) or 0
    arguments = {**undone.arguments, "kind": undone.kind}
    act = _new_act(connection, UNDO, arguments, total, by, now, undoes=act_id)
    _aim(connection, act, sa.select(_firms.firm_id, sa.null()).where(done))
    return _started(connection, act, by=by, now=now, today=today)


def repeat_act(
    connection: Connection, act_id: int, *, by: str, now: datetime, today: date
) -> BulkAct:
    """Do the same with the firms that had changed, as they are now, and return the new act."""
    first = read_act(connection, act_id)
    if first.kind == UNDO:
        raise UndoneActError(WORDS["bulk.not_undoable"].format(id=act_id))
    changed = (_firms.act_id == act_id) & (_firms.result == "changed")
    total = connection.scalar(sa.select(sa.func.count()).where(changed)) or 0
    if not total:
        wanted = WORDS["bulk.some"].format(most=MOST_SELECTED)
        raise BulkActError(WORDS["bulk.bad"], [Detail("firms", "0", wanted)])
    act = _new_act(connection, first.kind, first.arguments, total, by, now)
    _aim(connection, act, sa.select(_firms.firm_id, sa.null()).where(changed))
    return _started(connection, act, by=by, now=now, today=today)


def _check(kind: str, arguments: Mapping[str, Any], today: date) -> None:
    reason = (arguments.get("reason") or "").strip()
    if kind == "exclude" and not reason:
        raise BulkActError(WORDS["bulk.bad"], [Detail("reason", "∅", WORDS["bulk.a_reason"])])
    if kind != "stage":
        return
    stage = str(arguments.get("stage", ""))
    if stage not in STAGES:
        one_of = WORDS["bulk.a_stage"].format(stages=", ".join(STAGES))
        raise BulkActError(WORDS["bulk.bad"], [Detail("stage", shown(stage), one_of)])
    if stage == "lost" and not reason:
        raise BulkActError(WORDS["bulk.bad"], [Detail("reason", "∅", WORDS["bulk.why_lost"])])
    try:
        day = date.fromisoformat(str(arguments.get("day", "")))
    except ValueError:
        day = date.max
    if day > today:
        wanted = WORDS["acts.past"].format(today=today.isoformat())
        raise BulkActError(
            WORDS["bulk.bad"], [Detail("day", shown(str(arguments.get("day", ""))), wanted)]
        )


def _new_act(
    connection: Connection, kind: str, arguments: Mapping[str, Any], total: int, by: str,
    now: datetime, **more: Any,
) -> int:  # fmt: skip
    row = {"kind": kind, "arguments": dict(arguments), "total": total, "by": by, "at": now, **more}
    return insert_row(connection, BULK_ACTS, row)


def _aim(connection: Connection, act: int, targets: Select[Any]) -> None:
    number, version = targets.selected_columns
    aimed = targets.with_only_columns(sa.literal(act), number, version)
    columns = ("act_id", "firm_id", "version")
    connection.execute(BULK_ACT_FIRMS.insert().from_select(columns, aimed))


def _started(
    connection: Connection, act_id: int, *, by: str, now: datetime, today: date
) -> BulkAct:
    act = read_act(connection, act_id)
    if act.total > PORTION:
        job = submit(connection, BULK_JOB, {"act": act_id}, by=by, now=now)
        named = sa.update(BULK_ACTS).where(BULK_ACTS.c.id == act_id)
        connection.execute(named.values(job_id=job))
    else:
        go_on(connection, act_id, now=now, today=today)
    return read_act(connection, act_id)


def read_act(connection: Connection, act_id: int, *, lock: bool = False) -> BulkAct:
    """Return an act, locked if asked for; raises `UnknownBulkActError`."""
    query = sa.select(BULK_ACTS).where(BULK_ACTS.c.id == act_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise UnknownBulkActError(WORDS["bulk.unknown_act"].format(id=act_id))
    return BulkAct(*row)


def undone_by(connection: Connection, act_id: int) -> int | None:
    """Return the number of the act that undoes one; None if none does."""
    return connection.scalar(sa.select(BULK_ACTS.c.id).where(BULK_ACTS.c.undoes == act_id))


def counts_of(connection: Connection, act_id: int) -> dict[str | None, int]:
    """Return how many firms of an act have which result, None as long as it is to come."""
    query = sa.select(_firms.result, sa.func.count()).where(_firms.act_id == act_id)
    return {row[0]: row[1] for row in connection.execute(query.group_by(_firms.result))}


def firms_of_act(
    connection: Connection, act_id: int, results: Sequence[Result], *, limit: int = 100
) -> Sequence[Row[Any, Any, Any, Any]]:
    """Return ``firm_id, name, result, why`` of the first firms of an act with such a result."""
    query = sa.select(_firms.firm_id, FIRMS.c.name, _firms.result, _firms.why)
    query = query.join_from(BULK_ACT_FIRMS, FIRMS, FIRMS.c.id == _firms.firm_id)
    query = query.where(_firms.act_id == act_id, _firms.result.in_(results))
    return connection.execute(query.order_by(_firms.firm_id).limit(limit)).all()


def acts_on_firm(connection: Connection, firm_id: int, *, limit: int = 50) -> Sequence[BulkAct]:
    """Return the acts on many firms that did something with one, the newest first."""
    query = sa.select(BULK_ACTS).join(BULK_ACT_FIRMS, _firms.act_id == BULK_ACTS.c.id)
    query = query.where(_firms.firm_id == firm_id, _firms.result == "done")
    rows = connection.execute(query.order_by(BULK_ACTS.c.id.desc()).limit(limit))
    return [BulkAct(*row) for row in rows]


def go_on(
    connection: Connection, act_id: int, *, now: datetime, today: date
) -> Mapping[str, int] | None:
    """Do the next portion of an act, all or nothing, and return how many have which result.

    None if there was none left. A firm that has changed since it was selected is left as it is; of
    a shortlist that makes no difference.
    """
    act = read_act(connection, act_id, lock=True)
    pending = (_firms.act_id == act_id) & _firms.result.is_(None)
    query = sa.select(_firms.firm_id, _firms.version).where(pending).order_by(_firms.firm_id)
    portion = connection.execute(query.limit(PORTION)).all()
    counted: Counter[str] = Counter()
    if portion:
        numbers = [row.firm_id for row in portion]
        locked = sa.select(FIRMS.c.id, FIRMS.c.version).where(FIRMS.c.id.in_(numbers))
        locked = locked.order_by(FIRMS.c.id).with_for_update()
        versions = {row.id: row.version for row in connection.execute(locked)}
        listed = act.kind in ("add", "remove")
        told = {
            row.firm_id: Told("changed")
            for row in portion
            if row.version not in (None, versions[row.firm_id]) and not listed
        }
        free = [number for number in numbers if number not in told]
        told |= _DOERS[act.kind](_Doing(connection, act, now, today), free)
        _keep(connection, act, told)
        counted.update(each.result for each in told.values())
    left = connection.scalar(sa.select(_firms.firm_id).where(pending).limit(1))
    if left is None and act.ended_at is None:
        ended = sa.update(BULK_ACTS).where(BULK_ACTS.c.id == act_id)
        connection.execute(ended.values(ended_at=now))
    return counted if portion else None


class Told(NamedTuple):
    """What became of a firm: its result, why, and what there was before, for who undoes it."""

    result: Result
    why: Text | None = None
    before: Mapping[str, Any] | None = None


_Results = dict[int, Told]


class _Doing(NamedTuple):
    connection: Connection
    act: BulkAct
    now: datetime
    today: date


_TELL = (
    sa.update(BULK_ACT_FIRMS)
    .where(_firms.act_id == sa.bindparam("act"), _firms.firm_id == sa.bindparam("firm"))
    .values({name: sa.bindparam(f"new_{name}") for name in ("result", "why", "before")})
)


def _keep(connection: Connection, act: BulkAct, told: _Results) -> None:
    rows = [
        {
            "act": act.id, "firm": firm, "new_result": each.result,
            "new_why": each.why and {"zh": each.why.zh, "en": each.why.en},
            "new_before": each.before,
        }
        for firm, each in told.items()
    ]  # fmt: skip
    connection.execute(_TELL, rows)
    done = [firm for firm, each in told.items() if each.result == "done"]
    if act.selection_id is not None and done:  # what we have changed ourselves is as selected
        at = SELECTION_FIRMS.c
        now = sa.select(FIRMS.c.version).where(FIRMS.c.id == at.firm_id).scalar_subquery()
        same = (at.selection_id == act.selection_id) & at.firm_id.in_(done)
        connection.execute(sa.update(SELECTION_FIRMS).where(same).values(version=now))


def _reach(doing: _Doing, firms: Sequence[int]) -> _Results:
    connection, act, now, today = doing
    stage, reason = act.arguments["stage"], act.arguments.get("reason")
    day = date.fromisoformat(act.arguments["day"])
    told: _Results = {}
    for firm in firms:
        newest = connection.scalar(sa.select(sa.func.max(outcomes.c.entry))) or 0
        try:
            entry = acts.enter_outcome(
                connection, firm, stage=stage, day=day, reason=reason, withdrawn=False,
                actor=act.by, now=now, today=today,
            )  # fmt: skip
        except LeadscoreError as error:
            told[firm] = Told("refused", error.message)
        else:
            result: Result = "done" if entry.entry > newest else "same"
            told[firm] = Told(result, before={"entry": entry.entry})
    return told


def _hand_over(doing: _Doing, firms: Sequence[int]) -> _Results:
    wanted = doing.act.arguments.get("owner")
    before = pursuits_of(doing.connection, firms)
    told: _Results = {}
    for firm in firms:
        last = before.get(firm, [])[-1:]
        owner = last[0].owner if last else None
        if owner == wanted and (last or wanted is None):
            told[firm] = Told("same")
            continue
        _pursue(doing, firm, wanted)
        told[firm] = Told("done", before={"owner": owner, "began": not last})
    return told


def _pursue(doing: _Doing, firm: int, owner: str | None) -> None:
    connection, act, now, today = doing
    version = read_firms(connection, [firm])[firm].version
    acts.pursue(
        connection, firm, {"owner": owner}, version=version, actor=act.by, now=now, today=today
    )


def _exclude(doing: _Doing, firms: Sequence[int]) -> _Results:
    connection, act, now, _ = doing
    reason, before = act.arguments["reason"], exclusions_of(connection, firms)
    told = {
        firm: Told("same") if firm in before and before[firm].reason == reason
        else Told("done", before=_plain_exclusion(before.get(firm)))
        for firm in firms
    }  # fmt: skip
    new = [firm for firm, each in told.items() if each.result == "done"]
    row = {"reason": reason, "by": act.by, "at": now}
    _replace_exclusions(doing, dict.fromkeys(new, row))
    return told


def _include(doing: _Doing, firms: Sequence[int]) -> _Results:
    before = exclusions_of(doing.connection, firms)
    _replace_exclusions(doing, dict.fromkeys(before))
    return {
        firm: Told("done", before=_plain_exclusion(before[firm]))
        if firm in before else Told("same")
        for firm in firms
    }  # fmt: skip


def _plain_exclusion(exclusion: Any) -> dict[str, Any]:
    if exclusion is None:
        return {}
    return {"reason": exclusion.reason, "by": exclusion.by, "at": exclusion.at.isoformat()}


def _replace_exclusions(doing: _Doing, rows: Mapping[int, Mapping[str, Any] | None]) -> None:
    at = EXCLUSIONS.c
    doing.connection.execute(sa.delete(EXCLUSIONS).where(at.firm_id.in_([*rows])))
    new = [{"firm_id": firm, **row} for firm, row in rows.items() if row]
    insert_rows(doing.connection, EXCLUSIONS, new)
    refresh(doing.connection, rows, now=doing.now)


def _members(doing: _Doing, firms: Sequence[int]) -> dict[int, Row[Any]]:
    at, number = SHORTLIST_FIRMS.c, doing.act.arguments["shortlist"]
    query = sa.select(SHORTLIST_FIRMS).where(at.shortlist_id == number)
    query = query.where(at.firm_id.in_(one_of_some()))
    return {row.firm_id: row for row in rows_of_some(doing.connection, query, firms)}


def _shortlist(doing: _Doing, firms: Sequence[int]) -> _Results:
    connection, act, now, _ = doing
    there = _members(doing, firms)
    new = [firm for firm in firms if firm not in there]
    number = act.arguments["shortlist"]
    shortlists.add_to_shortlist(connection, number, new, actor=act.by, now=now)
    return {firm: Told("same" if firm in there else "done") for firm in firms}


def _unlist(doing: _Doing, firms: Sequence[int]) -> _Results:
    there = _members(doing, firms)
    number = doing.act.arguments["shortlist"]
    shortlists.take_from_shortlist(doing.connection, number, [*there])
    return {
        firm: Told("done", before={
            "added_by": there[firm].added_by, "added_at": there[firm].added_at.isoformat(),
        }) if firm in there else Told("same")
        for firm in firms
    }  # fmt: skip


def _undo(doing: _Doing, firms: Sequence[int]) -> _Results:
    connection, act, *_ = doing
    undone = read_act(connection, act.undoes or 0)
    query = sa.select(_firms.firm_id, _firms.before).where(_firms.act_id == undone.id)
    query = query.where(_firms.firm_id.in_(one_of_some()))
    before = {row.firm_id: row.before or {} for row in rows_of_some(connection, query, firms)}
    return _UNDOERS[undone.kind](doing, undone, before)


_Before = Mapping[int, Mapping[str, Any]]


def _unreach(doing: _Doing, undone: BulkAct, before: _Before) -> _Results:
    # As the page of a firm undoes: what was said of the stage before counts again.
    connection, act, now, today = doing
    records, told = read_firms(connection, before), _Results()
    entries = outcomes_of(connection, records.values())
    stage = undone.arguments["stage"]
    for firm, was in before.items():
        of_stage = [entry for entry in entries.get(firm, []) if entry.stage == stage]
        if not of_stage or of_stage[-1].entry != was["entry"]:
            told[firm] = Told("changed")
            continue
        earlier = of_stage[-2] if len(of_stage) > 1 and not of_stage[-2].withdrawn else of_stage[-1]
        again = earlier is not of_stage[-1]
        try:
            acts.enter_outcome(
                connection, firm, stage=stage, day=earlier.day,
                reason=earlier.reason if again else None, withdrawn=not again, actor=act.by,
                now=now, today=today,
            )  # fmt: skip
        except LeadscoreError as error:
            told[firm] = Told("refused", error.message)
        else:
            told[firm] = Told("done")
    return told


def _hand_back(doing: _Doing, undone: BulkAct, before: _Before) -> _Results:
    told, now = _Results(), pursuits_of(doing.connection, before)
    for firm, was in before.items():
        last = now.get(firm, [])[-1:]
        if not last or last[0].owner != undone.arguments.get("owner"):
            told[firm] = Told("changed")
            continue
        _pursue(doing, firm, was["owner"])
        if was["began"] and last[0].version == 1:  # begun by the act alone, and nothing came of it
            _forget_pursuit(doing, firm, last[0].id)
        told[firm] = Told("done")
    return told


def _forget_pursuit(doing: _Doing, firm: int, pursuit: int) -> None:
    try:
        with doing.connection.begin_nested():
            doing.connection.execute(sa.delete(PURSUITS).where(PURSUITS.c.id == pursuit))
    except sa.exc.IntegrityError:  # an outcome, a visit or a note belongs to it by now
        return
    refresh(doing.connection, [firm], now=doing.now)


def _undo_exclusions(doing: _Doing, undone: BulkAct, before: _Before) -> _Results:
    now, told = exclusions_of(doing.connection, before), _Results()
    rows: dict[int, Mapping[str, Any] | None] = {}
    for firm, was in before.items():
        made = now.get(firm)
        ours = (
            made is None if undone.kind == "include"
            else made is not None
            and (made.by, made.reason) == (undone.by, undone.arguments["reason"])
        )  # fmt: skip
        told[firm] = Told("done" if ours else "changed")
        if ours:
            at = was and datetime.fromisoformat(was["at"])
            rows[firm] = {**was, "at": at} if was else None
    _replace_exclusions(doing, rows)
    return told


def _undo_adding(doing: _Doing, undone: BulkAct, before: _Before) -> _Results:
    there = _members(doing, [*before])
    ours = [firm for firm, row in there.items() if row.added_by == undone.by]
    number = undone.arguments["shortlist"]
    shortlists.take_from_shortlist(doing.connection, number, ours)
    return {firm: Told("done" if firm in ours else "changed") for firm in before}


def _undo_removing(doing: _Doing, undone: BulkAct, before: _Before) -> _Results:
    there, number = _members(doing, [*before]), undone.arguments["shortlist"]
    rows = [
        {
            "shortlist_id": number, "firm_id": firm, "added_by": was["added_by"],
            "added_at": datetime.fromisoformat(was["added_at"]),
        }
        for firm, was in before.items() if firm not in there
    ]  # fmt: skip
    insert_rows(doing.connection, SHORTLIST_FIRMS, rows)
    return {firm: Told("changed" if firm in there else "done") for firm in before}


_DOERS: dict[str, Callable[[_Doing, Sequence[int]], _Results]] = {
    "stage": _reach, "owner": _hand_over, "exclude": _exclude, "include": _include,
    "add": _shortlist, "remove": _unlist, UNDO: _undo,
}  # fmt: skip
_UNDOERS: dict[str, Callable[[_Doing, BulkAct, _Before], _Results]] = {
    "stage": _unreach, "owner": _hand_back, "exclude": _undo_exclusions,
    "include": _undo_exclusions, "add": _undo_adding, "remove": _undo_removing,
}  # fmt: skip
