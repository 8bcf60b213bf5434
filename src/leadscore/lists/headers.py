"""What the text of a header says beside a name: unit, currency, year, group; each taken apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MULTIPLIERS: dict[str, float] = {
    "十": 1e1,
    "百": 1e2,
    "千": 1e3,
    "k": 1e3,
    "thousand": 1e3,
    "万": 1e4,
    "萬": 1e4,
    "w": 1e4,
    "十万": 1e5,
    "百万": 1e6,
    "m": 1e6,
    "mn": 1e6,
    "million": 1e6,
    "千万": 1e7,
    "亿": 1e8,
    "億": 1e8,
    "万万": 1e8,
    "bn": 1e9,
    "billion": 1e9,
    "十亿": 1e9,
    "百亿": 1e10,
    "千亿": 1e11,
    "万亿": 1e12,
}
"""What a word of magnitude multiplies by, after Unicode NFKC and case folding."""

CURRENCIES: dict[str, str] = {
    "人民币": "CNY",
    "人民币元": "CNY",
    "rmb": "CNY",
    "cny": "CNY",
    "¥": "CNY",
    "yuan": "CNY",
    "美元": "USD",
    "美金": "USD",
    "usd": "USD",
    "us$": "USD",
    "$": "USD",
    "港元": "HKD",
    "港币": "HKD",
    "hkd": "HKD",
    "hk$": "HKD",
    "欧元": "EUR",
    "eur": "EUR",
    "€": "EUR",
    "日元": "JPY",
    "日圆": "JPY",
    "jpy": "JPY",
    "英镑": "GBP",
    "gbp": "GBP",
    "£": "GBP",
    "新台币": "TWD",
    "新台湾币": "TWD",
    "台币": "TWD",
    "twd": "TWD",
    "nt$": "TWD",
    "澳门元": "MOP",
    "澳门币": "MOP",
    "mop": "MOP",
    "韩元": "KRW",
    "韩圆": "KRW",
    "韩币": "KRW",
    "krw": "KRW",
    "新加坡元": "SGD",
    "新币": "SGD",
    "sgd": "SGD",
    "澳大利亚元": "AUD",
    "澳元": "AUD",
    "aud": "AUD",
    "加拿大元": "CAD",
    "加元": "CAD",
    "cad": "CAD",
    "新西兰元": "NZD",
    "nzd": "NZD",
    "瑞士法郎": "CHF",
    "chf": "CHF",
    "瑞典克朗": "SEK",
    "sek": "SEK",
    "丹麦克朗": "DKK",
    "dkk": "DKK",
    "挪威克朗": "NOK",
    "nok": "NOK",
    "泰铢": "THB",
    "泰国铢": "THB",
    "thb": "THB",
    "马来西亚林吉特": "MYR",
    "林吉特": "MYR",
    "myr": "MYR",
    "俄罗斯卢布": "RUB",
    "卢布": "RUB",
    "rub": "RUB",
}
"""The ISO 4217 code that a currency word stands for, after Unicode NFKC and case folding."""


def _alternatives(words: dict[str, str] | dict[str, float]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


MULTIPLIER_PATTERN = _alternatives(MULTIPLIERS)
CURRENCY_PATTERN = _alternatives(CURRENCIES)

_COUNTERS = "人|名|位|个|家|件|项|份|张|年|年度|岁"
_UNIT = re.compile(
    rf"(?:单位:?)?(?P<before>{CURRENCY_PATTERN})?(?P<times>{MULTIPLIER_PATTERN})?"
    rf"(?:(?P<after>{CURRENCY_PATTERN})|(?P<yuan>元)|(?P<percent>%|百分比|percent)"
    rf"|(?P<counter>{_COUNTERS}))?[,、]?(?P<last>{CURRENCY_PATTERN})?(?:/年)?"
)


@dataclass(frozen=True, slots=True)
class Unit:
    """What a header says that the plain numbers below it are counted in.

    Attributes
    ----------
    times
        Factor of a plain number, such as 1e4 for 万元; missing if the header names no magnitude.
    currency
        ISO 4217 code; missing if the header names none (元 alone names none).
    percent
        True if plain numbers are percent.
    """

    times: float | None = None
    currency: str | None = None
    percent: bool = False


_STATED = re.compile(r"单位\s*[:：]\s*([^\s()（）,，;；]{1,12})")


def stated_unit(texts: Iterable[str | None]) -> Unit | None:
    """Return the unit of money that the lines above a header state; missing if none does.

    >>> stated_unit(["2024年企业名单", "（单位：万元）"]).times
    10000.0
    >>> stated_unit(["填报单位：市投促局", None]) is None
    True
    """
    for text in texts:
        for found in _STATED.findall(text or ""):
            unit = read_unit(unicodedata.normalize("NFKC", found).casefold())
            if unit and unit.times:
                return unit
    return None


def read_unit(text: str) -> Unit | None:
    """Return the unit that a piece of a header names; missing if it is no unit.

    Parameters
    ----------
    text
        After Unicode NFKC and case folding, without spaces.

    >>> read_unit("万美元")
    Unit(times=10000.0, currency='USD', percent=False)
    >>> read_unit("人民币亿元").times
    100000000.0
    >>> read_unit("全称") is None
    True
    """
    found = _UNIT.fullmatch(text)
    if not text or found is None:
        return None
    word = found["before"] or found["after"] or found["last"]
    magnitude, money = found["times"], found["yuan"] or word
    return Unit(
        times=MULTIPLIERS[magnitude] if magnitude else 1.0 if money else None,
        currency=CURRENCIES[word] if word else None,
        percent=found["percent"] is not None,
    )


NO_UNIT = Unit()

_DROPPED = re.compile(r"[\s_\-*:.'\"`“”‘’]+")
_BRACKETS = str.maketrans("[]{}【】〔〕〖〗「」<>《》", "()()()()()()()()")
_YEAR = re.compile(r"((?:19|20)\d\d)(?:年度|年|度)?(?:末|底)?")
_YEAR_FIRST = re.compile(rf"\(?{_YEAR.pattern}\)?(.+)")
_YEAR_LAST = re.compile(rf"(.+?)\(?{_YEAR.pattern}\)?")
_COUNTING = re.compile(rf"{CURRENCY_PATTERN}|[千万亿元%]")
_LAST_BRACKET = re.compile(r"(.+)\(([^()]*)\)")
_FIRST_BRACKET = re.compile(r"\(([^()]*)\)(.+)")
_LAST_SLASH = re.compile(r"(.+)[/,;|·]([^/()]+)")
_BARE_MONEY = re.compile(
    rf"(.+?)((?:{CURRENCY_PATTERN})?(?:{MULTIPLIER_PATTERN})?(?:元|{CURRENCY_PATTERN})|万|亿|%)"
)
_LONGEST_HEADER = 200
_GROUPS = ("企业", "公司", "单位", "基本", "工商", "主体", "company", "firm", "enterprise", "basic")


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a header.

    Attributes
    ----------
    key
        Normal form of the name that is left.
    unit
        What was split off it.
    year
        The year that the header names, as in ``2023年营业收入``; missing if none.
    below
        True if the key is the lower half of a two-row header whose upper half says nothing of
        firms, so that bare words such as 名称 must not be trusted.
    """

    key: str
    unit: Unit = NO_UNIT
    year: int | None = None
    below: bool = False


