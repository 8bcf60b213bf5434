"""The pure parts of the recorder: what counts as a difference, and which ones are of one kind."""

from __future__ import annotations

import doctest
from types import ModuleType
from typing import Any

import pytest
from benchmarks.recorder import comparing, pages, recording
from benchmarks.recorder.comparing import ABSENT, ROW, Comparison, Row, compare, kinds


def rows(*values: dict[str, Any], table: str = "scores") -> list[Row]:
    return [
        Row("list.csv", table, str(number), each, each.get("name", ""))
        for number, each in enumerate(values, 2)
    ]


def changes(compared: Comparison) -> list[tuple[str, Any, Any]]:
    return [(each.column, each.before, each.after) for each in compared.differences]


@pytest.mark.parametrize("module", [comparing, pages, recording], ids=lambda each: each.__name__)
def test_its_examples_are_right(module: ModuleType) -> None:
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted
    assert not result.failed


def test_the_same_twice_has_no_differences() -> None:
    values = {"name": "甲", "likelihood": 0.25, "matches": [{"segment": "a", "words": None}]}
    compared = compare("lists", rows(values), rows(values))
    assert (compared.rows, compared.values, compared.differences) == (1, 5, ())


@pytest.mark.parametrize(
    ("column", "before", "after", "differs"),
    [
        ("likelihood", 0.25, 0.25 + 9e-13, False),
        ("likelihood", 0.25, 0.25 + 2e-12, True),
        ("priority", 0.25, 0.25 + 9e-13, False),
        ("fit", 0.25, 0.25 + 1e-15, True),
        ("staff", 3, 3.0, False),
        ("listed", True, 1, True),
        ("city", None, "", True),
        ("city", "深圳", "深圳市", True),
    ],
)
def test_only_likelihoods_and_priorities_may_be_a_little_apart(
    column: str, before: object, after: object, differs: bool
) -> None:
    compared = compare("lists", rows({column: before}), rows({column: after}))
    assert changes(compared) == ([(column, before, after)] if differs else [])


def test_a_row_of_one_side_only_is_one_difference() -> None:
    compared = compare("lists", rows({"a": 1, "b": 2}), rows({"a": 1, "b": 2}, {"a": 3, "b": 4}))
    assert changes(compared) == [(ROW, ABSENT, {"a": 3, "b": 4})]
    (kind,) = kinds(compared.differences, ())
    assert (kind.before, kind.after) == (ABSENT, "(a row)")


def test_rows_with_one_key_are_compared_in_their_order() -> None:
    twice = [Row("list.csv", "problems", "5 city", {"found": found}) for found in ("甲", "乙")]
    assert not compare("lists", twice, twice).differences
    assert changes(compare("lists", twice, twice[::-1])) == [
        ("found", "甲", "乙"), ("found", "乙", "甲"),
    ]  # fmt: skip


def test_entries_are_compared_by_what_names_them_and_their_order_by_itself() -> None:
    before = [{"segment": "a", "strength": 0.5}, {"segment": "b", "strength": 0.4}]
    after = [{"segment": "b", "strength": 0.6}, {"segment": "a", "strength": 0.5}]
    compared = compare("lists", rows({"matches": before}), rows({"matches": after}))
    assert {(each.column, each.general) for each in compared.differences} == {
        ("matches.order", "matches.order"),
        ("matches.[b].strength", "matches.[*].strength"),
    }
    assert ("matches.[b].strength", 0.4, 0.6) in changes(compared)


def test_of_a_page_only_the_lines_that_changed_are_told() -> None:
    page = ["<p>", "Rank", "</p>", "<p>", "Fit", "</p>"]
    one_word = [*page[:4], "Match", *page[5:]]
    compared = compare("pages", rows({"lines": page}), rows({"lines": one_word}))
    assert changes(compared) == [("lines", "Fit", "Match")]
    longer = [*page, "<hr>", "end"]
    compared = compare("pages", rows({"lines": page}), rows({"lines": longer}))
    assert changes(compared) == [("lines", ABSENT, "<hr>\nend")]


def test_the_same_change_of_a_sentence_is_one_kind_whatever_names_and_numbers_it_has() -> None:
    names = ["LED chips", "Batteries", "Motors"]
    values = [
        {
            "name": f"firm {number}",
            "reasons": f"from firm {number}; {{}} {names[number % 3]} (match {number} %); role",
        }
        for number in range(400)
    ]
    before, after = (
        rows(*({**each, "reasons": each["reasons"].format(words)} for each in values))
        for words in ("is", "matches")
    )
    differences = compare("lists", before, after).differences
    (kind,) = kinds(differences, names)
    assert (kind.before, kind.after) == ("is ‹name› (match # %)", "matches ‹name› (match # %)")
    assert len(kind.differences) == len(differences) == 400
    assert kind.differences[7].label == "firm 7"


def test_changes_of_numbers_are_one_kind_that_tells_the_largest() -> None:
    before, after = rows({"fit": 0.5}, {"fit": 0.25}), rows({"fit": 0.75}, {"fit": 0.0})
    (kind,) = kinds(compare("lists", before, after).differences, ())
    assert (kind.before, kind.after, kind.largest) == ("#", "#", 0.25)


def test_the_same_change_of_strengths_is_one_kind_whatever_the_segments() -> None:
    before = rows({"segments": "led.chip:0.90;vr.optics:0.10"}, {"segments": "led.chip:0.50"})
    after = rows({"segments": "led.chip:0.89;vr.optics:0.10"}, {"segments": "led.chip:0.40"})
    (kind,) = kinds(compare("lists", before, after).differences, ())
    assert (kind.before, kind.after) == ("‹name›:#", "‹name›:#")


def test_the_most_frequent_kind_comes_first() -> None:
    before = rows({"grade": "A", "city": "x"}, {"grade": "A", "city": "y"})
    after = rows({"grade": "B", "city": "z"}, {"grade": "B", "city": "y"})
    found = kinds(compare("lists", before, after).differences, ())
    assert [(kind.column, len(kind.differences)) for kind in found] == [("grade", 2), ("city", 1)]
