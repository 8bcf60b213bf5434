"""The pages and routes of ledgers: looked at before anything is kept, and losses named."""

from __future__ import annotations

import io
import json
import re
import threading
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.contract.test_pages import HTML, access, client, log_in, secrets_of  # noqa: F401
from tests.contract.test_pages_administration import logged_in
from tests.contract.test_permissions import NOW, app, scorer  # noqa: F401 (fixtures)
from tests.late_history import ODD_WORD, write_ledger, write_list

from leadscore.jobs.tasks import JobDependencies, all_kinds, submit_list
from leadscore.jobs.worker import Worker
from leadscore.learning.training_data import Rules
from leadscore.registry.models import ModelRegistry
from leadscore.store import api_keys, audit
from leadscore.store import ledgers as kept
from leadscore.store.lists import KEPT_FOR, MOST_EACH
from leadscore.store.outcomes import read_outcomes
from leadscore.web.app import Application
from leadscore.web.auth import Access

EN = HTML | {"Accept-Language": "en"}


@pytest.fixture
def officer(client: FlaskClient) -> FlaskClient:  # noqa: F811
    log_in(client)
    return client


def upload(officer: FlaskClient, content: bytes, name: str = "台账.xlsx") -> str:
    html = officer.get("/outcomes", headers=HTML).get_data(as_text=True)
    form = secrets_of(html) | {"file": (io.BytesIO(content), name)}
    answer = officer.post("/outcomes", data=form, headers=HTML)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.headers["Location"])


def page_of(officer: FlaskClient, path: str) -> str:
    answer = officer.get(path, headers=EN)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def confirm(officer: FlaskClient, path: str, **more: str) -> Any:
    html = page_of(officer, path)
    form = html[html.index('<div class="decide">') :]
    fields = dict(re.findall(r'name="((?:as:|word:|forget|digest)[^"]*)" value="([^"]+)"', form))
    data = secrets_of(form) | fields | more
    return officer.post(path.partition("?")[0], data=data, headers=HTML)


def work(access: Access, scorer: Any, tmp_path: Path) -> bool:  # noqa: F811
    registry = ModelRegistry(tmp_path / "models", tmp_path / "key")
    place = JobDependencies(
        lambda: scorer.city, lambda: scorer, registry, Rules, tmp_path / "exports", access.trail,
        access.clock,
    )  # fmt: skip
    worker = Worker("here", access.database, all_kinds(place), access.clock, threading.Event())
    return worker.do_one()


def entries(access: Access) -> int:  # noqa: F811
    with access.database.read() as connection:
        return len(read_outcomes(connection))


