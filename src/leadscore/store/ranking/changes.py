"""Why a firm's score changed: what of it comes from its data, and what from another model.

The card is additive, so this is exact. With the values ``x`` and ``y`` of the older and the newer
score and their cards ``a`` and ``b``, feature by feature, in points:

data: ``a(y) - a(x)``; model: ``b(y) - a(y)``, and the difference of the base points.

All of it adds up to the difference of the two scores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from leadscore.learning.tables.scorecard import Scorecard, log_odds_to_points
from leadscore.store.ranking.scores import Score

_NEAR = 1e-6
"""Points by which a card may differ from what it once gave: far below what anybody sees."""


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """What a feature, or a pair of features, has to do with the difference.

    Attributes
    ----------
    feature
        Its id; ``a × b`` for a pair.
    before, after
        Its value in the older and in the newer score; None if missing, or for a pair.
    data, model
        Points.
    """

    feature: str
    before: float | str | None
    after: float | str | None
    data: float
    model: float


@dataclass(frozen=True, slots=True)
class Change:
    """The difference between two scores of a firm.

    Attributes
    ----------
    older, newer
        The scores.
    points
        By how many points the newer one is higher.
    missing
        Models whose cards can't be had any more, or don't give what they gave: then the
        difference can't be split, and there are no features.
    base
        Points by which the base differs; part of what the model does.
    features
        Every feature that has to do with it, the weightiest first.
    """

    older: Score
    newer: Score
    points: float
    missing: tuple[str, ...]
    base: float | None
    features: tuple[FeatureChange, ...]

    @property
    def data(self) -> float | None:
        """Points that come from the firm's data; None if they can't be told."""
        return None if self.missing else math.fsum(each.data for each in self.features)

    @property
    def model(self) -> float | None:
        """Points that come from another model; None if they can't be told."""
        if self.base is None:
            return None
        return math.fsum((self.base, *(each.model for each in self.features)))


def change_between(older: Score, newer: Score, cards: Mapping[str, Scorecard]) -> Change:
    """Split the difference between two scores of one firm.

    Parameters
    ----------
    older, newer
        The scores, in whichever order is asked for.
    cards
        Of their models, by version, as far as they can be had.
    """
    points = newer.total_points - older.total_points
    found = _points(older, older, cards), _points(older, newer, cards), _points(newer, newer, cards)
    first, between, last = found
    missing = [
        score.model
        for score, given in ((older, first), (older, between), (newer, last))
        if given is None or (given is not between and not _as_given(score, given))
    ]
    if missing or first is None or between is None or last is None:
        return Change(older, newer, points, tuple(dict.fromkeys(missing)), None, ())
    names = dict.fromkeys([*first, *last])
    changes = [
        FeatureChange(
            feature=name,
            before=older.values.get(name),
            after=newer.values.get(name),
            data=between.get(name, 0.0) - first.get(name, 0.0),
            model=last.get(name, 0.0) - between.get(name, 0.0),
        )
        for name in names
    ]
    told = [each for each in changes if each.data or each.model or each.before != each.after]
    told.sort(key=lambda each: (-abs(each.data) - abs(each.model), each.feature))
    return Change(older, newer, points, (), newer.base_points - older.base_points, tuple(told))


def _points(
    model_of: Score, values_of: Score, cards: Mapping[str, Scorecard]
) -> dict[str, float] | None:
    """Return what the card of one score gives for the values of another; None if it can't be had.

    A value that another program never measured is missing to the card, as it is to the program.
    """
    card = cards.get(model_of.model)
    if card is None:
        return None
    try:
        added = card.lookup_record([values_of.values.get(name) for name in card.features])
    except ValueError:  # a text where the card has a feature of numbers: another catalogue
        return None
    return dict(zip(card.names, (log_odds_to_points(each) for each in added), strict=True))


def _as_given(score: Score, points: Mapping[str, float]) -> bool:
    """Tell whether a card gives for the values of a score what the score says."""
    names = points.keys() | score.points.keys()
    return all(abs(points.get(name, 0.0) - score.points.get(name, 0.0)) <= _NEAR for name in names)
