"""The commands as a user types them; see `tests.commands` for which take a process."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from tests.commands import COMMAND, ENOUGH_SECONDS, called, typed, variables, warm_command

from leadscore import rank

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "samples" / "electronics.csv"
LAKEPORT = ROOT / "tests" / "cities" / "lakeport.toml"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def test_a_list_is_ranked_printed_and_written(home: Path, tmp_path: Path) -> None:
    out, problems = tmp_path / "ranking.csv", tmp_path / "problems.csv"
    done = typed("rank", SAMPLE, "-o", out, "--problems", problems, "--top", 5, home=home)
    assert done.returncode == 0, done.stderr
    assert "读入145行 = 排名" in done.stdout
    table = pd.read_csv(out, encoding="utf-8-sig")
    set_aside = pd.read_csv(problems, encoding="utf-8-sig")
    ranked, vetoed = table["rank"].notna().sum(), table["veto"].notna().sum()
    assert ranked + vetoed + len(set_aside[set_aside["code"] == "repeat"]) == 145
    assert table["priority"][: int(ranked)].is_monotonic_decreasing
    assert table["rank"][: int(ranked)].tolist() == list(range(1, int(ranked) + 1))
    assert list((home / "models").glob("nanchang-expert-*"))


# openpyxl does not know the data bars that start at 0.
@pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
def test_the_workbook_has_the_ranking_the_problems_and_the_columns(
    home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "ranking.xlsx"
    done = called("rank", SAMPLE, "-o", out, home=home)
    assert done.returncode == 0, done.stderr
    book = openpyxl.load_workbook(out, read_only=True)
    assert len(book.sheetnames) == 3
    assert sum(1 for _ in book[book.sheetnames[0]].rows) == 145  # the header and 144 firms


def test_another_city_ranks_the_same_list_differently(home: Path, tmp_path: Path) -> None:
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"
    called("rank", SAMPLE, "-o", here, home=home)
    done = called("rank", SAMPLE, "-o", there, "--city", LAKEPORT, home=home)
    assert done.returncode == 0, done.stderr
    one, other = (pd.read_csv(path, encoding="utf-8-sig") for path in (here, there))
    assert set(one["name"]) == set(other["name"])
    assert one["name"].tolist() != other["name"].tolist()
    assert not set(one["segment"].dropna()) & set(other["segment"].dropna())


def test_an_unreadable_list_is_one_sentence_and_exit_code_2(home: Path, tmp_path: Path) -> None:
    picture = tmp_path / "list.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    done = typed("rank", picture, home=home)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "list.csv" in done.stderr
    assert done.stdout == ""


def test_a_list_that_is_not_there_and_an_odd_output_are_bad_usage(
    home: Path, tmp_path: Path
) -> None:
    missing = called("rank", tmp_path / "no.csv", home=home)
    odd = called("rank", SAMPLE, "-o", tmp_path / "ranking.doc", home=home)
    for done in (missing, odd):
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) <= 3
        assert "Traceback" not in done.stderr


def test_excluded_firms_are_vetoed(home: Path, tmp_path: Path) -> None:
    table = pd.read_csv(SAMPLE)
    excluded = tmp_path / "excluded.csv"
    table[["企业名称"]].iloc[[0]].to_csv(excluded, index=False)
    out = tmp_path / "ranking.csv"
    done = called("rank", SAMPLE, "-o", out, "--exclude", excluded, home=home)
    assert done.returncode == 0, done.stderr
    ranking = pd.read_csv(out, encoding="utf-8-sig").set_index("name")
    assert ranking.loc[table["企业名称"][0], "veto"] == "在排除名单上"


@pytest.mark.parametrize(("lang", "words"), [("zh", "画像无误"), ("en", "the profile is valid")])
def test_a_sound_profile_is_drawn_as_a_tree(home: Path, lang: str, words: str) -> None:
    done = typed("city", "check", LAKEPORT, "--lang", lang, home=home)
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
    done = typed("city", "check", broken, "--lang", "en", home=home)
    assert done.returncode == 2
    assert "plenty" in done.stderr
    assert "wind.turbin" in done.stderr


def test_a_card_that_names_no_feature_is_a_mistake(home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    text = LAKEPORT.read_text(encoding="utf-8").replace(
        "[card.feature.sought]", "[card.feature.sougt]"
    )
    broken.write_text(text, encoding="utf-8")
    done = called("city", "check", broken, "--lang", "en", home=home)
    assert done.returncode == 2
    assert 'card.feature.sougt: found sougt, wanted perhaps "sought"?' in done.stderr


def test_a_wrong_setting_names_its_variable(home: Path) -> None:
    done = typed("city", "check", LAKEPORT, home=home, LEADSCORE_PORT="many")
    assert done.returncode == 2
    assert "LEADSCORE_PORT" in done.stderr
    assert "many" in done.stderr


def test_ranking_loads_neither_what_fits_models_nor_what_serves_them(tmp_path: Path) -> None:
    code = (
        "import atexit, sys; from leadscore.cli import main; "
        "late = {'sklearn', 'scipy', 'joblib', 'flask'}; "
        "atexit.register(lambda: print('loaded:', *sorted(late & set(sys.modules)))); "
        "main()"
    )
    first, again = (
        subprocess.run(
            [sys.executable, "-c", code, "rank", SAMPLE], capture_output=True, text=True,
            check=True, env=os.environ | {"LEADSCORE_HOME": str(tmp_path)},
        )
        for _ in range(2)
    )  # fmt: skip
    # The first ranking of a home also makes the expert model, which is fitted to no outcomes.
    assert first.stdout.splitlines()[-1] == "loaded: joblib scipy sklearn"
    assert again.stdout.splitlines()[-1] == "loaded:"


def test_help_names_every_command_and_takes_no_time_for_pandas() -> None:
    code = (
        "import sys; from leadscore.cli import cli; "
        "cli(['--help'], standalone_mode=False); "
        "print('loaded:', *sorted({'pandas', 'sklearn', 'flask'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("loaded:")
    assert all(command in done.stdout for command in ("rank", "serve", "city"))
    done = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("leadscore")


def test_no_file_of_a_run_takes_the_place_of_another(home: Path, tmp_path: Path) -> None:
    listed, other = tmp_path / "list.csv", tmp_path / "other.csv"
    listed.write_bytes(SAMPLE.read_bytes())
    for arguments in (
        ("-o", listed),
        ("--problems", listed),
        ("--exclude", listed),
        ("-o", other, "--problems", tmp_path / "." / "other.csv"),
        ("-o", other, "--city", other),
    ):
        done = called("rank", listed, *arguments, home=home)
        assert done.returncode == 2
        assert "是同一个文件" in done.stderr
    assert listed.read_bytes() == SAMPLE.read_bytes()
    assert not other.exists()


def test_a_bad_place_for_the_problems_is_refused_before_the_work(
    home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "ranking.csv"
    done = called("rank", SAMPLE, "-o", out, "--problems", tmp_path / "p.txt", home=home)
    assert done.returncode == 2
    assert "p.txt" in done.stderr
    assert done.stdout == ""
    assert not out.exists()


@pytest.mark.parametrize(
    ("shell", "code"),
    [
        ("{} | true", 0),
        ("{} | head -n 1", 0),
        pytest.param("{} 2>&1 | true", 0, marks=pytest.mark.measured),
        ("{} > /dev/full", 2),
        pytest.param("{} > /dev/full 2>&1", 2, marks=pytest.mark.measured),
    ],
)
def test_the_file_is_there_whatever_becomes_of_the_screen(
    home: Path, tmp_path: Path, shell: str, code: int
) -> None:
    out = tmp_path / "ranking.csv"
    command = shlex.join(map(str, (*warm_command(), "rank", SAMPLE, "-o", out, "--top", 100)))
    done = subprocess.run(
        ["bash", "-c", "set -o pipefail; " + shell.format(command)], capture_output=True,
        encoding="utf-8", check=False, timeout=ENOUGH_SECONDS,
        env=variables(home),
    )  # fmt: skip
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "我们的问题" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len(pd.read_csv(out, encoding="utf-8-sig")) == 144


@pytest.mark.parametrize("encoding", ["gbk", "latin-1"])
def test_a_terminal_that_lacks_a_character_shows_a_question_mark(
    home: Path, tmp_path: Path, encoding: str
) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("企业名称\n𠮷某光电有限公司\n", encoding="utf-8")
    done = subprocess.run(
        [*warm_command(), "rank", listed], capture_output=True, check=True, timeout=ENOUGH_SECONDS,
        env=variables(home, PYTHONIOENCODING=encoding),
    )  # fmt: skip
    assert "?" in done.stdout.decode(encoding)
    assert done.stderr == b""


@pytest.mark.measured
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_with_a_short_sentence_and_no_file(home: Path, tmp_path: Path) -> None:
    listed, out = tmp_path / "list.csv", tmp_path / "ranking.csv"
    os.mkfifo(listed)
    running = subprocess.Popen(
        [*warm_command(), "rank", listed, "-o", out], env=variables(home),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        with listed.open("wb"):  # opens once the command waits at the other end
            running.send_signal(signal.SIGINT)
            printed, told = running.communicate(timeout=ENOUGH_SECONDS)
    finally:
        running.kill()
    assert running.returncode == 130
    assert told.decode().strip() == "已中断。"
    assert printed == b""
    assert set(tmp_path.iterdir()) == {listed}


@pytest.mark.parametrize(("lang", "words"), [("zh", "没有这个文件"), ("en", "no such file")])
def test_a_missing_list_is_told_in_the_language_asked_for(
    home: Path, tmp_path: Path, lang: str, words: str
) -> None:
    done = called("rank", tmp_path / "no.csv", "--lang", lang, home=home)
    assert done.returncode == 2
    assert words in done.stderr
    assert "No such file" not in done.stderr


def test_a_damaged_model_is_built_anew_and_said_in_the_language(tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("企业名称\n某某光电有限公司\n", encoding="utf-8")
    called("rank", listed, home=tmp_path)
    (artefact,) = (tmp_path / "models").glob("*/card.npz")
    artefact.write_bytes(b"half")
    done = called("rank", listed, home=tmp_path)
    assert done.returncode == 0
    assert "重新生成" in done.stderr
    assert "rebuilt" not in done.stderr


def test_a_wrong_setting_is_told_in_the_language_asked_for(home: Path) -> None:
    for lang, words in (("zh", "0 到 65535 的整数"), ("en", "a whole number from 0 to 65535")):
        done = called("city", "check", LAKEPORT, "--lang", lang, home=home, LEADSCORE_PORT="many")
        assert done.returncode == 2
        assert words in done.stderr


def test_the_exclusion_list_says_how_many_it_named_and_found(home: Path, tmp_path: Path) -> None:
    names = [*pd.read_csv(SAMPLE)["企业名称"][:2], "别处某某有限公司", ""]
    excluded = tmp_path / "excluded.csv"
    pd.DataFrame({"企业名称": names, "备注": "不招"}).to_csv(excluded, index=False)
    for lang, line in (
        ("zh", "排除名单：3 家，命中 2 家，1 行未读"),
        ("en", "exclusion list: 3 firms, 2 found, 1 row unread"),
    ):
        done = called("rank", SAMPLE, "--exclude", excluded, "--lang", lang, home=home)
        assert line in done.stdout.splitlines()


@pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
def test_what_a_reader_should_know_stands_in_the_workbook_too(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "ranking.xlsx"
    done = called("rank", SAMPLE, "-o", out, home=home)
    book = openpyxl.load_workbook(out, read_only=True)
    told = [str(row[1]) for row in book.worksheets[2].iter_rows(values_only=True)]
    notices = done.stderr.splitlines()
    assert notices
    assert set(notices) <= set(told)
    assert done.stdout.splitlines()[-1] in told


def test_one_problem_is_no_problems(home: Path) -> None:
    done = called("rank", SAMPLE, "--lang", "en", home=home)
    assert "\n1 problem in the data" in done.stdout


@pytest.mark.measured
def test_colour_and_width_are_those_of_the_terminal_that_shows_them(home: Path) -> None:
    def shown(**environment: str) -> str:
        ours, theirs = os.openpty()
        running = subprocess.Popen(
            [*warm_command(), "rank", SAMPLE, "--top", "1"], stdout=theirs, stderr=subprocess.PIPE,
            env=variables(home, COLUMNS="80", **environment),
        )  # fmt: skip
        running.communicate(timeout=ENOUGH_SECONDS)
        os.close(theirs)
        text = os.read(ours, 100_000).decode()
        os.close(ours)
        return text

    coloured, plain = shown(NO_COLOR=""), shown(NO_COLOR="1")
    assert "\x1b[1;32m" in coloured
    assert "\x1b" not in plain
    assert "-" * 80 in plain
    assert "-" * 81 not in plain
    assert "\x1b" not in called("rank", SAMPLE, "--top", 1, home=home).stdout


def test_in_python_the_table_brings_its_counts_notices_and_problems(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADSCORE_HOME", str(home))
    table = rank(SAMPLE, lang="en")
    assert table.attrs["counts"].startswith("145 rows read = ")
    assert all(isinstance(notice, str) for notice in table.attrs["notices"])
    problems = pd.DataFrame(table.attrs["problems"])
    assert {"row", "column", "found", "wanted", "code", "sheet", "set_aside"} == set(problems)
    assert problems["set_aside"].sum() == 1
    # What is kept there stands in nobody's way.
    again = pd.concat([table.iloc[:2], table.iloc[2:].copy()])
    pd.testing.assert_frame_equal(again, table)
    assert again.attrs == table.attrs
    table.to_parquet(tmp_path / "ranking.parquet")
