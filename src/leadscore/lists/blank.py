"""The table of firms in which nothing is known yet: every canonical column with its type."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.lists.columns import CANONICAL


def blank_firms(count: int) -> pd.DataFrame:
    """Return ``count`` rows of all canonical columns, all missing, numbered from 0.

    >>> blank_firms(2)["name"].tolist()
    [nan, nan]
    """
    index = pd.RangeIndex(count)
    empty = {
        each.name: pd.Series(
            pd.NaT if each.dtype.startswith("datetime") else np.nan, index=index, dtype=each.dtype
        )
        for each in CANONICAL
    }
    return pd.DataFrame(empty, index=index)
