"""The report for the leadership: each figure of Word, workbook and page is the API's."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from flask.testing import FlaskClient
from tests.commands import called
from tests.contract.test_pages_firm import (  # noqa: F401 (fixtures)
    access,
    app,
    client,
    scorer,
    send,
    shown,
    sign_in,
)
from tests.kept_lists import (
    BLADES,
    BREAD,
    NOW,
    SCANNERS,
    TODAY,
    hand_in,
    lakeport,
    standings,
    take_in,
)
from tests.kept_lists import scorer as expert

from leadscore import numbers
from leadscore.lists.values.words import STAGES
from leadscore.registry.models import ModelRegistry
from leadscore.report.leadership import WORDS, leadership_paper, squares
from leadscore.report.paper import Table, cell_text
from leadscore.startup import champion_scorer
from leadscore.store import acts
from leadscore.store.audit import page
from leadscore.store.database import Database
from leadscore.store.leadership import ENOUGH, ReportScope, leadership_report, plausible_range
from leadscore.store.list_import import take_in_list
from leadscore.web.routes.payloads import DOCX, XLSX

LANGS: Any = pytest.mark.parametrize("lang", ["zh", "en"])


def told(client: FlaskClient, lang: str, more: str = "") -> dict[str, Any]:  # noqa: F811
    answer = client.get(f"/api/v1/report?lang={lang}{more}")
    assert answer.status_code == 200, answer.get_json()
    return dict(answer.get_json())


def document(client: FlaskClient, lang: str, more: str = "") -> Any:  # noqa: F811
    answer = client.get(f"/api/v1/report.docx?lang={lang}{more}")
    assert (answer.status_code, answer.mimetype) == (200, DOCX)
    return docx.Document(io.BytesIO(answer.data))


def workbook(client: FlaskClient, lang: str, more: str = "") -> Any:  # noqa: F811
    answer = client.get(f"/api/v1/report.xlsx?lang={lang}{more}")
    assert (answer.status_code, answer.mimetype) == (200, XLSX)
    return openpyxl.load_workbook(io.BytesIO(answer.data))


def under(sheet: Any, header: str) -> Iterator[list[Any]]:
    """Yield the rows under every row that begins with a header."""
    inside = False
    for row in sheet.iter_rows(values_only=True):
        if row[0] == header:
            inside = True
        elif not row[0]:
            inside = False
        elif inside:
            yield list(row)


@pytest.fixture
def office(client: FlaskClient, database: Database) -> FlaskClient:  # noqa: F811
    """Return the officer, before whom five firms are kept, of which two are courted."""
    take_in(
        database, {"name": "丙医疗有限公司", "main_business": SCANNERS, "city": "深圳市"},
        {"name": "丁风电有限公司", "main_business": BLADES, "staff": "900"},
        {"name": "戊食品有限公司", "main_business": BREAD, "status": "注销"},
        file_name="第二份 =1+1.csv",
    )  # fmt: skip
    send(client, "outcomes", stage="visited", day="2026-11-20", reason="看了产线")
    return client


@LANGS
def test_the_workbook_holds_the_values_of_the_api(office: FlaskClient, lang: Any) -> None:
    report, book = told(office, lang), workbook(office, lang)
    sheets = {sheet.title: sheet for sheet in book}
    parts = ("sum", "chains", "gaps", "targets", "stages", "forecast", "changes", "sources")
    names = [WORDS[f"{key}.heading"].pick(lang) for key in parts]
    assert list(sheets) == names
    segments = [segment for chain in report["chains"] for segment in chain["segments"]]
    rows = list(under(sheets[names[1]], WORDS["chains.segment"].pick(lang)))
    assert [row[0] for row in rows] == [segment["name"] for segment in segments]
    for row, segment in zip(rows, segments, strict=True):
        assert row[3:5] == [segment["supply"], segment["neighbour_supply"]]
        made_up = max(1 - segment["gap"] - segment["supply"], 0)
        assert row[5] == pytest.approx(made_up)
        assert row[6] == pytest.approx(segment["gap"])
        assert row[8] == segment["candidates"]
    gaps = [gap for gap in report["gaps"] if gap["sizeable"]]
    large = list(under(sheets[names[2]], WORDS["chains.segment"].pick(lang)))
    assert [(row[0], row[2], row[7]) for row in large] == [
        (gap["name"], pytest.approx(gap["gap"]), gap["candidates"]) for gap in gaps
    ]
    targets = list(under(sheets[names[3]], WORDS["targets.gap"].pick(lang)))
    wanted = [firm for gap in gaps for firm in gap["targets"]]
    assert [(row[1], row[2], row[3], row[6]) for row in targets] == [
        (firm["rank"], firm["name"], firm["grade"], firm["reason"]) for firm in wanted
    ]
    assert [row[4] for row in targets] == [pytest.approx(firm["likelihood"]) for firm in wanted]
    stages = list(under(sheets[names[4]], WORDS["stages.stage"].pick(lang)))
    assert [(row[0], row[1]) for row in stages] == [
        (STAGES[row["stage"]].pick(lang), row["firms"]) for row in report["pursuits"]
    ]
    assert sum(row[1] for row in stages) == 1
    lists = list(under(sheets[names[7]], WORDS["sources.list"].pick(lang)))
    assert [(row[0], row[1], row[3]) for row in lists] == [
        (str(each["id"]), each["file_name"], each["rows"]) for each in report["source"]["lists"]
    ]
    assert lists[0][2].date().isoformat() == report["source"]["lists"][0]["as_of"]
    drawn = {sheet.title: len(sheet._charts) for sheet in book}
    many = [chain for chain in report["chains"] if len(chain["segments"]) >= 3]
    assert drawn[names[1]] == len(many) > 0
    assert drawn[names[4]] == 1


@LANGS
def test_document_and_page_show_the_same_figures(office: FlaskClient, lang: Any) -> None:
    report = told(office, lang)
    word = document(office, lang)
    paper = leadership_paper(report, lang)
    tables = [block for section in paper.sections for block in section.blocks
              if isinstance(block, Table)]  # fmt: skip
    kept = [table for table in word.tables if len(table.columns) != 6]  # without the figures
    assert len(kept) == len(tables)
    above = ""
    for table, written in zip(tables, kept, strict=True):
        assert [cell.text for cell in written.rows[0].cells] == list(table.headers)
        for row, cells in zip(table.rows, written.rows[1:], strict=True):
            texts = [cell_text(cell, lang) for cell in row]
            shows = [cell.text for cell in cells.cells]
            assert shows[1:] == texts[1:]
            assert shows[0] in (texts[0], "" if table.merged and above == texts[0] else texts[0])
            above = texts[0]
    shows = shown(office, "/report", **{"Accept-Language": lang})
    article = shows[shows.index("<article") : shows.index("</article>")]
    bare = re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]+>", "", article)))
    for paragraph in word.paragraphs:
        assert re.sub(r"\s+", "", paragraph.text) in bare, paragraph.text
    for table in tables:
        for row in table.rows:
            for cell in row:
                assert re.sub(r"\s+", "", cell_text(cell, lang)) in bare
    (figures,) = (table for table in word.tables if len(table.columns) == 6)
    assert figures.rows[1].cells[0].text == numbers.count(report["source"]["firms"])
    assert word.sections[0].page_width > word.sections[0].page_height


def test_every_section_says_where_its_figures_come_from(office: FlaskClient) -> None:
    report = told(office, "zh")
    paper = leadership_paper(report, "zh")
    for section in paper.sections[:-1]:
        assert section.source.startswith("来源：")
    model, statement = report["source"]["model"], lakeport().statement
    said = "".join(section.source for section in paper.sections)
    assert model in said
    assert statement.number in said
    (targets,) = (
        block for block in paper.sections[3].blocks if isinstance(block, Table)
    )  # fmt: skip
    for row in targets.rows:
        assert re.fullmatch(r"名单 \d+ 第 \d+ 行", str(row[-1]))


def test_chosen_chains_and_days_are_all_that_it_covers(office: FlaskClient) -> None:
    whole = told(office, "zh")
    chain = whole["chains"][0]
    one = told(office, "zh", f"&chains={chain['id']}&starts=2026-01-05&ends=2026-11-10")
    assert [each["id"] for each in one["chains"]] == [chain["id"]]
    assert {gap["id"] for gap in one["gaps"]} == {each["id"] for each in chain["segments"]}
    assert one["source"]["firms"] < whole["source"]["firms"] == 5
    assert one["period"] == {"starts": "2026-01-05", "ends": "2026-11-10"}
    assert one["changes"]["lists"] == []
    assert whole["changes"]["lists"]
    shows = shown(office, f"/report?chain={chain['id']}&starts=2026-01-05&ends=2026-11-10")
    assert f'value="{chain["id"]}" checked' in shows
    days = "starts=2026-01-05&amp;ends=2026-11-10"
    assert f"report.docx?{days}&amp;lang=en&amp;chains={chain['id']}" in shows


@pytest.mark.parametrize(
    ("query", "says"),
    [("starts=gestern", "can&#39;t be read"), ("ends=2030-01-01", "can&#39;t be after today"),
     ("starts=2026-11-20&ends=2026-11-01", "after the last"), ("chain=zzz", "it was ignored")],
)  # fmt: skip
def test_a_page_leaves_out_what_cannot_be_meant_and_says_so(
    office: FlaskClient, query: str, says: str
) -> None:
    assert says in shown(office, f"/report?{query}")
    assert "notice printing" not in shown(office, "/report")


@pytest.mark.parametrize(
    ("query", "status", "where"),
    [("starts=2026-11-20&ends=2026-11-01", 409, "starts"), ("chains=zzz", 404, "chains"),
     ("starts=2030-01-01&ends=2031-01-01", 409, "starts"), ("starts=x", 422, "starts"),
     ("ends=2026-02-31", 422, "ends"), ("starts=0", 422, "starts")],
)  # fmt: skip
def test_the_api_refuses_what_cannot_be_meant(
    office: FlaskClient, query: str, status: int, where: str
) -> None:
    answer = office.get(f"/api/v1/report?{query}")
    assert answer.status_code == status
    assert answer.get_json()["error"]["details"][0]["where"].endswith(where)
    assert told(office, "zh", "&ends=2031-01-01")["period"]["ends"] == TODAY.isoformat()


def test_who_takes_a_report_away_stands_in_the_audit(
    office: FlaskClient, database: Database
) -> None:  # fmt: skip
    document(office, "zh", "&starts=2026-11-01")
    with database.read() as connection:
        record = next(iter(page(connection, limit=1)))
    assert (record.actor, record.action) == ("li", "report.export")
    assert '"starts": "2026-11-01"' in record.details or '"starts":"2026-11-01"' in record.details


def test_an_empty_home_has_a_report_that_says_what_is_missing(sign_in: Any) -> None:  # noqa: F811
    officer = sign_in("li")
    shows = shown(officer, "/report", **{"Accept-Language": "zh"})
    for key in ("targets.none", "stages.none", "forecast.says_none", "sources.no_list"):
        assert WORDS[key].zh in shows
    assert document(officer, "zh").paragraphs
    assert workbook(officer, "en").sheetnames


# What was forecast, and what happened.

LATER = date(2028, 1, 10)


@pytest.fixture
def report_of(database: Database, tmp_path: Path) -> Any:
    registry = ModelRegistry(tmp_path / "models", tmp_path / "key")
    scorer = champion_scorer(lakeport(), registry, now=NOW)  # noqa: F811

    def make(today: date = LATER, scope: ReportScope | None = None) -> dict[str, Any]:
        scope = scope or ReportScope(TODAY - timedelta(days=30), today)
        with database.read() as connection:
            return leadership_report(
                connection, scorer, registry, scope, today=today, profile=1, lang="zh"
            )

    return make


def enter(database: Database, firm: int, stage: str, day: date) -> None:
    with database.write() as connection:
        acts.enter_outcome(
            connection, firm, stage=stage, day=day, reason=None, withdrawn=False, actor="li",
            now=datetime(2028, 1, 9, tzinfo=UTC), today=LATER,
        )  # fmt: skip


def test_only_pursuits_whose_time_has_passed_are_compared(
    database: Database, report_of: Any
) -> None:
    take_in(database, *({"name": f"{letter}风电有限公司", "main_business": BLADES}
                        for letter in "甲乙丙丁戊己"))  # fmt: skip
    chance = standings(database)["甲风电有限公司"].likelihood
    scored = TODAY + timedelta(days=1)  # whatever the clock of this machine makes of the moment
    for firm, day in ((1, scored), (2, scored), (3, scored), (4, date(2027, 12, 1))):
        enter(database, firm, "contacted", day)
    enter(database, 5, "contacted", TODAY - timedelta(days=20))  # before any score
    enter(database, 1, "signed", scored + timedelta(days=40))
    enter(database, 2, "lost", scored + timedelta(days=50))
    enter(database, 4, "signed", date(2028, 1, 2))
    told = report_of()["forecast"]
    assert {name: told[name] for name in ("courted", "forecast", "without_forecast", "landed",
                                          "ended", "open", "passed", "passed_landed")} == {
        "courted": 5, "forecast": 4, "without_forecast": 1, "landed": 2, "ended": 2, "open": 0,
        "passed": 3, "passed_landed": 1,
    }  # fmt: skip
    assert told["expected"] == pytest.approx(4 * chance)
    assert told["passed_expected"] == pytest.approx(3 * chance)
    assert told["range"] == list(plausible_range([chance] * 3))
    early = report_of(today=scored + timedelta(days=60))["forecast"]
    assert (early["passed"], early["range"], early["open"]) == (0, None, 1)
    by = {row["stage"]: row["firms"] for row in report_of()["pursuits"]}
    assert {stage: many for stage, many in by.items() if many} == {
        "contacted": 2, "signed": 2, "lost": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("landed", "passed", "key"),
    [(1, 3, "few"), (2, ENOUGH, "inside"), (9, ENOUGH, "more"), (0, 60, "less")],
)
def test_what_is_said_of_a_forecast_is_drawn_from_its_figures(
    report_of: Any, landed: int, passed: int, key: str
) -> None:
    report = report_of()
    low, high = plausible_range([0.1] * passed)
    report["forecast"] |= {
        "courted": passed, "forecast": passed, "passed": passed, "passed_expected": passed * 0.1,
        "passed_landed": landed, "range": [low, high], "enough": passed >= ENOUGH,
    }  # fmt: skip
    section = leadership_paper(report, "zh").sections[5]
    text = section.blocks[0].texts[0]  # type: ignore[union-attr]
    words = WORDS[f"forecast.says_{key}"].format(
        number=passed, enough=ENOUGH, landed=landed, expected=f"{passed * 0.1:,.1f}"
    )
    assert text == words.zh


def test_what_moved_in_the_period_is_told(database: Database, report_of: Any) -> None:
    take_in(database, {"name": "甲风电有限公司", "main_business": BREAD})
    later = datetime(2027, 3, 1, tzinfo=UTC)
    number = hand_in(
        database, {"name": "甲风电有限公司", "main_business": BLADES}, as_of=later.date()
    )
    take_in_list(database, number, scorer=expert(), now=later, today=later.date())
    scope = ReportScope(date(2027, 1, 1), date(2027, 6, 1))
    changes = report_of(scope=scope)["changes"]
    grades = changes["grades"]
    (moved,) = grades["firms"]
    assert moved["before"] > moved["after"]
    assert (grades["up"], grades["down"]) == (1, 0)
    assert changes["new_firms"] == 0
    assert changes["lists"] == []


@pytest.mark.parametrize("size", [1, 5, 40])
def test_a_plausible_range_holds_nine_in_ten(size: int) -> None:
    low, high = plausible_range([0.3] * size)
    assert 0 <= low <= 0.3 * size + 1
    assert low <= high <= size


def test_squares_add_up() -> None:
    for segment in lakeport().segments:
        drawn = squares(lakeport().supply(segment), lakeport().gap(segment))
        assert len(drawn) == 10
        assert abs(drawn.count("□") - 10 * lakeport().gap(segment)) <= 1


def test_every_word_of_the_report_is_in_both_languages_and_used() -> None:
    source = Path("src/leadscore/report/leadership.py")
    code = (Path(__file__).parents[2] / source).read_text("utf-8")
    for key, text in WORDS.items():
        places = [sorted(re.findall(r"\{(\w+)\}", half)) for half in (text.zh, text.en)]
        assert places[0] == places[1], key
        part, _, name = key.rpartition(".")
        built = name in ("heading", "upstream", "midstream", "downstream")
        used = f'"{key}"' in code or f'"{name}"' in code or f"{part}.says_" in code
        assert built or used, key


# The command.


@pytest.mark.parametrize("ending", ["docx", "xlsx"])
def test_the_command_writes_what_the_api_tells(tmp_path: Path, ending: str) -> None:
    sample = Path(__file__).parents[2] / "data" / "samples" / "electronics.csv"
    assert sample.exists()
    out = tmp_path / f"汇报.{ending}"
    home = tmp_path / "home"
    done = called("report", "--for", "leadership", "-o", out, "--chain", "led", home=home)
    assert done.returncode == 0, done.stderr
    assert str(out) in done.stdout
    if ending == "docx":
        assert "LED" in docx.Document(str(out)).paragraphs[1].text
    else:
        assert openpyxl.load_workbook(out)[WORDS["chains.heading"].zh]["A1"].value
    audit = called("audit", "verify", home=home)
    assert audit.returncode == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [(("-o", "x.pdf"), ".docx"), (("-o", "x.docx", "--chain", "zzz"), "zzz"),
     (("-o", "x.docx", "--from", "2026-05-01", "--to", "2026-01-01"), "2026-05-01"),
     (("-o", "nowhere/x.docx"), "nowhere"), (("-o", "x.docx", "--to", "2999-01-01"), "2999")],
)  # fmt: skip
def test_the_command_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = called("report", *options, home=tmp_path / "home")
    assert done.returncode == 2
    assert says in done.stderr
    assert not list(tmp_path.glob("x.*"))
