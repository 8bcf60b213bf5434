"""How to read a card, said in words with the card's own figures."""

from __future__ import annotations

from leadscore.learning.modelpage import numbers
from leadscore.learning.modelpage.entries import CardTables, Entry
from leadscore.learning.modelpage.wording import Wording
from leadscore.learning.scorecard import POINTS_PER_DOUBLING, points_to_log_odds
from leadscore.text import Text

BASE = Text(
    zh="基础分 {points}，即各项均为 0 分的企业，落地可能性为 {likelihood}。",
    en="Base {points} points: a firm whose every feature is worth 0 has a likelihood of "
    "{likelihood}. ",
)
SILENT = Text(
    zh="不加分也不减分的特征：{names}。",
    en="Features that add nothing whatever their value: {names}.",
)
_HOW = Text(
    zh="各项分值相加即为总分；每 20 分使胜算翻一倍，-20 分减半。"
    "例如比基础分多 20 分，可能性由 {base} 升至 {up}；多 40 分，升至 {upper}。",
    en="The points of all features add up to the score; 20 points double the odds, -20 halve them. "
    "So 20 points above the base raise the likelihood from {base} to {up}, and 40 to {upper}.",
)


def how_to_read(tables: CardTables, words: Wording) -> str:
    """Return what points mean, with likelihoods from this card's base."""
    base, up, upper = (
        numbers.likelihood(
            numbers.chance(tables.base + doublings * points_to_log_odds(POINTS_PER_DOUBLING))
        )
        for doublings in range(3)
    )
    return words.signed(words.say(_HOW, base=base, up=up, upper=upper))


def counts_of(entry: Entry) -> str:
    """Return the outcomes behind an entry, and the positive ones in brackets."""
    if entry.count is None:
        return ""
    if entry.positives is None:
        return numbers.count(entry.count)
    return f"{numbers.count(entry.count)} ({numbers.count(entry.positives)})"
