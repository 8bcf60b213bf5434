"""What could not be taken as it stood: problems and notices of a list, and where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from leadscore.lists.columns import Column, Heading, read_heading
from leadscore.lists.headers import Unit, normal_header
from leadscore.lists.values.words import without_personal
from leadscore.text import Text, room_words

if TYPE_CHECKING:
    from leadscore.lists.values.amounts import Rates

WORDS = room_words("lists")


TUSHARE_CODE = "tscode"
"""The header by which tables from Tushare are known: no one else writes ``ts_code``."""

_TUSHARE_UNITS = {
    "registered_capital_cny": Unit(times=1e4),
    "return_on_equity": Unit(percent=True),
    "revenue_growth": Unit(percent=True),
}
"""Units that Tushare documents and its tables do not repeat: capital in 万元, ratios in percent.

See ``reg_capital`` of its interface ``stock_company`` (https://tushare.pro/document/2?doc_id=112)
and ``roe`` of ``fina_indicator`` (https://tushare.pro/document/2?doc_id=79).
"""

TUSHARE_NOTICE = WORDS["problems.tushare_notice"]


@dataclass(frozen=True, slots=True)
class Source:
    """A column of the table that feeds a canonical one.

    Attributes
    ----------
    position
        Place of the column in the table.
    header
        As written.
    heading
        What it says.
    """

    position: int
    header: str
    heading: Heading


@dataclass(frozen=True)
class Layout:
    """What the headers of a table were understood to say.

    Attributes
    ----------
    sources
        For each canonical column that the table feeds, the columns that do, first choice first.
    personal
        Headers of columns about people, which are not read.
    unused
        Headers that mean no canonical column.
    vendor_units
        Headers whose unit is known from the vendor of the table only.
    """

    sources: dict[str, tuple[Source, ...]]
    personal: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    vendor_units: tuple[str, ...] = ()


def lay_out(headers: Sequence[str], money: Unit | None = None) -> Layout:
    """Return what each header means.

    A unit of money that stands above all headers counts for those amounts whose own header names
    none.

    Several columns may feed one: their order is that of the table, but a column that names a year
    comes after those that do not, the newest year first.

    >>> layout = lay_out(["企业", "法定代表人", "2022年营收", "2023年营收", "天气"])
    >>> [source.header for source in layout.sources["revenue_cny"]]
    ['2023年营收', '2022年营收']
    >>> layout.personal, layout.unused
    (('法定代表人',), ('天气',))
    """
    tushare = any(normal_header(header) == TUSHARE_CODE for header in headers)
    sources: dict[str, list[Source]] = {}
    personal, unused, vendor = [], [], []
    for position, header in enumerate(headers):
        heading = read_heading(header)
        if heading is None:
            unused.append(header)
            continue
        column = heading.column
        if column.personal:
            personal.append(header)
        unit = _TUSHARE_UNITS.get(column.name) if tushare else None
        if unit and heading.unit == Unit() and not heading.canonical:
            heading = replace(heading, unit=unit)
            vendor.append(header)
        if money and column.kind == "amount" and heading.unit == Unit() and not heading.canonical:
            heading = replace(heading, unit=money)
        if column.kind not in {"personal", "ignored"}:
            sources.setdefault(column.name, []).append(Source(position, header, heading))
    return Layout(
        {name: tuple(sorted(found, key=_rank)) for name, found in sources.items()},
        tuple(personal),
        tuple(header for header in unused if header.strip()),
        tuple(vendor),
    )


def moved(layout: Layout, source: Source, to: Column) -> Layout:
    """Return the layout with one column that feeds another canonical one than its header says."""
    name, heading = source.heading.column.name, replace(source.heading, column=to)
    rest = tuple(each for each in layout.sources[name] if each is not source)
    sources = {**layout.sources, name: rest}
    sources[to.name] = (*sources.get(to.name, ()), replace(source, heading=heading))
    return replace(layout, sources={name: found for name, found in sources.items() if found})


def _rank(source: Source) -> int:
    year = source.heading.year
    return 0 if year is None else 10_000 - year


SHOWN_CHARACTERS = 80
"""A found value longer than this is cut in messages: enough to recognise it, and fits a cell."""

FOUND_CHARACTERS = 40
"""The same for what stands in a cell."""

MOST_OF_A_KIND = 10_000
"""Problems of one kind in one column that are told one by one; a notice counts the rest."""

_LONGEST_HEADER = 30
_MOST_HEADERS = 30
_MORE = WORDS["problems.more"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one cell or one row of a list.

    Attributes
    ----------
    row
        Row number in the source as a spreadsheet shows it (the first line is 1); missing if the
        whole list is meant.
    column
        Header as written in the source; missing if the whole row is meant.
    found
        What stands there, shortened by `shown`.
    wanted
        What is allowed there and what becomes of the cell or row otherwise.
    code
        Stable snake_case name of the kind, such as ``"bad_amount"`` or ``"totals_row"``.
    sheet
        Name of the sheet; missing for files without sheets.
    set_aside
        True exactly once for each row that is left out of the scoring.
    """

    row: int | None
    column: str | None
    found: str
    wanted: Text
    code: str
    sheet: str | None = None
    set_aside: bool = False


def shown(value: object, limit: int = SHOWN_CHARACTERS) -> str:
    r"""Return a value as one short printable line for a message.

    Control, bidirectional and zero-width characters, and halves of surrogate pairs, are written as
    escapes, so that what is shown is what stands there and any encoding can carry it.

    >>> shown("深圳\x00某某")
    '深圳\\x00某某'
    >>> shown("甲" * 100, limit=5)
    '甲甲甲甲…'
    """
    text = str(value)
    cut = text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"
    if cut.isprintable():
        return cut
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode("ascii")
        for mark in cut
    )


def found_text(text: str) -> str:
    """Return what stands in a cell as a problem shows it: short, personal data starred out."""
    return shown(without_personal(text[: 2 * FOUND_CHARACTERS]), FOUND_CHARACTERS)


Rank = tuple[int, ...]
"""Where a kind of problem stands among others when what is not listed is counted."""


@dataclass
class ProblemLog:
    """Collects the problems of one table, those of one kind in one column up to a limit.

    Parameters
    ----------
    sheet
        Name of the sheet, if any.
    """

    sheet: str | None
    problems: list[Problem] = field(default_factory=list)
    _counts: dict[tuple[Rank, str], int] = field(default_factory=dict)
    _unlisted: dict[tuple[Rank, str], tuple[str | None, Text]] = field(default_factory=dict)

    def add(
        self,
        row: int,
        code: str,
        wanted: Text,
        column: str | None,
        text: str | None,
        rank: Rank,
    ) -> None:
        """Tell a problem of a row that is kept.

        Parameters
        ----------
        row, code, wanted, column
            As in `Problem`.
        text
            What stands there; personal data in it is starred out.
        rank
            Of its kind, which is what one column has of one code.
        """
        kind = rank, code
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if self._counts[kind] > MOST_OF_A_KIND:
            self._unlisted[kind] = column, wanted
        else:
            self._tell(row, code, wanted, column, text)

    def set_aside(
        self, row: int, code: str, wanted: Text, column: str | None, text: str | None
    ) -> None:
        """Tell why a row is left out, which is told of every such row."""
        self._tell(row, code, wanted, column, text, set_aside=True)

    def _tell(
        self, row: int, code: str, wanted: Text, column: str | None, text: str | None,
        *, set_aside: bool = False,
    ) -> None:  # fmt: skip
        found = found_text(text) if text else ""
        self.problems.append(Problem(row, column, found, wanted, code, self.sheet, set_aside))

    def notices(self) -> Iterator[Text]:
        """Yield how many problems of each kind were not listed."""
        for kind, (column, wanted) in sorted(self._unlisted.items(), key=lambda item: item[0][0]):
            count = self._counts[kind] - MOST_OF_A_KIND
            yield _MORE.format(column=column, count=count, code=kind[1], wanted=wanted)


def read_as_stages(header: str) -> Text:
    """Return that a column of statuses was taken for one of stages."""
    return WORDS["problems.stages"].format(header=shown(header, _LONGEST_HEADER))


def perhaps_wan(header: str, median: float) -> Text:
    """Return that amounts without a unit look too small for yuan."""
    return WORDS["problems.perhaps_wan"].format(
        header=shown(header, _LONGEST_HEADER), median=round(median, 2)
    )


def no_capital(header: str, count: int) -> Text:
    """Return how many registered capitals of zero were taken as none."""
    return WORDS["problems.no_capital"].format(header=shown(header, _LONGEST_HEADER), count=count)


def listed(headers: Sequence[str]) -> Text:
    """Return headers as one line, shortened where there are very many.

    >>> listed(["电话", "邮箱"]).zh
    '电话、邮箱'
    """
    names = [shown(header, _LONGEST_HEADER) for header in dict.fromkeys(headers)]
    rest = len(names) - _MOST_HEADERS
    more = (f"等 {len(names):,} 列", f" and {rest:,} more") if rest > 0 else ("", "")
    names = names[:_MOST_HEADERS]
    return Text(zh="、".join(names) + more[0], en=", ".join(names) + more[1])


def dropped(layout: Layout) -> Iterable[Text]:
    """Yield which columns were not read or not used."""
    if layout.personal:
        yield WORDS["problems.personal"].format(headers=listed(layout.personal))
    if layout.unused:
        yield WORDS["problems.unused"].format(headers=listed(layout.unused))


def assumed_share(header: str, *, percent: bool) -> Text:
    """Return how plain numbers in a column of shares were taken."""
    return (WORDS["problems.percent"] if percent else WORDS["problems.fraction"]).format(
        header=shown(header, _LONGEST_HEADER)
    )


def newest_year(sources: Sequence[Source]) -> Iterable[Text]:
    """Yield which years a figure is given for, if there are several."""
    if len({source.heading.year for source in sources}) > 1:
        yield WORDS["problems.newest"].format(headers=listed([source.header for source in sources]))


def rates_used(headers: Sequence[str], rates: Rates) -> Iterable[Text]:
    """Yield the rates by which foreign money was converted, if any was."""
    if headers:
        day = rates.as_of.isoformat()
        yield WORDS["problems.rates"].format(day=day, headers=listed(headers), source=rates.source)


def taken_out(
    starred: Iterable[tuple[str, int]], hidden: Iterable[tuple[str, int]]
) -> Iterable[Text]:
    """Yield how many cells under each header lost personal data or invisible characters."""
    for template, counts in (
        (WORDS["problems.starred"], starred),
        (WORDS["problems.invisible"], hidden),
    ):
        for header, count in counts:
            if count:
                yield template.format(header=shown(header, _LONGEST_HEADER), count=count)
