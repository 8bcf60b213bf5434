"""Word documents: a paper as .docx, with Chinese type, numbered pages and whole rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadscore.lists.writing import replacing
from leadscore.report.paper import (
    WORDS,
    Block,
    Cell,
    Figure,
    Figures,
    Lines,
    Paper,
    Section,
    Space,
    Table,
    cell_text,
)
from leadscore.report.wording import harmless

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table as WordTable
    from docx.table import _Cell, _Row
    from docx.text.paragraph import Paragraph

BODY, HEADING, LATIN = "宋体", "黑体", "Times New Roman"
"""What an office's papers are set in; every Windows has these by these names."""
_FONTS = {
    BODY: "SimSun, Songti SC, Noto Serif CJK SC, Source Han Serif SC",
    HEADING: "SimHei, Heiti SC, Noto Sans CJK SC, Source Han Sans SC",
}
"""The same type by its other names, and the nearest to it, for machines without Windows."""
_SHORT_MM, _LONG_MM, _MARGIN_MM = 210.0, 297.0, 22.0  # of A4
_BODY_PT, _SMALL_PT, _TABLE_PT, _TITLE_PT, _HEADING_PT = 10.5, 9.0, 9.0, 18.0, 12.0
_FIGURE_PT, _LONG = 13.0, 7  # a longer word would not fit its cell at the size of a figure
_BOX = "☐ "
_GREY = "F2F2F2"


def write_word(paper: Paper, path: Path, *, now: datetime) -> None:
    """Write a paper as .docx; raises `OutputError` if it can't be written.

    Text that no document may hold (control characters, lone surrogates) is named by its code.
    """
    document = _new_document(paper, now)
    _paragraph(document.add_paragraph(style="Title"), paper.title)
    if paper.lead:
        _small(document.add_paragraph(), paper.lead)
    if paper.warning:
        _framed(document, paper.warning)
    for section in paper.sections:
        _section(document, section, paper)
    _small(document.add_paragraph(), paper.footer)
    with replacing(path) as handle:
        document.save(handle)


def _line_mm(paper: Paper) -> float:
    return (_LONG_MM if paper.across else _SHORT_MM) - 2 * _MARGIN_MM


def _new_document(paper: Paper, now: datetime) -> Document:
    # Late, for start-up time: it brings lxml along.
    import docx
    from docx.enum.section import WD_ORIENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm, Pt

    document = docx.Document()
    sheet = document.sections[0]
    sides = Mm(_SHORT_MM), Mm(_LONG_MM)
    if paper.across:
        sheet.orientation, sides = WD_ORIENT.LANDSCAPE, sides[::-1]
    sheet.page_width, sheet.page_height = sides
    sheet.left_margin = sheet.right_margin = Mm(_MARGIN_MM)
    sheet.top_margin, sheet.bottom_margin = Mm(20), Mm(18)
    properties = document.core_properties
    properties.title, properties.author, properties.comments = (
        harmless(paper.title),
        "leadscore",
        "",
    )
    properties.created = properties.modified = now.replace(tzinfo=None)
    properties.language = "zh-CN" if paper.lang == "zh" else "en-GB"
    _set_type(document)
    normal = document.styles["Normal"].paragraph_format
    normal.space_after, normal.line_spacing = Pt(2), 1.15
    for name, size, before in (("Title", _TITLE_PT, 0), ("Heading 1", _HEADING_PT, 7)):
        shape = document.styles[name].paragraph_format
        shape.space_before, shape.space_after, shape.keep_with_next = Pt(before), Pt(4), True
        document.styles[name].font.size = Pt(size)
    footer = sheet.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    number, whole, end = WORDS["page"].pick(paper.lang).split("|")
    for words, field in ((number, "PAGE"), (whole, "NUMPAGES"), (end, "")):
        footer.add_run(words)
        if field:
            _field(footer, field)
    for run in footer.runs:
        run.font.size = Pt(_SMALL_PT)
    return document


