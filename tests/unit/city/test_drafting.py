"""A profile is drafted from a short table."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from leadscore.city import load_city
from leadscore.city.drafting import draft_rows, read_draft
from leadscore.cli import cli
from leadscore.errors import CityError

TABLE = "环节,供给,引进,龙头\n动力电池,强,否,示例电池\n整车,0.9,否,示例汽车、示例客车\n\n"
TABLE += "光伏玻璃,无,是,\n"


def drafted(folder: Path, *more: str, given: str | None = None) -> Path:
    path = folder / "city.toml"
    said = ["--id", "shili", "--name-zh", "示例", "--name-en", "Shili", "--lang", "en", *more]
    answer = CliRunner().invoke(cli, ["city", "new", "-o", str(path), *said], input=given)
    assert answer.exit_code == 0, answer.output
    return path


def test_a_profile_is_drafted_from_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path / "home"))
    table = tmp_path / "table.csv"
    table.write_text(TABLE, "utf-8")
    city = load_city(drafted(tmp_path, "--table", str(table), "--division", "9901"))
    assert {key: segment.supply for key, segment in city.segments.items()} == {
        "nev.cell": 0.85, "nev.vehicle": 0.9, "photovoltaics.glass": 0.0
    }  # fmt: skip
    assert [key for key, segment in city.segments.items() if segment.sought] == [
        "photovoltaics.glass"
    ]
    assert [anchor.name for anchor in city.anchors_of("nev.vehicle")] == ["示例汽车", "示例客车"]
    assert (city.id, city.name.zh, city.division_code) == ("shili", "示例", "9901")
    again = CliRunner().invoke(
        cli, ["city", "new", "-o", str(tmp_path / "city.toml"), "--table", str(table), "--id", "a",
              "--name-zh", "a", "--name-en", "a"],
    )  # fmt: skip
    assert again.exit_code == 2
    assert load_city(tmp_path / "city.toml").id == "shili"


def test_a_profile_is_drafted_by_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path / "home"))
    from leadscore.city.segments import library_chain, library_chains

    answers = []
    for chain in library_chains():
        answers.append("y" if chain == "led" else "n")
        if chain == "led":
            answers += ["none", "y", "示例照明"]
            answers += ["-"] * (len(library_chain("led").entries) - 1)
    path = drafted(tmp_path, "--division", "", given="\n".join(answers) + "\n")
    assert list(load_city(path).segments) == [library_chain("led").entries[0].id]


def test_every_mistake_of_a_table_is_named_with_its_row() -> None:
    rows = [["segment", "supply", "sought"], ["nev.cel", "huge", "perhaps"], ["nev.cell", "", ""]]
    with pytest.raises(CityError) as caught:
        draft_rows(rows, source="t.csv")
    assert [detail.where for detail in caught.value.details] == ["t.csv: 2"] * 3
    assert "nev.cell?" in caught.value.details[0].wanted.en


def test_a_table_without_segments_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("name\nx\n", "utf-8")
    with pytest.raises(CityError, match="no column"):
        read_draft(table)


def test_coverage_lists_candidates_firms_here_and_who_comes_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path / "home"))
    table = tmp_path / "table.csv"
    table.write_text(TABLE, "utf-8")
    city = drafted(tmp_path, "--table", str(table))
    firms = tmp_path / "firms.csv"
    firms.write_text(
        "企业名称,主营业务\n示例汽车,新能源汽车整车的研发、生产\n甲有限公司,光伏玻璃的研发、生产\n",
        "utf-8",
    )
    said = ["city", "coverage", str(firms), "--city", str(city), "--lang", "en"]
    answer = CliRunner().invoke(cli, said)
    assert answer.exit_code == 0, answer.output
    lines = answer.output.splitlines()
    glass = next(at for at, line in enumerate(lines) if "(photovoltaics.glass)" in line)
    assert "甲有限公司" in lines[glass + 1]
    vehicle = next(at for at, line in enumerate(lines) if "(nev.vehicle)" in line)
    assert "0 candidates, 1 already here" in lines[vehicle]
    assert "already here, room to grow 示例汽车" in lines[vehicle + 1]
    assert "no candidates. Looked for: " in lines[vehicle + 2]
