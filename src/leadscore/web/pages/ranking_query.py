"""Checks what an address asks of the ranking, by the same rules as the API."""

from __future__ import annotations

from pydantic import ValidationError

from leadscore.web.mistakes import plain_mistakes
from leadscore.web.pages.addresses import Asked
from leadscore.web.routes.ranking_payloads import RankingPageQuery


def checked(asked: Asked) -> RankingPageQuery:
    """Return what is asked for.

    Raises
    ------
    InvalidRequestError
        If it can't be asked for, saying what is wrong where.
    """
    try:
        return RankingPageQuery.model_validate({**asked.values, **asked.place})
    except ValidationError as error:
        raise plain_mistakes(error) from error
