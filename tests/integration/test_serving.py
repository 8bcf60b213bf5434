"""A real server in a process of its own, asked over real sockets, also by odd clients."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.commands import warm_python
from tests.service import demonstration

from leadscore.city import load_city
from leadscore.registry.models import ModelRegistry
from leadscore.startup import champion_scorer
from leadscore.web.errors import MAX_BODY_BYTES
from leadscore.web.serve import Limits, ListenError, serve

pytestmark = pytest.mark.measured

CITY = Path(__file__).parents[1] / "cities" / "lakeport.toml"
ENOUGH_SECONDS = 30
BODY_BYTES = 9_400_000
"""What the server takes: a little more than the application does."""

# The clock is asked once a request, while it is being answered: the tests listen for that.
SERVER = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from tests.service import demonstration

from leadscore.city import load_city
from leadscore.registry.models import ModelRegistry
from leadscore.startup import champion_scorer
from leadscore.web.serve import Limits, serve

def clock():
    print("the clock was asked", file=sys.stderr, flush=True)
    return date(2026, 11, 24)

city, home = map(Path, sys.argv[1:3])
registry = ModelRegistry(home / "models", home / "key")
scorer = champion_scorer(load_city(city), registry, now=datetime(2026, 11, 24, tzinfo=UTC))
app = demonstration(scorer, home, clock)
limits = Limits(receive_seconds=1, body_bytes=int(sys.argv[3]))
serve(app, host="127.0.0.1", port=0, threads=2, limits=limits)
"""


class Server(NamedTuple):
    process: subprocess.Popen[str]
    port: int

    def line(self) -> str:
        """Return the next line that the server writes."""
        assert self.process.stderr is not None
        return self.process.stderr.readline()


@contextmanager
def running(registry: Path) -> Iterator[Server]:
    command = [*warm_python(), SERVER, str(CITY), str(registry), str(BODY_BYTES)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, encoding="utf-8", cwd=root
    ) as process:
        try:
            said = Server(process, 0).line()
            assert "http://127.0.0.1:" in said, said
            yield Server(process, int(said.split("http://127.0.0.1:")[1].split()[0]))
            process.terminate()
            process.wait(ENOUGH_SECONDS)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("models")) as started:
        yield started


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path) as started:
        yield started


def ask(server: Server, method: str, path: str, firms: Any = None) -> tuple[int, Any]:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=ENOUGH_SECONDS)) as connection:
        body = None if firms is None else json.dumps({"firms": firms})
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=ENOUGH_SECONDS)


def read_all(connection: socket.socket) -> tuple[int, Any]:
    """Return status and body of an answer after which the server closes the connection."""
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"Content-Type: application/json" in head
    return int(head.split(b" ")[1]), json.loads(body)


def refused(server: Server, *pieces: bytes) -> tuple[int, str]:
    """Send pieces as they are and return status and code of the refusal."""
    with connect(server) as connection:
        for piece in pieces:
            connection.sendall(piece)
        status, body = read_all(connection)
    assert set(body["error"]) == {"code", "message", "details"}
    return status, body["error"]["code"]


POST = b"POST /api/v1/score HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


def test_a_served_firm_gets_a_score(server: Server) -> None:
    status, answer = ask(server, "POST", "/api/v1/score", [{"name": "Acme Pumps Ltd"}])

    assert status == 200
    assert answer["city"] == "lakeport"
    assert [score["name"] for score in answer["scores"]] == ["Acme Pumps Ltd"]


def test_the_server_tells_that_it_lives_and_that_it_is_ready(server: Server) -> None:
    assert ask(server, "GET", "/healthz") == (200, {"status": "ok"})
    status, answer = ask(server, "GET", "/readyz")
    assert status == 200
    assert answer["city"] == "lakeport"


def test_requests_at_the_same_time_get_the_answers_that_they_get_alone(server: Server) -> None:
    products = [
        "内窥镜",
        "风电叶片",
        "海底电缆",
        "人工关节",
        "家具",
        "风电轴承",
        "诊断试剂",
        "软件",
    ]
    firms = [{"name": f"{product}公司", "main_business": f"生产{product}"} for product in products]
    alone = [ask(server, "POST", "/api/v1/score", [firm]) for firm in firms]
    with ThreadPoolExecutor(len(firms)) as clients:
        asked = [clients.submit(ask, server, "POST", "/api/v1/score", [firm]) for firm in firms]
        assert [each.result() for each in asked] == alone
    assert len({answer["scores"][0]["priority"] for _, answer in alone}) > 1


def test_content_length_beside_transfer_encoding_is_refused(server: Server) -> None:
    head = POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert refused(server, head + b"0\r\n\r\n") == (400, "bad_request")


def test_transfer_encoding_in_http_1_0_is_refused(server: Server) -> None:
    head = b"POST /api/v1/score HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert refused(server, head) == (400, "bad_request")


@pytest.mark.parametrize(
    "length",
    [b"9" * 5_000, b"-1", b"5, 6", b"0x10", b"+5", b""],
    ids=["5,000 digits", "negative", "two", "hexadecimal", "signed", "empty"],
)
def test_an_odd_content_length_is_refused(server: Server, length: bytes) -> None:
    assert refused(server, POST + b"Content-Length: " + length + b"\r\n\r\n") == (
        400,
        "bad_request",
    )


@pytest.mark.parametrize(
    "request_head",
    [
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nNo colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
    ],
    ids=["TLS", "broken host", "lower case", "no colon", "bare line feed"],
)
def test_what_is_no_http_is_refused_in_json(server: Server, request_head: bytes) -> None:
    assert refused(server, request_head) == (400, "bad_request")


