"""The ranking read: filters, pages in an order, points, gaps and their candidates, the table."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, RowMapping, Select

from leadscore.errors import Detail
from leadscore.features.catalogue import CATALOGUE
from leadscore.lists.own_columns import with_own_columns
from leadscore.lists.values.places import beginning, is_division
from leadscore.ranking.order import (
    FACT_COLUMNS,
    RANKING_COLUMNS,
    fact_columns,
    interval_columns,
    is_vetoed,
    stage_name,
)
from leadscore.ranking.reasons import corrections_line
from leadscore.ranking.score import Scorer
from leadscore.ranking.vetoes import veto_text
from leadscore.store.current_ranking import (
    FIRM_SEGMENTS,
    SCORES,
    STANDINGS,
    firms_with,
    words_of,
)
from leadscore.store.database import (
    StoreError,
    in_parts,
    one_of_some,
)
from leadscore.store.facts import facts_of, with_corrections
from leadscore.store.firms import FIRMS
from leadscore.store.lists import LIST_FIRMS, own_headers_of, own_values_of
from leadscore.store.shortlists import SELECTION_FIRMS, SHORTLIST_FIRMS
from leadscore.text import Lang, room_words

WORDS = room_words("store")

NONE = "none"
"""What one writes for firms that have no chain, segment, role, stage or owner."""
NAMED = ("role", "stage", "owner")
WORKED_IN = {"chain": FIRM_SEGMENTS.c.chain, "segment": FIRM_SEGMENTS.c.segment}
_OF_GAP = ("chain", "segment", "role", "fit", "priority")
_FEW, _OFTEN = 2_000, 4  # firms, and those of which one is meant


@dataclass(frozen=True, slots=True)
class RankingFilter:
    """Which firms are asked for; of several conditions all must hold, of several values any."""

    list_id: tuple[int, ...] = ()
    # These and the like as they stand now; ``none`` for those without. A firm is in each segment
    # that it truly works in.
    chain: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()
    role: tuple[str, ...] = ()  # in the segment that it fits best
    region: tuple[str, ...] = ()  # how division codes begin (``44``), or provinces and cities
    grade: tuple[str, ...] = ()
    veto: tuple[str, ...] = ()  # ``no`` for firms without, ``yes``, or keys of `vetoes.WORDING`
    stage: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()  # who has the pursuit in hand
    text: str | None = None  # words that all must occur in name, code or business
    shortlist: tuple[int, ...] = ()
    selection: tuple[int, ...] = ()  # what somebody has selected at once
    firms: tuple[int, ...] | None = None  # numbers, few enough for one question

    @classmethod
    def of(cls, **plain: Any) -> RankingFilter:
        """Return the filter of plain values: one, several, or None; of a grade also ``AB``.

        >>> RankingFilter.of(grade="AB", stage=["visited", "visited"], chain=None).told()
        {'grade': ['A', 'B'], 'stage': ['visited']}
        """
        return cls(**{name: _several(name, value) for name, value in plain.items()})

    def told(self) -> dict[str, Any]:
        """Return what is asked for as plain values, without what isn't."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value or (name == "firms" and value is not None)
        }

    @property
    def gap(self) -> str | None:
        """The segment whose own view this is, if just one is asked for."""
        one = self.segment[0] if len(self.segment) == 1 else NONE
        return None if one == NONE else one

    def conditions(
        self, connection: Connection, *, in_order: bool = False
    ) -> list[ColumnElement[bool]]:
        """Return what must hold of the rows of `STANDINGS`; ``in_order`` if the first are taken."""
        among = self.among(connection, in_order=in_order).values()
        return [*self.of_columns().values(), *(holds(STANDINGS.c.firm_id) for holds in among)]

    def of_columns(self) -> dict[str, ColumnElement[bool]]:
        """Return by filter what must hold of the columns of `STANDINGS`, but for its key."""
        at = STANDINGS.c
        conditions: dict[str, ColumnElement[bool]] = {}
        for name in (*NAMED, "grade"):
            if wanted := getattr(self, name):
                named = [value for value in wanted if value != NONE]
                any_of: list[ColumnElement[bool]] = [at[name].is_(None)] if NONE in wanted else []
                if named:
                    one = len(named) == 1
                    any_of.append(at[name] == named[0] if one else at[name].in_(named))
                conditions[name] = sa.or_(*any_of)
        if self.region:
            conditions["region"] = _in_regions(self.region)
        if self.veto:
            reasons = [veto for veto in self.veto if veto not in ("yes", "no")]
            any_of = [at.vetoed.is_(veto == "yes") for veto in self.veto if veto not in reasons]
            if reasons:
                any_of.append(at.veto == reasons[0] if len(reasons) == 1 else at.veto.in_(reasons))
            conditions["veto"] = sa.or_(*any_of)
        return conditions

    def among(self, connection: Connection, *, in_order: bool = False) -> dict[str, Among]:
        """Return by filter what must hold of the number of a firm, of whatever table."""
        # Few firms are found first, and then looked up; many are gone through in their order.
        conditions: dict[str, Among] = {}
        for name, number in _SETS.items():
            if wanted := getattr(self, name):
                members = number.table.alias().c  # whatever else is asked of that table
                of_some = sa.select(members.firm_id).where(members[number.name].in_(wanted))
                few = connection.scalars(of_some.limit(_FEW + 1)).all()
                many = partial(_there_in, of_some)
                conditions[name] = partial(_in, few) if len(few) <= _FEW else many
        for name, column in WORKED_IN.items():
            if wanted := getattr(self, name):
                conditions[name] = partial(_in_any, _working_in(connection, column, wanted))
        if self.firms is not None:
            conditions["firms"] = partial(_in, self.firms)
        if words := words_of(self.text or ""):
            speaking = firms_with(connection, words)
            few = connection.scalars(speaking.limit(_FEW + 1)).all()
            if len(few) <= _FEW:
                conditions["text"] = partial(_in, few)
            elif in_order and max(few) <= _OFTEN * len(few):
                # Where so many of the first ones are meant, a page is full before all are listed.
                conditions["text"] = partial(_there_in, firms_with(connection, words, listed=False))
            else:
                conditions["text"] = partial(_one_of, speaking)
        return conditions


