"""Where a model comes from: the facts that both renderings open with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.learning.labels import LEFT_OUT
from leadscore.learning.modelpage import numbers
from leadscore.learning.modelpage.wording import Wording
from leadscore.lists.values.words import STAGES
from leadscore.text import room_words

WORDS = room_words("learning")


EXPERT_NOTE = WORDS["facts.expert_note"]
UNTRIED_NOTE = WORDS["facts.untried_note"]
_KINDS = {
    "expert": WORDS["facts.kinds_expert"],
    "trained": WORDS["facts.kinds_trained"],
}
_LABELS = {
    "version": WORDS["facts.labels_version"],
    "kind": WORDS["facts.labels_kind"],
    "city": WORDS["facts.labels_city"],
    "as_of": WORDS["facts.labels_as_of"],
    "created": WORDS["facts.labels_created"],
    "target": WORDS["facts.labels_target"],
    "outcomes": WORDS["facts.labels_outcomes"],
    "contacted": WORDS["facts.labels_contacted"],
    "left_out": WORDS["facts.labels_left_out"],
    "champion": WORDS["facts.labels_champion"],
    "trial": WORDS["facts.labels_trial"],
}


def is_expert(manifest: Mapping[str, Any]) -> bool:
    """Tell whether people wrote the card and no outcomes have been learned from."""
    return manifest.get("kind") == "expert"


def known_outcomes(manifest: Mapping[str, Any]) -> tuple[float, float]:
    """Return how many outcomes a model learned from, and how many of them were positive."""
    outcomes = part(manifest, "outcomes")
    known, positive = outcomes.get("known"), outcomes.get("positive")
    return (
        float(known) if isinstance(known, int | float) else 0.0,
        float(positive) if isinstance(positive, int | float) else 0.0,
    )


def facts(manifest: Mapping[str, Any], words: Wording) -> list[tuple[str, str]]:
    """Return label and value of what is known about a model; what isn't is left out."""
    told = {
        "version": str(manifest.get("version") or ""),
        "kind": kind(manifest, words),
        "city": city_name(manifest, words),
        "as_of": numbers.day(manifest["as_of"], words.lang) if manifest.get("as_of") else "",
        "created": numbers.moment(manifest.get("created", ""), words.lang),
        "target": target(manifest, words),
        "outcomes": _outcomes(manifest, words),
        "contacted": _contacted(manifest, words),
        "left_out": _left_out(manifest, words),
        "champion": str(part(manifest, "trial").get("champion") or ""),
        "trial": _trial(manifest, words),
    }
    return [(words.say(_LABELS[key]), value) for key, value in told.items() if value]


def kind(manifest: Mapping[str, Any], words: Wording) -> str:
    """Return what sort of model it is."""
    name = str(manifest.get("kind") or "")
    said = words.say(_KINDS[name]) if name in _KINDS else name
    # No such model is trained any more; the scorecards of kept ones serve on.
    return said + words.say(WORDS["facts.boosted"]) if manifest.get("family") == "boosted" else said


def city_name(manifest: Mapping[str, Any], words: Wording) -> str:
    """Return the name of the city, or its id where no profile of it is at hand."""
    city_id = str(part(manifest, "city").get("id") or "")
    if words.city is not None and words.city.id == city_id:
        return words.say(words.city.name)
    return city_id


def target(manifest: Mapping[str, Any], words: Wording) -> str:
    """Return what the model forecasts."""
    stage, days = manifest.get("target"), manifest.get("horizon_days")
    if not stage:
        return ""
    named: object = STAGES.get(str(stage), stage)
    return words.say(WORDS["facts.target"], stage=named, days=numbers.count(days))


def part(mapping: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a mapping within a mapping; an empty one where there is none."""
    value = mapping.get(key)
    return value if isinstance(value, Mapping) else {}


def _outcomes(manifest: Mapping[str, Any], words: Wording) -> str:
    outcomes = part(manifest, "outcomes")
    if not outcomes:
        return words.say(WORDS["facts.no_outcomes"])
    known, positive = (numbers.count(outcomes.get(key)) for key in ("known", "positive"))
    said = words.say(WORDS["facts.outcomes"], known=known, positive=positive)
    if outcomes.get("open"):
        said += words.say(WORDS["facts.open"], open=numbers.count(outcomes["open"]))
    return said


def _contacted(manifest: Mapping[str, Any], words: Wording) -> str:
    outcomes = part(manifest, "outcomes")
    ends = outcomes.get("contacted_from"), outcomes.get("contacted_to")
    if not all(ends):
        return ""
    first, last = (numbers.day(end, words.lang) for end in ends)
    return words.say(WORDS["facts.span"], first=first, last=last)


def _left_out(manifest: Mapping[str, Any], words: Wording) -> str:
    counts = part(part(manifest, "outcomes"), "left_out")
    return words.say(WORDS["facts.listed"]).join(
        words.say(WORDS["facts.reason"], reason=LEFT_OUT.get(str(why), why), count=numbers.count(n))
        for why, n in counts.items()
        if n
    )


def _trial(manifest: Mapping[str, Any], words: Wording) -> str:
    trial = part(manifest, "trial")
    if not trial.get("split"):
        return ""
    return words.say(
        WORDS["facts.trial"],
        split=numbers.day(trial["split"], words.lang),
        train=numbers.count(trial.get("train")),
        later=numbers.count(trial.get("later")),
    )
