"""The gate that keeps scores of the standing list from jumping, and the measure behind it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from leadscore.language import Text
from leadscore.learning.evaluation.measures import SURE
from leadscore.learning.evaluation.scoresheet import told
from leadscore.learning.promotion.decision import Figure, Gate
from leadscore.learning.promotion.trial import Bounds, Trial
from leadscore.learning.tables.columns import Floats
from leadscore.learning.tables.scorecard import log_odds_to_points

_BINS = 10
_FEWEST_IN_BIN = 5
_NO_SPREAD = 1e-6  # log-odds


def population_stability(before: Floats, after: Floats) -> float:
    """Return the population stability index of two samples of numbers; NaN for very few.

    Bins are tenths of ``before`` (fewer for few numbers); half a case is added to each bin, so
    that an empty one counts much but not without bound. 0 is the same distribution, 0.1 a slight
    shift, 0.25 one that needs an explanation.
    """
    bins = min(_BINS, min(len(before), len(after)) // _FEWEST_IN_BIN)
    if bins < 2:
        return math.nan
    edges = np.unique(np.quantile(before, np.arange(1, bins) / bins))
    shares = []
    for sample in (before, after):
        counts = np.bincount(np.searchsorted(edges, sample, side="right"), minlength=len(edges) + 1)
        shares.append((counts + 0.5) / (len(sample) + 0.5 * len(counts)))
    old, new = shares
    return float(((new - old) * np.log(new / old)).sum())


def stable(trial: Trial, bounds: Bounds) -> Gate:
    """Hold the standing list's scores by both models against each other.

    A model that learns may rightly move all scores together (the base rate becomes known) and
    draw them apart (more is known of each firm), so the shift is told in three parts, each with
    its bound: the odds of the typical firm, the spread of the log-odds, and the population
    stability index of the log-odds once mean and spread are made equal. Without a standing
    list the later pursuits stand in for it. Level and spread within their bounds are looked at
    together as well: where a share r of the outcomes is noted as its opposite, a likelihood p is
    learned as r + (1 - 2 r) p, so that all log-odds move towards 0 and towards each other. What
    truly was learned does one or the other, hardly ever both. Where a card that has hardly
    learned yet gives every firm the same score, there is nothing that spread and shape could have
    jumped from.
    """
    standing = trial.standing
    scored = trial if standing is None else standing
    new, old = _log_odds(scored.challenger), _log_odds(scored.champion)
    if not len(new):
        return Gate("stability", False, _NO_FIRMS, {"firms": 0})
    typical_new, typical_old = float(np.median(new)), float(np.median(old))
    spread_new, spread_old = float(new.std()), float(old.std())
    moved = math.exp(typical_new - typical_old)
    first = trial.champion_outcomes < bounds.settled
    most = bounds.first_odds if first else bounds.odds
    narrowest, widest = bounds.first_spread if first else bounds.spread
    flat = spread_old < _NO_SPREAD
    wider = math.nan if flat else spread_new / spread_old
    psi = math.nan
    if not flat and spread_new >= _NO_SPREAD:
        psi = population_stability((old - old.mean()) / spread_old, (new - new.mean()) / spread_new)
    level_held = 1.0 / most <= moved <= most
    nothing_before = flat and (first or spread_new < _NO_SPREAD)
    spread_held = nothing_before or narrowest <= wider <= widest
    shape_held = math.isnan(psi) or psi < bounds.psi
    nearer_even = abs(typical_old) - abs(typical_new)
    mixed = nearer_even > math.log(bounds.even_odds) and wider < bounds.even_spread
    figures: dict[str, Figure] = {
        "firms": len(new),
        "challenger": float(expit(typical_new)),
        "champion": float(expit(typical_old)),
        "odds": moved,
        "odds_bound": most,
        "spread_challenger": log_odds_to_points(spread_new),
        "spread_champion": log_odds_to_points(spread_old),
        "spread": told(wider),
        "spread_least": narrowest,
        "spread_most": widest,
        "psi": told(psi),
        "psi_raw": told(population_stability(old, new)),
    }
    faults = (not level_held, not spread_held, not shape_held, mixed)
    return Gate("stability", not any(faults), _sentence(figures, faults, trial, bounds), figures)


def _log_odds(p: ArrayLike) -> Floats:
    sure = np.clip(np.asarray(p, dtype=np.float64), SURE, 1.0 - SURE)
    log_odds: Floats = np.log(sure) - np.log1p(-sure)
    return log_odds


def _sentence(
    figures: dict[str, Figure], faults: tuple[bool, ...], trial: Trial, bounds: Bounds
) -> Text:
    def number(name: str, shape: str) -> str:
        value = figures[name]
        return "—" if value is None else format(value, shape)

    places = {
        "list": _LATER if trial.standing is None else _STANDING,
        "firms": figures["firms"],
        "champion": number("champion", ".1%"),
        "challenger": number("challenger", ".1%"),
        "odds": number("odds", ".2g"),
        "most": number("odds_bound", "g"),
        "old": number("spread_champion", ".0f"),
        "new": number("spread_challenger", ".0f"),
        "wider": number("spread", ".2f"),
        "least_spread": number("spread_least", "g"),
        "most_spread": number("spread_most", "g"),
        "psi": number("psi", ".2f"),
        "bound": f"{bounds.psi:g}",
    }
    if any(faults):
        told_of = zip((_LEVEL, _SPREAD, _SHAPE, _MIXED), faults, strict=True)
        parts = [part for part, fault in told_of if fault]
    else:
        parts = [_LEVEL, _SPREAD, _SHAPE]
    head = _JUMPED if any(faults) else _HELD
    zh = "；".join(part.zh for part in parts)
    en = "; ".join(part.en for part in parts)
    return Text(zh=f"{head.zh}{zh}。", en=f"{head.en}{en}.").format(**places)


_STANDING = Text(zh="在册名单", en="the standing list")
_LATER = Text(zh="后续跟进", en="the later pursuits (no standing list was given)")
_NO_FIRMS = Text(
    zh="没有在册名单，也没有后续跟进，无法判断评分是否突变。",
    en="There is neither a standing list nor a later pursuit, so a jump of scores can't be told.",
)
_HELD = Text(
    zh="{list}（{firms}家）的评分没有突变：", en="The scores of {list} ({firms}) have not jumped: "
)
_JUMPED = Text(
    zh="{list}（{firms}家）的评分发生突变：", en="The scores of {list} ({firms}) have jumped: "
)
_LEVEL = Text(
    zh="一般企业的落地可能性由{champion}变为{challenger}，胜算为原来的{odds}倍（允许{most}倍以内，增减皆然）",
    en="the typical likelihood went from {champion} to {challenger}, the odds times {odds} "
    "(at most {most}, either way)",
)
_SPREAD = Text(
    zh="分数的离散程度由{old}分变为{new}分（允许原来的{least_spread}至{most_spread}倍）",
    en="the spread went from {old} to {new} points (allowed: times {least_spread} to "
    "{most_spread})",
)
_SHAPE = Text(
    zh="扣除水平与离散后的群体稳定性指数（PSI）为{psi}（须低于{bound}）",
    en="the population stability index, level and spread taken out, is {psi} (below {bound})",
)
_MIXED = Text(
    zh="所有评分都被拉向五五开：一般企业的胜算为原来的{odds}倍，离散程度只有原来的{wider}倍；"
    "结果常被记反时就会如此，请核对结果是怎样登记的",
    en="all scores were drawn towards even odds: those of the typical firm times {odds}, the "
    "spread times {wider}; outcomes that were often noted as their opposite do that, so check how "
    "they were recorded",
)
