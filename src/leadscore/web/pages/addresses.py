"""What is asked of the ranking, as its address and its forms have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from flask import request
from pydantic import ValidationError

from leadscore.errors import Detail
from leadscore.store.ranking import LONGEST_PAGE
from leadscore.text import Lang
from leadscore.web.errors import InvalidRequestError
from leadscore.web.openapi import plain_mistakes
from leadscore.web.pages.shell import LONGEST_REASON, TRANSLATIONS, whole_number
from leadscore.web.routes.ranking import RankingPageQuery

COLUMNS: dict[str, tuple[str, ...]] = {
    "credit_code": ("credit_code",),
    "reason": ("reasons",),
    "segment": ("segment_name", "role_name"),
    "place": ("province", "city"),
    "grade": ("grade",),
    "priority": ("priority",),
    "likelihood": ("likelihood",),
    "fit": ("fit",),
    "stage": ("stage",),
    "model": ("model",),
}
"""The columns that can be chosen, in their order, with those of a file."""

USUAL_COLUMNS = ("reason", "segment", "grade", "priority", "likelihood", "fit", "stage")

_NONE = "none"


def read_columns(text: str | None) -> tuple[str, ...] | None:
    """Return the columns that a text names; None if it names none that there is.

    >>> read_columns("fit,grade,odd"), read_columns("none"), read_columns("odd"), read_columns(None)
    (('grade', 'fit'), (), None, None)
    """
    if text == _NONE:
        return ()
    named = set((text or "").split(","))
    return tuple(name for name in COLUMNS if name in named) or None


def columns_text(columns: Iterable[str]) -> str:
    """Return columns as an address has them; `read_columns` reads it.

    >>> columns_text(("fit", "grade")), columns_text(())
    ('grade,fit', 'none')
    """
    named = set(columns)
    return ",".join(name for name in COLUMNS if name in named) or _NONE


def file_columns(columns: Iterable[str]) -> str:
    """Return the columns of a file that holds what the page shows: rank, firm and veto always.

    >>> file_columns(["segment", "fit"])
    'rank,name,segment_name,role_name,fit,veto'
    """
    chosen = [each for name in columns for each in COLUMNS[name]]
    return ",".join(("rank", "name", *chosen, "veto"))


FILTERS = (
    "text", "list", "chain", "segment", "role", "region", "grade", "stage", "veto", "shortlist",
)  # fmt: skip
RANKING = "/ranking"
_USUAL_ORDER = "-priority"
_MOST_BEFORE = 10**7
_PICTURE = {"picture": "on"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for; nothing of it is checked yet."""

    values: Mapping[str, str]  # filters and order that are set
    shown: Mapping[str, str]  # `columns` and `picture`, as far as the address says so
    place: Mapping[str, str]  # the cursor, if any
    before: int  # how many firms the pages before have shown
    columns: tuple[str, ...]  # by the address, else as chosen last, else the usual ones

    @classmethod
    def of(cls, args: Mapping[str, str], remembered: str | None = None) -> Asked:
        """Read the arguments of an address; empty ones count as absent, as forms send them."""
        known = {name: args[name].strip() for name in (*FILTERS, "sort") if name in args}
        cursor = args.get("cursor", "")
        before = whole_number(args.get("before", ""), digits=8) or 0
        named = read_columns(args.get("columns"))
        columns = named if named is not None else read_columns(remembered)
        return cls(
            {name: value for name, value in known.items() if value},
            ({} if named is None else {"columns": columns_text(named)})
            | (_PICTURE if args.get("picture") == "on" else {}),
            {"cursor": cursor} if cursor else {},
            min(before, _MOST_BEFORE) if cursor else 0,
            USUAL_COLUMNS if columns is None else columns,
        )

    @property
    def sort(self) -> str:
        """The order."""
        return self.values.get("sort", _USUAL_ORDER)

    @property
    def filtered(self) -> bool:
        """Whether any filter is set."""
        return any(name in self.values for name in FILTERS)

    @property
    def picture(self) -> bool:
        """Whether the picture stands beside the table."""
        return "picture" in self.shown

    @property
    def kept(self) -> dict[str, str]:
        """All that a form of the page sends along, so that it changes no more than it says."""
        return {**self.values, **self.shown}

    @property
    def here(self) -> str:
        """The address of just this page."""
        before = {"before": str(self.before)} if self.before else {}
        return _address(RANKING, {**self.kept, **self.place, **before})

    @property
    def view(self) -> str:
        """What a saved view keeps of it: filters, order, columns and picture, but not the page."""
        named = {**self.kept, "columns": columns_text(self.columns)}
        return _address(RANKING, named).partition("?")[2]

    @property
    def points(self) -> str:
        """The address of the points of the picture."""
        return _address(f"{RANKING}/points", self.values)

    @property
    def file_columns(self) -> str:
        """The columns of a file that holds what the page shows."""
        return file_columns(self.columns)

    def with_(self, name: str, value: str | None) -> str:
        """Return the address of the same with one thing set, or not set."""
        return _address(RANKING, {**self.kept, name: value})

    def toggled_picture(self) -> str:
        """Return the address of the same with the picture, or without."""
        return _address(RANKING, {**self.kept, "picture": None if self.picture else "on"})

    def cleared(self) -> str:
        """Return the address of the whole ranking, shown in the same way."""
        return _address(RANKING, self.shown)

    def sorted_by(self, name: str) -> str:
        """Return the address of the same in another order; the one that holds is turned round."""
        first = name if name == "name" else f"-{name}"
        turned = name if first.startswith("-") else f"-{name}"
        return self.with_("sort", turned if self.sort == first else first)

    def direction(self, name: str) -> str | None:
        """Return the value of aria-sort of a column."""
        if self.sort.removeprefix("-") != name:
            return None
        return "descending" if self.sort.startswith("-") else "ascending"

    def following(self, cursor: str, shown: int) -> str:
        """Return the address of the next page."""
        before = str(self.before + shown)
        return _address(RANKING, {**self.kept, "cursor": cursor, "before": before})

    def file(self, kind: str, lang: Lang) -> str:
        """Return the address of exactly this as a file, ``xlsx`` or ``csv``."""
        more = {"columns": self.file_columns, "lang": lang}
        return _address(f"/api/v1/ranking.{kind}", {**self.values, **more})


