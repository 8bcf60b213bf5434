"""Inputs after public reports of people who import such lists, each with the value that is in it.

Every case has the id under which it was reported; firms, figures and days are made up anew.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests import old_workbooks
from tests.list_cases import (
    CODE,
    NAME,
    OTHER,
    OTHER_CODE,
    THIRD,
    TODAY,
    book,
    csv_file,
    parts,
    raw_file,
    text_cell,
)

import leadscore
from leadscore.errors import ListError
from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.dedupe import settle_repeats
from leadscore.lists.reading import read_list
from leadscore.lists.values.amounts import shipped_rates

TOLD = "told"
"""No value, and a problem that shows the cell."""


def firms(path: Path) -> CleanList:
    return settle_repeats(clean(read_list(path), today=TODAY))


CELLS = [
    ("sep03", "净利润（万元）", "'-300", "net_profit_cny", -3e6),
    ("date01", "成立日期", "2016年05月09日11:20", "founded_on", "2016-05-09"),
    ("date02", "成立日期", "二〇一六年五月九日", "founded_on", "2016-05-09"),
    ("date04", "成立日期", "2016/5/9 星期一", "founded_on", "2016-05-09"),
    ("date05", "成立日期", "9-May-2016", "founded_on", "2016-05-09"),
    ("date06", "成立日期", "May 9, 2016", "founded_on", "2016-05-09"),
    ("date10", "成立日期", "42499", "founded_on", "2016-05-09"),
    ("date11", "成立日期", "1462723200000", "founded_on", "2016-05-09"),
    ("date12", "成立日期", "2016-05-09 上午12:00:00", "founded_on", "2016-05-09"),
    ("date15", "成立日期", "2016.5", "founded_on", "2016-05-01"),
    ("date21", "成立日期", "105/05/09", "founded_on", "2016-05-09"),
    ("date22", "成立日期", "2016 05 09", "founded_on", "2016-05-09"),
    ("date23", "成立日期", "2016/5/9 下午 03:12:26", "founded_on", "2016-05-09"),
    ("date25", "成立日期", "2016年5月9日晚9：30", "founded_on", "2016-05-09"),
    ("date26", "成立日期", "零六年五月", "founded_on", "2006-05-01"),
    ("date27", "成立日期", "2016-05-09至2036-05-08", "founded_on", TOLD),
    ("amt01", "注册资本", "贰仟零叁拾伍万元整", "registered_capital_cny", 20_350_000),
    ("amt02", "注册资本", "肆仟柒佰万圆整", "registered_capital_cny", 47_000_000),
    ("amt03", "注册资本", "人民币贰拾万元整", "registered_capital_cny", 200_000),
    ("amt04", "注册资本", "人民币 2,500.00 万", "registered_capital_cny", 25_000_000),
    ("amt05", "注册资本", "2亿3,000万元", "registered_capital_cny", 230_000_000),
    ("amt06", "注册资本", "2500(万元)", "registered_capital_cny", 25_000_000),
    ("amt08", "注册资本", "两千万元", "registered_capital_cny", 20_000_000),
    ("amt20", "净利润（万元）", "(300.00)", "net_profit_cny", -3e6),
    ("amt22", "净利润（万元）", "¥(300)", "net_profit_cny", -3e6),
    ("amt23", "净利润（万元）", "(300万元)", "net_profit_cny", -3e6),
    ("amt24", "净利润（万元）", "-300", "net_profit_cny", -3e6),
    ("amt25", "净利润（万元）", "−300", "net_profit_cny", -3e6),
    ("amt26", "净资产收益率", "(7.5%)", "return_on_equity", -0.075),
    ("amt27", "注册资本", "2 500 000", "registered_capital_cny", 2_500_000),
    ("amt28", "注册资本", "2.500.000,00", "registered_capital_cny", TOLD),
    ("amt41", "注册资本（万元）", "RMB 2,500", "registered_capital_cny", 25_000_000),
    ("amt44", "注册资本", "注册资本（万元）2500", "registered_capital_cny", 25_000_000),
    ("amt45", "注册资本", "两千多万元", "registered_capital_cny", 20_000_000),
    ("amt46", "注册资本", "300余万元", "registered_capital_cny", 3_000_000),
    ("amt61", "注册资本（万元）", "2500\n800", "registered_capital_cny", TOLD),
    ("amt63", "注册资本", "3000-2亿", "registered_capital_cny", TOLD),
    ("amt64", "注册资本（千元）", "25000", "registered_capital_cny", 25_000_000),
    ("amt66", "研发投入占比", "4\n7%", "rd_share", TOLD),
    ("cnt03", "员工人数", "260\n40", "staff", TOLD),
    ("code02", "统一社会信用代码", "91 440101 ma9xtxt79 r", "credit_code", CODE),
    ("code03", "统一社会信用代码", "9144O1O1MA9XTXT79R", "credit_code", TOLD),
    ("sta01", "登记状态", "正常（未注销）", "status", "active"),
    ("sta03", "登记状态", "核准設立", "status", "active"),
    ("sta05", "登记状态", "吊销，未注销", "status", "revoked"),
]


@pytest.mark.parametrize(
    ("header", "cell", "column", "value"), [case[1:] for case in CELLS], ids=[c[0] for c in CELLS]
)
def test_a_cell(header: str, cell: str, column: str, value: object, tmp_path: Path) -> None:
    read = firms(csv_file(tmp_path, [["企业名称", header], [NAME, cell]]))
    (firm,) = read.records
    if value is TOLD:
        assert column not in firm
        problems = [problem for problem in read.problems if problem.column == header]
        assert problems
        assert problems[0].found.startswith(cell[:1])
    elif isinstance(value, int | float):
        assert firm[column] == pytest.approx(value, rel=1e-12)
    else:
        assert str(firm[column]) == value
        assert not read.problems


RATES = [
    ("amt10", "300万港元", "HKD", 3e6),
    ("amt47", "2万元欧元", "EUR", 2e4),
    ("amt48", "50000万美元", "USD", 5e8),
]


@pytest.mark.parametrize(
    ("cell", "currency", "amount"), [case[1:] for case in RATES], ids=[c[0] for c in RATES]
)
def test_foreign_money(cell: str, currency: str, amount: float, tmp_path: Path) -> None:
    (firm,) = firms(csv_file(tmp_path, [["企业名称", "注册资本"], [NAME, cell]])).records
    worth = shipped_rates().cny_per_unit[currency]
    assert firm["registered_capital_cny"] == pytest.approx(amount * worth)


PLACES = [
    ("adr02", "注册地址", "黑龙江省安达市牛街2号", "23", "2312"),
    ("adr05", "注册地址", "浙江省杭州市下城区白云街7号2楼", "33", "3301"),
    ("adr06", "注册地址", "太仓市浏河镇上海路3号", "32", "3205"),
    ("adr10", "注册地址", "四川成都高新区天府五街9号北京大厦", "51", "5101"),
    ("adr11", "注册地址", "新疆伊宁市上海城3号楼", "65", "6540"),
    ("adr12", "注册地址", "湖北神农架松柏镇2号", "42", "429021"),
    ("adr13", "注册地址", "重庆忠县新立镇1组", "50", "5000"),
    ("adr14", "注册地址", "上海 上海市 徐汇区 漕溪路5弄", "31", "3100"),
    ("adr15", "注册地址", "云南省楚雄彝族自治州永安路3号", "53", "5323"),
    ("adr16", "注册地址", "上海市江西中路5号", "31", "3100"),
    ("adr17", "注册地址", "香港九龙弥敦道3号", "81", "8100"),
    ("adr18", "注册地址", "台灣新竹市科學園區研發路2號", "71", None),
    ("adr19", "注册地址", "臺北市內湖區洲子街2號", "71", None),
    ("adr20", "注册地址", "台北市内湖区洲子街2号", "71", None),
    ("adr21", "注册地址", "澳门特别行政区宋玉生广场2号", "82", "8200"),
    ("adr22", "注册地址", "廣東省東莞市長安鎮靖海路2號", "44", "4419"),
    ("adr23", "注册地址", "523000 广东省东莞市南城街道2号", "44", "4419"),
    ("adr28", "City", "Dongguan City", "44", "4419"),
    ("adr28", "Province", "Jiangxi Prov.", "36", None),
    ("adr30", "注册地址", "南昌县象湖路2号", "36", "3601"),
    ("adr31", "注册地址", "进贤县胜利路2号", "36", "3601"),
    ("adr32", "注册地址", "分宜县钤山路2号", "36", "3605"),
    ("adr33", "注册地址", "万宁市人民路万宁中学旁", "46", "469006"),
    ("adr34", "注册地址", "陕西省榆林市神木市滨河路2号", "61", "6108"),
    ("adr35", "注册地址", "北京朝阳区青年路2号", "11", "1100"),
    ("adr37", "所在城市", "晋江", "35", "3505"),
    ("adr37", "所在城市", "义乌", "33", "3307"),
    ("adr37", "所在城市", "昆山", "32", "3205"),
    ("adr37", "所在城市", "常熟", "32", "3205"),
    ("adr37", "所在城市", "张家港", "32", "3205"),
    ("adr37", "所在城市", "江阴", "32", "3202"),
    ("adr38", "所在城市", "台北市", "71", None),
    ("adr38", "所在城市", "新竹市", "71", None),
    ("adr38", "所在城市", "台灣", "71", None),
]


@pytest.mark.parametrize(
    ("header", "cell", "province", "city"),
    [case[1:] for case in PLACES],
    ids=[f"{case[0]}-{case[2][:6]}" for case in PLACES],
)
def test_a_place(header: str, cell: str, province: str, city: str | None, tmp_path: Path) -> None:
    read = firms(csv_file(tmp_path, [["企业名称", header], [NAME, cell]]))
    (firm,) = read.records
    assert firm["province_code"] == province
    assert city is None or firm["city_code"] == city
    assert not read.problems


def told(read: CleanList) -> list[str]:
    return [problem.code for problem in read.problems]


@pytest.mark.parametrize("cell", ["東京都", "München"])
def test_adr29_a_foreign_place_is_kept_and_places_nobody(cell: str, tmp_path: Path) -> None:
    read = firms(csv_file(tmp_path, [["name", "city"], ["Crane Optics GmbH", cell]]))
    assert read.records == [{"name": "Crane Optics GmbH", "city": cell}]
    assert told(read) == ["bad_place"]


def test_adr26_a_city_that_the_address_contradicts_is_told(tmp_path: Path) -> None:
    rows = [["企业名称", "城市", "注册地址"], [NAME, "无锡市", "东莞市长安镇靖海路2号"]]
    read = firms(csv_file(tmp_path, rows))
    assert read.records[0]["city_code"] == "3202"
    assert [(one.code, one.column) for one in read.problems] == [("place_conflict", "注册地址")]


def test_adr39_a_district_in_its_city_is_fine(tmp_path: Path) -> None:
    rows = [["企业名称", "省份", "城市", "区县"], [NAME, "江苏省", "南京市", "鼓楼区"]]
    read = firms(csv_file(tmp_path, rows))
    assert read.records[0]["city_code"] == "3201"
    assert not read.problems


def test_hdr09_a_country_is_no_city(tmp_path: Path) -> None:
    rows = [["企业名称", "国家/地区", "城市"], [NAME, "中国", "东莞市"]]
    read = firms(csv_file(tmp_path, rows))
    assert read.records[0]["city_code"] == "4419"
    assert not read.problems


def test_hdr07_a_file_whose_firms_are_investors_says_how_to_name_the_column(tmp_path: Path) -> None:
    rows = [["项目名称", "投资方", "总投资（亿元）"], ["镜片项目", NAME, "3"]]
    with pytest.raises(ListError) as error:
        read_list(csv_file(tmp_path, rows))
    assert "企业名称" in error.value.render("zh")


def test_sep01_a_code_and_a_day_against_excel(tmp_path: Path) -> None:
    content = f'企业名称,统一社会信用代码,成立日期\n{NAME},"=""{CODE}""",="2016-05-09"\n'
    (firm,) = firms(raw_file(tmp_path, content.encode())).records
    assert (firm["credit_code"], firm["founded_on"]) == (CODE, date(2016, 5, 9))


