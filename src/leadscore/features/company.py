"""Features read off a firm's own columns: from scale and capability to where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Literal

from leadscore.city.profile import City
from leadscore.features.catalogue import Firm, Value, number, text_of

Patterns = tuple[tuple[str, re.Pattern[str]], ...]

TEXTS = ("main_business", "profile", "business_scope")
"""Columns in which a firm says what it does, the most telling first."""

_INDUSTRY_COLUMNS = (
    "industry_section", "industry_division", "industry", "sw_industry", "vendor_industry_section",
    "vendor_industry_division", "industry_class", "industry_group",
)  # fmt: skip


def _compiled(*patterns: tuple[str, str]) -> Patterns:
    return tuple((level, re.compile(pattern, re.IGNORECASE)) for level, pattern in patterns)


# The first kind whose words stand in the name of the registered industry, or whose GB/T 4754 code
# it is. A name that no pattern knows says nothing.
_KINDS = _compiled(
    ("manufacturing", r"^C?(?:1[3-9]|2\d|3\d|4[0-3])\d{0,2}$"),
    ("construction", r"^E?(?:4[7-9]|50)\d{0,2}$"),
    ("trade", r"^F?5[12]\d{0,2}$"),
    ("software", r"^I?6[3-5]\d{0,2}$"),
    ("business", r"^[JKL]?(?:6[6-9]|7[0-2])\d{0,2}$"),
    ("research", r"^M?7[3-5]\d{0,2}$"),
    ("trade", "批发|零售|贸易|商业百货|电子商务|wholesale|retail"),
    ("manufacturing", "制造|加工业|设备|装备|机械|器材|用品|照明设施|manufactur"),
    ("software", "软件|信息技术|互联网|信息传输|IT服务|电信|游戏|software|information"),
    ("research", "研究|试验|科技推广|技术服务|research"),
    ("construction", "建筑|土木|装修|装饰|工程|construction"),
    ("business", "金融|银行|证券|保险|房地产|租赁|商务服务|资本市场|投资|信托|finance|real estate"),
    ("other", (
        "农业|林业|畜牧|渔业|种植|养殖|采矿|采选|开采|煤炭|电力|燃气|水务|环保|交通|运输|公路|港口|机场"
        "|仓储|物流|住宿|餐饮|酒店|旅游|卫生|医疗服务|教育|文化|传媒|出版|影视|体育|娱乐|公共|居民服务"
    )),
    ("manufacturing", (
        "元件|器件|电池|面板|LED|半导体|芯片|电路板|光学|零部件|化学|化工|仪器|仪表|材料|电机|家电|电器"
        "|电气|电子|汽车|药|医疗器械|纺织|服装|食品|饮料|酒|钢|金属|铝|铜|造纸|塑料|橡胶|玻璃|陶瓷|水泥"
        "|家具|家居|船舶|航空|光伏|照明"
    )),
)  # fmt: skip

# What a text says that the firm does not or may not do is no sign that it does it. One of the words
# stands in every text in which the pattern finds anything.
_LEFT_OUT = re.compile(
    r"[（(\[【][^（()）\]】]{0,80}(?:不含|不得|除外|不包括)[^（()）\]】]{0,80}[）)\]】]"
    r"|(?:不(?:含|从事|涉及|直接|得|再)|禁止|严禁|停止|委托|外协)[^，,。；;、]{0,8}?(?:生产|制造|加工)"
    r"|生产(?:力|性|资料|要素)"
)
_WITHOUT = (
    *("不含", "不得", "除外", "不包括", "不从事", "不涉及", "不直接", "不再"),
    *("禁止", "严禁", "停止", "委托", "外协", "生产力", "生产性", "生产资料", "生产要素"),
)
_MAKES = ("生产", "制造", "加工", "组装")
_MANUFACTURES = re.compile(r"\bmanufactur", re.IGNORECASE)
_DOES_OTHERWISE = (
    *("销售", "批发", "零售", "贸易", "代理", "经销"),
    *("服务", "咨询", "投资", "租赁", "运营", "开发"),
)
_MAKES_NOTHING = ("trade", "business", "construction", "software", "research")

# In a column of titles a title counts unless it is denied or only meant; in running text it counts
# where the firm says that it holds it. One of the words stands, in lower case, in every text that
# names a title.
_DENYING = ("非", "未", "拟", "不是", "申报", "培育", "孵化")
_NOT_HELD = re.compile(f"(?:{'|'.join(_DENYING)})[^，,、；;。]{{0,6}}")
_HOLDS = r"(?:认定为?|荣获|获评|评为|评定为|入选|获得?|是|为|系|拥有|列入)[^，,。；;]{0,24}?"
_FOR_OTHERS = "(?!(?:的)?(?:企业|客户)?(?:提供|服务|孵化|培育|申报))"
_TITLES = {
    "champion": "单项冠军|manufacturing champion",
    "little_giant": "小巨人|little giant",
    "specialised": "专精特新|specialised and innovative",
    "high_tech": "高新技术企业|国高企|(?<!提)高企(?!业)|high-tech enterprise",
}
_TITLE_WORDS = (
    *("单项冠军", "小巨人", "专精特新", "高新技术企业", "高企"),
    *("manufacturing champion", "little giant", "specialised and innovative", "high-tech"),
)
_NONE = ("none", r"^\s*(?:无|没有|否|暂无|none|no)\s*$")
_STATED = _compiled(*_TITLES.items(), _NONE)
_TOLD = _compiled(*((key, f"{_HOLDS}(?:{name}){_FOR_OTHERS}") for key, name in _TITLES.items()))

_MARKETS = "上市|主板|创业板|科创板|北交所|港交所|港股|纳斯达克|纽交所|NASDAQ|NYSE"
_NOT_ON_A_MARKET = (
    "(?:未|非|不是|尚未)[^，,；;]{0,2}上市|上市(?:公司)?(?:的)?(?:子公司|参股|控股|关联)"
)
_ON_THE_WAY = "拟|Pre-?IPO|IPO|辅导|递表|申报|过会|终止|撤回|排队"
_ON_A_MARKET, _OFF_MARKET = map(re.compile, (_MARKETS, f"{_NOT_ON_A_MARKET}|{_ON_THE_WAY}"))
_OTC, _UNLISTED = map(re.compile, ("新三板|四板|区域股权", "非上市|未上市|有限责任"))
_ROUNDS = _compiled(
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
_RISK_KINDS = tuple(map(re.compile, _RISKS))
_RISK_FREE = re.compile(r"(?:无|未|没有|不存在|已移出|非|解除)[^，,、；;。]{0,12}")
_NONE_KNOWN = re.compile(
    r"^[\s，,、；;。]*(?:低风险|低|否|0|正常|良好|no|none|low)?[\s，,、；;。]*$", re.IGNORECASE
)

_KEY_COLUMNS = (
    *(("credit_code",), ("status",), ("founded_on",), ("registered_capital_cny",)),
    *(("province_code",), _INDUSTRY_COLUMNS, TEXTS, ("staff", "insured_staff")),
    *(("registered_address", "city"), ("revenue_cny",)),
)
_KEY_OF = {name: place for place, names in enumerate(_KEY_COLUMNS) for name in names}


def company_features(firm: Firm) -> dict[str, Value]:
    """Return the features that need nothing but the firm's own values; None where missing."""
    kind, text = industry_kind(firm), business_text(firm)
    staff = number(firm, "staff")
    own = ("registered_capital_cny", "revenue_cny", "patents", "rd_share", "revenue_growth")
    key_columns = {_KEY_OF[name] for name in firm if name in _KEY_OF}
    return {
        **{name: number(firm, name) for name in (*own, "branches", "intended_investment_cny")},
        "industry_kind": kind, "manufacturing": _manufacturing(text, kind),
        "paid_in_share": _ratio(firm, "paid_in_capital_cny", "registered_capital_cny", 0.0, 1.0),
        "staff": number(firm, "insured_staff") if staff is None else staff,
        "age_years": _age_years(firm), "title": _title(text_of(firm, "titles"), text),
        "listing": _listing(firm), "funding": _funding(text_of(firm, "funding")),
        "operating": text_of(firm, "status"), "risk_flags": _risk_flags(text_of(firm, "risk")),
        "profit_margin": _ratio(firm, "net_profit_cny", "revenue_cny", -10.0, 1.0),
        "completeness": len(key_columns) / len(_KEY_COLUMNS),
    }  # fmt: skip


