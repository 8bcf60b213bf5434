"""Settings: from the environment and one file, checked at once, told of in two languages."""

from __future__ import annotations

import locale
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from leadscore.errors import Detail, SettingsError
from leadscore.text import LANGUAGES, Lang, Text, room_words
from leadscore.validation import NOTHING, unreadable

WORDS = room_words("")

_PREFIX = "LEADSCORE_"
FILE_NAME = "leadscore.toml"  # of the settings in the home folder


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


def _expanded(path: Path) -> Path:
    # Let ~ stand for the user's home, as it does in a shell but not in the environment.
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from None


_UserPath = Annotated[Path, AfterValidator(_expanded)]

_ADDRESS = re.compile(r"sqlite(\+pysqlite)?:///(?!file:).+|postgres(ql)?(\+psycopg)?://.+")
# Headers that browsers send themselves, or that mean something else here.
_OURS = frozenset({
    "accept", "accept-language", "authorization", "connection", "cookie", "forwarded", "host",
    "hx-request", "idempotency-key", "if-match", "origin", "referer", "sec-fetch-site",
    "user-agent", "x-csrf-token", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
})  # fmt: skip


def _address(url: str) -> str:
    if not _ADDRESS.fullmatch(url):
        raise ValueError
    return url


def _header(name: str) -> str:
    if name.lower() in _OURS:
        raise ValueError
    return name


def _networks(value: object) -> object:
    """Return addresses and networks, from a text with commas or spaces between or from a list.

    >>> [str(network) for network in _networks("127.0.0.1, 10.0.0.0/24 ::1")]
    ['127.0.0.1/32', '10.0.0.0/24', '::1/128']
    """
    parts = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or any(isinstance(part, int) for part in parts):
        raise ValueError
    networks = tuple(ip_network(part) for part in parts)
    if any(network.prefixlen == 0 for network in networks):  # which would let anybody be a proxy
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


_Address = Annotated[str, AfterValidator(_address)]
# A comma stands between the groups of the header, so none with one would ever be found there.
_Group = Annotated[str, Field(pattern=r"^[^,]+$")]
_Role = Literal["viewer", "officer", "administrator", "auditor"]
_Roles = Annotated[dict[_Group, _Role], NoDecode, BeforeValidator(_roles)]
_Header = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,99}$"), AfterValidator(_header)]
_Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]

_PATHS = ("home", "key_file", "city")
_SECRET = re.compile(r"(?<=://).*(?=@)")


def _settings_file() -> Path | None:
    named = os.environ.get(f"{_PREFIX}SETTINGS")
    home = os.environ.get(f"{_PREFIX}HOME")
    try:
        if named:
            return _expanded(Path(named))
        usual = (_expanded(Path(home)) if home else _home()) / FILE_NAME
    except ValueError:
        return None  # a ~ that is nobody's, told with all other mistakes
    return usual if usual.is_file() else None


class _File(TomlConfigSettingsSource):
    def _read_files(self, files: Any, deep_merge: bool = False) -> dict[str, Any]:  # noqa: ARG002
        return {} if files is None else self._read_file(files)  # also one that isn't there

    def _read_file(self, file_path: Any) -> dict[str, Any]:
        try:
            values = tomllib.loads(file_path.read_bytes().decode("utf-8-sig"))
        except OSError as fault:
            file = WORDS["settings.the_file"].format(path=file_path)
            raise SettingsError(unreadable(file, fault)) from fault
        except (ValueError, RecursionError) as fault:  # both of TOML and of UTF-8
            message = WORDS["settings.no_toml"].format(path=file_path, reason=fault)
            wanted = [Detail(str(file_path), str(fault), WORDS["settings.toml"])]
            raise SettingsError(message, wanted) from fault
        paths = {
            name: str(file_path.absolute().parent / value)
            for name, value in values.items()
            if name in _PATHS and isinstance(value, str) and not value.startswith("~")
        }
        return values | paths


