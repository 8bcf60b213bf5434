"""Serves a city by its champion, and by the last good model where the champion can't be used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from leadscore.city.profile import City
from leadscore.errors import ModelError
from leadscore.learning.expert import expert_model, follow_supply, trained_as
from leadscore.ranking.score import Scorer
from leadscore.registry.manifest import code_fingerprint, is_under
from leadscore.registry.models import Shelf, is_expert, log_notice
from leadscore.text import Text

_INSTEAD = Text(
    zh="现役模型“{champion}”不能使用，改由“{version}”评分。原因：{reason}",
    en="the champion {champion} can't be used; {version} scores in its place. Reason: {reason}",
)
_POINTER = Text(
    zh="现役模型无法确定，改由“{version}”评分。原因：{reason}",
    en="which model is the champion can't be told; {version} scores in its place. Reason: {reason}",
)
_OUTDATED = Text(
    zh="模型“{version}”训练之后，{what}有改动；它仍照训练时的样子评分。"
    "请运行 leadscore retrain，把改动纳入新模型。",
    en="{what} changed since the model {version} was trained; it still scores as it did then. "
    "Run leadscore retrain to take the change up.",
)
_PROFILE = Text(zh="城市画像", en="the city profile has")
_PROGRAM = Text(zh="程序", en="the program has")
_BOTH = Text(zh="城市画像和程序", en="the city profile and the program have")


def champion_scorer(
    city: City, shelf: Shelf, *, now: datetime, notify: Callable[[Text], object] = log_notice
) -> Scorer:
    """Return the scorer of the city's champion.

    Without a trained champion it is the expert model, built and shelved on first use. A champion
    that can't be used is left where it is; the last good one before it serves, and the expert
    model if there is none.

    Parameters
    ----------
    city
        The profile. A trained champion scores by the profile that it was trained with, but for the
        supply of segments, which is always today's.
    shelf
        Where the models live.
    now
        Aware time of the creation and promotion of the expert model.
    notify
        Told when another than the champion serves, when the champion was trained with another
        profile or program, and when a damaged expert model was built anew; by default a warning is
        logged.

    Raises
    ------
    CityError
        If the card in the profile has mistakes.
    ModelError
        If no model can be built, saved or trusted.
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
    version, pipeline = expert_model(city, shelf, now, notify)
    _tell_instead(champion, version, fault, notify)
    return Scorer(pipeline, version)


def _tell_instead(
    champion: str | None, version: str, fault: ModelError | None, notify: Callable[[Text], object]
) -> None:
    if fault is None:
        return
    reason = Text(zh=fault.render("zh"), en=fault.render("en"))
    message = _INSTEAD if champion else _POINTER
    notify(message.format(champion=champion, version=version, reason=reason))


def _tell_outdated(
    city: City, shelf: Shelf, version: str, notify: Callable[[Text], object]
) -> None:
    manifest = shelf.manifest(version)
    profile = not is_under(manifest, city)
    _, trained = trained_as(shelf, version, manifest)
    program = trained.get("code") != code_fingerprint()
    if profile or program:
        what = _BOTH if profile and program else _PROFILE if profile else _PROGRAM
        notify(_OUTDATED.format(version=version, what=what))
