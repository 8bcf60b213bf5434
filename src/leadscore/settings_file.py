"""Reads the file of settings, in which whoever looks after a server writes what it should do."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leadscore.errors import Detail, SettingsError
from leadscore.language import Text
from leadscore.setting_words import wanted

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
        Detail(f"{path}, {name}", _shown(value), wanted(name))
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


def _shown(value: object) -> str:
    """Return what stands there, unless it may be a secret under a name that we don't know."""
    return str(value).lower() if isinstance(value, bool) else "…"
