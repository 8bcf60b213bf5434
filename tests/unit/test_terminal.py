"""Columns of a terminal: Chinese takes two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.terminal import cut, display_width, fit, wrap

LINES = st.text(st.characters(codec="utf-8"), max_size=40)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("abc", 3),
        ("屏幕", 4),
        ("ＬＥＤ", 6),
        ("（江西）", 8),
        ("…", 1),
        ("e\u0301", 1),
        ("a\u200bb", 2),
        ("\ufeff芯片", 4),
        ("𠮷", 2),
        ("├─", 2),
    ],
)
def test_a_wide_character_counts_two_and_an_invisible_one_nothing(text: str, width: int) -> None:
    assert display_width(text) == width


@pytest.mark.parametrize(
    ("text", "width", "short"),
    [
        ("移动智能终端", 12, "移动智能终端"),
        ("移动智能终端", 11, "移动智能终…"),
        ("移动智能终端", 10, "移动智能…"),
        ("移动智能终端", 1, "…"),
        ("移动智能终端", 0, ""),
        ("screen", 5, "scre…"),
    ],
)
def test_cutting_ends_with_an_ellipsis_and_never_splits_a_character(
    text: str, width: int, short: str
) -> None:
    assert cut(text, width) == short


@given(LINES, st.integers(0, 30), st.sampled_from(["left", "right", "centre"]))
def test_a_fitted_text_takes_exactly_its_field(text: str, width: int, align: str) -> None:
    assert display_width(fit(text, width, align)) == width


@given(LINES, st.integers(0, 30))
def test_a_text_that_fits_is_left_alone(text: str, width: int) -> None:
    if display_width(text) <= width:
        assert cut(text, width) == text


def test_text_stands_where_it_was_told_to() -> None:
    assert fit("缺口", 7, "left") == "缺口   "
    assert fit("缺口", 7, "right") == "   缺口"
    assert fit("缺口", 7, "centre") == " 缺口  "


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" ")), st.integers(10, 100))
def test_wrapping_loses_nothing_but_spaces(text: str, width: int) -> None:
    text = " ".join(text.split())
    lines = wrap(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(display_width(line) <= width for line in lines)


def test_a_line_starts_with_no_comma_and_ends_with_no_opening_bracket() -> None:
    lines = wrap("甲、乙（丙），丁〔戊〕。" * 6, 13)
    assert not [line for line in lines if line[0] in "、，。）〕" or line[-1] in "（〔"]


def test_of_more_lines_than_asked_for_the_last_is_cut_with_a_mark() -> None:
    lines = wrap("超" * 5_000, 80, most=6)
    assert len(lines) == 6
    assert lines[-1].endswith("…")
    assert display_width(lines[-1]) <= 80
