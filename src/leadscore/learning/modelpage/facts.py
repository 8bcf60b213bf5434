"""Where a model comes from: the facts that both renderings open with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.learning.labels import LEFT_OUT
from leadscore.learning.modelpage import numbers
from leadscore.learning.modelpage.wording import Wording
from leadscore.lists.values.words import STAGES
from leadscore.text import Text

EXPERT_NOTE = Text(
    zh="这张评分卡全部由人填写，写在城市画像里；尚未从任何跟进结果中学习，因此没有检验指标、"
    "没有区间，也没有结果数。有了跟进结果之后，重新训练会从这些分值出发，逐步修正。",
    en="People wrote every point of this card, in the city profile. It has learned from no outcome "
    "yet, so there are no measures, no bands and no counts to show. Once outcomes are there, "
    "retraining starts from these points and moves them as far as the outcomes say.",
)
UNTRIED_NOTE = Text(
    zh="没有检验指标：这次没有足够的后续跟进结果可供检验。",
    en="There are no measures: there were not enough later outcomes to try the model on.",
)
_KINDS = {
    "expert": Text(zh="专家评分卡", en="expert card"),
    "trained": Text(zh="训练的模型", en="learned from outcomes"),
}
_LABELS = {
    "version": Text(zh="版本", en="version"),
    "kind": Text(zh="类型", en="kind"),
    "city": Text(zh="城市", en="city"),
    "as_of": Text(zh="数据截至", en="as of"),
    "created": Text(zh="生成时间", en="created"),
    "target": Text(zh="预测目标", en="forecasts"),
    "outcomes": Text(zh="学习依据", en="learned from"),
    "contacted": Text(zh="首次对接期间", en="first contacts"),
    "left_out": Text(zh="未采用", en="left out"),
    "champion": Text(zh="对比的现役模型", en="compared with"),
    "trial": Text(zh="检验方式", en="tried on"),
}
_BOOSTED = Text(zh="（提升树）", en=" (boosted trees)")
_TARGET = Text(
    zh="首次对接后 {days} 天内达到“{stage}”", en="“{stage}” within {days} days of first contact"
)
_OUTCOMES = Text(
    zh="{known} 个已有结果的跟进，其中 {positive} 个达到目标",
    en="{known} outcomes, {positive} of them positive",
)
_OPEN = Text(zh="；另有 {open} 个尚在进行", en="; {open} more are still open")
_NO_OUTCOMES = Text(zh="0 个结果", en="0 outcomes")
_SPAN = Text(zh="{first} 至 {last}", en="{first} to {last}")
_TRIAL = Text(
    zh="先用 {split}之前的 {train} 个跟进学习，再用其后的 {later} 个检验",
    en="{later} pursuits from {split} on, after learning from the {train} before",
)
_LISTED = Text(zh="；", en="; ")
_REASON = Text(zh="{reason}：{count} 家", en="{reason} ({count})")


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
    return said + words.say(_BOOSTED) if manifest.get("family") == "boosted" else said


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
    return words.say(_TARGET, stage=named, days=numbers.count(days))


def part(mapping: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a mapping within a mapping; an empty one where there is none."""
    value = mapping.get(key)
    return value if isinstance(value, Mapping) else {}


def _outcomes(manifest: Mapping[str, Any], words: Wording) -> str:
    outcomes = part(manifest, "outcomes")
    if not outcomes:
        return words.say(_NO_OUTCOMES)
    known, positive = (numbers.count(outcomes.get(key)) for key in ("known", "positive"))
    said = words.say(_OUTCOMES, known=known, positive=positive)
    if outcomes.get("open"):
        said += words.say(_OPEN, open=numbers.count(outcomes["open"]))
    return said


def _contacted(manifest: Mapping[str, Any], words: Wording) -> str:
    outcomes = part(manifest, "outcomes")
    ends = outcomes.get("contacted_from"), outcomes.get("contacted_to")
    if not all(ends):
        return ""
    first, last = (numbers.day(end, words.lang) for end in ends)
    return words.say(_SPAN, first=first, last=last)


def _left_out(manifest: Mapping[str, Any], words: Wording) -> str:
    counts = part(part(manifest, "outcomes"), "left_out")
    return words.say(_LISTED).join(
        words.say(_REASON, reason=LEFT_OUT.get(str(why), why), count=numbers.count(n))
        for why, n in counts.items()
        if n
    )


def _trial(manifest: Mapping[str, Any], words: Wording) -> str:
    trial = part(manifest, "trial")
    if not trial.get("split"):
        return ""
    return words.say(
        _TRIAL,
        split=numbers.day(trial["split"], words.lang),
        train=numbers.count(trial.get("train")),
        later=numbers.count(trial.get("later")),
    )