def _several(name: str, value: Any) -> Any:
    if name in ("text", "firms"):
        return tuple(value) if name == "firms" and value is not None else value
    if value is None:
        return ()
    values = (value,) if isinstance(value, str | int) else value
    if name == "grade":  # as addresses of earlier versions have it, too
        return tuple(sorted(set("".join(map(str, values)))))
    return tuple(dict.fromkeys(values))


LIST_ID, SHORTLIST_ID = LIST_FIRMS.c.list_id, SHORTLIST_FIRMS.c.shortlist_id
_SETS: dict[str, sa.Column[int]] = {
    "list_id": LIST_ID,
    "shortlist": SHORTLIST_ID,
    "selection": SELECTION_FIRMS.c.selection_id,
}
Among = Callable[[ColumnElement[int]], ColumnElement[bool]]


def _in(firms: Sequence[int], number: ColumnElement[int]) -> ColumnElement[bool]:
    return number.in_(firms)


def _there_in(query: Select[int], number: ColumnElement[int]) -> ColumnElement[bool]:
    return query.where(query.selected_columns.firm_id == number).exists()


def _one_of(query: Select[int], number: ColumnElement[int]) -> ColumnElement[bool]:
    # As the side of a comparison it is made once and then asked for each row of the best index;
    # left alone, databases look each of these firms up in the table, and sort what they find.
    return number.in_(query).is_(True)


def _working_in(
    connection: Connection, column: sa.Column[str], wanted: Sequence[str]
) -> list[Among]:
    any_of: list[Among] = []
    if NONE in wanted:
        any_of.append(_nowhere)
    if named := [value for value in wanted if value != NONE]:
        of_some = sa.select(FIRM_SEGMENTS.c.firm_id).where(column.in_(named))
        few = connection.scalars(of_some.limit(_FEW + 1)).all()
        any_of.append(partial(_in, few) if len(few) <= _FEW else partial(_one_of, of_some))
    return any_of


def _nowhere(number: ColumnElement[int]) -> ColumnElement[bool]:
    of_any = FIRM_SEGMENTS.alias("of_any").c.firm_id
    return ~sa.select(of_any).where(of_any == number).exists()


def _in_any(any_of: Sequence[Among], number: ColumnElement[int]) -> ColumnElement[bool]:
    return sa.or_(*(holds(number) for holds in any_of))


