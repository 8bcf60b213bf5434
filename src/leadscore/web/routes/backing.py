"""What the routes over the store stand on, and the small things that all of them do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flask import request

from leadscore.city.versions import Profiles
from leadscore.errors import Detail
from leadscore.language import Lang, Text
from leadscore.learning.shelf.shelf import Shelf
from leadscore.ranking.score import Scorer
from leadscore.store.engine.database import Database
from leadscore.web.access.callers import Access
from leadscore.web.api import asked_language
from leadscore.web.documentation import LANGUAGE_PARAMETERS
from leadscore.web.errors import REFUSALS, RequestError
from leadscore.web.idempotent import IDEMPOTENCY_PARAMETER
from leadscore.web.store_refusals import ChangedMeanwhileError

READS_QUERY = {"x-more-parameters": LANGUAGE_PARAMETERS[1:]}
"""What the description of a route says that reads, and whose query has ``lang`` among its own."""
WRITES = {"x-more-parameters": [*LANGUAGE_PARAMETERS, IDEMPOTENCY_PARAMETER]}
"""What the description of a route that writes says."""
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "所见企业的 ETag。 The ETag of the firm as it was looked at.",
    "schema": {"type": "string", "examples": ['"1"']},
}
_IF_PROFILE = _IF_MATCH | {
    "description": "所见缺口的 ETag。 The ETag of the gaps as they were looked at.",
}
CHANGES = {"x-more-parameters": [*LANGUAGE_PARAMETERS, IDEMPOTENCY_PARAMETER, _IF_MATCH]}
"""What the description of a route says that changes what two officers may edit."""
CHANGES_PROFILE = {"x-more-parameters": [*LANGUAGE_PARAMETERS, IDEMPOTENCY_PARAMETER, _IF_PROFILE]}
"""The same of the route that changes the city profile."""

_AN_ETAG = Text(zh='GET 所得的 ETag，如 "3"', en='the ETag that GET answered with, such as "3"')


class PreconditionRequiredError(RequestError):
    """A change that doesn't say of what."""

    code = "precondition_required"
    status = 428


@dataclass(frozen=True, slots=True)
class Backing:
    """What the routes stand on; shared by all threads.

    Attributes
    ----------
    access
        The database and who may do what in it.
    today
        Returns the day as of which firms are scored.
    scorer
        Returns the champion that serves now.
    shelf
        Where the models live.
    profiles
        The city's profile with its versions.
    exports
        Folder of the files that exports write.
    default_lang
        Language of answers to clients that ask for none.
    """

    access: Access
    today: Callable[[], date]
    scorer: Callable[[], Scorer]
    shelf: Shelf
    profiles: Profiles
    exports: Path
    default_lang: Lang = "en"

    @property
    def database(self) -> Database:
        """The database of the store."""
        return self.access.database

    def lang(self) -> Lang:
        """Return the language of the answer to the current request."""
        return asked_language(self.default_lang)


def etag(version: int) -> dict[str, str]:
    """Return the header that names a version."""
    return {"ETag": f'"{version}"'}


def matched_version(version: int) -> int:
    """Return the version that the request is about to change, or refuse it.

    Parameters
    ----------
    version
        As it is now.

    Raises
    ------
    PreconditionRequiredError
        If the request doesn't say.
    ChangedMeanwhileError
        If it is another one.
    """
    matched_tag(str(version))
    return version


def matched_tag(tag: str) -> str:
    """Return the ETag of what the request is about to change, or refuse it as `matched_version`."""
    given = request.headers.get("If-Match")
    if given is None:
        raise PreconditionRequiredError(REFUSALS[428][1], [Detail("If-Match", "∅", _AN_ETAG)])
    if not request.if_match.contains(tag):
        raise ChangedMeanwhileError(REFUSALS[412][1], [Detail("If-Match", given, _AN_ETAG)])
    return tag


def moment(value: datetime | None) -> str | None:
    """Return a moment as the answers write it."""
    return None if value is None else value.isoformat()


def words(text: Any, lang: Lang) -> str | None:
    """Return one language of a text that is kept in both; None for none."""
    return None if text is None else str(text[lang])
