"""Features of where a firm comes from: region, neighbours, events, referrals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Literal

from leadscore.city.profile import City
from leadscore.features.feature import Firm, Value, text_of

# Words that may stand right before a name: verbs, prepositions, ordinals.
_BEFORE_A_NAME = "加展席会自过于在届年的由经被与和及"

MEETING_KINDS = ("conference", "fair", "matchmaking")
"""Kinds of events at which a city meets firms from elsewhere, unlike a breakfast with locals."""


class Origin:
    """Tells where firms come from, seen from one city.

    Parameters
    ----------
    city
        The city profile.
    """

    def __init__(self, city: City) -> None:
        targets = (code for region in city.target_regions for code in region.divisions)
        self._target_region = Divisions(targets)
        self._own_province = Divisions([city.division_code[:2]])
        self._neighbours = Divisions(each.division_code for each in city.neighbours)
        met_at = [event for event in city.events if event.kind in MEETING_KINDS]
        events = [(each.name.zh, each.name.en, *each.aliases) for each in met_at]
        anchors = [(each.name, *each.aliases) for each in city.anchors]
        self._events = Mentioned(chain.from_iterable(events))
        self._anchors = Mentioned(chain.from_iterable(anchors))

    def named(self, what: Literal["event", "referrer"], firm: Mapping[str, object]) -> str:
        """Return the city's event or the local anchor that a firm's cell names, as written there.

        Where the profile names it no longer, the whole cell; KeyError where there is none.
        """
        names, column = (
            (self._events, "event") if what == "event" else (self._anchors, "referred_by")
        )
        text = firm[column]
        if not isinstance(text, str):
            raise KeyError(column)
        return names.named(text) or text

    def features(self, firm: Firm) -> dict[str, Value]:
        """Return the flags of origin (0, 1 or missing)."""
        province = text_of(firm, "province_code")
        home = text_of(firm, "city_code") or province
        return {
            "target_region": self._target_region.hold(home),
            "same_province": self._own_province.hold(province),
            "neighbour_city": self._neighbours.hold(home),
            "event": self._events.within(text_of(firm, "event")),
            "referral": self._anchors.within(text_of(firm, "referred_by")),
        }


class Divisions:
    """A set of administrative divisions.

    Parameters
    ----------
    codes
        2 digits for a province, 4 or 6 below it; empty ones are passed over.
    """

    def __init__(self, codes: Iterable[str]) -> None:
        self._codes = tuple(code for code in codes if code)
        self._coarse = {code[:2] for code in self._codes if len(code) > 2}

    def hold(self, code: str | None) -> float | None:
        """Return whether a code lies in any of the divisions (1, 0; missing if it can't be told).

        ``code`` has 2 digits (province) or 4 (city). A firm of which only the province is known
        can't be told from a division inside that province.
        """
        if code is None or not self._codes:
            return None
        if code.startswith(self._codes):
            return 1.0
        return None if code in self._coarse else 0.0


class Mentioned:
    """Names that a text may mention.

    Parameters
    ----------
    words
        The names; empty ones are passed over.
    """

    def __init__(self, words: Iterable[str]) -> None:
        names = "|".join(re.escape(word) for word in words if word)
        before = f"(?:^|[^\\u4e00-\\u9fff]|[{_BEFORE_A_NAME}])"
        denied = "(?:未|没|拟|计划|将)[^，,；;。]{0,6}"
        self._named, self._denied = (
            re.compile(f"{start}({names})", re.IGNORECASE) if names else None
            for start in (before, denied)
        )

    def within(self, text: str | None) -> float | None:
        """Return whether a text names one of the words (1, 0; missing where there is no text).

        A word that is glued to another before it is part of another name (深圳光博会 is not
        光博会), and what was not or is only to be attended does not count.
        """
        if text is None or self._named is None:
            return None
        return float(self.named(text) is not None)

    def named(self, text: str) -> str | None:
        """Return the first of the words that a text names, as it is written there."""
        if self._named is None or self._denied is None or self._denied.search(text):
            return None
        match = self._named.search(text)
        return match[1] if match else None
