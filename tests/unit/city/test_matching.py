"""The matches of a firm: their bounds, their evidence, and that no firm sways another."""

from __future__ import annotations

import copy
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.city.loading import load_city
from leadscore.city.matching import CLASS_COLUMNS, JOINT, TEXT_COLUMNS, Match, Matcher, Weights
from leadscore.city.matching.matcher import INDUSTRY_ALONE, MOST_WORDS, NOISE, _sum
from leadscore.city.matching.vocabulary import GROUPS, in_nfkc, load_lexicon
from leadscore.city.profile import ROLES

ROOT = Path(__file__).parents[3]


def segment(makes: str, hints: str = "", industry: str = "") -> SimpleNamespace:
    return SimpleNamespace(
        makes=tuple(makes.split()),
        materials=(),
        equipment=(),
        own_role="maker",
        uses=(),
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
MATCHER = Matcher(CITY)

PIECES = (
    *("锂电池", "LED照明", "灯具", "传感器", "电池", "电芯", "汽车", "设备", "材料", "隔膜", "的"),
    *("研发", "生产", "销售", "用于", "等领域", "为", "提供", "等", "、", "，", "。", "（", "）"),
    *(" ", "\n", "不含", "除外", "led", "İ", "Ａ", "𠀀", "及", "用", "产品", "客户包括"),
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


def match(**firm: str | None) -> list[Match]:
    return MATCHER.match(firm)


def strength(**firm: str | None) -> float:
    [only] = match(**firm)
    return only.strength


def test_a_firm_without_texts_matches_nothing() -> None:
    for firm in ({}, {"name": None}, {"staff": 3.0}, {"main_business": ""}, {"profile": " "}):
        assert MATCHER.match(firm) == []
    assert MATCHER.match_all([]) == []
    assert [len(each) for each in MATCHER.match_all([{}, {"main_business": "灯具"}])] == [0, 1]


def test_what_is_no_text_says_nothing() -> None:
    assert MATCHER.match({"main_business": np.nan, "profile": 3.0, "industry": 387}) == []


def test_the_strongest_match_stands_first() -> None:
    matches = match(main_business="锂电池的生产。附带：灯具设备、传感器配件")
    assert [each.strength for each in matches] == sorted(
        (each.strength for each in matches), reverse=True
    )
    assert matches[0].segment == "m.battery"


def test_words_are_quoted_as_the_text_writes_them_and_each_once() -> None:
    [lamps] = match(main_business="ＬＥＤ照明、LED照明及灯具的生产")
    assert lamps.words == "LED照明、灯具"
    assert [span[:3] for span in lamps.spans] == [
        ("main_business", 0, 5),
        ("main_business", 12, 14),
    ]


def test_the_weightiest_words_are_kept_and_the_first_of_equals() -> None:
    [lamps] = match(profile="LED、灯具", main_business="照明", name="某某照明有限公司")
    assert [(span.column, span.words) for span in lamps.spans] == [
        ("main_business", "照明"),
        ("profile", "灯具"),
        ("profile", "LED"),
    ]


def test_the_main_business_weighs_more_than_a_side_product_in_a_long_list() -> None:
    long = "、".join(["螺丝", "螺母", "垫片", "铰链", "把手", "拉手", "门锁", "合页"] * 3)
    main = strength(
        main_business="传感器的研发、生产和销售",
        profile="公司是传感器制造商，主要产品为图像传感器。",
    )
    last, first = (
        strength(main_business=text) for text in (f"五金、{long}、传感器", f"传感器、{long}")
    )
    assert main > 0.9
    assert first > last > NOISE
    assert first < 0.5


def test_a_column_that_says_more_of_the_business_is_believed_more() -> None:
    by_column = {column: strength(**{column: "灯具"}) for column in TEXT_COLUMNS}
    assert by_column["main_business"] == max(by_column.values())
    assert by_column["name"] == min(by_column.values())


def test_an_address_is_not_read() -> None:
    assert match(registered_address="南昌市灯具路锂电池大厦", city="灯具") == []


@pytest.mark.parametrize(
    "written", ["锂电池", "锂电池Ⅲ", "C3841", "3841", "制造业>电池制造>锂离子电池制造"]
)
def test_an_industry_class_alone_is_weak_evidence(written: str) -> None:
    [battery] = match(name="某某公司", sw_industry=written)
    assert battery.segment == "m.battery"
    assert battery.strength == pytest.approx(INDUSTRY_ALONE)
    assert battery.spans == (("sw_industry", 0, len(written), written),)
    assert battery.words == written


def test_an_industry_code_speaks_for_the_codes_below_it_only() -> None:
    assert [each.segment for each in match(industry_class="3872")] == ["l.lamps"]
    assert match(industry_class="38") == []
    assert match(industry_class="电池制造") == []


def test_two_sources_of_evidence_are_stronger_than_either() -> None:
    [both], [text] = (
        match(main_business="锂电池", sw_industry=written) for written in ("锂电池Ⅲ", "汽车")
    )
    assert [span.column for span in both.spans] == ["main_business", "sw_industry"]
    assert both.spans[:1] == text.spans
    assert both.strength == pytest.approx(1 - (1 - text.strength) * (1 - INDUSTRY_ALONE))
    assert both.words == text.words == "锂电池"


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_no_firm_sways_another(texts: list[tuple[str, str]], chance: random.Random) -> None:
    firms = [{"main_business": main, "profile": profile, "name": main} for main, profile in texts]
    alone = [MATCHER.match(firm) for firm in firms]
    assert MATCHER.match_all(firms) == alone
    order = list(range(len(firms)))
    chance.shuffle(order)
    assert MATCHER.match_all(firms[row] for row in order) == [alone[row] for row in order]


MARKS = [*"、，。；()（）等用为和及的/+- .,:\n", "TFT-LCD", "İ", "＋", "𠀀", "1.5", "\ufffd", "㎡"]
CUES = sorted({word for words in load_lexicon().values() for word in words})
PROFILES = [ROOT / "tests" / "cities" / "lakeport.toml", *sorted(ROOT.glob("data/cities/*.toml"))]
MATCHERS = [
    (Matcher(city), sorted({word for each in city.segments.values() for word in each.makes}))
    for city in map(load_city, PROFILES)
]


@pytest.mark.parametrize(("matcher", "products"), MATCHERS)
@given(data=st.data())
def test_every_match_is_within_bounds_and_its_evidence_where_it_says(
    matcher: Matcher, products: list[str], data: st.DataObject
) -> None:
    pieces = st.one_of(*map(st.sampled_from, (MARKS, CUES, products)), st.text(max_size=3))
    texts = st.lists(pieces, max_size=25).map("".join)
    columns = st.sampled_from([*TEXT_COLUMNS, *CLASS_COLUMNS])
    firm = data.draw(st.dictionaries(columns, texts))
    matches = matcher.match(firm)
    assert len({each.segment for each in matches}) == len(matches)
    for each in matches:
        assert NOISE <= each.strength <= 1
        assert each.role in ROLES
        assert 0 < each.suits <= 1
        texts_of_firm = in_nfkc("\n".join(firm.values())).lower()
        assert all(word in texts_of_firm for word in (each.use or "").split(JOINT))
        said = [span for span in each.spans if span.column in TEXT_COLUMNS]
        assert 0 < len(each.spans) <= len(said) + 1
        assert len(said) <= MOST_WORDS
        assert len({span.words.lower() for span in said}) == len(said)
        for column, start, end, words in each.spans:
            text = firm[column] if column in CLASS_COLUMNS else in_nfkc(firm[column])
            assert text.replace("\n", " ")[start:end] == words.replace("\n", " ")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_evidence_is_added_as_numpy_adds_it(values: list[float]) -> None:
    assert _sum(dict(enumerate(values))) == np.add.reduceat(values, [0])[0]


def test_what_one_text_ends_with_does_not_open_the_next() -> None:
    alone = match(profile="用于锂电池")
    assert [each.role for each in match(main_business="设备", profile="用于锂电池")] == [
        each.role for each in alone
    ]
    assert match(profile="锂电池", main_business="不含") == match(profile="锂电池")


def test_a_copy_from_a_pickle_matches_alike_and_so_do_threads() -> None:
    firms = [{"main_business": text} for text in ["锂电池的生产", "灯具批发", "传感器设备"] * 40]
    wanted = MATCHER.match_all(firms)
    for twin in (pickle.loads(pickle.dumps(MATCHER)), copy.deepcopy(MATCHER)):  # noqa: S301
        assert twin.match_all(firms) == wanted
    fresh = Matcher(CITY)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: fresh.match_all(firms), range(16)):
            assert found == wanted


def test_every_rule_of_the_lexicon_has_words_and_no_word_has_two_rules() -> None:
    groups = load_lexicon()
    assert tuple(sorted(groups)) == tuple(sorted(GROUPS))
    words = [word for group in groups.values() for word in group]
    assert all(groups.values())
    assert len(words) == len(set(words))


def test_a_rule_without_words_does_nothing() -> None:
    firm = {"main_business": "锂电池卷绕机"}
    bare = Matcher(CITY, lexicon=dict.fromkeys(GROUPS, ()))
    assert [each.role for each in MATCHER.match(firm)] == ["equipment"]
    assert [each.role for each in bare.match(firm)] == ["materials"]


LONG = "公司成立于2001年，位于江苏，是一家以纺织品与服装为主的企业。" * 5


def test_one_word_that_a_long_description_knows_nothing_of_counts_half() -> None:
    bait = "服装的生产。公司还从事灯具的生产"
    unknown = strength(main_business=bait, profile=LONG)
    assert unknown == pytest.approx(Weights().alone * strength(main_business=bait))
    assert strength(main_business=bait, profile=LONG + "灯具的生产。") > 1.5 * unknown
    # A scope is no description.
    assert strength(main_business=bait, business_scope=LONG) == strength(main_business=bait)


def test_a_business_that_comes_back_in_several_words_is_a_surer_one() -> None:
    once, again = LONG + "灯具、灯具的生产。", LONG + "灯具、照明的生产。"
    assert strength(profile=again) > 1.1 * strength(profile=once)
