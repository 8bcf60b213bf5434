"""The routes of pursuits: who has a firm in hand, what comes next, and notes on it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from leadscore.errors import Detail
from leadscore.store import acts
from leadscore.store.board import BoardFilter, list_pursuits, owners
from leadscore.store.firms import Firm, firm_to_change, read_firm
from leadscore.store.office import Office, read_office
from leadscore.store.pursuits import (
    CHANNELS,
    Channel,
    Note,
    UnknownNoteError,
    add_note,
    drop_note,
    notes_of,
    pursuits_of,
)
from leadscore.text import room_words
from leadscore.web.api import Dependencies
from leadscore.web.auth import Caller, caller, requires
from leadscore.web.errors import InvalidRequestError, invalid, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import Payload, api_blueprint, example
from leadscore.web.routes.firms import PursuitAnswer, pursuit_answer
from leadscore.web.routes.payloads import (
    BODY,
    CHANGES,
    QUERY,
    WRITES,
    Day,
    GivenDay,
    Grade,
    LangOnly,
    LangQuery,
    Moment,
    Number,
    NumberPath,
    Slug,
    Words,
    documented,
    etag,
    fields_of,
    matched_tag,
)

WORDS = room_words("web")

_Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]


class PursuitsQuery(BaseModel):
    """Which pursuits."""

    model_config = QUERY

    stage: Slug | None = Field(default=None, description="Where the firm stands now.")
    owner: _Name | None = Field(default=None, description="Who has it in hand, or `none`.")
    chain: Slug | None = None
    segment: Slug | None = None
    overdue: bool = Field(default=False, description="Only those whose next step is overdue.")
    open: bool = Field(default=False, description="Only those that have not ended.")
    before: Number | None = Field(default=None, description="`next` of the page before.")
    limit: int = Field(default=50, ge=1, le=500)
    lang: LangQuery = None


class ListedPursuit(PursuitAnswer):
    """A pursuit with its firm."""

    firm_id: int
    name: str
    stage: str | None
    grade: Grade
    segment: str | None
    score_id: int | None = Field(description="The score when it began.")


class PursuitsAnswer(Payload):
    """A page of pursuits, the newest first."""

    pursuits: list[ListedPursuit]
    next: int | None = Field(description="`before` of the next page.")


class NextStep(BaseModel):
    """Who has the firm in hand and what comes next; what isn't named stays, null takes it away."""

    model_config = example(
        {"owner": "li.na", "next_step": "send the site plan", "next_step_on": "2026-12-01"}
    )

    owner: _Name | None = None
    next_step: Words | None = None
    next_step_on: GivenDay | None = None


class NoteAnswer(Payload):
    """A note on the firm."""

    id: int
    day: Day
    channel: Channel
    text: str
    by: str
    at: Moment
    pursuit_id: int | None


class NotesAnswer(Payload):
    """The notes on a firm that one may read, the latest day first."""

    notes: list[NoteAnswer]
    read_by: str = Field(description="Who may read them: `all`, or `owner`.")
    kept_months: int = Field(description="For how long; 0 without an end.")


class NewNote(BaseModel):
    """What was said or heard; names of persons are not needed."""

    model_config = example({"day": "2026-11-20", "channel": "call", "text": "asks for the plan"})

    day: GivenDay
    channel: Channel = "note"
    text: Words


class NotePath(NumberPath):
    """The numbers in the address."""

    note: Number


