"""Firms of the ranking as it is kept become the table that is written for people and programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from leadscore.features.catalogue import CATALOGUE
from leadscore.language import Lang
from leadscore.ranking.reasons import Wording
from leadscore.ranking.table import RANKING_COLUMNS
from leadscore.ranking.vetoes import WORDING
from leadscore.store.ranking.cursor import Sort
from leadscore.store.ranking.filter import RankingFilter
from leadscore.store.ranking.pages import whole_ranking

_FRACTIONS = ("priority", "likelihood", "fit")
_DTYPES = {"rank": "Int64", "row": "Int64"} | dict.fromkeys(_FRACTIONS, "float64")


def written_ranking(
    rows: Sequence[Mapping[str, Any]], wording: Wording, lang: Lang
) -> pd.DataFrame:
    """Return firms with the columns of a written ranking.

    Parameters
    ----------
    rows
        Firms as `leadscore.store.ranking.pages` gives them.
    wording
        Of the model that serves; a segment that its city has no longer has no name.
    lang
        Of reasons, vetoes and names.
    """
    same: dict[str, list[Any]] = {
        name: [row[name] for row in rows]
        for name in RANKING_COLUMNS
        if name not in ("reasons", "veto", "segment_name", "role_name", "matched_words")
    }
    roles = {level: name.pick(lang) for level, name in CATALOGUE["role"].levels.items()}
    columns = same | {
        "reasons": [wording.kept_line(row, lang) for row in rows],
        "veto": [row["veto"] and WORDING[row["veto"]].pick(lang) for row in rows],
        "segment_name": [wording.segment(row["segment"], lang) for row in rows],
        "role_name": [roles.get(row["role"]) for row in rows],
        "matched_words": [row["words"] for row in rows],
    }
    return pd.DataFrame(
        {name: pd.Series(columns[name], dtype=_DTYPES.get(name, "str")) for name in RANKING_COLUMNS}
    )


def written_parts(
    connection: Connection, asked: RankingFilter, wording: Wording, lang: Lang, *, sort: Sort
) -> Iterator[tuple[Sequence[Mapping[str, Any]], pd.DataFrame]]:
    """Yield the whole ranking in parts: firms as they are kept, and as they are written.

    There is at least one part, so that a table without firms has its columns, too.

    Parameters
    ----------
    connection
        Within a transaction.
    asked, sort
        Which firms, and in which order.
    wording, lang
        As of `written_ranking`.
    """
    empty = True
    for rows in whole_ranking(connection, asked, sort=sort):
        empty = False
        yield rows, written_ranking(rows, wording, lang)
    if empty:
        yield [], written_ranking([], wording, lang)
