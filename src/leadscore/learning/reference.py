"""The reference card: what is true of landings everywhere, as points, widths and counts.

It is learned by ``benchmarks/landings.py`` from what listed firms say of their places, and stands
beneath the card of a city that asks for it. Of `expert` it is the half that no city writes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from leadscore.files import shipped
from leadscore.learning.scorecard import (
    CategoricalTable,
    Floats,
    NumericTable,
    Table,
    points_to_log_odds,
)


@dataclass(frozen=True, eq=False)
class Reference:
    """Tables by feature, and beside each entry how far it may be off.

    ``widths`` are standard deviations in log-odds and ``landings`` counts, in the order of the
    table's entries: bands or levels, (other,) unknown.
    """

    tables: Mapping[str, Table]
    widths: Mapping[str, Floats]
    landings: Mapping[str, Floats]

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Reference:
        """Build it from the tables ``feature`` of the file."""
        tables: dict[str, Table] = {}
        widths, landings = {}, {}
        for name, said in plain["feature"].items():
            entries = points_to_log_odds(np.array(said["points"], dtype=float))
            if "levels" in said:
                levels = tuple(said["levels"])
                other, unknown = float(entries[-2]), float(entries[-1])
                tables[name] = CategoricalTable(name, levels, entries[:-2], other, unknown)
            else:
                edges = np.array(said["edges"], dtype=float)
                tables[name] = NumericTable(name, edges, entries[:-1], float(entries[-1]))
            widths[name] = points_to_log_odds(np.array(said["widths"], dtype=float))
            landings[name] = np.array(said["landings"], dtype=float)
        return cls(tables, widths, landings)


@cache
def reference_card() -> Reference:
    """Return the card that is shipped as ``reference_card.toml``."""
    with shipped("reference_card.toml").open("rb") as file:
        return Reference.of(tomllib.load(file))
