"""The gates against a trial that proves nothing: a leaked outcome, a firm on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pandas as pd

from leadscore.language import Text
from leadscore.learning.promotion.decision import Figure, Gate
from leadscore.learning.promotion.trial import Bounds, Pursuits, Trial
from leadscore.learning.promotion.wording import feature_name, listed
from leadscore.learning.tables.columns import Floats, Truths, coded_texts, holds_numbers, numbers

_TELLING_VALUES = 3  # known values that hardly two firms share
_SMALL = 100.0  # whole numbers below it are shared by many firms


def not_leaked(trial: Trial, bounds: Bounds) -> Gate:
    """Nothing may tell the outcome too well to have been known before it.

    Named are a feature that alone parts the outcomes nearly without overlap, one that is known
    with one kind of outcome only, one that is known only where there is an outcome, and the
    challenger itself if it is nearly never wrong.
    """
    faults: dict[str, tuple[Text, float]] = {}
    for side, pursuits in ((_TRAINING, trial.training), (_LATER, trial.later)):
        for name, sentence, figure in _leaks(side, pursuits, bounds):
            faults.setdefault(name, (sentence, figure))
    y, challenger = trial.later.outcomes, np.asarray(trial.challenger, dtype=np.float64)
    known = trial.later.known
    figures: dict[str, Figure] = {"bound": bounds.telling_auc, "challenger_auc": None}
    if min(trial.later.counts) >= bounds.telling_each:
        score = _auc(pd.Series(challenger[known]), y[known])
        figures["challenger_auc"] = score
        if score > bounds.telling_auc:
            sentence = _CHALLENGER.format(auc=f"{score:.3f}", bound=f"{bounds.telling_auc:g}")
            faults["challenger"] = (sentence, score)
    figures["faults"] = len(faults)
    if not faults:
        return Gate("leak", True, _NONE_LEAKS, figures)
    first, (_, figure) = next(iter(faults.items()))
    figures |= {"feature": first, "figure": figure}
    return Gate("leak", False, listed([sentence for sentence, _ in faults.values()]), figures)


def _leaks(side: Text, pursuits: Pursuits, bounds: Bounds) -> Iterator[tuple[str, Text, float]]:
    known, y = pursuits.known, pursuits.outcomes
    y = y[known]
    enough = min(pursuits.counts) >= bounds.telling_each
    for name, column in pursuits.X.items():
        key, filled = str(name), column.notna().to_numpy()
        places = {"name": feature_name(key), "side": side}
        chance = _one_outcome_only(y, filled[known])
        if chance < bounds.chance:
            yield key, _ONE_OUTCOME.format(count=int(filled[known].sum()), **places), chance
            continue
        share = float(filled[known].mean()) if known.any() else 0.0
        waiting = filled[~known]
        if not waiting.any() and (1.0 - share) ** len(waiting) < bounds.chance:
            yield key, _AFTERWARDS.format(share=f"{share:.0%}", **places), share
            continue
        if enough:
            auc = telling(column[known], key, y)
            if auc > bounds.telling_auc:
                yield key, _ALONE.format(auc=f"{auc:.3f}", **places), auc


def _one_outcome_only(y: Floats, filled: Truths) -> float:
    """Return the chance that a feature is known with one kind of outcome only, or 1 if it isn't."""
    with_it = y[filled]
    if not len(with_it) or np.ptp(with_it) > 0:
        return 1.0
    return float((y == with_it[0]).mean()) ** len(with_it)


def telling(column: pd.Series, name: str, y: Floats) -> float:
    """Return how well a feature alone parts the outcomes, as an AUC.

    Numbers are taken in either order, with the missing ones at either end. A level stands for the
    share of positives among the other rows that have it, so that a level of one row tells
    nothing.
    """
    if holds_numbers(column, name):
        values = pd.Series(numbers(column, name))
        ends = (_auc(values, y, "top"), _auc(values, y, "bottom"))
        return max(*ends, *(1.0 - auc for auc in ends))
    codes = coded_texts(column).codes + 1
    rows, positives = np.bincount(codes)[codes], np.bincount(codes, y)[codes]
    others = np.maximum(rows - 1, 1)
    base = (y.sum() - y) / (len(y) - 1)
    return _auc(pd.Series(np.where(rows > 1, (positives - y) / others, base)), y)


