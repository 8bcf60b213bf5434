"""What is wrong with whole columns is told cell by cell, but never without bound."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.language import Text
from leadscore.lists.problems import Problem, shown
from leadscore.lists.values.cell_faults import Mask
from leadscore.lists.values.personal import starred

MOST_OF_A_KIND = 10_000
"""Problems of one kind in one column that are told one by one; a notice counts the rest."""

FOUND_CHARACTERS = 40

_MORE = Text(
    zh="“{column}”另有 {count:,} 处同类问题（{code}），未逐一列出：{wanted}",
    en="“{column}” has {count:,} more problems of the kind {code}, not listed one by one: {wanted}",
)


def found_text(text: str) -> str:
    """Return what stands in a cell as a problem shows it: short, personal data starred out."""
    return shown(starred(text[: 2 * FOUND_CHARACTERS]), FOUND_CHARACTERS)


@dataclass
class ProblemLog:
    """Collects the problems of one table.

    Parameters
    ----------
    rows
        Row number in the source of each row that the masks speak of.
    sheet
        Name of the sheet, if any.
    """

    rows: NDArray[np.int64]
    sheet: str | None
    problems: list[Problem] = field(default_factory=list)
    notices: list[Text] = field(default_factory=list)

    def add(
        self,
        where: Mask,
        code: str,
        wanted: Text,
        *,
        column: str | None = None,
        cells: pd.Series | None = None,
        set_aside: bool = False,
    ) -> None:
        """Tell a problem for each row of the mask.

        Parameters
        ----------
        where
            The rows.
        code, wanted, column, set_aside
            As in `Problem`.
        cells
            What stands there; personal data in it is starred out.
        """
        at = np.flatnonzero(where)
        if not len(at):
            return
        if not set_aside and len(at) > MOST_OF_A_KIND:
            rest = len(at) - MOST_OF_A_KIND
            self.notices.append(_MORE.format(column=column, count=rest, code=code, wanted=wanted))
            at = at[:MOST_OF_A_KIND]
        found = [""] * len(at)
        if cells is not None:
            found = [found_text(text) for text in cells.iloc[at].fillna("")]
        self.problems.extend(
            Problem(int(row), column, what, wanted, code, self.sheet, set_aside)
            for row, what in zip(self.rows[at], found, strict=True)
        )
