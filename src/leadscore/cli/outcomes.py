"""The commands for what became of the firms."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leadscore.cli.group import (
    ACTOR,
    FILE,
    Run,
    audit_trail,
    city_option,
    cli,
    day_option,
    opened,
    problem_line,
    problems_option,
    with_run,
)
from leadscore.errors import Detail, UsageError
from leadscore.text import Text, room_words, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from leadscore.learning.history import Labels
    from leadscore.learning.readiness import Readiness
    from leadscore.lists.problems import Problem
    from leadscore.settings import Settings
    from leadscore.store.acts import Intake
    from leadscore.store.database import Database

WORDS = room_words("cli")

_MOST_PROBLEMS = 20


@cli.group()
def outcomes() -> None:
    """Record what became of firms. 登记企业的进展。"""


@outcomes.command("import")
@click.argument("listed", metavar="FILE", type=FILE)
@with_run
@problems_option
@click.option(
    "--map",
    "columns",
    metavar="HEADER=FIELD",
    multiple=True,
    help="What a column means: name, credit_code, stage, day, reason, note, withdrawn, day:STAGE; "
    "- is not read. 某列的含义。",
)
@click.option(
    "--stage",
    "stages",
    metavar="WORD=STAGE",
    multiple=True,
    help="What a word of stages means; - if it tells none. 某词是哪个阶段。",
)
@click.option("--dry-run", "dry", is_flag=True, help="Show all, write nothing. 试读，不写入。")
@click.option(
    "--no-template",
    is_flag=True,
    help="Forget how the last file with these headers was read. 不照上次读取。",
)
@click.option(
    "--skip-rows", is_flag=True,
    help="Leave out rows that may tell a loss and can't be taken. 略去读不进来的流失行。",
)  # fmt: skip
def import_outcomes(
    run: Run, listed: Path, problems: Path | None, columns: tuple[str, ...],
    stages: tuple[str, ...], dry: bool, no_template: bool, skip_rows: bool,
) -> None:  # fmt: skip
    """Add what became of firms: firm, stage, date, reason. 导入进展：企业、阶段、日期、原因。

    Nothing is added as long as a word of stages is not understood, or a loss would be left out:
    what to say is told. What was said is remembered for the next file with the same headers.
    """
    settings = run.settings()
    from leadscore.learning.history import label_pursuits
    from leadscore.lists.outcomes import Instructions
    from leadscore.lists.writing import check_distinct, check_ranking_path, write_problems
    from leadscore.startup import names_of_city
    from leadscore.store.acts import take_in
    from leadscore.store.outcomes import read_outcomes

    check_distinct({"FILE": listed, "--problems": problems})
    if problems:
        check_ranking_path(problems)
    said = Instructions(
        _pairs(columns, "--map", "投资主体=name"), _pairs(stages, "--stage", "签了=signed"),
        here=names_of_city(settings),
    )  # fmt: skip
    today = date.today()
    with _to_try_on(settings) if dry else opened(settings) as database:
        intake = take_in(
            listed, database, today=today, now=datetime.now(UTC), actor=ACTOR,
            trail=audit_trail(settings), said=said, remembered=not no_template,
            skip_rows=skip_rows, dry=dry,
        )  # fmt: skip
        with database.read() as connection:
            history = read_outcomes(connection)
    if problems:
        write_problems(intake.problems, problems, lang=run.lang)
    if intake.listed.as_last_time:
        run.tell(WORDS["outcomes.as_last_time"].format(said=_said(intake)))
    for notice in (*intake.notices, *(() if problems else _problem_lines(intake.problems))):
        run.tell(notice)
    if problems:
        run.say(WORDS["outcomes.written"].format(path=problems))
    for line in _counts(intake, dry=dry):
        run.say(line)
    if not dry:
        labels = label_pursuits(
            history, as_of=today, target=settings.target, horizon_days=settings.horizon_days
        )
        for line in _state(history, labels):
            run.say(line)


@outcomes.command("usable")
@click.option("--as-of", metavar="DATE", help="What was known on that day. 按当日所知。 [today]")
@click.option(
    "--assume-unchanging", is_flag=True, help="As of a retraining with it. 采用不易变的资料时。"
)
@city_option
@with_run
def usable_outcomes(
    run: Run, as_of: str | None, assume_unchanging: bool, city: Path | None
) -> None:  # fmt: skip
    """Show what a retraining could learn from, and what is missing. 训练前看能学到什么。"""
    settings = run.settings()
    from leadscore.startup import open_city, open_registry, training_rules
    from leadscore.store.champions import champion_line
    from leadscore.store.learning import readiness_of

    day, registry = day_option(as_of or None, "--as-of"), open_registry(settings)
    rules = replace(training_rules(settings), assume_unchanging=assume_unchanging)
    with opened(settings) as database:
        profile = open_city(settings, city, database)
        with database.read() as connection:
            line = champion_line(connection, profile.id)
            ready = readiness_of(
                connection, registry, line[0] if line else "", rules=rules, as_of=day
            )  # fmt: skip
    for text in _readiness(ready):
        run.say(text)


def _readiness(ready: Readiness) -> Iterator[Text]:
    from leadscore.learning.evaluation import MARKS
    from leadscore.lists.values.words import STAGES

    counts = {name: value for name, value in vars(ready).items() if isinstance(value, int)}
    counts["learnable"] = ready.learnable
    target = STAGES[ready.target]
    yield WORDS["usable.pursuits"].format(as_of=ready.as_of.isoformat(), target=target, **counts)
    yield WORDS["usable.learnable"].format(**counts)
    for year in ready.years:
        yield WORDS["usable.year"].format(**vars(year))
    yield WORDS["usable.gates"]
    for need in ready.gates:
        words = WORDS["usable.measurable"] if need.measurable else WORDS["usable.not_measurable"]
        mark = MARKS["passed" if need.measurable else "not_measured"]
        yield words.format(mark=mark, name=need.name, needs=need.needs)
    for shortage in ready.shortages:
        yield shortage.what
        for _, way in shortage.ways:
            yield WORDS["usable.way"].format(way=way)


@contextlib.contextmanager
def _to_try_on(settings: Settings) -> Iterator[Database]:
    # Where nothing was ever kept, a dry run makes no home either.
    from leadscore.startup import kept_database
    from leadscore.store.migrations import open_store

    with kept_database(settings) as kept, contextlib.ExitStack() as stack:
        if kept is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="leadscore-"))
            kept = stack.enter_context(contextlib.closing(open_store(Path(folder) / "empty.db")))
        yield kept


def _counts(intake: Intake, *, dry: bool) -> Iterator[Text]:
    if dry:
        yield from _what_would_be(intake)
    if intake.superseded:
        yield WORDS["outcomes.superseded"].format(count=intake.superseded)
    if intake.corrected:
        yield WORDS["outcomes.corrected"].format(count=intake.corrected)
    yield intake.sentence(dry=dry)
    if intake.milestones:
        yield WORDS["outcomes.milestones"].format(count=intake.milestones)


def _pairs(given: Sequence[str], option: str, example: str) -> dict[str, str]:
    pairs = {}
    for pair in given:
        left, mark, right = (part.strip() for part in pair.rpartition("="))
        if not (left and mark and right):
            wanted = WORDS["outcomes.a_pair"].format(example=example)
            message = WORDS["outcomes.bad_pair"].format(option=option)
            raise UsageError(message, [Detail(option, pair, wanted)])
        pairs[left] = right
    return pairs


def _said(intake: Intake) -> Text:
    template = intake.listed.template
    pairs = [f"{left}={right}" for each in (template.mapping, template.stages)
             for left, right in each.items()]  # fmt: skip
    return Text(zh="、".join(pairs), en=", ".join(pairs))


def _what_would_be(intake: Intake) -> Iterator[Text]:
    # What a dry run shows beside the problems.
    from leadscore.lists.outcome_columns import MILESTONES
    from leadscore.lists.values.words import STAGES, without_personal

    names = STAGES | MILESTONES
    for (word, stage), count in intake.listed.meanings.items():
        yield WORDS["outcomes.meaning"].format(
            word=shown(without_personal(word)), stage=names[stage], count=count
        )
    for entry in intake.new.to_dict("records"):
        name = entry["name"] if isinstance(entry["name"], str) else entry["credit_code"]
        yield WORDS["outcomes.would_add"].format(
            name=name, stage=STAGES[entry["stage"]], day=f"{entry['day']:%Y-%m-%d}"
        )
    for unknown in intake.listed.unknown:
        word = shown(without_personal(unknown.word))
        yield WORDS["outcomes.unknown_word"].format(
            header=unknown.header, word=word, count=unknown.rows
        )
    for header in intake.listed.unsure:
        yield WORDS["outcomes.unsure"].format(header=shown(header))
    if intake.losses:
        yield WORDS["outcomes.loss_aside"].format(count=len(intake.losses))


def _problem_lines(problems: Sequence[Problem]) -> Iterator[Text]:
    yield from map(problem_line, problems[:_MOST_PROBLEMS])
    if len(problems) > _MOST_PROBLEMS:
        yield WORDS["outcomes.more"].format(count=len(problems) - _MOST_PROBLEMS)


def _state(history: pd.DataFrame, labels: Labels) -> Iterator[Text]:
    # What the history holds now, and what can be learnt from it.
    from leadscore.learning.history import in_force, pursuit_keys
    from leadscore.lists.values.words import STAGES

    held = in_force(history.assign(firm=pursuit_keys(history)))
    counts = held["stage"].value_counts()
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
