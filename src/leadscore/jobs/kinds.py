"""The kinds of jobs, what they work with, and how one is handed in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from leadscore.store.database import Database
from leadscore.store.jobs import Claim, Held, beat, submit
from leadscore.store.lists import add_list, name_job
from leadscore.text import Text

if TYPE_CHECKING:
    from leadscore.city.profile import City
    from leadscore.learning.training_data import Rules
    from leadscore.ranking.score import Scorer
    from leadscore.registry.models import Shelf


Clock = Callable[[], datetime]

_REST = 0.5  # seconds between two reports of progress; what is told in between is left out


class Stopped(BaseException):
    """Raised within a job that is to end early; no error, and not to be caught on the way out.

    Parameters
    ----------
    why
        ``cancel``: somebody wants it stopped; ``lost``: another worker has it; ``stop``: the
        worker is being stopped.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes
    ----------
    run
        Does it: takes the context and the payload, returns plain values that are kept.
    exclusive
        True if only one job of the kind may run at a time.
    """

    run: Callable[[JobContext, Mapping[str, Any]], Mapping[str, Any]]
    exclusive: bool = False


class JobContext:
    """What a job is given.

    Parameters
    ----------
    database
        The database of the store.
    held
        The claim of the job.
    clock
        Returns the time, with a zone.
    stopping
        Set when the worker is to stop.
    """

    def __init__(
        self,
        database: Database,
        held: Held,
        clock: Clock,
        stopping: threading.Event,
    ) -> None:
        self.database = database
        self.held = held
        self.clock = clock
        self._stopping = stopping
        self._told = float("-inf")
        self._last: tuple[float, Text] | None = None
        self._claim: Claim = "holds"

    def progress(self, fraction: float, words: Text) -> None:
        """Tell how far the work is, 0..1, and what is being done.

        Raises
        ------
        Stopped
            As `check_cancelled`.
        """
        self.check_cancelled()
        self.note(fraction, words)
        if time.monotonic() - self._told < _REST:
            return  # the next sign of life tells it
        self.beat()
        self._told = time.monotonic()
        self.check_cancelled()

    def note(self, fraction: float, words: Text) -> None:
        """Tell the same with the next sign of life: for where nothing may be written meanwhile."""
        self._last = min(max(fraction, 0.0), 1.0), words

    def check_cancelled(self) -> None:
        """Go on only if the work is still wanted; costs nothing, so ask often.

        Raises
        ------
        Stopped
            If the job was cancelled, has been given to another worker, or the worker is to stop.
        """
        if self._claim != "holds":
            raise Stopped(self._claim)
        if self._stopping.is_set():
            raise Stopped("stop")

    def beat(self) -> None:
        """Say that the worker lives and how far it is; learn whether the work is still wanted."""
        fraction, words = self._last or (None, None)
        with self.database.write() as connection:
            found = beat(connection, self.held, now=self.clock(), progress=fraction, words=words)
        if found != "holds":
            self._claim = found


RETRAIN = "retrain"
IMPORT_LIST = "import_list"
EXPORT = "export"
RESCORE = "rescore"


@dataclass(frozen=True)
class Workplace:
    """What jobs work with, beside the database.

    Attributes
    ----------
    city
        Opens the profile; asked by each job, so that a changed profile counts from the next on.
    scorer
        Opens the champion; asked by each job, so that a new champion counts from the next on.
    shelf
        Where the models are.
    rules
        What a retraining forecasts; asked late, because it takes a second to import.
    exports
        Folder of the files that exports write.
    clock
        Returns the time, with a zone.
    """

    city: Callable[[], City]
    scorer: Callable[[], Scorer]
    shelf: Shelf
    rules: Callable[[], Rules]
    exports: Path
    clock: Clock = field(repr=False)


Task = Callable[[JobContext, Mapping[str, Any], Workplace], Mapping[str, Any]]
"""A function of `leadscore.jobs.tasks`."""


def all_kinds(workplace: Workplace) -> dict[str, Kind]:
    """Return what a worker can do, by name.

    It is imported when something is first done: a worker that waits needs no scikit-learn.
    """

    def kind(name: str, *, exclusive: bool = False) -> Kind:
        def run(context: JobContext, payload: Mapping[str, Any]) -> Mapping[str, Any]:
            from leadscore.jobs import tasks

            task: Task = getattr(tasks, name)
            return task(context, payload, workplace)

        return Kind(run, exclusive)

    return {
        RETRAIN: kind("retrain", exclusive=True),
        RESCORE: kind("rescore", exclusive=True),
        IMPORT_LIST: kind("import_list"),
        EXPORT: kind("export"),
    }


def hand_in_list(
    connection: Connection,
    *,
    file_name: str,
    content: bytes,
    mapping: Mapping[str, str],
    as_of: date,
    actor: str,
    now: datetime,
) -> tuple[int, int]:
    """Keep a file as a list, ask for the job that takes it in, and return the numbers of both.

    Parameters are as of `leadscore.store.lists.add_list`.
    """
    number = add_list(
        connection, file_name=file_name, content=content, mapping=mapping, as_of=as_of,
        actor=actor, now=now,
    )  # fmt: skip
    job = submit(connection, IMPORT_LIST, {"list_id": number}, by=actor, now=now)
    name_job(connection, number, job)
    return number, job
