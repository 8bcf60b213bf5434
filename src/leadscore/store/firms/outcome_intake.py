"""One call from a file of outcomes to entries that are kept, with nothing lost on the way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from leadscore.language import Text
from leadscore.learning.outcomes.admission import admit
from leadscore.lists.outcomes import load_outcomes
from leadscore.lists.problems import Problem
from leadscore.store.engine.database import Database, take_turns
from leadscore.store.firms.outcomes import append_entries, entries_of, outcomes, read_outcomes
from leadscore.store.firms.stages import firms_with_outcomes
from leadscore.store.ranking.standings import place_again

_SUM = Text(
    zh="读入 {read} 条 = 新增 {new} + 已有 {known} + 搁置 {set_aside}",
    en="{read} entries read = {new} new + {known} known already + {set_aside} set aside",
)


@dataclass(frozen=True, eq=False)
class Intake:
    """What became of a file of outcomes: ``read = new + known + set_aside``.

    Attributes
    ----------
    read, known, set_aside
        Numbers of entries.
    superseded
        How many of the known ones came from this very file once and were corrected since.
    corrected
        How many of the new ones give a day other than the one that was in force.
    new
        The entries that joined the history; columns of
        `leadscore.learning.outcomes.history.EVENTS` but for those that the store fills.
    problems
        Everything that could not be taken as it stood.
    notices
        What the owner should know of the file as a whole.
    """

    read: int
    known: int
    set_aside: int
    superseded: int
    corrected: int
    new: pd.DataFrame
    problems: tuple[Problem, ...]
    notices: tuple[Text, ...]

    def sentence(self) -> Text:
        """Return the sum in words."""
        return _SUM.format(
            read=self.read, new=len(self.new), known=self.known, set_aside=self.set_aside
        )


def take_in(path: Path, database: Database, *, today: date, now: datetime, actor: str) -> Intake:
    """Read a file of outcomes and add to the store what is sound and not there yet.

    The history is read and added to in one transaction: of two who import a file at the same
    moment, the second finds all of it there.

    Parameters
    ----------
    path
        The file, as `leadscore.lists.outcomes.load_outcomes` takes it.
    database
        Where the history is kept.
    today
        Days after it are not believed.
    now
        When the entries are recorded; with a time zone.
    actor
        Who records them.

    Raises
    ------
    ListError
        If the file can't be read, or does not tell outcomes.
    StoreError
        If the store can't be read or written; importing again adds what is missing.
    """
    listed = load_outcomes(path, today=today)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with database.write() as connection:
        take_turns(connection, outcomes)
        admission = admit(listed.entries, read_outcomes(connection), file=digest)
        new = entries_of(admission.new)
        append_entries(connection, new, source=path.name, actor=actor, now=now)
        if new:
            place_again(connection, firms_with_outcomes(connection), now=now)
    problems = (*listed.problems, *admission.problems)
    return Intake(
        read=listed.read,
        known=admission.known,
        set_aside=sum(problem.set_aside for problem in problems),
        superseded=admission.superseded,
        corrected=admission.corrected,
        new=admission.new,
        problems=tuple(sorted(problems, key=_place)),
        notices=listed.notices,
    )


def _place(problem: Problem) -> tuple[str, int]:
    return problem.sheet or "", problem.row or 0
