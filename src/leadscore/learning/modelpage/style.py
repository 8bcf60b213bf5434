"""How a model's page looks: light and dark, on paper, on a phone."""

from __future__ import annotations

from pathlib import Path

SECTIONS = Path(__file__).with_name("sections.css")
"""Style of the sections. Whoever shows them elsewhere gives them its own colours, by the names at
the head of ``page.css``, within an element of the class `SCOPE`."""
SCOPE = "model-sections"

_PAGE = Path(__file__).with_name("page.css")


def whole_style() -> str:
    """Return the style of the page that stands alone."""
    return _PAGE.read_text("utf-8") + SECTIONS.read_text("utf-8")
