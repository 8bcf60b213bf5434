"""Records what the service answers over HTTP: the real one, as `leadscore serve --demo` runs it."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.recorder.recording import Inputs, Record

_COMMAND = "from leadscore.cli import main; main()"
_LISTENS = re.compile(r"http://127\.0\.0\.1:(\d+)")
_BOUNDARY = "a-line-that-is-in-no-list"
_SECONDS_TO_START = 180
_SECONDS_TO_WORK = 300
LANGUAGES = ("zh", "en")


class ServiceError(RuntimeError):
    """The service did not start, or not answer."""


@dataclass(frozen=True)
class Answer:
    """What was answered: status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body's JSON.

        Raises
        ------
        ServiceError
            If something else was answered.
        """
        if self.status != 200:
            raise ServiceError(f"answered {self.status}: {self.text[:500]}")
        return json.loads(self.body)


class Client:
    """Asks a service over one connection after the other."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(
        self, method: str, path: str, body: Any = None, form: bytes | None = None, **headers: str
    ) -> Answer:
        """Send a request; a body is sent as JSON, and a form as it stands."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            content = form
            if body is not None:
                content = json.dumps(body, ensure_ascii=False).encode()
                sent["Content-Type"] = "application/json"
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            known = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, known, answer.read())
        finally:
            connection.close()

    def get(self, path: str, language: str, accept: str = "application/json") -> Answer:
        """Get something in a language."""
        return self.ask("GET", path, Accept=accept, Accept_Language=language)

    def upload(self, path: str, file: Path) -> str:
        """Send a file through the form of a page, and return where that leads."""
        page = self.get(path, "en", "text/html").text
        fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
        parts = [
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields
        ]
        parts.append(
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; '
            f'filename="{file.name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        )
        form = "".join(parts).encode() + file.read_bytes() + f"\r\n--{_BOUNDARY}--\r\n".encode()
        answer = self.ask(
            "POST", path, form=form, Accept="text/html",
            Content_Type=f"multipart/form-data; boundary={_BOUNDARY}",
        )  # fmt: skip
        if answer.status != 303:
            raise ServiceError(f"{path} takes no file: {answer.status} {answer.text[:500]}")
        return answer.headers["location"]


@contextmanager
def served(home: Path) -> Iterator[Client]:
    """Run `leadscore serve --demo` with a home folder; its own home is ``demo`` in there."""
    command = [sys.executable, "-P", "-c", _COMMAND, "serve", "--demo", "--port", "0"]
    process = subprocess.Popen(
        command, env=os.environ | {"LEADSCORE_HOME": str(home)}, text=True, encoding="utf-8",
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    lines: list[str] = []
    port = threading.Event()
    reader = threading.Thread(target=_read, args=(process, lines, port), daemon=True)
    reader.start()
    try:
        if not port.wait(_SECONDS_TO_START) or not (found := _port(lines)):
            raise ServiceError("the service did not start:\n" + "".join(lines[-20:]))
        yield Client(found)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)


def _read(process: subprocess.Popen[str], lines: list[str], port: threading.Event) -> None:
    """Read what the service says, so that it is never kept waiting; tell when it listens."""
    assert process.stderr is not None  # noqa: S101 (it is a pipe)
    for line in process.stderr:
        lines.append(line)
        if _LISTENS.search(line):
            port.set()
    port.set()


def _port(lines: list[str]) -> int | None:
    found = (_LISTENS.search(line) for line in lines)
    return next((int(match[1]) for match in found if match), None)


def record_score(record: Record, inputs: Inputs) -> None:
    """Record the answers to firms one by one, and to a thousand at once."""
    firms = json.loads((inputs.prepared / "firms.json").read_text("utf-8"))
    with served(inputs.home) as client:
        for number, firm in enumerate(firms["one by one"], 1):
            _record_answer(record, client, f"one firm, {number}", [firm], LANGUAGES[number % 2])
        for language in LANGUAGES:
            _record_answer(record, client, f"a thousand, {language}", firms["at once"], language)


def _record_answer(
    record: Record, client: Client, source: str, firms: list[dict[str, Any]], language: str
) -> None:
    body = {"firms": firms}
    answer = client.ask("POST", "/api/v1/score", body, Accept_Language=language)
    if answer.status != 200:
        record.add(source, "refusal", answer.status, {"body": answer.text})
        return
    whole = json.loads(answer.body)
    scores = whole.pop("scores")
    record.add(source, "answer", "", {**whole, "type": answer.headers.get("content-type")})
    for number, score in enumerate(scores, 1):
        record.add(source, "scores", number, score, score.get("name", ""))


def wait_for_jobs(client: Client) -> None:
    """Wait until the service has done what was handed in.

    Raises
    ------
    ServiceError
        If a job fails, or all of them are not done in time.
    """
    until = time.monotonic() + _SECONDS_TO_WORK
    while True:
        jobs = client.get("/api/v1/jobs?limit=50", "en").json()["jobs"]
        states = [job["state"] for job in jobs]
        if "failed" in states or time.monotonic() > until:
            raise ServiceError(f"jobs failed, or took too long: {jobs}")
        if states and all(state == "done" for state in states):
            return
        time.sleep(0.2)
