"""Lets the store follow when a command has changed which model serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadscore.cli.acting import ACTOR, acting
from leadscore.cli.group import Run
from leadscore.console import say
from leadscore.language import Lang, Text

if TYPE_CHECKING:
    from leadscore.learning.shelf import Shelf
    from leadscore.settings import Settings

_SCORES_ANEW = Text(
    zh="库里的企业由任务 {job} 重新评分；leadscore serve 或 leadscore worker 运行时就会执行。",
    en="job {job} scores the firms that are kept anew; leadscore serve or leadscore worker does "
    "it, as soon as it runs.",
)


def let_store_follow(
    run: Run, lang: Lang | None, settings: Settings, shelf: Shelf, city_id: str, *, action: str,
    version: str, details: dict[str, Any],
) -> None:  # fmt: skip
    """Mirror the models, ask for new scores where they are by another model, and say so.

    Nothing is done where nothing was ever kept: the service mirrors the models when it starts.

    Parameters
    ----------
    run, lang
        Of the command.
    settings
        Where the database is.
    shelf
        On which the champion was changed already: whoever has to go back to another model can do
        so when the database is away.
    city_id
        Whose champion.
    action
        What the audit calls it, such as ``model.promote``.
    version
        The model that it is about.
    details
        What more the audit tells.

    Raises
    ------
    StoreError
        If the database can't be used; the same command, given again, makes up for it.
    """
    if settings.database is None and not settings.database_file.exists():
        return
    with acting(run, lang, action) as doing:
        from leadscore.jobs.champions import tell_store

        doing.about, doing.details = ("model", version), details
        job = tell_store(doing.connection, shelf, city_id, by=ACTOR, now=doing.now)
    if job is not None:
        say(_SCORES_ANEW.format(job=job).pick(run.lang))
