"""The curve of a numeric feature: its points band by band, and where the outcomes were."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from leadscore.learning.modelpage import numbers
from leadscore.learning.modelpage.entries import Entry, FeatureTable
from leadscore.learning.modelpage.markup import Html, joined, tag
from leadscore.learning.modelpage.plotting import (
    FONT,
    Scale,
    figure,
    grid_beside,
    line,
    mark,
    room_for,
    text,
    whisker,
)
from leadscore.learning.modelpage.wording import Wording
from leadscore.text import room_words

WORDS = room_words("learning")


_WIDTH, _TOP, _BOTTOM, _STRIP = 460, 14, 150, 26
_LEFT, _ASIDE = 64, 66  # room for the scale of points, and for what is unknown
_EVEN = 8  # up to so many bands are drawn equally wide, more along their true scale
_LEAST_REACH = 12.0  # points that a chart spans at least, lest noise fill it
_OVER = 1.0  # a band may stretch the chart by so many times the reach of the points
_ENDS = 0.06  # share of the width for each of the outer bands, which have no end
_WIDE = 30.0  # edges whose last is so many times the first are drawn by their logarithm

TITLE = WORDS["curves.title"]


@dataclass(frozen=True, slots=True)
class _Plot:
    table: FeatureTable
    words: Wording
    cuts: Sequence[float]  # where bands meet, with the left and right ends of the plot
    up: Scale
    counted: bool

    @property
    def floor(self) -> float:
        return _BOTTOM + (_STRIP + 4 if self.counted else 0)


def curve(name: str, table: FeatureTable, words: Wording) -> Html:
    """Return the chart of a numeric feature; ``name`` must be its own on the page."""
    entries = table.entries
    plot = _Plot(
        table,
        words,
        _cuts(table, _LEFT, _WIDTH - _ASIDE),
        points_scale(entries, _BOTTOM, _TOP),
        any(entry.count is not None for entry in entries),
    )
    points = [entry.points for entry in entries]
    return figure(
        name,
        words.say(TITLE, feature=words.feature(table.feature)),
        words.say(
            WORDS["curves.says"], low=words.points(min(points)), high=words.points(max(points))
        ),
        _WIDTH,
        plot.floor + FONT + 8,
        _scale_lines(plot),
        _band(plot),
        _steps(plot),
        _axis(plot),
        _unknown(plot) if table.unknown else None,
        _counts(plot) if plot.counted else None,
        _tips(plot),
    )


def points_scale(entries: Sequence[Entry], start: float, end: float) -> Scale:
    """Return a scale for points that holds all entries, zero, and their bands within reason."""
    points = [0.0, *(entry.points for entry in entries)]
    low, high = min(points), max(points)
    spare = max(_LEAST_REACH - (high - low), 0.0) / 2
    most = _OVER * max(high - low, _LEAST_REACH)
    lows = [e.points_low for e in entries if e.points_low is not None]
    highs = [e.points_high for e in entries if e.points_high is not None]
    return Scale(
        max(min([low - spare, *lows]), low - most), min(max([high + spare, *highs]), high + most),
        start, end,
    )  # fmt: skip


def tip(entry: Entry, table: FeatureTable, words: Wording) -> str:
    """Return an entry in one sentence, for whoever points at it."""
    said = words.say(
        WORDS["curves.tip"], entry=words.entry(entry, table), points=words.points(entry.points)
    )
    if band := words.band(entry):
        said = words.say(WORDS["curves.tip_band"], tip=said, band=band)
    if entry.count is not None:
        said = words.say(WORDS["curves.tip_count"], tip=said, count=numbers.count(entry.count))
    return said


def _cuts(table: FeatureTable, left: float, right: float) -> list[float]:
    edges, bands = table.edges, len(table.known)
    if bands <= _EVEN:
        return [left + (right - left) * at / bands for at in range(bands + 1)]
    places = edges
    if edges[0] > 0 and edges[-1] / edges[0] > _WIDE:
        places = tuple(map(math.log, edges))
    margin = _ENDS * (right - left)
    along = Scale(places[0], places[-1], left + margin, right - margin)
    return [left, *map(along, places), right]


def _scale_lines(plot: _Plot) -> Html:
    labels = {tick: plot.words.tick(tick) for tick in plot.up.ticks()}
    right = _WIDTH - (0 if plot.table.unknown else _ASIDE)
    zero = line(_LEFT, plot.up(0), right, plot.up(0), "zero")
    return joined(grid_beside(plot.up, _LEFT, right, labels), zero)


def _band(plot: _Plot) -> Html | None:
    ends = [(entry.points_low, entry.points_high) for entry in plot.table.known]
    if any(low is None or high is None for low, high in ends):
        return None
    above = [plot.up(high) for _, high in ends if high is not None]
    below = [plot.up(low) for low, _ in ends if low is not None]
    there = _stairs(plot.cuts, above)
    back = _stairs(plot.cuts[::-1], below[::-1])
    return tag("path", d=f"M{there}L{back}Z", class_="band")


def _steps(plot: _Plot) -> Html:
    heights = [plot.up(entry.points) for entry in plot.table.known]
    return tag("path", d=f"M{_stairs(plot.cuts, heights)}", class_="steps")


def _stairs(cuts: Sequence[float], heights: Sequence[float]) -> str:
    corners = [
        f"{x:.2f} {height:.2f}"
        for at, height in enumerate(heights)
        for x in (cuts[at], cuts[at + 1])
    ]
    return "L".join(corners)


def _axis(plot: _Plot) -> Html:
    """Name each band where all names find room, else as many of the edges as do."""
    height = plot.floor + FONT + 3
    names = [plot.words.entry(entry, plot.table) for entry in plot.table.known]
    rooms = [b - a - 6 for a, b in zip(plot.cuts, plot.cuts[1:], strict=False)]
    if all(room_for(name) <= room for name, room in zip(names, rooms, strict=True)):
        middles = [(a + b) / 2 for a, b in zip(plot.cuts, plot.cuts[1:], strict=False)]
        named = [text(x, height, n, "middle", "tick") for x, n in zip(middles, names, strict=True)]
        return joined(named)
    shown, free = [], _LEFT - 20.0
    for x, edge in zip(plot.cuts[1:-1], plot.words.edges(plot.table), strict=True):
        half = room_for(edge) / 2
        if x - half > free and x + half < _WIDTH - _ASIDE + 12:
            shown += [
                line(x, plot.floor, x, plot.floor + 4, "zero"),
                text(x, height, edge, "middle", "tick"),
            ]
            free = x + half + 8
    return joined(shown)


def _unknown(plot: _Plot) -> Html | None:
    entry = plot.table.unknown
    if entry is None:
        return None
    x, y = _WIDTH - _ASIDE / 2 + 4, plot.up(entry.points)
    whiskers = None
    if entry.points_low is not None and entry.points_high is not None:
        whiskers = whisker(x, plot.up(entry.points_low), plot.up(entry.points_high), "alone")
    return joined(
        line(_WIDTH - _ASIDE + 8, _TOP, _WIDTH - _ASIDE + 8, plot.floor, "divide"),
        whiskers,
        mark(x, y, "alone"),
        text(x, plot.floor + FONT + 3, plot.words.entry(entry, plot.table), "middle", "tick"),
    )


def _places(plot: _Plot) -> list[tuple[Entry, float, float]]:
    """Return each entry with the left and right end of its place."""
    known = plot.table.known
    placed = [(e, plot.cuts[at], plot.cuts[at + 1]) for at, e in enumerate(known)]
    if plot.table.unknown:
        x = _WIDTH - _ASIDE / 2 + 4
        placed.append((plot.table.unknown, x - 12, x + 12))
    return placed


def _counts(plot: _Plot) -> Html:
    most = max([1.0, *(entry.count or 0.0 for entry in plot.table.entries)])
    bars = [
        tag("rect", x=a + 0.5, y=plot.floor - _STRIP * (entry.count or 0.0) / most,
            width=max(b - a - 1, 0.5), height=_STRIP * (entry.count or 0.0) / most, class_="count")
        for entry, a, b in _places(plot)
    ]  # fmt: skip
    base = line(_LEFT, plot.floor, _WIDTH - _ASIDE, plot.floor, "grid")
    said = text(
        _LEFT - 6, plot.floor - 2, plot.words.say(WORDS["curves.counts"]), "end", "tick faint"
    )
    fits = room_for(plot.words.say(WORDS["curves.counts"])) < _LEFT
    return joined(base, bars, said if fits else None)


def _tips(plot: _Plot) -> Html:
    """Lay an unseen field over each entry that says what it is when pointed at."""
    return joined(
        [
            tag("rect", tag("title", tip(entry, plot.table, plot.words)), x=a, y=_TOP,
                width=max(b - a, 1), height=plot.floor - _TOP, class_="touch")
            for entry, a, b in _places(plot)
        ]
    )  # fmt: skip
