"""The kinds of jobs that there are, and what they work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadscore.jobs.context import Clock, JobContext, Kind

if TYPE_CHECKING:
    from leadscore.city.profile import City
    from leadscore.learning.outcomes.lessons import Rules
    from leadscore.learning.shelf.shelf import Shelf
    from leadscore.ranking.score import Scorer

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
