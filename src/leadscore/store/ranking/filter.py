"""Which firms of the ranking are asked for, as conditions on where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, select

from leadscore.store.firms.shortlists import SHORTLIST_FIRMS
from leadscore.store.lists.lists import LIST_FIRMS
from leadscore.store.ranking.search_words import contains, words_of
from leadscore.store.ranking.standings import STANDING_TEXTS, STANDINGS

NONE = "none"
"""What one writes for firms that have no chain, segment, role or stage."""


_FEW = 2_000


@dataclass(frozen=True, slots=True)
class RankingFilter:
    """Which firms are asked for; of several conditions all must hold.

    Attributes
    ----------
    list_id
        Firms of this list.
    chain, segment, role, stage
        As they stand now, or ``none`` for firms without.
    grade
        Any of these letters, such as ``AB``.
    region
        Firms whose division code begins so (``44``, ``4403``), or whose province or city is called
        so.
    veto
        ``no``: firms that nothing speaks against; ``yes``: the others; or a key of
        `leadscore.ranking.vetoes.WORDING`.
    text
        Words that all must occur in name, code or business.
    shortlist
        Firms of this shortlist.
    firms
        Firms with these numbers; few enough for one question.
    """

    list_id: int | None = None
    chain: str | None = None
    segment: str | None = None
    role: str | None = None
    region: str | None = None
    grade: str | None = None
    veto: str | None = None
    stage: str | None = None
    text: str | None = None
    shortlist: int | None = None
    firms: tuple[int, ...] | None = None

    def told(self) -> dict[str, Any]:
        """Return what is asked for as plain values, without what isn't."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def conditions(self, connection: Connection) -> list[ColumnElement[bool]]:
        """Return what must hold of the rows of `STANDINGS`."""
        at = STANDINGS.c
        found: list[ColumnElement[bool]] = []
        for name in ("chain", "segment", "role", "stage"):
            wanted = getattr(self, name)
            if wanted is not None:
                found.append(at[name].is_(None) if wanted == NONE else at[name] == wanted)
        if self.grade:
            letters = sorted(set(self.grade))
            found.append(at.grade == letters[0] if len(letters) == 1 else at.grade.in_(letters))
        if self.region:
            found.append(_in_region(self.region))
        if self.veto:
            found.append(
                at.vetoed.is_(self.veto == "yes")
                if self.veto in ("yes", "no")
                else at.veto == self.veto
            )
        if self.list_id is not None:
            found.append(_in_list(connection, self.list_id))
        if self.shortlist is not None:
            found.append(_in_shortlist(connection, self.shortlist))
        if self.firms is not None:
            found.append(at.firm_id.in_(self.firms))
        words = words_of(self.text or "")
        if words:
            found.append(_with_words(connection, words))
        return found


def _in_list(connection: Connection, list_id: int) -> ColumnElement[bool]:
    members = LIST_FIRMS.c
    query = select(members.firm_id).where(members.list_id == list_id)
    return _among(connection, query, members.firm_id)


def _in_shortlist(connection: Connection, shortlist_id: int) -> ColumnElement[bool]:
    members = SHORTLIST_FIRMS.c
    query = select(members.firm_id).where(members.shortlist_id == shortlist_id)
    return _among(connection, query, members.firm_id)


def _with_words(connection: Connection, words: Sequence[str]) -> ColumnElement[bool]:
    texts = STANDING_TEXTS.c
    query = select(texts.firm_id).where(*(contains(connection, texts.text, w) for w in words))
    return _among(connection, query, texts.firm_id)


def _among(
    connection: Connection, query: Select[tuple[int]], firm_id: Column[int]
) -> ColumnElement[bool]:
    """Return that a firm is among those of a query.

    Few firms are found first, and then looked up; where there are many, the ranking is gone
    through in its order, and the first page of it is soon full.
    """
    few = connection.scalars(query.limit(_FEW + 1)).all()
    if len(few) <= _FEW:
        return STANDINGS.c.firm_id.in_(few)
    return query.where(firm_id == STANDINGS.c.firm_id).exists()


def _in_region(region: str) -> ColumnElement[bool]:
    at = STANDINGS.c
    if region.isascii() and region.isdigit():
        return (at.region >= region) & (at.region < f"{region}:")  # the sign after 9
    return (at.province == region) | (at.city == region)
