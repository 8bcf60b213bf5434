"""The lines of docs/http.md that call the service, run as they stand against the real one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.measured

ROOT = Path(__file__).parents[2]
SCRIPT = Path(sysconfig.get_path("scripts")) / "leadscore"
ENOUGH_SECONDS = 120.0


@contextmanager
def demonstration(home: Path) -> Iterator[str]:
    """Run `leadscore serve --demo` on a free port and give its address."""
    environment = {**os.environ, "LEADSCORE_HOME": str(home), "LEADSCORE_LANG": "en"}
    command = [str(SCRIPT), "serve", "--demo", "--port", "0"]
    log = home / "serve.log"
    home.mkdir(exist_ok=True)
    with (
        log.open("w") as said,
        subprocess.Popen(command, stdout=said, stderr=said, env=environment, cwd=ROOT) as process,
    ):
        try:
            yield _address(log, process)
        finally:
            process.terminate()
            process.wait(ENOUGH_SECONDS)


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + ENOUGH_SECONDS
    while time.monotonic() < until:
        found = re.search(r"listens on http://(127\.0\.0\.1:\d+)", log.read_text())
        if found:
            return found.group(1)
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def curl_lines(page: str) -> str:
    """Return the block of a page that calls the service."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / page).read_text("utf-8"), re.DOTALL)
    (block,) = [block for block in blocks if block.startswith("curl ")]
    return block


def test_the_lines_of_the_page_work_as_they_stand(tmp_path: Path) -> None:
    assert curl_lines("http.md") == curl_lines("http.zh-CN.md")
    home = tmp_path / "home" / "demo"
    home.mkdir(parents=True)
    home.chmod(0o755)  # as earlier programs made it
    with demonstration(tmp_path / "home") as address:
        _until_taken_in(address)
        script = curl_lines("http.md").replace("localhost:8000", address)
        script = script.replace("-o ranking.csv", f"-o {tmp_path / 'ranking.csv'}")
        calls = re.split(r"\n(?=curl )", script.strip())
        answers = [_run(call) for call in calls]
    log = (tmp_path / "home" / "serve.log").read_text()
    assert log.count("others may enter: .; chmod 700 them") == 1
    folders = {path.name: path.stat().st_mode & 0o777 for path in home.iterdir() if path.is_dir()}
    assert folders == dict.fromkeys(folders, 0o700)
    assert {"models", "keys"} <= set(folders)
    scored, handed_in, lists, ranking, _, gaps, ready = answers
    assert scored["scores"][0]["segment"] == "vr.optics"
    assert handed_in["id"] == 2
    assert [each["file_name"] for each in lists["lists"]] == ["electronics.csv"] * 2
    assert len(ranking["firms"]) == 5
    assert {firm["chain"] for firm in ranking["firms"]} == {"led"}
    assert (tmp_path / "ranking.csv").read_text("utf-8-sig").splitlines()[0].startswith("rank,name")
    assert gaps["chains"]
    assert ready["status"] == "ready", ready


def _run(call: str) -> dict[str, object]:
    done = subprocess.run(
        ["bash", "-c", call], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert done.returncode == 0, (call, done.stderr)
    return json.loads(done.stdout) if done.stdout else {}


def _until_taken_in(address: str) -> None:
    until = time.monotonic() + ENOUGH_SECONDS
    while time.monotonic() < until:
        (sample,) = _run(f"curl -s {address}/api/v1/lists")["lists"]
        if sample["state"] == "done":
            assert sample["counts"] == {"rows": 145, "ranked": 126, "vetoed": 18, "set_aside": 1}
            return
        assert sample["state"] in ("waiting", "reading", "scoring"), sample
        time.sleep(0.2)
    pytest.fail(f"the sample list was not taken in within {ENOUGH_SECONDS:.0f} s")
