"""The city profile: what a city has, what it lacks, whom it looks for."""

from leadscore.city.chains import Chain, Segment
from leadscore.city.expert import ExpertCard, LevelPoints, NumericPoints
from leadscore.city.loading import load_city, parse_city
from leadscore.city.partners import (
    Anchor,
    Delivery,
    Event,
    Neighbour,
    Place,
    SoughtClass,
    TargetRegion,
)
from leadscore.city.profile import About, City, RankingPolicy, Statement
from leadscore.city.tree import render_tree
from leadscore.city.values import POSITIONS, ROLES, STRONG, SUPPLY_SCALE, Evidence, Role

__all__ = [
    "POSITIONS",
    "ROLES",
    "STRONG",
    "SUPPLY_SCALE",
    "About",
    "Anchor",
    "Chain",
    "City",
    "Delivery",
    "Event",
    "Evidence",
    "ExpertCard",
    "LevelPoints",
    "Neighbour",
    "NumericPoints",
    "Place",
    "RankingPolicy",
    "Role",
    "Segment",
    "SoughtClass",
    "Statement",
    "TargetRegion",
    "load_city",
    "parse_city",
    "render_tree",
]