def test_sep04_what_stands_invisibly_before_a_code_is_dropped(tmp_path: Path) -> None:
    rows = [["企业名称", "统一社会信用代码"], [NAME, f"\x1f{CODE}"], [OTHER, f"\t{OTHER_CODE}"]]
    read = firms(csv_file(tmp_path, rows))
    assert [firm["credit_code"] for firm in read.records] == [CODE, OTHER_CODE]
    assert not read.problems


@pytest.mark.parametrize(
    ("content", "names"),
    [
        pytest.param(
            f"企业名称,主营业务\n{NAME},镜片\n{OTHER},电芯\n".encode("gbk"),
            [NAME, OTHER],
            id="enc01",
        ),
        pytest.param("name,city\n鹤湖光学,Wuhu\n".encode("gbk"), ["鹤湖光学"], id="enc04"),
        pytest.param(f"企业名称，主营业务\n{NAME}，镜片\n".encode("gbk"), [NAME], id="enc05"),
        pytest.param(
            "企业名称|城市\n東芝學有限公司|无锡\n".encode("gbk"), ["東芝學有限公司"], id="enc06"
        ),
        pytest.param(f"sep=;\n企业名称;城市\n{NAME};无锡\n".encode(), [NAME], id="sep05"),
        pytest.param("企业名称\n'=鹤湖光学有限公司\n".encode(), ["=鹤湖光学有限公司"], id="rnd01"),
        pytest.param("企业名称,城市\nNA,无锡\nnull,无锡\n".encode(), ["NA", "null"], id="nam04"),
        pytest.param(
            "企业名称\n鹤—湖汽车有限公司\n鹤-湖汽车有限公司\n《鹤湖报》社有限公司\n".encode(),
            ["鹤—湖汽车有限公司", "《鹤湖报》社有限公司"],
            id="nam01",
        ),
        pytest.param(
            "企业名称\n鹤湖集团\n鹤湖集团控股有限公司\n".encode(),
            ["鹤湖集团", "鹤湖集团控股有限公司"],
            id="nam02",
        ),
        pytest.param(
            f"企业名称\n{NAME}\n{NAME}无锡分公司\n".encode(),
            [NAME, f"{NAME}无锡分公司"],
            id="nam07",
        ),
        pytest.param(
            f"企业名称,曾用名\n{NAME},鹤湖镜片厂\n鹤湖镜片厂,\n".encode(), [NAME], id="nam08"
        ),
    ],
)
def test_the_names_of_a_file(content: bytes, names: list[str], tmp_path: Path) -> None:
    assert [firm["name"] for firm in firms(raw_file(tmp_path, content)).records] == names


