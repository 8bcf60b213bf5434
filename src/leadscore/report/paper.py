"""A paper: sections of text, figures and tables, shown alike by page, Word and workbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, TypeAlias

from leadscore import numbers
from leadscore.text import Lang, read_words

WORDS = read_words(Path(__file__).with_name("paper.toml"))
NOTHING = "–"

FigureKind = Literal["likelihood", "share", "count", "points", "day", "tenths"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with how it is written; a workbook keeps the value, all others write the text."""

    value: float | date | None
    kind: FigureKind

    def text(self, lang: Lang) -> str:
        """Return it as people read it; a dash where it is missing.

        >>> Figure(0.352, "likelihood").text("zh"), Figure(None, "count").text("en")
        ('35.2%', '–')
        """
        if self.value is None:
            return NOTHING
        if isinstance(self.value, date):
            return numbers.day(self.value, lang)
        match self.kind:
            case "likelihood":
                return numbers.likelihood(self.value)
            case "share":
                return numbers.share(self.value)
            case "points":
                return numbers.points(self.value, 1)
            case "tenths":
                return f"{self.value:,.1f}"
        return numbers.count(self.value)


Cell: TypeAlias = str | Figure


def cell_text(cell: Cell, lang: Lang) -> str:
    """Return a cell as people read it."""
    return cell if isinstance(cell, str) else cell.text(lang)


@dataclass(frozen=True, slots=True)
class Lines:
    """Sentences below one another: ``plain``, as a list, or with a box to tick (``asked``)."""

    texts: Sequence[str]
    kind: Literal["plain", "listed", "asked"] = "plain"


@dataclass(frozen=True, slots=True)
class Figures:
    """The few figures that are read first: name, value, and what stands small behind it."""

    entries: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Chart:
    """What a workbook draws of a table: ``columns`` against the first; ``stacked`` bars of shares,
    or ``columns`` of counts."""

    columns: Sequence[int]
    kind: Literal["stacked", "columns"]


@dataclass(frozen=True, slots=True)
class Table:
    """A table under its headers; ``widths`` are parts of the line, ``merged`` says that a cell of
    the first column which repeats the one above is left empty where people read."""

    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    widths: Sequence[float]
    caption: str = ""
    merged: bool = False
    chart: Chart | None = None


@dataclass(frozen=True, slots=True)
class Space:
    """An empty frame to write into, so many millimetres high."""

    millimetres: int


Block: TypeAlias = Lines | Figures | Table | Space


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands under it, and in small letters where it comes from."""

    id: str
    heading: str
    blocks: Sequence[Block]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole paper in one language; ``lead`` stands under the title, ``warning`` in a frame.

    One with wide tables lies ``across`` its sheets.
    """

    lang: Lang
    title: str
    lead: str
    sections: Sequence[Section]
    footer: str
    warning: str = ""
    across: bool = False
