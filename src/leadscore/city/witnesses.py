"""Joins what a firm's texts say with what its industry class says into one table."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from leadscore.city.industry import Classes
from leadscore.city.strength import Strengths
from leadscore.city.values import ROLES

NOISE: Final = 0.03
"""Matches weaker than this are dropped: a word in passing, or one product of very many."""
INDUSTRY_ALONE: Final = 0.3
"""Strength of a match that only the industry class speaks for; beside text a second witness."""
_ROLES: Final = np.asarray(ROLES, dtype=object)
_WITNESS: Final = np.asarray(["", "text", "industry", "both"], dtype=object)


def matches_table(
    segments: tuple[str, ...], text: Strengths, quoted: list[str], classes: Classes
) -> pd.DataFrame:
    """Return the table of `leadscore.city.matching.Matches`.

    The two witnesses are taken as independent: ``1 - (1 - text) * (1 - INDUSTRY_ALONE)``.

    Parameters
    ----------
    segments
        Ids, by the position that the other arguments use.
    text, quoted
        What the texts say, and the words that each entry of it rests on.
    classes
        What the industry classes say.
    """
    width = len(segments)
    by_text = text.firm * width + text.segment
    by_class = classes.firm * width + classes.segment
    pair = np.union1d(by_text, by_class)
    said, classed = np.searchsorted(pair, by_text), np.searchsorted(pair, by_class)

    doubt, role = np.ones(len(pair)), np.zeros(len(pair), dtype=np.int64)
    witness, words = np.zeros(len(pair), dtype=np.int64), np.empty(len(pair), dtype=object)
    doubt[said], role[said] = 1.0 - text.strength, text.role
    doubt[classed] *= 1.0 - INDUSTRY_ALONE
    witness[said] += 1
    witness[classed] += 2
    words[classed] = classes.name
    words[said] = quoted

    names = np.asarray(segments, dtype=object)
    alphabetical = np.argsort(np.argsort(names))
    kept = np.flatnonzero(1.0 - doubt >= NOISE)
    firm, segment = np.divmod(pair[kept], width)
    order = np.lexsort((alphabetical[segment], doubt[kept], firm))
    kept, firm, segment = kept[order], firm[order], segment[order]
    return pd.DataFrame(
        {
            "firm": firm,
            "segment": pd.array(names[segment], dtype="str"),
            "role": pd.array(_ROLES[role[kept]], dtype="str"),
            "strength": 1.0 - doubt[kept],
            "words": pd.array(words[kept], dtype="str"),
            "witness": pd.array(_WITNESS[witness[kept]], dtype="str"),
        }
    )
