"""A firm's page and what is done on it, without a browser and without scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from tests.contract.test_pages import HTML, HTMX, PASSWORD, log_in, secrets_of
from tests.contract.test_permissions import NOW, app, scorer  # noqa: F401 (fixtures)
from tests.kept_lists import (
    BLADES,
    BREAD,
    TODAY,
    code,
    firms,
    hand_in,
    lakeport,
    profiles,
    standings,
    take_in,
)
from tests.simulation import History, simulate, simulated_city

from leadscore.features.extract import FeatureExtractor, features_frame
from leadscore.learning import AdditiveCard
from leadscore.learning.expert import expert_scorecard, fit_expert, new_card
from leadscore.learning.model import FittedCard, Model
from leadscore.learning.scorecard import Scorecard
from leadscore.learning.training_data import Rules, build_dataset, fit
from leadscore.ranking.score import Scorer
from leadscore.registry.models import ModelRegistry
from leadscore.store import users
from leadscore.store.audit import AuditTrail, page
from leadscore.store.current_ranking import SCORES, score_history
from leadscore.store.database import Database
from leadscore.store.firms import read_firm
from leadscore.store.list_import import take_in_list
from leadscore.store.models import MODELS
from leadscore.store.outcomes import outcomes, outcomes_of
from leadscore.web.api import CurrentScoring, Dependencies
from leadscore.web.app import Application, create_app
from leadscore.web.auth import Access, set_password

ENGLISH = HTML | {"Accept-Language": "en"}
ROWS = [
    {"name": "甲风电有限公司", "credit_code": code(1), "main_business": BLADES, "city": "深圳市",
     "staff": "120", "registered_capital_cny": "5000万元", "founded_on": "2016-11-01"},
    {"name": "乙食品有限公司", "main_business": BREAD},
]  # fmt: skip


@pytest.fixture
def access(database: Database, tmp_path: Path) -> Access:
    return Access(database, AuditTrail(tmp_path / "audit.key"), lambda: NOW)


@pytest.fixture
def sign_in(app: Application, access: Access) -> Callable[[str, str], FlaskClient]:  # noqa: F811
    """Return what logs somebody in: a new user with a role."""

    def enter(name: str, role: Any = "officer") -> FlaskClient:
        with access.database.write() as connection:
            token = users.add(connection, name, role, by="cli", now=NOW)
        set_password(access, token, PASSWORD, address=None)
        client = app.test_client()
        log_in(client, name=name)
        return client

    return enter


@pytest.fixture
def client(database: Database, sign_in: Callable[[str], FlaskClient]) -> FlaskClient:
    """Return the officer ``li``, before whom two firms are kept."""
    take_in(database, *ROWS)
    return sign_in("li")


def shown(client: FlaskClient, path: str = "/firms/1", **headers: str) -> str:
    answer = client.get(path, headers=ENGLISH | headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def version_of(html: str) -> str:
    return str(re.findall(r'name="version" value="(\d+)"', html)[0])


def send(client: FlaskClient, what: str, seen: str | None = None, **fields: Any) -> Any:
    """Send one of the forms of a firm's page, as it was seen or as it is now."""
    seen = seen or shown(client)
    form = secrets_of(seen) | {"version": version_of(seen)} | fields
    return client.post(f"/firms/1/{what}", data=form, headers=ENGLISH)


def stages(database: Database) -> list[tuple[str, str, bool, bool]]:
    with database.read() as connection:
        entries = outcomes_of(connection, [read_firm(connection, 1)]).get(1, [])
    return [(e.stage, e.day.isoformat(), e.withdrawn, e.in_force) for e in entries]


def acts(database: Database) -> list[tuple[str, str, Any]]:
    with database.read() as connection:
        return [
            (row.actor, row.action, json.loads(row.details))
            for row in page(connection, limit=20)
            if row.action.startswith(("outcome", "firm"))
        ]


