"""A firm: its grade, the gap that it would fill, why it stands where it stands, what to do next."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from leadscore.city import City
from leadscore.city.matching import JOINT
from leadscore.features.catalogue import CATALOGUE
from leadscore.features.feature import show_cny
from leadscore.lists.columns import Column, column
from leadscore.lists.values.words import STAGES, STATUSES
from leadscore.ranking.reasons import Wording, anchor_labels, meaning_of, supply_words
from leadscore.store.current_ranking import score_history
from leadscore.store.firms import Firm, read_firm
from leadscore.store.lists import read_kept_list
from leadscore.store.scoring import Change, FeatureChange
from leadscore.text import Lang
from leadscore.web.auth import requires
from leadscore.web.errors import store_refusals
from leadscore.web.pages import shell
from leadscore.web.pages.forms import whole_number
from leadscore.web.pages.numbers import day
from leadscore.web.pages.shell import Site
from leadscore.web.pages.waterfall import intervals, waterfall
from leadscore.web.routes.firms import compared_scores, field_answer, firm_summary

COLUMNS = ("main_business", "profile", "business_scope", "chain_node", "industry")
"""Where a firm or its list says what it makes, the most telling first."""

_LONG = 400
"""Characters from which a text had better be folded."""

STALE_DAYS = 365
"""Age in days from which a field may have changed since: a year's figures come once a year."""

_LASTING = frozenset({"name", "former", "credit_code", "identifier", "date", "year"})
"""Kinds of columns that don't grow old, or say themselves of when they are."""
_HIDDEN = frozenset({"province_code", "city_code", *COLUMNS})
"""What the place and the texts say better."""

_SHOWN_POINTS = 0.5


