"""Does jobs one after another, in a process that is kept alive beside the server."""

from __future__ import annotations

import contextlib
import logging
import math
import multiprocessing
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as clock_time
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType
from typing import Any, Self

import sqlalchemy

from leadscore.errors import LeadscoreError
from leadscore.files import lock, make_folder
from leadscore.store.audit import AuditTrail, Record
from leadscore.store.current_ranking import open_rested
from leadscore.store.database import Database, StoreError, refusals
from leadscore.store.jobs import (
    Claim,
    Held,
    Job,
    any_open,
    beat,
    cancelled,
    claim,
    fail,
    finish,
    put_back,
    requeue_lost,
)
from leadscore.store.ledgers import drop_expired_ledgers
from leadscore.store.lists import drop_expired_uploads
from leadscore.store.office import months_after, read_office
from leadscore.store.pursuits import drop_notes_before
from leadscore.text import Text, room_words

WORDS = room_words("jobs")
_log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Payload = Mapping[str, Any]

_TICK = 0.5  # seconds until a wish to stop is noticed
_BEGINNING = 60.0  # seconds within which a new worker has locked its file
_REST = 0.5  # seconds between two reports of progress; what is told in between is left out


class Stopped(BaseException):
    """Raised within a job that is to end early; no error, and not to be caught on the way out.

    ``why`` is ``cancel`` if somebody wants it stopped, ``lost`` if another worker has it, and
    ``stop`` if the worker is being stopped.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class BrokenJobError(LeadscoreError):
    """A job that met a fault of ours."""

    code = "internal_error"


@dataclass(frozen=True)
class Kind:
    """A kind of job: a function of context and payload that returns plain values to be kept.

    Only one job of an ``exclusive`` kind may run at a time.
    """

    run: Callable[[JobContext, Payload], Payload]
    exclusive: bool = False


class JobContext:
    """What a job is given: the store, its claim, the clock, and whether the worker is to stop."""

    def __init__(
        self, database: Database, held: Held, clock: Clock, stopping: threading.Event
    ) -> None:
        self.database, self.held, self.clock, self._stopping = database, held, clock, stopping
        self._told = float("-inf")
        self._last: tuple[float, Text] | None = None
        self._claim: Claim = "holds"
        self.done = False

    def progress(self, fraction: float, words: Text) -> None:
        """Tell how far the work is, 0..1, and what is done; raises `Stopped`."""
        self.check_cancelled()
        self._last = min(max(fraction, 0.0), 1.0), words
        if time.monotonic() - self._told < _REST:
            return  # the next sign of life tells it
        self.beat()
        self._told = time.monotonic()
        self.check_cancelled()

    def finish(self, connection: sqlalchemy.Connection, result: Payload) -> None:
        """Keep what came of the job, in the transaction of what it did: a job does that once."""
        if not finish(connection, self.held, result, now=self.clock()):
            raise Stopped("lost")
        self.done = True

    def check_cancelled(self) -> None:
        """Raise `Stopped` if the work is wanted no longer; costs nothing, so ask often."""
        if self._claim != "holds":
            raise Stopped(self._claim)
        if self._stopping.is_set():
            raise Stopped("stop")

    def beat(self) -> None:
        """Say that the worker lives and how far it is; learn whether the work is still wanted."""
        fraction, words = self._last or (None, None)
        with self.database.write() as connection:
            status = beat(connection, self.held, now=self.clock(), progress=fraction, words=words)
        if status != "holds":
            self._claim = status


@dataclass(frozen=True, slots=True)
class Timings:
    """How often a worker looks and speaks, in seconds."""

    look: float = 1.0  # between two looks for work where there was none
    beat: float = 5.0  # between two signs of life
    lost: float = 60.0  # silence after which a worker counts as dead
    grace: float = 10.0  # for which a job may go on when the worker is to stop
    tidy: float = 3600.0  # between two times of letting go what has expired


class Lifesigns:
    """Locked files in a folder, by which workers of one home know which of them live.

    The system lets go of a lock when its process ends, however that does. Of workers of other
    homes nobody knows more than how long they have been silent.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._own = folder, folder / f"{name}.lock"
        with refusals(folder):
            make_folder(folder)
            self._file = self._own.open("a")
            lock(self._file)

    def dead(self) -> list[str]:
        """Return the names of workers that have died."""
        names = []
        for path in self._folder.glob("*.lock"):
            with contextlib.suppress(OSError), path.open("a") as file:
                if path != self._own and lock(file):
                    names.append(path.stem)
        return names

    def forget(self, names: Iterable[str]) -> None:
        """Let go of workers whose jobs are put back, but for one that may only just begin."""
        for name in names:
            path = self._folder / f"{name}.lock"
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _BEGINNING:
                    path.unlink()

    def close(self) -> None:
        """Leave, where nothing is left to be put back."""
        self._file.close()
        with contextlib.suppress(OSError):
            self._own.unlink()


