"""A cell or a row that could not be taken as it stands is told to its owner, never swallowed."""

from __future__ import annotations

from dataclasses import dataclass

from leadscore.language import Text

SHOWN_CHARACTERS = 80
"""A found value longer than this is cut in messages: enough to recognise it, and fits a cell."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one cell or one row of a list.

    Attributes
    ----------
    row
        Row number in the source as a spreadsheet shows it (the first line is 1); missing if the
        whole list is meant.
    column
        Header as written in the source; missing if the whole row is meant.
    found
        What stands there, shortened by `shown`.
    wanted
        What is allowed there and what becomes of the cell or row otherwise.
    code
        Stable snake_case name of the kind, such as ``"bad_amount"`` or ``"totals_row"``.
    sheet
        Name of the sheet; missing for files without sheets.
    set_aside
        True exactly once for each row that is left out of the scoring.
    """

    row: int | None
    column: str | None
    found: str
    wanted: Text
    code: str
    sheet: str | None = None
    set_aside: bool = False


def shown(value: object, limit: int = SHOWN_CHARACTERS) -> str:
    r"""Return a value as one short printable line for a message.

    Control, bidirectional and zero-width characters, and halves of surrogate pairs, are written as
    escapes, so that what is shown is what stands there and any encoding can carry it.

    >>> shown("深圳\x00某某")
    '深圳\\x00某某'
    >>> shown("甲" * 100, limit=5)
    '甲甲甲甲…'
    """
    text = str(value)
    cut = text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"
    if cut.isprintable():
        return cut
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode("ascii")
        for mark in cut
    )