def test_an_unknown_transfer_encoding_is_not_implemented(server: Server) -> None:
    head = POST + b"Transfer-Encoding: gzip\r\n\r\n"
    assert refused(server, head) == (501, "not_implemented")


def test_headers_that_reach_the_limit_are_refused(server: Server) -> None:
    head = b"GET /healthz HTTP/1.1\r\nX-Long: "
    rest = b"x" * (Limits().header_bytes - len(head))
    assert refused(server, head, rest) == (431, "headers_too_large")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nX-Long: ",
        POST + b"Transfer-Encoding: chunked\r\n\r\n1;x=",
        POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: ",
    ],
    ids=["header", "size line of a chunk", "trailer"],
)
def test_a_line_without_end_is_cut_off(server: Server, head: bytes) -> None:
    with connect(server) as connection:
        connection.sendall(head)
        connection.settimeout(0.1)
        assert trickled_until_closed(connection, b"x" * 1_000) < 200
    assert ask(server, "GET", "/healthz")[0] == 200


def test_a_content_length_of_10_gb_is_refused_before_the_body_is_sent(server: Server) -> None:
    head = POST + b"Content-Length: 10000000000\r\n\r\n"
    assert refused(server, head) == (413, "body_too_large")


def test_a_body_that_is_too_large_is_refused_though_the_client_sends_all_of_it(
    server: Server,
) -> None:
    size = MAX_BODY_BYTES + 1_000_000
    head = POST + f"Content-Length: {size}\r\n\r\n".encode()
    assert refused(server, head, b"x" * size) == (413, "body_too_large")


def test_a_body_of_just_the_allowed_size_reaches_the_application(server: Server) -> None:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=ENOUGH_SECONDS)) as connection:
        body = b" " * MAX_BODY_BYTES
        connection.request("POST", "/api/v1/score", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 400
        assert json.loads(answer.read())["error"]["code"] == "bad_json"


def test_chunks_without_end_are_refused_at_the_limit(server: Server) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    limit = BODY_BYTES + 1
    body = (chunk * (limit // len(chunk) + 1))[:limit]
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    assert refused(server, head, body) == (413, "body_too_large")


def test_a_chunked_body_is_scored(server: Server) -> None:
    body = b'{"firms":[{"name":"Acme"}]}'
    chunked = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    head = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(server) as connection:
        connection.sendall(head + chunked)
        status, answer = read_all(connection)
    assert status == 200
    assert len(answer["scores"]) == 1


def test_refusals_speak_the_language_asked(server: Server) -> None:
    with connect(server) as connection:
        head = b"POST / HTTP/1.1\r\nAccept-Language: zh-CN\r\nContent-Length: 99999999999\r\n\r\n"
        connection.sendall(head)
        _, body = read_all(connection)
    assert body["error"]["message"] == "请求正文太大"


def test_a_body_that_trickles_is_cut_off_however_busy_it_looks(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(POST + b"Content-Length: 1000000\r\n\r\n")
        connection.settimeout(0.1)
        assert trickled_until_closed(connection) < 200  # 20 seconds where 1 is allowed


def trickled_until_closed(connection: socket.socket, piece: bytes = b" ") -> int:
    for sent in range(1_000):
        try:
            connection.sendall(piece)
            if connection.recv(1) == b"":
                return sent
        except TimeoutError:
            continue
        except ConnectionError:
            return sent
    raise AssertionError("the server waits for ever")


def test_slow_clients_hold_nobody_up(server: Server) -> None:
    slow = [connect(server) for _ in range(40)]
    try:
        for connection in slow:
            connection.sendall(POST + b"Content-Length: 100\r\n\r\n{")
        assert ask(server, "GET", "/healthz")[0] == 200
    finally:
        for connection in slow:
            connection.close()


def test_the_server_stops_on_sigterm_after_the_answer_it_is_working_on(
    fresh_server: Server,
) -> None:
    firms = [{"name": f"Firm {number}", "main_business": "pumps"} for number in range(1_000)]
    with closing(HTTPConnection("127.0.0.1", fresh_server.port, timeout=60)) as connection:
        body = json.dumps({"firms": firms})
        connection.request("POST", "/api/v1/score", body, {"Content-Type": "application/json"})
        assert fresh_server.line() == "the clock was asked\n"
        fresh_server.process.send_signal(signal.SIGTERM)
        answer = connection.getresponse()
        assert len(json.loads(answer.read())["scores"]) == 1_000
    assert fresh_server.process.wait(ENOUGH_SECONDS) == 0
    said = fresh_server.line()
    while said == "the clock was asked\n":  # also for what officers have corrected
        said = fresh_server.line()
    assert said == "leadscore has stopped\n"


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_stops_the_server(fresh_server: Server) -> None:
    fresh_server.process.send_signal(signal.SIGINT)
    assert fresh_server.process.wait(ENOUGH_SECONDS) == 0


def test_a_taken_port_is_a_clear_error(tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "models", tmp_path / "key")
    scorer = champion_scorer(load_city(CITY), registry, now=datetime(2026, 11, 24, tzinfo=UTC))
    app = demonstration(scorer, tmp_path, lambda: date(2026, 11, 24))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError) as caught:
            serve(app, host="127.0.0.1", port=port, threads=1)
    assert caught.value.exit_code == 2
    assert f"127.0.0.1:{port}" in caught.value.render("en")
    assert "--port" in caught.value.render("zh")


def test_a_host_that_is_not_ours_is_a_clear_error(tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "models", tmp_path / "key")
    scorer = champion_scorer(load_city(CITY), registry, now=datetime(2026, 11, 24, tzinfo=UTC))
    app = demonstration(scorer, tmp_path, lambda: date(2026, 11, 24))
    with pytest.raises(ListenError):
        serve(app, host="203.0.113.1", port=0, threads=1)
