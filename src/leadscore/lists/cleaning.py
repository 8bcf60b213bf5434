"""A text table becomes firms with types; whatever does not fit is told, and no row is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from leadscore.language import Text
from leadscore.lists.files.texttable import RawList
from leadscore.lists.headers.layout import lay_out
from leadscore.lists.problems import Problem
from leadscore.lists.values.amounts import shipped_rates
from leadscore.lists.values.cells import Reader
from leadscore.lists.values.table_cleaning import TableCleaner


@dataclass(frozen=True, eq=False)
class CleanList:
    """A list of firms whose values can be trusted.

    Attributes
    ----------
    firms
        One row a firm, index ``0..n-1``; all canonical columns, missing where the list lacks them,
        then ``row`` (int64, in the source) and ``sheet`` (text).
    problems
        What was wrong, in the order of the source.
    rows_in
        Data rows that were read: firms and rows that are set aside in problems.
    notices
        What the owner should know about the list as a whole.
    """

    firms: pd.DataFrame
    problems: tuple[Problem, ...]
    rows_in: int
    notices: tuple[Text, ...]


def clean(raw: RawList, *, today: date) -> CleanList:
    """Read every cell of a list.

    Personal data is dropped here. A row without a name is set aside; a cell that can't be read is
    missing and told in a problem. The same firm twice stays twice: see `identity.settle_repeats`.

    Parameters
    ----------
    raw
        The list as text.
    today
        Days after it are not believed.
    """
    reader = Reader(today, shipped_rates())
    tables = [
        TableCleaner(table, lay_out(table.headers, table.unit), reader) for table in raw.tables
    ]
    frames = [table.clean() for table in tables]
    problems: list[Problem] = []
    for table in tables:
        problems += sorted((*table.source.problems, *table.log.problems), key=_row_of)
    firms = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    set_aside = sum(problem.set_aside for problem in problems)
    notices = (*raw.notices, *(notice for table in tables for notice in table.all_notices()))
    return CleanList(firms, tuple(problems), len(firms) + set_aside, tuple(dict.fromkeys(notices)))


def _row_of(problem: Problem) -> int:
    return -1 if problem.row is None else problem.row
