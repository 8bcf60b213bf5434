"""Every score that a firm was ever given, and the current ranking: where each stands now."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from operator import add
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection
from sqlalchemy.dialects import postgresql, sqlite

from leadscore.lists.values.places import province_name
from leadscore.ranking.order import order_key
from leadscore.ranking.vetoes import GONE, HERE
from leadscore.store.database import (
    APPEND_ONLY,
    METADATA,
    GivenId,
    Number,
    StoreError,
    columns_of,
    in_parts,
    insert_rows,
    one_of_some,
    rows_of_some,
    take_turns,
)
from leadscore.store.facts import Corrections, facts_of, with_corrections
from leadscore.store.firms import Firm, count_up, exclusions_of, hidden_of, read_firms
from leadscore.store.lists import LIST_FIRMS, LISTS, NOWHERE
from leadscore.store.office import Office, months_after, read_office
from leadscore.store.outcomes import (
    Entry,
    lacking_pursuits,
    last_entry,
    outcomes_of,
    settle_pursuits,
)
from leadscore.store.pursuits import Pursuit, open_pursuit, pursuits_of
from leadscore.text import room_words

WORDS = room_words("store")


class UnknownScoreError(StoreError):
    """A number that no score of the firm has."""

    code = "unknown_score"


@dataclass(frozen=True, slots=True)
class Score:
    """A score as it was given.

    ``points`` and ``values`` are by feature, ``points`` also by pair of features (``a × b``); what
    adds nothing and what is missing is left out. ``reasons`` are the features of the main ones with
    their points (in homes of old also their words then, which nobody reads); ``segments`` is every
    match as ``id:strength``, joined by ``;``, and ``words`` are those that the best match rests on.
    """

    id: GivenId
    firm_id: Annotated[int, Number, sa.ForeignKey("firms.id")]
    snapshot_id: Annotated[int | None, Number, sa.ForeignKey("snapshots.id"), {"index": True}]
    model: str
    as_of: date
    scored_at: Annotated[datetime, {"index": True}]
    likelihood: float
    fit: float
    priority: float
    grade: str
    segment: str | None
    role: str | None
    veto: str | None
    base_points: float
    points: Mapping[str, float]
    values: Mapping[str, float | str]
    reasons: Sequence[Mapping[str, Any]]
    segments: str | None
    words: str | None
    profile: str | None  # `City.digest` of the profile under which it was given
    facts: str | None  # digest of the fields and facts that it rests on
    # By which it is ordered where an officer has set the grade; else by the priority.
    order_priority: float | None = None

    @property
    def total_points(self) -> float:
        """The log-odds of the likelihood, in points."""
        return math.fsum((self.base_points, *self.points.values()))

    def worded_from(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return what words need of the score, beside the firm's record; see `kept_facts`."""
        return {
            "reasons": self.reasons, "values": self.values, "scored_segment": self.segment,
            "scored_role": self.role, "words": self.words, "segments": self.segments,
            "record": record,
        }  # fmt: skip


SCORES = sa.Table(
    "scores",
    METADATA,
    *columns_of(Score),
    sa.Index("ix_scores_firm_id_id", "firm_id", "id"),
    info=APPEND_ONLY,
)
_SAME = tuple(
    SCORES.c[name]
    for name in ("snapshot_id", "firm_id", "likelihood", "priority", "grade", "veto", "profile")
)
_FIRM_OF_SAME = 1  # place of the firm in it
_NEWEST = sa.select(sa.func.max(SCORES.c.id), sa.func.max(SCORES.c.snapshot_id))
_LATEST = (
    sa.select(SCORES.c.firm_id, sa.func.max(SCORES.c.id))
    .where(SCORES.c.firm_id.in_(one_of_some()))
    .group_by(SCORES.c.firm_id)
)