def industry_kind(firm: Firm) -> str | None:
    """Return the broad kind of industry of a firm, from the most general class that is given."""
    for name in _INDUSTRY_COLUMNS:
        text = text_of(firm, name)
        if text is not None:
            return _kind_of_class(text)
    return None


def business_text(firm: Firm) -> str:
    """Return all that a firm says of its business in one text ("" where it says nothing)."""
    return "\n".join(text_of(firm, name) or "" for name in TEXTS).strip()


# Lists repeat a few classes.
@lru_cache(maxsize=4096)
def _kind_of_class(named: str) -> str | None:
    return _first_level(named, _KINDS)


def _first_level(text: str, patterns: Patterns) -> str | None:
    return next((level for level, pattern in patterns if pattern.search(text)), None)


def _ratio(firm: Firm, part: str, whole: str, low: float, high: float) -> float | None:
    top, bottom = number(firm, part), number(firm, whole)
    if top is None or bottom is None or not bottom > 0:
        return None
    return min(max(top / bottom, low), high)


def _age_years(firm: Firm) -> float | None:
    known, founded = firm.get("as_of"), firm.get("founded_on")
    if not isinstance(known, date) or not isinstance(founded, date):
        return None
    days = (known - founded).days
    return days / 365.25 if days >= 0 else None


