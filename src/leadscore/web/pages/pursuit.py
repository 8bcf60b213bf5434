"""A firm's pursuit on its page: who has it in hand, what comes next, notes, and milestones."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, request
from sqlalchemy import Connection

from leadscore.store.board import owners
from leadscore.store.firms import Firm
from leadscore.store.office import read_office
from leadscore.store.outcomes import milestones_of
from leadscore.store.pursuits import CHANNELS, Channel, pursuits_of
from leadscore.web.api import Dependencies
from leadscore.web.auth import caller, requires
from leadscore.web.errors import InvalidRequestError
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.shell import LONGEST_REASON, TRANSLATIONS, local_path, whole_number
from leadscore.web.routes.payloads import PreconditionRequiredError
from leadscore.web.routes.pursuits import (
    forget_note,
    may_forget,
    pursue,
    readable_notes,
    take_note,
)

_LONGEST_STEP = 200


def pursuit_values(connection: Connection, firm: Firm) -> dict[str, Any]:
    """Return what the page of a firm shows of its pursuits, notes and milestones."""
    who, office = caller(), read_office(connection)
    notes = readable_notes(connection, firm.id, who, office)
    milestones = milestones_of(connection, firm)
    return {
        "pursued": pursuits_of(connection, [firm.id]).get(firm.id, []),
        "owners": sorted({who.actor, *owners(connection)}) if who.may("record") else [],
        "notes": [(note, may_forget(who, note)) for note in notes],
        "milestones": milestones,
        "office": office,
        "channels": CHANNELS,
        "longest_step": _LONGEST_STEP,
    }


def pursuit_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add what the forms of a firm's pursuit ask for, under ``/firms/<id>``."""

    @pages.post("/firms/<int:id>/pursuit")
    @requires("record")
    @written(dependencies.access, "pursuit.change")
    def change_pursuit(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        fields = {
            "owner": request.form.get("owner", "").strip() or None,
            "next_step": _given("next_step", _LONGEST_STEP),
            "next_step_on": _day_given("next_step_on"),
        }
        if fields["next_step_on"] is not None and fields["next_step"] is None:
            raise InvalidRequestError(TRANSLATIONS["pursuit.say_step"])
        pursue(act, id, fields, version=_version(), today=dependencies.today())
        return _done(id, "pursuit.changed", fields=sorted(fields))

    @pages.post("/firms/<int:id>/pursuit/done")
    @requires("record")
    @written(dependencies.access, "pursuit.done")
    def step_done(act: Act, id: int) -> Answer:  # noqa: A002
        today = dependencies.today()
        pursuits = pursuits_of(act.connection, [id]).get(id, [])
        step = pursuits[-1].next_step if pursuits else None
        if step is None:
            raise InvalidRequestError(TRANSLATIONS["pursuit.no_step"])
        pursue(act, id, {"next_step": None, "next_step_on": None}, version=_version(), today=today)
        text = TRANSLATIONS["pursuit.was_done"].format(step=step)
        lang = dependencies.page_lang()
        take_note(act, id, day=today, channel="note", text=text.pick(lang), today=today)
        return _done(id, "pursuit.step_done")

    @pages.post("/firms/<int:id>/notes")
    @requires("record")
    @written(dependencies.access, "note.add")
    def add_note(act: Act, id: int) -> Answer:  # noqa: A002
        text, day = _given("text", LONGEST_REASON), _day_given("day")
        if text is None:
            raise InvalidRequestError(TRANSLATIONS["pursuit.give_text"])
        today = dependencies.today()
        note = take_note(act, id, day=day or today, channel=_channel(), text=text, today=today)
        return _done(id, "pursuit.noted", note=note.id)

    @pages.post("/firms/<int:id>/notes/<int:note>/delete")
    @requires("record")
    @written(dependencies.access, "note.drop")
    def delete_note(act: Act, id: int, note: int) -> Answer:  # noqa: A002
        forget_note(act, id, note)
        return _done(id, "pursuit.note_dropped", note=note)


def _done(firm_id: int, say: str, **details: object) -> Answer:
    back = local_path(request.form.get("next") or f"/firms/{firm_id}")
    return shell.done(back, "firm", firm_id, say=say, **details)


def _version() -> int:
    number = whole_number(request.form.get("version", ""))
    if number is None:  # nobody could tell what it would overwrite
        raise PreconditionRequiredError(TRANSLATIONS["firm.acts.no_version"])
    return number


def _given(field: str, longest: int) -> str | None:
    text = request.form.get(field, "").strip()
    if len(text) > longest or "\0" in text:
        raise InvalidRequestError(TRANSLATIONS["pursuit.too_long"].format(most=longest))
    return text or None


def _day_given(field: str) -> date | None:
    text = request.form.get(field, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise InvalidRequestError(TRANSLATIONS["firm.acts.choose_day"]) from fault


def _channel() -> Channel:
    given = request.form.get("channel", "note")
    return next((channel for channel in CHANNELS if channel == given), "note")
