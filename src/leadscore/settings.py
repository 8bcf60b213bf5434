"""Everything that the environment may decide, read once into one frozen object."""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from leadscore.errors import Detail, SettingsError
from leadscore.language import LANGUAGES, Lang, Text

_PREFIX = "LEADSCORE_"


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
    """Let ``~`` stand for the user's home, as it does in a shell but not in the environment."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from None


_UserPath = Annotated[Path, AfterValidator(_expanded)]

_ADDRESS = re.compile(r"sqlite(\+pysqlite)?:///(?!file:).+|postgres(ql)?(\+psycopg)?://.+")
_SECRET = re.compile(r"(?<=://).*(?=@)")


def _address(url: str) -> str:
    if not _ADDRESS.fullmatch(url):
        raise ValueError
    return url


_Address = Annotated[str, AfterValidator(_address)]


class Settings(BaseSettings):
    """Settings of a run; each is an environment variable with the prefix ``LEADSCORE_``.

    An empty variable counts as none. All are checked at every start, whichever command runs: a
    mistake is told when it is made, and not when the server is started next month.

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
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="ignore"
    )

    home: _UserPath = Field(default_factory=_home)
    database: Annotated[_Address | None, Field(repr=False)] = None
    key_file: _UserPath | None = None
    city: _UserPath | None = None
    lang: Lang = Field(default_factory=spoken_language)
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    threads: Annotated[int, Field(ge=1, le=256)] = 4
    target: Literal["signed", "registered", "building", "producing"] = "signed"
    horizon_days: Annotated[int, Field(ge=1, le=3650)] = 365
    prior_strength: Annotated[float, Field(ge=1, le=1_000_000)] = 50.0

    @property
    def models(self) -> Path:
        """Folder of the model shelf."""
        return self.home / "models"

    @property
    def database_file(self) -> Path:
        """File of the database unless a URL names another."""
        return self.home / "leadscore.sqlite3"

    @property
    def key(self) -> Path:
        """File of the key that models are signed with."""
        return self.key_file or self.home / "keys" / "models.key"


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
}
"""What each setting may hold, in words."""

_ONE_WRONG = Text(zh="有 1 项环境设置不对", en="1 setting in the environment is wrong")
_WRONG = Text(zh="有 {count} 项环境设置不对", en="{count} settings in the environment are wrong")


def load_settings() -> Settings:
    """Read the environment.

    Raises
    ------
    SettingsError
        Naming every variable that holds something else than it may.
    """
    try:
        return Settings()
    except ValidationError as error:
        details = [
            Detail(f"{_PREFIX}{name.upper()}", _shown(mistake["input"]), ALLOWED[name])
            for mistake in error.errors()
            for name in (str(mistake["loc"][0]),)
        ]
        message = _ONE_WRONG if len(details) == 1 else _WRONG.format(count=len(details))
        raise SettingsError(message, details) from None


def _shown(value: object) -> str:
    """Return what stands in a variable, without the password that a URL may hold."""
    return _SECRET.sub("***", str(value))


def plain_wanted() -> bool:
    """Tell whether the user wants no colours anywhere (see https://no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))
