"""The words of one rendering: features, entries and chains by name, in one language."""

from __future__ import annotations

from dataclasses import dataclass

from leadscore.city.profile import City
from leadscore.features.catalogue import CATALOGUE, FAMILIES
from leadscore.features.feature import UNKNOWN, Feature
from leadscore.learning.modelpage import numbers
from leadscore.learning.modelpage.bands import band_label, edge_labels
from leadscore.learning.modelpage.entries import Entry, FeatureTable
from leadscore.text import Lang, Text, room_words

WORDS = room_words("learning")


_UNLISTED = {"unknown": UNKNOWN, "other": WORDS["wording.other"]}
_PAIRED = " × "  # between two features, and their values, in cards of earlier programs


@dataclass(frozen=True, slots=True)
class Wording:
    """Names and numbers in one language.

    Attributes
    ----------
    lang
        The language.
    whole
        Whether all points of the card are whole numbers.
    city
        A profile that names the city and its chains; None: they go by their ids.
    minus
        The sign before negative numbers: a true minus on a page, a hyphen in a terminal.
    """

    lang: Lang
    whole: bool
    city: City | None = None
    minus: str = "−"

    def say(self, text: Text, **places: object) -> str:
        """Return a text of the house in the language."""
        return text.format(**places).pick(self.lang) if places else text.pick(self.lang)

    def feature(self, name: str) -> str:
        """Return what a feature (or a pair of them) measures, or its id if nobody wrote that."""
        if name not in CATALOGUE and _PAIRED in name:
            return _PAIRED.join(self.feature(part) for part in name.split(_PAIRED))
        label = CATALOGUE[name].meaning.pick(self.lang) if name in CATALOGUE else name
        return label[:1].upper() + label[1:] if name in CATALOGUE else label

    def family(self, name: str) -> str:
        """Return the group of a feature, or nothing."""
        feature = CATALOGUE.get(name)
        return FAMILIES[feature.family].pick(self.lang) if feature else ""

    def entry(self, entry: Entry, table: FeatureTable) -> str:
        """Return what an entry stands for."""
        if entry.part == "unknown":
            return UNKNOWN.pick(self.lang)
        if entry.part == "other":
            return WORDS["wording.other"].pick(self.lang)
        feature = CATALOGUE.get(table.feature)
        if entry.part == "band":
            kind = feature.kind if feature else None
            label = band_label(entry.low, entry.high, table.edges, kind, self.lang)
            return self.signed(label)
        names, texts = table.feature.split(_PAIRED), entry.text.split(_PAIRED)
        if feature is None and len(names) == len(texts):
            return _PAIRED.join(map(self._met, names, texts))
        return self.level(table.feature, entry.text, feature)

    def _met(self, name: str, text: str) -> str:
        if text in _UNLISTED:
            return self.say(_UNLISTED[text])
        return self.level(name, text, CATALOGUE.get(name))

    def level(self, name: str, level: str, feature: Feature | None) -> str:
        """Return the name of a level."""
        if name == "chain":
            return self.chain(level)
        return feature.show(level, self.lang) if feature else level

    def chain(self, chain_id: str) -> str:
        """Return the name of a chain, or its id where no profile is at hand."""
        names = {chain.id: chain.name for chain in self.city.chains} if self.city else {}
        names |= CATALOGUE["chain"].levels if chain_id not in names else {}
        return names[chain_id].pick(self.lang) if chain_id in names else chain_id

    def edges(self, table: FeatureTable) -> list[str]:
        """Return the ends of a feature's bands, short enough for an axis."""
        feature = CATALOGUE.get(table.feature)
        kind = feature.kind if feature else None
        return [self.signed(edge) for edge in edge_labels(table.edges, kind, self.lang, short=True)]

    def points(self, value: float | None) -> str:
        """Return points with their sign."""
        if value is None:
            return numbers.NOTHING
        return self.signed(numbers.points(value, whole=self.whole))

    def tick(self, value: float) -> str:
        """Return points on the scale of a chart."""
        return self.signed(f"{value:+g}") if value else "0"

    def band(self, entry: Entry) -> str:
        """Return the 90 % band of an entry's points, or nothing."""
        if entry.points_low is None or entry.points_high is None:
            return ""
        return f"[{self.points(entry.points_low)}, {self.points(entry.points_high)}]"

    def signed(self, text: str) -> str:
        """Return a number's text with the minus sign of the medium."""
        return text.replace("-", self.minus)
