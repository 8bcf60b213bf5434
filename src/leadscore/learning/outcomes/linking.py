"""One firm is named here by its code, there by a name: all its rows get one key."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.lists.identity import group_rows
from leadscore.lists.sameness.firm_names import normal_name

IDENTIFIERS = ("credit_code", "name", "former_names")
"""Columns by which a firm is known; each row has a valid code or a name."""


def firm_keys(*tables: pd.DataFrame) -> list[pd.Series]:
    """Return the key of each row of some tables, equal for all rows of one firm.

    Rows with one credit code are one firm; a row without a code is the firm that bears its name
    now, else the firm that bore it before (see `leadscore.lists.identity.group_rows`). A name that
    several codes bear links nothing.

    Parameters
    ----------
    *tables
        Each with the columns of `IDENTIFIERS`.

    Returns
    -------
    list of pandas.Series
        For each table the keys on its index: the credit code of the firm if one is known, else the
        first of its names in their normal form.

    >>> rows = {
    ...     "credit_code": ["91110000600037341L", None],
    ...     "name": ["甲（深圳）公司", "甲(深圳)公司"],
    ... }
    >>> frame = pd.DataFrame(rows, dtype="str").assign(
    ...     former_names=pd.Series([None] * 2, dtype="str")
    ... )
    >>> firm_keys(frame)[0].tolist()
    ['91110000600037341L', '91110000600037341L']
    """
    rows = pd.concat([table[list(IDENTIFIERS)] for table in tables], ignore_index=True)
    rows = rows.astype("str")
    # A firm has many rows that name it alike: each way to name it is looked at once.
    at, first = _ways(rows)
    different = rows.iloc[first].reset_index(drop=True)
    keys = _keys_of(different).take(at)
    bounds = np.cumsum([0, *(len(table) for table in tables)])
    return [
        pd.Series(keys.iloc[start:end].to_numpy(), index=table.index, dtype="str", name="firm")
        for table, start, end in zip(tables, bounds, bounds[1:], strict=False)
    ]


def _ways(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return which of the different rows each row is, and where each of these stands first."""
    number = np.zeros(len(rows), dtype=np.int64)
    for name in IDENTIFIERS:
        codes, different = pd.factorize(rows[name])
        number, _ = pd.factorize(number * (len(different) + 1) + codes + 1)
    _, first = np.unique(number, return_index=True)
    return number, first


def _keys_of(rows: pd.DataFrame) -> pd.Series:
    names = normal_name(rows["name"])
    groups = group_rows(rows, names).of_row
    code = rows["credit_code"].groupby(groups).transform("min")
    name = names.groupby(groups).transform("min")
    return code.astype("str").fillna(name.astype("str"))
