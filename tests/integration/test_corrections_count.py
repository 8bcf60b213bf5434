"""Lists are ranked as officers have corrected their firms, unless that is to be left out."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.commands import called
from tests.ranking_files import read_ranking_csv

import leadscore
from leadscore.settings import load_settings
from leadscore.startup import open_database, open_scorer
from leadscore.store.corrections import correct
from leadscore.store.firms import read_firm
from leadscore.store.scoring import keep_asked
from leadscore.store.snapshots import read_snapshots

FIRMS = {
    "企业名称": ["甲食品有限公司", "乙食品有限公司"],
    "主营业务": ["面包、糕点的生产和销售"] * 2,
    "员工人数": ["90", "80"],
}


@pytest.fixture
def corrected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home in which an officer has corrected one firm of the list ``list.csv``."""
    monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path / "home"))
    pd.DataFrame(FIRMS).to_csv(tmp_path / "list.csv", index=False)
    settings = load_settings()
    scorer, database = open_scorer(settings), open_database(settings)
    now, today = datetime.now(UTC), date.today()
    segment = max(scorer.city.segments, key=lambda key: float(scorer.city.gap(key)))
    with database.write() as connection:
        keep_asked(connection, [{"name": "甲食品有限公司"}], scorer=scorer, today=today, now=now)
        correct(
            connection, 1, {"segments": [segment], "staff": "2000人"}, "saw the line",
            version=read_firm(connection, 1).version, scorer=scorer, actor="li.na", now=now,
            today=today,
        )  # fmt: skip
    database.close()
    return tmp_path


def ranked(folder: Path, *options: str) -> tuple[str, pd.DataFrame]:
    out = folder / "out.csv"
    done = called("rank", folder / "list.csv", "-o", out, *options, home=folder / "home",
                  LEADSCORE_LANG="en")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr, read_ranking_csv(out)


def test_a_list_is_ranked_as_corrected_and_says_how_many_were(corrected: Path) -> None:
    said, table = ranked(corrected)
    first = table.iloc[0]
    assert (first["name"], table["name"].tolist()) == (
        "甲食品有限公司", ["甲食品有限公司", "乙食品有限公司"]
    )  # fmt: skip
    assert first["fit"] > 0
    assert first["segments"].endswith(":1.00")
    assert "li.na" in first["corrections"]
    assert "staff: 2,000" in first["corrections"]
    assert "1 firm scored as officers have corrected them" in said
    said, plain = ranked(corrected, "--plain")
    assert (plain["fit"] == 0).all()
    assert "corrections" not in plain
    assert "scored as officers" not in said
    before = (date.today()).replace(year=date.today().year - 1).isoformat()
    said, old = ranked(corrected, "--as-of", before)
    assert "corrections" not in old, "nobody had corrected anything then"


def test_a_snapshot_of_a_list_holds_what_was_scored(corrected: Path) -> None:
    ranked(corrected)
    database = open_database(load_settings())
    with database.read() as connection:
        kept = read_snapshots(connection)
    database.close()
    of_list = kept[kept["source"] == "list.csv"].set_index("name")
    assert of_list.loc["甲食品有限公司", "staff"] == 2000
    assert of_list.loc["甲食品有限公司", "corrected_on"] == date.today().isoformat()
    assert pd.isna(of_list.loc["乙食品有限公司", "corrected_on"])


@pytest.mark.usefixtures("corrected")
@pytest.mark.parametrize("processes", [1, 2])
def test_python_ranks_as_corrected(processes: int) -> None:
    listed = pd.DataFrame(FIRMS)
    table = leadscore.rank(listed, lang="en", processes=processes)
    assert table.attrs["corrected"] == 1
    assert table["corrections"].notna().tolist() == [True, False]
    plain: Any = leadscore.rank(listed, lang="en", plain=True)
    assert plain.attrs["corrected"] == 0
    assert "corrections" not in plain


def test_labelled_examples_are_printed_as_json_lines(corrected: Path) -> None:
    done = called("corrections", "export", home=corrected / "home", LEADSCORE_LANG="en")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    example = json.loads(line)
    assert (example["firm"]["name"], example["by"]) == ("甲食品有限公司", "li.na")
    assert example["officer"]["field"] == "segments"
    assert "corrections of segments, roles and uses: 1" in done.stderr
