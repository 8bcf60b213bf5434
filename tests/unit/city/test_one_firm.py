"""A firm that is read alone, without arrays, gets what it gets in a list, to the last bit."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.city.lexicon import load_lexicon
from leadscore.city.loading import load_city
from leadscore.city.matching import Matcher
from leadscore.city.strength import TEXT_COLUMNS

ROOT = Path(__file__).parents[3]
PROFILES = [ROOT / "tests" / "cities" / "lakeport.toml", *sorted(ROOT.glob("data/cities/*.toml"))]
MATCHERS = [Matcher(load_city(path)) for path in PROFILES]
MARKS = [*"、，。；()（）等用为和及的/+- .,:\n", "TFT-LCD", "İ", "＋", "𠀀", "1.5", "\ufffd"]
CUES = sorted({word for words in load_lexicon().groups.values() for word in words})
PRODUCTS = sorted({word for matcher in MATCHERS for word in matcher._vocabulary.patterns})

Row = dict[str, str]

texts = st.lists(
    st.one_of(*map(st.sampled_from, (MARKS, CUES, PRODUCTS)), st.text(max_size=3)), max_size=25
).map("".join)
rows = st.dictionaries(st.sampled_from(list(TEXT_COLUMNS)), texts)


def both(matcher: Matcher, firms: list[Row]) -> list[list[tuple[object, ...]]]:
    columns = {name: [firm.get(name) for firm in firms] for name in TEXT_COLUMNS}
    found = []
    for walk in (matcher.one_by_one, matcher.together):
        strengths, words = walk(columns, len(firms))
        parts = (strengths.firm, strengths.segment, strengths.role, strengths.strength)
        found.append(list(zip(*(part.tolist() for part in parts), words, strict=True)))
    return found


@pytest.mark.parametrize("matcher", MATCHERS)
def test_every_firm_of_the_sample_list_is_matched_alike_alone_and_in_the_list(
    matcher: Matcher,
) -> None:
    with (ROOT / "data" / "samples" / "electronics.csv").open(encoding="utf-8-sig") as file:
        listed = list(csv.DictReader(file))
    headers = {"企业名称": "name", "主营业务": "main_business", "经营范围": "business_scope"}
    firms = [{headers[key]: row[key] for key in headers if row[key]} for row in listed]
    alone, together = both(matcher, firms)
    assert alone == together
    assert matcher is MATCHERS[0] or len(alone) > len(firms)


@pytest.mark.parametrize("matcher", MATCHERS)
@given(firms=st.lists(rows, max_size=4))
def test_any_texts_are_matched_alike_alone_and_together(matcher: Matcher, firms: list[Row]) -> None:
    alone, together = both(matcher, firms)
    assert alone == together


def test_a_long_scope_adds_up_alike() -> None:
    matcher = MATCHERS[-1]
    segment = matcher._vocabulary.segment
    own = [p for p, at in zip(matcher._vocabulary.patterns, range(len(segment)), strict=False) if p]
    firms = [{"business_scope": "、".join(own[start : start + 300])} for start in (0, 300, 600)]
    alone, together = both(matcher, firms)
    assert alone == together
    assert alone
