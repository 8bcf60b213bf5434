"""The jobs: how far each is, what came of it, and a way to stop one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from leadscore.language import Lang
from leadscore.store.jobs.jobs import STATES, Job, State, list_jobs, read_job, request_cancel
from leadscore.web.access.callers import caller, check_may
from leadscore.web.access.permissions import requires
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.administration_frame import address, asked_number, framed
from leadscore.web.pages.job_states import is_active, may_cancel
from leadscore.web.pages.local_paths import local_path
from leadscore.web.pages.moments import moment
from leadscore.web.store_refusals import UnacceptableError

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site

_HERE = address("jobs")
_LINES = 50


def job_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/administration/jobs``."""
    access = site.backing.access

    @pages.get("/administration/jobs")
    @requires("read")
    def jobs_page() -> Response:
        state, before = _asked_state(site), asked_number(site, "before")
        with access.database.read() as connection:
            found = list_jobs(
                connection, states=[state] if state else [], before=before, limit=_LINES + 1
            )
        shown, lang = found[:_LINES], site.lang()
        more = len(found) > _LINES
        return framed(
            site, "jobs", rows=[_line(job, site, lang) for job in shown], states=STATES,
            state=state, before=before, active=any(is_active(job) for job in shown),
            polled=_address(state, before), first=_address(state, None),
            next=_address(state, shown[-1].id) if more else None,
            by_state={each: _address(each, None) for each in STATES}, everything=_HERE,
        )  # fmt: skip

    @pages.post("/administration/jobs/<int:id>/cancel")
    @requires("record")
    @written(access, "job.cancel")
    def cancel_job(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        job = read_job(act.connection, id, lock=True)
        if job.submitted_by != act.actor:
            check_may("administer")
        job = request_cancel(act.connection, id, now=act.now)
        way = local_path(request.form.get("next") or _HERE)
        return shell.done(
            way, say="administration.cancel_asked", about=("job", str(id)),
            details={"kind": job.kind},
        )  # fmt: skip


def _asked_state(site: Site) -> State | None:
    asked = request.args.get("state", "")
    if not asked:
        return None
    if asked not in STATES:
        raise UnacceptableError(site.words["administration.place_wrong"])
    return asked


def _address(state: str | None, before: int | None) -> str:
    values = {"state": state, "before": before}
    kept = {name: value for name, value in values.items() if value}
    return f"{_HERE}?{urlencode(kept)}" if kept else _HERE


def _line(job: Job, site: Site, lang: Lang) -> dict[str, Any]:
    return {
        "job": job,
        "named": f"administration.kinds.{job.kind}" in site.words,
        "words": job.error["message"][lang] if job.error else job.words and job.words.pick(lang),
        "asked": moment(job.submitted_at, lang),
        "ended": moment(job.ended_at, lang) if job.ended_at else None,
        "active": is_active(job),
        "may_cancel": may_cancel(caller(), job),
    }
