"""The commands that serve: the scores, and the jobs beside them."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leadscore.cli.group import ACTOR, Run, acting, audit_trail, city_option, cli, opened, with_run
from leadscore.errors import Detail, UsageError
from leadscore.numbers import moment
from leadscore.terminal import minute
from leadscore.text import Lang, Text, room_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from leadscore.jobs.worker import Kind
    from leadscore.settings import Settings
    from leadscore.store.database import Database
    from leadscore.store.jobs import Job
    from leadscore.web.app import Application
    from leadscore.web.auth import Access

WORDS = room_words("cli")

_HEADS = ("job", "kind", "state", "progress", "by", "asked", "ended", "words")


@cli.group()
def jobs() -> None:
    """Imports, retrainings and exports at work. 后台任务：导入、重新学习、导出。"""


@jobs.command("list")
@click.option("--top", type=click.IntRange(1, 500), default=20, help="How many. 列出几项。 [20]")
@with_run
def list_(run: Run, top: int) -> None:
    """List jobs, the newest first. 列出任务，新的在前。"""
    settings = run.settings()
    from leadscore.store.jobs import list_jobs

    with opened(settings) as database, database.read() as connection:
        rows = [_row(job, run.lang) for job in list_jobs(connection, limit=top)]
    headers = [WORDS[f"serving.head.{head}"] for head in _HEADS]
    run.say_table(headers, rows, nothing=WORDS["serving.none"])


def _row(job: Job, lang: Lang) -> list[str]:
    words = Text(**job.error["message"]) if job.error else job.words
    return [
        str(job.id), job.kind, WORDS[f"serving.state.{job.state}"].pick(lang),
        f"{job.progress:.0%}", job.submitted_by, minute(job.submitted_at), minute(job.ended_at),
        words.pick(lang) if words and job.state in ("running", "failed") else "",
    ]  # fmt: skip


@jobs.command()
@click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@with_run
def cancel(run: Run, number: int) -> None:
    """Cancel a job. 取消任务。"""
    with acting(run, "job.cancel") as doing:
        from leadscore.store.jobs import request_cancel

        job = request_cancel(doing.connection, number, now=doing.now)
        doing.about = ("job", str(number))
    done = WORDS["serving.cancelled"] if job.state == "cancelled" else WORDS["serving.asked"]
    run.say(done.format(id=number))


@cli.command()
@city_option
@with_run
def worker(run: Run, city: Path | None) -> None:
    """Do jobs beside a server that does none itself. 单独运行后台任务（用于 PostgreSQL）。"""
    settings = run.settings()
    from leadscore.jobs.worker import work
    from leadscore.logs import log_to_stderr
    from leadscore.startup import WORKERS, open_database, tell_open_folders

    log_to_stderr()
    database = open_database(settings)
    tell_open_folders(settings.home)
    run.tell(WORDS["serving.working"].format(where=database.shown))
    work(
        database, _kinds_of(settings, city, database), _now, folder=settings.home / WORKERS,
        trail=audit_trail(settings),
    )  # fmt: skip
    run.tell(WORDS["serving.stopped"])


def _now() -> datetime:
    return datetime.now(UTC)


def _kinds_of(settings: Settings, city: Path | None, database: Database) -> dict[str, Kind]:
    from leadscore.jobs.tasks import JobDependencies, all_kinds
    from leadscore.startup import open_city, open_registry, scorer_of, training_rules

    return all_kinds(
        JobDependencies(
            city=lambda: open_city(settings, city, database),
            scorer=lambda: scorer_of(settings, city, database),
            registry=open_registry(settings),
            rules=lambda: training_rules(settings),
            exports=settings.home / "exports",
            trail=audit_trail(settings),
            clock=_now,
        )
    )


# The worker process beside a server.
def _work(name: str, lifeline: Connection, settings: Settings, city: Path | None) -> None:
    from leadscore.jobs.worker import work
    from leadscore.logs import log_to_stderr
    from leadscore.startup import WORKERS, open_database

    log_to_stderr()
    database = open_database(settings)
    work(
        database, _kinds_of(settings, city, database), _now, name=name, lifeline=lifeline,
        folder=settings.home / WORKERS, trail=audit_trail(settings),
    )  # fmt: skip


@cli.command()
@click.option("--host", help="Address to listen on.  监听地址。 [127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port. 端口。 [8000]")
@click.option("--threads", type=click.IntRange(1, 256), help="Threads. 线程数。 [4]")
@city_option
@click.option("--demo", is_flag=True, help="Let anybody on this machine try it. 演示，免登录。")
@click.option("--open", "browse", is_flag=True, help="Open it in the browser. 用浏览器打开。")
@with_run
def serve(
    run: Run, host: str | None, port: int | None, threads: int | None, city: Path | None,
    demo: bool, browse: bool,
) -> None:  # fmt: skip
    """Serve the scores over HTTP. 启动评分服务。"""
    settings = run.settings()
    from leadscore.jobs.worker import Supervisor
    from leadscore.logs import log_to_stderr
    from leadscore.startup import (
        connect_database,
        open_profiles,
        open_registry,
        scorer_of,
        tell_open_folders,
        training_rules,
    )
    from leadscore.store.database import REQUEST_PATIENCE_SECONDS
    from leadscore.store.models import sync_models
    from leadscore.web.api import CurrentScoring, Dependencies
    from leadscore.web.app import create_app
    from leadscore.web.auth import is_loopback
    from leadscore.web.serve import serve as listen

    host = settings.host if host is None else host
    if demo:
        if not is_loopback(host):
            wanted = [Detail("--host", host, WORDS["serving.this_machine"])]
            raise UsageError(WORDS["serving.demo_elsewhere"].format(host=host), wanted)
        own = {"home": settings.home / "demo", "database": None, "key_file": None}
        settings = settings.model_copy(update=own)
    log_to_stderr()
    registry = open_registry(settings)
    with contextlib.ExitStack() as stack:
        tell_open_folders(settings.home)
        with opened(settings):  # which brings it to today's tables, and may wait for that
            pass
        database = connect_database(settings, patience_seconds=REQUEST_PATIENCE_SECONDS)
        stack.callback(database.close)
        profiles = open_profiles(settings, database, city)
        load = partial(scorer_of, settings, city, database, notify=run.tell)
        scoring = CurrentScoring(load, registry, profiles, database)
        threads = threads or settings.threads
        access = access_of(settings, database, demo=demo, threads=threads)

        def begin() -> None:
            with database.write() as connection:
                scorer = scoring.scorer()  # another one than before, if the program is
                sync_models(
                    connection, registry, scorer.city.id, scorer.model, by=ACTOR, now=access.clock()
                )
            if demo:
                _hand_in_sample(access)

        def ready(url: str) -> None:
            # The last thing that a start says. Not before the port is ours: a new link is the only
            # good one, and whoever finds the port taken must not spoil that of the other service.
            invite = partial(_tell_who_may, access, run, url, browse=browse)
            stack.enter_context(_done_when_it_can_be(invite, lambda _why: None))

        def unwritable(why: Text) -> None:
            run.tell(WORDS["serving.unwritable"].format(reason=why))

        stack.enter_context(_done_when_it_can_be(begin, unwritable))
        supervisor = stack.enter_context(Supervisor(_work, (settings, city), database, _now))
        app = create_app(
            Dependencies(
                scoring, registry, date.today, access, profiles, host,
                lambda: supervisor.alive, run.lang, settings.home / "exports",
                partial(training_rules, settings),
            )
        )  # fmt: skip
        if not demo:  # which is for this machine only, so nothing stands in front
            believe(app, settings)
        port = settings.port if port is None else port
        listen(app, host=host, port=port, threads=threads, ready=ready)
        access.settle()


_TRIED_EVERY_SECONDS = 5.0


@contextlib.contextmanager
def _done_when_it_can_be(
    deed: Callable[[], object], tell: Callable[[Text], object]
) -> Iterator[None]:
    """Do what needs the database to be written, now or as soon as it can be: reading needs none."""
    from leadscore.store.database import UnavailableError

    ended = threading.Event()

    def tried() -> bool:
        try:
            deed()
        except UnavailableError as error:
            if thread is None:
                tell(error.message)
            return False
        return True

    def try_again() -> None:
        while not ended.wait(_TRIED_EVERY_SECONDS) and not tried():
            pass

    thread: threading.Thread | None = None
    if not tried():
        thread = threading.Thread(target=try_again, name="start", daemon=True)
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if thread is not None:
            thread.join()


def access_of(settings: Settings, database: Database, *, demo: bool, threads: int = 4) -> Access:
    """Return who may come into a service over a database; passwords take half of its threads."""
    from leadscore.store.sessions import Limits, Lockout, PasswordTurns
    from leadscore.web.auth import Access

    limits = Limits(
        idle=timedelta(minutes=settings.session_idle_minutes),
        absolute=timedelta(hours=settings.session_hours),
    )
    lockout = Lockout(
        settings.lockout_failures, timedelta(seconds=settings.lockout_seconds),
        timedelta(minutes=settings.lockout_longest_minutes),
    )  # fmt: skip
    trail, turns = audit_trail(settings), PasswordTurns(max(1, threads // 2))
    return Access(database, trail, _now, limits=limits, lockout=lockout, turns=turns, demo=demo)


def believe(app: Application, settings: Settings) -> None:
    """Let an application believe the proxies that the settings name, and nobody else."""
    from leadscore.web.proxies import ProxyHeaders, believe_proxies

    headers = None
    if settings.proxy_user_header is not None:
        roles = tuple(settings.proxy_roles.items())
        headers = ProxyHeaders(settings.proxy_user_header, settings.proxy_groups_header, roles)
    believe_proxies(app, settings.trusted_proxies, settings.proxy_addresses, headers)


def _tell_who_may(access: Access, run: Run, url: str, *, browse: bool) -> None:
    from leadscore.store.users import FIRST_ADMINISTRATOR, invite_first_administrator
    from leadscore.web.auth import link_path

    address = url
    if access.demo:
        run.tell(WORDS["serving.demo"])
    elif invited := invite_first_administrator(access.database, access.trail, access.clock()):
        token, end = invited
        until = Text(zh=moment(end, "zh"), en=moment(end, "en"))
        run.tell(WORDS["serving.first"].format(name=FIRST_ADMINISTRATOR, until=until))
        address = url + link_path(token)
    if access.demo or address != url:
        run.tell(Text(address, address))
    if browse:
        import webbrowser

        webbrowser.open(address)


# A demonstration begins with the sample list, which the worker takes in.
def _hand_in_sample(access: Access) -> None:
    from leadscore.files import shipped
    from leadscore.jobs.tasks import submit_list
    from leadscore.store.lists import kept_lists

    sample, now = shipped("samples") / "electronics.csv", access.clock()
    with access.database.write() as connection:
        if kept_lists(connection, before=None, limit=1):
            return
        submit_list(
            connection, file_name=sample.name, content=sample.read_bytes(), mapping={},
            as_of=now.astimezone().date(), actor="demo", now=now,
        )  # fmt: skip
