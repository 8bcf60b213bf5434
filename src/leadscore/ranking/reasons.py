"""The words behind a score: what each feature's points mean for this firm, in either language."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from string import Formatter
from typing import Any

from leadscore import numbers
from leadscore.city import Anchor, City
from leadscore.city.matching import USED
from leadscore.features.catalogue import CATALOGUE, UNKNOWN, Value
from leadscore.features.company import Origin
from leadscore.features.extract import GOOD_STRENGTH, SIZEABLE_GAP
from leadscore.lists.columns import column
from leadscore.lists.corrections import Correction
from leadscore.lists.understanding import shown_value
from leadscore.text import LANGUAGES, Lang, Text, room_words

WORDS = room_words("ranking")

Facts = Mapping[str, object]
"""What a `Wording` asks of a firm: ``segment, role, words`` of the match that counts (words are ""
where an officer has set it), ``strongest``, the segment of the strongest match (each None for
none), and `FACTS`."""
FACTS = ("event", "referred_by", "city_code", "province_code", "staff", "segments", "unfounded")
"""Columns of a firm that wordings name, or by which an officer has a say in them."""

_SUPPLY = (
    (0.35, WORDS["reasons.supply.weak"]),
    (0.65, WORDS["reasons.supply.partial"]),
    (1.0, WORDS["reasons.supply.strong"]),
)
_SHOWN_NAMES = 3
_PAIR = " × "
_MAKERS, _SUPPLIERS = ("maker", "design", "integration"), ("equipment", "materials")
_LITTLE = 0.1  # a fit below it fills little, however large the gap


class Wording:
    """Words for the features of a city's firms; made once, used for every firm.

    The places of a wording: ``{value}``; ``{segment}``, ``{strongest}``, ``{words}`` of the match;
    ``{supply}``, ``{filling}``, ``{partly}``, ``{closeness}`` of its gap and strength;
    ``{buyers}`` and ``{suppliers}``, the anchors in the segments next to it; ``{region}``,
    ``{event}``, ``{referrer}``, ``{staff}`` of the firm.
    """

    def __init__(self, city: City) -> None:
        self._city = city
        self._origin = Origin(city)
        self._chains = {chain.id: chain.name for chain in city.chains}
        self._anchors = {
            "buyers": {key: self._names(city.buyers(key), key) for key in city.segments},
            "suppliers": {key: self._names(city.suppliers(key), key) for key in city.segments},
        }

    def text(self, feature: str, value: Value, points: float, firm: Facts, lang: Lang) -> str:
        """Word one contribution in one language; None is the only missing value."""
        if feature not in CATALOGUE:  # a pair of features, in a model of old
            return meaning_of(feature, lang)
        if value is None and feature in str(firm.get("unfounded") or "").split(";"):
            shape = WORDS["reasons.unfounded"]
            return shape.format(meaning=CATALOGUE[feature].meaning).pick(lang)
        if feature in ("chain", "match_strength") and firm.get("segments") == "":
            return WORDS["reasons.no_segment_by_hand"].pick(lang)
        if feature == "chain" and value in self._chains:
            value = self._chains[str(value)].pick(lang)
        parts, of_segment = _parts(feature, value, points > 0, lang)
        if of_segment and not isinstance(firm["segment"], str):
            by_hand = firm.get("segments") == ""
            return WORDS["reasons.no_segment_by_hand" if by_hand else "reasons.unmatched"].pick(
                lang
            )
        text = ""
        for literal, place in parts:
            text += literal
            if place is not None:
                text += self._place(place, value, firm, lang)
        return text

    def kept_text(self, feature: str, value: Value, points: float, firm: Facts, lang: Lang) -> str:
        """Word a contribution to a score that was kept.

        A feature or a segment that is known no longer, or a fact that was taken back, leaves what
        the feature measures.
        """
        try:
            return self.text(feature, value, points, firm, lang)
        except KeyError:
            return meaning_of(feature, lang)

    def kept_reasons(
        self, score: Mapping[str, Any], lang: Lang
    ) -> Iterator[tuple[str, float, str]]:
        """Yield feature, points and words of the main reasons of a score that was kept.

        ``score`` has ``reasons`` and ``values`` as `leadscore.store.current_ranking` keeps them,
        and what `kept_facts` asks for.
        """
        facts, values = kept_facts(score), score["values"]
        for reason in score["reasons"]:
            name, points = reason["feature"], reason["points"]
            yield name, points, self.kept_text(name, values.get(name), points, facts, lang)

    def kept_line(self, score: Mapping[str, Any], lang: Lang) -> str:
        """Return `kept_reasons` as one line."""
        reasons = ((text, points) for _, points, text in self.kept_reasons(score, lang))
        return reason_line(reasons, lang)

    def segment(self, key: str | None, lang: Lang) -> str | None:
        """Return the name of a segment; None for none, and for one that the city has no longer."""
        known = self._city.segments.get(key or "")
        return known.name.pick(lang) if known else None

    def value(self, feature: str, value: Value, lang: Lang) -> str:
        """Return a value as a person reads it."""
        if feature == "chain" and value in self._chains:
            return self._chains[str(value)].pick(lang)
        return CATALOGUE[feature].show(value, lang)

    def _place(self, place: str, value: Value, firm: Facts, lang: Lang) -> str:
        match place:
            case "region":
                return self._region(firm, lang)
            case "event" | "referrer":
                return self._origin.named(place, firm)
            case "staff":
                staff = "staff" if _present(firm["staff"]) else "insured"
                return WORDS[f"reasons.{staff}"].pick(lang)
            case "words":
                return self._words(firm, lang)
            case "strongest":
                return self._city.segments[str(firm["strongest"])].name.pick(lang)
            case "closeness":
                return self._closeness(value, firm, lang)
        segment = str(firm["segment"])
        match place:
            case "filling" | "partly":
                partly = place == "partly"
                return self._filling(value, segment, str(firm["role"]), partly).pick(lang)
            case "segment":
                return self._city.segments[segment].name.pick(lang)
            case "supply":
                return supply_words(self._city.supply(segment)).pick(lang)
        return self._anchors[place][segment].pick(lang)

    @staticmethod
    def _words(firm: Facts, lang: Lang) -> str:
        return shown_words(_known(firm["words"]), lang) or WORDS["reasons.by_hand"].pick(lang)

    @staticmethod
    def _closeness(value: Value, firm: Facts, lang: Lang) -> str:
        main = isinstance(value, float) and value >= GOOD_STRENGTH
        business = "main_business" if main else "side_business"
        return WORDS[f"reasons.{'put_by_hand' if firm['words'] == '' else business}"].pick(lang)

    def _filling(self, fit: Value, segment: str, role: str, partly: bool) -> Text:
        # Partly: of a firm that fills less of a gap than firms usually do.
        fit = fit if isinstance(fit, float) else 1.0
        if fit < _LITTLE:
            return WORDS["reasons.fills_little"]
        if self._city.gap(segment) < SIZEABLE_GAP:
            return WORDS["reasons.small_gap"]
        if partly and fit < 1:
            return WORDS["reasons.fills_partly"]
        if role in _MAKERS:
            return WORDS["reasons.makes_it"]
        return WORDS["reasons.supplies_it"] if role in _SUPPLIERS else WORDS["reasons.touches_it"]

    def _region(self, firm: Facts, lang: Lang) -> str:
        city = firm["city_code"]
        code = _known(city if isinstance(city, str) else firm["province_code"])
        regions = self._city.target_regions
        names = (r.name.pick(lang) for r in regions if code.startswith(r.divisions))
        return _known(next(names, None))

    def _names(self, anchors: Sequence[Anchor], segment: str) -> Text:
        zh, en = (anchor_labels(self._city, anchors, segment, lang) for lang in LANGUAGES)
        names = Text(zh="、".join(zh[:_SHOWN_NAMES]), en=", ".join(en[:_SHOWN_NAMES]))
        more = len(anchors) - _SHOWN_NAMES
        return WORDS["reasons.and_more"].format(names=names, count=more) if more > 0 else names


def correction_value(correction: Correction, wording: Wording, lang: Lang) -> tuple[str, str]:
    """Return what was corrected of a firm, and to what, as a person reads it."""
    name, value = correction.field, correction.value
    match name:
        case "reason":
            return WORDS["corrections.reason"].pick(lang), meaning_of(value, lang)
        case "segments":
            joint = WORDS["corrections.joint"].pick(lang)
            # A segment that the city has no longer is left by its id.
            shown = joint.join(wording.segment(key, lang) or key for key in value)
            shown = shown or WORDS["corrections.no_segment"].pick(lang)
        case "role":
            shown = CATALOGUE["role"].show(value, lang)
        case "grade" | "use":
            shown = value
        case _:
            unknown = value is None
            shown = UNKNOWN.pick(lang) if unknown else shown_value(column(name), value, lang)
            return column(name).label.pick(lang), shown
    return WORDS[f"corrections.{name}"].pick(lang), shown


def corrections_line(corrections: Iterable[Correction], wording: Wording, lang: Lang) -> str | None:
    """Return what was corrected of a firm, by whom and why, as one line; None for nothing."""
    shape = WORDS["corrections.one"].pick(lang)
    parts = []
    for one in corrections:
        label, value = correction_value(one, wording, lang)
        on = one.on.isoformat()
        parts.append(shape.format(label=label, value=value, by=one.by, on=on, reason=one.reason))
    return WORDS["reasons.joint"].pick(lang).join(parts) or None


def facts_of(
    firm: Mapping[str, Any], segment: str | None, role: str | None, words: str | None,
    strongest: str | None,
) -> dict[str, object]:  # fmt: skip
    """Return what a `Wording` asks of a firm, given its canonical columns and its matches."""
    columns = {name: firm.get(name) for name in FACTS}
    return {**columns, "segment": segment, "role": role, "words": words, "strongest": strongest}


def kept_facts(score: Mapping[str, Any]) -> dict[str, object]:
    """Return what a `Wording` asks of a firm, of a score that was kept.

    ``score`` has ``scored_segment``, ``scored_role``, ``words``, ``segments`` (``id:strength``
    joined by ``;``, the strongest first), and ``record``, the firm's canonical columns.
    """
    strongest = (score["segments"] or "").partition(":")[0]
    segment, role, words = score["scored_segment"], score["scored_role"], score["words"]
    return facts_of(score["record"], segment, role, words, strongest)


def meaning_of(feature: str, lang: Lang) -> str:
    """Return what a feature, or a pair of them in a model of old, measures; its id if unknown."""
    names = feature.split(_PAIR)
    known = [CATALOGUE[name].meaning.pick(lang) for name in names if name in CATALOGUE]
    return _PAIR.join(known or names)


def reason_line(reasons: Iterable[tuple[str, float]], lang: Lang) -> str:
    """Return reasons, given as words and points, as one line."""
    shape, joint = WORDS["reasons.with_points"].pick(lang), WORDS["reasons.joint"].pick(lang)
    return joint.join(
        shape.format(text=text, points=numbers.points(at, 0, "-")) for text, at in reasons
    )


def anchor_labels(city: City, anchors: Sequence[Anchor], segment: str, lang: Lang) -> list[str]:
    """Name anchors that stand next to a segment in the chain.

    Those that work in the segment themselves come last and are said to: a firm of that segment
    meets a rival in them, not only a customer or a supplier.
    """
    rivals = [anchor for anchor in anchors if segment in anchor.segments]
    others = [anchor.label.pick(lang) for anchor in anchors if anchor not in rivals]
    name = city.segments[segment].name.pick(lang)
    return others + [
        WORDS["reasons.also_in"].format(anchor=anchor.label.pick(lang), segment=name).pick(lang)
        for anchor in rivals
    ]


def shown_words(words: str, lang: Lang) -> str:
    """Return the words of a match as people read them: 电机，用于吸尘器."""
    words, _, use = words.partition(USED)
    return WORDS["reasons.for_use"].format(words=words, use=use).pick(lang) if use else words


def _known(value: object) -> str:
    if not isinstance(value, str):
        raise KeyError(value)
    return value


def _present(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))


# Firms have reasons of the same few shapes, and few different values.
@lru_cache(maxsize=8192, typed=True)
def _parts(
    feature: str, value: Value, lifts: bool, lang: Lang
) -> tuple[tuple[tuple[str, str | None], ...], bool]:
    """Return the texts of a wording with its value, each with the name of the place behind it;
    whether one is the segment's."""
    known, text, parts = CATALOGUE[feature], "", []
    for literal, place, _, _ in Formatter().parse(known.shape(value, float(lifts)).pick(lang)):
        text += literal
        if place == "value":
            text += known.show(value, lang)
        else:
            parts.append((text, place))
            text = ""
    return (*parts, (text, None)), any(place == "segment" for _, place in parts)


def supply_words(supply: float) -> Text:
    """Return local supply (0..1) in words; only 0 itself is none, and only 1 is complete."""
    if supply <= 0:
        return WORDS["reasons.supply.none"]
    complete = WORDS["reasons.supply.complete"]
    return next((words for limit, words in _SUPPLY if supply < limit), complete)
