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
    from leadscore.ranking.scoring import Scorer

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


def all_kinds(workplace: Workplace) -> dict[str, Kind]:
    """Return what a worker can do, by name.

    Each is imported when it is first done: a worker that waits needs no scikit-learn.
    """

    def retrain(context: JobContext, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        from leadscore.jobs.retraining import retrain as run

        return run(context, payload, workplace)

    def import_list(context: JobContext, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        from leadscore.jobs.list_imports import import_list as run

        return run(context, payload, workplace)

    def export(context: JobContext, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        from leadscore.jobs.exports import export as run

        return run(context, payload, workplace)

    def rescore(context: JobContext, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        from leadscore.jobs.rescoring import rescore as run

        return run(context, payload, workplace)

    return {
        RETRAIN: Kind(retrain, exclusive=True),
        RESCORE: Kind(rescore, exclusive=True),
        IMPORT_LIST: Kind(import_list),
        EXPORT: Kind(export),
    }
