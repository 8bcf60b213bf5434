"""The command that shows how a list is read, and the options that say what its columns mean."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from leadscore.cli.group import (
    FILE,
    Run,
    cli,
    day_option,
    problem_line,
    problems_option,
    with_run,
)
from leadscore.errors import Detail, UsageError
from leadscore.numbers import count, share
from leadscore.terminal import GAP, Align, columns, cut, display_width, echo, fit, tame, wrap
from leadscore.text import Lang, Text, room_words

if TYPE_CHECKING:
    from leadscore.lists.columns import Column
    from leadscore.lists.problems import Problem
    from leadscore.lists.understanding import ColumnReading, ReadList, TableReading

WORDS = room_words("cli")

WIDEST, _NARROWEST = 100, 60  # terminal columns that the table takes at most and at least
_HEADER, _COLUMN = 24, 20  # that a header and what it means take at most
_INDENT, _EXAMPLE = 4, 28  # before the examples, and either side of one at most
_MOST_KINDS = 12  # of problems that are said; a file has each of them

_ARROW = " → "
_ALIGNS: tuple[Align, ...] = ("left", "left", "left", "right", "right")


def mapping_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what columns of its list mean, as ``said`` and ``units``.

    `mapping_of` makes one mapping of them.
    """
    said = click.option(
        "--map", "said", metavar="HEADER=COLUMN", multiple=True,
        help="What a column means: its header (or cell, such as !B), then a canonical column by id "
        "or label, - for none. 指明一列的含义。",
    )  # fmt: skip
    units = click.option(
        "--unit", "units", metavar="HEADER=UNIT", multiple=True,
        help="The unit of a column's plain numbers, such as 注册资本=万元. 指明一列的单位。",
    )  # fmt: skip
    return said(units(command))


def mapping_of(said: Sequence[str], units: Sequence[str]) -> dict[str, str]:
    """Return the mapping that both options make together; raises `UsageError`."""
    mapping = dict(_pairs(said, "--map"))
    for header, unit in _pairs(units, "--unit"):
        if mapping.get(header) == "-":
            wanted = WORDS["read.no_unit_unread"]
            raise UsageError(WORDS["read.bad_option"].format(option="--unit"),
                             [Detail("--unit", header, wanted)])  # fmt: skip
        if mapping.get(header, "").endswith((")", "）")):
            detail = Detail("--unit", header, WORDS["read.one_unit"])
            raise UsageError(WORDS["read.bad_option"].format(option="--unit"), [detail])
        mapping[header] = f"{mapping.get(header, '')}({unit})"
    return mapping


@contextlib.contextmanager
def saying_what_to_map() -> Iterator[None]:
    """Let the error of a list that names no firms say which option would."""
    from leadscore.lists.reading.header import NoHeaderError

    try:
        yield
    except NoHeaderError as error:
        more = WORDS["read.map_the_name"]
        error.message = Text(zh=error.message.zh + more.zh, en=error.message.en + more.en)
        raise


def _pairs(options: Sequence[str], option: str) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for text in options:
        header, mark, value = text.rpartition("=")
        header, value = header.strip(), value.strip()
        wanted = WORDS["read.a_pair" if option == "--map" else "read.a_unit"]
        if not (mark and header and value) or header in seen:
            wanted = WORDS["read.once"] if header in seen else wanted
            detail = Detail(option, tame(text), wanted)
            raise UsageError(WORDS["read.bad_option"].format(option=option), [detail])
        seen.add(header)
        yield header, value


