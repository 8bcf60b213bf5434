"""A client may hold few connections, and silent ones make room: a real server, real sockets."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from ipaddress import ip_network
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Response
from tests.contract.access_app import House, build

from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database
from leadscore.store.migrations import migrate
from leadscore.store.sessions import PasswordTurns
from leadscore.web.auth import requires
from leadscore.web.proxies import believe_proxies
from leadscore.web.serve import Limits, _server

ENOUGH_SECONDS = 20
QUICK_SECONDS = 2
"""A tenth of it is usual; a server that waits for silent clients takes 30."""
STRANGER, OTHER = "127.0.0.2", "127.0.0.3"
LARGE = 20_000_000


@pytest.fixture
def house(tmp_path: Path) -> House:
    database = Database(tmp_path / "leadscore.sqlite3")
    migrate(database)
    turns = PasswordTurns(places=2, patience_seconds=ENOUGH_SECONDS)
    return build(database, AuditTrail(tmp_path / "keys" / "audit.key"), turns=turns)


@contextmanager
def serving(house: House, limits: Limits, threads: int = 4) -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = _server(house.app, listening, threads, limits)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    server.close()
    server.task_dispatcher.shutdown()


def connect(port: int, address: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), ENOUGH_SECONDS, (address, 0))


def ask(port: int, address: str, path: str = "/login", timeout: float = QUICK_SECONDS) -> Response:
    connection = HTTPConnection("127.0.0.1", port, timeout, source_address=(address, 0))
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return Response(answer.read(), answer.status, list(answer.headers.items()))
    finally:
        connection.close()


def still_open(connections: list[socket.socket]) -> int:
    """Return how many connections the server has not closed."""
    poll = select.poll()
    for connection in connections:
        poll.register(connection, select.POLLRDHUP)
    return len(connections) - len(poll.poll(0))


def test_a_client_that_holds_many_silent_connections_stops_nobody(house: House) -> None:
    with serving(house, Limits()) as port, ExitStack() as stack:
        silent = [stack.enter_context(connect(port, STRANGER)) for _ in range(300)]
        assert ask(port, OTHER).status_code == 200
        assert ask(port, STRANGER).status_code == 200
        assert still_open(silent) == Limits().client_connections - 1  # one was just asked through


def test_many_clients_with_silent_connections_stop_nobody(house: House) -> None:
    limits = Limits(connections=60, client_connections=25)
    with serving(house, limits) as port, ExitStack() as stack:
        mine = stack.enter_context(connect(port, OTHER))
        silent = [
            stack.enter_context(connect(port, f"127.0.1.{number % 5}")) for number in range(100)
        ]
        assert ask(port, OTHER).status_code == 200
        assert still_open(silent) < limits.connections
        assert still_open([mine]) == 1, "who has few connections keeps them"


def test_requests_that_are_never_finished_stop_nobody(house: House) -> None:
    with serving(house, Limits()) as port, ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(connect(port, STRANGER)).sendall(b"POST /login HTTP/1.1\r\nHost:")
        assert ask(port, OTHER).status_code == 200


def test_a_proxy_holds_the_connections_of_all_its_clients(house: House) -> None:
    believe_proxies(house.app, 1, [ip_network(STRANGER)])
    with serving(house, Limits(client_connections=5)) as port, ExitStack() as stack:
        proxied = [stack.enter_context(connect(port, STRANGER)) for _ in range(30)]
        others = [stack.enter_context(connect(port, OTHER)) for _ in range(30)]
        assert ask(port, OTHER).status_code == 200
        assert (still_open(proxied), still_open(others)) == (30, 4)


def test_who_asks_more_at_a_time_than_may_be_is_told(house: House) -> None:
    begun, goes_on = threading.Semaphore(0), threading.Event()

    @house.app.get("/slow")
    @requires("public")
    def slow() -> Response:
        begun.release()
        goes_on.wait(ENOUGH_SECONDS)
        return Response("done")

    with serving(house, Limits(client_connections=2)) as port, ExitStack() as stack:
        stack.callback(goes_on.set)
        busy = [stack.enter_context(connect(port, STRANGER)) for _ in range(2)]
        for connection in busy:
            connection.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            assert begun.acquire(timeout=ENOUGH_SECONDS)
        refused = ask(port, STRANGER)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert json.loads(refused.data)["error"]["code"] == "too_many_connections"
        assert ask(port, OTHER).status_code == 200
        goes_on.set()
        for connection in busy:
            assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_many_log_ins_at_once_take_half_of_the_threads(house: House) -> None:
    def log_in(number: int) -> int:
        address = f"127.0.1.{number}"
        connection = HTTPConnection("127.0.0.1", port, ENOUGH_SECONDS, source_address=(address, 0))
        with closing(connection):
            form = urlencode({"name": "admin", "password": "a guess among many"})
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", "/login", form, kind)
            return connection.getresponse().status

    with serving(house, Limits()) as port, ThreadPoolExecutor(16) as pool:
        with house.access.turns.turn() as mine:  # as if a hash took very long
            assert mine
            log_ins = [pool.submit(log_in, number) for number in range(16)]
            refused = [done.result() for done in islice(as_completed(log_ins), 15)]
            assert refused == [503] * 15
            for _ in range(5):
                assert ask(port, OTHER).status_code == 200
        assert sorted(done.result() for done in log_ins) == [401] + [503] * 15


def test_a_client_that_reads_no_answer_is_cut_off(house: House) -> None:
    @house.app.get("/large")
    @requires("public")
    def large() -> Response:
        return Response(b"x" * 1_000_000 for _ in range(LARGE // 1_000_000))

    with serving(house, Limits(receive_seconds=1), threads=1) as port:
        with connect(port, STRANGER) as stalled:
            stalled.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
            poll = select.poll()
            poll.register(stalled, select.POLLRDHUP)
            assert poll.poll(ENOUGH_SECONDS * 1000), "it holds the thread for ever"
        assert len(ask(port, OTHER, "/large").data) == LARGE
