"""Finds pursuits that were entered twice under two keys: nobody is judged by what it has seen."""

from __future__ import annotations

import pandas as pd

from leadscore.features.company import TEXTS
from leadscore.learning.tables.columns import Truths

_TELLING = ["founded_on", "registered_capital_cny"]


def twins_of(firms: pd.DataFrame, after: Truths) -> Truths:
    """Tell which of the later firms look like one of the earlier ones under another key.

    They were founded on the same day with the same capital and say the same of their business, all
    three known. Sister firms may do so too, so this is a reason not to judge by them, and none to
    merge them.

    Parameters
    ----------
    firms
        n rows of canonical columns.
    after
        Shape (n,), True for the later firms.
    """
    business = firms[TEXTS[0]]
    for text in TEXTS[1:]:
        business = business.fillna(firms[text])
    traits = firms[_TELLING].assign(business=business)
    told = traits.notna().all(axis=1).to_numpy()
    keys = pd.Series(pd.util.hash_pandas_object(traits, index=False).to_numpy())
    twins: Truths = after & told & keys.isin(keys[~after & told]).to_numpy(dtype=bool)
    return twins
