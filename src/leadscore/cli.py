"""The commands: rank a list, check a city profile, serve the scores."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leadscore import __version__
from leadscore.console import Progress, Unheard, accept_any_text, say, tell
from leadscore.errors import LeadscoreError
from leadscore.language import Lang, Text

# What a command needs beyond click is imported inside it: pandas and scikit-learn take more than
# a second, and `leadscore --help` must answer at once.
if TYPE_CHECKING:
    from leadscore.settings import Settings

_LONG_LIST = 2_000

_OUR_FAULT = Text(
    zh="程序内部出错，这是我们的问题，不是您的。请把上面的记录发给维护者。",
    en="Something broke inside leadscore. This is our fault, not yours: "
    "please send the lines above to its maintainers.",
)
_INTERRUPTED = Text(zh="已中断。", en="interrupted.")
_INTERRUPTED_CODE = 130  # as a shell reports a command that Ctrl-C has ended
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
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            tell(_INTERRUPTED.pick(run.lang))
            ctx.exit(_INTERRUPTED_CODE)
        except Unheard:
            ctx.exit(0)
        except LeadscoreError as error:
            tell(error.render(run.lang))
            ctx.exit(error.exit_code)
        except Exception:
            tell(traceback.format_exc() + _OUR_FAULT.pick(run.lang))
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
    from leadscore.delivery import Delivery
    from leadscore.lists import load_exclusions
    from leadscore.lists.writing import check_distinct, check_ranking_path
    from leadscore.ranking.vetoes import Exclusions
    from leadscore.ranking.walk import rank_list
    from leadscore.startup import open_scorer

    # Before the work, not after it.
    check_distinct(
        {
            "LIST": listed, "--output": output, "--problems": problems, "--exclude": exclude,
            "--city": city or settings.city,
        }
    )  # fmt: skip
    for path in filter(None, (output, problems)):
        check_ranking_path(path)
    today = date.today()
    scorer = open_scorer(settings, city, notify=lambda notice: tell(notice.pick(run.lang)))
    excluded = load_exclusions(exclude, today=today) if exclude else None
    exclusions = Exclusions(excluded.credit_codes, excluded.names) if excluded else Exclusions()
    with Progress(run.lang, shown_from=_LONG_LIST) as progress:
        ranking = rank_list(
            listed, scorer, today=today, lang=run.lang,
            exclusions=exclusions,
            loaded=lambda clean: progress.start(len(clean.firms)),
        )  # fmt: skip
    delivery = Delivery(ranking, excluded, scorer.city.name, today, run.lang)
    delivery.deliver(output, problems, top)


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

    scorer = open_scorer(settings, city, notify=lambda notice: tell(notice.pick(run.lang)))
    app = create_app(scorer, clock=date.today, default_lang=run.lang)
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
    say(render_tree(loaded, run.lang))
    say(_PROFILE_OK.format(name=loaded.name).pick(run.lang))


def _settings(run: _Run, lang: Lang | None) -> Settings:
    """Read the settings; the option beats the environment, and speaks of its mistakes too."""
    from leadscore.settings import load_settings, spoken_language

    run.lang = lang or spoken_language()
    return load_settings()


def main() -> None:
    """Run the command line."""
    accept_any_text()
    cli()
