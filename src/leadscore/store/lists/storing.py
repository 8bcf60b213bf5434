"""Writes what a look made of a list, some firms a transaction, so that nobody waits long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from leadscore.lists.cleaning import CleanList
from leadscore.lists.problems import Problem
from leadscore.ranking.walk import Counts
from leadscore.store.engine.database import Database
from leadscore.store.engine.values import plain_values
from leadscore.store.firms.firms import Firm, next_firm_id
from leadscore.store.firms.linking import as_seen
from leadscore.store.firms.writing import write_firms
from leadscore.store.lists.lists import (
    LIST_FIRMS,
    KeptList,
    counts_dict,
    end_list,
    keep_problems,
)
from leadscore.store.lists.looking import Look
from leadscore.store.ranking.scored_firms import write_scores
from leadscore.store.ranking.standings import STANDINGS

_ADD_MEMBER = LIST_FIRMS.insert().values(
    order_key=select(STANDINGS.c.order_key)
    .where(STANDINGS.c.firm_id == bindparam("placed"))
    .scalar_subquery()
)


def store_part(
    database: Database,
    kept: KeptList,
    look: Look,
    part: slice,
    ours: set[int],
    *,
    now: datetime,
    check: Callable[[], object],
) -> bool:
    """Store some firms in one transaction; False if somebody else has changed one meanwhile.

    Parameters
    ----------
    database
        With the tables of the store.
    kept
        The list.
    look
        What is to be stored.
    part
        Which of its firms.
    ours
        Numbers of the firms that were stored since the look; those of the part are added.
    now
        When; with a time zone.
    check
        Called between the steps; it may raise, and then nothing of the part is stored.
    """
    rows, known = look.linked.firms.iloc[part], look.linked.known[part]
    with database.write() as connection:
        first = next_firm_id(connection)
        if not as_seen(connection, look.linked, part, ours):
            return False
        check()
        firms = write_firms(connection, known, look.records[part], look.origins[part],
                            first=first, now=now)  # fmt: skip
        check()
        seen = {firm.id: (kept.id, row) for firm, row in
                zip(firms, rows["row"].tolist(), strict=True)}  # fmt: skip
        write_scores(connection, firms, look.scored, seen, start=part.start, now=now,
                     source=kept.file_name)  # fmt: skip
        _write_members(connection, kept, look, part, firms)
        check()
    ours.update(firm.id for firm in firms)
    return True


def end_of_list(database: Database, kept: KeptList, clean: CleanList, look: Look) -> Counts:
    """Keep what was wrong with a list of which all firms are stored, and where its rows went."""
    problems = _in_order(clean, look.linked.problems)
    with database.write() as connection:
        counts = _counts(connection, kept.id, clean.rows_in)
        keep_problems(connection, kept.id, problems)
        end_list(
            connection, kept.id, "done", counts=counts_dict(counts), model=look.scored.model,
            notices=[{"zh": notice.zh, "en": notice.en} for notice in clean.notices],
        )  # fmt: skip
    return counts


def _write_members(
    connection: Connection, kept: KeptList, look: Look, part: slice, firms: list[Firm]
) -> None:
    rows = look.linked.firms.iloc[part]
    members = [
        {"list_id": kept.id, "firm_id": firm.id, "placed": firm.id, "row": row, "sheet": sheet,
         "said": None if fields == record else fields}
        for firm, row, sheet, (_, fields), record in zip(
            firms, rows["row"].tolist(), plain_values(rows["sheet"]), look.said[part],
            look.records[part], strict=True,
        )
    ]  # fmt: skip
    connection.execute(_ADD_MEMBER, members)


def _in_order(clean: CleanList, found: list[Problem]) -> list[Problem]:
    """Return all problems by sheet and row, as the list has them."""
    both = (*clean.problems, *found)
    order = {sheet: place for place, sheet in enumerate(dict.fromkeys(p.sheet for p in both))}
    return sorted(both, key=lambda problem: (order[problem.sheet], problem.row or -1))


def _counts(connection: Connection, list_id: int, rows: int) -> Counts:
    """Return where the rows went: what is stored stands in the ranking, the rest was set aside."""
    members = LIST_FIRMS.join(STANDINGS, STANDINGS.c.firm_id == LIST_FIRMS.c.firm_id)
    query = select(STANDINGS.c.vetoed, func.count()).select_from(members)
    grouped = query.where(LIST_FIRMS.c.list_id == list_id).group_by(STANDINGS.c.vetoed)
    stored = {row[0]: row[1] for row in connection.execute(grouped)}
    ranked, vetoed = stored.get(False, 0), stored.get(True, 0)
    return Counts(rows, ranked, vetoed, rows - ranked - vetoed)
