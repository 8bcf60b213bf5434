"""Links rows to kept firms, merges what lists say, keeps scores, and says why one changed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from leadscore.learning.history import IDENTIFIERS
from leadscore.learning.scorecard import PointsCard
from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.cleaning import Firm as Known
from leadscore.lists.columns import CANONICAL
from leadscore.lists.dedupe import (
    fold_repeats,
    group_rows,
    normal_former_names,
    normal_name,
    normal_name_of,
    settle_repeats,
)
from leadscore.lists.problems import Problem
from leadscore.lists.reading import from_records
from leadscore.ranking.score import FirmScore, Scorer
from leadscore.store.current_ranking import (
    Score,
    append_scores,
    keep_matches,
    last_seen,
    place_firms,
)
from leadscore.store.database import (
    Database,
    Written,
    expect_much,
    one_of_some,
    plain_values,
    rows_of_some,
)
from leadscore.store.facts import Corrections, corrections_of, with_corrections
from leadscore.store.firms import (
    FIRMS,
    FORMER_NAMES,
    Firm,
    count_up,
    field_record,
    field_records,
    former_keys,
    known_firm,
    next_firm_id,
    next_firms,
    read_firms,
    write_firms,
)
from leadscore.store.snapshots import keep_records
from leadscore.text import Text, room_words, shown

WORDS = room_words("store")


@dataclass(frozen=True, eq=False)
class Linked:
    """A list of which each row stands for one firm, known or new.

    ``firms`` has canonical columns, ``row`` and ``sheet``, index ``0..n-1``, each firm once;
    ``known`` the firm of the store for each of them, None for a new one; ``problems`` what was
    found on the way, rows set aside that the store shows to be repeats; ``versions`` those of every
    firm of the store that shares a code or a name with a row, by its number.
    """

    firms: pd.DataFrame
    known: list[Firm | None]
    problems: list[Problem]
    versions: Mapping[int, int]

    @cached_property
    def keys(self) -> list[_Keys]:
        """By which each row may be a firm of the store."""
        return _keys_of(self.firms)


class _Keys(NamedTuple):
    code: str | None
    name: str
    former: Sequence[str]


def _keys_of(rows: pd.DataFrame) -> list[_Keys]:
    former: dict[int, list[str]] = {}
    names_before = normal_former_names(rows["former_names"].reset_index(drop=True))
    for row, key in zip(names_before.index.tolist(), names_before.tolist(), strict=True):
        former.setdefault(row, []).append(key)
    codes, names = plain_values(rows["credit_code"]), normal_name(rows["name"]).tolist()
    return [
        _Keys(code, name, former.get(at, ()))
        for at, (code, name) in enumerate(zip(codes, names, strict=True))
    ]


def link(connection: Connection, clean: CleanList) -> Linked:
    """Find out which firm of the store each row is, by the rules of `settle_repeats`.

    Rows and firms with one credit code are one firm; a row without a code is the firm that bears
    its name now, else the one that bore it before; a firm of the store that has no code takes that
    of the row that bears its name. A name that firms with different codes bear links nothing. The
    list has each firm once already.
    """
    rows = clean.firms
    stored_firms = read_firms(connection, _sharing(connection, _keys_of(rows)))
    firms = [stored_firms[number] for number in sorted(stored_firms)]
    merged_firms = {firm.merged_into for firm in firms if firm.merged_into is not None}
    survivors = read_firms(connection, merged_firms)
    if not firms:
        return Linked(rows, [None] * len(rows), [], {})
    stored = pd.DataFrame(
        {name: [firm.record.get(name) for firm in firms] for name in IDENTIFIERS}, dtype="str"
    )
    both = pd.concat([stored, rows[list(IDENTIFIERS)]], ignore_index=True).astype("str")
    groups = group_rows(both, normal_name(both["name"]))
    of_stored, of_rows = np.split(groups.of_row, [len(firms)])
    folded = fold_repeats(rows, of_rows)
    owners: dict[int, list[Firm]] = {}  # those with a code first, then the oldest
    for firm, group in sorted(
        zip(firms, of_stored.tolist(), strict=True),
        key=lambda pair: (pair[0].credit_code is None, pair[0].id),
    ):
        owners.setdefault(group, []).append(firm)
    known: list[Firm | None] = []
    problems = list(folded.problems)
    through: dict[int, Firm] = {}  # rows that name a firm that was merged into another
    for at, group in zip(folded.kept.tolist(), of_rows[folded.kept].tolist(), strict=True):
        candidates = list(
            {
                other.id: other
                for firm in owners.get(group, [])
                for other in (survivors.get(firm.merged_into or 0, firm),)
            }.values()
        )
        name = normal_name_of(str(rows["name"].iat[at]))
        for first, firm in enumerate(owners.get(group, [])):
            if firm.merged_into is not None and (first == 0 or firm.name_key == name):
                through[len(known)] = firm
        known.append(candidates[0] if candidates else None)
        if len(candidates) > 1:
            ids = ", ".join(str(firm.id) for firm in candidates)
            wanted = WORDS["scoring.several"].format(ids=ids, id=candidates[0].id)
            problems.append(_problem(rows, at, wanted, "several_firms"))
        elif groups.undecided[len(firms) + at]:
            problems.append(_problem(rows, at, WORDS["scoring.undecided"], "same_name"))
    listed = {(problem.sheet, problem.row, problem.code) for problem in clean.problems}
    new = [each for each in problems if (each.sheet, each.row, each.code) not in listed]
    versions = {firm.id: firm.version for firm in (*firms, *survivors.values())}
    linked = Linked(folded.firms, known, new, versions)
    return _as_survivors(linked, through) if through else linked


def _as_survivors(linked: Linked, through: Mapping[int, Firm]) -> Linked:
    # A row that names a firm that was merged into another is about that one, which keeps its name;
    # of several rows about it the first counts.
    problems, left = list(linked.problems), list[int]()
    names, before = (plain_values(linked.firms[column]) for column in ("name", "former_names"))
    own = {firm.id for at, firm in enumerate(linked.known) if firm and at not in through}
    for at, firm in enumerate(linked.known):
        if at in through and firm is not None:
            if firm.id in own:
                wanted = WORDS["list_import.twice"].format(id=firm.id)
                twice = _problem(linked.firms, at, wanted, "repeat")
                problems.append(replace(twice, set_aside=True))
                continue
            own.add(firm.id)
            before[at] = _SEPARATOR.join(filter(None, (names[at], before[at])))
            names[at] = firm.name
        left.append(at)
    table = linked.firms.assign(
        name=pd.Series(names, dtype="str"), former_names=pd.Series(before, dtype="str")
    )
    return replace(
        linked, firms=table.iloc[left].reset_index(drop=True),
        known=[linked.known[at] for at in left], problems=problems,
    )  # fmt: skip


def _sharing(connection: Connection, keys: Sequence[_Keys]) -> set[int]:
    codes = {key.code for key in keys if key.code}
    own = {key.name for key in keys}
    former = {name for key in keys for name in key.former}
    numbers: set[int] = set()
    for wanted, by, values in (
        (FIRMS.c.id, FIRMS.c.credit_code, codes),
        (FIRMS.c.id, FIRMS.c.name_key, own | former),
        (FORMER_NAMES.c.firm_id, FORMER_NAMES.c.name_key, own),
    ):
        query = select(wanted).where(by.in_(one_of_some()))
        numbers.update(row[0] for row in rows_of_some(connection, query, values))
    return numbers


def _problem(rows: pd.DataFrame, at: int, wanted: Text, code: str) -> Problem:
    row, sheet = int(rows["row"].to_numpy(dtype=np.int64)[at]), rows["sheet"].iat[at]
    in_sheet = sheet if isinstance(sheet, str) else None
    return Problem(row, None, shown(rows["name"].iat[at]), wanted, code, in_sheet)


def as_seen(connection: Connection, linked: Linked, part: slice, ours: Collection[int]) -> bool:
    """Tell whether some rows still are the firms that they were taken for.

    ``ours`` are the firms that were written for other rows of the list meanwhile: the list as a
    whole was linked, and they change nothing.
    """
    known = {firm.id: firm.version for firm in linked.known[part] if firm}
    present = _sharing(connection, linked.keys[part]).difference(ours) | known.keys()
    query = select(FIRMS.c.id, FIRMS.c.version).where(FIRMS.c.id.in_(one_of_some()))
    now = rows_of_some(connection, query, present)
    return all(linked.versions.get(number) == version for number, version in now)


Record = Mapping[str, Any]
Origins = Mapping[str, Mapping[str, Any]]

_PLACES = frozenset(each.name for each in CANONICAL if each.kind in ("place", "division"))
_REGION = ("province_code", "city_code", "province", "city")
_SEPARATOR = ";"


def merged(firm: Firm | None, said: Mapping[str, Any], source: Written) -> tuple[Record, Origins]:
    """Return what is known of a firm, and from where, once one source has said its part.

    A field that a source with a later ``as_of`` has filled stays. A name that gives way becomes a
    former one. Where a newer list puts the firm into another region, older parts of its place go.
    """
    if firm is None:
        text = ",".join(f'"{name}":{source.text}' for name in said)
        return said, Written(dict.fromkeys(said, source), f"{{{text}}}")
    record, origins = dict(firm.record), dict(firm.origins)

    def gives_way(name: str) -> bool:
        return name not in origins or origins[name]["as_of"] <= source["as_of"]

    if any(name in said and record.get(name, said[name]) != said[name] and gives_way(name)
           for name in _REGION):  # fmt: skip
        for name in _PLACES & record.keys() - said.keys():
            if gives_way(name):
                del record[name], origins[name]
    for name, value in said.items():
        if name not in ("former_names", "credit_code") and gives_way(name):
            record[name], origins[name] = value, source
    if "credit_code" in said and "credit_code" not in record:
        record["credit_code"], origins["credit_code"] = said["credit_code"], source
    former = joined_names(firm.record, said, record["name"])
    if former and former != firm.record.get("former_names"):
        record["former_names"], origins["former_names"] = former, source
    return record, origins


def all_merged(
    firms: Iterable[Firm | None], said: Iterable[Mapping[str, Any]], rows: Iterable[int], *,
    list_id: int | None, at: datetime, as_of: date, by: str | None = None,
) -> tuple[list[Record], list[Origins]]:  # fmt: skip
    """Return what is known of firms, and from where, once each row of a list has said its part.

    ``said`` are the canonical columns that are filled, as `firms.field_records` has them; ``by`` is
    who wrote them by hand.
    """
    same = {"at": at.isoformat(), "as_of": as_of.isoformat()} | ({"by": by} if by else {})
    both = [
        merged(firm, fields, Written({"list": list_id, "row": row, **same}))
        for firm, fields, row in zip(firms, said, rows, strict=True)
    ]
    return [record for record, _ in both], [origins for _, origins in both]


def joined_names(known: Mapping[str, Any], said: Mapping[str, Any], name: str) -> str:
    """Return the names of two records, former ones among them, but for the one that is borne."""
    before = [*str(known.get("former_names") or "").split(_SEPARATOR),
              *str(said.get("former_names") or "").split(_SEPARATOR),
              str(known["name"]), str(said["name"])]  # fmt: skip
    names = {normal_name_of(each): each for each in reversed(before) if each.strip()}
    names.pop(normal_name_of(name), None)
    return _SEPARATOR.join(reversed(names.values()))


FIRST_PORTION = 100
_FEWEST, _MOST = 20, 5_000  # firms of one transaction
_HELD_SECONDS = 0.15  # by one transaction, about
_PAUSE_SECONDS = 0.01  # between two of them: longer than those who wait look away


class Portions:
    """Transactions for what writes many firms, so that nobody else waits for long meanwhile.

    On SQLite a writer is alone. ``size`` is how many firms the next one may write: as many as the
    last ones took 0.15 s for, `FIRST_PORTION` to begin with.
    """

    def __init__(self, database: Database) -> None:
        self._database, self.size = database, FIRST_PORTION

    def parts(self, total: int) -> Iterator[slice]:
        """Yield the parts of so many firms, each as long as the next transaction may be."""
        start = 0
        while start < total:
            stop = min(start + self.size, total)
            yield slice(start, stop)
            start = stop

    @contextmanager
    def write(self, count: int) -> Iterator[Connection]:
        """Give a connection for so many firms; others get in before the next one."""
        with self._database.write() as connection:
            begun = time.monotonic()
            expect_much(connection)
            yield connection
        held = max(time.monotonic() - begun, 0.001)
        fitting = int(count * _HELD_SECONDS / held)
        self.size = max(_FEWEST, min(fitting, 2 * self.size, _MOST))
        time.sleep(_PAUSE_SECONDS)
        self._database.checkpoint()


class KeptScore(NamedTuple):
    """A score as it is kept: what it rests on, with its digest, and its rows but for the numbers.

    ``row`` is of `SCORES`, ``matches`` are of `FIRM_SEGMENTS`.
    """

    digest: str
    record: Written
    row: dict[str, Any]
    matches: list[dict[str, Any]]


def score_firms(
    scorer: Scorer, records: Iterable[Mapping[str, Any]], *, as_of: date
) -> list[KeptScore]:
    """Score firms as of a day, given what counts of each; see `Scorer.score`."""
    firms = [known_firm(record) for record in records]
    # How far a firm has come is settled where it is placed: outcomes may say otherwise by then.
    as_listed = [{**firm, "stage": None} for firm in firms]
    scores = scorer.score(as_listed, as_of=as_of)
    return [_kept(firm, score, scorer) for firm, score in zip(firms, scores, strict=True)]


def _kept(firm: Known, score: FirmScore, scorer: Scorer) -> KeptScore:
    digest, record = field_record(firm)
    best = score.best
    row = {
        "model": scorer.model, "as_of": score.firm["as_of"], "likelihood": score.likelihood,
        "fit": score.fit, "priority": score.priority, "grade": score.grade,
        "segment": best and best.segment, "role": best and best.role, "veto": score.veto,
        "base_points": score.base_points,
        "points": Written({name: points for name, points in score.points.items() if points}),
        "values": Written(
            {name: value for name, value in score.values.items() if value is not None}
        ),
        "reasons": [
            {"feature": name, "points": score.points[name]} for name in score.main_features()
        ],
        "segments": score.segments(), "words": best and best.words,
        "profile": scorer.city.digest, "facts": digest,
        "order_priority": score.order_priority if "grade" in firm else None,
    }  # fmt: skip
    matches = [
        {"segment": match.segment, "chain": match.segment.partition(".")[0], "role": match.role,
         "use": match.use, "strength": match.strength, "fit": match.fit, "priority": priority}
        for match, priority in scorer.in_gaps(score)
    ]  # fmt: skip
    return KeptScore(digest, record, row, matches)


def write_scores(
    connection: Connection, firms: Sequence[Firm], scored: Sequence[KeptScore],
    seen: Mapping[int, tuple[int | None, int | None]], *, source: str, now: datetime,
    new: Collection[int] = (),
) -> list[bytes]:  # fmt: skip
    """Keep scores, and what they rest on, and where the firms stand by them.

    Returns the `STANDINGS.order_key` of each. ``seen`` says by the number of the firm in which list
    and row it was last seen, ``source`` where the firms are from, for the snapshots; ``new`` are
    the firms that this transaction has added.
    """
    if not firms:
        return []
    (same,) = {(score.row["as_of"], score.row["model"]) for score in scored}
    snapshots = keep_records(
        connection, [(score.digest, score.record) for score in scored], as_of=same[0],
        model=same[1], source=source, now=now, firm_ids=[firm.id for firm in firms],
    )  # fmt: skip
    rows = [
        {**score.row, "scored_at": now, "firm_id": firm.id, "snapshot_id": snapshot}
        for score, firm, snapshot in zip(scored, firms, snapshots, strict=True)
    ]
    ids = append_scores(connection, rows)
    scores = {row["firm_id"]: row | {"id": id_} for id_, row in zip(ids, rows, strict=True)}
    keep_matches(connection, firms, (score.matches for score in scored), new=new)
    return [
        row["order_key"] for row in place_firms(connection, firms, scores, seen, now=now, new=new)
    ]


def rescore(
    database: Database,
    *,
    scorer: Scorer,
    today: date,
    clock: Callable[[], datetime],
    at_once: int = 2_000,
    progress: Callable[[int], object] = lambda _: None,
) -> int:
    """Score every firm anew, as when another model has become the champion; return how many.

    So many firms at a time are kept as others need not wait for, and a stop loses little; a firm
    that has changed meanwhile was scored by whoever changed it. ``at_once`` firms are read and
    scored together. ``progress`` is told the number of firms scored since the last call; it may
    raise.
    """
    count, last, portions = 0, 0, Portions(database)
    while True:
        with database.read() as connection:
            firms = next_firms(connection, last, at_once)
            corrections = corrections_of(connection, [firm.id for firm in firms], as_of=today)
        if not firms:
            return count
        last = firms[-1].id
        records = applied(firms, corrections)
        scored = score_firms(scorer, records, as_of=today)
        for part in portions.parts(len(firms)):
            some = firms[part]
            with portions.write(len(some)) as connection:
                _write_anew(connection, some, records[part], scored[part], today, now=clock())
            count += len(some)
            progress(len(some))


def score_anew(
    connection: Connection, firms: Sequence[Firm], *, scorer: Scorer, source: str, today: date,
    now: datetime, seen: Mapping[int, tuple[int | None, int | None]] | None = None,
) -> None:  # fmt: skip
    """Score firms by what counts of them now, place them, and count up the version of each.

    ``seen`` are list and row where each was last seen, if that has changed.
    """
    numbers = [firm.id for firm in firms]
    corrections = corrections_of(connection, numbers, as_of=today)
    scored = score_firms(scorer, applied(firms, corrections), as_of=today)
    where = last_seen(connection, numbers) if seen is None else seen
    write_scores(connection, firms, scored, where, source=source, now=now)
    count_up(connection, numbers, now=now)


def applied(firms: Iterable[Firm], corrections: Corrections) -> list[Record]:
    """Return what counts of firms: what lists have said of each, and what was corrected."""
    return [with_corrections(firm.record, corrections.get(firm.id, ())) for firm in firms]


def _write_anew(
    connection: Connection, firms: Sequence[Firm], records: Sequence[Record],
    scored: Sequence[KeptScore], today: date, *, now: datetime,
) -> None:  # fmt: skip
    # Of an unchanged firm nothing that is scored has changed; it is taken as it is kept by now.
    present = read_firms(connection, [firm.id for firm in firms])
    counting = corrections_of(connection, list(present), as_of=today)
    same = [
        (present[firm.id], score)
        for firm, record, score in zip(firms, records, scored, strict=True)
        if with_corrections(present[firm.id].record, counting.get(firm.id, ())) == record
    ]
    numbers = [firm.id for firm, _ in same]
    seen = last_seen(connection, numbers)
    write_scores(
        connection, [firm for firm, _ in same], [score for _, score in same], seen, source="store",
        now=now,
    )  # fmt: skip
    count_up(connection, numbers, now=now)


def keep_asked(
    connection: Connection, records: Sequence[Mapping[str, object]], *, scorer: Scorer, today: date,
    now: datetime, by: str | None = None,
) -> list[int]:  # fmt: skip
    """Keep firms and their scores; return the number of each in the store, in the order given.

    A firm that the store knows is linked by its credit code, else by its name, and what was sent
    joins what lists have said of it. What is kept is scored with all that is known by today. The
    records have canonical columns, among them a name; ``by`` is who wrote them by hand.
    """
    table = settle_repeats(clean(from_records(records), today=today))
    linked = link(connection, table)
    said = (fields for _, fields in field_records(linked.firms))
    rows = linked.firms["row"].tolist()
    kept, origins = all_merged(linked.known, said, rows, list_id=None, at=now, as_of=today, by=by)
    firms = write_firms(
        connection, linked.known, kept, origins, first=next_firm_id(connection), now=now
    )
    numbers = [firm.id for firm in firms]
    seen = last_seen(connection, numbers)
    corrections = corrections_of(connection, numbers, as_of=today)
    scored = score_firms(scorer, applied(firms, corrections), as_of=today)
    new = {firm.id for firm, known in zip(firms, linked.known, strict=True) if known is None}
    write_scores(
        connection, firms, scored, seen, source="by hand" if by else "api", now=now, new=new
    )
    of_row = dict(zip(rows, firms, strict=True))
    return [
        (of_row.get(row) or _same_firm(firms, record)).id for row, record in enumerate(records, 1)
    ]


def _same_firm(firms: Sequence[Firm], record: Mapping[str, object]) -> Firm:
    # By its credit code first, else by its name.
    code, name = record.get("credit_code"), normal_name_of(str(record["name"]))
    by_code = [firm for firm in firms if code and firm.credit_code == code]
    by_name = [firm for firm in firms if firm.name_key == name]
    former = [firm for firm in firms if name in former_keys(firm.record)]
    return [*by_code, *by_name, *former][0]


# Points by which a card may differ from what it once gave: far below what anybody sees.
_NEAR = 1e-6


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """What a feature, or a pair of features (``a × b``), has to do with the difference.

    Its value in the older and in the newer score, None if missing, or for a pair; and the points
    that come from the firm's data and from another model.
    """

    feature: str
    before: float | str | None
    after: float | str | None
    data: float
    model: float


@dataclass(frozen=True, slots=True)
class Change:
    """The difference between two scores of a firm, in points, the weightiest features first.

    ``missing`` are models whose cards can't be had any more, or don't give what they gave: then the
    difference can't be split, and there are no features. The difference of the ``base`` is part of
    what the model does.
    """

    older: Score
    newer: Score
    points: float
    missing: tuple[str, ...]
    base: float | None
    features: tuple[FeatureChange, ...]

    @property
    def data(self) -> float | None:
        """Points that come from the firm's data; None if they can't be told."""
        return None if self.missing else math.fsum(each.data for each in self.features)

    @property
    def model(self) -> float | None:
        """Points that come from another model; None if they can't be told."""
        if self.base is None:
            return None
        return math.fsum((self.base, *(each.model for each in self.features)))


