"""How fast the card fits and scores beside boosted trees, all in one run, for ``learning.py``."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd

from card import firms, median_seconds
from learning_tables import markdown
from peers import OURS, Peer, ours, peers

RIVALS = ("HGB", "LightGBM")
RUNS = 3


def wide(n: int, seed: int) -> tuple[pd.DataFrame, Any]:
    """Draw n rows of 40 features, of which the last ten (five texts) matter for nothing."""
    X, y = firms(n, seed)
    more = firms(n, seed + 1000)[0].iloc[:, 15:25].add_prefix("other ")
    return pd.concat([X, more], axis=1), y


def show(*, quick: bool) -> list[dict[str, object]]:
    """Print medians and ratios, and return them."""
    models = ours({}) | {name: peers()[name] for name in RIVALS}
    results = []
    for rows in (1_000, 10_000 if quick else 100_000):
        X, y = wide(rows, seed=0)
        task = f"fit {rows:,} rows x {X.shape[1]} features"
        results += timed(task, {name: _fit(peer, X, y) for name, peer in models.items()})
    rows = 100_000 if quick else 1_000_000
    train, y = firms(10_000, seed=0)
    many, _ = firms(rows, seed=2)
    task = f"score {rows:,} rows x {many.shape[1]} features"
    results += timed(task, {n: _score(peer, train, y, many) for n, peer in models.items()})
    cells = pd.DataFrame(results).pivot_table(
        index="task", columns="model", values="seconds", sort=False
    )
    markdown(
        f"Seconds on one thread, medians of {RUNS}, and the ratio to {OURS}",
        ["task", *models],
        [[task, *(_cell(own[m], own[OURS]) for m in models)] for task, own in cells.iterrows()],
    )
    return results


def _cell(seconds: float, own: float) -> str:
    return f"{seconds:.3f} ({seconds / own:.1f} x)"


def _fit(peer: Peer, X: pd.DataFrame, y: Any) -> Callable[[], Any]:
    prepared = peer.prepare(X, X)
    return lambda: peer.make(X).fit(prepared, y)


def _score(peer: Peer, train: pd.DataFrame, y: Any, many: pd.DataFrame) -> Callable[[], object]:
    model = _fit(peer, train, y)()
    return partial(model.predict_proba, peer.prepare(train, many))


def timed(task: str, works: dict[str, Callable[[], object]]) -> list[dict[str, object]]:
    """Time all models in turn, several times, so that a busy machine is busy for all of them."""
    seconds: dict[str, list[float]] = {model: [] for model in works}
    for _ in range(RUNS):
        for model, work in works.items():
            seconds[model].append(median_seconds(work, 1))
    print(f"{task}: done", file=sys.stderr, flush=True)
    return [
        {"task": task, "model": model, "seconds": statistics.median(times)}
        for model, times in seconds.items()
    ]