def test_sep06_a_table_named_xls_is_read_by_what_it_is(tmp_path: Path) -> None:
    content = f"企业名称\t城市\n{NAME}\t无锡\n".encode("gbk")
    assert firms(raw_file(tmp_path, content, "list.xls")).records[0]["city_code"] == "3202"


def test_enc08_two_exports_glued_together_are_refused(tmp_path: Path) -> None:
    content = f"企业名称\n{NAME}\n".encode() + f"企业名称\n{OTHER}\n".encode("gbk")
    with pytest.raises(ListError, match="line 3"):
        read_list(raw_file(tmp_path, content))


ROWS = [["企业名称", "员工人数"], [NAME, 260]]


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda folder: old_workbooks.xls(folder, ROWS, "list.xlsx"), id="fmt01"),
        pytest.param(lambda folder: old_workbooks.ods(folder, ROWS, "list.xlsx"), id="fmt04"),
    ],
)
def test_a_workbook_under_a_wrong_name_is_read(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    assert firms(write(tmp_path)).records == [{"name": NAME, "staff": 260}]


def test_fmt05_a_file_of_numbers_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "list.xlsx", "w") as package:
        package.writestr("Index/Document.iwa", b"\0")
    with pytest.raises(ListError) as error:
        read_list(tmp_path / "list.xlsx")
    assert "另存为 .xlsx 或 CSV" in error.value.render("zh")