def test_an_outcome_is_recorded_and_taken_back(client: FlaskClient, database: Database) -> None:
    answer = send(client, "outcomes", stage="visited", day="2026-11-20", reason="saw the line")
    assert answer.status_code == 303
    way = answer.headers["Location"]
    html = shown(client, way)
    assert "Recorded: visited, 20 Nov 2026." in html
    assert "saw the line" in html
    assert standings(database)["甲风电有限公司"].stage == "visited"
    entry = re.search(r"entry=(\d+)", way)
    assert entry
    undone = send(client, "outcomes/undo", html, entry=entry[1])
    assert undone.headers["Location"] == "/firms/1"
    html = shown(client)
    assert "Restored; both entries" in html
    assert stages(database) == [
        ("visited", "2026-11-20", False, False),
        ("visited", "2026-11-20", True, False),
    ]
    assert standings(database)["甲风电有限公司"].stage is None
    assert "withdrawn" in html
    assert acts(database) == [
        ("li", "outcome.add", {"stage": "visited", "withdrawn": True}),
        ("li", "outcome.add", {"stage": "visited", "withdrawn": False}),
    ]


def test_undoing_a_correction_brings_back_what_was_said_before(
    client: FlaskClient, database: Database
) -> None:
    send(client, "outcomes", stage="signed", day="2026-10-01", reason="first")
    way = send(client, "outcomes", stage="signed", day="2026-10-09").headers["Location"]
    send(client, "outcomes/undo", entry=way.rpartition("=")[2])
    assert stages(database)[-1] == ("signed", "2026-10-01", False, True)
    with database.read() as connection:
        assert connection.execute(outcomes.select()).all()[-1].reason == "first"


def test_a_withdrawal_is_an_entry_and_can_be_undone(
    client: FlaskClient, database: Database
) -> None:
    way = send(client, "outcomes", stage="lost", day="2026-11-01", reason="land").headers[
        "Location"
    ]
    number = way.rpartition("=")[2]
    way = send(client, "outcomes/withdraw", entry=number).headers["Location"]
    assert "Withdrawn: lost" in shown(client, way)
    assert stages(database)[-1] == ("lost", "2026-11-01", True, False)
    assert send(client, "outcomes/withdraw", entry=number).status_code == 409
    send(client, "outcomes/undo", entry=way.rpartition("=")[2])
    assert stages(database)[-1] == ("lost", "2026-11-01", False, True)
    assert len(stages(database)) == 3


def test_a_notice_of_old_offers_no_undo(client: FlaskClient) -> None:
    way = send(client, "outcomes", stage="visited", day="2026-11-20").headers["Location"]
    assert "outcomes/undo" in shown(client, way)
    send(client, "outcomes", stage="negotiating", day="2026-11-21")
    assert "outcomes/undo" not in shown(client, way)


def test_what_stands_already_is_not_offered_to_be_undone(
    client: FlaskClient, database: Database
) -> None:
    fields = {"stage": "visited", "day": "2026-11-20"}
    send(client, "outcomes", **fields)
    assert send(client, "outcomes", **fields).headers["Location"] == "/firms/1"
    assert "had already been recorded" in shown(client)
    assert len(stages(database)) == 1


