"""Charts of a trial: predicted against observed, and what the top of the list wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from leadscore.learning.modelpage import numbers
from leadscore.learning.modelpage.figures import CHALLENGER, CHAMPION, Figure
from leadscore.learning.modelpage.markup import Html, joined, tag
from leadscore.learning.modelpage.measures import Trial, reliability, tops
from leadscore.learning.modelpage.plotting import (
    FONT,
    Scale,
    figure,
    grid_below,
    grid_beside,
    line,
    mark,
    nice_step,
    room_for,
    text,
    whisker,
)
from leadscore.learning.modelpage.wording import Wording
from leadscore.text import room_words

WORDS = room_words("learning")


_SIDE, _LEFT, _TOP, _RIGHT, _BELOW = 300, 50, 10, 16, 40
_STRIP, _BAR = 34, 14

_RELIABLE = WORDS["trialcharts.reliable"]
_RELIABLE_SAYS = WORDS["trialcharts.reliable_says"]
_PREDICTED = WORDS["trialcharts.predicted"]
_OBSERVED = WORDS["trialcharts.observed"]
_BIN = WORDS["trialcharts.bin"]
_WON = WORDS["trialcharts.won"]
_WON_SAYS = WORDS["trialcharts.won_says"]
_CAPTURED = WORDS["trialcharts.captured"]


def reliability_chart(name: str, on: Trial, words: Wording) -> Html:
    """Return predicted likelihood against the share that reached the target."""
    both = [("champion", reliability(on.champion)), ("challenger", reliability(on.challenger))]
    rows = [row for _, bins in both for row in bins]
    most = max(
        [
            0.1,
            *(
                float(row.get(key) or 0.0)
                for row in rows
                for key in ("predicted", "observed", "high")
            ),
        ]
    )
    top = min(1.0, nice_step(most / 5) * 5)
    along, up = _square(top)
    floor = _TOP + _SIDE + _STRIP + 8
    labels = {tick: numbers.percent(tick) for tick in along.ticks(5)}
    return figure(
        name,
        words.say(_RELIABLE),
        words.say(_RELIABLE_SAYS),
        _LEFT + _SIDE + _RIGHT,
        floor + _BELOW,
        grid_beside(up, _LEFT, _LEFT + _SIDE, labels),
        grid_below(along, _TOP, floor, labels),
        line(along(0), up(0), along(top), up(top), "diagonal"),
        _pursuits(both[1][1], along, floor),
        *(_bin(kind, row, along, up, words) for kind, bins in both for row in bins),
        _titles(words.say(_PREDICTED), words.say(_OBSERVED), floor + _BELOW),
    )


def won_chart(name: str, on: Trial, words: Wording) -> Html:
    """Return which share of the firms that landed the top of the list holds."""
    both = [("champion", tops(on.champion)), ("challenger", tops(on.challenger))]
    shares = [float(row.get("share") or 0.0) for _, rows in both for row in rows]
    last = min(1.0, max([0.3, *shares]) * 1.12)
    along, up = Scale(0, last, _LEFT, _LEFT + _SIDE), Scale(0, 1, _TOP + _SIDE, _TOP)
    labels = {share: numbers.percent(share) for share in sorted({0.0, *shares})}
    return figure(
        name,
        words.say(_WON),
        words.say(_WON_SAYS),
        _LEFT + _SIDE + _RIGHT,
        _TOP + _SIDE + _BELOW,
        grid_beside(
            up, _LEFT, _LEFT + _SIDE, {tick: numbers.percent(tick) for tick in up.ticks(5)}
        ),
        grid_below(along, _TOP, _TOP + _SIDE, labels),
        line(along(0), up(0), along(last), up(last), "diagonal"),
        text(along(last) - 4, up(last) - 8, words.say(WORDS["trialcharts.chance"]), "end", "faint"),
        *(_won(kind, rows, along, up, words) for kind, rows in both if rows),
        _titles(
            words.say(WORDS["trialcharts.courted"]), words.say(_CAPTURED), _TOP + _SIDE + _BELOW
        ),
    )


def _square(top: float) -> tuple[Scale, Scale]:
    return Scale(0, top, _LEFT, _LEFT + _SIDE), Scale(0, top, _TOP + _SIDE, _TOP)


def _model(kind: str, words: Wording) -> str:
    return words.say(CHALLENGER if kind == "challenger" else CHAMPION)


def _bin(kind: str, row: Mapping[str, Any], along: Scale, up: Scale, words: Wording) -> Html:
    x, shown = along(float(row["predicted"])), Figure.of({**row, "value": row["observed"]})
    x += 2 if kind == "challenger" else -2  # so that equal ones don't hide each other
    whiskers = None
    if shown.low is not None and shown.high is not None:
        whiskers = whisker(x, up(shown.low), up(shown.high), kind)
    said = words.say(
        _BIN,
        model=_model(kind, words),
        predicted=numbers.likelihood(float(row["predicted"])),
        observed=numbers.percent(float(row["observed"])),
        n=numbers.count(row.get("n")),
    )
    return joined(whiskers, mark(x, up(float(row["observed"])), kind, said))


def _pursuits(rows: Sequence[Mapping[str, Any]], along: Scale, floor: float) -> Html:
    counts = [float(row.get("n") or 0.0) for row in rows]
    most = max([1.0, *counts])
    places = [along(float(row["predicted"])) for row in rows]
    gaps = [after - before for before, after in pairwise(places)]
    wide = max(min([_BAR, *(gap - 1 for gap in gaps)]), 1.0)
    bars, free = [], 0.0
    for x, n in zip(places, counts, strict=True):
        height, said = (_STRIP - FONT) * n / most, numbers.count(n)
        bars.append(
            tag("rect", x=x - wide / 2, y=floor - height, width=wide, height=height, class_="count")
        )
        if x - room_for(said) / 2 > free:
            bars.append(text(x, floor - height - 3, said, "middle", "tick faint"))
            free = x + room_for(said) / 2 + 1
    return joined(bars)


def _won(
    kind: str, rows: Sequence[Mapping[str, Any]], along: Scale, up: Scale, words: Wording
) -> Html:
    corners, marks = [f"{along(0):.2f} {up(0):.2f}"], []
    for row in rows:
        won = Figure.of(row.get("captured"))
        if won.value is None:
            continue
        share = float(row.get("share") or 0.0)
        x, y = along(share), up(won.value)
        corners.append(f"{x:.2f} {y:.2f}")
        if won.low is not None and won.high is not None:
            aside = x + (3 if kind == "challenger" else -3)
            marks.append(whisker(aside, up(won.low), up(won.high), kind))
        said = words.say(
            WORDS["trialcharts.share"],
            model=_model(kind, words),
            share=numbers.percent(share),
            won=numbers.percent(won.value),
        )
        marks.append(mark(x + (3 if kind == "challenger" else -3), y, kind, said))
    return joined(tag("path", d="M" + "L".join(corners), class_=f"path {kind}"), marks)


def _titles(along: str, up: str, bottom: float) -> Html:
    middle = _TOP + _SIDE / 2
    return joined(
        text(_LEFT + _SIDE / 2, bottom - 4, along, "middle", "axis"),
        tag(
            "text",
            up,
            transform=f"translate(12 {middle:g}) rotate(-90)",
            text_anchor="middle",
            class_="axis",
        ),
    )
