"""A firm as features see it: its known values by canonical column, taken from a row or a record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from leadscore.lists.columns import CANONICAL

Value: TypeAlias = float | str | None
"""Value of a feature; None where it is missing."""
Firm: TypeAlias = Mapping[str, float | str | date | None]
"""Canonical columns, and ``as_of``; what is missing has no key."""

_DTYPES = {each.name: each.dtype for each in CANONICAL} | {"as_of": "datetime64[us]"}


def number(firm: Firm, name: str) -> float | None:
    """Return a number that is known of a firm."""
    value = firm.get(name)
    return value if isinstance(value, float) else None


def text_of(firm: Firm, name: str) -> str | None:
    """Return a text that is known of a firm."""
    value = firm.get(name)
    return value if isinstance(value, str) else None


def rows_of(firms: pd.DataFrame) -> list[Firm]:
    """Return each row of a table of firms, with what is known only.

    Parameters
    ----------
    firms
        Canonical columns, any of them, and ``as_of``; others are passed over.
    """
    known = {name: _values(firms[name], _DTYPES[name]) for name in _DTYPES if name in firms.columns}
    rows: list[Any] = [{} for _ in range(len(firms))]
    for name, values in known.items():
        for row, value in zip(rows, values, strict=True):
            if value is not None:
                row[name] = value
    return rows


def _values(column: pd.Series, dtype: str) -> list[Any]:
    """Return the values of a column, None where one is missing."""
    present = column.notna().to_numpy(dtype=bool)
    if not present.any():
        return [None] * len(column)
    typed = column.astype(dtype)  # type: ignore[call-overload]
    values = typed.to_numpy(dtype="datetime64[D]").astype(object) if "date" in dtype else typed
    plain = np.empty(len(column), dtype=object)
    plain[present] = np.asarray(values, dtype=object)[present]
    listed: list[Any] = plain.tolist()
    return listed
