"""Matching of business texts and industry classes to the segments of a city."""

from leadscore.city.matching.matcher import CLASS_COLUMNS, JOINT, Match, Matcher, Span, words_of
from leadscore.city.matching.score import TEXT_COLUMNS, Weights

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
