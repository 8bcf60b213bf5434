"""What is read off a firm's own columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadscore.features.company import company_features, industry_kind
from leadscore.lists.blank import blank_firms


def firms(**columns: list[object]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    blank = blank_firms(count).assign(as_of=pd.Timestamp("2026-11-24"))
    typed = {key: pd.Series(values).astype(blank[key].dtype) for key, values in columns.items()}
    return blank.assign(**typed)


def feature(name: str, **columns: list[object]) -> list[object]:
    values = company_features(firms(**columns))[name]
    return [None if pd.isna(value) else value for value in np.asarray(values, dtype=object)]


@pytest.mark.parametrize(
    ("industry", "kind"),
    [
        ("计算机、通信和其他电子设备制造业", "manufacturing"),
        ("批发业", "trade"),
        ("软件和信息技术服务业", "software"),
        ("专业技术服务业", "research"),
        ("房地产业", "business"),
        ("建筑装饰、装修和其他建筑业", "construction"),
        ("锂电池", "manufacturing"),
        ("畜牧业", "other"),
        ("面板", "manufacturing"),
    ],
)
def test_the_kind_of_industry_is_read_from_its_name(industry: str, kind: str) -> None:
    assert industry_kind(firms(industry=[industry])).tolist() == [kind]


def test_an_industry_that_nobody_knows_says_nothing() -> None:
    assert industry_kind(firms(industry=["某某类"])).isna().all()


def test_what_a_scope_excludes_is_not_made() -> None:
    scopes = ["电子产品的销售（不含生产、加工）", "电子产品的生产", None]
    assert feature("manufacturing", business_scope=scopes) == [0.0, 1.0, None]


def test_the_highest_title_counts_and_the_own_text_is_a_second_witness() -> None:
    titles = ["高新技术企业;专精特新“小巨人”企业", "高新技术企业", None, None]
    profile = [None, None, "公司是国家高新技术企业", "公司成立于2001年"]
    found = feature("title", titles=titles, profile=profile)
    assert found == ["little_giant", "high_tech", "high_tech", None]


def test_a_joint_stock_company_that_says_it_is_not_listed_is_not_listed() -> None:
    types = [
        "股份有限公司（非上市、自然人投资或控股）",
        "股份有限公司(上市、国有控股)",
        "有限责任公司",
    ]
    assert feature("listing", enterprise_type=types) == ["unlisted", "listed", "unlisted"]


def test_funding_is_read_by_round() -> None:
    rounds = ["天使轮", "A+轮", "C轮", "D轮", "战略融资", "主板上市", "未融资", None]
    levels = ["seed", "early", "growth", "late", "strategic", "public", "none", None]
    assert feature("funding", funding=rounds) == levels


def test_age_is_counted_to_the_day_the_fields_were_known() -> None:
    found = feature("age_years", founded_on=["2016-11-24", "2027-01-01", None])
    assert found[0] == pytest.approx(10.0, abs=0.01)
    assert found[1:] == [None, None]


def test_risks_are_counted_by_kind_and_none_is_not_unknown() -> None:
    texts = ["失信被执行人；行政处罚", "无", "股权冻结", None]
    assert feature("risk_flags", risk=texts) == [3.0, 0.0, 1.0, None]


def test_shares_need_a_whole() -> None:
    found = feature(
        "paid_in_share",
        paid_in_capital_cny=[50.0, 1.0, None],
        registered_capital_cny=[100.0, 0.0, 5.0],
    )
    assert found == [0.5, None, None]


def test_insured_staff_stands_in_for_staff() -> None:
    assert feature("staff", staff=[None, 7.0], insured_staff=[12.0, 5.0]) == [12.0, 7.0]
