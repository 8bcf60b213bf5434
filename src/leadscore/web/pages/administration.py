"""Administration: the audit, jobs and the profile, beside users and keys."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from sqlalchemy import Row

from leadscore.city.profile import City, differ_in_supply_only
from leadscore.city.schema import SUPPLY_SCALE
from leadscore.jobs.kinds import RESCORE
from leadscore.learning.expert import expert_scorecard
from leadscore.learning.modelpage import card_sections
from leadscore.lists.writing import for_spreadsheet
from leadscore.ranking.score import Scorer
from leadscore.registry.models import is_expert
from leadscore.store.audit import page
from leadscore.store.database import Database
from leadscore.store.jobs import (
    OPEN,
    STATES,
    Job,
    State,
    list_jobs,
    open_jobs,
    read_job,
    request_cancel,
)
from leadscore.text import Lang
from leadscore.web.auth import Caller, caller, check_may, requires
from leadscore.web.errors import UnacceptableError
from leadscore.web.idempotent import Act, Answer, noted, written
from leadscore.web.pages import shell
from leadscore.web.pages.administration_users import (
    address,
    asked_number,
    framed,
    key_pages,
    places,
    user_pages,
)
from leadscore.web.pages.forms import remark, whole_number
from leadscore.web.pages.shell import Site, local_path
from leadscore.web.routes.backing import CSV, file_answer
from leadscore.web.routes.gaps import change_supply, check_segment


def is_active(job: Job) -> bool:
    """Tell whether a job will change by itself."""
    return job.state in OPEN


def may_cancel(found: Caller, job: Job) -> bool:
    """Tell whether a job can be stopped, and by whoever asks: their own, or by administrators."""
    allowed = found.may("record") and (found.may("administer") or found.actor == job.submitted_by)
    return allowed and is_active(job) and not job.cancel_requested


_AUDIT = address("audit")
_AUDIT_LINES, _BLOCK = 100, 1000
_FILTERS = ("actor", "action", "since", "until")
_COLUMNS = (
    "sequence", "at", "actor", "role", "action", "object_kind", "object_id", "address", "result",
    "details",
)  # fmt: skip
_WORDS = "administration.acts."


def audit_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/administration/audit`` and the same as a file."""
    access = site.backing.access

    @pages.get("/administration/audit")
    @requires("audit")
    def audit_page() -> Response:
        asked, before = _audit_filters(), asked_number(site, "before")
        with access.database.read() as connection:
            records = page(
                connection, before=before, limit=_AUDIT_LINES + 1, **_audit_query(site, asked)
            )
        rows = records[:_AUDIT_LINES]
        older = {"before": rows[-1].sequence} if len(records) > _AUDIT_LINES else None
        return framed(
            site, "audit", asked=asked, filtered=bool(asked), before=before, rows=rows,
            details_of=_details_words, acts=_acts(site),
            next=older and _address(_AUDIT, asked | older), first=_address(_AUDIT, asked),
            file=_address(f"{_AUDIT}.csv", asked),
        )  # fmt: skip

    @pages.get("/administration/audit.csv")
    @requires("audit")
    def audit_file() -> Response:
        asked = _audit_filters()
        query = _audit_query(site, asked)
        noted(access, "audit.export", details=asked)
        return file_answer(_audit_csv(access.database, query), "audit.csv", CSV)


def _audit_csv(database: Database, query: Mapping[str, Any]) -> Iterator[bytes]:
    # Some records at a time; what is added meanwhile is not among them.
    yield "\ufeff".encode() + _csv([_COLUMNS])
    before: int | None = None
    while True:
        with database.read() as connection:
            rows = page(connection, before=before, limit=_BLOCK, **query)
        if not rows:
            return
        yield _csv([_cells(row) for row in rows])
        before = rows[-1].sequence


def _cells(row: Row[Any]) -> list[str]:
    plain = row._mapping  # noqa: SLF001 (its public name, see SQLAlchemy's documentation)
    told = {**plain, "at": row.at.isoformat()}
    return [for_spreadsheet("" if told[name] is None else str(told[name])) for name in _COLUMNS]


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _audit_filters() -> dict[str, str]:
    given = {name: request.args.get(name, "").strip() for name in _FILTERS}
    return {name: value for name, value in given.items() if value}


def _audit_query(site: Site, asked: Mapping[str, str]) -> dict[str, Any]:
    # As `leadscore.store.audit.page` has it.
    query: dict[str, Any] = {name: asked[name] for name in ("actor", "action") if name in asked}
    if "since" in asked:
        query["since"] = _begin_of(site, asked["since"])
    if "until" in asked:
        query["until"] = _begin_of(site, asked["until"]) + timedelta(days=1)
    return query


