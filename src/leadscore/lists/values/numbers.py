"""Numbers, counts, shares and years as people write them, in digits or in Chinese.

A cell is read only if all of it is accounted for: what stands beside the one figure and is not
known (a second figure, a footnote mark, a line more) leaves the cell unread.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal

from leadscore.lists.values.words import VOCABULARY, one_form

MULTIPLIERS = {
    word: float(times) for times, words in VOCABULARY["multipliers"].items() for word in words
}
"""Words of magnitude after Unicode NFKC and case folding."""


def alternatives(words: Iterable[str]) -> str:
    """Return a pattern of words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


MULTIPLIER_PATTERN = alternatives(MULTIPLIERS)

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
"""A finite decimal number without sign, after the separators of its groups are gone."""
_PLAIN = re.compile(rf"\s*[+-]?{_NUMBER}\s*")


def plain_number(text: str) -> float:
    """Return the number of a cell that holds nothing but a finite number, NaN for any other."""
    return finite(float(text)) if _PLAIN.fullmatch(text) else math.nan


def finite(number: float) -> float:
    """Return a number as it is, NaN for an infinite one."""
    return number if math.isfinite(number) else math.nan


_LONGEST = 80  # characters of a figure with all that may stand beside it

DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")}
_UNITS = {"亿": 1e8, "万": 1e4, "千": 1e3, "百": 1e2, "十": 10.0}
_CHINESE = "".join([*DIGITS, *_UNITS])

_LINE_END = re.compile(r"[\t\n-\r\x1c-\x1f\x85\u2028\u2029]+")
_NUMERAL = re.compile(rf"[\d{''.join(DIGITS)}]")
_GROUPS = re.compile(r"(?<![\d.,'])[1-9]\d{0,2}([,' ])\d{3}(?:\1\d{3})*(?![\d,']| \d)")
_APART = re.compile(rf"[\d.元{_CHINESE}] +[\d.{''.join(DIGITS)}]|\d +e[+-]?\d|\de[+-]? +[\d+-]")
_WORDS_IN_BRACKETS = re.compile(rf"[(\[]([^\W\d{''.join(DIGITS)}]+|%)[)\]]")
_REMARK = re.compile(f"(?:{'|'.join(VOCABULARY['figures']['remarks'])})")
_BRACKETS = re.compile(r"\(([^()]*)\)")


def figure_text(cell: str) -> tuple[str, bool] | None:
    """Return what a cell with one figure says, and whether brackets around it say minus.

    The text is NFKC, in lower case, without white space and separators of groups of three; other
    forms of numerals and dashes are made one; no brackets stay around words. Missing if
    digits stand apart in it, which must never be joined.

    >>> figure_text("（１，２３４．５）"), figure_text("壹佰万圆"), figure_text("1000\\n500")
    (('1234.5', True), ('一百万元', False), None)
    """
    if len(cell) > _LONGEST or not (cell.isascii() or all(map(_is_plain, cell))):
        return None
    lines = [one_form(line) for line in _LINE_END.split(cell)]
    if sum(_NUMERAL.search(line) is not None for line in lines) > 1:
        return None
    text = " ".join(lines).strip()
    text = _GROUPS.sub(_joined, text)
    if _APART.search(text):
        return None
    text = _WORDS_IN_BRACKETS.sub(_opened, text.replace(" ", ""))
    inside = [bracket for bracket in _BRACKETS.finditer(text) if _NUMERAL.search(bracket[1])]
    if not inside:
        return text, False
    before, figure, after = text[: inside[0].start()], inside[0][1], text[inside[0].end() :]
    if _NUMERAL.search(before + after):
        return None  # a second figure
    return before + figure + after, True


def _opened(bracket: re.Match[str]) -> str:
    # What a bracket without figures holds: a unit counts, a known remark says nothing more.
    return "" if _REMARK.fullmatch(bracket[1]) else bracket[1]


def _joined(groups: re.Match[str]) -> str:
    # 700 300 may be two figures, unlike 700 000, 12 345 and 1 234 567.
    whole = groups[0].replace(groups[1], "")
    two = groups[1] == " " and len(whole) == 6 and groups[0][3] == " " and whole[3:] != "000"
    return groups[0] if two else whole


def _is_plain(character: str) -> bool:
    # Of ①, ², ½ and ㏠ NFKC makes digits, which would run together with those before them.
    return character.isdecimal() or not any(
        mark.isdecimal() for mark in unicodedata.normalize("NFKC", character)
    )