def _manufacturing(text: str, kind: str | None) -> float | None:
    # 1 where a class or a verb says so, 0 where the firm lives by something else; a text that only
    # names products says neither.
    if _any_of(_WITHOUT, text):
        text = _LEFT_OUT.sub("", text)
    if kind == "manufacturing" or _any_of(_MAKES, text) or _MANUFACTURES.search(text):
        return 1.0
    return 0.0 if kind in _MAKES_NOTHING or _any_of(_DOES_OTHERWISE, text) else None


def _any_of(words: tuple[str, ...], text: str) -> bool:
    for word in words:  # noqa: SIM110 (any() takes twice as long)
        if word in text:
            return True
    return False


def _title(titles: str | None, text: str) -> str | None:
    stated = None if titles is None else _first_level(_NOT_HELD.sub("", titles), _STATED)
    if stated not in (None, "none"):
        return stated
    said = _NOT_HELD.sub("", text) if _any_of(_DENYING, text) else text
    told = _first_level(said, _TOLD) if _any_of(_TITLE_WORDS, said.lower()) else None
    return told or stated


def _listing(firm: Firm) -> str | None:
    # The type of a firm says 非上市 of those that are not.
    if "security_code" in firm or "listed_on" in firm:
        return "listed"
    return _stated_listing(text_of(firm, "enterprise_type") or "", text_of(firm, "funding") or "")


@lru_cache(maxsize=4096)
def _stated_listing(kind: str, funding: str) -> str | None:
    if _listed(kind) or _listed(funding):
        return "listed"
    if _OTC.search(funding):
        return "otc"
    return "unlisted" if funding or _UNLISTED.search(kind) else None


def _listed(text: str) -> bool:
    return bool(_ON_A_MARKET.search(text)) and not _OFF_MARKET.search(text)


def _funding(text: str | None) -> str | None:
    level = None if text is None else _first_level(text, _ROUNDS)
    return None if level == "unsaid" else level


