"""Outcomes go in by the command line, and a ranking leaves behind what can be learnt from."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Connection
from tests.commands import called, typed

import leadscore
from leadscore import rank
from leadscore.files import shipped
from leadscore.learning.training_data import training_set
from leadscore.store.migrations import open_store
from leadscore.store.outcomes import read_outcomes
from leadscore.store.snapshots import read_snapshots

SAMPLE = shipped("samples", "electronics.csv")


@contextlib.contextmanager
def kept(home: Path) -> Iterator[Connection]:
    """Give a transaction in the database of a home."""
    database = open_store(home / "leadscore.sqlite3")
    with contextlib.closing(database), database.read() as connection:
        yield connection


def events(home: Path) -> pd.DataFrame:
    with kept(home) as connection:
        return read_outcomes(connection)


def snapshots(home: Path) -> pd.DataFrame:
    with kept(home) as connection:
        return read_snapshots(connection)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "progress.csv"
    path.write_text(
        "企业名称,统一社会信用代码,阶段,日期,原因\n"
        "甲光电有限公司,91110000600037341L,对接,2023-02-01,\n"
        ",91110000600037341L,签约,2023-06-01,\n"
        "乙光电有限公司,,对接,2023-02-01,\n"
        "乙光电有限公司,,流失（地价）,2023-03-01,\n"
        "乙光电有限公司,,签约,2023-05-01,\n"
        "丙光电有限公司,,签约,2023-05-01,\n"
        "丁光电有限公司,,晴,2023-05-01,\n",
        encoding="gb18030",
    )
    return path


def test_outcomes_are_imported_once_summed_and_told(tmp_path: Path, listed: Path) -> None:
    home = tmp_path / "home"
    done = typed("outcomes", "import", listed, "--stage", "晴=-", home=home)
    assert done.returncode == 0, done.stderr
    assert "读入 7 条 = 新增 5 + 已有 0 + 未入列 2" in done.stdout
    assert "对接 2、签约 2、流失 1" in done.stdout
    assert "已到“签约” 1 家，未到 1 家，尚未可知 0 家" in done.stdout
    assert "1 家没有首次接触" in done.stdout
    assert re.search(r"第 6 行：现为“乙光电有限公司 2023-05-01”.*流失（2023-03-01）", done.stderr)
    assert "第 8 行，阶段：现为“晴”" in done.stderr
    again = called("outcomes", "import", listed, "--lang", "en", home=home)
    assert "7 entries read = 0 new + 5 already known + 2 left out" in again.stdout
    assert len(events(home)) == 5


def test_problems_are_written_where_they_are_asked_for(tmp_path: Path, listed: Path) -> None:
    problems = tmp_path / "problems.csv"
    done = called(
        "outcomes", "import", listed, "--problems", problems, "--stage", "晴=-",
        home=tmp_path / "home",
    )  # fmt: skip
    assert done.returncode == 0
    assert "第 8 行" not in done.stderr
    table = pd.read_csv(problems, encoding="utf-8-sig")
    assert table[table["set_aside"]][["row", "code"]].to_numpy().tolist() == [
        [6, "after_loss"], [8, "skipped_stage"],
    ]  # fmt: skip


def test_target_and_horizon_are_settings(tmp_path: Path, listed: Path) -> None:
    done = called(
        "outcomes", "import", listed, "--stage", "晴=-", home=tmp_path / "home",
        LEADSCORE_TARGET="building", LEADSCORE_HORIZON_DAYS="50",
    )  # fmt: skip
    assert "首次接触后 50 天内：已到“开工” 0 家，未到 2 家" in done.stdout
    wrong = called("outcomes", "import", listed, home=tmp_path, LEADSCORE_TARGET="married")
    assert wrong.returncode == 2
    assert "LEADSCORE_TARGET" in wrong.stderr


@pytest.mark.parametrize("content", ["企业名称,主营业务\n甲,乙\n", "\x89PNG\r\n"])
def test_what_is_no_sheet_of_outcomes_is_one_clear_message(tmp_path: Path, content: str) -> None:
    path = tmp_path / "progress.csv"
    path.write_text(content, encoding="latin-1" if content[0] == "\x89" else "utf-8")
    done = typed("outcomes", "import", path, home=tmp_path / "home")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert len(events(tmp_path / "home")) == 0


def test_a_ranking_keeps_the_firms_as_they_were_known(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = called("rank", SAMPLE, home=home)
    assert "快照" in first.stdout
    assert "快照" not in called("rank", SAMPLE, home=home).stdout
    old = called("rank", SAMPLE, "--as-of", "2023年1月15日", home=home)
    assert old.returncode == 0
    assert "企业" in old.stdout
    kept = snapshots(home)
    assert kept.groupby("as_of").size().to_dict() == {
        pd.Timestamp(2023, 1, 15): 144, pd.Timestamp(date.today()): 144,
    }  # fmt: skip
    assert kept["source"].unique().tolist() == [SAMPLE.name]
    assert kept["model"].nunique() == 1


def test_from_a_list_and_its_outcomes_to_what_can_be_learnt(tmp_path: Path) -> None:
    home = tmp_path / "home"
    called("rank", SAMPLE, "--as-of", "2023-01-15", home=home)
    names = pd.read_csv(SAMPLE)["企业名称"]
    progress = tmp_path / "progress.csv"
    pd.DataFrame(
        {"企业": names[:3], "对接日期": ["2023-02-01", "2023-01-10", "2023-02-01"],
         "签约日期": ["2023-05-01", None, None]}
    ).to_csv(progress, index=False)  # fmt: skip
    called("outcomes", "import", progress, home=home)
    pursuits = training_set(events(home), snapshots(home), as_of=date(2025, 1, 1))
    assert dict(zip(pursuits.firms["name"], pursuits.y, strict=True)) == {
        names[0]: 1.0,
        names[2]: 0.0,
    }
    assert pursuits.left_out == {"snapshot_after_contact": 1}


def test_no_keep_keeps_nothing_and_neither_does_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    assert called("rank", SAMPLE, "--no-keep", home=home).returncode == 0
    monkeypatch.setenv("LEADSCORE_HOME", str(home))
    rank(SAMPLE)
    assert not (home / "leadscore.sqlite3").exists()


def test_where_nobody_can_tell_who_serves_nothing_is_ranked(tmp_path: Path) -> None:
    home, out = tmp_path / "home", tmp_path / "ranking.csv"
    home.mkdir()
    (home / "leadscore.sqlite3").write_text("no database at all" * 99, encoding="utf-8")
    done = called("rank", SAMPLE, "-o", out, home=home)
    assert done.returncode == 2
    assert not out.exists()
    assert "leadscore.sqlite3" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("day", ["2999-01-01", "gestern"])
def test_a_list_can_t_be_ranked_as_of_no_day_or_a_day_to_come(tmp_path: Path, day: str) -> None:
    done = called("rank", SAMPLE, "--as-of", day, home=tmp_path)
    assert done.returncode == 2
    assert f"--as-of：现为 {day}" in done.stderr


def test_help_tells_of_the_command_without_loading_pandas() -> None:
    code = (
        "import sys; from leadscore.cli import cli; "
        "cli(['outcomes', '--help'], standalone_mode=False); "
        "late = {'pandas', 'pyarrow', 'sklearn', 'sqlalchemy'}; "
        "print('loaded:', *sorted(late & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "import" in done.stdout
    assert done.stdout.rstrip().endswith("loaded:")


def written(folder: Path, *lines: str, name: str = "台账.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def kept_events(home: Path) -> list[tuple[str, str, str]]:
    table = events(home)
    days = table["day"].dt.strftime("%Y-%m-%d")
    return list(zip(table["name"], table["stage"], days, strict=True))


def test_an_unknown_word_of_stages_stops_the_import_until_it_is_mapped(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ledger = written(
        tmp_path, "投资主体,最新进展,日期", "甲光电有限公司,已签约,2023-06-01",
        "乙光电有限公司,凉透,2023-07-01", "丙光电有限公司,凉透,2023-07-02",
    )  # fmt: skip
    stopped = called("outcomes", "import", ledger, home=home)
    assert stopped.returncode == 2
    assert "--stage 凉透=流失" in stopped.stderr
    assert "2 条" in stopped.stderr
    assert (
        "--stage 凉透=lost"
        in called("outcomes", "import", ledger, "--lang", "en", home=home).stderr
    )
    assert kept_events(home) == []
    mapped = called("outcomes", "import", ledger, "--stage", "凉透=流失", home=home)
    assert mapped.returncode == 0, mapped.stderr
    assert Counter(stage for _, stage, _ in kept_events(home)) == {"signed": 1, "lost": 2}


def test_what_was_said_of_a_file_is_how_the_next_with_its_headers_is_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    header = "牵头方,走到哪,何时,黄了时间"
    first = written(
        tmp_path, header, "甲光电有限公司,签了,2023-06-01,", "乙光电有限公司,,,2023-06-02"
    )
    unread = called("outcomes", "import", first, home=home)
    assert unread.returncode == 2
    said = ("--map", "牵头方=name", "--map", "走到哪=stage", "--map", "何时=day",
            "--stage", "签了=signed", "--map", "黄了时间=day:流失")  # fmt: skip
    assert called("outcomes", "import", first, *said, home=home).returncode == 0
    next_month = written(tmp_path, header, "丙光电有限公司,签了,2023-07-01,", name="七月.csv")
    done = called("outcomes", "import", next_month, home=home)
    assert done.returncode == 0, done.stderr
    assert "照上次" in done.stderr
    assert kept_events(home)[-1] == ("丙光电有限公司", "signed", "2023-07-01")
    afresh = called("outcomes", "import", next_month, "--no-template", home=home)
    assert afresh.returncode == 2


def test_a_column_of_days_that_may_be_those_of_losses_stops_the_import(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ledger = written(
        tmp_path, "企业名称,对接时间,撤场时间",
        "甲光电有限公司,2023-01-05,2023-06-01", "乙光电有限公司,2023-01-06,2023-06-02",
    )  # fmt: skip
    stopped = called("outcomes", "import", ledger, home=home)
    assert stopped.returncode == 2
    assert "--map 撤场时间=day:流失" in stopped.stderr
    assert (
        called("outcomes", "import", ledger, "--map", "撤场时间=day:lost", home=home).returncode
        == 0
    )
    assert Counter(stage for _, stage, _ in kept_events(home)) == {"contacted": 2, "lost": 2}


@pytest.mark.parametrize(
    "row",
    [
        "乙光电有限公司,流失,",
        "乙光电有限公司,流失,某日",
        ",流失,2023-06-01",
        "乙光电有限公司,流失,2999-01-01",
    ],
)
def test_a_loss_that_can_t_be_taken_stops_the_import(tmp_path: Path, row: str) -> None:
    home = tmp_path / "home"
    ledger = written(tmp_path, "企业名称,阶段,日期", "甲光电有限公司,签约,2023-06-01", row)
    stopped = called("outcomes", "import", ledger, home=home)
    assert stopped.returncode == 2
    assert "第 3 行" in stopped.stderr
    assert kept_events(home) == []
    assert called("outcomes", "import", ledger, "--skip-rows", home=home).returncode == 0
    assert len(kept_events(home)) == 1


def test_a_dry_run_shows_all_and_writes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ledger = written(
        tmp_path, "引进企业,项目进展,时间,拿地时间",
        "甲光电有限公司,正式签约,2023-06-01,2023-07-01",
        "乙光电有限公司,凉透,2023-07-01,", "丙光电有限公司,流失,,",
    )  # fmt: skip
    done = called("outcomes", "import", ledger, "--dry-run", home=home)
    assert done.returncode == 0, done.stderr
    for sentence in (
        "“正式签约”按“签约”计：1 条", "将新增：甲光电有限公司，签约，2023-06-01",
        "“项目进展”下的“凉透”，1 条", "其中可能有 1 条流失", "试读，没有写入", "另有 1 个节点",
    ):  # fmt: skip
        assert sentence in done.stdout
    assert not home.exists()


def test_a_firm_that_was_lost_is_pursued_a_second_time(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ledger = written(
        tmp_path, "企业名称,阶段,日期", "甲光电有限公司,签约,2023-09-01",
        "甲光电有限公司,对接,2022-01-05", "甲光电有限公司,流失,2022-06-01",
        "甲光电有限公司,重新对接,2023-03-01",
    )  # fmt: skip
    done = called("outcomes", "import", ledger, home=home)
    assert done.returncode == 0, done.stderr
    assert "新增 4" in done.stdout
    assert "对接 2、签约 1、流失 1" in done.stdout
    assert "已到“签约” 1 家，未到 1 家" in done.stdout


def test_firms_that_settled_elsewhere_are_lost_and_those_that_settled_here_are_won(
    tmp_path: Path,
) -> None:
    table = read_outcomes_of(
        tmp_path, "企业名称,阶段,日期", "甲光电有限公司,已落户苏州,2023-06-01",
        "乙光电有限公司,已落户南昌,2023-06-02",
    )  # fmt: skip
    assert table["stage"].tolist() == ["lost", "registered"]


def test_outcomes_are_read_in_python_with_plain_problems(tmp_path: Path) -> None:
    table = read_outcomes_of(
        tmp_path, "客商,项目进展,时间,天气",
        "甲光电有限公司,签约,2023-06-01,晴", "乙光电有限公司,签约,某日,晴",
    )  # fmt: skip
    assert list(table.columns) == ["name", "credit_code", "stage", "day", "reason"]
    (problem,) = table.attrs["problems"]
    assert (problem["code"], problem["row"], problem["column"]) == ("bad_date", 3, "时间")
    assert problem["found"] == "某日"
    assert any("天气" in notice for notice in table.attrs["notices"])


def read_outcomes_of(folder: Path, *lines: str) -> pd.DataFrame:
    return leadscore.read_outcomes(written(folder, *lines), lang="zh", today=date(2025, 1, 1))
