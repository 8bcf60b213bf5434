"""A sheet of what became of firms is read with the care that a list of candidates is read with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from leadscore.errors import Detail, ListError
from leadscore.language import Text
from leadscore.lists.files.texttable import RawList
from leadscore.lists.outcome_columns import lay_out_outcomes
from leadscore.lists.outcome_table import OutcomeTable
from leadscore.lists.problems import Problem, shown
from leadscore.lists.reading import read_list
from leadscore.lists.values.amounts import shipped_rates
from leadscore.lists.values.cells import Reader

_NO_OUTCOMES = Text(
    zh="{file} 看不出哪家企业在哪一天到了哪一步。请每行写一条进展，列名如：企业名称、"
    "统一社会信用代码、阶段、日期、原因；或每家企业一行，各阶段的日期各占一列，列名如：对接日期、签约日期、流失日期。",
    en="{file} does not say which firm reached which stage on which day. Write one outcome a row "
    "under headers such as firm, credit code, stage, date, reason; or one firm a row with a column "
    "of days for each stage, such as contacted on, signed on, lost on.",
)
_A_STAGE_AND_A_DAY = Text(zh="阶段列和日期列", en="a column of stages and one of days")
_SHEET_UNUSED = Text(
    zh="工作表“{sheet}”没有阶段和日期，未读取",
    en="sheet “{sheet}” has no stages with days and was not read",
)


@dataclass(frozen=True, eq=False)
class OutcomeList:
    """Entries of a file that can be taken as they stand, one by one.

    Attributes
    ----------
    entries
        Columns `leadscore.lists.outcome_table.ENTRY_COLUMNS`, in the order of the source; index
        ``0..n-1``. ``day`` is missing only where an entry is withdrawn.
    problems
        What was wrong; each entry that is not taken is set aside in exactly one of them.
    read
        Entries that were read: those taken and those set aside.
    notices
        What the owner should know about the file as a whole.
    """

    entries: pd.DataFrame
    problems: tuple[Problem, ...]
    read: int
    notices: tuple[Text, ...]


def load_outcomes(path: Path, *, today: date) -> OutcomeList:
    """Read a file of outcomes, with one row an outcome or one row a firm.

    One row an outcome: columns of firm, stage and day, perhaps of reason and of whether it is
    withdrawn. One row a firm: a column of days for each stage; where there is a column of the
    present stage as well, it counts if the stage has no day of its own.

    Parameters
    ----------
    path
        The file, as `leadscore.lists.reading.read_list` takes it.
    today
        Days after it are not believed.

    Raises
    ------
    ListError
        If the file can't be read, no column names firms, or none tells stages with their days.
    """
    raw = read_list(path)
    layouts = [lay_out_outcomes(table) for table in raw.tables]
    reader = Reader(today, shipped_rates())
    parts = [
        OutcomeTable(table, layout, reader)
        for table, layout in zip(raw.tables, layouts, strict=True)
        if layout.tells_outcomes
    ]
    if not parts:
        raise _no_outcomes(raw)
    entries = pd.concat([part.read() for part in parts], ignore_index=True)
    problems = [
        problem
        for part in parts
        for problem in sorted((*part.source.problems, *part.log.problems), key=_row_of)
    ]
    notices = [*raw.notices, *(notice for part in parts for notice in part.all_notices())]
    notices += [
        _SHEET_UNUSED.format(sheet=table.sheet)
        for table, layout in zip(raw.tables, layouts, strict=True)
        if not layout.tells_outcomes
    ]
    read = len(entries) + sum(problem.set_aside for problem in problems)
    return OutcomeList(entries, tuple(problems), read, tuple(dict.fromkeys(notices)))


def _row_of(problem: Problem) -> int:
    return -1 if problem.row is None else problem.row


def _no_outcomes(raw: RawList) -> ListError:
    details = [
        Detail(
            where=f"{raw.source}!{table.sheet}" if table.sheet else raw.source,
            got=shown("、".join(filter(None, table.headers))),
            wanted=_A_STAGE_AND_A_DAY,
        )
        for table in raw.tables
    ]
    return ListError(_NO_OUTCOMES.format(file=raw.source), details)
