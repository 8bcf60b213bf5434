"""The decision on a challenger: gates with sentences that a person understands, kept as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from leadscore.errors import UsageError
from leadscore.language import Lang, Text

Figure = float | int | str | None


@dataclass(frozen=True)
class Gate:
    """One condition that a challenger has to meet.

    Attributes
    ----------
    id
        Stable name.
    passed
        Whether it is met; a condition that can't be told is not.
    sentence
        What was found, with its figures.
    figures
        The same for a program; None for what can't be told.
    """

    id: str
    passed: bool
    sentence: Text
    figures: Mapping[str, Figure]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        sentence = {"zh": self.sentence.zh, "en": self.sentence.en}
        figures = dict(self.figures)
        return {"id": self.id, "passed": self.passed, "sentence": sentence, "figures": figures}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Gate:
        """Build a gate from what `to_dict` returned."""
        return cls(data["id"], data["passed"], Text(**data["sentence"]), dict(data["figures"]))


@dataclass(frozen=True)
class Decision:
    """Whether the challenger replaces the champion, and why.

    Attributes
    ----------
    gates
        Every gate, passed or not.
    overruled
        The reason of a person who promotes it whatever the gates say; None if nobody did.
    """

    gates: tuple[Gate, ...]
    overruled: str | None = None

    def __post_init__(self) -> None:
        """Refuse a reason that says nothing."""
        if self.overruled is not None:
            if not self.overruled.strip():
                raise UsageError(_NO_REASON)
            vars(self)["overruled"] = self.overruled.strip()

    @property
    def promoted(self) -> bool:
        """Whether every gate is passed, or a person overruled them."""
        return self.overruled is not None or not self.failed

    @property
    def failed(self) -> tuple[Gate, ...]:
        """The gates that are not passed."""
        return tuple(gate for gate in self.gates if not gate.passed)

    def overrule(self, reason: str) -> Decision:
        """Return the decision of a person who promotes the challenger for a reason.

        Raises
        ------
        UsageError
            If the reason is blank.
        """
        return replace(self, overruled=reason)

    def render(self, lang: Lang) -> str:
        """Return the decision as lines: the outcome, then a sentence for each gate."""
        failed = len(self.failed)
        if self.overruled is not None:
            head = _OVERRULED.format(count=failed, reason=self.overruled)
        else:
            head = _REFUSED.format(count=failed) if failed else _PROMOTED
        lines = [f"{'✓' if gate.passed else '✗'} {gate.sentence.pick(lang)}" for gate in self.gates]
        return "\n".join([head.pick(lang), *lines])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` gives the decision back."""
        gates = [gate.to_dict() for gate in self.gates]
        return {"promoted": self.promoted, "gates": gates, "overruled": self.overruled}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Decision:
        """Build a decision from what `to_dict` returned."""
        return cls(tuple(Gate.from_dict(gate) for gate in data["gates"]), data["overruled"])


_PROMOTED = Text(
    zh="候选模型通过全部关口，接替现役模型。",
    en="The challenger passed every gate and replaces the champion.",
)
_REFUSED = Text(
    zh="候选模型有{count}道关口未过，现役模型继续服役。",
    en="The challenger failed {count} gate(s); the champion serves on.",
)
_OVERRULED = Text(
    zh="候选模型由人工决定接替现役模型（未过关口{count}道）。理由：{reason}",
    en="A person promoted the challenger ({count} gate(s) failed). Reason: {reason}",
)
_NO_REASON = Text(
    zh="人工晋级必须写明理由；请写一句话说明为什么不采纳关口的结论。",
    en="A promotion by hand needs a reason; say in a sentence why the gates do not count here.",
)