WONT_DO: list[tuple[str, dict[str, str], str]] = [
    ("outcomes", {"stage": "", "day": "2026-11-20"}, "Choose a stage"),
    ("outcomes", {"stage": "visited", "day": "soon"}, "Enter a date"),
    ("outcomes", {"stage": "visited", "day": "2026-11-25"}, "in the future"),
    ("outcomes", {"stage": "visited", "day": "2026-11-20", "reason": "x" * 2001}, "too long"),
    ("outcomes", {"stage": "visited", "day": "2026-11-20", "version": ""}, "which version"),
    ("outcomes/undo", {"entry": "77"}, "cannot be undone"),
    ("outcomes/undo", {"entry": "x"}, "cannot be undone"),
    ("corrections", {"grade": "A", "reason": "  "}, "Give a reason"),
    ("corrections", {"reason": "so"}, "at least one"),
    ("corrections", {"grade": "E", "reason": "so"}, "one of A, B, C, D"),
    ("corrections", {"segment": "moon", "reason": "so"}, "segments of the city profile"),
    ("corrections", {"role": "none", "reason": "so"}, "one of maker"),
    ("corrections", {"feature": "moon", "reason": "so"}, "of the catalogue"),
    ("corrections", {"field": "moon", "value": "5", "reason": "so"}, "at least one"),
    ("corrections", {"field": "staff", "reason": "so"}, "Say what it is"),
    ("corrections", {"field": "staff", "value": "many", "reason": "so"}, "not below zero"),
    (
        "corrections",
        {"field": "founded_on", "value": "2030-01-01", "reason": "so"},
        "later than today",
    ),
    ("corrections/withdraw", {}, "Choose the correction"),
    ("exclusion", {}, "Give a reason"),
]
"""Which form, what it holds, and what is said of it."""


def test_forms_that_wont_do_say_why_and_change_nothing(
    client: FlaskClient, database: Database
) -> None:
    before = read_version(database)
    for what, fields, said in WONT_DO:
        answer = send(client, what, **fields)
        assert answer.status_code in (409, 422, 428), (what, fields)
        assert said in answer.get_data(as_text=True), (what, fields)
        assert (read_version(database), acts(database)) == (before, []), (what, fields)


def read_version(database: Database) -> int:
    return int(firms(database)[0].version)


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("outcomes", {"stage": "visited", "day": "2026-11-20"}),
        ("corrections", {"grade": "D", "reason": "too small"}),
        ("corrections/withdraw", {"correction": "1"}),
        ("exclusion", {"reason": "moved away"}),
        ("exclusion/drop", {}),
    ],
)
def test_two_officers_dont_overwrite_each_other(
    client: FlaskClient, database: Database, sign_in: Any, what: str, fields: dict[str, str]
) -> None:
    other = sign_in("wang")
    seen = shown(other)
    send(client, "corrections", grade="A", reason="the owner wants to come")
    version = read_version(database)
    answer = send(other, what, seen, **fields)
    assert answer.status_code == 412
    assert "someone else has changed firm 1 in the meantime" in answer.get_data(as_text=True)
    assert read_version(database) == version
    assert standings(database)["甲风电有限公司"].grade == "A"
    assert send(other, what, **fields).status_code == 303


def test_htmx_is_told_where_to_go_and_what_failed(client: FlaskClient) -> None:
    seen = shown(client)
    form = secrets_of(seen) | {"version": version_of(seen), "stage": "visited"}
    answer = client.post("/firms/1/outcomes", data=form, headers=HTMX)
    assert (answer.status_code, answer.mimetype) == (422, "text/plain")
    answer = client.post("/firms/1/outcomes", data=form | {"day": "2026-11-20"}, headers=HTMX)
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"].startswith("/firms/1?entry=")


