"""Champion-challenger comparison: what a decision is made from, and the decision."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from leadscore.errors import UsageError
from leadscore.learning.evaluation import MARKS, GateState, Measure
from leadscore.learning.history import effective_weights
from leadscore.learning.metrics import (
    FINEST,
    Forecasts,
    Ties,
    captured,
    discrimination,
    finite_or_none,
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
_SURE = 1e-6  # no forecast is surer than this, or one surprise would outweigh everything
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

    The forecasts for each row of ``later`` are from models that learned from ``training`` at most,
    or before the last of several forward ``splits``;
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
    splits: int = 1

    @property
    def scored(self) -> tuple[Floats, Floats]:
        """Both likelihoods of the firms on the standing list, or of the later pursuits."""
        on = self.standing or self
        return np.asarray(on.challenger, dtype=float), np.asarray(on.champion, dtype=float)

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


class Evidence(NamedTuple):
    """The log of how many times as likely outcomes are under the challenger as under the champion.

    ``expected`` is what it would be on average if the challenger were right, ``deviation`` by how
    much it would vary then. Were the champion right, ``log_ratio`` would ever exceed log(1 / a),
    however often one looks, in at most a share a of cases (Ville 1939).
    """

    log_ratio: float
    expected: float
    deviation: float

    @property
    def shortfall(self) -> float:
        """By how many standard deviations the outcomes fall short of what the challenger says."""
        return (self.expected - self.log_ratio) / self.deviation if self.deviation else 0.0


def evidence(known: Forecasts) -> Evidence:
    """Return what later outcomes say for the first of two forecasts that were made before.

    Each pursuit counts as what it is worth (`effective_weights`). NaN where no outcome is known.
    """
    if not len(known):
        return Evidence(math.nan, math.nan, math.nan)
    first, second = (np.clip(p, _SURE, 1.0 - _SURE) for p in known.forecasts)
    worth = effective_weights(known.weight)
    landed, missed = np.log(first / second), np.log((1.0 - first) / (1.0 - second))
    variance = first * (1.0 - first) * (landed - missed) ** 2
    return Evidence(
        float(worth @ np.where(known.y == 1, landed, missed)),
        float(worth @ (first * landed + (1.0 - first) * missed)),
        math.sqrt(float(worth**2 @ variance)),
    )


def promised(challenger: Floats, champion: Floats) -> float:
    """Return by how much the challenger expects its log loss to be lower, on n firms; NaN of none.

    The mean divergence of both likelihoods (Kullback and Leibler 1951): what it would gain if it
    were right.
    """
    if not len(challenger):
        return float("nan")
    p, q = (np.clip(values, _SURE, 1.0 - _SURE) for values in (challenger, champion))
    return float((p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean())


def permutation_p_value(known: Forecasts, n_orders: int, seed: int, which: int = 0) -> float:
    """Return in which share of cases firms in no order at all would be ordered as well, 0..1.

    A permutation test of the AUC (Fisher 1935) of the first forecast, the challenger's, unless
    ``which`` says another: the outcomes are dealt out to the firms anew, each with its weight. 1 if
    the AUC can't be told.
    """
    if not len(known):
        return 1.0
    ties = tied(known.y, known.forecasts[which], FINEST)
    auc = float(discrimination(ties.mass(known.weight))["auc"][0])
    by_chance = [
        discrimination(masses)["auc"] for masses in reordered(ties, known.weight, n_orders, seed)
    ]
    if np.isnan(auc) or not by_chance:
        return 1.0
    # Sums in another order differ in their last digits.
    as_well = int((np.concatenate(by_chance) >= auc - 1e-9).sum())
    return (1.0 + as_well) / (1.0 + n_orders)


def worded_gate(
    gate_id: str, passed: bool | None, key: str, figures: Mapping[str, Figure], **places: object
) -> Gate:
    """Return a gate with its sentence; None has passed: there was nothing to measure."""
    state: GateState = "not_measured" if passed is None else "passed" if passed else "failed"
    return Gate(gate_id, state, WORDS[f"gates.{key}"].format(**places), figures)


# A challenger is better beyond doubt if the later outcomes are so many times as likely under it.
# Were the champion right, that would ever happen, however often one retrains, in at most one of as
# many cases (see `evidence`).
_BEYOND_DOUBT = 20.0
# A challenger that is no surer than what it learned from is worth more than its champion unless the
# later outcomes speak against it: they may not be less than this many times as likely, and it must
# promise to lower the log loss by this much, or there is nothing to replace a champion for; nor may
# they fall short of that promise by more standard deviations than chance has it in 5 of 100 cases.
# Measured (`benchmarks/gates.py`): by evidence alone few that are better by 0.05 are let through.
_LEAST_LIKELY, _LEAST_PROMISED, _MOST_SHORT = 0.5, 0.01, 1.645
# Firms in no order at all may have the challenger's AUC in at most this share of cases. Measured
# (`benchmarks/gates.py`): it stops what is learned from labels of which 30 % are flipped, and
# hardly anything that is sound.
MOST_ORDER_P_VALUE = 0.01
# Calibration slope: a forecast twice as far from the base, in log-odds, as it should be, or half as
# far, misleads whoever weighs one firm against another.
_SLOPE = (0.5, 2.0)


def log_loss_gate(measured: Improvement, log_ratio: float, splits: int) -> Gate:
    """Later outcomes must not speak against it: be half as likely as under the champion, or less.

    ``log_ratio`` is that of how many times as likely they are, see `evidence`.
    """
    loss = measured.differences["log_loss"]
    figures: dict[str, Figure] = {k: finite_or_none(v) for k, v in loss._asdict().items()}
    figures |= {"evidence": finite_or_none(log_ratio), "least": _LEAST_LIKELY, "splits": splits}
    if math.isnan(log_ratio):
        return worded_gate("log_loss", None, "no_loss", figures)
    passed = log_ratio >= math.log(_LEAST_LIKELY)
    verdict = "loss_better" if log_ratio >= 0 else "not_worse"
    return worded_gate(
        "log_loss", passed, verdict if passed else "worse", figures, **_shown(loss),
        splits=splits, likely=_times(log_ratio), least=f"{_LEAST_LIKELY:g}",
    )  # fmt: skip


def improvement_gate(measured: Improvement, later: Evidence, promise: float, outcomes: int) -> Gate:
    """It must be better beyond doubt, or promise to be while the later outcomes allow it.

    The first is for whatever comes, since it holds however often one looks; the second for a
    challenger that, as ours do, moves away from its champion no further than outcomes warrant.
    What outcomes allow is neither less than half as likely nor clearly short of the promise.
    """
    best, log_ratio = measured.best, later.log_ratio
    figures: dict[str, Figure] = {
        "measure": best, "luck": measured.p_value, "evidence": finite_or_none(log_ratio),
        "bound": _BEYOND_DOUBT, "promised": finite_or_none(promise), "least": _LEAST_PROMISED,
        "shortfall": finite_or_none(later.shortfall),
    }  # fmt: skip
    for name in COMPARED:
        figures[name] = finite_or_none(measured.differences[name].better)
    if math.isnan(log_ratio):
        return worded_gate("better", None, "no_measure", figures)
    beyond = math.log(_BEYOND_DOUBT)
    clear = log_ratio >= beyond
    short = later.shortfall > _MOST_SHORT
    allowed = log_ratio >= math.log(_LEAST_LIKELY) and promise >= _LEAST_PROMISED and not short
    # How many further outcomes that speak as these do it takes.
    more = math.ceil(outcomes * (beyond / log_ratio - 1.0)) if 0 < log_ratio < beyond else None
    figures["outcomes_needed"] = more
    verdict = "better" if clear else "promising" if allowed else "not_better"
    if verdict == "not_better" and promise < _LEAST_PROMISED:
        verdict = "no_difference"
    elif verdict == "not_better" and short:
        verdict = "short"
    return worded_gate(
        "better", clear or allowed, verdict, figures, likely=_times(log_ratio),
        bound=f"{_BEYOND_DOUBT:g}", promised="—" if math.isnan(promise) else f"{promise:.3f}",
        least=f"{_LEAST_PROMISED:g}", least_likely=f"{_LEAST_LIKELY:g}",
        expected=_times(0.0 if math.isnan(later.expected) else later.expected),
    )  # fmt: skip


def _times(log_ratio: float) -> str:
    """Return a likelihood ratio in two digits.

    >>> _times(math.log(0.456)), _times(9.0), _times(-20.0)
    ('0.46', '>1000', '<0.001')
    """
    times = math.exp(min(log_ratio, 50.0))
    return ">1000" if times > 1000 else "<0.001" if times < 0.001 else f"{times:.2g}"


def discrimination_gate(auc: Difference, p_value: float, champion: float) -> Gate:
    """It must tell those who land from those who don't beyond doubt, or as well as its champion.

    What else it may have learned, such as the base rate, is of no use to whoever asks which of two
    firms to court. But where the ``champion`` (its p-value) can't be told from lot either, nothing
    is lost as long as the challenger isn't clearly behind it. See `permutation_p_value`.
    """
    figures: dict[str, Figure] = {
        "auc": finite_or_none(auc.challenger), "luck": p_value, "bound": MOST_ORDER_P_VALUE,
        "champion": finite_or_none(auc.champion), "champion_luck": champion,
    }  # fmt: skip
    if math.isnan(auc.challenger):
        return worded_gate("order", None, "no_order", figures)
    ordered = p_value <= MOST_ORDER_P_VALUE
    as_well = champion > MOST_ORDER_P_VALUE and not auc.high < 0
    verdict = "ordered" if ordered else "ordered_as_well" if as_well else "hardly_ordered"
    return worded_gate(
        "order", ordered or as_well, verdict, figures, auc=f"{auc.challenger:.3f}",
        champion=f"{auc.champion:.3f}", luck=_in_hundred(p_value),
        bound=f"{100 * MOST_ORDER_P_VALUE:g}",
    )  # fmt: skip


def calibration_gate(slope: Measure) -> Gate:
    """Its calibration slope must lie within bounds, as far as the later pursuits can tell.

    With few pursuits the slope is known only roughly, so it is outside only if its whole
    interval is; a slope of 0 or below is never inside.
    """
    least, most = _SLOPE
    value, low, high = slope.value, slope.low, slope.high
    figures = {"slope": value, "low": low, "high": high, "least": least, "most": most}
    if value is None:
        return worded_gate("calibration", None, "no_slope", figures)
    if low is None and high is None and not least <= value <= most:
        return worded_gate("calibration", None, "no_interval", figures, slope=f"{value:.2f}",
                           least=f"{least:g}", most=f"{most:g}")  # fmt: skip
    within = (high is None or high >= least) and (low is None or low <= most)
    passed = within and value > 0
    if least <= value <= most:
        verdict = "calibrated"
    elif passed:
        verdict = "uncertain"
    else:
        verdict = "too_extreme" if value < least else "too_timid"
    return worded_gate(
        "calibration", passed, verdict, figures, slope=f"{value:.2f}", least=f"{least:g}",
        most=f"{most:g}", low="-∞" if low is None else f"{low:.2f}",
        high="∞" if high is None else f"{high:.2f}",
    )  # fmt: skip


def _in_hundred(p_value: float) -> str:
    return f"{100 * p_value:.0f}" if p_value >= 0.01 else "<1"


def _shown(difference: Difference) -> dict[str, str]:
    return {
        "challenger": f"{difference.challenger:.3f}",
        "champion": f"{difference.champion:.3f}",
    }
