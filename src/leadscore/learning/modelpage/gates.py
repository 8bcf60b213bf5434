"""Whether a model was let in: its gates, their sentences, and the person who overruled them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadscore.learning.modelpage.facts import part
from leadscore.learning.modelpage.wording import Wording
from leadscore.text import room_words

WORDS = room_words("learning")


OVERRULED = WORDS["modelpage_gates.overruled"]


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate of the decision: whether it was passed, and a sentence that says why."""

    passed: bool
    sentence: str
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on a model.

    Attributes
    ----------
    promoted
        Whether it was let in by its gates.
    overruled
        The reason of the person who let it in all the same; "" if nobody did.
    gates
        In the order in which they were asked.
    """

    promoted: bool
    overruled: str
    gates: tuple[Gate, ...]


def verdict(manifest: Mapping[str, Any], words: Wording) -> Verdict | None:
    """Return the decision in the language, or None where none was taken."""
    decision = part(manifest, "decision")
    if not decision:
        return None
    gates = decision.get("gates")
    return Verdict(
        promoted=decision.get("promoted") is True,
        overruled=_spoken(decision.get("overruled"), words),
        gates=tuple(
            Gate(
                passed=gate.get("passed") is True,
                sentence=_spoken(gate.get("sentence"), words) or str(gate.get("id", "")),
                figures=part(gate, "figures"),
            )
            for gate in (gates if isinstance(gates, Sequence) else ())
            if isinstance(gate, Mapping)
        ),
    )


def headline(found: Verdict, words: Wording) -> str:
    """Return the decision in a line."""
    failed = sum(not gate.passed for gate in found.gates)
    if found.overruled:
        return words.say(WORDS["modelpage_gates.let_in"], all=len(found.gates), failed=failed)
    if found.promoted:
        return words.say(WORDS["modelpage_gates.promoted"], passed=len(found.gates))
    return words.say(WORDS["modelpage_gates.kept"], all=len(found.gates), failed=failed)


def _spoken(value: object, words: Wording) -> str:
    if isinstance(value, Mapping):
        return str(value.get(words.lang) or "")
    return str(value) if value else ""
