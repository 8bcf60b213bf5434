"""Lists write amounts in 万, 亿 and many currencies; the words for them are known in one place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
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
