"""The tree of errors that leadscore raises on purpose: where, what was found, what was wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from leadscore.text import Lang, Text, room_words

WORDS = room_words("")


@dataclass(frozen=True, slots=True)
class Detail:
    """One place at which an input is wrong, as its owner would name it: ``sheet!row, column``."""

    where: str  # or a TOML key, or a JSON path
    got: str  # what stands there, shortened for reading
    wanted: Text  # what is allowed there


class LeadscoreError(Exception):
    """Base of every error that a caller may want to catch, with its places; ``code`` is stable."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 2

    def __init__(self, message: Text, details: Sequence[Detail] = ()) -> None:
        super().__init__(message.en)
        self.message = message
        self.details = tuple(details)

    def __reduce__(self) -> tuple[type[LeadscoreError], tuple[Text, tuple[Detail, ...]]]:
        """Pickle by the texts, so that an error survives its way out of a worker process."""
        return type(self), (self.message, self.details)

    def render(self, lang: Lang) -> str:
        """Return the message, then one line a detail."""
        lines = [self.message.pick(lang)]
        shape = WORDS["errors.detail"].pick(lang)
        lines += [shape.format(d.where, d.got, d.wanted.pick(lang)) for d in self.details]
        return "\n".join(lines)


class UsageError(LeadscoreError):
    """A command whose parts contradict each other."""

    code = "bad_usage"


class ListError(LeadscoreError):
    """A candidate list that can't be read at all; a bad cell is a problem, not an error."""

    code = "unreadable_list"


class CityError(LeadscoreError):
    """A city profile with mistakes in it."""

    code = "invalid_city_profile"


class ModelError(LeadscoreError):
    """A saved model that must not be used."""

    code = "unusable_model"


class OutputError(LeadscoreError):
    """A result that can't be written where it was asked for."""

    code = "unwritable_output"


class SettingsError(LeadscoreError):
    """A setting in the environment that holds something else than it may."""

    code = "invalid_setting"
