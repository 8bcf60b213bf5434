"""What the manifest of a model records, as plain values for a page or a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import expit

from leadscore.city.profile import City
from leadscore.features.catalogue import CATALOGUE
from leadscore.features.feature import UNKNOWN
from leadscore.language import Lang
from leadscore.learning.outcomes.labels import LEFT_OUT
from leadscore.learning.tables.scorecard import (
    Scorecard,
    card_frame,
    log_odds_to_points,
    points_to_log_odds,
)
from leadscore.lists.values.vocabularies import STAGES
from leadscore.report.wording import Words, count, likelihood, number, percent

Goal = Literal["high", "low", "zero", "one"]
Plain = Mapping[str, Any]

_MEASURES: dict[str, tuple[Goal, int]] = {
    "auc": ("high", 3),
    "average_precision": ("high", 3),
    "log_loss": ("low", 3),
    "brier": ("low", 3),
    "calibration_slope": ("one", 2),
    "calibration_intercept": ("zero", 2),
}
"""Where the best value of each lies, and with how many decimals it is written."""
_OF_CHAINS = ("auc", "log_loss", "brier")
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
    entries: Sequence[Entry]  # in the order of the card
    edges: Sequence[float]  # where the bands of numbers meet
    notes: Sequence[str]  # its family, its reach, its direction, and what a missing value means
    why: str  # of the experts, for its points

    @property
    def curved(self) -> bool:
        """Whether its bands have an order for a curve to follow."""
        feature = CATALOGUE.get(self.feature)
        return self.numeric and len(self.known) > 1 and not (feature and feature.kind == "flag")

    @property
    def banded(self) -> bool:
        """Whether the interval of any entry is known."""
        return any(entry.low is not None and entry.high is not None for entry in self.entries)

    @property
    def counted(self) -> bool:
        """Whether the outcomes behind any entry are known."""
        return any(entry.count is not None for entry in self.entries)

    @property
    def lowest(self) -> float:
        """The least points that it gives."""
        return min(entry.points for entry in self.entries)

    @property
    def highest(self) -> float:
        """The most points that it gives."""
        return max(entry.points for entry in self.entries)

    @property
    def silent(self) -> bool:
        """Whether it is worth 0 whatever its value."""
        return max(self.highest, -self.lowest) < 1e-9

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
    reading: str  # what points mean, with likelihoods of this card

    @property
    def banded(self) -> bool:
        """Whether the interval of any entry is known."""
        return any(table.banded for table in self.tables)

    def likelihood(self, points: float = 0.0) -> str:
        """Return the likelihood of a firm so many points above the base."""
        return _likelihood(self.base, points)


class Figure(NamedTuple):
    """A measured value with the ends of its interval; None where undefined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, plain: object) -> Figure:
        """Read ``{"value", "low", "high"}`` as an evaluation writes it."""
        return (
            cls(*map(number, map(plain.get, cls._fields))) if isinstance(plain, Mapping) else cls()
        )


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of challenger and champion."""

    name: str
    says: str
    goal: Goal
    decimals: int | None  # with how many it is written; None: as percent
    challenger: Figure
    champion: Figure

    @property
    def better(self) -> str:
        """Who is nearer the goal as it is written, or ``level``; "" if a figure is missing."""
        far = [self._far(model.value) for model in (self.challenger, self.champion)]
        if far[0] is None or far[1] is None:
            return ""
        return "level" if far[0] == far[1] else "challenger" if far[0] < far[1] else "champion"

    def _far(self, value: float | None) -> float | None:
        if value is None:
            return None
        far = {"high": -value, "low": value, "one": abs(value - 1.0), "zero": abs(value)}
        return round(far[self.goal], 3 if self.decimals is None else self.decimals)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How challenger and champion forecast the same later pursuits."""

    n: str
    positives: str
    level: str  # how sure the intervals are
    models: Sequence[str]  # "challenger", and "champion" if there was one
    measures: Mapping[str, Measure]  # those of the top of the list last
    bins: Mapping[str, Sequence[Plain]]  # of each model: "ends", "predicted", "observed", "n"
    tops: Mapping[str, Sequence[Plain]]  # of each model: "share", "n", "lift", "captured"
    chains: Sequence[tuple[str, Plain]]  # names with "n", "positives" and the measures

    @property
    def champion(self) -> bool:
        """Whether there was a champion to compare with."""
        return "champion" in self.models

    @property
    def lift(self) -> Measure | None:
        """The lift at the very top of the list."""
        return next((m for key, m in self.measures.items() if key.startswith("lift")), None)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a model was let in, and why."""

    status: Literal["promoted", "rejected", "overruled"]
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
    audit: Sequence[tuple[str, Sequence[tuple[str, str]]]]  # parts with their keys and values


def read_model(manifest: Plain, lang: Lang, city: City | None, minus: str = "−") -> Model:
    """Read the manifest of any version, of experts or trained; what it lacks is left out.

    Raises
    ------
    ModelError
        If the manifest holds no sound card.
    """
    base, rows = _card_rows(manifest)
    points = [row["points"] for row in rows]
    whole = all(abs(point - round(point)) < 1e-6 for point in points)
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


def _likelihood(base: float, points: float) -> str:
    return likelihood(float(expit(base + points_to_log_odds(points))))


def _part(mapping: Plain, key: str) -> Plain:
    """Return a mapping within a mapping; an empty one where there is none."""
    value = mapping.get(key)
    return value if isinstance(value, Mapping) else {}


def _rows(mapping: Plain, key: str) -> list[Plain]:
    rows = mapping.get(key)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _facts(manifest: Plain, words: Words) -> dict[str, str]:
    city_id = str(_part(manifest, "city").get("id") or "")
    city = words.city if words.city and words.city.id == city_id else None
    kind = str(manifest.get("kind") or "")
    if kind in ("expert", "trained"):
        kind = words.say(f"kinds.{kind}")
    if manifest.get("family") == "boosted":  # none is trained any more; kept ones serve on
        kind += words.say("kinds.boosted")
    target, outcomes, trial = "", _part(manifest, "outcomes"), _part(manifest, "trial")
    if stage := manifest.get("target"):
        named = STAGES.get(str(stage), stage)
        target = words.say("values.target", stage=named, days=count(manifest.get("horizon_days")))
    learned = words.say("values.no_outcomes")
    if outcomes:
        known, positive = count(outcomes.get("known")), count(outcomes.get("positive"))
        learned = words.say("values.outcomes", known=known, positive=positive)
    if outcomes.get("open"):
        learned += words.say("values.open", open=count(outcomes["open"]))
    first, last = outcomes.get("contacted_from"), outcomes.get("contacted_to")
    left_out = [
        words.say("values.left_out", reason=LEFT_OUT.get(str(why), why), count=count(firms))
        for why, firms in _part(outcomes, "left_out").items()
        if firms
    ]
    split, trained, later = (trial.get(key) for key in ("split", "train", "later"))
    tried = {"split": words.day(split), "train": count(trained), "later": count(later)}
    return {
        "version": str(manifest.get("version") or ""),
        "kind": kind,
        "city": city.name.pick(words.lang) if city else city_id,
        "as_of": words.day(manifest.get("as_of") or ""),
        "created": words.moment(manifest.get("created") or ""),
        "target": target,
        "outcomes": learned,
        "contacted": words.say("values.span", first=words.day(first), last=words.day(last))
        if first and last
        else "",
        "left_out": words.say("clauses").join(left_out),
        "champion": str(trial.get("champion") or ""),
        "trial": words.say("values.trial", **tried) if split else "",
    }


def _decision(decision: Plain, words: Words) -> Decision | None:
    if not decision:
        return None

    def spoken(value: object) -> str:
        return str((value.get(words.lang) if isinstance(value, Mapping) else value) or "")

    gates = [
        (gate.get("passed") is True, spoken(gate.get("sentence")) or str(gate.get("id", "")))
        for gate in _rows(decision, "gates")
    ]
    reason = spoken(decision.get("overruled"))
    status: Literal["promoted", "rejected", "overruled"]
    status = "promoted" if decision.get("promoted") is True else "rejected"
    status = "overruled" if reason else status
    failed = sum(not passed for passed, _ in gates)
    headline = words.say(f"headline.{status}", all=len(gates), failed=failed)
    return Decision(status, headline, reason, gates)


def _comparison(evaluations: Plain, words: Words) -> Comparison | None:
    challenger, champion = _part(evaluations, "challenger"), _part(evaluations, "champion")
    if not challenger.get("n"):
        return None
    models = {"challenger": challenger} | ({"champion": champion} if champion else {})
    ours, theirs = _part(challenger, "measures"), _part(champion, "measures")
    tops = {name: list(_tops(evaluation)) for name, evaluation in models.items()}
    measures = {
        key: Measure(
            words.say(f"measures.{key}.name"), words.say(f"measures.{key}.says"),
            goal, decimals, Figure.of(ours.get(key)), Figure.of(theirs.get(key)),
        )
        for key, (goal, decimals) in _MEASURES.items()
        if key in ours or key in theirs
    }  # fmt: skip
    same_share = {top["share"]: top for top in tops.get("champion", ())}
    for top in tops["challenger"]:
        share = percent(top["share"])
        for key, shown in (("lift", 2), ("captured", None)):
            other = same_share.get(top["share"], {}).get(key, Figure())
            measures[f"{key} {share}"] = Measure(
                words.say(f"measures.{key}.name", share=share), words.say(f"measures.{key}.says"),
                "high", shown, top[key], other,
            )  # fmt: skip
    groups = _part(challenger, "groups")
    chains = [(words.chain(chain), _chain(_part(groups, chain))) for chain in map(str, groups)]
    return Comparison(
        n=count(challenger.get("n")),
        positives=count(challenger.get("positives")),
        level=percent(number(challenger.get("level")) or 0.9),
        models=list(models),
        measures=measures,
        bins={name: list(_bins(evaluation)) for name, evaluation in models.items()},
        tops=tops,
        chains=sorted(chains, key=lambda chain: -(chain[1]["n"] or 0.0)),
    )


def _tops(evaluation: Plain) -> Iterator[Plain]:
    rows = _rows(evaluation, "top")
    for row in sorted(rows, key=lambda row: number(row.get("share")) or 0.0):
        figures = {key: Figure.of(row.get(key)) for key in ("lift", "captured")}
        yield {"share": number(row.get("share")) or 0.0, "n": number(row.get("n")), **figures}


def _bins(evaluation: Plain) -> Iterator[Plain]:
    """Yield the bins of predicted against observed that hold any pursuits."""
    for row in _rows(evaluation, "reliability"):
        predicted, observed = number(row.get("predicted")), number(row.get("observed"))
        if predicted is not None and observed is not None:
            ends = [percent(row[end]) for end in ("from", "to") if row.get(end) is not None]
            figure = Figure(observed, number(row.get("low")), number(row.get("high")))
            n = number(row.get("n"))
            yield {"ends": "–".join(ends), "predicted": predicted, "observed": figure, "n": n}


def _chain(group: Plain) -> Plain:
    figures = {key: Figure.of(_part(group, "measures").get(key)) for key in _OF_CHAINS}
    return {"n": number(group.get("n")), "positives": number(group.get("positives")), **figures}


def _card_rows(manifest: Plain) -> tuple[float, list[dict[str, Any]]]:
    """Return the base of a card and a row for each entry, from the manifest's table or its card."""
    table = manifest.get("table") or []
    starts = [number(row.get("log_odds")) for row in table if row.get("kind") == "intercept"]
    base = next((start for start in starts if start is not None), None)
    rows = [row for row in table if row.get("kind") != "intercept"]
    if base is None or not rows:
        card = Scorecard.from_dict(_part(manifest, "scorecard"))
        base, nothing = card.intercept, np.array(np.nan)
        rows = rows or card_frame(card, nothing, nothing, nothing).iloc[1:].to_dict("records")
    numbers = ("low", "high", "points", "points_low", "points_high", "count", "positives")
    clean = []
    for row in rows:
        values: dict[str, Any] = {name: number(row.get(name)) for name in numbers}
        if values["points"] is None:
            values["points"] = log_odds_to_points(number(row.get("log_odds")) or 0.0)
        clean.append(
            values | {"feature": str(row.get("feature")), "numeric": row.get("kind") == "numeric",
                      "entry": str(row.get("entry"))}
        )  # fmt: skip
    return base, clean


