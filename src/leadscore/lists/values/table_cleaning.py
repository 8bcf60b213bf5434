"""One table of a list: each of its columns is read, merged, and made to agree with the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from leadscore.language import Text
from leadscore.lists.columns import CANONICAL, column
from leadscore.lists.files.texttable import TextTable
from leadscore.lists.headers.layout import TUSHARE_NOTICE, Layout, Source, moved
from leadscore.lists.values import cleaning_notices as say
from leadscore.lists.values.cell_faults import Mask
from leadscore.lists.values.cells import Cells, Reader
from leadscore.lists.values.codes import normal_code, valid_code
from leadscore.lists.values.divisions import is_division
from leadscore.lists.values.faults import ProblemLog
from leadscore.lists.values.merging import held_titles, joined, listing, merge
from leadscore.lists.values.names import LONGEST_NAME, former_names, read_names
from leadscore.lists.values.names import WANTED as WANTED_NAMES
from leadscore.lists.values.places import PLACED_BY, settle
from leadscore.lists.values.texts import unknown
from leadscore.lists.values.vocabularies import names_stages, stage_reasons

_NAME_COLUMNS = ("matched_name", "name", "imported_name")
_CAPITAL = "registered_capital_cny"
_READ_APART = frozenset(
    {*_NAME_COLUMNS, "former_names", "registered_currency", "title_flag", "listing_flag"}
)


@dataclass
class TableCleaner:
    """One table on its way from text to firms.

    Parameters
    ----------
    source
        The table as text.
    layout
        What its headers mean.
    reader
        Reads its cells.
    """

    source: TextTable
    layout: Layout
    reader: Reader
    notices: list[Text] = field(default_factory=list)
    values: dict[str, pd.Series] = field(default_factory=dict)
    starred: list[tuple[str, int]] = field(default_factory=list)
    invisible: list[tuple[str, int]] = field(default_factory=list)
    converted: list[str] = field(default_factory=list)
    empty: dict[str, pd.Series] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Number the rows from 0, whatever the table's own index is."""
        self.cells = self.source.cells.reset_index(drop=True)
        self.rows = np.asarray(self.source.rows, dtype=np.int64)
        self.log = ProblemLog(self.rows, self.source.sheet)

    def clean(self) -> pd.DataFrame:
        """Return the firms of the table; problems and notices are kept here."""
        self._names()
        self._former_names()
        self._stages_among_statuses()
        self._other_columns()
        self._codes()
        self._titles()
        self._listing()
        self._stage_reasons()
        self._places()
        frame = {each.name: self._typed(each.name, each.dtype) for each in CANONICAL}
        frame["row"] = pd.Series(self.rows)
        sheet = self.source.sheet
        frame["sheet"] = pd.Series(sheet, index=self.cells.index, dtype="str")
        return pd.DataFrame(frame)

    def all_notices(self) -> Iterable[Text]:
        """Yield what the owner should know of this table, after `clean`."""
        yield from say.dropped(self.layout)
        if self.layout.vendor_units:
            yield TUSHARE_NOTICE.format(headers=say.listed(self.layout.vendor_units))
        yield from self.notices
        yield from say.rates_used(self.converted, self.reader.rates)
        yield from say.taken_out(self.starred, self.invisible)
        yield from self.log.notices

    def _text(self, source: Source) -> pd.Series:
        return self.cells[source.position]

    def _sources(self, name: str) -> tuple[Source, ...]:
        return self.layout.sources.get(name, ())

    def _typed(self, name: str, dtype: str) -> pd.Series:
        known = self.values.get(name)
        if known is not None:
            # The stubs know dtypes by literal names only.
            return known if known.dtype == dtype else known.astype(dtype)  # type: ignore[call-overload]
        if dtype not in self.empty or len(self.empty[dtype]) != len(self.cells):
            self.empty[dtype] = pd.Series(None, index=self.cells.index, dtype=dtype)
        return self.empty[dtype]

    def _names(self) -> None:
        """Find each row's name, and set the rows without one aside."""
        sources = [source for name in _NAME_COLUMNS for source in self._sources(name)]
        names = former = pd.Series(np.nan, index=self.cells.index, dtype="str")
        fallback = np.zeros(len(self.cells), dtype=bool)
        for source in sources:
            text = self._text(source)
            read = read_names(text)
            self._tell_names(source, text, read.hidden, WANTED_NAMES["invisible_characters"])
            self._same_name(source, text, names, read.values)
            fallback |= read.unmatched
            names, former = names.fillna(read.values), former.fillna(read.former)
        known = names.notna().to_numpy(dtype=bool)
        header = sources[0].header if sources else None
        self._unmatched(fallback & known, names)
        self.log.add(
            ~known,
            "no_name",
            WANTED_NAMES["no_name"],
            column=header,
            cells=self._text(sources[0]) if sources else None,
            set_aside=True,
        )
        self.values |= {"name": names, "former_names": former}
        self._doubtful_names(header)
        self._keep(known)

    def _tell_names(self, source: Source, text: pd.Series, where: Mask, wanted: Text) -> None:
        self.log.add(where, "invisible_characters", wanted, column=source.header, cells=text)

    def _same_name(
        self, source: Source, text: pd.Series, names: pd.Series, others: pd.Series
    ) -> None:
        """Tell where two columns of names disagree; a match may rename, so only plain columns."""
        if source.heading.column.kind == "name" and not self._sources("matched_name"):
            differ = merge(column("name"), [names, others], [None, None]).conflicts[0]
            self._conflict(source, text, differ)

    def _conflict(self, source: Source, text: pd.Series, differ: Mask) -> None:
        if differ.any():
            first = self._sources(source.heading.column.name)[0].header
            wanted = say.CONFLICT.format(header=first)
            self.log.add(differ, "conflict", wanted, column=source.header, cells=text)

    def _unmatched(self, where: Mask, names: pd.Series) -> None:
        matched = self._sources("matched_name")
        if matched and where.any():
            wanted = WANTED_NAMES["unmatched_name"]
            self.log.add(where, "unmatched_name", wanted, column=matched[0].header, cells=names)

    def _doubtful_names(self, header: str | None) -> None:
        names = self.values["name"]
        size = names.str.len().fillna(0).to_numpy(dtype=float)
        long = WANTED_NAMES["long_name"]
        self.log.add(size > LONGEST_NAME, "long_name", long, column=header, cells=names)
        place = np.zeros(len(names), dtype=bool)
        short = (size > 0) & (size <= say.LONGEST_DIVISION)
        place[short] = [is_division(name) for name in names[short]]
        self.log.add(place, "name_is_a_place", say.PLACE_NAME, column=header, cells=names)

    def _keep(self, known: Mask) -> None:
        """Go on with the rows that have a name."""
        if known.all():
            return
        self.cells = self.cells[known].reset_index(drop=True)
        self.values = {
            name: values[known].reset_index(drop=True) for name, values in self.values.items()
        }
        self.rows = self.rows[known]
        self.log.rows = self.rows

    def _former_names(self) -> None:
        """Add the columns of former names to those that stood behind a name."""
        for source in self._sources("former_names"):
            own, names = self.values["former_names"], former_names(self._text(source))
            both = own.notna() & names.notna() & (own != names)
            self.values["former_names"] = own.fillna(names).mask(both, own + ";" + names)

    def _stages_among_statuses(self) -> None:
        """Let the values decide what a column headed 状态 holds."""
        for source in self._sources("status"):
            text = self._text(source)
            known = text[~unknown(text)]
            if len(known) and names_stages(known):
                self.layout = moved(self.layout, source, column("stage"))
                self.notices.append(say.read_as_stages(source.header))

    def _other_columns(self) -> None:
        money = self._read_all("registered_currency").get("registered_currency")
        for name in self.layout.sources:
            if name not in _READ_APART:
                self.values |= self._read_all(name, money if name == _CAPITAL else None)
        capital = self.values.get(_CAPITAL)
        if capital is not None and (capital == 0).any():
            # A company can't be registered with nothing; a branch has no capital of its own.
            header, count = self._sources(_CAPITAL)[0].header, int((capital == 0).sum())
            self.notices.append(say.no_capital(header, count))
            self.values[_CAPITAL] = capital.where(capital > 0)

    def _read_all(self, name: str, currency: pd.Series | None = None) -> dict[str, pd.Series]:
        """Read all columns that feed one canonical column, and make one of them, by its name."""
        sources = self._sources(name)
        if not sources:
            return {}
        parts = [self._read(source, currency) for source in sources]
        years = [source.heading.year for source in sources]
        merged = merge(column(name), [part.values for part in parts], years)
        for source, differ in zip(sources[1:], merged.conflicts, strict=True):
            self._conflict(source, self._text(source), differ)
        self.notices += say.newest_year(sources)
        return {name: merged.values}

    def _read(self, source: Source, currency: pd.Series | None) -> Cells:
        text = self._text(source)
        read = self.reader.read(source.heading, text, currency)
        for fault in read.faults:
            self.log.add(fault.where, fault.code, fault.wanted, column=source.header, cells=text)
        if read.assumed_percent is not None:
            self.notices.append(say.assumed_share(source.header, percent=read.assumed_percent))
        if read.small is not None:
            self.notices.append(say.perhaps_wan(source.header, read.small))
        for kept, where in ((self.starred, read.starred), (self.invisible, read.invisible)):
            if where is not None and where.any():
                kept.append((source.header, int(where.sum())))
        if read.converted:
            self.converted.append(source.header)
        return read

    def _codes(self) -> None:
        """Fill a missing credit code from the taxpayer number, and save old register numbers."""
        empty = self._typed("credit_code", "str")
        taxpayer = self.values.get("taxpayer_id")
        if taxpayer is not None:
            self.values["credit_code"] = empty.fillna(taxpayer.where(valid_code(taxpayer)))
        for source in self._sources("credit_code"):
            text = normal_code(self._text(source))
            old = text.where(text.str.fullmatch(r"\d{15}", na=False))
            number = self._typed("registration_number", "str")
            self.values["registration_number"] = number.fillna(old)

    def _titles(self) -> None:
        for source in self._sources("title_flag"):
            title = source.header.strip().removeprefix("是否").removeprefix("为")
            held, _ = held_titles(title, self._text(source))
            self.values["titles"] = joined(self._typed("titles", "str"), held)

    def _listing(self) -> None:
        """Let the funding say whether a firm is listed; that it is not adds nothing to a round."""
        for source in self._sources("listing_flag"):
            said, no = listing(self._text(source))
            funding = joined(self._typed("funding", "str"), said.mask(no))
            self.values["funding"] = funding.fillna(said)

    def _stage_reasons(self) -> None:
        """Keep in the note why a pursuit was lost or paused."""
        for source in self._sources("stage"):
            reasons = stage_reasons(self._text(source))
            self.values["note"] = joined(self._typed("note", "str"), reasons)

    def _places(self) -> None:
        firms = pd.DataFrame({name: self._typed(name, "str") for name in PLACED_BY})
        places = settle(firms)
        self.values["province_code"] = places.province_code
        self.values["city_code"] = places.city_code
        for where, name, wanted in (
            (places.odd_city, "city", say.ODD_CITY),
            (places.odd_address, "registered_address", say.ODD_ADDRESS),
            (places.unplaced["province"], "province", say.BAD_PLACE),
            (places.unplaced["city"], "city", say.BAD_PLACE),
        ):
            sources = self._sources(name)
            header = sources[0].header if sources else None
            code = "bad_place" if wanted is say.BAD_PLACE else "place_conflict"
            self.log.add(where, code, wanted, column=header, cells=firms[name])
