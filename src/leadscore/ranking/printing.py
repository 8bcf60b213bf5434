"""Shows a ranking in a terminal: who comes first, and under each firm why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from leadscore.language import Lang, Text
from leadscore.ranking.terminal import tame
from leadscore.textwidth import Align, cut, display_width, fit, wrap

WIDEST, NARROWEST = 100, 80
"""Terminal columns that the table takes at most, and that it needs at least."""

MOST_LINES = 6
"""Lines that the reasons of one firm may take."""

_GAP = "  "
_PLACE = 20  # room for the longest role, and for enough of the segment to know it by
_NOTHING = "-"
_HEADERS = {
    "rank": Text(zh="排名", en="Rank"),
    "grade": Text(zh="等级", en="Grade"),
    "name": Text(zh="企业", en="Firm"),
    "place": Text(zh="环节（角色）", en="Segment (role)"),
    "priority": Text(zh="优先级", en="Priority"),
    "likelihood": Text(zh="落地可能性", en="Likelihood"),
    "fit": Text(zh="契合度", en="Fit"),
}
_ALIGN: dict[str, Align] = {
    "rank": "right", "grade": "centre", "priority": "right", "likelihood": "right", "fit": "right",
}  # fmt: skip
_BRACKETS = Text(zh="（{role}）", en=" ({role})")
_MORE = Text(
    zh="（还有 {count} 家排名企业未显示；--top 可多显示，-o 可写出全部）",
    en="({count} more ranked; --top shows more, -o writes them all)",
)
_VETOED = Text(zh="一票否决，不排名：{count} 家", en="Vetoed, not ranked: {count}")
_MORE_VETOED = Text(
    zh="（还有 {count} 家被否决的企业未显示；-o 可写出全部）",
    en="({count} more vetoed; -o writes them all)",
)
_COLON = Text(zh="：", en=": ")
_EMPTY = Text(
    zh="没有可排名的企业。请检查：文件是否选对，表头下面是否有数据，是否有一列企业名称；"
    "--problems 文件名 会写出每一行为什么没有读入。",
    en="There is no firm to rank. Check that this is the right file, that there are rows under its "
    "header and a column with the names of firms; --problems FILE says why each row was left out.",
)
_ALL_VETOED = Text(
    zh="没有可排名的企业：名单里的企业全部被一票否决，理由如下。",
    en="There is no firm to rank: every firm of the list is vetoed, for the reasons below.",
)

_FRACTIONS = ("priority", "likelihood", "fit")
_SURELY_NOT, _SURELY = 0.001, 0.999  # what no model can claim is not shown as 0% or 100%
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

    Parameters
    ----------
    table
        n rows with the columns of a ranking: ``rank, name, grade, priority, likelihood, fit,
        segment_name, role_name, reasons, veto``.
    lang
        Language of everything but the table's own texts.
    top
        Ranked firms to show, and vetoed ones.
    width
        Columns that no line exceeds; taken as 100 if wider and as 80 if narrower.
    colour
        Whether grades may be coloured by ANSI sequences; the texts of the list never bring any.

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
        lines += wrap((_ALL_VETOED if len(vetoed) else _EMPTY).pick(lang), width)
    if len(vetoed):
        lines += ["", *_vetoed_lines(vetoed, top, lang, width, colour)]
    return "\n".join(lines)


@dataclass(frozen=True)
class _Layout:
    """How wide each column is."""

    lang: Lang
    width: int
    columns: dict[str, int]

    @classmethod
    def of(cls, firms: list[dict[str, str]], lang: Lang, width: int) -> _Layout:
        """Give numbers what they need and share the rest between firm and segment.

        Where both want more than there is, each gets half, or what the other leaves of its own.
        """
        columns = {name: display_width(header.pick(lang)) for name, header in _HEADERS.items()}
        for fraction in _FRACTIONS:
            columns[fraction] = max(columns[fraction], len("100.0%"))
        columns["rank"] = max([columns["rank"], *(len(firm["rank"]) for firm in firms)])
        fixed = sum(columns.values()) - columns["name"] - columns["place"]
        rest = width - fixed - len(_GAP) * (len(columns) - 1)
        name, place = (
            max([columns[each], *(display_width(firm[each]) for firm in firms)])
            for each in ("name", "place")
        )
        columns["place"] = min(place, max(rest - name, rest // 2, _PLACE))
        columns["name"] = rest - columns["place"]
        return cls(lang, width, columns)

    @property
    def indent(self) -> int:
        """Columns before the firm's name."""
        return self.columns["rank"] + self.columns["grade"] + 2 * len(_GAP)

    def line(self, cells: dict[str, str], paint: str = "") -> str:
        """Return one line; ``paint`` colours the grade."""
        parts = {
            name: fit(cells[name], room, _ALIGN.get(name, "left"))
            for name, room in self.columns.items()
        }
        parts["grade"] = _painted(parts["grade"], paint)
        return _GAP.join(parts.values()).rstrip()


def _ranked_lines(
    ranked: pd.DataFrame, top: int, lang: Lang, width: int, colour: bool
) -> list[str]:
    firms = [firm | {"place": _place(firm, lang)} for firm in _records(ranked.head(top))]
    layout = _Layout.of(firms, lang, width)
    lines = [layout.line({name: header.pick(lang) for name, header in _HEADERS.items()})]
    lines.append("-" * layout.width)
    for firm in firms:
        paint = _COLOURS.get(firm["grade"], "") if colour else ""
        lines.append(
            layout.line(firm | {"place": _place(firm, lang, layout.columns["place"])}, paint)
        )
        lines += _indented(firm["reasons"], layout.indent, layout.width)
    if len(ranked) > top:
        lines += wrap(_MORE.format(count=len(ranked) - top).pick(lang), layout.width)
    return lines


def _vetoed_lines(
    vetoed: pd.DataFrame, top: int, lang: Lang, width: int, colour: bool
) -> list[str]:
    lines = [_VETOED.format(count=len(vetoed)).pick(lang)]
    for firm in _records(vetoed.head(top)):
        told = _COLON.pick(lang).join(filter(None, (firm["name"], firm["veto"])))
        lines += [_painted(line, _DIM if colour else "") for line in _indented(told, 2, width)]
    if len(vetoed) > top:
        lines += wrap(_MORE_VETOED.format(count=len(vetoed) - top).pick(lang), width)
    return lines


def _records(table: pd.DataFrame) -> Iterator[dict[str, str]]:
    """Yield the few firms that are shown, in words that are safe to print."""
    for record in table.to_dict("records"):
        yield {str(name): _shown(str(name), value) for name, value in record.items()}


def _shown(name: str, value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return ""
    if name == "likelihood":
        return _likelihood(float(str(value)))
    return f"{value:.1%}" if name in _FRACTIONS else tame(str(value))


def _likelihood(value: float) -> str:
    if value < _SURELY_NOT:
        return f"<{_SURELY_NOT:.1%}"
    return f">{_SURELY:.1%}" if value > _SURELY else f"{value:.1%}"


def _place(firm: dict[str, str], lang: Lang, room: int | None = None) -> str:
    """Name the segment and the role; where room is short, the segment is cut and not the role."""
    segment = firm["segment_name"]
    if not segment:
        return _NOTHING
    role = _BRACKETS.format(role=firm["role_name"]).pick(lang) if firm["role_name"] else ""
    return (segment if room is None else cut(segment, max(room - display_width(role), 2))) + role


def _painted(text: str, codes: str) -> str:
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text


def _indented(text: str, indent: int, width: int) -> list[str]:
    return [" " * indent + line for line in wrap(text, width - indent, MOST_LINES)]
