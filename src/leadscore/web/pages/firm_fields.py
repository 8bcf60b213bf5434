"""What is known of a firm field by field: the value, the list and row that say so, and its age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from leadscore.features.feature import show_cny
from leadscore.language import Lang
from leadscore.lists.columns import Column, column
from leadscore.lists.values.vocabularies import STAGES, STATUSES
from leadscore.store.firms.firms import Firm
from leadscore.store.lists.lists import read_kept_list
from leadscore.web.pages.firm_texts import COLUMNS
from leadscore.web.pages.numbers import day

STALE_DAYS = 365
"""Age in days from which a field may have changed since: a year's figures come once a year."""

_LASTING = frozenset({"name", "former", "credit_code", "identifier", "date", "year"})
"""Kinds of columns that don't grow old, or say themselves of when they are."""
_HIDDEN = frozenset({"province_code", "city_code", *COLUMNS})
"""What the place and the texts say better."""


@dataclass(frozen=True, slots=True)
class KnownField:
    """One field of a firm.

    Attributes
    ----------
    name, label
        Of its canonical column.
    value
        As a person reads it.
    list_id, file_name, row
        Which list says so, and in which row; None if a program wrote it.
    as_of
        The day as of which it is known.
    age_days
        Days since then.
    stale
        Whether it may well have changed since.
    """

    name: str
    label: str
    value: str
    list_id: int | None
    file_name: str | None
    row: int | None
    as_of: str
    age_days: int
    stale: bool


def known_fields(
    connection: Connection, firm: Firm, today: date, lang: Lang
) -> Sequence[KnownField]:
    """Return what is known of a firm, in the order of its record.

    Parameters
    ----------
    today
        From which ages are counted.
    """
    names = _file_names(connection, firm)
    return [_field(firm, each, names, today, lang) for each in firm.record if each not in _HIDDEN]


def shown_value(of: Column, value: object, lang: Lang) -> str:
    """Return a value of a canonical column as a person reads it."""
    if isinstance(value, int | float):
        if of.unit == "CNY":
            return show_cny(float(value), lang)
        if of.unit == "fraction":
            return f"{value:.1%}"
        return f"{value:g}" if of.unit == "year" else f"{value:,.0f}"
    text = str(value)
    if of.kind == "date":
        return day(text, lang)
    vocabulary = {"status": STATUSES, "stage": STAGES}.get(of.kind, {})
    return vocabulary[text].pick(lang) if text in vocabulary else text


def _field(
    firm: Firm, name: str, names: dict[int, str], today: date, lang: Lang
) -> KnownField:  # fmt: skip
    origin, of = firm.origins[name], column(name)
    age = max((today - date.fromisoformat(origin["as_of"])).days, 0)
    return KnownField(
        name=name,
        label=of.label.pick(lang),
        value=shown_value(of, firm.record[name], lang),
        list_id=origin["list"],
        file_name=names.get(origin["list"]),
        row=origin["row"],
        as_of=origin["as_of"],
        age_days=age,
        stale=age > STALE_DAYS and of.kind not in _LASTING,
    )


def _file_names(connection: Connection, firm: Firm) -> dict[int, str]:
    numbers = {origin["list"] for origin in firm.origins.values()} - {None}
    return {number: read_kept_list(connection, number).file_name for number in sorted(numbers)}
