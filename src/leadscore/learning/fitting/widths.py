"""How far the data may be expected to move a prior, in log-odds: the widths of Gaussian priors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Widths:
    """Standard deviations of what the data may change, in log-odds.

    Attributes
    ----------
    trend
        The straight trend of a feature of numbers, from its low to its high end.
    step
        What its two ends may drift apart beyond the trend. A step between neighbouring bins has
        this width times the root of their distance, so that finer bins mean the same prior.
    level
        An entry of a feature of texts.
    unknown
        The entry of a missing value.
    intercept
        The intercept.
    doubt
        By which factor the prior's card may be too strong or too weak, as a whole and again in
        each of its tables; 0 where there is no prior.
    factors
        For each feature, by what its widths (doubt apart) are multiplied; empty: all by 1.
    """

    trend: float
    step: float
    level: float
    unknown: float
    intercept: float
    doubt: float = 0.0
    factors: tuple[float, ...] = ()

    def factor(self, feature: int) -> float:
        """Return by what the widths of a feature are multiplied."""
        return self.factors[feature] if feature < len(self.factors) else 1.0
