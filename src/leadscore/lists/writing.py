"""Writes tables to files that replace their elders wholly, and the rows that need mending."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import IO

import pandas as pd
import xlsxwriter

from leadscore.errors import OutputError, UsageError
from leadscore.lists.problems import Problem
from leadscore.lists.workbook import (
    GUIDE_COLUMNS,
    MAX_CELL,
    PROBLEM_COLUMNS,
    RANKING_COLUMNS,
    STREAMED,
    UNITS,
    Sheet,
    write_workbook,
)
from leadscore.text import Lang, room_words
from leadscore.validation import unwritable

WORDS = room_words("lists")


FORMATS = (".xlsx", ".csv", ".parquet")
"""The endings of a file that can be written."""


def check_ranking_path(path: Path) -> None:
    """Raise what writing there would raise, before the work and not after it.

    Raises
    ------
    OutputError
        If the ending is not one of `FORMATS`, or nothing can be written there.
    """
    if path.suffix.lower() not in FORMATS:
        raise OutputError(WORDS["writing.bad_ending"].format(name=path.name))
    with _refusals(path):
        target = path.resolve()
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not target.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if not os.access(target if target.exists() else target.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def check_distinct(files: Mapping[str, Path | None]) -> None:
    """Raise if two of the files that a command names are one, by whatever names and links.

    ``files`` are by what the command calls them; what was not given is None.

    Raises
    ------
    UsageError
        Naming the two: one of them would overwrite the other, or be taken for what it is not.
    """
    given = [(name, path) for name, path in files.items() if path is not None]
    for (one, here), (other, there) in combinations(given, 2):
        if _same(here, there):
            raise UsageError(WORDS["writing.same"].format(one=one, other=other, path=there))


def _same(one: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):  # one of them is not there yet
        return one.samefile(other)
    here, there = (os.path.normcase(os.path.realpath(path)) for path in (one, other))
    return here == there


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into words with a way out."""
    try:
        yield
    except OSError as error:
        raise OutputError(unwritable(path, error)) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file beside the target, which takes the target's place once it is whole.

    Whatever goes wrong, the target is as it was and nothing else is left behind.

    Raises
    ------
    OutputError
        If the system refuses, whether to open, to write or to replace.
    """
    with _refusals(path):
        target = path.resolve()
        part = target.with_name(f".leadscore-{secrets.token_hex(6)}.part")
        try:
            with part.open("xb") as handle:
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
            if target.exists():
                shutil.copymode(target, part)
            part.replace(target)
        finally:
            with contextlib.suppress(OSError):
                part.unlink()


_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_LONGEST_TITLE = 31
_WIDTH, _WIDEST = 16, 60


@dataclass(frozen=True)
class SheetToMend:
    """Rows of one sheet as written, missing cells among them."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str | None]]


