"""Lists and firms are mended in pages and by the API alike, and the audit knows of each act."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from tests.contract.test_pages import HTML, access, client, secrets_of  # noqa: F401 (fixtures)
from tests.contract.test_pages_import import (  # noqa: F401 (fixtures)
    confirm,
    officer,
    page_of,
    take_in,
    upload,
)
from tests.contract.test_permissions import app, scorer  # noqa: F401 (fixtures)

from leadscore.store.audit import AUDIT
from leadscore.web.auth import Access

LIST = (
    "企业名称,主营业务,注册资本（万元）,对接批次\n"
    "湖港叶片有限公司,风电叶片的研发和生产,5000,春季\n"
    "湖港风电叶片厂,风电叶片,,秋季\n"
)


def act(officer: FlaskClient, page: str, action: str, **more: str) -> Any:  # noqa: F811
    """Send the form of a page that goes to an address, with what somebody fills in."""
    html = page_of(officer, page)
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', html, re.DOTALL)
    assert form, action
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form.group(0)))
    return officer.post(action, data=fields | more, headers=HTML)


def actions(access: Access) -> list[str]:  # noqa: F811
    with access.database.read() as connection:
        done = connection.scalars(select(AUDIT.c.action).order_by(AUDIT.c.sequence)).all()
    return [action for action in done if not action.startswith("ranking.")]


@pytest.fixture
def listed(
    officer: FlaskClient, access: Access, scorer: Any, tmp_path: Path  # noqa: F811
) -> str:  # fmt: skip
    """Return the address of a list that was taken in."""
    address: str = confirm(officer, upload(officer, LIST).headers["Location"]).headers["Location"]
    take_in(access, scorer, tmp_path)
    return address


def exported(officer: FlaskClient) -> list[dict[str, str]]:  # noqa: F811
    text = officer.get("/api/v1/ranking.csv?lang=en").get_data().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_an_import_is_undone_in_a_page(
    officer: FlaskClient, access: Access, scorer: Any, tmp_path: Path, listed: str  # noqa: F811
) -> None:  # fmt: skip
    assert f'href="{listed}/undo"' in page_of(officer, listed)
    before = page_of(officer, f"{listed}/undo")
    assert "<strong>2</strong>" in before
    assert officer.get(f"/api/v1/lists/{listed.rpartition('/')[2]}/undo").get_json() == {
        "gone": 2, "kept": 0, "back": 0,
    }  # fmt: skip
    assert act(officer, f"{listed}/undo", f"{listed}/undo").status_code == 303
    assert "being undone" in page_of(officer, listed)
    take_in(access, scorer, tmp_path)
    assert "Undone by li" in page_of(officer, listed)
    assert ">undone<" in page_of(officer, "/import")
    assert exported(officer) == []
    gone = officer.get("/firms/1", headers=HTML)
    assert gone.status_code == 410
    assert "湖港叶片有限公司" in gone.get_data(as_text=True)
    assert {"list.undo", "list.undo.portion", "list.undone"} <= set(actions(access))
    assert officer.post(f"{listed}/undo", data=secrets_of(page_of(officer, "/import")),
                        headers=HTML).status_code == 409  # fmt: skip


def test_two_firms_are_merged_and_split_in_pages(
    officer: FlaskClient, access: Access, listed: str  # noqa: F811, ARG001
) -> None:  # fmt: skip
    assert 'href="/firms/2/merge?with=1"' in page_of(officer, "/firms/2/merge?q=湖港")
    page = "/firms/2/merge?with=1"
    answer = act(officer, page, "/firms/2/merge", stays="1", reason="同一家")
    assert answer.headers["Location"] == "/firms/1"
    moved = officer.get("/firms/2", headers=HTML)
    assert (moved.status_code, moved.headers["Location"]) == (307, "/firms/1")
    moved = officer.get("/api/v1/firms/2?lang=en")
    assert (moved.status_code, moved.headers["Location"]) == (307, "/api/v1/firms/1?lang=en")
    firm = officer.get("/api/v1/firms/1").get_json()
    assert [one["name"] for one in firm["merged"]] == ["湖港风电叶片厂"]
    assert len(exported(officer)) == 1
    assert act(officer, "/firms/1", "/firms/1/split").headers["Location"] == "/firms/2"
    assert page_of(officer, "/firms/2").count("湖港风电叶片厂") > 0
    assert len(exported(officer)) == 2
    assert actions(access)[-2:] == ["firm.merge", "firm.split"]


def test_a_firm_is_hidden_and_shown_again_in_pages(
    officer: FlaskClient, access: Access, listed: str  # noqa: F811, ARG001
) -> None:  # fmt: skip
    assert act(officer, "/firms/1", "/firms/1/hidden", reason="分支机构").status_code == 303
    assert "分支机构" in page_of(officer, "/firms/1")
    assert "湖港叶片有限公司" in page_of(officer, "/firms/hidden")
    assert [row["name"] for row in exported(officer)] == ["湖港风电叶片厂"]
    (hidden,) = officer.get("/api/v1/firms/hidden").get_json()["firms"]
    assert (hidden["id"], hidden["by"]) == (1, "li")
    assert act(officer, "/firms/hidden", "/firms/1/hidden/drop").status_code == 303
    assert len(exported(officer)) == 2
    assert actions(access)[-2:] == ["firm.hide", "firm.show"]


def test_a_firm_is_added_by_hand_and_joins_the_one_that_is_known(
    officer: FlaskClient, access: Access, listed: str  # noqa: F811, ARG001
) -> None:  # fmt: skip
    bad = act(officer, "/firms/new", "/firms/new", name="湖港齿轮有限公司", staff="很多")
    assert bad.status_code == 422
    assert "number" in bad.get_data(as_text=True)
    added = act(officer, "/firms/new", "/firms/new", name="湖港齿轮有限公司",
                main_business="风电齿轮箱", registered_capital_cny="500万元")  # fmt: skip
    assert added.headers["Location"] == "/firms/3"
    (row,) = [row for row in exported(officer) if row["name"] == "湖港齿轮有限公司"]
    assert float(row["registered_capital_cny"]) == 5_000_000
    joined = act(officer, "/firms/new", "/firms/new", name="湖港风电叶片厂", staff="80人")
    assert joined.headers["Location"] == "/firms/2"
    assert "was known already" in page_of(officer, "/firms/2")
    assert actions(access)[-2:] == ["firm.add", "firm.add"]


def test_exports_end_in_facts_and_in_the_columns_of_the_list(
    officer: FlaskClient, listed: str  # noqa: F811, ARG001
) -> None:  # fmt: skip
    rows = {row["name"]: row for row in exported(officer)}
    names = list(rows["湖港叶片有限公司"])
    assert names[-1] == "对接批次"
    assert names.index("registered_capital_cny") > names.index("stage")
    assert rows["湖港风电叶片厂"]["对接批次"] == "秋季"
    assert float(rows["湖港叶片有限公司"]["registered_capital_cny"]) == 50_000_000
    assert "春季" in page_of(officer, "/firms/1")
