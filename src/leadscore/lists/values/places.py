"""Where a firm sits is told by several columns; this settles on one province and one city."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.lists.values.codes import DIVISION
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
    columns = [firms[name].astype(object).to_list() for name in PLACED_BY]
    found = [
        settle_firm(*(text if isinstance(text, str) else None for text in row))
        for row in zip(*columns, strict=True)
    ]
    code = {
        name: pd.Series(
            [getattr(each.place, name) for each in found], index=firms.index, dtype="str"
        )
        for name in ("province", "city")
    }
    return Places(
        code["province"],
        code["city"],
        np.array([each.odd_city for each in found], dtype=np.bool_),
        np.array([each.odd_address for each in found], dtype=np.bool_),
        {
            name: np.array([name in each.unplaced for each in found], dtype=np.bool_)
            for name in ("province", "city")
        },
    )


@dataclass(frozen=True, slots=True)
class Settled:
    """The settled place of one firm, and what speaks against it; see `Places`."""

    place: Place
    odd_city: bool
    odd_address: bool
    unplaced: tuple[str, ...]


def settle_firm(
    province_code: str | None,
    city_code: str | None,
    province: str | None,
    city: str | None,
    district: str | None,
    registered_address: str | None,
    credit_code: str | None,
    name: str | None,
) -> Settled:
    """Settle one firm's province and city; the order of the arguments is that of `PLACED_BY`."""
    code = city_code or province_code
    stated = _of_columns(province or "", city or "", district or "")
    address = beginning(registered_address[:_PREFIX]) if registered_address else NOWHERE
    sources = [_of_code(code) if code else NOWHERE, stated.place, address]
    sources.append(_of_code(credit_code[DIVISION]) if credit_code else NOWHERE)
    if name and all(source.province is None for source in sources):
        sources.append(_of_name(name))
    wide = next((source.province for source in sources if source.province), None)
    near = (source.city for source in sources if source.city and source.province == wide)
    known = stated.place.province is not None and address.province is not None
    return Settled(
        Place(wide, next(near, None)),
        stated.odd,
        known and stated.place.province != address.province,
        stated.unplaced,
    )


@lru_cache(maxsize=4096)
def _of_code(code: str) -> Place:
    return place_of_code(code)


@dataclass(frozen=True, slots=True)
class _Stated:
    """What the columns of one row say: the place, whether they disagree, which name no place."""

    place: Place
    odd: bool
    unplaced: tuple[str, ...]


# Lists repeat few places.
@lru_cache(maxsize=4096)
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
