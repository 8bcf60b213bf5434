"""Says how champions follow one another: what a change of champion is, and what it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal, get_args

from leadscore.learning.shelf.folder import is_name

Act = Literal["expert", "trained", "by_hand", "rolled_back", "profile"]
"""How a version came to serve: as the expert model, by retraining, by a person, by going back, or
as the champion's own card under a profile that says another supply."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """One change of champion.

    Attributes
    ----------
    when
        Aware time.
    version
        What serves from then on.
    act
        How it came to that.
    reason
        What a person gave as the reason, if any did.
    previous
        What served until then, or None if nothing did.
    """

    when: datetime
    version: str
    act: Act
    reason: str | None
    previous: str | None

    def to_line(self) -> str:
        """Return it as a line of JSON that a person can read."""
        plain = {**asdict(self), "when": self.when.isoformat(timespec="seconds")}
        return json.dumps(plain, ensure_ascii=False)

    @classmethod
    def from_line(cls, line: str) -> Promotion:
        """Return what `to_line` wrote.

        Raises
        ------
        ValueError
            If the line was cut short, or changed to what it can't be.
        """
        plain = json.loads(line)
        if not isinstance(plain, dict) or not plain.keys() >= set(cls.__slots__):
            raise ValueError(line)
        when, version, act, reason, previous = (plain[name] for name in cls.__slots__)
        names = is_name(version) and (previous is None or is_name(previous))
        if not names or act not in get_args(Act) or not isinstance(reason, str | None):
            raise ValueError(line)
        said = None if reason is None else in_one_line(reason)
        return cls(datetime.fromisoformat(when), version, act, said, previous)


def in_one_line(reason: str) -> str:
    r"""Return what a person wrote without what a terminal might obey.

    >>> in_one_line("the fair\n was\x1b[2J late ")
    'the fair was[2J late'
    """
    return " ".join("".join(c for c in reason if c.isprintable() or c.isspace()).split())


def is_expert(city_id: str, version: str) -> bool:
    """Tell by its name whether a version is an expert model of a city."""
    return version.startswith(f"{city_id}-expert-")


def succession(city_id: str, history: Iterable[Promotion]) -> list[str]:
    """Return the champions that a history leaves, each on top of the one to go back to.

    Going back takes champions off, so that going back twice leads further back. An expert model
    takes the place of an older one: that belongs to a profile or a program that is gone. So does a
    champion under a changed profile.
    """
    stack: list[str] = []
    for step in history:
        if step.previous is not None:
            uncover(stack, step.previous)
        if step.act == "rolled_back":
            del stack[-1:]
            if step.version not in stack:
                stack.clear()
            uncover(stack, step.version)
            continue
        if step.act == "profile" or (step.act == "expert" and _expert_on_top(city_id, stack)):
            del stack[-1:]
        if stack[-1:] != [step.version]:
            stack.append(step.version)
    return stack


def _expert_on_top(city_id: str, stack: list[str]) -> bool:
    return bool(stack) and is_expert(city_id, stack[-1])


def uncover(stack: list[str], version: str) -> None:
    """Take off what lies on a version, whose change was never made; put it on if it is missing."""
    while version in stack and stack[-1] != version:
        stack.pop()
    if not stack or stack[-1] != version:
        stack.append(version)