def firm_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/firms/<id>``."""
    backing = site.backing

    @pages.get("/firms/<int:id>")
    @requires("read")
    def firm(id: int) -> Response:  # noqa: A002 (as the address has it)
        lang, today, scorer = site.lang(), backing.today(), backing.scorer()
        ends = [whole_number(request.args.get(name, "")) for name in ("older", "newer")]
        older, newer = ends if None not in ends else (None, None)
        with store_refusals(), backing.database.read() as connection:
            kept = read_firm(connection, id)
            answer = firm_summary(scorer.wording, connection, kept, lang)
            history = score_history(connection, id)
            *_, change = compared_scores(connection, id, older, newer)
            fields = known_fields(connection, kept, today, lang)
        score = next(iter(history), None)
        line, recorded = timeline(answer["outcomes"], request.args.get("entry", ""))
        return shell.page(
            site, "firm.html", title=kept.name, firm=answer, version=kept.version,
            standing=answer["standing"], score=score, history=history, fields=fields, line=line,
            recorded=recorded, today=today, chains=scorer.city.chains,
            segment_names=segment_names(scorer.city, lang),
            gap=gap_of(scorer.city, answer["standing"], lang),
            texts=_own_texts(kept.record, score.words if score else None),
            interval=intervals(scorer, [(score.model, score.values)])[0] if score else None,
            falls=waterfall(score, kept, scorer.wording, lang) if score else None,
            outdated=bool(score and score.model != scorer.model),
            change=difference(change, scorer.wording, lang) if change else None,
        )  # fmt: skip


def segment_names(city: City, lang: Lang) -> dict[str, str]:
    """Return the name of each segment of a city."""
    return {key: segment.name.pick(lang) for key, segment in city.segments.items()}


def gap_of(city: City, standing: Mapping[str, Any] | None, lang: Lang) -> dict[str, Any] | None:
    """Return the gap that a firm would fill, and the anchors next to it in the chain."""
    segment = city.segments.get(standing["segment"] or "") if standing else None
    if segment is None:
        return None
    supply = city.supply(segment.id)
    return {
        "chain": next(chain.name for chain in city.chains if chain.id == segment.chain_id),
        "segment": segment.name,
        "gap": city.gap(segment.id),
        "supply": supply,
        "supply_words": supply_words(supply),
        "neighbours": city.neighbour_supply(segment.id),
        "buyers": anchor_labels(city, city.buyers(segment.id), segment.id, lang),
        "suppliers": anchor_labels(city, city.suppliers(segment.id), segment.id, lang),
    }


def _own_texts(record: Mapping[str, Any], words: str | None) -> list[dict[str, Any]]:
    # What a firm says of itself, by column; `words` are those that a score has found in it.
    quoted = words.split(JOINT) if words else []
    texts = []
    for name in COLUMNS:
        if text := record.get(name):
            parts = marked(text, quoted)
            texts.append({
                "label": column(name).label, "parts": parts, "long": len(text) > _LONG,
                "marks": sum(is_marked for _, is_marked in parts),
            })  # fmt: skip
    return texts


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
    parts: list[tuple[str, bool]] = []
    end = 0
    for match in re.finditer("|".join(map(re.escape, longest_first)), normal, re.IGNORECASE):
        parts += [(shown[end : match.start()], False), (shown[match.start() : match.end()], True)]
        end = match.end()
    parts.append((shown[end:], False))
    return tuple(part for part in parts if part[0])


def known_fields(
    connection: Connection, firm: Firm, today: date, lang: Lang
) -> list[dict[str, Any]]:
    """Return the fields of a firm as the API has them, their values worded, with their files."""
    numbers = sorted({origin["list"] for origin in firm.origins.values()} - {None})
    files = {number: read_kept_list(connection, number).file_name for number in numbers}
    fields = []
    for name in firm.record:
        if name not in _HIDDEN:
            field, of = field_answer(firm, name, today, lang), column(name)
            fields.append(field | {
                "value": shown_value(of, field["value"], lang),
                "file_name": files.get(field["list_id"]),
                "stale": field["age_days"] > STALE_DAYS and of.kind not in _LASTING,
            })  # fmt: skip
    return fields


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


def difference(change: Change, wording: Wording, lang: Lang) -> dict[str, Any]:
    """Return a change in words: the features that tell something, and all others together."""

    def tells(feature: FeatureChange) -> bool:
        weight = abs(feature.data) + abs(feature.model)
        return weight >= _SHOWN_POINTS or feature.before != feature.after

    small = [feature for feature in change.features if not tells(feature)]
    same = ("older", "newer", "points", "data", "model", "base", "missing")
    return {name: getattr(change, name) for name in same} | {
        "moves": [_move(each, wording, lang) for each in change.features if tells(each)],
        "small": small,
        "small_data": math.fsum(each.data for each in small),
        "small_model": math.fsum(each.model for each in small),
    }


def _move(change: FeatureChange, wording: Wording, lang: Lang) -> dict[str, Any]:
    name, known = change.feature, change.feature in CATALOGUE
    return {
        "meaning": meaning_of(name, lang),
        "before": wording.value(name, change.before, lang) if known else "",
        "after": wording.value(name, change.after, lang) if known else "",
        "data": change.data,
        "model": change.model,
    }


def timeline(
    outcomes: Iterable[Mapping[str, Any]], entered: str
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Return the outcomes of a firm, the latest day first, and the one that was just entered.

    Parameters
    ----------
    outcomes
        As the API has them, in the order of recording.
    entered
        Number of the outcome that the address names as just entered; it is shown only while
        nothing was entered after it.

    Returns
    -------
    The outcomes with ``state``: ``held``; ``withdrawn`` where the stage was taken back later;
    ``replaced`` where another day or reason was entered for it; ``withdrawal`` for the entry that
    takes a stage back.
    """
    told = [dict(outcome) for outcome in outcomes]
    withdrawn = {outcome["stage"]: outcome["withdrawn"] for outcome in told}  # the last one counts
    for outcome in told:
        if outcome["withdrawn"]:
            outcome["state"] = "withdrawal"
        elif outcome["in_force"]:
            outcome["state"] = "held"
        else:
            outcome["state"] = "withdrawn" if withdrawn[outcome["stage"]] else "replaced"
    newest = max(told, key=lambda outcome: outcome["entry"], default=None)
    recorded = newest if newest and str(newest["entry"]) == entered else None
    told.sort(key=lambda outcome: (outcome["day"], outcome["entry"]), reverse=True)
    return told, recorded
