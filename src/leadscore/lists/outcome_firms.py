"""A row of outcomes names its firm by a code, a name, or both; either will do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.lists.headers.layout import Layout, Source
from leadscore.lists.values.cells import Reader
from leadscore.lists.values.codes import normal_code, valid_code
from leadscore.lists.values.faults import ProblemLog
from leadscore.lists.values.names import WANTED, former_names, read_names

_NAME_COLUMNS = ("matched_name", "name", "imported_name")


def name_sources(layout: Layout) -> list[Source]:
    """Return the columns that may name firms, first choice first."""
    return [source for name in _NAME_COLUMNS for source in layout.sources.get(name, ())]


def named_firms(
    cells: pd.DataFrame, layout: Layout, reader: Reader, log: ProblemLog
) -> pd.DataFrame:
    """Return by what the firm of each row is known.

    Parameters
    ----------
    cells
        Text as in the source.
    layout
        What its headers mean.
    reader
        Reads codes.
    log
        Takes what is wrong with them.

    Returns
    -------
    pandas.DataFrame
        ``credit_code`` (valid ones only), ``name``, ``former_names``, each missing if unknown.
    """
    nothing: pd.Series = pd.Series(np.nan, index=cells.index, dtype="str")
    names: pd.Series = nothing
    former: pd.Series = nothing
    for source in name_sources(layout):
        text = cells[source.position]
        read = read_names(text)
        log.add(
            read.hidden, "invisible_characters", WANTED["invisible_characters"],
            column=source.header, cells=text,
        )  # fmt: skip
        names, former = names.fillna(read.values), former.fillna(read.former)
    for source in layout.sources.get("former_names", ()):
        given = former_names(cells[source.position])
        both = former.notna() & given.notna() & (former != given)
        former = former.fillna(given).mask(both, former + ";" + given)
    codes = _codes(cells, layout, reader, log, nothing)
    return pd.DataFrame({"credit_code": codes, "name": names, "former_names": former})


def _codes(
    cells: pd.DataFrame, layout: Layout, reader: Reader, log: ProblemLog, nothing: pd.Series
) -> pd.Series:
    codes = nothing
    for source in layout.sources.get("credit_code", ()):
        text = cells[source.position]
        read = reader.read(source.heading, text)
        for fault in read.faults:
            log.add(fault.where, fault.code, fault.wanted, column=source.header, cells=text)
        codes = codes.fillna(read.values)
    for source in layout.sources.get("taxpayer_id", ()):
        text = normal_code(cells[source.position])
        codes = codes.fillna(text.where(valid_code(text)))
    return codes
