"""Which firm of the store each row of a list is: by its credit code first, else by its name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Column, Connection, Table, select

from leadscore.language import Text
from leadscore.learning.outcomes.linking import IDENTIFIERS
from leadscore.lists.cleaning import CleanList
from leadscore.lists.identity import group_rows
from leadscore.lists.problems import Problem, shown
from leadscore.lists.sameness.firm_names import normal_former_names, normal_name
from leadscore.lists.sameness.repeats import fold_repeats
from leadscore.store.engine.parts import in_parts
from leadscore.store.firms.firms import FIRMS, FORMER_NAMES, Firm, read_firms

_UNDECIDED = Text(
    zh="信用代码；库中有几家企业叫这个名称而信用代码不同，无法确定是哪一家，按另一家企业计",
    en="a credit code; several firms of the store have this name and different codes, so that"
    " nobody can tell which of them this row is, and it counts as another firm",
)
_SEVERAL = Text(
    zh="库中编号 {ids} 的几家企业可能就是这一家；此行记在 {id} 名下",
    en="one firm; the store has it perhaps several times, as numbers {ids}; this row was taken for"
    " number {id}",
)


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
            wanted = _SEVERAL.format(ids=ids, id=candidates[0].id)
            problems.append(_problem(rows, at, wanted, "several_firms"))
        elif groups.undecided[len(firms) + at]:
            problems.append(_problem(rows, at, _UNDECIDED, "same_name"))
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
