"""The command that learns from what became of the firms."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from pathlib import Path

import click

from leadscore.cli.champions import let_store_follow
from leadscore.cli.days import not_after_today
from leadscore.cli.group import FILE, Run, cli, lang_option, settings_of
from leadscore.console import say, tell
from leadscore.language import Lang, Text


@cli.command()
@click.option(
    "--as-of", metavar="DATE", help="Learn what was known on that day. 按当日所知学习。 [today]"
)
@click.option("--city", metavar="FILE", type=FILE, help="City profile. 城市画像文件。")
@click.option(
    "--dry-run", is_flag=True, help="Decide, but save and promote nothing. 只作试算，不保存。"
)
@click.option(
    "--promote-anyway",
    metavar="REASON",
    help="Promote whatever the gates say; the reason is kept. 写明理由，强制启用。",
)
@lang_option
@click.pass_obj
def retrain(
    run: Run, as_of: str | None, city: Path | None, dry_run: bool, promote_anyway: str | None,
    lang: Lang | None,
) -> None:  # fmt: skip
    """Learn from outcomes; a better model serves from then on. 从结果中学习，更好才启用。"""
    settings = settings_of(run, lang)
    from leadscore.learning.outcomes.lessons import Rules
    from leadscore.learning.retraining.walk import retrain as walk
    from leadscore.startup import open_city, open_database, open_shelf
    from leadscore.store.firms.outcomes import read_outcomes
    from leadscore.store.firms.snapshots import read_snapshots

    def told(text: Text) -> None:
        tell(text.pick(run.lang))

    today = date.today()
    day = not_after_today(as_of, "--as-of", today=today) if as_of else today
    with contextlib.closing(open_database(settings)) as database, database.read() as connection:
        events, snapshots = read_outcomes(connection), read_snapshots(connection)
    profile, shelf = open_city(settings, city), open_shelf(settings)
    done = walk(
        profile,
        events,
        snapshots,
        shelf,
        as_of=day,
        now=datetime.now(UTC),
        rules=Rules(
            target=settings.target,
            horizon_days=settings.horizon_days,
            prior_strength=settings.prior_strength,
        ),
        dry_run=dry_run,
        overrule=promote_anyway,
        progress=told,
        notify=told,
    )
    for text in done.preface:
        say(text.pick(run.lang))
    say(done.decision.render(run.lang))
    say(done.upshot.pick(run.lang))
    if not dry_run:
        let_store_follow(
            run, lang, settings, shelf, profile.id, action="model.retrain", version=done.serves,
            details={"as_of": day.isoformat(), "promoted": done.decision.promoted},
        )  # fmt: skip
