"""Where the parts meet: settings in; a registry, a city, a database, the right scorer out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from leadscore.city.loading import load_city
from leadscore.city.versions import Profiles
from leadscore.errors import CityError, Detail, ModelError, SettingsError
from leadscore.files import place_new, shipped
from leadscore.registry.manifest import code_fingerprint
from leadscore.registry.models import ModelRegistry, is_expert, log_notice
from leadscore.text import Text, room_words

if TYPE_CHECKING:
    from leadscore.city.profile import City
    from leadscore.learning.training_data import Rules
    from leadscore.ranking.score import Scorer
    from leadscore.settings import Settings
    from leadscore.store.database import Database

WORDS = room_words("")

FORMAT = 2
"""Of what lies in a home. A home of format 1 has no number: its models are pickles."""
FORMAT_FILE = "format"


def enter_home(home: Path) -> None:
    """Do as `check_home`, and give a home its number before anything is written into it.

    Of programs that start at once the first one writes it. A home that may only be read is left
    without one: nothing new gets into it.
    """
    with contextlib.suppress(OSError):  # whoever writes there next tells what is wrong
        if not (home / FORMAT_FILE).exists():
            place_new(home / FORMAT_FILE, f"{FORMAT}\n".encode())
    check_home(home)


def check_home(home: Path) -> None:
    """Raise SettingsError for a home whose number is higher than `FORMAT`, or isn't one."""
    file = home / FORMAT_FILE
    try:
        number = file.read_bytes().decode("ascii", "replace").strip()[:20]
    except (FileNotFoundError, NotADirectoryError):
        return
    if not number.isdecimal() or int(number) > FORMAT:
        wanted = Text(zh=f"{FORMAT} 或更小", en=f"{FORMAT} or lower")
        details = [Detail(str(file), number, wanted)]
        raise SettingsError(WORDS["startup.newer"].format(home=home), details)


def open_registry(settings: Settings) -> ModelRegistry:
    """Return the registry of models, of which none is touched before its first use."""
    check_home(settings.home)
    return ModelRegistry(settings.models, settings.key)


def open_database(settings: Settings) -> Database:
    """Return the database; made on first start, and brought to this program's tables.

    SettingsError as `check_home`; StoreError if it can't be opened, is damaged, or newer than this.
    """
    # A database that lies elsewhere leaves the home as it is.
    (check_home if settings.database else enter_home)(settings.home)
    # Imported late: what keeps nothing needs no SQLAlchemy.
    from leadscore.store.database import open_store

    return open_store(settings.database or settings.database_file)


def connect_database(settings: Settings) -> Database:
    """Return the database as it is, whatever tables it has or lacks; errors as `open_database`."""
    check_home(settings.home)
    from leadscore.store.database import connect

    return connect(settings.database or settings.database_file)


def open_city(settings: Settings, city: Path | None = None) -> City:
    """Return the profile of the city that a command is about, as it counts now.

    CityError if the profile is wrong, or none was named and more or fewer than one is shipped.
    """
    return open_profiles(settings, city).current().city


def open_profiles(settings: Settings, city: Path | None = None) -> Profiles:
    """Return the profile of the city that a command is about, with its versions.

    Nothing is read before its first use, which then fails as `open_city` does; a service, which
    asks again and again, reads the file anew only when it has changed.
    """
    check_home(settings.home)
    return Profiles(lambda: _read(city or settings.city or _only_profile()), settings.profiles)


def training_rules(settings: Settings) -> Rules:
    """Return what a retraining forecasts."""
    # Imported late, as it takes a second.
    from leadscore.learning.training_data import Rules

    return Rules(settings.target, settings.horizon_days, settings.prior_strength)


def open_scorer(
    settings: Settings, city: Path | None = None, *, notify: Callable[[Text], object] = log_notice
) -> Scorer:
    """Return the scorer of the champion of a city, by default of the settings' one."""
    enter_home(settings.home)
    profile = open_city(settings, city)
    return champion_scorer(profile, open_registry(settings), now=datetime.now(UTC), notify=notify)


def champion_scorer(
    city: City,
    registry: ModelRegistry,
    *,
    now: datetime,
    notify: Callable[[Text], object] = log_notice,
) -> Scorer:
    """Return the scorer of the city's champion.

    Without a trained champion it is the expert model, built and shelved on first use. A champion
    that can't be used is left where it is; the last good one before it serves, and the expert
    model if there is none. A trained champion scores by the profile that it was trained with, but
    for the supply of segments, which is always today's.

    ``notify`` is told when another than the champion serves, when the champion was trained with
    another profile or program, and when a damaged expert model was built anew.

    Raises CityError if the card in the profile has mistakes; ModelError if no model can be built,
    saved or trusted.
    """
    # Imported late: going back to another champion needs no pandas and must be quick.
    from leadscore.learning.expert import expert_model, follow_supply
    from leadscore.ranking.score import Scorer

    registry.check_key()
    fault: ModelError | None = None
    champion: str | None = None
    try:
        champion = registry.champion(city.id)
    except ModelError as error:
        fault = error
    follow_supply(city, registry, now)
    for version in takewhile(
        lambda version: not is_expert(city.id, version), registry.line(city.id)
    ):
        try:
            scorer = Scorer(registry.load(version), version)
        except ModelError as error:
            fault = fault or error
        else:
            break
    else:
        version, model = expert_model(city, registry, now, notify)
        scorer = Scorer(model, version)
    if fault is not None:
        reason = Text(zh=fault.render("zh"), en=fault.render("en"))
        message = WORDS["champion.instead"] if champion else WORDS["champion.pointer"]
        notify(message.format(champion=champion, version=version, reason=reason))
    if not is_expert(city.id, version):
        _tell_outdated(city, registry, version, notify)
    return scorer


def _tell_outdated(
    city: City, registry: ModelRegistry, version: str, notify: Callable[[Text], object]
) -> None:
    from leadscore.learning.expert import trained_as

    manifest = registry.manifest(version)
    _, trained = trained_as(registry, version, manifest)
    outdated = not manifest.is_under(city), trained.code != code_fingerprint()
    if any(outdated):
        changed = "both" if all(outdated) else "profile" if outdated[0] else "program"
        what = WORDS[f"champion.changed.{changed}"]
        notify(WORDS["champion.outdated"].format(version=version, what=what))


def _read(path: Path) -> City:
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return load_city(path)  # which says what is wrong with it
    return _read_once(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _read_once(path: Path, *_mark: int) -> City:
    return load_city(path)


def _only_profile() -> Path:
    profiles = sorted(shipped("cities").glob("*.toml"))
    if len(profiles) == 1:
        return profiles[0]
    names = ", ".join(profile.stem for profile in profiles)
    wanted = [Detail("--city", names, WORDS["startup.only_profile"])]
    raise CityError(WORDS["startup.no_city"], wanted)
