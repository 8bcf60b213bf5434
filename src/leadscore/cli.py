"""The commands: rank a list, check a city profile, serve the scores."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from leadscore import __version__
from leadscore.errors import LeadscoreError
from leadscore.language import Lang, Text

# What a command needs beyond click is imported inside it: pandas and scikit-learn take more than
# a second, and `leadscore --help` must answer at once.
if TYPE_CHECKING:
    from leadscore.lists import CleanList
    from leadscore.ranking.scoring import Scorer
    from leadscore.ranking.vetoes import Exclusions
    from leadscore.ranking.walk import Ranking
    from leadscore.settings import Settings

_LONG_LIST = 2_000

_OUR_FAULT = Text(
    zh="程序内部出错，这是我们的问题，不是您的。请把上面的记录发给维护者。",
    en="Something broke inside leadscore. This is our fault, not yours: "
    "please send the lines above to its maintainers.",
)
_SCORING = Text(zh="评分", en="scoring")
_WRITTEN = Text(zh="已写入 {path}", en="written to {path}")
_PROBLEMS = Text(
    zh="另有{count}处资料问题；加 --problems 文件名 可逐条写出",
    en="{count} problem(s) in the data; --problems FILE writes them one by one",
)
_PROFILE_OK = Text(zh="画像无误：{name}", en="the profile is sound: {name}")


@dataclass
class _Run:
    """What the commands of one run share: its language, which an option may still change."""

    lang: Lang = "en"


class _Commands(click.Group):
    """The group at whose edge errors become messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        run = ctx.ensure_object(_Run)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            ctx.exit(0)  # the reader of our output, such as `head`, has had enough
        except LeadscoreError as error:
            click.echo(error.render(run.lang), err=True)
            ctx.exit(error.exit_code)
        except Exception:
            traceback.print_exc()
            click.echo(_OUR_FAULT.pick(run.lang), err=True)
            ctx.exit(1)


def _lang_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--lang", type=click.Choice(["zh", "en"]), help="Language of the output. 输出语言。"
    )(command)


_FILE = click.Path(path_type=Path)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="leadscore")
def cli() -> None:
    """Rank the firms that a city could court, and say why. 为招商名单排名，并说明理由。"""


@cli.command()
@click.argument("listed", metavar="LIST", type=_FILE)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=_FILE,
    help="Write the whole ranking: .xlsx, .csv or .parquet. 写出完整排名。",
)
@click.option("--city", metavar="FILE", type=_FILE, help="City profile. 城市画像文件。")
@click.option(
    "--top",
    metavar="N",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Firms to print; the file holds all. 屏幕显示的家数。",
)
@_lang_option
@click.option(
    "--problems",
    metavar="FILE",
    type=_FILE,
    help="Write what could not be taken as it stood: .csv or .xlsx. 写出资料问题。",
)
@click.option(
    "--exclude",
    metavar="FILE",
    type=_FILE,
    help="A list of firms that are not to be courted. 排除名单。",
)
@click.pass_obj
def rank(
    run: _Run, listed: Path, output: Path | None, city: Path | None, top: int,
    lang: Lang | None, problems: Path | None, exclude: Path | None,
) -> None:  # fmt: skip
    """Rank a candidate list: CSV, XLSX, Parquet or gzipped CSV. 给候选名单排名。"""
    settings = _settings(run, lang)
    from leadscore.lists.writing import check_ranking_path, write_problems, write_ranking
    from leadscore.ranking.printing import print_ranking
    from leadscore.ranking.walk import rank_list
    from leadscore.startup import open_scorer

    if output:
        check_ranking_path(output)  # before the work, not after it
    scorer = open_scorer(settings, city)
    today = date.today()
    with _Progress(run.lang) as progress:
        ranking = rank_list(
            listed, scorer, today=today, lang=run.lang,
            exclusions=_exclusions(exclude, today), loaded=progress.start,
        )  # fmt: skip
    for notice in ranking.notices:
        click.echo(notice.pick(run.lang), err=True)
    click.echo(print_ranking(ranking.table, lang=run.lang, top=top))
    if output:
        write_ranking(
            ranking.table, output, lang=run.lang, problems=ranking.problems,
            summary=_summary(ranking, scorer, today, run.lang),
        )  # fmt: skip
        click.echo(_WRITTEN.format(path=output).pick(run.lang))
    if problems:
        write_problems(ranking.problems, problems, lang=run.lang)
        click.echo(_WRITTEN.format(path=problems).pick(run.lang))
    elif ranking.problems:
        click.echo(_PROBLEMS.format(count=len(ranking.problems)).pick(run.lang))
    click.echo(ranking.counts.sentence().pick(run.lang))


