"""Draws the chains of a city as a tree with what each segment has and lacks, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leadscore.city.profile import City
from leadscore.city.schema import POSITIONS, STRONG, Chain, Segment
from leadscore.terminal import cut, display_width, fit, wrap
from leadscore.text import Lang, room_words

WORDS = room_words("city")


WIDTH: Final = 100
_NAME, _NUMBER, _BAR = 60, 9, 10
_POSITIONS: Final = {
    "upstream": WORDS["tree.positions_upstream"],
    "midstream": WORDS["tree.positions_midstream"],
    "downstream": WORDS["tree.positions_downstream"],
}
_HEADS: Final = (
    WORDS["tree.heads"],
    WORDS["tree.heads_2"],
    WORDS["tree.heads_3"],
)


def render_tree(city: City, lang: Lang) -> str:
    """Return the profile as lines of at most `WIDTH` columns, where Chinese takes two.

    Each segment shows its own supply, that of the neighbours, the gap as number and bar, the
    segments it feeds and the anchors in it; counts close the drawing.
    """
    return "\n".join(line.rstrip() for line in _lines(city, lang))


def _lines(city: City, lang: Lang) -> Iterator[str]:
    paper = city.statement
    codes = ", ".join(filter(None, [city.id, city.division_code]))
    yield cut(f"{city.name.pick(lang)} ({codes})", WIDTH)
    yield from _wrapped(paper.title.pick(lang) + " · " + paper.number, "", "")
    for chain in city.chains:
        yield ""
        yield from _chain(city, chain, lang)
    yield ""
    yield WORDS["tree.legend"].pick(lang)
    gaps = sum(city.gap(segment_id) >= 0.5 for segment_id in city.segments)
    counts = WORDS["tree.counts"].format(
        chains=len(city.chains),
        segments=len(city.segments),
        sought=sum(segment.sought for segment in city.segments.values()),
        gaps=gaps,
        strengths=sum(segment.supply >= STRONG for segment in city.segments.values()),
        strong=STRONG,
    )
    others = WORDS["tree.others"].format(
        anchors=len(city.anchors),
        neighbours=len(city.neighbours),
        regions=len(city.target_regions),
        events=len(city.events),
        places=len(city.places),
        classes=len(city.sought),
        features=len(city.card.features),
    )
    for line in (counts.pick(lang), others.pick(lang)):
        yield from _wrapped(line, "", "")


def _chain(city: City, chain: Chain, lang: Lang) -> Iterator[str]:
    heads = "".join(fit(head.pick(lang), _NUMBER, "right") for head in _HEADS)
    yield fit(f"{chain.name.pick(lang)}  {chain.id}", _NAME) + heads
    groups = [
        (position, [segment for segment in chain.segments if segment.position == position])
        for position in POSITIONS
    ]
    groups = [(position, members) for position, members in groups if members]
    for number, (position, members) in enumerate(groups, start=1):
        last = number == len(groups)
        yield ("└─ " if last else "├─ ") + _POSITIONS[position].pick(lang)
        stem = "   " if last else "│  "
        for count, segment in enumerate(members, start=1):
            yield from _segment(city, segment, stem, last=count == len(members), lang=lang)


def _segment(city: City, segment: Segment, stem: str, *, last: bool, lang: Lang) -> Iterator[str]:
    mark = " ★" if segment.sought else ""
    branch = stem + ("└─ " if last else "├─ ")
    gap = city.gap(segment.id)
    numbers = (segment.supply, city.neighbour_supply(segment.id), gap)
    name = f"{branch}{segment.name.pick(lang)}  {segment.key}{mark}"
    figures = "".join(fit(f"{number:.2f}", _NUMBER, "right") for number in numbers)
    yield f"{fit(name, _NAME)}{figures}  {bar(gap, _BAR)}"
    under = stem + ("      " if last else "│     ")
    names = [city.segments[target].name.pick(lang) for target in segment.feeds]
    anchors = [anchor.label.pick(lang) for anchor in city.anchors_of(segment.id)]
    for label, items in ((WORDS["tree.feeds"], names), (WORDS["tree.anchors"], anchors)):
        if items:
            head = f"{label.pick(lang)}: " if lang == "en" else f"{label.pick(lang)}："
            yield from _wrapped((", " if lang == "en" else "、").join(items), under, head)


def bar(share: float, width: int) -> str:
    """Return ``share`` (0..1) of ``width`` columns filled.

    >>> bar(0.75, 8)
    '██████░░'
    """
    filled = round(share * width)
    return "█" * filled + "░" * (width - filled)


def _wrapped(text: str, under: str, head: str) -> Iterator[str]:
    room = WIDTH - display_width(under) - display_width(head)
    for number, line in enumerate(wrap(text, room)):
        yield under + (" " * display_width(head) if number else head) + line
