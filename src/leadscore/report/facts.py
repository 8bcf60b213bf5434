"""What the manifest of a model records, in words for a page or a terminal."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from leadscore.city.profile import City
from leadscore.features.catalogue import CATALOGUE, FAMILIES
from leadscore.learning.evaluation import Evaluation, GateState, Measure
from leadscore.learning.history import LEFT_OUT
from leadscore.learning.scorecard import (
    Scorecard,
    card_frame,
    logistic,
    points_to_log_odds,
    records_of,
)
from leadscore.lists.values.words import STAGES
from leadscore.numbers import likelihood
from leadscore.registry.manifest import AverageFirm, CardRow, DecisionPart, Manifest, Outcomes
from leadscore.report.wording import Words, count, percent
from leadscore.text import Lang

Goal = Literal["high", "low", "zero", "one"]
Status = Literal["promoted", "rejected", "overruled"]
Rows = Sequence[tuple[str, str]]

_MEASURES: dict[str, tuple[Goal, int]] = {
    "auc": ("high", 3), "average_precision": ("high", 3), "log_loss": ("low", 3),
    "brier": ("low", 3), "calibration_slope": ("one", 2), "calibration_intercept": ("zero", 2),
}  # fmt: skip
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

    base: float  # log-odds of the average firm, from which the points of the tables are counted
    average: AverageFirm | None  # None if they count from a firm of which nothing is known
    tables: Sequence[FeatureTable]
    silent: Sequence[str]

    def likelihood(self, points: float = 0.0) -> str:
        """Return the likelihood of a firm so many points above the base."""
        return likelihood(logistic(self.base + points_to_log_odds(points)))

    def reading(self, words: Words) -> str:
        """Return what points mean, with likelihoods of this card."""
        base, up, upper = map(self.likelihood, (0.0, 20.0, 40.0))
        doubling = words.say("reading.doubling", base=base, up=up, upper=upper)
        return self._start(words, base) + words.signed(doubling)

    def _start(self, words: Words, base: str) -> str:
        if self.average is None:
            return words.say("reading.nothing", likelihood=base)
        own = "own" if self.average.own else "reference"
        return words.say(f"reading.{own}", likelihood=base, firms=count(self.average.firms))


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
    gates: Sequence[tuple[GateState, str]]  # the state of each, and its sentence


@dataclass(frozen=True, slots=True)
class Model:
    """A model as its manifest records it, in the words of one language."""

    words: Words
    expert: bool  # people wrote the card, and no outcomes have been learned from
    outcomes: Outcomes
    facts: Mapping[str, str]  # by the key of their labels; "" where not known
    decision: Decision | None
    comparison: Comparison | None
    card: Card
    audit: Sequence[tuple[str, Rows]]  # parts of the manifest with their keys and values


def read_model(manifest: Manifest, lang: Lang, city: City | None, minus: str = "−") -> Model:
    """Read the manifest of any version; a ModelError if it holds no sound card."""
    average = manifest.average
    rows = [_from_average(row, average) for row in _card_rows(manifest)]
    whole = all(
        abs(row.points - round(row.points)) < 1e-6 for row in rows if row.kind != "intercept"
    )
    words = Words(lang, city, whole, minus)
    return Model(
        words=words, expert=manifest.kind == "expert", outcomes=manifest.outcomes or Outcomes(),
        facts=_facts(manifest, words),
        decision=_decision(manifest.decision, words) if manifest.decision else None,
        comparison=_comparison(manifest.measures or {}, words), card=_card(rows, average, words),
        audit=_audit(manifest, words),
    )  # fmt: skip


def _facts(manifest: Manifest, words: Words) -> dict[str, str]:
    city, outcomes, trial = manifest.city.id or "", manifest.outcomes, manifest.trial
    kind = manifest.kind or ""
    if kind in ("expert", "trained"):
        kind = words.say(f"kinds.{kind}")
    if manifest.family == "boosted":  # none is trained any more; kept ones serve on
        kind += words.say("kinds.boosted")
    facts = {
        "version": manifest.version, "kind": kind,
        "city": words.city.name.pick(words.lang) if words.city and words.city.id == city else city,
        "as_of": words.day(manifest.as_of or ""), "created": words.moment(manifest.created or ""),
        "target": "", "outcomes": words.say("values.no_outcomes"), "contacted": "", "left_out": "",
        "champion": trial.champion or "", "trial": "",
    }  # fmt: skip
    if manifest.target:
        stage, days = STAGES.get(manifest.target, manifest.target), count(manifest.horizon_days)
        facts["target"] = words.say("values.target", stage=stage, horizon_days=days)
    if outcomes:
        facts["outcomes"] = words.counted("values.outcomes", vars(outcomes))
        if outcomes.assumed:
            facts["outcomes"] += words.counted("values.assumed", vars(outcomes))
        if outcomes.open:
            facts["outcomes"] += words.counted("values.open", vars(outcomes))
        if outcomes.contacted_from and outcomes.contacted_to:
            first, last = words.day(outcomes.contacted_from), words.day(outcomes.contacted_to)
            facts["contacted"] = words.say("values.span", first=first, last=last)
        facts["left_out"] = words.say("clauses").join(
            words.say("values.left_out", reason=LEFT_OUT.get(why, why), count=count(firms))
            for why, firms in outcomes.left_out.items()
            if firms
        )
    if trial.split:
        split = words.day(trial.split)
        facts["trial"] = words.counted("values.trial", vars(trial), split=split)
    return facts


def _decision(decision: DecisionPart, words: Words) -> Decision:
    gates = [(gate.state, gate.sentence.pick(words.lang)) for gate in decision.gates]
    reason = decision.overruled or ""
    status: Status = "promoted" if decision.promoted else "rejected"
    status = "overruled" if reason else status
    headline = words.say(f"headline.{status}", all=len(gates), failed=len(decision.failed))
    if decision.unmeasured:
        headline += words.say("headline.unmeasured", unmeasured=len(decision.unmeasured))
    return Decision(status, headline, reason, gates)


def _comparison(evaluations: Mapping[str, Evaluation | None], words: Words) -> Comparison | None:
    models = {name: evaluation for name, evaluation in evaluations.items() if evaluation}
    if "challenger" not in models or not models["challenger"].n:
        return None
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


def _card_rows(manifest: Manifest) -> Sequence[CardRow]:
    if manifest.table:
        return manifest.table
    card, nothing = Scorecard.from_dict(manifest.scorecard or {}), np.array(np.nan)
    return [CardRow(**row) for row in records_of(card_frame(card, nothing, nothing, nothing))]


def _from_average(row: CardRow, average: AverageFirm | None) -> CardRow:
    if average is None:
        return row
    if row.kind == "intercept":
        usual = math.fsum(average.points.values())
        return replace(row, log_odds=row.log_odds + points_to_log_odds(usual))
    usual = average.points.get(row.feature, 0.0)
    low, high = (None if end is None else end - usual for end in (row.points_low, row.points_high))
    return replace(row, points=row.points - usual, points_low=low, points_high=high)


def _card(rows: Sequence[CardRow], average: AverageFirm | None, words: Words) -> Card:
    base = next(row.log_odds for row in rows if row.kind == "intercept")
    features: dict[str, list[CardRow]] = {}
    for row in rows:
        if row.kind != "intercept":
            features.setdefault(row.feature, []).append(row)
    usual = average.points if average else {}
    tables = [_table(feature, rows, usual, words) for feature, rows in features.items()]
    order = sorted(tables, key=lambda table: -round(table.highest - table.lowest, 6))
    weighty = [table for table in order if max(table.highest, -table.lowest) >= 1e-9]
    return Card(base, average, weighty, [table.name for table in tables if table not in weighty])


def _table(
    feature: str, rows: list[CardRow], usual: Mapping[str, float], words: Words
) -> FeatureTable:
    numeric = rows[0].kind == "numeric"
    names = [row.entry for row in rows]
    parts: list[Any] = ["band" if numeric else "level"] * len(rows)
    for part in ("unknown",) if numeric else ("other", "unknown"):
        if part in names:  # a level may itself be called so: the last of them counts
            parts[len(names) - 1 - names[::-1].index(part)] = part
    edges = [row.high for row in rows if row.high is not None]
    entries = []
    for part, row in zip(parts, rows, strict=True):
        if part == "band":
            label = words.band(feature, row.low, row.high, edges)
        elif part == "level":
            label = words.level(feature, row.entry)
        else:
            label = words.say(f"entries.{part}")
        numbers = (row.points, row.points_low, row.points_high, row.count, row.positives)
        entries.append(Entry(part, label, *numbers))
    lowest, highest = min(row.points for row in rows), max(row.points for row in rows)
    notes = [words.say("card.reaches", points=words.points(highest - lowest).lstrip("+"))]
    known = CATALOGUE.get(feature)
    if known:
        notes.insert(0, FAMILIES[known.family].pick(words.lang))
    if known and known.direction:
        notes.append(words.say("card.rising" if known.direction > 0 else "card.falling"))
    if known and any(entry.part == "unknown" and abs(entry.points) >= 1e-9 for entry in entries):
        notes.append(words.say("card.missing", why=known.missing))
    if usual.get(feature):
        notes.append(words.say("card.average", points=words.points(usual[feature])))
    curved = numeric and parts.count("band") > 1 and not (known and known.kind == "flag")
    expert = words.city and words.city.card.features.get(feature)
    why = expert.why.pick(words.lang) if expert else ""
    name = words.feature(feature)
    return FeatureTable(feature, name, numeric, curved, entries, edges, lowest, highest, notes, why)


def _audit(manifest: Manifest, words: Words) -> list[tuple[str, Rows]]:
    parts = {key: list(_flat(manifest.part(key))) for key in _AUDITED}
    gates = manifest.decision.gates if manifest.decision else ()
    parts["gates"] = [row for gate in gates for row in _flat(gate.figures, f"{gate.id}.")]
    return [(words.say(f"audit.{key}"), rows) for key, rows in parts.items() if rows]


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield prefix + key, text
