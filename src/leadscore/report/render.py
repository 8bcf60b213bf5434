"""A model as one page that stands alone, as sections within another, and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from leadscore.city.profile import City
from leadscore.learning.evaluation import LEVEL, MARKS
from leadscore.numbers import likelihood
from leadscore.registry.manifest import Manifest
from leadscore.report import svg
from leadscore.report.facts import FeatureTable, Model, read_model
from leadscore.report.wording import count, harmless, percent
from leadscore.terminal import GAP, Align, display_width, fit, table, wrap
from leadscore.text import Lang

TEMPLATES = Path(__file__).with_name("templates")
STYLE = TEMPLATES / "sections.css"
"""Style of the sections. Whoever shows them within another page gives them its own colours, by the
names at the head of ``page.css``, in an element of the class ``model-sections``."""


@dataclass(frozen=True, slots=True)
class ModelSections:
    """A model, section by section: links to the sections, the sections, the decision in a word."""

    contents: Markup
    sections: Markup
    status: Markup


def render_html(manifest: Manifest, lang: Lang, city: City | None = None) -> str:
    """Return a model's manifest as a page to read, print and keep: well-formed as XML too.

    What the manifest lacks is left out, what it holds is escaped; the same manifest always gives
    the same text. Levels and names that the data brought stay as they are. A ``city`` profile names
    its chains and gives the experts' reasons. A ModelError if the manifest holds no sound card.
    """
    page = _templates().get_template("page.html").render(_names(manifest, lang, city))
    return page.strip() + "\n"


def model_sections(manifest: Manifest, lang: Lang, city: City | None = None) -> ModelSections:
    """Return a manifest as parts of another page; otherwise see `render_html`."""
    parts = _sections(manifest, lang, city)
    return ModelSections(parts.contents(), parts.sections(), parts.status())


def card_sections(manifest: Manifest, lang: Lang, city: City | None = None) -> Markup:
    """Return the card alone: how to read a score, and the points of every feature."""
    parts = _sections(manifest, lang, city)
    return Markup().join([parts.reading(), parts.scorecard()])


def _sections(manifest: Manifest, lang: Lang, city: City | None) -> Any:
    template = _templates().get_template("sections.html")
    return template.make_module(_names(manifest, lang, city))


def _names(manifest: Manifest, lang: Lang, city: City | None) -> dict[str, Any]:
    model = read_model(manifest, lang, city)
    return {
        "model": model, "card": model.card, "comparison": model.comparison, "words": model.words,
        "t": model.words.say, "level": percent(LEVEL),
    }  # fmt: skip


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, finalize=_written,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals["svg"] = svg
    environment.filters.update(percent=percent, likelihood=likelihood, count=count)
    return environment


def _written(value: Any) -> Any:
    if isinstance(value, float):
        return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")
    return value if isinstance(value, Markup) else harmless(str(value))


WIDEST = 100
"""Terminal columns that no line exceeds."""

_BAR = 12  # columns of the picture on each side of zero
_MOST_LABEL = 40


def render_text(manifest: Manifest, lang: Lang, city: City | None = None) -> str:
    """Return a manifest as text of at most 100 columns, in which nothing commands a terminal."""
    model = read_model(manifest, lang, city, minus="-")
    words, card = model.words, model.card
    blocks = [
        _facts(model), _decision(model), _measures(model), _opening(model),
        *(_feature(feature, model) for feature in card.tables),
    ]  # fmt: skip
    if card.silent:
        names = words.say("names").join(card.silent)
        blocks.append(_lines(words.say("card.silent", names=names)))
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _lines(text: str, first: str = "", rest: str = "") -> list[str]:
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
    for state, sentence in decision.gates:
        lines += _lines(sentence, f"{GAP}{MARKS[state]} ", "    ")
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
    return [GAP + line for line in table(rows, ["left", *[rest] * len(rows[0])], _MOST_LABEL)]