def view_address(query: str) -> str:
    """Return the address of a saved view; of what it says only what a ranking can be asked.

    >>> view_address("grade=A&x=1&columns=fit"), view_address("")
    ('/ranking?grade=A&columns=fit', '/ranking')
    """
    return _address(RANKING, Asked.of(dict(parse_qsl(query))).kept)


def _address(path: str, values: Mapping[str, str | None]) -> str:
    kept = {name: value for name, value in values.items() if value}
    if kept.get("sort") == _USUAL_ORDER:
        del kept["sort"]
    return f"{path}?{urlencode(kept, safe=',')}" if kept else path


def checked(asked: Asked) -> RankingPageQuery:
    """Return what is asked for."""
    try:
        return RankingPageQuery.model_validate({**asked.values, **asked.place})
    except ValidationError as error:
        raise plain_mistakes(error) from error


LONGEST_NAME = 100
"""Characters of the name of a shortlist or a view."""
LONGEST_QUERY = 2_000


def chosen_firms() -> list[int]:
    """Return the numbers of the firms that a form names, in their order; at least one."""
    numbers = {whole_number(text) for text in request.form.getlist("firm")} - {None}
    if not numbers:
        raise InvalidRequestError(TRANSLATIONS["ranking.acts.choose_firms"])
    if len(numbers) > LONGEST_PAGE:
        wanted = TRANSLATIONS["ranking.acts.fewer_firms"].format(most=LONGEST_PAGE)
        raise InvalidRequestError(wanted, [Detail("firm", str(len(numbers)), wanted)])
    return sorted(number for number in numbers if number is not None)


def given_reason() -> str:
    """Return the reason that a form has to give."""
    text = _text("reason", LONGEST_REASON)
    if not text:
        raise InvalidRequestError(TRANSLATIONS["ranking.acts.give_reason"])
    return text


def given_name() -> str:
    """Return the name of a view or a shortlist that a form has to give."""
    text = _text("name", LONGEST_NAME)
    if not text:
        raise InvalidRequestError(TRANSLATIONS["ranking.acts.give_name"].format(most=LONGEST_NAME))
    return text


def given_query() -> str:
    """Return what a view is to keep."""
    text = request.form.get("query", "")
    if len(text) > LONGEST_QUERY:
        raise InvalidRequestError(TRANSLATIONS["ranking.acts.long_query"])
    return text


def _text(field: str, longest: int) -> str:
    text = request.form.get(field, "").replace("\0", "").strip()
    return text if len(text) <= longest else ""
