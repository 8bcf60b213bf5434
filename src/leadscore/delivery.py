"""Hands a ranking over: files first, so that they are there whatever becomes of the screen."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from leadscore.console import columns, is_terminal, say, tell
from leadscore.errors import OutputError
from leadscore.language import Lang, Text
from leadscore.lists.exclusions import ExclusionList
from leadscore.lists.writing import write_problems, write_ranking
from leadscore.ranking.printing import WIDEST, print_ranking
from leadscore.ranking.vetoes import WORDING
from leadscore.ranking.walk import Ranking
from leadscore.settings import plain_wanted

_WRITTEN = Text(zh="已写入 {path}", en="written to {path}")
_PROBLEMS = Text(
    zh="另有{count}处资料问题；加 --problems 文件名 可逐条写出",
    en="{problems} in the data; --problems FILE writes each of them",
)
_EXCLUDED = Text(
    zh="排除名单：{count} 家，命中 {found} 家，{unread} 行未读",
    en="exclusion list: {firms}, {found} found, {rows} unread",
)
_CITY = Text(zh="城市", en="city")
_MODEL = Text(zh="模型", en="model")
_DATE = Text(zh="日期", en="date")
_ROWS = Text(zh="行数", en="rows")
_NOTE = Text(zh="提示", en="note")


@dataclass(frozen=True)
class Delivery:
    """A ranking with what has to be said about it.

    Attributes
    ----------
    ranking
        What is handed over.
    excluded
        The list of firms not to be courted, if there was one.
    city
        Name of the city that was ranked for.
    today
        Day as of which the firms were scored.
    lang
        Language of everything.
    kept
        What to say of the snapshot of the firms, if anything.
    """

    ranking: Ranking
    excluded: ExclusionList | None
    city: Text
    today: date
    lang: Lang
    kept: Text | None = None

    def deliver(self, output: Path | None, problems: Path | None, top: int) -> None:
        """Write the files, then print; what the disk refuses is still printed.

        Raises
        ------
        OutputError
            If a file or standard output can't be written.
        Unheard
            If nobody reads standard output any more; the files are there.
        """
        written: list[Path] = []
        refused: OutputError | None = None
        try:
            self._write(output, problems, written)
        except OutputError as error:
            refused = error
        try:
            self._print(written, top, point_to_problems=not problems)
        finally:
            if refused:
                raise refused

    def _write(self, output: Path | None, problems: Path | None, written: list[Path]) -> None:
        found = self.ranking.problems
        if output:
            write_ranking(
                self.ranking.table, output, lang=self.lang, problems=found, summary=self._summary()
            )
            written.append(output)
        if problems:
            write_problems(found, problems, lang=self.lang)
            written.append(problems)

    def _print(self, written: list[Path], top: int, *, point_to_problems: bool) -> None:
        for notice in self.ranking.notices:
            tell(notice.pick(self.lang))
        colour = is_terminal(sys.stdout) and not plain_wanted()
        table = self.ranking.table
        say(print_ranking(table, lang=self.lang, top=top, width=columns(WIDEST), colour=colour))
        lines = [_WRITTEN.format(path=path) for path in written]
        count = len(self.ranking.problems)
        if count and point_to_problems:
            lines.append(_PROBLEMS.format(count=count, problems=_counted(count, "problem")))
        if self.kept:
            lines.append(self.kept)
        for line in (*lines, *self._sums()):
            say(line.pick(self.lang))

    def _sums(self) -> list[Text]:
        """Return where the firms of the exclusion list and every row went."""
        sentence = self.ranking.counts.sentence()
        if self.excluded is None:
            return [sentence]
        unread = sum(problem.set_aside for problem in self.excluded.problems)
        count = self.excluded.rows_in - unread
        veto = WORDING["excluded"].pick(self.lang)
        excluded = _EXCLUDED.format(
            count=count, firms=_counted(count, "firm"),
            found=int(self.ranking.table["veto"].eq(veto).sum()),
            unread=unread, rows=_counted(unread, "row"),
        )  # fmt: skip
        return [excluded, sentence]

    def _summary(self) -> list[tuple[str, str]]:
        """Return what a workbook says above its columns: what was ranked, and what to know."""
        lines: list[tuple[Text, Text | str]] = [
            (_CITY, self.city),
            (_MODEL, self.ranking.model),
            (_DATE, self.today.isoformat()),
            *((_ROWS, line) for line in self._sums()),
            *((_NOTE, notice) for notice in self.ranking.notices),
        ]
        return [
            (label.pick(self.lang), text.pick(self.lang) if isinstance(text, Text) else text)
            for label, text in lines
        ]


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
