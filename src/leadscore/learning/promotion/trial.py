"""What a decision on a challenger is made from: pursuits, forecasts, cards, and the bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from leadscore.learning.evaluation.verdicts import Verdicts
from leadscore.learning.tables.columns import Floats, Truths
from leadscore.learning.tables.scorecard import Scorecard


@dataclass(frozen=True, eq=False)
class Pursuits:
    """Pursuits as they were known before first contact, and what became of them.

    Attributes
    ----------
    firm
        Length n, the key of each firm.
    X
        n rows of features.
    y
        Shape (n,), 1 reached the target, 0 did not, NaN not known yet.
    weight
        Shape (n,), at least 0; 0 where the outcome is not known.
    """

    firm: Sequence[str] | pd.Series
    X: pd.DataFrame
    y: ArrayLike
    weight: ArrayLike

    def __post_init__(self) -> None:
        """Refuse columns of different lengths."""
        if len({len(self.firm), len(self.X), np.size(self.y), np.size(self.weight)}) > 1:
            msg = "Firms, features, outcomes and weights must be of the same length."
            raise ValueError(msg)

    @property
    def outcomes(self) -> Floats:
        """Outcomes, NaN where none is known or the weight is 0, shape (n,)."""
        y = np.asarray(self.y, dtype=np.float64)
        return np.where(np.asarray(self.weight, dtype=np.float64) > 0, y, np.nan)

    @property
    def known(self) -> Truths:
        """Whether an outcome is known, shape (n,)."""
        return ~np.isnan(self.outcomes)

    @property
    def counts(self) -> tuple[int, int]:
        """How many are known to have missed the target, and to have reached it."""
        y = self.outcomes
        return int((y == 0).sum()), int((y == 1).sum())


@dataclass(frozen=True, eq=False)
class Standing:
    """The standing list: the firms that the office ranks now, scored by both models.

    Attributes
    ----------
    X
        m rows of features.
    challenger, champion
        Shape (m,), likelihoods 0..1.
    """

    X: pd.DataFrame
    challenger: ArrayLike
    champion: ArrayLike


@dataclass(frozen=True, eq=False)
class Trial:
    """The challenger's trial.

    Attributes
    ----------
    training
        What the challenger on trial learned from.
    later
        Pursuits that began after those.
    challenger, champion
        Forecasts 0..1 for each row of ``later``, from models that learned from ``training`` at
        most.
    scorecard
        The card that would serve.
    directions
        1 or -1 for a feature that must not run the other way.
    standing
        The standing list, scored by the model that would serve and by the one that does; None
        if there is none.
    champion_outcomes
        From how many known outcomes the champion learned; 0 for the experts' card.
    """

    training: Pursuits
    later: Pursuits
    challenger: ArrayLike
    champion: ArrayLike
    scorecard: Scorecard
    directions: Mapping[str, int] = field(default_factory=dict)
    standing: Standing | None = None
    champion_outcomes: int = 0

    def verdicts(self) -> Verdicts:
        """Return the known later pursuits with the challenger's and the champion's forecasts.

        Raises
        ------
        ValueError
            If forecasts are not as many as the later pursuits, or not 0..1.
        """
        return Verdicts.of(self.later.y, self.later.weight, self.challenger, self.champion)


@dataclass(frozen=True)
class Bounds:
    """Where each gate closes; every default has its reason.

    Attributes
    ----------
    least_later, least_each
        Known outcomes among the later pursuits, and of either kind. Below 20 with 3 of a kind
        even a perfect forecast can't be told from luck by the measures here.
    least_training_each
        Known outcomes of either kind to learn from: with one kind only there is nothing to part.
    luck
        Luck may explain an improvement, over all named measures together, in at most this share
        of cases. A stricter bound keeps out more equals, which do no harm, and more of those
        that are better (see `leadscore.learning.promotion.contest.better`).
    order_luck
        Firms in no order at all may have the challenger's AUC in at most this share of cases.
        Measured (`benchmarks/gates.py`): it stops what is learned from labels of which 30 % are
        flipped, and hardly anything that is sound.
    slope
        Calibration slope: a forecast twice as far from the base, in log-odds, as it should be,
        or half as far, misleads whoever weighs one firm against another.
    settled
        Outcomes from which on a champion counts as knowing the base rate: with 100, of which 10
        reached the target, its standard error is half a doubling of the odds.
    first_odds, odds
        By which factor the odds of the typical firm on the standing list may move, either way:
        two doublings while the champion's base rate is the experts' guess, one doubling once it
        is settled. (5 % may become 17 % at first, but not 32 %.)
    first_spread, spread
        By which factors the spread of the log-odds on the standing list may change, in the same
        two cases. Careful experts spread firms less than outcomes do (measured: they doubled it
        in simulations); labels of which 30 % are flipped leave 0.4 of it.
    even_odds, even_spread
        The typical odds may not come nearer to even by more than the first factor while the spread
        falls below the second: that is what wrongly noted outcomes look like. Measured
        (`benchmarks/gates.py`): labels of which 30 % are flipped move the odds by 1.7 and more and
        leave 0.7 of the spread at most; of sound challengers that pass all else none does both.
    psi
        Population stability index of the standing list's scores once level and spread are taken
        out: 0.25 is the usual mark of a shift that needs an explanation.
    beyond, beyond_share, beyond_rows
        A feature has another kind of values on one side if this share of its firms, and this
        number, lie further than the factor ``beyond`` outside nearly all values of the other
        side. A mistaken unit (10,000) goes far beyond, selection of larger firms (below 10)
        does not.
    apart
        ... and if the typical one of those lies this factor away from the other side's median.
    absent
        A feature that is known on one side only is named if chance would do that in less than
        this share of cases.
    telling_auc, telling_each
        A single feature, or the challenger, that parts outcomes better than this on at least so
        many of either kind is too good to be true.
    chance
        A feature that is known with one kind of outcome only is named if chance would do that in
        less than this share of cases.
    """

    least_later: int = 20
    least_each: int = 3
    least_training_each: int = 1
    luck: float = 0.15
    order_luck: float = 0.01
    slope: tuple[float, float] = (0.5, 2.0)
    settled: int = 100
    first_odds: float = 4.0
    odds: float = 2.0
    first_spread: tuple[float, float] = (0.5, 3.0)
    spread: tuple[float, float] = (0.5, 2.0)
    even_odds: float = 1.5
    even_spread: float = 0.7
    psi: float = 0.25
    beyond: float = 10.0
    beyond_share: float = 0.05
    beyond_rows: int = 3
    apart: float = 50.0
    absent: float = 0.001
    telling_auc: float = 0.98
    telling_each: int = 5
    chance: float = 1e-6
