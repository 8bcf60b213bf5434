"""Features of where a firm comes from: region, neighbours, events, referrals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.city.profile import City

Floats = npt.NDArray[np.float64]

# Words that may stand right before a name: verbs, prepositions, ordinals.
_BEFORE_A_NAME = "加展席会自过于在届年的由经被与和及"

MEETING_KINDS = ("conference", "fair", "matchmaking")
"""Kinds of events at which a city meets firms from elsewhere, unlike a breakfast with locals."""


def origin_features(firms: pd.DataFrame, city: City) -> dict[str, Floats]:
    """Return the flags of origin (0, 1 or missing), one array of n each."""
    home = firms["city_code"].fillna(firms["province_code"])
    targets = tuple(code for region in city.target_regions for code in region.divisions)
    neighbours = tuple(neighbour.division_code for neighbour in city.neighbours)
    own_province = (city.division_code[:2],) if city.division_code else ()
    met_at = [event for event in city.events if event.kind in MEETING_KINDS]
    events = [(each.name.zh, each.name.en, *each.aliases) for each in met_at]
    anchors = [(each.name, *each.aliases) for each in city.anchors]
    return {
        "target_region": within(home, targets),
        "same_province": within(firms["province_code"], own_province),
        "neighbour_city": within(home, neighbours),
        "event": mentions(firms["event"], chain.from_iterable(events)),
        "referral": mentions(firms["referred_by"], chain.from_iterable(anchors)),
    }


def within(codes: pd.Series, divisions: tuple[str, ...]) -> Floats:
    """Return whether codes lie in any of ``divisions`` (1, 0; missing if it can't be told).

    ``codes`` have 2 digits (province) or 4 (city). A firm of which only the province is known can't
    be told from a division inside that province.
    """
    divisions = tuple(code for code in divisions if code)
    if not divisions:
        return np.full(len(codes), np.nan)
    inside = codes.str.startswith(divisions, na=False)
    coarse = {code[:2] for code in divisions if len(code) > 2}
    unclear = codes.isna() | (codes.isin(coarse) & ~inside)
    return np.where(unclear, np.nan, inside.to_numpy(dtype=float))


def mentions(texts: pd.Series, words: Iterable[str]) -> Floats:
    """Return whether each text names one of the words (1, 0; missing where there is no text).

    A word that is glued to another before it is part of another name (深圳光博会 is not 光博会),
    and what was not or is only to be attended does not count.
    """
    names = "|".join(re.escape(word) for word in words if word)
    if not names:
        return np.full(len(texts), np.nan)
    pattern = f"(?:^|[^\\u4e00-\\u9fff]|[{_BEFORE_A_NAME}])(?:{names})"
    denied = f"(?:未|没|拟|计划|将)[^，,；;。]{{0,6}}(?:{names})"
    found = texts.str.contains(pattern, case=False, regex=True, na=False)
    found &= ~texts.str.contains(denied, case=False, regex=True, na=False)
    return np.where(texts.notna(), found.to_numpy(dtype=float), np.nan)
