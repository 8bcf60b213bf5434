"""The edge of the command line: where a run begins, and errors become messages and exit codes."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leadscore import __version__
from leadscore.errors import Detail, LeadscoreError, UsageError
from leadscore.terminal import Align, ClosedOutput, echo, echo_err, table
from leadscore.text import Lang, Text, room_words

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from leadscore.lists.problems import Problem
    from leadscore.settings import Settings
    from leadscore.store.audit import AuditTrail
    from leadscore.store.database import Database

WORDS = room_words("cli")

ACTOR = "cli"
"""Who does what a command does: whoever may run it here needs no name in the database."""
FILE = click.Path(path_type=Path)

_INTERRUPTED_CODE = 130  # as a shell reports a command that Ctrl-C has ended


@dataclass
class Run:
    """What a run shares: its language, which the settings may still change, unless one is asked."""

    lang: Lang = "en"
    asked: Lang | None = None

    def settings(self) -> Settings:
        """Read the settings; the option beats them, and speaks of their mistakes too."""
        from leadscore.settings import load_settings, spoken_language, unknown_variables

        self.lang = self.asked or spoken_language()
        settings = load_settings()
        self.lang = self.asked or settings.lang
        for notice in unknown_variables():
            self.tell(notice)
        return settings

    def say(self, text: Text) -> None:
        """Print a result to standard output."""
        echo(text.pick(self.lang))

    def tell(self, text: Text) -> None:
        """Print a notice to standard error."""
        echo_err(text.pick(self.lang))

    def say_table(
        self, headers: Iterable[Text], rows: Sequence[Sequence[str]],
        aligns: Sequence[Align] = (), *, nothing: Text | None = None,
    ) -> None:  # fmt: skip
        """Print rows under their headers, or that there is ``nothing``."""
        if nothing and not rows:
            self.say(nothing)
        else:
            echo("\n".join(table([[head.pick(self.lang) for head in headers], *rows], aligns)))


class _Commands(click.Group):
    # The group at whose edge errors become messages and exit codes.
    def invoke(self, ctx: click.Context) -> Any:
        run = ctx.ensure_object(Run)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            run.tell(WORDS["group.interrupted"])
            ctx.exit(_INTERRUPTED_CODE)
        except ClosedOutput:
            ctx.exit(0)
        except LeadscoreError as error:
            echo_err(error.render(run.lang))
            ctx.exit(error.exit_code)
        except Exception:
            echo_err(traceback.format_exc() + WORDS["group.our_fault"].pick(run.lang))
            ctx.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="leadscore")
def cli() -> None:
    """Rank the firms that a city could court, and say why. 为招商名单排名，并说明理由。"""


def _ask(context: click.Context, _: click.Parameter, lang: Lang | None) -> None:
    context.ensure_object(Run).asked = lang


def with_run(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its `Run` as first argument, with the option ``--lang``."""
    option = click.option(
        "--lang", type=click.Choice(["zh", "en"]), callback=_ask, expose_value=False,
        help="Language of the output. 输出语言。",
    )  # fmt: skip
    return option(click.pass_obj(command))


city_option = click.option("--city", metavar="FILE", type=FILE, help="City profile. 城市画像文件。")
problems_option = click.option(
    "--problems", metavar="FILE", type=FILE,
    help="Write what could not be taken as it stood: .csv or .xlsx. 写出资料问题。",
)  # fmt: skip


def day_option(text: str | None, option: str) -> date:
    """Return the day that an option names, today if none was given.

    Raises UsageError if it names none, or one after today.
    """
    today = date.today()
    if text is None:
        return today
    # Late, for start-up time: it brings pandas along.
    from leadscore.lists.values.dates import day_of

    day = day_of(text)
    if day is None or day > today:
        wanted = [Detail(option, text, WORDS["group.wanted"])]
        raise UsageError(WORDS["group.no_day"].format(option=option), wanted)
    return day


def audit_trail(settings: Settings) -> AuditTrail:
    """Return the audit, whose key lies beside that of the models; nothing is touched yet."""
    from leadscore.store.audit import AuditTrail

    return AuditTrail(settings.audit_key)


def problem_line(problem: Problem) -> Text:
    """Return in one line what is wrong with a list, where, and what was wanted."""
    where = WORDS["outcomes.where_sheet"] if problem.sheet else WORDS["outcomes.where"]
    if problem.row is None:
        where = WORDS["read.whole_column" if problem.column else "read.whole_list"]
    column = WORDS["outcomes.column"].format(column=problem.column) if problem.column else ""
    shape = WORDS["outcomes.problem"] if problem.found else WORDS["outcomes.problem_empty"]
    return shape.format(
        where=where.format(row=problem.row, sheet=problem.sheet), column=column,
        found=problem.found, wanted=problem.wanted,
    )  # fmt: skip


def opened(settings: Settings) -> contextlib.closing[Database]:
    """Give the database to a block, and close it at the end."""
    from leadscore.startup import open_database

    return contextlib.closing(open_database(settings))


@dataclass
class Doing:
    """A command at work: what it changes within a transaction goes into the audit with it."""

    connection: Connection
    trail: AuditTrail
    now: datetime
    database: Database
    about: tuple[str | None, str | None] = (None, None)  # kind and name of what is changed
    details: dict[str, Any] = field(default_factory=dict)


@contextlib.contextmanager
def acting(run: Run, action: str) -> Iterator[Doing]:
    """Give a transaction that is committed with its audit record unless the block fails."""
    settings = run.settings()
    from leadscore.store.audit import Record

    trail, now = audit_trail(settings), datetime.now(UTC)
    with opened(settings) as database, database.write() as connection:
        doing = Doing(connection, trail, now, database)
        yield doing
        record = Record(ACTOR, "administrator", action, *doing.about, details=doing.details)
        trail.append(connection, record, now)
