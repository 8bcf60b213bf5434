"""Whether what a note says of a firm happened in this city or at another place.

The table of divisions tells where places are; it stands in `places`, which settles where a firm
sits and knows nothing of notes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from typing import Literal

from leadscore.lists.values.places import Place, divisions
from leadscore.lists.values.words import VOCABULARY, word_pattern

Here = frozenset[str]
"""Names of this city, its province and its districts, and their codes in GB/T 2260."""

Found = Literal["failed", "doubtful", "aside"]
"""Lost to another place; at a place of which that is not certain; of another part of the firm."""

_PLACES = {
    name: word_pattern(VOCABULARY["places"][name])
    for name in ("elsewhere", "from_there", "other_part", "went", "here", "no_name", "objects")
}
_HOME = "本地"
_WITH_HOME = re.compile(f"(?:与|和|同|跟){_HOME}(?:政府)?$")
_STAYS_IN = re.compile("(?:在|赴|去|到|于)$| (?:in|at) (?:the )?$")
_SETTLED_AT = re.compile(
    rf"(?:在|于|到|至|了|给|去|往|进|向|与|和|:|{_HOME})*| (?:in|at|with|to|by|near) (?:the )?"
)
_ADMINISTERED = re.compile(r"(?:在|于|到|至|了)?([一-鿿]{1,6}?(?:省|市|县|区|镇|州|旗))")
_SHORT = re.compile(r"(?:在|于|到|至|了)?([一-鿿]{2,3})")
_AT = re.compile(r"(?:在|于|到|至)(?:了)?([一-鿿]+)")
_STANDS_IN = re.compile(r"(?:在|于|赴|去|到)([一-鿿]{1,5})$")
_WITH = re.compile(r"(?:与|和|同|跟)([一-鿿]{2,3})$")
_ON = re.compile(
    ".*(?:底|末|初|旬|会|展|仪式|期间|现场|活动|酒店|线|年|月|日|季度|上|下|周|基础|推动|支持|努力|后|中|此|时|内|"
    "公司|集团|企业|委|局|府|院|所|厂|方|我市|今年|去年|昨天|今天|部门|政府|领导|客户)"
)
_IN_ENGLISH = re.compile(r"\b(?:in|with|at|to|near|for|by)\s+(?:the\s+)?([a-z]+)", re.ASCII)
_NO_PLACE_IN_ENGLISH = frozenset(VOCABULARY["places"]["no_place_in_english"])


def place_of_stage(
    text: str, stage: str, span: tuple[int, int], following: int | None, here: Here
) -> Found | None:
    """Tell what the place in a clause makes of a stage reached there; None if it is here.

    ``following`` is where the next word begins of which something is known.
    """
    before, behind = _at_home(text[: span[0]], here), _at_home(text[span[1] :], here)
    if _PLACES["other_part"].search(before) and (_away(before) or _away(behind)):
        return "aside"
    if _WITH_HOME.search(before) and not _away(behind):
        return None
    for part, near in ((behind, True), (before, False)):
        for start, end, certain in _away(part):
            beside = (
                _SETTLED_AT.fullmatch(part, 0, start)
                if near
                else not part[end:].strip("市省县区的政府")
            )
            firm = _PLACES["from_there"].match(part, end)
            if not beside or firm or (not certain and not here):
                if firm and _HOME in before + behind:
                    continue
                return "doubtful"
            # Contracts with this city are signed elsewhere, too, and parents are registered there.
            met = stage in ("framework", "signed", "registered")
            met = met and (not near or part.startswith(" "))
            return "doubtful" if met and _STAYS_IN.search(part[:start]) else "failed"
    behind = _at_home(text[span[1] : following], here)
    return "doubtful" if _unknown_place(before, behind, stage) else None


def _unknown_place(before: str, behind: str, stage: str) -> bool:
    # Whether a name stands where a place would, of which nobody knows where it is.
    if _IN_ENGLISH.search(behind):
        names = [it[1] for it in _IN_ENGLISH.finditer(behind)]
        return any(name not in _NO_PLACE_IN_ENGLISH for name in names)
    inside = _STANDS_IN.search(before)
    if inside and not _known_object(inside[1]) and not _ON.fullmatch(inside[1]):
        return True
    beside = _WITH.search(before)
    signing = beside and stage in ("framework", "signed") and not _ON.fullmatch(beside[1])
    if beside and signing and not _known_object(beside[1]):
        return True
    unit = _ADMINISTERED.match(behind)
    if unit and not _known_object(unit[1]) and _HOME not in unit[1]:
        return True
    if short := _SHORT.fullmatch(behind):
        return not _known_object(short[1])
    at = _AT.match(behind) if stage == "registered" else None
    return bool(at and not _known_object(at[1]))


def _known_object(text: str) -> bool:
    return bool(
        _HOME in text or _PLACES["no_name"].fullmatch(text) or _PLACES["objects"].match(text)
    )


@lru_cache(maxsize=16)  # a program serves one city
def _names_here(here: Here) -> tuple[str, ...]:
    names = (name for name in here if len(name) > 1 and not name.isdigit())
    return tuple(sorted(names, key=len, reverse=True))


def _at_home(text: str, here: Here) -> str:
    # The text with every name of this city in it made one word.
    for name in _names_here(here):
        if name in text:
            text = re.sub(re.escape(name) + "(?:省|市|区|县)?", _HOME, text)
    text = _PLACES["here"].sub(_HOME, text)
    for start, end, places in sorted(_named(text), key=lambda it: it[0], reverse=True):
        home = any((place.city or place.province) in here for place in places)
        behind_province = text[end:].startswith(_HOME) and all(not it.city for it in places)
        if home or behind_province:
            text = text[:start] + _HOME + text[end:]
    return text


def _away(text: str) -> list[tuple[int, int, bool]]:
    # Where other places stand in a text, and whether they lie elsewhere whatever city this is.
    # 安徽滁州 is one.
    away: list[tuple[int, int, bool]] = []
    for start, end, _ in _named(text):
        if away and start - away[-1][1] < 2:
            start = away.pop()[0]
        away.append((start, end, False))
    return away + [(it.start(), it.end(), True) for it in _PLACES["elsewhere"].finditer(text)]


def went_elsewhere(clause: str, here: Here) -> Found | None:
    """Tell whether a clause without a stage says that the firm went to another place."""
    text = _at_home(clause, here)
    for start, end, certain in _away(text):
        if _PLACES["went"].search(text, 0, start) and not _PLACES["from_there"].match(text, end):
            return "failed" if certain or here else "doubtful"
    return None


def is_other_place(clause: str, here: Here) -> bool:
    """Tell whether a clause is little more than the name of another place."""
    if _PLACES["other_part"].search(clause):
        return False
    away = _away(_at_home(clause, here))
    return any(len(clause) - (end - start) <= 3 for start, end, _ in away)


def _named(text: str) -> Iterator[tuple[int, int, Collection[Place]]]:
    names, lengths = _names()
    at = 0
    while at < len(text):
        for length in lengths.get(text[at], ()):
            name = text[at : at + length]
            if name in names:
                yield at, at + length, names[name]
                at += length - 1
                break
        at += 1
    english = divisions().english
    for word in re.finditer(r"[a-z]+", text):
        if word[0] in english:
            yield word.start(), word.end(), english[word[0]]


@cache
def _names() -> tuple[dict[str, tuple[Place, ...]], dict[str, tuple[int, ...]]]:
    cells, words = divisions().cells, {*VOCABULARY["places"]["words"]}
    known = VOCABULARY["places"]["named"]
    # 新建 of 新建区 is a word more often than a place.
    names = {
        name: places
        for name, places in cells.items()
        if name not in words
        and (f"{name}市" in cells or not {f"{name}区", f"{name}县"} & cells.keys())
    }
    names |= {name: cells.get(name, ()) for name in known}
    lengths: dict[str, set[int]] = {}
    for name in names:
        lengths.setdefault(name[0], set()).add(len(name))
    return names, {mark: tuple(sorted(sizes, reverse=True)) for mark, sizes in lengths.items()}
