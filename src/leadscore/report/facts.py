"""What the manifest of a model records, as plain values for a page or a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from leadscore.city.profile import City
from leadscore.features.catalogue import CATALOGUE, FAMILIES
from leadscore.learning.evaluation import Evaluation, Measure
from leadscore.learning.history import LEFT_OUT
from leadscore.learning.scorecard import (
    Scorecard,
    card_frame,
    log_odds_to_points,
    logistic,
    points_to_log_odds,
)
from leadscore.lists.values.words import STAGES
from leadscore.numbers import likelihood
from leadscore.report.wording import Words, count, percent
from leadscore.text import Lang

Goal = Literal["high", "low", "zero", "one"]
Status = Literal["promoted", "rejected", "overruled"]
Plain = Mapping[str, Any]
Rows = Sequence[tuple[str, str]]

_MEASURES: dict[str, tuple[Goal, int]] = {
    "auc": ("high", 3),
    "average_precision": ("high", 3),
    "log_loss": ("low", 3),
    "brier": ("low", 3),
    "calibration_slope": ("one", 2),
    "calibration_intercept": ("zero", 2),
}
"""Where the best value of each lies, and with how many decimals it is written."""
_NOT_MEASURED = Measure(None, None, None)
_AUDITED = ("artefact", "city", "training", "trial", "settings", "libraries")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a feature's table."""

    part: Literal["band", "level", "other", "unknown"]
    label: str
    points: float  # 20 double the odds
    low: float | None  # the 90 % interval of the points, where one is known
    high: float | None
    count: float | None  # weight of the outcomes behind it, where it is known
    positives: float | None


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """What one feature adds, or a pair of them in a card of an earlier program."""

    feature: str
    name: str
    numeric: bool
    curved: bool  # whether its bands have an order for a curve to follow
    entries: Sequence[Entry]  # in the order of the card
    edges: Sequence[float]  # where the bands of numbers meet
    lowest: float  # points
    highest: float
    notes: Sequence[str]  # its family, its reach, its direction, and what a missing value means
    why: str  # of the experts, for its points

    @property
    def known(self) -> list[Entry]:
        """The entries but for that of missing values."""
        return [entry for entry in self.entries if entry.part != "unknown"]

    @property
    def unknown(self) -> Entry | None:
        """The entry of missing values."""
        return next((entry for entry in self.entries if entry.part == "unknown"), None)


