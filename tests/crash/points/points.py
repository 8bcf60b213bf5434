"""Kills its own process at a named point, where the file ``armed`` of a folder names one.

The folder is that of the variable CRASH_FOLDER; without it nothing is touched. ``armed`` holds
``ROLE POINT COUNT``: the process of that role dies by SIGKILL when it comes to the point for the
so-manieth time. The role is ``worker`` in the process that a service spawns, else what the variable
CRASH_ROLE says: ``main`` for a service, ``command``. Each process writes its number to
``ROLE.pid``.

========================= =======================================================================
``act.before``, ``.after``     a commit with an audit record
``write.before``, ``.after``   any other commit that has raised the generation
``folder.before``, ``.after``  a version of a model is renamed into place
``file.before``, ``.after``    a finished file is renamed into place, such as a backup
``part.before``                something is added to a backup: the database, then a file of a model
``program.before``, ``.after`` a program is run: pg_dump, pg_restore
``closing.before``             the connections of a database are closed
========================= =======================================================================
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_counts: dict[str, int] = {}


def watch(*, spawned: bool = False) -> None:
    """Wrap what the points stand for; see the module."""
    name = os.environ.get("CRASH_FOLDER")
    if not name:
        return
    folder = Path(name)
    role = "worker" if spawned else os.environ["CRASH_ROLE"]
    if spawned and not _is_child(folder):
        return
    (folder / f"{role}.pid").write_text(str(os.getpid()))
    if role == "worker" and os.environ.get("CRASH_WORKER") == "asleep":
        _sleep_until_the_parent_is_gone()

    def reached(point: str) -> None:
        try:
            whose, wanted, count = (folder / "armed").read_text().split()
        except (FileNotFoundError, ValueError):
            return
        if (whose, wanted) == (role, point):
            _counts[point] = _counts.get(point, 0) + 1
            if _counts[point] == int(count):
                (folder / "died").touch()
                os.kill(os.getpid(), signal.SIGKILL)

    _wrap(reached)


def _is_child(folder: Path) -> bool:
    # Of the main process; multiprocessing has others, and so has a worker that reads a file.
    main = int((folder / "main.pid").read_text())
    return (
        os.environ["CRASH_ROLE"] == "main"
        and "--multiprocessing-fork" in sys.orig_argv
        and os.getppid() == main
    )


def _sleep_until_the_parent_is_gone() -> None:
    # A worker that a test does not need costs seconds of a processor to start.
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    while True:
        signal.pause()


def _wrap(reached: Callable[[str], None]) -> None:
    import subprocess
    import tarfile

    from sqlalchemy import event
    from sqlalchemy.engine import Connection, Engine

    def around(owner: Any, name: str, point: str) -> None:
        inner = getattr(owner, name)

        def outer(*args: Any, **kwargs: Any) -> Any:
            reached(f"{point}.before")
            result = inner(*args, **kwargs)
            reached(f"{point}.after")
            return result

        setattr(owner, name, outer)

    around(os, "rename", "folder")
    around(os, "replace", "file")
    around(tarfile.TarFile, "add", "part")
    around(subprocess, "run", "program")
    around(Engine, "dispose", "closing")

    @event.listens_for(Engine, "before_cursor_execute")
    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        for start, what in (("INSERT INTO audit ", "act"), ("UPDATE generation ", "write")):
            if statement.startswith(start):
                connection.info.setdefault("crash", set()).add(what)

    commit = Connection._commit_impl

    def committed(connection: Connection) -> None:
        noted = connection.info.pop("crash", set())
        point = "act" if "act" in noted else "write" if noted else None
        if point:
            reached(f"{point}.before")
        commit(connection)
        if point:
            reached(f"{point}.after")

    Connection._commit_impl = committed  # type: ignore[method-assign]
