"""The command line for tests: called here, or typed in a process of its own.

What a command says, writes and returns is the same when it is called here through the same entry;
of every command some tests start a process too, for what only a process can show: its exit code,
its pipes and signals. Such a process is forked from an interpreter that has imported all it needs,
for to import takes seconds; `COMMAND` is for what only a new interpreter can show.
"""

from __future__ import annotations

import atexit
import os
import resource
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from click.testing import CliRunner

from leadscore.cli import cli

COMMAND = Path(sys.executable).with_name("leadscore")
WARM = Path(__file__).with_name("warm.py")
Done = subprocess.CompletedProcess[str]
ENOUGH_SECONDS = 300
MEASURING = "COVERAGE_PROCESS_CONFIG"
"""Set where the processes that a test starts measure their coverage."""


def called(*arguments: object, home: Path, **environment: str) -> Done:
    """Run a command in this process; what it lets escape is raised.

    Parameters
    ----------
    arguments
        What is typed after ``leadscore``.
    home
        Folder of the models and the database.
    environment
        Variables beside those of the tests; ``LEADSCORE_LANG`` is ``zh`` unless named.
    """
    words = list(map(str, arguments))
    runner = CliRunner(env=_known(home, environment))
    done = runner.invoke(cli, words, prog_name="leadscore")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(words, done.exit_code, done.stdout, done.stderr)


def typed(*arguments: object, home: Path, **environment: str) -> Done:
    """Run a command in a process of its own; parameters as of `called`."""
    return _run([*warm_command(), *map(str, arguments)], home, environment)


def typed_anew(*arguments: object, home: Path, **environment: str) -> Done:
    """Run a command in an interpreter of its own, whose time `processor_seconds` counts."""
    return _run([str(COMMAND), *map(str, arguments)], home, environment)


def warm_command() -> list[str]:
    """Return what to type instead of ``leadscore`` for a process that need not import anything.

    Where its coverage is measured, or nothing can be forked, it is ``leadscore`` itself.
    """
    if MEASURING in os.environ or not hasattr(os, "fork"):
        return [str(COMMAND)]
    return [*_ask_warm_interpreter(), "leadscore"]


def warm_python() -> list[str]:
    """Return what to type instead of ``python -c``, likewise."""
    if MEASURING in os.environ or not hasattr(os, "fork"):
        return [sys.executable, "-c"]
    return [*_ask_warm_interpreter(), "python"]


@cache
def _ask_warm_interpreter() -> list[str]:
    """Start the interpreter that is forked, and return how to ask it; it ends with this process."""
    folder = tempfile.TemporaryDirectory(prefix="leadscore-")
    address = str(Path(folder.name, "warm"))
    server = subprocess.Popen(
        [sys.executable, "-P", WARM, "serve", address], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip

    def end() -> None:
        server.communicate()
        folder.cleanup()

    atexit.register(end)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    return [sys.executable, "-IS", str(WARM), "ask", address]


def processor_seconds() -> float:
    """Return the processor time of all ended processes: what others do meanwhile doesn't count.

    Nor does what a forked one does: see `typed_anew`.
    """
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def variables(home: Path, **environment: str) -> dict[str, str]:
    """Return the environment of a process that runs a command."""
    return os.environ | _known(home, environment)


def _run(words: list[str], home: Path, environment: dict[str, str]) -> Done:
    return subprocess.run(
        words, capture_output=True, encoding="utf-8", timeout=ENOUGH_SECONDS,
        env=variables(home, **environment), check=False,
    )  # fmt: skip


def _known(home: Path, environment: dict[str, str]) -> dict[str, str]:
    return {"LEADSCORE_HOME": str(home), "LEADSCORE_LANG": "zh", **environment}
