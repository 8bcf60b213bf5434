"""What became of firms: entries of which none ever changes, and which of a file may join them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import Connection, Row

from leadscore.learning.history import (
    CONTACTS,
    EVENTS,
    IDENTIFIERS,
    contradictions,
    firm_keys,
    firms_of,
    in_force,
    pursuit_keys,
    pursuit_starts,
)
from leadscore.lists.dedupe import normal_name, normal_name_of
from leadscore.lists.outcomes import Template
from leadscore.lists.problems import Problem
from leadscore.lists.values.words import STAGES
from leadscore.store.database import (
    APPEND_ONLY,
    METADATA,
    Moment,
    Number,
    columns_of,
    in_parts,
    insert_rows,
    one_of_some,
    plain_values,
    quick,
    read_frame,
    rows_of_some,
    storable_text,
    take_turns,
)
from leadscore.store.firms import FIRMS, Firm, as_survivors, merged_into
from leadscore.store.pursuits import (
    PURSUITS,
    Pursuit,
    close_pursuit,
    pursuit_on,
    pursuits_of,
    terminal_stages,
)
from leadscore.text import room_words, shown

WORDS = room_words("store")


def _recorded() -> tuple[sa.Column[Any], ...]:
    # When and by whom something was entered, and from which row of which file.
    return (
        sa.Column("recorded", Moment, nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("sheet", sa.Text),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
    )


outcomes = sa.Table(
    "outcomes",
    METADATA,
    sa.Column("entry", Number, primary_key=True, autoincrement=False),
    sa.Column("firm_id", Number, index=True),
    sa.Column("credit_code", sa.Text, index=True),
    sa.Column("name", sa.Text, index=True),
    sa.Column("former_names", sa.Text),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("withdrawn", sa.Boolean, nullable=False),
    *_recorded(),
    sa.Column("pursuit_id", Number, sa.ForeignKey(PURSUITS.c.id), index=True),
    sa.CheckConstraint("credit_code IS NOT NULL OR name IS NOT NULL", name="firm_is_named"),
    sa.Index("ix_outcomes_stage_day", "stage", "day"),
    info=APPEND_ONLY,
)
"""``firm_id`` is filled where an entry was made for a firm of the store; otherwise the code or the
name says which it is, and learning links them (see `leadscore.learning.history`)."""

MILESTONES = sa.Table(
    "milestones",
    METADATA,
    sa.Column("id", Number, primary_key=True),
    sa.Column("credit_code", sa.Text, index=True),
    sa.Column("name", sa.Text, index=True),
    sa.Column("milestone", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    *_recorded(),
)
"""What stands beside the stages (land taken, capital paid in): nothing is learned from it."""

# Put together once: they are run with every outcome.
_LAST = sa.select(sa.func.max(outcomes.c.entry))
_ADD = outcomes.insert()

_GIVEN = tuple(name for name in EVENTS if name not in ("entry", "firm", "recorded", "source"))
_KEPT = {name: dtype for name, dtype in EVENTS.items() if name != "firm"}


def append_entries(
    connection: Connection, entries: Sequence[Mapping[str, Any]], *, source: str, actor: str,
    now: datetime, firm_id: int | None = None, pursuit_id: int | None = None,
) -> range:  # fmt: skip
    """Add entries and return their numbers, which leave no gap whoever else writes.

    They have the columns of `EVENTS` except ``entry``, ``firm``, ``recorded`` and ``source``;
    ``firm_id`` is the firm of the store that all of them are about, if they are about one, and
    ``pursuit_id`` its pursuit.
    """
    take_turns(connection, outcomes)
    first = (connection.scalar(_LAST) or 0) + 1
    numbers = range(first, first + len(entries))
    same = {
        "firm_id": firm_id, "pursuit_id": pursuit_id, "recorded": now, "recorded_by": actor,
        "source": storable_text(source),
    }  # fmt: skip
    rows = [
        {**entry, **same, "entry": number} for number, entry in zip(numbers, entries, strict=True)
    ]
    if rows:
        connection.execute(_ADD, rows)
    return numbers


_MILESTONE = ("credit_code", "name", "stage", "day")


def keep_milestones(
    connection: Connection, found: pd.DataFrame, *, file: str, source: str, actor: str,
    now: datetime,
) -> None:  # fmt: skip
    """Keep the milestones of a file that are not there yet."""
    kept = MILESTONES.c
    query = sa.select(kept.credit_code, kept.name, kept.milestone, kept.day)
    there = {tuple(row) for row in connection.execute(query)} if len(found) else set()
    new = found[found["day"].notna() & ~found["withdrawn"]]
    places = zip(*(plain_values(new[name]) for name in ("sheet", "row")), strict=True)
    values = zip(*(plain_values(new[name]) for name in _MILESTONE), strict=True)
    same = {
        "recorded": now, "recorded_by": actor, "source": storable_text(source), "file": file,
    }  # fmt: skip
    rows = []
    for value, (sheet, row) in zip(values, places, strict=True):
        if value not in there:
            there.add(value)
            code, name, milestone, day = value
            rows.append({"credit_code": code, "name": name, "milestone": milestone, "day": day,
                         "sheet": sheet, "row": row, **same})  # fmt: skip
    insert_rows(connection, MILESTONES, rows)


@dataclass(frozen=True, slots=True)
class Milestone:
    """What a firm has reached beside the stages, and the file that told it."""

    milestone: str
    day: date
    recorded: datetime
    recorded_by: str
    source: str


def milestones_of(connection: Connection, firm: Firm) -> list[Milestone]:
    """Return the milestones of a firm, the latest first."""
    kept = MILESTONES.c
    of_firm = kept.credit_code.is_(None) | (kept.credit_code == (firm.credit_code or ""))
    names = (kept.milestone, kept.day, kept.recorded, kept.recorded_by, kept.source)
    query = sa.select(kept.credit_code, kept.name, *names).where(of_firm)
    rows = connection.execute(query.order_by(kept.day.desc(), kept.id.desc()))
    return [
        Milestone(*told)
        for code, name, *told in rows
        if code is not None or normal_name_of(name) == firm.name_key
    ]


def entries_of(events: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows of a table as `append_entries` takes them."""
    columns = [plain_values(events[name]) for name in _GIVEN]
    return [dict(zip(_GIVEN, row, strict=True)) for row in zip(*columns, strict=True)]


