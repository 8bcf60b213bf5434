"""The command that gives officers' corrections back, as labelled examples for a matcher."""

from __future__ import annotations

import json
from datetime import date

from leadscore.cli.group import Run, cli, opened, with_run
from leadscore.terminal import echo
from leadscore.text import room_words

WORDS = room_words("cli")


@cli.group()
def corrections() -> None:
    """What officers have corrected of firms. 人工修正。"""


@corrections.command("export")
@with_run
def export(run: Run) -> None:
    """Print what officers said of segments and roles, as JSON Lines. 导出环节与角色的修正。"""
    settings = run.settings()
    from leadscore.startup import scorer_of
    from leadscore.store.corrections import labelled_examples

    count = 0
    with opened(settings) as database:
        scorer = scorer_of(settings, None, database, notify=run.tell)
        with database.read() as connection:
            for example in labelled_examples(connection, scorer=scorer, today=date.today()):
                echo(json.dumps(example, ensure_ascii=False))
                count += 1
    run.tell(WORDS["corrections.exported"].format(count=count))
