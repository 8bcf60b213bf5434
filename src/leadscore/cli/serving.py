"""The command that serves the scores."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from leadscore.cli.group import FILE, Run, cli, lang_option, settings_of
from leadscore.console import tell
from leadscore.language import Lang


@cli.command()
@click.option("--host", help="Address to listen on.  监听地址。 [127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port. 端口。 [8000]")
@click.option("--threads", type=click.IntRange(1, 256), help="Threads. 线程数。 [4]")
@click.option("--city", metavar="FILE", type=FILE, help="City profile. 城市画像文件。")
@lang_option
@click.pass_obj
def serve(
    run: Run, host: str | None, port: int | None, threads: int | None,
    city: Path | None, lang: Lang | None,
) -> None:  # fmt: skip
    """Serve the scores over HTTP. 启动评分服务。"""
    settings = settings_of(run, lang)
    from leadscore.startup import open_scorer
    from leadscore.web.app import create_app
    from leadscore.web.serving import serve as listen

    scorer = open_scorer(settings, city, notify=lambda notice: tell(notice.pick(run.lang)))
    app = create_app(scorer, clock=date.today, default_lang=run.lang)
    listen(
        app,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        threads=threads or settings.threads,
    )
