"""A few firms of a request are read value by value: whole columns would cost far more to set up.

The rules are those that `values.table_cleaning` applies to columns, cell by cell the same code; a
test holds both against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from leadscore.language import Text
from leadscore.lists.columns import Heading, column, read_heading
from leadscore.lists.files.records import MISSING_CODES, WANTED_OF_VALUES, text_of
from leadscore.lists.problems import Problem, shown
from leadscore.lists.values import cleaning_notices as say
from leadscore.lists.values.amounts import Rates, shipped_rates
from leadscore.lists.values.cell_faults import SIGNED_AMOUNT, WANTED
from leadscore.lists.values.cells import MAY_BE_NONE
from leadscore.lists.values.codes import is_valid_code
from leadscore.lists.values.divisions import is_division
from leadscore.lists.values.faults import found_text
from leadscore.lists.values.merging import can_both_be_meant, joined_text
from leadscore.lists.values.names import LONGEST_NAME, NO_NAME, former_names_of, read_name
from leadscore.lists.values.names import WANTED as WANTED_NAMES
from leadscore.lists.values.one_cell import READERS, SIGNED, Asked, Value, old_number, plain_text
from leadscore.lists.values.places import PLACED_BY, settle_firm
from leadscore.lists.values.texts import NONE, is_none_word, is_spreadsheet_error, says_nothing
from leadscore.lists.values.vocabularies import names_stages, stage_of

Firm = dict[str, Value]
"""Canonical columns of one firm; what is missing has no key."""

_READ_APART = frozenset({"name", "former_names"})
_CAPITAL = "registered_capital_cny"
_STAGE = column("stage")


@dataclass(slots=True)
class CleanRecord:
    """One firm whose values can be trusted.

    Attributes
    ----------
    row
        Its place in the request, from 1.
    firm
        Its values; empty if it has no name and is set aside in a problem.
    problems
        What was wrong, in the order in which `cleaning.clean` tells it.
    """

    row: int
    firm: Firm = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def tell(
        self, code: str, wanted: Text, header: str | None, text: object, *, aside: bool = False
    ) -> None:
        """Add a problem; personal data in what was found is starred out."""
        found = found_text(text) if isinstance(text, str) else ""
        self.problems.append(Problem(self.row, header, found, wanted, code, set_aside=aside))


def clean_records(records: Sequence[Mapping[str, object]], *, today: date) -> list[CleanRecord]:
    """Read firms that are given by canonical columns, as ``clean(from_records(...))`` does.

    Parameters
    ----------
    records
        Values by the name of a canonical column, none longer than a cell may be.
    today
        Days after it are not believed.

    Returns
    -------
    list
        One entry a record, in their order.
    """
    headers = list(dict.fromkeys(key for record in records for key in record)) or ["name"]
    headings = {header: _heading(header) for header in headers}
    given = [_Given(CleanRecord(row), record, headings) for row, record in enumerate(records, 1)]
    named = [each for each in given if each.read_name()]
    statuses = [each.texts["status"] for each in named if "status" in each.texts]
    known = [text for text in statuses if not says_nothing(text)]
    sources = _sources(headers, moved=bool(known) and names_stages(known))
    for each in named:
        each.read(sources, today, shipped_rates())
    return [each.clean for each in given]


def _heading(header: str) -> Heading:
    heading = read_heading(header)
    if heading is None or not heading.canonical:
        raise KeyError(header)
    return heading


def _sources(headers: Sequence[str], *, moved: bool) -> dict[str, tuple[str, ...]]:
    """Return which headers feed each canonical column; statuses may turn out to be stages."""
    sources: dict[str, tuple[str, ...]] = {
        header: (header,) for header in headers if header not in _READ_APART
    }
    if moved:
        sources[_STAGE.name] = (*sources.get(_STAGE.name, ()), *sources.pop("status"))
    return sources


class _Given:
    """A record on its way to a firm."""

    def __init__(
        self, clean: CleanRecord, record: Mapping[str, object], headings: Mapping[str, Heading]
    ) -> None:
        self.clean, self.headings = clean, headings
        self.texts: dict[str, str] = {}
        for header in headings:
            value = record.get(header)
            if value is None:
                continue
            text, code = text_of(value)
            if code:
                problem = Problem(clean.row, header, shown(text), WANTED_OF_VALUES[code], code)
                clean.problems.append(problem)
            if text and code not in MISSING_CODES:
                self.texts[header] = text

    def read_name(self) -> bool:
        """Find the firm's name; without one it is set aside."""
        text = self.texts.get("name")
        header = "name" if "name" in self.headings else None
        name = read_name(text) if text is not None else NO_NAME
        if name.hidden:
            code = "invisible_characters"
            self.clean.tell(code, WANTED_NAMES[code], header, text)
        if name.value is None:
            self.clean.tell("no_name", WANTED_NAMES["no_name"], header, text, aside=True)
            return False
        self.clean.firm["name"] = name.value
        if len(name.value) > LONGEST_NAME:
            self.clean.tell("long_name", WANTED_NAMES["long_name"], header, name.value)
        elif len(name.value) <= say.LONGEST_DIVISION and is_division(name.value):
            self.clean.tell("name_is_a_place", say.PLACE_NAME, header, name.value)
        self._keep("former_names", name.former)
        return True

    def read(self, sources: Mapping[str, tuple[str, ...]], today: date, rates: Rates) -> None:
        """Read everything else."""
        self._former_names()
        for name, headers in sources.items():
            values = [self._cell(name, header, today, rates) for header in headers]
            self._keep(name, values[0])
            for header, value in zip(headers[1:], values[1:], strict=True):
                self._merge(name, headers[0], header, value)
        if self.clean.firm.get(_CAPITAL) == 0:
            # A company can't be registered with nothing; a branch has no capital of its own.
            del self.clean.firm[_CAPITAL]
        self._codes()
        self._stage_reasons(sources.get(_STAGE.name, ()))
        self._places()

    def _keep(self, name: str, value: Value) -> None:
        if value is not None:
            self.clean.firm[name] = value

    def _former_names(self) -> None:
        own, text = self.clean.firm.get("former_names"), self.texts.get("former_names")
        names = former_names_of(text) if text is not None else None
        if isinstance(own, str) and names is not None and own != names:
            names = f"{own};{names}"
        self._keep("former_names", own if names is None else names)

    def _cell(self, name: str, header: str, today: date, rates: Rates) -> Value:
        text = self.texts.get(header)
        if text is None:
            return None
        value: Value = None
        if is_spreadsheet_error(text):
            self.clean.tell("cell_error", WANTED["cell_error"], header, text)
        elif not says_nothing(text):
            heading = self.headings[header]
            kind = _STAGE.kind if name == _STAGE.name else heading.column.kind
            value, code = READERS.get(kind, plain_text)(text, Asked(heading, today, rates))
            if code:
                signed = kind == "amount" and name in SIGNED
                self.clean.tell(code, SIGNED_AMOUNT if signed else WANTED[code], header, text)
        elif name in MAY_BE_NONE and is_none_word(text):
            value = NONE if self.headings[header].column.dtype == "str" else 0.0
        return value

    def _merge(self, name: str, first: str, header: str, value: Value) -> None:
        """Let a second column fill the first, and tell where they disagree."""
        stands = self.clean.firm.get(name)
        if stands is None:
            self._keep(name, value)
        elif value is not None and not can_both_be_meant(str(stands), str(value)):
            self.clean.tell(
                "conflict", say.CONFLICT.format(header=first), header, self.texts[header]
            )

    def _codes(self) -> None:
        """Fill a missing credit code from the taxpayer number, and save old register numbers."""
        firm, text = self.clean.firm, self.texts.get("credit_code")
        taxpayer = firm.get("taxpayer_id")
        if "credit_code" not in firm and isinstance(taxpayer, str) and is_valid_code(taxpayer):
            firm["credit_code"] = taxpayer
        if text is not None and "registration_number" not in firm:
            self._keep("registration_number", old_number(text))

    def _stage_reasons(self, headers: Sequence[str]) -> None:
        for header in headers:
            text, note = self.texts.get(header), self.clean.firm.get("note")
            if text is not None:
                stands = note if isinstance(note, str) else None
                self._keep("note", joined_text(stands, stage_of(text)[1]))

    def _places(self) -> None:
        firm = self.clean.firm
        stated = [firm.get(name) for name in PLACED_BY]
        settled = settle_firm(*(text if isinstance(text, str) else None for text in stated))
        for name, code in (
            ("province_code", settled.place.province),
            ("city_code", settled.place.city),
        ):
            firm.pop(name, None)
            self._keep(name, code)
        for holds, name, code, wanted in (
            (settled.odd_city, "city", "place_conflict", say.ODD_CITY),
            (settled.odd_address, "registered_address", "place_conflict", say.ODD_ADDRESS),
            ("province" in settled.unplaced, "province", "bad_place", say.BAD_PLACE),
            ("city" in settled.unplaced, "city", "bad_place", say.BAD_PLACE),
        ):
            if holds:
                header = name if name in self.headings else None
                self.clean.tell(code, wanted, header, firm.get(name))