def change_between(older: Score, newer: Score, cards: Mapping[str, PointsCard]) -> Change:
    """Split the difference between two scores of one firm, in whichever order is asked for.

    ``cards`` are those of their models, by version, as far as they can be had.
    """
    points = newer.total_points - older.total_points
    first, last = _points(older, older, cards), _points(newer, newer, cards)
    between = _points(older, newer, cards)
    missing = [
        score.model
        for score, given in ((older, first), (older, between), (newer, last))
        if given is None or (given is not between and not _as_given(score, given))
    ]
    if missing or first is None or between is None or last is None:
        return Change(older, newer, points, tuple(dict.fromkeys(missing)), None, ())
    names = dict.fromkeys([*first, *last])
    changes = [
        FeatureChange(
            name,
            older.values.get(name),
            newer.values.get(name),
            data=between.get(name, 0.0) - first.get(name, 0.0),
            model=last.get(name, 0.0) - between.get(name, 0.0),
        )
        for name in names
    ]
    changes = [each for each in changes if each.data or each.model or each.before != each.after]
    changes.sort(key=lambda each: (-abs(each.data) - abs(each.model), each.feature))
    return Change(older, newer, points, (), newer.base_points - older.base_points, tuple(changes))


def _points(
    model_of: Score, values_of: Score, cards: Mapping[str, PointsCard]
) -> dict[str, float] | None:
    # None if the card can't be had. A value that another program never measured is missing to it.
    card = cards.get(model_of.model)
    if card is None:
        return None
    try:
        scorecard = card.scorecard
        added = scorecard.lookup_record([values_of.values.get(name) for name in scorecard.features])
    except ValueError:  # a text where the card has a feature of numbers: another catalogue
        return None
    return card.points(added)


def _as_given(score: Score, points: Mapping[str, float]) -> bool:
    names = points.keys() | score.points.keys()
    return all(abs(points.get(name, 0.0) - score.points.get(name, 0.0)) <= _NEAR for name in names)
