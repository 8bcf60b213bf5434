"""One trial: a model fitted on some rows of a file and judged on others; and the trials on file.

A trial is kept on disk under the model, its version, the file, the task and the seed, so that after
a change of one model only its own trials are run again.
"""

from __future__ import annotations

import json
import re
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from outcome_files import OutcomeFile
from peers import Peer

FOLDS = 5
TRAINED_SHARE = 0.7
HELD_OUT = 3_000
TIMED_ROWS = 100_000

Record = dict[str, float]


@dataclass(frozen=True)
class Trial:
    """Which rows of a file to fit on and which to judge by."""

    task: str
    seed: int
    fitted: np.ndarray
    judged: np.ndarray


def folds(outcomes: OutcomeFile) -> Iterator[Trial]:
    """Yield five folds, stratified and shuffled."""
    cut = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for i, (fitted, judged) in enumerate(cut.split(outcomes.X, outcomes.y)):
        yield Trial("fold", i, fitted, judged)


def forward(outcomes: OutcomeFile) -> Iterator[Trial]:
    """Yield the one split in time: the first 70 % of the rows, and what came after them."""
    n = len(outcomes.y)
    first = int(TRAINED_SHARE * n)
    yield Trial("forward", 0, np.arange(first), np.arange(first, n))


def draws(outcomes: OutcomeFile, n: int, repetitions: int) -> Iterator[Trial]:
    """Yield plain draws of n rows, drawn again until both classes are there.

    The rows to judge by are the same 3,000 for every draw of the file, and never drawn; a file of
    fewer than 9,000 rows gives a third of them.
    """
    rows = np.random.default_rng(0).permutation(len(outcomes.y))
    held_out = min(HELD_OUT, len(rows) // 3)
    judged, pool = rows[:held_out], rows[held_out:]
    for seed in range(repetitions):
        random = np.random.default_rng([seed, n])
        fitted = random.choice(pool, n, replace=False)
        while len(np.unique(outcomes.y[fitted])) < 2:
            fitted = random.choice(pool, n, replace=False)
        yield Trial(f"curve {n}", seed, fitted, judged)


def run(peer: Peer, outcomes: OutcomeFile, trial: Trial) -> Record:
    """Fit, predict and judge. Only our own models' warnings are shown."""
    y = outcomes.y
    train = outcomes.X.iloc[trial.fitted].reset_index(drop=True)
    later = outcomes.X.iloc[trial.judged].reset_index(drop=True)
    prepared, asked = peer.prepare(train, train), peer.prepare(train, later)
    with warnings.catch_warnings():
        if not peer.own:
            warnings.simplefilter("ignore")
        start = time.perf_counter()
        model = peer.make(train).fit(prepared, y[trial.fitted])
        fit_seconds = time.perf_counter() - start
        likelihood = np.asarray(model.predict_proba(asked))[:, 1]
        record = {"fit_seconds": fit_seconds} | judge(y[trial.judged], likelihood)
        if not trial.task.startswith("curve"):
            many = asked.iloc[np.arange(TIMED_ROWS) % len(asked)].reset_index(drop=True)
            start = time.perf_counter()
            model.predict_proba(many)
            seconds = time.perf_counter() - start
            record["predict_seconds_per_million"] = seconds * 1e6 / TIMED_ROWS
    return record


def judge(y: np.ndarray, likelihood: np.ndarray) -> Record:
    return {
        "auc": float(roc_auc_score(y, likelihood)),
        "average_precision": float(average_precision_score(y, likelihood)),
        "log_loss": float(log_loss(y, np.clip(likelihood, 1e-6, 1 - 1e-6))),
    }


class TrialShelf:
    """The trials of earlier runs, a file of JSON lines for each model and outcome file.

    Without a folder nothing is kept. Lines are only ever appended, so that two runs may share a
    folder.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._known: dict[Path, dict[str, Record]] = {}

    def find(self, name: str, peer: Peer, outcomes: OutcomeFile, trial: Trial) -> Record | None:
        """Return the record of the same trial, or None."""
        path = self._path(name, outcomes)
        if path is None:
            return None
        if path not in self._known:
            lines = path.read_text("utf-8").splitlines() if path.is_file() else []
            kept = [json.loads(line) for line in lines]
            self._known[path] = {entry["key"]: entry["record"] for entry in kept}
        return self._known[path].get(_key(peer, outcomes, trial))

    def keep(
        self, name: str, peer: Peer, outcomes: OutcomeFile, trial: Trial, record: Record
    ) -> None:
        """Append a record."""
        path = self._path(name, outcomes)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        key = _key(peer, outcomes, trial)
        with path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"key": key, "record": record}) + "\n")
        self._known.setdefault(path, {})[key] = record

    def _path(self, name: str, outcomes: OutcomeFile) -> Path | None:
        if self._folder is None:
            return None
        slug = re.sub(r"[^a-z0-9.]+", "-", f"{outcomes.name} {name}".lower())
        return self._folder / f"{slug}.jsonl"


def _key(peer: Peer, outcomes: OutcomeFile, trial: Trial) -> str:
    return f"{peer.version} | {outcomes.digest} | {trial.task} | {trial.seed}"
