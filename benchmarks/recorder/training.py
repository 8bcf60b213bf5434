"""Records what is learned from simulated histories, and how homes of the revision open."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.recorder import places
from benchmarks.recorder.pages import record_api, without_moments
from benchmarks.recorder.recording import AS_OF, Inputs, Record
from benchmarks.recorder.service import LANGUAGES, Client, ServiceError, served, wait_for_jobs
from click.testing import CliRunner, Result

import leadscore

HISTORIES: dict[str, dict[str, Any]] = {
    "wrong experts": {
        "experts": "wrong", "pursuits": 360, "quarters": 9, "sharpness": 3, "seed": 1,
    },
    "half right experts": {"experts": "half", "pursuits": 180, "quarters": 6, "seed": 2},
    "right experts": {"experts": "right", "pursuits": 90, "quarters": 6, "seed": 3},
}  # fmt: skip
"""What `tests.simulation.simulate` is asked for."""

_PROMOTE = "recorded"
_SUPPLY = 0.42


class CommandError(RuntimeError):
    """A command that failed where it should not."""


def write_histories(folder: Path, simulation: Any) -> None:
    """Write each history as an office keeps it, and a list that none of them knows.

    ``simulation`` is the module `tests.simulation` of the revision whose wheel this is.
    """
    city = places.shipped_city()
    for name, asked in HISTORIES.items():
        history = simulation.simulate(city, **asked)
        lists, outcomes = history.write(folder / name)
        days = {path.name: str(day) for path, (day, _) in zip(lists, history.lists, strict=True)}
        known = {"lists": days, "outcomes": outcomes.name, "until": str(history.until)}
        (folder / name / "history.json").write_text(json.dumps(known), "utf-8")
    _, unknown = simulation.simulate(city, pursuits=100, quarters=1, seed=99).lists[0]
    unknown.to_csv(folder / "unknown.csv", index=False, encoding="utf-8-sig")


def keep_history(folder: Path, home: Path) -> str:
    """Rank the lists of a history and import its outcomes into a home; return its last day."""
    known = json.loads((folder / "history.json").read_text("utf-8"))
    for name, day in known["lists"].items():
        _ask(home, "rank", folder / name, "--as-of", day, "--keep", "--top", 0)
    _ask(home, "outcomes", "import", folder / known["outcomes"])
    return str(known["until"])


def record_training(record: Record, inputs: Inputs) -> None:
    """Record the decision on each history, and the model that comes of it."""
    folder = inputs.prepared / "histories"
    for name in HISTORIES:
        home = inputs.home / name
        until = keep_history(folder / name, home)
        for language in LANGUAGES:
            done = _ask(home, "retrain", "--as-of", until, "--dry-run", language=language)
            record.add(name, "decision", language, {"lines": _lines(done)})
        done = _ask(home, "retrain", "--as-of", until, "--promote-anyway", _PROMOTE)
        record.add(name, "promotion", "", {"lines": _lines(done)})
        record_models(record, name, home)
        record_ranking(record, name, folder / "unknown.csv", home)


def record_models(record: Record, source: str, home: Path) -> None:
    """Record what the command line says of the models of a home."""
    for language in LANGUAGES:
        for words in (("models", "list"), ("models", "show")):
            done = _ask(home, *words, language=language)
            record.add(source, " ".join(words), language, {"lines": _lines(done)})
    for version, manifest in places.manifests(home):
        record.add(source, "manifest", version, manifest)


def record_ranking(record: Record, source: str, path: Path, home: Path) -> None:
    """Record a list as a home's champion ranks it."""
    with _at_home(home):
        ranking = leadscore.rank(path, lang="en", today=AS_OF)
    for place, row in enumerate(ranking.to_dict("records"), 1):
        record.add(source, "ranking", row["row"], {"place": place, **row}, row["name"])


# --- homes ---------------------------------------------------------------------------------


def make_homes(folder: Path, histories: Path) -> None:
    """Make homes as a service leaves them: with the sample list, and each with another champion."""
    expert, trained = folder / "expert", folder / "trained"
    home = _demo(trained)
    until = keep_history(histories / "wrong experts", home)
    _ask(home, "retrain", "--as-of", until, "--promote-anyway", _PROMOTE)
    for each in (expert, trained):
        with served(each) as client:
            wait_for_jobs(client)
        changed = folder / f"{each.name}, changed supply"
        shutil.copytree(each, changed)
        with served(changed) as client:
            _change_supply(client)
            wait_for_jobs(client)


def _demo(folder: Path) -> Path:
    """Return the home that a demonstration has within its home folder."""
    return folder / "demo"


def record_homes(record: Record, inputs: Inputs) -> None:
    """Record what is found in copies of the homes."""
    sample = inputs.source / "data" / "samples" / "electronics.csv"
    for original in sorted((inputs.prepared / "homes").iterdir()):
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / "home"
            shutil.copytree(original, copy)
            record_models(record, original.name, _demo(copy))
            record_ranking(record, original.name, sample, _demo(copy))
            with served(copy) as client:
                wait_for_jobs(client)
                record_api(record, client, f"{original.name}: ", LANGUAGES[:1])


def _change_supply(client: Client) -> None:
    gaps = client.get("/api/v1/gaps", "en")
    segment = gaps.json()["chains"][0]["segments"][0]["id"]
    answer = client.ask(
        "PUT", f"/api/v1/gaps/{segment}/supply", {"supply": _SUPPLY, "reason": "recorded"},
        If_Match=gaps.headers["etag"], Idempotency_Key="recorded",
    )  # fmt: skip
    if answer.status != 200:
        raise ServiceError(f"the supply of {segment} can't be changed: {answer.text}")


# --- the command line ----------------------------------------------------------------------


def _ask(home: Path, *words: object, language: str = "en") -> Result:
    """Run a command, which has to succeed."""
    from leadscore.cli import cli

    runner = CliRunner(env={"LEADSCORE_HOME": str(home), "LEADSCORE_LANG": language})
    done = runner.invoke(cli, [*map(str, words)], prog_name="leadscore")
    if done.exit_code:
        raise CommandError(f"leadscore {' '.join(map(str, words))}: {done.output}") from (
            done.exception
        )
    return done


def _lines(done: Result) -> list[str]:
    return [without_moments(line) for line in done.stdout.splitlines()]


@contextmanager
def _at_home(home: Path) -> Iterator[None]:
    before = os.environ["LEADSCORE_HOME"]
    os.environ["LEADSCORE_HOME"] = str(home)
    try:
        yield
    finally:
        os.environ["LEADSCORE_HOME"] = before
