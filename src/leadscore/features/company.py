"""Features read off a firm's own columns: scale, capability, momentum, risk, completeness."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

TEXTS = ("main_business", "profile", "business_scope")
"""Columns in which a firm says what it does, the most telling first."""

_INDUSTRY_COLUMNS = (
    "industry_section", "industry_division", "industry", "sw_industry", "vendor_industry_section",
    "vendor_industry_division", "industry_class", "industry_group",
)  # fmt: skip

# The first kind whose words stand in the name of the registered industry. GB/T 4754 says 制造业 of
# makers; other classifications name their products instead, which the last but one pattern knows.
# A name that no pattern knows says nothing.
_ELSEWHERE = (
    "农业|林业|畜牧|渔业|种植|养殖|采矿|采选|开采|煤炭|电力|燃气|水务|环保|交通|运输|公路|港口|机场"
    "|仓储|物流|住宿|餐饮|酒店|旅游|卫生|医疗服务|教育|文化|传媒|出版|影视|体育|娱乐|公共|居民服务"
)
_PRODUCTS = (
    "元件|器件|电池|面板|LED|半导体|芯片|电路板|光学|零部件|设备|化学|化工|机械|仪器|仪表|材料|电机|家电"
    "|电器|电气|电子|汽车|药|医疗器械|纺织|服装|食品|饮料|酒|钢|金属|铝|铜|造纸|塑料|橡胶|玻璃|陶瓷|水泥"
    "|家具|家居|船舶|航空|光伏|照明"
)
_INDUSTRY_KINDS = (
    ("trade", "批发|零售|贸易|商业百货|wholesale|retail"),
    ("manufacturing", "制造|加工业|manufactur"),
    ("software", "软件|信息技术|互联网|信息传输|IT服务|电信|游戏|software|information"),
    ("research", "研究|试验|科技推广|技术服务|research"),
    ("construction", "建筑|土木|装修|装饰|工程|construction"),
    ("business", "金融|银行|证券|保险|房地产|租赁|商务|资本市场|投资|信托|finance|real estate"),
    ("other", _ELSEWHERE),
    ("manufacturing", _PRODUCTS),
)

# What a scope says it may not do is no sign that the firm does it.
_EXCLUDED = r"[（(\[【][^（()）\]】]*(?:不含|不得|除外|不包括)[^（()）\]】]*[）)\]】]"
_MAKES = "生产|制造|加工|组装|manufactur|produc"

_TITLES = (
    ("champion", "单项冠军|manufacturing champion"),
    ("little_giant", "小巨人|little giant"),
    ("specialised", "专精特新|specialised and innovative"),
    ("high_tech", "高新技术企业|国高企|高企|high-tech enterprise"),
)
_ON_A_MARKET = "上市|主板|创业板|科创板|北交所|港交所"
_FUNDING = (
    ("public", f"{_ON_A_MARKET}|IPO"),
    ("late", "[D-G]\\+?轮|Pre-?IPO|[Ss]eries [D-G]"),
    ("growth", "[BC]\\+*轮|[Ss]eries [BC]"),
    ("early", "A\\+*轮|[Ss]eries A"),
    ("seed", "种子|天使|seed|angel"),
    ("strategic", "战略|strategic"),
    ("none", "未融资|无融资|^无$|none"),
)
_RISKS = ("失信", "被执行|限制高消费|限高", "经营异常|严重违法", "行政处罚|处罚", "破产|清算")
_NO_RISK = "^(?:无|无风险|正常|none|no)$"

_KEY_COLUMNS = (
    ("credit_code",),
    ("status",),
    ("founded_on",),
    ("registered_capital_cny",),
    ("province_code",),
    _INDUSTRY_COLUMNS,
    TEXTS,
    ("staff", "insured_staff"),
    ("registered_address", "city"),
    ("revenue_cny",),
)


def company_features(firms: pd.DataFrame) -> dict[str, npt.NDArray[np.generic] | pd.Series]:
    """Return the features that need nothing but the firm's columns, one array of n each."""
    kind = industry_kind(firms)
    return {
        "industry_kind": kind,
        "manufacturing": _manufacturing(firms, kind),
        "registered_capital_cny": _numbers(firms, "registered_capital_cny"),
        "paid_in_share": _ratio(firms, "paid_in_capital_cny", "registered_capital_cny", 0.0, 1.0),
        "staff": firms["staff"].fillna(firms["insured_staff"]).to_numpy(dtype=float),
        "revenue_cny": _numbers(firms, "revenue_cny"),
        "age_years": _age_years(firms),
        "title": _title(firms),
        "listing": _listing(firms),
        "patents": _numbers(firms, "patents"),
        "rd_share": _numbers(firms, "rd_share"),
        "revenue_growth": _numbers(firms, "revenue_growth"),
        "funding": _first_level(firms["funding"], _FUNDING),
        "branches": _numbers(firms, "branches"),
        "intended_investment_cny": _numbers(firms, "intended_investment_cny"),
        "operating": firms["status"],
        "risk_flags": _risk_flags(firms["risk"]),
        "profit_margin": _ratio(firms, "net_profit_cny", "revenue_cny", -10.0, 1.0),
        "completeness": _completeness(firms),
    }


