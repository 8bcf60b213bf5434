"""Whom the gates let through: retraining on histories as they were, and with a share noted wrongly.

Run it with ``python -m benchmarks.gates`` from the top of the checkout. Histories are SIMULATED, so
that the likelihood behind each outcome is known: `regret` is by how much a card's expected log loss
exceeds the truth's, on all firms that were ever listed. Each history is retrained once as it was
and once with 30 % of the pursuits that ended noted as their opposite, to learn from and to be
judged by alike.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from tests.simulation import Experts, noted_wrongly, regret, simulate

from leadscore.city.loading import load_city
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


def main() -> None:
    """Print the shares that were promoted, which gates refused, and the regrets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=20)
    arguments = parser.parse_args()
    city = load_city(shipped("cities", "nanchang.toml"))
    print(
        "| experts | pursuits | labels | promoted | refused by | experts' regret | challengers' |"
    )
    print("|---|---|---|---|---|---|---|")
    for experts, pursuits, sharpness in SETTINGS:
        rows = []
        for seed in range(arguments.histories):
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
