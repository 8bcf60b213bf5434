"""What products are for: another use than a segment wants weakens a match, and is said."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from leadscore.city.matching import Match, Matcher
from leadscore.city.matching.uses import ANOTHER, UseWords, use_words
from leadscore.city.profile import USES


def city(*uses: str) -> SimpleNamespace:
    motor = SimpleNamespace(
        makes=("微型电机", "手机马达"), materials=(), equipment=(), own_role="maker", uses=uses,
        hints=("电机",), excludes=(), industry=(),
    )  # fmt: skip
    return SimpleNamespace(segments={"m.motor": motor})


WANTS_DEVICES, WANTS_ANYTHING = Matcher(city("devices")), Matcher(city())


def match(text: str, matcher: Matcher = WANTS_DEVICES) -> Match:
    [only] = matcher.match({"main_business": text})
    return only


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("吸尘器微型电机的研发、生产", "微型电机→吸尘器"),
        ("微型电机的生产，主要用于扫地机器人、洗碗机", "微型电机→扫地机器人、洗碗机"),
        ("汽车座椅微型电机", "微型电机→座椅、汽车"),
    ],
)
def test_another_use_halves_a_match_and_is_said(text: str, words: str) -> None:
    one, other = match(text), match(text, WANTS_ANYTHING)
    assert one.words == words
    assert one.strength == pytest.approx(ANOTHER * other.strength)
    assert (other.suits, other.use) == (1.0, None)


@pytest.mark.parametrize(
    "text", ["手机马达的生产", "微型电机，用于手机及汽车", "微型电机的生产。公司另有吸尘器业务"]
)
def test_a_wanted_use_or_none_at_all_takes_nothing(text: str) -> None:
    assert match(text).suits == 1.0
    assert "→" not in match(text).words
    assert match(text).strength == match(text, WANTS_ANYTHING).strength


def test_a_mere_hint_needs_the_use_to_be_said() -> None:
    hint = match("电机的生产")
    assert (hint.suits, hint.use, hint.words) == (ANOTHER, None, "电机")
    assert match("电机的生产，用于手机").suits == 1.0


def test_a_use_among_others_is_not_said_for_another() -> None:
    among = match("微型电机，用于手机、汽车、空调的生产")
    assert ANOTHER < among.suits < 1.0
    assert among.words == "微型电机"


def test_customers_are_evidence_of_use_and_not_of_making() -> None:
    assert match("微型电机的生产，客户包括美的等空调厂商").use == "空调"
    assert not WANTS_DEVICES.match({"main_business": "纸箱的生产，客户包括手机厂商"})


def test_what_an_officer_says_of_use_takes_the_place_of_what_was_read() -> None:
    read = match("吸尘器微型电机的研发、生产")
    corrected = WANTS_DEVICES.for_use(read, "手机")
    assert (corrected.use, corrected.suits) == ("手机", 1.0)
    assert corrected.strength == pytest.approx(read.strength / ANOTHER)
    again = WANTS_DEVICES.for_use(corrected, "吸尘器")
    assert again.strength == pytest.approx(read.strength)
    assert WANTS_DEVICES.for_use(corrected, "某种没有列出的用途").suits == 1.0


def test_every_use_has_words() -> None:
    for use in USES:
        assert any(use in use_words().of(word) for word in ("手机", "汽车", "储能", "空调", "工业",
                                                             "照明", "医疗", "军工"))  # fmt: skip
    assert UseWords().of("新能源汽车空调") == {"vehicles", "appliances"}
