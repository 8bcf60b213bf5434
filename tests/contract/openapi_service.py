"""Asks a whole service for all that its description allows, and for what it doesn't.

What is asked is made up by schemathesis from the description that the service gives of itself, and
always the same: every check on every answer, and chains of requests along the links.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import schemathesis
from flask_openapi.openapi import OpenAPI
from schemathesis import Case, Response
from schemathesis.config._checks import POSITIVE_DATA_ACCEPTANCE_EXPECTED_STATUSES
from schemathesis.core.failures import Failure
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.python import wsgi
from tests.kept_lists import (
    BLADES,
    BREAD,
    NOW,
    TODAY,
    code,
    hand_in,
    lakeport,
    profiles,
    scorer,
    take_in,
)
from tests.second_model import save_another
from werkzeug.test import Client, TestResponse

from leadscore.jobs.tasks import EXPORT, IMPORT_LIST, JobDependencies, all_kinds
from leadscore.jobs.worker import Worker
from leadscore.learning.expert import expert_model
from leadscore.learning.training_data import Rules
from leadscore.registry.models import ModelRegistry
from leadscore.store import api_keys
from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database
from leadscore.store.jobs import submit
from leadscore.store.lists import name_job
from leadscore.store.models import mirror
from leadscore.web.api import CurrentScoring, Dependencies
from leadscore.web.app import create_app
from leadscore.web.auth import Access

_ACCEPTED = list(POSITIVE_DATA_ACCEPTANCE_EXPECTED_STATUSES)
_OPERATIONS: list[dict[str, Any]] = [
    {
        # An ETag is any text, and only one of them is that of now; without one it is 428.
        "include-path-regex": "/(firms/{id}/(override|exclusion|pursuit|hidden|merge|split"
        "|corrections(/{number})?)|gaps/{segment}/supply)$",
        "checks": {
            "positive_data_acceptance": {"expected-statuses": [*_ACCEPTED, "412"]},
            "missing_required_header": {"expected-statuses": ["401", "422", "428"]},
        },
    },
    {
        # GET at these addresses asks for a model of that name: /models/{version} describes it.
        "include-path-regex": "/models/(retrain|rollback)$",
        "checks": {"allow_header_conformance": {"enabled": False}},
    },
    {
        # What was exported is gone after a week, and no job writes CSV.
        "include-path-regex": "/exports(/{id})?$",
        "checks": {"positive_data_acceptance": {"expected-statuses": [*_ACCEPTED, "410"]}},
    },
]
_NO_SCHEMA_SAYS: dict[str, str] = {
    "": "Idempotency-Key",  # that another request had it
    "GET /api/v1/ranking": "cursor",  # where a page ended
    "POST /api/v1/firms": ".*",  # which columns there are, and what they take
    "POST /api/v1/firms/{id}/outcomes": "day|stage",  # not in the future; what can be withdrawn
    "POST /api/v1/firms/{id}/corrections": r"\w+",  # what the field takes
    "POST /api/v1/firms/{id}/notes": "day",  # not in the future
    "POST /api/v1/selections": "firms",  # a filter that holds some
    # One of two; who is here; what the kind needs; not in the future.
    "POST /api/v1/bulk": "selection|owner|reason|stage|day|shortlist",
    "PUT /api/v1/firms/{id}/pursuit": r"owner|\$",  # who is here; at least one value
    "PUT /api/v1/firms/{id}/override": r"segment|\$",  # one of the city; at least one value
    "POST /api/v1/lists": "mapping|line .*",  # JSON within a text
    "POST /api/v1/outcomes": r"mapping|stages|--map|--stage|line .*",  # JSON within a text
    "POST /api/v1/score": r"firms\[\d+\]",  # a dash is no name
}
"""By operation: places where a value may be wrong that its schema allows."""


@dataclass
class Seeded:
    """A service over a store with a little of everything.

    Attributes
    ----------
    statuses
        Of all answers so far, by operation.
    """

    app: OpenAPI
    key: str
    statuses: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def never_done(self) -> set[str]:
        """Return the operations that never did what they are for."""
        return {name for name, found in self.statuses.items() if not found & {200, 201, 202, 204}}


class InProcess(Client):
    """Leaves out what only a network can heed, but the checks that ask again pass on."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        for name in ("max_redirects", "verify", "cert"):
            kwargs.pop(name, None)
        return super().open(*args, **kwargs)


