"""The one table that puts errors of pydantic and of the operating system into both languages."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from pydantic_core import ErrorDetails

from leadscore.errors import Detail, LeadscoreError
from leadscore.text import Text, room_words

WORDS = room_words("")


Steps = tuple[str | int, ...]
NOTHING: Final = "∅"
"""What stands where something is missing."""

_WANTED: Final[dict[str, Text]] = {
    "missing": WORDS["validation.wanted_missing"],
    "string_type": WORDS["validation.wanted_string_type"],
    "string_too_short": WORDS["validation.wanted_string_too_short"],
    "string_too_long": WORDS["validation.wanted_string_too_long"],
    "string_pattern_mismatch": WORDS["validation.wanted_string_pattern_mismatch"],
    "float_type": WORDS["validation.wanted_float_type"],
    "int_type": WORDS["validation.wanted_int_type"],
    "int_parsing": WORDS["validation.wanted_int_parsing"],
    "finite_number": WORDS["validation.wanted_finite_number"],
    "greater_than": WORDS["validation.wanted_greater_than"],
    "greater_than_equal": WORDS["validation.wanted_greater_than_equal"],
    "less_than": WORDS["validation.wanted_less_than"],
    "less_than_equal": WORDS["validation.wanted_less_than_equal"],
    "bool_type": WORDS["validation.wanted_bool_type"],
    "literal_error": WORDS["validation.wanted_literal_error"],
    "tuple_type": WORDS["validation.wanted_tuple_type"],
    "too_short": WORDS["validation.wanted_too_short"],
    "dict_type": WORDS["validation.wanted_dict_type"],
    "model_type": WORDS["validation.wanted_dict_type"],
    "model_attributes_type": WORDS["validation.wanted_dict_type"],
    "extra_forbidden": WORDS["validation.wanted_extra_forbidden"],
}
_NOT_EMPTY: Final = WORDS["validation.not_empty"]
_OTHER: Final = WORDS["validation.other"]
_FORMS: Final[dict[str, Text]] = {
    r"^[a-z][a-z0-9_]*$": WORDS["validation.forms_a_z_a_z0_9"],
    r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$": WORDS["validation.forms_a_z_a_z0_9__a_z_a_z0_9"],
    r"^\d{2}(\d{2}|90\d{2})?$": WORDS["validation.forms_d_2_d_2_90_d_2"],
}


def wanted(error: ErrorDetails) -> Text:
    """Return what is allowed where pydantic found something else.

    A `PydanticCustomError` of ours may bring its own words, as ``zh`` and ``en`` of its context.
    """
    kind, context = error["type"], error.get("ctx", {})
    if "zh" in context:
        return Text(zh=context["zh"], en=context["en"])
    if kind == "string_too_short" and context["min_length"] == 1:
        return _NOT_EMPTY
    if form := _FORMS.get(str(context.get("pattern"))):
        return form
    return _WANTED.get(kind, _OTHER).format(
        **{key: _plain(found) for key, found in context.items()}
    )


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
    """Return what pydantic found wrong, each place and wish once."""
    found: dict[tuple[str, Text], Detail] = {}
    for error in errors:
        where, words = place(error["loc"]), wish(error)
        got = NOTHING if error["type"] == "missing" else shown(error["input"])
        found.setdefault((where, words), Detail(where, got, words))
    return list(found.values())


_KINDS: Final = {
    errno.ENOENT: "missing", errno.ENOTDIR: "missing", errno.EISDIR: "folder",
    errno.EACCES: "denied", errno.EPERM: "denied", errno.EROFS: "denied",
    errno.ENOSPC: "full", errno.EDQUOT: "full",
}  # fmt: skip
_REASONS: Final = {
    "missing": WORDS["validation.reasons_missing"],
    "folder": WORDS["validation.reasons_folder"],
    "denied": WORDS["validation.reasons_denied"],
    "full": WORDS["validation.reasons_full"],
}
_UNREADABLE: Final = WORDS["validation.unreadable"]
_READING: Final = {
    "missing": WORDS["validation.reading_missing"],
    "folder": WORDS["validation.reading_folder"],
    "denied": WORDS["validation.reading_denied"],
    "other": WORDS["validation.reading_other"],
}
_WRITING: Final = {
    "missing": WORDS["validation.writing_missing"],
    "folder": WORDS["validation.writing_folder"],
    "denied": WORDS["validation.writing_denied"],
    "full": WORDS["validation.writing_full"],
    "other": WORDS["validation.writing_other"],
}
_KEEPING: Final = {
    "denied": WORDS["validation.keeping_denied"],
    "full": WORDS["validation.keeping_full"],
    "other": WORDS["validation.keeping_other"],
}


def reason(fault: Exception) -> Text:
    """Return in a few words why the system refuses; its own words are English only.

    >>> reason(PermissionError(errno.EACCES, "…")).en, reason(OSError(errno.EIO, "…")).zh
    ('permission is denied', 'EIO')
    """
    number = getattr(fault, "errno", None) or 0
    code = errno.errorcode.get(number, type(fault).__name__)
    return _REASONS.get(_KINDS.get(number, ""), Text(zh=code, en=code))


def unreadable(file: Text, fault: Exception) -> Text:
    """Return why a file can't be opened, and what to do; ``file`` names it."""
    kind = _KINDS.get(getattr(fault, "errno", None) or 0, "other")
    path = getattr(fault, "filename", None)
    if path and Path(path).is_dir():  # which Windows calls "no permission"
        kind = "folder"
    cure = _READING.get(kind, _READING["other"]).format(reason=reason(fault))
    return _UNREADABLE.format(file=file, cure=cure)


def unwritable(path: Path, fault: OSError) -> Text:
    """Return why a file was not written, and what to do."""
    shape = _WRITING[_KINDS.get(fault.errno or 0, "other")]
    return shape.format(path=path, folder=path.parent, reason=reason(fault))


@contextlib.contextmanager
def refusals(
    error: type[LeadscoreError], place: Text, setting: str = "LEADSCORE_HOME"
) -> Iterator[None]:
    """Turn what the system refuses where the program keeps its own files into an ``error``."""
    try:
        yield
    except OSError as fault:
        shape = _KEEPING.get(_KINDS.get(fault.errno or 0, ""), _KEEPING["other"])
        message = shape.format(place=place, setting=setting, reason=reason(fault))
        raise error(message) from fault
