"""Bars of points: the levels of a feature, and how far a feature reaches."""

from __future__ import annotations

from dataclasses import dataclass

from leadscore.learning.modelpage.curves import points_scale, tip
from leadscore.learning.modelpage.entries import Entry, FeatureTable
from leadscore.learning.modelpage.markup import Html, tag
from leadscore.learning.modelpage.plotting import (
    FONT,
    Scale,
    columns_in,
    figure,
    grid_below,
    line,
    room_for,
    text,
    whisker,
)
from leadscore.learning.modelpage.wording import Wording
from leadscore.terminal import cut
from leadscore.text import room_words

WORDS = room_words("learning")


_WIDTH, _ROW, _TOP = 460, 24, 6
_LABEL = 190  # room for the longest label
_VALUE = 54
_APART, _MARGIN = 8, 5  # above what stands apart, and above and below a bar
_MOST = 16  # levels that are drawn; the table has the rest


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where labels end and how points run to the right of them."""

    label: float
    along: Scale
    width: float

    def named(self, label: str, top: float) -> Html:
        return text(self.label, top + _ROW / 2 + 4, cut(label, columns_in(self.label)), "end")

    def grid(self, bottom: float, most: int, words: Wording) -> Html:
        ticks = self.along.ticks(most)
        return grid_below(self.along, _TOP, bottom, {tick: words.tick(tick) for tick in ticks})

    def zero(self, bottom: float) -> Html:
        return line(self.along(0), _TOP, self.along(0), bottom, "zero")


def level_bars(name: str, table: FeatureTable, words: Wording) -> Html:
    """Return the chart of a feature whose entries have no order; the best levels come first."""
    levels = [entry for entry in table.entries if entry.part in ("level", "band")]
    if table.kind != "numeric":
        levels.sort(key=lambda entry: -entry.points)
    drawn, apart = _strongest(levels), [e for e in table.entries if e.part in ("other", "unknown")]
    left_out = len(levels) - len(drawn)
    rows = len(drawn) + (left_out > 0)
    divide = _TOP + rows * _ROW + _APART / 2
    bottom = _TOP + (rows + len(apart)) * _ROW + (_APART if apart else 0)
    layout = _layout([*drawn, *apart], table, words)
    tops = [float(_TOP + at * _ROW) for at in range(len(drawn))]
    tops += [divide + _APART / 2 + at * _ROW for at in range(len(apart))]
    more = (
        layout.named(words.say(WORDS["bars.more"], count=left_out), divide - _ROW - 4)
        if left_out
        else None
    )
    return figure(
        name,
        words.say(WORDS["bars.title"], feature=words.feature(table.feature)),
        words.say(WORDS["bars.says"], count=len(table.entries)),
        _WIDTH,
        bottom + FONT + 8,
        layout.grid(bottom, 4, words),
        layout.zero(bottom),
        line(0, divide, _WIDTH, divide, "divide") if apart and drawn else None,
        more,
        *(
            _bar(entry, top, layout, table, words)
            for entry, top in zip([*drawn, *apart], tops, strict=True)
        ),
    )


def reach_bar(low: float, high: float, ends: tuple[float, float]) -> Html:
    """Return a bare bar from the lowest to the highest points, drawn between the ends of all bars.

    It stands beside these numbers in a table, and so is hidden from who can't see it.
    """
    along = Scale(*ends, 0, 100)
    zero = along(0)
    return tag(
        "svg",
        _block(along(low), zero, 0) if low < 0 else None,
        _block(along(high), zero, 0) if high > 0 else None,
        line(zero, 0, zero, _ROW, "zero"),
        viewBox=f"0 0 100 {_ROW}",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _layout(entries: list[Entry], table: FeatureTable, words: Wording) -> _Layout:
    label = min(max(room_for(words.entry(entry, table)) for entry in entries), _LABEL)
    return _Layout(label, points_scale(entries, label + 10, _WIDTH - _VALUE), _WIDTH)


def _strongest(levels: list[Entry]) -> list[Entry]:
    """Return the levels that say most, in the order given."""
    if len(levels) <= _MOST:
        return levels
    kept = sorted(range(len(levels)), key=lambda at: -abs(levels[at].points))[:_MOST]
    return [levels[at] for at in sorted(kept)]


def _bar(entry: Entry, top: float, layout: _Layout, table: FeatureTable, words: Wording) -> Html:
    middle, x = top + _ROW / 2, layout.along(entry.points)
    whiskers = None
    if entry.points_low is not None and entry.points_high is not None:
        low, high = layout.along(entry.points_low), layout.along(entry.points_high)
        whiskers = whisker(middle, low, high, "over", lying=True)
    return tag(
        "g",
        tag("title", tip(entry, table, words)),
        layout.named(words.entry(entry, table), top),
        _block(x, layout.along(0), top),
        whiskers,
        text(layout.width, middle + 4, words.points(entry.points), "end", "value"),
    )


def _block(x: float, zero: float, top: float) -> Html | None:
    """Return a bar from zero to the place of some points."""
    left, wide = min(x, zero), abs(x - zero)
    side = "lowers" if x < zero else "lifts"
    height = _ROW - 2 * _MARGIN
    return tag("rect", x=left, y=top + _MARGIN, width=wide, height=height, class_=side)
