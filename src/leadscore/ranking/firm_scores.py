"""The score of single firms without a table: the same numbers and words as in a ranked list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from scipy.special import expit

from leadscore.city.profile import City, RankingPolicy
from leadscore.features.build import FirmFeatures, MeasuredFirm
from leadscore.features.catalogue import CATALOGUE
from leadscore.features.firm import Firm
from leadscore.language import Lang
from leadscore.learning.tables.scorecard import Scorecard, log_odds_to_points
from leadscore.ranking.reasons import FACTS, Wording
from leadscore.ranking.vetoes import Exclusions, Vetoes

_FEATURES = tuple(CATALOGUE)
_NO_EXCLUSIONS = Exclusions()


@dataclass(frozen=True, slots=True)
class FirmScore:
    """The score of one firm; see `leadscore.ranking.scoring.Scores` for what the numbers mean.

    Attributes
    ----------
    firm
        Its values.
    measured
        Its features and matches.
    points
        One number a feature, in the order of the catalogue.
    """

    firm: Firm
    measured: MeasuredFirm
    points: list[float]
    likelihood: float
    fit: float
    priority: float
    grade: str
    veto: str | None

    def reasons(self, wording: Wording, lang: Lang) -> list[dict[str, object]]:
        """Return every feature that adds or takes points, the weightiest first, in words.

        Keys: ``feature`` (id), ``value`` (None where missing), ``points``, ``text``.
        """
        facts = self._facts()
        points, values = self.points, self.measured.values
        order = sorted(range(len(points)), key=lambda j: -abs(points[j]))
        return [
            {
                "feature": _FEATURES[j],
                "value": values[j],
                "points": points[j],
                "text": wording.text(_FEATURES[j], values[j], points[j], facts, lang),
            }
            for j in order
            if points[j]
        ]

    def _facts(self) -> Mapping[str, object]:
        best, matches = self.measured.best, self.measured.matches
        return {
            "segment": best and best.segment,
            "role": best and best.role,
            "words": best and best.words,
            "strongest": matches[0].segment if matches else None,
            **{name: self.firm.get(name) for name in FACTS},
        }


class FirmScorer:
    """Scores firms that are given as plain values; threads may share it.

    Parameters
    ----------
    features
        What measures firms, with its city.
    card
        The tables of a fitted model, one for each feature of the catalogue.
    """

    def __init__(self, features: FirmFeatures, card: Scorecard) -> None:
        self._features, self._card = features, card
        self._city: City = features.city
        self._vetoes = Vetoes(self._city)
        places = {name: place for place, name in enumerate(CATALOGUE)}
        self._order = [places[name] for name in card.features]
        self._in_order = self._order == list(range(len(places)))

    def score(
        self, firms: Sequence[Firm], *, as_of: date, exclusions: Exclusions = _NO_EXCLUSIONS
    ) -> list[FirmScore]:
        """Score firms as they are known on a day; see `leadscore.ranking.scoring.Scorer.score`."""
        known = [{**firm, "as_of": as_of} for firm in firms]
        measured = self._features.measure_firms(known)
        return [self._scored(*each, exclusions) for each in zip(firms, measured, strict=True)]

    def _scored(self, firm: Firm, measured: MeasuredFirm, exclusions: Exclusions) -> FirmScore:
        values = measured.values
        added = self._card.lookup_record(
            values if self._in_order else [values[place] for place in self._order]
        )
        log_odds = self._card.intercept
        for each in added:
            log_odds += each
        likelihood = float(expit(log_odds))
        fit = measured.best.fit if measured.best else 0.0
        ranking = self._city.ranking
        priority = likelihood * (ranking.floor + (1.0 - ranking.floor) * fit)
        return FirmScore(
            firm=firm,
            measured=measured,
            points=[log_odds_to_points(each) for each in added],
            likelihood=likelihood,
            fit=fit,
            priority=priority,
            grade=grade_of(priority, ranking),
            veto=self._vetoes.first(firm, exclusions),
        )


def grade_of(priority: float, ranking: RankingPolicy) -> str:
    """Return the grade of a priority: the first threshold of the profile that it reaches."""
    reached = (grade for grade in ("A", "B", "C") if priority >= ranking.grades[grade])
    return next(reached, "D")
