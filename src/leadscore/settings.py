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
from leadscore.text import LANGUAGES, Lang, Text


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
    "home": Text(zh="文件夹的路径", en="the path of a folder"),
    "database": Text(
        zh="sqlite:///文件路径，或 postgresql://用户:密码@主机:端口/数据库",
        en="sqlite:///path/of/a/file, or postgresql://user:password@host:port/database",
    ),
    "key_file": Text(zh="密钥文件的路径", en="the path of a key file"),
    "city": Text(zh="城市画像文件的路径", en="the path of a city profile"),
    "lang": Text(zh="zh 或 en", en="zh or en"),
    "host": Text(zh="监听地址，例如 127.0.0.1", en="an address to listen on, such as 127.0.0.1"),
    "port": Text(zh="0 到 65535 的整数", en="a whole number from 0 to 65535"),
    "threads": Text(zh="1 到 256 的整数", en="a whole number from 1 to 256"),
    "target": Text(
        zh="signed、registered、building 或 producing",
        en="signed, registered, building or producing",
    ),
    "horizon_days": Text(zh="1 到 3650 的整数（天）", en="a whole number of days from 1 to 3650"),
    "prior_strength": Text(
        zh="1 到 1000000 的数（专家意见相当于多少家结果）",
        en="a number from 1 to 1000000 (how many outcomes the experts' word counts for)",
    ),
    "settings": Text(zh="设置文件（TOML）的路径", en="the path of a file of settings (TOML)"),
    "session_idle_minutes": Text(
        zh="1 到 1440 的整数（分钟）", en="a whole number of minutes from 1 to 1440"
    ),
    "session_hours": Text(zh="1 到 168 的整数（小时）", en="a whole number of hours from 1 to 168"),
    "lockout_failures": Text(zh="1 到 100 的整数（次）", en="a whole number from 1 to 100"),
    "lockout_seconds": Text(
        zh="1 到 3600 的整数（秒）", en="a whole number of seconds from 1 to 3600"
    ),
    "lockout_longest_minutes": Text(
        zh="1 到 1440 的整数（分钟）", en="a whole number of minutes from 1 to 1440"
    ),
    "trusted_proxies": Text(
        zh="0 到 10 的整数（前面有几层可信的代理）",
        en="a whole number from 0 to 10 (how many proxies of yours stand in front)",
    ),
    "proxy_addresses": Text(
        zh="代理的 IP 地址或网段，以逗号分隔，例如 127.0.0.1, 10.0.0.0/24；不能是所有地址",
        en="addresses or networks of your proxies with commas between, such as 127.0.0.1, "
        "10.0.0.0/24; not every address there is",
    ),
    "proxy_user_header": Text(
        zh="代理写入用户名的请求头，例如 X-Forwarded-User；不能是浏览器自己会发送的",
        en="the header into which your proxy writes the user's name, such as X-Forwarded-User; no "
        "header that browsers send themselves",
    ),
    "proxy_groups_header": Text(
        zh="代理写入用户所属组的请求头，例如 X-Forwarded-Groups，组名以逗号分隔",
        en="the header into which your proxy writes the user's groups with commas between, such as "
        "X-Forwarded-Groups",
    ),
    "proxy_roles": Text(
        zh="组=角色，以分号分隔，组名不含逗号；角色为 viewer、officer、administrator 或 auditor",
        en="group=role with semicolons between, no comma in a group; roles: viewer, officer, "
        "administrator, auditor",
    ),
}
"""What each setting may hold."""

_A_SETTING = Text(
    zh="README“设置”一节所列的名称，小写，不带 LEADSCORE_",
    en="a name of the README's table of settings, in small letters, without LEADSCORE_",
)
_PROXY_INSTEAD = Text(
    zh="请删去；统一登录改由本单位的反向代理完成（LEADSCORE_PROXY_USER_HEADER 与 "
    "LEADSCORE_PROXY_ADDRESSES，见 docs/running.zh-CN.md）",
    en="nothing: take it out; the office's own log-in comes through its reverse proxy now, by "
    "LEADSCORE_PROXY_USER_HEADER and LEADSCORE_PROXY_ADDRESSES (see docs/running.md)",
)


def wanted(name: str) -> Text:
    """Return what a setting may hold; of one that is gone what has taken its place."""
    return ALLOWED.get(name) or (_PROXY_INSTEAD if is_gone(name) else _A_SETTING)


def is_gone(name: str) -> bool:
    """Tell whether there was such a setting once."""
    return name.startswith("oidc_")


_MOST_BYTES = 1_000_000
_PATHS = frozenset({"home", "key_file", "city"})
_ENVIRONMENT_ONLY = frozenset({"settings"})

_UNREADABLE = Text(
    zh="设置文件 {path} 读不出来（{reason}）",
    en="the file of settings {path} can't be read ({reason})",
)
_TOML = Text(zh="UTF-8 编码的 TOML", en="TOML in UTF-8")


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
    message = _UNREADABLE.format(path=path, reason=reason)
    raise SettingsError(message, [Detail(str(path), reason, _TOML)])


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
