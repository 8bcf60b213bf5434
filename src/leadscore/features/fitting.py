"""Which gap a firm would fill: the fit of every match and the best of them per firm."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.city.matching import Matches
from leadscore.city.profile import City


def segment_facts(city: City) -> pd.DataFrame:
    """Return what a firm meets in each segment, one row a segment.

    Columns: ``chain`` (id), ``position``, ``gap`` and ``neighbour_supply`` (0..1), ``sought``
    (0 or 1), ``anchor_buyers`` and ``anchor_suppliers`` (counts), ``steps_to_strength`` (count,
    missing if not linked).
    """
    ids = list(city.segments)
    segments = city.segments.values()
    asked_for = {key for each in city.sought for key in each.segments}
    steps = [city.distance_to_strength(key) for key in ids]
    return pd.DataFrame(
        {
            "chain": [segment.chain_id for segment in segments],
            "position": [segment.position for segment in segments],
            "gap": [city.gap(key) for key in ids],
            "neighbour_supply": [city.neighbour_supply(key) for key in ids],
            "sought": [float(s.sought or s.id in asked_for) for s in segments],
            "anchor_buyers": [float(len(city.buyers(key))) for key in ids],
            "anchor_suppliers": [float(len(city.suppliers(key))) for key in ids],
            "steps_to_strength": [np.nan if step is None else float(step) for step in steps],
        },
        index=pd.Index(ids, name="segment"),
    )


def with_fit(matches: Matches, city: City, facts: pd.DataFrame) -> pd.DataFrame:
    """Return the table of matches with ``gap`` and ``fit`` (both 0..1) beside each.

    ``fit = gap x strength x role``, where the role's weight comes from the city profile: how much
    of the gap of a segment a firm of that strength and role would fill.
    """
    table = matches.table
    gap = facts["gap"].to_numpy()[facts.index.get_indexer(pd.Index(table["segment"]))]
    role = table["role"].map(dict(city.roles)).fillna(0.0).to_numpy(dtype=float)
    strength = table["strength"].to_numpy(dtype=float)
    return table.assign(gap=gap, fit=gap * strength * role)


SOLID_STRENGTH = 0.15
"""A weaker match is a passing word: it is listed among the segments, but decides nothing."""

MAIN_BUSINESS_SHARE = 0.5
"""A match speaks for a firm only if it is at least half as strong as the firm's strongest."""


def best_per_firm(fits: pd.DataFrame, firms: int) -> pd.DataFrame:
    """Return the match with the highest fit of each firm, one row a firm (missing if none).

    Only matches that tell of the firm's real business count (see `SOLID_STRENGTH` and
    `MAIN_BUSINESS_SHARE`): a maker of what the city has plenty of is not shown as a weak supplier
    of what it lacks, and a passing word makes no firm a candidate.

    Ties go to the stronger match, then to the segment's id, so that the answer depends on nothing
    but the firm. Columns: ``segment, role, strength, words, gap, fit``; ``fit`` is 0 where no
    segment matches.
    """
    strongest = fits.groupby("firm")["strength"].transform("max")
    least = np.maximum(SOLID_STRENGTH, MAIN_BUSINESS_SHARE * strongest)
    real = fits[fits["strength"] >= least]
    order = real.sort_values(
        ["firm", "fit", "strength", "segment"], ascending=[True, False, False, True], kind="stable"
    )
    best = order.drop_duplicates("firm").set_index("firm")
    best = best[["segment", "role", "strength", "words", "gap", "fit"]].reindex(range(firms))
    best["fit"] = best["fit"].fillna(0.0)
    return best
