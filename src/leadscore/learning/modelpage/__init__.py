"""A model that people can read: everything its manifest tells, as text, a page, or its sections.

All renderings take the manifest of any version, of experts or trained, and need nothing else. A
city profile, where one is at hand, only adds names (of the city and its chains) and the experts'
reasons.
"""

from leadscore.learning.modelpage.page import render_html
from leadscore.learning.modelpage.sections import ModelSections, card_sections, model_sections
from leadscore.learning.modelpage.terminal import render_text

__all__ = ["ModelSections", "card_sections", "model_sections", "render_html", "render_text"]
