"""A firm: its grade, the gap that it would fill, why it stands where it stands, what to do next."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from leadscore.city import City
from leadscore.city.matching import JOINT
from leadscore.features.catalogue import CATALOGUE
from leadscore.features.feature import show_cny
from leadscore.lists.columns import Column, column
from leadscore.lists.values.words import STAGES, STATUSES
from leadscore.ranking.reasons import Wording, anchor_labels, meaning_of, supply_words
from leadscore.ranking.score import Scorer
from leadscore.store.current_ranking import Score, read_score, score_history
from leadscore.store.firms import Firm, read_firm
from leadscore.store.lists import read_kept_list
from leadscore.store.models import scorecards
from leadscore.store.scoring import Change, FeatureChange, change_between
from leadscore.text import Lang
from leadscore.web.auth import requires
from leadscore.web.errors import store_refusals
from leadscore.web.pages import shell
from leadscore.web.pages.forms import LONGEST_REASON, whole_number
from leadscore.web.pages.numbers import day
from leadscore.web.pages.waterfall import intervals, waterfall
from leadscore.web.routes.firms import firm_summary

if TYPE_CHECKING:
    from leadscore.web.pages.shell import Site


COLUMNS = ("main_business", "profile", "business_scope", "chain_node", "industry")
"""Where a firm or its list says what it makes, the most telling first."""

_LONG = 400


@dataclass(frozen=True, slots=True)
class OwnText:
    """What stands in one column."""

    label: str
    parts: tuple[tuple[str, bool], ...]
    long: bool

    @property
    def marks(self) -> int:
        """How many words are marked."""
        return sum(marked for _, marked in self.parts)


def own_texts(record: Mapping[str, Any], words: str | None, lang: Lang) -> list[OwnText]:
    """Return what a firm says of itself."""
    quoted = words.split(JOINT) if words else []
    return [
        OwnText(column(name).label.pick(lang), marked(record[name], quoted),
                len(record[name]) > _LONG)
        for name in COLUMNS
        if record.get(name)
    ]  # fmt: skip


def marked(text: str, words: list[str]) -> tuple[tuple[str, bool], ...]:
    """Return a text in pieces, each with whether it is one of the words.

    Words are quoted in NFKC; where that has other places than the text itself, it is shown instead.

    >>> marked("研发风电叶片", ["风电叶片"])
    (('研发', False), ('风电叶片', True))
    """
    normal = unicodedata.normalize("NFKC", text)
    shown = text if len(normal) == len(text) else normal
    if not any(words):
        return ((shown, False),)
    longest_first = sorted(filter(None, words), key=len, reverse=True)
    found = re.finditer("|".join(map(re.escape, longest_first)), normal, re.IGNORECASE)
    parts: list[tuple[str, bool]] = []
    end = 0
    for each in found:
        parts += [(shown[end : each.start()], False), (shown[each.start() : each.end()], True)]
        end = each.end()
    parts.append((shown[end:], False))
    return tuple(part for part in parts if part[0])


STALE_DAYS = 365
"""Age in days from which a field may have changed since: a year's figures come once a year."""

_LASTING = frozenset({"name", "former", "credit_code", "identifier", "date", "year"})
"""Kinds of columns that don't grow old, or say themselves of when they are."""
_HIDDEN = frozenset({"province_code", "city_code", *COLUMNS})
"""What the place and the texts say better."""


@dataclass(frozen=True, slots=True)
class KnownField:
    """One field of a firm."""

    name: str
    label: str
    value: str
    list_id: int | None
    file_name: str | None
    row: int | None
    as_of: str
    age_days: int
    stale: bool


def known_fields(
    connection: Connection, firm: Firm, today: date, lang: Lang
) -> Sequence[KnownField]:
    """Return what is known of a firm, in the order of its record."""
    names = _file_names(connection, firm)
    return [_field(firm, each, names, today, lang) for each in firm.record if each not in _HIDDEN]


def shown_value(of: Column, value: object, lang: Lang) -> str:
    """Return a value of a canonical column as a person reads it."""
    if isinstance(value, int | float):
        if of.unit == "CNY":
            return show_cny(float(value), lang)
        if of.unit == "fraction":
            return f"{value:.1%}"
        return f"{value:g}" if of.unit == "year" else f"{value:,.0f}"
    text = str(value)
    if of.kind == "date":
        return day(text, lang)
    vocabulary = {"status": STATUSES, "stage": STAGES}.get(of.kind, {})
    return vocabulary[text].pick(lang) if text in vocabulary else text


