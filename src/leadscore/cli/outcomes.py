"""The commands for what became of the firms."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leadscore.cli.group import (
    ACTOR,
    FILE,
    Run,
    audit_trail,
    cli,
    opened,
    problems_option,
    with_run,
)
from leadscore.text import Text, room_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from leadscore.learning.history import Labels
    from leadscore.lists.problems import Problem

WORDS = room_words("cli")

_MOST_PROBLEMS = 20


@cli.group()
def outcomes() -> None:
    """Record what became of firms. 登记企业的进展。"""


@outcomes.command("import")
@click.argument("listed", metavar="FILE", type=FILE)
@with_run
@problems_option
def import_outcomes(run: Run, listed: Path, problems: Path | None) -> None:
    """Add what became of firms: firm, stage, date, reason. 导入进展：企业、阶段、日期、原因。"""
    settings = run.settings()
    from leadscore.learning.history import label_pursuits
    from leadscore.lists.writing import check_distinct, check_ranking_path, write_problems
    from leadscore.store.acts import take_in
    from leadscore.store.outcomes import read_outcomes

    check_distinct({"FILE": listed, "--problems": problems})
    if problems:
        check_ranking_path(problems)
    today = date.today()
    with opened(settings) as database:
        intake = take_in(
            listed, database, today=today, now=datetime.now(UTC), actor=ACTOR,
            trail=audit_trail(settings),
        )  # fmt: skip
        with database.read() as connection:
            history = read_outcomes(connection)
    if problems:
        write_problems(intake.problems, problems, lang=run.lang)
    for notice in (*intake.notices, *(() if problems else _problem_lines(intake.problems))):
        run.tell(notice)
    labels = label_pursuits(
        history, as_of=today, target=settings.target, horizon_days=settings.horizon_days
    )
    if problems:
        run.say(WORDS["outcomes.written"].format(path=problems))
    if intake.superseded:
        run.say(WORDS["outcomes.superseded"].format(count=intake.superseded))
    if intake.corrected:
        run.say(WORDS["outcomes.corrected"].format(count=intake.corrected))
    run.say(intake.sentence())
    for line in _state(history, labels):
        run.say(line)


def _problem_lines(problems: Sequence[Problem]) -> Iterator[Text]:
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


def _state(history: pd.DataFrame, labels: Labels) -> Iterator[Text]:
    # What the history holds now, and what can be learnt from it.
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
