"""One body for every error: a stable code, words in the language asked, and the places."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import ClassVar

from flask import request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from leadscore.city.versions import NoChangeError, ProfileChangedError
from leadscore.errors import Detail, LeadscoreError
from leadscore.jobs.tasks import ExportGoneError
from leadscore.store.acts import BadOutcomeError
from leadscore.store.bulk import (
    BulkActError,
    UndoneActError,
    UnknownBulkActError,
    UnknownSelectionError,
)
from leadscore.store.corrections import BadCorrectionError, UnknownCorrectionError
from leadscore.store.current_ranking import UnknownScoreError
from leadscore.store.firms import (
    ChangedFirmError,
    GoneFirmError,
    MergedFirmError,
    UnknownFirmError,
)
from leadscore.store.idempotency import ReusedKeyError
from leadscore.store.jobs import EndedJobError, TooManyJobsError, UnknownJobError
from leadscore.store.ledgers import UnknownLedgerError
from leadscore.store.lists import (
    BusyListError,
    EndedUploadError,
    TooManyUploadsError,
    UnknownListError,
    UnknownUploadError,
)
from leadscore.store.merging import BadMergeError
from leadscore.store.models import UnknownModelError
from leadscore.store.pursuits import UnknownNoteError
from leadscore.store.ranking import BadCursorError
from leadscore.store.sessions import PasswordError
from leadscore.store.shortlists import TakenViewError, UnknownShortlistError, UnknownViewError
from leadscore.store.sqlite import Unavailability
from leadscore.store.users import BadNameError, ConflictError, LinkError, UnknownNameError
from leadscore.text import Lang, Text, room_words, shown

WORDS = room_words("web")

SHOWN_DETAILS = 100
"""Places that an answer lists; the message tells how many there are."""


class RequestError(LeadscoreError):
    """A request that can't be answered as it stands; its owner can mend it."""

    status: ClassVar[int] = 400


class BadJsonError(RequestError):
    """A body that is not the JSON that RFC 8259 describes, or only almost."""

    code = "bad_json"


class MediaTypeError(RequestError):
    """A body that doesn't claim to be JSON in UTF-8."""

    code = "unsupported_media_type"
    status = 415


class InvalidRequestError(RequestError):
    """JSON that says something else than the endpoint understands, or a value that won't do."""

    code = "invalid_request"
    status = 422


def invalid(where: str, got: str, wanted: Text) -> InvalidRequestError:
    """Return the error for one place that can't be taken as it stands."""
    return InvalidRequestError(REFUSALS[422][1], [Detail(where, got, wanted)])


class GoneError(RequestError):
    """Something that was here once, and is no more."""

    code = "gone"
    status = 410


_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    410: "gone",
    412: "changed_meanwhile",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
    428: "precondition_required",
    429: "too_many_attempts",
    431: "headers_too_large",
    500: "internal_error",
    503: "unavailable",
    501: "not_implemented",
    507: "insufficient_storage",
}
REFUSALS = {status: (code, WORDS[f"errors.refusals_{status}"]) for status, code in _CODES.items()}
"""Code and words of the errors that HTTP itself knows, by status."""


def refusal(status: int) -> tuple[str, Text]:
    """Return the code and the words of an HTTP status, also of one that we never thought of.

    >>> refusal(404)[0], refusal(418)[0]
    ('not_found', 'im_a_teapot')
    """
    if status in REFUSALS:
        return REFUSALS[status]
    return HTTPStatus(status).name.lower(), WORDS["errors.refused"]


MAX_BODY_BYTES = 8 * 1024 * 1024
"""A body may be this large: a thousand firms with 8 KB of text each."""

MAX_LIST_BYTES = 64 * 1024 * 1024
"""A file of a list may be this large: some hundred thousand firms."""


def too_large(got: str, *, is_list: bool) -> tuple[Text, Detail]:
    """Return the message and the place of a body that is too large, or a file of a list."""
    most = MAX_LIST_BYTES if is_list else MAX_BODY_BYTES
    message = REFUSALS[413][1]
    if is_list:
        message = WORDS["errors.list_too_large"].format(size=most >> 20)
    return message, Detail("Content-Length", got, WORDS["errors.body_at_most"].format(bytes=most))


def error_body(
    code: str, message: Text, details: Sequence[Detail] = (), *, lang: Lang
) -> dict[str, object]:
    """Return the body of an error; at most `SHOWN_DETAILS` places, each printable."""
    return {
        "error": {
            "code": code,
            "message": message.pick(lang),
            "details": [
                {
                    "where": shown(detail.where),
                    "got": shown(detail.got),
                    "wanted": detail.wanted.pick(lang),
                }
                for detail in details[:SHOWN_DETAILS]
            ],
        }
    }