def _field(
    firm: Firm, name: str, names: dict[int, str], today: date, lang: Lang
) -> KnownField:  # fmt: skip
    origin, of = firm.origins[name], column(name)
    age = max((today - date.fromisoformat(origin["as_of"])).days, 0)
    return KnownField(
        name=name,
        label=of.label.pick(lang),
        value=shown_value(of, firm.record[name], lang),
        list_id=origin["list"],
        file_name=names.get(origin["list"]),
        row=origin["row"],
        as_of=origin["as_of"],
        age_days=age,
        stale=age > STALE_DAYS and of.kind not in _LASTING,
    )


def _file_names(connection: Connection, firm: Firm) -> dict[int, str]:
    numbers = {origin["list"] for origin in firm.origins.values()} - {None}
    return {number: read_kept_list(connection, number).file_name for number in sorted(numbers)}


_SHOWN_POINTS = 0.5


@dataclass(frozen=True, slots=True)
class Move:
    """What one feature, or several small ones, have to do with a difference."""

    meaning: str
    before: str
    after: str
    data: float
    model: float

    @property
    def points(self) -> float:
        """What the two have done together."""
        return self.data + self.model

    @property
    def differs(self) -> bool:
        """Whether the values differ, as far as is shown."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Difference:
    """Why one score differs from another; all its points add up to ``points``."""

    older: Score
    newer: Score
    points: float
    data: float | None
    model: float | None
    base: float | None
    moves: Sequence[Move]
    small: Move | None
    smalls: int
    missing: Sequence[str]


def chosen_scores(
    connection: Connection, firm_id: int, history: Sequence[Score], args: Mapping[str, str]
) -> tuple[Score, Score] | None:
    """Return the two scores that an address compares, else the last two; None for fewer."""
    older, newer = (whole_number(args.get(name, "")) for name in ("older", "newer"))
    if older is not None and newer is not None:
        return read_score(connection, firm_id, older), read_score(connection, firm_id, newer)
    return (history[1], history[0]) if len(history) > 1 else None


def difference_of(
    connection: Connection, older: Score, newer: Score, wording: Wording, lang: Lang
) -> Difference:
    """Return why two scores of a firm differ, in words."""
    cards = scorecards(connection, {older.model, newer.model})
    return difference(change_between(older, newer, cards), wording, lang)


def difference(change: Change, wording: Wording, lang: Lang) -> Difference:
    """Return a change in words."""
    large = [each for each in change.features if _tells(each)]
    rest = [each for each in change.features if not _tells(each)]
    small = Move(
        "", "", "", math.fsum(each.data for each in rest), math.fsum(each.model for each in rest)
    )
    return Difference(
        older=change.older,
        newer=change.newer,
        points=change.points,
        data=change.data,
        model=change.model,
        base=change.base,
        moves=[_move(each, wording, lang) for each in large],
        small=small if rest else None,
        smalls=len(rest),
        missing=change.missing,
    )


def _tells(change: FeatureChange) -> bool:
    weight = abs(change.data) + abs(change.model)
    return weight >= _SHOWN_POINTS or change.before != change.after


def _move(change: FeatureChange, wording: Wording, lang: Lang) -> Move:
    name = change.feature
    known = name in CATALOGUE
    before, after = (
        wording.value(name, value, lang) if known else "" for value in (change.before, change.after)
    )
    return Move(meaning_of(name, lang), before, after, change.data, change.model)


Outcome = Mapping[str, Any]
"""As `leadscore.web.routes.firms.outcome_answer` has it, with its ``state`` and ``last``."""


def timeline(outcomes: Sequence[Outcome], asked: str) -> tuple[list[Outcome], Outcome | None]:
    """Return the outcomes of a firm for its page, and the one that was just entered."""
    last = {each["stage"]: each["entry"] for each in outcomes}
    gone = {each["entry"] for each in outcomes if each["withdrawn"]}
    told = [
        dict(each, state=_state(each, last, gone), last=last[each["stage"]] == each["entry"])
        for each in outcomes
    ]
    newest = max(told, key=lambda each: each["entry"], default=None)
    recorded = newest if newest and str(newest["entry"]) == asked else None
    told.sort(key=lambda each: (each["day"], each["entry"]), reverse=True)
    return list(told), recorded


def _state(outcome: Outcome, last: Mapping[str, int], gone: set[int]) -> str:
    if outcome["withdrawn"]:
        return "withdrawal"
    if outcome["in_force"]:
        return "held"
    return "withdrawn" if last[outcome["stage"]] in gone else "replaced"


_ANCHORS = 6


def firm_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/firms/<id>``."""
    backing = site.backing

    @pages.get("/firms/<int:id>")
    @requires("read")
    def firm(id: int) -> Response:  # noqa: A002 (as the address has it)
        lang, today, scorer = site.lang(), backing.today(), backing.scorer()
        with store_refusals(), backing.database.read() as connection:
            found = read_firm(connection, id)
            answer = firm_summary(scorer.wording, connection, found, lang)
            history = score_history(connection, id)
            told = _history(site, scorer, connection, found, history)
            fields = known_fields(connection, found, today, lang)
        standing, score = answer["standing"], next(iter(history), None)
        line, recorded = timeline(answer["outcomes"], request.args.get("entry", ""))
        return shell.page(
            site,
            "firm.html",
            title=found.name,
            firm=answer,
            version=found.version,
            standing=standing,
            names=_names(standing, lang) if standing else None,
            score=score,
            gap=gap_of(scorer.city, standing, lang) if standing else None,
            texts=own_texts(found.record, score.words if score else None, lang),
            fields=fields,
            stale=sum(each.stale for each in fields),
            line=line,
            recorded=recorded,
            choices=choices(scorer.city, lang),
            segment_names=segment_names(scorer.city, lang),
            today=today.isoformat(),
            longest_reason=LONGEST_REASON,
            history=history,
            **told,
        )


