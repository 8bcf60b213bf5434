"""Reads a written ranking back, as a program may that has only the description of the file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

_NUMBERS = {
    "rank": "Int64", "row": "int64",
    "priority": "float64", "likelihood": "float64", "likelihood_low": "float64",
    "likelihood_high": "float64", "fit": "float64",
}  # fmt: skip
_SPACES = "[ \t\n\u00a0\u2000-\u200b\u3000\ufeff]*"
_GUARDED = f"^'('*(?:{_SPACES}[=+\\-@＝＋－＠﹦﹢﹣﹫]|[\\t\\n]))"


def read_ranking_csv(path: Path) -> pd.DataFrame:
    """Return a ranking value for value: of an apostrophe before a formula exactly one is taken."""
    table = pd.read_csv(
        path, encoding="utf-8-sig", dtype="str", keep_default_na=False, na_values=[""]
    )
    table = table.astype({name: dtype for name, dtype in _NUMBERS.items() if name in table})
    for name in table.columns.difference(list(_NUMBERS)):
        table[name] = table[name].str.replace(_GUARDED, r"\1", regex=True)
    return table
