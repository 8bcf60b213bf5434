"""Everything that the environment and one file may decide, read once into one frozen object."""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from leadscore.errors import Detail, SettingsError
from leadscore.language import LANGUAGES, Lang, Text
from leadscore.setting_types import Address, Header, Networks, Roles, UserPath, expanded
from leadscore.setting_words import ALLOWED, is_gone, wanted
from leadscore.settings_file import FileValues, read_settings_file

_PREFIX = "LEADSCORE_"
FILE_NAME = "leadscore.toml"
"""What the file of settings is called in the home folder."""


def _system_locale() -> str:
    try:
        return locale.getlocale()[0] or ""
    except ValueError:  # a name that Python does not know
        return ""


def spoken_language(
    environment: Mapping[str, str] = os.environ, system: Callable[[], str] = _system_locale
) -> Lang:
    """Return the language to speak as long as nothing else is known: that of the terminal.

    ``LEADSCORE_LANG`` decides, then the first of ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` that is
    filled; where none is, as is usual on Windows, the system's own locale does. What is not
    Chinese is answered in English.
    """
    for lang in LANGUAGES:
        if environment.get(f"{_PREFIX}LANG") == lang:
            return lang
    names = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    spoken = next(filter(None, names), None) or system()
    return "zh" if spoken.lower().startswith(("zh", "chinese")) else "en"


def _home() -> Path:
    return platformdirs.user_data_path("leadscore", appauthor=False)


_SECRET = re.compile(r"(?<=://).*(?=@)")


