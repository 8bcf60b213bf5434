"""The commands for models as a user types them; of each some in a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.champions import back, champion, history, promote
from tests.commands import Done, called, processor_seconds, typed, typed_anew, variables
from tests.second_model import another

from leadscore.city import City, load_city
from leadscore.learning.expert import expert_model
from leadscore.registry.models import ModelRegistry, expert_version
from leadscore.store.database import Database
from leadscore.store.migrations import open_store

ROOT = Path(__file__).parents[2]
LAKEPORT = ROOT / "tests" / "cities" / "lakeport.toml"
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
FIRST, SECOND, BOLD = (f"lakeport-2026{name}-0123456789" for name in ("0101", "0201", "0301"))
MEASURES = {
    "n": 200,
    "positives": 21,
    "weight": 200.0,
    "measures": {
        "log_loss": {"value": 0.30125, "low": 0.25, "high": 0.35},
        "auc": {"value": None, "low": None, "high": None},
    },
    "top": [],
    "reliability": [],
    "groups": {},
}
PASSED = {"id": "loss", "passed": True, "sentence": {"zh": "没有变差。", "en": "No worse."}}
FAILED = {"id": "slope", "passed": False, "sentence": {"zh": "斜率过大。", "en": "Too steep."}}

Run = Callable[..., Done]


@pytest.fixture
def city() -> City:
    return load_city(LAKEPORT)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return the database of the home."""
    with contextlib.closing(open_store(tmp_path / "leadscore.sqlite3")) as database:
        yield database


@pytest.fixture
def registry(city: City, tmp_path: Path, database: Database) -> ModelRegistry:
    """Return a registry on which the expert and two trained models have served; a third failed."""
    registry = ModelRegistry(tmp_path / "models", tmp_path / "keys" / "models.key")
    expert_model(city, registry, NOW)
    for n, version in enumerate((FIRST, SECOND, BOLD), start=1):
        gates = [PASSED, FAILED] if version == BOLD else [PASSED]
        manifest = {
            "kind": "trained",
            "created": datetime(2026, 11, 24, 8 + n, tzinfo=UTC),
            "as_of": f"2026-0{n}-01",
            "outcomes": {"known": 1_234, "positive": 56, "open": 7, "left_out": {}},
            "measures": {"challenger": MEASURES, "champion": MEASURES},
            "decision": {"promoted": version != BOLD, "gates": gates, "overruled": None},
        }
        registry.save(version, another(city, n), manifest)
        if version != BOLD:
            promote(database, registry, version)
    return registry


@pytest.fixture
def leadscore(tmp_path: Path) -> Run:
    def run(*arguments: object, by: Run = called, **environment: str) -> Done:
        known = {"LEADSCORE_LANG": "en", "LEADSCORE_CITY": str(LAKEPORT)}
        return by(*arguments, home=tmp_path, **known | environment)

    return run


def test_the_models_are_listed_newest_first(
    leadscore: Run, registry: ModelRegistry, city: City
) -> None:
    (registry.folder / FIRST / "manifest.json").write_text("{}")
    done = leadscore("models", "list", by=typed)
    assert done.returncode == 0, done.stderr
    head, *rest = done.stdout.splitlines()
    assert head.split() == [
        "version", "kind", "as", "of", "saved", "outcomes", "log", "loss", "AUC", "gates",
    ]  # fmt: skip
    rows = {row.split()[-8]: row.split() for row in rest[:4] if FIRST not in row}
    assert rows[BOLD] == [
        BOLD, "trained", "2026-03-01", "2026-11-24", "1,234", "0.3013", "-", "failed",
    ]  # fmt: skip
    assert rows[SECOND][0] != SECOND
    assert rows[expert_version(city)][1:] == ["expert", "-", "2026-11-24", "0", *"---"]
    order = [line for line in rest if BOLD in line or SECOND in line]
    assert BOLD in order[0]
    (bad,) = (row for row in rest[:4] if FIRST in row)
    assert bad.split()[:3] == ["!", FIRST, "damaged"]
    assert f"! {FIRST}\nthe model {FIRST} is damaged" in done.stdout
    assert f"{SECOND}, trained, and passed its gates" in done.stdout


