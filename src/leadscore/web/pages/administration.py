"""Administration: users, keys, the audit, jobs, and the profile of the city."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import Row

from leadscore.city.profile import SUPPLY_SCALE, City, differ_in_supply_only
from leadscore.learning.expert import expert_scorecard
from leadscore.lists.writing import for_spreadsheet
from leadscore.ranking.score import Scorer
from leadscore.registry.manifest import Manifest
from leadscore.registry.models import is_expert
from leadscore.report import card_sections
from leadscore.store import api_keys, sessions, users
from leadscore.store import jobs as store_jobs
from leadscore.store.audit import page
from leadscore.store.current_ranking import refresh_lost
from leadscore.store.database import Database
from leadscore.store.models import RESCORE
from leadscore.store.office import MOST_MONTHS, Office, Readers, change_office, read_office
from leadscore.text import Lang, Text
from leadscore.web.api import Dependencies
from leadscore.web.auth import Caller, Permission, caller, check_may, link_path, requires
from leadscore.web.errors import InvalidRequestError
from leadscore.web.idempotent import Act, Answer, noted, written
from leadscore.web.openapi import Payload, plain_mistakes
from leadscore.web.pages import shell
from leadscore.web.pages.shell import (
    TRANSLATIONS,
    ignore,
    local_path,
    number_asked,
    remark,
    whole_number,
)
from leadscore.web.routes.gaps import change_supply, check_segment
from leadscore.web.routes.payloads import CSV, file_answer

_PARTS: tuple[tuple[str, Permission], ...] = (
    ("users", "administer"),
    ("keys", "administer"),
    ("audit", "audit"),
    ("jobs", "read"),
    ("city", "read"),
    ("office", "administer"),
)
_Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^\w[\w.@-]*$")]
"""What a form takes for the name of a user or a key."""
_Form = TypeVar("_Form", bound=BaseModel)


def _places() -> list[str]:
    who = caller()
    return [name for name, permission in _PARTS if who.may(permission)]


def _framed(dependencies: Dependencies, place: str, **values: Any) -> Response:
    return shell.page(
        dependencies, f"administration_{place}.html", title=TRANSLATIONS["administration.title"],
        place=place, places=_places(), **values,
    )  # fmt: skip


def _shown_once(
    dependencies: Dependencies,
    place: str,
    keys: tuple[str, str],
    name: str,
    secret: str,
    **answer: Any,
) -> Answer:
    heading, says = (TRANSLATIONS[key] for key in keys)
    page = shell.page(
        dependencies, "administration_secret.html", title=heading.format(name=name),
        says=says.pick(dependencies.page_lang()), secret=secret, back=f"/administration/{place}",
    )  # fmt: skip
    again = Answer(status=303, headers={"Location": f"/administration/{place}?again=yes"})
    return Answer(page.get_data(as_text=True), again=again, **answer)


def _read_form(kind: type[_Form]) -> _Form:
    given = {name: request.form.get(name, "") for name in kind.model_fields}
    try:
        return kind.model_validate_strings({k: v for k, v in given.items() if v != ""})
    except ValidationError as fault:
        details = plain_mistakes(fault).details
        said = Text(
            zh="；".join(f"{each.where}：{each.wanted.zh}" for each in details),
            en="; ".join(f"{each.where}: {each.wanted.en}" for each in details),
        )
        message = TRANSLATIONS["administration.wrong"].format(places=said)
        raise InvalidRequestError(message, details) from fault


def administration_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/administration``, which leads to the first of its pages that one may see."""

    @pages.get("/administration")
    @requires("read")
    def administration() -> Response:
        return shell.go(f"/administration/{_places()[0]}")

    for add in (_user_pages, _key_pages, _audit_pages, _job_pages, _city_pages, _office_pages):
        add(dependencies, pages)


class _NewUser(Payload):
    """Somebody to invite."""

    name: _Name
    role: users.Role


class _UserChange(Payload):
    """What is to change; what isn't named stays."""

    role: users.Role | None = None
    disabled: bool | None = None


