"""A measure of challenger and champion as two marks with whiskers on one line."""

from __future__ import annotations

from leadscore.learning.modelpage.figures import Compared, Figure
from leadscore.learning.modelpage.markup import Html, joined
from leadscore.learning.modelpage.plotting import Scale, figure, line, mark, whisker
from leadscore.learning.modelpage.wording import Wording
from leadscore.text import room_words

WORDS = room_words("learning")


_WIDTH, _HEIGHT = 190, 34


def dots(name: str, row: Compared, words: Wording) -> Html | None:
    """Return one measure of both models on a line, or None if neither has it."""
    figures = [("challenger", row.challenger, 11), ("champion", row.champion, 23)]
    drawn = [(kind, f, y) for kind, f, y in figures if f.value is not None]
    if not drawn:
        return None
    ends = [end for _, f, _ in drawn for end in (f.value, f.low, f.high) if end is not None]
    best = {"one": [1.0], "zero": [0.0]}.get(row.goal, [])
    low, high = min(ends + best), max(ends + best)
    spare = (high - low) * 0.06 or 0.1
    along = Scale(low - spare, high + spare, 8, _WIDTH - 8)
    heading = WORDS["dots.both"] if len(drawn) > 1 else WORDS["dots.alone"]
    shown = [
        Figure(end).shown(row.decimals, words.minus, percent=row.percent)[0] for end in (low, high)
    ]
    return figure(
        name,
        words.say(heading, name=row.name),
        words.say(WORDS["dots.says"], low=shown[0], high=shown[1]),
        _WIDTH,
        _HEIGHT,
        line(8, _HEIGHT / 2, _WIDTH - 8, _HEIGHT / 2, "grid"),
        *(line(along(goal), 2, along(goal), _HEIGHT - 2, "divide") for goal in best),
        *(_dot(kind, f, y, along) for kind, f, y in drawn),
    )


def _dot(kind: str, shown: Figure, y: float, along: Scale) -> Html:
    whiskers = None
    if shown.low is not None and shown.high is not None:
        whiskers = whisker(y, along(shown.low), along(shown.high), kind, lying=True)
    return joined(whiskers, mark(along(shown.value or 0.0), y, kind))
