"""A list has one order and one rank for each firm, wherever it is shown or written."""

from __future__ import annotations

import html
import io
import itertools
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from tests.commands import called
from tests.contract.test_pages import HTML, secrets_of
from tests.kept_lists import NOW, TODAY, as_csv, code
from tests.ranking_files import read_ranking_csv
from tests.service import demonstration

from leadscore.city import load_city
from leadscore.jobs.tasks import JobDependencies, all_kinds
from leadscore.jobs.worker import Worker
from leadscore.learning.training_data import Rules
from leadscore.ranking.score import Scorer
from leadscore.registry.models import ModelRegistry
from leadscore.startup import champion_scorer
from leadscore.store.audit import AuditTrail
from leadscore.store.database import Database, sqlite_url
from leadscore.store.list_import import take_in_list
from leadscore.store.lists import add_list
from leadscore.store.ranking import SORTS, RankingFilter, whole_ranking

pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")

ROOT = Path(__file__).parents[2]
NANCHANG = ROOT / "data" / "cities" / "nanchang.toml"
SAMPLE = ROOT / "data" / "samples" / "electronics.csv"

Firm = dict[str, Any]
Place = tuple[str | None, str, str | None]
"""Rank, name and credit code."""


def registry(count: int = 330) -> list[Firm]:
    """Return firms as a registry has them: of most little is known, so that many tie."""
    random = np.random.default_rng(10)
    trades = ["", "电子产品的生产和销售", "光学镜片的研发、生产和销售", "房屋租赁", "集成电路设计"]
    names = ["甲", "乙", "𠮷田", "吉田", "Alpha", "alpha Zwei", "Ärzte", "阿尔法", "（中）", "·丙"]
    firms = []
    for number in range(count):
        name = names[random.integers(len(names))] + trades[random.integers(1, 5)][:2]
        # The same name with another code is another firm; one without a code has a name of its own.
        coded = random.random() < 0.7
        firms.append(
            {
                "name": f"{name}有限公司" if coded else f"{name}{number % 97:02}号有限公司",
                "credit_code": code(int(random.permutation(9_000)[0]) * 400 + number)
                if coded else "",
                "city": ["南昌市", "深圳市", "", "苏州市"][random.integers(4)],
                "main_business": trades[random.integers(len(trades))],
                "status": "注销" if random.random() < 0.05 else "",
            }
        )  # fmt: skip
    return firms


