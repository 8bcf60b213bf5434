"""Where the parts meet: settings in; a registry, a city, a database, the right scorer out."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from leadscore.city.loading import load_city
from leadscore.errors import CityError, Detail, SettingsError
from leadscore.files import make_folder, place_new, remove_leftovers, shipped
from leadscore.registry.manifest import code_fingerprint
from leadscore.registry.models import ModelRegistry, is_expert, log_notice
from leadscore.text import Text, room_words

if TYPE_CHECKING:
    from leadscore.city.profile import City
    from leadscore.learning.champion import Champion
    from leadscore.learning.training_data import Rules
    from leadscore.lists.corrections import KnownCorrections
    from leadscore.ranking.score import Scorer
    from leadscore.settings import Settings
    from leadscore.store.database import Database
    from leadscore.store.profiles import Profiles

WORDS = room_words("")

FORMAT = 2
"""Of what lies in a home. A home of format 1 has no number: its models are pickles."""
FORMAT_FILE = "format"
WORKERS = "workers"
"""Folder in which workers of one home tell each other that they live."""
_FOLDERS = ("models", "keys", "exports", "backups", "profiles", WORKERS)

_log = logging.getLogger(__name__)


def enter_home(home: Path) -> None:
    """Do as `check_home`, and give a home its number before anything is written into it.

    Of programs that start at once the first one writes it. A home that may only be read is left
    without one: nothing new gets into it. What killed runs have left there is removed.
    """
    with contextlib.suppress(OSError):  # whoever writes there next tells what is wrong
        if not (home / FORMAT_FILE).exists():
            place_new(home / FORMAT_FILE, f"{FORMAT}\n".encode())
    check_home(home)
    _tidy(home)


def _tidy(home: Path) -> None:
    removed = sum(remove_leftovers(folder, shared=folder == home) for folder in _folders(home))
    if removed:
        _log.info("%d leftovers of killed runs removed", removed)


def tell_open_folders(home: Path) -> None:
    """Log which folders of a home others may enter or read: those of earlier programs, say."""
    if os.name == "nt":
        return
    open_ones = [
        folder for folder in _folders(home) if folder.is_dir() and folder.stat().st_mode & 0o077
    ]
    if home in open_ones:  # else nobody gets to the others
        names = ", ".join(folder.relative_to(home).as_posix() for folder in open_ones)
        _log.warning("folders of the home that others may enter: %s; chmod 700 them", names)


def _folders(home: Path) -> list[Path]:
    return [home, *(home / name for name in _FOLDERS)]


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

    One of an earlier program is backed up first, into the folder ``backups`` of the home, and what
    its home kept in files is taken over. Raises SettingsError as
    `check_home`; StoreError if it can't be opened, is damaged, or newer than this program.
    """
    if settings.database is None:
        enter_home(settings.home)
    else:  # what lies elsewhere makes no home
        check_home(settings.home)
        _tidy(settings.home)
    # Imported late: what keeps nothing needs no SQLAlchemy.
    from leadscore.store.audit import AuditTrail
    from leadscore.store.homes import take_over
    from leadscore.store.migrations import open_store

    def back_up_first(database: Database) -> None:
        from leadscore.store.backups import back_up

        folder = settings.home / "backups"
        make_folder(folder)
        name = f"before-upgrade-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.backup"
        back_up(database, settings.home, folder / name)

    address = settings.database or settings.database_file
    database = open_store(address, before_migration=back_up_first)
    try:
        take_over(database, settings.models, settings.profiles)
        if database.path is None:
            from leadscore.store.backups import finish_restoring

            finish_restoring(database, AuditTrail(settings.audit_key))
    except BaseException:
        database.close()
        raise
    return database


def _in_files(home: Path) -> bool:
    if not home.is_dir():
        return False
    from leadscore.store.homes import kept_in_files

    return bool(kept_in_files(home))


@contextlib.contextmanager
def kept_database(settings: Settings) -> Iterator[Database | None]:
    """Give the database, or None where none was named and nothing was ever kept; none is made."""
    nothing = settings.database is None and not settings.database_file.exists()
    if nothing and not _in_files(settings.home):
        check_home(settings.home)
        yield None
        return
    with contextlib.closing(open_database(settings)) as database:
        yield database


def connect_database(settings: Settings, **patience: float) -> Database:
    """Return the database as it is, whatever tables it has or lacks; errors as `open_database`.

    ``patience_seconds`` is that of `leadscore.store.database.Database`.
    """
    check_home(settings.home)
    from leadscore.store.migrations import connect

    return connect(settings.database or settings.database_file, **patience)


