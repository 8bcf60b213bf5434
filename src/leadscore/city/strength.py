"""From judged mentions to one number per firm and segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from leadscore.city.arrays import BoolArray, FloatArray, IntArray
from leadscore.city.roles import OWN_PRODUCT, ROLE_OF, Tie
from leadscore.city.values import ROLES

Array = np.ndarray[Any, np.dtype[Any]]
PASSING: Final = (Tie.FIELD, Tie.ASIDE, Tie.NAMED)
"""Ties that say too little to bound what others say."""

TEXT_COLUMNS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "main_business": 0.9,
        "chain_node": 0.9,
        "profile": 0.9,
        "business_scope": 0.8,
        "note": 0.6,
        "name": 0.5,
    }
)
"""The columns that are read, and how far each is believed, 0..1."""
SAY: Final[Mapping[str, float]] = MappingProxyType(
    {
        "main_business": 1.0,
        "profile": 0.9,
        "business_scope": 0.4,
        "note": 0.4,
        "chain_node": 0.2,
        "name": 0.1,
    }
)
"""How much each column has to say in what the firm's role is, 0..1: a scope is drawn wide."""
REACH: Final[Mapping[Tie, float]] = MappingProxyType(
    {
        Tie.MAKER: 1.0,
        Tie.DESIGN: 0.9,
        Tie.INTEGRATION: 0.7,
        Tie.NAMED_MATERIAL: 0.7,
        Tie.NAMED: 0.5,
        Tie.TRADE: 0.5,
        Tie.EQUIPMENT: 0.45,
        Tie.MATERIALS: 0.45,
        Tie.SERVICE: 0.4,
        Tie.KNOWHOW: 0.2,
        Tie.FIELD: 0.15,
        Tie.ASIDE: 0.15,
        Tie.NOT: 0.0,
    }
)
"""How strong a firm can get that is tied to a segment in one way only, 0..1."""


@dataclass(frozen=True)
class Weights:
    """The constants of the strength; see `firm_strengths` for the formula.

    Attributes
    ----------
    columns
        0..1 for each column that is read.
    say
        0..1 for each of them: what it has to say in the role.
    reach
        0..1 for each `Tie`.
    design_beside_making
        0..1, how far designing counts for the role of a firm that both designs and makes.
    hint
        What a hint counts beside a word that names the product.
    hint_reach
        0..1, how much of ``reach`` hints alone can get.
    in_field
        What a product counts that is named as a field of work: 照明领域.
    saturation
        How fast evidence fills ``reach``: a single product named first gives ``1 - exp(-this)``.
    decay
        Number of items after which a mention counts half.
    dilution
        0..1, how much a long list of products weakens each: power of its effective length.
    """

    columns: Mapping[str, float] = field(default_factory=lambda: dict(TEXT_COLUMNS))
    say: Mapping[str, float] = field(default_factory=lambda: dict(SAY))
    reach: Mapping[Tie, float] = field(default_factory=lambda: dict(REACH))
    design_beside_making: float = 0.65
    hint: float = 0.2
    hint_reach: float = 0.6
    in_field: float = 0.5
    saturation: float = 1.5
    decay: float = 20.0
    dilution: float = 0.4

    def reach_of(self, tie: NDArray[np.int8] | IntArray) -> FloatArray:
        """Return the reach of each tie."""
        return np.array([self.reach[each] for each in Tie])[tie]


@dataclass(frozen=True, slots=True)
class Judged:
    """Mentions with all that counts for the strength; one array entry each.

    Attributes
    ----------
    text, segment
        Numbers of the text and the segment.
    hint
        True for a hint.
    tie
        The `Tie`.
    in_field
        True where the product is named as a field of work.
    item
        Number of the item in the document.
    ahead
        Items ahead of it in its text that say something.
    """

    text: IntArray
    segment: IntArray
    hint: BoolArray
    tie: NDArray[np.int8]
    in_field: BoolArray
    item: IntArray
    ahead: IntArray


@dataclass(frozen=True, slots=True)
class Texts:
    """Of each text its ``firm``, the ``belief`` in its column and its ``say`` in the role, 0..1.

    ``name`` is true for the name of a firm.
    """

    firm: IntArray
    belief: FloatArray
    say: FloatArray
    name: BoolArray


@dataclass(frozen=True, slots=True)
class Strengths:
    """One entry per firm and segment, by rising firm, then segment.

    ``role`` is a position in `ROLES`, ``strength`` 0..1.
    """

    firm: IntArray
    segment: IntArray
    role: IntArray
    strength: FloatArray


