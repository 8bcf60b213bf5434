"""What is done with many firms at once: select, export, act, look at what came of it, undo."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from leadscore.errors import Detail
from leadscore.lists.values.words import STAGES
from leadscore.store import bulk, shortlists
from leadscore.store import ranking as stored
from leadscore.store.jobs import read_job
from leadscore.web.api import Dependencies
from leadscore.web.auth import caller, requires
from leadscore.web.errors import InvalidRequestError, store_refusals
from leadscore.web.idempotent import Act, Answer, noted, written
from leadscore.web.pages import shell
from leadscore.web.pages.ranking import (
    LONGEST_QUERY,
    USUAL_COLUMNS,
    file_columns,
    given_name,
    pairs_of,
    read_columns,
    understood,
)
from leadscore.web.pages.shell import HOME, LONGEST_REASON, TRANSLATIONS, local_path, whole_number
from leadscore.web.routes.bulk import begun, bulk_answer, noted_act
from leadscore.web.routes.ranking import FileKind, ranking_file


def bulk_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add what the forms under the ranking ask for, and ``/ranking/acts/<id>``."""
    access = dependencies.access
    _files(dependencies, pages)
    _acts(dependencies, pages)

    @pages.post("/ranking/selections")
    @requires("record")
    @written(access, "selection.add")
    def select_all(act: Act) -> Answer:
        query = request.form.get("query", "")
        if len(query) > LONGEST_QUERY:
            raise InvalidRequestError(TRANSLATIONS["ranking.acts.long_query"])
        asked, meant = understood(pairs_of(query))
        selection = bulk.select_firms(act.connection, meant.asked(), owner=act.actor, now=act.now)
        way = asked.with_("selection", str(selection.id))
        return shell.done(way, "selection", selection.id, firms=selection.total)

    @pages.get("/ranking/acts/<int:id>")
    @requires("read")
    def bulk_result(id: int) -> Response:  # noqa: A002 (as the address has it)
        with store_refusals(), dependencies.database.read() as connection:
            act = bulk.read_act(connection, id)
            job = act.job_id and read_job(connection, act.job_id)
            answer = bulk_answer(connection, act, dependencies.page_lang())
        return shell.page(
            dependencies, "bulk.html", title=TRANSLATIONS["bulk.title"], act=act, answer=answer,
            counts=answer["counts"], job=job, back=local_path(request.args.get("next")),
            may_record=caller().may("record"),
        )  # fmt: skip

    @pages.post("/ranking/acts/<int:id>/undo")
    @requires("record")
    @written(access, "bulk.undo")
    def undo_many(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        return _shown(act, bulk.undo_act(
            act.connection, id, by=act.actor, now=act.now, today=dependencies.today()
        ))  # fmt: skip

    @pages.post("/ranking/acts/<int:id>/again")
    @requires("record")
    @written(access, "bulk.act")
    def act_again(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        return _shown(act, bulk.repeat_act(
            act.connection, id, by=act.actor, now=act.now, today=dependencies.today()
        ))  # fmt: skip

    @pages.post("/ranking/shortlists/<int:id>/delete")
    @requires("record")
    @written(access, "shortlist.delete")
    def delete_shortlist(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        shortlists.drop_shortlist(act.connection, id)
        return shell.done(HOME, "shortlist", id, say="ranking.acts.shortlist_deleted")


def _acts(dependencies: Dependencies, pages: Blueprint) -> None:
    access = dependencies.access

    @pages.post("/ranking/acts")
    @requires("record")
    @written(access, "bulk.act")
    def act_on_many(act: Act) -> Answer:
        named = request.form.get("act")
        kind = next((kind for kind in bulk.BULK_KINDS if kind == named), None)
        if kind is None:
            raise InvalidRequestError(TRANSLATIONS["bulk.choose_act"])
        selection, firms = _chosen()
        arguments = _arguments(act, kind)
        done = begun(dependencies, act, kind, arguments, selection=selection, firms=firms)
        return _shown(act, done)


def _files(dependencies: Dependencies, pages: Blueprint) -> None:

    @pages.post("/ranking/export")
    @requires("read")
    def export_chosen() -> Response:
        (selection, firms), form = _chosen(), request.form
        kind: FileKind = "csv" if form.get("format") == "csv" else "xlsx"
        sorts = (sort for sort in stored.SORTS if sort == form.get("sort"))
        columns = read_columns(form.get("columns"))
        meant = stored.RankingFilter.of(
            list_id=list(filter(None, map(whole_number, form.getlist("list")))), firms=firms
        )
        total = len(firms)
        if selection is not None:
            with store_refusals(), dependencies.database.read() as connection:
                total = bulk.read_selection(
                    connection, selection, owner=caller().actor, now=dependencies.access.clock()
                ).total
            meant = stored.RankingFilter.of(selection=selection)
        noted(dependencies.access, "ranking.export", details={"format": kind, "firms": total})
        return ranking_file(
            dependencies, kind, meant,
            sort=next(sorts, "-priority"), lang=dependencies.page_lang(),
            columns=file_columns(USUAL_COLUMNS if columns is None else columns).split(","),
        )  # fmt: skip


def _arguments(act: Act, kind: bulk.BulkKind) -> dict[str, Any]:
    form = request.form
    arguments: dict[str, Any] = {
        "stage": form.get("stage", ""), "day": form.get("day", "").strip(),
        "reason": _reason("why" if kind == "stage" else "reason"),
        "owner": form.get("owner", "").strip() or None,
        "shortlist": whole_number(form.get("shortlist", "")),
    }  # fmt: skip
    if kind == "exclude" and arguments["reason"] is None:
        raise InvalidRequestError(TRANSLATIONS["ranking.acts.give_reason"])
    if kind == "stage":
        _check_stage(arguments)
    # A new name goes before the one that the menu happens to show.
    named = kind == "add" and form.get("name", "").strip()
    if named or (kind == "add" and arguments["shortlist"] is None):
        arguments["shortlist"] = shortlists.shortlist_named(
            act.connection, given_name(), actor=act.actor, now=act.now
        )
    return arguments


def _chosen() -> tuple[int | None, list[int]]:
    # A selection, or at least one firm.
    selection = whole_number(request.form.get("selection", ""))
    if selection is not None:
        return selection, []
    given = (whole_number(text) for text in request.form.getlist("firm"))
    firms = {number for number in given if number is not None}
    if not firms:
        raise InvalidRequestError(TRANSLATIONS["ranking.acts.choose_firms"])
    if len(firms) > stored.LONGEST_PAGE:
        wanted = TRANSLATIONS["ranking.acts.fewer_firms"].format(most=stored.LONGEST_PAGE)
        raise InvalidRequestError(wanted, [Detail("firm", str(len(firms)), wanted)])
    return None, sorted(firms)


def _reason(field: str) -> str | None:
    text = request.form.get(field, "").replace("\0", "").strip()
    if len(text) > LONGEST_REASON:
        message = TRANSLATIONS["firm.acts.long_reason"]
        raise InvalidRequestError(message.format(most=LONGEST_REASON))
    return text or None


def _check_stage(arguments: dict[str, Any]) -> None:
    if arguments["stage"] not in STAGES:
        raise InvalidRequestError(TRANSLATIONS["firm.acts.choose_stage"])
    if not arguments["day"]:
        raise InvalidRequestError(TRANSLATIONS["firm.acts.choose_day"])
    if arguments["stage"] == "lost" and arguments["reason"] is None:
        raise InvalidRequestError(TRANSLATIONS["bulk.why_lost"])


def _shown(act: Act, done: bulk.BulkAct) -> Answer:
    way = f"{HOME}/acts/{done.id}"
    if back := request.form.get("next"):
        way += f"?{urlencode({'next': local_path(back)})}"
    return shell.done(way, "firms", done.total, **noted_act(act.connection, done))