def open_city(
    settings: Settings, city: Path | None = None, database: Database | None = None
) -> City:
    """Return the profile of the city that a command is about, as it counts now.

    Without a database it is the file's. Raises CityError if no profile was named and more or fewer
    than one is shipped, or the profile is wrong.
    """
    if database is None:
        return read_profile(settings, city)
    return open_profiles(settings, database, city).current().city


def read_profile(settings: Settings, city: Path | None = None) -> City:
    """Return the file of the profile that a command is about; errors as `open_city`."""
    check_home(settings.home)
    return _read(city or settings.city or _only_profile())


def names_of_city(settings: Settings) -> frozenset[str]:
    """Return names and codes of the office's own city: who settles there is not lost elsewhere."""
    from leadscore.store.ledgers import names_of_place

    with kept_database(settings) as database:
        return names_of_place(open_city(settings, None, database))


def open_profiles(settings: Settings, database: Database, city: Path | None = None) -> Profiles:
    """Return the profile of the city that a command is about, with its versions.

    Where neither command nor settings name one, it is that which was chosen on a page.

    Nothing is read before its first use, which then fails as `open_city` does; a service, which
    asks again and again, reads the file anew only when it has changed.
    """
    from leadscore.store.profiles import Profiles

    named = (city or settings.city) is not None
    return Profiles(lambda: read_profile(settings, city), database, named=named)


def training_rules(settings: Settings) -> Rules:
    """Return what a retraining forecasts."""
    # Imported late, as it takes a second.
    from leadscore.learning.training_data import Rules

    return Rules(settings.target, settings.horizon_days, settings.prior_strength)


def open_scorer(
    settings: Settings, city: Path | None = None, *, notify: Callable[[Text], object] = log_notice
) -> Scorer:
    """Return the scorer of the champion of a city, by default of the settings' one.

    Where nothing was ever kept it is the expert model of the file of the profile. Raises what
    `open_city`, `open_database` and `champion_scorer` do.
    """
    enter_home(settings.home)
    with kept_database(settings) as database:
        return scorer_of(settings, city, database, notify=notify)


def open_scoring(
    settings: Settings, city: Path | None = None, *, as_of: date,
    notify: Callable[[Text], object] = log_notice,
) -> tuple[Scorer, KnownCorrections]:  # fmt: skip
    """Do as `open_scorer`, and return also what officers had corrected of firms by a day."""
    from leadscore.lists.corrections import NO_CORRECTIONS

    enter_home(settings.home)
    with kept_database(settings) as database:
        scorer = scorer_of(settings, city, database, notify=notify)
        if database is None:
            return scorer, NO_CORRECTIONS
        from leadscore.store.facts import known_corrections

        with database.read() as connection:
            return scorer, known_corrections(connection, as_of=as_of)


def scorer_of(
    settings: Settings, city: Path | None, database: Database | None, *,
    notify: Callable[[Text], object] = log_notice,
) -> Scorer:  # fmt: skip
    """Do as `open_scorer` with a database that is open already, or None for none."""
    from leadscore.store.champions import champion_line

    profile, line = open_city(settings, city, database), list[str]()
    if database is not None:
        with database.read() as connection:
            line = champion_line(connection, profile.id)
    registry = open_registry(settings)
    return champion_scorer(profile, registry, line, now=datetime.now(UTC), notify=notify)


def champion_scorer(
    city: City, registry: ModelRegistry, line: Sequence[str] = (), *, now: datetime,
    notify: Callable[[Text], object] = log_notice,
) -> Scorer:  # fmt: skip
    """Return the scorer of the city's champion, see `leadscore.learning.champion`.

    ``line`` is that of `leadscore.store.champions.champion_line`. ``notify`` is told when another
    than the champion serves, when the champion was trained with another profile or program, and
    when a damaged expert model was built anew.

    Raises CityError if the card in the profile has mistakes; ModelError if no model can be built,
    saved or trusted.
    """
    # Imported late, as it takes numpy.
    from leadscore.learning.champion import current_champion
    from leadscore.ranking.score import Scorer

    champion = current_champion(city, registry, line, now=now, notify=notify)
    if champion.missed:
        notify(champion.missed)
    if not is_expert(city.id, champion.version):
        _tell_outdated(city, registry, champion, notify)
    return Scorer(champion.model, champion.version, missed=champion.missed)


def _tell_outdated(
    city: City, registry: ModelRegistry, champion: Champion, notify: Callable[[Text], object]
) -> None:
    from leadscore.learning.champion import trained_as

    version, manifest = champion.version, champion.manifest
    _, trained = trained_as(registry, version, manifest)
    outdated = not manifest.is_under(city), trained.code != code_fingerprint()
    if any(outdated):
        what = {(True, True): "both", (True, False): "profile", (False, True): "program"}[outdated]
        changed = WORDS[f"champion.changed.{what}"]
        notify(WORDS["champion.outdated"].format(version=version, what=changed))


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
