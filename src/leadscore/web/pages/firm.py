"""A firm: why it stands where it stands, and what officers do with it."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import accumulate, pairwise
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from leadscore.city import City
from leadscore.city.matching import JOINT, USED
from leadscore.features.catalogue import CATALOGUE, UNKNOWN
from leadscore.learning.scorecard import logistic, points_to_log_odds
from leadscore.lists.columns import column
from leadscore.lists.corrections import COLUMNS as CORRECTABLE
from leadscore.lists.understanding import shown_value
from leadscore.lists.values.words import STAGES
from leadscore.ranking.reasons import (
    Wording,
    anchor_labels,
    correction_value,
    kept_facts,
    meaning_of,
    supply_words,
)
from leadscore.ranking.score import Scorer
from leadscore.store import acts
from leadscore.store.bulk import acts_on_firm
from leadscore.store.current_ranking import Score, UnknownScoreError, score_history
from leadscore.store.facts import Fact, all_facts_of, facts_of
from leadscore.store.firms import Firm, firm_to_change, read_firm
from leadscore.store.lists import read_kept_list
from leadscore.store.outcomes import Entry, outcomes_of
from leadscore.store.scoring import Change, FeatureChange
from leadscore.text import Lang
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import ContradictionError, InvalidRequestError, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.corrections import correction_forms, given_reason, seen_version
from leadscore.web.pages.mending import mended_values
from leadscore.web.pages.pursuit import pursuit_values
from leadscore.web.pages.shell import TRANSLATIONS, remark, whole_number
from leadscore.web.routes.firms import (
    changed_corrections,
    compared_scores,
    field_answers,
    firm_summary,
    record_of,
)

COLUMNS = ("main_business", "profile", "business_scope", "chain_node", "industry")
"""Where a firm or its list says what it makes, the most telling first."""

_LONG = 400  # characters from which a text had better be folded

STALE_DAYS = 365
"""Age in days from which a field may have changed since: a year's figures come once a year."""

_LASTING = frozenset({"name", "former", "credit_code", "identifier", "date", "year"})
"""Kinds of columns that don't grow old, or say themselves of when they are."""
_HIDDEN = frozenset({"province_code", "city_code", *COLUMNS})
"""What the place and the texts say better."""

_SHOWN_POINTS = 0.5  # from which a change of a feature is listed by itself

_DRAWN_POINTS = 1.0  # from which a feature has a bar of its own


