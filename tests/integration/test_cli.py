"""The commands as a user types them, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "samples" / "electronics.csv"
LAKEPORT = ROOT / "tests" / "cities" / "lakeport.toml"
COMMAND = Path(sys.executable).with_name("leadscore")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def leadscore(
    *arguments: object, home: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    environment = {"LEADSCORE_HOME": str(home), "LEADSCORE_LANG": "zh", **environment}
    return subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, encoding="utf-8", timeout=60,
        env={**os.environ, **environment}, check=False,
    )  # fmt: skip


def test_a_list_is_ranked_printed_and_written(home: Path, tmp_path: Path) -> None:
    out, problems = tmp_path / "ranking.csv", tmp_path / "problems.csv"
    done = leadscore("rank", SAMPLE, "-o", out, "--problems", problems, "--top", 5, home=home)
    assert done.returncode == 0, done.stderr
    assert "读入145行 = 排名" in done.stdout
    table = pd.read_csv(out, encoding="utf-8-sig")
    set_aside = pd.read_csv(problems, encoding="utf-8-sig")
    ranked, vetoed = table["rank"].notna().sum(), table["veto"].notna().sum()
    assert ranked + vetoed + len(set_aside[set_aside["code"] == "repeat"]) == 145
    assert table["priority"][: int(ranked)].is_monotonic_decreasing
    assert table["rank"][: int(ranked)].tolist() == list(range(1, int(ranked) + 1))
    assert (home / "models" / "nanchang.champion").exists()


# openpyxl does not know the data bars that start at 0.
@pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
def test_the_workbook_has_the_ranking_the_problems_and_the_columns(
    home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "ranking.xlsx"
    done = leadscore("rank", SAMPLE, "-o", out, home=home)
    assert done.returncode == 0, done.stderr
    book = openpyxl.load_workbook(out, read_only=True)
    assert len(book.sheetnames) == 3
    assert sum(1 for _ in book[book.sheetnames[0]].rows) == 145  # the header and 144 firms


def test_another_city_ranks_the_same_list_differently(home: Path, tmp_path: Path) -> None:
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"
    leadscore("rank", SAMPLE, "-o", here, home=home)
    done = leadscore("rank", SAMPLE, "-o", there, "--city", LAKEPORT, home=home)
    assert done.returncode == 0, done.stderr
    one, other = (pd.read_csv(path, encoding="utf-8-sig") for path in (here, there))
    assert set(one["name"]) == set(other["name"])
    assert one["name"].tolist() != other["name"].tolist()
    assert not set(one["segment"].dropna()) & set(other["segment"].dropna())


def test_an_unreadable_list_is_one_sentence_and_exit_code_2(home: Path, tmp_path: Path) -> None:
    picture = tmp_path / "list.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    done = leadscore("rank", picture, home=home)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "list.csv" in done.stderr
    assert done.stdout == ""


def test_a_list_that_is_not_there_and_an_odd_output_are_bad_usage(
    home: Path, tmp_path: Path
) -> None:
    missing = leadscore("rank", tmp_path / "no.csv", home=home)
    odd = leadscore("rank", SAMPLE, "-o", tmp_path / "ranking.doc", home=home)
    for done in (missing, odd):
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) <= 3
        assert "Traceback" not in done.stderr


def test_excluded_firms_are_vetoed(home: Path, tmp_path: Path) -> None:
    table = pd.read_csv(SAMPLE)
    excluded = tmp_path / "excluded.csv"
    table[["企业名称"]].iloc[[0]].to_csv(excluded, index=False)
    out = tmp_path / "ranking.csv"
    done = leadscore("rank", SAMPLE, "-o", out, "--exclude", excluded, home=home)
    assert done.returncode == 0, done.stderr
    ranking = pd.read_csv(out, encoding="utf-8-sig").set_index("name")
    assert ranking.loc[table["企业名称"][0], "veto"] == "在排除名单上"


@pytest.mark.parametrize(("lang", "words"), [("zh", "画像无误"), ("en", "the profile is sound")])
def test_a_sound_profile_is_drawn_as_a_tree(home: Path, lang: str, words: str) -> None:
    done = leadscore("city", "check", LAKEPORT, "--lang", lang, home=home)
    assert done.returncode == 0, done.stderr
    assert words in done.stdout
    assert "wind" in done.stdout


def test_all_mistakes_of_a_profile_are_told_at_once(home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    text = LAKEPORT.read_text(encoding="utf-8")
    text = text.replace('supply = "complete"', 'supply = "plenty"').replace(
        'feeds = ["wind.turbine"]', 'feeds = ["wind.turbin"]', 1
    )
    broken.write_text(text, encoding="utf-8")
    done = leadscore("city", "check", broken, "--lang", "en", home=home)
    assert done.returncode == 2
    assert "plenty" in done.stderr
    assert "wind.turbin" in done.stderr


def test_a_card_that_names_no_feature_is_a_mistake(home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    text = LAKEPORT.read_text(encoding="utf-8").replace(
        "[card.feature.sought]", "[card.feature.sougt]"
    )
    broken.write_text(text, encoding="utf-8")
    done = leadscore("city", "check", broken, "--lang", "en", home=home)
    assert done.returncode == 2
    assert 'card.feature.sougt: found sougt, wanted perhaps "sought"?' in done.stderr


def test_a_wrong_setting_names_its_variable(home: Path) -> None:
    done = leadscore("city", "check", LAKEPORT, home=home, LEADSCORE_PORT="many")
    assert done.returncode == 2
    assert "LEADSCORE_PORT" in done.stderr
    assert "many" in done.stderr


def test_help_names_every_command_and_takes_no_time_for_pandas(home: Path) -> None:
    code = (
        "import sys; from leadscore.cli import cli; "
        "cli(['--help'], standalone_mode=False); "
        "print('loaded:', *sorted({'pandas', 'sklearn', 'flask'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("loaded:")
    assert all(command in done.stdout for command in ("rank", "serve", "city"))
    assert leadscore("--version", home=home).stdout.startswith("leadscore")
