"""Numbers under which firms are registered: the unified social credit code and the old ones."""

from __future__ import annotations

import re
from operator import mul

from leadscore.lists.values.words import one_form

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100-2015: no I, O, S, V, Z, which look like others."""

_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_VALUES = {mark: value for value, mark in enumerate(ALPHABET)}
# Who registers (9 is market supervision; letters are army, farming, others), the kind, a division.
_SHAPE = re.compile(rf"[1-9ANY][0-9]{{7}}[{ALPHABET}]{{10}}")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,2}")
_SPACING = re.compile(r"[\s\-'\"`´“”]+")
_ROUNDED = re.compile(r"\d{18}\.0+|\d{3,15}0{3,15}")


def normal_code(code: str) -> str | None:
    """Return a code in capitals and plain characters, without spaces, hyphens and quotes.

    >>> normal_code("9136 0727 ma35lghk7k；"), normal_code("")
    ('91360727MA35LGHK7K', None)
    """
    return _SPACING.sub("", one_form(code)).upper() or None


def is_valid_code(code: str) -> bool:
    """Tell whether a text is a credit code whose check digit holds.

    The check digit is character 18: 31 minus the weighted sum of the first 17, modulo 31, with
    weights 3**i mod 31 (GB 32100-2015, appendix A). The form is that of `normal_code`.

    >>> is_valid_code("91110000600037341L"), is_valid_code("91110000600037341M")
    (True, False)
    """
    if not _SHAPE.fullmatch(code):
        return False
    values = [_VALUES[mark] for mark in code]
    total: int = sum(map(mul, values, _WEIGHTS))
    return (31 - total % 31) % 31 == values[-1]


def valid_code(text: str) -> str | None:
    """Return the credit code that a text holds, in its normal form, if its check digit holds."""
    code = normal_code(text)
    return code if code is not None and is_valid_code(code) else None


def is_rounded_code(code: str) -> bool:
    """Tell whether a code has lost digits since a spreadsheet turned it into a number."""
    rounded = len(code) >= 18 and _ROUNDED.fullmatch(code)
    return bool(rounded or _SCIENTIFIC.fullmatch(code))


def old_number(text: str) -> str | None:
    """Return the old registration number of 15 digits that a cell of credit codes holds, if any."""
    code = normal_code(text) or ""
    return code if re.fullmatch(r"\d{15}", code) else None
