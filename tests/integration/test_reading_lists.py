"""`leadscore read`, `leadscore.read_list` and what a user says of columns, through files."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.commands import called, typed, typed_anew

import leadscore
from leadscore.errors import ListError
from leadscore.lists.columns import CANONICAL
from leadscore.lists.mapping import checked
from leadscore.terminal import display_width

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "samples" / "electronics.csv"
LIST = (
    "企业名称,注册资本,2023年营业收入,法人,天气,备注,成立日期\n"
    "湖港电池有限公司,5000,12000000,张三丰,晴,联系13912345678,2016-03\n"
    "湖港屏幕有限公司,800,不详细,李四光,阴,=1+1,某日\n"
    "湖港镜片有限公司,300,9000000,王五六,晴,,2018年5月\n"
    ",12,,,,,\n"
)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "名单.csv"
    path.write_text(LIST, "utf-8")
    return path


def columns_of(listed: Path, home: Path, *options: str) -> dict[str, dict[str, object]]:
    done = called("read", listed, "--json", *options, home=home)
    assert done.returncode == 0, done.stderr
    return {one["header"]: one for one in json.loads(done.stdout)["columns"]}


def test_every_column_is_shown_with_what_came_of_it(listed: Path, tmp_path: Path) -> None:
    done = typed("read", listed, "--lang", "zh", home=tmp_path / "home")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert all(display_width(line) <= 80 for line in lines)
    revenue = next(at for at, line in enumerate(lines) if line.startswith("2023年营业收入"))
    assert "营业收入" in lines[revenue][len("2023年营业收入") :]
    assert "2/3   67%     1" in lines[revenue]
    assert lines[revenue + 1].endswith("不详细 → 未读出")
    capital = next(at for at, line in enumerate(lines) if line.startswith("注册资本"))
    assert "待定  0/3" in lines[capital]
    assert lines[capital + 1] == "    5000 → 未读出"
    assert "--unit 注册资本=万元" in "".join(line.strip() for line in lines)
    assert "2016-03 → 2016年3月1日" in done.stdout
    assert next(line for line in lines if line.startswith("法人")).endswith("个人信息，不读取")
    assert next(line for line in lines if line.startswith("天气")).endswith("不认识，未使用")
    assert "张三丰" not in done.stdout + done.stderr
    assert "13912345678" not in done.stdout + done.stderr
    assert "第 5 行，企业名称：应为企业名称；没有名称的行未入列" in done.stdout
    assert lines[-1] == "读入 4 行 = 3 家企业 + 未入列 1 行"
    assert not (tmp_path / "home").exists()  # no database, no model


def test_programs_get_the_same(listed: Path, tmp_path: Path) -> None:
    columns = columns_of(listed, tmp_path, "--unit", "注册资本=万元")
    capital = columns["注册资本"]
    assert (capital["column"], capital["unit"]) == ("registered_capital_cny", "万元")
    assert (capital["held"], capital["read"], capital["doubtful_unit"]) == (3, 3, False)
    assert capital["examples"][0] == {"before": "5000", "after": 50_000_000.0}  # type: ignore[index]
    assert columns["法人"]["personal"] is True
    assert columns["法人"]["examples"] == columns["天气"]["examples"] == []
    assert columns_of(listed, tmp_path)["注册资本"]["doubtful_unit"] is True


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_the_clean_table_is_written_and_reads_as_itself(
    listed: Path, tmp_path: Path, suffix: str
) -> None:
    out, problems = tmp_path / f"clean{suffix}", tmp_path / "problems.csv"
    options = ("--problems", problems, "--unit", "注册资本=万元")
    done = called("read", listed, "-o", out, *options, home=tmp_path)
    assert done.returncode == 0, done.stderr
    read, again = (
        leadscore.read_list(path, mapping=mapping)
        for path, mapping in (
            (listed, {"注册资本": "(万元)"}), (out, {}),
        )
    )  # fmt: skip
    assert read["registered_capital_cny"].tolist() == [5e7, 8e6, 3e6]
    same = ["name", "registered_capital_cny", "revenue_cny", "founded_on"]
    pd.testing.assert_frame_equal(read[same], again[same])
    codes = set(pd.read_csv(problems, encoding="utf-8-sig")["code"])
    assert {"bad_amount", "bad_date", "no_name"} <= codes
    if suffix == ".csv":
        assert "'=1+1" in out.read_text("utf-8-sig")
        written = pd.read_csv(out, encoding="utf-8-sig")
        assert written.columns.tolist() == [one.name for one in CANONICAL] + ["row", "sheet"]


def test_the_table_has_every_canonical_column_and_plain_attributes(listed: Path) -> None:
    table = leadscore.read_list(str(listed), lang="en")
    assert table.columns.tolist() == [one.name for one in CANONICAL] + ["row", "sheet"]
    assert table["row"].tolist() == [2, 3, 4]
    problem = next(one for one in table.attrs["problems"] if one["code"] == "bad_date")
    assert problem["row"] == 3
    assert problem["column"] == "成立日期"
    assert problem["found"] == "某日"
    assert "2016-11-30" in problem["wanted"]
    assert all(isinstance(notice, str) for notice in table.attrs["notices"])
    assert json.dumps(table.attrs)


def test_a_frame_is_read_with_a_mapping() -> None:
    frame = pd.DataFrame({"甲": ["湖港电池有限公司"], "乙": [12], "丙": [3]})
    table = leadscore.read_list(
        frame, lang="zh", mapping={"甲": "企业名称", "乙": "staff", "丙": "注册资本（亿元）"}
    )
    assert table.loc[0, ["name", "staff", "registered_capital_cny"]].tolist() == [
        "湖港电池有限公司", 12.0, 3e8,
    ]  # fmt: skip


SAID = [
    ("注册资本", "registered_capital_cny(万元)", "registered_capital_cny", 5e7),
    ("注册资本", "registered_capital_cny（万元）", "registered_capital_cny", 5e7),
    ("注册资本", "注册资本(亿元)", "registered_capital_cny", 5e11),
    ("注册资本", "registered capital (CNY)", "registered_capital_cny", 5e3),
    ("注册资本", "(千元)", "registered_capital_cny", 5e6),
    ("注册资本", "实缴资本（万元）", "paid_in_capital_cny", 5e7),
    ("注册资本", "revenue_cny(百万元)", "revenue_cny", 5e9),
    ("注册资本", "staff", "staff", 5e3),
    ("2023年营业收入", "(千元)", "revenue_cny", 1.2e10),
    ("天气", "note", "note", "晴；联系***"),
    ("法人", "-", "name", "湖港电池有限公司"),
    ("!B", "registered_capital_cny(万元)", "registered_capital_cny", 5e7),
    ("!B1", "(万元)", "registered_capital_cny", 5e7),
]


@pytest.mark.parametrize(("header", "meaning", "name", "value"), SAID)
def test_what_is_said_of_a_column_is_what_it_means(
    listed: Path, header: str, meaning: str, name: str, value: object
) -> None:
    table = leadscore.read_list(listed, lang="zh", mapping={header: meaning})
    assert table.loc[0, name] == value
    if name != "registered_capital_cny" and header == "注册资本":
        assert table["registered_capital_cny"].isna().all()


def test_messages_name_the_headers_of_the_list(tmp_path: Path) -> None:
    rows = "湖港电池有限公司,5000,甲\n湖港屏幕有限公司,若干,乙\n湖港镜片有限公司,300,丙\n"
    path = tmp_path / "list.csv"
    path.write_text(f"企业名称,本金,备用\n{rows}", "utf-8")
    mapping = {"本金": "注册资本", "备用": "-"}
    for listed in (path, pd.read_csv(path)):
        table = leadscore.read_list(listed, lang="zh", mapping=mapping)
        (notice,) = table.attrs["notices"]
        assert notice.startswith("“本金”未写单位")
        assert "--unit 本金=万元" in notice
        assert {one["column"] for one in table.attrs["problems"]} == {"本金"}
        settled = leadscore.read_list(listed, mapping=mapping | {"本金": "注册资本(万元)"})
        assert settled["registered_capital_cny"].tolist()[::2] == [5e7, 3e6]
    done = called("read", path, "--map", "本金=注册资本", "--unit", "本金=万元", home=tmp_path)
    assert done.returncode == 0


@pytest.mark.parametrize("unit", ["(万元)", "registered_capital_cny(万元)"])
@pytest.mark.parametrize("header", ["注册资本（元）", "注册资本万美元", "registered_capital_cny"])
def test_a_unit_that_is_said_beats_that_of_the_header(
    tmp_path: Path, header: str, unit: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"企业名称,{header}\n湖港电池有限公司,12\n", "utf-8")
    table = leadscore.read_list(path, mapping={header: unit})
    assert table.loc[0, "registered_capital_cny"] == 120_000


def test_what_the_header_says_stays_where_nothing_else_is_said(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "企业名称,2022年进账（亿元）,2024年进账（亿元）\n湖港电池有限公司,1,3\n", "utf-8"
    )
    said = dict.fromkeys(["2022年进账（亿元）", "2024年进账（亿元）"], "营业收入")
    assert leadscore.read_list(path, mapping=said).loc[0, "revenue_cny"] == 3e8


def test_a_list_of_which_no_header_is_known_is_read_by_what_is_said(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("参展名单\n序,字号甲,金额\n1,湖港镜片有限公司,50\n", "utf-8")
    options = ("--map", "字号甲=企业名称", "--map", "金额=注册资本", "--unit", "金额=万元")
    for command in (["read", path], ["rank", path, "--no-keep"]):
        done = called(*command, home=tmp_path)
        assert done.returncode == 2
        assert "--map 列名=企业名称" in done.stderr
    columns = columns_of(path, tmp_path, *options)
    assert columns["金额"]["examples"] == [{"before": "50", "after": 500_000.0}]
    # A firm of the same list, ranked: the same options.
    out = tmp_path / "ranking.csv"
    done = called("rank", path, "-o", out, "--no-keep", *options, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert pd.read_csv(out, encoding="utf-8-sig")["name"].tolist() == ["湖港镜片有限公司"]
    table = leadscore.rank(path, mapping={"字号甲": "name"}, lang="zh")
    assert table["name"].tolist() == ["湖港镜片有限公司"]


WRONG = [
    (["--unit", "注册=万元"], "注册资本"),  # a header that isn't there: those that are
    (["--unit", "注册资本=斤"], "万元"),
    (["--unit", "注册资本=%"], "万元"),
    (["--unit", "天气=万元"], "--map"),
    (["--unit", "企业名称=万元"], "企业名称"),
    (["--unit", "注册资本"], "注册资本=万元"),
    (["--map", "天气=foo"], "registered_capital_cny"),
    (["--map", "天气"], "列名=字段"),
    (["--map", "天气=note", "--map", "天气=risk"], "每列只说一次"),
    (["--map", "注册资本=注册资本(万元)", "--unit", "注册资本=元"], "--map"),
    (["--map", "注册资本=-", "--unit", "注册资本=元"], "--map"),
]


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_what_cannot_be_meant_is_one_message_that_says_what_can(
    listed: Path, tmp_path: Path, options: list[str], words: str
) -> None:
    out = tmp_path / "out.csv"
    for command in (["read", listed], ["rank", listed, "--no-keep"]):
        done = called(*command, "-o", out, *options, home=tmp_path)
        assert done.returncode == 2, done.stdout
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        assert not out.exists()


def test_no_meaning_is_taken_that_is_not_wholly_understood() -> None:
    for said in (
        "revenue_cny(人)",
        "revenue_cny(年)",
        "staff(元)",
        "rd_share(万元)",
        "staff(?)",
        "name(万元)",
        "registered_capital_cny(万元",
        "(万元)(万元)",
        "注册资本 万元",
    ):
        with pytest.raises(ListError):
            checked({"甲": said})


def test_the_command_needs_no_learning_library(listed: Path, tmp_path: Path) -> None:
    done = typed_anew("read", listed, "--json", home=tmp_path, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0, done.stderr[-500:]
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "pandas" in imported
    assert not imported & {"sklearn", "scipy", "sqlalchemy", "flask"}


def test_the_sample_loses_nothing_on_its_way_through_the_clean_table(tmp_path: Path) -> None:
    out = tmp_path / "clean.xlsx"
    assert called("read", SAMPLE, "-o", out, home=tmp_path).returncode == 0
    read, again = leadscore.read_list(SAMPLE), leadscore.read_list(out)
    assert len(read) == len(again) == 144
    filled = [name for name in read if read[name].notna().any() and name != "row"]
    pd.testing.assert_frame_equal(read[filled], again[filled].assign(sheet=read["sheet"])[filled])
