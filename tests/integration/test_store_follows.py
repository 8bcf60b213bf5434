"""When a command changes which model serves, the store learns of it, and its scores follow."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.champions import champion, line
from tests.commands import Done, called
from tests.kept_lists import BLADES, NOW, TODAY, hand_in, lakeport
from tests.second_model import OTHER, save_another

from leadscore.jobs.tasks import JobDependencies, all_kinds
from leadscore.jobs.worker import Worker
from leadscore.learning.expert import expert_model
from leadscore.learning.training_data import Rules
from leadscore.ranking.score import Scorer
from leadscore.registry.models import ModelRegistry
from leadscore.startup import champion_scorer
from leadscore.store.audit import AuditTrail, page
from leadscore.store.current_ranking import STANDINGS
from leadscore.store.jobs import list_jobs
from leadscore.store.list_import import take_in_list
from leadscore.store.migrations import open_store
from leadscore.store.models import mirrored

LAKEPORT = Path(__file__).parents[1] / "cities" / "lakeport.toml"


class Home:
    """A home in which a firm is kept, scored by the experts' card, and another model is at hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry = ModelRegistry(folder / "models", folder / "keys" / "models.key")
        self.expert = expert_model(lakeport(), self.registry, NOW)[0]
        self.database = open_store(folder / "leadscore.sqlite3")
        number = hand_in(self.database, {"name": "甲有限公司", "main_business": BLADES})
        take_in_list(self.database, number, scorer=self.scorer(), now=NOW, today=TODAY)
        save_another(self.registry)

    def scorer(self) -> Scorer:
        return champion_scorer(lakeport(), self.registry, line(self.database), now=NOW)

    def run(self, *arguments: object) -> Done:
        known = {"LEADSCORE_LANG": "en", "LEADSCORE_CITY": str(LAKEPORT)}
        done = called(*arguments, home=self.folder, **known)
        assert done.returncode == 0, done.stderr
        return done

    def work(self) -> None:
        kinds = all_kinds(JobDependencies(
            city=lakeport, scorer=self.scorer, registry=self.registry, rules=Rules,
            exports=self.folder / "exports",
            trail=AuditTrail(self.folder / "keys" / "audit.key"),
            clock=lambda: datetime.now(UTC),
        ))  # fmt: skip
        worker = Worker("here", self.database, kinds, lambda: datetime.now(UTC), threading.Event())
        while worker.do_one():
            pass

    def states(self) -> Mapping[str, str]:
        with self.database.read() as connection:
            models = mirrored(connection, lakeport().id, self.scorer().model)
        return {model.version: model.state for model in models}

    def rescorings(self) -> list[str]:
        with self.database.read() as connection:
            return [job.state for job in list_jobs(connection, kinds=["rescore"])]

    def scored_by(self) -> list[str]:
        with self.database.read() as connection:
            return list(connection.scalars(select(STANDINGS.c.model)))

    def acts(self) -> list[tuple[str, str | None]]:
        with self.database.read() as connection:
            return [(row.action, row.object_id) for row in page(connection)]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_promoted_model_scores_the_kept_firms_and_back_again(home: Home) -> None:
    assert home.scored_by() == [home.expert]
    done = home.run("models", "promote", OTHER, "--reason", "checked")
    assert "job 1 rescores the stored firms" in done.stdout
    assert home.states() == {OTHER: "champion", home.expert: "shelved"}
    assert home.acts() == [("model.promote", OTHER)]
    home.work()
    assert home.scored_by() == [OTHER]
    done = home.run("models", "rollback")
    assert "job 2 rescores the stored firms" in done.stdout
    assert home.states() == {OTHER: "shelved", home.expert: "champion"}
    home.work()
    assert home.scored_by() == [home.expert]
    assert home.rescorings() == ["done", "done"]


def test_one_job_waits_however_often_the_champion_changes(home: Home) -> None:
    home.run("models", "promote", OTHER)
    assert "job 1 rescores" in home.run("models", "promote", OTHER).stdout
    assert home.rescorings() == ["waiting"]
    assert "scores" not in home.run("models", "rollback").stdout.partition("\n")[2]
    home.work()
    assert home.scored_by() == [home.expert]


def test_a_retraining_brings_the_mirror_up_to_date(home: Home) -> None:
    assert home.states() == {}
    home.run("retrain", "--dry-run")
    assert home.states() == {}
    home.run("retrain")
    states = home.states()
    (challenger,) = states.keys() - {OTHER, home.expert}
    assert states == {OTHER: "shelved", home.expert: "champion", challenger: "shelved"}
    assert home.acts() == [("model.retrain", challenger)]
    assert home.rescorings() == []


def test_where_nothing_is_kept_looking_makes_nothing_and_promoting_keeps_who_serves(
    tmp_path: Path,
) -> None:
    registry = ModelRegistry(tmp_path / "models", tmp_path / "keys" / "models.key")
    expert_model(lakeport(), registry, NOW)
    save_another(registry)
    for command in ("list", "promote"):
        assert not (tmp_path / "leadscore.sqlite3").exists()
        named = [OTHER] if command == "promote" else []
        done = called("models", command, *named, home=tmp_path, LEADSCORE_CITY=str(LAKEPORT))
        assert done.returncode == 0, done.stderr
    with contextlib.closing(open_store(tmp_path / "leadscore.sqlite3")) as database:
        assert champion(database) == OTHER


def test_without_a_database_a_list_that_is_not_kept_is_ranked_by_the_expert_card(
    tmp_path: Path,
) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text(f"企业名称,主营业务\n甲有限公司,{BLADES}\n", "utf-8")
    home = tmp_path / "home"
    known = {"LEADSCORE_LANG": "en", "LEADSCORE_CITY": str(LAKEPORT)}
    out = tmp_path / "out.csv"
    done = called("rank", listed, "--no-keep", "-o", out, home=home, **known)
    assert done.returncode == 0, done.stderr
    assert "lakeport-expert-" in out.read_text("utf-8")
    assert not list(home.glob("*.sqlite3*"))
    done = called("rank", listed, "-o", out, home=home, **known)
    assert done.returncode == 0, done.stderr
    assert (home / "leadscore.sqlite3").exists(), "what is kept needs a database, which is made"


def test_a_list_that_is_not_kept_is_ranked_by_who_serves(home: Home, tmp_path: Path) -> None:
    listed, out = tmp_path / "list.csv", tmp_path / "out.csv"
    listed.write_text(f"企业名称,主营业务\n甲有限公司,{BLADES}\n", "utf-8")
    home.run("models", "promote", OTHER)
    home.run("rank", listed, "--no-keep", "-o", out)
    assert OTHER in out.read_text("utf-8")


@pytest.mark.parametrize("keep", ["--keep", "--no-keep"])
def test_a_database_that_is_named_and_away_ends_a_ranking(tmp_path: Path, keep: str) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text(f"企业名称,主营业务\n甲有限公司,{BLADES}\n", "utf-8")
    away = "postgresql://nobody@127.0.0.1:9/nothing?connect_timeout=2"
    done = called(
        "rank", listed, keep, home=tmp_path / "home", LEADSCORE_CITY=str(LAKEPORT),
        LEADSCORE_DATABASE=away, LEADSCORE_LANG="en",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "no connection to the database" in done.stderr
    assert "Traceback" not in done.stderr
