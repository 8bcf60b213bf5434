"""Run as a script in a child process: prints the cells of a workbook, or dies."""

from __future__ import annotations

import contextlib
import io
import json
import os
import posixpath
import re
import sys
import zipfile
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
)
from python_calamine import SheetVisibleEnum as Visible

if TYPE_CHECKING:
    from .number_formats import BUILT_IN, Section, as_shown, sections_of, text_of
    from .xls_records import DamagedError, NoWorkbookError, OldSheet, read_book, read_sheet
else:  # last, so that no module of this folder hides one of Python
    sys.path.append(str(Path(__file__).parent))
    from number_formats import BUILT_IN, Section, as_shown, sections_of, text_of
    from xls_records import DamagedError, NoWorkbookError, OldSheet, read_book, read_sheet

BATCH_ROWS = 1_000
MOST_COLUMNS = 16_384  # of any sheet: XFD is the last
OUT_OF_MEMORY = 3

_P = rb"(?:\w+:)?"
_HIDDEN_ROW = re.compile(rb"<" + _P + rb'row\b[^>]*\bhidden="(?:1|true)"')
_ERROR_CELL = re.compile(
    rb"<" + _P + rb'c\b([^>]*\bt="e"[^>]*)>.*?<' + _P + rb"v>([^<]*)<", re.DOTALL
)
_NO_VALUE = re.compile(
    rb"<%bc\b([^>]*)>\s*<%bf\b(?:[^>]*/>|[^>]*>[^<]*</%bf>)\s*"
    rb"(?:<%bv\s*/>|<%bv>\s*</%bv>)?\s*</%bc>" % ((_P,) * 7)
)
_SHARED = re.compile(rb't="s"[^>]*>\s*<' + _P + rb"v>\s*([0-9]{1,9})")
_SHARED_END = re.compile(rb"</" + _P + rb"si>")
# The parser takes small letters, single quotes and columns that no spreadsheet has, too.
_ADDRESS = re.compile(rb'\br\s*=\s*["\']([A-Za-z]{0,9})([0-9]{1,10})["\']')
_FAR = re.compile(rb'\br\s*=\s*["\'](?:[A-Za-z]*[0-9]{5}|[A-Za-z]{3})')

_ELEMENT = re.compile(rb"<" + _P + rb"(row|c)\b([^>]*)>")
_STYLE = re.compile(rb'\bs\s*=\s*["\']([0-9]{1,9})["\']')
_ROW = re.compile(rb'\br\s*=\s*["\']([0-9]{1,9})["\']')

Issue = tuple[int, int, str, str]


def main(
    path: str, memory: int, seconds: int, most_cells: int, most_text: int, most_rows: int, head: int
) -> None:
    """Print the workbook, or the error that it meets."""
    limit(memory, seconds)
    try:
        if is_old(path):
            print_old_workbook(path, most_cells, most_rows, head)
        else:
            print_workbook(path, most_cells, most_text, most_rows, head)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except PasswordError:
        say(error="protected", sheet=None, found="encrypted")
    except NoWorkbookError:
        say(error="other", sheet=None, found=".doc")
    except (DamagedError, CalamineError, OSError, zipfile.BadZipFile) as fault:
        say(error="damaged", sheet=None, found=str(fault))
    except BaseException as fault:
        if type(fault).__name__ != "PanicException":
            raise
        say(error="damaged", sheet=None, found="panic")


def is_old(path: str) -> bool:
    """Tell whether a file begins as one of an old Office program does."""
    with open(path, "rb") as stream:  # noqa: PTH123 (a class of paths takes time to import)
        return stream.read(4) == b"\xd0\xcf\x11\xe0"


def limit(memory: int, seconds: int) -> None:
    """Bound the memory and the time of this process."""
    # A crash must leave no dump of the list.
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not there on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def say(**message: Any) -> None:
    """Print a message for the parent."""
    line = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.buffer.write(line.encode() + b"\n")


