"""How sure the model is of a likelihood: the interval in which the truth plausibly lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadscore.features.build import features_frame
from leadscore.features.catalogue import CATALOGUE
from leadscore.ranking.score import Scorer

Interval = tuple[float, float]

_SAYS_NOTHING = 0.95
"""An interval as wide as this leaves everything open, as before any outcome is known."""


def intervals(
    scorer: Scorer, scored: Sequence[tuple[str, Mapping[str, float | str]]]
) -> list[Interval | None]:
    """Return for each score the 90 % interval of its likelihood.

    Parameters
    ----------
    scorer
        The model that serves.
    scored
        For each score the version of its model, and its values by feature.

    Returns
    -------
    Ends, each 0..1; None for a score by another model, and where the model can't tell: before any
    outcome is known, the interval would be all there is.
    """
    found: list[Interval | None] = [None] * len(scored)
    own = [place for place, (model, _) in enumerate(scored) if model == scorer.model]
    if not own:
        return found
    try:
        rows = [[scored[place][1].get(name) for name in CATALOGUE] for place in own]
        ends = scorer.card.predict_interval(features_frame(rows))
    except ValueError:  # no posterior was kept: many tables, or a card of an earlier program
        return found
    for place, (low, high) in zip(own, ends.tolist(), strict=True):
        found[place] = (low, high) if high - low < _SAYS_NOTHING else None
    return found
