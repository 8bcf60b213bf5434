"""What is asked of the ranking, as its address has it, and the addresses beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from leadscore.language import Lang
from leadscore.web.pages.columns import USUAL_COLUMNS, columns_text, file_columns, read_columns
from leadscore.web.pages.form_fields import whole_number

FILTERS = (
    "text", "list", "chain", "segment", "role", "region", "grade", "stage", "veto", "shortlist",
)  # fmt: skip
RANKING = "/ranking"
_USUAL_ORDER = "-priority"
_MOST_BEFORE = 10**7
_PICTURE = {"picture": "on"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for; nothing of it is checked yet.

    Attributes
    ----------
    values
        Filters and order that are set, as texts.
    shown
        How it is shown, as far as the address says so: ``columns``, ``picture``.
    place
        The cursor, if any.
    before
        How many firms the pages before have shown.
    columns
        What is shown: as the address says, else as it was chosen last, else the usual columns.
    """

    values: Mapping[str, str]
    shown: Mapping[str, str]
    place: Mapping[str, str]
    before: int
    columns: tuple[str, ...]

    @classmethod
    def of(cls, args: Mapping[str, str], remembered: str | None = None) -> Asked:
        """Read the arguments of an address; empty ones count as absent, as forms send them.

        Parameters
        ----------
        args
            Of the address.
        remembered
            The columns that were chosen last, as `columns_text` writes them.
        """
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