def read_outcomes(connection: Connection, *, merged: bool = False) -> pd.DataFrame:
    """Return every entry ever, in the order of recording; the columns are `EVENTS`.

    Firms that were ``merged`` into others come under the names of those, if asked for, as learning
    does; files are compared with what other files have said.
    """
    columns = [quick(outcomes.c[name]) for name in _KEPT]
    table = read_frame(connection, sa.select(*columns).order_by(outcomes.c.entry), _KEPT)
    if merged:
        table = as_survivors(connection, table)
    table["firm"] = firm_keys(table)[0]
    return table[list(EVENTS)]


# Put together once: they are run with every act of an officer.
_FROM_FILE = outcomes.c.firm_id.is_(None)
_NAMELESS = _FROM_FILE & outcomes.c.credit_code.is_(None)
_ENTRIES = sa.select(
    *(
        column
        for column in outcomes.c
        if column.name not in ("former_names", "sheet", "row", "file")
    )
)
_OF_FIRMS = _ENTRIES.where(
    outcomes.c.firm_id.in_(one_of_some())
    | _FROM_FILE & outcomes.c.credit_code.in_(sa.bindparam("codes", expanding=True))
)
_BY_NAME = _ENTRIES.where(outcomes.c.name.in_(one_of_some()), _NAMELESS)
_NAMES = sa.select(outcomes.c.name).where(_NAMELESS).distinct()


@dataclass(frozen=True, slots=True)
class Entry:
    """An outcome of a firm.

    It is not in force if it was withdrawn, replaced by a later one of its stage in the same
    pursuit, or is itself what withdraws one. ``pursuit`` is None where none was ever opened.
    """

    entry: int
    stage: str
    day: date
    reason: str | None
    withdrawn: bool
    recorded: datetime
    recorded_by: str
    source: str
    in_force: bool
    pursuit: int | None


