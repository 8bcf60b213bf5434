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
from leadscore.text import room_words

WORDS = room_words("learning")


TITLE = WORDS["opening.title"]
_TILES = {
    "outcomes": WORDS["opening.tiles_outcomes"],
    "experts": WORDS["opening.tiles_experts"],
    "features": WORDS["opening.tiles_features"],
    "base": WORDS["opening.tiles_base"],
    "auc": WORDS["opening.tiles_auc"],
    "log_loss": WORDS["opening.tiles_log_loss"],
    "lift": WORDS["opening.tiles_lift"],
}


def banner(manifest: Mapping[str, Any], words: Wording) -> Html:
    """Return the head of the page."""
    found = verdict(manifest, words)
    return tag(
        "header",
        tag("p", words.say(WORDS["opening.eyebrow"]), class_="eyebrow"),
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
        return chip("! " + words.say(WORDS["opening.by_hand"]), "no")
    return (
        chip("✓ " + words.say(WORDS["opening.in"]), "yes")
        if found.promoted
        else chip("✗ " + words.say(WORDS["opening.out"]), "no")
    )


def about(manifest: Mapping[str, Any], tables: CardTables, words: Wording) -> Html:
    """Return the model in a few figures and facts."""
    tried = trial(manifest)
    said = [EXPERT_NOTE] if is_expert(manifest) else [] if tried else [UNTRIED_NOTE]
    return section(
        "about",
        words.say(WORDS["opening.about"]),
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
        words.say(WORDS["opening.decision"]),
        tag("p", tag("strong", said[:1].upper() + said[1:])),
        note(words.say(WORDS["opening.gates_say"])),
        tag("p", words.say(OVERRULED, reason=found.overruled)) if found.overruled else None,
        tag(
            "div",
            tag("ul", [_gate(gate, words) for gate in found.gates], class_="gates"),
            class_="box",
        ),
    )


def decision_name(words: Wording) -> str:
    """Return the heading of the decision."""
    return words.say(WORDS["opening.decision"])


def about_name(words: Wording) -> str:
    """Return the heading of the summary."""
    return words.say(WORDS["opening.about"])


def _gate(gate: Gate, words: Wording) -> Html:
    mark = (
        chip(words.say(WORDS["opening.passed"]), "yes")
        if gate.passed
        else chip(words.say(WORDS["opening.failed"]), "no")
    )
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
        rival = (
            words.say(WORDS["opening.rival"], value=theirs)
            if row.champion.value is not None
            else ""
        )
        big = words.say(WORDS["opening.times"], value=value) if key == "lift" else value
        label = words.say(_TILES[key], rival=rival, name=row.name)
        tiles.append(_tile(big, label))
    return tiles


def _tile(big: str, label: str) -> Html:
    return tag("div", tag("b", big), tag("span", label), class_="tile")
