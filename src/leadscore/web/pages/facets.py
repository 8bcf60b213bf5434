"""The filters beside the ranking: each value with how many firms there are, and its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadscore.city import City
from leadscore.features.catalogue import CATALOGUE
from leadscore.language import Lang
from leadscore.lists.values.vocabularies import STAGES
from leadscore.ranking.vetoes import WORDING
from leadscore.store.ranking.choices import Choices
from leadscore.store.ranking.filter import NONE
from leadscore.web.pages.addresses import Asked

ORDER = ("grade", "chain", "segment", "role", "region", "stage", "list", "shortlist", "veto")
_OPEN = ("grade", "chain")
_FREE = "no"
_ALWAYS = ("shortlist",)
"""Filters that are shown with a single value, too: it need not hold all firms."""

Counts = Mapping[str, int]
"""Firms by value."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a filter; its address sets it, or takes it back where it is chosen."""

    key: str
    name: str
    count: int
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A filter."""

    key: str
    choices: list[Choice]
    open: bool


@dataclass(frozen=True, slots=True)
class Namer:
    """Names the values of filters in a language."""

    city: City
    lists: Mapping[int, str]
    shortlists: Mapping[int, str]
    lang: Lang

    def name(self, facet: str, value: str) -> str | None:
        """Return a value in words; None if the template must say that there is none."""
        if value == NONE:
            return None
        texts = {
            "chain": {chain.id: chain.name for chain in self.city.chains},
            "segment": {key: each.name for key, each in self.city.segments.items()},
            "role": CATALOGUE["role"].levels,
            "stage": STAGES,
            "veto": WORDING,
        }.get(facet, {})
        if value in texts:
            return texts[value].pick(self.lang)
        named = {"list": self.lists, "shortlist": self.shortlists}.get(facet)
        return value if named is None else named.get(int(value), f"#{value}")


def facets_of(counted: Choices, asked: Asked, namer: Namer) -> list[Facet]:
    """Return all filters that have something to choose, in the order in which they stand."""
    by: dict[str, Counts] = {
        name: {value or NONE: many for value, many in counts.items()}
        for name, counts in counted.by.items()
    }
    for name, numbers in (("list", counted.lists), ("shortlist", counted.shortlists)):
        by[name] = {str(number): many for number, many in numbers.items()}
    found = []
    for key in ORDER:
        choices = _choices(key, by[key], asked, namer)
        chosen = any(each.chosen for each in choices)
        if chosen or len(choices) > (key not in _ALWAYS):
            found.append(Facet(key, choices, chosen or key in _OPEN))
    return found


def _choices(key: str, counts: Counts, asked: Asked, namer: Namer) -> list[Choice]:
    now = asked.values.get(key, "")
    values = dict(counts)
    if key == "veto":
        # None of them: that is the firms that may be courted, which has a value of its own.
        values = {(_FREE if value == NONE else value): many for value, many in values.items()}
    if key == "region":
        values.pop(NONE, None)
    if now and key != "grade":
        values.setdefault(now, 0)
    # By name, since numbers of lists and shortlists only say which came first.
    order = sorted(values, key=lambda value: (-values[value], namer.name(key, value) or "", value))
    if key in ("grade", "stage"):
        order = sorted(values, key=lambda value: (_place(value), value))
    return [
        Choice(
            value,
            ("" if value == _FREE and key == "veto" else namer.name(key, value)) or "",
            values[value],
            asked.with_(key, _toggled(key, now, value)),
            value in now if key == "grade" else value == now,
        )
        for value in order
    ]


def _place(value: str) -> int:
    return list(STAGES).index(value) if value in STAGES else -1


def _toggled(key: str, now: str, value: str) -> str | None:
    """Return what the filter is set to by a click: of grades there may be several."""
    if key == "grade":
        return "".join(sorted(set(now) ^ {value}))
    return None if value == now else value
