"""What the service counts of itself, and when it says that it is not well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from leadscore.store.database import StoreError
from leadscore.store.jobs import STATES, QueueState
from leadscore.store.sqlite import Unavailability
from leadscore.text import Text
from leadscore.web.metrics import Condition, Metrics, ModelState, readiness

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
CALM = QueueState(dict.fromkeys(STATES, 0), None, None)


def away() -> QueueState:
    raise StoreError(Text(zh="连不上", en="away"))


def read(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def figure(metrics: Metrics, name: str, **labels: str) -> float | None:
    return read(metrics).get((name, frozenset(labels.items())))


def made(queue: object = None) -> Metrics:
    return Metrics(
        queue=away if queue is away else lambda: queue or CALM,  # type: ignore[arg-type, return-value]
        model=lambda: ModelState("city-7", NOW - HOUR),
        clock=lambda: NOW,
    )


def test_requests_are_counted_by_route_method_and_status() -> None:
    metrics = made()
    metrics.observe_request("GET", "/api/v1/firms/<int:id>", 200, 0.02)
    metrics.observe_request("GET", "/api/v1/firms/<int:id>", 404, 0.5)
    firm = {"route": "/api/v1/firms/<int:id>", "method": "GET"}
    assert figure(metrics, "leadscore_requests_total", status="200", **firm) == 1
    assert figure(metrics, "leadscore_request_seconds_count", **firm) == 2
    assert figure(metrics, "leadscore_request_seconds_bucket", le="0.025", **firm) == 1


def test_scores_are_counted_with_their_distribution() -> None:
    metrics = made()
    metrics.observe_scores([0.05, 0.15, 0.95])
    metrics.observe_scores([])
    assert figure(metrics, "leadscore_firms_scored_total") == 3
    assert figure(metrics, "leadscore_likelihood_bucket", le="0.2") == 2
    assert figure(metrics, "leadscore_likelihood_bucket", le="1.0") == 3


def test_the_queue_and_the_model_are_told() -> None:
    counts = dict.fromkeys(STATES, 0) | {"waiting": 4}
    metrics = made(QueueState(counts, NOW - HOUR, None))  # type: ignore[arg-type]
    assert figure(metrics, "leadscore_jobs", state="waiting") == 4
    assert figure(metrics, "leadscore_queue_wait_seconds") == 3600
    assert figure(metrics, "leadscore_model", version="city-7") == 1
    assert figure(metrics, "leadscore_model_age_seconds") == 3600


def test_figures_are_told_while_the_database_is_away() -> None:
    metrics = made(away)
    assert figure(metrics, "leadscore_model", version="city-7") == 1
    assert figure(metrics, "leadscore_jobs", state="waiting") is None


def test_two_applications_count_for_themselves() -> None:
    first, second = made(), made()
    first.observe_scores([0.5])
    assert figure(second, "leadscore_firms_scored_total") == 0


def condition(
    queue: object = CALM, *, missed: Text | None = None, fault: Text | None = None,
    worker: bool | None = True, unwritable: Unavailability | None = None,
) -> Condition:  # fmt: skip
    return readiness(
        serving="city-7",
        city="city",
        missed=missed,
        fault=fault,
        queue=away if queue is away else lambda: queue,  # type: ignore[arg-type, return-value]
        unwritable=lambda: unwritable,
        worker_alive=worker,
        now=NOW,
    )


def queue(waiting: timedelta | None = None, beat: timedelta | None = None) -> QueueState:
    since = None if waiting is None else NOW - waiting
    return QueueState(dict.fromkeys(STATES, 0), since, None if beat is None else NOW - beat)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "well",
    [
        condition(),
        condition(worker=None),
        condition(queue(waiting=timedelta(minutes=9))),
        condition(queue(waiting=5 * HOUR, beat=timedelta(minutes=1))),
    ],
)
def test_a_service_that_is_well_is_ready(well: Condition) -> None:
    assert well.body("en") == {
        "status": "ready", "model": "city-7", "city": "city", "because": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ill", "code"),
    [
        (condition(away), "database_away"),
        (condition(missed=Text(zh="另一个", en="another")), "not_champion"),
        (condition(fault=Text(zh="打不开", en="can't be opened")), "champion_unknown"),
        (condition(unwritable="full"), "database_unwritable"),
        (condition(worker=False), "worker_down"),
        (condition(queue(waiting=HOUR)), "queue_stuck"),
        (condition(queue(waiting=5 * HOUR, beat=HOUR)), "queue_stuck"),
    ],
)
def test_a_service_that_is_not_well_says_why(ill: Condition, code: str) -> None:
    assert ill.status == "degraded"
    assert list(ill.because) == [code]
    assert ill.answers == (code != "database_away")
    assert ill.body("zh")["because"] != ill.body("en")["because"]
