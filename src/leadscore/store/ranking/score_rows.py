"""Turns the scores of a list into the rows in which they are kept, so many at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from leadscore.features.catalogue import CATALOGUE
from leadscore.learning.tables.scorecard import Scorecard
from leadscore.ranking.scoring import Scorer, Scores
from leadscore.store.engine.values import plain_values
from leadscore.store.firms.records import Records


def point_names(card: Scorecard) -> list[str]:
    """Return what the columns of `Scorecard.lookup` are called: features, then pairs of them."""
    return [*card.features, *(pair.feature for pair in card.pairs)]


@dataclass(frozen=True, eq=False)
class ScoredFirms:
    """Scores of n firms, ready to be kept.

    Attributes
    ----------
    records
        What was known of each firm when it was scored, with its digest.
    scores
        Of the same firms in the same order.
    scorer
        What scored them.
    as_of
        The day as of which they were scored.
    """

    records: Records
    scores: Scores
    scorer: Scorer
    as_of: date

    def __len__(self) -> int:
        """Return the number of firms."""
        return len(self.scores)

    @property
    def model(self) -> str:
        """Version of the model that scored."""
        return self.scorer.model

    def rows(self, start: int, stop: int) -> list[dict[str, Any]]:
        """Return what the scores tell of the rows of `scores.SCORES`, for some of the firms."""
        scores, part = self.scores, slice(start, stop)
        best, X = scores.measured.best.iloc[part], scores.measured.X.iloc[part]
        names = point_names(self.scorer.card.scorecard_)
        values = zip(*(plain_values(X[name]) for name in CATALOGUE), strict=True)
        points = scores.points[part].tolist()
        columns = {
            "likelihood": scores.likelihood[part].tolist(),
            "fit": scores.fit[part].tolist(),
            "priority": scores.priority[part].tolist(),
            "grade": scores.grade[part].tolist(),
            "segment": plain_values(best["segment"]),
            "role": plain_values(best["role"]),
            "veto": plain_values(scores.veto.iloc[part]),
            "words": plain_values(best["words"]),
            "segments": self._segments[part],
            "points": [
                {name: each for name, each in zip(names, row, strict=True) if each}
                for row in points
            ],
            "values": [
                {name: each for name, each in zip(CATALOGUE, row, strict=True) if each is not None}
                for row in values
            ],
            "reasons": [
                [{"feature": name, "points": number} for name, number in scores.main_features(firm)]
                for firm in range(start, min(stop, len(self)))
            ],
        }
        same = {"model": self.model, "as_of": self.as_of, "base_points": scores.base_points}
        return [
            {**same, **dict(zip(columns, row, strict=True))}
            for row in zip(*columns.values(), strict=True)
        ]

    @cached_property
    def _segments(self) -> list[str | None]:
        """Every match of each firm, the strongest first, as ``id:strength`` joined by ``;``."""
        fits = self.scores.measured.fits
        found: list[list[str]] = [[] for _ in range(len(self))]
        each = zip(
            fits["firm"].tolist(), fits["segment"].tolist(), fits["strength"].tolist(), strict=True
        )
        for firm, segment, strength in each:
            found[firm].append(f"{segment}:{strength:.2f}")
        return [";".join(matches) or None for matches in found]
