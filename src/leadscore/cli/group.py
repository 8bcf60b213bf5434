"""The edge of the command line: where a run begins, and errors become messages and exit codes."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leadscore import __version__
from leadscore.errors import Detail, LeadscoreError, UsageError
from leadscore.lists.values.codes import day_of
from leadscore.terminal import Unheard, tell
from leadscore.text import Lang, room_words

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from leadscore.settings import Settings
    from leadscore.store.audit import AuditTrail
    from leadscore.store.database import Database

WORDS = room_words("cli")


def not_after_today(text: str, option: str, *, today: date) -> date:
    """Return the day that an option names.

    Raises UsageError if it names none, or one after today.
    """
    day = day_of(text)
    if day is None or day > today:
        raise UsageError(
            WORDS["group.no_day"].format(option=option),
            [Detail(option, text, WORDS["group.wanted"])],
        )
    return day


_INTERRUPTED_CODE = 130  # as a shell reports a command that Ctrl-C has ended


@dataclass
class Run:
    """What the commands of one run share: its language, which an option may still change."""

    lang: Lang = "en"


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        run = ctx.ensure_object(Run)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            tell(WORDS["group.interrupted"].pick(run.lang))
            ctx.exit(_INTERRUPTED_CODE)
        except Unheard:
            ctx.exit(0)
        except LeadscoreError as error:
            tell(error.render(run.lang))
            ctx.exit(error.exit_code)
        except Exception:
            tell(traceback.format_exc() + WORDS["group.our_fault"].pick(run.lang))
            ctx.exit(1)


def lang_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add ``--lang`` to a command."""
    return click.option(
        "--lang", type=click.Choice(["zh", "en"]), help="Language of the output. 输出语言。"
    )(command)


FILE = click.Path(path_type=Path)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="leadscore")
def cli() -> None:
    """Rank the firms that a city could court, and say why. 为招商名单排名，并说明理由。"""


def settings_of(run: Run, lang: Lang | None) -> Settings:
    """Read the settings; the option beats them, and speaks of their mistakes too."""
    from leadscore.settings import load_settings, spoken_language, unknown_variables

    run.lang = lang or spoken_language()
    settings = load_settings()
    run.lang = lang or settings.lang
    for notice in unknown_variables():
        tell(notice.pick(run.lang))
    return settings


ACTOR = "cli"
"""Who does what a command does: whoever may run it here needs no name in the database."""


@dataclass
class Doing:
    """A command at work: what it changes goes into the audit with it.

    Attributes
    ----------
    connection, trail, now
        Within the transaction; the audit; and when.
    """

    connection: Connection
    trail: AuditTrail
    now: datetime
    about: tuple[str | None, str | None] = (None, None)  # kind and name of what is changed
    details: dict[str, Any] = field(default_factory=dict)  # what more the audit tells


def audit_trail(settings: Settings) -> AuditTrail:
    """Return the audit, whose key lies beside that of the models; nothing is touched yet."""
    from leadscore.store.audit import AuditTrail

    return AuditTrail(settings.home / "keys" / "audit.key")


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Give the database, and close it at the end."""
    from leadscore.startup import open_database

    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def acting(run: Run, lang: Lang | None, action: str) -> Iterator[Doing]:
    """Give a transaction that is committed with its audit record unless the block fails."""
    settings = settings_of(run, lang)
    from leadscore.store.audit import Record

    trail, now = audit_trail(settings), datetime.now(UTC)
    with opened(settings) as database, database.write() as connection:
        doing = Doing(connection, trail, now)
        yield doing
        record = Record(ACTOR, "administrator", action, *doing.about, details=doing.details)
        trail.append(connection, record, now)
