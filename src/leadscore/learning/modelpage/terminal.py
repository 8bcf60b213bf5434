"""A model as text: what `leadscore models show` prints, at most 100 columns wide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.city.profile import City
from leadscore.learning.modelpage import numbers
from leadscore.learning.modelpage.entries import CardTables, Entry, FeatureTable, card_tables
from leadscore.learning.modelpage.facts import (
    EXPERT_NOTE,
    UNTRIED_NOTE,
    facts,
    is_expert,
)
from leadscore.learning.modelpage.figures import AHEAD, CHALLENGER, CHAMPION, Compared, Figure
from leadscore.learning.modelpage.gates import OVERRULED, headline, verdict
from leadscore.learning.modelpage.markup import harmless
from leadscore.learning.modelpage.measures import Trial, compared, compared_tops, trial
from leadscore.learning.modelpage.reading import (
    BASE,
    SILENT,
    counts_of,
    how_to_read,
)
from leadscore.learning.modelpage.wording import Wording
from leadscore.terminal import GAP, display_width, fit, wrap
from leadscore.terminal import table as aligned
from leadscore.text import Lang, room_words

WORDS = room_words("learning")


WIDEST = 100
"""Terminal columns that no line exceeds."""

_INDENT = "  "
_BAR = 24  # columns of the picture beside the points
_MOST_LABEL = 40


def render_text(manifest: Mapping[str, Any], lang: Lang, city: City | None = None) -> str:
    """Return a model's manifest as text for a terminal.

    Parameters
    ----------
    manifest
        What the shelf keeps of a version, of experts or trained. What it lacks is left out.
    lang
        Language of everything but levels and names that the data brought.
    city
        The profile of the model's city, for the names of its chains; without it their ids stand.

    Returns
    -------
    str
        Lines of at most 100 columns without a final line feed; nothing in it commands a terminal.

    Raises
    ------
    ModelError
        If the manifest holds no sound card.
    """
    tables = card_tables(manifest)
    words = Wording(lang, tables.whole, city, minus="-")
    blocks = [
        _facts(manifest, words),
        _decision(manifest, words),
        _measures(manifest, words),
        _opening(manifest, tables, words),
        *(_feature(table, words) for table in tables.features),
    ]
    if tables.silent:
        names = words.say(WORDS["terminal.render_text_names"]).join(
            map(words.feature, tables.silent)
        )
        blocks.append(wrap(harmless(words.say(SILENT, names=names)), WIDEST))
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _facts(manifest: Mapping[str, Any], words: Wording) -> list[str]:
    rows = facts(manifest, words)
    room = max(display_width(label) for label, _ in rows)
    lines = []
    for label, value in rows:
        first, *rest = wrap(harmless(value), WIDEST - room - len(GAP)) or [""]
        lines.append(fit(label, room) + GAP + first)
        lines += [" " * (room + len(GAP)) + line for line in rest]
    return lines


def _decision(manifest: Mapping[str, Any], words: Wording) -> list[str]:
    found = verdict(manifest, words)
    if found is None:
        return []
    lines = [words.say(WORDS["terminal.decision"], decision=headline(found, words))]
    for gate in found.gates:
        mark = "✓ " if gate.passed else "✗ "
        first, *rest = wrap(harmless(gate.sentence), WIDEST - 4)
        lines += [_INDENT + mark + first, *("    " + line for line in rest)]
    if found.overruled:
        lines += wrap(harmless(words.say(OVERRULED, reason=found.overruled)), WIDEST)
    return lines


def _measures(manifest: Mapping[str, Any], words: Wording) -> list[str]:
    if is_expert(manifest):
        return wrap(words.say(EXPERT_NOTE), WIDEST)
    tried = trial(manifest)
    if tried is None:
        return wrap(words.say(UNTRIED_NOTE), WIDEST)
    n, positives = (numbers.count(tried.challenger.get(key)) for key in ("n", "positives"))
    rows = [
        _measure(row, tried, words) for row in compared(tried, words) + compared_tops(tried, words)
    ]
    header = [
        "",
        words.say(CHALLENGER),
        *([words.say(CHAMPION), words.say(AHEAD)] if tried.rivals else []),
    ]
    lines = wrap(
        words.say(WORDS["terminal.tried"], n=n, positives=positives, level=tried.level), WIDEST
    )
    return lines + [_INDENT + line for line in aligned([header, *rows], most=_MOST_LABEL)]


def _measure(row: Compared, tried: Trial, words: Wording) -> list[str]:
    def written(figure: Figure) -> str:
        return " ".join(filter(None, figure.shown(row.decimals, words.minus, percent=row.percent)))

    cells = [row.name, written(row.challenger)]
    if tried.rivals:
        cells += [written(row.champion), words.say(row.outcome) if row.outcome else ""]
    return cells


def _opening(manifest: Mapping[str, Any], tables: CardTables, words: Wording) -> list[str]:
    base = words.say(
        BASE,
        points=words.points(tables.base_points),
        likelihood=numbers.likelihood(numbers.chance(tables.base)),
    )
    lines = [words.say(WORDS["terminal.card"]), *wrap(base + how_to_read(tables, words), WIDEST)]
    entries = [entry for table in tables.features for entry in table.entries]
    shown = [
        words.say(text)
        for text, there in (
            (WORDS["terminal.band"], any(words.band(entry) for entry in entries)),
            (WORDS["terminal.counted"], any(entry.count is not None for entry in entries)),
        )
        if there and not is_expert(manifest)
    ]
    return lines + wrap(words.say(WORDS["terminal.opening"]).join(shown), WIDEST)


def _feature(table: FeatureTable, words: Wording) -> list[str]:
    lines = wrap(harmless(words.feature(table.feature)), WIDEST)
    farthest = max([_BAR / 2, *(abs(entry.points) for entry in table.entries)])
    rows = [_entry(entry, table, farthest, words) for entry in table.entries]
    return lines + [
        _INDENT + line
        for line in aligned(rows, ("left", "right", "right", "right", "right"), _MOST_LABEL)
    ]


def _entry(entry: Entry, table: FeatureTable, farthest: float, words: Wording) -> list[str]:
    label = harmless(words.entry(entry, table))
    bar = _bar(entry.points, farthest)
    return [label, bar, words.points(entry.points), words.band(entry), counts_of(entry)]


def _bar(points: float, farthest: float) -> str:
    """Draw points to the left or right of zero; a column is a point or more."""
    half = _BAR // 2
    length = round(half * abs(points) / farthest)
    left, right = ("█" * length, "") if points < 0 else ("", "█" * length)
    return f"{left:>{half}}│{right:<{half}}"
