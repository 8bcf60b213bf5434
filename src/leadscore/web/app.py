"""The application factory: routes, one error body, and headers that browsers heed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import Flask, Response, jsonify, make_response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from leadscore.errors import Detail, ListError
from leadscore.language import Lang, Text
from leadscore.ranking.scoring import Scorer
from leadscore.web.api import asked_language, operation_routes, scoring_routes
from leadscore.web.documentation import (
    DOCUMENT,
    PAGE,
    PAGE_POLICY,
    DocumentedService,
    service_info,
)
from leadscore.web.errors import RequestError, error_body, refusal
from leadscore.web.json_bodies import StrictJSON, StrictRequest
from leadscore.web.mistakes import invalid_request
from leadscore.web.payloads import ErrorAnswer
from leadscore.web.scored import FirmScoring

MAX_BODY_BYTES = 8 * 1024 * 1024
"""A body may be this large: a thousand firms with 8 KB of text each."""

_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SMALLER = Text(zh=f"至多 {MAX_BODY_BYTES} 字节", en=f"at most {MAX_BODY_BYTES} bytes")
_DOCUMENTED = Text(zh="/openapi/ 所列的地址", en="an address that /openapi/ lists")


class Application(DocumentedService):
    """The service as a WSGI application."""

    json_provider_class = StrictJSON
    request_class = StrictRequest
    default_lang: Lang = "en"


def create_app(
    scorer: Scorer, *, clock: Callable[[], date], default_lang: Lang = "en"
) -> Application:
    """Return the WSGI application that serves a scorer.

    Parameters
    ----------
    scorer
        The model with its city; shared by all threads.
    clock
        Returns the day as of which firms are scored.
    default_lang
        Language of answers to clients that ask for none.
    """
    app = Application(
        __name__,
        info=service_info(),
        static_folder=None,
        doc_prefix=DOCUMENT,
        validation_error_model=ErrorAnswer,
        validation_error_callback=_refuse,
    )
    app.openapi_version = "3.1.0"
    app.default_lang = default_lang
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES, OPENAPI_HTML_STRING=PAGE, SWAGGER_HTML_STRING=PAGE
    )
    scoring = FirmScoring(scorer, clock)
    app.register_api(scoring_routes(scoring, default_lang))
    app.register_api(operation_routes(scoring))
    _answer_errors(app, default_lang)
    app.after_request(_protect)
    return app


def _refuse(error: ValidationError) -> Response:
    """Leave the framework's own way of answering mistakes for the one that all errors take."""
    raise invalid_request(error)


def _answer_errors(app: Flask, default_lang: Lang) -> None:
    """Answer every error with the one body; Flask itself logs what nobody expected."""

    @app.errorhandler(RequestError)
    def refused(error: RequestError) -> Response:
        return answer(error.status, error.code, error.message, error.details)

    @app.errorhandler(ListError)
    def unreadable(error: ListError) -> Response:
        return answer(422, error.code, error.message, error.details)

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Response:
        status = error.code or 500
        code, message = refusal(status)
        response = answer(status, code, message, _details(status, error))
        allowed = error.get_response().headers.get("Allow")
        if allowed:
            response.headers["Allow"] = allowed
        return response

    def answer(status: int, code: str, message: Text, details: tuple[Detail, ...]) -> Response:
        body = error_body(code, message, details, lang=asked_language(default_lang))
        return make_response(jsonify(body), status)


def _details(status: int, error: HTTPException) -> tuple[Detail, ...]:
    """Say where, got and wanted of the errors that HTTP itself finds."""
    if status == 404:
        return (Detail("path", request.path, _DOCUMENTED),)
    if status == 405:
        allowed = error.get_response().headers.get("Allow", "")
        return (Detail("method", request.method, Text(zh=allowed, en=allowed)),)
    if status == 413:
        return (Detail("Content-Length", str(request.content_length), _SMALLER),)
    return ()


def _protect(response: Response) -> Response:
    response.headers.update(_HEADERS)
    documentation = request.path.startswith(f"{DOCUMENT}/")
    response.headers["Content-Security-Policy"] = PAGE_POLICY if documentation else _API_POLICY
    return response
