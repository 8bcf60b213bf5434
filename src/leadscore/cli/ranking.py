"""The command that ranks a list."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from leadscore.cli.group import FILE, Run, cli, lang_option, settings_of
from leadscore.console import Progress, tell
from leadscore.language import Lang

_LONG_LIST = 2_000


@cli.command()
@click.argument("listed", metavar="LIST", type=FILE)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=FILE,
    help="Write the whole ranking: .xlsx, .csv or .parquet. 写出完整排名。",
)
@click.option("--city", metavar="FILE", type=FILE, help="City profile. 城市画像文件。")
@click.option(
    "--top",
    metavar="N",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Firms to print; the file holds all. 屏幕显示的家数。",
)
@lang_option
@click.option(
    "--problems",
    metavar="FILE",
    type=FILE,
    help="Write what could not be taken as it stood: .csv or .xlsx. 写出资料问题。",
)
@click.option(
    "--exclude",
    metavar="FILE",
    type=FILE,
    help="A list of firms that are not to be courted. 排除名单。",
)
@click.pass_obj
def rank(
    run: Run, listed: Path, output: Path | None, city: Path | None, top: int,
    lang: Lang | None, problems: Path | None, exclude: Path | None,
) -> None:  # fmt: skip
    """Rank a candidate list: CSV, XLSX, Parquet or gzipped CSV. 给候选名单排名。"""
    settings = settings_of(run, lang)
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
