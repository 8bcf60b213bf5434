"""Import of outcomes: a ledger is looked at before any of it is kept, then taken in by a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request

from leadscore.errors import Detail, LeadscoreError
from leadscore.lists.columns import column
from leadscore.lists.outcome_columns import (
    FIELDS,
    MILESTONES,
    UNREAD,
    LedgerColumn,
    UnreadLedgerError,
    read_mapping,
)
from leadscore.lists.outcomes import Instructions, OutcomeList, load_outcomes, read_stages
from leadscore.lists.problems import Problem
from leadscore.lists.reading.header import NoHeaderError
from leadscore.lists.reading.table import PREVIEW, Sandbox
from leadscore.lists.values.words import STAGES, without_personal
from leadscore.lists.writing import write_problems
from leadscore.store import ledgers as kept
from leadscore.store.acts import Intake, take_in
from leadscore.store.list_import import as_file
from leadscore.store.lists import KEPT_FOR
from leadscore.text import Lang, room_words, shown
from leadscore.web.api import Dependencies
from leadscore.web.auth import caller, requires, takes_file
from leadscore.web.errors import MAX_LIST_BYTES, InvalidRequestError, store_refusals, too_large
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.imports import HISTORY, MOST_PROBLEMS, file_and_name, upload_fingerprint
from leadscore.web.pages.shell import TRANSLATIONS, whole_number
from leadscore.web.routes.outcomes import ask_for_import
from leadscore.web.routes.payloads import CSV, file_answer, written_file

WORDS = room_words("web")

COLUMN, WORD = "as:", "word:"
"""Start of the name of a field that says what a column holds, or which stage a word means."""

_MOST_SAID, _LONGEST_SAID = 2_000, 1_000
_HEAD_ROWS, _MOST_HEADERS = 20, 200
_SHOWN_ENTRIES = 20
_LEDGER_FIELDS = ("project", "closed", "created", "updated", "matched_name")


@dataclass(frozen=True)
class Said:
    """What somebody said of a ledger, by an address or a form."""

    mapping: Mapping[str, str]
    stages: Mapping[str, str]
    remembered: bool

    @classmethod
    def of(cls, fields: Iterable[tuple[str, str]]) -> Said:
        """Read the fields; empty ones say nothing."""
        given = [(name, value) for name, value in fields if 0 < len(value) <= _LONGEST_SAID]
        given = given[:_MOST_SAID]
        mapping, stages = (
            {name.removeprefix(start): value for name, value in given if name.startswith(start)}
            for start in (COLUMN, WORD)
        )
        # The header that was pointed at as that of the firms, where none names them.
        mapping |= {value: "name" for name, value in given if name == "names" and value}
        return cls(mapping, stages, ("forget", "yes") not in given)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The same as fields of a form."""
        said = [(f"{COLUMN}{header}", field) for header, field in self.mapping.items()]
        said += [(f"{WORD}{word}", stage) for word, stage in self.stages.items()]
        return said + ([] if self.remembered else [("forget", "yes")])

    def to_dict(self, *, skip_rows: bool) -> dict[str, Any]:
        """Return it as the job is told; a ListError if it can't be followed."""
        return {
            "mapping": read_mapping(self.mapping), "stages": read_stages(self.stages),
            "remembered": self.remembered, "skip_rows": skip_rows,
        }  # fmt: skip


def _loaded(path: Path, today: date, said: Instructions | None) -> OutcomeList:
    # In the sandbox.
    return load_outcomes(path, today=today, said=said)


def looked_at(
    dependencies: Dependencies, sandbox: Sandbox, ledger: kept.Ledger, said: Said
) -> Intake:  # fmt: skip
    """Read a ledger as the job would, and write nothing; see `leadscore.store.acts.take_in`."""

    def load(path: Path, *, today: date, said: Instructions | None) -> OutcomeList:
        return sandbox.call(_loaded, path, today, said, source=path.name)

    here = kept.names_of_place(dependencies.scorer().city)
    instructions = Instructions(said.mapping, said.stages, here=here)
    with as_file(ledger.content or b"", ledger.file_name) as path:
        return take_in(
            path, dependencies.database, today=dependencies.today(),
            now=dependencies.access.clock(), actor=ledger.uploaded_by,
            trail=dependencies.access.trail, said=instructions, remembered=said.remembered,
            dry=True, load=load,
        )  # fmt: skip