def _user_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    access = dependencies.access

    @pages.get("/administration/users")
    @requires("administer")
    def list_users() -> Response:
        with access.database.read() as connection:
            everybody = users.everybody(connection)
        return _framed(
            dependencies, "users", users=everybody, now=access.clock(), roles=users.ROLES,
            again="again" in request.args,
        )  # fmt: skip

    @pages.post("/administration/users")
    @requires("administer")
    @written(access, "user.add")
    def invite(act: Act) -> Answer:
        asked = _read_form(_NewUser)
        token = users.add(act.connection, asked.name, asked.role, by=act.actor, now=act.now)
        return _link(dependencies, users.get(act.connection, asked.name), token)

    @pages.post("/administration/users/<name>/change")
    @requires("administer")
    @written(access, "user.change")
    def change_user(act: Act, name: str) -> Answer:
        asked = _read_form(_UserChange)
        user = users.change(act.connection, name, role=asked.role, disabled=asked.disabled)
        if user.state == "disabled":
            sessions.end_all(act.connection, user.name)
        details = asked.model_dump(exclude_none=True)
        say = "administration.user_changed"
        return shell.done("/administration/users", "user", user.name, say=say, **details)

    @pages.post("/administration/users/<name>/link")
    @requires("administer")
    @written(access, "user.link")
    def renew_link(act: Act, name: str) -> Answer:
        token = users.renew_link(act.connection, name, now=act.now)
        return _link(dependencies, users.get(act.connection, name), token)


def _link(dependencies: Dependencies, user: users.User, token: str) -> Answer:
    whole = request.url_root.rstrip("/") + link_path(token)
    return _shown_once(
        dependencies, "users", ("administration.link_for", "administration.link_says"), user.name,
        whole, about=("user", user.name), details={"role": user.role},
    )  # fmt: skip


class _NewKey(Payload):
    """A key to make."""

    name: _Name
    role: users.Role
    days: int = Field(default=api_keys.DAYS, ge=1, le=api_keys.MOST_DAYS)


def _key_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    access = dependencies.access

    @pages.get("/administration/keys")
    @requires("administer")
    def list_keys() -> Response:
        with access.database.read() as connection:
            keys = api_keys.all_keys(connection)
        return _framed(
            dependencies, "keys", keys=keys, now=access.clock(), roles=users.ROLES,
            again="again" in request.args, days=api_keys.DAYS, most_days=api_keys.MOST_DAYS,
        )  # fmt: skip

    @pages.post("/administration/keys")
    @requires("administer")
    @written(access, "key.add")
    def add_key(act: Act) -> Answer:
        asked = _read_form(_NewKey)
        secret = api_keys.add(
            act.connection, asked.name, asked.role, by=act.actor, now=act.now, days=asked.days
        )
        key = api_keys.get(act.connection, asked.name)
        return _shown_once(
            dependencies, "keys", ("administration.key_for", "administration.key_says"), key.name,
            secret, about=("key", key.name), details={"role": asked.role, "days": asked.days},
        )  # fmt: skip

    @pages.post("/administration/keys/<name>/revoke")
    @requires("administer")
    @written(access, "key.revoke")
    def revoke_key(act: Act, name: str) -> Answer:
        key = api_keys.revoke(act.connection, name, now=act.now)
        return shell.done("/administration/keys", "key", key.name, say="administration.key_revoked")


_AUDIT = "/administration/audit"
_AUDIT_LINES, _BLOCK = 100, 1000
_FILTERS = ("actor", "action", "since", "until")
_COLUMNS = (
    "sequence", "at", "actor", "role", "action", "object_kind", "object_id", "address", "result",
    "details",
)  # fmt: skip
_WORDS = "administration.acts."


