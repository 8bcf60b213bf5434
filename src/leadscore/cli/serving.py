"""The commands that serve: the scores, and the jobs beside them."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leadscore.cli.group import FILE, Run, acting, cli, lang_option, opened, settings_of
from leadscore.errors import Detail, UsageError
from leadscore.terminal import minute, say, table, tell
from leadscore.text import Lang, Text, room_words

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from leadscore.jobs.worker import Kind, Supervisor
    from leadscore.settings import Settings
    from leadscore.store.database import Database
    from leadscore.store.jobs import Job
    from leadscore.web.app import Application
    from leadscore.web.auth import Access

WORDS = room_words("cli")


_STATES = {
    "waiting": WORDS["serving.states_waiting"],
    "running": WORDS["serving.states_running"],
    "done": WORDS["serving.states_done"],
    "failed": WORDS["serving.states_failed"],
    "cancelled": WORDS["serving.states_cancelled"],
}
_HEADERS = (
    WORDS["serving.headers"], WORDS["serving.headers_2"], WORDS["serving.headers_3"],
    WORDS["serving.headers_4"], WORDS["serving.headers_5"],
    WORDS["serving.headers_6"], WORDS["serving.headers_7"], WORDS["serving.headers_8"],
)  # fmt: skip


@cli.group()
def jobs() -> None:
    """Imports, retrainings and exports at work. 后台任务：导入、重新学习、导出。"""


@jobs.command("list")
@click.option("--top", type=click.IntRange(1, 500), default=20, help="How many. 列出几项。 [20]")
@lang_option
@click.pass_obj
def list_(run: Run, top: int, lang: Lang | None) -> None:
    """List jobs, the newest first. 列出任务，新的在前。"""
    settings = settings_of(run, lang)
    from leadscore.store.jobs import list_jobs

    with opened(settings) as database, database.read() as connection:
        found = list_jobs(connection, limit=top)
    if not found:
        say(WORDS["serving.none"].pick(run.lang))
        return
    rows = [[each.pick(run.lang) for each in _HEADERS], *(_row(job, run.lang) for job in found)]
    say("\n".join(table(rows)))


def _row(job: Job, lang: Lang) -> list[str]:
    words = Text(**job.error["message"]) if job.error else job.words
    return [
        str(job.id), job.kind, _STATES[job.state].pick(lang), f"{job.progress:.0%}",
        job.submitted_by, minute(job.submitted_at), minute(job.ended_at),
        words.pick(lang) if words and job.state in ("running", "failed") else "",
    ]  # fmt: skip


@jobs.command()
@click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@lang_option
@click.pass_obj
def cancel(run: Run, number: int, lang: Lang | None) -> None:
    """Cancel a job. 取消任务。"""
    with acting(run, lang, "job.cancel") as doing:
        from leadscore.store.jobs import request_cancel

        job = request_cancel(doing.connection, number, now=doing.now)
        doing.about = ("job", str(number))
    said = WORDS["serving.cancelled"] if job.state == "cancelled" else WORDS["serving.asked"]
    say(said.format(id=number).pick(run.lang))


@cli.command()
@click.option("--city", metavar="FILE", type=click.Path(), help="City profile. 城市画像文件。")
@lang_option
@click.pass_obj
def worker(run: Run, city: str | None, lang: Lang | None) -> None:
    """Do jobs beside a server that does none itself. 单独运行后台任务（用于 PostgreSQL）。"""
    settings = settings_of(run, lang)
    from pathlib import Path

    from leadscore.jobs.worker import work
    from leadscore.logs import log_to_stderr
    from leadscore.startup import open_database

    log_to_stderr()
    database = open_database(settings)
    tell(WORDS["serving.working"].format(where=database.shown).pick(run.lang))
    work(database, kinds_of(settings, Path(city) if city else None), now)
    tell(WORDS["serving.stopped"].pick(run.lang))


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


def kinds_of(settings: Settings, city: Path | None) -> dict[str, Kind]:
    """Return what a worker can do with these settings."""
    from leadscore.jobs.tasks import Workplace, all_kinds
    from leadscore.startup import open_city, open_scorer, open_shelf

    def rules() -> Any:
        from leadscore.learning.training_data import Rules

        return Rules(
            target=settings.target,
            horizon_days=settings.horizon_days,
            prior_strength=settings.prior_strength,
        )

    return all_kinds(
        Workplace(
            city=lambda: open_city(settings, city),
            scorer=lambda: open_scorer(settings, city),
            shelf=open_shelf(settings),
            rules=rules,
            exports=settings.home / "exports",
            clock=now,
        )
    )


def supervisor_of(settings: Settings, city: Path | None, database: Database) -> Supervisor:
    """Return what keeps a worker process beside a server; to be entered and left with it."""
    from leadscore.jobs.worker import Supervisor

    return Supervisor(_work, (settings, city), database, now)


def _work(name: str, lifeline: Connection, settings: Settings, city: Path | None) -> None:
    from leadscore.jobs.worker import work
    from leadscore.logs import log_to_stderr
    from leadscore.startup import open_database

    log_to_stderr()
    work(open_database(settings), kinds_of(settings, city), now, name=name, lifeline=lifeline)


_SAMPLE = "electronics.csv"


@cli.command()
@click.option("--host", help="Address to listen on.  监听地址。 [127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port. 端口。 [8000]")
@click.option("--threads", type=click.IntRange(1, 256), help="Threads. 线程数。 [4]")
@click.option("--city", metavar="FILE", type=FILE, help="City profile. 城市画像文件。")
@click.option("--demo", is_flag=True, help="Let anybody on this machine try it. 演示，免登录。")
@lang_option
@click.pass_obj
def serve(
    run: Run, host: str | None, port: int | None, threads: int | None,
    city: Path | None, demo: bool, lang: Lang | None,
) -> None:  # fmt: skip
    """Serve the scores over HTTP. 启动评分服务。"""
    settings = settings_of(run, lang)
    from leadscore.cli.group import opened
    from leadscore.logs import log_to_stderr
    from leadscore.startup import open_profiles, open_scorer, open_shelf
    from leadscore.store.models import mirror
    from leadscore.web.app import Service, create_app
    from leadscore.web.guard import is_loopback
    from leadscore.web.scoring import CurrentScoring
    from leadscore.web.serve import serve as listen

    host = settings.host if host is None else host
    if demo and not is_loopback(host):
        raise UsageError(
            WORDS["serving.demo_elsewhere"].format(host=host),
            [Detail("--host", host, WORDS["serving.this_machine"])],
        )
    if demo:
        settings = settings.model_copy(
            update={"home": settings.home / "demo", "database": None, "key_file": None}
        )
    log_to_stderr()
    load = partial(open_scorer, settings, city, notify=lambda notice: tell(notice.pick(run.lang)))
    shelf = open_shelf(settings)
    scoring = CurrentScoring(load(), shelf, load)
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(opened(settings))
        access = access_of(settings, database, demo=demo)
        with database.write() as connection:
            mirror(connection, shelf, scoring.scorer().city.id, now=access.clock())
        _tell_who_may(access, run.lang)
        if demo:
            _hand_in_sample(access)
        supervisor = stack.enter_context(supervisor_of(settings, city, database))
        app = create_app(
            Service(
                scoring,
                shelf,
                date.today,
                access,
                open_profiles(settings, city),
                host,
                lambda: supervisor.alive,
                run.lang,
                settings.home / "exports",
            )
        )
        if not demo:  # which is for this machine only, so nothing stands in front
            believe(app, settings)
        listen(
            app,
            host=host,
            port=settings.port if port is None else port,
            threads=threads or settings.threads,
        )


def access_of(settings: Settings, database: Database, *, demo: bool) -> Access:
    """Return who may come into a service over a database."""
    from leadscore.cli.group import audit_trail
    from leadscore.store.sessions import Limits, Lockout
    from leadscore.web.auth import Access

    return Access(
        database,
        audit_trail(settings),
        lambda: datetime.now(UTC),
        limits=Limits(
            idle=timedelta(minutes=settings.session_idle_minutes),
            absolute=timedelta(hours=settings.session_hours),
        ),
        lockout=Lockout(
            settings.lockout_failures,
            timedelta(seconds=settings.lockout_seconds),
            timedelta(minutes=settings.lockout_longest_minutes),
        ),
        demo=demo,
    )


def believe(app: Application, settings: Settings) -> None:
    """Let an application believe the proxies that the settings name, and nobody else."""
    from leadscore.web.proxies import ProxyHeaders, believe_proxies

    headers = None
    if settings.proxy_user_header is not None:
        headers = ProxyHeaders(
            settings.proxy_user_header,
            settings.proxy_groups_header,
            tuple(settings.proxy_roles.items()),
        )
    believe_proxies(app, settings.trusted_proxies, settings.proxy_addresses, headers)


def _tell_who_may(access: Access, lang: Lang) -> None:
    from leadscore.web.guard import FIRST_ADMINISTRATOR, first_administrator_link

    if access.demo:
        tell(WORDS["serving.demo"].pick(lang))
        return
    path = first_administrator_link(access.database, access.trail, access.clock())
    if path:
        tell(WORDS["serving.first"].format(name=FIRST_ADMINISTRATOR, path=path).pick(lang))


def _hand_in_sample(access: Access) -> None:
    from leadscore.files import shipped
    from leadscore.jobs.tasks import hand_in_list
    from leadscore.store.lists import kept_lists

    sample, now = shipped("samples") / _SAMPLE, access.clock()
    with access.database.write() as connection:
        if kept_lists(connection, before=None, limit=1):
            return
        hand_in_list(
            connection, file_name=_SAMPLE, content=sample.read_bytes(), mapping={},
            as_of=now.astimezone().date(), actor="demo", now=now,
        )  # fmt: skip
