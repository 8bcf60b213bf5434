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

# The first kind whose words stand in the name of the registered industry, or whose GB/T 4754 code
# it is. A name that no pattern knows says nothing.
_ELSEWHERE = (
    "农业|林业|畜牧|渔业|种植|养殖|采矿|采选|开采|煤炭|电力|燃气|水务|环保|交通|运输|公路|港口|机场"
    "|仓储|物流|住宿|餐饮|酒店|旅游|卫生|医疗服务|教育|文化|传媒|出版|影视|体育|娱乐|公共|居民服务"
)
_PRODUCTS = (
    "元件|器件|电池|面板|LED|半导体|芯片|电路板|光学|零部件|化学|化工|仪器|仪表|材料|电机|家电|电器|电气"
    "|电子|汽车|药|医疗器械|纺织|服装|食品|饮料|酒|钢|金属|铝|铜|造纸|塑料|橡胶|玻璃|陶瓷|水泥|家具|家居"
    "|船舶|航空|光伏|照明"
)
_MACHINES = "设备|装备|机械|器材|用品|照明设施"
_INDUSTRY_KINDS = (
    ("manufacturing", r"^C?(?:1[3-9]|2\d|3\d|4[0-3])\d{0,2}$"),
    ("construction", r"^E?(?:4[7-9]|50)\d{0,2}$"),
    ("trade", r"^F?5[12]\d{0,2}$"),
    ("software", r"^I?6[3-5]\d{0,2}$"),
    ("business", r"^[JKL]?(?:6[6-9]|7[0-2])\d{0,2}$"),
    ("research", r"^M?7[3-5]\d{0,2}$"),
    ("trade", "批发|零售|贸易|商业百货|电子商务|wholesale|retail"),
    ("manufacturing", f"制造|加工业|{_MACHINES}|manufactur"),
    ("software", "软件|信息技术|互联网|信息传输|IT服务|电信|游戏|software|information"),
    ("research", "研究|试验|科技推广|技术服务|research"),
    ("construction", "建筑|土木|装修|装饰|工程|construction"),
    ("business", "金融|银行|证券|保险|房地产|租赁|商务服务|资本市场|投资|信托|finance|real estate"),
    ("other", _ELSEWHERE),
    ("manufacturing", _PRODUCTS),
)

# What a text says that the firm does not or may not do is no sign that it does it.
_EXCLUDED = (
    r"[（(\[【][^（()）\]】]{0,80}(?:不含|不得|除外|不包括)[^（()）\]】]{0,80}[）)\]】]"
    r"|(?:不(?:含|从事|涉及|直接|得|再)|禁止|严禁|停止|委托|外协)[^，,。；;、]{0,8}?(?:生产|制造|加工)"
    r"|生产(?:力|性|资料|要素)"
)
_MAKES = r"生产|制造|加工|组装|\bmanufactur"
_DOES_OTHERWISE = "销售|批发|零售|贸易|代理|经销|服务|咨询|投资|租赁|运营|开发"
_MAKES_NOTHING = ("trade", "business", "construction", "software", "research")

# In a column of titles a title counts unless it is denied or only meant; in running text it counts
# where the firm says that it holds it.
_DENIED = r"(?:非|未|拟|不是|申报|培育|孵化)[^，,、；;。]{0,6}"
_HOLDS = r"(?:认定为?|荣获|获评|评为|评定为|入选|获得?|是|为|系|拥有|列入)[^，,。；;]{0,24}?"
_FOR_OTHERS = "(?!(?:的)?(?:企业|客户)?(?:提供|服务|孵化|培育|申报))"
_TITLES = (
    ("champion", "单项冠军|manufacturing champion"),
    ("little_giant", "小巨人|little giant"),
    ("specialised", "专精特新|specialised and innovative"),
    ("high_tech", "高新技术企业|国高企|(?<!提)高企(?!业)|high-tech enterprise"),
)
_STATED_TITLES = tuple((level, f"(?:{words})") for level, words in _TITLES)
_TOLD_TITLES = tuple((level, f"{_HOLDS}(?:{words}){_FOR_OTHERS}") for level, words in _TITLES)
_NONE = ("none", r"^\s*(?:无|没有|否|暂无|none|no)\s*$")

