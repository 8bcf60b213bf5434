"""From judged mentions to one number per firm and segment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from leadscore.city.roles import OWN_PRODUCT, ROLE_OF, Tie
from leadscore.city.values import ROLES
from leadscore.city.vocabulary import IntArray

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

TEXT_COLUMNS: Final = {
    "main_business": 1.0,
    "chain_node": 0.9,
    "profile": 0.9,
    "business_scope": 0.8,
    "note": 0.6,
    "name": 0.5,
}
"""The columns that are read, and how far each is believed, 0..1."""


@dataclass(frozen=True)
class Weights:
    """The constants of the strength; see `firm_strengths` for the formula.

    Attributes
    ----------
    reach
        0..1 for each `Tie`: how strong a firm can get that is tied to a segment in this way only.
    hint
        What a hint counts beside a word that names the product.
    hint_reach
        0..1, how much of ``reach`` hints alone can get.
    own_field
        What a product counts that is named as a field of work: 照明领域.
    saturation
        How fast evidence fills ``reach``: a single product named first gives ``1 - exp(-this)``.
    decay
        Number of items after which a mention counts half.
    dilution
        0..1, how much a long list of products weakens each: power of its effective length.
    """

    reach: tuple[float, ...] = (1.0, 0.9, 0.7, 0.5, 0.4, 0.45, 0.45, 0.15, 0.15, 0.0, 0.7)
    hint: float = 0.2
    hint_reach: float = 0.4
    own_field: float = 0.5
    saturation: float = 1.5
    decay: float = 20.0
    dilution: float = 0.2
    columns: dict[str, float] = field(default_factory=lambda: dict(TEXT_COLUMNS))


@dataclass(frozen=True, slots=True)
class Judged:
    """Mentions with all that counts for the strength; one array entry each.

    ``text`` numbers the texts of the chunk; ``before`` is the number of items ahead in that text.
    """

    text: IntArray
    segment: IntArray
    hint: IntArray
    tie: IntArray
    field: IntArray
    item: IntArray
    before: IntArray


@dataclass(frozen=True, slots=True)
class Strengths:
    """One entry per firm and segment that any mention ties together."""

    firm: IntArray
    segment: IntArray
    role: IntArray
    strength: FloatArray


def mention_weight(judged: Judged, weights: Weights) -> FloatArray:
    """Return what each mention counts, 0..1: its word, its wording and its place in the text."""
    word = np.where(judged.hint > 0, weights.hint, 1.0)
    word = word * np.where((judged.field > 0) & (judged.tie == Tie.MAKER), weights.own_field, 1.0)
    return word / (1.0 + judged.before / weights.decay)


def firm_strengths(
    judged: Judged, items: IntArray, firm: IntArray, belief: FloatArray, weights: Weights
) -> Strengths:
    """Combine mentions into strengths.

    For a text, a segment, a tie and a kind of word, the evidence is the sum over the items of
    the text of the best mention in each, divided by ``L ** dilution``, where ``L`` is the
    effective number of items of the text, ``decay * ln(1 + items / decay)``. It fills
    ``1 - exp(-saturation * evidence)`` of the belief in the column; the columns join as
    independent witnesses, ``1 - prod(1 - .)``; that is scaled by the reach of the tie and, for
    hints, ``hint_reach``; ties and kinds join as independent witnesses again. Nothing depends
    on any other firm.

    Parameters
    ----------
    judged
        The mentions.
    items, firm, belief
        For each text its number of items, its firm and the belief in its column, 0..1.
    weights
        The constants.
    """
    reach = np.asarray(weights.reach)
    counts = reach[judged.tie] > 0
    weight = mention_weight(judged, weights)[counts]
    kind = 2 * judged.tie[counts] + judged.hint[counts]
    text, segment, item = judged.text[counts], judged.segment[counts], judged.item[counts]

    (text, segment, kind, _), best = _grouped((text, segment, kind, item), weight, np.maximum)
    (text, segment, kind), evidence = _grouped((text, segment, kind), best, np.add)
    length = weights.decay * np.log1p(items[text] / weights.decay)
    evidence = evidence / np.maximum(length, 1.0) ** weights.dilution
    filled = belief[text] * -np.expm1(-weights.saturation * evidence)

    (owner, segment, kind), doubt = _grouped(
        (firm[text], segment, kind), 1.0 - filled, np.multiply
    )
    claim = reach[kind // 2] * np.where(kind % 2, weights.hint_reach, 1.0) * (1.0 - doubt)
    (owner, segment, tie), doubt = _grouped((owner, segment, kind // 2), 1.0 - claim, np.multiply)
    return _joined_sides(owner, segment, tie, doubt)


def _joined_sides(firm: IntArray, segment: IntArray, tie: IntArray, doubt: FloatArray) -> Strengths:
    """Join the ties of a firm to a segment; the strongest one names the role."""
    own = np.isin(tie, OWN_PRODUCT)
    (f, s), joint = _grouped((firm[own], segment[own]), doubt[own], np.multiply)
    order = np.lexsort((tie, doubt, segment, firm))
    firm, segment, tie, doubt = firm[order], segment[order], tie[order], doubt[order]
    new = np.append(True, (firm[1:] != firm[:-1]) | (segment[1:] != segment[:-1]))[: len(firm)]
    firm, segment, tie, doubt = firm[new], segment[new], tie[new], doubt[new]
    width = segment.max(initial=0) + 1
    where = np.searchsorted(firm * width + segment, f * width + s)
    doubt[where] = np.minimum(doubt[where], joint)
    return Strengths(firm, segment, np.asarray([ROLES.index(r) for r in ROLE_OF])[tie], 1.0 - doubt)


def _grouped(
    keys: tuple[IntArray, ...], values: FloatArray, how: np.ufunc
) -> tuple[tuple[IntArray, ...], FloatArray]:
    """Reduce the values of equal keys; the keys come back sorted, the first one slowest."""
    order = np.lexsort(keys[::-1])
    keys, values = tuple(k[order] for k in keys), values[order]
    if not len(values):
        return keys, values
    new = np.append(True, np.logical_or.reduce([k[1:] != k[:-1] for k in keys]))
    start = np.flatnonzero(new)
    return tuple(k[start] for k in keys), how.reduceat(values, start)
