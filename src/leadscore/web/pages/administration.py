"""Administration: the audit, jobs and the profile, beside users and keys."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from sqlalchemy import Row

from leadscore.city.profile import SUPPLY_SCALE, City, differ_in_supply_only
from leadscore.city.versions import Change, ProfileVersion
from leadscore.features.catalogue import CATALOGUE
from leadscore.jobs.kinds import RESCORE
from leadscore.learning.expert import expert_scorecard
from leadscore.lists.writing import for_spreadsheet
from leadscore.numbers import moment, share
from leadscore.ranking.score import Scorer
from leadscore.registry.models import is_expert
from leadscore.report import card_sections
from leadscore.store.audit import page
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
from leadscore.web.pages.shell import local_path
from leadscore.web.routes.backing import CSV, file_answer
from leadscore.web.routes.gaps import change_supply, check_segment

if TYPE_CHECKING:
    from leadscore.store.database import Database
    from leadscore.web.pages.shell import Site


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


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the address asks for, as texts, and as `leadscore.store.audit.page` has it."""

    values: Mapping[str, str]
    query: Mapping[str, Any]

    def address(self, path: str = _AUDIT, **more: object) -> str:
        kept = {**self.values, **more}
        return f"{path}?{urlencode(kept)}" if kept else path


def audit_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/administration/audit`` and the same as a file."""
    access = site.backing.access

    @pages.get("/administration/audit")
    @requires("audit")
    def audit_page() -> Response:
        asked, before = _asked(site), asked_number(site, "before")
        with access.database.read() as connection:
            found = page(connection, before=before, limit=_AUDIT_LINES + 1, **asked.query)
        rows, lang = found[:_AUDIT_LINES], site.lang()
        more = len(found) > _AUDIT_LINES
        return framed(
            site, "audit", asked=asked.values, filtered=bool(asked.values), before=before,
            rows=[_audit_line(row, site, lang) for row in rows], acts=_acts(site),
            next=asked.address(before=rows[-1].sequence) if more else None,
            first=asked.address(), file=asked.address(f"{_AUDIT}.csv"),
        )  # fmt: skip

    @pages.get("/administration/audit.csv")
    @requires("audit")
    def audit_file() -> Response:
        asked = _asked(site)
        noted(access, "audit.export", details=dict(asked.values))
        return file_answer(_written(access.database, asked), "audit.csv", CSV)


def _written(database: Database, asked: _Asked) -> Iterator[bytes]:
    """Yield the records as CSV, some at a time; what is added meanwhile is not among them."""
    yield "\ufeff".encode() + _csv([_COLUMNS])
    before: int | None = None
    while True:
        with database.read() as connection:
            rows = page(connection, before=before, limit=_BLOCK, **asked.query)
        if not rows:
            return
        yield _csv([_cells(row) for row in rows])
        before = rows[-1].sequence


def _cells(row: Row[Any]) -> list[str]:
    plain = row._mapping  # noqa: SLF001 (its public name, see SQLAlchemy's documentation)
    told = {**plain, "at": row.at.isoformat()}
    return [for_spreadsheet("" if told[name] is None else str(told[name])) for name in _COLUMNS]


def _csv(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _asked(site: Site) -> _Asked:
    values = {name: request.args.get(name, "").strip() for name in _FILTERS}
    values = {name: value for name, value in values.items() if value}
    query: dict[str, Any] = {k: v for k, v in values.items() if k in ("actor", "action")}
    if "since" in values:
        query["since"] = _begin_of(site, values["since"])
    if "until" in values:
        query["until"] = _begin_of(site, values["until"]) + timedelta(days=1)
    return _Asked(values, query)


def _begin_of(site: Site, asked: str) -> datetime:
    """Return the first moment of a day here."""
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        raise UnacceptableError(site.words["administration.day_wrong"]) from None
    if not 2000 <= day.year <= 9000:  # moments outside of these can't be turned into UTC
        raise UnacceptableError(site.words["administration.day_wrong"])
    return datetime.combine(day, time()).astimezone()


def _acts(site: Site) -> list[tuple[str, str]]:
    """Return the acts that have words, each with the last part of their key, by these words."""
    lang = site.lang()
    named = {key: text.pick(lang) for key, text in site.words.items() if key.startswith(_WORDS)}
    names = [key.removeprefix(_WORDS) for key in sorted(named, key=named.__getitem__)]
    return [(name.replace("_", ".", 1), name) for name in names]


def _audit_line(row: Row[Any], site: Site, lang: Lang) -> dict[str, Any]:
    act = row.action.replace(".", "_")
    details = json.loads(row.details)
    return {
        "row": row,
        "at": moment(row.at, lang),
        "act": act if _WORDS + act in site.words else None,
        "details": "; ".join(f"{key} = {_plain(value)}" for key, value in details.items()),
    }


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def city_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/administration/city`` and the changing of a supply."""
    backing = site.backing

    @pages.get("/administration/city")
    @requires("read")
    def city_page() -> Response:
        present, lang = backing.profiles.current(), site.lang()
        city = present.city
        with backing.database.read() as connection:
            rescoring = open_jobs(connection, RESCORE)
        manifest = {"scorecard": expert_scorecard(city).to_dict(), "kind": "expert"}
        return framed(
            site, "city", city=city, name=city.name.pick(lang), digest=city.digest[:12],
            statement=city.statement, statement_title=city.statement.title.pick(lang),
            issuer=city.statement.issuer.pick(lang), chains=_chains(city, lang),
            roles=[(_role(role, lang), share) for role, share in city.roles.items()],
            neighbours=_neighbours(city, lang), card=card_sections(manifest, lang, city),
            profile=present, seen=city.digest, changes=_changes(present, lang),
            scale=SUPPLY_SCALE.items(), edited=_edited(site, city, lang),
            may_change=caller().may("administer"), rescoring=bool(rescoring),
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
    """Tell whether a trained model serves that knows a profile with more than another supply."""
    own = scorer.city
    return not is_expert(own.id, scorer.model) and not differ_in_supply_only(own, city)


def _chains(city: City, lang: Lang) -> list[dict[str, Any]]:
    return [
        {
            "id": chain.id,
            "name": chain.name.pick(lang),
            "segments": [
                {
                    "id": segment.id,
                    "name": segment.name.pick(lang),
                    "position": segment.position,
                    "supply": segment.supply,
                    "near": city.neighbour_supply(segment.id),
                    "gap": city.gap(segment.id),
                    "sought": segment.sought,
                    "anchors": len(city.anchors_of(segment.id)),
                }
                for segment in chain.segments
            ],
        }
        for chain in city.chains
    ]


def _edited(site: Site, city: City, lang: Lang) -> dict[str, Any] | None:
    """Return the segment that the address names, as its form shows it to who may change it."""
    segment = city.segments.get(request.args.get("segment", ""))
    if segment is None or not caller().may("administer"):
        return None
    quoted = site.words["administration.quoted"].pick(lang)
    separator = "、" if lang == "zh" else ", "
    return {
        "id": segment.id,
        "chain": segment.chain_id,
        "name": segment.name.pick(lang),
        "percent": round(100 * segment.supply),
        "near": city.neighbour_supply(segment.id),
        "anchors": separator.join(each.label.pick(lang) for each in city.anchors_of(segment.id)),
        "grounds": [
            each.note or quoted.format(section=each.section, quote=each.quote)
            for each in segment.evidence
        ],
    }


def _changes(present: ProfileVersion, lang: Lang) -> list[dict[str, Any]]:
    """Return the changes that were made, the newest first."""
    return [_change(present, change, lang) for change in reversed(present.changes)]


def _change(present: ProfileVersion, change: Change, lang: Lang) -> dict[str, Any]:
    segments = present.city.segments
    return {
        "number": change.number,
        "who": change.by,
        "when": moment(change.at, lang),
        "steps": [
            (segments[key].name.pick(lang) if key in segments else key, step.before, step.after)
            for key, step in change.supply.items()
        ],
        "reason": change.reason,
        "idle": change.number in present.idle,
    }


def _neighbours(city: City, lang: Lang) -> list[tuple[str, str]]:
    separator = "、" if lang == "zh" else ", "
    return [
        (
            neighbour.name.pick(lang),
            separator.join(
                f"{city.segments[each.segment].name.pick(lang)} {share(each.supply)}"
                for each in neighbour.delivers
            ),
        )
        for neighbour in city.neighbours
    ]


def _role(role: str, lang: Lang) -> str:
    named = CATALOGUE["role"].levels.get(role)
    return named.pick(lang) if named else role


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
            found = list_jobs(
                connection, states=[state] if state else [], before=before, limit=_JOB_LINES + 1
            )
        shown, lang = found[:_JOB_LINES], site.lang()
        more = len(found) > _JOB_LINES
        return framed(
            site, "jobs", rows=[_job_line(job, site, lang) for job in shown], states=STATES,
            state=state, before=before, active=any(is_active(job) for job in shown),
            polled=_address(state, before), first=_address(state, None),
            next=_address(state, shown[-1].id) if more else None,
            by_state={each: _address(each, None) for each in STATES}, everything=_JOBS,
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


def _address(state: str | None, before: int | None) -> str:
    values = {"state": state, "before": before}
    kept = {name: value for name, value in values.items() if value}
    return f"{_JOBS}?{urlencode(kept)}" if kept else _JOBS


def _job_line(job: Job, site: Site, lang: Lang) -> dict[str, Any]:
    return {
        "job": job,
        "named": f"administration.kinds.{job.kind}" in site.words,
        "words": job.error["message"][lang] if job.error else job.words and job.words.pick(lang),
        "asked": moment(job.submitted_at, lang),
        "ended": moment(job.ended_at, lang) if job.ended_at else None,
        "active": is_active(job),
        "may_cancel": may_cancel(caller(), job),
    }


def administration_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/administration``, which leads to the first of its pages that one may see."""

    @pages.get("/administration")
    @requires("read")
    def administration() -> Response:
        return shell.go(address(places()[0]))

    for add in (user_pages, key_pages, audit_pages, job_pages, city_pages):
        add(site, pages)
