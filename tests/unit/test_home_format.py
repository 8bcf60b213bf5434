"""A home says its format, so that an older program refuses what a newer one has written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from leadscore.errors import SettingsError
from leadscore.settings import Settings
from leadscore.startup import (
    FORMAT,
    FORMAT_FILE,
    check_home,
    connect_database,
    enter_home,
    open_city,
    open_database,
    open_registry,
    open_scorer,
    read_profile,
)

LAKEPORT = Path(__file__).parents[1] / "cities" / "lakeport.toml"


def settings(home: Path) -> Settings:
    return Settings(home=home, city=LAKEPORT)


def test_a_home_gets_its_number_before_anything_else_is_written(tmp_path: Path) -> None:
    open_database(settings(tmp_path / "new")).close()
    assert (tmp_path / "new" / FORMAT_FILE).read_text() == f"{FORMAT}\n"
    open_scorer(settings(tmp_path / "ranked"))
    assert (tmp_path / "ranked" / FORMAT_FILE).read_text() == f"{FORMAT}\n"


def test_looking_makes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert open_registry(settings(home)).versions() == []
    assert open_city(settings(home)).id == "lakeport"
    assert not home.exists()


def test_a_home_of_format_1_is_entered_and_then_has_a_number(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    check_home(tmp_path)
    assert not (tmp_path / FORMAT_FILE).exists()
    enter_home(tmp_path)
    assert (tmp_path / FORMAT_FILE).read_text() == f"{FORMAT}\n"


@pytest.mark.parametrize("number", [str(FORMAT + 1), "99\n", "", "two", "-1", "²", "9" * 300])
def test_a_newer_home_is_refused_whatever_is_asked_of_it(tmp_path: Path, number: str) -> None:
    (tmp_path / FORMAT_FILE).write_text(number, "utf-8")
    for use in (open_registry, open_database, connect_database, read_profile, open_scorer):
        with pytest.raises(SettingsError) as caught:
            use(settings(tmp_path))
        zh, en = caught.value.render("zh"), caught.value.render("en")
        assert f"wanted {FORMAT} or lower" in en
        assert "Upgrade leadscore, or name another home with LEADSCORE_HOME" in en
        assert f"应为 {FORMAT} 或更小" in zh
        assert "请升级 leadscore" in zh
        assert not re.search(r"[\u4e00-\u9fff]", en)
    assert [path.name for path in tmp_path.iterdir()] == [FORMAT_FILE]


@pytest.mark.parametrize("number", ["0", "1\n", f" {FORMAT} "])
def test_an_older_home_is_not_refused(tmp_path: Path, number: str) -> None:
    (tmp_path / FORMAT_FILE).write_text(number)
    enter_home(tmp_path)
    assert (tmp_path / FORMAT_FILE).read_text() == number


def test_a_home_that_cannot_be_written_is_left_without_a_number(tmp_path: Path) -> None:
    home = tmp_path / "a file"
    home.write_text("")
    enter_home(home)
    enter_home(home / "below")
    assert home.read_text() == ""


ENTERING = """
import sys
from pathlib import Path
from leadscore.startup import enter_home

print("ready", flush=True)
sys.stdin.readline()
enter_home(Path(sys.argv[1]))
"""


def test_programs_that_start_at_once_agree_on_one_number(tmp_path: Path) -> None:
    home = tmp_path / "home"
    pipe = subprocess.PIPE
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", ENTERING, home], stdin=pipe, stdout=pipe, text=True,
            env={**os.environ, "LEADSCORE_HOME": str(home)},
        )
        for _ in range(3)
    ]  # fmt: skip
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        program.communicate("\n", timeout=60)
        assert program.returncode == 0
    assert [path.name for path in home.iterdir()] == [FORMAT_FILE]
    assert (home / FORMAT_FILE).read_text() == f"{FORMAT}\n"
