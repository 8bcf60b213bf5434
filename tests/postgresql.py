"""A real PostgreSQL server for the tests, started from the binaries of the machine."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy.engine import URL

_WANTED = ("initdb", "pg_ctl", "postgres")
_MISSING = (
    "The tests of the store run on a real PostgreSQL too, and no initdb, pg_ctl and postgres were "
    "found on PATH, by pg_config or in /usr/lib/postgresql. Install them: `apt-get install "
    "postgresql` on Debian and Ubuntu, `dnf install postgresql-server` on Fedora, `brew install "
    "postgresql` on macOS."
)
_ATTEMPTS = 5
# Nothing here has to outlast a crash.
_SETTINGS = (
    "listen_addresses = '127.0.0.1'",
    "unix_socket_directories = ''",
    "max_connections = 200",
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "wal_level = minimal",
    "max_wal_senders = 0",
    "autovacuum = off",
)


def binaries() -> Path | None:
    """Return the folder of the server's programs, of the newest version that is installed."""
    return next((folder for folder in _folders() if _has_all(folder)), None)


def _folders() -> Iterator[Path]:
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        told = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
        yield Path(told.stdout.strip())
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda path: float(path.parent.name), reverse=True)


def _has_all(folder: Path) -> bool:
    return all(shutil.which(name, path=str(folder)) for name in _WANTED)


class Server(NamedTuple):
    """A server that can be stopped and started again at its address."""

    url: URL
    stop: Callable[[], object]
    start: Callable[[], object]


@contextlib.contextmanager
def running_server() -> Iterator[URL]:
    """Give the address of a server's ``postgres`` database; errors as `stoppable_server`."""
    with stoppable_server() as server:
        yield server.url


@contextlib.contextmanager
def stoppable_server() -> Iterator[Server]:
    """Give a server with its ``postgres`` database; it is stopped and removed afterwards.

    Raises
    ------
    RuntimeError
        If there are no binaries, or the server does not start.
    """
    programs = binaries()
    if programs is None:
        raise RuntimeError(_MISSING)
    user = _unprivileged_user()
    # As another user it needs a folder that others may enter.
    shared = "/tmp" if user else None  # noqa: S108 (mkdtemp makes a folder that only he can enter)
    folder = Path(tempfile.mkdtemp(prefix="leadscore-postgresql-", dir=shared))
    try:
        yield from _served(programs, folder, user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _served(programs: Path, folder: Path, user: str | None) -> Iterator[Server]:
    password, secret = secrets.token_urlsafe(16), folder / "password"
    secret.write_text(password, encoding="utf-8")
    if user:
        for path in (folder, secret):
            shutil.chown(path, user)
    data, log = folder / "data", folder / "log"
    _run(
        programs / "initdb", "-D", data, "-U", "leadscore", "-A", "scram-sha-256",
        f"--pwfile={secret}", "--encoding=UTF8", "--locale=C", "--no-sync", user=user,
    )  # fmt: skip
    with (data / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write("\n".join(_SETTINGS) + "\n")
    port = _started(programs, data, log, user)
    url = URL.create("postgresql+psycopg", "leadscore", password, "127.0.0.1", port, "postgres")
    stop = partial(_run, programs / "pg_ctl", "stop", "-D", data, "-m", "immediate", user=user)
    start = partial(
        _run, programs / "pg_ctl", "start", "-D", data, "-l", log, "-w", "-o", f"-p {port}",
        user=user,
    )  # fmt: skip
    try:
        yield Server(url, stop, start)
    finally:
        stop()


def _started(programs: Path, data: Path, log: Path, user: str | None) -> int:
    for attempt in range(_ATTEMPTS):
        port = _free_port()
        try:
            _run(
                programs / "pg_ctl", "start", "-D", data, "-l", log, "-w", "-o", f"-p {port}",
                user=user,
            )  # fmt: skip
        except RuntimeError as error:
            # Somebody else may have taken the port meanwhile.
            if attempt == _ATTEMPTS - 1:
                written = log.read_text(encoding="utf-8") if log.exists() else ""
                raise RuntimeError(f"{error}\n{written}") from error
        else:
            return port
    raise AssertionError


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _unprivileged_user() -> str | None:
    """Return who is to run the server: PostgreSQL refuses to be run by root."""
    if os.name == "nt" or os.geteuid() != 0:
        return None
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _run(*command: object, user: str | None) -> None:
    other: dict[str, Any] = (
        {"user": user, "group": _group(user), "extra_groups": []} if user else {}
    )
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
        cwd="/", timeout=60, check=False, **other,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")


def _group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid
