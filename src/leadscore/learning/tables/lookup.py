"""Finds the bins of many numbers at once, several times as fast as numpy's sorted search.

`numpy.searchsorted` branches at every step of every search, and processors guess those branches
wrong half of the time. Taking each step for a whole block of numbers at once has no branches.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from leadscore.learning.tables.columns import Codes, Floats

# A block of numbers, its positions and one temporary fit into the first two caches.
_BLOCK = 8192

_Entry = TypeVar("_Entry", np.float64, np.intp)


def bin_codes(x: Floats, edges: Floats) -> Codes:
    """Return the bin of each number: how many edges lie at or below it.

    Parameters
    ----------
    x
        Shape (n,); NaN and infinities are welcome.
    edges
        Shape (k,), finite and rising.

    Returns
    -------
    Shape (n,); 0..k, and k + 1 for NaN.

    >>> bin_codes(np.array([-np.inf, 1.0, 1.5, np.inf, np.nan]), np.array([1.0, 2.0])).tolist()
    [0, 1, 1, 2, 3]
    """
    entries = np.arange(len(edges) + 2)
    return _search(x, edges, entries)


def lookup_numbers(x: Floats, edges: Floats, entries: Floats) -> Floats:
    """Return the entry of each number's bin; ``entries`` has shape (k + 2,), the last for NaN.

    >>> lookup_numbers(np.array([0.5, np.nan]), np.array([1.0]), np.array([-0.2, 0.3, 0.1]))
    array([-0.2,  0.1])
    """
    return _search(x, edges, entries)


def _search(x: Floats, edges: Floats, entries: NDArray[_Entry]) -> NDArray[_Entry]:
    k = len(edges)
    size = 1 << k.bit_length()  # a power of two above k
    padded = np.full(size, np.inf)
    padded[:k] = edges
    places = np.full(size + 1, entries[k])  # infinity passes the padding and lands past bin k
    places[:k] = entries[:k]
    places[size] = entries[k + 1]
    found = np.empty(len(x), dtype=entries.dtype)
    for start in range(0, len(x), _BLOCK):
        block = x[start : start + _BLOCK]
        at = np.zeros(len(block), dtype=np.intp)
        step = size >> 1
        while step:
            at += (block >= padded[step - 1 :][at]) * step
            step >>= 1
        at[np.isnan(block)] = size
        found[start : start + _BLOCK] = places[at]
    return found
