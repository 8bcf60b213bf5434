"""The audit: what was done, the newest first, by whom and when one asks for; and as a file."""

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

from leadscore.lists.writing import for_spreadsheet
from leadscore.store.auditing.pages import page
from leadscore.web.access.permissions import requires
from leadscore.web.idempotent import noted
from leadscore.web.pages.administration_frame import address, asked_number, framed
from leadscore.web.pages.moments import moment
from leadscore.web.routes.files import CSV, file_answer
from leadscore.web.store_refusals import UnacceptableError

if TYPE_CHECKING:
    from leadscore.language import Lang
    from leadscore.store.engine.database import Database
    from leadscore.web.pages.site import Site

_HERE = address("audit")
_LINES, _BLOCK = 100, 1000
_FILTERS = ("actor", "action", "since", "until")
_COLUMNS = (
    "sequence", "at", "actor", "role", "action", "object_kind", "object_id", "address", "result",
    "details",
)  # fmt: skip
_WORDS = "administration.acts."


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the address asks for, as texts, and as `leadscore.store.auditing.pages.page` has it."""

    values: Mapping[str, str]
    query: Mapping[str, Any]

    def address(self, path: str = _HERE, **more: object) -> str:
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
            found = page(connection, before=before, limit=_LINES + 1, **asked.query)
        rows, lang = found[:_LINES], site.lang()
        more = len(found) > _LINES
        return framed(
            site, "audit", asked=asked.values, filtered=bool(asked.values), before=before,
            rows=[_line(row, site, lang) for row in rows], acts=_acts(site),
            next=asked.address(before=rows[-1].sequence) if more else None,
            first=asked.address(), file=asked.address(f"{_HERE}.csv"),
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


def _line(row: Row[Any], site: Site, lang: Lang) -> dict[str, Any]:
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
