"""Candidate lists as offices keep them: from any file to clean firms, and back to a file.

The parts are imported when they are first asked for: pandas, scipy and rapidfuzz take longer to
load than a child process that reads one spreadsheet may take.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadscore.lists.cleaning import CleanList, clean
    from leadscore.lists.columns import CANONICAL, Column, column, recognise
    from leadscore.lists.exclusions import ExclusionList, load_exclusions
    from leadscore.lists.identity import load_list, settle_repeats
    from leadscore.lists.problems import Problem
    from leadscore.lists.reading import RawList, TextTable, from_frame, from_records, read_list

__all__ = [
    "CANONICAL",
    "CleanList",
    "Column",
    "ExclusionList",
    "Problem",
    "RawList",
    "TextTable",
    "clean",
    "column",
    "from_frame",
    "from_records",
    "load_exclusions",
    "load_list",
    "read_list",
    "recognise",
    "settle_repeats",
]

_HOME = {
    "CANONICAL": "columns",
    "CleanList": "cleaning",
    "Column": "columns",
    "ExclusionList": "exclusions",
    "Problem": "problems",
    "RawList": "reading",
    "TextTable": "reading",
    "clean": "cleaning",
    "column": "columns",
    "from_frame": "reading",
    "from_records": "reading",
    "load_exclusions": "exclusions",
    "load_list": "identity",
    "read_list": "reading",
    "recognise": "columns",
    "settle_repeats": "identity",
}


def __getattr__(name: str) -> object:
    """Import a part when it is first asked for."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
