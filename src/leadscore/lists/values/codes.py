"""A unified social credit code names a firm for good, so a damaged one must never get through."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.lists.values.texts import each

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100-2015: no I, O, S, V, Z, which look like others."""

LENGTH = 18
DIVISION = slice(2, 8)
"""Characters of a credit code: the division of the registering authority."""

_AUTHORITIES = "123456789ANY"
"""First character: who registers (9 is market supervision); letters are army, farming, others."""

_WEIGHTS = np.array([pow(3, place, 31) for place in range(LENGTH - 1)], dtype=np.int64)
_OUTSIDE = 31


def _values() -> NDArray[np.int64]:
    """Return the value of each ASCII character in the alphabet, 31 for those outside."""
    table = np.full(128, _OUTSIDE, dtype=np.int64)
    for value, mark in enumerate(ALPHABET):
        table[ord(mark)] = value
    return table


_VALUES = _values()
_FIRST = np.isin(np.arange(128), [ord(mark) for mark in _AUTHORITIES])
_PLACES = {mark: value for value, mark in enumerate(ALPHABET)}
_WEIGHT_LIST = _WEIGHTS.tolist()
_SHAPE = re.compile(r"[0-9A-Z]{18}")
_SEPARATORS = re.compile(r"[\s\-]+")
_SCIENTIFIC_SHAPE = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,2}")
_ROUNDED_SHAPE = re.compile(r"\d{18}\.0+|\d{3,15}0{3,15}")


def normal_code(codes: pd.Series) -> pd.Series:
    """Return codes in capitals without spaces and hyphens, full-width characters made plain.

    Parameters
    ----------
    codes
        Text, missing allowed.
    """
    return each(codes, normal_code_of)


def normal_code_of(code: str) -> str | None:
    """Return one code as `normal_code` does.

    >>> normal_code_of("91110000 600037341l"), normal_code_of(" - ")
    ('91110000600037341L', None)
    """
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", code)).upper() or None


def is_valid_code(code: str) -> bool:
    """Tell of one code what `valid_code` tells of many.

    >>> is_valid_code("91110000600037341L"), is_valid_code("91110000600037341M")
    (True, False)
    """
    if not _SHAPE.fullmatch(code) or code[0] not in _AUTHORITIES:
        return False
    values = [_PLACES.get(mark, _OUTSIDE) for mark in code]
    if max(values) >= _OUTSIDE or max(values[1:8]) >= 10:
        return False
    total = sum(value * weight for value, weight in zip(values, _WEIGHT_LIST, strict=False))
    return bool((31 - total % 31) % 31 == values[-1])


def is_rounded_code(code: str) -> bool:
    """Tell whether a text is a code that a spreadsheet turned into a number: digits are gone.

    >>> [is_rounded_code(code) for code in ("9.13601E+17", "913601000000000000", "123456789012345")]
    [True, True, False]
    """
    if _SCIENTIFIC_SHAPE.fullmatch(code):
        return True
    return len(code) >= LENGTH and bool(_ROUNDED_SHAPE.fullmatch(code))


def valid_code(codes: pd.Series) -> NDArray[np.bool_]:
    """Tell which codes are credit codes whose check digit holds.

    The check digit is character 18: 31 minus the weighted sum of the first 17, modulo 31, with
    weights 3**i mod 31 (GB 32100-2015, appendix A).

    Parameters
    ----------
    codes
        Text in the form that `normal_code` gives, missing allowed (not valid).

    >>> valid_code(pd.Series(["91110000600037341L", "91110000600037341M", None])).tolist()
    [True, False, False]
    """
    found = np.zeros(len(codes), dtype=bool)
    shaped = codes.str.fullmatch(r"[0-9A-Z]{18}", na=False).to_numpy(dtype=bool)
    if not shaped.any():
        return found
    text = "".join(codes[shaped]).encode("ascii")
    letters = np.frombuffer(text, dtype=np.uint8).reshape(-1, LENGTH)
    values = _VALUES[letters]
    check = (31 - values[:, :-1] @ _WEIGHTS % 31) % 31
    found[shaped] = (
        (values < _OUTSIDE).all(axis=1)
        & _FIRST[letters[:, 0]]
        & (values[:, 1:8] < 10).all(axis=1)
        & (check == values[:, -1])
    )
    return found