STAFF = [[OTHER, "50-99人"], [THIRD, "100-499人"], ["松岭马达有限公司", "少于50人"]]


@pytest.mark.parametrize(
    ("header", "rows", "problems", "values"),
    [
        pytest.param(
            "统一社会信用代码",
            [[NAME, "440301108888888"]],
            [(2, "old_registration_number")],
            [{"name": NAME, "registration_number": "440301108888888"}],
            id="code06",
        ),
        pytest.param(
            "统一社会信用代码",
            [[NAME, CODE], [f"{NAME}无锡分公司", CODE]],
            [(3, "repeat")],
            [{"name": NAME, "credit_code": CODE, "province_code": "44", "city_code": "4401"}],
            id="code07",
        ),
        pytest.param(
            "注册资本（万元）",
            [[NAME, "500"], [NAME, "900"]],
            [(2, "repeat")],
            [{"name": NAME, "registered_capital_cny": 9e6}],
            id="dup01",
        ),
    ],
)
def test_what_is_told_of_rows(
    header: str,
    rows: list[list[str]],
    problems: list[tuple[int, str]],
    values: list[dict[str, object]],
    tmp_path: Path,
) -> None:
    read = firms(csv_file(tmp_path, [["企业名称", header], *rows]))
    assert [(problem.row, problem.code) for problem in read.problems] == problems
    assert read.records == values
    assert ("注册资本" in read.problems[0].wanted.zh) is ("资本" in header)  # what differs


