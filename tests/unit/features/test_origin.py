"""Where a firm comes from, as the city sees it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.features.origin import mentions, within


def codes(*values: str | None) -> pd.Series:
    return pd.Series(values, dtype="str")


def test_a_city_lies_in_its_province_and_in_its_own_code() -> None:
    found = within(codes("3101", "4403", "3601", None), ("31", "4403"))
    np.testing.assert_array_equal(found, [1.0, 1.0, 0.0, np.nan])


def test_a_firm_known_by_province_only_cannot_be_told_from_a_city_in_it() -> None:
    np.testing.assert_array_equal(within(codes("44", "36"), ("4403",)), [np.nan, 0.0])


def test_without_divisions_nothing_can_be_told() -> None:
    assert np.isnan(within(codes("4403"), ())).all()
    assert np.isnan(within(codes("4403"), ("",))).all()


def test_a_name_inside_another_name_is_not_a_mention() -> None:
    words = ["光博会", "微软", "世界VR产业大会"]
    texts = [
        "深圳光博会",
        "中华微软件园",
        "未参加世界VR产业大会",
        "2024光博会",
        "参加世界VR产业大会",
    ]
    found = mentions(pd.Series(texts, dtype="str"), words)
    np.testing.assert_array_equal(found, [0.0, 0.0, 0.0, 1.0, 1.0])


def test_a_mention_is_found_in_any_case_and_words_are_not_patterns() -> None:
    texts = pd.Series(["参加了 vr大会", "别处", None], dtype="str")
    np.testing.assert_array_equal(mentions(texts, ["VR大会", "a.*"]), [1.0, 0.0, np.nan])
