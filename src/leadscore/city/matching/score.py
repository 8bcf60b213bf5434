"""From judged mentions to one number per firm and segment, its role, and the words behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from leadscore.city.matching.relations import Judged, Relation
from leadscore.city.schema import Role

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
REACH: Final[Mapping[Relation, float]] = MappingProxyType(
    {
        Relation.MAKER: 1.0,
        Relation.DESIGN: 0.9,
        Relation.INTEGRATION: 0.7,
        Relation.NAMED_MATERIAL: 0.7,
        Relation.NAMED: 0.5,
        Relation.TRADE: 0.5,
        Relation.EQUIPMENT: 0.45,
        Relation.MATERIALS: 0.45,
        Relation.SERVICE: 0.4,
        Relation.KNOWHOW: 0.2,
        Relation.FIELD: 0.15,
        Relation.ASIDE: 0.15,
        Relation.NOT: 0.0,
    }
)
"""How strong a firm can get that is related to a segment in one way only, 0..1."""
_ROLES: Final[tuple[Role, ...]] = (
    *("maker", "design", "integration", "trade", "service", "equipment", "materials"),
    # Who sells into a field supplies those who work in it.
    *("materials", "maker", "maker", "materials", "design", "maker"),
)
"""The role that each relation speaks for."""
_OWN_PRODUCT: Final = frozenset(
    map(
        int,
        (
            *(Relation.MAKER, Relation.DESIGN, Relation.INTEGRATION, Relation.TRADE),
            *(Relation.SERVICE, Relation.NAMED_MATERIAL, Relation.NAMED),
        ),
    )
)
"""Relations to the product itself, which add up; the others are to those who make it."""
_PASSING: Final = frozenset(map(int, (Relation.FIELD, Relation.ASIDE, Relation.NAMED)))
"""Relations that say too little to bound what others say."""


@dataclass(frozen=True)
class Weights:
    """The constants of the strength; see `Scale` for the formula.

    Attributes
    ----------
    columns
        0..1 for each column that is read.
    say
        0..1 for each of them: what it has to say in the role.
    reach
        0..1 for each `Relation`.
    design_beside_making
        0..1, how far designing counts for the role of a firm that both designs and makes.
    saturation
        How fast evidence fills ``reach``: a single product named first gives ``1 - exp(-this)``.
    dilution
        0..1, how much a long list of products weakens each: power of its effective length.
    """

    columns: Mapping[str, float] = field(default_factory=lambda: dict(TEXT_COLUMNS))
    say: Mapping[str, float] = field(default_factory=lambda: dict(SAY))
    reach: Mapping[Relation, float] = field(default_factory=lambda: dict(REACH))
    design_beside_making: float = 0.65
    hint: float = 0.2  # what a hint counts beside a word that names the product
    hint_reach: float = 0.6  # 0..1, how much of ``reach`` hints alone can get
    in_field: float = 0.5  # what a product counts that is named as a field of work: 照明领域
    saturation: float = 1.5
    decay: float = 20.0  # number of items after which a mention counts half
    dilution: float = 0.4


Quote = tuple[float, int, int, int]
"""A word that counts: minus its weight, so that the heaviest is the least, the number of its text,
where it begins there, and its number in the vocabulary."""


class Weighed(NamedTuple):
    """What the texts of a firm say of one segment."""

    role: Role  # what the firm is there
    strength: float  # 0..1
    quotes: list[Quote]  # the words behind it


class Scale:
    """Weighs what texts say of a firm.

    For each text, segment, relation, and word or hint:

    - evidence = sum over the items of the text of the weightiest mention in each, divided by
      ``L ** dilution``, with the effective number of items ``L = decay * ln(1 + items / decay)``;
    - filled = belief in the column * ``(1 - exp(-saturation * evidence))``.

    Texts are independent sources of evidence of a firm, ``1 - prod(1 - filled)``; that times the
    reach of the relation (and ``hint_reach`` for hints) is what the relation claims. Relations to
    the product itself join as independent sources again; those to its makers don't add up. The
    strength is the larger of both. The role is that of the strongest relation if each text's
    ``filled`` counts by its say in the role; that relation's reach bounds the strength, so that a
    dealer whose scope also names development is no half maker. Nothing depends on other firms.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._reach = [weights.reach[relation] for relation in Relation]
        self._spoken = list(self._reach)
        self._spoken[Relation.DESIGN] *= weights.design_beside_making

    def weigh(
        self, texts: Mapping[str, Judged], instead: Mapping[Relation, Relation]
    ) -> dict[int, Weighed]:
        """Return what a firm is in each segment."""
        quotes: dict[int, list[Quote]] = {}
        # What no text fills, and what none has said, by claim.
        unfilled: dict[int, float] = {}
        unsaid: dict[int, float] = {}
        for number, (column, judged) in enumerate(texts.items()):
            belief, say = self.weights.columns[column], self.weights.say[column]
            for claim, filled in self._filled(judged, instead, number, quotes):
                filled *= belief
                unfilled[claim] = unfilled.get(claim, 1.0) * (1.0 - filled)
                unsaid[claim] = unsaid.get(claim, 1.0) * (1.0 - filled * say)
        return {
            segment: Weighed(*self._joined(relations), quotes[segment])
            for segment, relations in self._doubts(unfilled, unsaid).items()
        }

    def _filled(
        self,
        judged: Judged,
        instead: Mapping[Relation, Relation],
        number: int,
        quotes: dict[int, list[Quote]],
    ) -> list[tuple[int, float]]:
        weights, reach = self.weights, self._reach
        best: dict[int, dict[int, float]] = {}
        for begin, word, segment, relation, hint, in_field, item, ahead in judged.mentions:
            if instead:
                relation = instead.get(relation, relation)
            reached = reach[relation]
            if not reached:
                continue
            weight = weights.hint if hint else 1.0
            if in_field:
                weight *= weights.in_field
            weight /= 1.0 + ahead / weights.decay
            claim = _CLAIMS * segment + 2 * relation + hint
            items = best.get(claim)
            if items is None:
                best[claim] = {item: weight}
            elif weight > items.get(item, 0.0):
                items[item] = weight
            quote = -weight * reached, number, begin, word
            if segment in quotes:
                quotes[segment].append(quote)
            else:
                quotes[segment] = [quote]
        diluted = _diluted(judged.items, weights.decay, weights.dilution)
        return [
            (claim, _saturated(_sum(items) / diluted, weights.saturation))
            for claim, items in best.items()
        ]

    def _doubts(
        self, unfilled: Mapping[int, float], unsaid: Mapping[int, float]
    ) -> dict[int, dict[int, tuple[float, float]]]:
        doubts: dict[int, dict[int, tuple[float, float]]] = {}
        for claim in sorted(unfilled):
            segment, kind = divmod(claim, _CLAIMS)
            relation = kind // 2
            share = self.weights.hint_reach if kind % 2 else 1.0
            claimed = self._reach[relation] * share * (1.0 - unfilled[claim])
            said = self._spoken[relation] * share * (1.0 - unsaid[claim])
            relations = doubts.setdefault(segment, {})
            doubt, silence = relations.get(relation, (1.0, 1.0))
            relations[relation] = doubt * (1.0 - claimed), silence * (1.0 - said)
        return doubts

    def _joined(self, relations: Mapping[int, tuple[float, float]]) -> tuple[Role, float]:
        joint = least = quietest = 1.0
        strongest = -1
        for relation, (doubt, silence) in relations.items():
            if relation in _OWN_PRODUCT:
                joint *= doubt
            least = min(least, doubt)
            if strongest < 0 or silence < quietest:
                strongest, quietest = relation, silence
        bound = 1.0 if strongest in _PASSING else self._reach[strongest]
        return _ROLES[strongest], min(1.0 - min(least, joint), bound)


_CLAIMS: Final = 2 * len(Relation)
"""A claim is numbered by its segment, its relation, and whether it rests on hints."""


# numpy, not math, so that strengths stay what they were to the last bit: the two differ in it, and
# a strength must not depend on the version of the program that scored a firm. Evidence takes few
# values, so each is looked up rather than computed.
@lru_cache(maxsize=65_536)
def _saturated(evidence: float, saturation: float) -> float:
    return -float(np.expm1(-saturation * evidence))


@lru_cache(maxsize=4_096)
def _diluted(items: int, decay: float, dilution: float) -> float:
    length = decay * np.log1p(np.array([items / decay]))
    return float((np.maximum(length, 1.0) ** dilution)[0])


def _sum(items: Mapping[int, float]) -> float:
    first, *others = items.values()
    if not others:
        return first
    if len(items) > 8:
        return float(np.add.reduceat([first, *others], [0])[0])
    rest = 0.0
    for value in others:
        rest += value
    return first + rest
