"""The edge of the command line: where a run begins, and errors become messages and exit codes."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leadscore import __version__
from leadscore.console import Unheard, tell
from leadscore.errors import LeadscoreError
from leadscore.language import Lang, Text

if TYPE_CHECKING:
    from leadscore.settings import Settings

_OUR_FAULT = Text(
    zh="程序内部出错，这是我们的问题，不是您的。请把上面的记录发给维护者。",
    en="Something broke inside leadscore. This is our fault, not yours: "
    "please send the lines above to its maintainers.",
)
_INTERRUPTED = Text(zh="已中断。", en="interrupted.")
_INTERRUPTED_CODE = 130  # as a shell reports a command that Ctrl-C has ended


@dataclass
class Run:
    """What the commands of one run share: its language, which an option may still change."""

    lang: Lang = "en"


class _Commands(click.Group):
    """The group at whose edge errors become messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        run = ctx.ensure_object(Run)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            tell(_INTERRUPTED.pick(run.lang))
            ctx.exit(_INTERRUPTED_CODE)
        except Unheard:
            ctx.exit(0)
        except LeadscoreError as error:
            tell(error.render(run.lang))
            ctx.exit(error.exit_code)
        except Exception:
            tell(traceback.format_exc() + _OUR_FAULT.pick(run.lang))
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