@pytest.mark.parametrize(
    ("cell", "staff"),
    [
        ("45300", None),  # 1-9, which a spreadsheet took for 9 January
        ("45947.0", None),  # 10-17
        ("36161", None),  # 1-99, taken for January 1999
        ("1200", 1200),
        ("45298", None),  # 1-7
        ("45302.5", None),
        ("45570", 45570),  # 5 October: no band begins with more than it ends with
        ("12000", 12000),
        ("109,000", 109000),
    ],
)  # fmt: skip
def test_cnt02_what_a_spreadsheet_made_of_a_band_is_no_figure(
    cell: str, staff: float | None, tmp_path: Path
) -> None:
    read = firms(csv_file(tmp_path, [["企业名称", "员工人数"], [NAME, cell], *STAFF]))
    assert [firm.get("staff") for firm in read.records] == [staff, 70, 223, 25]
    assert told(read) == ([] if staff else ["bad_count" if ".5" in cell else "perhaps_a_band"])
    figures = [[OTHER, "230"], [THIRD, "45"], ["松岭马达有限公司", "50-99人"]]
    read = firms(csv_file(tmp_path, [["企业名称", "员工人数"], [NAME, cell], *figures]))
    assert told(read) == (["bad_count"] if ".5" in cell else [])


def test_nam05_one_name_with_two_codes_is_two_firms(tmp_path: Path) -> None:
    rows = [["企业名称", "统一社会信用代码"], [NAME, CODE], [NAME, OTHER_CODE]]
    read = firms(csv_file(tmp_path, rows))
    assert [firm["province_code"] for firm in read.records] == ["44", "32"]
    assert told(read) == ["same_name"]