def _audit_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    access = dependencies.access

    @pages.get("/administration/audit")
    @requires("audit")
    def audit_page() -> Response:
        asked, before = _readable_filters(), number_asked("before")
        with access.database.read() as connection:
            records = page(connection, before=before, limit=_AUDIT_LINES + 1, **_audit_query(asked))
        rows = records[:_AUDIT_LINES]
        older = {"before": rows[-1].sequence} if len(records) > _AUDIT_LINES else None
        return _framed(
            dependencies, "audit", asked=asked, filtered=bool(asked), before=before, rows=rows,
            details_of=_details_words, acts=_acts(dependencies),
            next=older and _address(_AUDIT, asked | older), first=_address(_AUDIT, asked),
            file=_address(f"{_AUDIT}.csv", asked),
        )  # fmt: skip

    @pages.get("/administration/audit.csv")
    @requires("audit")
    def audit_file() -> Response:
        asked = _audit_filters()
        query = _audit_query(asked)
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
    values = [row.at.isoformat() if name == "at" else getattr(row, name) for name in _COLUMNS]
    return [for_spreadsheet("" if value is None else str(value)) for value in values]


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _audit_filters() -> dict[str, str]:
    given = {name: request.args.get(name, "").strip() for name in _FILTERS}
    return {name: value for name, value in given.items() if value}


def _readable_filters() -> dict[str, str]:
    # A page leaves a day out that is none; a file of more than was asked for would mislead.
    asked = _audit_filters()
    for name in ("since", "until"):
        try:
            _audit_query({name: asked[name]} if name in asked else {})
        except InvalidRequestError:
            ignore(name, asked.pop(name), TRANSLATIONS["shell.a_day"])
    return asked


def _audit_query(asked: Mapping[str, str]) -> dict[str, Any]:
    # As `leadscore.store.audit.page` has it.
    query: dict[str, Any] = {name: asked[name] for name in ("actor", "action") if name in asked}
    if "since" in asked:
        query["since"] = _begin_of(asked["since"])
    if "until" in asked:
        query["until"] = _begin_of(asked["until"]) + timedelta(days=1)
    return query