class Settings(BaseSettings):
    """Settings of a run; each is an environment variable with the prefix ``LEADSCORE_``.

    An empty variable counts as none; what no variable says, the file of settings may. All are
    checked at every start, whichever command runs: a mistake is told when it is made, and not when
    the server is started next month.

    Attributes
    ----------
    home
        Folder of the models, of the key that signs them, and of the database.
    database
        URL of the database, if not SQLite in ``home``; may hold a password.
    key_file
        The key that models are signed with, outside the folder of models; by default
        ``keys/models.key`` in ``home``, made on first use.
    city
        City profile used where the command names none; by default the only profile shipped.
    lang
        Language of messages and reasons: ``zh`` or ``en``; by default that of the terminal.
    host, port, threads
        Where ``leadscore serve`` listens, and with how many threads.
    target, horizon_days
        What a forecast is about: the stage that a firm is to reach, within how many days of first
        contact.
    prior_strength
        For how many outcomes the experts' word counts when a model is trained.
    settings
        The file of settings; by default ``leadscore.toml`` in ``home``, if it is there.
    session_idle_minutes, session_hours
        When somebody who is logged in must log in again: after silence, and in any case.
    lockout_failures, lockout_seconds, lockout_longest_minutes
        How many log-ins in a row may fail under a name before it is locked, for how long then, and
        for how long at most: each further failure doubles it.
    trusted_proxies
        How many proxies stand in front, whose word on address, scheme and host of a client counts.
    proxy_addresses
        From where the nearest proxy connects; where any are given, nobody else's word counts.
    proxy_user_header, proxy_groups_header
        In which headers that proxy says who has logged in at the office, and in which groups they
        are; None if it doesn't.
    proxy_roles
        Which role each of these groups has here: the first of these that the user is in counts.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="ignore"
    )

    home: UserPath = Field(default_factory=_home)
    database: Annotated[Address | None, Field(repr=False)] = None
    key_file: UserPath | None = None
    city: UserPath | None = None
    lang: Lang = Field(default_factory=spoken_language)
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    threads: Annotated[int, Field(ge=1, le=256)] = 4
    target: Literal["signed", "registered", "building", "producing"] = "signed"
    horizon_days: Annotated[int, Field(ge=1, le=3650)] = 365
    prior_strength: Annotated[float, Field(ge=1, le=1_000_000)] = 50.0
    settings: UserPath | None = None
    session_idle_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    session_hours: Annotated[int, Field(ge=1, le=168)] = 12
    lockout_failures: Annotated[int, Field(ge=1, le=100)] = 5
    lockout_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    lockout_longest_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    proxy_addresses: Networks = ()
    proxy_user_header: Header | None = None
    proxy_groups_header: Header | None = None
    proxy_roles: Roles = Field(default_factory=dict)

    @property
    def models(self) -> Path:
        """Folder of the model shelf."""
        return self.home / "models"

    @property
    def profiles(self) -> Path:
        """Folder of what administrators changed of city profiles."""
        return self.home / "profiles"

    @property
    def database_file(self) -> Path:
        """File of the database unless a URL names another."""
        return self.home / "leadscore.sqlite3"

    @property
    def key(self) -> Path:
        """File of the key that models are signed with."""
        return self.key_file or self.home / "keys" / "models.key"


_ONE_WRONG = Text(zh="有 1 项设置不对", en="1 setting is wrong")
_WRONG = Text(zh="有 {count} 项设置不对", en="{count} settings are wrong")
_KNOWN_PROXIES = Text(
    zh="不能为空：须列出代理的地址，否则谁都能自称是别人",
    en="not empty: the addresses of your proxies, else whoever calls could name themselves",
)
_USER_TOO = Text(zh="须同时设置 proxy_user_header", en="only beside proxy_user_header")
_BOTH = Text(
    zh="proxy_groups_header 与 proxy_roles 须一并设置",
    en="proxy_groups_header and proxy_roles, both or none",
)
_ANOTHER = Text(zh="不同于 proxy_user_header", en="another header than proxy_user_header")
_UNKNOWN = Text(
    zh="没有名为 {name} 的设置，它不起作用。", en="there is no setting {name}; it does nothing."
)
_UNKNOWN_CLOSE = Text(
    zh="没有名为 {name} 的设置，它不起作用。您是否指 {close}？",
    en="there is no setting {name}; it does nothing. Did you mean {close}?",
)


def load_settings() -> Settings:
    """Read the environment, and the file of settings for what the environment leaves open.

    Raises
    ------
    SettingsError
        Naming everything that holds something else than it may, or if the file can't be read.
    """
    said = {name.upper() for name, value in os.environ.items() if value}
    file = read_settings_file(_settings_file(), Settings.model_fields)
    given = {
        name: value for name, value in file.values.items() if f"{_PREFIX}{name.upper()}" not in said
    }
    details = [
        Detail(name, "…", wanted(name.removeprefix(_PREFIX).lower()))
        for name in sorted(said)
        if name.startswith(_PREFIX) and is_gone(name.removeprefix(_PREFIX).lower())
    ]
    details += file.mistakes
    try:
        settings = Settings(**given)
    except ValidationError as error:
        details += _details(error, given, file)
    else:
        details += _contradictions(settings)
        if not details:
            return settings
    raise SettingsError(
        _ONE_WRONG if len(details) == 1 else _WRONG.format(count=len(details)), details
    )


def _contradictions(settings: Settings) -> list[Detail]:
    """Return what settings say against each other."""
    user, groups = settings.proxy_user_header, settings.proxy_groups_header
    if user is not None and not settings.proxy_addresses:
        return [Detail("proxy_addresses", "∅", _KNOWN_PROXIES)]
    if user is None and groups is not None:
        return [Detail("proxy_groups_header", groups, _USER_TOO)]
    if (groups is None) != (not settings.proxy_roles):
        there = "proxy_roles" if groups is None else "proxy_groups_header"
        return [Detail(there, str(getattr(settings, there)), _BOTH)]
    if user is not None and groups is not None and user.lower() == groups.lower():
        return [Detail("proxy_groups_header", groups, _ANOTHER)]
    return []


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[Text]:
    """Return a notice on each variable that looks like a setting and is none."""
    settings = [name.upper() for name in Settings.model_fields]
    notices = []
    for name in sorted(name for name, value in environment.items() if value):
        prefix, rest = name.upper()[: len(_PREFIX)], name.upper()[len(_PREFIX) :]
        if prefix == _PREFIX and rest not in settings:
            close = get_close_matches(rest, settings, n=1)
            notice = _UNKNOWN_CLOSE.format(name=name, close=_PREFIX + close[0]) if close else None
            notices.append(notice or _UNKNOWN.format(name=name))
    return notices


def _settings_file() -> Path | None:
    """Return the file of settings: the one that was named, or the one in the home if it is there.

    Raises
    ------
    SettingsError
        If a path holds a ``~`` that is nobody's.
    """
    named = os.environ.get(f"{_PREFIX}SETTINGS")
    home = os.environ.get(f"{_PREFIX}HOME")
    try:
        if named:
            return expanded(Path(named))
        usual = (expanded(Path(home)) if home else _home()) / FILE_NAME
    except ValueError:
        return None  # told with all other mistakes
    return usual if usual.is_file() else None


def _details(error: ValidationError, given: Mapping[str, Any], file: FileValues) -> list[Detail]:
    names = {str(mistake["loc"][0]): mistake["input"] for mistake in error.errors()}
    return [
        Detail(
            file.place(name) if name in given else f"{_PREFIX}{name.upper()}",
            _shown(given.get(name, found)),
            ALLOWED[name],
        )
        for name, found in names.items()
    ]


def _shown(value: object) -> str:
    """Return what stands in a variable, without the password that a URL may hold."""
    return _SECRET.sub("***", str(value))


def plain_wanted() -> bool:
    """Tell whether the user wants no colours anywhere (see https://no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))
