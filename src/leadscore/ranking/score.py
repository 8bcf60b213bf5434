"""Firms in, scores out: likelihood, fit, priority, grade, veto and exact points."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from leadscore.city.profile import City
from leadscore.features.catalogue import CATALOGUE, Firm, Value, text_of
from leadscore.features.extract import Fit, MeasuredFirm, real_matches
from leadscore.learning.model import Model
from leadscore.learning.scorecard import Scorecard, logistic
from leadscore.ranking.reasons import WORDS, Wording, facts_of
from leadscore.ranking.vetoes import Exclusions, Vetoes
from leadscore.text import Lang, Text

CHUNK = 5_000
"""Firms scored at a time: bounds the memory, and is the step of the progress bar."""

_LIFTS = 3
_GAP = "gap_filled"
_LEAST_POINTS = 1.0
_WIDE = 0.5  # an interval that leaves open whether a firm is likely to land
_NO_EXCLUSIONS = Exclusions()


class Reason(NamedTuple):
    """What one feature adds to a firm's score."""

    feature: str  # id of the feature in the catalogue, or of a pair of them in a model of old
    value: Value  # the firm's value; None where it is missing
    points: float  # its share of the log-odds, scaled so that 20 points double the odds
    text: str  # the same in words


Interval = tuple[float, float]
"""Between which likelihoods the truth plausibly lies: with 90 %, by what the model has learned."""


@dataclass(frozen=True, slots=True)
class FirmScore:
    """The score of one firm; likelihood, fit and priority are 0..1.

    ``priority = likelihood * (floor + (1 - floor) * fit)``.
    """

    firm: Firm  # its canonical columns, and ``as_of``
    values: dict[str, Value]  # by feature, in the order of the catalogue; None where missing
    matches: Sequence[Fit]  # the segments that it works in, the strongest first
    best: Fit | None  # the one that counts: the segment that it fits best; None for none
    # What each feature adds to what it adds of an average firm (`FittedCard.average`), in the order
    # of the card; 20 points double the odds. With ``base_points``, those of that average firm, they
    # are the log-odds.
    points: dict[str, float]
    base_points: float
    likelihood: float
    interval: Interval | None  # see `Scorer.intervals`
    fit: float
    priority: float
    grade: str  # ``"A"`` to ``"D"`` by the profile's thresholds on priority, or an officer's
    # What it is ordered by: the priority, brought into the interval of an officer's grade.
    order_priority: float
    veto: str | None  # key of `leadscore.ranking.vetoes.WORDING`, or None

    def main_features(self) -> list[str]:
        """Return the gap it fills, two features that lift the score most, and what lowers it most.

        What is worth less than a point is none of them: there the firm is as firms usually are. A
        firm that fills no gap worth a point has three that lift.
        """
        points = self.points
        lifts = [name for name in points if points[name] >= _LEAST_POINTS]
        # For what the firm would be courted is said first, however much else speaks for it.
        lifts.sort(key=lambda name: (name == _GAP, points[name]), reverse=True)
        lowest = min(reversed(points), key=points.__getitem__)
        return [*lifts[:_LIFTS], *([lowest] if points[lowest] <= -_LEAST_POINTS else [])]

    def main_reasons(self, wording: Wording, lang: Lang) -> list[Reason]:
        """Return the reasons of `main_features`, in words."""
        return self._reasons(self.main_features(), wording, lang)

    def reasons(self, wording: Wording, lang: Lang) -> list[Reason]:
        """Return every feature that adds or takes points, the weightiest first, in words."""
        speaking = [name for name, points in self.points.items() if points]
        speaking.sort(key=lambda name: -abs(self.points[name]))
        return self._reasons(speaking, wording, lang)

    def segments(self) -> str | None:
        """Return every match, the strongest first, as ``id:strength`` joined by ``;``."""
        return ";".join(f"{match.segment}:{match.strength:.2f}" for match in self.matches) or None

    def _reasons(self, features: Sequence[str], wording: Wording, lang: Lang) -> list[Reason]:
        best, matches = self.best, self.matches
        strongest = matches[0].segment if matches else None
        segment, role, words = (best.segment, best.role, best.words) if best else (None,) * 3
        facts = facts_of(self.firm, segment, role, words, strongest)
        reasons = []
        for name in features:
            value, points = self.values.get(name), self.points[name]
            text = wording.text(name, value, points, facts, lang)
            reasons.append(Reason(name, value, points, text))
        return reasons


