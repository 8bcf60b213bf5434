"""What a mention of a product says that the firm has to do with it."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadscore.city.context import (
    DESIGNING,
    MAKING,
    SCOPE_REACH,
    SERVING,
    TRADING,
    Context,
)
from leadscore.city.vocabulary import BoolArray

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


def tie_of_each(context: Context, material: BoolArray) -> NDArray[np.int8]:
    """Judge every mention; later rules outrank earlier ones.

    1. The verbs that govern it: making, else designing, else trading, else serving.
    2. The noun at the end of its compound, or of the list that it stands in ("手机、电脑等产品的天线"):
       equipment for it, material or part for it, works or services around it.
    3. What it is for: "used in", "for … we provide", "customers include", "… and other fields".
    4. Bodies, prizes, certificates and the past, which say little.
    5. What is ruled out.
    """
    tie = np.full(len(context.begin), Tie.MAKER, dtype=np.int8)
    deeds = context.deeds()
    for bit, deed in ((SERVING, Tie.SERVICE), (TRADING, Tie.TRADE), (DESIGNING, Tie.DESIGN)):
        tie[(deeds & bit > 0) & (deeds & MAKING == 0)] = deed
    made = tie == Tie.MAKER
    tie[made & material] = Tie.NAMED_MATERIAL
    for rule, found in (
        (Tie.MATERIALS, context.modifies() | context.for_use()),
        *_by_head(context),
        (Tie.FIELD, _for_a_field(context)),
        (Tie.ASIDE, context.followed_by("bodies") | context.follows("past")),
        (Tie.NOT, context.follows("negation") | context.followed_by("negation")),
    ):
        tie[found] = rule
    return tie


def _by_head(context: Context) -> list[tuple[Tie, BoolArray]]:
    listed, start = context.listed()

    def head(group: str) -> BoolArray:
        return context.followed_by(group) | (listed & context.followed_by(group, start=start))

    return [
        (Tie.MATERIALS, listed & context.belongs_to(start)),
        (Tie.SERVICE, head("service")),
        (Tie.INTEGRATION, head("integration")),
        (Tie.MATERIALS, head("materials") | head("parts")),
        (Tie.EQUIPMENT, head("equipment")),
    ]


def _for_a_field(context: Context) -> BoolArray:
    listed, start = context.listed()
    named = listed & (
        context.followed_by("audience", start=start) | context.followed_by("fields", start=start)
    )
    named |= context.among_fields()
    return named | context.follows("application", SCOPE_REACH) | context.served()


def in_a_field(context: Context) -> BoolArray:
    """Is the product named as the firm's own field ("专注于照明领域"), a weaker claim to make it?"""
    return context.followed_by("audience", TRAIL_REACH) | context.followed_by("fields", TRAIL_REACH)
