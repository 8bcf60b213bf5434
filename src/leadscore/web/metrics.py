"""What the service tells of itself: figures, log, and whether it is well; never who called."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from flask import Flask, Response, g, got_request_exception, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from leadscore.errors import LeadscoreError
from leadscore.store.jobs import QueueState
from leadscore.store.sqlite import Unavailability
from leadscore.text import Lang, Text, room_words
from leadscore.web.auth import requires
from leadscore.web.errors import asked_language, check_named_language, database_refusal
from leadscore.web.openapi import (
    LANGUAGE_PARAMETERS,
    SECURED,
    DocumentedService,
    Health,
    Readiness,
    refusals,
)

WORDS = room_words("web")
_TAG = Tag(name="operation", description="运行 Is the service well?")
_log = logging.getLogger(__name__)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LIKELIHOODS = tuple(tenth / 10 for tenth in range(1, 11))


@dataclass(frozen=True, slots=True)
class ModelState:
    """The model that scores."""

    version: str
    created: datetime | None


class Metrics:
    """The figures of one application; ``queue`` and ``model`` are asked whenever somebody looks."""

    def __init__(
        self,
        *,
        queue: Callable[[], QueueState],
        model: Callable[[], ModelState],
        clock: Callable[[], datetime],
    ) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "leadscore_requests", "Requests by pattern of the route, method and status.",
            ["route", "method", "status"], registry=self.registry,
        )  # fmt: skip
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._seconds = Histogram(
            "leadscore_request_seconds", "Time from a request to its answer, by route and method.",
            ["route", "method"], buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self._firms = Counter(
            "leadscore_firms_scored", "Firms that were scored on request.", registry=self.registry
        )
        self._likelihood = Histogram(
            "leadscore_likelihood", "Likelihoods that were answered, 0..1.",
            buckets=_LIKELIHOODS, registry=self.registry,
        )  # fmt: skip
        self.registry.register(_Current(queue, model, clock))

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; fits `leadscore.web.metrics.log_requests`."""
        key = route, method, status
        series = self._series.get(key)
        if series is None:  # looking up labels takes longer than counting
            series = self._series[key] = (
                self._requests.labels(route, method, str(status)),
                self._seconds.labels(route, method),
            )
        counter, histogram = series
        counter.inc()
        histogram.observe(seconds)

    def observe_scores(self, likelihoods: Iterable[float]) -> None:
        """Count scored firms, and keep how their likelihoods (0..1) are distributed."""
        count = 0
        for count, likelihood in enumerate(likelihoods, start=1):  # noqa: B007 (used below)
            self._likelihood.observe(likelihood)
        self._firms.inc(count)

    def text(self) -> bytes:
        """Return all figures in the format that Prometheus reads."""
        return generate_latest(self.registry)


class _Current(Collector):
    """Figures that are looked up when they are asked for."""

    def __init__(
        self,
        queue: Callable[[], QueueState],
        model: Callable[[], ModelState],
        clock: Callable[[], datetime],
    ) -> None:
        self._queue, self._model, self._clock = queue, model, clock

    def describe(self) -> Iterable[Metric]:
        """Return nothing: registering asks no database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the figures; those of the queue are missing while the database is away."""
        model = self._model()
        info = GaugeMetricFamily(
            "leadscore_model", "1 for the model that scores.", labels=["version"]
        )
        info.add_metric([model.version], 1)
        yield info
        now = self._clock()
        if model.created is not None:
            age = (now - model.created).total_seconds()
            yield GaugeMetricFamily("leadscore_model_age_seconds", "Age of that model.", value=age)
        try:
            queue = self._queue()
        except LeadscoreError as error:
            _log.warning("the queue can't be counted: %s", error.code)
            return
        jobs = GaugeMetricFamily("leadscore_jobs", "Jobs by state.", labels=["state"])
        for state, count in queue.counts.items():
            jobs.add_metric([state], count)
        yield jobs
        waits = (now - queue.waiting_since).total_seconds() if queue.waiting_since else 0.0
        yield GaugeMetricFamily(
            "leadscore_queue_wait_seconds", "How long the oldest job waits.", value=max(waits, 0.0)
        )


STUCK_AFTER = timedelta(minutes=10)
"""A queue from which nobody takes anything for so long is stuck."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How the service is; ``because`` says in words what is not as it should be, by code."""

    model: str
    city: str
    because: Mapping[str, Text]

    @property
    def status(self) -> Literal["ready", "degraded"]:
        """In one word."""
        return "degraded" if self.because else "ready"

    @property
    def answers(self) -> bool:
        """Whether requests should be sent here at all: not without the database."""
        return "database_away" not in self.because

    def body(self, lang: Lang) -> dict[str, Any]:
        """Return the condition as `leadscore.web.openapi.Readiness` describes it."""
        because = [
            {"code": code, "message": words.pick(lang)} for code, words in self.because.items()
        ]
        return {
            "status": self.status, "model": self.model, "city": self.city, "because": because,
        }  # fmt: skip