def listed(count: int = 600) -> list[Firm]:
    """Return firms as a stock exchange tells of them: of each much is known."""
    random = np.random.default_rng(11)
    city = load_city(NANCHANG)
    trades = [segment.name.zh for segment in city.segments.values()] + ["道路货物运输", "食品"]
    cities = ["深圳市", "东莞市", "苏州市", "上海市", "赣州市", "武汉市"]
    return [
        {
            "name": f"第{number // 3}{'甲乙丙'[number % 3]}科技股份有限公司",
            "credit_code": code(number) if random.random() < 0.9 else "",
            "city": cities[random.integers(len(cities))],
            "main_business": trades[random.integers(len(trades))] + "的研发、生产和销售",
            "registered_capital_cny": round(float(10 ** random.uniform(6, 10)), 2),
            "staff": int(random.integers(20, 9_000)),
            "revenue_cny": round(float(10 ** random.uniform(7, 11)), 2),
            "patents": int(random.poisson(30)),
            "stage": ("投产" if number % 2 else "洽谈") if random.random() < 0.03 else "",
        }
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home folder of the command line, with its champion."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def scorer(home: Path) -> Scorer:
    registry = ModelRegistry(home / "models", home / "keys" / "models.key")
    return champion_scorer(load_city(NANCHANG), registry, now=datetime.now(UTC))


@dataclass
class Office:
    """A service over a database, a worker beside it, and the command line."""

    database: Database
    scorer: Scorer
    home: Path
    folder: Path
    client: FlaskClient

    def take_in(self, content: bytes, name: str = "名单.csv") -> int:
        with self.database.write() as connection:
            number = add_list(
                connection, file_name=name, content=content, mapping={}, as_of=TODAY,
                actor="li.na", now=NOW,
            )  # fmt: skip
        take_in_list(self.database, number, scorer=self.scorer, now=NOW, today=TODAY)
        return number

    def ranked(self, content: bytes) -> bytes:
        """Return the file that the command line writes."""
        path, out = self.folder / "名单.csv", self.folder / "ranking.csv"
        path.write_bytes(content)
        done = called("rank", path, "-o", out, "--as-of", TODAY, "--no-keep", home=self.home)
        assert done.returncode == 0, done.stderr
        return out.read_bytes()

    def get(self, path: str, **headers: str) -> Any:
        answer = self.client.get(path, headers=headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer

    def csv(self, query: str = "") -> list[Place]:
        return places_of_csv(self.get(f"/api/v1/ranking.csv?lang=zh&{query}").data, self.folder)

    def json(self, query: str = "") -> list[Firm]:
        """Return the firms of all pages."""
        firms, cursor = [], ""
        while True:
            page = self.get(f"/api/v1/ranking?limit=97&{query}{cursor}").get_json()
            firms += page["firms"]
            if page["next"] is None:
                return firms
            cursor = f"&cursor={page['next']}"

    def pages(self, query: str = "") -> list[Place]:
        """Return what stands on the pages that one comes to from the first."""
        found, path = list[Place](), f"/ranking?columns=credit_code&{query}"
        while path:
            text = self.get(path, **HTML).get_data(as_text=True)
            body = text.partition("<tbody>")[2].partition("</tbody>")[0]
            for row in body.split("</tr>")[:-1]:
                rank = re.search(r'class="number rank">([^<]+)<', row)
                name = re.search(r"data-row>([^<]+)<", row)
                credit_code = re.search(r'class="code">([^<]+)<', row)
                assert rank
                assert name
                assert credit_code
                found.append(
                    (*(_shown(match[1]) for match in (rank, name, credit_code)),)  # type: ignore[arg-type]
                )
            following = re.search(r'<a href="([^"]+)"[^>]* id="next"', text)
            path = html.unescape(following[1]) if following else ""
        return found

    def workbook(self, query: str = "") -> list[Place]:
        return places_of_workbook(self.get(f"/api/v1/ranking.xlsx?lang=zh&{query}").data)

    def exported(self, **asked: Any) -> list[Place]:
        """Return the workbook that a job writes."""
        told = self.client.post("/api/v1/exports", json={"format": "xlsx", "lang": "zh", **asked})
        assert told.status_code == 202, told.get_data(as_text=True)
        registry = ModelRegistry(self.folder / "models", self.folder / "keys" / "models.key")
        place = JobDependencies(
            lambda: self.scorer.city, lambda: self.scorer, registry, Rules, self.folder / "exports",
            AuditTrail(self.folder / "keys" / "audit.key"), lambda: datetime.now(UTC),
        )  # fmt: skip
        worker = Worker("here", self.database, all_kinds(place), place.clock, threading.Event())
        assert worker.do_one()
        return places_of_workbook(self.get(f"/api/v1/exports/{told.get_json()['job_id']}").data)


def _shown(cell: str) -> str | None:
    return None if cell == "–" else html.unescape(cell).replace(",", "")


def places_of_csv(content: bytes, folder: Path) -> list[Place]:
    path = folder / "read.csv"
    path.write_bytes(content)
    table = read_ranking_csv(path)[["rank", "name", "credit_code"]].astype("object")
    return [
        (None if pd.isna(rank) else str(rank), name, None if pd.isna(number) else number)
        for rank, name, number in table.itertuples(index=False)
    ]


def places_of_workbook(content: bytes) -> list[Place]:
    rows = load_workbook(io.BytesIO(content), read_only=True).worksheets[0].values
    next(rows)
    return [(None if row[0] is None else str(row[0]), row[1], row[2]) for row in rows]


def places_of_json(firms: list[Firm]) -> list[Place]:
    return [
        (None if firm["rank"] is None else str(firm["rank"]), firm["name"], firm["credit_code"])
        for firm in firms
    ]


@pytest.fixture
def office(database: Database, scorer: Scorer, home: Path, tmp_path: Path) -> Office:
    app = demonstration(scorer, tmp_path, lambda: TODAY, database=database)
    return Office(database, scorer, home, tmp_path, app.test_client())


LISTS: dict[str, Callable[[], bytes]] = {
    "sample": SAMPLE.read_bytes,
    "registry": lambda: as_csv(*registry()),
    "listed": lambda: as_csv(*listed()),
}


@pytest.mark.parametrize(
    ("database", "name"),
    [
        ("sqlite", "sample"),
        ("sqlite", "registry"),
        ("sqlite", "listed"),
        ("postgresql", "registry"),
    ],
    indirect=["database"],
)
def test_command_line_store_api_pages_and_files_agree(office: Office, name: str) -> None:
    content = LISTS[name]()
    number = office.take_in(content)
    written = office.ranked(content)
    expected = places_of_csv(written, office.folder)
    ranks = [rank for rank, *_ in expected if rank is not None]
    assert ranks == [str(place) for place in range(1, len(ranks) + 1)]
    assert len(ranks) < len(expected)  # there are vetoed firms, too
    firms = office.json()
    if name == "registry":
        assert Counter(firm["priority"] for firm in firms).most_common(1)[0][1] > 20
    assert places_of_json(firms) == expected
    # Byte for byte: the same columns, numbers and words too.
    assert office.get("/api/v1/ranking.csv?lang=zh").data == written
    assert office.workbook() == expected
    assert office.exported() == expected
    assert office.pages() == expected
    assert places_of_json(office.json(f"list={number}")) == expected
    with office.database.read() as connection:
        whole = [row for part in whole_ranking(connection, RankingFilter()) for row in part]
    assert [row["firm_id"] for row in whole] == [firm["id"] for firm in firms]


@pytest.fixture
def two_lists(office: Office) -> Office:
    office.take_in(as_csv(*registry(90)), "登记.csv")
    office.take_in(as_csv(*registry(90)[:15], *listed(60)), "上市.csv")
    return office


def test_no_filter_and_no_sort_changes_a_rank_but_a_list_has_its_own(two_lists: Office) -> None:
    office = two_lists
    firms = office.json()
    rank_of = {firm["id"]: firm["rank"] for firm in firms}
    chosen = [firm["id"] for firm in firms[3:60:7]]
    sent = secrets_of(office.get("/ranking", **HTML).get_data(as_text=True))
    form = sent | {"act": "add", "firm": chosen, "name": "要去的"}
    assert office.client.post("/ranking/acts", data=form, headers=HTML).status_code == 303
    filters = ["grade=D", "grade=BC", "segment=none", "role=maker", "region=36", "veto=no",
               "veto=yes", "stage=none", "text=%E7%94%B2", "shortlist=1"]  # fmt: skip
    for query in filters:
        some = office.json(query)
        assert 0 < len(some) < len(firms), query
        assert [firm["rank"] for firm in some] == [rank_of[firm["id"]] for firm in some], query
        assert office.csv(query) == places_of_json(some), query
    assert office.pages("grade=BC") == office.csv("grade=BC")
    of_list = [
        firm for firm in firms if firm["id"] in {each["id"] for each in office.json("list=2")}
    ]
    in_list = dict(
        zip(
            (each["id"] for each in of_list if each["veto"] is None),
            itertools.count(1),
            strict=False,
        )
    )
    assert len(in_list) > 50
    for query in ("list=2", "list=2&grade=D", "list=2&text=%E7%A7%91%E6%8A%80&sort=name"):
        some = office.json(query)
        assert [firm["rank"] for firm in some] == [in_list.get(firm["id"]) for firm in some], query
        assert office.csv(query) == office.pages(query) == places_of_json(some), query
    for sort in SORTS:
        some = office.json(f"sort={sort}")
        assert {firm["id"]: firm["rank"] for firm in some} == rank_of
    chosen = [firm["id"] for firm in of_list[2:40:5]]
    for number, ranks in (("2", in_list), ("", rank_of)):
        form = sent | {"firm": chosen, "list": number, "format": "csv", "columns": "none"}
        told = office.client.post("/ranking/export", data=form, headers=HTML)
        table = pd.read_csv(io.BytesIO(told.data), encoding="utf-8-sig")
        assert table["rank"].tolist() == [ranks[each] for each in chosen]


def test_a_firm_and_the_candidates_of_a_gap_show_their_rank(two_lists: Office) -> None:
    office = two_lists
    firms = office.json("veto=no")
    ranks = {firm["id"]: firm["rank"] for firm in firms}
    shown = 0
    for chain in office.get("/api/v1/gaps").get_json()["chains"]:
        for segment in chain["segments"]:
            there = office.json(f"veto=no&segment={segment['id']}")
            assert segment["candidates"] == len(there)
            assert {firm["segment"] for firm in there} <= {segment["id"]}
            placed = [(-firm["priority"], firm["rank"]) for firm in there]
            assert placed == sorted(placed)
            assert [(each["id"], each["rank"], each["priority"]) for each in segment["best"]] == [
                (firm["id"], ranks[firm["id"]], firm["priority"]) for firm in there[:3]
            ]
            shown += len(there)
    best = {firm["id"]: firm["segment"] for firm in firms if firm["segment"]}
    assert shown > len(best) > 20  # some firms work in several segments
    best = firms[4]
    assert office.get(f"/api/v1/firms/{best['id']}").get_json()["standing"]["rank"] == 5
    assert '<dd class="figure">5</dd>' in office.get(f"/firms/{best['id']}", **HTML).text
    vetoed = office.json("veto=yes")[0]["id"]
    assert office.get(f"/api/v1/firms/{vetoed}").get_json()["standing"]["rank"] is None
    assert "第 1 名" in office.get("/chains", **HTML | {"Accept-Language": "zh"}).text


def test_neither_the_order_of_rows_nor_that_of_imports_counts(
    scorer: Scorer, home: Path, tmp_path: Path
) -> None:
    """Where two lists say the same of a firm; of what they say otherwise the newer one counts."""
    coded = [firm for firm in registry(150) if firm["credit_code"]]
    one, other = coded[:70] + listed(40), coded[40:] + listed(70)[20:]
    shown = []
    for at, lists in enumerate(([one, other], [other[::-1], one[::-1]])):
        folder = tmp_path / str(at)
        folder.mkdir()
        app = demonstration(scorer, folder, lambda: TODAY)
        database = Database(sqlite_url(folder / "leadscore.sqlite3"))
        office = Office(database, scorer, home, folder, app.test_client())
        for firms in lists:
            office.take_in(as_csv(*firms), "一.csv" if len(firms) == len(one) else "二.csv")
        page = office.get("/ranking?picture=on", **HTML).text
        facets = re.findall(r'<span class="(?:choice|count)">([^<]*)<', page)
        points = office.get("/ranking/points").get_json()["points"]
        shown.append((office.csv(), facets, [point[1:] for point in points]))
        database.close()
    assert len(one) != len(other)
    assert shown[0] == shown[1]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_firm_scored_alone_ties_with_itself_in_a_list(office: Office) -> None:
    """Else its place would depend on the way in which it was scored."""
    sent = listed(120)
    office.take_in(as_csv(*sent))
    records = [{name: value for name, value in firm.items() if value != ""} for firm in sent]
    told = office.client.post("/api/v1/score", json={"firms": records}).get_json()["scores"]
    numbers = ("priority", "likelihood", "fit", "grade")
    alone = {each["name"]: [each[name] for name in numbers] for each in told}
    assert {each["name"]: [each[name] for name in numbers] for each in office.json()} == alone
