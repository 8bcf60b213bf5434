"""Before its cells are read, a table is laid out: which header means what, and what is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from leadscore.language import Text
from leadscore.lists.columns import Column, Heading, read_heading
from leadscore.lists.headers import Unit, normal_header

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

TUSHARE_NOTICE = Text(
    zh="此表有 ts_code 列，是 Tushare 的上市公司表：“{headers}”未写单位，"
    "按其文档的单位（万元、百分比）计",
    en="the column ts_code marks a table of listed firms from Tushare: “{headers}” names no unit"
    " and is read in the one that Tushare documents (万元, percent)",
)


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
