"""What is read off a firm's own columns."""

from __future__ import annotations

import pandas as pd
import pytest

from leadscore.features.company import company_features, industry_kind
from leadscore.lists.cleaning import records_of
from leadscore.lists.columns import blank_firms


def firms(**columns: list[object]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    blank = blank_firms(count).assign(as_of=pd.Timestamp("2026-11-24"))
    typed = {key: pd.Series(values).astype(blank[key].dtype) for key, values in columns.items()}
    return blank.assign(**typed)


def feature(name: str, **columns: list[object]) -> list[object]:
    return [company_features(firm)[name] for firm in records_of(firms(**columns))]


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
        ("电力设备", "manufacturing"),
        ("工程机械", "manufacturing"),
        ("C3841", "manufacturing"),
        ("6510", "software"),
        ("电子商务", "trade"),
    ],
)
def test_the_kind_of_industry_is_read_from_its_name(industry: str, kind: str) -> None:
    assert industry_kind({"industry": industry}) == kind


def test_an_industry_that_nobody_knows_says_nothing() -> None:
    assert industry_kind({"industry": "某某类"}) is None


@pytest.mark.parametrize(
    ("text", "makes"),
    [
        ("电子产品的生产", 1.0),
        ("电子产品的销售（不含生产、加工）", 0.0),
        ("贸易公司，不从事生产，销售灯具", 0.0),
        ("生产力促进服务", 0.0),
        ("聚合物锂电池、电芯", None),
        (None, None),
    ],
)
def test_making_is_read_from_verbs_and_mere_products_say_nothing(
    text: str | None, makes: float | None
) -> None:
    assert feature("manufacturing", main_business=[text]) == [makes]


@pytest.mark.parametrize(
    ("titles", "profile", "level"),
    [
        ("高新技术企业;专精特新“小巨人”企业", None, "little_giant"),
        ("高新技术企业", None, "high_tech"),
        ("无", None, "none"),
        ("瞪羚企业", None, None),
        (None, "公司是国家高新技术企业", "high_tech"),
        (None, "公司被认定为省级专精特新企业", "specialised"),
        (None, "为高新技术企业提供服务", None),
        (None, "不断提高企业管理水平", None),
        (None, "拟申报高新技术企业", None),
        (None, "公司成立于2001年", None),
    ],
)
def test_a_title_counts_where_the_firm_holds_it(
    titles: str | None, profile: str | None, level: str | None
) -> None:
    assert feature("title", titles=[titles], profile=[profile]) == [level]


def test_a_joint_stock_company_that_says_it_is_not_listed_is_not_listed() -> None:
    types = [
        "股份有限公司（非上市、自然人投资或控股）",
        "股份有限公司(上市、国有控股)",
        "有限责任公司",
    ]
    assert feature("listing", enterprise_type=types) == ["unlisted", "listed", "unlisted"]


@pytest.mark.parametrize(
    ("funding", "level", "listing"),
    [
        ("天使轮", "seed", "unlisted"),
        ("A+轮", "early", "unlisted"),
        ("C轮", "growth", "unlisted"),
        ("D轮", "late", "unlisted"),
        ("Pre-IPO", "late", "unlisted"),
        ("拟上市", "late", "unlisted"),
        ("战略融资", "strategic", "unlisted"),
        ("主板上市", "public", "listed"),
        ("纳斯达克", "public", "listed"),
        ("未上市", None, "unlisted"),
        ("上市公司子公司", None, "unlisted"),
        ("新三板", None, "otc"),
        ("未融资", "none", "unlisted"),
        (None, None, None),
    ],
)
def test_funding_and_listing_are_read_by_round_and_market(
    funding: str | None, level: str | None, listing: str | None
) -> None:
    assert feature("funding", funding=[funding]) == [level]
    assert feature("listing", funding=[funding]) == [listing]


def test_age_is_counted_to_the_day_the_fields_were_known() -> None:
    found = feature("age_years", founded_on=["2016-11-24", "2027-01-01", None])
    assert found[0] == pytest.approx(10.0, abs=0.01)
    assert found[1:] == [None, None]


@pytest.mark.parametrize(
    ("risk", "count"),
    [
        ("失信被执行人；行政处罚", 3.0),
        ("股权冻结", 1.0),
        ("高风险", 1.0),
        ("无", 0.0),
        ("低风险", 0.0),
        ("无失信记录，未见异常", 0.0),
        ("无行政处罚", 0.0),
        ("已移出经营异常名录", 0.0),
        (None, None),
    ],
)
def test_risks_are_counted_by_kind_and_none_is_not_unknown(
    risk: str | None, count: float | None
) -> None:
    assert feature("risk_flags", risk=[risk]) == [count]


def test_shares_need_a_whole() -> None:
    found = feature(
        "paid_in_share",
        paid_in_capital_cny=[50.0, 1.0, None],
        registered_capital_cny=[100.0, 0.0, 5.0],
    )
    assert found == [0.5, None, None]


def test_insured_staff_stands_in_for_staff() -> None:
    assert feature("staff", staff=[None, 7.0], insured_staff=[12.0, 5.0]) == [12.0, 7.0]
