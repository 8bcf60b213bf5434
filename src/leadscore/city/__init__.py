"""The city profile: what a city has, what it lacks, whom it looks for."""

from leadscore.city.loading import load_city, parse_city
from leadscore.city.profile import Anchor, City

__all__ = ["Anchor", "City", "load_city", "parse_city"]
