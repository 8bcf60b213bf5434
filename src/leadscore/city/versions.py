"""The versions of a city profile: its file, and what administrators changed of it since.

The file of the profile belongs to whoever wrote it, comments and all, so nobody writes into it. The
profile that counts is the file with the changes on top, in their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from leadscore.city.profile import City, Fraction, Part, Supplies, supplies, with_supplies
from leadscore.errors import CityError, Detail
from leadscore.numbers import share
from leadscore.text import room_words

WORDS = room_words("city")


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
    changes: tuple[Change, ...] = ()  # all that were ever made, the oldest first
    idle: frozenset[int] = frozenset()  # of those that count no longer: the file says otherwise

    def number_of(self, city: City) -> int | None:
        """Return which version a profile is; None for one of which nothing is known here.

        Without any change it is the file's: version 1.
        """
        if not self.changes or self.changes[0].rests_on == city.digest:
            return 1
        digests = {change.digest: change.number for change in self.changes}
        return digests.get(city.digest)


def current_version(file: City, changes: Sequence[Change]) -> ProfileVersion:
    """Return the profile that a file and the changes to it make.

    A step of a change counts where the profile still says what it said before the change: what
    somebody has written into the file since then goes before.
    """
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
    return ProfileVersion(number, city, tuple(changes), frozenset(idle))


def changed_version(
    present: ProfileVersion, supply: Supplies, *, seen: str, by: str, at: datetime, reason: str
) -> ProfileVersion:
    """Return the version that another supply of some segments (0..1, by full id) makes.

    ``seen`` is `City.digest` of the profile that whoever changes it has seen; ``at`` is aware.
    Raises ProfileChangedError if the profile is another one by now; NoChangeError if nothing would
    change, or there is no segment of an id.
    """
    if present.city.digest != seen:
        raise ProfileChangedError(WORDS["versions.meanwhile"])
    steps = {segment: _step(present.city, segment, value) for segment, value in supply.items()}
    changed = with_supplies(present.city, supply)
    number = max((change.number for change in present.changes), default=1) + 1
    change = Change(
        number=number, city=changed.id, supply=steps, by=by, at=at, reason=reason,
        rests_on=seen, digest=changed.digest,
    )  # fmt: skip
    return ProfileVersion(number, changed, (*present.changes, change), present.idle)


def _step(city: City, segment_id: str, after: float) -> Step:
    if segment_id not in city.segments:
        wanted = [Detail("segment", segment_id, WORDS["versions.no_segment"])]
        raise NoChangeError(WORDS["versions.no_such"].format(segment=segment_id), wanted)
    before = city.supply(segment_id)
    if before == after:
        name = city.segments[segment_id].name
        raise NoChangeError(WORDS["versions.as_it_is"].format(segment=name, supply=share(before)))
    return Step(before=before, after=after)