def preview(
    dependencies: Dependencies, sandbox: Sandbox, ledger: kept.Ledger, said: Said
) -> dict[str, Any]:
    """Return what the preview of a ledger shows; it may be an error."""
    try:
        intake = looked_at(dependencies, sandbox, ledger, said)
    except LeadscoreError as error:
        tables = error.columns if isinstance(error, UnreadLedgerError) else ()
        return {
            "error": error, "tables": _tables(tables, said.mapping), "headers": _headers(error),
            "chosen": said.mapping,
        }  # fmt: skip
    listed = intake.listed
    words = {(word, header): rows for word, header, rows in listed.unknown}
    return {
        "error": None, "headers": [], "tables": _tables(listed.columns, listed.template.mapping),
        "tally": intake.tally, "sentence": intake.sentence(dry=True), "notices": intake.notices,
        "as_last_time": listed.as_last_time,
        "unsure": listed.unsure,
        "unknown": [
            {"word": word, "header": header, "rows": rows, "shown": _word(word)}
            for (word, header), rows in words.items()
        ],
        "meanings": [
            {"word": _word(word), "stage": (STAGES | MILESTONES)[stage], "rows": rows}
            for (word, stage), rows in listed.meanings.items()
        ],
        "said_stages": [
            (word, stage, _word(word)) for word, stage in listed.template.stages.items()
        ],
        "entries": [
            {
                "name": entry["name"] if isinstance(entry["name"], str) else entry["credit_code"],
                "stage": STAGES[entry["stage"]], "day": entry["day"].date(),
                "withdrawn": entry["withdrawn"],
            }
            for entry in intake.new.head(_SHOWN_ENTRIES).to_dict("records")
        ],
        "problems": intake.problems[:MOST_PROBLEMS], "problem_count": len(intake.problems),
        "losses": intake.losses[:MOST_PROBLEMS], "loss_count": len(intake.losses),
        "settled": not listed.unknown and not listed.unsure,
    }  # fmt: skip


def _word(word: str) -> str:
    return shown(without_personal(word))


def _headers(error: LeadscoreError) -> list[str]:
    # What may be the header of the firms, where none was recognised.
    if not isinstance(error, NoHeaderError):
        return []
    cells = [
        cell.strip()
        for head in error.heads
        for row in head.rows[:_HEAD_ROWS]
        for cell in row
        if cell and cell.strip() and without_personal(cell) == cell and len(cell) <= 60
    ]
    return list(dict.fromkeys(cells))[:_MOST_HEADERS]


def _tables(
    tables: Iterable[tuple[str | None, tuple[LedgerColumn, ...]]], chosen: Mapping[str, str]
) -> list[dict[str, Any]]:
    seen: set[str] = set()
    shown_tables = []
    for sheet, columns in tables:
        rows = []
        for one in columns:
            # A header that stands in several sheets is said once for all.
            field = None
            if one.header and one.given and not one.personal and one.header not in seen:
                seen.add(one.header)
                field = f"{COLUMN}{one.header}"
            rows.append({
                "header": one.header, "personal": one.personal, "values": one.values,
                "field": field, "chosen": chosen.get(one.header, ""), "read_as": _read_as(one),
            })  # fmt: skip
        shown_tables.append({"sheet": sheet, "columns": rows})
    return shown_tables


def _read_as(one: LedgerColumn) -> Any:
    # None for a column that is not read.
    what, _, stage = (one.field or "").partition(":")
    if stage:
        key = "outcomes.day_of" if what == "day" else "outcomes.mark_of"
        return TRANSLATIONS[key].format(stage=(STAGES | MILESTONES)[stage])
    if what in FIELDS or what in _LEDGER_FIELDS:
        return TRANSLATIONS[f"outcomes.fields.{what}"]
    return column("taxpayer_id").label if what == "taxpayer_id" else None


def stage_choices(lang: Lang) -> list[tuple[str, str]]:
    """Return which stages a word may mean, each with its name."""
    return [(id_, name.pick(lang)) for id_, name in (STAGES | MILESTONES).items()]