def _history(
    site: Site, scorer: Scorer, connection: Connection, firm: Firm, history: Sequence[Score]
) -> dict[str, Any]:
    lang = site.lang()
    compared = chosen_scores(connection, firm.id, history, request.args)
    score = next(iter(history), None)
    return {
        "interval": intervals(scorer, [(score.model, score.values)])[0] if score else None,
        "falls": waterfall(score, firm, scorer.wording, lang) if score else None,
        "outdated": bool(score and score.model != scorer.model),
        "change": difference_of(connection, *compared, scorer.wording, lang) if compared else None,
    }


def choices(city: City, lang: Lang) -> dict[str, Any]:
    """Return what may be chosen in the forms: stages, roles, and segments by chain."""
    return {
        "stages": {key: name.pick(lang) for key, name in STAGES.items()},
        "roles": {key: name.pick(lang) for key, name in CATALOGUE["role"].levels.items()},
        "segments": {
            chain.name.pick(lang): {
                each.id: each.name.pick(lang)
                for each in city.segments.values()
                if each.chain_id == chain.id
            }
            for chain in city.chains
        },
    }


def segment_names(city: City, lang: Lang) -> dict[str, str]:
    """Return the name of each segment of a city."""
    return {key: each.name.pick(lang) for key, each in city.segments.items()}


def _names(standing: dict[str, Any], lang: Lang) -> dict[str, str | None]:
    role, stage = CATALOGUE["role"].levels.get(standing["role"]), STAGES.get(standing["stage"])
    return {"role": role.pick(lang) if role else None, "stage": stage.pick(lang) if stage else None}


def gap_of(city: City, standing: dict[str, Any], lang: Lang) -> dict[str, Any] | None:
    """Return the gap that the firm would fill, and the anchors next to it in the chain."""
    segment = city.segments.get(standing["segment"] or "")
    if segment is None:
        return None
    chain = next(each for each in city.chains if each.id == segment.chain_id)
    supply = city.supply(segment.id)
    buyers, suppliers = (
        anchor_labels(city, anchors, segment.id, lang)
        for anchors in (city.buyers(segment.id), city.suppliers(segment.id))
    )
    return {
        "chain": chain.name.pick(lang),
        "segment": segment.name.pick(lang),
        "gap": city.gap(segment.id),
        "supply": supply,
        "supply_words": supply_words(supply).pick(lang),
        "neighbours": city.neighbour_supply(segment.id),
        "buyers": buyers[:_ANCHORS],
        "more_buyers": max(len(buyers) - _ANCHORS, 0),
        "suppliers": suppliers[:_ANCHORS],
        "more_suppliers": max(len(suppliers) - _ANCHORS, 0),
    }
