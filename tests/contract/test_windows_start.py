"""start.bat, as far as it can be looked at where no Windows is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RAW = (ROOT / "start.bat").read_bytes()
LINES = RAW.decode("ascii").split("\r\n")
CODE = [line for line in LINES if line and not line.startswith("rem ")]
SAID = ROOT / "deploy" / "windows"


def test_any_code_page_reads_it_and_finds_its_labels() -> None:
    assert RAW.isascii()
    assert RAW.count(b"\n") == RAW.count(b"\r\n")
    labels = {line[1:] for line in CODE if line.startswith(":")}
    wanted = {name for line in CODE for name in re.findall(r"\b(?:goto|call :)\s*:?(\w+)", line)}
    assert labels == wanted


def test_its_messages_are_there_in_both_languages_and_no_others() -> None:
    wanted = {name for line in CODE for name in re.findall(r"call :say ([\w-]+)", line)}
    assert wanted == {path.stem for path in SAID.glob("*.txt")}
    for path in SAID.glob("*.txt"):
        text = path.read_bytes().decode("utf-8")
        assert re.search("[\u4e00-\u9fff]", text), path
        assert re.search(r"^(\[\w+\] )?[A-Za-z][\x20-\x7e]{10,}", text, re.MULTILINE), path
        assert text.count("\n") == text.count("\r\n"), path
    before = LINES.index("chcp 65001 >nul 2>&1")
    assert all("call :say" not in line for line in LINES[:before])


def test_folders_with_spaces_and_brackets_do_not_break_it() -> None:
    # A bracket of a path would close the block of an IF, and a space would part it.
    assert not [line for line in CODE if re.match(r"if\b.*\($", line)]
    for line in CODE:
        for path in re.finditer(r"%(?:~dp0|HERE|VENV|PY|LOCK|MARK)%?", line):
            quotes = line[: path.start()].count('"')
            assert quotes % 2 == 1, line
    assert any("DisableDelayedExpansion" in line for line in CODE)  # an exclamation mark in a path


def test_the_files_that_it_names_are_there() -> None:
    for name in re.findall(r"%HERE%([\w\\.]+\.\w+)", RAW.decode()):
        assert (ROOT / name.replace("\\", "/")).is_file(), name
    for text in (path.read_text("utf-8") for path in SAID.glob("*.txt")):
        for name in re.findall(r"(?:docs|requirements)\\[\w.-]+\w", text):
            assert (ROOT / name.replace("\\", "/")).is_file(), name


@pytest.mark.parametrize("code", re.findall(r'-c "(import sys[^"]+)"', RAW.decode("ascii")))
def test_what_it_asks_of_python_holds_here(code: str) -> None:
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_calls_the_command_that_serves() -> None:
    (code, arguments) = re.findall(r'-c "(from [^"]+)" (serve --open) %\*', RAW.decode("ascii"))[0]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments.split(), "--help"], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "--open" in done.stdout


def test_the_program_is_installed_anew_when_it_changes(tmp_path: Path) -> None:
    script = tmp_path / "deploy" / "fingerprint.py"
    for file in ("deploy/fingerprint.py", "requirements/runtime.txt", "pyproject.toml"):
        target = tmp_path / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / file).read_bytes())

    def mark() -> str:
        done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    before = mark()
    assert re.fullmatch("[0-9a-f]{16}", before)
    assert mark() == before
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "new.py").write_text("pass\n", encoding="utf-8")
    assert mark() != before
