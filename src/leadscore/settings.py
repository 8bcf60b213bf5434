"""Settings: from the environment and one file, checked at once, told of in two languages."""

from __future__ import annotations

import locale
import os
import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from leadscore.errors import Detail, SettingsError
from leadscore.text import LANGUAGES, Lang, Text, room_words

WORDS = room_words("")


def expanded(path: Path) -> Path:
    """Let ``~`` stand for the user's home, as it does in a shell but not in the environment."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from None


UserPath = Annotated[Path, AfterValidator(expanded)]

_ADDRESS = re.compile(r"sqlite(\+pysqlite)?:///(?!file:).+|postgres(ql)?(\+psycopg)?://.+")


def _address(url: str) -> str:
    if not _ADDRESS.fullmatch(url):
        raise ValueError
    return url


Address = Annotated[str, AfterValidator(_address)]

_OURS = frozenset({
    "accept", "accept-language", "authorization", "connection", "cookie", "forwarded", "host",
    "hx-request", "idempotency-key", "if-match", "origin", "referer", "sec-fetch-site",
    "user-agent", "x-csrf-token", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
})  # fmt: skip
"""Headers that browsers send themselves, or that mean something else here."""


def _header(name: str) -> str:
    if name.lower() in _OURS:
        raise ValueError
    return name


def _networks(value: object) -> object:
    """Return addresses and networks, from a text with commas or spaces between or from a list.

    A network that holds every address would let anybody be a proxy, so it is none.

    >>> [str(network) for network in _networks("127.0.0.1, 10.0.0.0/24 ::1")]
    ['127.0.0.1/32', '10.0.0.0/24', '::1/128']
    """
    parts = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or any(isinstance(part, int) for part in parts):
        raise ValueError
    networks = tuple(ip_network(part) for part in parts)
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError
    return networks


def _roles(value: object) -> object:
    """Return groups and roles as a mapping, from what an environment can hold.

    The last ``=`` of each pair parts it, for names of groups may hold others.

    >>> _roles("team=leads=officer; boss=administrator")
    {'team=leads': 'officer', 'boss': 'administrator'}
    """
    if not isinstance(value, str):
        return value
    pairs = [pair.strip().rpartition("=") for pair in value.split(";") if pair.strip()]
    return {group.strip(): role.strip() for group, _, role in pairs}


# A comma stands between the groups of the header, so none with one would ever be found there.
_Group = Annotated[str, Field(pattern=r"^[^,]+$")]
_Role = Literal["viewer", "officer", "administrator", "auditor"]
Roles = Annotated[dict[_Group, _Role], NoDecode, BeforeValidator(_roles)]
Header = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,99}$"), AfterValidator(_header)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]


ALLOWED: dict[str, Text] = {
    "home": WORDS["settings.allowed_home"],
    "database": WORDS["settings.allowed_database"],
    "key_file": WORDS["settings.allowed_key_file"],
    "city": WORDS["settings.allowed_city"],
    "lang": WORDS["settings.allowed_lang"],
    "host": WORDS["settings.allowed_host"],
    "port": WORDS["settings.allowed_port"],
    "threads": WORDS["settings.allowed_threads"],
    "target": WORDS["settings.allowed_target"],
    "horizon_days": WORDS["settings.allowed_horizon_days"],
    "prior_strength": WORDS["settings.allowed_prior_strength"],
    "settings": WORDS["settings.allowed_settings"],
    "session_idle_minutes": WORDS["settings.allowed_session_idle_minutes"],
    "session_hours": WORDS["settings.allowed_session_hours"],
    "lockout_failures": WORDS["settings.allowed_lockout_failures"],
    "lockout_seconds": WORDS["settings.allowed_lockout_seconds"],
    "lockout_longest_minutes": WORDS["settings.allowed_session_idle_minutes"],
    "trusted_proxies": WORDS["settings.allowed_trusted_proxies"],
    "proxy_addresses": WORDS["settings.allowed_proxy_addresses"],
    "proxy_user_header": WORDS["settings.allowed_proxy_user_header"],
    "proxy_groups_header": WORDS["settings.allowed_proxy_groups_header"],
    "proxy_roles": WORDS["settings.allowed_proxy_roles"],
}
"""What each setting may hold."""


def wanted(name: str) -> Text:
    """Return what a setting may hold; of one that is gone what has taken its place."""
    return ALLOWED.get(name) or (
        WORDS["settings.proxy_instead"] if is_gone(name) else WORDS["settings.a_setting"]
    )


def is_gone(name: str) -> bool:
    """Tell whether there was such a setting once."""
    return name.startswith("oidc_")


_MOST_BYTES = 1_000_000
_PATHS = frozenset({"home", "key_file", "city"})
_ENVIRONMENT_ONLY = frozenset({"settings"})


@dataclass(frozen=True, slots=True)
class FileValues:
    """What stands in a file of settings.

    Attributes
    ----------
    path
        The file; None if there is none.
    values
        By name of the setting, as TOML has it; paths that aren't absolute are taken from the
        folder of the file.
    mistakes
        What in it can't be a setting.
    """

    path: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    mistakes: Sequence[Detail] = ()

    def place(self, name: str) -> str:
        """Return where a setting stands."""
        return f"{self.path}, {name}"


def read_settings_file(path: Path | None, names: Collection[str]) -> FileValues:
    """Return what stands in a file.

    Parameters
    ----------
    path
        The file; None if there is none.
    names
        The settings that there are.

    Raises
    ------
    SettingsError
        If the file isn't there, or is no TOML.
    """
    if path is None:
        return FileValues()
    found = _parsed(path)
    mistakes = [
        Detail(f"{path}, {name}", _shown_file(value), wanted(name))
        for name, value in found.items()
        # No setting is true or false, but true would be taken for 1.
        if name not in names or name in _ENVIRONMENT_ONLY or isinstance(value, bool)
    ]
    wrong = {mistake.where for mistake in mistakes}
    values = {
        name: _from_folder(path, name, value)
        for name, value in found.items()
        if f"{path}, {name}" not in wrong
    }
    return FileValues(path, values, mistakes)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.loads(file.read(_MOST_BYTES).decode("utf-8-sig"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except (ValueError, RecursionError) as error:  # both of TOML and of UTF-8
        reason = str(error)
    message = WORDS["settings.unreadable"].format(path=path, reason=reason)
    raise SettingsError(message, [Detail(str(path), reason, WORDS["settings.toml"])])


def _from_folder(path: Path, name: str, value: object) -> object:
    if name not in _PATHS or not isinstance(value, str) or value.startswith("~"):
        return value
    return str(path.absolute().parent / value)


def _shown_file(value: object) -> str:
    """Return what stands there, unless it may be a secret under a name that we don't know."""
    return str(value).lower() if isinstance(value, bool) else "…"


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
        WORDS["settings.one_wrong"]
        if len(details) == 1
        else WORDS["settings.wrong"].format(count=len(details)),
        details,
    )