_ANY_UNITS = f"[{''.join(_UNITS)}]*"
QUANTITY = rf"[\d.点{_CHINESE}]+(?:e[+-]?\d{{1,3}}{_ANY_UNITS})?(?:[余多]{_ANY_UNITS}|个[万亿])?"
"""What `quantity` may be able to read."""
_PLAIN_QUANTITY = re.compile(_NUMBER)
_POINT = re.compile(rf"(?<=[{_CHINESE}])点(?=[{''.join(DIGITS)}])")
_SIMPLE = re.compile(rf"({_NUMBER}|[{''.join(DIGITS)}]+)({_ANY_UNITS})")
_FILLING = re.compile("[余多]|个(?=[万亿])")
SIGN = "(?:[-+△▲负]|净?亏损?:?)"
QUALIFIER = f"(?:{alternatives(VOCABULARY['figures']['before'])})?"
REMAINDER = f"(?:{alternatives(VOCABULARY['figures']['after'])})?"
"""Words that leave the stated figure the best one there is: it is taken as it stands."""
TO = r"(?:--?|~|至|到)"


def quantity(text: str) -> float:
    """Return a number written in digits, in Chinese, or in both; NaN for what can't be read.

    余 and 多 leave the figure as it stands. What may mean two things is not read: 三万五, 七八千.

    >>> [
    ...     quantity(text)
    ...     for text in ("1亿2000万", "一千零六十二万", "200余万", "二零零零", "三万五")
    ... ]
    [120000000.0, 10620000.0, 2000000.0, 2000.0, nan]
    """
    # Our own lines: cn2an, the library for this, knows no 余, reads 三千五 as 3,005 and needs a
    # second package; what is around the numeral would be ours to take off in any case.
    text = _POINT.sub(".", _FILLING.sub("", text, count=1))
    return finite(_value(text.replace("万万", "亿")))


def _value(text: str) -> float:
    if _PLAIN_QUANTITY.fullmatch(text):
        return float(text)
    unit = next((unit for unit in _UNITS if unit in text), None)
    if unit is None:
        digits = "".join(str(DIGITS.get(mark, mark)) for mark in text)
        # 七八 means about seven or eight.
        clear = _PLAIN_QUANTITY.fullmatch(digits) and len(text) != 2 and "e" not in text
        return float(digits) if clear else math.nan
    times = _UNITS[unit]
    left, _, right = text.partition(unit)
    if unit in right or (times < 1e4 and len(left) > 1 and left[0] in DIGITS):
        return math.nan
    value = 1.0 if unit == "十" and left in ("", "零") else _value(left)
    if not right:
        return value * times
    more = _value(right.removeprefix("零"))
    # What follows a unit names its own, or fills all places below it, or stands behind 零: 三万五
    # and 1亿2千 may leave out a unit.
    places = len(right.partition(".")[0])
    if right[0] != "零" and places != round(math.log10(times)):
        named = "万" in right if unit == "亿" else any(mark in right for mark in _UNITS)
        if not named:
            return math.nan
    return value * times + more if more < times and value % 1 == 0 else math.nan


def big_unit(text: str) -> bool:
    """Tell whether a quantity names 万 or 亿 itself."""
    return "万" in text or "亿" in text


def span(low: str, high: str) -> tuple[float, float]:
    """Return both ends of a range, of which the low one may leave its unit to the high one.

    NaN twice if the low end exceeds the high one: 5000-1亿 must have left out something.

    >>> span("1", "5亿"), span("一千", "两千万".replace("两", "二")), span("5000", "1亿")
    ((100000000.0, 500000000.0), (10000000.0, 20000000.0), (nan, nan))
    """
    top, bottom = quantity(high), quantity(low)
    if not big_unit(low):
        simple = _SIMPLE.fullmatch(_FILLING.sub("", high))
        units = simple[2] if simple else "".join(unit for unit in "万亿" if high.endswith(unit))
        if any(unit in low for unit in "十百千"):
            units = units.lstrip("十百千")
        elif simple is None and big_unit(high):
            return math.nan, math.nan
        for unit in units:
            bottom *= _UNITS[unit]
    return (bottom, top) if bottom <= top else (math.nan, math.nan)


def negative(bracketed: bool, *signs: str | None) -> bool | None:
    """Tell whether a figure lies below zero by its brackets and signs; missing if two are there.

    >>> negative(True, "", None), negative(False, "-", "-")
    (True, None)
    """
    written = [sign for sign in signs if sign]
    if len(written) > 1:
        return None
    return bracketed or written not in ([], ["+"])


