"""What two lists say of one firm becomes one record: of each field the newer list's word counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd

from leadscore.lists.columns import CANONICAL
from leadscore.lists.sameness.firm_names import normal_name_of
from leadscore.store.firms.firms import Firm

Record = dict[str, Any]
Origins = dict[str, Mapping[str, Any]]

_PLACES = frozenset(each.name for each in CANONICAL if each.kind in ("place", "division"))
_REGION = ("province_code", "city_code", "province", "city")
_SEPARATOR = ";"


def origin(list_id: int | None, row: int | None, *, at: datetime, as_of: date) -> dict[str, Any]:
    """Return where a field is from: list, row, when it was written and as of which day."""
    return {"list": list_id, "row": row, "at": at.isoformat(), "as_of": as_of.isoformat()}


def merged(
    firm: Firm | None, said: Mapping[str, Any], source: Mapping[str, Any]
) -> tuple[Record, Origins]:
    """Return what is known of a firm once a list has said its part, and where each field is from.

    A field that a list with a later ``as_of`` has filled stays. A name that gives way becomes a
    former one. Where a newer list puts the firm into another region, older parts of its place go.

    Parameters
    ----------
    firm
        As it is kept; None for a new one.
    said
        What the list says: canonical columns that are filled, as `records.field_records` has them.
    source
        As `origin` gives it.
    """
    if firm is None:
        return dict(said), dict.fromkeys(said, source)
    record, origins = dict(firm.record), dict(firm.origins)
    if _moved(record, origins, said, source):
        for name in _PLACES & record.keys() - said.keys():
            if origins[name]["as_of"] <= source["as_of"]:
                del record[name], origins[name]
    for name, value in said.items():
        if name in ("former_names", "credit_code"):
            continue
        known = origins.get(name)
        if known is None or known["as_of"] <= source["as_of"]:
            record[name], origins[name] = value, source
    if "credit_code" in said and "credit_code" not in record:
        record["credit_code"], origins["credit_code"] = said["credit_code"], source
    former = _former(firm.record, said, record["name"])
    if former and former != firm.record.get("former_names"):
        record["former_names"], origins["former_names"] = former, source
    return record, origins


def all_merged(
    firms: Iterable[Firm | None],
    said: Iterable[Mapping[str, Any]],
    rows: Iterable[int],
    *,
    list_id: int | None,
    at: datetime,
    as_of: date,
) -> tuple[list[Record], list[Origins]]:
    """Return what is known of firms once each row of a list has said its part.

    Parameters
    ----------
    firms, said
        As of `merged`.
    rows
        Where in the list each stands.
    list_id, at, as_of
        As of `origin`.
    """
    both = [
        merged(firm, fields, origin(list_id, row, at=at, as_of=as_of))
        for firm, fields, row in zip(firms, said, rows, strict=True)
    ]
    return [record for record, _ in both], [origins for _, origins in both]


def firms_frame(records: list[Record]) -> pd.DataFrame:
    """Return records as a table of all canonical columns, numbered from 0.

    >>> firms_frame([{"name": "甲", "founded_on": "2016-11-01"}])["founded_on"].dt.year.tolist()
    [2016]
    """
    columns = {}
    for each in CANONICAL:
        values = [record.get(each.name) for record in records]
        if each.dtype.startswith("datetime"):
            days = pd.to_datetime(pd.Series(values, dtype="str"), format="%Y-%m-%d")
            columns[each.name] = days.dt.as_unit("us")
        else:
            columns[each.name] = pd.Series(values, dtype=each.dtype)
    return pd.DataFrame(columns)


def former_keys(record: Mapping[str, Any]) -> list[str]:
    """Return the normal forms of a firm's former names."""
    names = str(record.get("former_names") or "").split(_SEPARATOR)
    return [normal_name_of(name) for name in names if name.strip()]


def _moved(
    record: Record, origins: Origins, said: Mapping[str, Any], source: Mapping[str, Any]
) -> bool:
    """Tell whether a list that is at least as new puts the firm into another region."""
    return any(
        name in said and name in record and said[name] != record[name]
        and origins[name]["as_of"] <= source["as_of"]
        for name in _REGION
    )  # fmt: skip


def _former(known: Mapping[str, Any], said: Mapping[str, Any], name: str) -> str:
    """Return all names but the present one, each once."""
    before = [*str(known.get("former_names") or "").split(_SEPARATOR),
              *str(said.get("former_names") or "").split(_SEPARATOR),
              str(known["name"]), str(said["name"])]  # fmt: skip
    own = normal_name_of(name)
    names = {normal_name_of(each): each for each in reversed(before) if each.strip()}
    names.pop(own, None)
    return _SEPARATOR.join(reversed(names.values()))
