"""Where a firm comes from, as the city sees it."""

from __future__ import annotations

from leadscore.features.company import Divisions, Mentioned


def test_a_city_lies_in_its_province_and_in_its_own_code() -> None:
    found = [Divisions(("31", "4403")).hold(code) for code in ("3101", "4403", "3601", None)]
    assert found == [1.0, 1.0, 0.0, None]


def test_a_firm_known_by_province_only_cannot_be_told_from_a_city_in_it() -> None:
    assert [Divisions(("4403",)).hold(code) for code in ("44", "36")] == [None, 0.0]


def test_without_divisions_nothing_can_be_told() -> None:
    assert Divisions(()).hold("4403") is None
    assert Divisions(("",)).hold("4403") is None


def test_a_name_inside_another_name_is_not_a_mention() -> None:
    names = Mentioned(["光博会", "微软", "世界VR产业大会"])
    texts = [
        "深圳光博会",
        "中华微软件园",
        "未参加世界VR产业大会",
        "2024光博会",
        "参加世界VR产业大会",
    ]
    assert [names.within(text) for text in texts] == [0.0, 0.0, 0.0, 1.0, 1.0]


def test_a_mention_is_found_in_any_case_and_words_are_not_patterns() -> None:
    names = Mentioned(["VR大会", "a.*"])
    assert [names.within(text) for text in ("参加了 vr大会", "别处", None)] == [1.0, 0.0, None]