def test_a_form_sent_twice_is_done_once(client: FlaskClient, database: Database) -> None:
    seen = shown(client)
    answers = [send(client, "outcomes", seen, stage="visited", day="2026-11-20") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert len(stages(database)) == len(acts(database)) == 1


def test_an_officers_judgement_stands_beside_the_machines(
    client: FlaskClient, database: Database
) -> None:
    machine = standings(database)["甲风电有限公司"]
    send(client, "corrections", grade="D", role="service", reason="only sells")
    stands = standings(database)["甲风电有限公司"]
    assert (stands.grade, stands.role) == ("D", "service")
    assert stands.fit < machine.fit
    html = shown(client)
    beside = html[html.index("falls beside") :]
    assert re.search(rf'<td class="differs">D</td><td>{machine.grade}</td>', beside)
    assert "only sells" in html
    send(client, "corrections/withdraw", correction=["1", "2"])
    back = standings(database)["甲风电有限公司"]
    assert (back.grade, back.role, back.fit, back.order_key) == (
        machine.grade, machine.role, machine.fit, machine.order_key
    )  # fmt: skip
    assert "2 taken back" in shown(client)
    assert [action for _, action, _ in acts(database)] == ["firm.correct.drop", "firm.correct"]


def test_a_firm_is_excluded_with_a_reason_and_taken_up_again(
    client: FlaskClient, database: Database
) -> None:
    send(client, "exclusion", reason="under investigation")
    assert standings(database)["甲风电有限公司"].vetoed
    html = shown(client)
    assert "under investigation" in html
    send(client, "exclusion/drop")
    assert not standings(database)["甲风电有限公司"].vetoed
    assert [action for _, action, _ in acts(database)] == ["firm.exclude.drop", "firm.exclude"]


def test_who_may_only_read_is_shown_no_forms(client: FlaskClient, sign_in: Any) -> None:
    send(client, "outcomes", stage="visited", day="2026-11-20")
    send(client, "corrections", grade="D", reason="too small")
    html = shown(sign_in("guest", "viewer"))
    assert "too small" in html
    assert not re.search(r'action="/firms/1/(?:outcomes|corrections|exclusion)', html)


def test_the_matched_words_are_marked_in_its_own_text(client: FlaskClient) -> None:
    html = shown(client)
    assert "<mark>风电叶片</mark>的研发" in html
    assert "<mark>" not in shown(client, "/firms/2")


def test_fields_say_where_they_are_from_and_when_they_are_old(
    client: FlaskClient, database: Database
) -> None:
    fresh = shown(client)
    assert re.search(r"名单\.csv</a>\s*row 2", fresh)
    assert "over a year old" not in fresh
    row = {**ROWS[0], "name": "丙风电有限公司", "credit_code": code(3)}
    take_in(database, row, as_of=TODAY - timedelta(days=366), file_name="去年.csv")
    old = shown(client, "/firms/3")
    assert "去年.csv" in old
    staff = old[old.index(">staff<") :]
    assert "over a year old" in staff[: staff.index("</tr>")]
    founded = old[old.index(">founded on<") :]
    assert "over a year old" not in founded[: founded.index("</tr>")]


def rows_of(html: str, table: str) -> list[list[str]]:
    body = html[html.index(table) :]
    body = body[body.index("<tbody>") : body.index("</tbody>")]
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"(?s)<t[hd].*?</t[hd]>", row)]
        for row in re.findall(r"(?s)<tr.*?</tr>", body)
    ]


def number(text: str) -> float:
    return 0.0 if text == "–" else float(text.replace("\N{MINUS SIGN}", "-"))


def keep_cards(database: Database, **cards: FittedCard) -> None:
    with database.write() as connection:
        for version, card in cards.items():
            row = {"version": version, "city": lakeport().id, "created_at": NOW,
                   "state": "shelved", "mirrored_at": NOW,
                   "manifest": {"scorecard": card.scorecard.to_dict(),
                                "average": card.average and asdict(card.average)}}  # fmt: skip
            connection.execute(MODELS.insert(), [row])


def another() -> Scorer:
    """Return a model with another base, that thinks twice as much of what a firm fills."""
    known = expert_scorecard(lakeport())
    tables = tuple(
        replace(each, values=each.values * 2) if each.feature == "gap_filled" else each
        for each in known.tables
    )
    card = AdditiveCard(prior=Scorecard(known.intercept + 1, tables))
    card.fit(features_frame([]), np.empty(0))
    return Scorer(Model(FeatureExtractor(lakeport()), card.fitted()), "m2")