def _in_regions(regions: Iterable[str]) -> ColumnElement[bool]:
    at, names, any_of = STANDINGS.c, list[str](), list[ColumnElement[bool]]()
    for region in regions:
        # 广东 and 广东省 are one.
        place = beginning(region) if is_division(region) else None
        named = place.city or place.province if place and place.province else region
        if named.isascii() and named.isdigit():
            any_of.append((at.region >= named) & (at.region < f"{named}:"))  # the sign after 9
        else:
            names.append(named)
    return sa.or_(*any_of, at.province.in_(names), at.city.in_(names)) if names else sa.or_(*any_of)


Sort = Literal["-priority", "priority", "-likelihood", "likelihood", "-fit", "fit", "name", "-name"]
"""By what the ranking is ordered; a minus puts the highest first."""
SORTS: tuple[Sort, ...] = get_args(Sort)
# Listed in the usual order where nothing else decides.
_RISING: tuple[Sort, ...] = ("-priority", "-likelihood", "-fit", "name")

LONGEST = 6_000
"""Characters of a cursor; the longest name of a firm fits."""


class BadCursorError(StoreError):
    """What was sent back is not where a page ended."""

    code = "bad_cursor"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page.

    ``value`` is what it was sorted by before its ``key``, None in the usual order, which is that of
    keys but in the view of a segment; ``key`` is its place in the one order (see
    `leadscore.ranking.order`).
    """

    sort: Sort
    value: float | str | None
    key: bytes

    def written(self) -> str:
        """Return it as text of letters, digits, minus and underscore."""
        key = base64.b64encode(self.key).decode()
        plain = json.dumps([self.sort, self.value, key], ensure_ascii=False)
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_cursor(text: str, sort: Sort) -> Cursor:
    """Return what `Cursor.written` wrote for this order; raises `BadCursorError` for another.

    >>> read_cursor(Cursor("name", "甲", b"key").written(), "name").value
    '甲'
    """
    try:
        padded = text[:LONGEST] + "=" * (-len(text) % 4)
        plain = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if len(text) <= LONGEST and isinstance(plain, list) and len(plain) == 3:
            written, value, key = plain
            if written == sort and _may_hold(sort.removeprefix("-"), value):
                return Cursor(sort, value, base64.b64decode(key, validate=True))
    except (TypeError, ValueError, RecursionError):  # neither base64 nor UTF-8 nor JSON
        pass
    raise BadCursorError(WORDS["ranking.bad"], [Detail("cursor", text, WORDS["ranking.one"])])


def _may_hold(column: str, value: Any) -> bool:
    if column == "priority" and value is None:
        return True
    if column != "name":
        return type(value) in (int, float) and 0.0 <= value <= 1.0
    try:
        return isinstance(value, str) and "\0" not in value and bool(value.encode())
    except UnicodeEncodeError:
        return False


PAGE = 50
"""Firms of a page, unless others are asked for."""
LONGEST_PAGE = 500

_EXPORTED_AT_ONCE = 1_000
_SCORED = (
    *(SCORES.c[name] for name in ("reasons", "values", "segments", "words", "as_of", "scored_at")),
    SCORES.c.segment.label("scored_segment"),
    SCORES.c.role.label("scored_role"),
)


class RankingPage(NamedTuple):
    """Some firms of the ranking, and where the next page begins; None if there is none.

    The firms have the columns of `STANDINGS`; ``reasons``, ``values``, ``segments``, ``words``,
    ``as_of``, ``scored_at``, ``scored_segment`` and ``scored_role`` of the score; ``record`` of the
    firm as it counts, and ``corrections``, what officers have corrected of it; ``rank`` as `ranks`
    counts it, None if vetoed.
    """

    firms: Sequence[Mapping[str, Any]]
    next: Cursor | None


def ranking_page(
    connection: Connection, asked: RankingFilter, *, sort: Sort = "-priority",
    after: Cursor | None = None, limit: int = PAGE,
) -> RankingPage:  # fmt: skip
    """Return a page of the ranking: first the firms that may be courted, then the vetoed ones.

    ``-priority`` is the order of `leadscore.ranking.order`, which also decides among equals. What
    puts the lowest first is the same list from its other end. ``after`` is the last row of the page
    before. In the view of one segment, chain, segment, role, fit and priority are those for the gap
    there, and order the firms; ranks and grades stay those among all.
    """
    rows: list[RowMapping] = []
    gap = asked.gap
    if after is not None and (after.value is None) != (_column(sort, gap) is None):
        raise BadCursorError(WORDS["ranking.bad"], [Detail("cursor", "…", WORDS["ranking.one"])])
    # The view's own segment is a join.
    others = replace(asked, segment=()) if gap else asked
    conditions = others.conditions(connection, in_order=True)
    for vetoed in (False, True):
        start = after if after is not None and is_vetoed(after.key) == vetoed else None
        passed = after is not None and is_vetoed(after.key) and not vetoed
        unwanted = asked.veto and all(vetoed == (veto == "no") for veto in asked.veto)
        if passed or unwanted:
            continue
        for place in _places(sort, gap, start):
            if lacking := limit + 1 - len(rows):
                part = [STANDINGS.c.vetoed.is_(vetoed), *conditions, *place]
                rows += _rows(connection, part, sort, gap, lacking)
    page = rows[:limit]
    ranked = [row["firm_id"] for row in page if not row["vetoed"]]
    of_list = asked.list_id[0] if len(asked.list_id) == 1 else None
    placed = ranks(connection, ranked, list_id=of_list)
    facts = facts_of(connection, [row["firm_id"] for row in page if row["overridden"]])
    firms = []
    for row in page:
        corrections = [fact.correction for fact in facts.get(row["firm_id"], ())]
        record = with_corrections(row["record"], corrections)
        rank = placed.get(row["firm_id"])
        firms.append({**row, "rank": rank, "record": record, "corrections": corrections})
    if len(rows) <= limit:
        return RankingPage(firms, None)
    last, by = page[-1], _column(sort, gap)
    value = None if by is None else last[by.name]
    return RankingPage(firms, Cursor(sort, value, last["order_key"]))


def whole_ranking(
    connection: Connection, asked: RankingFilter, *, sort: Sort = "-priority"
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Yield the whole ranking in parts, so that it never stands in memory as a whole."""
    after = None
    while True:
        firms, after = ranking_page(
            connection, asked, sort=sort, after=after, limit=_EXPORTED_AT_ONCE
        )
        if firms:
            yield firms
        if after is None:
            return


