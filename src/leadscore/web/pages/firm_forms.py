"""Reads the forms of a firm's page; what won't do is refused in words for who filled them in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from flask import request

from leadscore.features.catalogue import CATALOGUE
from leadscore.lists.values.vocabularies import STAGES
from leadscore.web.errors import InvalidRequestError
from leadscore.web.pages.form_fields import remark, whole_number
from leadscore.web.pages.translations import Translations
from leadscore.web.routes.backing import PreconditionRequiredError

_GRADES = ("A", "B", "C", "D")


@dataclass(frozen=True, slots=True)
class FirmForm:
    """The form that the current request sends.

    Attributes
    ----------
    words
        In which is said what is wrong.
    """

    words: Translations

    def version(self) -> int:
        """Return the version of the firm for which the form was shown.

        Raises
        ------
        PreconditionRequiredError
            If the form doesn't say: nobody could tell what it would overwrite.
        """
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
        """Return what is to count instead of the machine's values: at least one of them.

        Parameters
        ----------
        segments
            Those of the city.
        """
        known = {"grade": _GRADES, "segment": segments, "role": CATALOGUE["role"].levels}
        given = {name: request.form.get(name, "") for name in known}
        chosen = {name: value for name, value in given.items() if value}
        if not chosen or any(value not in known[name] for name, value in chosen.items()):
            raise InvalidRequestError(self.words["firm.acts.choose_value"])
        return chosen