def _contradictions(settings: Settings) -> list[Detail]:
    """Return what settings say against each other."""
    user, groups = settings.proxy_user_header, settings.proxy_groups_header
    if user is not None and not settings.proxy_addresses:
        return [Detail("proxy_addresses", "∅", WORDS["settings.known_proxies"])]
    if user is None and groups is not None:
        return [Detail("proxy_groups_header", groups, WORDS["settings.user_too"])]
    if (groups is None) != (not settings.proxy_roles):
        there = "proxy_roles" if groups is None else "proxy_groups_header"
        return [Detail(there, str(getattr(settings, there)), WORDS["settings.both"])]
    if user is not None and groups is not None and user.lower() == groups.lower():
        return [Detail("proxy_groups_header", groups, WORDS["settings.another"])]
    return []


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[Text]:
    """Return a notice on each variable that looks like a setting and is none."""
    settings = [name.upper() for name in Settings.model_fields]
    notices = []
    for name in sorted(name for name, value in environment.items() if value):
        prefix, rest = name.upper()[: len(_PREFIX)], name.upper()[len(_PREFIX) :]
        if prefix == _PREFIX and rest not in settings:
            close = get_close_matches(rest, settings, n=1)
            notice = (
                WORDS["settings.unknown_close"].format(name=name, close=_PREFIX + close[0])
                if close
                else None
            )
            notices.append(notice or WORDS["settings.unknown"].format(name=name))
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
