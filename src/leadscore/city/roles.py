"""What a mention of a product says that the firm has to do with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadscore.city.arrays import BoolArray, IntArray
from leadscore.city.deeds import BUILDING, DESIGNING, MAKING, SERVING, TRADING, deeds
from leadscore.city.purposes import FIELDS, Purposes
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
    KNOWHOW = 11
    NAMED = 12


ROLE_OF: Final = (
    *("maker", "design", "integration", "trade", "service", "equipment", "materials"),
    *("materials", "maker", "maker", "materials", "design", "maker"),
)
"""The role that a tie speaks for: who sells into a field supplies those who work in it.

`Tie.KNOWHOW` is software around a product, `Tie.NAMED` a firm that is named after it.
"""


DEEDS: Final = (
    *((SERVING, Tie.SERVICE), (TRADING, Tie.TRADE), (DESIGNING, Tie.DESIGN)),
    (BUILDING, Tie.INTEGRATION),
)
"""What a firm is that does this and makes nothing; later ones outrank earlier ones."""

BY_NAME: Final = (
    *((TRADING, Tie.TRADE), (BUILDING, Tie.INTEGRATION), (DESIGNING, Tie.DESIGN)),
    (SERVING, Tie.SERVICE),
)
"""The same for what only a firm's name mentions; earlier ones outrank later ones."""

OWN_PRODUCT: Final = (
    *(Tie.MAKER, Tie.DESIGN, Tie.INTEGRATION, Tie.TRADE, Tie.SERVICE, Tie.NAMED_MATERIAL),
    Tie.NAMED,
)
"""Ties to the product itself, which add up; the others are ties to those who make it."""


def tie_of_each(
    context: Purposes, material: BoolArray, about: Mapping[str, BoolArray]
) -> NDArray[np.int8]:
    """Judge every mention; later rules outrank earlier ones.

    1. The verbs that govern it: making, else building, else designing, trading, serving.
    2. The noun at the end of its compound, or of the list that it stands in, as in
       "手机、电脑等产品的天线" or "手机、电脑用天线": equipment, material, part or software for it,
       works or services around it.
    3. What it is for: "used in", "for … we provide", "customers include", "… and other fields";
       "锂电池、光伏等行业的自动化设备" is equipment all the same, and so is what
       "贴合设备，供手机屏厂" or "电池厂用涂布等设备" is made for.
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
    for bit, deed in DEEDS:
        tie[(done & bit > 0) & (done & MAKING == 0)] = deed
    tie[(tie == Tie.MAKER) & material] = Tie.NAMED_MATERIAL
    for rule, found in (
        (Tie.MATERIALS, context.modifies & ~context.names_own_kind()),
        (Tie.MATERIALS, context.for_use | context.for_one_noun() | context.shares_noun()),
        *_by_head(context, about),
        (Tie.FIELD, _for_a_field(context)),
        (Tie.EQUIPMENT, _machines_for_a_field(context) | _machines_for_a_plant(context, about)),
        (Tie.EQUIPMENT, context.goes_into(after="equipment") & ~about["equipment"]),
        # "用于锂电池的卷绕机": here the battery isn't where the firm's own product goes.
        (Tie.EQUIPMENT, _by_name_of_machine(context, about)),
        (Tie.ASIDE, context.followed_by("bodies") | context.follows("past")),
        (Tie.NOT, context.ruled_out()),
    ):
        tie[found] = rule
    tie[context.joins(tie == Tie.EQUIPMENT) & (tie <= Tie.SERVICE)] = Tie.EQUIPMENT
    return tie


def tie_by_name(done: IntArray) -> NDArray[np.int8]:
    """Return the tie of firms to what their names mention, by what their texts say they do.

    Parameters
    ----------
    done
        For each the bits of all verbs of its texts; 0 where there are none.
    """
    tie = np.full(len(done), Tie.NAMED, dtype=np.int8)
    for bit, deed in reversed(BY_NAME):
        tie[(done & bit > 0) & (done & MAKING == 0)] = deed
    return tie


def in_a_field(context: Purposes) -> BoolArray:
    """Is the product named as the firm's own field, a weaker claim to make it: 专注于照明领域?"""
    return _any(context.followed_by(group, TRAIL_REACH) for group in ("audience", "fields"))


def _by_head(context: Purposes, about: Mapping[str, BoolArray]) -> list[tuple[Tie, BoolArray]]:
    listed, start = context.listed
    own = context.names_own_kind()
    supply = {head: context.followed_by(head) & ~about[head] & ~own for head in HEADS}
    # After 等 such a noun may as well name what was listed, except for equipment.
    machines = listed & context.followed_by("equipment", start=start) & ~about["equipment"]
    return [
        (Tie.MATERIALS, listed & context.belongs_to(start, bare=False)),
        (Tie.SERVICE, context.followed_by("service")),
        (Tie.INTEGRATION, context.followed_by("integration")),
        (Tie.KNOWHOW, supply["software"]),
        (Tie.MATERIALS, supply["materials"] | supply["parts"]),
        (Tie.EQUIPMENT, supply["equipment"] | machines),
    ]


def _for_a_field(context: Purposes) -> BoolArray:
    named = _any(context.listed_for(group) for group in FIELDS)
    named |= context.at_plant() & ~context.for_use & ~context.followed_by("equipment")
    return named | context.among_fields() | context.goes_into() | context.served()


def _machines_for_a_field(context: Purposes) -> BoolArray:
    """Find what is listed as a field that machines are made for: 锂电池、光伏等行业的自动化设备."""
    listed, start = context.listed
    place = context.cues["equipment"].next_begin(start)
    owned = context.cues["possessive"].next_begin(start) < place
    return listed & owned & context.followed_by("equipment", start=start)


def _by_name_of_machine(context: Purposes, about: Mapping[str, BoolArray]) -> BoolArray:
    machine = context.followed_by("equipment") & ~about["equipment"]
    return machine & context.belongs_to(context.end)


def _machines_for_a_plant(context: Purposes, about: Mapping[str, BoolArray]) -> BoolArray:
    """Find that for which a list of machines is made: 面板绑定、贴合等设备, 电池厂用涂布等设备."""
    start = context.cues["and_others"].next_end(context.end)
    inside = context.same(context.clause, start - 1, context.end - 1)
    owned = context.modifies | context.for_use | context.at_plant()
    found = context.followed_by("equipment", start=np.where(inside, start, 1))
    return inside & owned & found & ~about["equipment"]


def _any(answers: Iterable[BoolArray]) -> BoolArray:
    result: BoolArray = np.logical_or.reduce(list(answers))
    return result
