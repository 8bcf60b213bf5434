"""Where the marks of a chart stand; `templates/charts.html` draws them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from leadscore.report.facts import Compared, Comparison, Entry, FeatureTable
from leadscore.report.wording import Words, count
from leadscore.terminal import cut, display_width

# Of the charts of features: their width, and between which the values of a curve run.
WIDTH, LEFT, RIGHT = 460, 64, 394
# Of a curve: where it begins and ends, and how high the counts under it may be.
TOP, BOTTOM, STRIP = 14, 150, 26
# Of the bars of levels: their height, and the room for the longest label.
ROW, LABEL = 24, 190
# Of the charts of a comparison: both sides, and how high the counts under one may be.
SIDE, SQUARE_LEFT, SQUARE_TOP, PURSUITS = 300, 50, 10, 34

_COLUMN = 6.72  # how wide a terminal column of text comes out, generously
_EVEN = 8  # up to so many bands are drawn equally wide, more along their true scale
_ENDS = 0.06  # share of the width for each of the outer bands, which have no end
_WIDE = 30.0  # edges whose last is so many times the first are drawn by their logarithm
_LEAST_REACH = 12.0  # points that a chart spans at least, lest noise fill it
_MOST_BARS = 16  # levels that are drawn; the table has the rest


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from values to coordinates; values beyond its ends stop there."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value."""
        held = min(max(value, self.low), self.high)
        return self.start + (held - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[float]:
        """Return round values between the ends.

        >>> Scale(-12, 31, 0, 1).ticks()
        [-10.0, 0.0, 10.0, 20.0, 30.0]
        """
        step = nice_step((self.high - self.low) / most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(at * step, 10) for at in range(first, last + 1)]


def nice_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, ... that is not below ``least``.

    >>> nice_step(7), nice_step(0.03)
    (10.0, 0.05)
    """
    size = 10.0 ** math.floor(math.log10(least))
    return next(size * n for n in (1, 2, 5, 10, 20) if size * n >= least * (1 - 1e-9))


def curve(table: FeatureTable, words: Words) -> dict[str, Any]:
    """Return the chart of a numeric feature: its points band by band, and its outcomes."""
    known, unknown = table.known, table.unknown
    cuts = _cuts(table)
    up = _points_scale(table.entries, BOTTOM, TOP)
    counted = any(entry.count is not None for entry in table.entries)
    places = [(entry, a, b) for entry, (a, b) in zip(known, pairwise(cuts), strict=True)]
    middle = (RIGHT + WIDTH) / 2 + 4
    band = None
    if all(entry.low is not None and entry.high is not None for entry in known):
        above = _stairs(cuts, [up(entry.high or 0.0) for entry in known])
        below = _stairs(cuts[::-1], [up(entry.low or 0.0) for entry in known[::-1]])
        band = f"M{above}L{below}Z"
    return {
        "up": up, "counted": counted, "floor": BOTTOM + (STRIP + 4 if counted else 0), "band": band,
        "steps": "M" + _stairs(cuts, [up(entry.points) for entry in known]),
        "places": [*places, (unknown, middle - 12, middle + 12)] if unknown else places,
        "unknown": middle, "most": max([1.0, *(entry.count or 0.0 for entry in table.entries)]),
        "axis": list(_axis(table, cuts, words)), "fits": room_for(words.say("card.count")) < LEFT,
    }  # fmt: skip


def room_for(text: str) -> float:
    """Return how wide a text comes out at most, about; a % is wider than a digit."""
    return (display_width(text) + 0.5 * text.count("%")) * _COLUMN


def _cuts(table: FeatureTable) -> list[float]:
    edges, bands = table.edges, len(table.known)
    if bands <= _EVEN:
        return [LEFT + (RIGHT - LEFT) * at / bands for at in range(bands + 1)]
    if edges[0] > 0 and edges[-1] / edges[0] > _WIDE:
        edges = [math.log(edge) for edge in edges]
    margin = _ENDS * (RIGHT - LEFT)
    along = Scale(edges[0], edges[-1], LEFT + margin, RIGHT - margin)
    return [LEFT, *map(along, edges), RIGHT]


def _points_scale(entries: Sequence[Entry], start: float, end: float) -> Scale:
    points = [0.0, *(entry.points for entry in entries)]
    low, high = min(points), max(points)
    spare = max(_LEAST_REACH - (high - low), 0.0) / 2
    most = max(high - low, _LEAST_REACH)
    lows = [entry.low for entry in entries if entry.low is not None]
    highs = [entry.high for entry in entries if entry.high is not None]
    bottom, top = min([low - spare, *lows]), max([high + spare, *highs])
    return Scale(max(bottom, low - most), min(top, high + most), start, end)


def _stairs(cuts: Sequence[float], heights: Sequence[float]) -> str:
    steps = zip(pairwise(cuts), heights, strict=True)
    return "L".join(f"{x:.2f} {height:.2f}" for ends, height in steps for x in ends)


def _axis(
    table: FeatureTable, cuts: Sequence[float], words: Words
) -> Iterator[tuple[float, str, bool]]:
    # Each band is named where all names find room, else as many of the edges as do: places, texts
    # and whether a line stands there.
    bands = list(zip(pairwise(cuts), (entry.label for entry in table.known), strict=True))
    if all(room_for(name) <= b - a - 6 for (a, b), name in bands):
        yield from (((a + b) / 2, name, False) for (a, b), name in bands)
        return
    free = LEFT - 20.0
    for x, edge in zip(cuts[1:-1], words.edges(table.feature, table.edges), strict=True):
        half = room_for(edge) / 2
        if x - half > free and x + half < RIGHT + 12:
            yield x, edge, True
            free = x + half + 8


def bars(table: FeatureTable) -> dict[str, Any]:
    """Return the chart of a feature whose entries have no order; the best levels come first."""
    levels = [entry for entry in table.entries if entry.part in ("level", "band")]
    apart = [entry for entry in table.entries if entry.part in ("other", "unknown")]
    if not table.numeric:
        levels.sort(key=lambda entry: -entry.points)
    weighty = sorted(range(len(levels)), key=lambda at: -abs(levels[at].points))[:_MOST_BARS]
    drawn = [levels[at] for at in sorted(weighty)]
    more = len(levels) - len(drawn)
    divide = 6 + (len(drawn) + (more > 0)) * ROW + 4.0
    tops = [6.0 + at * ROW for at in range(len(drawn))]
    tops += [divide + 4 + at * ROW for at in range(len(apart))]
    label = min(max(room_for(entry.label) for entry in [*drawn, *apart]), LABEL)
    columns = int(label / _COLUMN + 1e-9)
    return {
        "rows": [
            (entry, cut(entry.label, columns), top)
            for entry, top in zip([*drawn, *apart], tops, strict=True)
        ],
        "label": label,
        "along": _points_scale([*drawn, *apart], label + 10, WIDTH - 54),
        "more": more,
        "divide": divide if apart and drawn else None,
        "more_top": divide - ROW - 4,
        "bottom": divide - 4 + len(apart) * ROW + (8 if apart else 0),
    }


def reach(tables: Sequence[FeatureTable]) -> Scale:
    """Return the scale of bare bars between the lowest and the highest points of any feature."""
    points = [0.0, *(end for table in tables for end in (table.lowest, table.highest))]
    return Scale(min(points), max(points), 0, 100)


def dots(measure: Compared) -> dict[str, Any] | None:
    """Return one measure of both models on a line, or None if neither has it."""
    models = {"challenger": measure.challenger, "champion": measure.champion}
    drawn = {name: model for name, model in models.items() if model.value is not None}
    if not drawn:
        return None
    best = {"one": [1.0], "zero": [0.0]}.get(measure.goal, [])
    ends = [end for model in drawn.values() for end in (model.value, model.low, model.high)]
    known = best + [end for end in ends if end is not None]
    low, high = min(known), max(known)
    spare = (high - low) * 0.06 or 0.1
    along = Scale(low - spare, high + spare, 8, 182)
    return {"low": low, "high": high, "best": best, "models": drawn, "along": along}


def reliability(comparison: Comparison) -> dict[str, Any]:
    """Return predicted likelihood against the share that reached the target."""
    bands = [band for model in comparison.models.values() for band in model.reliability]
    ends = [end for band in bands for end in (band.predicted, band.observed, band.high)]
    top = min(1.0, nice_step(max([0.1, *ends]) / 5) * 5)
    along = Scale(0, top, SQUARE_LEFT, SQUARE_LEFT + SIDE)
    ours = comparison.models["challenger"].reliability
    places = [along(band.predicted) for band in ours]
    wide = max(min([14.0, *(after - before - 1 for before, after in pairwise(places))]), 1.0)
    most = max([1, *(band.n for band in ours)])
    pursuits, free = [], 0.0
    for x, n in zip(places, (band.n for band in ours), strict=True):
        half = room_for(count(n)) / 2
        fits = x - half > free
        pursuits.append((x, (PURSUITS - 12) * n / most, count(n) if fits else ""))
        free = x + half + 1 if fits else free
    return {
        "along": along, "up": Scale(0, top, SQUARE_TOP + SIDE, SQUARE_TOP), "top": top,
        "floor": SQUARE_TOP + SIDE + PURSUITS + 8, "wide": wide, "pursuits": pursuits,
    }  # fmt: skip


def gain(comparison: Comparison) -> dict[str, Any]:
    """Return which share of the firms that landed the top of the list holds."""
    shares = {top.share for model in comparison.models.values() for top in model.top}
    last = min(1.0, max([0.3, *shares]) * 1.12)
    return {
        "along": Scale(0, last, SQUARE_LEFT, SQUARE_LEFT + SIDE),
        "up": Scale(0, 1, SQUARE_TOP + SIDE, SQUARE_TOP),
        "last": last,
        "shares": sorted({0.0, *shares}),
    }
