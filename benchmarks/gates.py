"""Whom the gates let through: retraining month by month, and on outcomes noted wrongly.

Run it with ``python -m benchmarks.gates`` from the top of the checkout. Histories are SIMULATED, so
that the likelihood behind each outcome is known: `regret` is by how much a card's expected log loss
exceeds the truth's, on all firms that were ever listed.

``--part monthly``: each office retrains every month, and who is promoted serves from then on. Of
challengers that are better than who serves by 0.05 or more: how many are promoted, they or the next
one, within two retrainings; of those that are worse by 0.01 or more: how many are promoted.
``--part flipped``: each history is retrained once as it was and once with 30 % of the pursuits that
ended noted as their opposite, to learn from and to be judged by alike.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import tempfile
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from tests.simulation import Experts, noted_wrongly, regret, simulate

from leadscore.city.loading import load_city
from leadscore.city.profile import City
from leadscore.files import shipped
from leadscore.learning.expert import expert_scorecard
from leadscore.learning.retrain import retrain
from leadscore.registry.models import ModelRegistry

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
SETTINGS: tuple[tuple[Experts, int, float], ...] = (
    ("wrong", 600, 3.0),
    ("half", 600, 2.0),
    ("half", 300, 2.0),
)
"""What the experts know, how many pursuits, and how much more there is to learn."""
FLIPPED = 0.3
OFFICES: tuple[tuple[Experts, float], ...] = (("right", 2.0), ("half", 2.0), ("wrong", 3.0))
MONTH = timedelta(days=30)
FIRST_MONTH, BETTER, WORSE = 8, 0.05, -0.01


def months(city: City, experts: Experts, sharpness: float, pursuits: int, seed: int) -> list[dict]:
    """Return for each monthly retraining of an office by how much the challenger was better."""
    history = simulate(city, experts=experts, pursuits=pursuits, sharpness=sharpness, seed=seed)
    events = history.events().assign(entry=np.arange(1, len(history.outcomes) + 1))
    line: list[str] = []
    serving, rows = regret(expert_scorecard(city), history), []
    day, month = history.lists[0][0] + FIRST_MONTH * MONTH, FIRST_MONTH
    with tempfile.TemporaryDirectory() as folder:
        registry = ModelRegistry(Path(folder, "models"), Path(folder, "key"))
        while day <= history.until:
            known = pd.to_datetime(events["day"]) <= pd.Timestamp(day)
            now = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
            done = retrain(
                city, events[known], history.snapshots(), registry, line, as_of=day, now=now
            )
            challenger = regret(done.model.card.scorecard, history)
            promoted = done.decision.promoted
            rows.append(
                {
                    "experts": experts, "pursuits": pursuits, "seed": seed, "month": month,
                    "better": serving - challenger, "promoted": promoted,
                    "failed": [gate.id for gate in done.decision.gates if not gate.passed],
                    "serving": serving, "known": done.manifest["outcomes"]["known"],
                }
            )  # fmt: skip
            if promoted:
                serving, line = challenger, [done.version, *line]
            day, month = day + MONTH, month + 1
    return rows


def monthly(city: City, histories: int) -> None:
    """Print who was promoted of the better and of the worse, by kind of office, and in all."""
    print("| experts | pursuits | better by 0.05 | promoted within two | worse by 0.01 | promoted "
          "| refused the better | regret, experts' and at the end |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    rows: list[dict] = []
    for (experts, sharpness), pursuits in product(OFFICES, (100, 600)):
        own = [
            row
            for seed in range(histories)
            for row in months(city, experts, sharpness, pursuits, seed)
        ]
        show(experts, pursuits, own)
        rows += own
    show("all", "", rows)


def show(experts: str, pursuits: int | str, rows: list[dict]) -> None:
    table = pd.DataFrame(rows)
    office = ["experts", "pursuits", "seed"]
    # A challenger's retraining and the next one; one that is the last of its history has only one.
    soon = table["promoted"] | table.groupby(office)["promoted"].shift(-1, fill_value=False)
    better, worse = table["better"] >= BETTER, table["better"] <= WORSE
    failed = pd.Series([gate for gates in table[better]["failed"] for gate in gates], dtype="str")
    counts = ", ".join(f"{gate} {n}" for gate, n in failed.value_counts().items())
    ends = table.groupby(office)["serving"].agg(["first", "last"]).median()
    print(
        f"| {experts} | {pursuits} | {better.sum()} | {soon[better].sum()} | {worse.sum()} "
        f"| {table['promoted'][worse].sum()} | {counts} "
        f"| {ends['first']:.3f}, {ends['last']:.3f} |",
        flush=True,
    )


def main() -> None:
    """Print the shares that were promoted, which gates refused, and the regrets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=20)
    parser.add_argument("--part", choices=["monthly", "flipped"], nargs="*")
    arguments = parser.parse_args()
    city = load_city(shipped("cities", "nanchang.toml"))
    parts = arguments.part or ["monthly", "flipped"]
    if "monthly" in parts:
        monthly(city, arguments.histories)
    if "flipped" in parts:
        flipped(city, arguments.histories)


def flipped(city: City, histories: int) -> None:
    """Print who was promoted of those who learned from outcomes as they were, and noted wrongly."""
    print(
        "| experts | pursuits | labels | promoted | refused by | experts' regret | challengers' |"
    )
    print("|---|---|---|---|---|---|---|")
    for experts, pursuits, sharpness in SETTINGS:
        rows = []
        for seed in range(histories):
            history = simulate(
                city, experts=experts, pursuits=pursuits, sharpness=sharpness, seed=seed
            )
            before = regret(expert_scorecard(city), history)
            for labels, share in (("as they were", 0.0), ("30 % flipped", FLIPPED)):
                events = noted_wrongly(history.events(), share, seed)
                with tempfile.TemporaryDirectory() as folder:
                    registry = ModelRegistry(Path(folder, "models"), Path(folder, "key"))
                    done = retrain(
                        city, events.assign(entry=np.arange(1, len(events) + 1)),
                        history.snapshots(), registry, as_of=history.until, now=NOW,
                    )  # fmt: skip
                card = done.model.card.scorecard
                failed = [gate.id for gate in done.decision.gates if not gate.passed]
                rows.append((labels, not failed, failed, before, regret(card, history)))
        for labels in ("as they were", "30 % flipped"):
            found = [row for row in rows if row[0] == labels]
            gates = pd.Series([gate for row in found for gate in row[2]], dtype="str")
            counts = ", ".join(f"{gate} {n}" for gate, n in gates.value_counts().items())
            promoted = sum(row[1] for row in found)
            middle = np.median([row[3:] for row in found], axis=0)
            print(
                f"| {experts} | {pursuits} | {labels} | {promoted} of {len(found)} | {counts} "
                f"| {middle[0]:.3f} | {middle[1]:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