def _auc(values: pd.Series, y: Floats, missing: Literal["top", "bottom"] = "bottom") -> float:
    ranks = values.rank(na_option=missing).to_numpy()
    positives = y.sum()
    above = ranks[y == 1].sum() - positives * (positives + 1) / 2.0
    return float(above / (positives * (len(y) - positives)))


def separate(trial: Trial) -> Gate:
    """No firm may stand both in what was learned from and in what is tested on.

    The same key counts, and so do rows that agree in every feature, with a few values among them
    that hardly two firms share: the same pursuit entered under two keys.
    """
    training, later = (_fingerprints(p) for p in (trial.training, trial.later))
    keys = set(training.index) & set(later.index)
    known = training.dropna()
    others = later[~later.index.isin(keys)].dropna()
    twins = int(others.isin(set(known)).sum())
    figures: dict[str, Figure] = {"firms": len(keys), "twins": twins}
    if not keys and not twins:
        return Gate("separate", True, _SEPARATE, figures)
    return Gate("separate", False, _SHARED.format(**figures), figures)


def _fingerprints(pursuits: Pursuits) -> pd.Series:
    """Return a number for each row of features, by firm; missing where the row tells too little."""
    X = pursuits.X
    plain: dict[str, Any] = {}
    known = np.zeros(len(X), dtype=np.intp)
    for name, column in X.items():
        if holds_numbers(column, str(name)):
            values = numbers(column, str(name))
            known += np.isfinite(values) & ((values % 1 != 0) | (np.abs(values) >= _SMALL))
            plain[str(name)] = values
        else:
            plain[str(name)] = column.astype("str").to_numpy()
    prints = pd.util.hash_pandas_object(pd.DataFrame(plain, index=X.index), index=False)
    firms = pd.Index([str(firm) for firm in pursuits.firm])
    return prints.astype("UInt64").set_axis(firms).where(known >= _TELLING_VALUES)


_TRAINING = Text(zh="训练用的跟进", en="the pursuits learned from")
_LATER = Text(zh="后续跟进", en="the later pursuits")
_NONE_LEAKS = Text(
    zh="没有哪项特征单独就泄露了结果，候选模型也没有准得不像真的。",
    en="No feature alone gives the outcome away, nor is the challenger too good to be true.",
)
_CHALLENGER = Text(
    zh="候选模型准得不像真的：在后续跟进上 AUC 为{auc}（超过{bound}）；特征中很可能混入了结果。",
    en="The challenger is too good to be true: its AUC on the later pursuits is {auc} (above "
    "{bound}); some feature is likely to hold the outcome.",
)
_ALONE = Text(
    zh="{name}单独一项就几乎把{side}的结果完全分开（AUC {auc}），很可能是结果出来之后才填写的；"
    "请核实或去掉。",
    en="{name} alone nearly parts the outcomes of {side} (AUC {auc}) and was probably filled in "
    "after the outcome; check it or leave it out.",
)
_ONE_OUTCOME = Text(
    zh="{name}在{side}中有{count}家已知，而这些企业的结果全都相同，很可能是结果出来之后才填写的；"
    "请核实或去掉。",
    en="{name} is known for {count} of {side}, all with the same outcome, and was probably filled "
    "in after the outcome; check it or leave it out.",
)
_AFTERWARDS = Text(
    zh="{name}在{side}中只有结果已知的企业才有（其中{share}已知），很可能是结果出来之后才填写的；"
    "请核实或去掉。",
    en="{name} is known only where the outcome is ({share} of those in {side}) and was probably "
    "filled in after the outcome; check it or leave it out.",
)
_SEPARATE = Text(
    zh="训练用的跟进与后续跟进没有相同的企业。",
    en="No firm stands both in what was learned from and in what is tested on.",
)
_SHARED = Text(
    zh="训练用的跟进与后续跟进有{firms}家企业相同，另有{twins}家各项特征完全一致；"
    "同一跟进不能既用来学习又用来检验。",
    en="{firms} firm(s) stand both in what was learned from and in what is tested on, and {twins} "
    "more agree in every feature; a pursuit can't be learned from and tested on.",
)
