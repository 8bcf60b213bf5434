"""What pursuits teach as of a day: labels and features, measured once for every fit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from leadscore.features.build import FirmFeatures
from leadscore.learning.outcomes.labels import TrainingSet, label_pursuits, training_set
from leadscore.learning.outcomes.linking import firm_keys
from leadscore.learning.tables.columns import Floats, Truths

MEASURED_AT_ONCE = 5_000
"""Firms whose features are measured at a time: bounds the memory."""

MOST_STANDING = 20_000
"""Of a longer standing list the firms that were scored last stand for all."""


@dataclass(frozen=True)
class Rules:
    """What is forecast, and how models are made of what is known.

    Attributes
    ----------
    target
        The stage that is to be reached, one of `leadscore.learning.outcomes.history.OUTCOMES`.
    horizon_days
        Days after first contact within which it counts.
    prior_strength
        For how many outcomes the experts' word counts.
    seed
        Where the draws of intervals start.
    """

    target: str = "signed"
    horizon_days: int = 365
    prior_strength: float = 50.0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Lessons:
    """All that can be learned from; n pursuits by first contact, then the firm's key.

    Attributes
    ----------
    taught
        The pursuits with their labels as of today.
    X
        Their features, from the snapshots before first contact.
    events
        Every entry, with ``firm`` on the same keys.
    standing, standing_features
        The standing list: every firm that was ever scored as it was last known, and its features.
    as_of, rules
        What the labels are about.
    """

    taught: TrainingSet
    X: pd.DataFrame
    events: pd.DataFrame
    snapshots: pd.DataFrame
    standing: pd.DataFrame
    standing_features: pd.DataFrame
    as_of: date
    rules: Rules

    @property
    def firm(self) -> pd.Series:
        """Keys of the firms."""
        return self.taught.firm

    @property
    def contacted(self) -> pd.Series:
        """Day of first contact."""
        return self.taught.contacted

    @property
    def y(self) -> Floats:
        """1, 0, or missing while a pursuit is open."""
        return self.taught.y.to_numpy(dtype=float)

    @property
    def weight(self) -> Floats:
        """How many pursuits each known label stands for, 0 where it is missing."""
        return self.taught.weight.to_numpy(dtype=float)

    @property
    def known(self) -> Truths:
        """Where the outcome is known."""
        known: Truths = ~np.isnan(self.y)
        return known

    def labels(self, rows: Truths, as_of: date) -> tuple[Floats, Floats]:
        """Return label and weight of each pursuit; missing and 0 outside ``rows``.

        The weights make up for what is open among these rows, as of that day.
        """
        some = self.events[self.events["firm"].isin(self.firm[rows])]
        rules = self.rules
        labels = label_pursuits(
            some, as_of=as_of, target=rules.target, horizon_days=rules.horizon_days
        )
        table = labels.table.set_index("firm").reindex(self.firm)
        y, weight = (table[name].to_numpy(dtype=float) for name in ("label", "weight"))
        return np.where(rows, y, np.nan), np.where(rows & ~np.isnan(y), weight, 0.0)


def gather(
    features: FirmFeatures,
    events: pd.DataFrame,
    snapshots: pd.DataFrame,
    *,
    as_of: date,
    rules: Rules,
) -> Lessons:
    """Return what is known as of a day, in an order that the order of rows can't change.

    Parameters
    ----------
    features
        Measures firms, fitted.
    events, snapshots
        See `leadscore.learning.outcomes.history`; snapshots of later days are left out.
    as_of
        What happened later is not known.
    rules
        What the labels are about.
    """
    snapshots = snapshots[(snapshots["as_of"] <= pd.Timestamp(as_of)).to_numpy()]
    order = ["as_of", "kept", "source", "credit_code", "name"]
    snapshots = snapshots.sort_values(order, kind="stable", ignore_index=True)
    events = events.sort_values("entry", kind="stable", ignore_index=True)
    taught = training_set(
        events, snapshots, as_of=as_of, target=rules.target, horizon_days=rules.horizon_days
    )
    of_event, of_snapshot = firm_keys(events, snapshots)
    latest = ~of_snapshot.duplicated(keep="last").to_numpy()
    standing = snapshots[latest].tail(MOST_STANDING).reset_index(drop=True)
    return Lessons(
        taught=taught,
        X=measured(features, taught.firms),
        events=events.assign(firm=of_event),
        snapshots=snapshots,
        standing=standing,
        standing_features=measured(features, standing),
        as_of=as_of,
        rules=rules,
    )


def measured(features: FirmFeatures, firms: pd.DataFrame) -> pd.DataFrame:
    """Return the features of firms, a bounded number at a time; numbered from 0."""
    starts = range(0, max(len(firms), 1), MEASURED_AT_ONCE)
    parts = [features.transform(firms.iloc[at : at + MEASURED_AT_ONCE]) for at in starts]
    return pd.concat(parts, ignore_index=True)
