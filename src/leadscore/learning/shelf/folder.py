"""Names and reads what lies in the folder of models, and says in words what stands in the way."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator
from pathlib import Path

from leadscore.errors import Detail, ModelError
from leadscore.language import Text

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
A_NAME = Text(
    zh="字母、数字、“-”“_”“.”，不超过100个字符，以字母或数字开头",
    en="letters, digits, - _ and . in at most 100 characters, the first a letter or digit",
)
_BAD_NAME = Text(
    zh="“{name}”不能作模型或城市的名称。请改用别的名称。",
    en="{name} can't be the name of a model or a city. Use another name.",
)
_NOT_ALLOWED = Text(
    zh="不许读写{place}。请取得权限，或用环境变量 {setting} 指定另一处。",
    en="not allowed to read and write {place}. Get permission, or name another place with "
    "{setting}.",
)
_REFUSED = Text(
    zh="{place}不能使用（{reason}）。请用环境变量 {setting} 指定另一处。",
    en="{place} can't be used ({reason}). Name another place with {setting}.",
)
_LINK = Text(
    zh="{path} 不是普通的文件或文件夹（例如是链接），模型库不予读取。请移走它，换成真正的文件。",
    en="{path} is no plain file or folder (a link, perhaps), and the shelf of models doesn't "
    "follow it. Remove it, and put the real thing in its place.",
)
_THE_FOLDER = Text(zh="模型文件夹 {folder} ", en="the folder of models {folder}")
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def is_name(name: object) -> bool:
    """Tell whether a text can name a version or a city, and leads nowhere else."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def check_name(name: str) -> None:
    """Refuse a name that could lead out of the folder.

    Raises
    ------
    ModelError
        If it is no name.
    """
    if not is_name(name):
        raise ModelError(_BAD_NAME.format(name=repr(name)), [Detail("name", repr(name), A_NAME)])


def read_plain(path: Path) -> bytes:
    """Return the content of a file that is a file and no link to one.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    ModelError
        If it is a link, a pipe, a folder.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise not_plain(path)
    return path.read_bytes()


def not_plain(path: Path) -> ModelError:
    """Return the error that says that something isn't what it should be, but a link, say."""
    return ModelError(_LINK.format(path=path))


@contextlib.contextmanager
def refusals(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses in the folder of models into words with a way out."""
    with refusals_at(_THE_FOLDER.format(folder=folder), "LEADSCORE_HOME"):
        yield


@contextlib.contextmanager
def refusals_at(place: Text, setting: str) -> Iterator[None]:
    """Turn what the operating system refuses at a place into words.

    Parameters
    ----------
    place
        What the place is called.
    setting
        The environment variable that names another.
    """
    try:
        yield
    except OSError as error:
        message = _NOT_ALLOWED if error.errno in _DENIED else _REFUSED
        reason = error.strerror or str(error)
        named = message.format(place=place, reason=reason, setting=setting)
        raise ModelError(named) from error
