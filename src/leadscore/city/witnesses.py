"""Joins what a firm's texts say with what its industry class says into one table."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
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
_WITNESS: Final = ("", "text", "industry", "both")
_ORDER: Final = itemgetter(0, 1, 2)


@dataclass(frozen=True, slots=True)
class Found:
    """What was matched, one entry per firm and segment; see `leadscore.city.matching.Matches`.

    By rising firm, then falling strength, then id of the segment.
    """

    firm: list[int]
    segment: list[str]
    role: list[str]
    strength: list[float]
    words: list[str]
    witness: list[str]


def join_witnesses(
    segments: tuple[str, ...], text: Strengths, quoted: list[str], classes: Classes
) -> Found:
    """Return what both witnesses say together.

    The two are taken as independent: ``1 - (1 - text) * (1 - INDUSTRY_ALONE)``.

    Parameters
    ----------
    segments
        Ids, by the position that the other arguments use.
    text, quoted
        What the texts say, and the words that each entry of it rests on.
    classes
        What the industry classes say.
    """
    keys = zip(text.firm.tolist(), text.segment.tolist(), strict=True)
    said = dict(
        zip(keys, zip(text.strength.tolist(), text.role.tolist(), quoted, strict=True), strict=True)
    )
    classed = dict(zip(zip(classes.firm, classes.segment, strict=True), classes.name, strict=True))
    entries = []
    for firm, place in said.keys() | classed.keys():
        strength, role, words = said.get((firm, place), (0.0, 0, ""))
        doubt = 1.0 - strength
        if (firm, place) in classed:
            doubt *= 1.0 - INDUSTRY_ALONE
        if 1.0 - doubt < NOISE:
            continue
        witness = _WITNESS[((firm, place) in said) + 2 * ((firm, place) in classed)]
        if (firm, place) not in said:
            words = classed[firm, place]
        entries.append((firm, doubt, segments[place], ROLES[role], words, witness))
    entries.sort(key=_ORDER)
    firms, doubts, ids, roles, quotes, witnesses = (
        zip(*entries, strict=True) if entries else [()] * 6
    )
    return Found(
        list(firms), list(ids), list(roles), [1.0 - doubt for doubt in doubts], list(quotes),
        list(witnesses),
    )  # fmt: skip


def matches_table(found: Found) -> pd.DataFrame:
    """Return the table of `leadscore.city.matching.Matches`."""
    return pd.DataFrame(
        {
            "firm": np.array(found.firm, dtype=np.int64),
            "segment": pd.array(found.segment, dtype="str"),
            "role": pd.array(found.role, dtype="str"),
            "strength": np.array(found.strength, dtype=np.float64),
            "words": pd.array(found.words, dtype="str"),
            "witness": pd.array(found.witness, dtype="str"),
        }
    )
