"""The words behind a score: what each feature's points mean for this firm, in either language."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from leadscore.city import Anchor, City
from leadscore.features.catalogue import CATALOGUE
from leadscore.language import LANGUAGES, Lang, Text

_SUPPLY = (
    (0.05, Text(zh="本地尚无", en="none made locally")),
    (0.35, Text(zh="本地薄弱", en="weak local supply")),
    (0.65, Text(zh="本地仅部分具备", en="only partly made locally")),
    (0.95, Text(zh="本地已较强", en="strong local supply")),
    (1.01, Text(zh="本地已完整", en="complete local supply")),
)
_SHOWN_NAMES = 3

_MAKES_IT = Text(zh="填补缺口", en="fills a gap")
_SUPPLIES_IT = Text(zh="配套缺口环节", en="supplies a gap")
_TOUCHES_IT = Text(zh="涉足缺口环节", en="works around a gap")
_FILLING = {
    "maker": _MAKES_IT, "design": _MAKES_IT, "integration": _MAKES_IT,
    "equipment": _SUPPLIES_IT, "materials": _SUPPLIES_IT,
    "trade": _TOUCHES_IT, "service": _TOUCHES_IT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reason:
    """What one feature adds to a firm's score.

    Attributes
    ----------
    feature
        Id of the feature in the catalogue.
    value
        The firm's value; None where it is missing.
    points
        Its share of the log-odds, scaled so that 20 points double the odds.
    text
        The same in words.
    """

    feature: str
    value: float | str | None
    points: float
    text: Text


class Wording:
    """Words for the features of a city's firms; made once, used for every firm."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._chains = {chain.id: chain.name for chain in city.chains}
        self._buyers = {key: _names(city.buyers(key)) for key in city.segments}
        self._suppliers = {key: _names(city.suppliers(key)) for key in city.segments}

    def reason(
        self, feature: str, value: float | str | None, points: float, firm: Mapping[str, object]
    ) -> Reason:
        """Word one contribution; ``firm`` offers ``segment, role, words`` and canonical columns."""
        if isinstance(value, float) and math.isnan(value):
            value = None
        zh, en = (self.text(feature, value, points, firm, lang) for lang in LANGUAGES)
        return Reason(feature, value, points, Text(zh=zh, en=en))

    def text(
        self,
        feature: str,
        value: float | str | None,
        points: float,
        firm: Mapping[str, object],
        lang: Lang,
    ) -> str:
        """Word one contribution in one language; None is the only missing value."""
        entry = CATALOGUE[feature]
        known = entry.lifts if points > 0 else entry.lowers
        shape = (entry.unknown if value is None else known).pick(lang)
        if "{" not in shape:
            return shape
        return shape.format_map(_Places(self, feature, value, firm, lang))

    def segment(self, key: object, lang: Lang) -> str:
        """Return the name of a segment ("" for none)."""
        return self._city.segments[key].name.pick(lang) if isinstance(key, str) else ""

    def value(self, feature: str, value: float | str | None, lang: Lang) -> str:
        """Return a value as a person reads it."""
        if feature == "chain" and value in self._chains:
            return self._chains[str(value)].pick(lang)
        return CATALOGUE[feature].show(value, lang)

    def place(self, name: str, firm: Mapping[str, object], lang: Lang) -> str:
        """Fill one ``{place}`` of a wording, other than ``{value}``."""
        segment = str(firm["segment"])
        match name:
            case "segment":
                return self.segment(segment, lang)
            case "supply":
                return supply_words(self._city.supply(segment)).pick(lang)
            case "buyers":
                return self._buyers[segment].pick(lang)
            case "suppliers":
                return self._suppliers[segment].pick(lang)
            case "region":
                return self._region(firm, lang)
            case "filling":
                return _FILLING.get(str(firm["role"]), _FILLING["maker"]).pick(lang)
        return str(firm[{"referrer": "referred_by"}.get(name, name)])

    def _region(self, firm: Mapping[str, object], lang: Lang) -> str:
        code = str(
            firm["city_code"] if isinstance(firm["city_code"], str) else firm["province_code"]
        )
        regions = self._city.target_regions
        return next((r.name.pick(lang) for r in regions if code.startswith(r.divisions)), "")


@dataclass(slots=True)
class _Places:
    """The places of one wording, filled only as ``format_map`` asks for them."""

    wording: Wording
    feature: str
    value: float | str | None
    firm: Mapping[str, object]
    lang: Lang

    def __getitem__(self, name: str) -> str:
        if name == "value":
            return self.wording.value(self.feature, self.value, self.lang)
        return self.wording.place(name, self.firm, self.lang)


def supply_words(supply: float) -> Text:
    """Return local supply (0..1) in words."""
    return next(words for limit, words in _SUPPLY if supply < limit)


def signed(points: float) -> str:
    """Return rounded points with their sign.

    >>> signed(17.6), signed(-3.2), signed(0.2)
    ('+18', '-3', '+0')
    """
    return f"{round(points):+d}"


def _names(anchors: Iterable[Anchor]) -> Text:
    """Name the first few anchors; the rest is a number."""
    names = [anchor.label for anchor in anchors]
    more = len(names) - _SHOWN_NAMES
    zh = "、".join(name.zh for name in names[:_SHOWN_NAMES])
    en = ", ".join(name.en for name in names[:_SHOWN_NAMES])
    return Text(zh=f"{zh}等", en=f"{en} and {more} more") if more > 0 else Text(zh=zh, en=en)
