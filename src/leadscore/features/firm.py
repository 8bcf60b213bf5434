"""A firm as features see it: what is known of it by canonical column."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TypeAlias

Value: TypeAlias = float | str | None
"""Value of a feature; None where it is missing."""
Firm: TypeAlias = Mapping[str, float | str | date | None]
"""Canonical columns, and ``as_of``; what is missing has no key."""


def number(firm: Firm, name: str) -> float | None:
    """Return a number that is known of a firm."""
    value = firm.get(name)
    return value if isinstance(value, float) else None


def text_of(firm: Firm, name: str) -> str | None:
    """Return a text that is known of a firm."""
    value = firm.get(name)
    return value if isinstance(value, str) else None