def append_scores(connection: Connection, rows: list[dict[str, Any]]) -> list[int]:
    """Add scores and return the number of each row's score.

    A firm whose last score is just this one, of the same snapshot and profile and with the same
    result, keeps it: fields, day, model and profile alone decide a score.
    """
    take_turns(connection, SCORES)
    last, newest = (number or 0 for number in connection.execute(_NEWEST).one())
    query = sa.select(SCORES.c.id, *_SAME).where(SCORES.c.snapshot_id.in_(one_of_some()))
    scored = [row["snapshot_id"] for row in rows if row["snapshot_id"] <= newest]
    known = {tuple(same): number for number, *same in rows_of_some(connection, query, scored)}
    # A correction that was taken back on the same day gives the score before it once more.
    firms = {same[_FIRM_OF_SAME] for same in known}
    latest = {row[1] for row in rows_of_some(connection, _LATEST, firms)}
    known = {same: number for same, number in known.items() if number in latest}
    ids: list[int] = []
    new: list[dict[str, Any]] = []
    for row in rows:
        number = known.get(tuple(row[column.name] for column in _SAME))
        if number is None:
            number = last + len(new) + 1
            new.append({"id": number, **row})
        ids.append(number)
    insert_rows(connection, SCORES, new)
    return ids


def read_score(connection: Connection, firm_id: int, score_id: int) -> Score:
    """Return a score of a firm; raises `UnknownScoreError`."""
    query = sa.select(SCORES).where(SCORES.c.id == score_id, SCORES.c.firm_id == firm_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownScoreError(WORDS["current_ranking.unknown"].format(id=score_id))
    return Score(*row)


def score_history(connection: Connection, firm_id: int, *, limit: int = 100) -> list[Score]:
    """Return the scores of a firm, the newest first."""
    query = sa.select(SCORES).where(SCORES.c.firm_id == firm_id)
    newest = connection.execute(query.order_by(SCORES.c.id.desc()).limit(limit))
    return [Score(*row) for row in newest]


def values_of(
    connection: Connection, score_ids: Collection[int]
) -> dict[int, Mapping[str, float | str]]:
    """Return by the number of each score the values by feature; what is missing is left out."""
    query = sa.select(SCORES.c.id, SCORES.c["values"]).where(SCORES.c.id.in_(one_of_some()))
    return {row[0]: row[1] for row in rows_of_some(connection, query, score_ids)}


_SEARCHED = (
    "name", "former_names", "short_name", "name_en", "credit_code", "main_business", "industry",
    "chain_node", "business_scope",
)  # fmt: skip
_MOST_WORDS = 8  # that a search takes note of


def _searched_text(record: Mapping[str, Any]) -> str:
    """Return names, code and business of a firm as one text, in the form that words are looked for.

    >>> _searched_text({"name": "甲ＬＥＤ", "main_business": "芯片"})
    '甲led\\n芯片'
    """
    return _plain("\n".join(str(record[name]) for name in _SEARCHED if record.get(name)))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower().replace("\0", "")


def words_of(text: str) -> list[str]:
    """Return the words of a search.

    >>> words_of("深圳  ＬＥＤ")
    ['深圳', 'led']
    """
    return _plain(text).split()[:_MOST_WORDS]


def contains(connection: Connection, column: sa.Column[str], word: str) -> ColumnElement[bool]:
    """Return that a text contains a word; no letter of it means more than itself."""
    position = sa.func.strpos if connection.dialect.name == "postgresql" else sa.func.instr
    return position(column, word) > 0


_Key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Sorted by its code points on every database, so that pages follow each other alike."""


_FILTERS = ("role", "grade", "stage", "owner", "region")
_COUNTED = ("works_in", "role", "grade", "stage", "owner", "veto", "province", "city")

STANDINGS = sa.Table(
    "standings",
    METADATA,
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("score_id", Number, sa.ForeignKey("scores.id"), nullable=False),
    sa.Column("list_id", Number, sa.ForeignKey("lists.id")),
    sa.Column("row", sa.Integer),
    sa.Column("name", _Key, nullable=False),
    sa.Column("credit_code", sa.Text),
    sa.Column("priority", sa.Float, nullable=False),
    sa.Column("likelihood", sa.Float, nullable=False),
    sa.Column("fit", sa.Float, nullable=False),
    sa.Column("grade", _Key, nullable=False),
    sa.Column("chain", _Key),
    sa.Column("segment", _Key),
    sa.Column("works_in", _Key),
    sa.Column("role", _Key),
    sa.Column("region", _Key),
    sa.Column("province", sa.Text),
    sa.Column("city", sa.Text),
    sa.Column("veto", _Key),
    sa.Column("vetoed", sa.Boolean, nullable=False),
    sa.Column("stage", _Key),
    sa.Column("pursuit_id", Number, sa.ForeignKey("pursuits.id")),
    sa.Column("owner", _Key),
    sa.Column("rests_until", sa.Date),
    sa.Column("rest_reason", sa.Text),
    sa.Column("excluded", sa.Boolean, nullable=False),
    sa.Column("overridden", sa.Boolean, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("order_key", sa.LargeBinary, nullable=False),
    sa.Index("ix_standings_order_key", "vetoed", "order_key"),
    # Each filter that may leave much, in the usual order.
    *(sa.Index(f"ix_standings_{name}", name, "vetoed", "order_key") for name in _FILTERS),
    sa.Index("ix_standings_name", "vetoed", "name"),
    sa.Index("ix_standings_facets", *_COUNTED),
    sa.Index("ix_standings_quarters", "vetoed", "fit", "likelihood"),
)
"""All is as it counts, what officers corrected included, which ``overridden`` tells; ``works_in``
are the segments of `FIRM_SEGMENTS` by their ids, joined by ``;``, to be counted; ``region`` is
the division code of the city, else of the province; ``list_id`` and ``row`` say where the firm was
last seen; ``veto`` is the first that holds, by list, outcomes and exclusions together.
``pursuit_id`` is the last pursuit, ``owner`` who has it in hand; a lost firm rests until
``rests_until``, and ``rest_reason`` is why it was lost.
``order_key`` is that of `leadscore.ranking.order` and, so that no two are the same, the number of
the firm."""

for _name in ("likelihood", "fit"):
    sa.Index(
        f"ix_standings_{_name}",
        STANDINGS.c.vetoed, STANDINGS.c[_name].desc(), STANDINGS.c.order_key,
    )  # fmt: skip

FIRM_SEGMENTS = sa.Table(
    "firm_segments",
    METADATA,
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("segment", _Key, primary_key=True),
    sa.Column("chain", _Key, nullable=False),
    sa.Column("role", sa.Text),
    sa.Column("use", sa.Text),
    sa.Column("strength", sa.Float, nullable=False),
    sa.Column("fit", sa.Float, nullable=False),
    sa.Column("priority", sa.Float, nullable=False),
    sa.Index("ix_firm_segments_segment", "segment", "priority"),
    sa.Index("ix_firm_segments_chain", "chain", "firm_id"),
)
"""The segments that a firm truly works in, by its score of now, and for which use.

Strength, fit and priority are 0..1; the last two are those for the gap there: a segment's own view
is ordered by them (see `leadscore.ranking.score.Scorer.in_gaps`).
"""

STANDING_TEXTS = sa.Table(
    "standing_texts",
    METADATA,
    sa.Column("firm_id", Number, sa.ForeignKey("firms.id"), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)
"""What the search looks through; triggers or an expression keep an index of its bigrams."""

_INDEXED = sa.table("standing_bigrams", sa.column("rowid", Number))
_UNINDEXED = re.compile(r"[\x00-\x1f\x7f]")


def firms_with(
    connection: Connection, words: Sequence[str], *, listed: bool = True
) -> sa.Select[int]:
    """Return the query for the numbers of the firms of whose text `contains` holds, of each word.

    What the index decides by itself is not looked at in the texts again; those who ask firm by firm
    rather than for all of them (not ``listed``) are answered from the texts alone.
    """
    at = STANDING_TEXTS.c
    bigrams = [[*map(add, word, word[1:])] for word in words]
    if any("\ud800" <= letter <= "\udfff" for word in words for letter in word):
        return sa.select(at.firm_id).where(sa.false())  # no database keeps these
    if not listed:
        return sa.select(at.firm_id).where(*(contains(connection, at.text, w) for w in words))
    if connection.dialect.name == "postgresql":
        # Texts that have all the bigrams of a longer word need not have them one after another.
        holds = [contains(connection, at.text, word) for word in words if len(word) != 2]
        if several := sorted({bigram for of_word in bigrams for bigram in of_word}):
            all_of = sa.literal(several, postgresql.ARRAY(sa.Text))
            holds.append(sa.func.bigrams(at.text).bool_op("@>")(all_of))
        return sa.select(at.firm_id).where(*holds)
    # FTS5 knows where each bigram stands, so a phrase of them is a word and nothing but it.
    phrases = [
        f'"{" ".join(of_word).replace(*_QUOTED)}"' if of_word else f'"{word.replace(*_QUOTED)}"*'
        for word, of_word in zip(words, bigrams, strict=True)
        if not _UNINDEXED.search(word)
    ]
    indexed = sa.select(_INDEXED.c.rowid.label("firm_id"))
    matches = sa.literal_column(_INDEXED.name).bool_op("MATCH")
    indexed = indexed.where(matches(" AND ".join(phrases)))
    if len(phrases) == len(words):
        return indexed
    holds = [contains(connection, at.text, word) for word in words if _UNINDEXED.search(word)]
    return sa.select(at.firm_id).where(*holds, *([at.firm_id.in_(indexed)] if phrases else []))


_QUOTED = ('"', '""')

# Put together once: they are run with every act of an officer.
_FORGET = sa.delete(STANDINGS).where(STANDINGS.c.firm_id.in_(one_of_some()))
# A text that stays as it is leaves its index alone.
_SPEAK = {
    name: into.on_conflict_do_update(
        index_elements=["firm_id"], set_={"text": into.excluded.text},
        where=into.excluded.text != STANDING_TEXTS.c.text,
    )
    for name, into in (
        ("sqlite", sqlite.insert(STANDING_TEXTS)), ("postgresql", postgresql.insert(STANDING_TEXTS))
    )
}  # fmt: skip
_FORGET_MATCHES = sa.delete(FIRM_SEGMENTS).where(FIRM_SEGMENTS.c.firm_id.in_(one_of_some()))
_PLACE_IN_LISTS = (
    sa.update(LIST_FIRMS)
    .where(
        LIST_FIRMS.c.firm_id == sa.bindparam("firm"), LIST_FIRMS.c.order_key != sa.bindparam("key")
    )
    .values(order_key=sa.bindparam("key"))
)

_FROM_SCORE = ("likelihood", "fit", "priority", "grade", "segment", "role", "veto", "model")
_TO_PLACE = (*_FROM_SCORE, "order_priority")
_WITH_SCORE = (
    sa.select(
        STANDINGS.c.list_id,
        STANDINGS.c.row,
        *(SCORES.c[name] for name in ("id", "firm_id", *_TO_PLACE)),
    )
    .join_from(STANDINGS, SCORES, SCORES.c.id == STANDINGS.c.score_id)
    .where(STANDINGS.c.firm_id.in_(one_of_some()))
)


def place_firms(
    connection: Connection, firms: Iterable[Firm], scores: Mapping[int, Mapping[str, Any]],
    seen: Mapping[int, tuple[int | None, int | None]], *, now: datetime, new: Collection[int] = (),
) -> list[dict[str, Any]]:  # fmt: skip
    """Write where firms stand now, also in their lists, and return the rows of `STANDINGS`.

    What files have told of them opens pursuits. Hidden firms stand nowhere: they have a row here
    whose ``order_key`` is `NOWHERE`, and none in the table.

    By number, ``scores`` have the columns of `SCORES`, ``seen`` the list and row of each firm.
    ``new`` are the firms that this transaction has added: only files of outcomes know of them.
    """
    placed = list(firms)
    numbers = [firm.id for firm in placed if firm.id not in new]
    entries, pursuits = _pursued(connection, placed, now=now)
    office, today = read_office(connection), now.astimezone().date()
    corrections = _corrections(connection, numbers)
    works_in = _works_in(connection, [firm.id for firm in placed])
    records = {
        firm.id: with_corrections(firm.record, corrections.get(firm.id, ())) for firm in placed
    }
    exclusions = exclusions_of(connection, numbers)
    rows = [
        _standing_row(
            firm, records[firm.id], scores[firm.id], seen.get(firm.id, (None, None)),
            _come_to(firm, entries.get(firm.id, ()), pursuits.get(firm.id, ()), office),
            corrected=firm.id in corrections, excluded=firm.id in exclusions, today=today,
        ) | {"works_in": works_in.get(firm.id)}
        for firm in placed
    ]  # fmt: skip
    hidden = hidden_of(connection, numbers)
    rows = [row | {"order_key": NOWHERE} if row["firm_id"] in hidden else row for row in rows]
    texts = [{"firm_id": firm.id, "text": _searched_text(records[firm.id])} for firm in placed]
    for some in in_parts(numbers):
        connection.execute(_FORGET, {"some": some})
    if standing := [row for row in rows if row["firm_id"] not in hidden]:
        connection.execute(STANDINGS.insert(), standing)
    if rows:
        connection.execute(_SPEAK[connection.dialect.name], texts)
    if numbers:
        keys = [{"firm": row["firm_id"], "key": row["order_key"]}
                for row in rows if row["firm_id"] not in new]  # fmt: skip
        connection.execute(_PLACE_IN_LISTS, keys)
    return rows


def keep_matches(
    connection: Connection, firms: Iterable[Firm], matches: Iterable[Sequence[Mapping[str, Any]]],
    *, new: Collection[int] = (),
) -> None:  # fmt: skip
    """Write in which segments firms work, in the place of what was said of those not ``new``.

    ``matches`` have of each firm the columns of `FIRM_SEGMENTS` but for its number.
    """
    placed = list(firms)
    for some in in_parts(firm.id for firm in placed if firm.id not in new):
        connection.execute(_FORGET_MATCHES, {"some": some})
    rows = [
        {"firm_id": firm.id, **match}
        for firm, of_firm in zip(placed, matches, strict=True)
        for match in of_firm
    ]
    insert_rows(connection, FIRM_SEGMENTS, rows)


def refresh(connection: Connection, firm_ids: Iterable[int], *, now: datetime) -> None:
    """Place firms anew, as far as they were scored, and count up the version of each."""
    for some in in_parts(firm_ids):
        rows = connection.execute(_WITH_SCORE, {"some": some}).mappings().all()
        seen = {row["firm_id"]: (row["list_id"], row["row"]) for row in rows}
        firms = read_firms(connection, seen.keys())
        scores = {row["firm_id"]: dict(row) for row in rows}
        place_firms(connection, firms.values(), scores, seen, now=now)
        count_up(connection, some, now=now)


def last_seen(
    connection: Connection, firm_ids: Collection[int]
) -> dict[int, tuple[int | None, int | None]]:
    """Return list and row where each firm was last seen, by its number."""
    query = sa.select(STANDINGS.c.firm_id, STANDINGS.c.list_id, STANDINGS.c.row)
    query = query.where(STANDINGS.c.firm_id.in_(one_of_some()))
    return {
        row.firm_id: (row.list_id, row.row) for row in rows_of_some(connection, query, firm_ids)
    }


def open_rested(connection: Connection, *, now: datetime) -> int:
    """Let the firms be courted again whose rest is over, and return how many those were."""
    over = STANDINGS.c.rests_until <= now.astimezone().date()
    query = sa.select(STANDINGS.c.firm_id).where(STANDINGS.c.veto == "resting", over)
    firms = connection.scalars(query).all()
    refresh(connection, firms, now=now)
    return len(firms)


def refresh_lost(connection: Connection, *, now: datetime) -> None:
    """Place all lost firms anew, as when the office lets them rest for another time."""
    lost = sa.select(STANDINGS.c.firm_id).where(STANDINGS.c.stage == "lost")
    refresh(connection, connection.scalars(lost).all(), now=now)


def _pursued(
    connection: Connection, firms: Sequence[Firm], *, now: datetime
) -> tuple[dict[int, list[Entry]], dict[int, list[Pursuit]]]:
    # The outcomes and the pursuits of firms; those are opened and closed as the outcomes say.
    entries = outcomes_of(connection, firms)
    pursuits = pursuits_of(connection, [firm.id for firm in firms])
    opened = []
    for firm in firms:
        of_firm = entries.get(firm.id, ())
        for day, by in lacking_pursuits(of_firm, pursuits.get(firm.id, ())):
            known = _known_on(connection, firm.id, day)
            open_pursuit(connection, firm.id, day, by=by, now=now, **known)
            opened.append(firm)
    if opened:
        entries |= outcomes_of(connection, opened)
        pursuits |= pursuits_of(connection, [firm.id for firm in opened])
    for number in entries.keys() & pursuits.keys():
        settle_pursuits(connection, entries[number], pursuits[number])
    return entries, pursuits


_KNOWN_ON = (
    sa.select(SCORES.c.id.label("score_id"), SCORES.c.model)
    .where(SCORES.c.firm_id == sa.bindparam("firm"), SCORES.c.scored_at < sa.bindparam("until"))
    .order_by(SCORES.c.id.desc())
    .limit(1)
)
_LISTED_ON = (
    sa.select(sa.func.max(LIST_FIRMS.c.list_id))
    .join_from(LIST_FIRMS, LISTS, LISTS.c.id == LIST_FIRMS.c.list_id)
    .where(LIST_FIRMS.c.firm_id == sa.bindparam("firm"))
    .where(LISTS.c.uploaded_at < sa.bindparam("until"))
)


def _known_on(connection: Connection, firm_id: int, day: date) -> dict[str, Any]:
    # What the office had before it on a day of the past: the score and the list that there were.
    # Ranks of the past are kept nowhere.
    until = datetime.combine(day + timedelta(days=1), time()).astimezone()
    given = {"firm": firm_id, "until": until}
    score = connection.execute(_KNOWN_ON, given).one_or_none()
    listed = {"list_id": connection.scalar(_LISTED_ON, given)}
    return listed | (score._asdict() if score else {})


def _come_to(
    firm: Firm, entries: Sequence[Entry], pursuits: Sequence[Pursuit], office: Office
) -> dict[str, Any]:
    # How far a firm has come: by the latest outcome, else by what its list says.
    last, stage = last_entry(entries), firm.record.get("stage")
    day = None
    if last:
        stage, day = last.stage, last.day
    elif stage:
        day = date.fromisoformat(firm.origins["stage"]["as_of"])
    pursuit = pursuits[-1] if pursuits else None
    rests = stage == "lost" and day is not None and office.rest_months > 0
    return {
        "stage": stage, "pursuit_id": pursuit and pursuit.id, "owner": pursuit and pursuit.owner,
        "rests_until": months_after(day, office.rest_months) if rests and day else None,
        "rest_reason": last.reason if last and rests else None,
    }  # fmt: skip


_WORKED_IN = (
    sa.select(FIRM_SEGMENTS.c.firm_id, FIRM_SEGMENTS.c.segment)
    .where(FIRM_SEGMENTS.c.firm_id.in_(one_of_some()))
    .order_by(FIRM_SEGMENTS.c.segment)
)


def _works_in(connection: Connection, firm_ids: Collection[int]) -> dict[int, str]:
    segments = defaultdict[int, list[str]](list)
    for firm_id, segment in rows_of_some(connection, _WORKED_IN, firm_ids):
        segments[firm_id].append(segment)
    return {firm_id: ";".join(of_firm) for firm_id, of_firm in segments.items()}


def _corrections(connection: Connection, firm_ids: Collection[int]) -> Corrections:
    facts = facts_of(connection, firm_ids)
    return {firm: [fact.correction for fact in of_firm] for firm, of_firm in facts.items()}


def _standing_row(
    firm: Firm, record: Mapping[str, Any], score: Mapping[str, Any],
    seen: tuple[int | None, int | None], come_to: Mapping[str, Any], *, corrected: bool,
    excluded: bool, today: date,
) -> dict[str, Any]:  # fmt: skip
    values = {name: score[name] for name in _FROM_SCORE}
    segment, placed = values["segment"], score["order_priority"]
    until = come_to["rests_until"]
    resting = until is not None and today < until
    veto = veto_now(score["veto"], come_to["stage"], excluded=excluded, resting=resting)
    key = order_key(
        vetoed=veto is not None, priority=score["priority"] if placed is None else placed,
        likelihood=score["likelihood"], fit=score["fit"], name=firm.name,
        credit_code=firm.credit_code,
    )  # fmt: skip
    return values | {
        "firm_id": firm.id, "score_id": score["id"], "list_id": seen[0], "row": seen[1],
        "name": firm.name, "credit_code": firm.credit_code,
        "chain": segment.partition(".")[0] if segment else None,
        "region": record.get("city_code") or record.get("province_code"),
        "province": province_name(record), "city": record.get("city"), "veto": veto,
        "vetoed": veto is not None, "excluded": excluded, "overridden": corrected,
        "order_key": key + firm.id.to_bytes(8), **come_to,
    }  # fmt: skip


def veto_now(
    scored: str | None, stage: str | None, *, excluded: bool, resting: bool = False
) -> str | None:
    """Return the first veto that holds, in the order of `leadscore.ranking.vetoes.Vetoes`.

    ``scored`` is what the firm's fields gave when it was scored, ``stage`` how far the firm has
    come by now; ``excluded`` if it is not to be courted, ``resting`` if it was lost not long ago.

    >>> veto_now(None, "visited", excluded=False), veto_now(None, "building", excluded=False)
    (None, 'already_here')
    >>> veto_now("deregistered", None, excluded=True), veto_now("already_here", None, excluded=True)
    ('deregistered', 'excluded')
    """
    if scored in GONE:
        return scored
    if excluded:
        return "excluded"
    if scored == "already_here" or stage in HERE:
        return "already_here"
    return "resting" if resting else None
