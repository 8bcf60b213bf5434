"""The one table that puts errors of pydantic and of the operating system into both languages."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from leadscore.errors import Detail, LeadscoreError
from leadscore.text import Text, room_words

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

WORDS = room_words("")

Steps = tuple[str | int, ...]
NOTHING: Final = "∅"  # what stands where something is missing

_ALIKE: Final = {"model_type": "dict_type", "model_attributes_type": "dict_type"}
_FORMS: Final = {
    r"^[a-z][a-z0-9_]*$": "id",
    r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$": "segment",
    r"^\d{2}(\d{2}|90\d{2})?$": "division",
}


def wanted(error: ErrorDetails) -> Text:
    """Return what is allowed where pydantic found something else.

    A `PydanticCustomError` of ours may bring its own words, as ``zh`` and ``en`` of its context.
    """
    kind, context = error["type"], error.get("ctx", {})
    if "zh" in context:
        return Text(zh=context["zh"], en=context["en"])
    if kind == "string_too_short" and context["min_length"] == 1:
        return WORDS["validation.not_empty"]
    if form := _FORMS.get(str(context.get("pattern"))):
        return WORDS[f"validation.form.{form}"]
    kind = _ALIKE.get(kind, kind)
    if f"validation.wanted.{kind}" not in WORDS:
        return WORDS["validation.other"]
    places = {key: _plain(value) for key, value in context.items()}
    return WORDS[f"validation.wanted.{kind}"].format(**places)


def _plain(value: object) -> object:
    if isinstance(value, str):  # pydantic writes 'a', 'b' or 'c'
        return value.replace("'", "").replace(" or ", ", ")
    return f"{value:g}" if isinstance(value, float) else value


def json_path(steps: Steps) -> str:
    """Return a path as it is written in JSON tools.

    >>> json_path(("firms", 0, "name")), json_path(())
    ('firms[0].name', '$')
    """
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return written.removeprefix(".") or "$"


def details(
    errors: Iterable[ErrorDetails],
    *,
    shown: Callable[[object], str],
    place: Callable[[Steps], str] = json_path,
    wish: Callable[[ErrorDetails], Text] = wanted,
) -> list[Detail]:
    """Return what pydantic found wrong, each place and wish once.

    ``shown`` turns what stands there into a short text; ``place`` and ``wish`` name the place and
    what is wanted there, where the usual words won't do.
    """
    distinct: dict[tuple[str, Text], Detail] = {}
    for error in errors:
        where, words = place(error["loc"]), wish(error)
        got = NOTHING if error["type"] == "missing" else shown(error["input"])
        distinct.setdefault((where, words), Detail(where, got, words))
    return list(distinct.values())


_KINDS: Final = {
    errno.ENOENT: "missing", errno.ENOTDIR: "missing", errno.EISDIR: "folder",
    errno.EACCES: "denied", errno.EPERM: "denied", errno.EROFS: "denied",
    errno.ENOSPC: "full", errno.EDQUOT: "full",
}  # fmt: skip


def is_full(fault: BaseException | None) -> bool:
    """Tell whether the system refuses because there is no room on the disk."""
    return _KINDS.get(getattr(fault, "errno", None) or 0) == "full"


def _kind(fault: Exception, *kinds: str) -> str:
    kind = _KINDS.get(getattr(fault, "errno", None) or 0, "other")
    return kind if kind in kinds else "other"


def reason(fault: Exception) -> Text:
    """Return in a few words why the system refuses; its own words are English only.

    >>> reason(PermissionError(errno.EACCES, "…")).en, reason(OSError(errno.EIO, "…")).zh
    ('permission is denied', 'EIO')
    """
    kind = _kind(fault, "missing", "folder", "denied", "full")
    if kind != "other":
        return WORDS[f"validation.reason.{kind}"]
    code = errno.errorcode.get(getattr(fault, "errno", None) or 0, type(fault).__name__)
    return Text(zh=code, en=code)


def unreadable(file: Text, fault: Exception) -> Text:
    """Return why a file can't be opened, and what to do; ``file`` names it."""
    kind = _kind(fault, "missing", "folder", "denied")
    path = getattr(fault, "filename", None)
    if path and Path(path).is_dir():  # which Windows calls "no permission"
        kind = "folder"
    cure = WORDS[f"validation.reading.{kind}"].format(reason=reason(fault))
    return WORDS["validation.unreadable"].format(file=file, cure=cure)


def unwritable(path: Path, fault: OSError) -> Text:
    """Return why a file was not written, and what to do."""
    kind = _kind(fault, "missing", "folder", "denied", "full")
    words = WORDS[f"validation.writing.{kind}"]
    return words.format(path=path, folder=path.parent, reason=reason(fault))


@contextlib.contextmanager
def refusals(
    error: type[LeadscoreError], place: Text, setting: str = "LEADSCORE_HOME"
) -> Iterator[None]:
    """Turn what the system refuses where the program keeps its own files into an ``error``.

    ``place`` is what the place is called (the Chinese ends in a space after Latin letters), and
    ``setting`` the environment variable that names another.
    """
    try:
        yield
    except OSError as fault:
        words = WORDS[f"validation.keeping.{_kind(fault, 'denied', 'full')}"]
        raise error(words.format(place=place, setting=setting, reason=reason(fault))) from fault
