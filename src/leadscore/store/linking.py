"""Which kept firm a row is, and what becomes of a firm's fields when lists disagree."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Column, Connection, Table, select

from leadscore.learning.history import IDENTIFIERS
from leadscore.lists.cleaning import CleanList
from leadscore.lists.columns import CANONICAL
from leadscore.lists.dedupe import (
    fold_repeats,
    group_rows,
    normal_former_names,
    normal_name,
    normal_name_of,
)
from leadscore.lists.problems import Problem, shown
from leadscore.store.database import in_parts
from leadscore.store.firms import FIRMS, FORMER_NAMES, Firm, read_firms
from leadscore.text import Text, room_words

WORDS = room_words("store")


@dataclass(frozen=True, eq=False)
class Linked:
    """A list of which each row stands for one firm, known or new.

    Attributes
    ----------
    firms
        Canonical columns, ``row`` and ``sheet``; index ``0..n-1``, each firm once.
    known
        For each of them the firm of the store; None for a new one.
    problems
        What was found on the way; rows that the store shows to be repeats are set aside in some.
    versions
        Of every firm of the store that shares a code or a name with a row, by its number.
    """

    firms: pd.DataFrame
    known: list[Firm | None]
    problems: list[Problem]
    versions: Mapping[int, int]


def link(connection: Connection, clean: CleanList) -> Linked:
    """Find out which firm of the store each row is, by the rules of `identity.settle_repeats`.

    Rows and firms with one credit code are one firm; a row without a code is the firm that bears
    its name now, else the one that bore it before; a firm of the store that has no code takes that
    of the row that bears its name. A name that firms with different codes bear links nothing.

    Parameters
    ----------
    connection
        Within a transaction.
    clean
        Each firm once, as `lists.load_list` gives it.
    """
    rows = clean.firms
    firms = _candidates(connection, rows)
    if not firms:
        return Linked(rows, [None] * len(rows), [], {})
    stored = pd.DataFrame(
        {name: [firm.record.get(name) for firm in firms] for name in IDENTIFIERS}, dtype="str"
    )
    both = pd.concat([stored, rows[list(IDENTIFIERS)]], ignore_index=True).astype("str")
    groups = group_rows(both, normal_name(both["name"]))
    of_stored, of_rows = np.split(groups.of_row, [len(firms)])
    folded = fold_repeats(rows, of_rows)
    owners = _owners(firms, of_stored)
    known, problems = [], list(folded.problems)
    for at, group in zip(folded.kept.tolist(), of_rows[folded.kept].tolist(), strict=True):
        candidates = owners.get(group, [])
        known.append(candidates[0] if candidates else None)
        if len(candidates) > 1:
            ids = ", ".join(str(firm.id) for firm in candidates)
            wanted = WORDS["linking.several"].format(ids=ids, id=candidates[0].id)
            problems.append(_problem(rows, at, wanted, "several_firms"))
        elif groups.undecided[len(firms) + at]:
            problems.append(_problem(rows, at, WORDS["linking.undecided"], "same_name"))
    told = {(problem.sheet, problem.row, problem.code) for problem in clean.problems}
    new = [each for each in problems if (each.sheet, each.row, each.code) not in told]
    return Linked(folded.firms, known, new, {firm.id: firm.version for firm in firms})


def _candidates(connection: Connection, rows: pd.DataFrame) -> list[Firm]:
    """Return every firm that shares a code or a name, present or former, with a row."""
    return [firm for _, firm in sorted(read_firms(connection, _sharing(connection, rows)).items())]


def _sharing(connection: Connection, rows: pd.DataFrame) -> set[int]:
    own = set(normal_name(rows["name"]).dropna())
    former = set(normal_former_names(rows["former_names"]))
    codes = set(rows["credit_code"].dropna())
    found = _ids(connection, FIRMS, FIRMS.c.id, FIRMS.c.credit_code, codes)
    found |= _ids(connection, FIRMS, FIRMS.c.id, FIRMS.c.name_key, own | former)
    before = FORMER_NAMES.c
    return found | _ids(connection, FORMER_NAMES, before.firm_id, before.name_key, own)


def _ids(
    connection: Connection, table: Table, wanted: Column[Any], by: Column[Any],
    values: Collection[str],
) -> set[int]:  # fmt: skip
    found: set[int] = set()
    for some in in_parts(values):
        query = select(wanted).select_from(table).where(by.in_(some))
        found.update(connection.scalars(query))
    return found


def _owners(firms: Iterable[Firm], groups: np.ndarray) -> dict[int, list[Firm]]:
    """Return the firms of each group, those with a code first, then the oldest."""
    owners: dict[int, list[Firm]] = {}
    for firm, group in zip(firms, groups.tolist(), strict=True):
        owners.setdefault(group, []).append(firm)
    for several in owners.values():
        several.sort(key=lambda firm: (firm.credit_code is None, firm.id))
    return owners


def _problem(rows: pd.DataFrame, at: int, wanted: Text, code: str) -> Problem:
    sheet = rows["sheet"].iat[at]
    return Problem(
        row=int(rows["row"].to_numpy(dtype=np.int64)[at]),
        column=None,
        found=shown(rows["name"].iat[at]),
        wanted=wanted,
        code=code,
        sheet=sheet if isinstance(sheet, str) else None,
    )


def as_seen(connection: Connection, linked: Linked, part: slice, ours: Collection[int]) -> bool:
    """Tell whether some rows still are the firms that they were taken for.

    Parameters
    ----------
    connection
        Within a write transaction.
    linked
        What was found.
    part
        Which of its rows.
    ours
        Numbers of the firms that were written for other rows of the list meanwhile: the list as a
        whole was linked, and they change nothing.
    """
    known = {firm.id: firm.version for firm in linked.known[part] if firm}
    found = _sharing(connection, linked.firms.iloc[part]).difference(ours) | known.keys()
    now: dict[int, int] = {}
    for some in in_parts(found):
        query = select(FIRMS.c.id, FIRMS.c.version).where(FIRMS.c.id.in_(some))
        now.update((row.id, row.version) for row in connection.execute(query))
    return all(linked.versions.get(number) == version for number, version in now.items())


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