def outcome_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/outcomes``, the preview of a ledger, and what became of one."""
    sandbox = Sandbox(PREVIEW)

    @pages.get("/outcomes")
    @requires("record")
    def choose_ledger() -> Response:
        last, now = whole_number(request.args.get("before", "")), dependencies.access.clock()
        with dependencies.database.read() as connection:
            ledgers = kept.handed_in_ledgers(connection, before=last, limit=HISTORY + 1)
            waiting = kept.waiting_ledgers(connection, actor=caller().actor, now=now)
        return shell.page(
            dependencies, "outcomes.html", title=TRANSLATIONS["outcomes.title"],
            ledgers=ledgers[:HISTORY], waiting=waiting, kept_for=KEPT_FOR,
            older=ledgers[HISTORY - 1].id if len(ledgers) > HISTORY else None, newest=last is None,
            most_bytes=MAX_LIST_BYTES,
            too_large=too_large("", is_list=True)[0].pick(dependencies.page_lang()),
        )  # fmt: skip

    @pages.post("/outcomes")
    @requires("record")
    @takes_file
    @written(dependencies.access, "outcomes.upload", fingerprint=upload_fingerprint)
    def upload_ledger(act: Act) -> Answer:
        name, content = file_and_name()
        token = kept.keep_ledger(
            act.connection, file_name=name, content=content, actor=act.actor, now=act.now
        )
        return shell.done(f"/outcomes/{token}", "ledger", name)

    @pages.get("/outcomes/<token>")
    @requires("record")
    def look_at_ledger(token: str) -> Response:
        lang, said = dependencies.page_lang(), Said.of(request.args.items())
        ledger = _waiting(token)
        return shell.page(
            dependencies, "outcomes_preview.html", title=ledger.file_name, ledger=ledger,
            corrections=said, file=preview(dependencies, sandbox, ledger, said), not_read=UNREAD,
            fields=FIELDS, stage_choices=stage_choices(lang),
            until=ledger.uploaded_at + KEPT_FOR,
        )  # fmt: skip

    @pages.get("/outcomes/<token>/problems.csv")
    @requires("record")
    def ledger_problems(token: str) -> Response:
        ledger, said = _waiting(token), Said.of(request.args.items())
        problems = looked_at(dependencies, sandbox, ledger, said).problems
        return _problems_file(problems, dependencies.page_lang())

    @pages.post("/outcomes/<token>")
    @requires("record")
    @written(dependencies.access, "outcomes.ask")
    def hand_in_ledger(act: Act, token: str) -> Answer:
        ledger = kept.waiting_ledger(act.connection, token, actor=act.actor, now=act.now)
        if request.form.get("digest") != ledger.sha256:
            detail = Detail("digest", ledger.file_name, WORDS["imports.look_again"])
            raise InvalidRequestError(WORDS["imports.other_file"], [detail])
        said = Said.of(request.form.items())
        skip_rows = request.form.get("skip_rows") == "yes"
        number, _ = ask_for_import(act, ledger, said.to_dict(skip_rows=skip_rows))
        return shell.done(f"/outcomes/imports/{number}", "ledger", number)

    @pages.post("/outcomes/<token>/discard")
    @requires("record")
    @written(dependencies.access, "outcomes.discard")
    def give_up_ledger(act: Act, token: str) -> Answer:
        ledger = kept.waiting_ledger(act.connection, token, actor=act.actor, now=act.now)
        kept.drop_ledger(act.connection, token, actor=act.actor)
        return shell.done("/outcomes", "ledger", ledger.id, say="import.given_up")

    _ledgers_handed_in(dependencies, pages)

    def _waiting(token: str) -> kept.Ledger:
        now = dependencies.access.clock()
        with store_refusals(), dependencies.database.read() as connection:
            return kept.waiting_ledger(connection, token, actor=caller().actor, now=now)


def _problems_file(problems: Iterable[Problem], lang: Lang) -> Response:
    write = partial(write_problems, tuple(problems), lang=lang)
    return file_answer(written_file(write, ".csv"), "problems.csv", CSV)


def _ledgers_handed_in(dependencies: Dependencies, pages: Blueprint) -> None:
    @pages.get("/outcomes/imports/<int:id>")
    @requires("record")
    def follow_ledger(id: int) -> Response:  # noqa: A002 (as the address has it)
        with store_refusals(), dependencies.database.read() as connection:
            ledger = kept.read_ledger(connection, id)
            problems = kept.ledger_problems(connection, id)
        return shell.page(
            dependencies, "outcomes_state.html", title=ledger.file_name, ledger=ledger,
            busy=ledger.state == "waiting", problems=problems[:MOST_PROBLEMS],
            problem_count=len(problems),
        )  # fmt: skip
