"""Where a firm sits is told by several columns; this settles on one province and one city."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.lists.values.codes import division_of
from leadscore.lists.values.divisions import (
    NOWHERE,
    Place,
    beginning,
    english_place,
    in_brackets,
    place_of_code,
)

PLACED_BY = (
    "province_code",
    "city_code",
    "province",
    "city",
    "district",
    "registered_address",
    "credit_code",
    "name",
)
"""Canonical columns that tell where a firm sits."""

_BRANCH = re.compile(r"公司(.{2,40}?)(?:分公司|办事处|分部)$")
_PREFIX = 40
_NO_PLACE = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})
"""What the national list of divisions has between a province and its districts: no place."""

_JOIN = "\x1f"

Objects = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Places:
    """The settled places of firms.

    Attributes
    ----------
    province_code, city_code
        As in `divisions.Place`; text, missing where unknown.
    odd_city
        Rows whose city column names a city of another province than the province column.
    odd_address
        Rows whose address begins with another province than the province and city columns name.
    unplaced
        By the name of the column, rows whose province or city cell names no place that is known.
    """

    province_code: pd.Series
    city_code: pd.Series
    odd_city: NDArray[np.bool_]
    odd_address: NDArray[np.bool_]
    unplaced: dict[str, NDArray[np.bool_]]


def settle(firms: pd.DataFrame) -> Places:
    """Settle the province and city of each firm.

    The first source that knows the province decides it: codes given in the list; the province,
    city and district columns (the city counts where they disagree); the beginning of the registered
    address; the division in the credit code, which stays as it was when a firm moves and so comes
    after the address; in the name a branch's own part of it, then a place alone in brackets (a
    subsidiary 江西某某（广州）有限公司 sits in the latter), then its beginning. The city comes from
    the first source that knows one in that province.

    Parameters
    ----------
    firms
        The canonical columns `PLACED_BY`; text, missing allowed.
    """
    given = _looked_up(firms["city_code"].fillna(firms["province_code"]), place_of_code)
    columns, odd_city, unknown = _columns(firms["province"], firms["city"], firms["district"])
    address = _looked_up(firms["registered_address"].str.slice(0, _PREFIX), beginning)
    sources = [given, columns, address]
    sources.append(_looked_up(division_of(firms["credit_code"]), place_of_code))
    unplaced = pd.Series(_first_province(sources) == None, index=firms.index)  # noqa: E711
    sources.append(_looked_up(firms["name"].where(unplaced), _of_name))
    province = _first_province(sources)
    city = np.full(len(firms), None, dtype=object)
    for source_province, source_city in sources:
        fits = (city == None) & (source_province == province)  # noqa: E711
        city[fits] = source_city[fits]
    known = (columns[0] != None) & (address[0] != None)  # noqa: E711
    return Places(
        pd.Series(province, index=firms.index, dtype="str"),
        pd.Series(city, index=firms.index, dtype="str"),
        odd_city,
        known & (columns[0] != address[0]),
        unknown,
    )


def _first_province(sources: list[tuple[Objects, Objects]]) -> Objects:
    province = sources[0][0].copy()
    for source, _ in sources[1:]:
        open_ = province == None  # noqa: E711
        province[open_] = source[open_]
    return province


def _looked_up(texts: pd.Series, find: Callable[[str], Place]) -> tuple[Objects, Objects]:
    """Return province and city of each text; each different text is looked at once."""
    at, different = pd.factorize(texts)
    found = [find(text) for text in different]
    province = np.array([*(place.province for place in found), None], dtype=object)
    city = np.array([*(place.city for place in found), None], dtype=object)
    return province[at], city[at]


def _columns(
    province: pd.Series, city: pd.Series, district: pd.Series
) -> tuple[tuple[Objects, Objects], NDArray[np.bool_], dict[str, NDArray[np.bool_]]]:
    """Return the places that the columns name, where they disagree, and where they name none."""
    stated = province.fillna("") + _JOIN + city.fillna("") + _JOIN + district.fillna("")
    at, different = pd.factorize(stated)
    found = [_of_columns(*text.split(_JOIN)[:3]) for text in different]
    province_codes = np.array([each.place.province for each in found], dtype=object)
    city_codes = np.array([each.place.city for each in found], dtype=object)
    odd = np.array([each.odd for each in found], dtype=bool)
    unplaced = {
        name: np.array([name in each.unplaced for each in found], dtype=bool)[at]
        for name in ("province", "city")
    }
    return (province_codes[at], city_codes[at]), odd[at], unplaced


@dataclass(frozen=True, slots=True)
class _Stated:
    """What the columns of one row say: the place, whether they disagree, which name no place."""

    place: Place
    odd: bool
    unplaced: tuple[str, ...]


def _of_columns(province: str, city: str, district: str) -> _Stated:
    wide = _either(province)
    near = _either(city, wide.province)
    unplaced = tuple(
        name
        for name, text, place in (("province", province, wide), ("city", city, near))
        if text and place is NOWHERE and text not in _NO_PLACE
    )
    if near is NOWHERE or (near.city is None and near.province == wide.province):
        near = wide if wide.city else beginning(district, wide.province) if district else wide
    odd = bool(wide.province and near.province and wide.province != near.province)
    return _Stated(near if near.province else wide, odd, unplaced)


def _either(text: str, province: str | None = None) -> Place:
    place = beginning(text, province) if text else NOWHERE
    return place if place.province or not text else english_place(text, province)


def _of_name(name: str) -> Place:
    branch = _BRANCH.search(name)
    own = beginning(branch[1]) if branch else NOWHERE
    for place in (own, in_brackets(name)):
        if place.province:
            return place
    return beginning(name)
