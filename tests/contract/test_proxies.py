"""Whom the service believes on where a request comes from: the proxies that were named."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.contract.access_app import PASSWORD, Browser, House, build

from leadscore.store.audit import AuditTrail, page
from leadscore.store.database import Database
from leadscore.web.proxies import believe_proxies
from leadscore.web.serve import Limits, _server

FORGED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "leads.example",
}


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    house = build(database, AuditTrail(tmp_path / "keys" / "audit.key"))
    house.user("li.na", "officer")
    return house


def log_in(house: House, headers: dict[str, str]) -> Any:
    return Browser(house.client()).log_in("li.na", headers=headers)


def address(house: House) -> str:
    with house.access.database.read() as connection:
        (row,) = page(connection, limit=1)
    found: str = row.address
    return found


def test_by_default_nobody_is_believed(house: House) -> None:
    believe_proxies(house.app, 0)
    answer = log_in(house, FORGED)
    assert answer.headers["Set-Cookie"].startswith("leadscore=")
    assert address(house) == "127.0.0.1"
    refused = log_in(house, FORGED | {"Origin": "https://leads.example"})
    assert refused.status_code == 403


def test_the_proxy_that_was_named_is_believed(house: House) -> None:
    believe_proxies(house.app, 1)
    answer = log_in(house, FORGED | {"Origin": "https://leads.example"})
    assert answer.status_code == 303
    assert answer.headers["Set-Cookie"].startswith("__Host-leadscore=")
    assert address(house) == "203.0.113.9"
    elsewhere = log_in(house, FORGED | {"Origin": "https://evil.example"})
    assert elsewhere.status_code == 403


@pytest.mark.parametrize(("count", "expected"), [(1, "198.51.100.2"), (2, "203.0.113.9")])
def test_what_a_client_has_written_itself_is_not_read(
    house: House, count: int, expected: str
) -> None:
    believe_proxies(house.app, count)
    said = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9, 198.51.100.2"}
    assert log_in(house, said).status_code == 303
    assert address(house) == expected


@pytest.fixture
def port(house: House) -> Iterator[int]:
    """Return the port of a server that believes one proxy, as `leadscore serve` runs it."""
    believe_proxies(house.app, 1)
    listening = socket.create_server(("127.0.0.1", 0))
    server = _server(house.app, listening, 2, Limits())
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    server.close()
    server.task_dispatcher.shutdown()


def test_the_server_lets_the_word_of_the_proxy_through(house: House, port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    body = urlencode({"name": "li.na", "password": PASSWORD})
    headers = FORGED | {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/login", body, headers)
    answer = connection.getresponse()
    assert answer.status == 303, answer.read()
    assert str(answer.getheader("Set-Cookie")).startswith("__Host-leadscore=")
    assert address(house) == "203.0.113.9"
    connection.close()