_COUNTED = f"(?:{alternatives(VOCABULARY['figures']['counted'])})?"
_LETTERS = alternatives(word for word in MULTIPLIERS if word.isascii())
_COUNT = re.compile(
    rf"(?P<sign>{SIGN})?(?:员工|职工)?{QUALIFIER}(?P<n>{QUANTITY})(?P<times>{_LETTERS})?{_COUNTED}{REMAINDER}{_COUNTED}"
)
_BAND = re.compile(
    rf"{QUALIFIER}(?P<low>{QUANTITY}){_COUNTED}{TO}(?P<high>{QUANTITY}){_COUNTED}(?:之间)?"
)
_BELOW = re.compile(
    rf"(?:(?:小于|少于|不足|不到|低于|不超过|最多|<=?|≤)(?P<a>{QUANTITY}){_COUNTED}"
    rf"|(?P<b>{QUANTITY}){_COUNTED}(?:以下|以内))"
)
_SHARE = re.compile(
    rf"(?P<sign>{SIGN})?{QUALIFIER}(?P<inner>{SIGN})?(?P<of>百分之|千分之)?(?P<n>{QUANTITY})"
    rf"(?P<per>%|‰|percent|pct)?(?P<last>-)?{REMAINDER}"
)
_YEAR = re.compile(
    r"(?:fy)?(?P<year>(?:19|20)\d\d)(?:\.0+)?"
    r"(?:年|年度|财年|财政年度|会计年度|年报|年度报告|年年报|年度年报)?"
)
_PER = {"%": 100, "‰": 1000, "percent": 100, "pct": 100, "百分之": 100, "千分之": 1000}


def count_of(cell: str) -> float:
    """Read a number of people or things.

    A band has a documented point: between two bounds their geometric middle (sizes of firms
    spread by factors, not by steps), below one bound its half, from one bound up the bound itself,
    which is all that the list vouches for. NaN for what can't be read.

    >>> [count_of(cell) for cell in ("1,234人", "100-499人", "小于50人", "5000人以上", "很多")]
    [1234.0, 223.0, 25.0, 5000.0, nan]
    """
    number = plain_number(cell)
    if math.isnan(number) and (text := figure_text(cell)):
        number = math.nan if text[1] else _worded_count(text[0])
    return number if number >= 0 else math.nan


def is_band(cell: str) -> bool:
    """Tell whether a cell of counts is a band (50-99人, 少于50人) rather than one figure.

    >>> [cell for cell in ("50-99人", "少于50人", "45300", "1,234人") if is_band(cell)]
    ['50-99人', '少于50人']
    """
    text = figure_text(cell)
    return text is not None and any(band.fullmatch(text[0]) for band in (_BAND, _BELOW))


def _worded_count(text: str) -> float:
    if below := _BELOW.fullmatch(text):
        return quantity(below["a"] or below["b"]) / 2
    if band := _BAND.fullmatch(text):
        low, high = span(band["low"], band["high"])
        middle = math.sqrt(max(low, 1.0) * high)
        return float(round(middle)) if math.isfinite(middle) else math.nan
    single = _COUNT.fullmatch(text)
    if single is None:
        return math.nan
    number = finite(quantity(single["n"]) * MULTIPLIERS.get(single["times"], 1.0))
    return -number if negative(False, single["sign"]) else number


def share_of(cell: str) -> tuple[float, bool]:
    """Read a share as it stands, and tell whether it carries its own percent sign.

    It is a fraction for a cell with a percent sign, the plain number for one without, NaN for what
    can't be read.

    >>> share_of("12%"), share_of("约0.5"), share_of("(12.5%)")
    ((0.12, True), (0.5, False), (-0.125, True))
    """
    number = plain_number(cell)
    if not math.isnan(number):
        return number, False
    text = figure_text(cell)
    parts = _SHARE.fullmatch(text[0]) if text else None
    if text is None or parts is None or (parts["of"] and parts["per"]):
        return math.nan, False
    below = negative(text[1], parts["sign"], parts["inner"], parts["last"])
    if below is None:
        return math.nan, False
    per = parts["of"] or parts["per"]
    number = part_of(quantity(parts["n"]), _PER.get(per, 1))
    return -number if below else number, per is not None


def part_of(number: float, whole: int = 100) -> float:
    """Return a number of hundredths, or of other parts, as the fraction that its digits say.

    >>> 7.2 / 100, part_of(7.2)
    (0.07200000000000001, 0.072)
    """
    return float(Decimal(repr(number)) / whole)


def year_of(cell: str) -> float:
    """Read a year such as ``2023``, ``2023年报``; NaN for what can't be read."""
    text = figure_text(cell)
    if text is None or text[1]:
        return math.nan
    digits = "".join(str(DIGITS.get(mark, mark)) for mark in text[0])
    year = _YEAR.fullmatch(digits)
    return float(year["year"]) if year else math.nan
