"""Champion-challenger comparison: what a decision is made from, and the decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from leadscore.errors import UsageError
from leadscore.learning.evaluation import MARKS, GateState
from leadscore.learning.metrics import (
    FINEST,
    Forecasts,
    Ties,
    captured,
    discrimination,
    interval,
    losses,
    reordered,
    resampled,
    tied,
)
from leadscore.learning.scorecard import Floats, Scorecard, Truths
from leadscore.text import Lang, Text, room_words

WORDS = room_words("learning")

LIFT_SHARE = 0.2
COMPARED = ("log_loss", "auc", "average_precision", "brier", "lift_20")
"""The named measures, in one of which a challenger has to be better."""
_BETTER = np.array([-1.0, 1.0, 1.0, -1.0, 1.0])  # the sign of a change for the better

Figure = float | int | str | None


@dataclass(frozen=True)
class Gate:
    """One condition that a challenger has to meet; where nothing could be measured it is not met.

    The figures say the same as the sentence for a program; None for what can't be told.
    """

    id: str
    state: GateState
    sentence: Text
    figures: Mapping[str, Figure]

    @property
    def passed(self) -> bool:
        """Whether it was measured, and is met."""
        return self.state == "passed"


@dataclass(frozen=True)
class Decision:
    """Whether the challenger replaces the champion, and why.

    ``overruled`` is why a person promotes it whatever the gates say; a UsageError if it is blank.
    """

    gates: tuple[Gate, ...]
    overruled: str | None = None

    def __post_init__(self) -> None:
        """Refuse a reason that says nothing."""
        if self.overruled is not None:
            if not self.overruled.strip():
                raise UsageError(WORDS["comparison.no_reason"])
            vars(self)["overruled"] = self.overruled.strip()

    @property
    def promoted(self) -> bool:
        """Whether every gate is passed, or a person overruled them."""
        return self.overruled is not None or all(gate.passed for gate in self.gates)

    def of_state(self, state: GateState) -> tuple[Gate, ...]:
        """Return the gates of one state."""
        return tuple(gate for gate in self.gates if gate.state == state)

    @property
    def failed(self) -> tuple[Gate, ...]:
        """The gates that were measured and are not met."""
        return self.of_state("failed")

    @property
    def unmeasured(self) -> tuple[Gate, ...]:
        """The gates at which nothing could be measured; none of them counts as passed."""
        return self.of_state("not_measured")

    def render(self, lang: Lang) -> str:
        """Return the decision as lines: the outcome, then a sentence for each gate."""
        result = "promoted" if self.promoted else "refused"
        result = "overruled" if self.overruled is not None else result
        head = WORDS[f"comparison.{result}"].format(
            count=len(self.failed), unmeasured=len(self.unmeasured), reason=self.overruled
        )
        lines = [f"{MARKS[gate.state]} {gate.sentence.pick(lang)}" for gate in self.gates]
        return "\n".join([head.pick(lang), *lines])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        gates = [asdict(gate) | {"passed": gate.passed} for gate in self.gates]
        return {"promoted": self.promoted, "gates": gates, "overruled": self.overruled}


@dataclass(frozen=True, eq=False)
class Pursuits:
    """n pursuits as they were known before first contact, and what became of them.

    ``y`` is 1 where the target was reached, 0 where not, NaN where that is not known yet, and there
    the weight is 0. Of the rows in ``assumed`` only what hardly changes is known, and that from
    later (see `leadscore.learning.training_data.training_set`); None if there are none such.
    """

    firm: Sequence[str] | pd.Series
    X: pd.DataFrame
    y: ArrayLike
    weight: ArrayLike
    assumed: Truths | None = None

    def __post_init__(self) -> None:
        """Refuse columns of different lengths."""
        if len({len(self.firm), len(self.X), np.size(self.y), np.size(self.weight)}) > 1:
            msg = "Firms, features, outcomes and weights must be of the same length."
            raise ValueError(msg)

    def parted(self) -> tuple[Pursuits, Pursuits | None]:
        """Return those that were known before first contact, and those that were assumed."""
        if self.assumed is None or not self.assumed.any():
            return self, None
        firm, y, weight = pd.Series(self.firm), np.asarray(self.y), np.asarray(self.weight)
        known, assumed = (
            Pursuits(
                firm[rows].reset_index(drop=True), self.X[rows].reset_index(drop=True), y[rows],
                weight[rows],
            )
            for rows in (~self.assumed, self.assumed)
        )  # fmt: skip
        return known, assumed

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
    """The standing list: features of the firms that the office ranks now, and both likelihoods."""

    X: pd.DataFrame
    challenger: ArrayLike
    champion: ArrayLike


@dataclass(frozen=True, eq=False)
class Comparison:
    """A challenger held against the champion on later pursuits.

    The forecasts for each row of ``later`` are from models that learned from ``training`` at most;
    ``scorecard`` is the card that would serve, ``directions`` are 1 or -1 for a feature that must
    not run the other way. The standing list is scored by the model that would serve and by the one
    that does. ``champion_outcomes`` is from how many known outcomes the champion learned; 0 for the
    experts' card.
    """

    training: Pursuits
    later: Pursuits
    challenger: ArrayLike
    champion: ArrayLike
    scorecard: Scorecard
    directions: Mapping[str, int] = field(default_factory=dict)
    standing: Standing | None = None
    champion_outcomes: int = 0

    def forecasts(self) -> Forecasts:
        """Return the known later pursuits with the challenger's and the champion's forecasts."""
        return Forecasts.of(self.later.y, self.later.weight, self.challenger, self.champion)


class Difference(NamedTuple):
    """One measure of both, and by how much the challenger is better; NaN where it can't be told.

    The ends of the 90 % interval of ``better`` are from resamples of the pursuits.
    """

    challenger: float
    champion: float
    better: float
    low: float
    high: float


class Improvement(NamedTuple):
    """Challenger against champion, in each measure of `COMPARED`.

    ``best`` speaks most clearly for the challenger; None if none can be told. ``p_value`` is the
    share of cases in which two equally good models would show one that speaks as clearly, over all
    measures together; 1 if none can be told.
    """

    differences: dict[str, Difference]
    best: str | None
    p_value: float


def improvement(known: Forecasts, n_bootstrap: int, seed: int) -> Improvement:
    """Compare the first forecast of the pursuits, the challenger's, with the second.

    Both are measured on the same resamples, so what is hard or easy for both does not count as
    noise. Each improvement is divided by its standard error over the resamples; the greatest of
    these ratios is held against the greatest that the resamples scatter around the truth (a
    bootstrap max-t test, Westfall & Young 1993), so that five measures are not five chances.
    """
    y, weight = known.y, known.weight
    nothing = np.full((1, 2, len(COMPARED)), np.nan)
    if not len(known):
        return _improvement(nothing[0], nothing[0], nothing[:0])
    exact = [tied(y, p) for p in known.forecasts]
    coarse = [tied(y, p, FINEST) for p in known.forecasts]
    values, near = (
        np.stack([_measures(ties.mass(weight), ties)[0] for ties in both])
        for both in (exact, coarse)
    )
    draws = [
        np.stack([_measures(m, ties) for m, ties in zip(masses, coarse, strict=True)], axis=1)
        for masses in resampled(coarse, weight, n_bootstrap, seed)
    ]
    return _improvement(values, near, np.concatenate(draws) if draws else nothing[:0])


def _measures(mass: Floats, ties: Ties) -> Floats:
    # The named measures, shape (r, measures).
    measures = {**discrimination(mass), **losses(mass, ties)}
    measures["lift_20"] = captured(mass, LIFT_SHARE) / LIFT_SHARE
    return np.stack([measures[name] for name in COMPARED], axis=1)


def _improvement(values: Floats, near: Floats, draws: Floats) -> Improvement:
    better = (values[0] - values[1]) * _BETTER
    scatter = (draws[:, 0] - draws[:, 1] - (near[0] - near[1])) * _BETTER
    differences = {
        name: Difference(
            float(values[0, i]),
            float(values[1, i]),
            float(better[i]),
            *interval(better[i] + scatter[:, i]),
        )
        for i, name in enumerate(COMPARED)
    }
    sound = scatter[~np.isnan(scatter[:, ~np.isnan(better)]).any(axis=1)]
    error = sound.std(axis=0) if len(sound) else np.zeros(len(COMPARED))
    usable = np.flatnonzero((error > 0) & ~np.isnan(better))
    if not len(usable):
        return Improvement(differences, None, 1.0)
    ratios = better[usable] / error[usable]
    by_chance = (sound[:, usable] / error[usable]).max(axis=1)
    p_value = (1.0 + (by_chance >= ratios.max()).sum()) / (1.0 + len(sound))
    return Improvement(differences, COMPARED[usable[np.argmax(ratios)]], float(p_value))


def permutation_p_value(known: Forecasts, n_orders: int, seed: int) -> float:
    """Return in which share of cases firms in no order at all would be ordered as well, 0..1.

    A permutation test of the AUC (Fisher 1935) of the first forecast, the challenger's: the
    outcomes are dealt out to the firms anew, each with its weight. 1 if the AUC can't be told.
    """
    if not len(known):
        return 1.0
    ties = tied(known.y, known.forecasts[0], FINEST)
    auc = float(discrimination(ties.mass(known.weight))["auc"][0])
    by_chance = [
        discrimination(masses)["auc"] for masses in reordered(ties, known.weight, n_orders, seed)
    ]
    if np.isnan(auc) or not by_chance:
        return 1.0
    # Sums in another order differ in their last digits.
    as_well = int((np.concatenate(by_chance) >= auc - 1e-9).sum())
    return (1.0 + as_well) / (1.0 + n_orders)