_MARKETS = "上市|主板|创业板|科创板|北交所|港交所|港股|纳斯达克|纽交所|NASDAQ|NYSE"
_NOT_ON_A_MARKET = (
    r"(?:未|非|不是|尚未)[^，,；;]{0,2}上市|上市(?:公司)?(?:的)?(?:子公司|参股|控股|关联)"
)
_ON_THE_WAY = "拟|Pre-?IPO|IPO|辅导|递表|申报|过会|终止|撤回|排队"
_FUNDING = (
    ("late", f"[D-G]\\+?轮|{_ON_THE_WAY}|[Ss]eries [D-G]"),
    ("unsaid", _NOT_ON_A_MARKET),
    ("public", _MARKETS),
    ("growth", "[BC]\\+*轮|[Ss]eries [BC]"),
    ("early", "A\\+*轮|[Ss]eries A"),
    ("seed", "种子|天使|seed|angel"),
    ("strategic", "战略|strategic"),
    ("none", "未融资|无融资|没有融资"),
    _NONE,
)
_RISKS = ("失信", "被执行|限制高消费|限高", "经营异常|严重违法", "行政处罚|处罚", "破产|清算")
_FREE_OF_RISK = r"(?:无|未|没有|不存在|已移出|非|解除)[^，,、；;。]{0,12}"
_NO_RISK = r"^[\s，,、；;。]*(?:低风险|低|否|0|正常|良好|no|none|low)?[\s，,、；;。]*$"

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
    kind, text = industry_kind(firms), business_text(firms)
    return {
        "industry_kind": kind,
        "manufacturing": _manufacturing(text, kind),
        "registered_capital_cny": _numbers(firms, "registered_capital_cny"),
        "paid_in_share": _ratio(firms, "paid_in_capital_cny", "registered_capital_cny", 0.0, 1.0),
        "staff": firms["staff"].fillna(firms["insured_staff"]).to_numpy(dtype=float),
        "revenue_cny": _numbers(firms, "revenue_cny"),
        "age_years": _age_years(firms),
        "title": _title(firms["titles"], text),
        "listing": _listing(firms),
        "patents": _numbers(firms, "patents"),
        "rd_share": _numbers(firms, "rd_share"),
        "revenue_growth": _numbers(firms, "revenue_growth"),
        "funding": _funding(firms["funding"]),
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


def _manufacturing(text: pd.Series, kind: pd.Series) -> Floats:
    """Return 1 where a class or a verb says so, 0 where the firm lives by something else.

    A text that only names products says neither.
    """
    text = text.str.replace(_EXCLUDED, "", regex=True)
    makes = text.str.contains(_MAKES, case=False, regex=True) | kind.eq("manufacturing")
    otherwise = text.str.contains(_DOES_OTHERWISE, regex=True) | kind.isin(_MAKES_NOTHING)
    return np.select([makes, otherwise], [1.0, 0.0], default=np.nan)


def _title(titles: pd.Series, text: pd.Series) -> pd.Series:
    """Return the highest title: of the column that lists titles, else of the firm's own text."""
    listed = titles.str.replace(_DENIED, "", regex=True)
    stated = _first_level(listed, (*_STATED_TITLES, _NONE))
    said = text.str.replace(_DENIED, "", regex=True)
    told = _first_level(said.mask(said.eq("")), _TOLD_TITLES)
    return stated.mask(stated.isna() | ((stated == "none") & told.notna()), told)


def _listing(firms: pd.DataFrame) -> pd.Series:
    """Return whether a firm is listed; its type says 非上市 of those that are not."""
    kind = firms["enterprise_type"].fillna("")
    funding = firms["funding"].fillna("")
    denied = f"{_NOT_ON_A_MARKET}|{_ON_THE_WAY}"
    on_a_market = [
        text.str.contains(_MARKETS, regex=True) & ~text.str.contains(denied, regex=True)
        for text in (kind, funding)
    ]
    listed = firms["security_code"].notna() | firms["listed_on"].notna()
    listed |= on_a_market[0] | on_a_market[1]
    otc = funding.str.contains("新三板|四板|区域股权") & ~listed
    unlisted = kind.str.contains("非上市|未上市|有限责任") | funding.ne("")
    level = np.select([listed, otc, unlisted], ["listed", "otc", "unlisted"], default="")
    return pd.Series(level, index=firms.index, dtype="str").replace("", np.nan)


def _funding(texts: pd.Series) -> pd.Series:
    level = _first_level(texts, _FUNDING)
    return level.mask(level == "unsaid")


def _risk_flags(texts: pd.Series) -> Floats:
    """Count the kinds of risk that a text names; what names none that we know counts as one."""
    named = texts.str.replace(_FREE_OF_RISK, "", regex=True)
    kinds = sum(named.str.contains(pattern, na=False).to_numpy(dtype=float) for pattern in _RISKS)
    none = named.str.fullmatch(_NO_RISK, case=False, na=False).to_numpy(dtype=bool)
    counted = np.where(none, 0.0, np.maximum(kinds, 1.0))
    return np.where(texts.notna(), counted, np.nan)


def _completeness(firms: pd.DataFrame) -> Floats:
    filled = [firms[list(columns)].notna().any(axis=1) for columns in _KEY_COLUMNS]
    share: Floats = np.mean(np.column_stack(filled), axis=1)
    return share
