"""A list of firms that are not to be ranked knows some of them by their credit code alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from leadscore.language import Text
from leadscore.lists.cleaning import Firm, clean
from leadscore.lists.files.texttable import TextTable
from leadscore.lists.layout import lay_out
from leadscore.lists.problems import Problem
from leadscore.lists.reading import read_list
from leadscore.lists.sameness.firm_names import normal_name_of
from leadscore.lists.values.codes import valid_code

_WANTED = Text(
    zh="企业名称或校验位正确的统一社会信用代码；两者都没有的行不能排除任何企业",
    en="the name of a firm or a credit code whose check digit holds; a row with neither excludes"
    " no firm",
)
_CODED = ("credit_code", "taxpayer_id")


@dataclass(frozen=True, eq=False)
class ExclusionList:
    """By what the firms of a list are known, to leave them out of another.

    Attributes
    ----------
    credit_codes
        Valid credit codes, also those of rows without a name.
    names
        Names and former names in the form that `normal_name` gives.
    problems
        What was wrong; a row is set aside if it has neither name nor valid code.
    notices
        What the owner should know about the list as a whole.
    rows_in
        Data rows that were read.
    """

    credit_codes: frozenset[str]
    names: frozenset[str]
    problems: tuple[Problem, ...]
    notices: tuple[Text, ...]
    rows_in: int


def load_exclusions(path: Path, *, today: date) -> ExclusionList:
    """Read a list of firms that are to be left out.

    Parameters
    ----------
    path
        The file, as `reading.read_list` takes it. A firm that stands in it twice is no problem.
    today
        Days after it are not believed.

    Raises
    ------
    ListError
        If the file can't be read at all, or no column names firms.
    """
    raw = read_list(path)
    found = clean(raw, today=today)
    codes = {place: code for table in raw.tables for place, code in _codes(table)}
    own = (str(firm["credit_code"]) for firm in found.records if "credit_code" in firm)
    return ExclusionList(
        credit_codes=frozenset([*codes.values(), *own]),
        names=frozenset(normal_name_of(name) for firm in found.records for name in _names(firm)),
        problems=tuple(
            replace(problem, wanted=_WANTED) if problem.code == "no_name" else problem
            for problem in found.problems
            if problem.code != "no_name" or (problem.sheet, problem.row) not in codes
        ),
        notices=found.notices,
        rows_in=found.rows_in,
    )


def _names(firm: Firm) -> list[str]:
    """Return the name of a firm and those that it had before."""
    former = str(firm["former_names"]).split(";") if "former_names" in firm else []
    return [str(firm["name"]), *former]


def _codes(table: TextTable) -> Iterator[tuple[tuple[str | None, int], str]]:
    """Yield each valid credit code of a table, with its sheet and row."""
    sources = lay_out(table.headers).sources
    for source in (source for name in reversed(_CODED) for source in sources.get(name, ())):
        for row, text in zip(table.rows, table.column(source.position), strict=True):
            code = valid_code(text) if text else None
            if code:
                yield (table.sheet, int(row)), code