@cli.command()
@click.argument("listed", metavar="LIST", type=FILE)
@click.option(
    "-o", "--output", metavar="OUT", type=FILE,
    help="Write the clean table: .xlsx, .csv or .parquet. 写出整理好的名单。",
)  # fmt: skip
@with_run
@problems_option
@mapping_options
@click.option("--json", "as_json", is_flag=True, help="Print for programs. 以 JSON 输出。")
def read(
    run: Run, listed: Path, output: Path | None, problems: Path | None, said: tuple[str, ...],
    units: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Show how a list is read, column by column, without scoring it. 看名单会怎样读取，不评分。"""
    run.settings()
    from leadscore.lists.understanding import read_firms, readings_of
    from leadscore.lists.writing import (
        check_distinct,
        check_ranking_path,
        write_firms,
        write_problems,
    )

    check_distinct({"LIST": listed, "--output": output, "--problems": problems})
    for path in filter(None, (output, problems)):
        check_ranking_path(path)
    mapping = mapping_of(said, units)
    with saying_what_to_map():
        known = read_firms(listed, mapping, today=day_option(None, ""))
    tables = readings_of(known)
    if as_json:
        echo(json.dumps(_plain(known, tables, run.lang), ensure_ascii=False, indent=1))
    else:
        echo("\n".join(_lines(known, tables, run.lang, width=columns(_NARROWEST + 20))))
    told = run.tell if as_json else run.say
    if output:
        write_firms(known.clean.firms, output, lang=run.lang, problems=known.clean.problems)
        told(WORDS["delivery.written"].format(path=output))
    if problems:
        write_problems(known.clean.problems, problems, lang=run.lang)
        told(WORDS["delivery.written"].format(path=problems))


def _lines(
    known: ReadList, tables: Sequence[TableReading], lang: Lang, width: int
) -> Iterator[str]:
    from leadscore.lists.values.plausible import Doubt

    width = min(max(width, _NARROWEST), WIDEST)
    clean = known.clean
    for table in tables:
        if table.sheet is not None:
            yield WORDS["read.sheet"].format(sheet=tame(table.sheet)).pick(lang)
        yield from _table_lines(table, lang, width)
        yield ""
    said = {one for table in tables for one in table.dropped}
    notices = [one for one in clean.notices if one not in said]
    if notices:
        yield WORDS["read.notices"].pick(lang)
        for notice in notices:
            yield from _item(notice.pick(lang), width)
        yield ""
    # What is odd about a whole column is a notice already.
    kinds = _kinds([one for one in clean.problems if one.code not in get_args(Doubt)])
    if kinds:
        yield WORDS["read.problems"].pick(lang)
        for problem, number in kinds[:_MOST_KINDS]:
            yield from _item(_problem(problem, number).pick(lang), width)
        if len(kinds) > _MOST_KINDS:
            yield from _item(
                WORDS["read.more"].format(count=len(kinds) - _MOST_KINDS).pick(lang), width
            )
        yield ""
    yield _sum(known).pick(lang)


def _sum(known: ReadList) -> Text:
    firms = len(known.clean.records)
    rows = known.clean.rows_in
    return WORDS["read.sum"].format(rows=rows, firms=firms, set_aside=rows - firms)


def _table_lines(table: TableReading, lang: Lang, width: int) -> Iterator[str]:
    rows = [
        [
            WORDS[f"read.head.{name}"].pick(lang)
            for name in ("header", "column", "unit", "read", "problems")
        ]
    ]
    notes: list[str] = [""]
    for one in table.columns:
        if not one.header and not one.used:
            continue
        rows.append(_cells(one, lang))
        notes.append(_examples(one, lang, width - _INDENT))
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    widths[0], widths[1] = min(widths[0], _HEADER), min(widths[1], _COLUMN)
    for at, (row, note) in enumerate(zip(rows, notes, strict=True)):
        cells = [fit(cell, w, align) for cell, w, align in zip(row, widths, _ALIGNS, strict=True)]
        yield GAP.join(cells).rstrip()
        if not at:
            yield "-" * min(width, sum(widths) + len(GAP) * (len(widths) - 1))
        if note:
            yield " " * _INDENT + note


def _cells(one: ColumnReading, lang: Lang) -> list[str]:
    header = tame(one.header) or WORDS["read.no_header"].pick(lang)
    if not one.used or one.column is None:
        why = "personal" if one.personal else "ignored" if one.column else "unused"
        return [header, WORDS[f"read.{why}"].pick(lang), "", "", ""]
    unit = WORDS["read.doubtful"].pick(lang) if one.doubtful else one.unit_words
    read = (
        f"{count(one.read)}/{count(one.held)} {share(one.read / one.held) if one.held else '-':>5}"
    )
    return [header, one.column.label.pick(lang), unit, read, str(one.problems or "")]


def _examples(one: ColumnReading, lang: Lang, width: int) -> str:
    if not one.used or one.column is None or not one.examples:
        return ""
    between = WORDS["read.semicolon"].pick(lang)
    texts = [_example(*pair, one.column, lang) for pair in one.examples]
    # One that was not taken stands last, and tells most.
    while len(texts) > 1 and display_width(between.join(texts)) > width:
        del texts[-2 if one.read < one.held else -1]
    return cut(between.join(texts), width)


def _example(before: str, after: object, meaning: Column, lang: Lang) -> str:
    from leadscore.lists.understanding import shown_value

    before = tame(before)
    if after is None:
        return cut(before, _EXAMPLE) + _ARROW + WORDS["read.not_taken"].pick(lang)
    value = tame(shown_value(meaning, after, lang))
    if cut(value, _EXAMPLE) == cut(before, _EXAMPLE):
        return cut(value, _EXAMPLE)
    return cut(before, _EXAMPLE) + _ARROW + cut(value, _EXAMPLE)


def _item(text: str, width: int) -> Iterator[str]:
    for at, line in enumerate(wrap(tame(text), width - 2)):
        yield ("- " if not at else "  ") + line


def _kinds(problems: Sequence[Problem]) -> list[tuple[Problem, int]]:
    # Of each kind in each column the first one, and how many there are.
    counts = Counter((one.sheet, one.column, one.code) for one in problems)
    first: dict[tuple[str | None, str | None, str], Problem] = {}
    for one in problems:
        first.setdefault((one.sheet, one.column, one.code), one)
    return [(first[kind], number) for kind, number in counts.items()]


def _problem(problem: Problem, number: int) -> Text:
    text = problem_line(problem)
    return WORDS["read.like_this"].format(text=text, count=number) if number > 1 else text


def _plain(known: ReadList, tables: Sequence[TableReading], lang: Lang) -> Mapping[str, Any]:
    from leadscore.lists.understanding import plain_attributes

    clean = known.clean
    return {
        "rows": clean.rows_in,
        "firms": len(clean.records),
        "set_aside": clean.rows_in - len(clean.records),
        "columns": [
            {
                "sheet": table.sheet, "header": one.header,
                "column": one.column.name if one.used and one.column else None,
                "personal": one.personal, "unit": one.unit_words or None,
                "doubtful_unit": one.doubtful, "held": one.held, "read": one.read,
                "problems": one.problems,
                "examples": [
                    {"before": before, "after": None if after is None else
                     after if isinstance(after, int | float | str) else str(after)}
                    for before, after in one.examples
                ],
            }
            for table in tables for one in table.columns
        ],
    } | plain_attributes(clean.problems, clean.notices, lang)  # fmt: skip
