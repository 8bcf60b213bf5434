"""One table of outcomes becomes entries; what is wrong with one is told with its row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from leadscore.language import Text
from leadscore.lists.columns import Heading, column
from leadscore.lists.files.texttable import TextTable
from leadscore.lists.headers.layout import Layout, Source
from leadscore.lists.outcome_columns import OutcomeLayout
from leadscore.lists.problems import shown
from leadscore.lists.values import cleaning_notices as say
from leadscore.lists.values.cell_faults import Mask
from leadscore.lists.values.cells import Reader
from leadscore.lists.values.codes import normal_code, valid_code
from leadscore.lists.values.dates import dates, in_future
from leadscore.lists.values.faults import ProblemLog
from leadscore.lists.values.merging import joined
from leadscore.lists.values.names import WANTED as NAME_WANTED
from leadscore.lists.values.names import former_names, read_names
from leadscore.lists.values.personal import without_personal
from leadscore.lists.values.texts import tidy, unknown
from leadscore.lists.values.vocabularies import STAGES, stage_reasons, stages


def _wanted(zh: str, en: str) -> Text:
    return Text(zh=f"{zh}；此条未导入", en=f"{en}; the entry was not imported")


WANTED = {
    "no_firm": _wanted(
        "企业名称，或校验位正确的统一社会信用代码",
        "the name of a firm, or a credit code whose check digit holds",
    ),
    "bad_stage": _wanted(
        "已到达的阶段：" + "、".join(text.zh for text in STAGES.values()),
        "a stage that is reached: " + ", ".join(STAGES),
    ),
    "no_day": _wanted(
        "到达该阶段的日期，如 2024-03-15",
        "the day on which the stage was reached, such as 2024-03-15",
    ),
    "bad_date": _wanted(
        "存在的日期，年在前，如 2024-03-15、2024年3月、20240315",
        "a day that exists, year first, such as 2024-03-15, 2024年3月 or 20240315",
    ),
    "future_date": _wanted("不晚于今天的日期", "a day not later than today"),
    "bad_withdrawal": _wanted("是或否（是否撤销）", "yes or no (whether the entry is withdrawn)"),
    "no_stage": _wanted("至少一个阶段及其日期", "at least one stage with its day"),
}
"""What is wanted of an entry, by the code of the problem."""

OTHER_STAGE = Text(
    zh="与“{header}”相同的阶段；两列不一致，采用“{header}”",
    en="the same stage as in “{header}”; the two differ, and “{header}” is used",
)
NOT_A_STAGE = Text(
    zh="“{header}”按企业的成立日期理解，没有当作阶段；若指项目公司在本地注册，请改名为“落户日期”",
    en="“{header}” is taken for the day on which the firm was founded, not for a stage; if the "
    "project's company here is meant, head the column “registered here on”",
)


_NAME_COLUMNS = ("matched_name", "name", "imported_name")


def name_sources(layout: Layout) -> list[Source]:
    """Return the columns that may name firms, first choice first."""
    return [source for name in _NAME_COLUMNS for source in layout.sources.get(name, ())]


def named_firms(
    cells: pd.DataFrame, layout: Layout, reader: Reader, log: ProblemLog
) -> pd.DataFrame:
    """Return by what the firm of each row is known.

    Parameters
    ----------
    cells
        Text as in the source.
    layout
        What its headers mean.
    reader
        Reads codes.
    log
        Takes what is wrong with them.

    Returns
    -------
    pandas.DataFrame
        ``credit_code`` (valid ones only), ``name``, ``former_names``, each missing if unknown.
    """
    nothing: pd.Series = pd.Series(np.nan, index=cells.index, dtype="str")
    names: pd.Series = nothing
    former: pd.Series = nothing
    for source in name_sources(layout):
        text = cells[source.position]
        read = read_names(text)
        log.add(
            read.hidden, "invisible_characters", NAME_WANTED["invisible_characters"],
            column=source.header, cells=text,
        )  # fmt: skip
        names, former = names.fillna(read.values), former.fillna(read.former)
    for source in layout.sources.get("former_names", ()):
        given = former_names(cells[source.position])
        both = former.notna() & given.notna() & (former != given)
        former = former.fillna(given).mask(both, former + ";" + given)
    codes = _codes(cells, layout, reader, log, nothing)
    return pd.DataFrame({"credit_code": codes, "name": names, "former_names": former})


def _codes(
    cells: pd.DataFrame, layout: Layout, reader: Reader, log: ProblemLog, nothing: pd.Series
) -> pd.Series:
    codes = nothing
    for source in layout.sources.get("credit_code", ()):
        text = cells[source.position]
        read = reader.read(source.heading, text)
        for fault in read.faults:
            log.add(fault.where, fault.code, fault.wanted, column=source.header, cells=text)
        codes = codes.fillna(read.values)
    for source in layout.sources.get("taxpayer_id", ()):
        text = normal_code(cells[source.position])
        codes = codes.fillna(text.where(valid_code(text)))
    return codes


ENTRY_COLUMNS = (
    "credit_code", "name", "former_names", "stage", "day", "reason", "withdrawn", "sheet", "row",
)  # fmt: skip
"""Columns of entries, typed as in `leadscore.learning.outcomes.history.EVENTS`."""

_YES = ("是", "y", "yes", "1", "true", "√", "✓", "撤销", "作废", "撤回", "已撤销", "已作废")
_NO = ("否", "n", "no", "0", "false", "有效", "未撤销", "未作废")
_ENDS = ("lost", "paused")


@dataclass
class OutcomeTable:
    """One table on its way from text to entries.

    Parameters
    ----------
    source
        The table as text.
    layout
        What its headers mean.
    reader
        Reads its cells; days after its today are not believed.
    """

    source: TextTable
    layout: OutcomeLayout
    reader: Reader
    _starred: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Number the rows from 0, whatever the table's own index is."""
        self.cells = self.source.cells.reset_index(drop=True)
        self.log = ProblemLog(np.asarray(self.source.rows, dtype=np.int64), self.source.sheet)

    def read(self) -> pd.DataFrame:
        """Return the entries that can be taken; problems are kept here."""
        parts = [*self._dated_stages(), *self._stage_and_day()]
        told = np.zeros(len(self.cells), dtype=bool)
        for filled, _ in parts:
            told |= filled
        self._set_aside(~told, "no_stage")
        frames = [entries for _, entries in parts]
        entries = pd.concat(frames) if len(frames) > 1 else frames[0]
        return entries.sort_index(kind="stable").reset_index(drop=True)

    def all_notices(self) -> Iterable[Text]:
        """Yield what the owner should know of this table, after `read`."""
        yield from say.dropped(self.layout.canonical)
        if self.layout.stage_days:
            for source in self.layout.sources("founded_on"):
                yield NOT_A_STAGE.format(header=shown(source.header))
        yield from say.taken_out(self._starred, ())
        yield from self.log.notices

    def _dated_stages(self) -> list[tuple[Mask, pd.DataFrame]]:
        """Return the entries of each column of days: where it is filled, and what they are."""
        parts = []
        for each in self.layout.stage_days:
            cells = self.cells[each.position]
            filled = ~unknown(cells)
            stage = pd.Series(each.stage, index=cells.index, dtype="str")
            reason = self._reasons if each.stage in _ENDS else self._nothing
            parts.append(
                (filled, self._entries(filled, stage, (each.position, each.header), reason))
            )
        return parts

    def _stage_and_day(self) -> list[tuple[Mask, pd.DataFrame]]:
        """Return the entries of a column of stages, unless the stage's own column has its day."""
        if not self.layout.stage:
            return []
        text, header = self._first_of(self.layout.stage)
        stage = _read_stages(text)
        self._tell_other_stages(stage)
        filled = ~unknown(text)
        days = self.layout.day
        if days:
            filled |= ~unknown(self._first_of(days)[0]) & ~self._dated()
        for each in self.layout.stage_days:
            own = ~unknown(self.cells[each.position])
            filled &= ~(stage.eq(each.stage).to_numpy(dtype=bool) & own)
        self._set_aside(filled & self._named & stage.isna().to_numpy(), "bad_stage", header, text)
        reasons = joined(self._reasons_given, without_personal(stage_reasons(text)))
        reasons = reasons.fillna(self._notes)
        if days:
            return [(filled, self._entries(filled, stage, days[0], reasons))]
        return [(filled, self._entries(filled, stage, None, reasons, undated=(header, text)))]

    def _dated(self) -> Mask:
        dated = np.zeros(len(self.cells), dtype=bool)
        for each in self.layout.stage_days:
            dated |= ~unknown(self.cells[each.position])
        return dated

    def _entries(
        self,
        filled: Mask,
        stage: pd.Series,
        where: tuple[int, str] | None,
        reasons: pd.Series,
        *,
        undated: tuple[str | None, pd.Series | None] = (None, None),
    ) -> pd.DataFrame:
        """Return the sound ones of some entries, each on the index of its row.

        Parameters
        ----------
        filled
            The rows that have such an entry.
        stage
            Its stage; the rows where it is missing were set aside.
        where
            The column of its day, if there is one.
        reasons
            Why it came to it.
        undated
            Header and cells to show where the day is missing, if not those of its column.
        """
        self._set_aside(filled & ~self._named, "no_firm", *self._name_column)
        good = filled & self._named & stage.notna().to_numpy(dtype=bool)
        withdrawn, unclear = self._withdrawn
        at, text = self._days_of(where)
        header = where[1] if where else None
        empty = unknown(text)
        for mask, code, column_, cells in (
            (unclear, "bad_withdrawal", self._withdrawn_header, None),
            (empty & ~withdrawn, "no_day", undated[0] or header, undated[1]),
            (np.isnat(at) & ~empty, "bad_date", header, text),
            (in_future(at, self.reader.today), "future_date", header, text),
        ):
            self._set_aside(good & mask, code, column_, cells)
            good = good & ~mask
        entries = self._firms.assign(
            stage=stage, day=at, reason=reasons, withdrawn=withdrawn,
            sheet=pd.Series(self.source.sheet, index=stage.index, dtype="str"), row=self.log.rows,
        )  # fmt: skip
        return entries[list(ENTRY_COLUMNS)][good]

    def _days_of(self, where: tuple[int, str] | None) -> tuple[np.ndarray, pd.Series]:
        days = self.layout.day
        if where is None:
            text = self._nothing
        elif where in days:
            text, _ = self._first_of(days)
        else:
            text = self.cells[where[0]]
        at = np.full(len(text), np.datetime64("NaT"), dtype="datetime64[us]")
        known = ~unknown(text)
        codes, different = pd.factorize(text[known])
        at[known] = dates(pd.Series(different, dtype="str")).astype("datetime64[us]")[codes]
        return at, text

    def _set_aside(
        self, where: Mask, code: str, header: str | None = None, cells: pd.Series | None = None
    ) -> None:
        self.log.add(where, code, WANTED[code], column=header, cells=cells, set_aside=True)

    def _first_of(self, columns: tuple[tuple[int, str], ...]) -> tuple[pd.Series, str]:
        """Return the first known cell of each row among some columns, and the first's header."""
        text = self._nothing
        for position, _ in columns:
            cells = self.cells[position]
            text = text.fillna(cells.where(~unknown(cells)))
        return text, columns[0][1]

    def _tell_other_stages(self, stage: pd.Series) -> None:
        for position, header in self.layout.stage[1:]:
            text = self.cells[position]
            other = _read_stages(text)
            differ = (other.notna() & stage.notna() & (other != stage)).to_numpy(dtype=bool)
            wanted = OTHER_STAGE.format(header=self.layout.stage[0][1])
            self.log.add(differ, "conflict", wanted, column=header, cells=text)

    @cached_property
    def _nothing(self) -> pd.Series:
        return pd.Series(np.nan, index=self.cells.index, dtype="str")

    @cached_property
    def _firms(self) -> pd.DataFrame:
        return named_firms(self.cells, self.layout.canonical, self.reader, self.log)

    @cached_property
    def _named(self) -> Mask:
        named: Mask = self._firms[["credit_code", "name"]].notna().any(axis=1).to_numpy(dtype=bool)
        return named

    @property
    def _name_column(self) -> tuple[str | None, pd.Series | None]:
        for source in name_sources(self.layout.canonical):
            return source.header, self.cells[source.position]
        return None, None

    @cached_property
    def _withdrawn(self) -> tuple[Mask, Mask]:
        """Return which rows are withdrawn, and of which nobody can tell."""
        if not self.layout.withdrawn:
            none = np.zeros(len(self.cells), dtype=bool)
            return none, none
        words = tidy(self._first_of(self.layout.withdrawn)[0])
        yes = words.isin(_YES).to_numpy(dtype=bool)
        return yes, words.notna().to_numpy(dtype=bool) & ~yes & ~words.isin(_NO).to_numpy(
            dtype=bool
        )

    @property
    def _withdrawn_header(self) -> str | None:
        return self.layout.withdrawn[0][1] if self.layout.withdrawn else None

    @cached_property
    def _reasons_given(self) -> pd.Series:
        return self._remarks(self.layout.reason)

    @cached_property
    def _notes(self) -> pd.Series:
        notes = self.layout.sources("note")
        return self._remarks(tuple((source.position, source.header) for source in notes))

    @cached_property
    def _reasons(self) -> pd.Series:
        return self._reasons_given.fillna(self._notes)

    def _remarks(self, columns: tuple[tuple[int, str], ...]) -> pd.Series:
        """Read what officers write freely; phone numbers and e-mail addresses are taken out."""
        if not columns:
            return self._nothing
        text, header = self._first_of(columns)
        read = self.reader.read(Heading(column("note")), text)
        if read.starred is not None and read.starred.any():
            self._starred.append((header, int(read.starred.sum())))
        return read.values


def _read_stages(cells: pd.Series) -> pd.Series:
    """Return the stage that each cell names, looking at each different cell once."""
    at, different = pd.factorize(cells.where(~unknown(cells)))
    words = stages(pd.Series(different, dtype="str")) if len(different) else None
    if words is None:
        return pd.Series(np.nan, index=cells.index, dtype="str")
    return pd.Series(np.append(words.to_numpy(object), np.nan)[at], index=cells.index, dtype="str")
