"""What all charts share: scales, ticks, a titled SVG, marks told apart without colour."""

from __future__ import annotations

import math
from dataclasses import dataclass

from leadscore.learning.modelpage.markup import Html, joined, tag
from leadscore.terminal import display_width

FONT = 12
"""Size of the letters in a chart, in its own units."""

_COLUMN = 0.56 * FONT  # how wide a terminal column comes out on a page, generously


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


def figure(
    name: str, title: str, description: str, width: float, height: float, *marks: Html | str | None
) -> Html:
    """Return an SVG that tells a screen reader what it shows; ``name`` is its own on the page."""
    return tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        tag("desc", description, id=f"{name}-desc"),
        *marks,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Html:
    """Return a straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def text(x: float, y: float, said: str, anchor: str = "start", kind: str = "") -> Html:
    """Return a text; ``anchor`` is ``start``, ``middle`` or ``end``."""
    place = anchor if anchor != "start" else None
    return tag("text", said, x=x, y=y, text_anchor=place, class_=kind or None)


def room_for(said: str) -> float:
    """Return how wide a text comes out at most, about."""
    return display_width(said) * _COLUMN


def columns_in(room: float) -> int:
    """Return how many terminal columns of text a room holds, the reverse of `room_for`."""
    return int(room / _COLUMN + 1e-9)


def whisker(
    x: float, low: float, high: float, kind: str, *, lying: bool = False, cap: float = 3
) -> Html:
    """Return an interval with caps, upright at ``x``, or lying at the height ``x``."""
    if lying:
        path = f"M{low:.2f} {x - cap:.2f}v{2 * cap}M{low:.2f} {x:.2f}H{high:.2f}m0 {-cap}v{2 * cap}"
    else:
        path = f"M{x - cap:.2f} {low:.2f}h{2 * cap}M{x:.2f} {low:.2f}V{high:.2f}m{-cap} 0h{2 * cap}"
    return tag("path", d=path, class_=f"whisker {kind}")


def mark(x: float, y: float, kind: str, tip: str | None = None) -> Html:
    """Return a point: a disc for the challenger, a hollow diamond for the champion."""
    told = tag("title", tip) if tip else None
    if kind == "champion":
        return tag("path", told, d=f"M{x:.2f} {y - 5:.2f}l5 5l-5 5l-5-5z", class_="mark champion")
    return tag("circle", told, cx=x, cy=y, r=4, class_=f"mark {kind}")


def grid_below(scale: Scale, top: float, bottom: float, labels: dict[float, str]) -> Html:
    """Return upright grid lines with their labels under them."""
    return joined(
        [line(scale(value), top, scale(value), bottom, "grid") for value in labels],
        [text(scale(v), bottom + FONT + 3, said, "middle", "tick") for v, said in labels.items()],
    )


def grid_beside(scale: Scale, left: float, right: float, labels: dict[float, str]) -> Html:
    """Return level grid lines with their labels to the left."""
    return joined(
        [line(left, scale(value), right, scale(value), "grid") for value in labels],
        [text(left - 6, scale(v) + 4, said, "end", "tick") for v, said in labels.items()],
    )
