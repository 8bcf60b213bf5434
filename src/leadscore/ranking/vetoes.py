"""Reasons not to court a firm at all; they stand beside the score and never change it."""

from __future__ import annotations

from dataclasses import dataclass

from leadscore.city.profile import City
from leadscore.features.firm import Firm, text_of
from leadscore.language import Text
from leadscore.lists.sameness.firm_names import normal_name_of

GONE = ("deregistered", "revoked", "liquidating")
"""Statuses of firms that no longer do business."""

COURTED = ("contacted", "visited", "negotiating", "signed", "registered", "building", "producing")
"""Stages at which somebody here is already talking to the firm, or has landed it."""

WORDING: dict[str, Text] = {
    "deregistered": Text(zh="已注销", en="deregistered"),
    "revoked": Text(zh="已吊销", en="licence revoked"),
    "liquidating": Text(zh="清算中", en="in liquidation"),
    "already_here": Text(zh="已在本市", en="already here"),
    "in_pursuit": Text(zh="已在跟进", en="already being courted"),
    "excluded": Text(zh="在排除名单上", en="on the exclusion list"),
}
"""Every veto in words; the keys are stable."""


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Firms that are not to be courted, by credit code and by normal form of the name."""

    credit_codes: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


class Vetoes:
    """Finds reasons not to court a firm, as a city has them.

    Parameters
    ----------
    city
        The city profile.
    """

    def __init__(self, city: City) -> None:
        names = (word for anchor in city.anchors for word in (anchor.name, *anchor.aliases))
        self._anchors = frozenset(normal_name_of(name) for name in names)
        self._division = city.division_code

    def first(self, firm: Firm, exclusions: Exclusions) -> str | None:
        """Return the first veto that holds for a firm, as a key of `WORDING`; None if none does.

        A firm counts as already here by its home, or if its whole name, or one that it bore before,
        is that of an anchor.
        """
        status = text_of(firm, "status")
        if status in GONE:
            return status
        names = _names(firm)
        if firm.get("credit_code") in exclusions.credit_codes or names & exclusions.names:
            return "excluded"
        home = text_of(firm, "city_code") or text_of(firm, "province_code") or ""
        if names & self._anchors or (self._division and home.startswith(self._division)):
            return "already_here"
        return "in_pursuit" if firm.get("stage") in COURTED else None


def _names(firm: Firm) -> set[str]:
    """Return the normal forms of the name that a firm bears and of those that it bore."""
    borne = [text_of(firm, "name"), *(text_of(firm, "former_names") or "").split(";")]
    return {normal_name_of(name) for name in borne if name}