def outcomes_of(connection: Connection, firms: Iterable[Firm]) -> dict[int, list[Entry]]:
    """Return the outcomes of firms, by their numbers, in the order of recording.

    An entry belongs to the firm that it was made for; one that came in a file to the firm that has
    its code, or, if it gives none, its name.
    """
    firms, owners = list(firms), dict[str, int]()
    # What became of a firm that was merged into another is part of that one's history.
    others = merged_into(connection, [firm.id for firm in firms])
    everybody = [*firms, *(other for some in others.values() for other in some)]
    number = {firm.id: firm.merged_into or firm.id for firm in everybody}
    rows_of: dict[int, dict[int, Row[Any]]] = {}
    for some in in_parts(everybody):
        codes = {firm.credit_code: firm.id for firm in some if firm.credit_code}
        ids = [firm.id for firm in some]
        for row in connection.execute(_OF_FIRMS, {"some": ids, "codes": list(codes)}):
            owner = codes[row.credit_code] if row.firm_id is None else row.firm_id
            rows_of.setdefault(number[owner], {})[row.entry] = row
    for firm in everybody:
        owners.setdefault(firm.name_key, number[firm.id])
    keys = ((name, normal_name_of(name)) for name in connection.scalars(_NAMES))
    names = {name: owners[key] for name, key in keys if key in owners}
    for row in rows_of_some(connection, _BY_NAME, names):
        rows_of.setdefault(names[row.name], {})[row.entry] = row
    pursuits = pursuits_of(connection, rows_of)
    return {
        firm: _judged([rows[entry] for entry in sorted(rows)], pursuits.get(firm, ()))
        for firm, rows in rows_of.items()
    }


def last_entry(entries: Iterable[Entry]) -> Entry | None:
    """Return the outcome of the latest day in force, which says how far a firm has come."""
    held = (entry for entry in entries if entry.in_force)
    return max(held, key=lambda entry: (entry.day, entry.entry), default=None)


def lacking_pursuits(
    entries: Sequence[Entry], pursuits: Sequence[Pursuit]
) -> list[tuple[date, str]]:
    """Return on which days a firm was first met, and by whom that was noted, without a pursuit.

    So it is with what came in a file: a firm that was lost and met again was pursued twice.
    """
    starts = pursuit_starts((entry.stage, entry.day, entry.withdrawn) for entry in entries)
    known = {bisect_right(starts, pursuit.opened) for pursuit in pursuits}
    lacking: dict[int, Entry] = {}
    for entry in sorted(entries, key=lambda entry: (entry.day, entry.entry)):
        of = bisect_right(starts, entry.day)
        if entry.in_force and of not in known:
            lacking.setdefault(of, entry)
    return [(entry.day, entry.recorded_by) for entry in lacking.values()]


def settle_pursuits(
    connection: Connection, entries: Iterable[Entry], pursuits: Iterable[Pursuit]
) -> None:
    """Close the pursuits of a firm that are over by its outcomes, and open the others again."""
    ending, held = terminal_stages(connection), list(entries)
    for pursuit in pursuits:
        last = last_entry(entry for entry in held if entry.pursuit == pursuit.id)
        over = last is not None and last.stage in ending
        closed, reason = (last.day, last.reason) if last and over else (None, None)
        if (closed, reason) != (pursuit.closed, pursuit.reason):
            close_pursuit(connection, pursuit.id, closed, reason)


