"""Where each firm stands now: one row a firm, of all that the ranking filters and sorts by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    bindparam,
    delete,
    select,
    update,
)

from leadscore.ranking.order import order_key
from leadscore.ranking.vetoes import COURTED, GONE
from leadscore.store.engine.metadata import METADATA, Number
from leadscore.store.engine.parts import in_parts, one_of_some
from leadscore.store.firms.firms import Firm, count_up, read_firms
from leadscore.store.firms.overrides import Exclusion, Override, exclusions_of, overrides_of
from leadscore.store.firms.stages import outcomes_of, stage_of
from leadscore.store.lists.lists import LIST_FIRMS
from leadscore.store.ranking.search_words import searched_text

_Key = Text().with_variant(Text(collation="C"), "postgresql")
"""Sorted by its code points on every database, so that pages follow each other alike."""


_FILTERS = ("chain", "segment", "role", "grade", "stage", "region")
_COUNTED = ("chain", "segment", "role", "grade", "stage", "veto", "province", "city")

STANDINGS = Table(
    "standings",
    METADATA,
    Column("firm_id", Number, ForeignKey("firms.id"), primary_key=True, autoincrement=False),
    Column("score_id", Number, ForeignKey("scores.id"), nullable=False),
    Column("list_id", Number, ForeignKey("lists.id")),
    Column("row", Integer),
    Column("name", _Key, nullable=False),
    Column("credit_code", Text),
    Column("priority", Float, nullable=False),
    Column("likelihood", Float, nullable=False),
    Column("fit", Float, nullable=False),
    Column("grade", _Key, nullable=False),
    Column("chain", _Key),
    Column("segment", _Key),
    Column("role", _Key),
    Column("region", _Key),
    Column("province", Text),
    Column("city", Text),
    Column("veto", _Key),
    Column("vetoed", Boolean, nullable=False),
    Column("stage", _Key),
    Column("excluded", Boolean, nullable=False),
    Column("overridden", Boolean, nullable=False),
    Column("model", Text, nullable=False),
    Column("order_key", LargeBinary, nullable=False),
    Index("ix_standings_order_key", "vetoed", "order_key"),
    # Each filter that may leave much, in the usual order.
    *(Index(f"ix_standings_{name}", name, "vetoed", "order_key") for name in _FILTERS),
    Index("ix_standings_name", "vetoed", "name"),
    Index("ix_standings_facets", *_COUNTED),
    Index("ix_standings_quarters", "vetoed", "fit", "likelihood"),
)
"""``grade``, ``segment`` and ``role`` are those that count, overridden or not; ``region`` is the
division code of the city, else of the province; ``list_id`` and ``row`` say where the firm was
last seen; ``veto`` is the first that holds, by list, outcomes and exclusions together.
``order_key`` is that of `leadscore.ranking.order` and, so that no two are the same, the number of
the firm."""

for _name in ("likelihood", "fit"):
    Index(
        f"ix_standings_{_name}",
        STANDINGS.c.vetoed, STANDINGS.c[_name].desc(), STANDINGS.c.order_key,
    )  # fmt: skip

STANDING_TEXTS = Table(
    "standing_texts",
    METADATA,
    Column("firm_id", Number, ForeignKey("firms.id"), primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
)
"""What the search looks through (see `search_words.searched_text`)."""

# Put together once: they are run with every act of an officer.
_FORGET = tuple(
    delete(table).where(table.c.firm_id.in_(one_of_some())) for table in (STANDINGS, STANDING_TEXTS)
)
_ADD, _ADD_TEXT = STANDINGS.insert(), STANDING_TEXTS.insert()
_PLACE_IN_LISTS = (
    update(LIST_FIRMS)
    .where(LIST_FIRMS.c.firm_id == bindparam("firm"), LIST_FIRMS.c.order_key != bindparam("key"))
    .values(order_key=bindparam("key"))
)

_FROM_SCORE = ("likelihood", "fit", "priority", "grade", "segment", "role", "veto", "model")


def place_firms(
    connection: Connection,
    firms: Iterable[Firm],
    scores: Mapping[int, Mapping[str, Any]],
    seen: Mapping[int, tuple[int | None, int | None]],
) -> list[dict[str, Any]]:
    """Write where firms stand now, also in their lists, and return the rows of `STANDINGS`.

    Parameters
    ----------
    connection
        Within a write transaction.
    firms
        As they are kept.
    scores
        By the number of the firm: its score, with the columns of
        `leadscore.store.ranking.scores.SCORES`.
    seen
        By the number of the firm: list and row where it was last seen.
    """
    placed = list(firms)
    numbers = [firm.id for firm in placed]
    entries = outcomes_of(connection, placed)
    overrides = overrides_of(connection, numbers)
    exclusions = exclusions_of(connection, numbers)
    rows = [
        _row(
            firm, scores[firm.id], seen.get(firm.id, (None, None)),
            stage_of(entries.get(firm.id, ()), firm.record.get("stage")),
            overrides.get(firm.id), exclusions.get(firm.id),
        )
        for firm in placed
    ]  # fmt: skip
    texts = [{"firm_id": firm.id, "text": searched_text(firm.record)} for firm in placed]
    for some in in_parts(numbers):
        for forget in _FORGET:
            connection.execute(forget, {"some": some})
    if rows:
        connection.execute(_ADD, rows)
        connection.execute(_ADD_TEXT, texts)
        keys = [{"firm": row["firm_id"], "key": row["order_key"]} for row in rows]
        connection.execute(_PLACE_IN_LISTS, keys)
    return rows


def place_again(connection: Connection, firm_ids: Iterable[int], *, now: datetime) -> None:
    """Work out anew where firms stand, after an outcome, an override or an exclusion of theirs.

    Firms that were never scored stand nowhere. The version of each firm counts up.
    """
    for some in in_parts(firm_ids):
        rows = connection.execute(_with_score(), {"some": some}).mappings().all()
        seen = {row["firm_id"]: (row["list_id"], row["row"]) for row in rows}
        firms = read_firms(connection, seen.keys())
        scores = {row["firm_id"]: dict(row) for row in rows}
        place_firms(connection, firms.values(), scores, seen)
        count_up(connection, some, now=now)


def last_seen(
    connection: Connection, firm_ids: Collection[int]
) -> dict[int, tuple[int | None, int | None]]:
    """Return list and row where each firm was last seen, by its number."""
    seen: dict[int, tuple[int | None, int | None]] = {}
    for some in in_parts(firm_ids):
        query = select(STANDINGS.c.firm_id, STANDINGS.c.list_id, STANDINGS.c.row)
        for firm_id, list_id, row in connection.execute(query.where(STANDINGS.c.firm_id.in_(some))):
            seen[firm_id] = (list_id, row)
    return seen


@cache
def _with_score() -> Select[Any]:
    """Select where firms were last seen, with the score by which they stand."""
    from leadscore.store.ranking.scores import SCORES  # which places firms itself

    columns = [SCORES.c[name] for name in ("id", "firm_id", *_FROM_SCORE)]
    query = select(STANDINGS.c.list_id, STANDINGS.c.row, *columns)
    joined = query.join_from(STANDINGS, SCORES, SCORES.c.id == STANDINGS.c.score_id)
    return joined.where(STANDINGS.c.firm_id.in_(one_of_some()))


def _row(
    firm: Firm, score: Mapping[str, Any], seen: tuple[int | None, int | None], stage: str | None,
    override: Override | None, exclusion: Exclusion | None,
) -> dict[str, Any]:  # fmt: skip
    values = {name: score[name] for name in _FROM_SCORE} | dict(override.values if override else {})
    segment, record = values["segment"], firm.record
    veto = veto_now(score["veto"], stage, excluded=exclusion is not None)
    key = order_key(
        vetoed=veto is not None, priority=score["priority"], likelihood=score["likelihood"],
        fit=score["fit"], name=firm.name, credit_code=firm.credit_code,
    )  # fmt: skip
    return values | {
        "firm_id": firm.id,
        "score_id": score["id"],
        "list_id": seen[0],
        "row": seen[1],
        "name": firm.name,
        "credit_code": firm.credit_code,
        "chain": segment.partition(".")[0] if segment else None,
        "region": record.get("city_code") or record.get("province_code"),
        "province": record.get("province"),
        "city": record.get("city"),
        "veto": veto,
        "vetoed": veto is not None,
        "stage": stage,
        "excluded": exclusion is not None,
        "overridden": override is not None,
        "order_key": key + firm.id.to_bytes(8),
    }


def veto_now(scored: str | None, stage: str | None, *, excluded: bool) -> str | None:
    """Return the first veto that holds, in the order of `leadscore.ranking.vetoes.vetoes`.

    Parameters
    ----------
    scored
        What the firm's fields gave when it was scored.
    stage
        How far the firm has come by now.
    excluded
        Whether it is not to be courted.

    >>> veto_now(None, "visited", excluded=False), veto_now("in_pursuit", "lost", excluded=False)
    ('in_pursuit', None)
    >>> veto_now("deregistered", None, excluded=True), veto_now("already_here", None, excluded=True)
    ('deregistered', 'excluded')
    """
    if scored in GONE:
        return scored
    if excluded:
        return "excluded"
    if scored == "already_here":
        return scored
    return "in_pursuit" if stage in COURTED else None
