"""The ranking in a terminal: it fits, it says why, and no list can play tricks with the screen."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadscore.cli.ranking import MOST_LINES, print_ranking
from leadscore.features.catalogue import CATALOGUE
from leadscore.terminal import display_width, tame
from leadscore.text import Lang, Text

COLUMNS = [
    "rank", "name", "grade", "priority", "likelihood", "fit", "segment_name", "role_name",
    "reasons", "veto", "likelihood_low", "likelihood_high", "certainty", "stage",
]  # fmt: skip
REASONS = (
    "补缺口：VR 传感器，本地尚无（+18）；制造企业（+12）；来自重点区域（+9）；注册资本偏小（-4）"
)


def ranking(ranked: int = 2, vetoed: int = 1, **columns: object) -> pd.DataFrame:
    count = ranked + vetoed
    table = pd.DataFrame(
        {
            "rank": pd.array([*range(1, ranked + 1), *[None] * vetoed], dtype="Int64"),
            "name": [f"第{n}光电科技有限公司" for n in range(count)],
            "grade": "B",
            "priority": 0.371,
            "likelihood": 0.5,
            "fit": 1.0,
            "segment_name": "VR 传感器",
            "role_name": "制造",
            "reasons": REASONS,
            "veto": pd.Series([None] * ranked + ["已注销"] * vetoed, dtype="str"),
            "likelihood_low": 0.05,
            "likelihood_high": 0.6,
            "certainty": "专家估计，尚无本地结果验证",
            "stage": None,
        }
    )
    return table.assign(**columns)[COLUMNS]


WILD = st.one_of(
    st.text(max_size=40),
    st.text("深圳，（）、 ab-\u0301\u200d👩🔧ｆ\t\n\x1b[31m\x9b\x00", max_size=200),
    st.sampled_from(["\x1b[2J\x1b[H", "\x1b]0;title\x07", "\u202egnp.exe", "超" * 300, "x" * 300]),
)


@st.composite
def rankings(draw: st.DrawFn) -> pd.DataFrame:
    row = st.fixed_dictionaries(
        {
            "rank": st.none() | st.integers(1, 10**7),
            "name": WILD,
            "grade": st.sampled_from("ABCD"),
            "priority": st.floats(0, 1),
            "likelihood": st.floats(0, 1),
            "likelihood_low": st.none() | st.floats(0, 1),
            "likelihood_high": st.none() | st.floats(0, 1),
            "certainty": st.none() | st.just("few outcomes"),
            "fit": st.floats(0, 1),
            "segment_name": st.none() | WILD,
            "role_name": st.none() | WILD,
            "reasons": st.none() | WILD,
            "veto": st.none() | WILD,
            "stage": st.none() | st.just("洽谈"),
        }
    )
    table = pd.DataFrame(draw(st.lists(row, max_size=4)), columns=COLUMNS, dtype="object")
    return table.astype({"rank": "Int64"})


@given(
    table=rankings(), lang=st.sampled_from(["zh", "en"]), width=st.integers(0, 300),
    top=st.integers(0, 5), colour=st.booleans(),
)  # fmt: skip
@example(table=ranking(role_name="超" * 50), lang="zh", width=100, top=5, colour=True)
def test_no_line_is_wider_than_the_terminal_and_none_gives_it_commands(
    table: pd.DataFrame, lang: Lang, width: int, top: int, colour: bool
) -> None:
    text = print_ranking(table, lang=lang, width=width, top=top, colour=colour)
    plain = re.sub(r"\x1b\[(?:1;32|32|33|2|0)m", "", text) if colour else text
    lines = plain.split("\n")
    assert all(display_width(line) <= min(max(width, 80), 100) for line in lines)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", plain)
    text.encode("utf-8")


def test_each_firm_shows_its_place_and_numbers_and_then_why() -> None:
    lines = print_ranking(ranking(ranked=1, vetoed=0), lang="zh").split("\n")
    assert lines[0].split() == [
        "名次",
        "等级",
        "企业",
        "环节（角色）",
        "优先级",
        "落地可能性",
        "区间",
        "契合度",
    ]
    assert lines[2].split() == [
        "1", "B", "第0光电科技有限公司", "VR", "传感器（制造）", "37.1%", "50.0%", "5–60%",
        "100%",
    ]  # fmt: skip
    assert "".join(line.strip() for line in lines[3:-1]) == REASONS
    assert lines[-1] == "落地可能性：专家估计，尚无本地结果验证（所列为 90% 区间）。"
    assert lines[3].startswith(" " * lines[0].index("企业"))


def test_columns_stand_under_their_headers_though_chinese_is_twice_as_wide() -> None:
    table = ranking(name=["Goertek", "歌尔股份有限公司", "x"], reasons="制造企业（+12）")
    header, _, *lines = print_ranking(table, lang="zh").split("\n")
    ends = {display_width(line) for line in (header, lines[0], lines[2])}
    assert ends == {100}


def test_the_other_language_is_complete() -> None:
    table = ranking(
        3, 2, name="Goertek", segment_name="VR sensors", role_name="maker",
        reasons="fills a gap: VR sensors, none available locally (+18)",
        veto=[None, None, None, "deregistered", "already here"],
        likelihood_low=None, certainty=None,
    )  # fmt: skip
    text = print_ranking(table, lang="en", top=1)
    assert text.replace("–", "-").isascii()
    assert "VR sensors (maker)" in text
    assert "Goertek: deregistered" in text
    assert "(2 more ranked" in text
    assert "(1 more vetoed" in text


def test_vetoed_firms_follow_with_their_veto() -> None:
    *_, heading, firm = print_ranking(ranking(), lang="zh").split("\n")
    assert heading == "一票否决，不排名：1 家"
    assert firm == "  第2光电科技有限公司：已注销"


def test_only_the_top_is_shown_and_the_rest_is_counted() -> None:
    text = print_ranking(ranking(ranked=30, vetoed=9), lang="zh", top=4)
    assert "第3光电" in text
    assert "第4光电" not in text
    assert "还有 26 家排名企业未显示" in text
    assert "还有 5 家被否决的企业未显示" in text


def test_a_firm_that_fits_nothing_shows_a_dash() -> None:
    for missing in (None, ""):
        table = ranking(1, 0, segment_name=missing, role_name=missing)
        assert " -  " in print_ranking(table, lang="zh").split("\n")[2]


def test_a_long_segment_is_cut_before_its_role_is() -> None:
    text = print_ranking(ranking(1, 0, segment_name="移动智能终端" * 5), lang="zh")
    assert "…（制造）" in text


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("role", [*CATALOGUE["role"].levels.values()], ids=lambda role: role.en)
def test_no_role_is_cut_however_long_names_and_segments_are(
    role: Text, lang: Lang, width: int
) -> None:
    table = ranking(
        1, 0, name="某某市某某光电科技股份有限公司", role_name=role.pick(lang),
        segment_name="Key equipment and its supplies" * 2,
    )  # fmt: skip
    text = print_ranking(table, lang=lang, width=width)
    assert f"…（{role.zh}）" in text if lang == "zh" else f"… ({role.en})" in text


def test_a_likelihood_is_never_shown_as_none_or_all_but_a_fit_may_be() -> None:
    table = ranking(3, 0, likelihood=[0.0004, 0.5, 0.99996], fit=[0.0, 0.5, 1.0])
    cells = [line.split()[-3::2] for line in print_ranking(table, lang="en").split("\n")]
    assert ["<0.1%", "0%"] in cells
    assert ["50.0%", "50%"] in cells
    assert [">99.9%", "100%"] in cells


@pytest.mark.parametrize(("lang", "words"), [("zh", "请检查"), ("en", "Check that")])
def test_an_empty_ranking_is_a_sentence_that_says_what_to_do(lang: Lang, words: str) -> None:
    text = print_ranking(ranking(0, 0), lang=lang)
    assert words in text
    assert "--problems" in text


def test_a_list_of_vetoed_firms_only_says_so() -> None:
    text = print_ranking(ranking(0, 2), lang="zh")
    assert text.startswith("没有可排名的企业")
    assert text.count("已注销") == 2


def test_colour_is_added_only_on_request_and_changes_no_word() -> None:
    table = ranking()
    plain, coloured = (print_ranking(table, lang="zh", colour=colour) for colour in (False, True))
    assert "\x1b" not in plain
    assert "\x1b[32m B  \x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


@pytest.mark.parametrize(
    ("wild", "harmless"),
    [
        ("\x1b[1;31m红\x1b[0m", "红"),
        ("\x1b]8;;https://x.example\x1b\\链接\x1b]8;;\x07", "链接"),
        ("\x1b]没有结束的名字", "没有结束的名字"),
        ("\x1b\x1b[31m[32m甲", "[32m甲"),
        ("\x9b31m甲\x90乙", "甲乙"),
        ("上\r\n下\t右\u3000全角", "上 下 右 全角"),
        ("\u202e倒\u2066写\ufeff", "倒写"),
        ("半\ud83d个", "半?个"),
        ("e\u0301 👍", "e\u0301 👍"),
    ],
)
def test_text_from_a_list_loses_its_commands_and_keeps_its_words(wild: str, harmless: str) -> None:
    assert tame(wild) == harmless


def test_very_long_reasons_are_cut_with_a_mark() -> None:
    lines = print_ranking(ranking(1, 0, reasons="超" * 5_000), lang="zh").split("\n")
    assert len(lines) == 4 + MOST_LINES
    assert lines[-2].endswith("…")
    assert lines[-1].startswith("落地可能性：专家估计")
