"""The pages of imports without a browser: nothing is stored before it was looked at."""

from __future__ import annotations

import io
import re
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from flask.testing import FlaskClient
from tests.contract.test_pages import HTML, HTMX, access, client, log_in, secrets_of  # noqa: F401
from tests.contract.test_permissions import NOW, app, scorer  # noqa: F401 (fixtures)

from leadscore.jobs.tasks import JobDependencies, all_kinds
from leadscore.jobs.worker import Worker
from leadscore.learning.training_data import Rules
from leadscore.lists.reading import read_list
from leadscore.registry.models import ModelRegistry
from leadscore.store import lists as kept
from leadscore.store.list_import import kept_failed_rows
from leadscore.store.lists import (
    KEPT_FOR,
    MOST_EACH,
    EndedUploadError,
    UnknownUploadError,
    read_upload,
)
from leadscore.web.auth import Access

GOOD = (
    "企业名称,注册资本（万元）,联系电话,优势\n"
    "湖港电池有限公司,5000,13900000000,电池\n"
    "湖港屏幕有限公司,不详细,13900000001,屏幕\n"
    ",12,13900000002,无名\n"
)
ODD = "参展名单\n序,字号甲,金额\n1,湖港电池有限公司,5000万元\n2,湖港屏幕有限公司,800万元\n"


@pytest.fixture
def officer(client: FlaskClient) -> FlaskClient:  # noqa: F811
    log_in(client)
    return client


def upload(officer: FlaskClient, text: str | bytes, name: str = "名单.csv", **more: str) -> Any:
    html = officer.get("/import", headers=HTML).get_data(as_text=True)
    content = text.encode() if isinstance(text, str) else text
    form = secrets_of(html) | more | {"file": (io.BytesIO(content), name)}
    return officer.post("/import", data=form, headers=HTML)


def page_of(officer: FlaskClient, path: str) -> str:
    answer = officer.get(path, headers=HTML | {"Accept-Language": "en"})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def confirm(officer: FlaskClient, path: str) -> Any:
    """Hand in what a preview shows, with the fields that its form has."""
    html = page_of(officer, path)
    form = html[html.index('<div class="decide">') :]
    fields = dict(re.findall(r'name="((?:as:|unit:|digest)[^"]*)" value="([^"]+)"', form))
    return officer.post(path.partition("?")[0], data=secrets_of(form) | fields, headers=HTML)


def lists(access: Access) -> list[kept.KeptList]:  # noqa: F811
    with access.database.read() as connection:
        return kept.kept_lists(connection)


def test_a_file_is_looked_at_before_it_is_a_list(officer: FlaskClient, access: Access) -> None:  # noqa: F811
    answer = upload(officer, GOOD)
    assert answer.status_code == 303
    path = answer.headers["Location"]
    assert lists(access) == []
    html = page_of(officer, path)
    assert "湖港电池有限公司" in html
    assert "CNY 50 million" in html  # as it is read
    assert "13900000000" not in html  # about people
    assert "personal data, not read" in html
    assert re.search(r"<strong>3</strong> rows", html)
    assert re.search(r"<strong>2</strong> firms", html)
    assert "不详细" in html
    answer = confirm(officer, path)
    assert answer.status_code == 303
    (found,) = lists(access)
    assert answer.headers["Location"] == f"/imports/{found.id}"
    assert (found.state, found.file_name, dict(found.mapping)) == ("waiting", "名单.csv", {})
    assert officer.get(path, headers=HTML).status_code == 410
    assert "every 1s" in page_of(officer, f"/imports/{found.id}")


def test_header_row_and_columns_can_be_corrected(officer: FlaskClient, access: Access) -> None:  # noqa: F811
    path = upload(officer, ODD).headers["Location"]
    html = page_of(officer, path)
    assert "This file can&#39;t be read as a list" in html
    assert "row 2 · 序 | 字号甲 | 金额" in html
    html = page_of(officer, f"{path}?row=2")
    assert 'name="as:!B2"' in html
    assert "Import 2 firms" not in html
    # What was said of another row says nothing of this one.
    assert "Import" not in page_of(officer, f"{path}?row=2&of=!3&as:!B2=name").split("decide")[1]
    corrected = f"{path}?row=2&of=!2&as:!B2=name&as:!C2=registered_capital_cny"
    html = page_of(officer, corrected)
    assert "Import 2 firms" in html
    assert "CNY 50 million" in html
    confirm(officer, corrected)
    (found,) = lists(access)
    assert dict(found.mapping) == {"!B2": "name", "!C2": "registered_capital_cny"}


def test_of_a_long_list_the_first_rows_are_looked_at(
    officer: FlaskClient,
    access: Access,  # noqa: F811
) -> None:
    rows = "".join(f"第{number}号科技有限公司\n" for number in range(10_005))
    path = upload(officer, f"企业名称\n{rows}").headers["Location"]
    html = page_of(officer, path)
    assert "The list has 10,005 rows. Only the first 10,000 were checked" in html
    assert "Import all 10,005 rows" in html
    confirm(officer, path)
    assert len(lists(access)) == 1


