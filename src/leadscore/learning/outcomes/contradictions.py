"""Histories that can't be true: an outcome before first contact, anything after a firm was lost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.learning.outcomes.history import (
    CONTACTS,
    OUTCOMES,
    first_contact,
    in_force,
    stage_days,
)
from leadscore.lists.values.vocabularies import STAGES

Mask = NDArray[np.bool_]

Blame = tuple[Mask, str, str, pd.Series, pd.Series]
"""Firms, the stage whose entry is blamed, why, and the stage and day that speak against it."""


def contradictions(history: pd.DataFrame, entries: pd.DataFrame) -> pd.DataFrame:
    """Return which new entries, added to a history, make it impossible.

    Of two entries that can't both be true the new one is blamed; if both are new, the outcome that
    lies before first contact, or what comes after the loss (an outcome also on its day). A first
    of a month may stand for its whole month. Nothing is said of a history that was impossible
    without the new entries.

    Parameters
    ----------
    history, entries
        Columns ``firm``, ``stage``, ``day`` and ``withdrawn``; entries are recorded later.

    Returns
    -------
    pandas.DataFrame
        Columns ``firm``, ``stage``, ``code``, ``other_stage``, ``other_day``; one row for each
        blamed pair of firm and stage.
    """
    columns = ["firm", "stage", "day", "withdrawn"]
    touched = history[history["firm"].isin(entries["firm"])]
    both = pd.concat(
        [touched[columns].assign(new=False), entries[columns].assign(new=True)], ignore_index=True
    )
    days = stage_days(both)
    new = in_force(both).pivot(index="firm", columns="stage", values="new")
    new = new.reindex(index=days.index, columns=days.columns).eq(other=True)
    parts = [
        pd.DataFrame(
            {
                "firm": days.index[where],
                "stage": stage,
                "code": code,
                "other_stage": other_stage[where].to_numpy(),
                "other_day": other_day[where].to_numpy(),
            }
        )
        for where, stage, code, other_stage, other_day in (
            *_after_loss(days, new),
            *_before_contact(days, new),
        )
        if where.any()
    ]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)
    return found.drop_duplicates(["firm", "stage"], ignore_index=True)


_COLUMNS = ["firm", "stage", "code", "other_stage", "other_day"]


def _after_loss(days: pd.DataFrame, new: pd.DataFrame) -> Iterator[Blame]:
    lost = days["lost"]
    for stage in STAGES:
        after = (days[stage] > lost) & ~may_be(lost, days[stage])
        # On one day a firm is either won or lost; it may well be met and lost.
        wrong = (after | (days[stage] == lost) if stage in OUTCOMES else after).to_numpy()
        this, that = new[stage].to_numpy(), new["lost"].to_numpy()
        yield wrong & this, stage, "after_loss", _same(days, "lost"), lost
        yield wrong & ~this & that, "lost", "lost_before", _same(days, stage), days[stage]


def _before_contact(days: pd.DataFrame, new: pd.DataFrame) -> Iterator[Blame]:
    contact = first_contact(days)
    first = days[list(CONTACTS)].eq(contact, axis=0).idxmax(axis=1).astype("str")
    for stage in OUTCOMES:
        wrong = ((days[stage] < contact) & ~may_be(days[stage], contact)).to_numpy()
        this = new[stage].to_numpy()
        yield wrong & this, stage, "before_contact", first, contact
        for each in CONTACTS:
            late = (days[each] > days[stage]).to_numpy() & new[each].to_numpy()
            yield wrong & ~this & late, each, "after_outcome", _same(days, stage), days[stage]


def _same(days: pd.DataFrame, stage: str) -> pd.Series:
    return pd.Series(stage, index=days.index, dtype="str")


def may_be(rough: pd.Series, day: pd.Series) -> pd.Series:
    """Tell where a first of a month may stand for the whole month in which another day lies.

    Officers write 2024年3月, which is kept as the first of March.

    >>> days = pd.Series(pd.to_datetime(["2024-03-01", "2024-03-02"]))
    >>> may_be(days, pd.Series(pd.to_datetime(["2024-03-20", "2024-03-20"]))).tolist()
    [True, False]
    """
    month = day.to_numpy().astype("datetime64[M]").astype("datetime64[us]")
    return pd.Series(rough.to_numpy() == month, index=rough.index)
