"""A model as one page that stands alone, and as sections to stand within another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from leadscore.city.profile import City
from leadscore.learning.metrics import LEVEL
from leadscore.numbers import likelihood
from leadscore.report import svg
from leadscore.report.facts import read_model
from leadscore.report.wording import count, harmless, percent
from leadscore.text import Lang

TEMPLATES = Path(__file__).with_name("templates")
STYLE = TEMPLATES / "sections.css"
"""Style of the sections. Whoever shows them within another page gives them its own colours, by the
names at the head of ``page.css``, in an element of the class ``model-sections``."""


@dataclass(frozen=True, slots=True)
class ModelSections:
    """A model, section by section.

    Attributes
    ----------
    contents
        Links to the sections, as a ``nav``.
    sections
        All sections, one after another.
    status
        The decision on the model in a word; empty where none was taken.
    """

    contents: Markup
    sections: Markup
    status: Markup


def render_html(manifest: Mapping[str, Any], lang: Lang, city: City | None = None) -> str:
    """Return a model's manifest as a page to read, print and keep.

    Parameters
    ----------
    manifest
        What is kept of a version, of experts or trained. What it lacks is left out.
    lang
        Language of everything but levels and names that the data brought.
    city
        The profile of the model's city, for the names of its chains and the experts' reasons;
        without it the ids of the chains stand.

    Returns
    -------
    str
        One HTML document, well-formed as XML too; everything from the manifest is escaped. The
        same manifest always gives the same text.

    Raises
    ------
    ModelError
        If the manifest holds no sound card.
    """
    page = _templates().get_template("page.html").render(_names(manifest, lang, city))
    return page.strip() + "\n"


def model_sections(
    manifest: Mapping[str, Any], lang: Lang, city: City | None = None
) -> ModelSections:
    """Return a manifest as parts of another page; its parameters are those of `render_html`.

    Raises
    ------
    ModelError
        If the manifest holds no sound card.
    """
    parts = _sections(manifest, lang, city)
    return ModelSections(parts.contents(), parts.sections(), parts.status())


def card_sections(manifest: Mapping[str, Any], lang: Lang, city: City | None = None) -> Markup:
    """Return the card alone: how to read a score, and the points of every feature.

    Raises
    ------
    ModelError
        If the manifest holds no sound card.
    """
    parts = _sections(manifest, lang, city)
    return Markup().join([parts.reading(), parts.scorecard()])


def _sections(manifest: Mapping[str, Any], lang: Lang, city: City | None) -> Any:
    """Return the macros of the sections."""
    template = _templates().get_template("sections.html")
    return template.make_module(_names(manifest, lang, city))


def _names(manifest: Mapping[str, Any], lang: Lang, city: City | None) -> dict[str, Any]:
    model = read_model(manifest, lang, city)
    return {
        "model": model,
        "card": model.card,
        "comparison": model.comparison,
        "words": model.words,
        "t": model.words.say,
        "level": percent(LEVEL),
    }


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_written,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["svg"] = svg
    environment.filters.update(percent=percent, likelihood=likelihood, count=count)
    return environment


def _written(value: Any) -> Any:
    """Make all that a template writes harmless, before it is escaped; numbers are coordinates."""
    if isinstance(value, float):
        return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")
    return value if isinstance(value, Markup) else harmless(str(value))