def normal_header(header: str) -> str:
    """Return a header without the differences that mean nothing.

    Unicode NFKC, case folded; without spaces, zero-width characters, underscores, hyphens, stars,
    colons, full stops and quotes; all brackets round.

    >>> normal_header(" 企业（机构）类型 ")
    '企业(机构)类型'
    >>> normal_header("Registered_Address")
    'registeredaddress'
    """
    text = unicodedata.normalize("NFKC", header[:_LONGEST_HEADER]).casefold()
    visible = "".join(mark for mark in text if unicodedata.category(mark) not in {"Cc", "Cf"})
    return _DROPPED.sub("", visible.translate(_BRACKETS))


def halves(header: str) -> list[str]:
    """Return the normal forms of the parts of a joined header, upper row first.

    >>> halves("企业基本情况/企业名称")
    ['企业基本情况', '企业名称']
    """
    key = normal_header(header)
    outside = re.split(r"/(?![^(]*\))", key)
    return [part for part in outside if part]


def readings(header: str) -> Iterator[Reading]:
    """Yield the ways to read a header, the most literal first.

    The whole; the whole without unit and year; for a header joined of two rows the rows run
    together, then the lower, then the upper; last the whole without what stands in brackets.

    >>> [r.key for r in readings("意向投资额（亿元）")][:2]
    ['意向投资额(亿元)', '意向投资额']
    >>> next(r.unit.times for r in readings("营业收入/万元") if r.key == "营业收入")
    10000.0
    >>> next(r.year for r in readings("2023年营业收入（万元）") if r.key == "营业收入")
    2023
    """
    whole = normal_header(header)
    yield from _peeled(whole)
    parts = halves(header)
    if len(parts) > 1:
        yield from _peeled("".join(parts))
        vague = not parts[0].startswith(_GROUPS)
        for reading in _peeled(parts[-1]):
            yield Reading(reading.key, reading.unit, reading.year, below=vague)
        yield from _peeled(parts[0])
    for pattern, rest, inside in ((_LAST_BRACKET, 1, 2), (_FIRST_BRACKET, 2, 1)):
        found = pattern.fullmatch(whole)
        if found and not _COUNTING.search(found[inside]):
            yield from _peeled(found[rest])


def _peeled(key: str) -> Iterator[Reading]:
    """Yield the key as it is, then without its unit, then without its year."""
    yield Reading(key)
    for reading in _without_unit(Reading(key)):
        yield reading
        yield from _without_year(reading)
    for reading in _without_year(Reading(key)):
        yield reading
        yield from _without_unit(reading)


def _without_unit(reading: Reading) -> Iterator[Reading]:
    bracket = _LAST_BRACKET.fullmatch(reading.key)
    if bracket:
        yield from _from_bracket(bracket[1], bracket[2], reading)
    for pattern in (_LAST_SLASH, _BARE_MONEY):
        found = pattern.fullmatch(reading.key)
        unit = read_unit(found[2]) if found else None
        if found and unit:
            yield Reading(found[1], unit, reading.year)


def _from_bracket(rest: str, inside: str, reading: Reading) -> Iterator[Reading]:
    """Yield the reading of a bracket that holds nothing but a unit, a year, or both."""
    unit, year = NO_UNIT, reading.year
    for piece in (piece for piece in re.split("[,、;]", inside) if piece):
        named = read_unit(piece)
        when = _YEAR.fullmatch(piece)
        if named:
            unit = named
        elif when:
            year = int(when[1])
        else:
            return
    yield Reading(rest, unit, year)


def _without_year(reading: Reading) -> Iterator[Reading]:
    for pattern, year, rest in ((_YEAR_FIRST, 1, 2), (_YEAR_LAST, 2, 1)):
        found = pattern.fullmatch(reading.key)
        if found:
            yield Reading(found[rest], reading.unit, int(found[year]))