def _address(path: str, values: Mapping[str, object]) -> str:
    given = {name: value for name, value in values.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def _begin_of(site: Site, asked: str) -> datetime:
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        raise UnacceptableError(site.words["administration.day_wrong"]) from None
    if not 2000 <= day.year <= 9000:  # moments outside of these can't be turned into UTC
        raise UnacceptableError(site.words["administration.day_wrong"])
    return datetime.combine(day, time()).astimezone()


def _acts(site: Site) -> list[tuple[str, str]]:
    lang = site.lang()
    named = {key: text.pick(lang) for key, text in site.words.items() if key.startswith(_WORDS)}
    names = [key.removeprefix(_WORDS) for key in sorted(named, key=named.__getitem__)]
    return [(name.replace("_", ".", 1), name) for name in names]


def _details_words(details: str) -> str:
    return "; ".join(f"{key} = {_plain(value)}" for key, value in json.loads(details).items())


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def city_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/administration/city`` and the changing of a supply."""
    backing = site.backing

    @pages.get("/administration/city")
    @requires("read")
    def city_page() -> Response:
        present, lang = backing.profiles.current(), site.lang()
        city, may_change = present.city, caller().may("administer")
        edited = city.segments.get(request.args.get("segment", "")) if may_change else None
        with backing.database.read() as connection:
            rescoring = open_jobs(connection, RESCORE)
        manifest = {"scorecard": expert_scorecard(city).to_dict(), "kind": "expert"}
        return framed(
            site, "city", city=city, profile=present, scale=SUPPLY_SCALE.items(), edited=edited,
            card=card_sections(manifest, lang, city), may_change=may_change,
            rescoring=bool(rescoring),
            trained_otherwise=_trained_otherwise(backing.scorer(), city),
        )  # fmt: skip

    @pages.post("/administration/city/<segment>")
    @requires("administer")
    @written(backing.access, "city.supply")
    def change(act: Act, segment: str) -> Answer:
        check_segment(backing, segment)
        percent = whole_number(request.form.get("supply", "").strip(), digits=3)
        reason = remark(site.words["administration.reason_wrong"])
        if percent is None or percent > 100:
            raise UnacceptableError(site.words["administration.supply_wrong"])
        if reason is None:
            raise UnacceptableError(site.words["administration.reason_missing"])
        done = change_supply(
            backing, act, {segment: percent / 100}, seen=request.form.get("seen", ""), reason=reason
        )
        return shell.done(
            address("city"), say="administration.supply_changed", about=done.about,
            details=done.details,
        )  # fmt: skip


def _trained_otherwise(scorer: Scorer, city: City) -> bool:
    # Whether a trained model serves that knows a profile with more than another supply.
    own = scorer.city
    return not is_expert(own.id, scorer.model) and not differ_in_supply_only(own, city)


_JOBS = address("jobs")
_JOB_LINES = 50


def job_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/administration/jobs``."""
    access = site.backing.access

    @pages.get("/administration/jobs")
    @requires("read")
    def jobs_page() -> Response:
        state, before = _asked_state(site), asked_number(site, "before")
        with access.database.read() as connection:
            jobs = list_jobs(
                connection, states=[state] if state else [], before=before, limit=_JOB_LINES + 1
            )
        shown, who = jobs[:_JOB_LINES], caller()
        older = {"state": state, "before": shown[-1].id} if len(jobs) > _JOB_LINES else None
        return framed(
            site, "jobs", rows=[job_line(job, who, site.lang()) for job in shown],
            state=state, before=before, active=any(map(is_active, shown)),
            polled=_address(_JOBS, {"state": state, "before": before}),
            first=_address(_JOBS, {"state": state}), next=older and _address(_JOBS, older),
            by_state={each: _address(_JOBS, {"state": each}) for each in STATES}, everything=_JOBS,
        )  # fmt: skip

    @pages.post("/administration/jobs/<int:id>/cancel")
    @requires("record")
    @written(access, "job.cancel")
    def cancel_job(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        job = read_job(act.connection, id, lock=True)
        if job.submitted_by != act.actor:
            check_may("administer")
        job = request_cancel(act.connection, id, now=act.now)
        way = local_path(request.form.get("next") or _JOBS)
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


def job_line(job: Job, who: Caller, lang: Lang) -> dict[str, Any]:
    """Return a job as the pages show it: how far it is in words, and whether one may stop it."""
    return {
        "job": job,
        "words": job.error["message"][lang] if job.error else job.words and job.words.pick(lang),
        "active": is_active(job),
        "may_cancel": may_cancel(who, job),
    }


def administration_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/administration``, which leads to the first of its pages that one may see."""

    @pages.get("/administration")
    @requires("read")
    def administration() -> Response:
        return shell.go(address(places()[0]))

    for add in (user_pages, key_pages, audit_pages, job_pages, city_pages):
        add(site, pages)