def _column(sort: Sort, gap: str | None) -> sa.Column[Any] | None:
    by = sort.removeprefix("-")
    if gap and by in _OF_GAP:
        return FIRM_SEGMENTS.c[by]
    return None if by == "priority" else STANDINGS.c[by]


def _places(
    sort: Sort, gap: str | None, after: Cursor | None
) -> Iterator[list[ColumnElement[bool]]]:
    # First those with the same value as the row, then those beyond it: so an index leads to either,
    # whatever the directions of value and key.
    if after is None:
        yield []
        return
    by, key = _column(sort, gap), STANDINGS.c.order_key
    follows = key > after.key if sort in _RISING else key < after.key
    if by is None:
        yield [follows]
        return
    yield [by == after.value, follows]
    yield [by > after.value if sort == by.name else by < after.value]


def _rows(
    connection: Connection, conditions: Sequence[Any], sort: Sort, gap: str | None, limit: int
) -> Sequence[RowMapping]:
    columns = {each.name: each for each in STANDINGS.c}
    query = sa.select(STANDINGS)
    if gap:
        columns |= {name: FIRM_SEGMENTS.c[name] for name in _OF_GAP}
        there = FIRM_SEGMENTS.c.segment == gap
        query = sa.select(*columns.values()).join_from(
            STANDINGS, FIRM_SEGMENTS, sa.and_(FIRM_SEGMENTS.c.firm_id == STANDINGS.c.firm_id, there)
        )
    query = query.where(*conditions)
    page = query.order_by(*_order(columns, sort, gap)).limit(limit).subquery()
    joined = (
        sa.select(page, *_SCORED, FIRMS.c.record)
        .join(SCORES, SCORES.c.id == page.c.score_id)
        .join(FIRMS, FIRMS.c.id == page.c.firm_id)
    )
    return connection.execute(joined.order_by(*_order(page.c, sort, gap))).mappings().all()


def _order(columns: Any, sort: Sort, gap: str | None) -> list[ColumnElement[Any]]:
    by, key = _column(sort, gap), columns["order_key"]
    end = key.asc() if sort in _RISING else key.desc()
    if by is None:
        return [end]
    return [columns[by.name].asc() if sort == by.name else columns[by.name].desc(), end]


def ranks(
    connection: Connection, firm_ids: Iterable[int], *, list_id: int | None = None
) -> dict[int, int]:
    """Return the rank of firms among all, or in a list; vetoed ones have none and are left out."""
    query, given = (_RANKS, {}) if list_id is None else (_RANKS_IN_LIST, {"list_id": list_id})
    placed: dict[int, int] = {}
    for some in in_parts(firm_ids):
        rank = 0
        for firm_id, more in connection.execute(query, {"some": some, **given}):
            rank += more
            placed[firm_id] = rank
    return placed


