"""The rows of a list that had problems, each with its number and what is wrong, for a workbook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leadscore.language import Lang, Text
from leadscore.lists.output.mending import SheetToMend
from leadscore.lists.problems import Problem
from leadscore.store.lists.failed_rows import FailedRow

# No headers that mean a column: the mended file is read again, with these in it.
_ROW, _PROBLEM = Text(zh="原行号", en="original row"), Text(zh="问题", en="problem")
_SHEET = Text(zh="名单", en="list")
_FAULT = Text(
    zh="{column}现为“{found}”，应为：{wanted}", en="{column}found “{found}”, wanted: {wanted}"
)


def sheets_to_mend(
    rows: Sequence[FailedRow], problems: Iterable[Problem], lang: Lang
) -> list[SheetToMend]:
    """Return a sheet for each sheet of the source; without any row, one without rows."""
    faults: dict[tuple[str | None, int | None], list[str]] = {}
    for each in problems:
        column = f"{each.column}: " if each.column else ""
        words = _FAULT.pick(lang).format(
            column=column, found=each.found, wanted=each.wanted.pick(lang)
        )
        faults.setdefault((each.sheet, each.row), []).append(words)
    more = [_ROW.pick(lang), _PROBLEM.pick(lang)]
    sheets: list[tuple[str, list[str], list[list[str | None]]]] = []
    for row in rows:
        if row.row is None:
            headers = [cell or "" for cell in row.cells]
            sheets.append((row.sheet or _SHEET.pick(lang), headers + more, []))
            continue
        told = "\n".join(faults.get((row.sheet, row.row), []))
        sheets[-1][2].append([*row.cells, str(row.row), told])
    found = [SheetToMend(*sheet) for sheet in sheets]
    return found or [SheetToMend(_SHEET.pick(lang), more, [])]