SMALL = "企业名称,注册资本\n湖港电池有限公司,5000\n湖港屏幕有限公司,800\n湖港镜片有限公司,300\n"


def decision(html: str) -> str:
    return html[html.index('<div class="decide">') :]


def test_a_unit_in_doubt_is_chosen_or_left_missing_before_the_import(
    officer: FlaskClient, access: Access  # noqa: F811
) -> None:  # fmt: skip
    path = upload(officer, SMALL).headers["Location"]
    html = page_of(officer, path)
    assert "choose the unit" in html
    left = '<input type="checkbox" name="unit:!B" value="registered_capital_cny(?)" required>'
    assert left in decision(html)
    html = page_of(officer, f"{path}?of=!&unit:!B=registered_capital_cny(万元)")
    assert "CNY 50 million" in html
    assert "checkbox" not in decision(html)
    confirm(officer, path)  # with its box ticked
    assert dict(lists(access)[0].mapping) == {"!B": "registered_capital_cny(?)"}
    path = upload(officer, SMALL).headers["Location"]
    # A unit of another column than the one that was chosen says nothing.
    html = page_of(officer, f"{path}?of=!&as:!B=paid_in_capital_cny&unit:!B=revenue_cny(万元)")
    assert 'value="paid_in_capital_cny"' in decision(html)
    assert "CNY 50 million" not in html
    confirm(officer, f"{path}?of=!&unit:!B=registered_capital_cny(万元)")
    found = lists(access)[0]
    assert dict(found.mapping) == {"!B": "registered_capital_cny(万元)"}
    html = page_of(officer, f"/imports/{found.id}")
    assert "column B: registered capital (万元)" in html


def test_a_unit_that_nobody_knows_is_left_missing_and_said_so(
    officer: FlaskClient, access: Access  # noqa: F811
) -> None:  # fmt: skip
    path = upload(officer, SMALL).headers["Location"]
    chosen = f"{path}?of=!&unit:!B=registered_capital_cny(?)"
    assert "checkbox" not in decision(page_of(officer, chosen))
    confirm(officer, chosen)
    (found,) = lists(access)
    assert dict(found.mapping) == {"!B": "registered_capital_cny(?)"}
    assert "registered capital (unit unknown, left missing)" in page_of(
        officer, f"/imports/{found.id}"
    )


def test_a_header_with_its_unit_asks_for_none(officer: FlaskClient) -> None:
    html = page_of(officer, upload(officer, GOOD).headers["Location"])
    assert "unit: 万元" in html
    assert "checkbox" not in decision(html)


def test_a_preview_imports_no_other_file_than_it_shows(
    officer: FlaskClient, access: Access  # noqa: F811
) -> None:  # fmt: skip
    path = upload(officer, GOOD).headers["Location"]
    form = decision(page_of(officer, path))
    assert officer.post(f"{path}/discard", data=secrets_of(form), headers=HTML).status_code == 303
    upload(officer, ODD)
    shown = dict(re.findall(r'name="(digest)" value="([^"]+)"', form))
    for number in (path, upload(officer, SMALL).headers["Location"]):
        fields = secrets_of(page_of(officer, "/import")) | shown
        answer = officer.post(number, data=fields, headers=HTMX)
        assert answer.status_code in {410, 422}
    assert answer.status_code == 422
    assert "a different file" in answer.get_data(as_text=True)
    assert lists(access) == []


def test_a_column_can_be_left_unread(officer: FlaskClient, access: Access) -> None:  # noqa: F811
    path = upload(officer, GOOD).headers["Location"]
    html = page_of(officer, f"{path}?of=!&as:!B=-")
    assert "CNY 50 million" not in html
    confirm(officer, f"{path}?of=!&as:!B=-")
    assert dict(lists(access)[0].mapping) == {"!B": ""}


def test_a_file_that_is_no_list_says_what_to_do(officer: FlaskClient) -> None:
    path = upload(officer, b"%PDF-1.7 ...", "fair.xlsx").headers["Location"]
    html = page_of(officer, path)
    assert "PDF" in html
    assert 'id="confirm"' not in html
    assert "Choose another file" in html


def test_the_form_with_a_file_needs_the_token(officer: FlaskClient) -> None:
    answer = upload(officer, GOOD, csrf_token="0" * 64)
    assert answer.status_code == 403
    form = {"file": (io.BytesIO(GOOD.encode()), "x.csv")}
    assert officer.post("/import", data=form, headers=HTML).status_code == 403
    # In no other route does a body of this kind hold it.
    html = page_of(officer, "/import")
    secret = secrets_of(html) | {"file": (io.BytesIO(b"x"), "x.csv")}
    assert officer.post("/import/1", data=secret, headers=HTML).status_code == 403


def test_no_file_is_said_so(officer: FlaskClient) -> None:
    html = page_of(officer, "/import")
    answer = officer.post(
        "/import", data=secrets_of(html), headers=HTMX, content_type="multipart/form-data"
    )
    assert answer.status_code == 422
    assert "Choose one" in answer.get_data(as_text=True)


