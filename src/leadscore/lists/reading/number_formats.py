"""Number formats of workbooks: what a number looks like to the person who sees the cell.

Run in a child process, so it imports nothing of this package.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple


def text_of(value: object) -> tuple[str, bool]:
    """Return a cell's value as text, and whether it is a number that has lost digits.

    >>> text_of(42.0), text_of(0.1 + 0.2), text_of(True)
    (('42', False), ('0.3', False), ('是', False))
    >>> text_of(913607270000000123.0)
    ('913607270000000000', True)
    >>> text_of(dt.datetime(2016, 11, 30)), text_of(dt.timedelta(hours=36))
    (('2016-11-30', False), ('36:00:00', False))
    """
    if isinstance(value, bool):
        return ("是" if value else "否"), False
    if isinstance(value, int | float):
        if abs(value) >= 1e15:  # a spreadsheet keeps 15 significant digits
            return f"{Decimal(f'{value:.15g}'):f}", True
        return (str(int(value)) if value == int(value) else f"{value:.15g}"), False
    if isinstance(value, dt.datetime):
        whole = (value + dt.timedelta(milliseconds=500)).replace(microsecond=0)
        midnight = whole.time() == dt.time()
        return (whole.date().isoformat() if midnight else whole.isoformat(sep=" ")), False
    if isinstance(value, dt.date):
        return value.isoformat(), False
    if isinstance(value, dt.time):
        return value.isoformat("seconds"), False
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}", False
    return str(value), False


BUILT_IN = {9: "0%", 10: "0.00%"}
"""Formats that no workbook writes out; those of money are another currency on each computer."""


class Section(NamedTuple):
    """What a number format makes of the numbers for which its condition holds.

    A number is divided by ``scale`` and written between two texts; ``digits`` are those that are
    written at least. A ``pattern`` has texts between its digits (0); without any it is a word.
    """

    condition: tuple[str, float] | None
    scale: float
    before: str
    after: str
    digits: int
    pattern: tuple[str, ...]

    @property
    def is_plain(self) -> bool:
        """Whether a number looks like itself."""
        affixed = self.before or self.after or self.pattern
        return self.scale == 1.0 and self.digits < 2 and not affixed


_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|[\\!](?P<escaped>.)|_.|\*.|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General|G/通用格式)|(?P<digit>[0#?])|(?P<mark>[,.%;@/])|(?P<power>E[+-])"
    r"|(?P<bare>.)",
    re.DOTALL | re.IGNORECASE,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?[0-9]{1,30}(?:\.[0-9]*)?(?:E\+?[0-9]{1,3})?)")
_DATES = frozenset("ymdhsbeg")
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_HOLDS = {
    "<=": float.__le__, ">=": float.__ge__, "<>": float.__ne__,
    "<": float.__lt__, ">": float.__gt__, "=": float.__eq__,
}  # fmt: skip
_SIGNS = str.maketrans("", "", "+-−–()（）△▲▽▼ \u00a0\u3000'")
_DOLLARS = {"404": "NT$", "C04": "HK$", "1004": "SGD", "1404": "MOP"}


def without_signs(text: str) -> str:
    """Return what stands beside a number without its sign, brackets and spaces."""
    return text.translate(_SIGNS)


def sections_of(code: str) -> tuple[Section, ...]:
    """Return the sections of a number format; none where numbers look like themselves.

    >>> sections_of('0!.0,"万元"')[0].scale, sections_of("0.0%")[0].after, sections_of("0.00_ ")
    (10000.0, '%', ())
    """
    sections, tokens = [], [*_TOKEN.finditer(code[:1_000])]
    piece: list[re.Match[str]] = []
    for token in [*tokens, None]:
        if token is not None and token["mark"] != ";":
            piece.append(token)
            continue
        if any(one["mark"] == "@" for one in piece):
            break
        section = _section(piece)
        if section is None:
            return ()
        sections.append(section)
        piece = []
    return () if all(section.is_plain for section in sections) else tuple(sections[:3])


def _section(tokens: Sequence[re.Match[str]]) -> Section | None:
    """Return what one section does; missing for dates, fractions and powers of ten."""
    shape: list[str] = []  # 0 or # for each digit, the marks between them, and texts after a '
    condition = None
    for token in tokens:
        bare, bracket = (token["bare"] or "").lower(), token["bracket"] or ""
        is_date = bare in _DATES or _ELAPSED.fullmatch(bracket)
        if token["power"] or token["mark"] == "/" or (bare and is_date) or (bracket and is_date):
            return None
        condition = _condition(bracket) or condition
        if token["general"] or token["digit"]:
            shape.append("#" if token["digit"] in ("#", "?") else "0")
        elif token["mark"]:
            shape.append(token["mark"])
        elif text := without_signs(_text(token)):
            shape.append(f"'{text}")
    return _of_shape(condition, shape, general=any(token["general"] for token in tokens))


def _condition(bracket: str) -> tuple[str, float] | None:
    bound = _CONDITION.fullmatch(bracket.strip())
    return (bound[1], float(bound[2])) if bound else None


def _text(token: re.Match[str]) -> str:
    if (token["bracket"] or "").startswith("$"):
        return _currency(*token["bracket"][1:].partition("-")[::2])
    return token["quoted"] or token["escaped"] or token["bare"] or ""


def _currency(symbol: str, locale: str) -> str:
    if symbol in ("¥", "￥") and locale.upper().endswith("411"):
        return "JPY"
    return _DOLLARS.get(locale.upper(), symbol) if symbol == "$" else symbol


def _of_shape(condition: tuple[str, float] | None, shape: list[str], *, general: bool) -> Section:
    digits = [at for at, mark in enumerate(shape) if mark in ("0", "#")]
    percent = 100.0 ** shape.count("%")
    words = ["%" if mark == "%" else mark[1:] for mark in shape if mark[0] in "'%"]
    if not digits:
        word = "".join(words)
        has_word = any(mark.isalnum() for mark in word)
        return Section(condition, 1.0, "", "", 0, (word,) if has_word else ())
    first, last = digits[0], digits[-1]
    point = shape.index(".") if "." in shape else len(shape)
    before, between, after = (
        "".join("%" if mark == "%" else mark[1:] for mark in part if mark[0] in "'%")
        for part in (shape[:first], shape[first:last], shape[last:])
    )
    whole = [at for at in digits if at < point]
    scaling = sum(
        mark == "," and not any(at < one < point for one in digits) for at, mark in enumerate(shape)
    )
    scale = 1000.0**scaling / percent
    zeros = sum(shape[at] == "0" for at in whole)
    if between in (".", "．") and point == len(shape):
        dot = next(at for at, mark in enumerate(shape) if mark[1:] == between)
        return Section(
            condition, scale * 10.0 ** sum(at > dot for at in whole), before, after, 0, ()
        )
    if between.strip(",，") and point == len(shape):
        pattern = tuple(mark.lstrip("'") or "'" for mark in shape if mark[0] in "0#'%")
        return Section(condition, scale, "", "", 0, pattern)
    padded = zeros if point == len(shape) and not general and zeros == len(whole) else 0
    return Section(condition, scale, before, after, padded, ())


def as_shown(value: object, sections: tuple[Section, ...]) -> tuple[str, bool]:
    """Return a number as its format shows it, with all its digits; see `text_of`.

    >>> as_shown(0.065, sections_of("0%")), as_shown(12345.0, sections_of('0!.0,"万元"'))
    (('6.5%', False), ('1.2345万元', False))
    >>> as_shown(-3e8, sections_of('[>=1e8]0.0,,"x";[Red](0!.00,,"亿")'))
    ('-3亿', False)
    """
    text, damaged = text_of(value)
    if damaged or isinstance(value, bool) or not isinstance(value, int | float):
        return text, damaged
    section = _section_for(float(value), sections)
    if section is None or section.is_plain:
        return text, False
    if section.pattern:
        return _in_pattern(float(value), section), False
    number, _ = text_of(abs(value) / section.scale)
    sign = "-" if value < 0 else ""
    return f"{section.before}{sign}{number.zfill(section.digits)}{section.after}", False


def _section_for(value: float, sections: tuple[Section, ...]) -> Section | None:
    usual = {1: (), 2: ((">=", 0.0),), 3: ((">", 0.0), ("<", 0.0))}[len(sections)]
    for at, section in enumerate(sections):
        condition = section.condition or (usual[at] if at < len(usual) else None)
        if condition is None or _HOLDS[condition[0]](value, condition[1]):
            return section
    return None


def _in_pattern(value: float, section: Section) -> str:
    if len(section.pattern) == 1:
        return section.pattern[0]
    digits = str(round(abs(value) / section.scale))
    places = [at for at, mark in enumerate(section.pattern) if mark in ("0", "#")]
    digits = digits.zfill(len(places))
    spare = len(digits) - len(places)
    pieces = list(section.pattern)
    for at, place in enumerate(places):
        pieces[place] = digits[: spare + 1] if at == 0 else digits[spare + at]
    return ("-" if value < 0 else "") + "".join(pieces)
