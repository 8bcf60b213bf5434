"""The scores that a firm was given, and why one differs from another: by data, or by model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from leadscore.features.catalogue import CATALOGUE
from leadscore.language import Lang
from leadscore.ranking.reasons import Wording, meaning_of
from leadscore.store.models import scorecards
from leadscore.store.ranking.changes import Change, FeatureChange, change_between
from leadscore.store.ranking.scores import Score, read_score
from leadscore.web.pages.form_fields import whole_number

_SHOWN_POINTS = 0.5


@dataclass(frozen=True, slots=True)
class Move:
    """What one feature, or several small ones, have to do with a difference.

    Attributes
    ----------
    meaning
        What the feature measures.
    before, after
        Its values in words; "" for a pair of features.
    data, model
        Points.
    """

    meaning: str
    before: str
    after: str
    data: float
    model: float

    @property
    def points(self) -> float:
        """What the two have done together."""
        return self.data + self.model

    @property
    def differs(self) -> bool:
        """Whether the values differ, as far as is shown."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Difference:
    """Why one score differs from another; all its points add up to ``points``.

    Attributes
    ----------
    older, newer
        The scores.
    points
        By how many the newer one is higher.
    data, model
        Points by what is known of the firm, and by another model, ``base`` among them; None where
        a model can't be had any more.
    base
        Points by which the base differs.
    moves
        The features, the weightiest first.
    small
        Those that weigh little, all together; None if there are none.
    smalls
        How many those are.
    missing
        Models whose cards can't be had any more.
    """

    older: Score
    newer: Score
    points: float
    data: float | None
    model: float | None
    base: float | None
    moves: Sequence[Move]
    small: Move | None
    smalls: int
    missing: Sequence[str]


def chosen_scores(
    connection: Connection, firm_id: int, history: Sequence[Score], args: Mapping[str, str]
) -> tuple[Score, Score] | None:
    """Return the two scores that an address compares, else the last two; None for fewer.

    Parameters
    ----------
    history
        The scores of the firm, the newest first.
    args
        Of the address; ``older`` and ``newer`` are numbers of scores.

    Raises
    ------
    UnknownScoreError
        If the firm has no score of a number.
    """
    older, newer = (whole_number(args.get(name, "")) for name in ("older", "newer"))
    if older is not None and newer is not None:
        return read_score(connection, firm_id, older), read_score(connection, firm_id, newer)
    return (history[1], history[0]) if len(history) > 1 else None


def difference_of(
    connection: Connection, older: Score, newer: Score, wording: Wording, lang: Lang
) -> Difference:
    """Return why two scores of a firm differ, in words."""
    cards = scorecards(connection, {older.model, newer.model})
    return difference(change_between(older, newer, cards), wording, lang)


def difference(change: Change, wording: Wording, lang: Lang) -> Difference:
    """Return a change in words.

    Parameters
    ----------
    change
        As `leadscore.store.ranking.changes` splits it.
    wording
        Words for the values.
    """
    large = [each for each in change.features if _tells(each)]
    rest = [each for each in change.features if not _tells(each)]
    small = Move(
        "", "", "", math.fsum(each.data for each in rest), math.fsum(each.model for each in rest)
    )
    return Difference(
        older=change.older,
        newer=change.newer,
        points=change.points,
        data=change.data,
        model=change.model,
        base=change.base,
        moves=[_move(each, wording, lang) for each in large],
        small=small if rest else None,
        smalls=len(rest),
        missing=change.missing,
    )


def _tells(change: FeatureChange) -> bool:
    """Tell whether a feature is shown by itself: it weighs something, or has another value."""
    weight = abs(change.data) + abs(change.model)
    return weight >= _SHOWN_POINTS or change.before != change.after


def _move(change: FeatureChange, wording: Wording, lang: Lang) -> Move:
    name = change.feature
    known = name in CATALOGUE
    before, after = (
        wording.value(name, value, lang) if known else "" for value in (change.before, change.after)
    )
    return Move(meaning_of(name, lang), before, after, change.data, change.model)
