"""How the page opens: which model this is, what it learned from, and whether it was let in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.learning.modelpage import numbers
from leadscore.learning.modelpage.entries import CardTables
from leadscore.learning.modelpage.facts import (
    EXPERT_NOTE,
    UNTRIED_NOTE,
    city_name,
    facts,
    is_expert,
    kind,
    known_outcomes,
)
from leadscore.learning.modelpage.gates import OVERRULED, Gate, Verdict, headline, verdict
from leadscore.learning.modelpage.markup import Html, tag
from leadscore.learning.modelpage.measures import Trial, compared, compared_tops, trial
from leadscore.learning.modelpage.sheets import chip, definitions, note, section
from leadscore.learning.modelpage.wording import Wording
from leadscore.text import Text

TITLE = Text(zh="{city}落地可能性模型", en="{city}: the likelihood model")
_EYEBROW = Text(zh="leadscore · 模型说明", en="leadscore · model card")
_ABOUT = Text(zh="概要", en="About this model")
_DECISION = Text(zh="能否接替现役模型", en="The decision")
_PASSED = Text(zh="✓ 通过", en="✓ passed")
_FAILED = Text(zh="✗ 未过", en="✗ failed")
_IN = Text(zh="通过全部关口", en="promoted")
_OUT = Text(zh="未过关口", en="not promoted")
_BY_HAND = Text(zh="人工决定启用", en="promoted by a person")
_GATES_SAY = Text(
    zh="候选模型与现役模型在同一批后续跟进上比较，过了每一道关口才接替。",
    en="A challenger serves only if it passes every gate, on the same later pursuits as the "
    "champion.",
)
_TILES = {
    "outcomes": Text(
        zh="个已有结果的跟进，其中 {positive} 个达到目标",
        en="outcomes to learn from, {positive} of them positive",
    ),
    "experts": Text(
        zh="个跟进结果；分值全部由人填写", en="outcomes so far; people wrote all points"
    ),
    "features": Text(zh="项特征加分或减分", en="features that add or take points"),
    "base": Text(zh="各项均为 0 分时的可能性", en="likelihood where every feature is worth 0"),
    "auc": Text(zh="AUC{rival}", en="AUC{rival}"),
    "log_loss": Text(zh="对数损失{rival}，越低越好", en="log loss{rival}; lower is better"),
    "lift": Text(zh="{name}{rival}", en="{name}{rival}"),
}
_RIVAL = Text(zh="，现役为 {value}", en=", champion {value}")
_TIMES = Text(zh="{value} 倍", en="{value}×")


def banner(manifest: Mapping[str, Any], words: Wording) -> Html:
    """Return the head of the page."""
    found = verdict(manifest, words)
    return tag(
        "header",
        tag("p", words.say(_EYEBROW), class_="eyebrow"),
        tag("h1", words.say(TITLE, city=city_name(manifest, words))),
        tag(
            "p",
            tag("span", str(manifest.get("version") or ""), class_="version"),
            " ",
            chip(kind(manifest, words), "kind"),
            " ",
            status(found, words) if found else None,
        ),
    )


def status(found: Verdict, words: Wording) -> Html:
    """Return the decision in a word, with a sign that needs no colour."""
    if found.overruled:
        return chip("! " + words.say(_BY_HAND), "no")
    return (
        chip("✓ " + words.say(_IN), "yes") if found.promoted else chip("✗ " + words.say(_OUT), "no")
    )


def about(manifest: Mapping[str, Any], tables: CardTables, words: Wording) -> Html:
    """Return the model in a few figures and facts."""
    tried = trial(manifest)
    said = [EXPERT_NOTE] if is_expert(manifest) else [] if tried else [UNTRIED_NOTE]
    return section(
        "about",
        words.say(_ABOUT),
        *(note(words.say(each)) for each in said),
        tag("div", _tiles(manifest, tables, tried, words), class_="tiles"),
        tag("div", definitions(facts(manifest, words)), class_="box"),
    )


def decision(manifest: Mapping[str, Any], words: Wording) -> Html | None:
    """Return the gates with their sentences, or None where no decision was taken."""
    found = verdict(manifest, words)
    if found is None:
        return None
    said = headline(found, words)
    return section(
        "decision",
        words.say(_DECISION),
        tag("p", tag("strong", said[:1].upper() + said[1:])),
        note(words.say(_GATES_SAY)),
        tag("p", words.say(OVERRULED, reason=found.overruled)) if found.overruled else None,
        tag(
            "div",
            tag("ul", [_gate(gate, words) for gate in found.gates], class_="gates"),
            class_="box",
        ),
    )


def decision_name(words: Wording) -> str:
    """Return the heading of the decision."""
    return words.say(_DECISION)


def about_name(words: Wording) -> str:
    """Return the heading of the summary."""
    return words.say(_ABOUT)


def _gate(gate: Gate, words: Wording) -> Html:
    mark = chip(words.say(_PASSED), "yes") if gate.passed else chip(words.say(_FAILED), "no")
    return tag("li", mark, tag("span", gate.sentence))


def _tiles(
    manifest: Mapping[str, Any], tables: CardTables, tried: Trial | None, words: Wording
) -> list[Html]:
    known, positive = known_outcomes(manifest)
    if is_expert(manifest):
        tiles = [_tile(numbers.count(known), words.say(_TILES["experts"]))]
    else:
        said = words.say(_TILES["outcomes"], positive=numbers.count(positive))
        tiles = [_tile(numbers.count(known), said)]
    if tried is None:
        base = numbers.likelihood(numbers.chance(tables.base))
        return [
            *tiles,
            _tile(str(len(tables.features)), words.say(_TILES["features"])),
            _tile(base, words.say(_TILES["base"])),
        ]
    shown = {row.id: row for row in compared(tried, words)}
    lift = next((row for row in compared_tops(tried, words) if row.id.startswith("lift")), None)
    for key, row in (
        ("auc", shown.get("auc")),
        ("log_loss", shown.get("log_loss")),
        ("lift", lift),
    ):
        if row is None or row.challenger.value is None:
            continue
        value = row.challenger.shown(row.decimals, words.minus)[0]
        theirs = row.champion.shown(row.decimals, words.minus)[0]
        rival = words.say(_RIVAL, value=theirs) if row.champion.value is not None else ""
        big = words.say(_TIMES, value=value) if key == "lift" else value
        label = words.say(_TILES[key], rival=rival, name=row.name)
        tiles.append(_tile(big, label))
    return tiles


def _tile(big: str, label: str) -> Html:
    return tag("div", tag("b", big), tag("span", label), class_="tile")
