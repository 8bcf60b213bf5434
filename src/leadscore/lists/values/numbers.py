"""Head counts, shares and years come with units, bands and qualifiers; here they are read."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.lists.headers.units import MULTIPLIER_PATTERN, MULTIPLIERS
from leadscore.lists.values.texts import tidy

Floats = NDArray[np.float64]

NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
"""A finite decimal number, after thousands separators are gone."""

QUALIFIER = r"(?:大约|约|近|超过|超|逾|大于|多于|高于|不低于|不少于|至少|最多|>=|>|≥|≈|~)?"
REMAINDER = r"(?:以上|及以上|以下|左右|上下|余|多|\+)?"
"""Words that leave the stated figure the best one there is: it is taken as it stands."""

_COUNTED = r"(?:人|名|位|个|家|件|项|people|persons)"
_COUNT = rf"{QUALIFIER}(?P<n>{NUMBER})(?P<times>{MULTIPLIER_PATTERN})?余?多?{_COUNTED}?{REMAINDER}"
_BAND = rf"(?P<low>\d+){_COUNTED}?(?:-|~|—|–|至|到)(?P<high>\d+){_COUNTED}?"
_BELOW = (
    rf"(?:(?:小于|少于|不足|不到|低于|<=?|≤)(?P<a>\d+){_COUNTED}?"
    rf"|(?P<b>\d+){_COUNTED}?(?:以下|以内))"
)
_SHARE = rf"{QUALIFIER}(?P<n>{NUMBER})(?P<percent>%)?{REMAINDER}"
_YEAR = r"(?P<year>(?:19|20)\d\d)(?:\.0+)?(?:年|年度|年报|年度报告|年年报|年度年报)?"


def without_separators(cells: pd.Series) -> pd.Series:
    """Return tidy cells without thousands separators: ``1,234`` is ``1234``, ``1,23`` stays."""
    return cells.str.replace(r"(?<=\d),(?=\d{3}(?!\d))", "", regex=True)


def plain(cells: pd.Series) -> Floats:
    """Return the numbers of cells that hold nothing but a finite number, NaN for the others.

    >>> plain(pd.Series(["12", "1e400", "inf", "12%"])).tolist()
    [12.0, nan, nan, nan]
    """
    shaped = cells.str.fullmatch(rf"\s*(?:{NUMBER})\s*", na=False)
    found = np.full(len(cells), np.nan)
    at = shaped.to_numpy(dtype=bool)
    if at.any():
        found[at] = pd.to_numeric(cells[at].str.strip(), errors="coerce").to_numpy(dtype=float)
    return np.where(np.isfinite(found), found, np.nan)


def counts(cells: pd.Series) -> Floats:
    """Read numbers of people or things.

    A band has a documented point: between two bounds their geometric middle (sizes of firms
    spread by factors, not by steps), below one bound its half, from one bound up the bound itself,
    which is all that the list vouches for.

    Parameters
    ----------
    cells
        Text without missing values.

    Returns
    -------
    numpy.ndarray
        float64, at least 0; NaN for what can't be read.

    >>> counts(
    ...     pd.Series(["328.0", "1,234人", "100-499人", "小于50人", "5000人以上", "很多"])
    ... ).tolist()
    [328.0, 1234.0, 223.0, 25.0, 5000.0, nan]
    """
    text = without_separators(tidy(cells))
    found = plain(text)
    worded = np.isnan(found)
    if worded.any():
        found[worded] = _worded_counts(text[worded])
    return np.where(found >= 0, found, np.nan)


def _worded_counts(text: pd.Series) -> Floats:
    """Read the counts that are more than a number, tidy."""
    single = text.str.extract(f"^{_COUNT}$")
    times = single["times"].map(MULTIPLIERS).fillna(1.0).to_numpy(dtype=float)
    stated = _float(single["n"]) * times
    band = text.str.extract(f"^{_BAND}$")
    low, high = _float(band["low"]), _float(band["high"])
    middle = np.where(low <= high, np.round(np.sqrt(np.maximum(low, 1) * high)), np.nan)
    below = text.str.extract(f"^{_BELOW}$")
    half = _first(_float(below["a"]), _float(below["b"])) / 2
    return _first(half, _first(middle, stated))


def shares(cells: pd.Series) -> tuple[Floats, NDArray[np.bool_]]:
    """Read shares as they stand, and tell which carry their own percent sign.

    Returns
    -------
    tuple
        Fractions for cells with a percent sign, plain numbers for those without, NaN for what
        can't be read; and a mask of the cells with a percent sign.

    >>> values, percent = shares(pd.Series(["12%", "12", "约0.5"]))
    >>> values.tolist(), percent.tolist()
    ([0.12, 12.0, 0.5], [True, False, False])
    """
    parts = without_separators(tidy(cells)).str.extract(f"^{_SHARE}$")
    percent = parts["percent"].notna().to_numpy(dtype=bool)
    number = _float(parts["n"])
    return np.where(percent, number / 100, number), percent


def years(cells: pd.Series) -> Floats:
    """Read years such as ``2023``, ``2023年报``; NaN for what can't be read.

    >>> years(pd.Series(["2023.0", "2023年报", "23"])).tolist()
    [2023.0, 2023.0, nan]
    """
    return _float(tidy(cells).str.extract(f"^{_YEAR}$")["year"])


def _float(text: pd.Series) -> Floats:
    found = pd.to_numeric(text, errors="coerce").to_numpy(dtype=float)
    return np.where(np.isfinite(found), found, np.nan)


def _first(first: Floats, second: Floats) -> Floats:
    return np.where(np.isnan(first), second, first)
