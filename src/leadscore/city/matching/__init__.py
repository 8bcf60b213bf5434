"""Matching of business texts and industry classes to the segments of a city."""

from leadscore.city.matching.matcher import (
    CLASS_COLUMNS,
    TEXT_COLUMNS,
    USED,
    Match,
    Matcher,
    Span,
    Weights,
    words_of,
)
from leadscore.city.matching.uses import JOINT, SAID_BELOW

__all__ = [
    "CLASS_COLUMNS",
    "JOINT",
    "SAID_BELOW",
    "TEXT_COLUMNS",
    "USED",
    "Match",
    "Matcher",
    "Span",
    "Weights",
    "words_of",
]
