"""Reads a list that was handed in, with the columns that its owner named."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from leadscore.errors import Detail, ListError
from leadscore.language import Text
from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.columns import CANONICAL
from leadscore.lists.files.texttable import RawList, TextTable
from leadscore.lists.identity import settle_repeats
from leadscore.lists.problems import shown
from leadscore.lists.reading import read_list

_LABELS = {each.name: each.label.zh for each in CANONICAL}
_UNIT = re.compile(r"\s*[（(][^（）()]*[）)]\s*$")
_LONGEST_NAME = 80

_BAD_MAPPING = Text(zh="列的对应关系有误", en="the mapping of columns has mistakes")
_A_HEADER = Text(zh="文件里有的列名", en="a header of the file")
_A_COLUMN = Text(
    zh="标准列名之一，见说明文档", en="a canonical column; the documentation lists them"
)


def read_uploaded(
    content: bytes, file_name: str, mapping: Mapping[str, str], *, today: date
) -> CleanList:
    """Return the firms of a file, each once.

    Parameters
    ----------
    content
        The file.
    file_name
        What its owner calls it, for messages.
    mapping
        Canonical columns by the headers that mean them; other headers are recognised as ever.
    today
        Days after it are not believed.

    Raises
    ------
    ListError
        If the file can't be read, or the mapping names a header or a column that isn't there.
    """
    with tempfile.TemporaryDirectory(prefix="leadscore-") as folder:
        path = Path(folder) / _plain_name(file_name)
        path.write_bytes(content)
        raw = read_list(path)
    if not mapping:
        return settle_repeats(clean(raw, today=today))
    mapped, headers = _mapped(raw, mapping)
    cleaned = settle_repeats(clean(mapped, today=today))
    problems = (
        replace(problem, column=headers.get(problem.column or "", problem.column))
        for problem in cleaned.problems
    )
    return replace(cleaned, problems=tuple(problems))


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Refuse a mapping to columns that are not canonical ones.

    Raises
    ------
    ListError
        Naming each of them.
    """
    wrong = [Detail(header, name, _A_COLUMN) for header, name in mapping.items()
             if name not in _LABELS]  # fmt: skip
    if wrong:
        raise ListError(_BAD_MAPPING, wrong)


def _mapped(raw: RawList, mapping: Mapping[str, str]) -> tuple[RawList, dict[str, str]]:
    """Return the list with other headers, and what each of these was."""
    check_mapping(mapping)
    there = {header for table in raw.tables for header in table.headers}
    absent = [Detail("mapping", header, _A_HEADER) for header in mapping if header not in there]
    if absent:
        raise ListError(_BAD_MAPPING, absent)
    renamed = {header: _header(header, name) for header, name in mapping.items()}

    def rename(table: TextTable) -> TextTable:
        return replace(table, headers=tuple(renamed.get(each, each) for each in table.headers))

    tables = tuple(rename(table) for table in raw.tables)
    return replace(raw, tables=tables), {new: old for old, new in renamed.items()}


def _header(header: str, column: str) -> str:
    """Return a header that means a column, with the unit that the old one names."""
    unit = _UNIT.search(header)
    return _LABELS[column] + (unit.group() if unit else "")


def _plain_name(file_name: str) -> str:
    """Return a name that a file may have on any system, for messages only."""
    last = re.split(r"[/\\]", file_name)[-1]
    name = re.sub(r'[<>:"|?*\x00-\x1f]', "_", last)[-_LONGEST_NAME:].strip(". ")
    return shown(name) or "list"
