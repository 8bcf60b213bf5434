"""Writes what a list or a request made of the firms: new ones are added, known ones changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import pandas as pd
from sqlalchemy import Connection

from leadscore.lists.cleaning import clean
from leadscore.lists.files.records import from_records
from leadscore.lists.identity import settle_repeats
from leadscore.lists.sameness.firm_names import normal_name, normal_name_of
from leadscore.ranking.score import Scorer
from leadscore.store.firms.firms import (
    Firm,
    add_firms,
    add_former_names,
    change_firms,
    next_firm_id,
)
from leadscore.store.firms.linking import link
from leadscore.store.firms.merging import Origins, Record, all_merged, firms_frame, former_keys
from leadscore.store.firms.records import field_records
from leadscore.store.ranking.scored_firms import score_firms, write_scores
from leadscore.store.ranking.standings import last_seen

_SOURCE = "api"


def keep_asked(
    connection: Connection,
    records: Sequence[Mapping[str, object]],
    *,
    scorer: Scorer,
    today: date,
    now: datetime,
) -> list[int]:
    """Keep firms and their scores; return the number of each in the store, in the order given.

    A firm that the store knows is linked by its credit code, else by its name, and what was sent
    joins what lists have said of it. What is kept is scored with all that is known by then.

    Parameters
    ----------
    connection
        Within a write transaction.
    records
        Canonical columns of each firm; each has a name.
    scorer
        The champion.
    today
        Day as of which the firms are known and scored.
    now
        When; with a time zone.
    """
    table = settle_repeats(clean(from_records(records), today=today))
    linked = link(connection, table)
    said = (fields for _, fields in field_records(linked.firms))
    rows = linked.firms["row"].tolist()
    kept, origins = all_merged(linked.known, said, rows, list_id=None, at=now, as_of=today)
    firms = write_firms(
        connection, linked.known, kept, origins, first=next_firm_id(connection), now=now
    )
    seen = last_seen(connection, [firm.id for firm in firms])
    scored = score_firms(firms_frame(kept), scorer, as_of=today)
    write_scores(connection, firms, scored, seen, source=_SOURCE, now=now)
    of_row = dict(zip(rows, firms, strict=True))
    return [
        (of_row.get(row) or _same_firm(firms, record)).id for row, record in enumerate(records, 1)
    ]


def _same_firm(firms: Sequence[Firm], record: Mapping[str, object]) -> Firm:
    """Return the firm that a record repeats: by its credit code first, else by its name."""
    code, name = record.get("credit_code"), normal_name_of(str(record["name"]))
    by_code = [firm for firm in firms if code and firm.credit_code == code]
    by_name = [firm for firm in firms if firm.name_key == name]
    former = [firm for firm in firms if name in former_keys(firm.record)]
    return [*by_code, *by_name, *former][0]


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
