"""What is done with models, by the API and by the pages: train, let another serve, go back."""

from __future__ import annotations

from datetime import date

from leadscore.errors import CityError, ModelError
from leadscore.jobs.champions import tell_store
from leadscore.jobs.kinds import RETRAIN
from leadscore.learning.retraining.day_one import expert_model
from leadscore.learning.retraining.following import follow
from leadscore.learning.shelf.shelf import log_notice
from leadscore.store.jobs.jobs import submit
from leadscore.store.models import read_model
from leadscore.web.idempotent import Act, Answer
from leadscore.web.routes.backing import Backing
from leadscore.web.store_refusals import ContradictionError


def ask_for_retraining(act: Act, as_of: date | None) -> Answer:
    """Ask for a job that trains a challenger.

    Parameters
    ----------
    act
        Who asks, and the transaction.
    as_of
        Only what was known on this day; None for today.
    """
    payload = {"as_of": as_of and as_of.isoformat()}
    job = submit(act.connection, RETRAIN, payload, by=act.actor, now=act.now)
    return Answer({"job_id": job}, 202, about=("job", str(job)), details=payload)


def promote_model(backing: Backing, act: Act, version: str, reason: str | None) -> Answer:
    """Let a model serve from now on.

    Raises
    ------
    UnknownModelError
        If there is none of that name.
    ContradictionError
        If it can't serve, or has failed its gates and no reason is given.
    """
    read_model(act.connection, version)
    try:
        backing.shelf.promote(
            backing.scorer().city.id, version, act="by_hand", now=act.now, reason=reason
        )
    except ModelError as error:
        raise ContradictionError(error.message, error.details) from error
    return _served(backing, act, version, reason)


def go_back(backing: Backing, act: Act, reason: str | None) -> Answer:
    """Let the model serve again that served before the champion.

    Raises
    ------
    ContradictionError
        If there is none.
    """
    city, shelf = backing.scorer().city, backing.shelf
    try:
        version = shelf.rollback(
            city.id, now=act.now, reason=reason,
            last_resort=lambda: expert_model(city, shelf, act.now, log_notice)[0],
        )  # fmt: skip
    except ModelError as error:
        raise ContradictionError(error.message, error.details) from error
    return _served(backing, act, version, reason)


def _served(backing: Backing, act: Act, version: str, reason: str | None) -> Answer:
    """Answer that another model serves from now on, and let all firms be scored by it."""
    city_id = backing.scorer().city.id
    try:
        follow(backing.profiles.current().city, backing.shelf, act.now)
    except (CityError, ModelError):
        # The file of the profile is being edited, or no model can be made under today's supply.
        # The model that was chosen serves all the same; whoever opens it next says what is wrong.
        pass
    else:
        version = backing.shelf.champion(city_id) or version
    job = tell_store(act.connection, backing.shelf, city_id, by=act.actor, now=act.now)
    body = {"version": version, "rescoring": job}
    return Answer(body, about=("model", version), details={"reason": reason})
