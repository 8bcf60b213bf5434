"""What runs the service elsewhere: as far as it can be looked at without running it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
ROOT = DEPLOY.parent


def test_every_container_is_read_only_without_privileges_and_open_to_this_machine_alone() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["cap_drop"] == ["ALL"]
        assert "/tmp" in service["tmpfs"]  # noqa: S108 (a folder of the container)
        assert "privileged" not in service
        assert set(service["secrets"]) <= set(compose["secrets"])
        assert set(service["networks"]) <= set(compose["networks"])
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert compose["networks"]["inside"]["internal"] is True
    database, server = compose["services"]["database"], compose["services"]["server"]
    assert database["healthcheck"]
    assert server["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert (DEPLOY / server["build"]["context"] / server["build"]["dockerfile"]).is_file()


def test_no_password_is_written_down() -> None:
    for path in DEPLOY.iterdir():
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(?i)password\s*[:=]\s*[\w-]{6,}$", text, re.MULTILINE), path


def test_the_image_is_made_of_locked_wheels_and_runs_as_nobody_special() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    last = text[text.rindex("\nFROM ") :]
    assert "--require-hashes --only-binary :all:" in text
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        *sources, _target = [word for word in line.split() if not word.startswith("--")]
        assert all((ROOT / source).exists() for source in sources), line


@pytest.mark.skipif(os.name == "nt", reason="containers and systemd are not for Windows")
def test_the_password_comes_from_a_file_into_the_address(tmp_path: Path) -> None:
    secret, command = tmp_path / "secret", tmp_path / "leadscore"
    secret.write_text("p@ss:w/rd\n", encoding="utf-8")
    command.write_text('#!/bin/sh\necho "$LEADSCORE_DATABASE $*"\nenv\n', encoding="utf-8")
    command.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "LEADSCORE_DATABASE": "postgresql://leadscore:{password}@database:5432/leadscore",
        "LEADSCORE_DATABASE_PASSWORD_FILE": str(secret),
    }
    done = subprocess.run(
        [sys.executable, DEPLOY / "entrypoint.py", "serve", "--port", "1"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    first = done.stdout.splitlines()[0]
    assert first == (
        "postgresql://leadscore:p%40ss%3Aw%2Frd@database:5432/leadscore serve --port 1"
    )
    assert "PASSWORD_FILE" not in done.stdout


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "leadscore.service"
    text = (DEPLOY / "leadscore.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/leadscore/bin/leadscore", sys.executable), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
