"""Learns from what became of the firms: the additive card, its gates, and retraining."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadscore.learning.card import AdditiveCard

__all__ = ["AdditiveCard"]


def __getattr__(name: str) -> Any:
    """Import the estimator on first use: scikit-learn takes half a second, a look-up needs none."""
    if name == "AdditiveCard":
        from leadscore.learning.card import AdditiveCard

        return AdditiveCard
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
