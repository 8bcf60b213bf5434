"""What is done with the city profile, by the API and by the pages: another supply of a segment."""

from __future__ import annotations

from leadscore.city.supply import Supplies
from leadscore.city.versions import NoChangeError, ProfileChangedError
from leadscore.errors import ModelError
from leadscore.jobs.champions import tell_store
from leadscore.language import Text
from leadscore.learning.retraining.following import follow
from leadscore.web.idempotent import Act, Answer
from leadscore.web.routes.backing import Backing
from leadscore.web.store_refusals import (
    ChangedMeanwhileError,
    ContradictionError,
    NothingThereError,
    UnacceptableError,
)

_NO_SEGMENT = Text(zh="没有环节“{segment}”", en="there is no segment {segment}")


def check_segment(backing: Backing, segment: str) -> None:
    """Refuse an address that names no segment of the city.

    Raises
    ------
    NothingThereError
        If it names none.
    """
    if segment not in backing.scorer().city.segments:
        raise NothingThereError(_NO_SEGMENT.format(segment=segment))


def change_supply(
    backing: Backing, act: Act, supply: Supplies, *, seen: str, reason: str
) -> Answer:
    """Keep another supply of segments as a version of the profile, and score all firms by it.

    Raises
    ------
    ChangedMeanwhileError
        If the profile is no longer the one whose digest is ``seen``.
    UnacceptableError
        If nothing would change, or the city has no such segment.
    ContradictionError
        If no model can be shelved for it.
    """
    try:
        made = backing.profiles.change(supply, seen=seen, by=act.actor, at=act.now, reason=reason)
    except ProfileChangedError as error:
        raise ChangedMeanwhileError(error.message, error.details) from error
    except NoChangeError as error:
        raise UnacceptableError(error.message, error.details) from error
    city, shelf = made.city, backing.shelf
    try:
        follow(city, shelf, act.now)
    except ModelError as error:
        raise ContradictionError(error.message, error.details) from error
    job = tell_store(act.connection, shelf, city.id, by=act.actor, now=act.now)
    steps = made.changes[-1].model_dump(mode="json")["supply"]
    body = {
        "version": made.number,
        "digest": city.digest,
        "supply": dict(supply),
        "model": shelf.champion(city.id),
        "rescoring": job,
    }
    details = {"version": made.number, "supply": steps, "reason": reason, "digest": city.digest}
    return Answer(body, about=("city", city.id), details=details)
