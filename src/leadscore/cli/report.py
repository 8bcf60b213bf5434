"""The command that writes a report: for the leadership, as Word or workbook."""

from __future__ import annotations

from pathlib import Path

import click

from leadscore.cli.group import FILE, Run, acting, cli, day_option, opened, with_run
from leadscore.errors import Detail, OutputError, UsageError
from leadscore.text import room_words

WORDS = room_words("cli")


@cli.command()
@click.option(
    "--for",
    "audience",
    type=click.Choice(["leadership"]),
    default="leadership",
    help="For whom. 给谁看。",
)
@click.option(
    "-o",
    "out",
    metavar="FILE",
    type=FILE,
    required=True,
    help="Write it there: .docx or .xlsx. 写出的文件。",
)
@click.option("--from", "starts", metavar="DAY", help="First day. 起始日，缺省为今年1月1日。")
@click.option("--to", "ends", metavar="DAY", help="Last day. 截止日，缺省为今天。")
@click.option("--chain", "chains", metavar="ID", multiple=True, help="A chain. 产业链，可多次。")
@with_run
def report(
    run: Run, audience: str, out: Path, starts: str | None, ends: str | None,
    chains: tuple[str, ...],
) -> None:  # fmt: skip
    """Write the report for the leadership. 写出给领导的汇报。"""
    settings = run.settings()
    from leadscore.lists.writing import check_ranking_path
    from leadscore.report.leadership import WRITERS, write_leadership
    from leadscore.startup import open_profiles, open_registry, scorer_of
    from leadscore.store.leadership import ReportScope, leadership_report

    if out.suffix.lower() not in WRITERS:
        raise OutputError(WORDS["report.ending"].format(name=out.name))
    check_ranking_path(out.with_suffix(".xlsx"))
    today, last = day_option(None, "--to"), day_option(ends, "--to")
    first = day_option(starts, "--from") if starts else min(last, today.replace(month=1, day=1))
    if first > last:
        details = [Detail("--from", first.isoformat(), WORDS["report.order"].format(ends=last))]
        raise UsageError(WORDS["report.no_period"], details)
    with opened(settings) as database:
        scorer = scorer_of(settings, None, database)
        known = [chain.id for chain in scorer.city.chains]
        for chain in chains:
            if chain not in known:
                wanted = WORDS["report.chain"].format(chains=", ".join(known))
                raise UsageError(WORDS["report.no_chain"], [Detail("--chain", chain, wanted)])
        profile = open_profiles(settings, database).current().number_of(scorer.city)
        with database.read() as connection:
            told = leadership_report(
                connection, scorer, open_registry(settings), ReportScope(first, last, chains),
                today=today, profile=profile, lang=run.lang,
            )  # fmt: skip
    with acting(run, "report.export") as doing:
        doing.details |= {
            "format": out.suffix.lower()[1:], "for": audience, "starts": first.isoformat(),
            "ends": last.isoformat(),
        }  # fmt: skip
        write_leadership(told, out, lang=run.lang, now=doing.now)
    run.say(WORDS["report.written"].format(path=out))