def write_rows_to_mend(sheets: Sequence[SheetToMend], path: Path) -> None:
    """Write a workbook in which all cells are text, so that codes keep their digits."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        xlsxwriter.Workbook(path, STREAMED | {"tmpdir": folder}) as workbook,
    ):
        bold = workbook.add_format({"bold": True, "bottom": 1})
        as_text = workbook.add_format({"num_format": "@"})
        titles: set[str] = set()
        for sheet in sheets:
            page = workbook.add_worksheet(_title(sheet.title, titles))
            page.freeze_panes(1, 0)
            last = len(sheet.headers) - 1
            page.set_column(0, last, _WIDTH, as_text)
            page.set_column(last, last, _WIDEST, as_text)
            for at, header in enumerate(sheet.headers):
                page.write_string(0, at, _cell(header), bold)
            for number, row in enumerate(sheet.rows, start=1):
                for at, cell in enumerate(row):
                    if cell:
                        page.write_string(number, at, _cell(cell), as_text)


def _title(wanted: str, taken: set[str]) -> str:
    plain = _NOT_IN_TITLES.sub(" ", wanted).strip("' ")[:_LONGEST_TITLE] or "1"
    title, number = plain, 1
    while title.casefold() in taken:
        number += 1
        ending = f" {number}"
        title = plain[: _LONGEST_TITLE - len(ending)] + ending
    taken.add(title.casefold())
    return title


def _cell(text: str) -> str:
    return re.sub(_UNREADABLE, "", text)[: MAX_CELL // 2]


# Controls but for tab and line feed: no XML can carry them, and a terminal may obey them.
_UNREADABLE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]"
# What Excel skips before a formula, what makes one, and apostrophes that stand before that.
_SPACES = "[ \t\n\u00a0\u2000-\u200b\u3000\ufeff]*"
_FORMULA = f"('*(?:{_SPACES}[=+\\-@＝＋－＠﹦﹢﹣﹫]|[\\t\\n]))"


def write_ranking(
    table: pd.DataFrame,
    path: Path,
    *,
    lang: Lang,
    problems: Sequence[Problem] = (),
    summary: Sequence[tuple[str, str]] = (),
) -> None:
    """Write a ranking; the ending of the path decides the format.

    The table has columns in the order of the contract (see `RANKING_COLUMNS`): the ranked firms,
    then the vetoed ones with a missing rank. A file that stands there is replaced only by a whole
    one. Problems, and the summary as pairs of label and value, are further sheets of a workbook.

    Raises
    ------
    OutputError
        If the ending is unknown, the place can't be written to, or a workbook can't hold the rows.
    """
    check_ranking_path(path)
    table = _readable(table)
    with replacing(path) as handle:
        if path.suffix.lower() == ".xlsx":
            guide = _guide_sheet(table, summary, lang)
            sheets = [_ranking_sheet(table), _problem_sheet(problems, lang), guide]
            write_workbook(handle, sheets, lang=lang)
        else:
            _write_flat(table, handle, path)


def write_problems(problems: Sequence[Problem], path: Path, *, lang: Lang) -> None:
    """Write problems, one a row under `PROBLEM_COLUMNS`, by the rules of `write_ranking`."""
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
    table = _for_people(table)
    printed = list(table.columns).index("veto") + 1 if "veto" in table else 0
    title = WORDS["writing.ranking"]
    return Sheet(title, table, RANKING_COLUMNS, frozen=2, printed=printed, greyed_by="veto")


def _problem_sheet(problems: Sequence[Problem], lang: Lang) -> Sheet:
    table = _problem_table(problems, lang)
    words = {"true": WORDS["writing.yes"].pick(lang), "false": WORDS["writing.no"].pick(lang)}
    table["set_aside"] = table["set_aside"].map(words)
    return Sheet(WORDS["writing.problems"], table, PROBLEM_COLUMNS)


def _problem_table(problems: Sequence[Problem], lang: Lang) -> pd.DataFrame:
    table = pd.DataFrame(
        [
            (p.sheet, p.column, p.found, p.wanted.pick(lang), p.code, str(p.set_aside).lower())
            for p in problems
        ],
        columns=[column.column for column in PROBLEM_COLUMNS[1:]],
        dtype="str",
    )
    table.insert(0, "row", pd.Series([problem.row for problem in problems], dtype="Int64"))
    return _readable(table)


def _guide_sheet(table: pd.DataFrame, summary: Sequence[tuple[str, str]], lang: Lang) -> Sheet:
    above = [(_readable_text(label), _readable_text(value)) for label, value in summary]
    return Sheet(WORDS["writing.guide"], _guide(table, lang), GUIDE_COLUMNS, above=above)


def _guide(table: pd.DataFrame, lang: Lang) -> pd.DataFrame:
    explained = {column.column: column for column in RANKING_COLUMNS}
    ranking = [explained[name] for name in _for_people(table) if name in explained]
    return pd.DataFrame(
        [
            {
                "where": WORDS[f"writing.{sheet}"].pick(lang),
                "header": column.header.pick(lang),
                "column": column.column,
                "meaning": column.meaning.pick(lang),
                "unit": UNITS[column.kind].pick(lang),
                "span": column.span.pick(lang),
            }
            for sheet, columns in (("ranking", ranking), ("problems", PROBLEM_COLUMNS))
            for column in columns
        ],
        dtype="str",
    )