def test_the_list_speaks_chinese(leadscore: Run, registry: ModelRegistry) -> None:
    assert registry.versions()
    done = leadscore("models", "list", "--lang", "zh")
    assert done.stdout.splitlines()[0].split()[:3] == ["版本", "种类", "截至"]
    assert "未通过" in done.stdout
    assert "训练后通过检验" in done.stdout
    assert SECOND in done.stdout


def test_an_empty_shelf_is_no_error(leadscore: Run, tmp_path: Path) -> None:
    for command in ("list", "show"):
        done = leadscore("models", command)
        assert done.returncode == 0
        assert "the first ranking (leadscore rank) builds one" in done.stdout
    assert not list(tmp_path.iterdir())


def test_after_an_upgrade_the_expert_card_is_shown_before_anybody_has_scored_by_it(
    leadscore: Run, city: City, tmp_path: Path
) -> None:
    registry = ModelRegistry(tmp_path / "models", tmp_path / "keys" / "models.key")
    older = "lakeport-expert-0123456789"
    registry.save(older, another(city, 0), {"kind": "expert", "created": NOW, "outcomes": 0})
    listed, shown = leadscore("models", "list", by=typed), leadscore("models", "show", by=typed)
    assert (listed.returncode, shown.returncode) == (0, 0), listed.stderr + shown.stderr
    for done in (listed, shown):
        assert expert_version(city) in done.stdout
    assert older in listed.stdout
    assert [version.name for version in registry.versions()] == [older], "looking makes nothing"


def test_rolling_back_restores_the_scores_to_the_last_byte_within_seconds(
    leadscore: Run, registry: ModelRegistry, database: Database, tmp_path: Path
) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text(
        "企业名称,经营范围\n甲公司,风电叶片的研发、生产和销售\n乙公司,面包\n", "utf-8"
    )

    def ranked(name: str, by: Run = called) -> bytes:
        done = leadscore("rank", listed, "-o", tmp_path / name, by=by)
        assert done.returncode == 0, done.stderr
        return (tmp_path / name).read_bytes()

    back(database, registry)
    before = ranked("before.csv")
    took = []
    for _ in range(3):  # the quickest counts, for other tests want the processor too
        promote(database, registry, SECOND, act="by_hand")
        assert ranked("between.csv") != before
        began = processor_seconds()
        done = leadscore("models", "rollback", "--reason", "the fair was a fluke", by=typed_anew)
        took.append(processor_seconds() - began)
        assert done.returncode == 0, done.stderr
    # By the clock 1.8 s beside other work; two processes on each core cost half as much again.
    assert min(took) < 3
    assert f"is back to model {FIRST}; {SECOND} is no longer the champion" in done.stdout
    assert ranked("after.csv", by=typed) == before
    last = history(database)[-1]
    assert (last.version, last.act, last.by) == (FIRST, "rolled_back", "cli")
    assert last.reason == "the fair was a fluke"


def test_rolling_back_leads_to_the_expert_and_then_nowhere(
    leadscore: Run, registry: ModelRegistry, city: City, database: Database
) -> None:
    assert registry.versions()
    for version in (FIRST, expert_version(city)):
        assert version in leadscore("models", "rollback").stdout
        assert champion(database) == version
    done = leadscore("models", "rollback", "--lang", "zh", by=typed)
    assert done.returncode == 2
    assert "没有可以退回的模型" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_rolling_back_over_damaged_models_builds_the_expert_anew(
    leadscore: Run, registry: ModelRegistry, city: City, database: Database
) -> None:
    for version in (FIRST, expert_version(city)):
        (registry.folder / version / "card.npz").write_bytes(b"junk")
    done = leadscore("models", "rollback")
    assert done.returncode == 0, done.stderr
    serving = expert_version(city)
    assert f"back to model {serving}" in done.stdout
    assert f"{FIRST}, which can't be used, was passed over" in done.stderr
    assert champion(database) == serving
    assert registry.manifest(serving).kind == "expert"
    assert registry.load(serving)
    assert history(database)[-1].act == "rolled_back"


