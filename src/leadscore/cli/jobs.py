"""The commands for jobs: what runs and waits, a way to stop one, and a worker alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from leadscore.cli.acting import acting, opened
from leadscore.cli.group import Run, cli, lang_option, settings_of
from leadscore.cli.tables import minute, table
from leadscore.console import say, tell
from leadscore.language import Lang, Text

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from leadscore.jobs.context import Kind
    from leadscore.jobs.supervisor import Supervisor
    from leadscore.settings import Settings
    from leadscore.store.engine.database import Database
    from leadscore.store.jobs.jobs import Job

_STATES = {
    "waiting": Text(zh="等待", en="waiting"),
    "running": Text(zh="进行中", en="running"),
    "done": Text(zh="完成", en="done"),
    "failed": Text(zh="失败", en="failed"),
    "cancelled": Text(zh="已取消", en="cancelled"),
}
_HEADERS = (
    Text(zh="编号", en="job"), Text(zh="种类", en="kind"), Text(zh="状态", en="state"),
    Text(zh="进度", en="progress"), Text(zh="提交人", en="asked by"),
    Text(zh="提交于", en="asked"), Text(zh="结束于", en="ended"), Text(zh="说明", en="words"),
)  # fmt: skip
_NONE = Text(zh="没有任务。", en="There are no jobs.")
_CANCELLED = Text(zh="任务 {id} 已取消。", en="job {id} is cancelled.")
_ASKED = Text(
    zh="已要求任务 {id} 停止，它会在下一步之前停下。",
    en="job {id} was asked to stop, and does so before its next step.",
)
_WORKING = Text(
    zh="正在等候任务（数据库 {where}），按 Ctrl+C 停止",
    en="waiting for jobs (database {where}); Ctrl+C stops it",
)
_STOPPED = Text(zh="已停止", en="the worker has stopped")


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
    from leadscore.store.jobs.jobs import list_jobs

    with opened(settings) as database, database.read() as connection:
        found = list_jobs(connection, limit=top)
    if not found:
        say(_NONE.pick(run.lang))
        return
    say(table(_HEADERS, [_row(job, run.lang) for job in found], run.lang))


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
        from leadscore.store.jobs.jobs import request_cancel

        job = request_cancel(doing.connection, number, now=doing.now)
        doing.about = ("job", str(number))
    said = _CANCELLED if job.state == "cancelled" else _ASKED
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
    tell(_WORKING.format(where=database.shown).pick(run.lang))
    work(database, kinds_of(settings, Path(city) if city else None), now)
    tell(_STOPPED.pick(run.lang))


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


def kinds_of(settings: Settings, city: Path | None) -> dict[str, Kind]:
    """Return what a worker can do with these settings."""
    from leadscore.jobs.kinds import Workplace, all_kinds
    from leadscore.startup import open_city, open_scorer, open_shelf

    def rules() -> Any:
        from leadscore.learning.outcomes.lessons import Rules

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
    from leadscore.jobs.supervisor import Supervisor

    return Supervisor(_work, (settings, city), database, now)


def _work(name: str, lifeline: Connection, settings: Settings, city: Path | None) -> None:
    """Be the worker process that `supervisor_of` starts."""
    from leadscore.jobs.worker import work
    from leadscore.logs import log_to_stderr
    from leadscore.startup import open_database

    log_to_stderr()
    work(open_database(settings), kinds_of(settings, city), now, name=name, lifeline=lifeline)
