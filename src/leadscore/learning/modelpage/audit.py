"""What an auditor asks for: hashes, libraries, settings, and the figures behind each gate."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from leadscore.learning.modelpage.facts import part
from leadscore.learning.modelpage.markup import Html, tag
from leadscore.learning.modelpage.sheets import folded, note, section, table
from leadscore.learning.modelpage.wording import Wording
from leadscore.text import room_words

WORDS = room_words("learning")


HEADING = WORDS["audit.heading"]
_PARTS = {
    "artefact": WORDS["audit.parts_artefact"],
    "city": WORDS["audit.parts_city"],
    "training": WORDS["audit.parts_training"],
    "trial": WORDS["audit.parts_trial"],
    "settings": WORDS["audit.parts_settings"],
    "libraries": WORDS["audit.parts_libraries"],
}


def audit_section(manifest: Mapping[str, Any], words: Wording) -> Html:
    """Return the parts of the manifest that prove where the model comes from."""
    parts = [(words.say(name), list(_flat(part(manifest, key)))) for key, name in _PARTS.items()]
    gates = part(manifest, "decision").get("gates")
    figures = [
        (f"{gate.get('id')}{key}", value)
        for gate in (gates if isinstance(gates, list) else [])
        if isinstance(gate, Mapping)
        for key, value in _flat(part(gate, "figures"), ".")
    ]
    parts.append((words.say(WORDS["audit.figures"]), figures))
    return section(
        "audit",
        words.say(HEADING),
        note(words.say(WORDS["audit.says"])),
        tag("div", [_sheet(name, rows, words) for name, rows in parts if rows], class_="box"),
    )


def _sheet(name: str, rows: list[tuple[str, str]], words: Wording) -> Html:
    cells: list[list[Html | str]] = [[tag("code", key), tag("code", value)] for key, value in rows]
    return folded(
        name,
        table(
            name,
            [words.say(WORDS["audit.key"]), words.say(WORDS["audit.value"])],
            cells,
            words_in=2,
        ),
    )


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted keys with their values as JSON writes them, texts bare."""
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, str):
            yield f"{prefix}{key}", value
        else:
            yield f"{prefix}{key}", json.dumps(value, ensure_ascii=False, default=str)