def print_workbook(path: str, most_cells: int, most_text: int, most_rows: int, head: int) -> None:
    """Print every visible sheet, up to the first that is too large."""
    with contextlib.ExitStack() as stack:
        package = stack.enter_context(zipfile.ZipFile(path))
        parts = usual_parts(package)
        if parts:
            package = stack.enter_context(zipfile.ZipFile(io.BytesIO(parts)))
        book = stack.enter_context(
            CalamineWorkbook.from_object(io.BytesIO(parts) if parts else path)
        )
        shown = say_hidden(book)
        sheet_names = sheet_parts(package)
        lengths = shared_lengths(package)
        formats = book_formats(package)
        for name in shown:
            xml = package.read(sheet_names[name]) if name in sheet_names else b""
            last = last_cell(xml, most_cells)
            if last:
                say(error="span", sheet=name, found=last)
                return
            text = shared_text(xml, lengths)
            if text > most_text:
                say(error="text", sheet=name, found=f"{text:,} B")
                return
            issues = list(damage(xml))
            hidden_rows = len(_HIDDEN_ROW.findall(xml)) if b"hidden=" in xml else 0
            styled = Styled(styled_cells(xml, formats), formats) if formats else None
            del xml
            sheet = book.get_sheet_by_name(name)
            _print_sheet(sheet, name, issues, hidden_rows, most_rows, head, styled)


def print_old_workbook(path: str, most_cells: int, most_rows: int, head: int) -> None:
    """Print every visible sheet of an .xls workbook, up to the first that is too large."""
    data = Path(path).read_bytes()
    old = read_book(data, BUILT_IN)
    if old.protected:
        raise PasswordError
    known = {code: sections_of(code) for code in {*old.formats.values()}}
    formats = {style: known[code] for style, code in old.formats.items() if known[code]}
    facts: defaultdict[str, OldSheet] = defaultdict(lambda: OldSheet([], [], 0, (0, 0)))
    for name in old.sheets:
        facts[name] = read_sheet(old, name, frozenset(formats))
        row, column = facts[name].last
        if (row + 1) * (column + 1) > most_cells:
            say(error="span", sheet=name, found=f"{row + 1:,} x {column + 1:,}")
            return
    with CalamineWorkbook.from_object(io.BytesIO(data)) as book:
        for name in say_hidden(book):
            seen = facts[name]
            issues = [(row + 1, at, "error_cell", text) for row, at, text in seen.errors]
            styled = Styled(seen.styled, formats) if seen.styled else None
            sheet = book.get_sheet_by_name(name)
            _print_sheet(sheet, name, issues, seen.hidden_rows, most_rows, head, styled)


def say_hidden(book: CalamineWorkbook) -> list[str]:
    """Print the names of the hidden sheets, and return those of the others."""
    sheets = [meta for meta in book.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]
    shown = [meta.name for meta in sheets if meta.visible == Visible.Visible]
    say(hidden=[meta.name for meta in sheets if meta.name not in shown])
    return shown


def say_end(issues: Iterable[Issue], last: int, unread: int) -> None:
    """Print what is wrong with a sheet, up to its last printed row if there are more."""
    say(issues=[issue for issue in issues if issue[0] <= last or not unread], unread=unread)


def _print_sheet(
    sheet: CalamineSheet, name: str, issues: list[Issue], hidden_rows: int, most_rows: int,
    head: int, styled: Styled | None = None,
) -> None:  # fmt: skip
    left = sheet.start[1] if sheet.start else 0
    width = sheet.end[1] + 1 if sheet.end else 0
    merges = sheet.merged_cell_ranges or []
    say(begin=name, width=width, merges=merges, hidden_rows=hidden_rows)
    rows: list[int] = []
    cells: list[list[str | None]] = []
    printed = unread = last = 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        if printed >= head:
            unread += any(value != "" for value in row)
            if unread > most_rows:
                break  # nobody wants to know how many more
            continue
        while row and row[-1] == "":
            row.pop()
        if not row:
            continue
        texts: list[str | None] = [None] * left
        for at, value in enumerate(row, left):
            if type(value) is str:
                texts.append(value or None)
                continue
            sections = styled.at(number - 1, at) if styled else None
            text, damaged = as_shown(value, sections) if sections else text_of(value)
            if damaged:
                issues.append((number, at, "damaged_number", text))
            texts.append(None if damaged else text)
        rows.append(number)
        cells.append(texts)
        printed, last = printed + 1, number
        if len(rows) == BATCH_ROWS:
            say(rows=rows, cells=cells)
            rows, cells = [], []
    say(rows=rows, cells=cells)
    say_end(issues, last, unread)


Formats = Mapping[int, tuple[Section, ...]]
"""By style of cells: how numbers look, where they don't look like themselves."""


