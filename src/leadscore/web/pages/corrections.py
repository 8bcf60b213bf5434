"""What an officer corrects on the page of a firm: segments, role, grade, a fact, a wrong reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, request

from leadscore.features.catalogue import CATALOGUE
from leadscore.lists.columns import column
from leadscore.lists.corrections import COLUMNS, CORRECTABLE
from leadscore.lists.values.words import STATUSES
from leadscore.store.corrections import correct, take_back
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import InvalidRequestError
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import longest
from leadscore.web.pages import shell
from leadscore.web.pages.shell import TRANSLATIONS, remark, whole_number
from leadscore.web.routes.payloads import PreconditionRequiredError

NO_SEGMENT = "none"
"""What the form sends for a firm that works in none of the city's segments."""
_MOST_SEGMENTS = 3  # that the form has room for; the API takes more


def correction_forms(
    corrections: Sequence[Mapping[str, Any]], fields: Sequence[Mapping[str, Any]],
    asked: Mapping[str, str],
) -> dict[str, Any]:  # fmt: skip
    """Return what the forms begin with: what counts by hand, and what the address asks for.

    ``corrections`` and ``fields`` are those of the firm, as the page shows them; ``asked`` may name
    a ``field`` or the feature of a ``wrong`` reason.
    """
    by_hand = {one["field"]: one["value"] for one in corrections if one["field"] != "reason"}
    chosen, wrong = asked.get("field"), asked.get("wrong")
    segments = list(by_hand.get("segments") or ())
    if "segments" in by_hand and not segments:
        segments = [NO_SEGMENT]
    more = [""] * (max(_MOST_SEGMENTS, len(segments)) - len(segments))
    known = next((one for one in fields if one["column"] == chosen), None)
    return {
        "segments": segments + more,
        "role": by_hand.get("role"),
        "use": by_hand.get("use"),
        "grade": by_hand.get("grade"),
        "field": chosen if chosen in COLUMNS else None,
        "known": known and known["value"],
        "wrong": CATALOGUE[wrong].meaning if wrong in CATALOGUE else None,
        "feature": wrong,
        "columns": {
            group: {name: column(name).label for name in names}
            for group, names in CORRECTABLE.items()
        },
        "statuses": STATUSES,
    }


def correction_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add what the forms of corrections ask for, in the transactions of the API's routes."""

    def corrected(act: Act, firm_id: int, values: Mapping[str, Any]) -> Answer:
        correct(
            act.connection, firm_id, values, given_reason(), version=seen_version(),
            scorer=dependencies.scorer(), actor=act.actor, now=act.now,
            today=dependencies.today(),
        )  # fmt: skip
        return _done(firm_id, "firm.corrections.made", fields=sorted(values))

    @pages.post("/firms/<int:id>/corrections")
    @requires("record")
    @written(dependencies.access, "firm.correct")
    def correct_firm(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        return corrected(act, id, _values())

    @pages.post("/firms/<int:id>/corrections/withdraw")
    @requires("record")
    @written(dependencies.access, "firm.correct.drop")
    def withdraw_corrections(act: Act, id: int) -> Answer:  # noqa: A002
        given = [whole_number(text) for text in request.form.getlist("correction")]
        numbers = [number for number in given if number is not None]
        if not numbers:
            raise InvalidRequestError(TRANSLATIONS["firm.corrections.choose"])
        take_back(
            act.connection, id, numbers, version=seen_version(), scorer=dependencies.scorer(),
            actor=act.actor, now=act.now, today=dependencies.today(),
        )  # fmt: skip
        return _done(id, "firm.corrections.withdrawn", corrections=numbers)


def _done(firm_id: int, say: str, **details: object) -> Answer:
    return shell.done(f"/firms/{firm_id}", "firm", firm_id, say=say, **details)


def seen_version() -> int:
    """Return the version of the firm for which a form was shown, or refuse it."""
    number = whole_number(request.form.get("version", ""))
    if number is None:  # nobody could tell what it would overwrite
        raise PreconditionRequiredError(TRANSLATIONS["firm.acts.no_version"])
    return number


def given_reason() -> str:
    """Return why an officer acts, or refuse what gives no reason."""
    text = remark(TRANSLATIONS["firm.acts.long_reason"])
    if text is None:
        raise InvalidRequestError(TRANSLATIONS["firm.acts.give_reason"])
    return text


def _values() -> dict[str, Any]:
    # Whichever of the forms was sent: what it leaves out stays as it counts.
    form = request.form
    values: dict[str, Any] = {
        name: form[name] for name in ("role", "use", "grade") if form.get(name)
    }
    if segments := [segment for segment in form.getlist("segment") if segment]:
        values["segments"] = [segment for segment in segments if segment != NO_SEGMENT]
    if feature := form.get("feature"):
        values["reason"] = feature
    if name := form.get("field"):
        values[name] = _value(name)
    if not values:
        raise InvalidRequestError(TRANSLATIONS["firm.corrections.choose_value"])
    return values


def _value(name: str) -> str | None:
    if name not in COLUMNS:
        raise InvalidRequestError(TRANSLATIONS["firm.corrections.choose_value"])
    if request.form.get("unknown"):
        return None
    text = request.form.get("value", "").replace("\r\n", "\n").strip()
    if not text:
        raise InvalidRequestError(TRANSLATIONS["firm.corrections.give_value"])
    if len(text) > (most := longest(column(name))):
        raise InvalidRequestError(TRANSLATIONS["firm.corrections.long_value"].format(most=most))
    return text
