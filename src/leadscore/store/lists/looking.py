"""Works out what a list makes of the store as it is now; nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
from sqlalchemy import Connection, select

from leadscore.language import Text
from leadscore.lists.cleaning import CleanList
from leadscore.lists.problems import Problem, shown
from leadscore.ranking.scoring import Scorer
from leadscore.store.engine.database import Database
from leadscore.store.engine.values import plain_values
from leadscore.store.firms.linking import Linked, link
from leadscore.store.firms.merging import Origins, Record, all_merged, firms_frame
from leadscore.store.firms.records import Records, field_records
from leadscore.store.lists.lists import LIST_FIRMS, KeptList
from leadscore.store.ranking.score_rows import ScoredFirms
from leadscore.store.ranking.scored_firms import score_firms

_TWICE = Text(
    zh="每家企业一行；此行的企业（编号 {id}）刚由本名单的另一行写入",
    en="each firm once; another row of the list was stored as this firm, number {id}",
)


@dataclass(frozen=True, eq=False)
class Look:
    """What is to be written, if the store is still as it was.

    Attributes
    ----------
    linked
        The rows that aren't stored yet, and which firms they are.
    said
        What the list says of each.
    records, origins
        What is known of each once it has, and where each field is from.
    scored
        Their scores.
    """

    linked: Linked
    said: Records
    records: list[Record]
    origins: list[Origins]
    scored: ScoredFirms

    def __len__(self) -> int:
        """Return how many firms are yet to be stored."""
        return len(self.records)


def look(
    database: Database,
    kept: KeptList,
    clean: CleanList,
    *,
    scorer: Scorer,
    today: date,
    now: datetime,
    progress: Callable[[int, int], object],
) -> Look:
    """Link, merge and score the rows of a list that are not stored yet.

    Parameters
    ----------
    database
        With the tables of the store.
    kept
        The list.
    clean
        What it says.
    scorer
        The champion.
    today, now
        Day as of which the firms are scored, and when.
    progress
        Told how many firms are scored, and how many there are.
    """
    with database.read() as connection:
        linked = _lacking(connection, kept.id, link(connection, clean))
    said = field_records(linked.firms)
    records, origins = all_merged(
        linked.known, (fields for _, fields in said), linked.firms["row"].tolist(),
        list_id=kept.id, at=now, as_of=kept.as_of,
    )  # fmt: skip
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        progress(done, len(records))

    scored = score_firms(firms_frame(records), scorer, as_of=today, progress=tell)
    return Look(linked, said, records, origins, scored)


def _lacking(connection: Connection, list_id: int, linked: Linked) -> Linked:
    """Leave out the rows that are stored already, by a worker that was stopped or before others."""
    query = select(LIST_FIRMS.c.sheet, LIST_FIRMS.c.row, LIST_FIRMS.c.firm_id)
    members = connection.execute(query.where(LIST_FIRMS.c.list_id == list_id)).all()
    if not members:
        return linked
    stored = {(member.sheet, member.row) for member in members}
    firms = {member.firm_id for member in members}
    rows, names = linked.firms["row"].tolist(), plain_values(linked.firms["name"])
    places = list(zip(plain_values(linked.firms["sheet"]), rows, strict=True))
    left, problems = [], list(linked.problems)
    for at, (place, firm) in enumerate(zip(places, linked.known, strict=True)):
        if place in stored:
            continue
        if firm is None or firm.id not in firms:
            left.append(at)
            continue
        (sheet, row), wanted = place, _TWICE.format(id=firm.id)
        found = shown(names[at])
        problems.append(Problem(row, None, found, wanted, "repeat", sheet, set_aside=True))
    return replace(
        linked,
        firms=linked.firms.iloc[np.array(left, dtype=np.int64)].reset_index(drop=True),
        known=[linked.known[at] for at in left],
        problems=problems,
    )
