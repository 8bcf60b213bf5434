"""Writes down what a challenger was made from, so that the same data are known again."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from leadscore.learning.cards.card import AdditiveCard
from leadscore.learning.outcomes.history import in_force
from leadscore.learning.outcomes.lessons import Lessons
from leadscore.learning.retraining.rehearsal import Rehearsal
from leadscore.lists.columns import CANONICAL

_ENTRY = ["firm", "stage", "day"]
_FIRM = ["as_of", *(each.name for each in CANONICAL)]
_NAME_CHARACTERS = 10


def outcomes_told(lessons: Lessons) -> dict[str, Any]:
    """Return how many outcomes there are, of which kind, and from when."""
    known, y = lessons.known, lessons.y
    days = [f"{day:%Y-%m-%d}" for day in lessons.contacted]
    return {
        "known": int(known.sum()),
        "positive": int((y == 1).sum()),
        "open": int((~known).sum()),
        "left_out": dict(lessons.taught.left_out),
        "contacted_from": days[0] if days else None,
        "contacted_to": days[-1] if days else None,
    }


def trial_told(rehearsal: Rehearsal, champion: str) -> dict[str, Any]:
    """Return how the trial was held, and against whom."""
    return {
        "split": rehearsal.split.isoformat() if rehearsal.split else None,
        "train": rehearsal.learned,
        "later": rehearsal.later,
        "twins": rehearsal.twins,
        "champion": champion,
    }


def fingerprints(lessons: Lessons) -> dict[str, str]:
    """Return SHA-256, in hex, of what was learned from; the order of rows changes nothing.

    ``events_sha256`` is that of the entries in force, ``snapshots_sha256`` of the firms that were
    known, ``rows_sha256`` of the labels, weights and features.
    """
    happened = (lessons.events["day"] <= pd.Timestamp(lessons.as_of)).to_numpy()
    rows = lessons.X.assign(
        firm=lessons.firm, contacted=lessons.contacted, y=lessons.y, weight=lessons.weight
    )
    return {
        "events_sha256": _sha256(in_force(lessons.events[happened])[_ENTRY]),
        "snapshots_sha256": _sha256(lessons.snapshots[_FIRM]),
        "rows_sha256": _sha256(rows),
    }


def table_told(card: AdditiveCard) -> list[dict[str, Any]]:
    """Return a card entry by entry as JSON records, None where one is missing or unbounded."""
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in card.to_frame().to_dict(orient="records")
    ]


def version_name(city_id: str, as_of: date, manifest: Mapping[str, Any]) -> str:
    """Return the name of a model: the same for the same manifest, whenever it was made."""
    content = {key: value for key, value in manifest.items() if key != "created"}
    plain = json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True)
    digest = hashlib.sha256(plain.encode()).hexdigest()
    return f"{city_id}-{as_of:%Y%m%d}-{digest[:_NAME_CHARACTERS]}"


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if value is pd.NA or value is None else value


def _sha256(frame: pd.DataFrame) -> str:
    head, *lines = frame.to_csv(index=False, lineterminator="\n").split("\n")
    return hashlib.sha256("\n".join([head, *sorted(lines)]).encode()).hexdigest()
