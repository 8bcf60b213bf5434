"""The commands about lists that were imported: which there are, and the undoing of an import."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from leadscore.cli.group import ACTOR, Run, audit_trail, cli, opened, with_run
from leadscore.terminal import minute
from leadscore.text import room_words

WORDS = room_words("cli")

_HEADS = ("list", "file", "state", "firms", "by", "at", "undone_by")


@cli.group()
def lists() -> None:
    """Lists that were imported. 已导入的名单。"""


@lists.command("list")
@click.option("--top", type=click.IntRange(1, 500), default=20, help="How many. 列出几份。 [20]")
@with_run
def list_(run: Run, top: int) -> None:
    """List the lists, the newest first. 列出名单，新的在前。"""
    settings = run.settings()
    from leadscore.store.lists import kept_lists

    with opened(settings) as database, database.read() as connection:
        rows = []
        for kept in kept_lists(connection, limit=top):
            counts = kept.counts or {}
            firms = counts.get("ranked", 0) + counts.get("vetoed", 0)
            rows.append([
                str(kept.id), kept.file_name, WORDS[f"lists.state.{kept.state}"].pick(run.lang),
                "" if kept.undone_at else str(firms), kept.uploaded_by, minute(kept.uploaded_at),
                kept.undone_by or "",
            ])  # fmt: skip
    run.say_table([WORDS[f"lists.head.{head}"] for head in _HEADS], rows,
                  nothing=WORDS["lists.none"])  # fmt: skip


@lists.command()
@click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@click.option("--yes", is_flag=True, help="Do it; else it is only said what would be. 确认撤销。")
@with_run
def undo(run: Run, number: int, *, yes: bool) -> None:
    """Undo an import; without --yes only say what would be. 撤销一次导入。"""
    settings = run.settings()
    from leadscore.jobs.tasks import take_list_back
    from leadscore.startup import scorer_of
    from leadscore.store.audit import Record
    from leadscore.store.list_undo import ask_undo, foreseen
    from leadscore.store.lists import read_kept_list

    with opened(settings) as database:
        if not yes:
            with database.read() as connection:
                kept, counts = read_kept_list(connection, number), foreseen(connection, number)
            run.say(WORDS["lists.would"].format(name=kept.file_name, **counts._asdict()))
            return
        scorer = scorer_of(settings, None, database, notify=run.tell)
        trail, now = audit_trail(settings), datetime.now(UTC)
        with database.write() as connection:
            kept = ask_undo(connection, number, actor=ACTOR, now=now)
            about = ("list", str(number))
            trail.append(connection, Record(ACTOR, "administrator", "list.undo", *about), now)
        done = take_list_back(
            database, number, scorer=scorer, trail=trail, clock=lambda: datetime.now(UTC)
        )
    run.say(WORDS["lists.undone"].format(name=kept.file_name, **done._asdict()))