@dataclass(frozen=True, slots=True)
class Card:
    """A scorecard: features that add something by how far they reach, and names of the others."""

    base: float  # log-odds before any feature is known
    tables: Sequence[FeatureTable]
    silent: Sequence[str]

    def likelihood(self, points: float = 0.0) -> str:
        """Return the likelihood of a firm so many points above the base."""
        return likelihood(logistic(self.base + points_to_log_odds(points)))

    def reading(self, words: Words) -> str:
        """Return what points mean, with likelihoods of this card."""
        base, up, upper = map(self.likelihood, (0.0, 20.0, 40.0))
        points = words.points(log_odds_to_points(self.base))
        doubling = words.say("reading.doubling", base=base, up=up, upper=upper)
        return words.say("reading.base", points=points, likelihood=base) + words.signed(doubling)


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure of challenger and champion."""

    id: str
    name: str
    goal: Goal
    decimals: int | None  # with how many it is written; None: as percent
    challenger: Measure
    champion: Measure

    @property
    def better(self) -> str:
        """Who is nearer the goal as it is written, or ``level``; "" if a value is missing."""
        ours, theirs = self.challenger.value, self.champion.value
        if ours is None or theirs is None:
            return ""
        ours, theirs = self._distance(ours), self._distance(theirs)
        return "level" if ours == theirs else "challenger" if ours < theirs else "champion"

    def _distance(self, value: float) -> float:
        far = {"high": -value, "low": value, "one": abs(value - 1.0), "zero": abs(value)}
        return round(far[self.goal], 3 if self.decimals is None else self.decimals)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How challenger and champion, if there was one, forecast the same later pursuits."""

    models: Mapping[str, Evaluation]
    measures: Sequence[Compared]  # those of the top of the list last
    chains: Sequence[tuple[str, Evaluation]]  # of the challenger, the largest first


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a model was let in, and why."""

    status: Status
    headline: str
    reason: str  # of the person who overruled the gates
    gates: Sequence[tuple[bool, str]]  # whether each was passed, and its sentence


@dataclass(frozen=True, slots=True)
class Model:
    """A model as its manifest records it, in the words of one language."""

    words: Words
    expert: bool  # people wrote the card, and no outcomes have been learned from
    outcomes: Plain
    facts: Mapping[str, str]  # by the key of their labels; "" where not known
    decision: Decision | None
    comparison: Comparison | None
    card: Card
    audit: Sequence[tuple[str, Rows]]  # parts of the manifest with their keys and values


def read_model(manifest: Plain, lang: Lang, city: City | None, minus: str = "−") -> Model:
    """Read the manifest of any version, of experts or trained; what it lacks is left out.

    A ModelError if it holds no sound card.
    """
    base, rows = _card_rows(manifest)
    whole = all(abs(row["points"] - round(row["points"])) < 1e-6 for row in rows)
    words = Words(lang, city, whole, minus)
    return Model(
        words=words,
        expert=manifest.get("kind") == "expert",
        outcomes=_part(manifest, "outcomes"),
        facts=_facts(manifest, words),
        decision=_decision(_part(manifest, "decision"), words),
        comparison=_comparison(_part(manifest, "measures"), words),
        card=_card(base, rows, words),
        audit=_audit(manifest, words),
    )


def _part(mapping: Plain, key: str) -> Plain:
    value = mapping.get(key)
    return value if isinstance(value, Mapping) else {}


def _facts(manifest: Plain, words: Words) -> dict[str, str]:
    city, outcomes, trial = (_part(manifest, key) for key in ("city", "outcomes", "trial"))
    known_city = words.city if words.city and words.city.id == city.get("id") else None
    kind = str(manifest.get("kind") or "")
    if kind in ("expert", "trained"):
        kind = words.say(f"kinds.{kind}")
    if manifest.get("family") == "boosted":  # none is trained any more; kept ones serve on
        kind += words.say("kinds.boosted")
    learned = words.say("values.no_outcomes")
    if outcomes:
        learned = words.counted("values.outcomes", outcomes)
    if outcomes.get("open"):
        learned += words.counted("values.open", outcomes)
    stage, split = manifest.get("target"), trial.get("split")
    first, last = outcomes.get("contacted_from"), outcomes.get("contacted_to")
    left_out = [
        words.say("values.left_out", reason=LEFT_OUT.get(why, why), count=count(firms))
        for why, firms in _part(outcomes, "left_out").items()
        if firms
    ]
    return {
        "version": str(manifest.get("version") or ""),
        "kind": kind,
        "city": known_city.name.pick(words.lang) if known_city else str(city.get("id") or ""),
        "as_of": words.day(manifest.get("as_of") or ""),
        "created": words.moment(manifest.get("created") or ""),
        "target": words.counted("values.target", manifest, stage=STAGES.get(stage, stage))
        if stage
        else "",
        "outcomes": learned,
        "contacted": words.say("values.span", first=words.day(first), last=words.day(last))
        if first and last
        else "",
        "left_out": words.say("clauses").join(left_out),
        "champion": str(trial.get("champion") or ""),
        "trial": words.counted("values.trial", trial, split=words.day(split)) if split else "",
    }


def _decision(decision: Plain, words: Words) -> Decision | None:
    if not decision:
        return None
    gates = [
        (gate.get("passed") is True, str(_part(gate, "sentence").get(words.lang) or gate.get("id")))
        for gate in decision.get("gates") or ()
    ]
    reason = str(decision.get("overruled") or "")
    status: Status = "promoted" if decision.get("promoted") is True else "rejected"
    status = "overruled" if reason else status
    failed = sum(not passed for passed, _ in gates)
    headline = words.say(f"headline.{status}", all=len(gates), failed=failed)
    return Decision(status, headline, reason, gates)


def _comparison(evaluations: Plain, words: Words) -> Comparison | None:
    plain = {name: _part(evaluations, name) for name in ("challenger", "champion")}
    if not plain["challenger"].get("n"):
        return None
    models = {name: Evaluation.from_dict(part) for name, part in plain.items() if part}
    challenger, champion = models["challenger"], models.get("champion")
    theirs = champion.measures if champion else {}
    measures = [
        Compared(
            id_, words.say(f"measures.{id_}.name"), goal, decimals,
            challenger.measures.get(id_, _NOT_MEASURED), theirs.get(id_, _NOT_MEASURED)
        )
        for id_, (goal, decimals) in _MEASURES.items()
        if id_ in challenger.measures or id_ in theirs
    ]  # fmt: skip
    tops = {top.share: top for top in champion.top} if champion else {}
    for top in challenger.top:
        for id_, decimals in (("lift", 2), ("captured", None)):
            name = words.say(f"measures.{id_}.name", share=percent(top.share))
            other = getattr(tops.get(top.share), id_, _NOT_MEASURED)
            measures.append(Compared(id_, name, "high", decimals, getattr(top, id_), other))
    chains = sorted(challenger.groups.items(), key=lambda chain: -chain[1].n)
    return Comparison(models, measures, [(words.chain(id_), chain) for id_, chain in chains])


def _card_rows(manifest: Plain) -> tuple[float, list[dict[str, Any]]]:
    table = manifest.get("table")
    if not table:
        card, nothing = Scorecard.from_dict(_part(manifest, "scorecard")), np.array(np.nan)
        frame = card_frame(card, nothing, nothing, nothing)
        table = frame.astype(object).where(frame.notna(), None).to_dict("records")
    rows: list[Any] = list(table)
    base = next(row["log_odds"] for row in rows if row["kind"] == "intercept")
    return base, [row for row in rows if row["kind"] != "intercept"]


def _card(base: float, rows: list[dict[str, Any]], words: Words) -> Card:
    features: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        features.setdefault(row["feature"], []).append(row)
    tables = [_table(feature, rows, words) for feature, rows in features.items()]
    order = sorted(tables, key=lambda table: -round(table.highest - table.lowest, 6))
    weighty = [table for table in order if max(table.highest, -table.lowest) >= 1e-9]
    return Card(base, weighty, [table.name for table in tables if table not in weighty])


def _table(feature: str, rows: list[dict[str, Any]], words: Words) -> FeatureTable:
    numeric = rows[0]["kind"] == "numeric"
    names = [row["entry"] for row in rows]
    parts: list[Any] = ["band" if numeric else "level"] * len(rows)
    for part in ("unknown",) if numeric else ("other", "unknown"):
        if part in names:  # a level may itself be called so: the last of them counts
            parts[len(names) - 1 - names[::-1].index(part)] = part
    edges = [row["high"] for row in rows if row["high"] is not None]
    entries = []
    for part, row in zip(parts, rows, strict=True):
        if part == "band":
            label = words.band(feature, row["low"], row["high"], edges)
        else:
            rest = part in ("other", "unknown")
            label = words.say(f"entries.{part}") if rest else words.level(feature, row["entry"])
        numbers = (
            row[key] for key in ("points", "points_low", "points_high", "count", "positives")
        )
        entries.append(Entry(part, label, *numbers))
    lowest, highest = min(row["points"] for row in rows), max(row["points"] for row in rows)
    notes = [words.say("card.reaches", points=words.points(highest - lowest).lstrip("+"))]
    known = CATALOGUE.get(feature)
    if known:
        notes.insert(0, FAMILIES[known.family].pick(words.lang))
    if known and known.direction:
        notes.append(words.say("card.rising" if known.direction > 0 else "card.falling"))
    if known and any(entry.part == "unknown" and entry.points for entry in entries):
        notes.append(words.say("card.missing", why=known.missing))
    curved = numeric and parts.count("band") > 1 and not (known and known.kind == "flag")
    expert = words.city and words.city.card.features.get(feature)
    why = expert.why.pick(words.lang) if expert else ""
    name = words.feature(feature)
    return FeatureTable(feature, name, numeric, curved, entries, edges, lowest, highest, notes, why)


def _audit(manifest: Plain, words: Words) -> list[tuple[str, Rows]]:
    parts = [(words.say(f"audit.{key}"), list(_flat(_part(manifest, key)))) for key in _AUDITED]
    gates = [
        row
        for gate in _part(manifest, "decision").get("gates") or ()
        for row in _flat(_part(gate, "figures"), f"{gate.get('id')}.")
    ]
    return [(name, rows) for name, rows in [*parts, (words.say("audit.gates"), gates)] if rows]


def _flat(mapping: Plain, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield prefix + key, text
