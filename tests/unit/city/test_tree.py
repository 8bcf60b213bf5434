"""The drawing of a profile: right in both languages and never wider than the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore.city import City, load_city
from leadscore.cli.city import WIDTH, render_tree
from leadscore.files import shipped
from leadscore.terminal import display_width
from leadscore.text import Lang

LAKEPORT = Path(__file__).parents[2] / "cities" / "lakeport.toml"


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(LAKEPORT)


def column_of(line: str, word: str) -> int:
    """Return the terminal column at which ``word`` ends."""
    return display_width(line[: line.index(word) + len(word)])


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", [LAKEPORT, shipped("cities", "nanchang.toml")])
def test_no_line_is_wider_than_the_terminal(path: Path, lang: Lang) -> None:
    lines = render_tree(load_city(path), lang).splitlines()
    assert max(map(display_width, lines)) <= WIDTH
    assert all(line == line.rstrip() for line in lines)


def test_every_segment_stands_there_with_its_numbers_and_a_bar(city: City) -> None:
    drawing = render_tree(city, "en")
    bearing = next(line for line in drawing.splitlines() if "Bearings" in line)
    assert bearing.split()[-4:-1] == ["0.25", "0.85", "0.57"]
    assert bearing.endswith("██████░░░░")
    assert "★" in bearing
    assert all(segment.name.en in drawing for segment in city.segments.values())


def test_figures_stand_in_one_column_though_chinese_is_two_wide(city: City) -> None:
    lines = render_tree(city, "zh").splitlines()
    heads = next(line for line in lines if "缺口" in line)
    ends = {column_of(line, "0.75") for line in lines if line.endswith("████████░░")}
    assert ends == {column_of(heads, "缺口")}


def test_positions_come_in_the_order_of_the_flow_under_their_chain(city: City) -> None:
    lines = render_tree(city, "zh").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("风电装备"))
    flow = [line[3:] for line in lines[start:] if line[:3] in {"├─ ", "└─ "}]
    assert flow[:3] == ["上游", "中游", "下游"]


def test_feeds_and_anchors_are_named_in_the_asked_language(city: City) -> None:
    assert "feeds: Turbines" in render_tree(city, "en")
    assert "anchors: Lakewind Heavy Industry" in render_tree(city, "en")
    assert "供给：风电整机" in render_tree(city, "zh")
    assert "龙头：湖风重工" in render_tree(city, "zh")


def test_counts_close_the_drawing(city: City) -> None:
    english = " ".join(render_tree(city, "en").splitlines()[-3:])
    assert "3 chains, 14 segments: 4 sought" in english
    assert "3 strengths" in english
    assert "共 3 条产业链、14 个环节" in render_tree(city, "zh")