def _set_type(document: Document) -> None:
    # Types of the theme go before those of a style: they are taken out wherever they stand.
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    themes = [qn(f"w:{name}Theme") for name in ("ascii", "hAnsi", "eastAsia")] + [qn("w:cstheme")]
    for fonts in document.styles.element.iter(qn("w:rFonts")):
        for name in themes:
            fonts.attrib.pop(name, None)
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:eastAsia"), "zh-CN")
        language.set(qn("w:val"), "en-GB")
    for style in document.styles:
        if style.type != WD_STYLE_TYPE.PARAGRAPH:
            continue
        heading = style.name == "Title" or str(style.name).startswith("Heading")
        font: Any = style.font
        if style.name == "Normal":
            font.size = Pt(_BODY_PT)
        font.name = LATIN
        fonts = font.element.rPr.rFonts
        fonts.set(qn("w:eastAsia"), HEADING if heading else BODY)
        fonts.set(qn("w:cs"), LATIN)
        if heading:
            font.color.rgb, font.bold, font.italic = RGBColor(0, 0, 0), True, False
    _drop_borders(document.styles["Title"].element)
    _name_substitutes(document)


def _drop_borders(style: Any) -> None:
    from docx.oxml.ns import qn

    for border in style.findall(f".//{qn('w:pBdr')}"):
        border.getparent().remove(border)


def _name_substitutes(document: Document) -> None:
    # By what else a machine may know the type; python-docx keeps this part as bytes.
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import parse_xml
    from docx.oxml.ns import qn
    from lxml import etree

    part: Any = document.part.part_related_by(RELATIONSHIP_TYPE.FONT_TABLE)
    fonts: Any = parse_xml(part.blob)
    for name, others in _FONTS.items():
        font = etree.SubElement(fonts, qn("w:font"), {qn("w:name"): name})
        settings = (
            ("altName", others),
            ("charset", "86"),
            ("family", "auto"),
            ("pitch", "variable"),
        )
        for tag, value in settings:
            etree.SubElement(font, qn(f"w:{tag}"), {qn("w:val"): value})
    part._blob = etree.tostring(fonts, xml_declaration=True, encoding="UTF-8", standalone=True)  # noqa: SLF001


def _section(document: Document, section: Section, paper: Paper) -> None:
    _paragraph(document.add_paragraph(style="Heading 1"), section.heading)
    for block, following in zip_longest(section.blocks, section.blocks[1:]):
        _block(document, block, paper)
        if isinstance(block, Lines) and isinstance(following, Table):
            document.paragraphs[-1].paragraph_format.keep_with_next = True
    if section.source:
        _small(document.add_paragraph(), section.source)


def _block(document: Document, block: Block, paper: Paper) -> None:
    match block:
        case Lines(texts, kind):
            for text in texts:
                style = "List Bullet" if kind == "listed" else None
                paragraph = document.add_paragraph(style=style)
                if kind != "plain":
                    _tight(paragraph)
                _paragraph(paragraph, (_BOX if kind == "asked" else "") + text)
        case Figures(entries):
            _figures(document, entries, _line_mm(paper))
        case Table():
            _table(document, block, paper)
        case Space(millimetres):
            _space(document, millimetres)


def _paragraph(paragraph: Paragraph, text: str, *, bold: bool = False) -> None:
    paragraph.add_run(harmless(text)).bold = bold or None


def _small(paragraph: Paragraph, text: str) -> None:
    from docx.shared import Pt, RGBColor

    run = paragraph.add_run(harmless(text))
    run.font.size, run.font.color.rgb = Pt(_SMALL_PT), RGBColor(0x44, 0x44, 0x44)


def _framed(document: Document, text: str) -> None:
    table = _grid(document, 1, 1)
    _paragraph(table.cell(0, 0).paragraphs[0], text, bold=True)
    document.add_paragraph()


