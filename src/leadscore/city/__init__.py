"""The city profile: what a city has, what it lacks, whom it looks for."""

from leadscore.city.loading import load_city, parse_city
from leadscore.city.profile import City
from leadscore.city.schema import Anchor
from leadscore.city.tree import render_tree

__all__ = ["Anchor", "City", "load_city", "parse_city", "render_tree"]
