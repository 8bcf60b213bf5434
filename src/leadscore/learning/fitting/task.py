"""What a fit has to solve: the prior's tables, the rows that count, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadscore.learning.fitting.blocks import Block, make_block
from leadscore.learning.fitting.objective import Objective
from leadscore.learning.fitting.widths import Widths
from leadscore.learning.tables.columns import Column, Floats
from leadscore.learning.tables.scorecard import Table


@dataclass(frozen=True)
class Task:
    """The data of a fit, and the prior that it starts from.

    Attributes
    ----------
    tables, columns
        One of each per feature: what the prior says, and the n rows of positive weight.
    target, weight
        Shape (n,).
    intercept
        The prior's intercept, log-odds.
    directions
        By feature, 1 or -1 where one is known.
    rare_count
        A level of less weight has no entry of its own.
    """

    tables: tuple[Table, ...]
    columns: Sequence[Column]
    target: Floats
    weight: Floats
    intercept: float
    directions: Mapping[str, int]
    rare_count: float

    def blocks(self, max_bins: int) -> list[Block]:
        """Return the features with at most so many bins each."""
        return [
            make_block(
                table,
                column,
                self.weight,
                self.directions.get(table.feature, 0),
                max_bins,
                self.rare_count,
            )
            for table, column in zip(self.tables, self.columns, strict=True)
        ]

    def objective(self, blocks: Sequence[Block], widths: Widths) -> Objective:
        """Return what the best card minimises."""
        return Objective(blocks, self.target, self.weight, self.intercept, widths)