@cli.command()
@click.option("--host", help="Address to listen on.  监听地址。 [127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port. 端口。 [8000]")
@click.option("--threads", type=click.IntRange(1, 256), help="Threads. 线程数。 [4]")
@click.option("--city", metavar="FILE", type=_FILE, help="City profile. 城市画像文件。")
@_lang_option
@click.pass_obj
def serve(
    run: _Run, host: str | None, port: int | None, threads: int | None,
    city: Path | None, lang: Lang | None,
) -> None:  # fmt: skip
    """Serve the scores over HTTP. 启动评分服务。"""
    settings = _settings(run, lang)
    from leadscore.startup import open_scorer
    from leadscore.web.app import create_app
    from leadscore.web.serving import serve as listen

    app = create_app(open_scorer(settings, city), clock=date.today, default_lang=run.lang)
    listen(
        app,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        threads=threads or settings.threads,
    )


@cli.group()
def city() -> None:
    """Work with city profiles. 城市画像。"""


@city.command("check")
@click.argument("profile", metavar="FILE", type=_FILE)
@_lang_option
@click.pass_obj
def city_check(run: _Run, profile: Path, lang: Lang | None) -> None:
    """Check a city profile and print its chains with their gaps. 检查画像并列出产业链与缺口。"""
    _settings(run, lang)
    from leadscore.city import load_city, render_tree
    from leadscore.learning.expert import expert_scorecard

    loaded = load_city(profile)
    expert_scorecard(loaded)
    click.echo(render_tree(loaded, run.lang))
    click.echo(_PROFILE_OK.format(name=loaded.name).pick(run.lang))


def _settings(run: _Run, lang: Lang | None) -> Settings:
    """Read the settings; the option beats the environment."""
    from leadscore.settings import load_settings

    settings = load_settings()
    run.lang = lang or settings.lang
    return settings


def _exclusions(path: Path | None, today: date) -> Exclusions:
    from leadscore.lists import load_list
    from leadscore.ranking.vetoes import Exclusions

    return Exclusions.of(load_list(path, today=today).firms) if path else Exclusions()


def _summary(ranking: Ranking, scorer: Scorer, today: date, lang: Lang) -> list[tuple[str, str]]:
    labels = (
        (Text(zh="城市", en="city"), scorer.city.name.pick(lang)),
        (Text(zh="模型", en="model"), scorer.model),
        (Text(zh="日期", en="date"), today.isoformat()),
        (Text(zh="行数", en="rows"), ranking.counts.sentence().pick(lang)),
    )
    return [(label.pick(lang), value) for label, value in labels]


class _Progress:
    """A progress bar on standard error, shown for long lists only."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang
        self._bar: Any = None

    def start(self, clean: CleanList) -> Callable[[int], object]:
        if len(clean.firms) < _LONG_LIST:
            return lambda _: None
        self._bar = click.progressbar(
            length=len(clean.firms), label=_SCORING.pick(self._lang), file=sys.stderr
        )
        self._bar.__enter__()
        update: Callable[[int], object] = self._bar.update
        return update

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)


def main() -> None:
    """Run the command line."""
    cli()
