"""The application factory: routes, one error body, and headers that browsers heed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from flask import Flask, Response, g, jsonify, make_response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from leadscore.city.versions import Profiles
from leadscore.errors import Detail, ListError
from leadscore.registry.models import Shelf
from leadscore.store.jobs import QueueState, queue_state
from leadscore.text import Lang, Text, room_words
from leadscore.web.api import (
    Condition,
    asked_language,
    gone_routes,
    me_routes,
    operation_routes,
    readiness,
    scoring_routes,
)
from leadscore.web.auth import Access, declare_under, is_file_form
from leadscore.web.errors import RequestError, error_body, refusal
from leadscore.web.guard import protect
from leadscore.web.json import StrictJSON, StrictRequest
from leadscore.web.metrics import Metrics, log_requests, metrics_route
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
from leadscore.web.pages.shell import Site, refused_page
from leadscore.web.routes import Backing, store_routes
from leadscore.web.routes.jobs import job_routes
from leadscore.web.scoring import CurrentScoring

WORDS = room_words("web")


MAX_BODY_BYTES = 8 * 1024 * 1024
"""A body may be this large: a thousand firms with 8 KB of text each."""

MAX_LIST_BYTES = 64 * 1024 * 1024
"""A file of a list may be this large: some hundred thousand firms."""

_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SMALLER = Text(zh=f"至多 {MAX_BODY_BYTES} 字节", en=f"at most {MAX_BODY_BYTES} bytes")


class Application(DocumentedService):
    """The service as a WSGI application."""

    json_provider_class = StrictJSON
    request_class = StrictRequest
    default_lang: Lang = "en"


@dataclass(frozen=True, slots=True)
class Service:
    """What the application stands on.

    Attributes
    ----------
    scoring
        The model with its city.
    shelf
        Where the models live.
    today
        Returns the day as of which firms are scored.
    access
        Who may do what, and the database with all that is kept.
    profiles
        The city's profile with its versions.
    host
        Where the server listens.
    worker_alive
        Tells whether the server's own worker runs; None if workers are run elsewhere.
    default_lang
        Language of answers to clients that ask for none.
    exports
        Folder of the files that exports write; by default one beside where the program was started.
    """

    scoring: CurrentScoring
    shelf: Shelf
    today: Callable[[], date]
    access: Access
    profiles: Profiles
    host: str = "127.0.0.1"
    worker_alive: Callable[[], bool | None] = lambda: None
    default_lang: Lang = "en"
    exports: Path = Path("exports")


def create_app(service: Service) -> Application:
    """Return the WSGI application.

    Raises
    ------
    ValueError
        If a demonstration would be reached from other machines.
    """
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
    app.default_lang = service.default_lang
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES, OPENAPI_HTML_STRING=PAGE, SWAGGER_HTML_STRING=PAGE
    )
    access, lang = service.access, service.default_lang
    metrics = Metrics(
        queue=partial(_queue, access), model=service.scoring.model_state, clock=access.clock
    )
    app.before_request(partial(_let_lists_be_large, app))
    log_requests(app, actor_kind=_actor_kind, observe=metrics.observe_request)
    app.register_api(scoring_routes(service.scoring, metrics, access, service.today, lang))
    app.register_api(operation_routes(partial(_condition, service), lang))
    app.register_api(me_routes())
    app.register_blueprint(gone_routes())
    app.register_api(job_routes(access, lang))
    backing = Backing(
        access, service.today, service.scoring.scorer, service.shelf,
        service.profiles, service.exports, lang,
    )  # fmt: skip
    for routes_of_store in store_routes(backing):
        app.register_api(routes_of_store)
    metrics_route(app, metrics)
    site = Site(backing)
    add_pages(app, site)
    declare_under(app, f"{DOCUMENT}/", "public")
    _answer_errors(app, lang, partial(refused_page, site))
    protect(app, access, host=service.host)
    app.after_request(_protect)
    return app


def _let_lists_be_large(app: Flask) -> None:
    if request.endpoint == "lists.add_list" or is_file_form(app, request.endpoint):
        request.max_content_length = MAX_LIST_BYTES


def _queue(access: Access) -> QueueState:
    with access.database.read() as connection:
        return queue_state(connection)


def _condition(service: Service) -> Condition:
    scorer = service.scoring.scorer()
    return readiness(
        serving=scorer.model,
        city=scorer.city.id,
        champion=service.scoring.champion,
        queue=partial(_queue, service.access),
        worker_alive=service.worker_alive(),
        now=service.access.clock(),
    )


def _actor_kind() -> str:
    found = g.get("leadscore_caller")
    if found is None:
        return "anonymous"
    return "key" if found.actor.startswith("key:") else "user"


def _refuse(error: ValidationError) -> Response:
    raise invalid_firms(error) if error.title == ScoreRequest.__name__ else plain_mistakes(error)


def _answer_errors(
    app: Flask, default_lang: Lang, as_page: Callable[[int, Text], Response | None]
) -> None:

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
        page = as_page(status, message)
        if page is not None:
            return page
        body = error_body(code, message, details, lang=asked_language(default_lang))
        return make_response(jsonify(body), status)


def _details(status: int, error: HTTPException) -> tuple[Detail, ...]:
    if status == 404:
        return (Detail("path", request.path, WORDS["app.documented"]),)
    if status == 405:
        allowed = error.get_response().headers.get("Allow", "")
        return (Detail("method", request.method, Text(zh=allowed, en=allowed)),)
    if status == 413:
        return (Detail("Content-Length", str(request.content_length), _SMALLER),)
    return ()


def _protect(response: Response) -> Response:
    response.headers.update(_HEADERS)
    documentation = request.path.startswith(f"{DOCUMENT}/")
    policy = PAGE_POLICY if documentation else _API_POLICY
    response.headers.setdefault("Content-Security-Policy", policy)
    return response