BOOKS: list[tuple[str, Callable[[Path], Path], list[dict[str, Any]]]] = [
    (
        "amt31",
        lambda folder: book(
            folder, [["企业名称", "研发投入占比（%）"], [NAME, 0.072]], formats={"B2": "0.0%"}
        ),
        [{"rd_share": 0.072}],
    ),
    (
        "amt33",
        lambda folder: book(
            folder,
            [["企业名称", "研发投入占比"], [NAME, "7.2%"], [OTHER, 0.035]],
            formats={"B3": "0.0%"},
        ),
        [{"rd_share": 0.072}, {"rd_share": 0.035}],
    ),
    (
        "amt49",
        lambda folder: book(
            folder, [["企业名称", "注册资本（万元）"], [NAME, 2500]], formats={"B2": '"¥"#,##0.00'}
        ),
        [{"registered_capital_cny": 25e6}],
    ),
    (
        "amt49",
        lambda folder: csv_file(folder, [["企业名称", "注册资本（万元）"], [NAME, "¥2,500.00"]]),
        [{"registered_capital_cny": 25e6}],
    ),
    (
        "amt51",
        lambda folder: book(
            folder, [["企业名称", "注册资本", "员工人数"], [None, "万元", "人"], [NAME, 2500, 260]]
        ),
        [{"registered_capital_cny": 25e6, "staff": 260}],
    ),
    (
        "hdr01",
        lambda folder: book(
            folder,
            [
                ["企业名称", "基本情况", None],
                [None, "注册资本（万元）", "所在城市"],
                [NAME, 2500, "无锡"],
            ],
            merge=["A1:A2", "B1:C1"],
        ),
        [{"registered_capital_cny": 25e6, "city_code": "3202"}],
    ),
    (
        "hdr02",
        lambda folder: book(
            folder,
            [["企业名称", "联系人", None], [None, "姓名", "手机号"], [NAME, "张三", "13800000000"]],
            merge=["A1:A2", "B1:C1"],
        ),
        [{"name": NAME}],
    ),
    (
        "hdr03",
        lambda folder: book(
            folder,
            [
                ["企业名称", "经营情况", None, None],
                [None, "2024年", None, "2023年"],
                [None, "营业收入（万元）", "净利润（万元）", "营业收入（万元）"],
                [NAME, 30000, 700, 20000],
            ],
            merge=["A1:A3", "B1:D1", "B2:C2"],
        ),
        [{"revenue_cny": 3e8, "net_profit_cny": 7e6}],
    ),
    (
        "mrg01",
        lambda folder: book(
            folder,
            [["企业名称", "所在城市"], [NAME, "无锡"], [OTHER, None], [THIRD, None]],
            merge=["B2:B4"],
        ),
        [{"city_code": "3202"}] * 3,
    ),
    (
        "mrg02",
        lambda folder: book(
            folder,
            [["产业链", "企业名称"], ["移动终端", NAME], [None, OTHER], ["LED", THIRD]],
            merge=["A2:A3"],
        ),
        [{"chain_node": "移动终端"}, {"chain_node": "移动终端"}, {"chain_node": "LED"}],
    ),
    (
        "mrg03",
        lambda folder: book(
            folder,
            [["企业名称", "主要产品"], [NAME, "镜片"], [None, "马达"], [OTHER, "电芯"]],
            merge=["A2:A3"],
        ),
        [{"main_business": "镜片；马达"}, {"main_business": "电芯"}],
    ),
    (
        "code04",
        lambda folder: book(folder, [["企业名称", "统一社会信用代码"], [NAME, 914401017181234560]]),
        [{"name": NAME}],
    ),
    (
        "dup03",
        lambda folder: book(
            folder,
            [["企业名称", "登记状态"], [NAME, "存续"]],
            [["企业名称", "登记状态"], [NAME, "注销"]],
        ),
        [{"status": "deregistered"}],
    ),
]


@pytest.mark.parametrize(("case", "write", "values"), BOOKS, ids=[book[0] for book in BOOKS])
def test_a_workbook(
    case: str, write: Callable[[Path], Path], values: list[dict[str, Any]], tmp_path: Path
) -> None:
    read = firms(write(tmp_path))
    records = read.records
    assert [
        {name: firm.get(name) for name in of_firm}
        for firm, of_firm in zip(records, values, strict=True)
    ] == values
    assert not any("contact" in firm or "credit_code" in firm for firm in records)
    assert told(read) == {"code04": ["damaged_number"], "dup03": ["repeat"]}.get(case, [])
    hidden = [notice for notice in read.notices if "含个人信息的列未读取" in notice.zh]
    assert bool(hidden) is (case == "hdr02")


