"""The commands for what became of the firms."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leadscore.cli.group import ACTOR, FILE, Run, cli, lang_option, settings_of
from leadscore.terminal import say, tell
from leadscore.text import Lang, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from leadscore.learning.labels import Labels
    from leadscore.lists.problems import Problem
    from leadscore.store.outcome_import import Intake

_MOST_PROBLEMS = 20

_WHERE = Text(zh="第 {row} 行", en="row {row}")
_WHERE_SHEET = Text(zh="工作表“{sheet}”第 {row} 行", en="sheet “{sheet}”, row {row}")
_PROBLEM = Text(
    zh="{where}{column}：现为“{found}”，应为{wanted}",
    en="{where}{column}: found “{found}”, wanted {wanted}",
)
_PROBLEM_EMPTY = Text(zh="{where}{column}：应为{wanted}", en="{where}{column}: wanted {wanted}")
_COLUMN = Text(zh="，{column}", en=", {column}")
_MORE = Text(
    zh="另有 {count} 处问题；加 --problems 文件名 可逐条写出",
    en="{count} more problems; --problems FILE writes each of them",
)
_WRITTEN = Text(zh="已写入 {path}", en="written to {path}")
_SUPERSEDED = Text(
    zh="其中 {count} 条早先已从这个文件导入，后来又有更正，保持更正后的样子；要改回去，"
    "请写入新文件再导入",
    en="{count} of the known ones came from this very file and were corrected since; they stay as "
    "corrected. To go back, import them from a new file",
)
_CORRECTED = Text(
    zh="其中 {count} 条更正了原来登记的日期", en="{count} of the new ones correct a day"
)
_HISTORY = Text(
    zh="现共有 {entries} 条，{firms} 家企业",
    en="the history has {entries} entries of {firms} firms",
)
_LABELS = Text(
    zh="截至 {as_of}，首次接触后 {horizon_days} 天内：已到“{target}” {ones} 家，未到 {zeros} 家，"
    "尚未可知 {open} 家",
    en="as of {as_of}, within {horizon_days} days of first contact: {ones} reached “{target}”, "
    "{zeros} did not, {open} are open",
)
_NO_CONTACT = Text(
    zh="{count} 家没有首次接触（对接、考察或洽谈）的日期，不能用来学习；请补上",
    en="{count} firms have no day of a first contact (contacted, visited or negotiating) and teach "
    "nothing; add it",
)


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
    from leadscore.learning.labels import label_pursuits
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
        say(_WRITTEN.format(path=problems).pick(run.lang))
    for line in (*_sums(intake), *_state(history, labels)):
        say(line.pick(run.lang))


def _told(problems: tuple[Problem, ...], *, all_of_them: bool) -> Iterator[Text]:
    """Yield the first problems, each in a line, unless they are written to a file."""
    if not all_of_them:
        return
    for problem in problems[:_MOST_PROBLEMS]:
        where = _WHERE_SHEET if problem.sheet else _WHERE
        shape = _PROBLEM if problem.found else _PROBLEM_EMPTY
        yield shape.format(
            where=where.format(row=problem.row, sheet=problem.sheet),
            column=_COLUMN.format(column=problem.column) if problem.column else "",
            found=problem.found,
            wanted=problem.wanted,
        )
    if len(problems) > _MOST_PROBLEMS:
        yield _MORE.format(count=len(problems) - _MOST_PROBLEMS)


def _sums(intake: Intake) -> Iterator[Text]:
    """Yield where every entry of the file went."""
    if intake.superseded:
        yield _SUPERSEDED.format(count=intake.superseded)
    if intake.corrected:
        yield _CORRECTED.format(count=intake.corrected)
    yield intake.sentence()


def _state(history: pd.DataFrame, labels: Labels) -> Iterator[Text]:
    """Yield what the history holds now, and what can be learnt from it."""
    from leadscore.learning.history import in_force
    from leadscore.lists.values.words import STAGES

    counts = in_force(history)["stage"].value_counts()
    firms = history["firm"].nunique()
    yield _HISTORY.format(entries=len(history), firms=firms)
    by_stage = [(STAGES[stage], counts[stage]) for stage in STAGES if stage in counts]
    if by_stage:
        yield Text(
            zh="、".join(f"{name.zh} {count}" for name, count in by_stage),
            en=", ".join(f"{name.en} {count}" for name, count in by_stage),
        )
    known = labels.table["label"]
    yield _LABELS.format(
        as_of=labels.as_of.isoformat(), horizon_days=labels.horizon_days,
        target=STAGES[labels.target], ones=int((known == 1).sum()),
        zeros=int((known == 0).sum()), open=int(known.isna().sum()),
    )  # fmt: skip
    if labels.without_contact:
        yield _NO_CONTACT.format(count=labels.without_contact)
