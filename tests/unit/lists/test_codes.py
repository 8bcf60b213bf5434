"""Credit codes: our check agrees with an independent one, and damage is known as damage."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from leadscore.lists.values.codes import (
    ALPHABET,
    is_rounded_code,
    normal_code,
    valid_code,
)

REAL = ["91110000600037341L", "91360727MA35LGHK7K", "91441900MA51XAPG4N", "9144190059408399XP"]


def series(*codes: str | None) -> pd.Series:
    return pd.Series(codes, dtype="str")


def test_real_codes_are_valid() -> None:
    assert valid_code(series(*REAL)).all()


@pytest.mark.parametrize("code", REAL)
def test_one_wrong_character_is_found_wherever_it_is(code) -> None:
    for at in range(2, 18):
        for mark in "0123456789" if at < 8 else ALPHABET:
            if mark != code[at]:
                broken = code[:at] + mark + code[at + 1 :]
                assert not valid_code(series(broken)).item(), broken


numbered = st.text("0123456789", min_size=8, max_size=8).filter(lambda head: head[0] != "0")


@given(st.lists(st.tuples(numbered, st.text(ALPHABET, min_size=10, max_size=10)), max_size=30))
def test_the_check_digit_agrees_with_an_independent_implementation(parts) -> None:
    codes = [head + tail for head, tail in parts]
    codes += [code[:17] + uscc.calc_check_digit(code[:17]) for code in codes]
    assert valid_code(series(*codes)).tolist() == [uscc.is_valid(code) for code in codes]


@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=10))
def test_no_text_makes_the_check_fail(texts) -> None:
    clean = [text and text.encode("utf-8", "replace").decode() for text in texts]
    codes = normal_code(series(*clean))
    assert len(valid_code(codes)) == len(texts)
    assert {is_rounded_code(code) for code in codes.dropna()} <= {True, False}


def test_spelling_does_not_matter() -> None:
    spelt = series("９１３６０７２７ma35lghk7k", "91360727-MA35LGHK-7K", " 91360727 MA35LGHK7K ")
    assert normal_code(spelt).unique().tolist() == ["91360727MA35LGHK7K"]


def test_a_code_of_another_authority_may_begin_with_a_letter() -> None:
    body = "N2360100MA35LGHK7"
    code = body + uscc.calc_check_digit(body)
    assert valid_code(series(code)).item()
    assert not valid_code(series("Z" + code[1:])).item()


@pytest.mark.parametrize(
    "code",
    ["9.13601E+17", "9.13607270000001E17", "913607270000000000", "913607270000012000",
     "913607270000000000.0"],
)  # fmt: skip
def test_a_code_that_went_through_a_number_is_known_as_damaged(code) -> None:
    assert is_rounded_code(code)
    assert not valid_code(series(code)).item()


def test_other_codes_are_not_taken_for_damaged() -> None:
    others = (*REAL, "360727210012345", "913601E0000000123X")
    assert not any(is_rounded_code(code) for code in others)
