"""How to read a card, said in words with the card's own figures."""

from __future__ import annotations

from leadscore.learning.modelpage import numbers
from leadscore.learning.modelpage.entries import CardTables, Entry
from leadscore.learning.modelpage.wording import Wording
from leadscore.learning.scorecard import POINTS_PER_DOUBLING, points_to_log_odds
from leadscore.text import room_words

WORDS = room_words("learning")


BASE = WORDS["reading.base"]
SILENT = WORDS["reading.silent"]


def how_to_read(tables: CardTables, words: Wording) -> str:
    """Return what points mean, with likelihoods from this card's base."""
    base, up, upper = (
        numbers.likelihood(
            numbers.chance(tables.base + doublings * points_to_log_odds(POINTS_PER_DOUBLING))
        )
        for doublings in range(3)
    )
    return words.signed(words.say(WORDS["reading.how"], base=base, up=up, upper=upper))


def counts_of(entry: Entry) -> str:
    """Return the outcomes behind an entry, and the positive ones in brackets."""
    if entry.count is None:
        return ""
    if entry.positives is None:
        return numbers.count(entry.count)
    return f"{numbers.count(entry.count)} ({numbers.count(entry.positives)})"