def mention_weights(judged: Judged, weights: Weights) -> FloatArray:
    """Return what each mention counts, 0..1: its word, its wording and its place in the text."""
    word = np.where(judged.hint, weights.hint, 1.0)
    word[judged.in_field & (judged.tie == Tie.MAKER)] *= weights.in_field
    weight: FloatArray = word / (1.0 + judged.ahead / weights.decay)
    return weight


def firm_strengths(judged: Judged, items: IntArray, texts: Texts, weights: Weights) -> Strengths:
    """Combine mentions into strengths.

    For each text, segment, tie, and word or hint:

    - evidence = sum over the items of the text of the weightiest mention in each, divided by
      ``L ** dilution``, with the effective number of items ``L = decay * ln(1 + items / decay)``;
    - filled = belief in the column * ``(1 - exp(-saturation * evidence))``.

    Texts are independent witnesses of a firm, ``1 - prod(1 - filled)``; that times the reach of
    the tie (and ``hint_reach`` for hints) is what the tie claims. Ties to the product itself
    join as independent witnesses again; ties to those who make it don't add up. The strength
    is the larger of both. The role is that of the strongest tie if each text's ``filled`` counts
    by its say in the role; that tie's reach bounds the strength, so that a dealer whose scope
    also names development is no half maker. Nothing depends on other firms.

    Parameters
    ----------
    judged
        The mentions.
    items
        For each text its number of items.
    texts
        Whose the texts are, and how far each is believed.
    weights
        The constants.
    """
    reach = weights.reach_of(np.arange(len(Tie)))
    counts = reach[judged.tie] > 0
    weight = mention_weights(judged, weights)[counts]
    kind = 2 * judged.tie[counts].astype(np.int64) + judged.hint[counts]
    text, segment, item = judged.text[counts], judged.segment[counts], judged.item[counts]

    (text, segment, kind, _), best = _reduced((text, segment, kind, item), weight, np.maximum)
    (text, segment, kind), evidence = _reduced((text, segment, kind), best, np.add)
    length = weights.decay * np.log1p(items[text] / weights.decay)
    evidence = evidence / np.maximum(length, 1.0) ** weights.dilution
    filled = texts.belief[text] * -np.expm1(-weights.saturation * evidence)

    keys = (texts.firm[text], segment, kind)
    (owner, segment, tie), doubt = _doubt_of_ties(keys, filled, reach, weights)
    spoken = reach.copy()
    spoken[Tie.DESIGN] *= weights.design_beside_making
    _, unsaid = _doubt_of_ties(keys, filled * texts.say[text], spoken, weights)
    return _joined((owner, segment, tie), doubt, unsaid, reach)


def _doubt_of_ties(
    keys: tuple[IntArray, ...], filled: FloatArray, reach: FloatArray, weights: Weights
) -> tuple[tuple[IntArray, ...], FloatArray]:
    """Return one minus what each tie of each firm to each segment claims."""
    (owner, segment, kind), doubt = _reduced(keys, 1.0 - filled, np.multiply)
    claim = reach[kind // 2] * np.where(kind % 2, weights.hint_reach, 1.0) * (1.0 - doubt)
    return _reduced((owner, segment, kind // 2), 1.0 - claim, np.multiply)


def _joined(
    keys: tuple[IntArray, ...], doubt: FloatArray, unsaid: FloatArray, reach: FloatArray
) -> Strengths:
    """Join the ties of a firm to a segment; of ties equally strong the first is its role."""
    firm, segment, tie = keys
    own = np.isin(tie, OWN_PRODUCT)
    _, least = _reduced((firm, segment), doubt, np.minimum)
    _, joint = _reduced((firm, segment), np.where(own, doubt, 1.0), np.multiply)
    order = np.lexsort((tie, unsaid, segment, firm))
    place = np.arange(len(order))
    (firm, segment), first = _reduced((firm[order], segment[order]), place, np.minimum)
    tie = tie[order][first]
    role = np.array([ROLES.index(name) for name in ROLE_OF])[tie]
    bound = np.where(np.isin(tie, PASSING), 1.0, reach[tie])
    return Strengths(firm, segment, role, np.minimum(1.0 - np.minimum(least, joint), bound))


def _reduced(
    keys: tuple[IntArray, ...], values: Array, how: np.ufunc
) -> tuple[tuple[IntArray, ...], Array]:
    """Reduce the values of equal keys; the keys come back sorted, the first one slowest."""
    order = np.lexsort(keys[::-1])
    keys, values = tuple(key[order] for key in keys), values[order]
    if not len(values):
        return keys, values
    new = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    start = np.append(0, np.flatnonzero(new) + 1)
    return tuple(key[start] for key in keys), how.reduceat(values, start)