def test_a_ledger_is_looked_at_then_imported_by_the_worker(
    officer: FlaskClient, access: Access, scorer: Any, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    path = upload(officer, write_ledger(tmp_path / "a.xlsx").read_bytes())
    assert re.fullmatch(r"/outcomes/[\w-]{20,}", path)
    html = page_of(officer, path)
    assert re.search(r"<strong>40</strong> firms", html)
    assert re.search(r"<strong>12</strong> won", html)
    assert re.search(r"<strong>28</strong> lost", html)
    assert "automatic: day of: signed" in html
    assert "about people, not read" in html
    assert "某某" not in html
    assert entries(access) == 0
    answer = confirm(officer, path)
    assert answer.headers["Location"] == "/outcomes/imports/1"
    assert "every 1s" in page_of(officer, "/outcomes/imports/1")
    assert officer.get(path, headers=HTML).status_code == 404
    assert work(access, scorer, tmp_path)
    assert entries(access) == 120
    html = page_of(officer, "/outcomes/imports/1")
    assert re.search(r"<strong>120</strong> new", html)
    assert "/model/learning" in html
    with access.database.read() as connection:
        assert kept.content_of(connection, 1) is None
        acts = [record.action for record in audit.page(connection, limit=20)]
    assert "outcomes.import" in acts
    again = upload(officer, write_ledger(tmp_path / "a.xlsx").read_bytes())
    assert "Nothing new" in page_of(officer, again)


def test_a_word_that_nobody_knows_is_settled_first_and_remembered(
    officer: FlaskClient, access: Access, scorer: Any, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    content = write_ledger(tmp_path / "a.xlsx", odd_word=True).read_bytes()
    path = upload(officer, content)
    html = page_of(officer, path)
    assert f'name="word:{ODD_WORD}"' in html
    assert 'id="confirm"' not in html
    assert "settle them to import" in html
    said = f"{path}?word:{ODD_WORD}=lost"
    assert 'id="confirm"' in page_of(officer, said)
    confirm(officer, said)
    assert work(access, scorer, tmp_path)
    assert entries(access) == 120
    path = upload(officer, content)
    html = page_of(officer, path)
    assert "as those of the last ledger" in html
    assert 'id="confirm"' in html
    assert f'name="word:{ODD_WORD}"' in page_of(officer, f"{path}?forget=yes")
    assert 'id="confirm"' not in page_of(officer, f"{path}?forget=yes")


BAD = (
    "企业,阶段,日期,原因\n甲有限公司,对接,2022-01-05,\n甲有限公司,流失,某天,土地\n"
    "乙有限公司,签约,2022-03-01,\n"
)


def test_a_loss_that_would_fall_out_is_named_and_left_out_only_on_a_word(
    officer: FlaskClient, access: Access, scorer: Any, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    path = upload(officer, BAD.encode(), "a.csv")
    html = page_of(officer, path)
    assert "These rows may tell a loss" in html
    assert 'name="skip_rows" value="yes" required' in html
    csv = officer.get(f"{path}/problems.csv", headers=EN)
    assert csv.mimetype == "text/csv"
    assert "某天" in csv.get_data(as_text=True)
    confirm(officer, path)  # as a browser would not: without the box
    assert work(access, scorer, tmp_path)
    assert entries(access) == 0
    html = page_of(officer, "/outcomes/imports/1")
    assert "nothing of it was written" in html
    confirm(officer, upload(officer, BAD.encode(), "a.csv"), skip_rows="yes")
    assert work(access, scorer, tmp_path)
    assert entries(access) == 2
    html = page_of(officer, "/outcomes/imports/2")
    assert "某天" in html
    listed = officer.get("/api/v1/outcomes/2/problems.csv?lang=en")
    assert "某天" in listed.get_data(as_text=True)


ODD = "拟投主体,推进到哪一步,什么时候\n甲有限公司,签约,2022-03-01\n"


def test_columns_that_nobody_recognises_are_pointed_at(officer: FlaskClient) -> None:
    path = upload(officer, ODD.encode(), "a.csv")
    html = page_of(officer, path)
    assert 'id="confirm"' not in html
    said = f"{path}?as:拟投主体=name&as:推进到哪一步=stage&as:什么时候=day"
    html = page_of(officer, said)
    assert "Import 1 entries" in html
    assert "as:什么时候" in html
    assert "This file can&#39;t be read" in page_of(officer, f"{path}?as:nowhere=name")


def test_a_preview_is_shown_to_nobody_else_and_is_bound_to_its_file(
    officer: FlaskClient, app: Application, access: Access  # noqa: F811
) -> None:  # fmt: skip
    path = upload(officer, BAD.encode(), "a.csv")
    other = logged_in(app, access, "zhao", "officer")
    assert other.get(path, headers=HTML).status_code == 404
    assert other.get(f"{path}/problems.csv", headers=HTML).status_code == 404
    html = page_of(officer, path)
    form = html[html.index('<div class="decide">') :]
    wrong = secrets_of(form) | {"digest": "0" * 64, "skip_rows": "yes"}
    assert officer.post(path, data=wrong, headers=HTML).status_code == 422
    assert "a.csv" in page_of(officer, "/outcomes").split("Ledgers not imported yet")[1]
    gone = officer.post(f"{path}/discard", data=secrets_of(form), headers=HTML)
    assert gone.headers["Location"] == "/outcomes"
    assert officer.get(path, headers=HTML).status_code == 404


def test_few_files_wait_and_for_a_day_only(access: Access) -> None:  # noqa: F811
    def add(now: Any) -> str:
        with access.database.write() as connection:
            return kept.keep_ledger(
                connection, file_name="a.csv", content=b"x", actor="li", now=now
            )

    tokens = [add(NOW) for _ in range(MOST_EACH + 1)]
    assert len(set(tokens)) == MOST_EACH + 1
    with access.database.read() as connection:
        waiting = kept.waiting_ledgers(connection, actor="li", now=NOW)
        assert [ledger.token for ledger in waiting] == tokens[:0:-1]
        later = NOW + KEPT_FOR + timedelta(seconds=1)
        assert kept.waiting_ledgers(connection, actor="li", now=later) == []
        with pytest.raises(kept.UnknownLedgerError):
            kept.waiting_ledger(connection, tokens[1], actor="li", now=later)
        with pytest.raises(kept.UnknownLedgerError):
            kept.read_ledger(connection, waiting[0].id)  # nobody has handed it in
    with access.database.write() as connection:
        assert kept.drop_expired_ledgers(connection, now=NOW + KEPT_FOR) == 0
        assert kept.drop_expired_ledgers(connection, now=later) == MOST_EACH


def test_a_withdrawal_takes_an_entry_back(
    officer: FlaskClient, access: Access, scorer: Any, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    rows = "企业,阶段,日期,是否撤回\n甲有限公司,签约,2022-03-01,{}\n"
    for answer in ("否", "是"):
        confirm(officer, upload(officer, rows.format(answer).encode(), "a.csv"))
        assert work(access, scorer, tmp_path)
    with access.database.read() as connection:
        assert read_outcomes(connection)["withdrawn"].tolist() == [False, True]


def test_the_same_by_the_api(
    officer: FlaskClient, access: Access, scorer: Any, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    with access.database.write() as connection:
        key = api_keys.add(connection, "ledgers", "officer", by="cli", now=NOW)
    bearer = {"Authorization": f"Bearer {key}"}
    program = officer.application.test_client()  # type: ignore[attr-defined]
    content = write_ledger(tmp_path / "a.xlsx", odd_word=True).read_bytes()

    def post(**fields: str) -> Any:
        data = fields | {"file": (io.BytesIO(content), "台账.xlsx")}
        return program.post("/api/v1/outcomes", data=data, headers=bearer)

    bad = post(stages=json.dumps({ODD_WORD: "nothing"}))
    assert bad.status_code in (400, 422)
    done = post(stages=json.dumps({ODD_WORD: "流失"}))
    assert done.status_code == 202
    number = done.get_json()["id"]
    assert (
        program.get(f"/api/v1/outcomes/{number}", headers=bearer).get_json()["state"] == "waiting"
    )
    assert work(access, scorer, tmp_path)
    answer = program.get(f"/api/v1/outcomes/{number}", headers=bearer).get_json()
    counts = {name: answer["counts"][name] for name in ("new", "firms", "won", "lost")}
    assert counts == {"new": 120, "firms": 40, "won": 12, "lost": 28}
    assert program.get("/api/v1/outcomes/999", headers=bearer).status_code == 404


def test_what_can_be_learned_is_said_alike_by_page_and_api(
    officer: FlaskClient, access: Access, scorer: Any, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    assert "import a ledger first" in page_of(officer, "/model/learning")
    content = write_list(tmp_path / "list.csv").read_bytes()
    with access.database.write() as connection:
        submit_list(
            connection, file_name="list.csv", content=content, mapping={}, as_of=NOW.date(),
            actor="li", now=NOW,
        )  # fmt: skip
    assert work(access, scorer, tmp_path)
    confirm(officer, upload(officer, write_ledger(tmp_path / "a.xlsx").read_bytes()))
    assert work(access, scorer, tmp_path)
    html = page_of(officer, "/model/learning")
    assert "40 pursuits have only snapshots later than first contact" in html
    assert re.search(r"<strong>0</strong> can be learned from", html)
    assert html.count("can&#39;t be measured") >= 8
    chosen = page_of(officer, "/model/learning?assume_unchanging=yes")
    assert re.search(r"<strong>40</strong> can be learned from", chosen)
    answer = officer.get("/api/v1/learning?assume_unchanging=true&lang=en").get_json()
    assert (answer["learnable"], answer["late"], answer["usable"]) == (40, 40, 0)
    assert answer["assumed_won"] == 12
    states = {gate["id"]: gate["measurable"] for gate in answer["gates"]}
    assert states["leak"] is True
    assert states["order"] is False
    assert {year["year"] for year in answer["years"]} == {2022, 2023}


def test_a_list_with_its_date_is_the_way_out(
    officer: FlaskClient, access: Access, scorer: Any, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    content = write_list(tmp_path / "list.csv").read_bytes()
    for day in (NOW.date(), date(2022, 1, 1)):
        with access.database.write() as connection:
            submit_list(
                connection, file_name="list.csv", content=content, mapping={}, as_of=day,
                actor="li", now=NOW,
            )  # fmt: skip
        assert work(access, scorer, tmp_path)
    confirm(officer, upload(officer, write_ledger(tmp_path / "a.xlsx").read_bytes()))
    assert work(access, scorer, tmp_path)
    answer = officer.get("/api/v1/learning").get_json()
    assert (answer["usable"], answer["late"]) == (40, 0)