def test_the_same_form_twice_is_one_file(officer: FlaskClient) -> None:
    form = secrets_of(page_of(officer, "/import"))
    sent = [
        officer.post("/import", data=form | {"file": (io.BytesIO(GOOD.encode()), "a.csv")},
                     headers=HTML).headers["Location"] for _ in range(2)
    ]  # fmt: skip
    assert sent[0] == sent[1]


def test_files_wait_a_day_and_none_gives_way_to_another(
    officer: FlaskClient, access: Access  # noqa: F811
) -> None:  # fmt: skip
    paths = [upload(officer, GOOD, f"{number}.csv").headers["Location"]
             for number in range(MOST_EACH)]  # fmt: skip
    assert upload(officer, GOOD, "more.csv").status_code == 409
    assert [officer.get(path, headers=HTML).status_code for path in paths] == [200] * MOST_EACH
    html = page_of(officer, "/import")
    assert all(f'href="{path}"' in html for path in paths)
    token = paths[-1].rpartition("/")[2]
    assert len(token) > 40
    with access.database.read() as connection:
        with pytest.raises(UnknownUploadError):
            read_upload(connection, token, actor="wang", now=NOW)
        read_upload(connection, token, actor="wang", any_of=True, now=NOW)
        with pytest.raises(EndedUploadError):
            read_upload(connection, token, actor="li", now=NOW + KEPT_FOR + timedelta(seconds=1))


def test_giving_up_lets_the_file_go(officer: FlaskClient) -> None:
    path = upload(officer, GOOD).headers["Location"]
    secret = secrets_of(page_of(officer, path))
    assert officer.post(f"{path}/discard", data=secret, headers=HTML).status_code == 303
    assert "discarded" in page_of(officer, "/import")
    answer = officer.get(path, headers=HTML)
    assert answer.status_code == 410
    assert "was discarded" in answer.get_data(as_text=True)


def test_two_previews_import_each_its_own_and_a_stale_one_says_so(officer: FlaskClient) -> None:
    names = ("丙", "丁")
    paths = [
        upload(officer, f"企业名称\n{name}有限公司\n", f"{name}.csv").headers["Location"]
        for name in names
    ]
    forms = [
        secrets_of(html) | {"digest": _digest(html)}
        for html in (decision(page_of(officer, path)) for path in paths)
    ]
    # The form of one tab, sent to the address of the other, imports nothing.
    assert officer.post(paths[1], data=forms[0], headers=HTMX).status_code == 422
    lists = [
        officer.post(path, data=form, headers=HTML).headers["Location"]
        for path, form in zip(paths, forms, strict=True)
    ]
    for name, address in zip(names, lists, strict=True):
        assert f"{name}.csv" in page_of(officer, address)
    stale = officer.get(paths[0], headers=HTML)
    assert stale.status_code == 410
    html = stale.get_data(as_text=True)
    assert "was imported already" in html
    assert f'href="{lists[0]}"' in html
    fields = secrets_of(page_of(officer, "/import")) | {"digest": forms[0]["digest"]}
    assert officer.post(paths[0], data=fields, headers=HTML).status_code == 410


def _digest(html: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', html)
    assert found
    return found.group(1)


def test_rows_that_failed_come_back_as_they_stood(
    officer: FlaskClient, access: Access, scorer: Any, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    number = int(confirm(officer, upload(officer, GOOD).headers["Location"])
                 .headers["Location"].rpartition("/")[2])  # fmt: skip
    take_in(access, scorer, tmp_path)
    html = page_of(officer, f"/imports/{number}")
    assert f"/ranking?list={number}" in html
    assert "Download the 2 rows" in html
    answer = officer.get(f"/imports/{number}/failed.xlsx", headers=HTML)
    path = tmp_path / "rows.xlsx"
    path.write_bytes(answer.data)
    table = pd.read_excel(path, engine="openpyxl", dtype=str, header=None, keep_default_na=False)
    assert table.iloc[0, :3].tolist() == ["企业名称", "注册资本（万元）", "优势"]
    assert table.iloc[1, :4].tolist() == ["湖港屏幕有限公司", "不详细", "屏幕", "3"]
    assert table.iloc[2, :4].tolist() == ["", "12", "无名", "4"]
    assert "不详细" in str(table.iloc[1, 4])
    assert "1390000" not in table.to_csv()
    assert read_list(path).tables[0].headers[:3] == ("企业名称", "注册资本（万元）", "优势")
    with access.database.read() as connection:
        assert len(kept_failed_rows(connection, number)) == 3


def take_in(access: Access, scorer: Any, tmp_path: Path) -> None:  # noqa: F811
    """Do what the worker of the service does."""
    registry = ModelRegistry(tmp_path / "models", tmp_path / "key")
    place = JobDependencies(
        lambda: scorer.city, lambda: scorer, registry, Rules, tmp_path / "exports", access.trail,
        access.clock,
    )  # fmt: skip
    worker = Worker("here", access.database, all_kinds(place), access.clock, threading.Event())
    assert worker.do_one()
