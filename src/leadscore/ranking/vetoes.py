"""Reasons not to court a firm at all; they stand beside the score and never change it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.city.profile import City
from leadscore.language import Text
from leadscore.lists.sameness.firm_names import normal_name

GONE = ("deregistered", "revoked", "liquidating")
"""Statuses of firms that no longer do business."""

COURTED = ("contacted", "visited", "negotiating", "signed", "registered", "building", "producing")
"""Stages at which somebody here is already talking to the firm, or has landed it."""

WORDING: dict[str, Text] = {
    "deregistered": Text(zh="已注销", en="deregistered"),
    "revoked": Text(zh="已吊销", en="licence revoked"),
    "liquidating": Text(zh="清算中", en="in liquidation"),
    "already_here": Text(zh="已在本市", en="already here"),
    "in_pursuit": Text(zh="已在跟进", en="already being courted"),
    "excluded": Text(zh="在排除名单上", en="on the exclusion list"),
}
"""Every veto in words; the keys are stable."""


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Firms that are not to be courted, by credit code and by normal form of the name."""

    credit_codes: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


def vetoes(firms: pd.DataFrame, city: City, exclusions: Exclusions) -> pd.Series:
    """Return the first veto that holds for each firm, as a key of `WORDING` (missing if none).

    A firm counts as already here by its home, or if its whole name, or one that it bore before, is
    that of an anchor.
    """
    checks = {
        **{status: firms["status"].eq(status) for status in GONE},
        "excluded": firms["credit_code"].isin(exclusions.credit_codes)
        | bears_a_name_of(firms, exclusions.names),
        "already_here": _already_here(firms, city),
        "in_pursuit": firms["stage"].isin(COURTED),
    }
    holds = [check.fillna(value=False).to_numpy(dtype=bool) for check in checks.values()]
    first = np.select(holds, list(checks), default="")
    return pd.Series(first, index=firms.index, dtype="str").replace("", np.nan)


def bears_a_name_of(firms: pd.DataFrame, names: Collection[str]) -> pd.Series:
    """Return whether each firm's name, or one that it bore before, is among normal forms."""
    borne = normal_name(firms["name"]).isin(names)
    former = normal_name(firms["former_names"].dropna().str.split(";").explode()).isin(names)
    return borne | former.groupby(level=0).any().reindex(firms.index, fill_value=False)


def _already_here(firms: pd.DataFrame, city: City) -> pd.Series:
    names = [word for anchor in city.anchors for word in (anchor.name, *anchor.aliases)]
    here = bears_a_name_of(firms, frozenset(normal_name(pd.Series(names, dtype="str"))))
    if city.division_code:
        home = firms["city_code"].fillna(firms["province_code"])
        here |= home.str.startswith(city.division_code, na=False)
    return here