class Settings(BaseSettings):
    """Settings of a run; each is an environment variable with the prefix ``LEADSCORE_``.

    An empty variable counts as none; what no variable says, the file of settings may. All are
    checked at every start, whichever command runs: a mistake is told when it is made, and not when
    the server is started next month.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid"
    )

    # Folder of the models, of the key that signs them, and of the database.
    home: _UserPath = Field(default_factory=_home)
    # URL of the database, if not SQLite in ``home``; may hold a password.
    database: Annotated[_Address | None, Field(repr=False)] = None
    # The key that models are signed with; by default ``keys/models.key`` in ``home``.
    key_file: _UserPath | None = None
    city: _UserPath | None = (
        None  # profile if a command names none; by default the only one shipped
    )
    lang: Lang = Field(default_factory=spoken_language)  # of messages and reasons
    # Where ``leadscore serve`` listens, and with how many threads.
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    threads: Annotated[int, Field(ge=1, le=256)] = 4
    # What a forecast is about: the stage to reach, within how many days of first contact.
    target: Literal["signed", "registered", "building", "producing"] = "signed"
    horizon_days: Annotated[int, Field(ge=1, le=3650)] = 365
    # For how many outcomes the experts' word counts when a model is trained.
    prior_strength: Annotated[float, Field(ge=1, le=1_000_000)] = 50.0
    # The file of settings; by default ``leadscore.toml`` in ``home``, if it is there.
    settings: _UserPath | None = Field(default=None, validation_alias="LEADSCORE_SETTINGS")
    # When somebody must log in again: after silence, and in any case.
    session_idle_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    session_hours: Annotated[int, Field(ge=1, le=168)] = 12
    # How many log-ins in a row may fail under a name before it is locked, for how long then, and
    # for how long at most: each further failure doubles it.
    lockout_failures: Annotated[int, Field(ge=1, le=100)] = 5
    lockout_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    lockout_longest_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    # How many proxies stand in front, whose word on address, scheme and host of a client counts;
    # from where the nearest connects, and nobody else's word counts where any are given.
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    proxy_addresses: _Networks = ()
    # Headers in which it says who has logged in at the office, and in which groups they are; and
    # the role of each group: the first of these that the user is in counts.
    proxy_user_header: _Header | None = None
    proxy_groups_header: _Header | None = None
    proxy_roles: _Roles = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (pydantic's signature)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """Let the environment go before the file of settings."""
        return init_settings, env_settings, _File(settings_cls, toml_file=_settings_file())

    @field_validator("*", mode="before")
    @classmethod
    def _no_flag(cls, value: object) -> object:
        if isinstance(value, bool):  # no setting is one, but true would be taken for 1
            raise ValueError  # noqa: TRY004 (pydantic reports only this one)
        return value

    @property
    def models(self) -> Path:
        """Folder of the model registry."""
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

    @property
    def audit_key(self) -> Path:
        """File of the key that the audit is signed with."""
        return self.home / "keys" / "audit.key"


def load_settings() -> Settings:
    """Read the environment, and the file of settings for what the environment leaves open.

    Raises SettingsError naming everything that holds something else than it may, or if the file
    can't be read.
    """
    said = {name.upper(): value for name, value in os.environ.items() if value}
    old = (name for name in sorted(said) if name.startswith(f"{_PREFIX}OIDC_"))
    details = [Detail(name, "…", WORDS["settings.proxy_instead"]) for name in old]
    try:
        settings = Settings()
    except ValidationError as error:
        details += _details(error, said)
    else:
        details += _contradictions(settings)
        if not details:
            return settings
    one, many = WORDS["settings.one_wrong"], WORDS["settings.wrong"].format(count=len(details))
    raise SettingsError(one if len(details) == 1 else many, details)


def allowed() -> dict[str, Text]:
    """Return what each setting may hold, in words."""
    words = tomllib.loads(files("leadscore").joinpath("settings.toml").read_text("utf-8"))
    return {name: Text(**halves) for name, halves in words.items()}


def _details(error: ValidationError, said: Mapping[str, str]) -> Iterator[Detail]:
    words, path = allowed(), _settings_file()
    in_file = _File(Settings, toml_file=path).toml_data
    places = (str(mistake["loc"][0]) for mistake in error.errors())
    for name in dict.fromkeys(place.lower().removeprefix("leadscore_") for place in places):
        variable = f"{_PREFIX}{name.upper()}"
        if variable in said:
            yield Detail(variable, _SECRET.sub("***", said[variable]), words[name])
        elif name not in words or name == "settings":
            old, unknown = WORDS["settings.proxy_instead"], WORDS["settings.a_setting"]
            wanted = old if name.startswith("oidc_") else unknown
            yield Detail(f"{path}, {name}", "…", wanted)
        else:
            value = in_file[name]
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            yield Detail(f"{path}, {name}", _SECRET.sub("***", shown), words[name])


def _contradictions(settings: Settings) -> list[Detail]:
    user, groups = settings.proxy_user_header, settings.proxy_groups_header
    if user is not None and not settings.proxy_addresses:
        return [Detail("proxy_addresses", NOTHING, WORDS["settings.known_proxies"])]
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
            close = [_PREFIX + near for near in get_close_matches(rest, settings, n=1)]
            unknown = WORDS["settings.unknown_close"] if close else WORDS["settings.unknown"]
            notices.append(unknown.format(name=name, close="".join(close)))
    return notices


def plain_wanted() -> bool:
    """Tell whether the user wants no colours anywhere (see https://no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))
