"""The logistic function, as precise as floats allow."""

from __future__ import annotations

import numpy as np

from leadscore.learning.tables.columns import Floats


def probability(log_odds: Floats) -> Floats:
    """Return the logistic function, without overflow and precise near zero.

    >>> probability(np.array([-800.0, 0.0, 800.0]))
    array([0. , 0.5, 1. ])
    """
    return np.exp(-np.logaddexp(0.0, -log_odds))
