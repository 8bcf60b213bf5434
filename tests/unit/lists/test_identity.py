"""The same firm is ranked once, two firms stay two, and what was set aside says why."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.dedupe import NEIGHBOURS, normal_name, settle_repeats, sorted_names, stem
from leadscore.lists.reading.table import RawList, TextTable

TODAY = date(2026, 11, 24)
ONE, OTHER = "91360727MA35LGHK7K", "91441900MA51XAPG4N"


def sheet(columns: dict[str, list], name: str | None = None) -> TextTable:
    cells = pd.DataFrame(dict(enumerate(columns.values())), dtype="str")
    cells.columns = pd.RangeIndex(len(columns))
    return TextTable(tuple(columns), cells, np.arange(2, len(cells) + 2, dtype=np.int64), name)


def settled(*tables: TextTable | dict[str, list]) -> CleanList:
    sheets = tuple(sheet(each) if isinstance(each, dict) else each for each in tables)
    return settle_repeats(clean(RawList("list.csv", sheets), today=TODAY))


def told(found: CleanList) -> list[tuple[int | None, str]]:
    return [(problem.row, problem.code) for problem in found.problems]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("罗门哈斯（上海）有限公司", "罗门哈斯(上海)有限责任公司"),
        ("志浩 电子有限公司", "志浩电子有限公司"),
        ("ＴＣＬ科技集团股份有限公司", "tcl科技集团股份公司"),
        ("ABC Company Limited", "A.B.C. Co., Ltd."),
        ("【志浩】电子\u200b有限公司", "志浩电子有限公司"),
    ],
)
def test_spellings_of_one_name_have_one_normal_form(one, other) -> None:
    keys = normal_name(pd.Series([one, other], dtype="str"))
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("志浩电子有限公司", "志浩电子股份有限公司"),
        ("志浩电子有限公司", "志浩电子有限公司龙南分公司"),
        ("江西志浩电子有限公司", "志浩电子有限公司"),
        ("A&B", "AB"),
    ],
)
def test_different_firms_keep_different_normal_forms(one, other) -> None:
    keys = normal_name(pd.Series([one, other], dtype="str"))
    assert keys[0] != keys[1]


def test_a_name_of_punctuation_alone_is_its_own_normal_form() -> None:
    assert normal_name(pd.Series(["（）", None], dtype="str")).tolist()[0] == "（）"


def test_the_same_credit_code_is_the_same_firm_whatever_its_name() -> None:
    found = settled({"企业": ["硕成科技有限公司", "硕成科技股份有限公司"], "信用代码": [ONE, ONE]})
    assert len(found.firms) == 1
    repeat = found.problems[0]
    assert (repeat.code, repeat.set_aside, repeat.row) == ("repeat", True, 2)
    assert "第 3 行" in repeat.wanted.zh
    assert "信用代码相同" in repeat.wanted.zh
    assert found.rows_in == 2


def test_the_same_name_without_a_code_is_the_same_firm() -> None:
    found = settled({"企业": ["甲（上海）有限公司", "甲(上海)有限责任公司", "乙"]})
    assert len(found.firms) == 2
    assert [code for _, code in told(found)] == ["repeat"]


def test_a_row_without_a_code_joins_the_firm_that_has_its_name() -> None:
    found = settled({"企业": ["甲公司", "甲公司"], "信用代码": [None, ONE]})
    assert found.firms["credit_code"].tolist() == [ONE]
    assert "名称或曾用名相同" in found.problems[0].wanted.zh


def test_a_former_name_leads_to_the_firm() -> None:
    coded = settled(
        {"企业": ["新名公司", "旧名公司"], "曾用名": ["旧名公司", None], "信用代码": [ONE, None]}
    )
    plain = settled({"企业": ["旧名公司", "新名公司"], "曾用名": [None, "更旧公司；旧名公司"]})
    reverse = settled(
        {"企业": ["新名公司", "旧名公司"], "曾用名": [None, "新名公司"], "信用代码": [ONE, None]}
    )
    for found in (coded, plain, reverse):
        assert len(found.firms) == 1
        assert [code for _, code in told(found)] == ["repeat"]


def test_the_name_that_a_firm_has_now_goes_before_one_that_another_had() -> None:
    found = settled(
        {
            "企业": ["甲公司", "乙公司", "甲公司"],
            "曾用名": [None, "甲公司", None],
            "信用代码": [ONE, OTHER, None],
            "备注": [None, None, "看这里"],
        }
    )
    assert found.firms.set_index("credit_code")["note"].to_dict()[ONE] == "看这里"


def test_one_name_with_two_codes_stays_two_firms_and_is_told() -> None:
    found = settled({"企业": ["甲公司", "甲公司", "甲公司"], "信用代码": [ONE, OTHER, None]})
    assert len(found.firms) == 3
    assert told(found) == [(3, "same_name"), (4, "same_name")]
    assert not any(problem.set_aside for problem in found.problems)


def test_the_fullest_row_is_kept_and_filled_from_the_others() -> None:
    found = settled(
        sheet({"企业": ["甲公司"], "意向投资额（亿元）": ["2"], "备注": ["展会见过"]}, "自己的表"),
        sheet(
            {
                "企业名称": ["甲公司"],
                "统一社会信用代码": [ONE],
                "注册资本": ["100万"],
                "经营范围": ["电子"],
                "备注": ["名单"],
            },
            "导出",
        ),
    )
    firm = found.firms.iloc[0]
    assert len(found.firms) == 1
    assert (firm["sheet"], firm["row"]) == ("导出", 2)
    assert firm["intended_investment_cny"] == 2e8
    assert firm["note"] == "名单；展会见过"
    assert found.problems[0].sheet == "自己的表"
    assert "工作表“导出”第 2 行" in found.problems[0].wanted.zh


def test_a_repeat_tells_in_which_columns_it_was_not_followed() -> None:
    found = settled(
        {
            "企业": ["甲公司", "甲公司"],
            "注册资本": ["100万", "900万"],
            "登记状态": ["存续", "存续"],
            "经营范围": ["电子", None],
        }
    )
    assert found.firms["registered_capital_cny"].tolist() == [1e6]
    assert "注册资本" in found.problems[0].wanted.zh
    assert "登记状态" not in found.problems[0].wanted.zh
    assert "registered capital" in found.problems[0].wanted.en


def test_a_city_is_filled_only_in_the_same_province() -> None:
    found = settled(
        {
            "企业": ["甲公司", "甲公司"],
            "省份": ["江西", None],
            "注册地址": [None, "深圳市南山区"],
            "经营范围": ["电子", None],
            "登记状态": ["存续", None],
        }
    )
    firm = found.firms.iloc[0]
    assert firm["province_code"] == "36"
    assert not isinstance(firm["city_code"], str)


def test_the_order_of_rows_does_not_change_the_firm() -> None:
    columns = {
        "企业": ["甲公司", "甲公司", "甲公司"],
        "注册资本": ["100万", "900万", None],
        "主营业务": ["屏", None, "盖板"],
        "登记状态": ["存续", "注销", "存续"],
    }
    frames = []
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        shuffled = {name: [values[at] for at in order] for name, values in columns.items()}
        frames.append(settled(shuffled).firms.drop(columns="row"))
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])


def test_near_names_are_flagged_and_never_merged() -> None:
    found = settled(
        {"企业": ["江西志浩电子科技有限公司", "志浩电子料技有限公司", "志浩电子科技股份有限公司"]}
    )
    assert len(found.firms) == 3
    assert {code for _, code in told(found)} == {"near_match"}
    assert not any(problem.set_aside for problem in found.problems)


@pytest.mark.parametrize(
    "names",
    [
        ["瑞泰科技股份有限公司", "安泰科技股份有限公司"],
        ["光明乳业股份有限公司", "光明肉业股份有限公司"],
        ["深圳志浩电子科技有限公司", "江西志浩电子科技有限公司"],
        ["志浩电子科技第一有限公司", "志浩电子科技第二有限公司"],
        ["志浩电子科技有限公司", "志浩电子科技有限公司龙南分公司"],
    ],
)
def test_names_of_different_firms_are_not_flagged(names) -> None:
    assert told(settled({"企业": names})) == []


def test_firms_with_two_codes_are_never_a_near_match() -> None:
    found = settled(
        {"企业": ["志浩电子科技有限公司", "志浩电子料技有限公司"], "信用代码": [ONE, OTHER]}
    )
    assert told(found) == []


def test_a_name_falls_into_place_and_stem() -> None:
    parts = stem(pd.Series(["江西省赣州市志浩电子有限公司", "上海", "abccoltd"], dtype="str"))
    assert parts.to_numpy().tolist() == [
        ["江西省赣州市", "志浩电子"],
        ["", "上海"],
        ["", "abc"],
    ]


def test_near_matching_grows_with_the_list_and_not_with_its_square() -> None:
    syllables = [chr(at) for at in range(0x4E00, 0x4E00 + 60)]
    keys = pd.Series(
        [f"志浩{one}{two}电子科技有限公司" for one in syllables for two in syllables], dtype="str"
    )
    numbers = pd.Series(np.nan, index=keys.index, dtype="str")
    compared = sum(len(one) for one, _ in sorted_names(keys, numbers).neighbours())
    assert 0 < compared <= NEIGHBOURS * len(keys)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("gone", "status"), [("注销", "deregistered"), ("吊销", "revoked"), ("清算", "liquidating")]
)
def test_a_firm_that_one_of_its_rows_calls_gone_is_gone(gone, status, turned) -> None:
    full = sheet({"企业": ["甲公司"], "登记状态": ["存续"], "经营范围": ["线路板"]}, "A")
    bare = sheet({"企业": ["甲公司"], "登记状态": [gone]}, "B")
    found = settled(*((bare, full) if turned else (full, bare)))
    assert found.firms["status"].tolist() == [status]
    (repeat,) = [problem for problem in found.problems if problem.code == "repeat"]
    assert repeat.sheet == "B"
    assert f"采用此行的登记状态（{gone}）" in repeat.wanted.zh
    assert "不一致而未采用" not in repeat.wanted.zh


def test_of_several_stages_the_most_advanced_counts() -> None:
    found = settled(
        {"企业": ["甲公司"] * 3, "阶段": ["洽谈", "签约", "考察"], "网址": ["a.cn", None, None]}
    )
    assert found.firms["stage"].tolist() == ["signed"]
    wanted = {problem.row: problem.wanted.en for problem in found.problems}
    assert "taken from this row: stage (signed)" in wanted[3]
    assert "not taken, since the two differ: stage" in wanted[4]


def test_none_in_one_row_of_a_firm_gives_way_to_what_another_knows() -> None:
    found = settled({"企业": ["甲公司"] * 3, "资质": ["无", "高企", "小巨人"], "风险": ["无"] * 3})
    (titles,) = found.firms["titles"]
    assert set(titles.split("；")) == {"高企", "小巨人"}
    assert found.firms["risk"].tolist() == ["无"]