def test_hdr04_the_same_children_of_two_parents_do_not_meet(tmp_path: Path) -> None:
    rows = [
        ["企业名称", "中央资金", None, "省级资金", None],
        [None, "年份", "金额", "年份", "金额"],
        [NAME, 2024, 50, 2023, 30],
    ]
    path = book(tmp_path, rows, merge=["A1:A2", "B1:C1", "D1:E1"])
    (table,) = read_list(path).tables
    assert table.headers[1:] == ("中央资金/年份", "中央资金/金额", "省级资金/年份", "省级资金/金额")


def test_hid01_what_is_hidden_is_told(tmp_path: Path) -> None:
    path = book(tmp_path, [["企业名称"], [NAME], [OTHER]], [["企业名称"], [THIRD]])
    workbook = openpyxl.load_workbook(path)
    workbook.worksheets[0].row_dimensions[3].hidden = True
    workbook.worksheets[1].sheet_state = "hidden"
    workbook.save(path)
    read = firms(path)
    assert [firm["name"] for firm in read.records] == [NAME, OTHER]
    assert len([notice for notice in read.notices if "隐藏" in notice.zh]) == 2


HEADS = text_cell("企业名称") + text_cell("员工人数")
STRUCTURES = [
    ("xl01", f"<row>{HEADS}</row><row>{text_cell(NAME)}<c><v>260</v></c></row>", {}),
    (
        "xl02",
        (
            f'<row r="1">{text_cell("企业名称", "A1")}{text_cell("员工人数")}</row>'
            f'<row r="2">{text_cell(NAME, "A2")}<c><v>260</v></c></row>'
        ),
        {},
    ),
    (
        "xl03",
        f"<row>{HEADS}</row><row>{text_cell(NAME)}<c><v>260</v></c></row>",
        {"more": '<dimension ref="A1"/>'},
    ),
    (
        "xl06",
        f"<row>{HEADS}</row><row>{text_cell(NAME)}<c><v>260</v></c></row>".replace("</", "</x:")
        .replace("<", "<x:")
        .replace("<x:/x:", "</x:"),
        {"prefix": "x:"},
    ),
    (
        "xl11",
        (
            f"<row>{text_cell('企业名称')}{text_cell('城市')}{text_cell('员工人数')}</row>"
            f'<row>{text_cell(NAME)}<c t="inlineStr"><is><t></t></is></c><c><v>260</v></c></row>'
        ),
        {},
    ),
    (
        "xl12",
        (
            f"<row>{text_cell('企业名称')}{text_cell('城市')}{text_cell('员工人数')}</row>"
            f'<row>{text_cell(NAME)}<c t="s"/><c><v>260</v></c></row>'
        ),
        {},
    ),
    (
        "xl13",
        (
            f"<row>{HEADS}</row><row>{text_cell(NAME[:4] + '_x000D_&#10;' + NAME[4:])}"
            "<c><v>260</v></c></row>"
        ),
        {},
    ),
    (
        "xl14",
        f'<row>{HEADS}</row><row><c t="s"><v>0</v></c><c><v>260</v></c></row>',
        {"shared": f'<si><t>{NAME}</t><rPh sb="0" eb="1"><t>ツル</t></rPh></si>'},
    ),
]


@pytest.mark.parametrize(
    ("sheet", "more"), [case[1:] for case in STRUCTURES], ids=[case[0] for case in STRUCTURES]
)
def test_a_sheet_as_some_program_writes_it(
    sheet: str, more: dict[str, str], tmp_path: Path
) -> None:
    (firm,) = firms(parts(tmp_path, sheet, **more)).records
    assert str(firm["name"]).replace(" ", "") == NAME
    assert (firm["staff"], "city" in firm) == (260, False)


