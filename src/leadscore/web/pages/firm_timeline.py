"""How far a firm has come: every outcome that was ever entered, and what of it still counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Outcome = Mapping[str, Any]
"""As `leadscore.web.routes.firm_views.outcome_answer` has it, with its ``state`` and ``last``."""


def timeline(outcomes: Sequence[Outcome], asked: str) -> tuple[list[Outcome], Outcome | None]:
    """Return the outcomes of a firm for its page, and the one that was just entered.

    Parameters
    ----------
    outcomes
        In the order of recording.
    asked
        Number of the outcome that the address names as just entered; it is shown only while
        nothing was entered after it.

    Returns
    -------
    The outcomes, the latest day first. ``state`` is ``held``; ``withdrawn`` where the stage was
    taken back later; ``replaced`` where another day or reason was entered for it; ``withdrawal``
    for the entry that takes a stage back. ``last`` tells whether it is the last of its stage.
    """
    last = {each["stage"]: each["entry"] for each in outcomes}
    gone = {each["entry"] for each in outcomes if each["withdrawn"]}
    told = [
        dict(each, state=_state(each, last, gone), last=last[each["stage"]] == each["entry"])
        for each in outcomes
    ]
    newest = max(told, key=lambda each: each["entry"], default=None)
    recorded = newest if newest and str(newest["entry"]) == asked else None
    told.sort(key=lambda each: (each["day"], each["entry"]), reverse=True)
    return list(told), recorded


def _state(outcome: Outcome, last: Mapping[str, int], gone: set[int]) -> str:
    if outcome["withdrawn"]:
        return "withdrawal"
    if outcome["in_force"]:
        return "held"
    return "withdrawn" if last[outcome["stage"]] in gone else "replaced"
