"""The memory of a process and of all that it has started, and a browser of few words to feed it."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple, Self

LOOK_SECONDS = 0.02
ENOUGH_SECONDS = 120


def tree(root: int) -> set[int]:
    """Return the numbers of a process and of all that descend from it."""
    children = defaultdict(list)
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # gone meanwhile
            parent = status.read_text().rpartition(")")[2].split()[1]
            children[int(parent)].append(int(status.parent.name))
    members, waiting = set(), [root]
    while waiting:
        members.add(number := waiting.pop())
        waiting += children[number]
    return members


def memory(numbers: set[int]) -> int:
    """Return the bytes that processes hold; what they share is counted once."""
    total = 0
    for number in numbers:
        with suppress(OSError):
            rollup = Path(f"/proc/{number}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)[1]) << 10
    return total


class Watch:
    """Looks at the memory of a tree again and again while the block runs; `peak` in bytes."""

    def __init__(self, root: int) -> None:
        self.peak, self._root, self._ended = 0, root, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.is_set():
            self.peak = max(self.peak, memory(tree(self._root)))
            self._ended.wait(LOOK_SECONDS)


class Answer(NamedTuple):
    status: int
    location: str
    text: str


class Office:
    """A real service for demonstrations in a process of its own, asked as a browser would."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Answer:
        """Send a request as a page does."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=ENOUGH_SECONDS)
        headers = {
            "Accept": "text/html",
            "Accept-Language": "en",
            "Content-Type": kind,
            "Idempotency-Key": uuid.uuid4().hex,
            "Origin": f"http://127.0.0.1:{self.port}",
            "Cookie": "; ".join(f"{name}={self._cookies[name]}" for name in self._cookies),
        }
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("Set-Cookie", []):
                name, _, value = cookie.partition(";")[0].partition("=")
                self._cookies[name] = value
            return Answer(answer.status, answer.headers["Location"] or "", answer.read().decode())
        finally:
            connection.close()

    def post(self, path: str, html: str, file: Path | None = None) -> Answer:
        """Send the form of a page with its hidden fields."""
        fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', html)
        mark = uuid.uuid4().hex
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields
        ]
        if file is not None:
            head = (
                f'--{mark}\r\nContent-Disposition: form-data; name="file"; '
                f'filename="{file.name}"\r\n\r\n'
            )
            parts.append(head.encode() + file.read_bytes() + b"\r\n")
        body = b"".join(parts) + f"--{mark}--\r\n".encode()
        return self.ask("POST", path, body, f"multipart/form-data; boundary={mark}")

    def upload(self, file: Path) -> Answer:
        """Choose a file on the page of imports."""
        return self.post("/import", self.ask("GET", "/import").text, file)

    def hand_in(self, file: Path) -> int:
        """Hand in a list by the API; return its number."""
        answer = self.post("/api/v1/lists", "", file)
        assert answer.status == 202, answer
        return int(json.loads(answer.text)["id"])

    def refused(self, path: str, size: int, *, sends: bool) -> tuple[int, str]:
        """Announce a file of a size, send it or wait, and return the answer."""
        head = [
            f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Accept-Language: en",
            "Content-Type: multipart/form-data; boundary=x",
            f"Origin: http://127.0.0.1:{self.port}", f"Idempotency-Key: {uuid.uuid4().hex}",
            f"Content-Length: {size}", "", "",
        ]  # fmt: skip
        with socket.create_connection(("127.0.0.1", self.port), ENOUGH_SECONDS) as connection:
            connection.sendall("\r\n".join(head).encode())
            piece = bytes(1 << 20)
            size = size if sends else 0
            while size > 0 and not select.select([connection], [], [], 0)[0]:
                connection.sendall(piece[:size])
                size -= len(piece)
            answer = HTTPResponse(connection)
            answer.begin()
            return answer.status, answer.read().decode()

    def confirm(self, path: str, html: str) -> int:
        """Confirm a preview; return the number of the list."""
        answer = self.post(path, html[html.index('<div class="decide">') :])
        assert answer.status == 303, answer
        return int(answer.location.rpartition("/")[2])

    def ended(self, number: int, seconds: float) -> dict[str, Any]:
        """Wait for the end of an import and return what became of the list."""
        for _ in range(int(seconds / 0.2)):
            found = json.loads(self.ask("GET", f"/api/v1/lists/{number}").text)
            if found["state"] in ("done", "failed", "cancelled"):
                return dict(found)
            threading.Event().wait(0.2)
        raise AssertionError(found)


@contextmanager
def office(home: Path) -> Iterator[Office]:
    """Run ``leadscore serve --demo`` on a free port, and end it with the block."""
    code = "from leadscore.cli import main; main()"
    environment = {**os.environ, "LEADSCORE_HOME": str(home), "LEADSCORE_LANG": "en"}
    command = [sys.executable, "-c", code, "serve", "--demo", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            for line in process.stderr:
                if found := re.search(r"listens on http://127\.0\.0\.1:(\d+)", line):
                    break
            else:
                raise AssertionError("it did not start")
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield Office(process, int(found[1]))
        finally:
            process.terminate()
            process.wait(ENOUGH_SECONDS)
