"""Empty workbooks to fill in: a list of firms, and a ledger of what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import xlsxwriter

from leadscore.lists.columns import Column, column
from leadscore.lists.values.words import STAGES, STATUSES
from leadscore.text import Lang, Text, room_words

WORDS = room_words("lists")

TemplateKind = Literal["list", "ledger"]

_ROWS = 2_000  # as far down as cells offer their words
_UNITS = {"amount": Text(zh="（万元）", en=" (CNY)")}


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """A column of a template: what it is called, what is meant, and what the examples hold."""

    header: Text
    meaning: Text
    examples: tuple[Text, Text]
    needed: bool = False
    words: tuple[Text, ...] = ()  # that a cell may hold; it offers them


def template_columns(kind: TemplateKind) -> tuple[TemplateColumn, ...]:
    """Return the columns of a template, named as ``data/columns.toml`` names them."""
    return _LIST if kind == "list" else _LEDGER


def _of(name: str, *, needed: bool = False) -> TemplateColumn:
    known = column(name)
    words = {"status": STATUSES, "stage": STAGES}.get(known.kind, {})
    header = _headed(known)
    return TemplateColumn(header, known.meaning, _examples(name), needed, tuple(words.values()))


def _headed(known: Column) -> Text:
    unit = _UNITS.get(known.kind, Text("", ""))
    return Text(zh=known.label.zh + unit.zh, en=known.label.en + unit.en)


def _examples(name: str) -> tuple[Text, Text]:
    return WORDS[f"templates.first.{name}"], WORDS[f"templates.second.{name}"]


def _own(name: str) -> TemplateColumn:
    header, meaning = WORDS[f"templates.{name}"], WORDS[f"templates.means.{name}"]
    return TemplateColumn(header, meaning, _examples(name), needed=name == "day")


_LIST = (
    _of("name", needed=True),
    *map(
        _of,
        (
            "credit_code", "status", "registered_capital_cny", "staff", "founded_on", "province",
            "city", "industry", "main_business", "business_scope", "titles",
        ),
    ),
)  # fmt: skip
_LEDGER = (
    _of("name", needed=True), _of("credit_code"), _of("stage", needed=True),
    _own("day"), _own("reason"), _own("note"),
)  # fmt: skip


def write_template(kind: TemplateKind, path: Path, *, lang: Lang) -> None:
    """Write a template as a workbook: the table with two examples, and a sheet that explains it.

    Whoever reads it as a list, or as a ledger, sets the examples aside.
    """
    columns = template_columns(kind)
    with xlsxwriter.Workbook(path) as workbook:
        looks = {
            "head": workbook.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EEF7"}),
            "needed": workbook.add_format({"bold": True, "bottom": 1, "bg_color": "#FBE3C0"}),
            "example": workbook.add_format({"italic": True, "font_color": "#6B7280"}),
            "text": workbook.add_format({"num_format": "@"}),
            "wrapped": workbook.add_format({"text_wrap": True, "valign": "top"}),
            "bold": workbook.add_format({"bold": True, "valign": "top"}),
        }
        table = workbook.add_worksheet(WORDS[f"templates.sheet.{kind}"].pick(lang))
        guide = workbook.add_worksheet(WORDS["templates.guide"].pick(lang))
        _write_table(table, columns, lang, looks)
        _write_guide(guide, columns, lang, looks)


def _write_table(
    page: Any, columns: Sequence[TemplateColumn], lang: Lang, looks: Mapping[str, Any]
) -> None:
    page.freeze_panes(1, 1)
    for at, one in enumerate(columns):
        header = one.header.pick(lang)
        # Text, so that codes keep their digits and days stay as they are typed.
        page.set_column(at, at, max(14, 2 * len(header) + 2 if lang == "zh" else len(header) + 2),
                        looks["text"])  # fmt: skip
        page.write_string(0, at, header, looks["needed" if one.needed else "head"])
        for row, example in enumerate(one.examples, start=1):
            page.write_string(row, at, example.pick(lang), looks["example"])
        if one.words:
            page.data_validation(1, at, _ROWS, at, {
                "validate": "list", "source": [word.pick(lang) for word in one.words],
                "error_type": "warning", "error_title": header,
                "error_message": WORDS["templates.other_word"].pick(lang),
            })  # fmt: skip


def _write_guide(
    page: Any, columns: Sequence[TemplateColumn], lang: Lang, looks: Mapping[str, Any]
) -> None:
    page.set_column(0, 0, 26)
    page.set_column(1, 1, 90)
    row = 0
    for line in WORDS["templates.how"].pick(lang).splitlines():
        page.write_string(row, 1, line, looks["wrapped"])
        row += 1
    for one in columns:
        row += 1
        needed = WORDS["templates.needed"].pick(lang) if one.needed else ""
        # Not the bare header, by which whoever reads the workbook would know a table.
        page.write_string(row, 0, f"▸ {one.header.pick(lang)}", looks["bold"])
        meaning = needed + one.meaning.pick(lang)
        if one.words:
            listed = " / ".join(word.pick(lang) for word in one.words)
            meaning = f"{meaning} {WORDS['templates.words'].pick(lang)}{listed}"
        page.write_string(row, 1, meaning, looks["wrapped"])