_RETRY_AFTER_SECONDS = "3"
_LANGUAGES: tuple[Lang, ...] = ("zh", "en")


def preferred_language(accept_language: str | None, default: Lang) -> Lang:
    """Return the language that an Accept-Language header prefers of those that we have.

    >>> preferred_language("fr, zh-CN;q=0.8, en;q=0.5", "en")
    'zh'
    >>> preferred_language(None, "en")
    'en'
    """
    if not accept_language:
        return default
    # The best first; werkzeug's own best_match would take en before zh-CN, as an exact match.
    for tag, quality in parse_accept_header(accept_language, LanguageAccept):
        spoken = named_language(tag.split("-")[0].lower())
        if spoken and quality > 0:
            return spoken
    return default


def named_language(named: str | None) -> Lang | None:
    """Return the language that ``?lang=`` names, if it names one that we have."""
    return next((lang for lang in _LANGUAGES if lang == named), None)


def asked_language(default: Lang) -> Lang:
    """Return the language of the answer to the current request."""
    named = named_language(request.args.get("lang"))
    return named or preferred_language(request.headers.get("Accept-Language"), default)


def check_named_language() -> None:
    """Refuse a request whose ``?lang=`` we don't have, rather than answer in another language."""
    named = request.args.get("lang")
    if named is not None and named_language(named) is None:
        raise InvalidRequestError(
            WORDS["errors.unknown"], [Detail("?lang", named, WORDS["errors.one_of_two"])]
        )


def database_refusal(why: Unavailability) -> tuple[int, Text, dict[str, str]]:
    """Return status, words and headers of an answer that the database does not let us give.

    The words name no address: whoever asks may be anybody. The log has all of it.
    """
    headers = {"Retry-After": _RETRY_AFTER_SECONDS} if why in ("busy", "away") else {}
    return 507 if why == "full" else 503, WORDS[f"errors.database_{why}"], headers


class NothingThereError(RequestError):
    """A name that nothing has."""

    code = "not_found"
    status = 404


class ContradictionError(RequestError):
    """An act that what is kept already speaks against."""

    code = "conflict"
    status = 409


class ChangedMeanwhileError(RequestError):
    """A change of something that has changed since it was looked at."""

    code = "changed_meanwhile"
    status = 412


class MergedError(ContradictionError):
    """A firm that turned out to be another."""

    code = "merged_firm"


class TooManyWaitError(RequestError):
    """A job too many of somebody whose others still wait."""

    code = "too_many_jobs"
    status = 429


_STATUS: dict[type[LeadscoreError], type[RequestError]] = {
    UnknownNameError: NothingThereError,
    ConflictError: ContradictionError,
    BadNameError: InvalidRequestError,
    LinkError: NothingThereError,
    PasswordError: InvalidRequestError,
    ReusedKeyError: InvalidRequestError,
    UnknownFirmError: NothingThereError,
    UnknownNoteError: NothingThereError,
    UnknownListError: NothingThereError,
    UnknownUploadError: NothingThereError,
    EndedUploadError: GoneError,
    TooManyUploadsError: ContradictionError,
    BusyListError: ContradictionError,
    GoneFirmError: GoneError,
    MergedFirmError: MergedError,
    BadMergeError: InvalidRequestError,
    UnknownLedgerError: NothingThereError,
    UnknownScoreError: NothingThereError,
    UnknownModelError: NothingThereError,
    UnknownJobError: NothingThereError,
    EndedJobError: ContradictionError,
    TooManyJobsError: TooManyWaitError,
    ChangedFirmError: ChangedMeanwhileError,
    BadOutcomeError: InvalidRequestError,
    BadCorrectionError: InvalidRequestError,
    UnknownCorrectionError: NothingThereError,
    BadCursorError: InvalidRequestError,
    UnknownShortlistError: NothingThereError,
    UnknownSelectionError: NothingThereError,
    UnknownBulkActError: NothingThereError,
    BulkActError: InvalidRequestError,
    UndoneActError: ContradictionError,
    UnknownViewError: NothingThereError,
    TakenViewError: ContradictionError,
    ProfileChangedError: ChangedMeanwhileError,
    NoChangeError: InvalidRequestError,
    ExportGoneError: GoneError,
}


@contextlib.contextmanager
def store_refusals() -> Iterator[None]:
    """Give what the store refuses a status; what is no caller's fault goes on as it is."""
    try:
        yield
    except LeadscoreError as error:
        kind = _STATUS.get(type(error))
        if kind is None:
            raise
        raise kind(error.message, error.details) from error
