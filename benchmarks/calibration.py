"""Whether likelihoods and their intervals can be believed when little is known.

Run it with ``python -m benchmarks.calibration`` from the top of the checkout. Offices are
SIMULATED, so that the likelihood of every firm is known: experts who are right, half right or
wrong, and so many known outcomes. Judged on all firms that were ever listed: what the best tenth
is promised and what is true of it; how often the 90 % interval holds the true likelihood, of all
firms and of the best tenth; and by how much the expected log loss exceeds the truth's. *Plain* are
the firms of `benchmarks/experts.py`, drawn without lists, courting or open pursuits.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # benchmarks also run as scripts

import numpy as np
import pandas as pd
from scipy.special import expit
from tests.simulation import Experts, History, simulate

import experts
from leadscore.city.loading import load_city
from leadscore.city.profile import City
from leadscore.features.build import FirmFeatures
from leadscore.features.extract import FeatureExtractor
from leadscore.files import shipped
from leadscore.learning import AdditiveCard
from leadscore.learning.expert import new_card
from leadscore.learning.history import label_pursuits
from leadscore.learning.training_data import Rules, build_dataset, fit
from learning_tables import markdown

PURSUITS = {30: 96, 50: 144, 100: 240, 300: 600, 1000: 1500}
"""Known outcomes, and of how many pursuits in three years they are the first."""
SHARPNESS: dict[Experts, float] = {"right": 2.0, "half": 2.0, "wrong": 3.0}
JUDGED = 4_000
COVERED, TOP_BOUND = (0.85, 0.95), 0.2


def day_of(history: History, n: int) -> date:
    """Return the first day, within a fortnight, on which n outcomes were known."""
    events, first = history.events(), pd.Timestamp(history.lists[0][0])
    days = pd.date_range(first + pd.Timedelta(days=60), history.until, freq="14D")
    low, high = 0, len(days) - 1
    while low < high:
        middle = (low + high) // 2
        known = label_pursuits(events, as_of=days[middle].date()).table["label"].notna().sum()
        low, high = (low, middle) if known >= n else (middle + 1, high)
    return days[low].date()


def judged(card: AdditiveCard, X: pd.DataFrame, truth: np.ndarray) -> dict[str, float]:
    """Return what a card says of firms whose likelihood is known."""
    p = card.predict_proba(X)[:, 1]
    low, high = card.predict_interval(X).T
    best = np.argsort(-p, kind="stable")[: max(len(p) // 10, 1)]
    held = (low <= truth) & (truth <= high)
    excess = truth * np.log(truth / p) + (1 - truth) * np.log((1 - truth) / (1 - p))
    return {
        "regret": float(excess.mean()), "promised": float(p[best].mean()),
        "true": float(truth[best].mean()), "covered": float(held.mean()),
        "covered, top": float(held[best].mean()), "width": float((high - low).mean()),
    }  # fmt: skip


def offices(city: City, sizes: list[int], seeds: range) -> Iterator[dict[str, object]]:
    """Yield what the city's card makes of the first n outcomes of each office."""
    for who, n, seed in ((who, n, seed) for n in sizes for who in SHARPNESS for seed in seeds):
        history = simulate(
            city, experts=who, pursuits=PURSUITS[n], sharpness=SHARPNESS[who], seed=seed
        )
        data = build_dataset(
            FeatureExtractor(city), history.events(), history.snapshots(),
            as_of=day_of(history, n), rules=Rules(),
        )  # fmt: skip
        card = fit(new_card(city), data.X, data.y, data.weight)
        X = FirmFeatures(city).fit(history.known).transform(history.known)
        yield {"of": "offices", "experts": who, "n": n} | judged(
            card, X, expit(history.truth.decision(X))
        )


def plain(sizes: list[int], seeds: range) -> Iterator[dict[str, object]]:
    """Yield the same of firms that are drawn as in `benchmarks/experts.py`."""
    for who, seed in ((who, seed) for who in experts.EXPERTS for seed in seeds):
        random = np.random.default_rng([seed, experts.EXPERTS.index(who), 7])
        truth = experts.drawn_card(random)
        prior = experts.written(truth, who, random)
        others = experts.firms(JUDGED, random)
        for n in sizes:
            X = experts.firms(n, random)
            y = (random.random(n) < expit(truth.decision(X))).astype(int)
            measures = judged(
                AdditiveCard(prior=prior).fit(X, y), others, expit(truth.decision(others))
            )
            yield {"of": "plain", "experts": who, "n": n} | measures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(PURSUITS), choices=PURSUITS)
    arguments = parser.parse_args()
    seeds = range(arguments.repetitions)
    city = load_city(shipped("cities", "nanchang.toml"))
    rows = [*offices(city, arguments.sizes, seeds), *plain(arguments.sizes, seeds)]
    means = pd.DataFrame(rows).groupby(["of", "n", "experts"], sort=False).mean()
    overall = means.groupby(["of", "n"], sort=False).mean()
    for title, table in (("By experts", means), ("Over all experts", overall)):
        table["promised / true"] = table["promised"] / table["true"]
        cells = [
            [*(str(part) for part in key), *(f"{value:.3f}" for value in row)]
            for key, row in zip(table.index, table.to_numpy(), strict=True)
        ]
        markdown(title, [*table.index.names, *table.columns], cells)
    least, most = COVERED
    for (of, n), row in overall.iterrows():
        for name in ("covered", "covered, top"):
            if not least <= row[name] <= most:
                print(f"MISSED: {of}, n = {n}: {name} {row[name]:.3f}")
        if n >= 50 and abs(row["promised / true"] - 1.0) > TOP_BOUND:
            print(f"MISSED: {of}, n = {n}: promised / true {row['promised / true']:.2f}")


if __name__ == "__main__":
    main()
