"""The industry class of a firm as a second witness beside its texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from leadscore.city.chains import Segment
from leadscore.city.lexicon import normal_form

CLASS_COLUMNS: Final = (
    "industry",
    "industry_group",
    "industry_class",
    "vendor_industry_group",
    "vendor_industry_class",
    "sw_industry",
)
"""Columns that may hold a class narrow enough to speak for a segment."""

_SEPARATORS: Final = re.compile(r"[\s>/|;,、\-—]+")
_CODE: Final = re.compile(r"^[a-z]?(\d{2,4})$")


@dataclass(frozen=True, slots=True)
class Classes:
    """Which firms' classes speak for which segments: each pair once, by rising firm, segment.

    ``name`` is the class as the list writes it.
    """

    firm: list[int]
    segment: list[int]
    name: list[str]


class IndustryWitness:
    """Looks up industry classes; picklable.

    Parameters
    ----------
    segments
        By id, with the names or codes that speak for each. A code of GB/T 4754 also speaks
        for the codes below it; a name is compared whole, without the level marks of 申万 (Ⅱ, Ⅲ).
    """

    def __init__(self, segments: Mapping[str, Segment]) -> None:
        self._segments_of: dict[str, list[int]] = {}
        for position, segment in enumerate(segments.values()):
            for entry in segment.industry:
                self._segments_of.setdefault(_entry_form(entry), []).append(position)

    def speaks_for(self, columns: Mapping[str, Sequence[str | None]]) -> Classes:
        """Look up the classes of a list of firms, whatever of `CLASS_COLUMNS` it has."""
        spoken: dict[tuple[int, int], str] = {}
        known: dict[str, list[int]] = {}
        for column in CLASS_COLUMNS:
            for firm, value in enumerate(columns.get(column, ())):
                if value is None:
                    continue
                # A list has few different classes, so each is looked up once.
                if value not in known:
                    known[value] = sorted(self._spoken_for(value))
                for segment in known[value]:
                    spoken.setdefault((firm, segment), value)
        pairs = sorted(spoken)
        return Classes(
            [firm for firm, _ in pairs],
            [segment for _, segment in pairs],
            [spoken[pair] for pair in pairs],
        )

    def _spoken_for(self, value: str) -> set[int]:
        found: set[int] = set()
        for part in {value, *_SEPARATORS.split(value)}:
            form = _entry_form(part)
            stems = [form[:length] for length in range(2, len(form))] if form.isdigit() else []
            for stem in (form, *stems):
                found.update(self._segments_of.get(stem, ()))
        return found


def _entry_form(entry: str) -> str:
    """Return a class as it is compared: ``C3841`` and ``3841`` are one, as are 锂电池 and 锂电池Ⅲ.

    >>> _entry_form("C3841"), _entry_form("照明设备Ⅲ")
    ('3841', '照明设备')
    """
    form = normal_form(entry).strip()
    code = _CODE.match(form)
    return code.group(1) if code else re.sub(r"i{2,3}$", "", form)
