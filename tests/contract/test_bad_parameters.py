"""A bad parameter in the address of a page is left unread, with a word on the page."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from tests.contract.test_pages_ranking import (  # noqa: F401 (fixtures)
    ENGLISH,
    access,
    app,
    numbers,
    office,
    scorer,
)

from leadscore.store import users
from leadscore.web.auth import Access


@pytest.fixture
def administrator(office: FlaskClient, access: Access) -> FlaskClient:  # noqa: F811
    """Return a client of somebody who may see every page."""
    with access.database.write() as connection:
        users.change(connection, "li", role="administrator")
    return office


BAD = [
    ("/ranking?list=x", "list", "x"),
    ("/ranking?grade=Z&veto=no", "grade", "Z"),
    ("/ranking?chain=%00", "chain", ""),
    ("/ranking?veto=odd&veto=no", "veto", "odd"),
    ("/ranking?sort=odd", "sort", "odd"),
    ("/ranking?cursor=!!", "cursor", "!!"),
    ("/ranking?before=x&cursor=!!", "before", "x"),
    ("/ranking?columns=fit,odd", "columns", "odd"),
    ("/ranking?picture=odd", "picture", "odd"),
    ("/ranking?selection=7", "selection", "7"),
    ("/ranking?grad=A", "grad", "A"),
    ("/ranking?sort=-fit&sort=fit", "sort", "fit"),
    ("/ranking?text=" + "x" * 300, "text", "xxx"),
    ("/compare?firm=x", "firm", "x"),
    ("/compare?firm=999", "firm", "999"),
    ("/firms/1?older=x", "older", "x"),
    ("/firms/1?older=98&newer=99", "newer", "99"),
    ("/board/column?stage=odd", "stage", "odd"),
    ("/board/column?stage=visited&start=x", "start", "x"),
    ("/import?before=x", "before", "x"),
    ("/administration/audit?before=x", "before", "x"),
    ("/administration/audit?since=yesterday", "since", "yesterday"),
    ("/administration/jobs?state=odd", "state", "odd"),
    ("/administration/jobs?before=x", "before", "x"),
    ("/administration/city?segment=odd", "segment", "odd"),
]


@pytest.mark.parametrize(("path", "name", "found"), BAD)
def test_a_bad_parameter_is_ignored_with_a_word(
    administrator: FlaskClient, path: str, name: str, found: str
) -> None:
    answer = administrator.get(path, headers=ENGLISH)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 200, html
    said = html.partition('class="notice ignored"')[2].partition("</div>")[0]
    assert f"<li>{name}: found “{found}" in said
    assert "Wanted: " in said


def test_what_can_be_read_counts_nevertheless(administrator: FlaskClient) -> None:
    html = administrator.get("/ranking?veto=no&list=x", headers=ENGLISH).get_data(as_text=True)
    assert len(numbers(html)) == 3
    html = administrator.get("/ranking?veto=no", headers=ENGLISH).get_data(as_text=True)
    assert "notice ignored" not in html
