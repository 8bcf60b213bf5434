"""What a column of a list is: how its cells are read and what its values are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leadscore.language import Text

Kind = Literal[
    "name", "former", "text", "list", "remark", "identifier", "credit_code", "status", "stage",
    "amount", "share", "count", "staff", "year", "date", "place", "division",
    "currency", "matched", "imported", "flag", "personal", "ignored",
]  # fmt: skip
"""How the cells of a column are read; the last row of kinds never becomes a column of firms."""

_PASSING = frozenset({"currency", "matched", "imported", "flag", "personal", "ignored"})
_NUMBERS = frozenset({"amount", "share", "count", "staff", "year"})


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical column.

    Attributes
    ----------
    name
        Canonical name; a unit that the values carry stands at its end.
    kind
        How its cells are read.
    label
        Short name for people.
    meaning
        What it holds, one sentence.
    aliases
        Headers that mean it, beside the name and the labels, in any spelling that
        `headings.normal_header` makes equal.
    """

    name: str
    kind: Kind
    label: Text
    meaning: Text
    aliases: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        """True if it becomes a column of firms."""
        return self.kind not in _PASSING

    @property
    def personal(self) -> bool:
        """True if it holds data about people, which is dropped at the door."""
        return self.kind == "personal"

    @property
    def unit(self) -> Literal["CNY", "fraction", "count", "year"] | None:
        """What its numbers count; missing if it holds none."""
        units: dict[Kind, Literal["CNY", "fraction", "count", "year"]] = {
            "amount": "CNY", "share": "fraction", "count": "count", "staff": "count", "year": "year"
        }  # fmt: skip
        return units.get(self.kind)

    @property
    def dtype(self) -> str:
        """The pandas dtype of its values."""
        if self.kind in _NUMBERS:
            return "float64"
        return "datetime64[us]" if self.kind == "date" else "str"
