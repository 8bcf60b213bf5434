"""What is written can be read again by others, harms nobody's spreadsheet, and is never half."""

from __future__ import annotations

import csv
import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from tests.ranking_files import read_ranking_csv

import leadscore
from leadscore.errors import OutputError, UsageError
from leadscore.features.catalogue import CATALOGUE
from leadscore.lists.cleaning import clean
from leadscore.lists.problems import Problem
from leadscore.lists.reading import read_list
from leadscore.lists.values.names import read_name
from leadscore.lists.values.words import unguarded
from leadscore.lists.writing import (
    MAX_CELL,
    MAX_ROWS,
    PROBLEM_COLUMNS,
    RANKING_COLUMNS,
    SheetToMend,
    check_distinct,
    check_ranking_path,
    replacing,
    write_problems,
    write_ranking,
    write_rows_to_mend,
)
from leadscore.ranking.order import FACT_COLUMNS
from leadscore.text import Lang, Text

# openpyxl does not know the data bars of Excel 2010, the first that start at 0.
pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")

COLUMNS = [
    each.column for each in RANKING_COLUMNS if each.column not in ("sheet", "stage", "corrections")
]
NUMBERS = {
    "rank": "Int64",
    "priority": "float64",
    "likelihood": "float64",
    "likelihood_low": "float64",
    "likelihood_high": "float64",
    "fit": "float64",
    "row": "int64",
}
ZH_HEADERS = [
    "名次", "企业", "统一社会信用代码", "等级", "优先级", "落地可能性", "契合度", "环节", "角色",
    "理由", "一票否决", "全部环节", "行号", "模型",
]  # fmt: skip
PROBLEM = Problem(
    row=7,
    column="注册资本",
    found="=1+1",
    wanted=Text(zh="金额，例如 500万元", en="an amount such as 500万元"),
    code="bad_amount",
    sheet="名单",
    set_aside=True,
)


def ranking(*names: str, **columns: object) -> pd.DataFrame:
    """Make a ranking of the firms named, the last of which is vetoed."""
    count = len(names)
    table = pd.DataFrame(
        {
            "rank": pd.array([*range(1, count), None], dtype="Int64"),
            "name": names,
            "credit_code": "913601000000000000",
            "grade": (["A", "B", "C", "D"] * count)[:count],
            "priority": np.linspace(0.9, 0.1, count),
            "likelihood": 1 / 3,
            "fit": 0.25,
            "segment": "vr.sensor",
            "role": "maker",
            "reasons": "补缺口：VR 传感器（+18）",
            "veto": pd.Series([None] * (count - 1) + ["已注销"], dtype="str"),
            "segments": "vr.sensor:0.80;led.chip:0.25",
            "row": np.arange(2, count + 2),
            "model": "expert-1",
            "segment_name": "VR 传感器",
            "role_name": "制造",
            "matched_words": "传感器",
            "province": "广东省",
            "city": "深圳市",
            "likelihood_low": 0.05,
            "likelihood_high": 0.6,
            "certainty": "专家估计，尚无本地结果验证",
        }
    )
    return table.assign(**columns).astype({c: NUMBERS.get(c, "str") for c in COLUMNS})


def sheets_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(path)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def written(table: pd.DataFrame, path: Path, lang: Lang = "zh") -> Path:
    write_ranking(table, path, lang=lang)
    return path


NASTY = [
    "=1+1", "'=1+1", "''=1+1", "+8613", "-5", "@SUM(A1)", "＝1", " =1", "\u3000=1", "\t=1", "\n=1",
    "'", "'a", "NA", "null", "nan", "<r>x</r>", "<r></r>", "_x0041_", '"', "a,b", "a\nb", "00123",
    "1e5", "TRUE", "https://example.org/", "\ufeffx", "5%", "2024-01-01", "\t", " ", "é", "👩‍🔧",
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
        min_size=1,
        max_size=12,
    ),
    st.text("=+-@'\t\n ＝<r>/\"", min_size=1, max_size=6),
)
FRACTIONS = st.floats(0, 1)


