"""The log: lines of JSON about what happened, and nothing about anybody."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from leadscore.logs import FIELDS, log_to_stderr
from leadscore.web.metrics import HEADER, log_requests

FIRM = "某某光学有限公司"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root, ours = logging.getLogger(), logging.getLogger("leadscore")
    before = root.handlers[:], root.level, ours.level
    stream = io.StringIO()
    log_to_stderr(stream)
    yield stream
    root.handlers[:], root.level = before[0], before[1]
    ours.setLevel(before[2])
    logging.captureWarnings(capture=False)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.fixture
def app() -> Flask:
    made = Flask("leadscore.web.app")
    log_requests(made, actor_kind=lambda: "user")

    @made.get("/firms/<name>")
    def firm(name: str) -> str:
        return name

    @made.get("/broken")
    def broken() -> str:
        raise KeyError(FIRM)

    return made


def test_a_request_is_one_line_without_what_was_asked(app: Flask, log: io.StringIO) -> None:
    response = app.test_client().get(f"/firms/{FIRM}?q={FIRM}", headers={"Cookie": "id=s3cret"})
    (line,) = lines(log)
    assert line["request"] == response.headers[HEADER]
    expected = {"method": "GET", "route": "/firms/<name>", "status": 200, "actor": "user"}
    assert expected.items() <= line.items()
    assert line["ms"] >= 0
    assert set(line) <= FIELDS
    assert FIRM not in log.getvalue()
    assert "s3cret" not in log.getvalue()


def test_what_matches_no_route_is_not_quoted(app: Flask, log: io.StringIO) -> None:
    app.test_client().open(f"/{FIRM}", method="BREW")
    (line,) = lines(log)
    assert (line["route"], line["method"], line["status"]) == ("unmatched", "other", 404)


def test_a_fault_is_told_by_kind_and_place_and_never_by_message(
    app: Flask, log: io.StringIO
) -> None:
    response = app.test_client().get("/broken")
    broke, request = lines(log)
    assert response.status_code == request["status"] == 500
    assert broke["request"] == request["request"]
    assert broke["level"] == "error"
    assert broke["error"][0]["type"] == "KeyError"
    assert broke["error"][0]["frames"][-1].endswith(" broken")
    assert FIRM not in log.getvalue()


def test_causes_are_told_too(log: io.StringIO) -> None:
    def fail() -> None:
        try:
            int(FIRM)
        except ValueError as error:
            raise KeyError(FIRM) from error

    try:
        fail()
    except KeyError:
        logging.getLogger("leadscore.test").exception("it broke")
    (line,) = lines(log)
    assert [fault["type"] for fault in line["error"]] == ["KeyError", "ValueError"]
    assert FIRM not in log.getvalue()


def test_a_library_is_quoted_without_its_values(log: io.StringIO) -> None:
    logging.getLogger("some.library").warning("refused %s", FIRM)
    logging.getLogger("some.library").warning(f"refused {FIRM}")  # noqa: G004 (as libraries do)
    logging.getLogger("some.library").info("chatter")
    first, second = lines(log)
    assert first["event"] == "refused %s"
    assert "left out" in second["event"]
    assert FIRM not in log.getvalue()


def test_a_field_that_nobody_named_stays_out(log: io.StringIO) -> None:
    logging.getLogger("leadscore.test").info("done", extra={"firm": FIRM, "firms": 3})
    (line,) = lines(log)
    assert line["firms"] == 3
    assert "firm" not in line
