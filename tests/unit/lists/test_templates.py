"""Templates go through the real doors: examples stay out, and what is filled in counts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from leadscore.lists.outcomes import load_outcomes
from leadscore.lists.templates import TemplateKind, template_columns, write_template
from leadscore.lists.understanding import read_firms, readings_of
from leadscore.lists.values.words import STAGES
from leadscore.text import Lang

TODAY = date(2026, 12, 1)
LANGS = pytest.mark.parametrize("lang", ["zh", "en"])


def written(kind: TemplateKind, lang: Lang, path: Path, *rows: list[str]) -> Path:
    """Write a template, filled in below the examples as an officer would."""
    write_template(kind, path, lang=lang)
    if rows:
        book = openpyxl.load_workbook(path)
        for number, row in enumerate(rows, start=4):
            for at, cell in enumerate(row, start=1):
                book.worksheets[0].cell(number, at, cell or None)
        book.save(path)
    return path


@LANGS
def test_every_column_of_a_list_is_read_as_what_it_is_called_after(
    lang: Lang, tmp_path: Path
) -> None:
    capital = {"zh": "5000", "en": "50000000"}[lang]  # the header says of which unit
    row = [
        "苏州某光电有限公司", "91310000775785552L", "在业", capital, "320", "2016-05-18", "江苏省",
        "苏州市", "光学仪器制造", "VR光学镜片的研发、生产和销售", "光学元件的生产", "高新技术企业",
    ]  # fmt: skip
    read = read_firms(written("list", lang, tmp_path / "list.xlsx", row), {}, today=TODAY)
    (table,) = readings_of(read)
    assert [one.column and one.column.name for one in table.columns] == [
        "name", "credit_code", "status", "registered_capital_cny", "staff", "founded_on",
        "province", "city", "industry", "main_business", "business_scope", "titles",
    ]  # fmt: skip
    (firm,) = read.clean.records
    assert firm["name"] == "苏州某光电有限公司"
    assert firm["credit_code"] == "91310000775785552L"
    assert firm["registered_capital_cny"] == 5e7
    assert firm["city"] == "苏州市"
    codes = [problem.code for problem in read.clean.problems]
    assert codes == ["guidance_row", "guidance_row"]
    assert read.clean.rows_in == 3


@LANGS
def test_an_empty_template_holds_no_firms_and_no_outcomes(lang: Lang, tmp_path: Path) -> None:
    read = read_firms(written("list", lang, tmp_path / "list.xlsx"), {}, today=TODAY)
    assert read.clean.records == []
    assert {problem.code for problem in read.clean.problems} == {"guidance_row"}
    ledger = load_outcomes(written("ledger", lang, tmp_path / "ledger.xlsx"), today=TODAY)
    assert len(ledger.entries) == 0
    assert ledger.endings == ()


@LANGS
def test_a_ledger_that_was_filled_in_is_read_whole(lang: Lang, tmp_path: Path) -> None:
    stages = list(STAGES)
    rows = [
        [f"苏州某{number}光电有限公司", "", STAGES[stage].pick(lang), "2026-03-05", "", ""]
        for number, stage in enumerate(stages)
    ]
    ledger = load_outcomes(written("ledger", lang, tmp_path / "l.xlsx", *rows), today=TODAY)
    assert list(ledger.entries["stage"]) == stages
    assert set(ledger.entries["day"].dt.date) == {date(2026, 3, 5)}
    assert ledger.unknown == ()


@LANGS
@pytest.mark.parametrize("kind", ["list", "ledger"])
def test_cells_of_words_offer_them_and_codes_are_text(
    kind: TemplateKind, lang: Lang, tmp_path: Path
) -> None:
    sheet, guide = openpyxl.load_workbook(written(kind, lang, tmp_path / "t.xlsx")).worksheets
    columns = template_columns(kind)
    assert [cell.value for cell in sheet[1]] == [one.header.pick(lang) for one in columns]
    (offered,) = sheet.data_validations.dataValidation
    (worded,) = (one for one in columns if one.words)
    assert offered.formula1 == f'"{",".join(word.pick(lang) for word in worded.words)}"'
    assert sheet.column_dimensions["A"].number_format == "@"
    explained = [str(cell.value).removeprefix("▸ ") for cell in guide["A"] if cell.value]
    assert explained == [one.header.pick(lang) for one in columns]
