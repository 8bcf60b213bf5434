"""How much the experts' word helps or harms: learning curves beside them alone and the data alone.

Run it with ``python benchmarks/experts.py``. Outcomes are simulated, so that the likelihood behind
each is known and losses are exact. The experts are right (their card drew the outcomes), half right
(every second of their tables has nothing to do with the truth) or wrong (none has). The bound of
the project: the mean loss over all sizes is no worse than that of either by more than 0.005.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys

import numpy as np
import pandas as pd
from scipy.special import expit

from leadscore.learning import AdditiveCard
from leadscore.learning.scorecard import CategoricalTable, NumericTable, Scorecard, Table
from learning_tables import markdown

SIZES = (0, 10, 25, 50, 100, 200, 400, 800)
EXPERTS = ("right", "half right", "wrong")
BOUND = 0.005
NUMBERS, TEXTS, MISSING = 8, 6, 0.1
JUDGED = 20_000
BASE = -1.5


def firms(n: int, random: np.random.Generator) -> pd.DataFrame:
    """Draw n firms: eight numbers and six texts of four levels, a tenth of each missing."""
    columns: dict[str, object] = {}
    for j in range(NUMBERS):
        columns[f"number {j}"] = np.where(
            random.random(n) < MISSING, np.nan, random.standard_normal(n)
        )
    for j in range(TEXTS):
        levels = random.choice(np.array(["a", "b", "c", "d"], dtype=object), n)
        levels[random.random(n) < MISSING] = None
        columns[f"text {j}"] = pd.Series(levels, dtype="str")
    return pd.DataFrame(columns)


def drawn_card(random: np.random.Generator) -> Scorecard:
    """Draw a card as experts write them: a few bands or levels per feature, rounded points."""
    tables: list[Table] = []
    for j in range(NUMBERS):
        slope = random.choice([-1.0, -0.5, 0.5, 1.0])
        bands = slope * np.linspace(-0.6, 0.6, 4)
        tables.append(NumericTable(f"number {j}", np.array([-0.7, 0.0, 0.7]), bands, 0.0))
    for j in range(TEXTS):
        points = random.choice([-0.6, -0.3, 0.0, 0.3, 0.6], 4)
        tables.append(CategoricalTable(f"text {j}", tuple("abcd"), points, 0.0, 0.0))
    return Scorecard(BASE, tuple(tables))


def written(truth: Scorecard, experts: str, random: np.random.Generator) -> Scorecard:
    """Return the card that such experts write, where the truth is as given."""
    mistaken = {"right": (), "half right": range(0, 99, 2), "wrong": range(99)}[experts]
    guessed = drawn_card(random).tables
    tables = tuple(
        guess if j in mistaken else table
        for j, (guess, table) in enumerate(zip(guessed, truth.tables, strict=True))
    )
    return Scorecard(truth.intercept, tables)


def loss(likelihood: np.ndarray, p: np.ndarray) -> float:
    """Return the expected log loss of forecasts where the true likelihoods are known."""
    return float(-(likelihood * np.log(p) + (1.0 - likelihood) * np.log1p(-p)).mean())


def curves(experts: str, repetitions: int, sizes: tuple[int, ...] = SIZES) -> pd.DataFrame:
    """Return the mean loss of ours, the experts alone and the data alone by size."""
    rows = []
    for seed in range(repetitions):
        random = np.random.default_rng([seed, EXPERTS.index(experts)])
        truth = drawn_card(random)
        prior = written(truth, experts, random)
        judged = firms(JUDGED, random)
        likelihood = expit(truth.decision(judged))
        for n in sizes:
            X = firms(n, random)
            y = (random.random(n) < expit(truth.decision(X))).astype(int)
            alone = np.full(JUDGED, 0.5)  # what no data tell
            if n:
                alone = AdditiveCard().fit(X, y).predict_proba(judged)[:, 1]
            ours = AdditiveCard(prior=prior).fit(X, y).predict_proba(judged)[:, 1]
            forecasts = {"ours": ours, "experts alone": expit(prior.decision(judged))}
            forecasts |= {"data alone": alone, "the truth": likelihood}
            rows.append({"n": n} | {name: loss(likelihood, p) for name, p in forecasts.items()})
    return pd.DataFrame(rows).groupby("n").mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=20)
    repetitions = parser.parse_args().repetitions
    held = True
    for experts in EXPERTS:
        found = curves(experts, repetitions)
        cells = [[f"{n}", *(f"{value:.4f}" for value in row)] for n, row in found.iterrows()]
        cells.append(["**mean**", *(f"**{value:.4f}**" for value in found.mean())])
        markdown(f"Experts who are {experts}: log loss", ["n", *found.columns], cells)
        mean = found.mean()
        held &= bool(mean["ours"] <= min(mean["experts alone"], mean["data alone"]) + BOUND)
    print("within the bound" if held else "BEYOND THE BOUND")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
