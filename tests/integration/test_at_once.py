"""Administrators who change who serves, and by which supply, at the same moment."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from tests.crash.office import BLADE, THIRD, Office
from tests.second_model import OTHER

from leadscore.store.audit import AUDIT
from leadscore.store.champions import history as history_in
from leadscore.store.champions import line_of
from leadscore.store.database import Database
from leadscore.store.profiles import changes_of

ROUNDS = 12
EACH = "champions", "profile"


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path, database)
    yield office
    office.end()


def test_three_administrators_at_once_get_answers_that_the_end_and_the_audit_agree_with(
    office: Office,
) -> None:
    office.serve()
    answers: list[tuple[str, int | None, Any]] = []
    together = threading.Barrier(3)

    def promote(number: int) -> Any:
        version = (OTHER, THIRD)[number % 2]
        return office.ask(
            "POST", f"/models/{version}/promote", {"reason": f"p{number}"}, key=uuid4().hex
        )

    def back(number: int) -> Any:
        return office.ask("POST", "/models/rollback", {"reason": f"b{number}"}, key=uuid4().hex)

    def supply(number: int) -> Any:
        tag = office.ask("GET", "/gaps")[2]["ETag"]
        body = {"supply": (number + 5) / 100, "reason": f"s{number}"}
        return office.ask(
            "PUT", f"/gaps/{BLADE}/supply", body, key=uuid4().hex, **{"If-Match": tag}
        )

    def administrator(acts: list[Callable[[int], Any]], first: int) -> None:
        for number in range(ROUNDS):
            together.wait(60)
            act = acts[number % len(acts)]
            status, answer, _ = act(first + number)
            answers.append((act.__name__, status, answer))

    orders = ([promote, supply, back], [supply, back, promote], [supply, promote, supply])
    threads = [
        threading.Thread(target=administrator, args=(acts, 30 * place))
        for place, acts in enumerate(orders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)

    assert len(answers) == 3 * ROUNDS
    assert {status for _, status, _ in answers} <= {200, 409, 412}, answers
    assert not office.faults()
    done = Counter(name for name, status, _ in answers if status == 200)
    assert done["promote"]
    assert done["supply"]
    assert done["back"]
    with office.database.read() as connection:
        promotions = history_in(connection, "lakeport")
        changes = changes_of(connection, "lakeport")
        records = connection.execute(select(AUDIT).order_by(AUDIT.c.sequence)).all()
    acts = Counter(record.action for record in records)
    assert acts["model.promote"] == done["promote"]
    assert (
        acts["model.rollback"]
        == done["back"]
        == sum(promotion.act == "rolled_back" for promotion in promotions)
    )
    assert acts["city.supply"] == done["supply"] == len(changes)
    # Each supply that was answered is there, as the audit has it.
    answered = {
        a["version"]: a["supply"][BLADE] for n, s, a in answers if (n, s) == ("supply", 200)
    }
    kept = {change.number: change.supply[BLADE].after for change in changes}
    noted = {
        details["version"]: details["supply"][BLADE]["after"]
        for record in records
        if record.action == "city.supply"
        for details in [json.loads(record.details)]
    }
    assert answered == kept == noted
    # The audit, act by act, says who served then; the last says who serves.
    served = [r.object_id for r in records if r.action in ("model.promote", "model.rollback")]
    named = Counter(a["version"] for n, s, a in answers if n != "supply" and s == 200)
    assert named == Counter(served)
    last = line_of(promotions)[:1]
    status, answer, _ = office.ask("GET", "/models")
    serving = [model["version"] for model in answer["models"] if model["state"] == "champion"]
    assert status == 200
    assert len(serving) == 1
    if last and not last[0].startswith("lakeport-expert-"):
        assert serving[0].startswith(last[0])