def book_formats(package: zipfile.ZipFile) -> Formats:
    """Return the formats of a workbook in which a number looks like another, by style of cells."""
    try:
        styles = ElementTree.fromstring(package.read("xl/styles.xml"))  # noqa: S314 (no DTD, checked)
    except (KeyError, ElementTree.ParseError):
        return {}
    codes = dict(BUILT_IN)
    for one in styles.iterfind("{*}numFmts/{*}numFmt"):
        with contextlib.suppress(ValueError):
            codes[int(one.get("numFmtId", ""))] = one.get("formatCode", "")
    known = {number: sections for number, code in codes.items() if (sections := sections_of(code))}
    formats = {}
    for style, one in enumerate(styles.iterfind("{*}cellXfs/{*}xf")):
        with contextlib.suppress(ValueError, KeyError):
            formats[style] = known[int(one.get("numFmtId", "0"))]
    return formats


def styled_cells(xml: bytes, formats: Formats) -> Iterator[tuple[int, int, int]]:
    """Yield row, column (from 0) and style of the cells of a sheet that have one of the formats."""
    styles = b"|".join(b"%d" % style for style in formats)
    if not re.search(rb'\bs\s*=\s*["\'](?:' + styles + rb')["\']', xml):
        return
    row = column = -1
    for element in _ELEMENT.finditer(xml):
        attributes = element[2]
        if element[1] == b"row":
            numbered = _ROW.search(attributes)
            row, column = (int(numbered[1]) - 1 if numbered else row + 1), -1
            continue
        address = _ADDRESS.search(attributes)
        column = _number(address[1]) - 1 if address and address[1] else column + 1
        style = _STYLE.search(attributes)
        if style and int(style[1]) in formats:
            yield row, column, int(style[1])


class Styled:
    """The cells of a sheet whose numbers look like others; to be asked in the order of rows."""

    def __init__(self, cells: Iterable[tuple[int, int, int]], formats: Formats) -> None:
        places = array("Q", (row << 40 | column << 20 | style for row, column, style in cells))
        in_order = all(places[at] <= places[at + 1] for at in range(len(places) - 1))
        self._places = places if in_order else array("Q", sorted(places))
        self._formats, self._at = formats, 0

    def at(self, row: int, column: int) -> tuple[Section, ...] | None:
        """Return the format of a cell; missing if its number looks like itself."""
        places, key = self._places, row << 40 | column << 20
        while self._at < len(places) and places[self._at] < key:
            self._at += 1
        if self._at == len(places) or places[self._at] >> 20 != key >> 20:
            return None
        return self._formats.get(places[self._at] & 0xFFFFF)


class _Link(NamedTuple):
    kind: str
    id: str
    target: str  # as written
    part: str


def usual_parts(package: zipfile.ZipFile) -> bytes | None:
    """Return a package anew under the usual names of its parts; missing if it has them already.

    What a part is, the relationships say, in any case of letters and with either slash; the parser
    looks for the usual names only.
    """
    parts = {name.replace("\\", "/").lower(): name for name in package.namelist()}
    links = _links(package, parts, "_rels/.rels", "")
    book = next((one.part for one in links if one.kind == "officeDocument"), "xl/workbook.xml")
    if book.lower() not in parts:
        return None
    folder, name = posixpath.split(book)
    links = _links(package, parts, f"{folder}/_rels/{name}.rels", folder)
    links = [one for one in links if one.kind in _USUAL or one.kind.endswith("sheet")]
    links = [one for one in links if one.part.lower() in parts]
    if parts[book.lower()] == "xl/workbook.xml" and all(_is_usual(one, parts) for one in links):
        return None
    targets = [
        one._replace(target=_USUAL.get(one.kind) or f"{one.kind}s/sheet{at}.xml")
        for at, one in enumerate(links, 1)
    ]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        new.writestr("_rels/.rels", _written([_Link("officeDocument", "r", "xl/workbook.xml", "")]))
        new.writestr("xl/_rels/workbook.xml.rels", _written(targets))
        new.writestr("xl/workbook.xml", package.read(parts[book.lower()]))
        for one in targets:
            new.writestr(f"xl/{one.target}", package.read(parts[one.part.lower()]))
    return out.getvalue()