def test_why_a_score_changed_adds_up(client: FlaskClient, database: Database) -> None:
    assert "one score so far" in shown(client)
    other = another()
    keep_cards(database, m1=fit_expert(lakeport()).card, m2=other.card)
    number_of_list = hand_in(database, {**ROWS[0], "registered_capital_cny": "2亿元"})
    take_in_list(database, number_of_list, scorer=other, now=NOW, today=TODAY)
    html = shown(client)
    *told, last = rows_of(html, "falls moves")
    assert any("CNY 50 million → CNY 200 million" in row[0] for row in told)
    assert told[0][0] == "Average firm", told
    for column in (1, 2, 3):
        total = sum(number(row[column]) for row in told)
        assert total == pytest.approx(number(last[column]), abs=0.05 * (len(told) + 1))
        assert number(last[column]) != 0.0, (told, last)
    assert number(last[1]) + number(last[2]) == pytest.approx(number(last[3]), abs=0.11)
    with database.read() as connection:
        newer, older = score_history(connection, 1)
    assert number(last[3]) == pytest.approx(newer.total_points - older.total_points, abs=0.051)
    turned = shown(client, f"/firms/1?older={newer.id}&newer={older.id}")
    assert "CNY 200 million → CNY 50 million" in turned
    assert "newer" in shown(client, "/firms/1?older=1&newer=99").split('id="notices"')[1][:2000]


def test_a_change_is_not_split_where_a_card_is_gone(
    client: FlaskClient, database: Database
) -> None:
    take_in(database, {**ROWS[0], "staff": "900"})
    assert "The card of model m1 is no longer available" in shown(client)


def test_supposing_nothing_moves_nothing_and_keeps_nothing(
    client: FlaskClient, database: Database
) -> None:
    before = read_version(database)
    html = shown(client, "/firms/1/what-if")
    assert "Nothing has been changed yet" in html
    form = {name: value for name, value in inputs(html).items() if name != "idempotency_key"}
    again = client.post("/firms/1/what-if", data=form, headers=ENGLISH).get_data(as_text=True)
    assert "Nothing has been changed yet" in again
    with database.read() as connection:
        assert len(connection.execute(SCORES.select()).all()) == len(ROWS)
    assert read_version(database) == before


def inputs(html: str) -> dict[str, str]:
    form = html[html.index('id="supposed"') : html.index("</form>", html.index('id="supposed"'))]
    found = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
    found |= dict(re.findall(r'<textarea id="[^"]+" name="([^"]+)"[^>]*>([^<]*)</textarea>', form))
    return found | {"status": ""}


def test_what_if_shows_what_a_list_with_those_values_would_score(
    client: FlaskClient, database: Database
) -> None:
    form = inputs(shown(client, "/firms/1/what-if"))
    form |= {"staff": "900", "titles": "高新技术企业", "registered_capital_cny": "2亿元"}
    html = client.post("/firms/1/what-if", data=form, headers=ENGLISH).get_data(as_text=True)
    assert "120 → 900" in html
    told = {row[0]: row[1:] for row in rows_of(html, "falls beside")}
    *moves, last = rows_of(html, "falls moves")
    assert sum(number(row[1]) for row in moves) == pytest.approx(number(last[1]), abs=0.5)
    given = {"staff": "900", "titles": "高新技术企业", "registered_capital_cny": "2亿元"}
    take_in(database, {**ROWS[0], **given})
    with database.read() as connection:
        newer, older = score_history(connection, 1)
    for score, place in ((older, 0), (newer, 1)):
        assert told["Likelihood to land"][place] == f"{score.likelihood:.1%}"
        assert number(told["Points"][place]) == pytest.approx(
            score.total_points - score.base_points, abs=0.051
        )