@dataclass(frozen=True)
class Worker:
    """A worker in this process, of a name that no other has, stopped by an event from outside."""

    name: str
    database: Database
    kinds: Mapping[str, Kind]
    clock: Clock
    stopping: threading.Event
    pace: Timings = Timings()
    lifesigns: Lifesigns | None = None
    trail: AuditTrail | None = None

    def run(self) -> None:
        """Do jobs until ``stopping`` is set; a database that is away is waited for."""
        tidied = -math.inf
        while not self.stopping.is_set():
            try:
                busy = self.do_one()
                if not busy:
                    self.database.checkpoint()
                if not busy and time.monotonic() - tidied > self.pace.tidy:
                    tidied = time.monotonic()
                    self._tidy()
            except StoreError as error:
                _log.warning("the table of jobs can't be used: %s", error.code)
                busy = False
            if not busy:
                self.stopping.wait(self.pace.look)

    def do_one(self) -> bool:
        """Do the next job that waits; False if there is none."""
        exclusive = [name for name, kind in self.kinds.items() if kind.exclusive]
        now, kinds = self.clock(), self.kinds.keys()
        silent, dead = timedelta(seconds=self.pace.lost), list[str]()
        with self.database.read() as connection:  # so that who only waits writes nothing
            if not any_open(connection):
                return False
        if self.lifesigns:
            dead = self.lifesigns.dead()
        with self.database.write() as connection:
            requeue_lost(connection, now=now, silent=silent, dead=dead)
            job = claim(connection, worker=self.name, kinds=kinds, exclusive=exclusive, now=now)
        if self.lifesigns:
            self.lifesigns.forget(dead)
        if job is None:
            return False
        held = Held(job.id, self.name, job.attempts)
        context = JobContext(self.database, held, self.clock, self.stopping)
        _log.info("job %s (%s) begins, attempt %s", job.id, job.kind, job.attempts)
        with self._beating(context):
            self._do(job, context)
        return True

    def _tidy(self) -> None:
        with self.database.write() as connection:
            gone = drop_expired_uploads(connection, now=self.clock())
            gone += drop_expired_ledgers(connection, now=self.clock())
            rested = open_rested(connection, now=self.clock())
            forgotten = self._forget_notes(connection)
        if gone:
            _log.info("%s files that nobody confirmed were removed", gone)
        if rested:
            _log.info("%s lost firms have rested", rested)
        if forgotten:
            _log.info("%s notes were kept long enough", forgotten)

    def _forget_notes(self, connection: sqlalchemy.Connection) -> int:
        # Nothing is forgotten that the audit would not tell of.
        months = read_office(connection).notes_months
        if not months or self.trail is None:
            return 0
        now = self.clock()
        day = months_after(now.astimezone().date(), -months)
        before = datetime.combine(day, clock_time()).astimezone()
        count = drop_notes_before(connection, before)
        if count:
            details = {"notes": count, "before": day.isoformat(), "months": months}
            self.trail.append(connection, Record("job", "-", "note.expire", details=details), now)
        return count

    def _do(self, job: Job, context: JobContext) -> None:
        # Here is the edge at which errors become a state.
        try:
            result = self.kinds[job.kind].run(context, job.payload)
            if not context.done:
                with self.database.write() as connection:
                    context.finish(connection, result)
            _log.info("job %s is done", job.id)
        except Stopped as stopped:
            self._stopped(context.held, stopped.why)
        except Exception as error:
            if not isinstance(error, LeadscoreError):
                _log.exception("job %s (%s) broke", job.id, job.kind)
                error = BrokenJobError(WORDS["worker.our_fault"].format(id=job.id))
            with self.database.write() as connection:
                fail(connection, context.held, error, now=self.clock())
            _log.info("job %s has failed: %s", job.id, error.code)

    def _stopped(self, held: Held, why: str) -> None:
        with self.database.write() as connection:
            if why == "cancel":
                cancelled(connection, held, now=self.clock())
            elif why == "stop":
                put_back(connection, held)
        _log.info("job %s was stopped: %s", held.id, why)

    @contextlib.contextmanager
    def _beating(self, context: JobContext) -> Iterator[None]:
        ended = threading.Event()
        thread = threading.Thread(target=self._beats, args=(context, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _beats(self, context: JobContext, ended: threading.Event) -> None:
        beaten, stopped = time.monotonic(), None
        while not ended.wait(min(self.pace.beat, _TICK)):
            now = time.monotonic()
            if self.stopping.is_set():
                stopped = stopped or now
                if now - stopped >= self.pace.grace:
                    try:
                        self._stopped(context.held, "stop")
                    finally:
                        os._exit(0)
            if now - beaten >= self.pace.beat:
                # Whatever keeps one sign of life from being given, the next may succeed.
                with contextlib.suppress(StoreError):
                    context.beat()
                    self.database.checkpoint()
                beaten = now


def work(
    database: Database, kinds: Mapping[str, Kind], clock: Clock, *, name: str | None = None,
    lifeline: Connection | None = None, pace: Timings = Timings(), folder: Path | None = None,
    trail: AuditTrail | None = None,
) -> None:  # fmt: skip
    """Do jobs until this process is to stop, then close the database; call it in the main thread.

    The worker stops when the other end of the pipe ``lifeline`` is closed. Without one it is a
    worker alone, which Ctrl-C stops. Its name is by default made from host and process. By the
    ``folder`` workers of one home know which of them have died; see `Lifesigns`. Without the
    ``trail`` of the audit nothing is deleted that it must tell of.
    """
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    # Ctrl-C reaches all processes of a terminal: for a child the parent decides.
    signal.signal(signal.SIGINT, stop if lifeline is None else signal.SIG_IGN)
    if lifeline is not None:
        threading.Thread(
            target=_await_parent, args=(lifeline, stopping), name="lifeline", daemon=True
        ).start()
    name = name or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"[-100:]
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.closing(database))
        lifesigns = None
        if folder:
            try:
                lifesigns = stack.enter_context(contextlib.closing(Lifesigns(folder, name)))
            except StoreError as error:  # a home that may only be read, or a full disk
                _log.warning("others can't see whether this worker lives: %s", error)
        Worker(name, database, kinds, clock, stopping, pace, lifesigns, trail).run()


def _await_parent(lifeline: Connection, stopping: threading.Event) -> None:
    # Set when the parent closes its end of the pipe, or dies; also without signals.
    with contextlib.suppress(OSError):
        lifeline.poll(None)
    stopping.set()


_NOBODY_ELSE = timedelta(days=36_500)  # silence alone tells nothing here


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait before a worker that died is started anew, in seconds."""

    first: float = 0.25  # it doubles from here
    longest: float = 60.0
    well: float = 60.0  # after a worker that lived for so long it is ``first`` again


class Supervisor:
    """Starts a worker process, and another one whenever it dies.

    The process runs ``work``, a function of a module, so that it can be spawned, with its name, its
    lifeline and the ``arguments``, which must be picklable. In ``database`` the jobs of a dead
    worker are put back. ``patience``: seconds that a worker has to end before it is killed; more
    than its own grace.
    """

    def __init__(
        self, work: Callable[..., object], arguments: tuple[Any, ...], database: Database,
        clock: Clock, *, back_off: BackOff = BackOff(), patience: float = 15.0,
    ) -> None:  # fmt: skip
        self._work, self._arguments = work, arguments
        self._database, self._clock = database, clock
        self._back_off, self._patience = back_off, patience
        self._ends = multiprocessing.Pipe(duplex=False)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._process: Any = None

    @property
    def alive(self) -> bool:
        """Whether there is a worker at this moment."""
        process = self._process
        return process is not None and process.exitcode is None

    def __enter__(self) -> Self:
        """Start the worker."""
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop the worker; a job that it does is put back for the next one."""
        self._stopping.set()
        self._ends[1].close()
        if self._thread is not None:
            self._thread.join()
        self._ends[0].close()

    def _supervise(self) -> None:
        pause = self._back_off.first
        while not self._stopping.is_set():
            name = f"{socket.gethostname()}-{secrets.token_hex(4)}"[-100:]
            started = time.monotonic()
            self._live(name)
            if self._stopping.is_set():
                return
            lived = time.monotonic() - started
            pause = self._back_off.first if lived >= self._back_off.well else pause
            _log.error("the worker process died; the next one starts in %.1f s", pause)
            self._stopping.wait(pause)
            pause = min(pause * 2, self._back_off.longest)

    def _live(self, name: str) -> None:
        theirs, ours = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("spawn").Process(
            target=self._work, args=(name, theirs, *self._arguments), name=name
        )  # no daemon: those may not have children, and hostile files are parsed in one
        with contextlib.closing(ours):
            with contextlib.closing(theirs):
                process.start()
            self._process = process
            wait([process.sentinel, self._ends[0]])
        process.join(self._patience)
        if process.exitcode is None:
            process.kill()
            process.join()
        with contextlib.suppress(StoreError), self._database.write() as connection:
            requeue_lost(connection, now=self._clock(), silent=_NOBODY_ELSE, dead=[name])
