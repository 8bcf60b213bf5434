"""What the headers of a sheet of outcomes mean: firm, stage, day, reason, or a stage's own days."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from leadscore.lists.columns import read_heading
from leadscore.lists.files.texttable import TextTable
from leadscore.lists.headers.headings import normal_header, readings
from leadscore.lists.headers.layout import Layout, Source, lay_out
from leadscore.lists.values.dates import dates
from leadscore.lists.values.texts import unknown
from leadscore.lists.values.vocabularies import names_stages, stage_of

_WORDS = {
    "day": "日期 时间 发生日期 发生时间 阶段日期 阶段时间 进展日期 进展时间 到达日期 到达时间"
    " 跟进日期 跟进时间 结果日期 date day stage_date event_date outcome_date happened_on on when",
    "reason": "原因 理由 原因说明 流失原因 搁置原因 终止原因 暂停原因 未签约原因 未落地原因"
    " 失败原因 reason reasons lost_reason cause why",
    "withdrawn": "撤销 作废 撤回 是否撤销 是否作废 是否撤回 撤销标记 作废标记"
    " withdrawn void voided revoke retracted",
    "stage": "结果 最终结果 跟进结果 招商结果 项目结果 outcome result",
}
_BY_KEY = {normal_header(word): name for name, words in _WORDS.items() for word in words.split()}

_DAY_WORD = re.compile(
    r"(?P<stage>.+?)(?:的)?(?:日期|时间|时点|年月|日)|(?:dateof|dayof)(?P<of>.+)"
    r"|(?:date|day)(?P<first>.+)|(?P<english>.+?)(?:on|date|day|at)"
)
_NOT_THE_FIRST = re.compile(
    "拟|预计|计划|预期|目标|截止|到期|最近|最新|最后|末次|上次|下次|近期|更新|last|next|latest"
    "|planned|expected|due|deadline"
)
_MOST = 0.5
_STAGE_COLUMNS = ("status", "stage")
"""Columns of a list that may hold stages, the better word last."""


@dataclass(frozen=True, slots=True)
class StageDays:
    """A column that holds the days on which firms reached one stage.

    Attributes
    ----------
    position
        Place of the column in the table.
    header
        As written.
    stage
        Id of the stage.
    """

    position: int
    header: str
    stage: str


@dataclass(frozen=True)
class OutcomeLayout:
    """Which columns of a table say what.

    Attributes
    ----------
    canonical
        The columns that also stand in lists of candidates: the firm's code and names, note.
    stage, day, reason, withdrawn
        Columns of a sheet with one row an outcome, first choice first.
    stage_days
        Columns of a sheet with one row a firm.
    """

    canonical: Layout
    stage: tuple[tuple[int, str], ...]
    day: tuple[tuple[int, str], ...]
    reason: tuple[tuple[int, str], ...]
    withdrawn: tuple[tuple[int, str], ...]
    stage_days: tuple[StageDays, ...]

    @property
    def tells_outcomes(self) -> bool:
        """Tell whether the table says both what happened and when."""
        return bool(self.stage_days or (self.stage and self.day))

    def sources(self, name: str) -> tuple[Source, ...]:
        """Return the columns that feed a canonical one."""
        return self.canonical.sources.get(name, ())


def lay_out_outcomes(table: TextTable) -> OutcomeLayout:
    """Return what each column of a table of outcomes means.

    Parameters
    ----------
    table
        As `leadscore.lists.reading.read_list` gives it.
    """
    canonical = lay_out(table.headers)
    found: dict[str, list[tuple[int, str]]] = {name: [] for name in _WORDS}
    days = []
    for position, header in enumerate(table.headers):
        heading, cells = read_heading(header), table.cells[position]
        if heading and not (heading.column.name in _STAGE_COLUMNS and _mostly_days(cells)):
            continue
        stage = _stage_of_days(header, cells)
        if stage:
            days.append(StageDays(position, header, stage))
            continue
        word = next((_BY_KEY[key.key] for key in readings(header) if key.key in _BY_KEY), None)
        if word:
            found[word].append((position, header))
    dated = {each.position for each in days}
    for name in _STAGE_COLUMNS:
        sources = canonical.sources.get(name, ())
        found["stage"][:0] = [
            (source.position, source.header)
            for source in sources
            if source.position not in dated
            and (name == "stage" or _holds_stages(table.cells[source.position]))
        ]
    used = {header for columns in found.values() for _, header in columns}
    used |= {each.header for each in days}
    unused = tuple(header for header in canonical.unused if header not in used)
    return OutcomeLayout(
        canonical=replace(canonical, unused=unused),
        stage_days=tuple(days),
        **{name: tuple(columns) for name, columns in found.items()},
    )


def _stage_of_days(header: str, cells: pd.Series) -> str | None:
    """Return the stage whose days stand in a column; missing if it holds something else."""
    for reading in readings(header):
        if _NOT_THE_FIRST.search(reading.key):
            return None
        for words in _words_before_day(reading.key):
            stage, _ = stage_of(words)
            if stage:
                return stage
    bare, _ = stage_of(normal_header(header).rpartition("/")[2])
    return bare if bare and _mostly_days(cells) else None


def _words_before_day(key: str) -> Iterator[str]:
    """Yield what is left of a header without the words for day.

    >>> list(_words_before_day("签约日期")), list(_words_before_day("dateoffirstcontact"))
    (['签约'], ['contact'])
    """
    found = _DAY_WORD.fullmatch(key)
    if found:
        rest = next(filter(None, found.groups()), "")
        yield rest.strip("/").removeprefix("first").removeprefix("首次")


def _holds_stages(cells: pd.Series) -> bool:
    return names_stages(cells[~unknown(cells)])


def _mostly_days(cells: pd.Series) -> bool:
    known = cells[~unknown(cells)]
    return len(known) > 0 and float((~pd.isna(dates(known))).mean()) > _MOST
