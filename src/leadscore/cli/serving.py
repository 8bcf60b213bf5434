"""The command that serves the scores."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leadscore.cli.group import FILE, Run, cli, lang_option, settings_of
from leadscore.console import tell
from leadscore.errors import Detail, UsageError
from leadscore.language import Lang, Text

if TYPE_CHECKING:
    from leadscore.settings import Settings
    from leadscore.store.engine.database import Database
    from leadscore.web.access.callers import Access
    from leadscore.web.app import Application

_FIRST = Text(
    zh="还没有管理员。请在 24 小时内用这个一次性链接设置管理员“{name}”的密码： {path}",
    en="There is no administrator yet. Set the password of {name} by this one-time link within 24 "
    "hours: {path}",
)
_DEMO = Text(
    zh="演示：任何人无需登录即可做任何事；只有本机能访问。",
    en="A demonstration: anybody may do anything without logging in; only this machine gets in.",
)
_DEMO_ELSEWHERE = Text(
    zh="演示只能在本机进行，不能在 {host} 监听",
    en="a demonstration is for this machine only and can't listen on {host}",
)
_SAMPLE = "electronics.csv"
_THIS_MACHINE = Text(zh="127.0.0.1", en="127.0.0.1")


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
    from leadscore.cli.acting import opened
    from leadscore.cli.jobs import supervisor_of
    from leadscore.logs import log_to_stderr
    from leadscore.startup import open_profiles, open_scorer, open_shelf
    from leadscore.store.models import mirror
    from leadscore.web.access.guard import is_loopback
    from leadscore.web.app import Service, create_app
    from leadscore.web.current import CurrentScoring
    from leadscore.web.serving import serve as listen

    host = settings.host if host is None else host
    if demo and not is_loopback(host):
        raise UsageError(_DEMO_ELSEWHERE.format(host=host), [Detail("--host", host, _THIS_MACHINE)])
    if demo:
        settings = settings.model_copy(
            update={"home": settings.home / "demo", "database": None, "key_file": None}
        )
    log_to_stderr()
    load = partial(open_scorer, settings, city, notify=lambda notice: tell(notice.pick(run.lang)))
    shelf = open_shelf(settings)
    scoring = CurrentScoring(load(), shelf, load, date.today)
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(opened(settings))
        access = access_of(settings, database, demo=demo)
        with database.write() as connection:
            mirror(connection, shelf, scoring.get().scorer.city.id, now=access.clock())
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
    from leadscore.cli.acting import audit_trail
    from leadscore.store.access.attempts import Lockout
    from leadscore.store.access.sessions import Limits
    from leadscore.web.access.callers import Access

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
    from leadscore.web.access.proxies import ProxyHeaders, believe_proxies

    headers = None
    if settings.proxy_user_header is not None:
        headers = ProxyHeaders(
            settings.proxy_user_header,
            settings.proxy_groups_header,
            tuple(settings.proxy_roles.items()),
        )
    believe_proxies(app, settings.trusted_proxies, settings.proxy_addresses, headers)


def _tell_who_may(access: Access, lang: Lang) -> None:
    from leadscore.web.access.links import FIRST_ADMINISTRATOR, first_administrator_link

    if access.demo:
        tell(_DEMO.pick(lang))
        return
    path = first_administrator_link(access.database, access.trail, access.clock())
    if path:
        tell(_FIRST.format(name=FIRST_ADMINISTRATOR, path=path).pick(lang))


def _hand_in_sample(access: Access) -> None:
    """Let a demonstration begin with the sample list, which the worker takes in."""
    from leadscore.jobs.handing_in import hand_in_list
    from leadscore.shipped import shipped
    from leadscore.store.lists.lists import kept_lists

    sample, now = shipped("samples") / _SAMPLE, access.clock()
    with access.database.write() as connection:
        if kept_lists(connection, before=None, limit=1):
            return
        hand_in_list(
            connection, file_name=_SAMPLE, content=sample.read_bytes(), mapping={},
            as_of=now.astimezone().date(), actor="demo", now=now,
        )  # fmt: skip
