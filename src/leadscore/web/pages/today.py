"""The page of the day: what is due, what has changed since the last visit, what came true."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from sqlalchemy import Connection

from leadscore.store import board, today
from leadscore.store.firms import count_firms
from leadscore.store.jobs import list_jobs
from leadscore.store.lists import OPEN, kept_lists
from leadscore.web.api import Dependencies
from leadscore.web.auth import caller, requires
from leadscore.web.errors import store_refusals
from leadscore.web.pages import shell
from leadscore.web.pages.firm import segment_names
from leadscore.web.pages.shell import DUE_SOON, TRANSLATIONS

_LISTS_LOOKED_AT = 20
_FAILED_JOBS = 3


def today_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/``."""

    @pages.get("/")
    @requires("signed_in")
    def home() -> Response:
        who, now, day = caller(), dependencies.access.clock(), dependencies.today()
        database, lang = dependencies.database, dependencies.page_lang()
        city = dependencies.scorer().city
        with store_refusals(), database.read() as connection:
            since = today.last_visit(connection, who.actor, now=now)
            values: dict[str, Any] = {
                "firms": count_firms(connection),
                "due": board.due_steps(connection, who.actor, until=day + DUE_SOON),
                "news": today.news_since(connection, since, who.actor),
                "came_true": today.came_true(connection, today=day),
                **_imports(connection),
            }
        database.note(lambda connection: today.note_visit(connection, who.actor, now=now))
        return shell.page(
            dependencies, "today.html", title=TRANSLATIONS["today.title"], since=since, today=day,
            soon=day + DUE_SOON, city=city.name, segment_names=segment_names(city, lang),
            may_record=who.may("record"), **values,
        )  # fmt: skip


def _imports(connection: Connection) -> dict[str, Any]:
    # Lists that are being read, and what failed of late.
    lists = kept_lists(connection, limit=_LISTS_LOOKED_AT)
    failed = list_jobs(connection, states=["failed"], limit=_FAILED_JOBS)
    of_lists = {each.job_id for each in lists}
    return {
        "reading": [each for each in lists if each.state in OPEN],
        "failed_lists": [each for each in lists[:_FAILED_JOBS] if each.state == "failed"],
        "failed_jobs": [
            job for job in failed if job.id not in of_lists and job.kind != "import_list"
        ],
    }  # fmt: skip
