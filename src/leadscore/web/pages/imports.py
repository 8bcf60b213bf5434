"""Import: a file is looked at before anything of it is kept, then taken in by a job."""

from __future__ import annotations

import hashlib
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from leadscore.errors import Detail
from leadscore.jobs.handing_in import hand_in_list
from leadscore.language import Text
from leadscore.lists.columns import CANONICAL
from leadscore.lists.output.mending import write_rows_to_mend
from leadscore.store.lists import lists as kept
from leadscore.store.lists.failed_rows import count_failed_rows, kept_failed_rows
from leadscore.store.lists.reading import check_mapping
from leadscore.store.lists.uploads import KEPT_FOR, drop_upload, keep_upload, read_upload
from leadscore.web.access.callers import caller
from leadscore.web.access.permissions import requires, takes_file
from leadscore.web.errors import InvalidRequestError
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.form_fields import whole_number
from leadscore.web.pages.import_corrections import NOT_READ, Corrections, columns_of
from leadscore.web.pages.import_mending import sheets_to_mend
from leadscore.web.pages.import_preview import MOST_PROBLEMS, preview, row_choices
from leadscore.web.pages.moments import moment
from leadscore.web.routes.files import XLSX, file_answer, written_file
from leadscore.web.store_refusals import store_refusals

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site

HISTORY = 20
_CHOOSE = Text(
    zh="没有收到文件。请选择一个文件再试。", en="There was no file. Choose one and try again."
)
_A_FILE = Text(zh="一个文件", en="a file")
_BAD_DAY = Text(
    zh="名单日期有误。请返回并改正。", en="The date of the list is wrong. Go back and mend it."
)
_A_DAY = Text(zh="今天或更早的日期，如 2026-11-24", en="a day up to today, such as 2026-11-24")


def import_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/import``, the preview of a file, and what became of a list."""
    _choosing(site, pages)
    _looking(site, pages)
    _following(site, pages)


def _choosing(site: Site, pages: Blueprint) -> None:
    backing = site.backing

    @pages.get("/import")
    @requires("record")
    def choose_file() -> Response:
        last = whole_number(request.args.get("before", ""))
        with backing.database.read() as connection:
            found = kept.kept_lists(connection, before=last, limit=HISTORY + 1)
        shown = found[:HISTORY]
        return shell.page(
            site,
            "import.html",
            title=site.words["import.title"].pick(site.lang()),
            lists=shown,
            older=shown[-1].id if len(found) > HISTORY else None,
            newest=last is None,
        )

    @pages.post("/import")
    @requires("record")
    @takes_file
    @written(backing.access, "list.upload", fingerprint=_fingerprint)
    def upload_file(act: Act) -> Answer:
        name, content = _file()
        number = keep_upload(
            act.connection, file_name=name, content=content, actor=act.actor, now=act.now
        )
        return shell.done(f"/import/{number}", about=("upload", str(number)))


def _looking(site: Site, pages: Blueprint) -> None:
    backing = site.backing

    @pages.get("/import/<int:id>")
    @requires("record")
    def look_at_file(id: int) -> Response:  # noqa: A002 (as the address has it)
        now, lang, said = backing.access.clock(), site.lang(), Corrections.of(request.args)
        with store_refusals(), backing.database.read() as connection:
            upload = read_upload(connection, id, actor=caller().actor, now=now)
        return shell.page(
            site,
            "import_preview.html",
            title=upload.file_name,
            id=id,
            told=said,
            found=preview(upload, said, today=backing.today(), lang=lang),
            canonical=CANONICAL,
            not_read=NOT_READ,
            row_choices=row_choices,
            most_problems=MOST_PROBLEMS,
            today=backing.today(),
            until=moment(upload.uploaded_at + KEPT_FOR, lang),
        )

    @pages.post("/import/<int:id>")
    @requires("record")
    @written(backing.access, "list.add")
    def hand_in(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        upload = read_upload(act.connection, id, actor=act.actor, now=act.now)
        mapping = columns_of(request.form.items())
        check_mapping(mapping)
        number, _ = hand_in_list(
            act.connection, file_name=upload.file_name, content=upload.content, mapping=mapping,
            as_of=_day(backing.today()), actor=act.actor, now=act.now,
        )  # fmt: skip
        drop_upload(act.connection, id, actor=act.actor)
        return shell.done(f"/imports/{number}", about=("list", str(number)))

    @pages.post("/import/<int:id>/discard")
    @requires("record")
    @written(backing.access, "list.discard")
    def give_up(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        drop_upload(act.connection, id, actor=act.actor)
        return shell.done("/import", say="import.given_up", about=("upload", str(id)))


def _following(site: Site, pages: Blueprint) -> None:
    backing = site.backing

    @pages.get("/imports/<int:id>")
    @requires("record")
    def follow_list(id: int) -> Response:  # noqa: A002 (as the address has it)
        with store_refusals(), backing.database.read() as connection:
            found = kept.read_kept_list(connection, id)
            problems = kept.problems_of(connection, id, limit=MOST_PROBLEMS)
            number = sum(kept.count_problems(connection, id).values())
            failed = count_failed_rows(connection, id)
        return shell.page(
            site,
            "import_state.html",
            title=found.file_name,
            found=found,
            handed_in=moment(found.uploaded_at, site.lang()),
            busy=found.state in kept.OPEN,
            problems=problems,
            problem_count=number,
            failed_rows=failed,
        )

    @pages.get("/imports/<int:id>/failed.xlsx")
    @requires("record")
    def failed_rows_file(id: int) -> Response:  # noqa: A002 (as the address has it)
        lang = site.lang()
        with store_refusals(), backing.database.read() as connection:
            kept.read_kept_list(connection, id)
            rows = kept_failed_rows(connection, id)
            problems = kept.problems_of(connection, id)
        write = partial(write_rows_to_mend, sheets_to_mend(rows, problems, lang))
        return file_answer(written_file(write, ".xlsx"), f"rows-to-mend-{id}.xlsx", XLSX)


def _file() -> tuple[str, bytes]:
    """Return name and content of the file of the form."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidRequestError(_CHOOSE, [Detail("file", "∅", _A_FILE)])
    file.stream.seek(0)
    return file.filename, file.stream.read()


def _fingerprint() -> bytes:
    """Return what stands for the form with the file."""
    name, content = _file()
    return f"{hashlib.sha256(content).hexdigest()} {name}".encode("utf-8", "replace")


def _day(today: date) -> date:
    """Return the day of the form as of which the list knows its firms."""
    text: Any = request.form.get("as_of", "")
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        raise InvalidRequestError(_BAD_DAY, [Detail("as_of", text, _A_DAY)]) from None
    if day > today:
        raise InvalidRequestError(_BAD_DAY, [Detail("as_of", text, _A_DAY)])
    return day
