"""Has a whole service asked whatever its description allows, and what it doesn't."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import Interaction, ScenarioRecorder
from tests.kept_lists import BLADES, BREAD, NOW, TODAY, code, hand_in, lakeport, scorer, take_in

from leadscore.jobs.kinds import IMPORT_LIST
from leadscore.learning.retraining.day_one import expert_model
from leadscore.learning.shelf.shelf import Shelf, log_notice
from leadscore.store.access import api_keys
from leadscore.store.auditing.trail import AuditTrail
from leadscore.store.engine.database import Database
from leadscore.store.jobs.jobs import submit
from leadscore.store.lists.lists import name_job
from leadscore.store.models import mirror
from leadscore.web.access.callers import Access
from leadscore.web.app import Application, Service, create_app
from leadscore.web.current import CurrentScoring

PHASES = ("examples", "coverage", "fuzzing", "stateful")


@dataclass
class Seeded:
    """A service over a store with a little of everything, and an administrator's key."""

    app: Application
    key: str
    statuses: dict[str, set[int]] = field(default_factory=dict)

    def told(self) -> str:
        return "\n".join(f"{k} {sorted(v)}" for k, v in sorted(self.statuses.items()))


@dataclass
class Finding:
    phase: str
    operation: str
    check: str
    failure: str
    request: str
    answer: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.operation, self.check, self.failure.partition("\n")[0]

    def __str__(self) -> str:
        return f"{self.phase}: {self.operation}: {self.check}\n{self.failure}\n{self.request}\n{self.answer}"


def seeded_service(database: Database, folder: Path) -> Seeded:
    shelf = Shelf(folder / "models", folder / "keys" / "models.key")
    access = Access(database, AuditTrail(folder / "keys" / "audit.key"), lambda: datetime.now(UTC))
    take_in(
        database,
        {"name": "甲有限公司", "credit_code": code(1), "main_business": BLADES, "city": "深圳市"},
        {"name": "乙有限公司", "main_business": BREAD},
        {"name": "丙有限公司", "main_business": BLADES, "status": "注销"},
    )
    waiting = hand_in(database, {"name": "丁有限公司"})
    expert_model(lakeport(), shelf, NOW, log_notice)
    with database.write() as connection:
        mirror(connection, shelf, lakeport().id, now=NOW)
        job = submit(connection, IMPORT_LIST, {"list_id": waiting}, by="li.na", now=NOW)
        name_job(connection, waiting, job)
        key = api_keys.add(connection, "tester", "administrator", by="cli", now=access.clock())
    scoring = CurrentScoring(scorer(), shelf, scorer, lambda: TODAY)
    return Seeded(create_app(Service(scoring, shelf, lambda: TODAY, access)), key)


def run(service: Seeded, *, max_examples: int, phases: Sequence[str] = PHASES) -> Iterator[Finding]:
    config = schemathesis.Config.from_dict(
        {
            "seed": 1,
            "headers": {"Authorization": f"Bearer {service.key}"},
            "generation": {"max-examples": max_examples, "deterministic": True, "database": "none"},
            "phases": {"enabled": False} | {name: {"enabled": True} for name in phases},
        }
    )
    schema = schemathesis.openapi.from_wsgi("/openapi/openapi.json", service.app, config=config)
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            for case_id, interaction in event.recorder.interactions.items():
                if interaction.response is not None:
                    label = event.recorder.cases[case_id].value.operation.label
                    service.statuses.setdefault(label, set()).add(interaction.response.status_code)
            yield from _failures(event.phase.value, event.recorder)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            told = f"{event.info.title}: {event.info.message}" if isinstance(event, events.NonFatalError) else repr(event.exception)
            yield Finding("", getattr(event, "label", ""), "error", told, "", "")


def _failures(phase: str, recorder: ScenarioRecorder) -> Iterator[Finding]:
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info:
                failure: Failure = check.failure_info.failure
                sent: Interaction = recorder.interactions[failure.case_id or case_id]
                yield Finding(
                    phase,
                    recorder.cases[case_id].value.operation.label, check.name, str(failure),
                    check.failure_info.code_sample,
                    f"{sent.response.status_code} {sent.response.content[:600]!r}",
                )