class Scorer:
    """A model, ready to score; safe to share between threads.

    ``missed`` says why it scores in the place of the champion; None if it is the champion.
    ``learned`` tells whether it has learned from any outcome.
    """

    def __init__(self, model: Model, version: str, missed: Text | None = None) -> None:
        self._model, self.missed = model, missed
        self.features, self.card = model.features, model.card
        self.city: City = model.city
        self.model = version
        self.wording = Wording(self.city)
        self._scorecard: Scorecard = self.card.scorecard
        self._points_card = self.card.points_card
        self.base_points = self._points_card.base
        self._sure = self.card.posterior is not None
        self.learned = bool(len(self.card.counts) and self.card.counts[0] > 0)
        self._vetoes = Vetoes(self.city)
        places = {name: place for place, name in enumerate(CATALOGUE)}
        self._order = [places[name] for name in self._scorecard.features]

    def __reduce__(self) -> tuple[type[Scorer], tuple[Model, str]]:
        """Pickle the model only; the process that loads it compiles the rest anew."""
        return Scorer, (self._model, self.model)

    def score(
        self, firms: Sequence[Firm], *, as_of: date, exclusions: Exclusions = _NO_EXCLUSIONS,
        progress: Callable[[int], object] = lambda _: None,
    ) -> list[FirmScore]:  # fmt: skip
        """Score firms (canonical columns) as they are known on a day, from which ages are counted.

        A firm's score depends on the firm, the day and the model only, never on the other firms.
        ``progress`` is called with the number of firms scored since the last call.
        """
        scores: list[FirmScore] = []
        for start in range(0, max(len(firms), 1), CHUNK):
            known = [{**firm, "as_of": as_of} for firm in firms[start : start + CHUNK]]
            measured = self.features.measure_firms(known)
            rows = [[firm.values[place] for place in self._order] for firm in measured]
            parts = zip(known, measured, rows, self._intervals(rows), strict=True)
            scores += [self._scored(*part, exclusions) for part in parts]
            progress(len(known))
        return scores

    def intervals(
        self, scored: Sequence[tuple[str, Mapping[str, float | str]]]
    ) -> list[Interval | None]:
        """Return for each score, its model and its values by feature, the interval of `FirmScore`.

        None for a score by another model, and for a model that does not keep how sure it is.
        """
        ends: list[Interval | None] = [None] * len(scored)
        own = [place for place, (model, _) in enumerate(scored) if model == self.model]
        features = self._scorecard.features
        rows = [[scored[place][1].get(name) for name in features] for place in own]
        for place, interval in zip(own, self._intervals(rows), strict=True):
            ends[place] = interval
        return ends

    def certainty(self, interval: Interval | None) -> Text | None:
        """Return in words how much evidence there is, where it is little; None where it is not."""
        if not self._sure:
            return WORDS["certainty.not_kept"]
        if interval is None:
            return WORDS["certainty.other_model"]
        if not self.learned:
            return WORDS["certainty.expert"]
        low, high = interval
        return WORDS["certainty.little"] if high - low >= _WIDE else None

    def in_gaps(self, score: FirmScore) -> list[tuple[Fit, float]]:
        """Return the segments that a firm truly works in, with what it is ordered by in each.

        That is `FirmScore.order_priority` with the fit there.
        """
        by_hand = text_of(score.firm, "grade")
        return [
            (match, self._placed(self._priority(score.likelihood, match.fit), by_hand))
            for match in real_matches(score.matches)
        ]

    def _priority(self, likelihood: float, fit: float) -> float:
        floor = self.city.ranking.floor
        return likelihood * (floor + (1.0 - floor) * fit)

    def _placed(self, priority: float, by_hand: str | None) -> float:
        if by_hand is None:
            return priority
        least = {str(grade): at for grade, at in self.city.ranking.grades.items()}
        return within_grade(priority, by_hand, least)

    def _intervals(self, rows: Sequence[Sequence[Value]]) -> Sequence[Interval | None]:
        if not rows or not self._sure:
            return [None] * len(rows)
        return [(low, high) for low, high in self.card.record_intervals(rows).tolist()]

    def _scored(
        self, firm: Firm, measured: MeasuredFirm, values: Sequence[Value],
        interval: Interval | None, exclusions: Exclusions,
    ) -> FirmScore:  # fmt: skip
        added = self._scorecard.lookup_record(values)
        log_odds = self._scorecard.intercept
        for log_odds_added in added:  # in the order of `Scorecard.total`, to the same last bit
            log_odds += log_odds_added
        likelihood = logistic(log_odds)
        fit = measured.best.fit if measured.best else 0.0
        priority = self._priority(likelihood, fit)
        least = self.city.ranking.grades
        grades = (grade for grade in ("A", "B", "C") if priority >= least[grade])
        by_hand = text_of(firm, "grade")
        return FirmScore(
            firm=firm, values=dict(zip(CATALOGUE, measured.values, strict=True)),
            matches=measured.matches, best=measured.best, base_points=self.base_points,
            points=self._points_card.points(added), likelihood=likelihood, fit=fit,
            interval=interval, priority=priority, grade=by_hand or next(grades, "D"),
            order_priority=self._placed(priority, by_hand),
            veto=self._vetoes.first(firm, exclusions),
        )  # fmt: skip


def within_grade(priority: float, grade: str, thresholds: Mapping[str, float]) -> float:
    """Return a priority brought into the interval of a grade, by the least priority of each.

    >>> thresholds = {"A": 0.4, "B": 0.3, "C": 0.1}
    >>> within_grade(0.05, "A", thresholds), within_grade(0.35, "B", thresholds)
    (0.4, 0.35)
    >>> 0.29 < within_grade(0.9, "C", thresholds) < 0.3
    True
    """
    above = {"B": "A", "C": "B", "D": "C"}.get(grade)
    most = math.nextafter(thresholds[above], -1.0) if above else 1.0
    return max(min(priority, most), thresholds.get(grade, 0.0))
