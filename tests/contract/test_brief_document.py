"""The brief for a visit as a Word document, opened anew: it says what page and API say."""

from __future__ import annotations

import html
import io
import re
import zipfile
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from flask.testing import FlaskClient
from tests.contract.test_pages_firm import (  # noqa: F401 (fixtures)
    access,
    acts,
    app,
    client,
    scorer,
    send,
    shown,
    sign_in,
)
from tests.kept_lists import BLADES, NOW, lakeport, take_in

from leadscore import numbers
from leadscore.city import load_city
from leadscore.features.catalogue import CATALOGUE
from leadscore.files import shipped
from leadscore.report.brief import WORDS, how_to_use
from leadscore.report.paper import Figure, Figures, Lines, Paper, Section, Space, Table
from leadscore.report.word import write_word
from leadscore.store.audit import page
from leadscore.store.database import Database
from leadscore.store.pursuits import PURSUITS
from leadscore.web.pages.brief import places_for
from leadscore.web.routes.payloads import DOCX

LANGS = {"zh": {"Accept-Language": "zh"}, "en": {"Accept-Language": "en"}}


def fetched(client: FlaskClient, number: int = 1, lang: str = "zh") -> Any:  # noqa: F811
    answer = client.get(f"/firms/{number}/brief.docx", headers=LANGS[lang])
    assert (answer.status_code, answer.mimetype) == (200, DOCX)
    assert f'filename="brief-{number}.docx"' in answer.headers["Content-Disposition"]
    return docx.Document(io.BytesIO(answer.data))


def cells(document: Any) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]


def texts(document: Any) -> str:
    lines = [paragraph.text for paragraph in document.paragraphs]
    return "\n".join(lines + ["\t".join(row) for row in cells(document)])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_document_says_what_the_api_says_of_the_firm(
    client: FlaskClient, lang: Any  # noqa: F811
) -> None:  # fmt: skip
    send(client, "outcomes", stage="visited", day="2026-11-20", reason="看了产线")
    firm = client.get(f"/api/v1/firms/1?lang={lang}").get_json()
    document = fetched(client, lang=lang)
    standing, rows = firm["standing"], cells(document)
    heads = [WORDS[f"figure.{name}"].pick(lang) for name in ("grade", "rank")]
    figures = next(after for row, after in pairwise(rows) if row[:2] == heads)
    assert figures[0] == standing["grade"]
    assert figures[2].startswith(numbers.likelihood(standing["likelihood"]))
    assert figures[3] == numbers.share(standing["fit"])
    known = {field["label"]: field for field in firm["fields"]}
    told = {row[0]: row for row in rows if row[0] in known}
    assert len(told) >= 4
    capital = known["注册资本" if lang == "zh" else "registered capital"]
    assert told[capital["label"]][1] == numbers.cny(capital["value"], lang)
    for label, row in told.items():
        assert row[2].startswith("名单.csv")
        assert str(known[label]["row"]) in row[2]
        assert row[3] == numbers.day(known[label]["as_of"], lang)
    (score,) = firm["scores"]
    points = [row for row in rows if len(row) == 3 and re.fullmatch(r"[+−][0-9.]+", row[1])]
    mains = {reason["text"]: reason["points"] for reason in score["reasons"]}
    assert len(points) >= len(mains)
    for text, _points, _ in points:
        if text in mains:
            assert _points == numbers.points(mains[text], 1)
    assert mains.keys() <= {row[0] for row in points}
    assert any("看了产线" in row and row[0] == numbers.day("2026-11-20", lang) for row in rows)
    assert score["model"] in document.paragraphs[-1].text
    gap = client.get("/api/v1/gaps").get_json()
    (segment,) = [
        each for chain in gap["chains"] for each in chain["segments"]
        if each["id"] == standing["segment"]
    ]  # fmt: skip
    for name in ("gap", "supply", "neighbour_supply"):
        assert numbers.share(segment[name]) in texts(document)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_page_and_document_are_the_same_paper(client: FlaskClient, lang: str) -> None:  # noqa: F811
    shows = shown(client, "/firms/1/brief", **LANGS[lang])
    article = shows[shows.index("<article") : shows.index("</article>")]
    document = fetched(client, lang=lang)
    bare = re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]+>", "", article)))
    for line in [line for line in texts(document).splitlines() if line.strip()]:
        for part in line.split("\t"):
            assert re.sub(r"\s+", "", part).removeprefix("☐") in bare, part
    for number in re.findall(r"[+−]\d+\.\d", bare):
        assert number in texts(document)


