"""Writes rankings and problems where they were asked for: whole, or not at all.

Line breaks become line feeds and other control characters are removed in all formats. Empty
text is the same as missing text in xlsx and csv.

``.xlsx``
    For people: headers in the language asked for, names in the place of ids (which follow further
    right), fractions (16 digits) shown as per cent, a sheet of problems and one that explains the
    columns. A text over 32,767 UTF-16 units is cut, with a mark.
``.csv``
    Canonical headers, UTF-8 with a byte order mark (without one Excel garbles Chinese), lines
    end in CR LF, numbers in the shortest form that reads back exactly. A text that a
    spreadsheet would take for a formula is preceded by an apostrophe; so is one that already
    looks like that: whoever reads takes exactly one away.
``.parquet``
    Canonical names; Int64, float64 and text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import pandas as pd

from leadscore.language import Lang, Text
from leadscore.lists.output.replacing import check_ranking_path, replacing
from leadscore.lists.output.workbook import Sheet, write_workbook
from leadscore.lists.output.written_columns import (
    GUIDE_COLUMNS,
    PROBLEM_COLUMNS,
    RANKING_COLUMNS,
    UNITS,
)
from leadscore.lists.problems import Problem

# What Excel skips before a formula, what makes one, and apostrophes that stand before that.
_SPACES = "[ \t\n\u00a0\u2000-\u200b\u3000\ufeff]*"
_FORMULA = f"('*(?:{_SPACES}[=+\\-@＝＋－＠﹦﹢﹣﹫]|[\\t\\n]))"
# Controls but for tab and line feed: no XML can carry them, and a terminal may obey them.
_UNREADABLE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]"

_RANKING = Text(zh="排名", en="ranking")
_PROBLEMS = Text(zh="问题", en="problems")
_GUIDE = Text(zh="说明", en="columns")
_YES_NO = {True: Text(zh="是", en="yes"), False: Text(zh="否", en="no")}


def write_ranking(
    table: pd.DataFrame,
    path: Path,
    *,
    lang: Lang,
    problems: Sequence[Problem] = (),
    summary: Sequence[tuple[str, str]] = (),
) -> None:
    """Write a ranking; the ending of the path decides the format (see the top of this module).

    Parameters
    ----------
    table
        n rows of canonical columns in the order of the contract (see `RANKING_COLUMNS`): the ranked
        firms, then the vetoed ones with a missing rank.
    path
        Where to write. A file that stands there is replaced only by a whole one.
    lang
        Language of headers and explanations.
    problems, summary
        For the second and third sheet of a workbook; ``summary`` is pairs of label and value.

    Raises
    ------
    OutputError
        If the ending is unknown, the place can't be written to, or a workbook can't hold the rows.
    """
    check_ranking_path(path)
    table = _readable(table)
    with replacing(path) as handle:
        if path.suffix.lower() == ".xlsx":
            sheets = [
                _ranking_sheet(table),
                _problem_sheet(problems, lang),
                _guide_sheet(table, summary, lang),
            ]
            write_workbook(handle, sheets, lang=lang)
        else:
            _write_flat(table, handle, path)


def write_problems(problems: Sequence[Problem], path: Path, *, lang: Lang) -> None:
    """Write problems, one a row, by the rules of `write_ranking`.

    The columns are ``row``, ``sheet``, ``column``, ``found``, ``wanted`` (in ``lang``), ``code``
    and ``set_aside``.

    Raises
    ------
    OutputError
        As `write_ranking` does.
    """
    check_ranking_path(path)
    with replacing(path) as handle:
        if path.suffix.lower() == ".xlsx":
            write_workbook(handle, [_problem_sheet(problems, lang)], lang=lang)
        else:
            _write_flat(_problem_table(problems, lang), handle, path)


def for_spreadsheet(text: str) -> str:
    """Return a text for a cell of a CSV file: readable, and no formula for any spreadsheet.

    >>> for_spreadsheet("=1+1"), for_spreadsheet("a=1")
    ("'=1+1", 'a=1')
    """
    return re.sub(f"^{_FORMULA}", r"'\1", _readable_text(text))


def _write_flat(table: pd.DataFrame, handle: IO[bytes], path: Path) -> None:
    if path.suffix.lower() == ".parquet":
        table.to_parquet(handle, index=False)
        return
    guarded = _map_texts(table, lambda texts: texts.str.replace(f"^{_FORMULA}", r"'\1", regex=True))
    guarded.to_csv(handle, index=False, encoding="utf-8-sig", lineterminator="\r\n")


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    mixed = table.columns[table.dtypes == "object"]
    return _map_texts(
        table.astype(dict.fromkeys(mixed, "str")),
        lambda texts: texts.str.replace("\r\n?", "\n", regex=True).str.replace(
            _UNREADABLE, "", regex=True
        ),
    )


def _readable_text(text: str) -> str:
    """Do the same to one text, which may also hold halves of surrogate pairs (a file's name)."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(_UNREADABLE, "", re.sub("\r\n?", "\n", whole))


def _map_texts(table: pd.DataFrame, change: Callable[[pd.Series], pd.Series]) -> pd.DataFrame:
    changed = table.copy()
    for name in changed:
        if isinstance(changed[name].dtype, pd.StringDtype):
            changed[name] = change(changed[name])
    return changed


def _for_people(table: pd.DataFrame) -> pd.DataFrame:
    """Let names stand where the ids stood, and the ids where the names did."""
    swaps = {"segment": "segment_name", "role": "role_name"}
    swaps = {left: right for left, right in swaps.items() if {left, right} <= {*table}}
    swaps |= {right: left for left, right in swaps.items()}
    return table[[swaps.get(name, name) for name in table.columns.astype(str)]]


def _ranking_sheet(table: pd.DataFrame) -> Sheet:
    shown = _for_people(table)
    printed = list(shown.columns).index("veto") + 1 if "veto" in shown else 0
    return Sheet(_RANKING, shown, RANKING_COLUMNS, frozen=2, printed=printed, greyed_by="veto")


def _problem_sheet(problems: Sequence[Problem], lang: Lang) -> Sheet:
    table = _problem_table(problems, lang)
    words = {key: text.pick(lang) for key, text in _YES_NO.items()}
    table["set_aside"] = table["set_aside"].map({"true": words[True], "false": words[False]})
    return Sheet(_PROBLEMS, table, PROBLEM_COLUMNS)


def _problem_table(problems: Sequence[Problem], lang: Lang) -> pd.DataFrame:
    return _readable(
        pd.DataFrame(
            {
                "row": pd.array([each.row for each in problems], dtype="Int64"),
                "sheet": pd.Series([each.sheet for each in problems], dtype="str"),
                "column": pd.Series([each.column for each in problems], dtype="str"),
                "found": pd.Series([each.found for each in problems], dtype="str"),
                "wanted": pd.Series([each.wanted.pick(lang) for each in problems], dtype="str"),
                "code": pd.Series([each.code for each in problems], dtype="str"),
                "set_aside": pd.Series(
                    ["true" if each.set_aside else "false" for each in problems], dtype="str"
                ),
            }
        )
    )


def _guide_sheet(table: pd.DataFrame, summary: Sequence[tuple[str, str]], lang: Lang) -> Sheet:
    above = [(_readable_text(label), _readable_text(value)) for label, value in summary]
    return Sheet(_GUIDE, _guide(table, lang), GUIDE_COLUMNS, above=above)


def _guide(table: pd.DataFrame, lang: Lang) -> pd.DataFrame:
    """Return one row for each column of the first two sheets, in their order."""
    explained = {each.column: each for each in RANKING_COLUMNS}
    shown = [explained[name] for name in _for_people(table) if name in explained]
    lines = [(_RANKING, each) for each in shown] + [(_PROBLEMS, each) for each in PROBLEM_COLUMNS]
    return pd.DataFrame(
        [
            {
                "where": title.pick(lang),
                "header": each.header.pick(lang),
                "column": each.column,
                "meaning": each.meaning.pick(lang),
                "unit": UNITS[each.kind].pick(lang),
                "span": each.span.pick(lang),
            }
            for title, each in lines
        ],
        dtype="str",
    )
