"""The ranking's page without a browser: columns, chosen firms, shortlists, views, the picture."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from tests.contract.test_pages import HTML, PASSWORD, log_in, secrets_of
from tests.contract.test_permissions import NOW, app, scorer  # noqa: F401 (fixtures)
from tests.kept_lists import BLADES, BREAD, SCANNERS, code, take_in

from leadscore.store import users
from leadscore.store.audit import AuditTrail, page
from leadscore.store.database import Database
from leadscore.web.app import Application
from leadscore.web.auth import Access, set_password

pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")

ENGLISH = HTML | {"Accept-Language": "en"}


@pytest.fixture
def access(database: Database, tmp_path: Path) -> Access:
    return Access(database, AuditTrail(tmp_path / "audit.key"), lambda: NOW)


@pytest.fixture
def office(app: Application, access: Access) -> FlaskClient:  # noqa: F811
    """Return a client in which the officer ``li`` is logged in; four firms are ranked."""
    take_in(
        access.database,
        {"name": "甲叶片有限公司", "credit_code": code(1), "main_business": BLADES},
        {"name": "乙影像有限公司", "credit_code": code(2), "main_business": SCANNERS},
        {"name": "丙食品有限公司", "credit_code": code(3), "main_business": BREAD},
        {"name": "丁叶片有限公司", "credit_code": code(4), "main_business": BLADES,
         "status": "注销"},
    )  # fmt: skip
    with access.database.write() as connection:
        token = users.add(connection, "li", "officer", by="cli", now=NOW)
    set_password(access, token, PASSWORD, address=None)
    client = app.test_client()
    log_in(client)
    return client


def html_of(client: FlaskClient, path: str = "/ranking") -> str:
    answer = client.get(path, headers=ENGLISH)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def send(client: FlaskClient, path: str, **fields: Any) -> Any:
    form = secrets_of(html_of(client)) | {"next": "/ranking"} | fields
    return client.post(path, data=form, headers=ENGLISH)


def numbers(html: str) -> dict[str, str]:
    """Return the number of each firm of a page by its name."""
    found = re.findall(r'href="/firms/(\d+)" data-row>([^<]+)<', html)
    return {name: number for number, name in found}


def headers_of(html: str) -> list[str]:
    head = html.partition("<thead>")[2].partition("</thead>")[0]
    cells = re.findall(r"<th [^>]*>(.*?)</th>", head, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", cell).strip(" \n↑↓") for cell in cells]


def workbook(answer: Any) -> list[tuple[Any, ...]]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(load_workbook(io.BytesIO(answer.data), read_only=True).worksheets[0].values)


def audited(access: Access) -> list[tuple[str, str | None]]:
    with access.database.read() as connection:
        return [(row.action, row.object_id) for row in page(connection, limit=3)]


def test_columns_are_chosen_remembered_and_exported(office: FlaskClient) -> None:
    assert headers_of(html_of(office))[1:4] == ["Rank", "Firm", "Segment and role"]
    way = "/ranking?columns=choose&column=stage&column=fit&column=odd&veto=no"
    answer = office.get(way, headers=ENGLISH)
    assert (answer.status_code, answer.headers["Location"]) == (
        303, "/ranking?veto=no&columns=fit,stage",
    )  # fmt: skip
    for path in (answer.headers["Location"], "/ranking?veto=no"):
        html = html_of(office, path)
        assert headers_of(html)[1:] == ["Rank", "Firm", "Fit", "Stage"]
        assert "reason" not in html.partition("<tbody>")[2].partition("</tbody>")[0]
    file = re.search(r'href="(/api/v1/ranking\.xlsx[^"]+)"', html)
    assert file
    rows = workbook(office.get(file[1].replace("&amp;", "&")))
    assert rows[0] == ("Rank", "Firm", "Fit", "Stage", "Veto")
    assert len(rows) == 4
    assert headers_of(html_of(office, "/ranking?columns=none"))[1:] == ["Rank", "Firm"]
    office.get("/ranking?columns=choose", headers=ENGLISH)
    assert headers_of(html_of(office))[1:] == ["Rank", "Firm"]


def test_a_file_with_odd_columns_is_refused(office: FlaskClient) -> None:
    assert office.get("/api/v1/ranking.csv?columns=rank,odd").status_code == 422
    told = office.get("/api/v1/ranking.csv?columns=name,stage,name&lang=zh")
    assert told.data.decode("utf-8-sig").splitlines()[0] == "name,stage"


def test_just_the_chosen_firms_are_exported(office: FlaskClient, access: Access) -> None:
    firms = numbers(html_of(office))
    chosen = [firms["丁叶片有限公司"], firms["甲叶片有限公司"]]
    fields = {"firm": chosen, "columns": "grade,fit", "sort": "-priority"}
    rows = workbook(send(office, "/ranking/export", format="xlsx", **fields))
    assert rows[0] == ("Rank", "Firm", "Grade", "Fit", "Veto")
    # The rank is the place among all firms, not among the chosen ones.
    assert [(row[0], row[1]) for row in rows[1:]] == [
        (2, "甲叶片有限公司"), (None, "丁叶片有限公司"),
    ]  # fmt: skip
    told = send(office, "/ranking/export", format="csv", **fields).data.decode("utf-8-sig")
    assert told.splitlines()[0] == "rank,name,grade,fit,veto"
    assert audited(access)[0][0] == "ranking.export"
    assert send(office, "/ranking/export", format="csv").status_code == 422
    assert office.post("/ranking/export", data=fields, headers=ENGLISH).status_code == 403


def test_chosen_firms_are_excluded_once_and_with_a_reason(
    office: FlaskClient, access: Access
) -> None:
    firms = numbers(html_of(office))
    chosen = [firms["甲叶片有限公司"], firms["乙影像有限公司"]]
    exclude = {"act": "exclude"}
    assert send(office, "/ranking/acts", firm=chosen, reason=" ", **exclude).status_code == 422
    assert send(office, "/ranking/acts", firm=["999"], reason="x", **exclude).status_code == 404
    assert send(office, "/ranking/acts", firm=chosen, act="odd").status_code == 422
    assert send(office, "/ranking/acts", **exclude, reason="x").status_code == 422
    form = secrets_of(html_of(office)) | {"next": "/ranking?veto=no"} | exclude
    form |= {"firm": chosen, "reason": "moved away"}  # type: ignore[dict-item]
    first, again = (office.post("/ranking/acts", data=form, headers=ENGLISH) for _ in "12")
    assert (first.status_code, first.headers["Location"]) == (
        303, "/ranking/acts/1?next=%2Franking%3Fveto%3Dno",
    )  # fmt: skip
    assert again.headers["Location"] == first.headers["Location"]
    assert audited(access)[0] == ("bulk.act", "2")
    assert audited(access)[1][0] != "bulk.act"
    assert set(numbers(html_of(office, "/ranking?veto=no"))) == {"丙食品有限公司"}
    kept = office.get(f"/api/v1/firms/{chosen[0]}").get_json()
    assert kept["exclusion"]["reason"] == "moved away"
    html = html_of(office, first.headers["Location"])
    assert "moved away" in html
    assert 'href="/ranking?veto=no"' in html
    assert send(office, "/ranking/acts/1/undo").status_code == 303
    assert send(office, "/ranking/acts/1/undo").status_code == 409
    assert len(numbers(html_of(office, "/ranking?veto=no"))) == 3
    told = office.get("/api/v1/bulk/1").get_json()
    assert (told["counts"]["done"], told["undone_by"]) == (2, 2)


def test_a_shortlist_is_filled_filtered_by_emptied_and_deleted(office: FlaskClient) -> None:
    firms = numbers(html_of(office))
    add = {"act": "add", "firm": [firms["甲叶片有限公司"]]}
    assert send(office, "/ranking/acts", **add).status_code == 422
    for _ in range(2):
        assert send(office, "/ranking/acts", name=" 好的 ", **add).status_code == 303
    everybody = {"act": "add", "firm": [*firms.values()], "shortlist": "1"}
    assert send(office, "/ranking/acts", **everybody).status_code == 303
    assert set(numbers(html_of(office, "/ranking?shortlist=1"))) == set(firms)
    assert send(office, "/ranking/acts", **everybody | {"shortlist": "9"}).status_code == 404
    gone = {"act": "remove", "firm": [firms["丙食品有限公司"]], "shortlist": "1"}
    assert send(office, "/ranking/acts", **gone).status_code == 303
    html = html_of(office, "/ranking?shortlist=1")
    assert set(numbers(html)) == set(firms) - {"丙食品有限公司"}
    assert send(office, "/ranking/shortlists/1/delete").headers["Location"] == "/ranking"
    assert not numbers(html_of(office, "/ranking?shortlist=1"))
    assert len(numbers(html_of(office))) == len(firms)


def test_views_are_saved_opened_renamed_and_deleted_by_their_owner(
    office: FlaskClient,
    access: Access,
    app: Application,  # noqa: F811
) -> None:
    html = html_of(office, "/ranking?grade=AB&sort=-fit&columns=fit&cursor=")
    query = re.findall(r'name="query" value="([^"]*)"', html)[-1].replace("&amp;", "&")
    assert parse_qs(query) == {"grade": ["A", "B"], "sort": ["-fit"], "columns": ["fit"]}
    assert send(office, "/ranking/views", name="A 和 B", query=query).status_code == 303
    html = html_of(office)
    way = re.search(r'href="([^"]+)">A 和 B<', html)
    assert way
    assert parse_qs(urlsplit(way[1].replace("&amp;", "&")).query) == parse_qs(query)
    assert 'aria-current="page">A 和 B<' in html_of(office, way[1].replace("&amp;", "&"))
    send(office, "/ranking/views", name="另一个", query="text=%E7%94%B2&odd=1")
    assert send(office, "/ranking/views/1/rename", name="另一个").status_code == 409
    assert send(office, "/ranking/views/1/rename", name="好的").status_code == 303
    assert send(office, "/ranking/views", name="x", query="x" * 3_000).status_code == 422
    with access.database.write() as connection:
        token = users.add(connection, "wu", "viewer", by="cli", now=NOW)
    set_password(access, token, PASSWORD, address=None)
    other = app.test_client()
    log_in(other, name="wu")
    assert "好的" not in html_of(other)
    assert 'name="act"' not in html_of(other)
    assert send(other, "/ranking/views/1/delete").status_code == 404
    assert send(office, "/ranking/views/1/delete").status_code == 303
    html = html_of(office)
    assert "好的" not in html
    assert "另一个" in html


def test_the_picture_has_the_firms_of_the_table_and_comes_only_when_asked_for(
    office: FlaskClient,
) -> None:
    plain, shown = html_of(office), html_of(office, "/ranking?picture=on&veto=no")
    assert "echarts" not in plain
    assert "echarts" in shown
    way = re.search(r'data-points="([^"]+)"', shown)
    assert way
    told = office.get(way[1].replace("&amp;", "&")).get_json()
    assert {name for _, name, *_ in told["points"]} == set(numbers(shown))
    assert 0 < told["lines"]["likelihood"] < 1
    everything = office.get("/ranking/points").get_json()["points"]
    assert [bool(veto) for *_, veto in everything] == [False, False, False, True]
    counted = [int(each) for each in re.findall(r"<td><strong>(\d+)</strong>", shown)]
    assert sum(counted) == 3
    some = office.get("/ranking/points?grade=Z&veto=yes", headers=ENGLISH).get_json()["points"]
    assert [bool(veto) for *_, veto in some] == [True]


def test_all_that_a_filter_held_is_chosen_over_pages_and_filters(
    office: FlaskClient, access: Access
) -> None:
    html = html_of(office, "/ranking?veto=no")
    assert "Choose all 3 firms of this filter" in html
    answer = send(office, "/ranking/selections", query="veto=no")
    assert answer.headers["Location"] == "/ranking?veto=no&selection=1"
    take_in(access.database, {"name": "后来的叶片有限公司", "main_business": BLADES})
    html = html_of(office, "/ranking?selection=1&columns=fit")
    assert "<strong>5</strong> firms" in html
    assert "3 firms are chosen" in html
    assert html.count("disabled checked") == 3
    assert 'href="/ranking?columns=fit"' in html  # the way out of it
    rows = workbook(send(office, "/ranking/export", format="xlsx", selection="1"))
    assert len(rows) == 4
    fields = {"act": "stage", "stage": "visited", "day": "2026-11-20", "selection": "1"}
    answer = send(office, "/ranking/acts", **fields)
    told = office.get("/api/v1/bulk/1").get_json()
    assert (told["kind"], told["total"], told["counts"]["done"]) == ("stage", 3, 3)
    assert len(numbers(html_of(office, "/ranking?stage=visited"))) == 3
    lost = fields | {"stage": "lost"}
    assert send(office, "/ranking/acts", **lost).status_code == 422
    assert send(office, "/ranking/acts", **lost, why="went elsewhere").status_code == 303
    owned = {"act": "owner", "owner": "nobody-here", "selection": "1"}
    assert send(office, "/ranking/acts", **owned).status_code == 422
    assert send(office, "/ranking/acts", **owned | {"owner": "li"}).status_code == 303


def test_the_same_is_done_over_the_api(office: FlaskClient) -> None:
    headers = {"X-CSRF-Token": secrets_of(html_of(office))["csrf_token"]}
    made = office.post("/api/v1/selections", json={"veto": ["no"]}, headers=headers)
    assert (made.status_code, made.get_json()["total"]) == (201, 3)
    asked = {"kind": "exclude", "reason": "moved away", "selection": made.get_json()["id"]}
    done = office.post("/api/v1/bulk", json=asked, headers=headers)
    assert (done.status_code, done.get_json()["counts"]["done"]) == (201, 3)
    both = asked | {"firms": [1]}
    assert office.post("/api/v1/bulk", json=both, headers=headers).status_code == 422
    undone = office.post(f"/api/v1/bulk/{done.get_json()['id']}/undo", headers=headers)
    assert (undone.status_code, undone.get_json()["counts"]["done"]) == (201, 3)
    ranked = office.get("/api/v1/ranking?veto=no&veto=excluded&grade=AB&grade=D").get_json()
    assert {firm["grade"] for firm in ranked["firms"]} <= {"A", "B", "D"}
    for path in ("grade=Z", "list=x", "veto=no&veto=odd", "sort=odd"):
        assert office.get(f"/api/v1/ranking?{path}").status_code == 422, path


def test_facts_are_columns_and_stand_in_files(office: FlaskClient, access: Access) -> None:
    take_in(
        access.database,
        {"name": "有料叶片有限公司", "main_business": BLADES, "staff": 1200,
         "registered_capital_cny": 250_000_000},
    )  # fmt: skip
    html = html_of(office, "/ranking?columns=staff,registered_capital_cny,main_business,listing")
    assert headers_of(html)[3:] == ["Registered capital", "Staff", "Main business", "Listing"]
    assert "1,200" in html
    file = re.search(r'href="(/api/v1/ranking\.xlsx[^"]+)"', html)
    assert file
    head, *rows = workbook(office.get(file[1].replace("&amp;", "&")))
    row = next(row for row in rows if row[1] == "有料叶片有限公司")
    assert row[2:4] == (250_000_000, 1200), head


def test_firms_stand_side_by_side(office: FlaskClient) -> None:
    firms = numbers(html_of(office))
    chosen = [firms["甲叶片有限公司"], firms["丙食品有限公司"], firms["丁叶片有限公司"]]
    answer = send(office, "/ranking/compare", firm=chosen)
    assert answer.status_code == 303
    html = html_of(office, answer.headers["Location"])
    told = [office.get(f"/api/v1/firms/{number}?lang=en").get_json() for number in chosen]
    for firm in told:
        assert firm["name"] in html
    base, total = re.findall(r"<tfoot>.*?</tfoot>", html, re.DOTALL)[0].split("</tr>")[:2]
    for row in (base, total):
        assert row.count("<td>") == 4
    points = [firm["scores"][0] for firm in told]
    sums = [sum(each["points"].values()) + each["base_points"] for each in points]
    shown = [float(each.replace("−", "-")) for each in re.findall(r"<strong>(.+?)<", total)]
    assert shown == pytest.approx(sums, abs=0.06)
    assert "differs" in html
    html = html_of(office, f"/compare?firm={chosen[0]}&firm=999&firm=x&text=叶片")
    assert "the number of a firm that is kept here" in html
    assert f"firm={firms['丁叶片有限公司']}" in html
    assert send(office, "/ranking/compare", firm=chosen[:1]).status_code == 422
