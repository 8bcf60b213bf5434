"""How much can be learned before a retraining: usable pursuits, what is lost to what, and gates."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd

from leadscore.learning.gates import LEAST_EACH, LEAST_LATER, Need, needs
from leadscore.learning.scorecard import Floats, Truths
from leadscore.learning.training_data import (
    Rules,
    TrainingSet,
    in_order,
    judged,
    split_days,
    training_set,
)
from leadscore.text import Text, room_words

WORDS = room_words("learning")

Action = Literal["import_list", "import_outcomes", "retrain", "record"]
"""What can be done about a shortage, and so where to."""


@dataclass(frozen=True)
class Year:
    """The pursuits whose first contact was in a year; ``late`` ones may be ``assumed``."""

    year: int
    pursuits: int
    won: int
    lost: int
    open: int
    usable: int
    late: int
    assumed: int


@dataclass(frozen=True)
class Shortage:
    """What costs pursuits or keeps a gate from being measured, and what can be done about it."""

    id: str
    count: int
    what: Text
    ways: tuple[tuple[Action, Text], ...]


@dataclass(frozen=True)
class Readiness:
    """What a retraining could learn from, as of a day.

    ``pursuits = won + lost + open``: those with a first contact that don't contradict themselves.
    ``usable`` have a known outcome and a snapshot from before first contact, ``usable_won`` reached
    the target. ``late`` pursuits have later snapshots only (``late_known`` with an outcome), of
    which ``assumed`` (``assumed_won``) could be learned from by what hardly changes. ``later`` are
    those by which a challenger would be judged, with an outcome, from ``split`` on.
    """

    as_of: date
    target: str
    horizon_days: int
    assume_unchanging: bool
    firms: int
    pursuits: int
    won: int
    lost: int
    open: int
    no_contact: int
    no_snapshot: int
    impossible: int
    usable: int
    usable_won: int
    late: int
    late_known: int
    assumed: int
    assumed_won: int
    later: int
    later_won: int
    split: date | None
    years: tuple[Year, ...]
    gates: tuple[Need, ...]
    shortages: tuple[Shortage, ...]

    @property
    def learnable(self) -> int:
        """Pursuits with an outcome that a retraining under these rules would learn from."""
        return self.usable + (self.assumed if self.assume_unchanging else 0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, texts in both languages."""
        plain = asdict(self) | {
            "as_of": self.as_of.isoformat(), "learnable": self.learnable,
            "split": self.split and self.split.isoformat(),
        }  # fmt: skip
        plain["gates"] = [
            {
                "id": need.gate, "measurable": need.measurable, "needs": asdict(need.needs),
                "name": asdict(need.name),
            }
            for need in self.gates
        ]  # fmt: skip
        plain["shortages"] = [
            {
                "id": shortage.id, "count": shortage.count, "what": asdict(shortage.what),
                "ways": [{"action": to, "text": asdict(text)} for to, text in shortage.ways],
            }
            for shortage in self.shortages
        ]  # fmt: skip
        return plain


def readiness(
    events: pd.DataFrame,
    snapshots: pd.DataFrame,
    *,
    as_of: date,
    rules: Rules,
    facts: pd.DataFrame | None = None,
    learned_until: date | None = None,
) -> Readiness:
    """Return what a retraining could learn from; nothing is fitted, no feature is measured.

    The arguments are those of `leadscore.learning.retrain.retrain`; ``learned_until`` is until when
    the champion learned. Under ``rules.assume_unchanging`` the gates count what would be assumed.
    """
    events, snapshots = in_order(events, snapshots, as_of=as_of)
    data = training_set(
        events, snapshots, as_of=as_of, target=rules.target, horizon_days=rules.horizon_days,
        assume_unchanging=True, facts=facts,
    )  # fmt: skip
    table = data.labels.table
    label = table["label"].to_numpy(dtype=float)
    usable, assumed = data.known & ~data.assumed, data.known & data.assumed
    late = table["firm"].isin(data.late).to_numpy(dtype=bool)
    split, (missed, reached) = _later(data, learned_until)
    learned = data.known if rules.assume_unchanging else usable
    training = _kinds(data.y, learned)
    before = training if split is None else _kinds(_earlier(data, split), learned)
    sides = (int(usable.sum()) - (missed + reached), missed + reached, len(data.standing))
    counts: dict[str, int] = {
        "firms": int(events["firm"].nunique()), "pursuits": len(label),
        "won": int((label == 1).sum()), "lost": int((label == 0).sum()),
        "open": int(np.isnan(label).sum()), "no_contact": data.left_out.get("no_contact", 0),
        "no_snapshot": data.left_out.get("no_snapshot", 0),
        "impossible": data.left_out.get("impossible", 0), "usable": int(usable.sum()),
        "usable_won": int((data.y[usable] == 1).sum()), "late": int(late.sum()),
        "late_known": int((late & ~np.isnan(label)).sum()), "assumed": int(assumed.sum()),
        "assumed_won": int((data.y[assumed] == 1).sum()), "later": missed + reached,
        "later_won": reached,
    }  # fmt: skip
    return Readiness(
        as_of=as_of, target=rules.target, horizon_days=rules.horizon_days,
        assume_unchanging=rules.assume_unchanging, split=split, **counts,
        years=_years(data, late), gates=tuple(needs(before, (missed, reached), sides)),
        shortages=tuple(_shortages(counts, training, rules)),
    )  # fmt: skip


