"""Hands a ranking over: files first, then what is printed on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from leadscore.errors import OutputError
from leadscore.lists.writing import write_problems, write_ranking
from leadscore.numbers import likelihood, share
from leadscore.ranking.batch import Ranking
from leadscore.ranking.vetoes import WORDING, ExclusionList
from leadscore.settings import plain_wanted
from leadscore.terminal import (
    GAP,
    Align,
    columns,
    cut,
    display_width,
    fit,
    is_terminal,
    say,
    tame,
    tell,
    wrap,
)
from leadscore.text import Lang, Text, room_words

WORDS = room_words("cli")


WIDEST, NARROWEST = 100, 80
"""Terminal columns that the table takes at most, and that it needs at least."""

MOST_LINES = 6
"""Lines that the reasons of one firm may take."""

_PLACE = 20  # room for the longest role, and for enough of the segment to know it by
_NOTHING = "-"
_HEADERS = {
    "rank": WORDS["delivery.headers_rank"],
    "grade": WORDS["delivery.headers_grade"],
    "name": WORDS["delivery.headers_name"],
    "place": WORDS["delivery.headers_place"],
    "priority": WORDS["delivery.headers_priority"],
    "likelihood": WORDS["delivery.headers_likelihood"],
    "fit": WORDS["delivery.headers_fit"],
}
_ALIGN: dict[str, Align] = {
    "rank": "right", "grade": "centre", "priority": "right", "likelihood": "right", "fit": "right",
}  # fmt: skip

_NUMBERS = {"priority": likelihood, "likelihood": likelihood, "fit": share}
_COLOURS = {"A": "1;32", "B": "32", "C": "33"}
_DIM = "2"


def print_ranking(
    table: pd.DataFrame,
    *,
    lang: Lang,
    top: int = 20,
    width: int = WIDEST,
    colour: bool = False,
) -> str:
    """Return the ranking as text for a terminal.

    Returns
    -------
    str
        Lines without a final line feed. Control and format characters of the table are gone.
    """
    width = min(max(width, NARROWEST), WIDEST)
    ranked, vetoed = table[table["rank"].notna()], table[table["rank"].isna()]
    lines: list[str] = []
    if len(ranked):
        lines += _ranked_lines(ranked, top, lang, width, colour)
    else:
        lines += wrap(
            (WORDS["delivery.all_vetoed"] if len(vetoed) else WORDS["delivery.empty"]).pick(lang),
            width,
        )
    if len(vetoed):
        lines += ["", *_vetoed_lines(vetoed, top, lang, width, colour)]
    return "\n".join(lines)


def _widths(firms: list[dict[str, str]], lang: Lang, width: int) -> dict[str, int]:
    """Give numbers what they need and share the rest between firm and segment.

    Where both want more than there is, each gets half, or what the other leaves of its own.
    """
    widths = {name: display_width(header.pick(lang)) for name, header in _HEADERS.items()}
    widths |= {name: max(widths[name], len(">99.9%")) for name in _NUMBERS}
    for each in ("rank", "name", "place"):
        widths[each] = max([widths[each], *(display_width(firm[each]) for firm in firms)])
    name, place = widths.pop("name"), widths.pop("place")
    rest = width - sum(widths.values()) - len(GAP) * (len(_HEADERS) - 1)
    place = min(place, max(rest - name, rest // 2, _PLACE))
    return widths | {"place": place, "name": rest - place}


def _line(cells: dict[str, str], widths: dict[str, int], paint: str = "") -> str:
    parts = {name: fit(cells[name], widths[name], _ALIGN.get(name, "left")) for name in _HEADERS}
    parts["grade"] = _painted(parts["grade"], paint)
    return GAP.join(parts.values()).rstrip()


def _ranked_lines(
    ranked: pd.DataFrame, top: int, lang: Lang, width: int, colour: bool
) -> list[str]:
    firms = [firm | {"place": _place(firm, lang)} for firm in _records(ranked.head(top))]
    widths = _widths(firms, lang, width)
    indent = widths["rank"] + widths["grade"] + 2 * len(GAP)  # up to the firm's name
    lines = [_line({name: header.pick(lang) for name, header in _HEADERS.items()}, widths)]
    lines.append("-" * width)
    for firm in firms:
        paint = _COLOURS.get(firm["grade"], "") if colour else ""
        lines.append(_line(firm | {"place": _place(firm, lang, widths["place"])}, widths, paint))
        lines += _indented(firm["reasons"], indent, width)
    if len(ranked) > top:
        lines += wrap(WORDS["delivery.more"].format(count=len(ranked) - top).pick(lang), width)
    return lines


def _vetoed_lines(
    vetoed: pd.DataFrame, top: int, lang: Lang, width: int, colour: bool
) -> list[str]:
    lines = [WORDS["delivery.vetoed"].format(count=len(vetoed)).pick(lang)]
    for firm in _records(vetoed.head(top)):
        told = WORDS["delivery.colon"].pick(lang).join(filter(None, (firm["name"], firm["veto"])))
        lines += [_painted(line, _DIM if colour else "") for line in _indented(told, 2, width)]
    if len(vetoed) > top:
        lines += wrap(
            WORDS["delivery.more_vetoed"].format(count=len(vetoed) - top).pick(lang), width
        )
    return lines


def _records(table: pd.DataFrame) -> Iterator[dict[str, str]]:
    for record in table.to_dict("records"):
        yield {str(name): _shown(str(name), value) for name, value in record.items()}


def _shown(name: str, value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return ""
    return _NUMBERS[name](float(str(value))) if name in _NUMBERS else tame(str(value))


def _place(firm: dict[str, str], lang: Lang, room: int | None = None) -> str:
    segment = firm["segment_name"]
    if not segment:
        return _NOTHING
    role = (
        WORDS["delivery.brackets"].format(role=firm["role_name"]).pick(lang)
        if firm["role_name"]
        else ""
    )
    return (segment if room is None else cut(segment, max(room - display_width(role), 2))) + role


def _painted(text: str, codes: str) -> str:
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text


def _indented(text: str, indent: int, width: int) -> list[str]:
    return [" " * indent + line for line in wrap(text, width - indent, MOST_LINES)]


@dataclass(frozen=True)
class Delivery:
    """A ranking with what has to be said about it."""

    ranking: Ranking  # what is handed over
    excluded: ExclusionList | None  # the list of firms not to be courted, if there was one
    city: Text  # name of the city that was ranked for
    today: date  # day as of which the firms were scored
    lang: Lang  # language of everything
    kept: Text | None = None  # what to say of the snapshot of the firms, if anything

    def deliver(self, output: Path | None, problems: Path | None, top: int) -> None:
        """Write the files, then print; what the disk refuses is still printed.

        Raises OutputError if a file or standard output can't be written; Unheard if nobody reads
        standard output any more; the files are there.
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
        lines = [WORDS["delivery.written"].format(path=path) for path in written]
        count = len(self.ranking.problems)
        if count and point_to_problems:
            lines.append(
                WORDS["delivery.problems"].format(count=count, problems=_counted(count, "problem"))
            )
        if self.kept:
            lines.append(self.kept)
        for line in (*lines, *self._sums()):
            say(line.pick(self.lang))

    def _sums(self) -> list[Text]:
        sentence = self.ranking.counts.sentence()
        if self.excluded is None:
            return [sentence]
        unread = sum(problem.set_aside for problem in self.excluded.problems)
        count = self.excluded.rows_in - unread
        veto = WORDING["excluded"].pick(self.lang)
        excluded = WORDS["delivery.excluded"].format(
            count=count, firms=_counted(count, "firm"),
            found=int(self.ranking.table["veto"].eq(veto).sum()),
            unread=unread, rows=_counted(unread, "row"),
        )  # fmt: skip
        return [excluded, sentence]

    def _summary(self) -> list[tuple[str, str]]:
        lines: list[tuple[Text, Text | str]] = [
            (WORDS["delivery.city"], self.city),
            (WORDS["delivery.model"], self.ranking.model),
            (WORDS["delivery.date"], self.today.isoformat()),
            *((WORDS["delivery.rows"], line) for line in self._sums()),
            *((WORDS["delivery.note"], notice) for notice in self.ranking.notices),
        ]
        return [
            (label.pick(self.lang), text.pick(self.lang) if isinstance(text, Text) else text)
            for label, text in lines
        ]


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