def _risk_flags(text: str | None) -> float | None:
    if text is None:
        return None
    named = _RISK_FREE.sub("", text)
    if _NONE_KNOWN.fullmatch(named):
        return 0.0
    return max(float(sum(bool(kind.search(named)) for kind in _RISK_KINDS)), 1.0)


# Words that may stand right before a name: verbs, prepositions, ordinals.
_BEFORE_A_NAME = "加展席会自过于在届年的由经被与和及"
# Kinds of events at which a city meets firms from elsewhere, unlike a breakfast with locals.
_MEETING_KINDS = ("conference", "fair", "matchmaking")


class Origin:
    """Tells where firms come from, seen from one city."""

    def __init__(self, city: City) -> None:
        targets = (code for region in city.target_regions for code in region.divisions)
        self._target_region = Divisions(targets)
        self._own_province = Divisions([city.division_code[:2]])
        self._neighbours = Divisions(neighbour.division_code for neighbour in city.neighbours)
        meetings = [event for event in city.events if event.kind in _MEETING_KINDS]
        self._events = Mentioned(
            name for event in meetings for name in (event.name.zh, event.name.en, *event.aliases)
        )
        self._anchors = Mentioned(
            name for anchor in city.anchors for name in (anchor.name, *anchor.aliases)
        )

    def named(self, what: Literal["event", "referrer"], firm: Mapping[str, object]) -> str:
        """Return the city's event or the local anchor that a firm's cell names, as written there.

        Where the profile names it no longer, the whole cell; KeyError where there is none.
        """
        text = firm["event" if what == "event" else "referred_by"]
        if not isinstance(text, str):
            raise KeyError(what)
        return (self._events if what == "event" else self._anchors).named(text) or text

    def features(self, firm: Firm) -> dict[str, Value]:
        """Return the flags of origin (0, 1 or missing)."""
        province = text_of(firm, "province_code")
        home = text_of(firm, "city_code") or province
        return {
            "target_region": self._target_region.hold(home),
            "same_province": self._own_province.hold(province),
            "neighbour_city": self._neighbours.hold(home),
            "event": self._events.within(text_of(firm, "event")),
            "referral": self._anchors.within(text_of(firm, "referred_by")),
        }


class Divisions:
    """A set of administrative divisions."""

    def __init__(self, codes: Iterable[str]) -> None:
        self._codes = tuple(code for code in codes if code)
        self._coarse = {code[:2] for code in self._codes if len(code) > 2}

    def hold(self, code: str | None) -> float | None:
        """Return whether a code lies in any of the divisions (1, 0; missing if it can't be told).

        ``code`` has 2 digits (province) or 4 (city). A firm of which only the province is known
        can't be told from a division inside that province.
        """
        if code is None or not self._codes:
            return None
        if code.startswith(self._codes):
            return 1.0
        return None if code in self._coarse else 0.0


class Mentioned:
    """Names that a text may mention."""

    def __init__(self, words: Iterable[str]) -> None:
        names = "|".join(re.escape(word) for word in words if word)
        before = f"(?:^|[^\\u4e00-\\u9fff]|[{_BEFORE_A_NAME}])"
        denied = "(?:未|没|拟|计划|将)[^，,；;。]{0,6}"
        self._named, self._denied = (
            re.compile(f"{start}({names})", re.IGNORECASE) if names else None
            for start in (before, denied)
        )

    def within(self, text: str | None) -> float | None:
        """Return whether a text names one of the words (1, 0; missing where there is no text).

        A word that is glued to another before it is part of another name (深圳光博会 is not
        光博会), and what was not or is only to be attended does not count.
        """
        if text is None or self._named is None:
            return None
        return float(self.named(text) is not None)

    def named(self, text: str) -> str | None:
        """Return the first of the words that a text names, as it is written there."""
        if self._named is None or self._denied is None or self._denied.search(text):
            return None
        match = self._named.search(text)
        return match[1] if match else None