@st.composite
def rankings(draw: st.DrawFn) -> pd.DataFrame:
    size = draw(st.integers(0, 4))

    def column(name: str) -> pd.Series:
        if name == "rank":
            return pd.Series(
                draw(st.lists(st.none() | st.integers(1, 9), min_size=size, max_size=size)),
                dtype="Int64",
            )
        if name == "row":
            values = draw(st.lists(st.integers(1, 2**40), min_size=size, max_size=size))
            return pd.Series(values, dtype="int64")
        if name in NUMBERS:
            values = draw(st.lists(FRACTIONS, min_size=size, max_size=size))
            return pd.Series(values, dtype="float64")
        texts = draw(st.lists(st.none() | TEXTS, min_size=size, max_size=size))
        return pd.Series(texts, dtype="str")

    return pd.DataFrame({name: column(name) for name in COLUMNS})


def check_round_trip(
    table: pd.DataFrame, ending: str, read: Callable[[Path], pd.DataFrame], tolerance: float = 0
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        again = read(written(table, Path(folder) / f"out{ending}"))
    pd.testing.assert_frame_equal(again, table, rtol=tolerance, atol=0)


@given(rankings())
def test_a_csv_reads_back_as_the_same_table(table: pd.DataFrame) -> None:
    check_round_trip(table, ".csv", read_ranking_csv)


@given(rankings())
def test_a_parquet_file_reads_back_as_the_same_table(table: pd.DataFrame) -> None:
    check_round_trip(table, ".parquet", pd.read_parquet)


@given(rankings())
def test_another_library_reads_the_same_table_from_the_workbook(table: pd.DataFrame) -> None:
    def read(path: Path) -> pd.DataFrame:
        headers, *rows = sheets_of(path)["排名"]
        by_header = {each.header.zh: each.column for each in RANKING_COLUMNS}
        again = pd.DataFrame(rows, columns=[by_header[str(header)] for header in headers])
        for name in set(COLUMNS) - set(NUMBERS):
            again[name] = again[name].map(unescape, na_action="ignore")
        return again[COLUMNS].astype({c: NUMBERS.get(c, "str") for c in COLUMNS})

    check_round_trip(table, ".xlsx", read, tolerance=1e-15)  # XlsxWriter writes 16 digits


def test_a_csv_has_the_columns_of_the_contract_in_order_and_opens_in_excel(tmp_path: Path) -> None:
    raw = written(ranking("甲公司", "乙公司"), tmp_path / "r.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert (
        raw.decode("utf-8-sig")
        .splitlines()[0]
        .startswith(
            "rank,name,credit_code,grade,priority,likelihood,fit,segment,role,reasons,veto,segments,row,model"
        )
    )


def test_no_cell_of_a_csv_starts_a_formula_and_numbers_stay_numbers(tmp_path: Path) -> None:
    table = ranking(*NASTY, matched_words="=cmd|' /C calc'!A0", fit=1e-7)
    path = written(table, tmp_path / "r.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        _, *rows = csv.reader(file)
    cells = [cell for row in rows for cell in row]
    assert len(rows) == len(NASTY)
    assert not [cell for cell in cells if cell.lstrip(" \t\n\u3000\ufeff")[:1] in set("=+-@＝")]
    assert {float(row[6]) for row in rows} == {1e-7}


def test_a_parquet_file_has_plain_types_for_other_readers(tmp_path: Path) -> None:
    schema = pq.read_schema(written(ranking("甲", "乙"), tmp_path / "r.parquet"))
    assert schema.names == COLUMNS
    assert str(schema.field("rank").type) == "int64"
    assert str(schema.field("fit").type) == "double"
    assert "string" in str(schema.field("name").type)


def test_the_workbook_speaks_the_language_that_was_chosen(tmp_path: Path) -> None:
    table = ranking("甲", "乙")
    chinese = sheets_of(written(table, tmp_path / "zh.xlsx", "zh"))
    english = sheets_of(written(table, tmp_path / "en.xlsx", "en"))
    assert list(chinese) == ["排名", "问题", "说明"]
    assert list(english) == ["ranking", "problems", "columns"]
    assert list(chinese["排名"][0][:14]) == ZH_HEADERS
    assert english["ranking"][0][:4] == ("Rank", "Firm", "Credit code", "Grade")


def test_people_read_names_where_machines_read_ids(tmp_path: Path) -> None:
    headers, first, _ = sheets_of(written(ranking("甲", "乙"), tmp_path / "r.xlsx"))["排名"]
    cells = dict(zip(headers, first, strict=True))
    assert (cells["环节"], cells["角色"]) == ("VR 传感器", "制造")
    assert (cells["环节编号"], cells["角色编号"]) == ("vr.sensor", "maker")


def test_credit_codes_and_formulas_are_text_in_the_workbook(tmp_path: Path) -> None:
    path = written(ranking('=HYPERLINK("http://x.example")', "乙"), tmp_path / "r.xlsx")
    sheet = openpyxl.load_workbook(path).worksheets[0]
    assert (sheet["B2"].data_type, sheet["C2"].data_type) == ("s", "s")
    assert sheet["C2"].value == "913601000000000000"
    assert sheet["B2"].hyperlink is None


def test_fractions_stay_between_0_and_1_and_are_shown_as_per_cent_with_bars(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(written(ranking("甲", "乙"), tmp_path / "r.xlsx")).worksheets[0]
    assert sheet["F2"].value == 1 / 3
    assert sheet["G2"].number_format == "[=0]0%;[<0.005]0.0%;0%"
    # No model is sure enough for a likelihood of 0.0% or 100.0%.
    extremes = '[<0.001]"<0.1%";[>0.999]">99.9%";0.0%'
    assert [sheet[f"{column}2"].number_format for column in "EF"] == [extremes, extremes]
    bars = {str(where.sqref): rules[0].dataBar for where, rules in _rules(sheet).items()}
    assert set(bars) == {"E2:E3", "F2:F3", "G2:G3", "T2:T3", "U2:U3"}
    assert {(limit.type, float(limit.val)) for limit in bars["E2:E3"].cfvo} == {
        ("num", 0),
        ("num", 1),
    }


def _rules(sheet: object) -> dict:  # type: ignore[type-arg]
    return sheet.conditional_formatting._cf_rules  # type: ignore[attr-defined]


def test_the_header_stays_in_sight_can_be_filtered_and_is_printed_on_each_page(
    tmp_path: Path,
) -> None:
    sheet = openpyxl.load_workbook(written(ranking("甲", "乙"), tmp_path / "r.xlsx")).worksheets[0]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == "A1:V3"
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.print_area == "'排名'!$A$1:$K$3"


def test_columns_are_as_wide_as_their_texts_and_long_texts_wrap(tmp_path: Path) -> None:
    table = ranking(
        "深圳市某某光电科技股份有限公司", "乙", reasons="补缺口：VR 传感器（+18）；" * 9
    )
    sheet = openpyxl.load_workbook(written(table, tmp_path / "r.xlsx")).worksheets[0]
    assert 30 <= sheet.column_dimensions["B"].width <= 33
    assert sheet.column_dimensions["J"].width <= 75
    assert sheet.row_dimensions[2].height >= 60  # four lines of wrapped text
    assert sheet["J2"].alignment.wrap_text
    assert not sheet["B2"].alignment.wrap_text


def test_grades_differ_by_letter_weight_and_shade_and_vetoed_rows_are_grey(tmp_path: Path) -> None:
    table = ranking("甲", "乙", "丙", "丁", "戊")
    sheet = openpyxl.load_workbook(written(table, tmp_path / "r.xlsx")).worksheets[0]
    looks = {sheet[f"D{row}"].value: sheet[f"D{row}"] for row in range(2, 6)}
    assert len({cell.fill.fgColor.rgb for cell in looks.values()}) == 4
    assert [cell.font.bold for cell in looks.values()] == [True, True, False, False]
    assert sheet["A6"].value is None
    assert {sheet.cell(6, column).font.color.rgb for column in (2, 4, 5)} == {"FF808080"}


def test_the_second_sheet_holds_the_problems_and_the_third_explains_every_column(
    tmp_path: Path,
) -> None:
    path = tmp_path / "r.xlsx"
    write_ranking(
        ranking("甲", "乙"),
        path,
        lang="zh",
        problems=[PROBLEM],
        summary=[("城市", "南方某市"), ("行数", "读入3行 = 排名1 + 否决1 + 未入列1")],
    )
    sheets = sheets_of(path)
    assert sheets["问题"][1] == (
        7,
        "名单",
        "注册资本",
        "=1+1",
        "金额，例如 500万元",
        "bad_amount",
        "是",
    )
    guide = sheets["说明"]
    assert guide[0][:2] == ("城市", "南方某市")
    assert guide[1][1] == "读入3行 = 排名1 + 否决1 + 未入列1"
    assert guide[3] == ("工作表", "列", "CSV 列名", "含义", "计量", "取值")
    explained = [(row[0], row[1]) for row in guide[4:]]
    shown = [(title, header) for title in ("排名", "问题") for header in sheets[title][0]]
    assert explained == shown
    assert all(cell for row in guide[4:] for cell in row)


def test_every_column_is_explained_in_both_languages() -> None:
    for each in (*RANKING_COLUMNS, *PROBLEM_COLUMNS):
        for text in (each.header, each.meaning, each.span):
            assert text.zh
            assert text.en


def test_the_roles_that_are_explained_are_those_of_the_catalogue() -> None:
    spans = {each.column: each.span for each in RANKING_COLUMNS}
    roles = CATALOGUE["role"].levels
    assert spans["role"].en == ", ".join(roles)
    assert spans["role_name"].en == ", ".join(name.en for name in roles.values())
    assert spans["role_name"].zh == "、".join(name.zh for name in roles.values())


def test_control_characters_are_removed_and_line_breaks_are_one_kind(tmp_path: Path) -> None:
    table = ranking("\x1b[31m甲\x00\x9b\x7f", "乙\r\n丙\r丁")
    xlsx = sheets_of(written(table, tmp_path / "r.xlsx"))["排名"]
    for names in (
        [row[1] for row in xlsx[1:]],
        read_ranking_csv(written(table, tmp_path / "r.csv"))["name"].tolist(),
        pd.read_parquet(written(table, tmp_path / "r.parquet"))["name"].tolist(),
    ):
        assert names == ["[31m甲", "乙\n丙\n丁"]


@pytest.mark.parametrize("character", ["甲", "😀"])
def test_a_text_too_long_for_a_cell_is_cut_with_a_mark(tmp_path: Path, character: str) -> None:
    table = ranking("甲", "乙", reasons=character * 40_000)
    _, first, _ = sheets_of(written(table, tmp_path / "r.xlsx"))["排名"]
    reasons = str(first[9])
    assert reasons.endswith(f"{character}…（已截断）")
    assert MAX_CELL - 2 < len(reasons.encode("utf-16-le")) / 2 <= MAX_CELL


def test_more_rows_than_a_sheet_holds_are_refused_with_a_way_out(tmp_path: Path) -> None:
    row = ranking("甲", "乙")[["rank", "name", "veto"]].iloc[:1]
    table = row.loc[row.index.repeat(MAX_ROWS)]
    with pytest.raises(OutputError, match=r"1048576 rows.*\.parquet"):
        write_ranking(table, tmp_path / "r.xlsx", lang="en")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_ranking_is_written_in_every_format(tmp_path: Path) -> None:
    table = ranking("甲", "乙").iloc[:0]
    assert len(read_ranking_csv(written(table, tmp_path / "r.csv"))) == 0
    assert len(pd.read_parquet(written(table, tmp_path / "r.parquet"))) == 0
    assert len(sheets_of(written(table, tmp_path / "r.xlsx"))["排名"]) == 1


@pytest.mark.parametrize("name", ["r.xls", "r", "r.csv.gz", ".csv"])
def test_an_unknown_ending_is_refused_and_the_known_ones_are_named(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(OutputError, match=r"\.xlsx, \.csv or \.parquet"):
        write_ranking(ranking("甲", "乙"), tmp_path / name, lang="zh")


def test_the_case_of_the_ending_does_not_matter(tmp_path: Path) -> None:
    assert len(read_ranking_csv(written(ranking("甲", "乙"), tmp_path / "R.CSV"))) == 2


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"there is no folder .*nowhere"):
        check_ranking_path(tmp_path / "nowhere" / "r.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="there is no folder"):
        write_ranking(ranking("甲", "乙"), tmp_path / "file" / "r.csv", lang="zh")


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.csv").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check_ranking_path(tmp_path / "r.csv")


@pytest.mark.parametrize("name", ["list.csv", "folder/../list.csv", "link.csv", "hard.csv"])
def test_one_file_under_two_names_is_found_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "list.csv").write_text("name")
    (tmp_path / "link.csv").symlink_to("list.csv")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "list.csv")
    with pytest.raises(UsageError, match="LIST and --output are the same file"):
        check_distinct({"LIST": tmp_path / "list.csv", "--output": tmp_path / name})


def test_files_that_are_not_there_yet_may_not_be_one_either(tmp_path: Path) -> None:
    paths = {"--output": tmp_path / "r.csv", "--exclude": None}
    check_distinct({**paths, "--problems": tmp_path / "p.csv"})
    with pytest.raises(UsageError, match="--output and --problems"):
        check_distinct({**paths, "--problems": tmp_path / "." / "r.csv"})


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "open in Excel, close it"),
        (errno.EROFS, "choose a folder"),
        (errno.ENOSPC, "Make room"),
        (errno.EIO, "Try another place"),
    ],
)
def test_what_the_system_refuses_is_told_and_leaves_the_old_file_alone(
    tmp_path: Path, number: int, words: str
) -> None:
    path = tmp_path / "r.csv"
    path.write_text("old")

    def write_half() -> None:
        with replacing(path) as handle:
            handle.write(b"half of the n")
            raise OSError(number, os.strerror(number))

    with pytest.raises(OutputError, match=words):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


