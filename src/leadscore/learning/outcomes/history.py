"""What became of the firms, as the stores keep it and learning reads it: never erased, only added.

An entry says that a firm reached a stage on a day. Of several entries of one firm and stage the
latest is in force; one that is marked as withdrawn takes the stage back. A pursuit is one firm
from its first contact on.

Snapshots are firms as they were known on a day: canonical columns, then ``as_of`` (datetime64[us]),
``kept`` (datetime64[us, UTC]), ``model`` and ``source``.
"""

from __future__ import annotations

import pandas as pd

from leadscore.lists.values.vocabularies import STAGES

EVENTS: dict[str, str] = {
    "entry": "int64",
    "firm": "str",
    "credit_code": "str",
    "name": "str",
    "former_names": "str",
    "stage": "str",
    "day": "datetime64[us]",
    "reason": "str",
    "withdrawn": "bool",
    "recorded": "datetime64[us, UTC]",
    "source": "str",
    "sheet": "str",
    "row": "int64",
    "file": "str",
}
"""Columns of entries with their types.

``entry`` counts from 1 in the order of recording. ``firm`` is the key that all rows of one firm
share (see `leadscore.learning.outcomes.linking`); it is worked out when entries are read and never
stored.
``row`` of ``sheet`` in ``source`` is where the entry came from; ``file`` is the SHA-256 of that
file, in hex. ``former_names``, ``reason`` and ``sheet`` may be missing, and so may one of
``credit_code`` and ``name``.
"""

CONTACTS = ("contacted", "visited", "negotiating")
"""Stages at which somebody speaks with the firm; the earliest of their days is first contact."""

OUTCOMES = ("signed", "registered", "building", "producing")
"""Stages that a pursuit is for, in order; reaching a later one implies the earlier ones.

One of them is the target that forecasts are about.
"""


def in_force(events: pd.DataFrame) -> pd.DataFrame:
    """Return the entries that hold: the latest of each firm and stage, unless it takes it back.

    Parameters
    ----------
    events
        Columns ``firm``, ``stage`` and ``withdrawn`` at least, in the order of recording.
    """
    latest = events.drop_duplicates(["firm", "stage"], keep="last")
    return latest[~latest["withdrawn"]]


def stage_days(events: pd.DataFrame) -> pd.DataFrame:
    """Return the day on which each firm reached each stage: one row a firm, one column a stage.

    Parameters
    ----------
    events
        Columns of `EVENTS`, in the order of recording.

    Returns
    -------
    pandas.DataFrame
        Index ``firm``, sorted; columns are all of `STAGES`, datetime64[us], missing where a stage
        is not in force.
    """
    held = in_force(events)
    days = held.pivot(index="firm", columns="stage", values="day")
    return (
        days.reindex(columns=pd.Index(STAGES, name="stage")).astype("datetime64[us]").sort_index()
    )


def first_contact(days: pd.DataFrame) -> pd.Series:
    """Return the day of each firm's first contact, missing if there was none.

    Parameters
    ----------
    days
        As `stage_days` gives them.
    """
    return days[list(CONTACTS)].min(axis=1).astype("datetime64[us]").rename("contacted")
