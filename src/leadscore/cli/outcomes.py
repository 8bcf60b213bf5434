"""The commands for what became of the firms."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leadscore.cli.group import ACTOR, FILE, Run, cli, lang_option, settings_of
from leadscore.terminal import say, tell
from leadscore.text import Lang, Text, room_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from leadscore.learning.history import Labels
    from leadscore.lists.problems import Problem
    from leadscore.store.outcome_import import Intake

WORDS = room_words("cli")


_MOST_PROBLEMS = 20


@cli.group()
def outcomes() -> None:
    """Record what became of firms. 登记企业的进展。"""


@outcomes.command("import")
@click.argument("listed", metavar="FILE", type=FILE)
@lang_option
@click.option(
    "--problems",
    metavar="FILE",
    type=FILE,
    help="Write what could not be taken as it stood: .csv or .xlsx. 写出资料问题。",
)
@click.pass_obj
def outcomes_import(run: Run, listed: Path, lang: Lang | None, problems: Path | None) -> None:
    """Add what became of firms: firm, stage, date, reason. 导入进展：企业、阶段、日期、原因。"""
    settings = settings_of(run, lang)
    from leadscore.learning.history import label_pursuits
    from leadscore.lists.writing import check_distinct, check_ranking_path, write_problems
    from leadscore.startup import open_database
    from leadscore.store.outcome_import import take_in
    from leadscore.store.outcomes import read_outcomes

    check_distinct({"FILE": listed, "--problems": problems})
    if problems:
        check_ranking_path(problems)
    today = date.today()
    with contextlib.closing(open_database(settings)) as database:
        intake = take_in(listed, database, today=today, now=datetime.now(UTC), actor=ACTOR)
        with database.read() as connection:
            history = read_outcomes(connection)
    if problems:
        write_problems(intake.problems, problems, lang=run.lang)
    for notice in (*intake.notices, *_told(intake.problems, all_of_them=problems is None)):
        tell(notice.pick(run.lang))
    labels = label_pursuits(
        history, as_of=today, target=settings.target, horizon_days=settings.horizon_days
    )
    if problems:
        say(WORDS["outcomes.written"].format(path=problems).pick(run.lang))
    for line in (*_sums(intake), *_state(history, labels)):
        say(line.pick(run.lang))


def _told(problems: tuple[Problem, ...], *, all_of_them: bool) -> Iterator[Text]:
    """Yield the first problems, each in a line, unless they are written to a file."""
    if not all_of_them:
        return
    for problem in problems[:_MOST_PROBLEMS]:
        where = WORDS["outcomes.where_sheet"] if problem.sheet else WORDS["outcomes.where"]
        shape = WORDS["outcomes.problem"] if problem.found else WORDS["outcomes.problem_empty"]
        yield shape.format(
            where=where.format(row=problem.row, sheet=problem.sheet),
            column=WORDS["outcomes.column"].format(column=problem.column) if problem.column else "",
            found=problem.found,
            wanted=problem.wanted,
        )
    if len(problems) > _MOST_PROBLEMS:
        yield WORDS["outcomes.more"].format(count=len(problems) - _MOST_PROBLEMS)


def _sums(intake: Intake) -> Iterator[Text]:
    """Yield where every entry of the file went."""
    if intake.superseded:
        yield WORDS["outcomes.superseded"].format(count=intake.superseded)
    if intake.corrected:
        yield WORDS["outcomes.corrected"].format(count=intake.corrected)
    yield intake.sentence()


def _state(history: pd.DataFrame, labels: Labels) -> Iterator[Text]:
    """Yield what the history holds now, and what can be learnt from it."""
    from leadscore.learning.history import in_force
    from leadscore.lists.values.words import STAGES

    counts = in_force(history)["stage"].value_counts()
    firms = history["firm"].nunique()
    yield WORDS["outcomes.history"].format(entries=len(history), firms=firms)
    by_stage = [(STAGES[stage], counts[stage]) for stage in STAGES if stage in counts]
    if by_stage:
        yield Text(
            zh="、".join(f"{name.zh} {count}" for name, count in by_stage),
            en=", ".join(f"{name.en} {count}" for name, count in by_stage),
        )
    known = labels.table["label"]
    yield WORDS["outcomes.labels"].format(
        as_of=labels.as_of.isoformat(), horizon_days=labels.horizon_days,
        target=STAGES[labels.target], ones=int((known == 1).sum()),
        zeros=int((known == 0).sum()), open=int(known.isna().sum()),
    )  # fmt: skip
    if labels.without_contact:
        yield WORDS["outcomes.no_contact"].format(count=labels.without_contact)