def firm_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/firms/<id>``."""

    @pages.get("/firms/<int:id>")
    @requires("read")
    def firm(id: int) -> Response:  # noqa: A002 (as the address has it)
        lang, scorer = dependencies.page_lang(), dependencies.scorer()
        ends = [shell.number_asked(name) for name in ("older", "newer")]
        older, newer = ends if None not in ends else (None, None)
        with store_refusals(), dependencies.database.read() as connection:
            firm = read_firm(connection, id)
            history = score_history(connection, id)
            try:
                *_, change = compared_scores(connection, id, older, newer)
            except UnknownScoreError:
                for name in ("older", "newer"):
                    wanted = TRANSLATIONS["shell.a_score"]
                    shell.ignore(name, request.args[name], wanted)
                *_, change = compared_scores(connection, id, None, None)
            corrections = changed_corrections(
                connection, change.older, change.newer, scorer.wording, lang
            ) if change else []  # fmt: skip
            withdrawn = [
                fact for fact in all_facts_of(connection, id) if fact.withdrawn_at is not None
            ]
            values = shown_values(dependencies, scorer, connection, firm, history)
            bulk_acts = acts_on_firm(connection, id)
            values |= pursuit_values(connection, firm) | mended_values(connection, firm)
        score = values["score"]
        line, recorded = timeline(values["firm"]["outcomes"], request.args.get("entry", ""))
        return shell.page(
            dependencies, "firm.html", title=firm.name, version=firm.version, history=history,
            line=line, recorded=recorded, chains=scorer.city.chains,
            segment_names=segment_names(scorer.city, lang),
            forms=correction_forms(values["firm"]["corrections"], values["fields"], request.args),
            withdrawn=withdrawn_corrections(withdrawn, scorer.wording, lang),
            changed_corrections=corrections, bulk_acts=bulk_acts,
            texts=_own_texts(values["record"], score.words if score else None),
            outdated=bool(score and score.model != scorer.model),
            change=difference(change, scorer.wording, lang) if change else None, **values,
        )  # fmt: skip


def shown_values(
    dependencies: Dependencies, scorer: Scorer, connection: Connection, firm: Firm,
    history: Sequence[Score],
) -> dict[str, Any]:  # fmt: skip
    """Return what both the page and the brief show of a firm; the newest score comes first."""
    lang, today = dependencies.page_lang(), dependencies.today()
    facts = facts_of(connection, [firm.id]).get(firm.id, [])
    record = record_of(firm, facts)
    answer = firm_summary(scorer, connection, firm, today, lang)
    score = next(iter(history), None) if answer["standing"] else None  # else it is hidden
    return {
        "firm": answer, "standing": answer["standing"], "score": score, "today": today,
        "record": record, "fields": _known_fields(connection, firm, facts, today, lang),
        "gap": _gap_of(scorer.city, answer["standing"], answer["works_in"], lang),
        **(_certainty_of(scorer, score, lang) if score else {"interval": None, "certainty": None}),
        "falls": _waterfall(score, record, scorer.wording, lang) if score else None,
    }  # fmt: skip


def _certainty_of(scorer: Scorer, score: Score, lang: Lang) -> dict[str, Any]:
    # How sure the model is, and from where its points are counted: `average` is None for a score
    # that counts from a firm of which nothing is known, as those of earlier programs do.
    (interval,) = scorer.intervals([(score.model, score.values)])
    words, average = scorer.certainty(interval), scorer.card.average
    same = score.model == scorer.model and math.isclose(score.base_points, scorer.base_points)
    return {
        "interval": interval, "certainty": words and words.pick(lang),
        "average": average if same else None,
        "base_likelihood": logistic(points_to_log_odds(score.base_points)),
    }  # fmt: skip


def withdrawn_corrections(
    facts: Sequence[Fact], wording: Wording, lang: Lang
) -> list[dict[str, Any]]:
    """Return what counts no longer of what officers corrected, the last first, in words."""
    told = []
    for fact in reversed(facts):
        label, value = correction_value(fact.correction, wording, lang)
        told.append({"label": label, "value": value, "fact": fact})
    return told


def _waterfall(
    score: Score, record: Mapping[str, Any], wording: Wording, lang: Lang
) -> dict[str, Any]:
    # All points and the base add up to the total; places are in percent of the picture. Features of
    # less than a point each (`small`) share one bar, `rest`.
    points = {name: number for name, number in score.points.items() if number}
    order = sorted(points, key=lambda name: -abs(points[name]))
    large = [name for name in order if abs(points[name]) >= _DRAWN_POINTS]
    small = order[len(large) :]
    moves = [points[name] for name in large]
    if small:
        moves.append(math.fsum(points[name] for name in small))
    ends = list(accumulate(moves, initial=score.base_points))
    low, high = min(ends), max(max(ends), min(ends) + 1.0)
    facts = kept_facts(score.worded_from(record))

    def at(value: float) -> float:
        return round(100.0 * (value - low) / (high - low), 2)

    def bar(one: float, other: float) -> dict[str, float]:
        start, end = sorted((at(one), at(other)))
        return {"start": start, "width": max(round(end - start, 2), 0.4)}

    def step(name: str) -> dict[str, Any]:
        # Features of a model or a city of old are worded by their meaning alone.
        value, known = score.values.get(name), name in CATALOGUE
        return {
            "feature": name if known else None,
            "told": value is not None,
            "text": wording.kept_text(name, value, points[name], facts, lang),
            "meaning": meaning_of(name, lang) if known else "",
            "value": wording.value(name, value, lang) if known else "",
            "points": points[name],
        }

    bars = [bar(*pair) for pair in pairwise(ends)]
    return {
        "base": score.base_points, "base_at": at(score.base_points),
        "total": score.total_points, "total_at": at(ends[-1]),
        "steps": [bars[place] | step(name) for place, name in enumerate(large)],
        "small": [step(name) for name in small],
        "rest": bars[-1] | {"points": moves[-1]} if small else None,
    }  # fmt: skip


def segment_names(city: City, lang: Lang) -> dict[str, str]:
    """Return the name of each segment of a city."""
    return {key: segment.name.pick(lang) for key, segment in city.segments.items()}


def _gap_of(
    city: City, standing: Mapping[str, Any] | None, works_in: Sequence[Mapping[str, Any]],
    lang: Lang,
) -> dict[str, Any] | None:  # fmt: skip
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
        "others": [
            each for each in works_in if each["segment"] in city.segments.keys() - {segment.id}
        ],
    }


def _own_texts(record: Mapping[str, Any], words: str | None) -> list[dict[str, Any]]:
    # What a firm says of itself, by column; `words` are those that a score has found in it.
    quoted = words.replace(USED, JOINT).split(JOINT) if words else []
    texts = []
    for name in COLUMNS:
        if text := record.get(name):
            parts = marked(text, quoted)
            texts.append({
                "column": name, "label": column(name).label, "parts": parts,
                "long": len(text) > _LONG,
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


def _known_fields(
    connection: Connection, firm: Firm, facts: Sequence[Fact], today: date, lang: Lang
) -> list[dict[str, Any]]:
    numbers = sorted({origin["list"] for origin in firm.origins.values()} - {None})
    files = {number: read_kept_list(connection, number).file_name for number in numbers}
    fields = []
    made = {fact.id: fact for fact in facts}
    for field in field_answers(firm, facts, today, lang):
        of, correction = column(field["column"]), made.get(field["correction"])
        if of.name not in _HIDDEN or correction:
            value, listed = (
                None if field[name] is None else shown_value(of, field[name], lang)
                for name in ("value", "listed")
            )
            fields.append(field | {
                "value": value or UNKNOWN.pick(lang), "listed": listed,
                "made": correction, "correctable": of.name in CORRECTABLE,
                "file_name": files.get(field["list_id"]),
                "stale": field["age_days"] > STALE_DAYS and of.kind not in _LASTING,
            })  # fmt: skip
    return fields


def difference(change: Change, wording: Wording, lang: Lang) -> dict[str, Any]:
    """Return a change in words: the features that tell something, and all others together."""
    moves: list[dict[str, Any]] = []
    small: list[FeatureChange] = []
    for feature in change.features:
        name, known = feature.feature, feature.feature in CATALOGUE
        weight = abs(feature.data) + abs(feature.model)
        if weight < _SHOWN_POINTS and feature.before == feature.after:
            small.append(feature)
            continue
        moves.append({
            "meaning": meaning_of(name, lang), "data": feature.data, "model": feature.model,
            "before": wording.value(name, feature.before, lang) if known else "",
            "after": wording.value(name, feature.after, lang) if known else "",
        })  # fmt: skip
    same = ("older", "newer", "points", "data", "model", "base", "missing")
    return {name: getattr(change, name) for name in same} | {
        "moves": moves, "small": small,
        "small_data": math.fsum(feature.data for feature in small),
        "small_model": math.fsum(feature.model for feature in small),
    }  # fmt: skip


def timeline(
    outcomes: Iterable[Mapping[str, Any]], entered: str
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Return the outcomes of a firm, the latest day first, and the one that was just entered.

    ``outcomes`` come as the API has them, in the order of recording, and get a ``state``: ``held``;
    ``withdrawn`` where the stage was taken back later; ``replaced`` where another day or reason was
    entered for it; ``withdrawal`` for the entry that takes a stage back. The number ``entered`` is
    what the address names; it counts only while nothing was entered after it.
    """
    line = [dict(outcome) for outcome in outcomes]
    withdrawn = {outcome["stage"]: outcome["withdrawn"] for outcome in line}  # the last one counts
    for outcome in line:
        if outcome["withdrawn"]:
            outcome["state"] = "withdrawal"
        elif outcome["in_force"]:
            outcome["state"] = "held"
        else:
            outcome["state"] = "withdrawn" if withdrawn[outcome["stage"]] else "replaced"
    newest = max(line, key=lambda outcome: outcome["entry"], default=None)
    recorded = newest if newest and str(newest["entry"]) == entered else None
    line.sort(key=lambda outcome: (outcome["day"], outcome["entry"]), reverse=True)
    return line, recorded