def test_a_model_is_promoted_by_hand_and_failed_gates_need_a_reason_each_time(
    leadscore: Run, registry: ModelRegistry, database: Database
) -> None:
    assert registry.versions()
    done = leadscore("models", "promote", BOLD, by=typed)
    assert done.returncode == 2
    assert "did not pass its gates: Too steep. To activate it anyway" in done.stderr
    assert "Traceback" not in done.stderr
    assert champion(database) == SECOND
    done = leadscore("models", "promote", BOLD, "--reason", "我们负责", "--lang", "zh")
    assert done.returncode == 0, done.stderr
    assert BOLD in done.stdout
    assert champion(database) == BOLD
    assert history(database)[-1].reason == "我们负责"
    listed = leadscore("models", "list", "--lang", "zh").stdout
    assert "由人指定；理由：我们负责" in listed
    again = leadscore("models", "promote", BOLD)
    assert again.returncode == 0
    assert "is already the champion for Lakeport; nothing was changed" in again.stdout
    assert leadscore("models", "promote", FIRST, by=typed).returncode == 0
    assert leadscore("models", "promote", BOLD, by=typed).returncode == 2


def test_a_model_that_is_not_there_or_of_another_city_is_bad_input(
    leadscore: Run, registry: ModelRegistry, database: Database
) -> None:
    assert registry.versions()
    for arguments, words in (
        (("promote", "lakeport-nothing"), "there is no model lakeport-nothing"),
        (("promote", "../lakeport"), "can't be the name of a model"),
        (("promote", SECOND, "--city", ROOT / "data" / "cities" / "nanchang.toml"), "lakeport"),
        (("show", "lakeport-nothing"), "there is no model lakeport-nothing"),
        (("list", "--city", "no.toml"), "no.toml can't be opened: there is no such file"),
    ):
        done = leadscore("models", *arguments)
        assert done.returncode == 2
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert champion(database) == SECOND
    assert champion(database, "nanchang") is None


def test_the_champion_is_shown_unless_another_is_named(
    leadscore: Run, registry: ModelRegistry
) -> None:
    shown = leadscore("models", "show", by=typed)
    assert shown.returncode == 0, shown.stderr
    assert SECOND in shown.stdout
    assert BOLD in leadscore("models", "show", BOLD, "--lang", "zh").stdout
    (registry.folder / BOLD / "signature").unlink()
    refused = leadscore("models", "show", BOLD)
    assert refused.returncode == 2
    assert "has no signature" in refused.stderr


def test_a_model_is_shown_as_a_page(
    leadscore: Run, registry: ModelRegistry, database: Database, tmp_path: Path
) -> None:
    assert registry.versions()
    page = tmp_path / "page.html"
    done = leadscore("models", "show", "--html", page)
    assert done.returncode == 0, done.stderr
    assert SECOND in page.read_text("utf-8")
    assert str(page) in done.stdout
    nowhere = leadscore("models", "show", "--html", tmp_path / "no" / "page.html")
    assert nowhere.returncode == 2
    assert "there is no folder" in nowhere.stderr
    assert champion(database) == SECOND


def test_the_key_may_lie_where_a_setting_says(
    leadscore: Run, registry: ModelRegistry, database: Database, tmp_path: Path
) -> None:
    assert registry.versions()
    elsewhere = tmp_path / "vault.key"
    (tmp_path / "keys" / "models.key").rename(elsewhere)
    lost = leadscore("models", "rollback")
    assert lost.returncode == 2
    assert "isn't there" in lost.stderr
    assert not (tmp_path / "keys" / "models.key").exists()
    done = leadscore("models", "rollback", LEADSCORE_KEY_FILE=str(elsewhere))
    assert done.returncode == 0, done.stderr
    assert champion(database) == FIRST
    inside = leadscore("models", "list", LEADSCORE_KEY_FILE=str(tmp_path / "models" / "key"))
    assert "inside the models folder" in inside.stdout


def test_looking_and_going_back_load_neither_pandas_nor_scikit_learn(
    registry: ModelRegistry, database: Database, tmp_path: Path
) -> None:
    assert registry.versions()
    code = (
        "import sys; from leadscore.cli import cli; "
        "[cli(['models', c], standalone_mode=False) for c in ('list', 'rollback')]; "
        "print('loaded:', *sorted({'pandas', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=variables(tmp_path, LEADSCORE_CITY=str(LAKEPORT)),
    )  # fmt: skip
    assert done.stdout.rstrip().endswith("loaded:")
    assert champion(database) == FIRST
