"""From lists and outcomes to a better model and back, as a user types it; all is SIMULATED."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.champions import champion, history
from tests.commands import Done, called, processor_seconds, typed, typed_anew
from tests.simulation import History, of_wrong_experts

from leadscore.city import City, load_city
from leadscore.files import shipped
from leadscore.lists.dedupe import load_list
from leadscore.registry.models import expert_version
from leadscore.store.migrations import open_store
from leadscore.store.snapshots import SqlSnapshots

Command = Callable[..., Done]


def served_city() -> City:
    """Return the city that the commands score for; the simulated one has a card of its own."""
    return load_city(shipped("cities", "nanchang.toml"))


@dataclass
class Office:
    """A home with a SIMULATED history in it."""

    home: Path
    history: History
    lists: list[Path]

    def retrain(self, *arguments: object, by: Command = called, lang: str = "zh") -> Done:
        until = self.history.until
        return by("retrain", "--as-of", until, *arguments, home=self.home, LEADSCORE_LANG=lang)

    def champion(self) -> str:
        with contextlib.closing(open_store(self.home / "leadscore.sqlite3")) as database:
            return champion(database, "nanchang") or expert_version(served_city())

    def scorecard(self, version: str) -> str:
        manifest = json.loads((self.home / "models" / version / "manifest.json").read_text("utf-8"))
        return json.dumps(manifest["scorecard"])

    def ranking(self, name: str, by: Command = called) -> bytes:
        out = self.home / name
        day, listed = self.history.lists[-1][0], self.lists[-1]
        done = by(
            "rank", listed, "--as-of", day, "--no-keep", "-o", out, "--top", 0, home=self.home
        )
        assert done.returncode == 0, done.stderr
        return out.read_bytes()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Return an office that has ranked its lists and entered its outcomes."""
    folder = tmp_path_factory.mktemp("office")
    history = of_wrong_experts()
    lists, outcomes = history.write(folder / "papers")
    office = Office(folder / "home", history, lists)
    first, day = lists[0], history.lists[0][0]
    done = called("rank", first, "--as-of", day, "--top", 3, home=office.home)
    assert done.returncode == 0, done.stderr
    # The others as `rank` would keep them; a process for each takes long.
    database = open_store(office.home / "leadscore.sqlite3")
    store = SqlSnapshots(database)
    for path, (day, _) in zip(lists[1:], history.lists[1:], strict=True):
        firms = load_list(path, today=day).firms
        store.keep(
            firms, as_of=day, model="expert", source=path.name, now=datetime(2026, 1, 1, tzinfo=UTC)
        )
    database.close()
    done = called("outcomes", "import", outcomes, home=office.home)
    assert done.returncode == 0, done.stderr
    assert "未入列 0" in done.stdout
    return office


def test_without_outcomes_the_expert_model_serves_on_and_the_code_is_0(tmp_path: Path) -> None:
    done = typed("retrain", home=tmp_path, LEADSCORE_LANG="en")
    assert done.returncode == 0, done.stderr
    assert "stays the champion" in done.stdout
    assert "0 pursuits" in done.stderr


def test_the_walk_from_outcomes_to_a_better_model_and_back(office: Office) -> None:
    before = office.ranking("before.csv")
    expert = office.champion()

    dry = office.retrain("--dry-run", lang="en")
    assert dry.returncode == 0, dry.stderr
    assert "Dry run" in dry.stdout
    assert office.champion() == expert

    began = processor_seconds()
    done = office.retrain(by=typed_anew)
    seconds = processor_seconds() - began
    assert done.returncode == 0, done.stderr
    assert "通过全部关口" in done.stdout, done.stdout
    assert done.stdout.count("✓") >= 8
    assert "跟进600家" in done.stderr
    assert "Traceback" not in done.stderr
    assert seconds < 60, f"retraining took {seconds:.1f} s"  # a bound for busy machines
    trained = office.champion()
    assert trained.startswith(f"nanchang-{office.history.until:%Y%m%d}-")
    assert trained in done.stdout

    after = office.ranking("after.csv")
    assert trained.encode() in after
    assert after != before

    again = office.retrain()
    assert again.returncode == 0
    assert office.champion() == trained
    versions = [
        path.parent.name for path in (office.home / "models").glob("nanchang-2*/manifest.json")
    ]
    assert len({office.scorecard(version) for version in versions}) == 1

    back = typed("models", "rollback", "--reason", "试用后退回", home=office.home)
    assert back.returncode == 0, back.stderr
    assert office.champion() == expert
    assert office.ranking("restored.csv", by=typed) == before


def test_a_person_may_promote_against_the_gates_with_a_reason(office: Office) -> None:
    early = date(2023, 12, 1)
    done = called("retrain", "--as-of", early, "--promote-anyway", "领导批准试用", home=office.home)
    assert done.returncode == 0, done.stderr
    assert "领导批准试用" in done.stdout
    assert office.champion().startswith("nanchang-20231201-")
    with contextlib.closing(open_store(office.home / "leadscore.sqlite3")) as database:
        assert history(database, "nanchang")[-1].reason == "领导批准试用"
    listed = typed("models", "list", home=office.home, LEADSCORE_LANG="zh").stdout
    assert "训练后未过检验，由人启用；理由：领导批准试用" in listed
    assert "人工启用" in listed


@pytest.mark.parametrize(
    "arguments", [("--as-of", "2999-01-01"), ("--as-of", "soon"), ("--promote-anyway", " ")]
)
def test_bad_usage_is_one_message_and_code_2(tmp_path: Path, arguments: tuple[str, str]) -> None:
    done = called("retrain", *arguments, home=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
