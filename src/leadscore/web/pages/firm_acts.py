"""What officers do on a firm's page, in the transactions and words of the API's routes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, request

from leadscore.features.catalogue import CATALOGUE
from leadscore.lists.values.words import STAGES
from leadscore.store import acts as firm_acts
from leadscore.store.firms import Firm, firm_to_change
from leadscore.store.outcomes import Entry, outcomes_of
from leadscore.web.auth import requires
from leadscore.web.errors import ContradictionError, InvalidRequestError
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.forms import remark, whole_number
from leadscore.web.pages.shell import Site, Translations
from leadscore.web.routes.backing import PreconditionRequiredError

_GRADES = ("A", "B", "C", "D")


@dataclass(frozen=True, slots=True)
class FirmForm:
    """The form that the current request sends."""

    words: Translations

    def version(self) -> int:
        """Return the version of the firm for which the form was shown."""
        number = whole_number(request.form.get("version", ""))
        if number is None:
            raise PreconditionRequiredError(self.words["firm.acts.no_version"])
        return number

    def entry(self) -> int:
        """Return the number of an outcome."""
        number = whole_number(request.form.get("entry", ""))
        if number is None:
            raise InvalidRequestError(self.words["firm.acts.nothing_to_undo"])
        return number

    def stage(self) -> str:
        """Return the stage that was chosen."""
        stage = request.form.get("stage", "")
        if stage not in STAGES:
            raise InvalidRequestError(self.words["firm.acts.choose_stage"])
        return stage

    def day(self, today: date) -> date:
        """Return the day that was written, which is not after ``today``."""
        try:
            day = date.fromisoformat(request.form.get("day", "").strip())
        except ValueError as fault:
            raise InvalidRequestError(self.words["firm.acts.choose_day"]) from fault
        if day > today:
            raise InvalidRequestError(self.words["firm.acts.day_to_come"])
        return day

    def reason(self) -> str:
        """Return the reason that has to be given."""
        text = self.remark()
        if text is None:
            raise InvalidRequestError(self.words["firm.acts.give_reason"])
        return text

    def remark(self) -> str | None:
        """Return the reason, None if there is none."""
        return remark(self.words["firm.acts.long_reason"])

    def values(self, segments: Collection[str]) -> dict[str, str]:
        """Return what is to count instead of the machine's values: at least one of them."""
        known = {"grade": _GRADES, "segment": segments, "role": CATALOGUE["role"].levels}
        given = {name: request.form.get(name, "") for name in known}
        chosen = {name: value for name, value in given.items() if value}
        if not chosen or any(value not in known[name] for name, value in chosen.items()):
            raise InvalidRequestError(self.words["firm.acts.choose_value"])
        return chosen


def firm_act_pages(site: Site, pages: Blueprint) -> None:
    """Add what the forms under ``/firms/<id>`` ask for.

    Every form says for which version of the firm it was shown: what another officer has changed
    since is overwritten by none of them.
    """
    _outcome_pages(site, pages)
    _judgement_pages(site, pages)