def firm_act_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add what the forms under ``/firms/<id>`` ask for, in the transactions of the API's routes.

    Every form says for which version of the firm it was shown: what another officer has changed
    since is overwritten by none of them.
    """
    _outcome_pages(dependencies, pages)
    _judgement_pages(dependencies, pages)


def _outcome_pages(dependencies: Dependencies, pages: Blueprint) -> None:

    @pages.post("/firms/<int:id>/outcomes")
    @requires("record")
    @written(dependencies.access, "outcome.add")
    def add_outcome(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        before, day = entries_of(act, id), given_day(dependencies.today())
        reason = remark(TRANSLATIONS["firm.acts.long_reason"])
        entry = enter_given(dependencies, act, id, given_stage(), day, reason)
        return _recorded(id, entry, "firm.acts.stood_already" if entry in before else None)

    @pages.post("/firms/<int:id>/outcomes/withdraw")
    @requires("record")
    @written(dependencies.access, "outcome.add")
    def withdraw_outcome(act: Act, id: int) -> Answer:  # noqa: A002
        last, _ = _last_two(entries_of(act, id))
        entry = enter_given(dependencies, act, id, last.stage, last.day, withdrawn=True)
        return _recorded(id, entry)

    @pages.post("/firms/<int:id>/outcomes/undo")
    @requires("record")
    @written(dependencies.access, "outcome.add")
    def undo_outcome(act: Act, id: int) -> Answer:  # noqa: A002
        entry = undo_last(dependencies, act, id)
        return _recorded(id, entry, "firm.acts.undone")


def entries_of(act: Act, firm_id: int) -> list[Entry]:
    """Return the outcomes of a firm that is as the form has it."""
    firm = firm_to_change(act.connection, firm_id, version=seen_version())
    return outcomes_of(act.connection, [firm]).get(firm_id, [])


def enter_given(
    dependencies: Dependencies, act: Act, firm_id: int, stage: str, day: date,
    reason: str | None = None, *, withdrawn: bool = False,
) -> Entry:  # fmt: skip
    """Enter an outcome as `leadscore.store.acts.enter_outcome` does, and return it."""
    return acts.enter_outcome(
        act.connection, firm_id, stage=stage, day=day, reason=reason, withdrawn=withdrawn,
        actor=act.actor, now=act.now, today=dependencies.today(),
    )  # fmt: skip


def undo_last(dependencies: Dependencies, act: Act, firm_id: int) -> Entry:
    """Let what the form names count no longer, but what stood before it; return the new entry."""
    last, before = _last_two(entries_of(act, firm_id))
    if before is None or before.withdrawn:
        return enter_given(dependencies, act, firm_id, last.stage, last.day, withdrawn=True)
    return enter_given(dependencies, act, firm_id, last.stage, before.day, before.reason)


def _judgement_pages(dependencies: Dependencies, pages: Blueprint) -> None:

    @pages.post("/firms/<int:id>/exclusion")
    @requires("record")
    @written(dependencies.access, "firm.exclude")
    def exclude_firm(act: Act, id: int) -> Answer:  # noqa: A002
        acts.exclude(
            act.connection, id, given_reason(), version=seen_version(), actor=act.actor,
            now=act.now,
        )  # fmt: skip
        return _done(id, "firm.acts.excluded")

    @pages.post("/firms/<int:id>/exclusion/drop")
    @requires("record")
    @written(dependencies.access, "firm.exclude.drop")
    def drop_firm_exclusion(act: Act, id: int) -> Answer:  # noqa: A002
        acts.take_exclusion_back(act.connection, id, version=seen_version(), now=act.now)
        return _done(id, "firm.acts.exclusion_dropped")


def _recorded(firm_id: int, entry: Entry, say: str | None = None) -> Answer:
    # Without a message the page offers to take the entry back.
    query = "" if say else f"?entry={entry.entry}"
    return _done(firm_id, say, query, stage=entry.stage, withdrawn=entry.withdrawn)


def _done(firm_id: int, say: str | None, query: str = "", **details: object) -> Answer:
    return shell.done(f"/firms/{firm_id}{query}", "firm", firm_id, say=say, **details)


def _last_two(entries: list[Entry]) -> tuple[Entry, Entry | None]:
    # The outcome that the form names, the last of its stage, and the one before it.
    number = whole_number(request.form.get("entry", ""))
    if number is None:
        raise InvalidRequestError(TRANSLATIONS["firm.acts.nothing_to_undo"])
    stage = next((entry.stage for entry in entries if entry.entry == number), None)
    of_stage = [entry for entry in entries if entry.stage == stage]
    if not of_stage or of_stage[-1].entry != number:
        raise ContradictionError(TRANSLATIONS["firm.acts.nothing_to_undo"])
    return of_stage[-1], of_stage[-2] if len(of_stage) > 1 else None


def given_stage() -> str:
    """Return the stage that the form names."""
    stage = request.form.get("stage", "")
    if stage not in STAGES:
        raise InvalidRequestError(TRANSLATIONS["firm.acts.choose_stage"])
    return stage


def given_day(today: date) -> date:
    """Return the day that the form gives, which is not yet to come."""
    try:
        day = date.fromisoformat(request.form.get("day", "").strip())
    except ValueError as fault:
        raise InvalidRequestError(TRANSLATIONS["firm.acts.choose_day"]) from fault
    if day > today:
        raise InvalidRequestError(TRANSLATIONS["firm.acts.day_to_come"])
    return day
