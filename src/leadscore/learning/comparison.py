"""Champion-challenger comparison: what a decision is made from, and the decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from leadscore.errors import UsageError
from leadscore.features.catalogue import CATALOGUE
from leadscore.learning.binning import Floats, Truths
from leadscore.learning.metrics import Verdicts
from leadscore.learning.scorecard import Scorecard
from leadscore.text import Lang, Text, room_words

WORDS = room_words("learning")


def feature_name(key: str) -> Text:
    """Return what a feature measures, or its bare name if the catalogue does not know it.

    >>> feature_name("registered_capital_cny").en
    '“registered capital in yuan”'
    """
    known = CATALOGUE.get(key)
    name = known.meaning if known else Text(zh=key, en=key)
    return Text(zh=f"“{name.zh}”", en=f"“{name.en}”")


def feature_value(key: str, value: float) -> Text:
    """Return a value with its unit, or with three digits if the catalogue does not know it.

    >>> feature_value("registered_capital_cny", 5e7).zh, feature_value("x", 0.25).zh
    ('5,000万元', '0.25')
    """
    known = CATALOGUE.get(key)
    if known is None:
        return Text(zh=f"{value:.3g}", en=f"{value:.3g}")
    return Text(zh=known.show(value, "zh"), en=known.show(value, "en"))


def listed(texts: list[Text], most: int = 3) -> Text:
    """Join sentences; of many, the first ones and how many more there are."""
    more = len(texts) - most
    zh = "".join(text.zh for text in texts[:most])
    en = " ".join(text.en for text in texts[:most])
    if more > 0:
        zh, en = f"{zh}另有{more}处。", f"{en} There are {more} more."
    return Text(zh=zh, en=en)


Figure = float | int | str | None


@dataclass(frozen=True)
class Gate:
    """One condition that a challenger has to meet.

    Attributes
    ----------
    id
        Stable name.
    passed
        Whether it is met; a condition that can't be told is not.
    sentence
        What was found, with its figures.
    figures
        The same for a program; None for what can't be told.
    """

    id: str
    passed: bool
    sentence: Text
    figures: Mapping[str, Figure]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        sentence = {"zh": self.sentence.zh, "en": self.sentence.en}
        figures = dict(self.figures)
        return {"id": self.id, "passed": self.passed, "sentence": sentence, "figures": figures}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Gate:
        """Build a gate from what `to_dict` returned."""
        return cls(data["id"], data["passed"], Text(**data["sentence"]), dict(data["figures"]))


@dataclass(frozen=True)
class Decision:
    """Whether the challenger replaces the champion, and why.

    Attributes
    ----------
    gates
        Every gate, passed or not.
    overruled
        The reason of a person who promotes it whatever the gates say; None if nobody did.
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
        return self.overruled is not None or not self.failed

    @property
    def failed(self) -> tuple[Gate, ...]:
        """The gates that are not passed."""
        return tuple(gate for gate in self.gates if not gate.passed)

    def overrule(self, reason: str) -> Decision:
        """Return the decision of a person who promotes the challenger for a reason.

        Raises
        ------
        UsageError
            If the reason is blank.
        """
        return replace(self, overruled=reason)

    def render(self, lang: Lang) -> str:
        """Return the decision as lines: the outcome, then a sentence for each gate."""
        failed = len(self.failed)
        if self.overruled is not None:
            head = WORDS["comparison.overruled"].format(count=failed, reason=self.overruled)
        else:
            head = (
                WORDS["comparison.refused"].format(count=failed)
                if failed
                else WORDS["comparison.promoted"]
            )
        lines = [f"{'✓' if gate.passed else '✗'} {gate.sentence.pick(lang)}" for gate in self.gates]
        return "\n".join([head.pick(lang), *lines])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` gives the decision back."""
        gates = [gate.to_dict() for gate in self.gates]
        return {"promoted": self.promoted, "gates": gates, "overruled": self.overruled}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Decision:
        """Build a decision from what `to_dict` returned."""
        return cls(tuple(Gate.from_dict(gate) for gate in data["gates"]), data["overruled"])


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
        that are better (see `leadscore.learning.gates.better`).
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