def firms_with_outcomes(connection: Connection, among: Iterable[Firm] | None = None) -> list[int]:
    """Return the numbers of all firms that any outcome is about, as after a file of outcomes.

    A firm that was merged into another counts as that one. ``among`` are those that are asked for,
    if not all.
    """
    if among is not None:
        firms = [firm for firm in among if firm.shown]
        return sorted(number for number, of in outcomes_of(connection, firms).items() if of)
    kept = outcomes.c
    numbers = set(connection.scalars(sa.select(kept.firm_id).where(kept.firm_id.is_not(None))))
    codes = sa.select(kept.credit_code).where(kept.credit_code.is_not(None))
    numbers.update(connection.scalars(sa.select(FIRMS.c.id).where(FIRMS.c.credit_code.in_(codes))))
    named = sa.select(FIRMS.c.id).where(FIRMS.c.name_key.in_(one_of_some()))
    keys = {normal_name_of(name) for name in connection.scalars(_NAMES)}
    numbers.update(row[0] for row in rows_of_some(connection, named, keys))
    merged = sa.select(FIRMS.c.id, FIRMS.c.merged_into).where(FIRMS.c.merged_into.is_not(None))
    into = {row[0]: row[1] for row in connection.execute(merged)}
    return sorted({into.get(number, number) for number in numbers})


def _judged(rows: Sequence[Row[Any]], pursuits: Sequence[Pursuit]) -> list[Entry]:
    # In force is of each stage of a pursuit the latest entry, unless it withdraws. An entry of a
    # file names no pursuit: its day tells.
    owners = [row.pursuit_id or pursuit_on(pursuits, row.day) for row in rows]
    starts = pursuit_starts((row.stage, row.day, row.withdrawn) for row in rows)
    keys = [
        (owner, bisect_right(starts, row.day), row.stage)
        for owner, row in zip(owners, rows, strict=True)
    ]
    latest = {key: row.entry for key, row in zip(keys, rows, strict=True)}
    return [
        Entry(
            row.entry, row.stage, row.day, row.reason, row.withdrawn, row.recorded,
            row.recorded_by, row.source, pursuit=owner,
            in_force=not row.withdrawn and latest[key] == row.entry,
        )
        for owner, key, row in zip(owners, keys, rows, strict=True)
    ]  # fmt: skip


_Mask = NDArray[np.bool_]

# Stages that come more than once, as visits do: the first day is when the stage was reached.
_MAY_REPEAT = ("lead", "screened", *CONTACTS, "paused")
_STAGE = ["firm", "stage"]


@dataclass(frozen=True, eq=False)
class Admission:
    """What becomes of the entries of a file: each is new, known, or set aside in a problem.

    ``new`` entries join the history, with ``firm`` and ``file``, in the order to record them;
    ``known`` ones are there already, or stand in the file twice; ``superseded`` ones of the known
    came from this very file once and were corrected since, and are left as corrected; ``corrected``
    ones of the new give a day other than the one that was in force. ``losses`` are the problems
    by which a loss is set aside.
    """

    new: pd.DataFrame
    known: int
    superseded: int
    corrected: int
    problems: tuple[Problem, ...]
    losses: tuple[Problem, ...]


def validate_import(entries: pd.DataFrame, history: pd.DataFrame, *, file: str) -> Admission:
    """Decide which entries join the history; their order in the file decides nothing.

    The tables have the columns of `leadscore.lists.outcomes.ENTRY_COLUMNS` and of
    `leadscore.learning.history.EVENTS`. What came before from a ``file`` of this SHA-256 is known,
    even if it was corrected since.
    """
    of_history, of_entries = firm_keys(history, entries)
    history = history.assign(firm=of_history).reset_index(drop=True)
    left = entries.assign(firm=of_entries, file=file).reset_index(drop=True)
    _part_pursuits(history, left)
    left = left.sort_values(
        [*_STAGE, "day", "reason", "row"], na_position="first", ignore_index=True
    )
    problems: list[Problem] = []
    losses: list[Problem] = []

    def reject(objections: pd.DataFrame) -> bool:
        """Take entries away, by their index; tell whether there were any."""
        nonlocal left
        wrong = left.loc[objections.index].to_dict("records")
        told = list(map(_problem, wrong, objections.to_dict("records")))
        problems.extend(told)
        losses.extend(
            problem
            for entry, problem in zip(wrong, told, strict=True)
            if entry["stage"] == "lost" and not entry["withdrawn"]
        )
        left = left.drop(objections.index)
        return bool(len(objections))

    reject(_ambiguous(left, history))
    reject(_unsettled(left))
    known, superseded = _known(left, history)
    left = left[~known]
    day_in_force = _days_in_force(left, history)
    reject(_idle_withdrawals(left, day_in_force))
    left = left.assign(day=left["day"].fillna(day_in_force.reindex(left.index)))
    while reject(_contradicted(left, history)):
        # Without one entry another may stand alone, and two pursuits may be one.
        _part_pursuits(history, left)
        reject(_unsettled(left))
    new = left.sort_values("withdrawn", ascending=False, kind="stable", ignore_index=True)
    earlier = _days_in_force(new, history)
    moved = earlier.notna() & (earlier != new["day"])
    return Admission(
        new, int(known.sum()), superseded, int(moved.sum()), tuple(problems), tuple(losses)
    )


