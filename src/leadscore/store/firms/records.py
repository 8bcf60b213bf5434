"""What is known of a firm as one JSON object, with the digest by which it is known again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from leadscore.lists.columns import CANONICAL
from leadscore.store.engine.values import plain_values

Records = Sequence[tuple[str, dict[str, Any]]]
"""Digest and fields of each firm."""

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def field_records(firms: pd.DataFrame) -> Records:
    """Return the digest and the filled canonical columns of each firm, as JSON has them.

    Parameters
    ----------
    firms
        Canonical columns; others are left out.

    >>> from leadscore.lists.blank import blank_firms
    >>> firm = blank_firms(1).assign(name="甲", founded_on=pd.Timestamp(2016, 11, 1))
    >>> field_records(firm)[0][1]
    {'name': '甲', 'founded_on': '2016-11-01'}
    """
    filled = [each.name for each in CANONICAL if firms[each.name].notna().any()]
    columns = [_as_json(firms[name]) for name in filled]
    rows = zip(*columns, strict=True) if columns else [()] * len(firms)
    records = [
        {name: value for name, value in zip(filled, row, strict=True) if value is not None}
        for row in rows
    ]
    return [(_digest(_encode(record)), record) for record in records]


def _as_json(column: pd.Series) -> list[Any]:
    values = plain_values(column)
    if column.dtype.kind == "M":
        return [value.isoformat() if isinstance(value, date) else None for value in values]
    return values


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
