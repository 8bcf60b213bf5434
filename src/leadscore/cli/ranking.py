"""The command that ranks a list."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leadscore.cli.group import FILE, Run, cli, lang_option, not_after_today, settings_of
from leadscore.terminal import Progress, tell
from leadscore.text import Lang, Text, room_words

if TYPE_CHECKING:
    from leadscore.ranking.batch import Ranking
    from leadscore.settings import Settings

WORDS = room_words("cli")


_LONG_LIST = 2_000
_MOST_KEPT = 50_000
"""Firms of a list that is kept unasked: nobody courts more, and a register is not a list."""


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
@click.option(
    "--as-of",
    metavar="DATE",
    help="Rank an old list as it was known on that day. 按当日所知给旧名单排名。",
)
@click.option(
    "--keep/--no-keep",
    default=None,
    help="Keep a snapshot of the firms to learn from later; by default of lists up to 50,000. "
    "保存快照供以后学习。",
)
@click.option(
    "--processes",
    metavar="N",
    type=click.IntRange(min=1),
    help="Processes that score; by default one for each core, up to 8, from 20,000 rows on. "
    "评分用的进程数。",
)
@click.pass_obj
def rank(
    run: Run, listed: Path, output: Path | None, city: Path | None, top: int,
    lang: Lang | None, problems: Path | None, exclude: Path | None,
    as_of: str | None, keep: bool | None, processes: int | None,
) -> None:  # fmt: skip
    """Rank a candidate list: CSV, XLSX, Parquet or gzipped CSV. 给候选名单排名。"""
    settings = settings_of(run, lang)
    from leadscore.cli.delivery import Delivery
    from leadscore.lists.writing import check_distinct, check_ranking_path
    from leadscore.ranking.batch import rank_list
    from leadscore.ranking.vetoes import Exclusions, load_exclusions
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
    today = not_after_today(as_of, "--as-of", today=date.today()) if as_of else date.today()
    scorer = open_scorer(settings, city, notify=lambda notice: tell(notice.pick(run.lang)))
    excluded = load_exclusions(exclude, today=today) if exclude else None
    exclusions = Exclusions(excluded.credit_codes, excluded.names) if excluded else Exclusions()
    with Progress(run.lang, shown_from=_LONG_LIST) as progress:
        ranking = rank_list(
            listed, scorer, today=today, lang=run.lang,
            exclusions=exclusions, worded=None if output else top, processes=processes,
            loaded=lambda clean: progress.start(len(clean.records)),
        )  # fmt: skip
    kept = _keep(ranking, settings, run, source=listed.name, as_of=today, keep=keep)
    delivery = Delivery(ranking, excluded, scorer.city.name, today, run.lang, kept)
    delivery.deliver(output, problems, top)


def _keep(
    ranking: Ranking, settings: Settings, run: Run, *, source: str, as_of: date, keep: bool | None
) -> Text | None:
    if keep is False or not len(ranking.firms):
        return None
    if keep is None and len(ranking.firms) > _MOST_KEPT:
        return WORDS["ranking.too_many"].format(most=_MOST_KEPT)
    from leadscore.startup import open_database
    from leadscore.store.database import StoreError
    from leadscore.store.snapshots import SqlSnapshots

    try:
        with contextlib.closing(open_database(settings)) as database:
            store = SqlSnapshots(database)
            first = store.is_empty()
            store.keep(
                ranking.firms, as_of=as_of, model=ranking.model, source=source,
                now=datetime.now(UTC),
            )  # fmt: skip
    except StoreError as error:
        tell(WORDS["ranking.not_kept"].format(reason=error.message).pick(run.lang))
        return None
    return WORDS["ranking.first_kept"].format(where=database.shown) if first else None
