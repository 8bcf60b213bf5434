"""What somebody says of a file that was misunderstood, as the address of its preview has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from leadscore.lists.files.header_places import UNREAD, HeaderPlace
from leadscore.lists.files.header_rows import HEADER_SEARCH
from leadscore.web.pages.form_fields import whole_number

COLUMN = "as:"
"""Start of the name of a field that says what a column means; the place or the header follows."""
NOT_READ = "-"
"""Value of such a field for a column that is not to be read."""

_MOST_COLUMNS, _LONGEST = 2_000, 1_000


@dataclass(frozen=True)
class Corrections:
    """What somebody said, as far as it belongs together.

    Attributes
    ----------
    sheet
        The only sheet to be read; empty if that was not said.
    row
        Row of the header; missing if it is to be found.
    columns
        Canonical columns, or `UNREAD`, by the places or headers of the columns.
    """

    sheet: str
    row: int | None
    columns: Mapping[str, str]

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Corrections:
        """Read the arguments of an address; what can't be is left out."""
        sheet, row = args.get("sheet", "")[:_LONGEST], _row(args.get("row", ""))
        found = columns_of(args.items())
        # Another sheet or row makes nonsense of what was said of columns.
        return cls(sheet, row, found if args.get("of", written(sheet, row)) == written(sheet, row)
                   else {})  # fmt: skip

    @property
    def place(self) -> HeaderPlace | None:
        """Where the header stands, as far as that was said."""
        return HeaderPlace(self.sheet, self.row, {}) if self.sheet or self.row else None

    @property
    def written(self) -> str:
        """Sheet and row, for a field that tells to what the columns belong."""
        return written(self.sheet, self.row)


def columns_of(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what the fields of a form say of columns; empty ones say nothing."""
    found = {
        name.removeprefix(COLUMN): UNREAD if value == NOT_READ else value
        for name, value in items
        if name.startswith(COLUMN) and value
    }
    return dict(list(found.items())[:_MOST_COLUMNS])


def written(sheet: str, row: int | None) -> str:
    """Return sheet and row as one text."""
    return f"{sheet}!{row or ''}"


def _row(text: str) -> int | None:
    number = whole_number(text, digits=2)
    return number if number and number <= HEADER_SEARCH else None
