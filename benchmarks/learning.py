"""How well the card learns, beside boosted trees, EBM, logistic regression and naive Bayes.

Run it with ``python benchmarks/learning.py --data FOLDER``. The folder holds three public files
that are no part of the project; where one is missing the script says where to get it. The peers are
the dependency group ``bench``. Everything runs on one thread. Tables go to stdout as Markdown,
progress goes to stderr. With ``--cache FOLDER`` each trial is kept, and after a change of the card
only its own trials run again; times in the tables are then those of the first run.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy starts its threads

import json
import platform
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

import learning_speed
import learning_tables as tables
import trials
from outcome_files import SOURCES, OutcomeFile, missing_files, read_outcomes
from peers import OURS, Peer, ours, peers

SIZES = (25, 50, 100, 200, 400, 800)
REPETITIONS = 30
LARGE = 400  # from here on draws differ less, and half as many do


def selected(arguments: argparse.Namespace) -> dict[str, Peer]:
    """Return the models to measure, the card and its variants first."""
    variants = dict(setting.split("=", 1) for setting in arguments.card)
    chosen = ours({name: json.loads(settings) for name, settings in variants.items()})
    for name, peer in (chosen | peers()).items():
        asked = any(word.lower() in name.lower() for word in arguments.peers)
        hurried = arguments.quick and peer.every != 1
        if name in (OURS, *variants) or (asked and not hurried):
            chosen[name] = peer
        else:
            chosen.pop(name, None)
    return chosen


def measure(
    models: dict[str, Peer],
    outcomes: OutcomeFile,
    planned: list[trials.Trial],
    registry: trials.TrialShelf,
) -> list[dict[str, object]]:
    """Run the planned trials of all models, one model after the other."""
    rows = []
    for name, peer in models.items():
        new = 0
        for trial in planned:
            if trial.task.startswith("curve") and trial.seed % peer.every:
                continue
            record = registry.find(name, peer, outcomes, trial)
            if record is None:
                record = trials.run(peer, outcomes, trial)
                registry.keep(name, peer, outcomes, trial, record)
                new += 1
            row = {"file": outcomes.name, "model": name, "task": trial.task, "seed": trial.seed}
            rows.append(row | record)
        print(f"{outcomes.name}: {name}, {new} new trials", file=sys.stderr, flush=True)
    return rows


def main() -> None:
    arguments = parsed()
    names = arguments.only or list(SOURCES)
    reads = {"tables", "curve"} & set(arguments.part)
    if reads and (missing := missing_files(arguments.data, names)):
        print("\n".join(missing), file=sys.stderr)
        sys.exit(2)
    try:
        models = selected(arguments)
    except PackageNotFoundError as absent:
        print(f"{absent.name} is missing: pip install --group bench", file=sys.stderr)
        sys.exit(2)
    registry = trials.TrialShelf(arguments.cache)
    versions = {name: peer.version for name, peer in models.items()}
    results: dict[str, Any] = {"versions": versions, "trials": [], "speed": []}
    libraries = sorted({peer.version for peer in models.values() if not peer.own})
    print(f"One thread, Python {platform.python_version()}; {', '.join(libraries)}.")
    with threadpool_limits(1):
        files = [read_outcomes(name, arguments.data) for name in names] if reads else []
        if "tables" in arguments.part:
            results["trials"] += measure_tables(models, files, registry)
        if "curve" in arguments.part:
            results["trials"] += measure_curves(models, files, arguments, registry)
        if "speed" in arguments.part:
            results["speed"] = learning_speed.show(quick=arguments.quick)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


def measure_tables(
    models: dict[str, Peer], files: list[OutcomeFile], registry: trials.TrialShelf
) -> list[dict[str, object]]:
    found = []
    for outcomes in files:
        planned = [*trials.folds(outcomes), *trials.forward(outcomes)]
        found += measure(models, outcomes, planned, registry)
        tables.show_file(outcomes, pd.DataFrame(found))
    own = [name for name, peer in models.items() if peer.own]
    tables.show_gaps(pd.DataFrame(found), own)
    return found


def measure_curves(
    models: dict[str, Peer],
    files: list[OutcomeFile],
    arguments: argparse.Namespace,
    registry: trials.TrialShelf,
) -> list[dict[str, object]]:
    found = []
    small = {name: peer for name, peer in models.items() if peer.every}
    for outcomes in files:
        found += measure(small, outcomes, planned_draws(outcomes, arguments), registry)
        tables.show_curve(outcomes, pd.DataFrame(found), OURS)
    tables.show_ranks(pd.DataFrame(found), OURS)
    return found


def planned_draws(outcomes: OutcomeFile, arguments: argparse.Namespace) -> list[trials.Trial]:
    sizes = SIZES[::2] if arguments.quick else SIZES
    repetitions = 10 if arguments.quick else arguments.repetitions
    return [
        trial
        for n in sizes
        for trial in trials.draws(outcomes, n, repetitions if n < LARGE else repetitions // 2)
    ]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    folder = os.environ.get("LEADSCORE_BENCH_DATA", "outcomes")
    parser.add_argument("--data", type=Path, default=Path(folder), help="folder of the three files")
    parser.add_argument("--only", nargs="*", choices=list(SOURCES), help="only these files")
    parser.add_argument(
        "--peers", nargs="*", default=[""], help="only peers whose name has one of these words"
    )
    parser.add_argument("--part", nargs="*", choices=PARTS, default=PARTS, help="only these parts")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS, help="draws of the curve")
    parser.add_argument(
        "--quick", action="store_true", help="no slow peers, ten draws, fewer sizes"
    )
    parser.add_argument("--cache", type=Path, help="folder that keeps trials")
    parser.add_argument("--json", type=Path, help="file for every single trial")
    parser.add_argument(
        "--card",
        action="append",
        default=[],
        metavar='NAME={"setting": value}',
        help="also a card with these settings",
    )
    return parser.parse_args()


PARTS = ["tables", "curve", "speed"]

if __name__ == "__main__":
    main()