def _ranks(counted: sa.FromClause, condition: ColumnElement[bool]) -> Select[int, int]:
    # Each firm comes with how many follow the one before, itself included: so an index is read
    # once, up to the last of the firms.
    at = STANDINGS.c
    before = sa.func.lag(at.order_key, 1, b"").over(order_by=at.order_key)
    some = sa.select(at.firm_id, at.vetoed, at.order_key, before.label("before"))
    each = some.where(at.firm_id.in_(one_of_some())).subquery("each").c
    key = counted.c.order_key
    between = sa.select(sa.func.count()).select_from(counted)
    between = between.where(condition, key > each.before, key <= each.order_key)
    placed = sa.select(each.firm_id, between.scalar_subquery())
    # Vetoed firms are sorted out here and not above, where an index of all others would be read.
    return placed.where(each.vetoed.is_(False)).order_by(each.order_key)


_ALL = STANDINGS.alias("counted")
_RANKS = _ranks(_ALL, _ALL.c.vetoed.is_(False))
_RANKS_IN_LIST = _ranks(LIST_FIRMS, LIST_FIRMS.c.list_id == sa.bindparam("list_id"))


def veto_of(row: Mapping[str, Any] | RowMapping, lang: Lang) -> str | None:
    """Return why a firm is not to be courted, of its row of `STANDINGS`; None if nothing is."""
    text = veto_text(row["veto"], until=row["rests_until"], reason=row["rest_reason"])
    return text.pick(lang) or None


_DTYPES = dict.fromkeys(("rank", "row"), "Int64") | dict.fromkeys(
    ("priority", "likelihood", "fit", "likelihood_low", "likelihood_high"), "float64"
)


def written_parts(
    connection: Connection, asked: RankingFilter, scorer: Scorer, lang: Lang, *, sort: Sort
) -> Iterator[tuple[Sequence[Mapping[str, Any]], pd.DataFrame]]:
    """Yield the ranking in parts, at least one: firms as they are kept and as they are written.

    After `RANKING_COLUMNS` come the facts of `FACT_COLUMNS`; ``corrections``, where anything was
    corrected of any firm; and the columns of the lists that mean nothing to leadscore.
    """
    corrected = sa.select(STANDINGS.c.firm_id).where(
        STANDINGS.c.overridden.is_(True), *asked.conditions(connection)
    )
    names = [*RANKING_COLUMNS, *FACT_COLUMNS]
    if connection.scalar(corrected.limit(1)) is not None:
        names.append("corrections")
    own = own_headers_of(connection, asked.list_id or ())
    empty = True
    for rows in whole_ranking(connection, asked, sort=sort):
        empty = False
        kept = own_values_of(connection, [row["firm_id"] for row in rows]) if own else {}
        table = _written(rows, names, scorer, lang)
        numbers = [row["firm_id"] for row in rows]
        yield rows, with_own_columns(table, own, [kept.get(number, {}) for number in numbers])
    if empty:
        yield [], with_own_columns(_written([], names, scorer, lang), own, [])


def _written(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], scorer: Scorer, lang: Lang
) -> pd.DataFrame:
    wording = scorer.wording
    sure = scorer.intervals([(row["model"], row["values"]) for row in rows])
    roles = {level: name.pick(lang) for level, name in CATALOGUE["role"].levels.items()}
    columns = {
        "reasons": [wording.kept_line(row, lang) for row in rows],
        "veto": [veto_of(row, lang) for row in rows],
        "stage": [stage_name(row["stage"], lang) for row in rows],
        "segment_name": [wording.segment(row["segment"], lang) for row in rows],
        "role_name": [roles.get(row["role"]) for row in rows],
        "matched_words": [row["words"] for row in rows],
        **interval_columns(scorer, sure, lang),
    }
    columns |= {
        name: [row[name] for row in rows] for name in RANKING_COLUMNS if name not in columns
    }
    columns["corrections"] = [corrections_line(row["corrections"], wording, lang) for row in rows]
    facts = fact_columns([row["record"] for row in rows])
    return pd.DataFrame(
        {
            name: facts[name] if name in facts
            else pd.Series(columns[name], dtype=_DTYPES.get(name, "str"))
            for name in names
        }
    )  # fmt: skip
