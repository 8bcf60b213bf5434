"""What could not be taken as it stood: problems and notices of a list, and where they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from leadscore.lists.columns import Column, Heading, normal_header, own_conclusions, read_heading
from leadscore.lists.values.amounts import NO_UNIT, Unit
from leadscore.lists.values.words import without_personal
from leadscore.text import Text, room_words, shown

WORDS = room_words("lists")

FOUND_CHARACTERS = 40  # what stands in a cell is cut to this in messages
MOST_OF_A_KIND = 10_000
"""Problems of one kind in one column that are told one by one; a notice counts the rest."""

_LONGEST_HEADER = 30

_TUSHARE_UNITS = {
    "registered_capital_cny": Unit(times=1e4),
    "return_on_equity": Unit(percent=True),
    "revenue_growth": Unit(percent=True),
}
"""Units that Tushare documents and its tables do not repeat: capital in 万元, ratios in percent.

See ``reg_capital`` of its interface ``stock_company`` (https://tushare.pro/document/2?doc_id=112)
and ``roe`` of ``fina_indicator`` (https://tushare.pro/document/2?doc_id=79).
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one cell or one row of a list; ``code`` names its kind for good."""

    row: int | None  # as a spreadsheet numbers it, from 1; missing if the whole list is meant
    column: str | None  # header as written in the source; missing if the whole row is meant
    found: str  # what stands there, shortened by `shown`
    wanted: Text  # what is allowed there, and what becomes of the cell or row otherwise
    code: str
    sheet: str | None = None
    set_aside: bool = False  # true exactly once for each row that is left out of the scoring


Rank = tuple[int, ...]
"""Where a kind of problem stands among others when what is not listed is counted."""


@dataclass
class ProblemLog:
    """Collects the problems of one sheet, those of one kind in one column up to a limit."""

    sheet: str | None
    problems: list[Problem] = field(default_factory=list)
    _counts: Counter[tuple[Rank, str]] = field(default_factory=Counter)
    _unlisted: dict[tuple[Rank, str], tuple[str | None, Text]] = field(default_factory=dict)

    def add(
        self,
        row: int | None,
        code: str,
        wanted: Text,
        column: str | None,
        text: str | None,
        rank: Rank,
    ) -> None:
        """Tell a problem of a row that is kept, or of a whole column.

        What one column has of one code has one rank. Personal data in ``text``, which stands
        there, is starred out.
        """
        kind = rank, code
        self._counts[kind] += 1
        if self._counts[kind] > MOST_OF_A_KIND:
            self._unlisted[kind] = column, wanted
        else:
            self.problems.append(Problem(row, column, _found(text), wanted, code, self.sheet))

    def set_aside(
        self, row: int, code: str, wanted: Text, column: str | None = None, text: str | None = None
    ) -> None:
        """Tell why a row is left out, which is told of every such row."""
        problem = Problem(row, column, _found(text), wanted, code, self.sheet, set_aside=True)
        self.problems.append(problem)

    def in_order_of_rows(self, earlier: Iterable[Problem]) -> list[Problem]:
        """Return problems, with earlier ones, as they stand in the source, the table's first."""
        return sorted([*earlier, *self.problems], key=lambda p: -1 if p.row is None else p.row)

    def notices(self) -> Iterator[Text]:
        """Yield how many problems of each kind were not listed."""
        more = WORDS["problems.more"]
        for kind, (column, wanted) in sorted(self._unlisted.items(), key=lambda item: item[0][0]):
            count = self._counts[kind] - MOST_OF_A_KIND
            yield more.format(column=column, count=count, code=kind[1], wanted=wanted)


def _found(text: str | None) -> str:
    return shown(without_personal((text or "")[: 2 * FOUND_CHARACTERS]), FOUND_CHARACTERS)


def of_header(notice: Text, header: str, **places: object) -> Text:
    """Return a notice about the column under a header."""
    return notice.format(header=shown(header, _LONGEST_HEADER), **places)


@dataclass(frozen=True, slots=True)
class Source:
    """A column of the table that feeds a canonical one: its place, its header, what that says."""

    position: int
    header: str
    heading: Heading


@dataclass(frozen=True)
class Layout:
    """What the headers of a table were understood to say."""

    sources: dict[str, tuple[Source, ...]]  # that feed a canonical column, first choice first
    personal: tuple[str, ...] = ()  # headers about people, not read
    unused: tuple[str, ...] = ()  # headers of no canonical column
    own: tuple[str, ...] = ()  # headers of what leadscore concluded when it wrote the file
    vendor_units: tuple[str, ...] = ()  # headers of a unit that only the table's vendor tells


def lay_out(
    headers: Sequence[str], money: Unit | None = None, written: Sequence[str] = ()
) -> Layout:
    """Return what each header means; amounts whose header names no unit have that above all.

    Sources are named as ``written``, if the headers stand otherwise in the list.

    Several columns may feed one: their order is that of the table, but a column that names a year
    comes after those that do not, the newest year first.

    >>> layout = lay_out(["企业", "法定代表人", "2022年营收", "2023年营收", "天气"])
    >>> [source.header for source in layout.sources["revenue_cny"]], layout.personal, layout.unused
    (['2023年营收', '2022年营收'], ('法定代表人',), ('天气',))
    """
    # No one else writes ``ts_code``.
    tushare = any(normal_header(header) == "tscode" for header in headers)
    sources: dict[str, list[Source]] = {}
    personal, unused, vendor, own = [], [], [], list[str]()
    conclusions = own_conclusions(headers)
    for position, (meant, header) in enumerate(zip(headers, written or headers, strict=True)):
        if meant in conclusions:
            own.append(meant)
            continue
        heading = read_heading(meant)
        if heading is None:
            unused += [header] if meant.strip() else []
            continue
        column = heading.column
        if column.personal:
            personal.append(header)
        if heading.unit == NO_UNIT and not heading.canonical:
            documented = _TUSHARE_UNITS.get(column.name) if tushare else None
            stated = money if column.kind == "amount" else None
            if documented:
                vendor.append(header)
            heading = replace(heading, unit=documented or stated or NO_UNIT)
        if column.kind not in {"personal", "ignored"}:
            sources.setdefault(column.name, []).append(Source(position, header, heading))
    ordered = {
        name: tuple(sorted(feeding, key=lambda source: -(source.heading.year or 10_000)))
        for name, feeding in sources.items()
    }
    return Layout(ordered, tuple(personal), tuple(unused), tuple(own), tuple(vendor))


def moved(layout: Layout, source: Source, to: Column) -> Layout:
    """Return the layout with one column that feeds another canonical one than its header says."""
    name, heading = source.heading.column.name, replace(source.heading, column=to)
    rest = tuple(other for other in layout.sources[name] if other is not source)
    sources = {**layout.sources, name: rest}
    sources[to.name] = (*sources.get(to.name, ()), replace(source, heading=heading))
    return replace(layout, sources={key: feeding for key, feeding in sources.items() if feeding})


def listed(headers: Sequence[str]) -> Text:
    """Return headers as one line, shortened where there are very many."""
    names = [shown(header, _LONGEST_HEADER) for header in dict.fromkeys(headers)]
    rest, names = len(names) - 30, names[:30]
    more = (f"等 {rest + 30:,} 列", f" and {rest:,} more") if rest > 0 else ("", "")
    return Text(zh="、".join(names) + more[0], en=", ".join(names) + more[1])


def dropped(layout: Layout) -> Iterator[Text]:
    """Yield which columns were not read or not used."""
    if layout.personal:
        yield WORDS["problems.personal"].format(headers=listed(layout.personal))
    if layout.own:
        yield WORDS["problems.own"].format(headers=listed(layout.own))
    if layout.unused:
        yield WORDS["problems.unused"].format(headers=listed(layout.unused))


def taken_out(
    starred: Iterable[tuple[str, int]], hidden: Iterable[tuple[str, int]]
) -> Iterator[Text]:
    """Yield how many cells under each header lost personal data or invisible characters."""
    for header, count in starred:
        yield of_header(WORDS["problems.starred"], header, count=count)
    for header, count in hidden:
        yield of_header(WORDS["problems.invisible"], header, count=count)
