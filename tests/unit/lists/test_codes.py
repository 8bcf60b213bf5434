"""Credit codes: our check agrees with an independent one, and damage is known as damage."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from leadscore.lists.values.codes import ALPHABET, is_rounded_code, is_valid_code, normal_code

REAL = ["91110000600037341L", "91360727MA35LGHK7K", "91441900MA51XAPG4N", "9144190059408399XP"]


def test_real_codes_are_valid() -> None:
    assert all(is_valid_code(code) for code in REAL)


@pytest.mark.parametrize("code", REAL)
def test_one_wrong_character_is_found_wherever_it_is(code) -> None:
    for at in range(2, 18):
        for mark in "0123456789" if at < 8 else ALPHABET:
            if mark != code[at]:
                broken = code[:at] + mark + code[at + 1 :]
                assert not is_valid_code(broken), broken


numbered = st.text("0123456789", min_size=8, max_size=8).filter(lambda head: head[0] != "0")


@settings(deadline=None)
@given(st.tuples(numbered, st.text(ALPHABET, min_size=10, max_size=10)))
def test_the_check_digit_agrees_with_an_independent_implementation(parts) -> None:
    code = parts[0] + parts[1]
    assert is_valid_code(code) == uscc.is_valid(code)
    assert is_valid_code(code[:17] + uscc.calc_check_digit(code[:17]))


@settings(deadline=None)
@given(st.text(max_size=20))
def test_no_text_makes_the_check_fail(text) -> None:
    code = normal_code(text) or ""
    assert not (is_valid_code(code) and is_rounded_code(code))


@pytest.mark.parametrize(
    "written",
    [
        "91360727MA35LGHK7K；",
        '91360727MA35LGHK7K"',
        "'91360727MA35LGHK7K",
        "`91360727MA35LGHK7K`",
        "“91360727MA35LGHK7K”",
        "\t91360727ma35lghk7k\u200b",
        "91360727 ‑MA35LGHK7K",
        "９１３６０７２７ma35lghk7k",
        "91360727-MA35LGHK-7K",
        " 91360727 MA35LGHK7K ",
    ],
)
def test_spelling_does_not_matter(written) -> None:
    assert normal_code(written) == "91360727MA35LGHK7K"


def test_a_code_of_another_authority_may_begin_with_a_letter() -> None:
    body = "N2360100MA35LGHK7"
    code = body + uscc.calc_check_digit(body)
    assert is_valid_code(code)
    assert not is_valid_code("Z" + code[1:])


@pytest.mark.parametrize(
    "code",
    ["9.13601E+17", "9.13607270000001E17", "913607270000000000", "913607270000012000",
     "913607270000000000.0"],
)  # fmt: skip
def test_a_code_that_went_through_a_number_is_known_as_damaged(code) -> None:
    assert is_rounded_code(code)
    assert not is_valid_code(code)


@pytest.mark.parametrize("code", [*REAL, "360727210012345", "913601E0000000123X"])
def test_other_codes_are_not_taken_for_damaged(code) -> None:
    assert not is_rounded_code(code)