def _kinds(y: Floats, rows: Truths) -> tuple[int, int]:
    return int((y[rows] == 0).sum()), int((y[rows] == 1).sum())


def _later(data: TrainingSet, learned_until: date | None) -> tuple[date | None, tuple[int, int]]:
    splits = split_days(data, learned_until)
    if not splits:
        return None, (0, 0)
    after, duplicates = judged(data, splits)
    y, _ = data.labels_of(after & ~duplicates, data.labels.as_of)
    return splits[0], _kinds(y, after)


def _earlier(data: TrainingSet, split: date) -> Floats:
    after, _ = judged(data, [split])
    y, _ = data.labels_of(~after, split - pd.Timedelta(days=1))
    return y


def _years(data: TrainingSet, late: Truths) -> tuple[Year, ...]:
    table = data.labels.table
    label, year = table["label"].to_numpy(dtype=float), table["contacted"].dt.year.to_numpy()
    firm = table["firm"]
    usable = firm.isin(data.firm[data.known & ~data.assumed]).to_numpy(dtype=bool)
    assumed = firm.isin(data.firm[data.known & data.assumed]).to_numpy(dtype=bool)
    return tuple(
        Year(
            int(each),
            *(
                int((of & rows).sum())
                for rows in (of, label == 1, label == 0, np.isnan(label), usable, late, assumed)
            ),
        )
        for each in sorted(set(year.tolist()))
        for of in [year == each]
    )  # fmt: skip


def _shortages(counts: dict[str, int], training: tuple[int, int], rules: Rules) -> list[Shortage]:
    def of(what: str, count: int, *ways: tuple[Action, str], **places: object) -> Shortage:
        said = {"count": count, **places}
        return Shortage(
            what, count, WORDS[f"readiness.{what}"].format(**said),
            tuple((to, WORDS[f"readiness.{way}"].format(**said)) for to, way in ways),
        )  # fmt: skip

    if not counts["firms"]:
        return [of("no_outcomes", 0, ("import_outcomes", "one_kind_do"))]
    late: list[tuple[Action, str]] = [("import_list", "late_list")]
    late += [("retrain", "late_assumed")] if counts["assumed"] else []
    missed, reached = training
    later, won = counts["later"], counts["later_won"]
    few = later < LEAST_LATER or min(won, later - won) < LEAST_EACH
    every = [
        of("late", counts["late"], *late, known=counts["late_known"], usable=counts["assumed"]),
        of("no_snapshot", counts["no_snapshot"], ("import_list", "no_snapshot_do")),
        of("no_contact", counts["no_contact"], ("import_outcomes", "no_contact_do")),
        of("impossible", counts["impossible"], ("record", "impossible_do")),
        of("open", counts["open"], ("record", "open_do"), horizon_days=rules.horizon_days),
        of("one_kind", 0 if missed and reached else missed + reached,
           ("import_outcomes", "one_kind_do"), won=reached, lost=missed),
        of("few_later", int(few), ("import_list", "few_later_do"), later=later, won=won,
           least=LEAST_LATER, each=LEAST_EACH),
    ]  # fmt: skip
    return [shortage for shortage in every if shortage.count]
