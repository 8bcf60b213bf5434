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
    assert send(office, "/ranking/exclude", firm=chosen, reason=" ").status_code == 422
    assert send(office, "/ranking/exclude", firm=["999"], reason="x").status_code == 404
    form = secrets_of(html_of(office)) | {"next": "/ranking?veto=no"}
    form |= {"firm": chosen, "reason": "moved away"}  # type: ignore[dict-item]
    first, again = (office.post("/ranking/exclude", data=form, headers=ENGLISH) for _ in "12")
    assert (first.status_code, first.headers["Location"]) == (303, "/ranking?veto=no")
    assert (again.status_code, again.headers["Location"]) == (303, "/ranking?veto=no")
    assert audited(access)[0] == ("firm.exclude", "2")
    assert audited(access)[1][0] != "firm.exclude"
    assert set(numbers(html_of(office, "/ranking?veto=no"))) == {"丙食品有限公司"}
    kept = office.get(f"/api/v1/firms/{chosen[0]}").get_json()
    assert kept["exclusion"]["reason"] == "moved away"


def test_a_shortlist_is_filled_filtered_by_emptied_and_deleted(
    office: FlaskClient, access: Access
) -> None:
    firms = numbers(html_of(office))
    chosen = [firms["甲叶片有限公司"], firms["丙食品有限公司"]]
    assert send(office, "/ranking/shortlists", firm=chosen, name="").status_code == 422
    assert send(office, "/ranking/shortlists", firm=chosen, name="深圳之行").status_code == 303
    assert audited(access)[0][0] == "shortlist.add"
    again = send(office, "/ranking/shortlists", firm=chosen[:1], name="深圳之行")
    assert again.status_code == 303
    html = html_of(office, "/ranking?shortlist=1")
    assert set(numbers(html)) == {"甲叶片有限公司", "丙食品有限公司"}
    assert 'id="shortlist-1"' in html
    assert "Selected firms added to the shortlist" in html
    assert office.get("/api/v1/ranking?shortlist=1").get_json()["firms"][1]["name"] in html
    assert "丙食品" in office.get("/api/v1/ranking.csv?shortlist=1").get_data(as_text=True)
    assert send(office, "/ranking/shortlists", firm=["999"], shortlist="1").status_code == 404
    assert send(office, "/ranking/shortlists", firm=chosen, shortlist="7").status_code == 404
    send(office, "/ranking/shortlists/1/remove", firm=chosen[1:])
    assert set(numbers(html_of(office, "/ranking?shortlist=1"))) == {"甲叶片有限公司"}
    assert send(office, "/ranking/shortlists/1/delete").status_code == 303
    assert "深圳之行" not in html_of(office)
    assert send(office, "/ranking/shortlists/1/delete").status_code == 404


def test_views_are_saved_opened_renamed_and_deleted_by_their_owner(
    office: FlaskClient,
    access: Access,
    app: Application,  # noqa: F811
) -> None:
    html = html_of(office, "/ranking?grade=AB&sort=-fit&columns=fit&cursor=")
    query = re.findall(r'name="query" value="([^"]*)"', html)[-1].replace("&amp;", "&")
    assert parse_qs(query) == {"grade": ["AB"], "sort": ["-fit"], "columns": ["fit"]}
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
    assert 'formaction="/ranking/exclude"' not in html_of(other)
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
    assert office.get("/ranking/points?grade=Z", headers=ENGLISH).status_code == 422
