"""Which kept firm a row is, and what becomes of a firm's fields when lists disagree."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

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
from leadscore.store.database import one_of_some, rows_of_some
from leadscore.store.firms import FIRMS, FORMER_NAMES, Firm, read_firms
from leadscore.text import Text, room_words

WORDS = room_words("store")


@dataclass(frozen=True, eq=False)
class Linked:
    """A list of which each row stands for one firm, known or new.

    ``firms`` has canonical columns, ``row`` and ``sheet``, index ``0..n-1``, each firm once;
    ``known`` the firm of the store for each of them, None for a new one; ``problems`` what was
    found on the way, rows set aside that the store shows to be repeats; ``versions`` those of every
    firm of the store that shares a code or a name with a row, by its number.
    """

    firms: pd.DataFrame
    known: list[Firm | None]
    problems: list[Problem]
    versions: Mapping[int, int]


def link(connection: Connection, clean: CleanList) -> Linked:
    """Find out which firm of the store each row is, by the rules of `settle_repeats`.

    Rows and firms with one credit code are one firm; a row without a code is the firm that bears
    its name now, else the one that bore it before; a firm of the store that has no code takes that
    of the row that bears its name. A name that firms with different codes bear links nothing. The
    list has each firm once already.
    """
    rows = clean.firms
    stored_firms = read_firms(connection, _sharing(connection, rows))
    firms = [stored_firms[number] for number in sorted(stored_firms)]
    if not firms:
        return Linked(rows, [None] * len(rows), [], {})
    stored = pd.DataFrame(
        {name: [firm.record.get(name) for firm in firms] for name in IDENTIFIERS}, dtype="str"
    )
    both = pd.concat([stored, rows[list(IDENTIFIERS)]], ignore_index=True).astype("str")
    groups = group_rows(both, normal_name(both["name"]))
    of_stored, of_rows = np.split(groups.of_row, [len(firms)])
    folded = fold_repeats(rows, of_rows)
    owners: dict[int, list[Firm]] = {}  # those with a code first, then the oldest
    for firm, group in sorted(
        zip(firms, of_stored.tolist(), strict=True),
        key=lambda pair: (pair[0].credit_code is None, pair[0].id),
    ):
        owners.setdefault(group, []).append(firm)
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
    listed = {(problem.sheet, problem.row, problem.code) for problem in clean.problems}
    new = [each for each in problems if (each.sheet, each.row, each.code) not in listed]
    return Linked(folded.firms, known, new, {firm.id: firm.version for firm in firms})


def _sharing(connection: Connection, rows: pd.DataFrame) -> set[int]:
    """Return every firm that shares a code or a name, present or former, with a row."""
    own = set(normal_name(rows["name"]).dropna())
    former = set(normal_former_names(rows["former_names"]))
    numbers: set[int] = set()
    for wanted, by, values in (
        (FIRMS.c.id, FIRMS.c.credit_code, set(rows["credit_code"].dropna())),
        (FIRMS.c.id, FIRMS.c.name_key, own | former),
        (FORMER_NAMES.c.firm_id, FORMER_NAMES.c.name_key, own),
    ):
        query = select(wanted).where(by.in_(one_of_some()))
        numbers.update(row[0] for row in rows_of_some(connection, query, values))
    return numbers


def _problem(rows: pd.DataFrame, at: int, wanted: Text, code: str) -> Problem:
    row, sheet = int(rows["row"].to_numpy(dtype=np.int64)[at]), rows["sheet"].iat[at]
    in_sheet = sheet if isinstance(sheet, str) else None
    return Problem(row, None, shown(rows["name"].iat[at]), wanted, code, in_sheet)


def as_seen(connection: Connection, linked: Linked, part: slice, ours: Collection[int]) -> bool:
    """Tell whether some rows still are the firms that they were taken for.

    ``ours`` are the firms that were written for other rows of the list meanwhile: the list as a
    whole was linked, and they change nothing.
    """
    known = {firm.id: firm.version for firm in linked.known[part] if firm}
    present = _sharing(connection, linked.firms.iloc[part]).difference(ours) | known.keys()
    query = select(FIRMS.c.id, FIRMS.c.version).where(FIRMS.c.id.in_(one_of_some()))
    now = rows_of_some(connection, query, present)
    return all(linked.versions.get(number) == version for number, version in now)


Record = dict[str, Any]
Origins = dict[str, Mapping[str, Any]]

_PLACES = frozenset(each.name for each in CANONICAL if each.kind in ("place", "division"))
_REGION = ("province_code", "city_code", "province", "city")
_SEPARATOR = ";"


def _merged(
    firm: Firm | None, said: Mapping[str, Any], source: Mapping[str, Any]
) -> tuple[Record, Origins]:
    """Return what is known of a firm once a list has said its part, and where each field is from.

    A field that a list with a later ``as_of`` has filled stays. A name that gives way becomes a
    former one. Where a newer list puts the firm into another region, older parts of its place go.
    """
    if firm is None:
        return dict(said), dict.fromkeys(said, source)
    record, origins = dict(firm.record), dict(firm.origins)

    def gives_way(name: str) -> bool:
        return name not in origins or origins[name]["as_of"] <= source["as_of"]

    if any(name in said and record.get(name, said[name]) != said[name] and gives_way(name)
           for name in _REGION):  # fmt: skip
        for name in _PLACES & record.keys() - said.keys():
            if gives_way(name):
                del record[name], origins[name]
    for name, value in said.items():
        if name not in ("former_names", "credit_code") and gives_way(name):
            record[name], origins[name] = value, source
    if "credit_code" in said and "credit_code" not in record:
        record["credit_code"], origins["credit_code"] = said["credit_code"], source
    former = _former(firm.record, said, record["name"])
    if former and former != firm.record.get("former_names"):
        record["former_names"], origins["former_names"] = former, source
    return record, origins


def all_merged(
    firms: Iterable[Firm | None], said: Iterable[Mapping[str, Any]], rows: Iterable[int], *,
    list_id: int | None, at: datetime, as_of: date,
) -> tuple[list[Record], list[Origins]]:  # fmt: skip
    """Return what is known of firms, and from where, once each row of a list has said its part.

    ``said`` are the canonical columns that are filled, as `firms.field_records` has them.
    """
    same = {"at": at.isoformat(), "as_of": as_of.isoformat()}
    both = [
        _merged(firm, fields, {"list": list_id, "row": row, **same})
        for firm, fields, row in zip(firms, said, rows, strict=True)
    ]
    return [record for record, _ in both], [origins for _, origins in both]


def _former(known: Mapping[str, Any], said: Mapping[str, Any], name: str) -> str:
    """Return all names but the present one, each once."""
    before = [*str(known.get("former_names") or "").split(_SEPARATOR),
              *str(said.get("former_names") or "").split(_SEPARATOR),
              str(known["name"]), str(said["name"])]  # fmt: skip
    names = {normal_name_of(each): each for each in reversed(before) if each.strip()}
    names.pop(normal_name_of(name), None)
    return _SEPARATOR.join(reversed(names.values()))
