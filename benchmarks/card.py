"""How fast the card fits and scores, beside a regression on one-hot bins and boosted trees.

Run it with ``python benchmarks/card.py``; ``--rows`` takes other numbers of rows to fit. The data
are drawn at random from a known additive truth, so that nothing has to be at hand. Each time is
the median of several runs on one thread, and each ratio is theirs to ours.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy starts its threads

import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder
from threadpoolctl import threadpool_limits

from leadscore.learning import AdditiveCard

NUMBERS, TEXTS = 20, 10
LEVELS = np.array([f"level {i}" for i in range(12)])


def firms(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw n rows of 20 numbers and 10 texts, one value in twenty missing, and what they led to.

    Every other feature matters.
    """
    random = np.random.default_rng(seed)
    log_odds = np.full(n, -1.5)
    columns: dict[str, pd.Series] = {}
    for j in range(NUMBERS):
        x = random.normal(size=n)
        log_odds += (j % 2) * 0.5 * np.sin((1 + j % 3) * x)
        shown = np.exp(3 + 1.5 * x).round(2) if j % 3 else x
        columns[f"number{j}"] = pd.Series(shown).mask(random.random(n) < 0.05)
    for j in range(TEXTS):
        x = random.choice(LEVELS, n)
        log_odds += (j % 2) * 0.6 * np.isin(x, LEVELS[j : j + 3])
        columns[f"text{j}"] = pd.Series(x, dtype="str").mask(random.random(n) < 0.05)
    y = (random.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)
    return pd.DataFrame(columns), y


def as_they_are(X: pd.DataFrame) -> pd.DataFrame:
    return X


def as_categories(X: pd.DataFrame) -> pd.DataFrame:
    """Give trees their texts as categories, which is not counted in their times."""
    texts = X.select_dtypes(exclude="number").columns
    return X.astype(dict.fromkeys(texts, pd.CategoricalDtype(LEVELS.tolist())))


def regression() -> ClassifierMixin:
    bins = KBinsDiscretizer(64, quantile_method="averaged_inverted_cdf", subsample=None)
    numbers = make_pipeline(SimpleImputer(strategy="median"), bins)
    texts = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (texts, make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(columns, LogisticRegression(C=0.1, max_iter=1000))


def trees() -> ClassifierMixin:
    return HistGradientBoostingClassifier(random_state=0)


OURS = "AdditiveCard"
RIVALS = {
    OURS: (AdditiveCard, as_they_are),
    "one-hot LogisticRegression": (regression, as_they_are),
    "HistGradientBoosting": (trees, as_categories),
}


def median_seconds(work: Callable[[], object], runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def show(title: str, seconds: dict[str, float], notes: dict[str, str]) -> None:
    print(f"\n{title}")
    for name, own in seconds.items():
        unit = f"{own:10.4f} s " if own >= 1e-3 else f"{own * 1e6:10.1f} µs"
        ratio = own / seconds[OURS]
        print(f"  {name:28}{unit}{ratio:8.2f} x   {notes.get(name, '')}".rstrip())


def fitting(rows: int, runs: int) -> None:
    X, y = firms(rows, seed=0)
    later, truth = firms(20_000, seed=1)
    seconds, notes = {}, {}
    for name, (make, prepare) in RIVALS.items():
        fit = partial(lambda make, seen: make().fit(seen, y), make, prepare(X))
        seconds[name] = median_seconds(fit, runs)
        loss = log_loss(truth, fit().predict_proba(prepare(later)))
        notes[name] = f"log loss on new rows {loss:.4f}"
    show(f"fit {rows:,} rows x {NUMBERS + TEXTS} features", seconds, notes)


def scoring(rows: int, runs: int) -> None:
    X, y = firms(10_000, seed=0)
    models = {name: make().fit(prepare(X), y) for name, (make, prepare) in RIVALS.items()}
    many, _ = firms(rows, seed=2)
    for n, times in ((rows, runs), (1, 200)):
        few = many.iloc[:n]
        seconds = {
            name: median_seconds(partial(model.predict_proba, RIVALS[name][1](few)), times)
            for name, model in models.items()
        }
        if n == 1:
            record = partial(models[OURS].scorecard_.lookup_record, few.iloc[0].tolist())
            seconds["AdditiveCard, lookup_record"] = median_seconds(record, times)
        show(f"score {n:,} row{'s' if n > 1 else ''}", seconds, {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--score-rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    # The median takes the place of missing values, and then some quantiles coincide.
    warnings.filterwarnings("ignore", "Bins whose width are too small")
    with threadpool_limits(1):
        for rows in arguments.rows:
            fitting(rows, arguments.runs)
        scoring(arguments.score_rows, arguments.runs)


if __name__ == "__main__":
    main()
