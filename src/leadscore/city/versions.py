"""The versions of a city profile: its file, and what administrators changed of it since.

The file of the profile belongs to whoever wrote it, comments and all, so nobody writes into it.
Each change is a small file of its own beside the models, ``profiles/<city>/0002.json``, that is
never changed again; the profile that counts is the file with the changes on top, in their order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, ValidationError

from leadscore.city.profile import City, Fraction, Part, Supplies, supplies, with_supplies
from leadscore.errors import CityError, Detail
from leadscore.files import place_new
from leadscore.numbers import share
from leadscore.text import room_words
from leadscore.validation import refusals

WORDS = room_words("city")

_NAME = re.compile(r"[0-9]{4,}\.json")


class ProfileChangedError(CityError):
    """A change to a profile that is no longer what whoever made it had seen."""


class NoChangeError(CityError):
    """A change that changes nothing, or something that isn't there."""


class Step(Part):
    """The supply of a segment, 0..1, before a change and after it."""

    before: Fraction
    after: Fraction


class Change(Part):
    """One change of a profile, which made a version of it."""

    number: Annotated[int, Field(ge=2)]  # of the version; the file of the profile is version 1
    city: str
    supply: Mapping[str, Step]  # what changed, by the full id of a segment
    by: str
    at: AwareDatetime
    reason: str
    rests_on: str  # `City.digest` before the change
    digest: str  # and after it


@dataclass(frozen=True, slots=True)
class ProfileVersion:
    """The profile as it counts now."""

    number: int  # of the last change that counts; 1 if none does
    city: City
    changes: tuple[Change, ...]  # all that were ever made, the oldest first
    idle: frozenset[int]  # numbers of those that count no longer: the file says otherwise by now


class Profiles:
    """A city's profile with its versions."""

    def __init__(self, load: Callable[[], City], folder: Path) -> None:
        self._load, self._folder = load, folder
        self._read: tuple[tuple[str, ...], tuple[Change, ...]] = ((), ())
        self._last: tuple[City, ProfileVersion] | None = None

    def current(self) -> ProfileVersion:
        """Return the profile as it counts now; raises CityError if a file can't be read.

        A step of a change counts where the profile still says what it said before the change:
        what somebody has written into the file since then goes before.
        """
        file = self._load()
        changes, last = self._changes(file.id), self._last
        if last is None or last[0] is not file or last[1].changes is not changes:
            self._last = last = file, _laid_on(file, changes)
        return last[1]

    def change(
        self, supply: Supplies, *, seen: str, by: str, at: datetime, reason: str
    ) -> ProfileVersion:
        """Keep another supply of some segments (0..1, by full id) as a new version; return that.

        ``seen`` is `City.digest` of the profile that whoever changes it has seen; ``at`` is aware.

        Raises ProfileChangedError if the profile is another one by now; NoChangeError if nothing
        would change, or there is no segment of an id; CityError if the files can't be read or
        written.
        """
        present = self.current()
        if present.city.digest != seen:
            raise ProfileChangedError(WORDS["versions.meanwhile"])
        steps = {segment: _step(present.city, segment, value) for segment, value in supply.items()}
        changed = with_supplies(present.city, supply)
        number = max((change.number for change in present.changes), default=1) + 1
        change = Change(
            number=number, city=changed.id, supply=steps, by=by, at=at, reason=reason,
            rests_on=seen, digest=changed.digest,
        )  # fmt: skip
        folder, text = self._folder / changed.id, change.model_dump_json(indent=2) + "\n"
        with refusals(CityError, WORDS["versions.the_changes"].format(folder=folder)):
            placed = place_new(folder / f"{number:04}.json", text.encode())
        if not placed:
            raise ProfileChangedError(WORDS["versions.meanwhile"])
        return ProfileVersion(number, changed, (*present.changes, change), present.idle)

    def number_of(self, city: City) -> int | None:
        """Return which version a profile is, 1 for the file's; None if it is known no longer."""
        changes = self._changes(city.id)
        if not changes or changes[0].rests_on == city.digest:
            return 1
        numbers = (change.number for change in reversed(changes) if change.digest == city.digest)
        return next(numbers, None)

    def _changes(self, city_id: str) -> tuple[Change, ...]:
        # None is read twice, since none is ever changed.
        folder = self._folder / city_id
        with refusals(CityError, WORDS["versions.the_changes"].format(folder=folder)):
            try:
                names = tuple(sorted(p.name for p in folder.iterdir() if _NAME.fullmatch(p.name)))
            except FileNotFoundError:
                names = ()
        read = self._read
        if read[0] != names:
            changes = (_change(folder / name) for name in names)
            self._read = read = names, tuple(sorted(changes, key=lambda change: change.number))
        return read[1]


def _laid_on(file: City, changes: tuple[Change, ...]) -> ProfileVersion:
    number, idle, now = 1, set(), supplies(file)
    for change in changes:
        steps = change.supply.items()
        counting = {key: step.after for key, step in steps if now.get(key) == step.before}
        now |= counting
        if counting:
            number = change.number
        else:
            idle.add(change.number)
    city = with_supplies(file, now) if number > 1 else file
    return ProfileVersion(number, city, changes, frozenset(idle))


def _step(city: City, segment_id: str, after: float) -> Step:
    if segment_id not in city.segments:
        wanted = [Detail("segment", segment_id, WORDS["versions.no_segment"])]
        raise NoChangeError(WORDS["versions.no_such"].format(segment=segment_id), wanted)
    before = city.supply(segment_id)
    if before == after:
        name = city.segments[segment_id].name
        raise NoChangeError(WORDS["versions.as_it_is"].format(segment=name, supply=share(before)))
    return Step(before=before, after=after)


def _change(path: Path) -> Change:
    try:
        return Change.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as fault:
        got = str(fault).splitlines()[0]
        detail = Detail(path.name, got, WORDS["versions.a_change"])
        raise CityError(WORDS["versions.damaged"].format(file=path), [detail]) from fault