def _part_pursuits(history: pd.DataFrame, left: pd.DataFrame) -> None:
    # A firm that was lost may be met again: that is another pursuit, with its own stages.
    columns = ["firm", "stage", "day", "withdrawn"]
    both = pd.concat([history[columns], left[columns]], ignore_index=True)
    keys = pursuit_keys(both.assign(firm=firms_of(both["firm"]))).to_numpy()
    history["firm"], left["firm"] = keys[: len(history)], keys[len(history) :]


def _problem(entry: dict[Hashable, Any], objection: dict[Hashable, Any]) -> Problem:
    day, other = (
        f"{at:%Y-%m-%d}" if pd.notna(at) else "" for at in (entry["day"], objection["other_day"])
    )
    wanted = WORDS[f"outcomes.wanted_{objection['code']}"].format(
        stage=STAGES[entry["stage"]],
        other_stage=STAGES.get(objection["other_stage"], ""),
        other_day=other,
    )
    firm = entry["name"] if pd.notna(entry["name"]) else entry["credit_code"]
    return Problem(
        row=int(entry["row"]),
        column=None,
        found=shown(f"{firm} {day}".strip(), 40),
        wanted=WORDS["outcomes.not_imported"].format(wanted=wanted),
        code=objection["code"],
        sheet=entry["sheet"] if pd.notna(entry["sheet"]) else None,
        set_aside=True,
    )


def _objections(
    entries: pd.DataFrame, where: _Mask, code: str, other_day: pd.Series | None = None
) -> pd.DataFrame:
    other = pd.Series(pd.NaT, index=entries.index) if other_day is None else other_day
    found = pd.DataFrame({"code": code, "other_stage": "", "other_day": other}, index=entries.index)
    return found[where]


def _occurs(entries: pd.DataFrame, others: pd.DataFrame, columns: list[str]) -> _Mask:
    rows, theirs = (pd.MultiIndex.from_frame(table[columns]) for table in (entries, others))
    mask: _Mask = rows.isin(theirs)
    return mask


