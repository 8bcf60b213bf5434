"""Firms in, scores out: likelihood, fit, priority, grade, veto and exact reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.pipeline import Pipeline

from leadscore.city.profile import City
from leadscore.features.build import Measured
from leadscore.features.catalogue import CATALOGUE
from leadscore.learning.tables.scorecard import log_odds_to_points
from leadscore.ranking.reasons import FACTS, Reason, Wording
from leadscore.ranking.vetoes import Exclusions, vetoes

Floats = npt.NDArray[np.float64]

CHUNK = 5_000
"""Firms scored at a time: bounds the memory, and is the step of the progress bar."""

_LIFTS, _LOWERS = 3, 1
_NO_EXCLUSIONS = Exclusions()


@dataclass(frozen=True)
class Scores:
    """The scores of n firms, in the order of the firms.

    Attributes
    ----------
    firms
        The canonical table that was scored.
    measured
        Features and matches (see `leadscore.features.build.Measured`).
    points
        n x features, 20 points double the odds; ``points.sum(axis=1) + base_points`` is the
        log-odds in points.
    base_points
        Points of a firm about which every table says 0.
    likelihood, fit, priority
        Each 0..1; ``priority = likelihood * (floor + (1 - floor) * fit)``.
    grade
        ``"A"`` to ``"D"`` by the profile's thresholds on priority.
    veto
        Key of `leadscore.ranking.vetoes.WORDING`, or missing.
    """

    firms: pd.DataFrame
    measured: Measured
    points: Floats
    base_points: float
    likelihood: Floats
    fit: Floats
    priority: Floats
    grade: npt.NDArray[np.str_]
    veto: pd.Series
    wording: Wording

    def __len__(self) -> int:
        """Return the number of firms."""
        return len(self.firms)

    def reasons(self, firm: int) -> list[Reason]:
        """Return every feature that adds or takes points, the weightiest first."""
        points = self.points[firm]
        order = np.argsort(-np.abs(points), kind="stable").tolist()
        return self._worded(firm, [j for j in order if points[j]])

    def main_reasons(self, firm: int) -> list[Reason]:
        """Return the three features that lift the score most and the one that lowers it most."""
        return self._worded(firm, self._main(firm))

    def main_features(self, firm: int) -> list[tuple[str, float]]:
        """Return the features of `main_reasons` and their points, without a word."""
        names = list(CATALOGUE)
        return [(names[j], float(self.points[firm, j])) for j in self._main(firm)]

    def _main(self, firm: int) -> list[int]:
        points = self.points[firm]
        order = np.argsort(-points, kind="stable").tolist()
        lifts = [j for j in order[:_LIFTS] if points[j] > 0]
        lowers = [j for j in order[::-1][:_LOWERS] if points[j] < 0]
        return [*lifts, *lowers]

    def _worded(self, firm: int, features: list[int]) -> list[Reason]:
        facts = {name: column[firm] for name, column in self._facts.items()}
        return [
            self.wording.reason(id_, column[firm], float(self.points[firm, j]), facts)
            for j in features
            for id_, column in (self._values[j],)
        ]

    @cached_property
    def _values(self) -> list[tuple[str, list[float | str]]]:
        """X as plain lists: a cell of a list is found much faster than one of a frame."""
        return [(key, self.measured.X[key].tolist()) for key in CATALOGUE]

    @cached_property
    def _facts(self) -> dict[str, list[object]]:
        best = {name: self.measured.best[name].tolist() for name in ("segment", "role", "words")}
        strongest: list[object] = [None] * len(self)
        fits = self.measured.fits.drop_duplicates("firm")  # the strongest stands first
        for firm, segment in zip(fits["firm"].tolist(), fits["segment"].tolist(), strict=True):
            strongest[firm] = segment
        columns = {name: self.firms[name].tolist() for name in FACTS}
        return best | columns | {"strongest": strongest}


class Scorer:
    """A fitted pipeline of features and card, ready to score; safe to share between threads.

    Parameters
    ----------
    pipeline
        ``Pipeline([("features", FirmFeatures(city)), ("card", AdditiveCard())])``, fitted.
    model
        Version of the model, written beside every score.
    """

    def __init__(self, pipeline: Pipeline, model: str) -> None:
        self.features = pipeline.named_steps["features"]
        self.card = pipeline.named_steps["card"]
        self.city: City = self.features.city
        self.model = model
        self.wording = Wording(self.city)

    def score(
        self,
        firms: pd.DataFrame,
        *,
        as_of: date,
        exclusions: Exclusions = _NO_EXCLUSIONS,
        progress: Callable[[int], object] = lambda _: None,
    ) -> Scores:
        """Score firms as they are known on a day.

        A firm's score depends on the firm, the day and the model only, never on the other firms.

        Parameters
        ----------
        firms
            n rows of canonical columns (see `leadscore.lists.columns`), numbered from 0.
        as_of
            The day, from which ages are counted.
        exclusions
            Firms that are not to be courted.
        progress
            Called with the number of firms scored since the last call.
        """
        firms = firms.assign(as_of=pd.Timestamp(as_of))
        parts: list[tuple[Measured, Floats]] = []
        for start in range(0, max(len(firms), 1), CHUNK):
            chunk = firms.iloc[start : start + CHUNK].reset_index(drop=True)
            measured = self.features.measure(chunk)
            parts.append((measured, self.card.contributions(measured.X)))
            progress(len(chunk))
        measured = _joined([measured for measured, _ in parts])
        contributions = np.concatenate([part for _, part in parts])
        likelihood = expit(self.card.scorecard_.total(contributions))
        fit = measured.best["fit"].to_numpy(dtype=float)
        floor = self.city.ranking.floor
        priority = likelihood * (floor + (1.0 - floor) * fit)
        return Scores(
            firms=firms,
            measured=measured,
            points=log_odds_to_points(contributions),
            base_points=float(log_odds_to_points(self.card.intercept_)),
            likelihood=likelihood,
            fit=fit,
            priority=priority,
            grade=grades(priority, self.city),
            veto=vetoes(firms, self.city, exclusions),
            wording=self.wording,
        )


def grades(priority: Floats, city: City) -> npt.NDArray[np.str_]:
    """Return the grade of each priority: the first threshold of the profile that it reaches."""
    thresholds = city.ranking.grades
    reached = [priority >= thresholds[grade] for grade in ("A", "B", "C")]
    return np.select(reached, ["A", "B", "C"], default="D")


def _joined(parts: list[Measured]) -> Measured:
    if len(parts) == 1:
        return parts[0]
    offsets = np.cumsum([0, *(len(part.X) for part in parts[:-1])])
    fits = [
        part.fits.assign(firm=part.fits["firm"] + o) for part, o in zip(parts, offsets, strict=True)
    ]
    return Measured(
        X=pd.concat([part.X for part in parts], ignore_index=True),
        fits=pd.concat(fits, ignore_index=True),
        best=pd.concat([part.best for part in parts], ignore_index=True),
    )
