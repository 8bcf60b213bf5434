"""The industry class of a firm as a second witness beside its texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pandas as pd

from leadscore.city.arrays import IntArray
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
_NONE: Final = np.zeros(0, dtype=np.int64)
_CODE: Final = re.compile(r"^[a-z]?(\d{2,4})$")


class Classed(Protocol):
    """The classes of a segment, as `leadscore.city.Segment` has them."""

    @property
    def industry(self) -> tuple[str, ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Classes:
    """Which firms' classes speak for which segments: each pair once, by rising firm, segment.

    ``name`` is the class as the list writes it.
    """

    firm: IntArray
    segment: IntArray
    name: list[str]


class IndustryWitness:
    """Looks up industry classes; picklable.

    Parameters
    ----------
    segments
        By id, with the names or codes that speak for each. A code of GB/T 4754 also speaks
        for the codes below it; a name is compared whole, without the level marks of 申万 (Ⅱ, Ⅲ).
    """

    def __init__(self, segments: Mapping[str, Classed]) -> None:
        self._segments_of: dict[str, list[int]] = {}
        for position, segment in enumerate(segments.values()):
            for entry in segment.industry:
                self._segments_of.setdefault(_entry_form(entry), []).append(position)

    def speaks_for(self, firms: pd.DataFrame) -> Classes:
        """Look up the classes of a list of firms, whatever of `CLASS_COLUMNS` it has."""
        firm, segment, names = [_NONE], [_NONE], list[str]()
        for column in CLASS_COLUMNS:
            if column not in firms.columns:
                continue
            # A list has few different classes, so each is looked up once.
            codes, values = pd.factorize(firms[column])
            for number, value in enumerate(values):
                spoken = sorted(self._spoken_for(str(value)))
                rows = np.flatnonzero(codes == number) if spoken else _NONE
                firm.append(np.repeat(rows, len(spoken)))
                segment.append(np.tile(np.asarray(spoken, dtype=np.int64), len(rows)))
                names += [str(value)] * (len(rows) * len(spoken))
        pairs = np.stack([np.concatenate(firm), np.concatenate(segment)], axis=1)
        unique, where = np.unique(pairs, axis=0, return_index=True)
        return Classes(unique[:, 0], unique[:, 1], [names[i] for i in where])

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