def _outcome_pages(site: Site, pages: Blueprint) -> None:
    backing, form = site.backing, FirmForm(site.words)

    def enter(act: Act, firm: Firm, stage: str, before: _Said) -> Entry:
        return firm_acts.enter_outcome(
            act.connection, firm.id, stage=stage, day=before.day, reason=before.reason,
            withdrawn=before.withdrawn, actor=act.actor, now=act.now, today=backing.today(),
        )  # fmt: skip

    @pages.post("/firms/<int:id>/outcomes")
    @requires("record")
    @written(backing.access, "outcome.add")
    def add_outcome(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        firm, entries = _seen(act, id, form)
        said = _Said(form.day(backing.today()), form.remark())
        entry = enter(act, firm, form.stage(), said)
        if entry in entries:
            return _recorded(id, entry, say="firm.acts.stood_already")
        return _recorded(id, entry, undo=True)

    @pages.post("/firms/<int:id>/outcomes/withdraw")
    @requires("record")
    @written(backing.access, "outcome.add")
    def withdraw_outcome(act: Act, id: int) -> Answer:  # noqa: A002
        firm, entries = _seen(act, id, form)
        named, _ = _named(site, entries, form)
        entry = enter(act, firm, named.stage, _Said(named.day, withdrawn=True))
        return _recorded(id, entry, undo=True)

    @pages.post("/firms/<int:id>/outcomes/undo")
    @requires("record")
    @written(backing.access, "outcome.add")
    def undo_outcome(act: Act, id: int) -> Answer:  # noqa: A002
        firm, entries = _seen(act, id, form)
        named, before = _named(site, entries, form)
        if before is None or before.withdrawn:
            said = _Said(named.day, withdrawn=True)
        else:
            said = _Said(before.day, before.reason)
        return _recorded(id, enter(act, firm, named.stage, said), say="firm.acts.undone")


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said of a stage."""

    day: date
    reason: str | None = None
    withdrawn: bool = False


def _seen(act: Act, firm_id: int, form: FirmForm) -> tuple[Firm, list[Entry]]:
    firm = firm_to_change(act.connection, firm_id, version=form.version())
    return firm, outcomes_of(act.connection, [firm]).get(firm_id, [])


def _named(site: Site, entries: list[Entry], form: FirmForm) -> tuple[Entry, Entry | None]:
    number = form.entry()
    stage = next((each.stage for each in entries if each.entry == number), None)
    of_stage = [each for each in entries if each.stage == stage]
    if not of_stage or of_stage[-1].entry != number:
        raise ContradictionError(site.words["firm.acts.nothing_to_undo"])
    return of_stage[-1], of_stage[-2] if len(of_stage) > 1 else None


def _recorded(firm_id: int, entry: Entry, *, say: str | None = None, undo: bool = False) -> Answer:
    address = f"/firms/{firm_id}?entry={entry.entry}" if undo else f"/firms/{firm_id}"
    details = {"stage": entry.stage, "withdrawn": entry.withdrawn}
    return shell.done(address, say=say, about=("firm", str(firm_id)), details=details)


def _judgement_pages(site: Site, pages: Blueprint) -> None:
    backing, form = site.backing, FirmForm(site.words)

    @pages.post("/firms/<int:id>/override")
    @requires("record")
    @written(backing.access, "firm.override")
    def override_firm(act: Act, id: int) -> Answer:  # noqa: A002
        values = form.values(backing.scorer().city.segments)
        firm_acts.override(
            act.connection, id, values, form.reason(), version=form.version(), actor=act.actor,
            now=act.now,
        )  # fmt: skip
        return _done(id, "firm.acts.overridden", **values)

    @pages.post("/firms/<int:id>/override/drop")
    @requires("record")
    @written(backing.access, "firm.override.drop")
    def drop_firm_override(act: Act, id: int) -> Answer:  # noqa: A002
        firm_acts.take_override_back(act.connection, id, version=form.version(), now=act.now)
        return _done(id, "firm.acts.override_dropped")

    @pages.post("/firms/<int:id>/exclusion")
    @requires("record")
    @written(backing.access, "firm.exclude")
    def exclude_firm(act: Act, id: int) -> Answer:  # noqa: A002
        firm_acts.exclude(
            act.connection, id, form.reason(), version=form.version(), actor=act.actor,
            now=act.now,
        )  # fmt: skip
        return _done(id, "firm.acts.excluded")

    @pages.post("/firms/<int:id>/exclusion/drop")
    @requires("record")
    @written(backing.access, "firm.exclude.drop")
    def drop_firm_exclusion(act: Act, id: int) -> Answer:  # noqa: A002
        firm_acts.take_exclusion_back(act.connection, id, version=form.version(), now=act.now)
        return _done(id, "firm.acts.exclusion_dropped")


def _done(firm_id: int, say: str, **details: str) -> Answer:
    address = f"/firms/{firm_id}"
    return shell.done(address, say=say, about=("firm", str(firm_id)), details=details)
