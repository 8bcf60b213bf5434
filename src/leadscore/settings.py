"""Everything that the environment may decide, read once into one frozen object."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from leadscore.errors import Detail, SettingsError
from leadscore.language import Lang, Text


def _home() -> Path:
    return platformdirs.user_data_path("leadscore", appauthor=False)


def _locale() -> Lang:
    """Return the language of the terminal: Chinese where the locale says so."""
    spoken = (
        os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    )
    return "zh" if spoken.lower().startswith("zh") else "en"


class Settings(BaseSettings):
    """Settings of a run; each is an environment variable with the prefix ``LEADSCORE_``.

    Attributes
    ----------
    home
        Folder of the models (and later of the database and keys).
    city
        City profile used where the command names none; by default the only profile shipped.
    lang
        Language of messages and reasons: ``zh`` or ``en``; by default that of the terminal.
    host, port, threads
        Where ``leadscore serve`` listens, and with how many threads.
    """

    model_config = SettingsConfigDict(env_prefix="LEADSCORE_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=_home)
    city: Path | None = None
    lang: Lang = Field(default_factory=_locale)
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    threads: Annotated[int, Field(ge=1, le=256)] = 4

    @property
    def models(self) -> Path:
        """Folder of the model shelf."""
        return self.home / "models"


_WRONG = Text(zh="有{count}项环境设置不对", en="{count} setting(s) in the environment are wrong")


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
            Detail(
                where=f"LEADSCORE_{'_'.join(map(str, mistake['loc'])).upper()}",
                got=str(mistake["input"]),
                wanted=Text(zh=_ALLOWED.get(mistake["loc"][0], mistake["msg"]), en=mistake["msg"]),
            )
            for mistake in error.errors()
        ]
        raise SettingsError(_WRONG.format(count=len(details)), details) from None


_ALLOWED: dict[int | str, str] = {
    "lang": "zh 或 en",
    "port": "0 到 65535 的整数",
    "threads": "1 到 256 的整数",
}
