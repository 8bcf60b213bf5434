"""A model as text: what `leadscore models show` prints, at most 100 columns wide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from leadscore.city.profile import City
from leadscore.language import Lang
from leadscore.report.facts import FeatureTable, Model, read_model
from leadscore.report.wording import count, harmless
from leadscore.textwidth import Align, display_width, fit, wrap

WIDEST = 100
"""Terminal columns that no line exceeds."""

_INDENT = _GAP = "  "
_BAR = 12  # columns of the picture on each side of zero
_MOST_LABEL = 40


def render_text(manifest: Mapping[str, Any], lang: Lang, city: City | None = None) -> str:
    """Return a model's manifest as text for a terminal.

    Parameters
    ----------
    manifest
        What is kept of a version, of experts or trained. What it lacks is left out.
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
    model = read_model(manifest, lang, city, minus="-")
    words, card = model.words, model.card
    blocks = [
        _facts(model),
        _decision(model),
        _measures(model),
        _opening(model),
        *(_feature(table, model) for table in card.tables),
    ]
    if card.silent:
        names = words.say("names").join(card.silent)
        blocks.append(_lines(words.say("card.silent", names=names)))
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _lines(text: str, first: str = "", rest: str = "") -> list[str]:
    """Break a text into lines of which the first begins with one margin, the rest with another."""
    lines = wrap(harmless(text), WIDEST - display_width(first)) or [""]
    return [(rest if at else first) + line for at, line in enumerate(lines)]


def _facts(model: Model) -> list[str]:
    rows = {model.words.say(f"facts.{key}"): value for key, value in model.facts.items() if value}
    room = max(map(display_width, rows))
    margin = " " * room + _GAP
    return [
        line
        for label, value in rows.items()
        for line in _lines(value, fit(label, room) + _GAP, margin)
    ]


def _decision(model: Model) -> list[str]:
    decision, words = model.decision, model.words
    if decision is None:
        return []
    lines = [words.say("terminal.decision", decision=decision.headline)]
    for passed, sentence in decision.gates:
        lines += _lines(sentence, _INDENT + ("✓ " if passed else "✗ "), "    ")
    if decision.reason:
        lines += _lines(words.say("decision.overruled", reason=decision.reason))
    return lines


def _measures(model: Model) -> list[str]:
    on, words = model.comparison, model.words
    if on is None or model.expert:
        return _lines(words.say("about.expert" if model.expert else "about.untried"))
    rows = [["", *(words.say(f"trial.{name}") for name in on.models)]]
    rows[0] += [words.say("trial.better")] if on.champion else []
    for measure in on.measures.values():
        figures = [measure.challenger, measure.champion][: len(on.models)]
        cells = [" ".join(words.figure(figure, measure.decimals)).rstrip() for figure in figures]
        if on.champion:
            cells.append(words.say(f"trial.{measure.better}") if measure.better else "")
        rows.append([measure.name, *cells])
    says = words.say("terminal.measures", n=on.n, positives=on.positives, level=on.level)
    return [*_lines(says), *_aligned(rows, "left")]


def _opening(model: Model) -> list[str]:
    words, card = model.words, model.card
    shown = [
        words.say(key)
        for key, there in (
            ("terminal.bands", card.banded),
            ("terminal.counts", any(table.counted for table in card.tables)),
        )
        if there and not model.expert
    ]
    lines = [words.say("terminal.card"), *_lines(card.reading)]
    return lines + _lines(words.say("clauses").join(shown)) if shown else lines


def _feature(table: FeatureTable, model: Model) -> list[str]:
    words = model.words
    farthest = max(_BAR, table.highest, -table.lowest)
    rows = []
    for entry in table.entries:
        length = round(_BAR * abs(entry.points) / farthest)
        left, right = ("█" * length, "") if entry.points < 0 else ("", "█" * length)
        bar = f"{left:>{_BAR}}│{right:<{_BAR}}"
        counts = count(entry.count) if entry.count is not None else ""
        if counts and entry.positives is not None:
            counts += f" ({count(entry.positives)})"
        band = words.interval(entry.low, entry.high)
        rows.append([harmless(entry.label), bar, words.points(entry.points), band, counts])
    return [*_lines(table.name), *_aligned(rows, "right")]


def _aligned(rows: Sequence[Sequence[str]], rest: Align) -> Iterator[str]:
    """Yield rows as lines: the first column to the left, the others as told; empty ones vanish."""
    rooms = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    rooms[0] = min(rooms[0], _MOST_LABEL)
    aligns: Iterable[Align] = ["left", *[rest] * len(rooms)]
    for row in rows:
        cells = zip(row, rooms, aligns)
        yield _INDENT + _GAP.join(fit(c, room, align) for c, room, align in cells if room).rstrip()
