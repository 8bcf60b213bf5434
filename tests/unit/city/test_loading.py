"""Mistakes in a profile: each with its key, what was found there, what is allowed; all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore.city import load_city, parse_city
from leadscore.errors import CityError, Detail

LAKEPORT = Path(__file__).parents[2] / "cities" / "lakeport.toml"
TEXT = LAKEPORT.read_text(encoding="utf-8")


def edited(*changes: tuple[str, str]) -> str:
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def fault_of(text: str) -> CityError:
    with pytest.raises(CityError) as caught:
        parse_city(text, source="city.toml")
    return caught.value


def only_mistake(*changes: tuple[str, str]) -> Detail:
    fault = fault_of(edited(*changes))
    assert len(fault.details) == 1, fault.render("en")
    return fault.details[0]


BLADE = 'id = "blade"\nname = { zh = "风电叶片", en = "Blades" }\nposition = "upstream"\n'
BLADE_FEEDS = BLADE + 'feeds = ["wind.turbine"]\nsupply = "none"\n'


@pytest.mark.parametrize(
    ("old", "new", "where", "got", "wanted"),
    [
        (
            BLADE_FEEDS,
            BLADE_FEEDS.replace('"none"', '"little"'),
            "chain[wind].segment[blade].supply",
            '"little"',
            'one of "none", "weak", "partial", "strong", "complete", or a number 0 to 1',
        ),
        (
            "supply = 0.4",
            "supply = 1.4",
            "chain[medical].segment[diagnostics].supply",
            "1.4",
            "a number of at most 1",
        ),
        (
            "supply = 0.4",
            "supply = -0.1",
            "chain[medical].segment[diagnostics].supply",
            "-0.1",
            "a number of at least 0",
        ),
        (
            "supply = 0.4",
            "supply = nan",
            "chain[medical].segment[diagnostics].supply",
            "NaN",
            "a finite number",
        ),
        (
            "supply = 0.4",
            "supply = true",
            "chain[medical].segment[diagnostics].supply",
            "true",
            "a number, without quotes",
        ),
        (
            "supply = 0.4",
            "suply = 0.4\nsupply = 0.4",
            "chain[medical].segment[diagnostics].suply",
            "0.4",
            "did you mean supply?",
        ),
        ("maker = 1.0", 'maker = "1"', "roles.maker", '"1"', "a number, without quotes"),
        ("trade = 0.1", "", "roles", "{", "also trade"),
        ("trade = 0.1", "trade = 0.1\nrobber = 1", "roles.robber", '"robber"', "one of maker"),
        ("[ranking]", "[rankings]\n[ranking]", "rankings", "{}", "did you mean ranking?"),
        (
            "{ A = 0.15, B = 0.08, C = 0.04 }",
            "{ A = 0.08, B = 0.15, C = 0.04 }",
            "ranking.grades",
            '{"A": 0.08',
            "falling thresholds: A > B > C",
        ),
        ("{ A = 0.15, B", "{ AA = 0.15, B", "ranking.grades.AA", '"AA"', "one of A, B, C"),
        ("A = 0.15, B = 0.08, C = 0.04", "A = 0.15", "ranking.grades", "{", "also B, C"),
        (
            "base_likelihood = 0.04",
            "base_likelihood = 1.0",
            "card.base_likelihood",
            "1.0",
            "a number below 1",
        ),
        (
            "edges = [0.1, 0.3]",
            "edges = [0.3, 0.1]",
            "card.feature.gap_filled.edges",
            "[0.3, 0.1]",
            "numbers in strictly ascending order",
        ),
        (
            "points = [-8, 4, 16]",
            "points = [-8, 4]",
            "card.feature.gap_filled.points",
            "[-8, 4]",
            "3 points (one more than edges), there are 2",
        ),
        (
            "levels = { maker = 8,",
            'levels = { maker = "8",',
            "card.feature.role.levels.maker",
            '"8"',
            "a number, without quotes",
        ),
        ("unknown = -12\n", "", "card.feature.gap_filled.unknown", "∅", "it must be given"),
        (
            "unknown = -12",
            "unknown = -12\nunkown = 0",
            "card.feature.gap_filled.unkown",
            "0",
            "did you mean unknown?",
        ),
        (
            BLADE,
            BLADE.replace('"upstream"', '"up"'),
            "chain[wind].segment[blade].position",
            '"up"',
            "one of upstream, midstream, downstream",
        ),
        (
            '["海底电缆", "海缆", "海底光缆"]',
            "[]",
            "chain[cable].segment[sea].makes",
            "[]",
            "at least 1 of them",
        ),
        (
            '["海底电缆", "海缆", "海底光缆"]',
            '["海底电缆", "  "]',
            "chain[cable].segment[sea].makes[#2]",
            '"  "',
            "text that is not empty",
        ),
        (
            '["海底电缆", "海缆", "海底光缆"]',
            '"海底电缆"',
            "chain[cable].segment[sea].makes",
            '"海底电缆"',
            "a list in brackets",
        ),
        (
            '{ zh = "海缆", en = "Sea cables" }',
            '{ zh = "海缆", de = "Seekabel", en = "Sea cables" }',
            "chain[cable].name.de",
            '"Seekabel"',
            "allowed: zh, en",
        ),
        (
            '{ zh = "海缆", en = "Sea cables" }',
            '{ zh = "海缆" }',
            "chain[cable].name.en",
            "∅",
            "it must be given",
        ),
        (
            '{ zh = "海缆", en = "Sea cables" }',
            '"海缆"',
            "chain[cable].name",
            '"海缆"',
            'both names, { zh = "…", en = "…" }',
        ),
        ('id = "sea"\n', "", "chain[cable].segment[海底电缆].id", "∅", "it must be given"),
        (
            'id = "sea"',
            'id = "The Sea"',
            "chain[cable].segment[The Sea].id",
            '"The Sea"',
            "an id of lower-case letters",
        ),
        (
            'divisions = ["11", "12"]',
            "divisions = [11]",
            "target_region[capital].divisions[#1]",
            "11",
            "text in quotes",
        ),
        (
            'divisions = ["11", "12"]',
            'divisions = ["110"]',
            "target_region[capital].divisions[#1]",
            '"110"',
            "a division code of 2, 4 or 6 digits",
        ),
        ("year = 2025", "year = 2025.5", "statement.year", "2025.5", "a whole number"),
        ("sought = true", 'sought = "yes"', "sought", '"yes"', "true or false"),
        (
            'evidence = [{ section = "2", quote = "引进叶片" }]',
            'evidence = [{ quote = "引进叶片" }]',
            "chain[wind].segment[blade].evidence[#1]",
            '{"quote"',
            "both section and quote",
        ),
        (
            'quote = "引进叶片"',
            f'quote = "{"引" * 41}"',
            "chain[wind].segment[blade].evidence[#1].quote",
            '"引引',
            "at most 40 characters",
        ),
    ],
)
def test_one_mistake_is_told_with_its_key_what_stands_there_and_what_is_allowed(
    old: str, new: str, where: str, got: str, wanted: str
) -> None:
    detail = only_mistake((old, new))
    assert detail.where.endswith(where)
    assert detail.got.startswith(got)
    assert wanted in detail.wanted.en
    assert detail.wanted.zh != detail.wanted.en


@pytest.mark.parametrize(
    ("old", "new", "where", "wanted"),
    [
        (
            BLADE_FEEDS,
            BLADE_FEEDS.replace("wind.turbine", "wind.turbin"),
            "chain[wind].segment[blade].feeds[#1]",
            "did you mean wind.turbine?",
        ),
        (
            BLADE_FEEDS,
            BLADE_FEEDS.replace("wind.turbine", "turbines.wind"),
            "chain[wind].segment[blade].feeds[#1]",
            "allowed: medical.materials",
        ),
        (
            'segments = ["wind.turbine", "wind.tower"]',
            'segments = ["wind.mast"]',
            "anchor[湖风重工].segments[#1]",
            "a segment of this profile",
        ),
        (
            'segment = "medical.materials"',
            'segment = "medical.material"',
            "neighbour[磨溪市].delivers[medical.material].segment",
            "did you mean medical.materials?",
        ),
        (
            'segments = ["wind.tower", "wind.blade"]',
            'segments = ["wind.blades"]',
            "place[harbour].segments[#1]",
            "did you mean wind.blade?",
        ),
        (
            'id = "converter"',
            'id = "bearing"',
            "chain[wind].segment[#3].id",
            "no repeat of number 2",
        ),
        ('id = "cable"', 'id = "wind"', "chain[#3].id", "no repeat of number 2"),
        ('zh = "东岭市"', 'zh = "磨溪市"', "neighbour[#2].name", "no repeat of number 1"),
        (
            'segment = "medical.materials"',
            'segment = "wind.bearing"',
            "neighbour[磨溪市].delivers[#2].segment",
            "no repeat of number 1",
        ),
        (
            '["海底电缆", "海缆", "海底光缆"]',
            '["海底电缆", "海缆", "海底电缆"]',
            "chain[cable].segment[sea].makes[#3]",
            "it is in makes already",
        ),
        (
            'hints = ["影像"]',
            'hints = ["ＣＴ机"]',
            "chain[medical].segment[imaging].hints[#1]",
            "it is in makes already",
        ),
    ],
)
def test_what_spans_several_tables_is_checked_too(
    old: str, new: str, where: str, wanted: str
) -> None:
    detail = only_mistake((old, new))
    assert detail.where == where
    assert wanted in detail.wanted.en


def test_a_ring_is_named_from_end_to_end() -> None:
    detail = only_mistake(
        ('makes = ["风电场运营"', 'feeds = ["wind.blade"]\nmakes = ["风电场运营"'),
        ('feeds = []\nsupply = "weak"', 'supply = "weak"'),
    )
    assert detail.where == "chain[wind].segment[operation].feeds"
    assert "wind.blade → wind.turbine → wind.operation → wind.blade" in detail.wanted.en
    assert "成环" in detail.wanted.zh


def test_a_segment_that_feeds_itself_is_a_ring() -> None:
    detail = only_mistake((BLADE_FEEDS, BLADE_FEEDS.replace("wind.turbine", "wind.blade")))
    assert "wind.blade → wind.blade" in detail.wanted.en


def test_all_mistakes_come_at_once_be_they_of_one_table_or_of_several() -> None:
    fault = fault_of(
        edited(
            ("supply = 0.4", "supply = 7"),
            (BLADE_FEEDS, BLADE_FEEDS.replace("wind.turbine", "wind.turbin")),
            ('id = "converter"', 'id = "bearing"'),
            ("points = [-8, 4, 16]", "points = [-8]"),
            ("floor = 0.3", 'floor = "0.3"'),
            ("[ranking]", "[ranking]\nflor = 1"),
        )
    )
    assert {detail.where for detail in fault.details} == {
        "chain[medical].segment[diagnostics].supply",
        "chain[wind].segment[blade].feeds[#1]",
        "chain[wind].segment[#3].id",
        "card.feature.gap_filled.points",
        "ranking.floor",
        "ranking.flor",
    }
    assert "6" in fault.message.en
    assert fault.exit_code == 2
    for lang in ("zh", "en"):
        assert len(fault.render(lang).splitlines()) == 7


def test_tables_of_the_wrong_shape_are_mistakes_and_not_a_crash() -> None:
    shapes = ('chain = "x"', "chain = [1]", "chain = [{segment = 3}]", "anchor = {}", "card = []")
    for text in ("", *shapes):
        fault = fault_of(text)
        assert fault.details
        assert all(detail.wanted.zh and detail.wanted.en for detail in fault.details)


def test_one_word_may_speak_of_two_segments() -> None:
    city = parse_city(edited(('["海底电缆",', '["海上风机",')))
    assert "海上风机" in city.segments["cable.sea"].makes
    assert "海上风机" in city.segments["wind.turbine"].makes


def test_a_syntax_error_is_told_with_line_and_column() -> None:
    fault = fault_of('[city]\nid = "x"\nname = {zh = }\n')
    assert "line 3, column 14" in fault.message.en
    assert "第 3 行第 14 列" in fault.message.zh
    assert "name = {zh = }" in fault.message.zh
    assert "city.toml" in fault.message.zh


def test_an_unfinished_file_is_told_to_end_too_early() -> None:
    assert "at its end" in fault_of("[city").message.en


def test_the_same_key_twice_is_a_syntax_error() -> None:
    assert "line 2" in fault_of("id = 1\nid = 2\n").message.en


def test_brackets_nested_beyond_reason_are_refused() -> None:
    assert "too deep" in fault_of("x = " + "[" * 100_000).message.en


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert load_city(path).digest == load_city(LAKEPORT).digest


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_bytes("[city]\nid = 'x'\nname = '湖港'\n".encode("gb18030"))
    with pytest.raises(CityError) as caught:
        load_city(path)
    assert "line 3" in caught.value.message.en
    assert "UTF-8" in caught.value.message.zh


def test_a_missing_file_a_folder_and_an_impossible_path_are_told_apart(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path / "none.toml", "there is no such file"),
        (tmp_path, "it is a folder"),
        (Path("a\0b"), "can't be opened"),
    ):
        with pytest.raises(CityError) as caught:
            load_city(path)
        assert words in caught.value.message.en
        assert not caught.value.details
