"""What a model is, for people: as a page that stands alone, as parts of a page, and as text.

All of them take the manifest of any version, of experts or trained, and need nothing else. A city
profile, where one is at hand, only adds names (of the city and its chains) and the experts'
reasons.
"""

from leadscore.report.render import (
    ModelSections,
    card_sections,
    model_sections,
    render_html,
    render_text,
)

__all__ = ["ModelSections", "card_sections", "model_sections", "render_html", "render_text"]