def readiness(
    *,
    serving: str,
    city: str,
    missed: Text | None,
    fault: Text | None,
    queue: Callable[[], QueueState],
    unwritable: Callable[[], Unavailability | None],
    worker_alive: bool | None,
    now: datetime,
) -> Condition:
    """Look whether the service is well."""
    because = {}
    if fault is not None:
        because["champion_unknown"] = WORDS["api.no_champion"].format(serving=serving, reason=fault)
    elif missed is not None:
        because["not_champion"] = missed
    try:
        state = queue()
    except LeadscoreError:
        because["database_away"] = WORDS["api.away"]
    else:
        waiting = state.waiting_since
        # A job may wait for hours behind another one, but not behind nobody.
        works = state.last_beat is not None and now - state.last_beat <= STUCK_AFTER
        if waiting is not None and now - waiting > STUCK_AFTER and not works:
            since = waiting.isoformat(timespec="minutes")
            because["queue_stuck"] = WORDS["api.stuck"].format(since=since)
        if why := unwritable():
            because["database_unwritable"] = database_refusal(why)[1]
    if worker_alive is False:
        because["worker_down"] = WORDS["api.no_worker"]
    return Condition(serving, city, because)


def operation_routes(condition: Callable[[], Condition], default_lang: Lang) -> APIBlueprint:
    """Return ``/healthz`` and ``/readyz``."""
    api = APIBlueprint("operation", __name__, abp_tags=[_TAG])

    @api.get(
        "/healthz",
        operation_id="healthz",
        summary="进程是否在运行 Does the process answer?",
        responses={200: Health, **refusals(431, 500)},
    )
    @requires("public")
    def healthz() -> dict[str, Any]:
        return {"status": "ok"}

    @api.get(
        "/readyz",
        operation_id="readyz",
        summary="能否工作，若不好是为何 Can it work, and if not well, why?",
        openapi_extensions={"x-more-parameters": LANGUAGE_PARAMETERS},
        responses={200: Readiness, 503: Readiness, **refusals(422, 431, 500)},
    )
    @requires("public")
    def readyz() -> tuple[dict[str, Any], int]:
        check_named_language()
        now = condition()
        return now.body(asked_language(default_lang)), 200 if now.answers else 503

    return api


def metrics_route(app: DocumentedService, metrics: Metrics) -> None:
    """Add ``/metrics`` to an application: for whoever may read, such as Prometheus with a key."""

    @app.get(
        "/metrics",
        tags=[_TAG],
        operation_id="metrics",
        summary="指标 Figures for Prometheus",
        security=SECURED,
        responses={
            200: {
                "description": "指标 Figures",
                "content": {"text/plain": {"schema": {"type": "string"}}},
            },
            **refusals(401, 403, 431, 500, 503, 507),
        },
    )
    @requires("read")
    def read_metrics() -> Response:
        return Response(metrics.text(), content_type=CONTENT_TYPE_LATEST)


HEADER = "X-Request-Id"
"""Header of every answer that names its line in the log."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"

Observe = Callable[[str, str, int, float], object]

_requests = logging.getLogger("leadscore.requests")


def log_requests(
    app: Flask,
    *,
    actor_kind: Callable[[], str] = lambda: "anonymous",
    observe: Observe = lambda *_: None,
) -> None:
    """Log every request of an application."""

    @app.before_request
    def begin() -> None:
        # No secret; and asking the system for one lets other threads in between.
        g.leadscore_request = f"{random.getrandbits(64):016x}"
        g.leadscore_begun = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        number, begun = g.get("leadscore_request"), g.get("leadscore_begun")
        if begun is None:  # refused before it was ours
            return response
        seconds = time.perf_counter() - begun
        method, route = method_of_request(), _route_of_request()
        observe(method, route, response.status_code, seconds)
        response.headers.add(HEADER, number)
        line = {
            "request": number, "method": method, "route": route, "status": response.status_code,
            "ms": round(seconds * 1000, 1), "actor": actor_kind(),
        }  # fmt: skip
        _requests.info("request", extra=line)
        return response

    def broke(_app: Flask, exception: BaseException, **_more: object) -> None:
        _requests.error(
            "request broke",
            extra={"request": g.get("leadscore_request"), "route": _route_of_request()},
            exc_info=exception,
        )

    got_request_exception.connect(broke, app, weak=False)
    # Flask would log it once more, with the address.
    app.logger.addFilter(lambda record: not record.exc_info)


def method_of_request() -> str:
    """Return the method, or ``other``: what a client makes up gets neither into logs nor metrics.

    >>> sorted(METHODS)[:2]
    ['DELETE', 'GET']
    """
    method = request.method
    return method if method in METHODS else "other"


def _route_of_request() -> str:
    rule = request.url_rule
    return rule.rule if rule else UNMATCHED