FULL_DISK = """
import resource, sys
from pathlib import Path
import pandas as pd
from leadscore.errors import OutputError
from leadscore.lists.writing import write_ranking
table = pd.read_parquet(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_ranking(table, Path(sys.argv[2]), lang="en")
except OutputError as error:
    print(error.render("en"))
"""


@pytest.mark.parametrize("ending", [".xlsx", ".csv", ".parquet"])
def test_a_disk_that_takes_no_more_leaves_no_half_file(tmp_path: Path, ending: str) -> None:
    source = written(
        ranking(*(f"{n:x}公司{n**7}" for n in range(3000))), tmp_path / "source.parquet"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    target = tmp_path / f"target{ending}"
    target.write_bytes(b"old")
    # Coverage would complain of the same full disk on standard error.
    unmeasured = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FULL_DISK, source, target],
        capture_output=True,
        encoding="utf-8",
        env=unmeasured | {"TMPDIR": str(temporary), "PYTHONIOENCODING": "utf-8"},
        check=True,
    )
    assert "was not written" in done.stdout
    assert done.stderr == ""
    assert target.read_bytes() == b"old"
    assert set(tmp_path.iterdir()) == {source, target, temporary}
    assert list(temporary.iterdir()) == []


def test_a_file_that_stands_there_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("old")
    path.chmod(0o600)
    written(ranking("甲", "乙"), path)
    assert len(read_ranking_csv(path)) == 2
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_still_points_to_the_file_that_was_written(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    link.symlink_to(real)
    written(ranking("甲", "乙"), link)
    assert link.is_symlink()
    assert len(read_ranking_csv(real)) == 2


def test_problems_are_written_as_csv_for_machines_and_as_a_workbook_for_people(
    tmp_path: Path,
) -> None:
    whole_list = Problem(None, None, "x", Text(zh="须有表头", en="a header"), "no_header")
    write_problems([PROBLEM, whole_list], tmp_path / "p.csv", lang="en")
    with (tmp_path / "p.csv").open(encoding="utf-8-sig", newline="") as file:
        header, first, second = csv.reader(file)
    assert header == ["row", "sheet", "column", "found", "wanted", "code", "set_aside"]
    assert first == [
        "7",
        "名单",
        "注册资本",
        "'=1+1",
        "an amount such as 500万元",
        "bad_amount",
        "true",
    ]
    assert second == ["", "", "", "x", "a header", "no_header", "false"]
    write_problems([PROBLEM], tmp_path / "p.xlsx", lang="en")
    (sheet,) = sheets_of(tmp_path / "p.xlsx").values()
    assert sheet[0] == ("Row", "Sheet", "Column", "Found", "Wanted", "Code", "Left out")
    assert sheet[1][3:] == ("=1+1", "an amount such as 500万元", "bad_amount", "yes")


def test_a_list_without_problems_still_gives_a_file(tmp_path: Path) -> None:
    write_problems([], tmp_path / "p.csv", lang="zh")
    assert (tmp_path / "p.csv").read_text("utf-8-sig").strip().count(",") == 6


@given(
    st.text(min_size=1, max_size=30)
    | st.builds(
        "{}{}公司".format,
        st.sampled_from(["=", "'=", "-", "@", "''+", "＝", "'", "="]),
        st.text(max_size=8),
    )
)
def test_any_name_survives_writing_and_reading_again(tmp_path_factory, text) -> None:
    name = read_name(unguarded(text)).value
    if name is None:
        return
    path = tmp_path_factory.mktemp("names") / "names.csv"
    write_ranking(pd.DataFrame({"rank": [1], "name": [name]}), path, lang="zh")
    (written,) = csv.reader([*path.read_text("utf-8-sig").splitlines(keepends=True)][1:])
    assert read_name(unguarded(written[1])).value == name


OWN = pd.DataFrame(
    {
        "企业名称": ["=甲光学有限公司", "-乙电池有限公司", "@丙声学有限公司", "丁电路有限公司"],
        "统一社会信用代码": ["91360727MA35LGHK7K", None, None, "91441900MA51XAPG4N"],
        "省份": ["江西", "广东省", "江苏", None],
        "城市": ["南昌市", "深圳", "昆山", "东莞市"],
        "阶段": ["已签约", "对接", None, "流失"],
        "主营业务": ["光学镜片生产", "锂电池制造", "声学器件", "印制电路板制造"],
    }
)
KEPT = ("credit_code", "province_code", "stage")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".parquet"])
def test_exp03_a_written_ranking_read_again_is_the_firms_and_none_of_what_was_concluded(
    tmp_path, ending, lang
) -> None:
    listed, written = tmp_path / "listed.csv", tmp_path / f"written{ending}"
    OWN.to_csv(listed, index=False)
    first = clean(read_list(listed), today=date(2026, 1, 1))
    table = leadscore.rank(OWN, lang=lang)
    stages = {str(firm["name"]): firm.get("stage") for firm in first.records}
    table["stage"] = table["name"].map(stages).astype("str")
    write_ranking(table, written, lang=lang)
    second = clean(read_list(written), today=date(2026, 1, 1))
    before = {str(firm["name"]): firm for firm in first.records}
    after = {str(firm["name"]): firm for firm in second.records}
    assert set(after) == set(before) == set(OWN["企业名称"])
    for name, firm in after.items():
        assert [firm.get(key) for key in KEPT] == [before[name].get(key) for key in KEPT]
        assert set(firm) <= {"name", "city", "province", "city_code", *KEPT, *FACT_COLUMNS}
    assert any("不是企业的资料" in notice.zh for notice in second.notices)


def test_an_officers_own_node_of_a_chain_stays_a_fact(tmp_path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("企业名称,环节,等级\n某甲公司,光学镜头,A\n", "utf-8")
    (firm,) = clean(read_list(path), today=date(2026, 1, 1)).records
    assert firm["chain_node"] == "光学镜头"


def test_problems_and_rows_to_mend_bring_no_conclusions(tmp_path) -> None:
    path = tmp_path / "mend.xlsx"
    sheet = SheetToMend(
        "1",
        ["企业名称", "成立日期", "原行号", "问题"],
        [["=甲公司", "2015-04-08", "3", "成立日期：…"]],
    )
    write_rows_to_mend([sheet], path)
    (firm,) = clean(read_list(path), today=date(2026, 1, 1)).records
    assert firm == {"name": "=甲公司", "founded_on": date(2015, 4, 8)}
