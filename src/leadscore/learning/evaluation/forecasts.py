"""Says how good forecasts were once the outcomes are known, and how far to trust that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from leadscore.learning.evaluation.measures import MEASURES, Cells, captured, in_cells, measured
from leadscore.learning.evaluation.reliability import reliability
from leadscore.learning.evaluation.resampling import FINEST, interval, resampled
from leadscore.learning.evaluation.scoresheet import Evaluation, Measure, Top, told
from leadscore.learning.evaluation.verdicts import Verdicts
from leadscore.learning.tables.columns import Floats

__all__ = ["SHARES", "Evaluation", "Measure", "evaluate"]

SHARES = (0.1, 0.2, 0.3)
"""The shares of the pursuits, best forecasts first, for which lift is told."""


def evaluate(
    y: ArrayLike,
    p: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_bootstrap: int = 1_000,
    seed: int = 0,
) -> Evaluation:
    """Hold forecasts against outcomes; the order of the rows changes nothing.

    Parameters
    ----------
    y
        Shape (n,), 1 for a pursuit that reached the target, 0 for one that did not. Rows that
        are NaN (unknown yet) are left out.
    p
        Shape (n,), forecasts 0..1.
    weight
        Shape (n,), how many pursuits each stands for (inverse probability of being known).
        Rows of weight 0 are left out. None: 1 each.
    groups
        Shape (n,), a name for each pursuit, such as its chain; missing where it has none.
    n_bootstrap, seed
        Number of resamples behind the intervals, and where their draws start. 0: no intervals.

    Raises
    ------
    ValueError
        If shapes differ, or a value is out of range.
    """
    known = Verdicts.of(y, weight, p)
    whole = _evaluated(known, n_bootstrap, seed)
    if groups is None:
        return whole
    names = pd.Series(np.asarray(groups, dtype=object))
    if len(names) != np.size(y):
        msg = f"There are {len(names)} groups for {np.size(y)} outcomes."
        raise ValueError(msg)
    names = names.iloc[known.rows].reset_index(drop=True)
    parts = {
        str(name): known.part(np.asarray(rows))
        for name, rows in names.groupby(names).indices.items()
    }
    return replace(
        whole,
        groups={name: _evaluated(parts[name], n_bootstrap, seed) for name in sorted(parts)},
    )


def _evaluated(known: Verdicts, n_bootstrap: int, seed: int) -> Evaluation:
    n, y, weight, p = len(known), known.y, known.weight, known.forecasts[0]
    tops = {share: _top_count(share, n) for share in SHARES}
    measures = _intervals(known, tops, n_bootstrap, seed) if n else {}
    unknown = Measure(None, None, None)
    return Evaluation(
        n=n,
        positives=int(y.sum()),
        weight=math.fsum(weight),
        measures={name: measures.get(name, unknown) for name in MEASURES},
        top=tuple(
            Top(
                share,
                count,
                measures.get(f"lift_{share}", unknown),
                measures.get(f"captured_{share}", unknown),
            )
            for share, count in tops.items()
        ),
        reliability=reliability(y, p, weight),
    )


def _top_count(share: float, n: int) -> int:
    """Return how many pursuits a share of them is: rounded, at least one if there is any."""
    return min(n, max(1, math.floor(share * n + 0.5)))


def _intervals(
    known: Verdicts, tops: Mapping[float, int], n_bootstrap: int, seed: int
) -> dict[str, Measure]:
    y, p, n = known.y, known.forecasts[0], len(known)

    def all_measures(mass: Floats, cells: Cells) -> dict[str, Floats]:
        caught = {share: captured(mass, count / n) for share, count in tops.items()}
        return {
            **measured(mass, cells),
            **{f"captured_{share}": found for share, found in caught.items()},
            **{f"lift_{share}": found * n / tops[share] for share, found in caught.items()},
        }

    exact, coarse = in_cells(y, p), in_cells(y, p, FINEST)
    values = all_measures(exact.mass(known.weight), exact)
    # With very many pursuits the resamples work on cells of neighbours: what that does to the
    # measure itself is taken back.
    near = all_measures(coarse.mass(known.weight), coarse)
    draws = [
        all_measures(m, coarse) for (m,) in resampled([coarse], known.weight, n_bootstrap, seed)
    ]
    found = {}
    for name, (value,) in values.items():
        shift = value - near[name][0] if len(exact) > FINEST else 0.0
        together = np.concatenate([draw[name] for draw in draws]) if draws else np.empty(0)
        found[name] = Measure(*(told(x) for x in (value, *interval(together + shift))))
    return found
