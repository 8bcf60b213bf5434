"""What an auditor asks for: hashes, libraries, settings, and the figures behind each gate."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from leadscore.learning.modelpage.facts import part
from leadscore.learning.modelpage.markup import Html, tag
from leadscore.learning.modelpage.sheets import folded, note, section, table
from leadscore.learning.modelpage.wording import Wording
from leadscore.text import Text

HEADING = Text(zh="供审核", en="For auditors")
_SAYS = Text(
    zh="名称和数字与模型清单（manifest.json）中的完全一致。",
    en="Names and figures are as the manifest of the model (manifest.json) has them.",
)
_PARTS = {
    "artefact": Text(zh="模型文件", en="Artefact"),
    "city": Text(zh="城市画像", en="City profile"),
    "training": Text(zh="训练数据的指纹", en="Fingerprints of the training data"),
    "trial": Text(zh="检验", en="Trial"),
    "settings": Text(zh="设置", en="Settings"),
    "libraries": Text(zh="软件版本", en="Libraries"),
}
_FIGURES = Text(zh="各项检查的数字", en="Figures of the gates")
_KEY = Text(zh="名称", en="name")
_VALUE = Text(zh="值", en="value")


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
    parts.append((words.say(_FIGURES), figures))
    return section(
        "audit",
        words.say(HEADING),
        note(words.say(_SAYS)),
        tag("div", [_sheet(name, rows, words) for name, rows in parts if rows], class_="box"),
    )


def _sheet(name: str, rows: list[tuple[str, str]], words: Wording) -> Html:
    cells: list[list[Html | str]] = [[tag("code", key), tag("code", value)] for key, value in rows]
    return folded(name, table(name, [words.say(_KEY), words.say(_VALUE)], cells, words_in=2))


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted keys with their values as JSON writes them, texts bare."""
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, str):
            yield f"{prefix}{key}", value
        else:
            yield f"{prefix}{key}", json.dumps(value, ensure_ascii=False, default=str)
