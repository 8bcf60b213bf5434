"""Finds pairs of features that tell more together than each by itself, and proves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product

import numpy as np

from leadscore.learning.fitting.blocks import Block
from leadscore.learning.fitting.newton import minimise
from leadscore.learning.fitting.objective import Objective
from leadscore.learning.fitting.task import Task
from leadscore.learning.fitting.widths import Widths
from leadscore.learning.tables.binning import (
    distinct_values,
    levels_of,
    numeric_edges,
    summed_by_text,
)
from leadscore.learning.tables.columns import Codes, Column, Floats, Truths, coded_texts, numbers
from leadscore.learning.tables.pairtables import Axis, CategoricalAxis, NumericAxis, PairTable
from leadscore.learning.tables.scorecard import NumericTable, Table

_MOST_PLACES = 8  # bins or levels of one of the two
_LEAST_SHARE = 0.01  # of the weight, for a level to stand by itself
_WIDTHS = (0.1, 0.25)  # log-odds that a pair may be expected to add, to choose from
_PARTS = 3  # in which the rows are divided: one is held out at a time
_NEAR, _PATIENCE = 1e-3, 50  # of the fits that are only compared


def paying_pairs(
    task: Task, coarse: Sequence[Block], widths: Widths, most: int
) -> tuple[list[Block], float]:
    """Return the pairs, as blocks, that forecast rows better that were held out, and their width.

    Candidates are the pairs whose cells a Newton step would move furthest from what the features
    say by themselves. As many of them are kept, and as wide, as serve held-out rows best.

    Parameters
    ----------
    task
        What the card is fitted to.
    coarse
        The features, with few bins.
    widths
        Widths of the prior.
    most
        Bound on the number of pairs.
    """
    features = zip(task.tables, task.columns, strict=True)
    axes = [_axis(table, column, task.weight) for table, column in features]
    codes = [axis.codes(column) for axis, column in zip(axes, task.columns, strict=True)]
    every = np.ones(len(task.target), dtype=bool)
    parts = _parts(codes, task.target, task.weight)
    counts = sorted({-(-most // divisor) for divisor in (1, 2, 4)})
    losses = dict.fromkeys([(0, widths.pair), *product(counts, _WIDTHS)], 0.0)
    for part in range(_PARTS):
        # Candidates are looked for anew without the part, lest it be judged on what it chose.
        kept = parts != part
        found = _candidates(task, coarse, widths, axes, codes, kept, most)
        for count, width in losses:
            tried = [*coarse, *found[:count]]
            losses[count, width] += _loss_of(task, tried, replace(widths, pair=width), kept)
    count, width = min(losses, key=lambda choice: (losses[choice], choice))
    if not count:
        return [], width
    return _candidates(task, coarse, widths, axes, codes, every, count), width


def _candidates(
    task: Task,
    coarse: Sequence[Block],
    widths: Widths,
    axes: Sequence[Axis],
    codes: Sequence[Codes],
    rows: Truths,
    most: int,
) -> list[Block]:
    """Return the most promising pairs as some of the rows tell, with the codes of all rows."""
    blocks = [block.of_rows(rows) for block in coarse]
    objective = Objective(blocks, task.target[rows], task.weight[rows], task.intercept, widths)
    log_odds = objective.log_odds(minimise(objective, _NEAR, _PATIENCE).vector)
    slope, certainty = objective.slopes(log_odds), objective.certainty(log_odds)
    found = _promising(axes, [code[rows] for code in codes], slope, certainty, most)
    return [_block(axes[i], axes[j], codes[i], codes[j]) for i, j in found]


def _axis(table: Table, column: Column, weight: Floats) -> Axis:
    """Divide a feature into a few places of enough weight."""
    if isinstance(table, NumericTable):
        data = distinct_values(numbers(column, table.feature), weight)
        return NumericAxis(table.feature, numeric_edges(data, np.empty(0), _MOST_PLACES))
    coded = coded_texts(column)
    heavy = summed_by_text(coded, weight)
    levels = levels_of(coded, weight, (), _LEAST_SHARE * float(weight.sum()))
    heaviest = sorted(levels, key=lambda level: (-heavy[level], level))[:_MOST_PLACES]
    return CategoricalAxis(table.feature, tuple(sorted(heaviest)))


def _promising(
    axes: Sequence[Axis], codes: Sequence[Codes], slope: Floats, certainty: Floats, most: int
) -> list[tuple[int, int]]:
    """Return the pairs that a Newton step on their cells would gain most by, the best first.

    What noise alone would gain is taken off.
    """
    held, gains = _WIDTHS[-1] ** -2, []
    for i, j in combinations(range(len(axes)), 2):
        size = len(axes[i]) * len(axes[j])
        cell = codes[i] * len(axes[j]) + codes[j]
        by_cell = np.bincount(cell, certainty, size)
        slopes = np.bincount(cell, slope, size)
        gain = float(((slopes**2 - by_cell) / (by_cell + held)).sum())
        if gain > 0:
            gains.append((-gain, i, j))
    return [(i, j) for _, i, j in sorted(gains)[:most]]


def _block(first: Axis, second: Axis, rows: Codes, others: Codes) -> Block:
    table = PairTable(first, second, np.zeros((len(first), len(second))))
    return Block(table, rows * len(second) + others, np.zeros(table.values.size), None)


def _parts(codes: Sequence[Codes], target: Floats, weight: Floats) -> Codes:
    """Divide the rows evenly, in a way that their order has no part in."""
    order = np.lexsort([*codes, weight, target])
    parts = np.empty(len(target), dtype=np.intp)
    parts[order] = np.arange(len(target)) % _PARTS
    return parts


def _loss_of(task: Task, blocks: Sequence[Block], widths: Widths, kept: Truths) -> float:
    """Fit some of the rows, and return the loss of the others."""
    fitted = [block.of_rows(kept) for block in blocks]
    target, weight = task.target[kept], task.weight[kept]
    objective = Objective(fitted, target, weight, task.intercept, widths)
    vector = minimise(objective, _NEAR, _PATIENCE).vector
    entries, out = objective.entries(vector), ~kept
    log_odds = np.full(int(out.sum()), task.intercept + vector[0])
    for block, span in zip(blocks, objective.layout.spans, strict=True):
        log_odds += entries[span][block.codes[out]]
    losses = np.logaddexp(0.0, (1.0 - 2.0 * task.target[out]) * log_odds)
    return float(task.weight[out] @ losses)