def pursuit_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return ``/api/v1/pursuits``, and a firm's pursuit and notes."""
    api = api_blueprint("pursuits", "跟进 Pursuits")

    @api.get("/pursuits", **documented("pursuits", PursuitsAnswer))
    @requires("read")
    def pursuits(query: PursuitsQuery) -> Response:
        asked = BoardFilter(query.owner, query.chain, query.segment, query.overdue)
        with store_refusals(), dependencies.database.read() as connection:
            rows = list_pursuits(
                connection, asked, today=dependencies.today(), stage=query.stage,
                open_only=query.open, before=query.before, limit=query.limit + 1,
            )  # fmt: skip
        page = rows[: query.limit]
        return jsonify(
            pursuits=[fields_of(ListedPursuit, row) for row in page],
            next=page[-1].id if len(rows) > len(page) else None,
        )

    @api.put("/firms/<int:id>/pursuit", **documented(
        "changePursuit", PursuitAnswer, *BODY, 404, 412, 428, more=CHANGES,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "pursuit.change")
    def change_pursuit(act: Act, path: NumberPath, body: NextStep) -> Answer:
        version = firm_to_change(act.connection, path.id).version
        matched_tag(str(version))
        firm = pursue(
            act, path.id, body.model_dump(exclude_unset=True), version=version,
            today=dependencies.today(),
        )  # fmt: skip
        answer = pursuit_answer(pursuits_of(act.connection, [firm.id])[firm.id][-1])
        changed = {"fields": sorted(body.model_fields_set)}
        return Answer(answer, 200, etag(firm.version), ("firm", str(firm.id)), changed)

    @api.get("/firms/<int:id>/notes", **documented("notes", NotesAnswer, 404))
    @requires("read")
    def notes(path: NumberPath, query: LangOnly) -> Response:  # noqa: ARG001 (checked)
        with store_refusals(), dependencies.database.read() as connection:
            office = read_office(connection)
            read_firm(connection, path.id)
            readable = readable_notes(connection, path.id, caller(), office)
        return jsonify(
            notes=[fields_of(NoteAnswer, note) for note in readable],
            read_by=office.notes_read_by, kept_months=office.notes_months,
        )  # fmt: skip

    @api.post("/firms/<int:id>/notes", **documented(
        "addNote", NoteAnswer, *BODY, 404, status=201, more=WRITES,
        links={"dropNote.path.id": "$request.path.id",
               "dropNote.path.note": "$response.body#/id"},
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "note.add")
    def new_note(act: Act, path: NumberPath, body: NewNote) -> Answer:
        note = take_note(
            act, path.id, day=body.day, channel=body.channel, text=body.text,
            today=dependencies.today(),
        )  # fmt: skip
        details = {"note": note.id}
        return Answer(
            fields_of(NoteAnswer, note), 201, about=("firm", str(path.id)), details=details
        )

    @api.delete("/firms/<int:id>/notes/<int:note>", **documented(
        "dropNote", NotesAnswer, 404, more=WRITES,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "note.drop")
    def delete_note(act: Act, path: NotePath) -> Answer:
        forget_note(act, path.id, path.note)
        office = read_office(act.connection)
        left = readable_notes(act.connection, path.id, act.caller, office)
        body = {
            "notes": [fields_of(NoteAnswer, note) for note in left],
            "read_by": office.notes_read_by, "kept_months": office.notes_months,
        }  # fmt: skip
        return Answer(body, about=("firm", str(path.id)), details={"note": path.note})

    return api


def pursue(
    act: Act, firm_id: int, fields: dict[str, Any], *, version: int, today: date
) -> Firm:  # fmt: skip
    """Change who has a firm in hand and what comes next, as `leadscore.store.acts.pursue` does.

    Raises InvalidRequestError for an owner who is nobody here, or who may not record, and where
    nothing is to change.
    """
    owner = fields.get("owner")
    if not fields:
        raise invalid("$", "∅", WORDS["pursuits.something"])
    if owner is not None and owner not in {act.actor, *owners(act.connection)}:
        raise invalid("owner", owner, WORDS["pursuits.an_owner"])
    return acts.pursue(
        act.connection, firm_id, fields, version=version, actor=act.actor, now=act.now, today=today
    )


def may_read(who: Caller, note: Note, owner: str | None, office: Office) -> bool:
    """Tell whether somebody may read a note, as the office has settled it.

    Their own they may, and administrators all; others those of firms that they have in hand, or
    all.
    """
    return (
        office.notes_read_by == "all"
        or who.may("administer")
        or who.actor == note.by
        or (owner is not None and who.actor == owner)
    )


def readable_notes(
    connection: Connection, firm_id: int, who: Caller, office: Office
) -> list[Note]:  # fmt: skip
    """Return the notes on a firm that somebody may read."""
    pursuits = pursuits_of(connection, [firm_id]).get(firm_id, [])
    owner = pursuits[-1].owner if pursuits else None
    return [note for note in notes_of(connection, firm_id) if may_read(who, note, owner, office)]


def take_note(
    act: Act, firm_id: int, *, day: date, channel: Channel, text: str, today: date
) -> Note:  # fmt: skip
    """Keep a note on a firm, in its last pursuit if it has one; its day is not yet to come."""
    firm_to_change(act.connection, firm_id)
    if day > today:
        raise InvalidRequestError(
            WORDS["pursuits.day_to_come"],
            [Detail("day", day.isoformat(), WORDS["pursuits.day_to_come"])],
        )
    if channel not in CHANNELS:
        raise invalid("channel", channel, WORDS["pursuits.a_channel"])
    pursuits = pursuits_of(act.connection, [firm_id]).get(firm_id, [])
    return add_note(
        act.connection, firm_id, day=day, channel=channel, text=text,
        pursuit_id=pursuits[-1].id if pursuits else None, by=act.actor, now=act.now,
    )  # fmt: skip


def may_forget(who: Caller, note: Note) -> bool:
    """Tell whether somebody may delete a note: who wrote it, and administrators."""
    return who.may("administer") or who.actor == note.by


def forget_note(act: Act, firm_id: int, note_id: int) -> None:
    """Delete a note; who may not is told that there is none."""
    firm_to_change(act.connection, firm_id)
    notes = {note.id: note for note in notes_of(act.connection, firm_id)}
    note = notes.get(note_id)
    if note is None or not may_forget(act.caller, note):
        raise UnknownNoteError(WORDS["pursuits.no_note"].format(id=note_id))
    drop_note(act.connection, firm_id, note_id)