def seeded_service(database: Database, folder: Path) -> Seeded:
    """Return the service over a store with firms, models, lists, jobs and a written export."""
    registry = ModelRegistry(folder / "models", folder / "keys" / "models.key")
    expert_model(lakeport(), registry, NOW)
    save_another(registry)
    access = Access(database, AuditTrail(folder / "keys" / "audit.key"), lambda: datetime.now(UTC))
    take_in(
        database,
        {"name": "甲有限公司", "credit_code": code(1), "main_business": BLADES, "city": "深圳市"},
        {"name": "乙有限公司", "main_business": BREAD},
        {"name": "丙有限公司", "main_business": BLADES, "status": "注销"},
    )
    with database.write() as connection:
        mirror(connection, registry, lakeport().id, now=NOW)
        submit(connection, EXPORT, {"format": "xlsx"}, by="li.na", now=NOW)
        key = api_keys.add(connection, "tester", "administrator", by="cli", now=access.clock())
    dependencies = JobDependencies(
        lakeport, scorer, registry, Rules, folder / "exports", access.trail, access.clock
    )
    kinds = all_kinds(dependencies)
    assert Worker("here", database, kinds, access.clock, threading.Event()).do_one()
    waiting = hand_in(database, {"name": "丁有限公司"})
    with database.write() as connection:
        job = submit(connection, IMPORT_LIST, {"list_id": waiting}, by="li.na", now=NOW)
        name_job(connection, waiting, job)
    known = profiles(database)
    scoring = CurrentScoring(scorer, registry, known, database)
    service = Dependencies(
        scoring, registry, lambda: TODAY, access, known, exports=dependencies.exports
    )
    return Seeded(create_app(service), key)


def faults(service: Seeded, *, max_examples: int) -> Iterator[str]:
    """Yield what is wrong with the answers, or with what was asked.

    Parameters
    ----------
    service
        What is asked.
    max_examples
        Requests made up for each operation, and chains of requests.
    """
    config = schemathesis.Config.from_dict(
        {
            "seed": 1,
            "cache": {"enabled": False},  # which would keep what failed, and ask it first
            "headers": service.headers,
            "generation": {
                "max-examples": max_examples, "deterministic": True, "database": "none",
            },
            "operations": _OPERATIONS,
        }
    )  # fmt: skip
    schema = schemathesis.openapi.from_wsgi("/openapi/openapi.json", service.app, config=config)
    schema.hook("filter_failure")(_is_a_fault)
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _note_statuses(service, event.recorder)
            yield from _failures(event.recorder)
        elif isinstance(event, events.NonFatalError):
            yield f"{event.label}: {event.info.title}: {event.info.message}"
        elif isinstance(event, events.FatalError):
            raise event.exception


def _is_a_fault(_context: Any, failure: Failure, case: Case, response: Response) -> bool:
    """Tell what is wrong from what is right though no schema says so."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code not in (400, 422):
        return True
    allowed = [_NO_SCHEMA_SAYS[""], _NO_SCHEMA_SAYS.get(case.operation.label, "Idempotency-Key")]
    place = re.compile("|".join(allowed))
    # JSON Schema takes 7.0 for a whole number, and we don't.
    return not all(
        place.fullmatch(each["where"]) or re.fullmatch(r"-?\d+\.0", each["got"])
        for each in response.json()["error"]["details"]
    )


def _note_statuses(service: Seeded, recorder: ScenarioRecorder) -> None:
    for case_id, sent in recorder.interactions.items():
        if sent.response is not None:
            operation = recorder.cases[case_id].value.operation
            if sent.request.method.upper() == operation.method.upper():  # and no other was tried
                service.statuses[operation.label].add(sent.response.status_code)


def _failures(recorder: ScenarioRecorder) -> Iterator[str]:
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info:
                failure = check.failure_info.failure
                answer = recorder.interactions[failure.case_id or case_id].response
                content = answer.content[:1_000] if answer else b""
                yield f"{check.name}: {failure}\n{check.failure_info.code_sample}\n{content!r}"


wsgi.get_client = InProcess  # type: ignore[assignment]
