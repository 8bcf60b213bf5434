"""Says in outcomes how much the experts' word weighs, and turns that into widths of the prior."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from leadscore.learning.fitting.blocks import Block
from leadscore.learning.fitting.layout import Layout
from leadscore.learning.fitting.widths import Widths
from leadscore.learning.tables.columns import Floats
from leadscore.learning.tables.scorecard import probability

# With so many outcomes behind the experts' word, what else the data may change has this share of
# its widths without a prior. Measured on learning curves with experts who are right, half right
# and wrong: a fifth more or less changes little, half of it learns too late from wrong experts.
_USUAL, _SHARE = 50.0, 0.12
# What the experts say of the order of firms is held more firmly than the level that they expect:
# measured likewise, right experts lose a third less by it and wrong ones are unlearnt as soon.
_FIRMER = 0.6
_LEAST_SPREAD = 0.1  # variance of the prior's scores; a card that says nothing can't be doubted
_MOST_DOUBT = 1.0


def held_by_prior(
    widths: Widths,
    strength: float,
    blocks: Sequence[Block],
    intercept: float,
    weight: Floats,
    heard: Sequence[bool],
) -> Widths:
    """Return widths at which the prior weighs as much as a number of outcomes.

    An outcome tells p (1 - p) about the intercept, and p (1 - p) (score - mean)^2 about how much
    too strong or too weak the card is (its Fisher information); so many times that is the
    precision of the prior, and more of the card's strength. What else may change is narrowed alike.

    Parameters
    ----------
    widths
        The widths without a prior.
    strength
        Number of outcomes, positive.
    blocks, intercept
        The prior.
    weight
        Shape (n,), the weights of the rows; without any, the prior is taken at its intercept.
    heard
        For each feature, whether the prior says anything about it; others are not narrowed.
    """
    score = np.full(max(len(weight), 1), intercept)
    if len(weight):
        for block in blocks:
            score += block.entries[block.codes]
    chance = probability(score)
    told = (weight if len(weight) else np.ones(1)) * chance * (1.0 - chance)
    mean = told @ score / told.sum()
    spread = max(float(told @ (score - mean) ** 2 / told.sum()), _LEAST_SPREAD)
    each = float(told.sum()) / max(float(weight.sum()), 1.0)
    narrower = _SHARE * math.sqrt(_USUAL / strength)
    return replace(
        widths,
        trend=widths.trend * narrower,
        step=widths.step * narrower,
        level=widths.level * narrower,
        unknown=widths.unknown * narrower,
        intercept=1.0 / math.sqrt(strength * each),
        doubt=min(_FIRMER / math.sqrt(strength * each * spread), _MOST_DOUBT),
        factors=tuple(1.0 if listed else 1.0 / narrower for listed in heard),
    )


def words(layout: Layout, blocks: Sequence[Block], weight: Floats) -> Floats:
    """Return what the prior says as vectors: each table that says anything, then all together.

    Each is centred, so that believing it less leaves the mean score of the rows where it is.

    Returns
    -------
    Shape (number of vectors, size of the layout).
    """
    said = []
    for j, block in enumerate(blocks):
        spoken = block.entries - (block.entries[block.steps.anchor] if block.steps else 0.0)
        if not spoken.any():
            continue
        vector = np.zeros(layout.size)
        if len(weight):
            vector[0] = -np.bincount(block.codes, weight, len(spoken)) @ spoken / weight.sum()
        single = layout.single_of(j)
        if block.steps:
            vector[layout.steps_of(j)] = -block.steps.bounds
            vector[single] = spoken[-1]
        else:
            vector[single] = spoken
        said.append(vector)
    return np.array([*said, np.sum(said, axis=0)]) if said else np.zeros((0, layout.size))
