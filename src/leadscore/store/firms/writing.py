"""Writes what a list made of the firms: new ones are added, known ones get their new record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from leadscore.lists.sameness.firm_names import normal_name
from leadscore.store.firms.firms import Firm, add_firms, add_former_names, change_firms
from leadscore.store.firms.merging import Origins, Record, former_keys


def write_firms(
    connection: Connection,
    known: Sequence[Firm | None],
    records: Sequence[Record],
    origins: Sequence[Origins],
    *,
    first: int,
    now: datetime,
) -> list[Firm]:
    """Write firms and return them as they are kept, in the order given.

    Parameters
    ----------
    connection
        Within a write transaction.
    known
        The firm as it was; None for a new one.
    records, origins
        What is known of it now, and where each field is from.
    first
        Number of the first new firm (see `firms.next_firm_id`).
    now
        When; with a time zone.
    """
    keys = normal_name(pd.Series([record["name"] for record in records], dtype="str")).tolist()
    firms: list[Firm] = []
    for firm, record, origin, key in zip(known, records, origins, keys, strict=True):
        number, created, version = first, now, 1
        if firm:
            number, created, version = firm.id, firm.created_at, firm.version + 1
        else:
            first += 1
        code = record.get("credit_code")
        firms.append(Firm(number, code, record["name"], key, record, origin, created, now, version))
    pairs = list(zip(known, firms, strict=True))
    add_firms(connection, [_row(firm) for old, firm in pairs if old is None])
    change_firms(connection, [_row(firm) for old, firm in pairs if old is not None])
    names = [(key, firm.id) for firm in firms for key in former_keys(firm.record)]
    add_former_names(connection, names)
    return firms


def _row(firm: Firm) -> dict[str, object]:
    return {name: getattr(firm, name) for name in Firm.__slots__}
