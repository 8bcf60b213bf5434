"""Turns what the store refuses into errors with a status, where a caller can do something."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from leadscore.store.access.one_time_links import LinkError
from leadscore.store.access.passwords import PasswordError
from leadscore.store.access.users import BadNameError, ConflictError, UnknownNameError
from leadscore.store.faults import StoreError
from leadscore.store.firms.acts import BadOutcomeError
from leadscore.store.firms.firms import ChangedFirmError, UnknownFirmError
from leadscore.store.firms.shortlists import UnknownShortlistError
from leadscore.store.idempotency import ReusedKeyError
from leadscore.store.jobs.jobs import EndedJobError, UnknownJobError
from leadscore.store.lists.lists import UnknownListError
from leadscore.store.lists.uploads import UnknownUploadError
from leadscore.store.models import UnknownModelError
from leadscore.store.ranking.cursor import BadCursorError
from leadscore.store.ranking.saved_views import TakenViewError, UnknownViewError
from leadscore.store.ranking.scores import UnknownScoreError
from leadscore.web.errors import RequestError


class NothingThereError(RequestError):
    """A name that nothing has."""

    code = "not_found"
    status = 404


class ContradictionError(RequestError):
    """An act that what is kept already speaks against."""

    code = "conflict"
    status = 409


class UnacceptableError(RequestError):
    """A value that is well formed and still won't do."""

    code = "invalid_request"
    status = 422


class ChangedMeanwhileError(RequestError):
    """A change of something that has changed since it was looked at."""

    code = "changed_meanwhile"
    status = 412


_STATUS: dict[type[StoreError], type[RequestError]] = {
    UnknownNameError: NothingThereError,
    ConflictError: ContradictionError,
    BadNameError: UnacceptableError,
    LinkError: NothingThereError,
    PasswordError: UnacceptableError,
    ReusedKeyError: UnacceptableError,
    UnknownFirmError: NothingThereError,
    UnknownListError: NothingThereError,
    UnknownUploadError: NothingThereError,
    UnknownScoreError: NothingThereError,
    UnknownModelError: NothingThereError,
    UnknownJobError: NothingThereError,
    EndedJobError: ContradictionError,
    ChangedFirmError: ChangedMeanwhileError,
    BadOutcomeError: UnacceptableError,
    BadCursorError: UnacceptableError,
    UnknownShortlistError: NothingThereError,
    UnknownViewError: NothingThereError,
    TakenViewError: ContradictionError,
}


@contextlib.contextmanager
def store_refusals() -> Iterator[None]:
    """Give what the store refuses a status; what is no caller's fault goes on as it is."""
    try:
        yield
    except StoreError as error:
        kind = _STATUS.get(type(error))
        if kind is None:
            raise
        raise kind(error.message, error.details) from error
