"""Reads the forms of the ranking; what won't do is refused in words for whoever sent them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from leadscore.errors import Detail
from leadscore.store.ranking.cursor import SORTS, Sort
from leadscore.store.ranking.pages import LONGEST_PAGE
from leadscore.web.errors import InvalidRequestError
from leadscore.web.pages.columns import USUAL_COLUMNS, file_columns, read_columns
from leadscore.web.pages.form_fields import LONGEST_REASON, whole_number
from leadscore.web.pages.local_paths import local_path
from leadscore.web.pages.translations import Translations
from leadscore.web.routes.ranking_files import FileKind

LONGEST_NAME = 100
"""Characters of the name of a shortlist or a view."""
LONGEST_QUERY = 2_000


@dataclass(frozen=True, slots=True)
class RankingForm:
    """The form that the current request sends.

    Attributes
    ----------
    words
        In which is said what is wrong.
    """

    words: Translations

    def firms(self) -> list[int]:
        """Return the numbers of the firms that were chosen, in their order; at least one."""
        texts = request.form.getlist("firm")
        numbers = {number for number in map(whole_number, texts) if number is not None}
        if not numbers:
            raise InvalidRequestError(self.words["ranking.acts.choose_firms"])
        if len(numbers) > LONGEST_PAGE:
            wanted = self.words["ranking.acts.fewer_firms"].format(most=LONGEST_PAGE)
            raise InvalidRequestError(wanted, [Detail("firm", str(len(numbers)), wanted)])
        return sorted(numbers)

    def reason(self) -> str:
        """Return the reason that has to be given."""
        text = _text("reason", LONGEST_REASON)
        if not text:
            raise InvalidRequestError(self.words["ranking.acts.give_reason"])
        return text

    def name(self) -> str:
        """Return the name of a view or a shortlist that has to be given."""
        text = _text("name", LONGEST_NAME)
        if not text:
            message = self.words["ranking.acts.give_name"].format(most=LONGEST_NAME)
            raise InvalidRequestError(message)
        return text

    def shortlist(self) -> int | None:
        """Return the number of the shortlist that was chosen; None if a new one is named."""
        named = request.form.get("name", "").strip()
        return None if named else whole_number(request.form.get("shortlist", ""))

    def list_id(self) -> int | None:
        """Return the number of the list whose page it was; None if it was that of all."""
        return whole_number(request.form.get("list", ""))

    def kind(self) -> FileKind:
        """Return the sort of file that was asked for."""
        return "csv" if request.form.get("format") == "csv" else "xlsx"

    def sort(self) -> Sort:
        """Return the order of the page on which the firms were chosen."""
        named = request.form.get("sort")
        return next((sort for sort in SORTS if sort == named), "-priority")

    def file_columns(self) -> list[str]:
        """Return the columns of a file that holds what the page showed."""
        columns = read_columns(request.form.get("columns"))
        return file_columns(USUAL_COLUMNS if columns is None else columns).split(",")

    def query(self) -> str:
        """Return what a view is to keep."""
        text = request.form.get("query", "")
        if len(text) > LONGEST_QUERY:
            raise InvalidRequestError(self.words["ranking.acts.long_query"])
        return text

    def back(self) -> str:
        """Return where the form was sent from."""
        return local_path(request.form.get("next"))


def _text(field: str, longest: int) -> str:
    """Return what was written in a field; nothing if it is too long to be kept."""
    text = request.form.get(field, "").replace("\0", "").strip()
    return text if len(text) <= longest else ""
