"""The ranking as a file: all columns, or just those that are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import pandas as pd
from flask import Response

from leadscore.language import Lang
from leadscore.lists.values.vocabularies import STAGES
from leadscore.lists.writing import write_ranking
from leadscore.ranking.table import RANKING_COLUMNS
from leadscore.store.ranking.cursor import Sort
from leadscore.store.ranking.filter import RankingFilter
from leadscore.store.ranking.written import written_parts
from leadscore.web.routes.backing import Backing
from leadscore.web.routes.files import CSV, XLSX, file_answer, ranking_csv, written_file

FileKind = Literal["csv", "xlsx"]

FILE_COLUMNS = (*RANKING_COLUMNS, "stage")
"""What may be asked for; ``stage`` stands in a file only if it is."""


def ranking_file(
    backing: Backing,
    kind: FileKind,
    asked: RankingFilter,
    *,
    sort: Sort,
    lang: Lang,
    columns: Sequence[str] = (),
) -> Response:
    """Return the ranking as a file for a browser to save; CSV is sent as it is read.

    Parameters
    ----------
    backing
        Whose store and city.
    kind
        Which sort of file.
    asked, sort
        Which firms, and in which order.
    lang
        Of reasons, vetoes, names, and the headers of a workbook.
    columns
        Some of `FILE_COLUMNS` in their order; none for those of a written ranking.
    """
    tables = _tables(backing, asked, sort, lang, list(dict.fromkeys(columns)))
    if kind == "csv":
        return file_answer(ranking_csv(tables, lang), "ranking.csv", CSV)
    table = pd.concat(list(tables), ignore_index=True)
    write = partial(write_ranking, table, lang=lang)
    return file_answer(written_file(write, ".xlsx"), "ranking.xlsx", XLSX)


def _tables(
    backing: Backing, asked: RankingFilter, sort: Sort, lang: Lang, columns: list[str]
) -> Iterator[pd.DataFrame]:
    """Yield the ranking as tables; at least one."""
    wording = backing.scorer().wording
    with backing.database.read() as connection:
        for rows, table in written_parts(connection, asked, wording, lang, sort=sort):
            yield _chosen(table, rows, columns, lang)


def _chosen(
    table: pd.DataFrame, rows: Sequence[Mapping[str, Any]], columns: list[str], lang: Lang
) -> pd.DataFrame:
    if not columns:
        return table
    stages = [STAGES[row["stage"]].pick(lang) if row["stage"] in STAGES else None for row in rows]
    return table.assign(stage=pd.Series(stages, dtype="str"))[columns]