def _ambiguous(entries: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    both = pd.concat([history[list(IDENTIFIERS)], entries[list(IDENTIFIERS)]])
    both = both[both["credit_code"].notna() & both["name"].notna()].drop_duplicates()
    pairs = pd.DataFrame({"name": normal_name(both["name"]), "code": both["credit_code"]})
    pairs = pairs.drop_duplicates()
    several = pairs["name"][pairs["name"].duplicated()]
    loose = entries["credit_code"].isna() & normal_name(entries["name"]).isin(several)
    return _objections(entries, loose.to_numpy(dtype=bool), "ambiguous_firm")


def _unsettled(entries: pd.DataFrame) -> pd.DataFrame:
    entered = entries[~entries["withdrawn"]]
    days = entered.groupby(_STAGE)["day"]
    first, last = days.transform("min"), days.transform("max")
    repeats = entered["stage"].isin(_MAY_REPEAT)
    later = repeats & (entered["day"] > first)
    unclear = ~repeats & (first != last)
    other = last.where(entered["day"] == first, first)
    # A withdrawal is of what is there already, so that a new day may stand beside it.
    same = [*_STAGE, "day"]
    both = _occurs(entries, entered[same].merge(entries.loc[entries["withdrawn"], same]), same)
    found = pd.concat(
        [
            _objections(entries, both, "withdrawn_and_entered", entries["day"]),
            _objections(entered, later.to_numpy(), "later_again", first),
            _objections(entered, unclear.to_numpy(), "conflicting_days", other),
        ]
    )
    return found[~found.index.duplicated()]


def _known(entries: pd.DataFrame, history: pd.DataFrame) -> tuple[_Mask, int]:
    # Also how many of them were corrected since.
    latest = history.drop_duplicates(_STAGE, keep="last")
    latest = latest[[*_STAGE, "day", "reason", "withdrawn"]]
    beside = entries[_STAGE].merge(latest, on=_STAGE, how="left")
    beside.index = entries.index
    # What is withdrawn need not say which day it was.
    same_day = (beside["day"] == entries["day"]) | (entries["withdrawn"] & entries["day"].isna())
    there = same_day & (beside["withdrawn"] == entries["withdrawn"])
    there &= entries["reason"].isna() | (beside["reason"] == entries["reason"])
    for name in IDENTIFIERS:
        there &= entries[name].isna() | _occurs(
            entries, history.dropna(subset=name), ["firm", name]
        )
    no_sheet = {"sheet": ""}
    from_here = _occurs(
        entries.fillna(no_sheet), history.fillna(no_sheet), ["file", "sheet", "row", "stage"]
    )
    again = entries.duplicated([*_STAGE, "day", "withdrawn", *IDENTIFIERS, "reason"])
    known: _Mask = there.to_numpy(dtype=bool) | from_here | again.to_numpy(dtype=bool)
    return known, int((from_here & ~same_day.to_numpy(dtype=bool)).sum())


def _days_in_force(entries: pd.DataFrame, history: pd.DataFrame) -> pd.Series:
    present = in_force(history)[[*_STAGE, "day"]]
    days = entries[_STAGE].merge(present, on=_STAGE, how="left")["day"]
    days.index = entries.index
    return days.astype("datetime64[us]")


def _idle_withdrawals(entries: pd.DataFrame, held: pd.Series) -> pd.DataFrame:
    withdrawn = entries["withdrawn"]
    other = withdrawn & held.notna() & entries["day"].notna() & (held != entries["day"])
    return pd.concat(
        [
            _objections(entries, (withdrawn & held.isna()).to_numpy(), "nothing_to_withdraw"),
            _objections(entries, other.to_numpy(), "other_day_withdrawn", held),
        ]
    )


def _contradicted(entries: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    blamed = contradictions(history, entries.sort_values("withdrawn", ascending=False))
    entered = entries.reset_index(names="at")
    entered = entered[~entered["withdrawn"]][["at", *_STAGE]]
    found = entered.merge(blamed, on=_STAGE).set_index("at")
    return found[["code", "other_stage", "other_day"]]


@dataclass(frozen=True, slots=True)
class KeptTemplate:
    """What was said of the columns and stages of a file, for the next one with its headers.

    ``kind`` is what such files hold: outcomes, or a list; ``digest`` tells the headers.
    """

    kind: Annotated[str, {"primary_key": True}]
    digest: Annotated[str, {"primary_key": True}]
    mapping: Mapping[str, str]
    stages: Mapping[str, str]
    by: str
    at: datetime


TEMPLATES = sa.Table("templates", METADATA, *columns_of(KeptTemplate))


def templates_of(connection: Connection, kind: str) -> list[Template]:
    """Return how files of a kind were read before, the latest first."""
    rows = connection.execute(
        sa.select(TEMPLATES).where(TEMPLATES.c.kind == kind).order_by(TEMPLATES.c.at.desc())
    )
    return [Template(row.digest, row.mapping, row.stages) for row in rows]


def keep_template(
    connection: Connection, kind: str, template: Template, *, actor: str, now: datetime
) -> None:
    """Keep how a file was read, in the place of what was said of such files before."""
    same = (TEMPLATES.c.kind == kind) & (TEMPLATES.c.digest == template.digest)
    connection.execute(sa.delete(TEMPLATES).where(same))
    row = {
        "kind": kind, "digest": template.digest, "mapping": dict(template.mapping),
        "stages": dict(template.stages), "by": actor, "at": now,
    }  # fmt: skip
    insert_rows(connection, TEMPLATES, [row])