def _figures(document: Document, entries: Sequence[tuple[str, str, str]], line_mm: float) -> None:
    from docx.shared import Mm, Pt

    table = _grid(document, 2, len(entries))
    for place, (name, value, small) in enumerate(entries):
        for row, text in enumerate((name, value)):
            cell = table.cell(row, place)
            cell.width = Mm(line_mm / len(entries))
            _tight(cell.paragraphs[0])
            run = cell.paragraphs[0].add_run(harmless(text))
            long = len(text) > _LONG
            run.font.size = Pt(_SMALL_PT if row == 0 else _BODY_PT if long else _FIGURE_PT)
            run.bold = bool(row)
        if small:
            extra = table.cell(1, place).paragraphs[0].add_run(" " + harmless(small))
            extra.font.size = Pt(_SMALL_PT)
    for row in table.rows:
        _keep_whole(row)


def _table(document: Document, block: Table, paper: Paper) -> None:
    if block.caption:
        caption = document.add_paragraph()
        caption.paragraph_format.keep_with_next = True
        _paragraph(caption, block.caption, bold=True)
    table = _grid(document, 1 + len(block.rows), len(block.headers))
    # One look-up of all cells: `Table.cell` walks the whole table anew each time.
    lines = [list(row.cells) for row in table.rows]
    for header, cell in zip(block.headers, lines[0], strict=True):
        _fill(cell, header, paper, bold=True)
        cell.paragraphs[0].paragraph_format.keep_with_next = True
        _shade(cell, _GREY)
    above: Cell = ""
    for row, cells in zip(block.rows, lines[1:], strict=True):
        for place, (value, cell) in enumerate(zip(row, cells, strict=True)):
            repeated = block.merged and place == 0 and value == above
            _fill(cell, "" if repeated else value, paper)
        above = row[0]
    _set_widths(table, block.widths, _line_mm(paper))
    _repeat(table.rows[0])
    for word_row in table.rows:
        _keep_whole(word_row)
    _tight(document.add_paragraph())


def _fill(cell: _Cell, value: Cell, paper: Paper, *, bold: bool = False) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    paragraph = cell.paragraphs[0]
    _tight(paragraph)
    run = paragraph.add_run(harmless(cell_text(value, paper.lang)))
    run.font.size, run.bold = Pt(_TABLE_PT), bold or None
    if isinstance(value, Figure) and value.kind != "day":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _grid(document: Document, rows: int, columns: int) -> WordTable:
    table: WordTable = document.add_table(rows, columns, style="Table Grid")
    table.autofit = False
    return table


def _set_widths(table: WordTable, widths: Sequence[float], line_mm: float) -> None:
    from docx.shared import Mm

    whole = sum(widths)
    for place, part in enumerate(widths):
        width = Mm(line_mm * part / whole)
        table.columns[place].width = width
        for cell in table.columns[place].cells:
            cell.width = width


def _tight(paragraph: Paragraph) -> None:
    from docx.shared import Pt

    shape = paragraph.paragraph_format
    shape.space_before, shape.space_after, shape.line_spacing = Pt(1), Pt(1), 1.1


def _space(document: Document, millimetres: int) -> None:
    from docx.enum.table import WD_ROW_HEIGHT_RULE
    from docx.shared import Mm

    row = _grid(document, 1, 1).rows[0]
    row.height, row.height_rule = Mm(millimetres), WD_ROW_HEIGHT_RULE.AT_LEAST
    _keep_whole(row)


# What python-docx has no words for.


def _field(paragraph: Paragraph, name: str) -> None:
    # A number that Word counts, such as PAGE.
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for kind in ("begin", "", "separate", "end"):
        run = paragraph.add_run()
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.set(qn("xml:space"), "preserve")
            mark.text = name
        run._r.append(mark)  # noqa: SLF001
        if kind == "separate":
            paragraph.add_run("1")


def _repeat(row: _Row) -> None:
    _set_of_row(row, "w:tblHeader")


def _keep_whole(row: _Row) -> None:
    _set_of_row(row, "w:cantSplit")


def _set_of_row(row: _Row, name: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    mark = OxmlElement(name)
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)  # noqa: SLF001


def _shade(cell: _Cell, colour: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", colour)):
        shade.set(qn(f"w:{name}"), value)
    cell._tc.get_or_add_tcPr().append(shade)  # noqa: SLF001
