"""Which columns the ranking shows beside rank and firm, and what they are called in its files."""

from __future__ import annotations

from collections.abc import Iterable

COLUMNS: dict[str, tuple[str, ...]] = {
    "credit_code": ("credit_code",),
    "reason": ("reasons",),
    "segment": ("segment_name", "role_name"),
    "place": ("province", "city"),
    "grade": ("grade",),
    "priority": ("priority",),
    "likelihood": ("likelihood",),
    "fit": ("fit",),
    "stage": ("stage",),
    "model": ("model",),
}
"""The columns that can be chosen, in their order, with those of a file."""

USUAL_COLUMNS = ("reason", "segment", "grade", "priority", "likelihood", "fit", "stage")

_NONE = "none"


def read_columns(text: str | None) -> tuple[str, ...] | None:
    """Return the columns that a text names; None if it names none that there is.

    >>> read_columns("fit,grade,odd"), read_columns("none"), read_columns("odd"), read_columns(None)
    (('grade', 'fit'), (), None, None)
    """
    if text == _NONE:
        return ()
    named = set((text or "").split(","))
    return tuple(name for name in COLUMNS if name in named) or None


def columns_text(columns: Iterable[str]) -> str:
    """Return columns as an address has them; `read_columns` reads it.

    >>> columns_text(("fit", "grade")), columns_text(())
    ('grade,fit', 'none')
    """
    named = set(columns)
    return ",".join(name for name in COLUMNS if name in named) or _NONE


def file_columns(columns: Iterable[str]) -> str:
    """Return the columns of a file that holds what the page shows: rank, firm and veto always.

    >>> file_columns(["segment", "fit"])
    'rank,name,segment_name,role_name,fit,veto'
    """
    chosen = [each for name in columns for each in COLUMNS[name]]
    return ",".join(("rank", "name", *chosen, "veto"))
