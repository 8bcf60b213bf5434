"""The heat map of a pair of features: points where each value of one meets each of the other."""

from __future__ import annotations

from leadscore.language import Text
from leadscore.learning.modelpage.curves import tip
from leadscore.learning.modelpage.entries import Entry, FeatureTable
from leadscore.learning.modelpage.markup import Html, joined, tag
from leadscore.learning.modelpage.plotting import FONT, columns_in, figure, text
from leadscore.learning.modelpage.wording import Wording
from leadscore.textwidth import cut

_WIDTH, _LABEL, _ROW, _TOP = 460, 120, 26, 24
_MOST_COLUMNS = 8
_DEEPEST = 0.8  # of the colour, in the cell with the most points

_TITLE = Text(zh="“{feature}”的分值", en="Points for “{feature}”")
_SAYS = Text(
    zh="两个特征的取值两两相遇处的分值，每格写明；数字也见旁边的表。",
    en="Points where the values of two features meet, written in each cell and in the table "
    "beside it.",
)


def cells(table: FeatureTable, words: Wording) -> dict[tuple[str, str], Entry] | None:
    """Return the entries by the two values that meet, or None if they don't name two each."""
    found = {}
    for entry in table.entries:
        halves = words.halves(entry, table)
        if len(halves) != 2:
            return None
        found[halves[0], halves[1]] = entry
    return found


def heat_map(name: str, table: FeatureTable, words: Wording) -> Html | None:
    """Return the chart of a pair, or None where it has no shape that a chart could show."""
    found = cells(table, words)
    if found is None:
        return None
    rows, columns = (list(dict.fromkeys(key[at] for key in found)) for at in (0, 1))
    if len(columns) > _MOST_COLUMNS:
        return None
    wide = (_WIDTH - _LABEL - 8) / len(columns)
    most = max(1.0, *(abs(entry.points) for entry in found.values()))
    marks = [
        _cell(entry, table, words, _LABEL + 8 + columns.index(second) * wide,
              _TOP + rows.index(first) * _ROW, wide, most)
        for (first, second), entry in found.items()
    ]  # fmt: skip
    return figure(
        name,
        words.say(_TITLE, feature=words.feature(table.feature)),
        words.say(_SAYS),
        _WIDTH,
        _TOP + len(rows) * _ROW + 4,
        joined(
            [
                text(
                    _LABEL + 8 + (at + 0.5) * wide,
                    _TOP - 8,
                    cut(said, columns_in(wide - 4)),
                    "middle",
                    "tick",
                )
                for at, said in enumerate(columns)
            ],
            [
                text(
                    _LABEL,
                    _TOP + (at + 0.5) * _ROW + FONT / 3,
                    cut(said, columns_in(_LABEL)),
                    "end",
                )
                for at, said in enumerate(rows)
            ],
        ),
        *marks,
    )


def _cell(
    entry: Entry, table: FeatureTable, words: Wording, x: float, y: float, wide: float, most: float
) -> Html:
    side = "lowers" if entry.points < 0 else "lifts"
    depth = _DEEPEST * abs(entry.points) / most
    return tag(
        "g",
        tag("title", tip(entry, table, words)),
        tag(
            "rect",
            x=x + 1,
            y=y + 1,
            width=wide - 2,
            height=_ROW - 2,
            rx=2,
            class_=side,
            fill_opacity=depth,
        ),
        text(x + wide / 2, y + _ROW / 2 + FONT / 3, words.points(entry.points), "middle", "value"),
    )
