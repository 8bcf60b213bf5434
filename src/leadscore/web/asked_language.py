"""The language of an answer: what the address says, else what the header prefers, else our own."""

from __future__ import annotations

from flask import request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from leadscore.errors import Detail
from leadscore.language import Lang, Text
from leadscore.web.errors import InvalidRequestError

_LANGUAGES: tuple[Lang, ...] = ("zh", "en")
_ONE_OF_TWO = Text(zh="zh 或 en", en="zh or en")
_UNKNOWN = Text(zh="没有这种语言", en="there is no such language here")


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


def check_named_language() -> None:
    """Refuse a request whose ``?lang=`` we don't have, rather than answer in another language.

    Raises
    ------
    InvalidRequestError
        If it is neither missing nor ``zh`` or ``en``.
    """
    named = request.args.get("lang")
    if named is not None and named_language(named) is None:
        raise InvalidRequestError(_UNKNOWN, [Detail("?lang", named, _ONE_OF_TWO)])
