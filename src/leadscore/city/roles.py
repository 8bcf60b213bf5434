"""What a mention of a product says that the firm has to do with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadscore.city.arrays import BoolArray
from leadscore.city.context import FIELDS, Context
from leadscore.city.deeds import DESIGNING, MAKING, SERVING, TRADING, deeds
from leadscore.city.vocabulary import HEADS

TRAIL_REACH: Final = 6
"""How many characters after a product "field" or "industry" may follow: 照明领域."""


class Tie(IntEnum):
    """How a firm is tied to the product that its text mentions."""

    MAKER = 0
    DESIGN = 1
    INTEGRATION = 2
    TRADE = 3
    SERVICE = 4
    EQUIPMENT = 5
    MATERIALS = 6
    FIELD = 7
    ASIDE = 8
    NOT = 9
    NAMED_MATERIAL = 10


ROLE_OF: Final = (
    *("maker", "design", "integration", "trade", "service", "equipment", "materials"),
    *("materials", "maker", "maker", "materials"),
)
"""The role that a tie speaks for: who sells into a field supplies those who work in it."""


OWN_PRODUCT: Final = (
    *(Tie.MAKER, Tie.DESIGN, Tie.INTEGRATION, Tie.TRADE, Tie.SERVICE, Tie.NAMED_MATERIAL),
)
"""Ties to the product itself, which add up; the others are ties to those who make it."""


def tie_of_each(
    context: Context, material: BoolArray, about: Mapping[str, BoolArray]
) -> NDArray[np.int8]:
    """Judge every mention; later rules outrank earlier ones.

    1. The verbs that govern it: making, else designing, else trading, else serving.
    2. The noun at the end of its compound, or of the list that it stands in, as in
       "手机、电脑等产品的天线": equipment, material or part for it, works or services around it.
    3. What it is for: "used in", "for … we provide", "customers include", "… and other fields";
       "锂电池、光伏等行业的自动化设备" is equipment all the same.
    4. Bodies, prizes, certificates and the past, which say little.
    5. What is ruled out.

    Parameters
    ----------
    context
        The surroundings of the mentions.
    material
        For each mention whether its word names a material for the segment, such as 偏光片 for
        screens.
    about
        For each group of `HEADS` whether the segment of each mention is about such things, so
        that the noun after it says nothing new.
    """
    tie = np.full(len(context.begin), Tie.MAKER, dtype=np.int8)
    done = deeds(context)
    for bit, deed in ((SERVING, Tie.SERVICE), (TRADING, Tie.TRADE), (DESIGNING, Tie.DESIGN)):
        tie[(done & bit > 0) & (done & MAKING == 0)] = deed
    tie[(tie == Tie.MAKER) & material] = Tie.NAMED_MATERIAL
    for rule, found in (
        (Tie.MATERIALS, context.modifies() | context.for_use()),
        *_by_head(context, about),
        (Tie.FIELD, _for_a_field(context)),
        (Tie.EQUIPMENT, _machines_for_a_field(context)),
        (Tie.ASIDE, context.followed_by("bodies") | context.follows("past")),
        (Tie.NOT, context.ruled_out()),
    ):
        tie[found] = rule
    return tie


def in_a_field(context: Context) -> BoolArray:
    """Is the product named as the firm's own field, a weaker claim to make it: 专注于照明领域?"""
    return _any(context.followed_by(group, TRAIL_REACH) for group in ("audience", "fields"))


def _by_head(context: Context, about: Mapping[str, BoolArray]) -> list[tuple[Tie, BoolArray]]:
    listed, start = context.listed()
    supply = {head: context.followed_by(head) & ~about[head] for head in HEADS}
    # After 等 such a noun may as well name what was listed, except for equipment.
    machines = listed & context.followed_by("equipment", start=start) & ~about["equipment"]
    return [
        (Tie.MATERIALS, listed & context.belongs_to(start, bare=False)),
        (Tie.SERVICE, context.followed_by("service")),
        (Tie.INTEGRATION, context.followed_by("integration")),
        (Tie.MATERIALS, supply["materials"] | supply["parts"]),
        (Tie.EQUIPMENT, supply["equipment"] | machines),
    ]


def _for_a_field(context: Context) -> BoolArray:
    named = _any(context.listed_for(group) for group in FIELDS)
    return named | context.among_fields() | context.goes_into() | context.served()


def _machines_for_a_field(context: Context) -> BoolArray:
    """Find what is listed as a field that machines are made for: 锂电池、光伏等行业的自动化设备."""
    listed, start = context.listed()
    place = context.cues["equipment"].next_begin(start)
    owned = context.cues["possessive"].next_begin(start) < place
    return listed & owned & context.followed_by("equipment", start=start)


def _any(answers: Iterable[BoolArray]) -> BoolArray:
    result: BoolArray = np.logical_or.reduce(list(answers))
    return result