def industry_kind(firms: pd.DataFrame) -> pd.Series:
    """Return the broad kind of industry of each firm, from the most general class that is given."""
    named = _first_filled(firms, _INDUSTRY_COLUMNS)
    return _first_level(named, _INDUSTRY_KINDS)


def business_text(firms: pd.DataFrame) -> pd.Series:
    """Return all that each firm says of its business in one text ("" where it says nothing)."""
    text = firms[TEXTS[0]].fillna("")
    for column in TEXTS[1:]:
        text = text + "\n" + firms[column].fillna("")
    return text.str.strip()


def _numbers(firms: pd.DataFrame, column: str) -> Floats:
    return firms[column].to_numpy(dtype=float)


def _first_filled(firms: pd.DataFrame, columns: tuple[str, ...]) -> pd.Series:
    filled = firms[columns[0]]
    for column in columns[1:]:
        filled = filled.fillna(firms[column])
    return filled


def _first_level(texts: pd.Series, patterns: tuple[tuple[str, str], ...]) -> pd.Series:
    """Return the level of the first pattern found in each text; missing texts stay missing.

    Columns such as industries repeat a few values, so each distinct text is looked at once.
    """
    distinct = pd.Series(texts.dropna().unique(), dtype="str")
    found = [distinct.str.contains(pattern, case=False, regex=True) for _, pattern in patterns]
    first = np.select(found, [name for name, _ in patterns], default="")
    levels = pd.Series(first, index=distinct, dtype="str").replace("", np.nan)
    return texts.map(levels).astype("str")


def _ratio(firms: pd.DataFrame, part: str, whole: str, low: float, high: float) -> Floats:
    top, bottom = _numbers(firms, part), _numbers(firms, whole)
    ratio = np.divide(top, bottom, out=np.full(len(firms), np.nan), where=bottom > 0)
    clipped: Floats = np.clip(ratio, low, high)
    return clipped


def _age_years(firms: pd.DataFrame) -> Floats:
    days = (firms["as_of"] - firms["founded_on"]).dt.days.to_numpy(dtype=float)
    return np.where(days >= 0, days / 365.25, np.nan)


def _manufacturing(firms: pd.DataFrame, kind: pd.Series) -> Floats:
    text = business_text(firms)
    says = text.str.replace(_EXCLUDED, "", regex=True).str.contains(_MAKES, case=False, regex=True)
    makes = says | (kind == "manufacturing")
    known = text.ne("") | kind.notna()
    return np.where(known, makes.to_numpy(dtype=float), np.nan)


def _title(firms: pd.DataFrame) -> pd.Series:
    """Return the highest title: of the column that lists titles, else of the firm's own text."""
    stated = _first_level(firms["titles"], (*_TITLES, ("none", ".")))
    told = _first_level(business_text(firms).replace("", np.nan), _TITLES)
    return stated.mask(stated.isna() | ((stated == "none") & told.notna()), told)


def _listing(firms: pd.DataFrame) -> pd.Series:
    """Return whether a firm is listed; its type says 非上市 of those that are not."""
    kind = firms["enterprise_type"].fillna("")
    funding = firms["funding"].fillna("")
    listed = (
        firms["security_code"].notna()
        | firms["listed_on"].notna()
        | (kind.str.contains("上市") & ~kind.str.contains("非上市|未上市"))
        | funding.str.contains("上市|主板|创业板|科创板|北交所")
        & ~funding.str.contains("拟|未上市")
    )
    otc = funding.str.contains("新三板|四板|区域股权")
    unlisted = kind.str.contains("非上市|未上市|有限责任") | funding.ne("")
    level = pd.Series(np.nan, index=firms.index, dtype="str")
    return level.mask(unlisted, "unlisted").mask(otc, "otc").mask(listed, "listed")


def _risk_flags(texts: pd.Series) -> Floats:
    """Count the kinds of risk that a text names; what names none that we know counts as one."""
    kinds = sum(texts.str.contains(pattern, na=False).to_numpy(dtype=float) for pattern in _RISKS)
    none = texts.str.fullmatch(_NO_RISK, case=False, na=False).to_numpy(dtype=bool)
    counted = np.where(none, 0.0, np.maximum(kinds, 1.0))
    return np.where(texts.notna(), counted, np.nan)


def _completeness(firms: pd.DataFrame) -> Floats:
    filled = [firms[list(columns)].notna().any(axis=1) for columns in _KEY_COLUMNS]
    share: Floats = np.mean(np.column_stack(filled), axis=1)
    return share