def test_xl15_the_cached_serial_of_a_formula_is_a_day_in_a_format_that_no_style_spells(
    tmp_path: Path,
) -> None:
    sheet = (
        f"<row>{text_cell('企业名称')}{text_cell('成立日期')}</row>"
        f'<row>{text_cell(NAME)}<c s="1"><f>DATE(2016,5,9)</f><v>42499</v></c></row>'
    )
    (firm,) = firms(parts(tmp_path, sheet, dated=True)).records
    assert firm["founded_on"] == date(2016, 5, 9)


def test_date18_a_workbook_that_counts_days_from_1904(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    workbook.active.append(["企业名称", "成立日期"])
    workbook.active.append([NAME, date(2016, 5, 9)])
    workbook.save(tmp_path / "list.xlsx")
    assert firms(tmp_path / "list.xlsx").records[0]["founded_on"] == date(2016, 5, 9)


def test_xl17_a_month_in_chinese_numerals_is_a_date(tmp_path: Path) -> None:
    code = '[DBNum1][$-804]yyyy"年"m"月"'
    path = book(
        tmp_path, [["企业名称", "成立日期"], [NAME, date(2016, 5, 1)]], formats={"B2": code}
    )
    assert firms(path).records[0]["founded_on"] == date(2016, 5, 1)


def ranked(path: Path) -> dict[str, str]:
    """Return why each firm of a list is not ranked, empty if it is."""
    table = leadscore.rank(path, lang="zh")
    return dict(zip(table["name"], table["veto"].fillna(""), strict=True))


@pytest.mark.parametrize(
    ("header", "cells", "vetoes"),
    [
        pytest.param("跟进阶段", ["流失", "战败"], ["流失未满期", "流失未满期"], id="lst01"),
        pytest.param("登记状态", ["正常（未注销）", "存续"], ["", ""], id="sta01"),
        pytest.param("登记状态", ["核准設立", "吊销，未注销"], ["", "已吊销"], id="sta03-sta05"),
    ],
)
def test_who_is_ranked(header: str, cells: list[str], vetoes: list[str], tmp_path: Path) -> None:
    rows = [["企业名称", header], [NAME, cells[0]], [OTHER, cells[1]]]
    assert ranked(csv_file(tmp_path, rows)) == dict(zip((NAME, OTHER), vetoes, strict=True))


def test_dup03_a_firm_that_one_sheet_calls_deregistered_is_vetoed(tmp_path: Path) -> None:
    sheets = [[["企业名称", "登记状态"], [NAME, status]] for status in ("存续", "注销")]
    assert ranked(book(tmp_path, *sheets)) == {NAME: "已注销"}


def test_a_branch_that_is_known_better_does_not_stand_for_its_head_office(tmp_path: Path) -> None:
    rows = [["企业名称", "统一社会信用代码", "主营业务"]]
    rows += [[f"{NAME}（无锡）分公司", CODE, "光学镜片的销售"], [NAME, CODE, ""]]
    read = firms(csv_file(tmp_path, rows))
    assert [firm["name"] for firm in read.records] == [NAME]
    assert [(problem.row, problem.code) for problem in read.problems] == [(2, "repeat")]


def test_the_sheet_that_explains_an_export_of_ours_holds_no_firms(tmp_path: Path) -> None:
    guide = [
        ["城市", "南方某市"],
        ["工作表", "列", "CSV 列名", "含义", "单位", "取值"],
        ["排名", "排名", "rank", "在名单中的位次", "位", "1 起"],
        ["排名", "企业", "name", "企业名称", "文字", "全称"],
        ["排名", "契合度", "fit", "能补多少缺口", "比例", "0 到 1"],
    ]
    read = firms(book(tmp_path, [["企业名称", "城市"], [NAME, "无锡"]], guide))
    assert [firm["name"] for firm in read.records] == [NAME]
    assert "没有企业名称一列" in read.notices[0].zh


def test_a_name_of_two_places_is_told(tmp_path: Path) -> None:
    read = firms(csv_file(tmp_path, [["企业名称", "城市"], [NAME, "九龙"]]))
    assert told(read) == ["ambiguous_place"]
    assert "province_code" not in read.records[0]
