"""The application factory: routes, one error body, and headers that browsers heed."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask, Response, jsonify, make_response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from leadscore.errors import Detail, ListError
from leadscore.store.database import UnavailableError
from leadscore.store.firms import MergedFirmError
from leadscore.store.jobs import QueueState, queue_state
from leadscore.store.sqlite import Unavailability
from leadscore.text import Lang, Text, room_words
from leadscore.validation import is_full
from leadscore.web.api import Dependencies, gone_routes, me_routes, scoring_routes
from leadscore.web.auth import Access, current_caller, declare_under, is_file_form, protect
from leadscore.web.errors import (
    MAX_BODY_BYTES,
    MAX_LIST_BYTES,
    MergedError,
    RequestError,
    asked_language,
    database_refusal,
    error_body,
    refusal,
    too_large,
)
from leadscore.web.json import StrictJSON, StrictRequest
from leadscore.web.metrics import (
    Condition,
    Metrics,
    log_requests,
    metrics_route,
    operation_routes,
    readiness,
)
from leadscore.web.openapi import (
    DOCUMENT,
    PAGE,
    PAGE_POLICY,
    SECURITY_SCHEMES,
    DocumentedService,
    ErrorAnswer,
    ScoreRequest,
    invalid_firms,
    plain_mistakes,
    service_info,
)
from leadscore.web.pages import add_pages
from leadscore.web.pages.shell import refused_page
from leadscore.web.routes import store_routes
from leadscore.web.routes.lists import job_routes

WORDS = room_words("web")
_log = logging.getLogger(__name__)

_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Application(DocumentedService):
    """The service as a WSGI application."""

    json_provider_class = StrictJSON
    request_class = StrictRequest
    default_lang: Lang = "en"

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a view as it is: none of ours is asynchronous, and asking takes long."""
        return func


def create_app(dependencies: Dependencies) -> Application:
    """Return the WSGI application; a demonstration for other machines is a ValueError."""
    app = Application(
        __name__,
        info=service_info(),
        static_folder=None,
        doc_prefix=DOCUMENT,
        security_schemes=SECURITY_SCHEMES,
        validation_error_model=ErrorAnswer,
        validation_error_callback=_refuse,
    )
    app.openapi_version = "3.1.0"
    app.default_lang = dependencies.default_lang
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES, OPENAPI_HTML_STRING=PAGE, SWAGGER_HTML_STRING=PAGE
    )
    access = dependencies.access
    metrics = Metrics(
        queue=partial(_queue, access), model=dependencies.scoring.model_state, clock=access.clock
    )
    app.before_request(partial(_let_lists_be_large, app))
    log_requests(app, actor_kind=_actor_kind, observe=metrics.observe_request)
    app.register_api(scoring_routes(dependencies, metrics))
    condition = partial(_condition, dependencies)
    app.register_api(operation_routes(condition, dependencies.default_lang))
    app.register_api(me_routes())
    app.register_blueprint(gone_routes())
    app.register_api(job_routes(dependencies))
    for routes in store_routes(dependencies):
        app.register_api(routes)
    metrics_route(app, metrics)
    add_pages(app, dependencies)
    declare_under(app, f"{DOCUMENT}/", "public")
    _answer_errors(app, dependencies.default_lang, partial(refused_page, dependencies))
    protect(app, access, host=dependencies.host)
    app.after_request(_protect)
    return app


def _let_lists_be_large(app: Flask) -> None:
    endpoint = request.endpoint
    if endpoint == "lists.add_list" or is_file_form(app, endpoint):
        request.max_content_length = MAX_LIST_BYTES


def _queue(access: Access) -> QueueState:
    with access.database.read() as connection:
        return queue_state(connection)


def _condition(dependencies: Dependencies) -> Condition:
    scorer = dependencies.scorer()
    return readiness(
        serving=scorer.model,
        city=scorer.city.id,
        missed=scorer.missed,
        fault=dependencies.scoring.fault,
        queue=partial(_queue, dependencies.access),
        unwritable=dependencies.database.unwritable,
        worker_alive=dependencies.worker_alive(),
        now=dependencies.access.clock(),
    )


def _actor_kind() -> str:
    who = current_caller()
    if who is None:
        return "anonymous"
    return "key" if who.actor.startswith("key:") else "user"


def _refuse(error: ValidationError) -> Response:
    raise invalid_firms(error) if error.title == ScoreRequest.__name__ else plain_mistakes(error)


def _answer_errors(
    app: Flask, default_lang: Lang, as_page: Callable[[int, Text], Response | None]
) -> None:

    @app.errorhandler(RequestError)
    def refused(error: RequestError) -> Response:
        return answer(error.status, error.code, error.message, error.details)

    @app.errorhandler(MergedError)
    def moved(error: MergedError) -> Response:
        # Who asks for a firm that was merged into another is sent there, for as long as it is one.
        into = error.__cause__.into if isinstance(error.__cause__, MergedFirmError) else None
        if request.method != "GET" or into is None:
            return refused(error)
        path = re.sub(r"/firms/\d+", f"/firms/{into}", request.full_path.rstrip("?"), count=1)
        return Response(status=307, headers={"Location": path, "Cache-Control": "no-store"})

    @app.errorhandler(ListError)
    def unreadable(error: ListError) -> Response:
        return answer(422, error.code, error.message, error.details)

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Response:
        status = error.code or 500
        code, message = refusal(status)
        details = _details(status, error)
        if status == 413:
            is_list = request.max_content_length == MAX_LIST_BYTES
            message, detail = too_large(str(request.content_length), is_list=is_list)
            details = (detail,)
        response = answer(status, code, message, details)
        allowed = error.get_response().headers.get("Allow")
        if allowed:
            response.headers["Allow"] = allowed
        return response

    def answer(status: int, code: str, message: Text, details: tuple[Detail, ...]) -> Response:
        page = as_page(status, message)
        if page is not None:
            return page
        body = error_body(code, message, details, lang=asked_language(default_lang))
        return make_response(jsonify(body), status)

    _answer_for_the_database(app, answer)


def _answer_for_the_database(app: Flask, answer: Callable[..., Response]) -> None:

    @app.errorhandler(UnavailableError)
    def unavailable(error: UnavailableError) -> Response:
        _log.warning("the database can't be used: %s", error.why)
        return refused(error.why)

    @app.errorhandler(OSError)
    def no_room(error: OSError) -> Response:
        if not is_full(error):
            raise error
        _log.warning("no room for a file that is to be sent")
        return refused("full")

    def refused(why: Unavailability) -> Response:
        status, message, headers = database_refusal(why)
        response = answer(status, refusal(status)[0], message, ())
        response.headers.update(headers)
        return response


def _details(status: int, error: HTTPException) -> tuple[Detail, ...]:
    if status == 404:
        return (Detail("path", request.path, WORDS["app.documented"]),)
    if status == 405:
        allowed = error.get_response().headers.get("Allow", "")
        return (Detail("method", request.method, Text(zh=allowed, en=allowed)),)
    return ()


def _protect(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.add(name, value)
    if "Content-Security-Policy" not in response.headers:
        documentation = request.path.startswith(f"{DOCUMENT}/")
        policy = PAGE_POLICY if documentation else _API_POLICY
        response.headers.add("Content-Security-Policy", policy)
    return response