def _card(base: float, rows: list[dict[str, Any]], words: Words) -> Card:
    features: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        features.setdefault(row["feature"], []).append(row)
    tables = [_table(feature, rows, words) for feature, rows in features.items()]
    order = sorted(tables, key=lambda table: -round(table.highest - table.lowest, 6))
    at = [_likelihood(base, points) for points in (0.0, 20.0, 40.0)]
    points = words.points(log_odds_to_points(base))
    doubling = words.say("reading.doubling", base=at[0], up=at[1], upper=at[2])
    return Card(
        base,
        [table for table in order if not table.silent],
        [table.name for table in tables if table.silent],
        words.say("reading.base", points=points, likelihood=at[0]) + words.signed(doubling),
    )


def _table(feature: str, rows: list[dict[str, Any]], words: Words) -> FeatureTable:
    numeric = rows[0]["numeric"]
    names = [row["entry"] for row in rows]
    parts: list[Any] = ["band" if numeric else "level"] * len(rows)
    for part in ("unknown",) if numeric else ("other", "unknown"):
        if part in names:  # a level may itself be called so: the last of them counts
            parts[len(names) - 1 - names[::-1].index(part)] = part
    bands = [row for row, part in zip(rows, parts, strict=True) if part == "band"]
    edges = [row["high"] for row in bands if row["high"] is not None]

    def label(row: dict[str, Any], part: str) -> str:
        if part in ("other", "unknown"):
            return words.say(f"entries.{part}")
        if part == "band":
            return words.band(feature, row["low"], row["high"], edges)
        return words.level(feature, row["entry"])

    entries = [
        Entry(part, label(row, part), row["points"], row["points_low"], row["points_high"],
              row["count"], row["positives"])
        for row, part in zip(rows, parts, strict=True)
    ]  # fmt: skip
    points = [entry.points for entry in entries]
    reach = words.points(max(points) - min(points)).lstrip("+")
    notes = [words.family(feature), words.say("card.reaches", points=reach)]
    known = CATALOGUE.get(feature)
    if known and known.direction:
        notes.append(words.say("card.rising" if known.direction > 0 else "card.falling"))
    if known and any(entry.part == "unknown" and entry.points for entry in entries):
        notes.append(words.say("card.missing", why=known.missing))
    written = words.city.card.features.get(feature) if words.city else None
    return FeatureTable(
        feature, words.feature(feature), numeric, entries, edges, [note for note in notes if note],
        written.why.pick(words.lang) if written else "",
    )  # fmt: skip


def _audit(manifest: Plain, words: Words) -> list[tuple[str, list[tuple[str, str]]]]:
    parts = [(words.say(f"audit.{key}"), list(_flat(_part(manifest, key)))) for key in _AUDITED]
    gates = [
        (f"{gate.get('id')}{key}", value)
        for gate in _rows(_part(manifest, "decision"), "gates")
        for key, value in _flat(_part(gate, "figures"), ".")
    ]
    return [(name, rows) for name, rows in [*parts, (words.say("audit.gates"), gates)] if rows]


def _flat(mapping: Plain, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted keys with their values as JSON writes them, texts bare."""
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, str):
            yield f"{prefix}{key}", value
        else:
            yield f"{prefix}{key}", json.dumps(value, ensure_ascii=False, default=str)
