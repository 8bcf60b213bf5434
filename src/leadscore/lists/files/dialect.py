"""How the fields of a text are parted and quoted is found out, and its records numbered by that."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from leadscore.errors import ListError
from leadscore.language import Text
from leadscore.lists.files.header_rows import HEADER_SEARCH, find_header
from leadscore.lists.files.texttable import MAX_COLUMNS, MAX_ROWS, refuse

DELIMITERS = (",", "\t", ";", "，", "|")
"""Separators tried, the usual first."""
MAX_FIELD_CHARACTERS = 1 << 26
"""A field that runs on for longer comes of a quote that nobody closed."""


@dataclass(frozen=True)
class Dialect:
    """How the fields of a text are written.

    Attributes
    ----------
    delimiter
        One character.
    spaced
        True if fields in quotes follow the separator and a space.
    """

    delimiter: str
    spaced: bool

    def reader(self, lines: Iterable[str], *, strict: bool) -> Iterator[list[str]]:
        """Return a reader of records; strict ones raise `csv.Error` for misplaced quotes."""
        return csv.reader(
            lines, delimiter=self.delimiter, skipinitialspace=self.spaced, strict=strict
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its number, its fields, and whether its quotes had to be guessed."""

    number: int
    fields: list[str]
    stray: bool = False


def find_dialect(head: str) -> Dialect:
    """Return the separator under which most headers are known, else the one that cuts most.

    >>> find_dialect("name;city\\r\\nA;B\\r\\n").delimiter
    ';'
    """
    end = max(head.rfind("\n"), head.rfind("\r"))
    lines = (head[: end + 1] if end > 0 else head).lstrip("\ufeff")
    csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD_CHARACTERS))

    def score(delimiter: str) -> tuple[int, int]:
        reader = Dialect(delimiter, spaced=False).reader(io.StringIO(lines, ""), strict=False)
        records = list(islice(reader, HEADER_SEARCH))
        widths = Counter(map(len, records))
        usual = widths.most_common(1)[0][0] if widths else 0
        if max(widths, default=0) > MAX_COLUMNS:
            return 0, usual
        header = find_header(records)
        return (header.known if header else 0), usual

    best = max(DELIMITERS, key=score)
    return Dialect(best, spaced=re.search(re.escape(best) + r' +"', lines) is not None)


class Records:
    """The records of a text, numbered from 1, blank ones included.

    Parameters
    ----------
    name
        Name of the text, for messages.
    text
        Its lines, with their ends.
    dialect
        How its fields are written.
    """

    def __init__(self, name: str, text: Iterable[str], dialect: Dialect) -> None:
        self.name = name
        self._lines = iter(text)
        self._dialect = dialect
        self._line = ""
        csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD_CHARACTERS))

    def _remembered(self) -> Iterator[str]:
        first = next(self._lines, "").lstrip("\ufeff")
        self._line = first
        yield first
        for line in self._lines:
            self._line = line
            yield line

    def __iter__(self) -> Iterator[Record]:
        """Yield the records; raise `ListError` for a quote that is not closed."""
        reader = csv.reader(
            self._remembered(),
            delimiter=self._dialect.delimiter,
            skipinitialspace=self._dialect.spaced,
            strict=True,
        )
        number = 0
        while True:
            lines = reader.line_num
            number += 1
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:
                if reader.line_num != lines + 1:
                    raise self._unclosed(lines + 1) from None
                yield Record(number, self._without_quotes(lines + 1), stray=True)
            else:
                yield Record(number, fields)
            if number > 2 * MAX_ROWS:
                raise self._too_many()

    def _without_quotes(self, line: int) -> list[str]:
        """Read the last line once more, forgiving what stands after a closing quote."""
        guard = "\n"
        lines = iter((self._line, guard))
        try:
            fields = next(self._dialect.reader(lines, strict=False))
        except csv.Error:
            raise self._unclosed(line) from None
        if next(lines, None) is None:
            raise self._unclosed(line)
        return fields

    def _unclosed(self, line: int) -> ListError:
        return refuse(
            Text(
                zh="{file} 第 {line} 行有一个引号没有配对，之后的行无法可靠分开；请改正这一行。",
                en="{file}: a quote in line {line} is not closed, so the rows after it can't be"
                " told apart; mend that line.",
            ).format(file=self.name, line=line),
            where=f"{self.name}:{line}",
            got='"',
            wanted=Text(
                zh='成对的引号，单元格内的引号写成 ""', en='quotes in pairs, "" for one in a cell'
            ),
        )

    def _too_many(self) -> ListError:
        return refuse(
            Text(
                zh="{file} 的行太多，不能一次读完；请拆成几份。",
                en="{file} has too many lines to be read at once; split it into parts.",
            ).format(file=self.name),
            where=self.name,
            got=f"> {2 * MAX_ROWS:,}",
            wanted=Text(zh=f"至多 {MAX_ROWS:,} 行", en=f"at most {MAX_ROWS:,} rows"),
        )
