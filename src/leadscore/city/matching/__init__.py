"""Matching of business texts and industry classes to the segments of a city."""

from leadscore.city.matching.matcher import (
    CLASS_COLUMNS,
    JOINT,
    TEXT_COLUMNS,
    Match,
    Matcher,
    Span,
    Weights,
    words_of,
)

__all__ = [
    "CLASS_COLUMNS",
    "JOINT",
    "TEXT_COLUMNS",
    "Match",
    "Matcher",
    "Span",
    "Weights",
    "words_of",
]
