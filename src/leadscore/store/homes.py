"""What homes of earlier programs kept in files: who serves, and the versions of city profiles."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, StringConstraints, ValidationError

from leadscore.city.versions import Change
from leadscore.errors import Detail
from leadscore.registry.models import NAME
from leadscore.store.champions import (
    CHAMPIONS,
    Act,
    Promotion,
    add_promotions,
    history,
    line_of,
)
from leadscore.store.database import Database, StoreError, refusals, take_turns
from leadscore.store.profiles import add_changes, changes_of
from leadscore.text import room_words

WORDS = room_words("store")
_log = logging.getLogger(__name__)

_Name = Annotated[str, StringConstraints(pattern=NAME)]


class _Step(BaseModel):
    # A line of the history of champions.
    when: AwareDatetime
    version: _Name
    act: Act
    reason: str | None
    previous: _Name | None


_HISTORY, _POINTER = ".history.jsonl", ".champion"
_NOBODY = "-"  # these files did not tell who


def kept_in_files(home: Path) -> list[Path]:
    """Return the files of a home in which earlier programs kept what changes."""
    patterns = (f"models/*{_HISTORY}", f"models/*{_POINTER}", "profiles/*/*.json")
    return [path for pattern in patterns for path in home.glob(pattern)]


def is_kept_in_file(parts: Sequence[str]) -> bool:
    """Tell whether the parts of a path within a home are those of such a file."""
    folder, *names = parts
    if not names or not all(map(NAME.fullmatch, names)):
        return False
    if folder == "models":
        return len(names) == 1 and names[0].endswith((_HISTORY, _POINTER))
    return folder == "profiles" and len(names) == 2 and names[1].endswith(".json")


def take_over(database: Database, models: Path, profiles: Path) -> None:
    """Bring what the files of a home say into its database, once for each city; they stay there.

    Raises StoreError if the file of a change to a profile is damaged, or can't be read.
    """
    with refusals(models), refusals(profiles):
        cities = {path.name.removesuffix(_HISTORY) for path in models.glob(f"*{_HISTORY}")}
        cities |= {path.name.removesuffix(_POINTER) for path in models.glob(f"*{_POINTER}")}
        changed = {path.parent.name for path in profiles.glob("*/*.json")}
    with database.read() as connection:
        cities = {city for city in cities if not history(connection, city)}
        changed = {city for city in changed if not changes_of(connection, city)}
    if not cities and not changed:
        return
    with refusals(models), refusals(profiles), database.write() as connection:
        take_turns(connection, CHAMPIONS)  # with others who open the same home
        for city in cities:
            if not history(connection, city):
                add_promotions(connection, _promotions(models, city))
        for city in changed:
            if not changes_of(connection, city):
                files = sorted((profiles / city).glob("*.json"))
                changes = sorted(map(_change, files), key=lambda change: change.number)
                add_changes(connection, tuple(changes))


def _promotions(models: Path, city: str) -> list[Promotion]:
    # A line was written before the pointer was set: one whose change was never made is gone back
    # from, as the line after it tells by ``previous``, and for the last one the pointer.
    taken: list[Promotion] = []

    def add(version: str, act: Act, reason: str | None, at: datetime) -> None:
        taken.append(Promotion(city, len(taken) + 1, version, act, reason, _NOBODY, at))

    at = datetime.fromtimestamp(0, UTC)
    for step in _steps(models / f"{city}{_HISTORY}"):
        at = step.when
        if step.previous is not None and line_of(taken)[:1] != [step.previous]:
            add(step.previous, "rolled_back", None, at)
        add(step.version, step.act, step.reason, at)
    with contextlib.suppress(FileNotFoundError):
        pointer = models / f"{city}{_POINTER}"
        named = pointer.read_text("utf-8", errors="replace").strip()
        if NAME.fullmatch(named) and line_of(taken)[:1] != [named]:
            add(
                named,
                "rolled_back",
                None,
                max(at, datetime.fromtimestamp(pointer.stat().st_mtime, UTC)),
            )
    return taken


def _steps(file: Path) -> Iterator[_Step]:
    # A line that can't be read, as one that was cut short, is passed over and logged.
    try:
        lines = file.read_text("utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return
    for number, line in enumerate(lines, start=1):
        try:
            if line.strip():
                yield _Step.model_validate_json(line)
        except ValidationError:
            _log.warning("%s, line %d can't be read and is passed over", file.name, number)


def _change(file: Path) -> Change:
    try:
        return Change.model_validate_json(file.read_bytes())
    except ValidationError as fault:
        detail = Detail(file.name, str(fault).splitlines()[0], WORDS["homes.a_change"])
        raise StoreError(WORDS["homes.damaged"].format(file=file), [detail]) from fault
