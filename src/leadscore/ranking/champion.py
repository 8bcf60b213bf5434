"""Serves a city by its champion, and by the last good model where the champion can't be used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from leadscore.city.profile import City
from leadscore.errors import ModelError
from leadscore.learning.expert import expert_model, follow_supply, trained_as
from leadscore.ranking.score import Scorer
from leadscore.registry.manifest import code_fingerprint
from leadscore.registry.models import Shelf, is_expert, log_notice
from leadscore.text import Text, room_words

WORDS = room_words("ranking")


def champion_scorer(
    city: City, shelf: Shelf, *, now: datetime, notify: Callable[[Text], object] = log_notice
) -> Scorer:
    """Return the scorer of the city's champion.

    Without a trained champion it is the expert model, built and shelved on first use. A champion
    that can't be used is left where it is; the last good one before it serves, and the expert
    model if there is none.

    Raises CityError if the card in the profile has mistakes; ModelError if no model can be built,
    saved or trusted.
    """
    shelf.check_key()
    try:
        champion, fault = shelf.champion(city.id), None
    except ModelError as error:
        champion, fault = None, error
    follow_supply(city, shelf, now)
    for version in shelf.line(city.id):
        if is_expert(city.id, version):
            break
        try:
            scorer = Scorer(shelf.load(version), version)
        except ModelError as error:
            fault = fault or error
            continue
        _tell_instead(champion, version, fault, notify)
        _tell_outdated(city, shelf, version, notify)
        return scorer
    version, model = expert_model(city, shelf, now, notify)
    _tell_instead(champion, version, fault, notify)
    return Scorer(model, version)


def _tell_instead(
    champion: str | None, version: str, fault: ModelError | None, notify: Callable[[Text], object]
) -> None:
    if fault is None:
        return
    reason = Text(zh=fault.render("zh"), en=fault.render("en"))
    message = WORDS["champion.instead"] if champion else WORDS["champion.pointer"]
    notify(message.format(champion=champion, version=version, reason=reason))


def _tell_outdated(
    city: City, shelf: Shelf, version: str, notify: Callable[[Text], object]
) -> None:
    manifest = shelf.manifest(version)
    profile = not manifest.is_under(city)
    _, trained = trained_as(shelf, version, manifest)
    program = trained.code != code_fingerprint()
    if profile or program:
        what = (
            WORDS["champion.both"]
            if profile and program
            else WORDS["champion.profile"]
            if profile
            else WORDS["champion.program"]
        )
        notify(WORDS["champion.outdated"].format(version=version, what=what))