def _address(path: str, values: Mapping[str, object]) -> str:
    given = {name: value for name, value in values.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def _begin_of(asked: str) -> datetime:
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        day = date.min
    if not 2000 <= day.year <= 9000:  # moments outside of these can't be turned into UTC
        raise InvalidRequestError(TRANSLATIONS["administration.day_wrong"])
    return datetime.combine(day, time()).astimezone()


def _acts(dependencies: Dependencies) -> list[tuple[str, str]]:
    lang = dependencies.page_lang()
    named = {key: text.pick(lang) for key, text in TRANSLATIONS.items() if key.startswith(_WORDS)}
    names = [key.removeprefix(_WORDS) for key in sorted(named, key=named.__getitem__)]
    return [(name.replace("_", ".", 1), name) for name in names]


def _details_words(details: str) -> str:
    return "; ".join(f"{key} = {_plain(value)}" for key, value in json.loads(details).items())


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _city_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    @pages.get("/administration/city")
    @requires("read")
    def city_page() -> Response:
        present, lang = dependencies.profiles.current(), dependencies.page_lang()
        city, may_change = present.city, caller().may("administer")
        named = request.args.get("segment", "")
        edited = city.segments.get(named) if may_change else None
        if named and named not in city.segments:
            ignore("segment", named, TRANSLATIONS["shell.wanted.segment"])
        with dependencies.database.read() as connection:
            rescoring = store_jobs.open_jobs(connection, RESCORE)
        card = expert_scorecard(city).to_dict()
        manifest = Manifest.of({"scorecard": card, "kind": "expert"})
        return _framed(
            dependencies, "city", city=city, profile=present, scale=SUPPLY_SCALE.items(),
            edited=edited, card=card_sections(manifest, lang, city), may_change=may_change,
            rescoring=bool(rescoring),
            trained_otherwise=_trained_otherwise(dependencies.scorer(), city),
        )  # fmt: skip

    @pages.post("/administration/city/<segment>")
    @requires("administer")
    @written(dependencies.access, "city.supply")
    def change(act: Act, segment: str) -> Answer:
        check_segment(dependencies, segment)
        percent = whole_number(request.form.get("supply", "").strip(), digits=3)
        reason = remark(TRANSLATIONS["administration.reason_wrong"])
        if percent is None or percent > 100:
            raise InvalidRequestError(TRANSLATIONS["administration.supply_wrong"])
        if reason is None:
            raise InvalidRequestError(TRANSLATIONS["administration.reason_missing"])
        done = change_supply(
            dependencies, act, {segment: percent / 100}, seen=request.form.get("seen", ""),
            reason=reason,
        )  # fmt: skip
        say = "administration.supply_changed"
        return shell.done("/administration/city", *done.about, say=say, **done.details)


def _trained_otherwise(scorer: Scorer, city: City) -> bool:
    # Whether a trained model serves that knows a profile with more than another supply.
    own = scorer.city
    return not is_expert(own.id, scorer.model) and not differ_in_supply_only(own, city)


class _NewOffice(Payload):
    """What is settled."""

    rest_months: int = Field(ge=0, le=MOST_MONTHS)
    notes_read_by: Readers
    notes_months: int = Field(ge=0, le=MOST_MONTHS)


def _office_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    @pages.get("/administration/office")
    @requires("administer")
    def office_page() -> Response:
        with dependencies.database.read() as connection:
            office = read_office(connection)
        return _framed(dependencies, "office", office=office, most=MOST_MONTHS)

    @pages.post("/administration/office")
    @requires("administer")
    @written(dependencies.access, "office.change")
    def settle(act: Act) -> Answer:
        asked = Office(**_read_form(_NewOffice).model_dump())
        changed = change_office(act.connection, asked, actor=act.actor, now=act.now)
        if "rest_months" in changed:
            refresh_lost(act.connection, now=act.now)
        say = "administration.office_changed" if changed else "administration.office_same"
        return shell.done("/administration/office", "office", "office", say=say, **changed)


_JOBS = "/administration/jobs"
_JOB_LINES = 50


def _job_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    access = dependencies.access

    @pages.get("/administration/jobs")
    @requires("read")
    def jobs_page() -> Response:
        state, before = _asked_state(), number_asked("before")
        with access.database.read() as connection:
            jobs = store_jobs.list_jobs(
                connection, states=[state] if state else [], before=before, limit=_JOB_LINES + 1
            )
        shown = jobs[:_JOB_LINES]
        rows = [job_line(job, caller(), dependencies.page_lang()) for job in shown]
        older = {"state": state, "before": shown[-1].id} if len(jobs) > _JOB_LINES else None
        return _framed(
            dependencies, "jobs",
            rows=rows, state=state, before=before, active=any(row["active"] for row in rows),
            polled=_address(_JOBS, {"state": state, "before": before}),
            first=_address(_JOBS, {"state": state}), next=older and _address(_JOBS, older),
            by_state={each: _address(_JOBS, {"state": each}) for each in store_jobs.STATES},
            everything=_JOBS,
        )  # fmt: skip

    @pages.post("/administration/jobs/<int:id>/cancel")
    @requires("record")
    @written(access, "job.cancel")
    def cancel_job(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        job = store_jobs.read_job(act.connection, id, lock=True)
        if job.submitted_by != act.actor:
            check_may("administer")
        job = store_jobs.request_cancel(act.connection, id, now=act.now)
        way = local_path(request.form.get("next") or _JOBS)
        return shell.done(way, "job", id, say="administration.cancel_asked", kind=job.kind)


def _asked_state() -> store_jobs.State | None:
    asked = request.args.get("state", "")
    for state in store_jobs.STATES:
        if state == asked:
            return state
    if asked:
        states = ", ".join(store_jobs.STATES)
        ignore("state", asked, TRANSLATIONS["shell.one_of"].format(values=states))
    return None


def job_line(job: store_jobs.Job, who: Caller, lang: Lang) -> dict[str, Any]:
    """Return a job with what is said of it, and whether somebody may stop it.

    Their own they may, and administrators any.
    """
    active = job.state in store_jobs.OPEN
    allowed = who.may("record") and (who.may("administer") or who.actor == job.submitted_by)
    return {
        "job": job,
        "words": job.error["message"][lang] if job.error else job.words and job.words.pick(lang),
        "active": active,
        "may_cancel": allowed and active and not job.cancel_requested,
    }
