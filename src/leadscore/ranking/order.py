"""The one order of a ranking, as bytes that sort alike in Python, SQLite and PostgreSQL.

Firms that may be courted come first, then the vetoed ones; among them the higher priority, then the
higher likelihood, then the higher fit, then the name and then the credit code by their Unicode code
points, a firm without a code after those that have one. Nothing else decides: neither the order of
rows and of imports nor the language of a database.
"""

from __future__ import annotations

import struct

_COMPARED = 400
"""Characters of a name that are compared; PostgreSQL keeps no longer keys in an index."""

_FRACTIONS = struct.Struct(">ddd")
_ALL_BITS = (1 << 8 * _FRACTIONS.size) - 1
_END, _MISSING = b"\x00", b"\xff"


def order_key(
    *,
    vetoed: bool,
    priority: float,
    likelihood: float,
    fit: float,
    name: str,
    credit_code: str | None,
) -> bytes:
    """Return what a firm is sorted by: the smaller key comes first in the ranking.

    Parameters
    ----------
    vetoed
        Whether something speaks against courting the firm.
    priority, likelihood, fit
        Each 0..1, exact to the last bit.
    name
        As it is shown; of a longer one the first 400 characters count.
    credit_code
        None if the firm has none.

    >>> firm = {"vetoed": False, "priority": 0.5, "likelihood": 0.6, "fit": 0.7}
    >>> first = order_key(**firm, name="甲", credit_code="9136")
    >>> first < order_key(**firm, name="甲", credit_code=None)
    True
    >>> first < order_key(**firm | {"fit": 0.8}, name="乙", credit_code=None)
    False
    """
    # The bits of doubles from 0 on rise with them; turned over they fall. UTF-8 sorts by code
    # point, and no text goes on with a byte that is smaller than its end.
    fractions = _FRACTIONS.pack(priority + 0.0, likelihood + 0.0, fit + 0.0)  # no minus zero
    falling = (int.from_bytes(fractions) ^ _ALL_BITS).to_bytes(_FRACTIONS.size)
    code = _MISSING if credit_code is None else credit_code.encode() + _END
    return bytes([vetoed]) + falling + name[:_COMPARED].encode() + _END + code


def is_vetoed(key: bytes) -> bool:
    """Tell whether a key is that of a vetoed firm."""
    return key >= b"\x01"
