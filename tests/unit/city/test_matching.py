"""The table of matches: its shape, its bounds, and that no firm sways another."""

from __future__ import annotations

import copy
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.city import matching
from leadscore.city.lexicon import GROUPS, Lexicon, load_lexicon
from leadscore.city.matching import Matcher
from leadscore.city.strength import TEXT_COLUMNS
from leadscore.city.values import ROLES
from leadscore.city.witnesses import INDUSTRY_ALONE, NOISE


def segment(makes: str, hints: str = "", industry: str = "") -> SimpleNamespace:
    return SimpleNamespace(
        makes=tuple(makes.split()),
        hints=tuple(hints.split()),
        excludes=(),
        industry=tuple(industry.split()),
    )


CITY = SimpleNamespace(
    segments={
        "m.battery": segment("锂离子电池 锂电池 电芯", "电池", "3841 锂离子电池制造 锂电池"),
        "l.lamps": segment("照明 灯具 LED照明", "LED", "387 照明设备"),
        "v.sensor": segment("传感器 图像传感器"),
    }
)
COLUMNS = ["firm", "segment", "role", "strength", "words", "witness"]
MATCHER = Matcher(CITY)

PIECES = (
    *("锂电池", "LED照明", "灯具", "传感器", "电池", "电芯", "汽车", "设备", "材料", "隔膜", "的"),
    *("研发", "生产", "销售", "用于", "等领域", "为", "提供", "等", "、", "，", "。", "（", "）"),
    *(" ", "\n", "不含", "除外", "led", "İ", "Ａ", "𠀀", "及", "用", "产品", "客户包括"),
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


def match(**columns: list[object]) -> pd.DataFrame:
    return MATCHER.match(pd.DataFrame(columns)).table


def test_a_list_without_firms_or_without_texts_gives_an_empty_table() -> None:
    for firms in (pd.DataFrame(), pd.DataFrame({"name": []}), pd.DataFrame({"staff": [3.0]})):
        table = MATCHER.match(firms).table
        assert list(table.columns) == COLUMNS
        assert len(table) == 0
        assert table["firm"].dtype == np.int64
        assert table["strength"].dtype == np.float64


def test_missing_and_empty_texts_say_nothing() -> None:
    table = match(main_business=[None, np.nan, "", "灯具"], profile=["", None, " ", None])
    assert table["firm"].tolist() == [3]


def test_firms_are_told_by_position_whatever_their_index() -> None:
    firms = pd.DataFrame({"main_business": ["汽车", "灯具的生产"]}, index=[7, 7])
    assert MATCHER.match(firms).table["firm"].tolist() == [1]


def test_rows_are_sorted_by_firm_then_strength() -> None:
    table = match(main_business=["灯具、传感器", "锂电池的生产。附带：灯具设备、传感器配件"])
    order = table.sort_values(["firm", "strength", "segment"], ascending=[True, False, True])
    assert table.index.tolist() == order.index.tolist()
    assert table["segment"].iloc[2] == "m.battery"


def test_words_are_quoted_as_the_text_writes_them_and_each_once() -> None:
    table = match(main_business=["ＬＥＤ照明、LED照明及灯具的生产"])
    assert table["words"].tolist() == ["LED照明、灯具"]


def test_the_main_business_weighs_more_than_a_side_product_in_a_long_list() -> None:
    long = "、".join(["螺丝", "螺母", "垫片", "铰链", "把手", "拉手", "门锁", "合页"] * 3)
    table = match(
        main_business=["传感器的研发、生产和销售", f"五金、{long}、传感器", f"传感器、{long}"],
        profile=["公司是传感器制造商，主要产品为图像传感器。", None, None],
    )
    main, last, first = table["strength"]
    assert main > 0.9
    assert first > last > NOISE
    assert first < 0.5


def test_a_column_that_says_more_of_the_business_is_believed_more() -> None:
    by_column = {c: match(**{c: ["灯具"]})["strength"].iloc[0] for c in TEXT_COLUMNS}
    assert by_column["main_business"] == max(by_column.values())
    assert by_column["name"] == min(by_column.values())


def test_an_address_is_not_read() -> None:
    assert len(match(registered_address=["南昌市灯具路锂电池大厦"], city=["灯具"])) == 0


@pytest.mark.parametrize(
    "written", ["锂电池", "锂电池Ⅲ", "C3841", "3841", "制造业>电池制造>锂离子电池制造"]
)
def test_an_industry_class_alone_is_a_weak_witness(written: str) -> None:
    table = match(name=["某某公司"], sw_industry=[written])
    assert table["segment"].tolist() == ["m.battery"]
    assert table["strength"].tolist() == pytest.approx([INDUSTRY_ALONE])
    assert table["witness"].tolist() == ["industry"]
    assert table["words"].tolist() == [written]


def test_an_industry_code_speaks_for_the_codes_below_it_only() -> None:
    assert match(industry_class=["3872"])["segment"].tolist() == ["l.lamps"]
    assert len(match(industry_class=["38"])) == 0
    assert len(match(industry_class=["电池制造"])) == 0


def test_two_witnesses_are_stronger_than_either() -> None:
    table = match(main_business=["锂电池", "锂电池"], sw_industry=["锂电池", "汽车"])
    both, text = table["strength"]
    assert table["witness"].tolist() == ["both", "text"]
    assert both == pytest.approx(1 - (1 - text) * (1 - INDUSTRY_ALONE))
    assert table["words"].tolist() == ["锂电池", "锂电池"]


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_no_firm_sways_another(texts: list[tuple[str, str]], chance: random.Random) -> None:
    firms = pd.DataFrame(texts, columns=["main_business", "profile"])
    together = MATCHER.match(firms).table
    assert together["strength"].between(NOISE, 1).all()
    assert together["role"].isin(ROLES).all()
    assert not together.duplicated(["firm", "segment"]).any()
    order = list(range(len(firms)))
    chance.shuffle(order)
    shuffled = MATCHER.match(firms.iloc[order]).table
    shuffled["firm"] = np.asarray(order)[shuffled["firm"]]
    shuffled = shuffled.sort_values("firm", kind="stable").reset_index(drop=True)
    pd.testing.assert_frame_equal(together, shuffled)
    alone = [MATCHER.match(firms.iloc[[i]]).table.assign(firm=i) for i in range(len(firms))]
    pd.testing.assert_frame_equal(together, pd.concat(alone, ignore_index=True))


def test_what_one_text_ends_with_does_not_open_the_next() -> None:
    table = match(main_business=["设备", "用于锂电池"])
    assert table["role"].tolist() == match(main_business=["用于锂电池"])["role"].tolist()


def test_a_list_is_matched_in_chunks_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["锂电池、灯具", "传感器设备", None, "灯具批发，LED照明的生产"] * 25
    firms = pd.DataFrame({"main_business": texts, "profile": texts[::-1]})
    whole = MATCHER.match(firms).table
    monkeypatch.setattr(matching, "CHUNK_CHARACTERS", 40)
    pd.testing.assert_frame_equal(whole, MATCHER.match(firms).table)


def test_a_copy_from_a_pickle_matches_alike_and_so_do_threads() -> None:
    firms = pd.DataFrame({"main_business": ["锂电池的生产", "灯具批发", "传感器设备"] * 40})
    wanted = MATCHER.match(firms).table
    for twin in (pickle.loads(pickle.dumps(MATCHER)), copy.deepcopy(MATCHER)):  # noqa: S301
        pd.testing.assert_frame_equal(wanted, twin.match(firms).table)
    fresh = Matcher(CITY)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: fresh.match(firms).table, range(16)):
            pd.testing.assert_frame_equal(wanted, found)


def test_every_rule_of_the_lexicon_has_words_and_no_word_has_two_rules() -> None:
    groups = load_lexicon().groups
    assert tuple(sorted(groups)) == tuple(sorted(GROUPS))
    words = [word for group in groups.values() for word in group]
    assert all(groups.values())
    assert len(words) == len(set(words))


def test_a_rule_without_words_does_nothing() -> None:
    firms = pd.DataFrame({"main_business": ["锂电池卷绕机"]})
    bare = Matcher(CITY, lexicon=Lexicon(dict.fromkeys(GROUPS, ())))
    assert MATCHER.match(firms).table["role"].tolist() == ["equipment"]
    assert bare.match(firms).table["role"].tolist() == ["materials"]