_USUAL = {"sharedStrings": "sharedStrings.xml", "styles": "styles.xml"}
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def _is_usual(link: _Link, parts: Mapping[str, str]) -> bool:
    as_written = parts[link.part.lower()] == link.part
    relative = link.target in (f"/{link.part}", link.part.removeprefix("xl/"))
    return as_written and relative and link.part == f"xl/{_USUAL.get(link.kind, link.part[3:])}"


def _links(
    package: zipfile.ZipFile, parts: Mapping[str, str], name: str, folder: str
) -> list[_Link]:
    try:
        links = ElementTree.fromstring(package.read(parts[name.lower().lstrip("/")]))  # noqa: S314
    except (KeyError, ElementTree.ParseError):
        return []
    found = []
    for link in links:
        kind, target = link.get("Type", "").rpartition("/")[2], link.get("Target", "")
        path = posixpath.join("/", folder, target.replace("\\", "/"))
        part = posixpath.normpath(path).lstrip("/")
        found.append(_Link(kind, link.get("Id", ""), target, part))
    return found


def _written(links: Iterable[_Link]) -> bytes:
    root = ElementTree.Element("Relationships", xmlns=_RELATIONS)
    for one in links:
        known = {"Id": one.id, "Type": f"{_OFFICE}/{one.kind}", "Target": one.target}
        ElementTree.SubElement(root, "Relationship", known)
    return ElementTree.tostring(root)


def sheet_parts(package: zipfile.ZipFile) -> dict[str, str]:
    """Return the part of the package that holds each sheet; empty if that can't be told."""
    try:
        book = ElementTree.fromstring(package.read("xl/workbook.xml"))  # noqa: S314 (no DTD, checked)
    except (KeyError, ElementTree.ParseError):
        return {}
    names = {name.lower(): name for name in package.namelist()}
    links = _links(package, names, "xl/_rels/workbook.xml.rels", "xl")
    targets = {link.id: link.part for link in links}
    parts = {}
    for sheet in book.iterfind("{*}sheets/{*}sheet"):
        link_id = next((value for key, value in sheet.items() if key.endswith("}id")), "")
        part = targets.get(link_id, "")
        if part in package.NameToInfo:
            parts[sheet.get("name", "")] = part
    return parts


def last_cell(xml: bytes, most_cells: int) -> str | None:
    """Return the last cell of a sheet if it spans more cells than allowed, else None.

    The parser takes memory for every cell between the first and the last, filled or not.
    """
    if not _FAR.search(xml):
        return None  # columns of up to two letters, rows of up to four digits
    columns: dict[bytes, int] = {}
    for address in _ADDRESS.finditer(xml):
        letters, row = address[1].upper(), int(address[2])
        if row > columns.get(letters, 0):
            columns[letters] = row
    if not columns:
        return None
    widest, height = max(columns, key=_number), max(columns.values())
    far = _number(widest) > MOST_COLUMNS or _number(widest) * height > most_cells
    return f"{widest.decode()}{height}" if far else None


def shared_lengths(package: zipfile.ZipFile) -> list[int]:
    """Return the bytes of each text that cells share; empty if there are none."""
    if "xl/sharedStrings.xml" not in package.NameToInfo:
        return []
    xml = package.read("xl/sharedStrings.xml")
    return [len(text) for text in _SHARED_END.split(xml)]


def shared_text(xml: bytes, lengths: list[int]) -> int:
    """Return the bytes that the shared texts of a sheet take once every cell has its own."""
    if not lengths or max(lengths) * xml.count(b't="s"') < 1 << 28:
        return 0  # far from any limit
    last = len(lengths) - 1
    return sum(lengths[min(int(at), last)] for at in _SHARED.findall(xml))


def damage(xml: bytes) -> Iterator[Issue]:
    """Yield the cells that hold an error, or a formula whose value was never computed."""
    if b't="e"' in xml:
        for cell in _ERROR_CELL.finditer(xml):
            yield *_place(cell[1]), "error_cell", cell[2].decode(errors="replace")
    if b"<f" in xml or b":f" in xml:
        for cell in _NO_VALUE.finditer(xml):
            if b't="str"' not in cell[1]:  # an empty text is a value
                yield *_place(cell[1]), "formula_without_value", "="


def _place(attributes: bytes) -> tuple[int, int]:
    address = _ADDRESS.search(attributes)
    return (int(address[2]), _number(address[1]) - 1) if address else (0, -1)


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:8]))