def test_chinese_is_set_in_type_that_offices_have(client: FlaskClient) -> None:  # noqa: F811
    answer = client.get("/firms/1/brief.docx", headers=LANGS["zh"])
    document = docx.Document(io.BytesIO(answer.data))
    for name, wanted in (("Normal", "宋体"), ("Heading 1", "黑体"), ("Title", "黑体")):
        fonts = document.styles[name].element.rPr.rFonts
        assert fonts.get(qn("w:eastAsia")) == wanted
    assert "Theme=" not in document.styles.element.xml.replace("themeColor", "")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as parts:
        fonts = parts.read("word/fontTable.xml").decode()
    assert re.search(r'w:name="宋体"><w:altName w:val="SimSun', fonts)
    assert document.sections[0].page_width.mm == pytest.approx(210, abs=0.2)
    footer = document.sections[0].footer._element.xml
    assert "PAGE" in footer
    assert "NUMPAGES" in footer


def test_who_takes_a_brief_away_stands_in_the_audit(
    client: FlaskClient, database: Database  # noqa: F811
) -> None:  # fmt: skip
    fetched(client)
    with database.read() as connection:
        record = next(iter(page(connection, limit=1)))
    assert (record.actor, record.action) == ("li", "brief.export")
    assert client.get("/firms/99/brief.docx").status_code == 404


def test_a_firm_of_which_nothing_is_known_has_a_brief_and_no_letter_breaks_it(
    client: FlaskClient, database: Database  # noqa: F811
) -> None:  # fmt: skip
    take_in(database, {"name": "丙\u202e<b>&公司", "main_business": BLADES + "\x0b\ufffe"})
    document = fetched(client, 3)
    assert document.paragraphs[0].text.endswith("丙<b>&公司")
    bread = texts(fetched(client, 2))
    assert WORDS["gap.none"].zh in bread


def test_stage_contacts_and_next_step_come_from_the_open_pursuit(
    client: FlaskClient, database: Database  # noqa: F811
) -> None:  # fmt: skip
    send(client, "outcomes", stage="contacted", day="2026-11-02")
    send(client, "outcomes", stage="visited", day="2026-11-20", reason="看了产线")
    with database.write() as connection:
        connection.execute(PURSUITS.update().values(
            next_step="寄送选址方案", next_step_on=date(2026, 12, 3), owner="li",
        ))  # fmt: skip
    document = fetched(client)
    lines = [paragraph.text for paragraph in document.paragraphs]
    assert "下一步：寄送选址方案，2026年12月3日，负责：li" in lines
    days = [row[0] for row in cells(document) if len(row) == 4 and row[3] == "li"]
    assert days == ["2026年11月20日", "2026年11月2日"]
    send(client, "outcomes", stage="lost", day="2026-11-22", reason="落户他处")
    assert WORDS["past.no_next"].zh in texts(fetched(client))


def test_the_parks_of_the_shipped_profile_are_shown_with_their_source() -> None:
    city = load_city(shipped("cities") / "nanchang.toml")
    boards = places_for(city, "mobile.pcb")
    assert boards[0].segments == ("mobile.pcb",)
    assert {"base", "cluster", "park"} >= {place.kind for place in boards}
    assert all(place.evidence for place in boards)
    assert all(places_for(city, segment) for segment in city.segments)


def test_what_no_document_may_hold_is_named_by_its_code(tmp_path: Path) -> None:
    table = Table(["\x00", "b"], [("\ud800", Figure(0.5, "share")), ("\x1f", "")], (1, 1))
    blocks = [Lines(["a\x0bb"], "asked"), Figures([("n", "\ufffe", "")]), table, Space(9)]
    paper = Paper("zh", "题\x08", "", [Section("s", "\x01", blocks)], "", warning="\u202e")
    write_word(paper, tmp_path / "paper.docx", now=NOW)
    told = texts(docx.Document(str(tmp_path / "paper.docx")))
    for code in ("0000", "D800", "001F", "000B", "FFFE", "0008", "0001", "202E"):
        assert f"⟨U+{code}⟩" in told


def test_every_reason_has_advice_that_goes_by_its_value_and_every_word_is_used() -> None:
    used = set()
    for name, feature in CATALOGUE.items():
        for value in (None, 0.0, 1.0):
            for points in (-3.0, 3.0):
                point = {"feature": name, "value": value, "points": points}
                zh, en = (how_to_use(point, lang) for lang in ("zh", "en"))
                used |= {key for key, text in WORDS.items() if text.zh == zh and text.en == en}
                assert (value is None) == (zh == WORDS["talk.unknown"].zh)
        assert feature.id == name
    advice = {key for key in WORDS if key.startswith("say.")}
    assert advice <= used
    for value, way in ((0.0, "none"), (2.0, "some")):
        for points in (-1.0, 1.0):
            point = {"feature": "anchor_buyers", "value": value, "points": points}
            assert how_to_use(point, "zh") == WORDS[f"say.anchor_buyers.{way}"].zh


def test_places_that_name_the_segment_come_first_and_no_laboratory_is_for_anybody() -> None:
    city = lakeport()
    for segment in city.segments:
        order = [segment in place.segments for place in places_for(city, segment)]
        assert order == sorted(order, reverse=True)
        for place in places_for(city, segment):
            assert place.segments or place.kind in ("base", "cluster", "park")
    assert places_for(city, None) == []