def test_what_if_of_another_home_and_of_less_known(client: FlaskClient) -> None:
    form = inputs(shown(client, "/firms/1/what-if"))
    home = form | {"province": "", "city": "柳州市"}
    html = client.post("/firms/1/what-if", data=home, headers=ENGLISH).get_data(as_text=True)
    assert "target region" in html or "partner city" in html or "province" in html
    less = form | {"staff": "", "main_business": ""}
    html = client.post("/firms/1/what-if", data=less, headers=ENGLISH).get_data(as_text=True)
    assert "120 → unknown" in html
    odd = form | {"founded_on": "2030-01-01", "staff": "many"}
    html = client.post("/firms/1/what-if", data=odd, headers=ENGLISH).get_data(as_text=True)
    assert "can&#39;t be understood" in html or "can't be understood" in html
    long = form | {"staff": "9" * 5_000}
    assert client.post("/firms/1/what-if", data=long, headers=ENGLISH).status_code == 422


def test_a_brief_says_what_to_ask_and_what_speaks_for_and_against(client: FlaskClient) -> None:
    send(client, "outcomes", stage="visited", day="2026-11-20", reason="saw the line")
    html = shown(client, "/firms/1/brief")
    assert "甲风电有限公司" in html
    assert BLADES in html
    assert "saw the line" in html
    asked = html[html.index("Open questions") : html.index("Stage and contacts")]
    assert "patents" in asked
    assert "annual revenue" in asked
    assert "number of staff" not in asked
    assert shown(client, "/firms/2/brief", **{"Accept-Language": "zh"}).count("<article") == 1


def test_no_page_of_a_firm_has_anything_inline(client: FlaskClient) -> None:
    way = send(client, "outcomes", stage="visited", day="2026-11-20").headers["Location"]
    for path in (way, "/firms/1/what-if", "/firms/1/brief"):
        html = shown(client, path)
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", html), path
        assert "://" not in html.replace("http://www.w3.org", ""), path


@pytest.fixture(scope="module")
def history() -> History:
    return simulate(simulated_city(), pursuits=200, quarters=6, seed=3)


@pytest.fixture(scope="module")
def learned(history: History) -> Scorer:
    """Return a model whose card has learned from simulated outcomes."""
    features, rules = FeatureExtractor(history.city), Rules()
    data = build_dataset(
        features, history.events(), history.snapshots(), as_of=history.until, rules=rules
    )
    card = fit(new_card(history.city, rules.prior_strength), data.X, data.y, data.weight)
    return Scorer(Model(features, card.fitted()), "learned")


def test_a_card_that_has_learned_says_how_sure_it_is(
    database: Database, tmp_path: Path, history: History, learned: Scorer
) -> None:
    day, listed = history.lists[-1]
    content = listed.head(5).to_csv(index=False).encode()
    number_of_list = hand_in(database, content=content, as_of=day)
    take_in_list(database, number_of_list, scorer=learned, now=NOW, today=TODAY)
    registry = ModelRegistry(tmp_path / "models", tmp_path / "key")
    access = Access(database, AuditTrail(tmp_path / "audit.key"), lambda: NOW, demo=True)
    known = profiles(database)
    scoring = CurrentScoring(lambda: learned, registry, known, database)
    client = create_app(Dependencies(scoring, registry, lambda: TODAY, access, known)).test_client()
    for firm in firms(database):
        html = shown(client, f"/firms/{firm.id}")
        ends = re.search(r'class="span">(&lt;)?(\d+)–(&gt;)?(\d+)%', html)
        assert ends
        # "<1" is anything from 0 to 1, ">99" from 99 to 100; all else is rounded.
        low = float(ends[2]) - 0.5 * bool(ends[1])
        high = float(ends[4]) + 0.5 * bool(ends[3])
        with database.read() as connection:
            likelihood = score_history(connection, firm.id)[0].likelihood
        assert low - 0.5 <= 100 * likelihood <= high + 0.5
        (bar,) = re.findall(r'class="range-part" x="([\d.]+)%" y="2" width="([\d.]+)%"', html)
        assert float(bar[0]) == pytest.approx(low, abs=0.56)
        assert float(bar[1]) == pytest.approx(high - low, abs=1.06)
        assert "expert estimate" not in html
        assert html.index('class="range"') < html.index('id="why"')
