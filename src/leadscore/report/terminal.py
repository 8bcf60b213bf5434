"""A model as text: what `leadscore models show` prints, at most 100 columns wide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadscore.city.profile import City
from leadscore.learning.metrics import LEVEL
from leadscore.report.facts import FeatureTable, Model, read_model
from leadscore.report.wording import count, harmless, percent
from leadscore.terminal import GAP, Align, display_width, fit, table, wrap
from leadscore.text import Lang

WIDEST = 100
"""Terminal columns that no line exceeds."""

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
        *(_feature(feature, model) for feature in card.tables),
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
    margin = " " * room + GAP
    return [
        line
        for label, value in rows.items()
        for line in _lines(value, fit(label, room) + GAP, margin)
    ]


def _decision(model: Model) -> list[str]:
    decision, words = model.decision, model.words
    if decision is None:
        return []
    lines = [words.say("terminal.decision", decision=decision.headline)]
    for passed, sentence in decision.gates:
        lines += _lines(sentence, GAP + ("✓ " if passed else "✗ "), "    ")
    if decision.reason:
        lines += _lines(words.say("decision.overruled", reason=decision.reason))
    return lines


def _measures(model: Model) -> list[str]:
    comparison, words = model.comparison, model.words
    if comparison is None or model.expert:
        return _lines(words.say("about.expert" if model.expert else "about.untried"))
    tried, *champion = comparison.models.values()
    rows = [["", *(words.say(f"trial.{name}") for name in comparison.models)]]
    rows[0] += [words.say("trial.better")] * len(champion)
    for measure in comparison.measures:
        better = words.say(f"trial.{measure.better}") if measure.better else ""
        cells = [measure.name]
        for figure in (measure.challenger, measure.champion)[: 1 + len(champion)]:
            ends = words.ends(figure.low, figure.high, measure.decimals)
            cells.append(f"{words.measure(figure.value, measure.decimals)} {ends}".rstrip())
        rows.append(cells + [better] * len(champion))
    n, positives = count(tried.n), count(tried.positives)
    says = words.say("terminal.measures", n=n, positives=positives, level=percent(LEVEL))
    return [*_lines(says), *_aligned(rows, "left")]


def _opening(model: Model) -> list[str]:
    words, card = model.words, model.card
    lines = [words.say("terminal.card"), *_lines(card.reading(words))]
    entries = [entry for feature in card.tables for entry in feature.entries if not model.expert]
    shown = ["terminal.bands"] if any(entry.low is not None for entry in entries) else []
    shown += ["terminal.counts"] if any(entry.count is not None for entry in entries) else []
    return lines + _lines(words.say("clauses").join(map(words.say, shown))) if shown else lines


def _feature(feature: FeatureTable, model: Model) -> list[str]:
    words = model.words
    farthest = max(_BAR, feature.highest, -feature.lowest)
    rows = []
    for entry in feature.entries:
        length = round(_BAR * abs(entry.points) / farthest)
        left, right = ("█" * length, "") if entry.points < 0 else ("", "█" * length)
        bar = f"{left:>{_BAR}}│{right:<{_BAR}}"
        counts = count(entry.count) if entry.count is not None else ""
        if counts and entry.positives is not None:
            counts += f" ({count(entry.positives)})"
        band = words.interval(entry.low, entry.high)
        rows.append([harmless(entry.label), bar, words.points(entry.points), band, counts])
    return [*_lines(feature.name), *_aligned(rows, "right")]


def _aligned(rows: Sequence[Sequence[str]], rest: Align) -> list[str]:
    """Return rows as lines: the first column to the left, the others as told."""
    return [GAP + line for line in table(rows, ["left", *[rest] * len(rows[0])], _MOST_LABEL)]
