"""Every sentence that is shown is drawn from the value that it names."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.sentences import Said, expert_scorer, false_sentences, is_true, sentences

from leadscore.city import City, load_city
from leadscore.features.catalogue import CATALOGUE
from leadscore.files import shipped
from leadscore.lists.cleaning import clean, records_of
from leadscore.lists.dedupe import load_list
from leadscore.lists.reading import from_frame
from leadscore.ranking.score import FirmScore, Scorer

TODAY = date(2026, 11, 30)
PROFILES = (shipped("cities", "nanchang.toml"), Path(__file__).parents[2] / "cities/lakeport.toml")


@pytest.fixture(scope="module", params=PROFILES, ids=lambda path: path.stem)
def scorer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    return expert_scorer(load_city(request.param), tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def scores(scorer: Scorer) -> list[list[FirmScore]]:
    """Return the sample and a list in which every column takes its odd values."""
    listed = load_list(shipped("samples", "electronics.csv"), today=TODAY).firms
    made = clean(from_frame(odd_firms(scorer.city)), today=TODAY).firms
    return [scorer.score(records_of(firms), as_of=TODAY) for firms in (listed, made)]


def odd_firms(city: City) -> pd.DataFrame:
    """Make firms of every segment in every line of work, with the ends of every scale."""
    lines = (
        "{0}、{1}的研发、生产和销售",
        "{0}的批发、零售",
        "{0}生产设备的制造",
        "{0}检测服务",
        "{0}的设计",
    )
    texts = [
        line.format(segment.makes[0], segment.makes[-1])
        for segment in city.segments.values()
        for line in lines
    ]
    texts += ["物业管理、餐饮服务", "", "不含生产的咨询服务"]
    texts += ["在湖北武汉建有生产基地", "在成都、西安设有工厂", "咨询服务"]
    event, anchor = city.events[0], city.anchors[0]
    columns = {
        "注册资本（万元）": ["1000", "0", "", "1234567.8", "0.5"],
        "实缴资本（万元）": ["1000", "0", "2", "", "3"],
        "员工人数": ["12345", "", "", "50-99人", "0"],
        "参保人数": ["10", "223", "", "0", "7"],
        "营业收入（万元）": ["3.1", "", "1000000", "0", "88"],
        "净利润（万元）": ["-2000", "", "300", "0", "88"],
        "营业收入同比增长（%）": ["0", "-0.2", "35.5", "", "0.04"],
        "研发投入占比（%）": ["0.3", "12", "0", "", "99.7"],
        "成立日期": ["2023-12-01", "2026-11-01", "1999-01-01", "", "2025-05-05"],
        "专利数量": ["0", "1", "", "1200", "15"],
        "分支机构数": ["0", "1", "", "25"],
        "意向投资额（万元）": ["50", "", "120000"],
        "融资轮次": ["A轮", "未融资", "", "已上市", "战略投资"],
        "资质": ["高新技术企业", "无", "", "专精特新小巨人", "单项冠军"],
        "登记状态": ["存续", "注销", "", "吊销", "迁出"],
        "风险": ["无", "失信被执行人", "", "行政处罚、经营异常"],
        "活动": [event.name.zh, "外地的展会", "", f"在{event.name.zh}上接触"],
        "推荐企业": [anchor.name, "朋友", "", f"{anchor.name}某部"],
        "省份": ["广东省", "江西省", "", "上海市", "江西省"],
        "城市": ["深圳市", "吉安市", "", "", "赣州市"],
        "行业": ["制造业", "批发业", "", "软件和信息技术服务业", "房地产业"],
    }
    rows = len(texts)
    table = {"企业名称": [f"虚构{number}号有限公司" for number in range(rows)], "主营业务": texts}
    for step, (name, values) in enumerate(columns.items()):
        turned = itertools.islice(itertools.cycle(values), step % len(values), None)
        table[name] = list(itertools.islice(turned, rows))
    table["公司简介"] = [""] * (rows - 1) + ["本公司诚信经营，踏实做事，" * 8]
    return pd.DataFrame(table)


def with_points(scores: list[FirmScore], seed: int) -> list[FirmScore]:
    """Return the scores as a card would give them that counts any value either way."""
    draws = np.random.default_rng(seed).normal(size=(len(scores), len(CATALOGUE))).tolist()
    return [
        dataclasses.replace(score, points=dict(zip(CATALOGUE, drawn, strict=True)))
        for score, drawn in zip(scores, draws, strict=True)
    ]


def test_every_sentence_says_what_the_values_say(
    scores: list[list[FirmScore]], scorer: Scorer
) -> None:
    for each in scores:
        read, false = false_sentences(each, scorer.wording, scorer.city)
        assert read.total() > 500
        assert [(said.feature, said.value, said.text) for said in false] == []


def test_a_sentence_stays_true_however_a_card_counts_the_value(
    scores: list[list[FirmScore]], scorer: Scorer
) -> None:
    read = set()
    for seed, each in enumerate(scores):
        worded, false = false_sentences(with_points(each, seed), scorer.wording, scorer.city)
        read |= set(worded)
        assert [(said.feature, said.value, said.text) for said in false] == []
    assert read == set(CATALOGUE)


def test_a_sentence_about_another_firm_is_seen_to_be_false(
    scores: list[list[FirmScore]], scorer: Scorer
) -> None:
    """Lay each sentence beside the values of the next firm of which another one is said."""
    pairs: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    for each in scores:
        said = [
            said
            for said in sentences(with_points(each, 6), scorer.wording, scorer.city)
            if said.lang == "zh"
        ]
        said.sort(key=lambda one: one.feature)
        for one, other in itertools.pairwise(said):
            if one.feature == other.feature and one.text != other.text:
                pairs[one.feature] += 1
                caught[one.feature] += not holds(dataclasses.replace(other, text=one.text))
    nowhere = (
        set() if scorer.city.division_code else {"same_province", "neighbour_city", "distance_km"}
    )
    assert set(pairs) == set(CATALOGUE) - nowhere
    # Firms of one segment may share a sentence about it, whatever else is said of either.
    assert {
        name: caught[name] / pairs[name] for name in pairs if caught[name] < 0.7 * pairs[name]
    } == {}


def holds(said: Said) -> bool:
    try:
        return is_true(said)
    except (AssertionError, KeyError, StopIteration, ValueError):
        return False


def corrected_firms(city: City) -> list[dict[str, object]]:
    """Give the sample what officers may say of it, all kinds beside each other."""
    listed = records_of(load_list(shipped("samples", "electronics.csv"), today=TODAY).firms)
    segments = [
        *city.segments,
        f"{next(iter(city.segments))};{list(city.segments)[-1]}",
        "",
        "gone",
    ]
    roles = [None, *(role for role in CATALOGUE["role"].levels if role != "none")]
    features = [None, "staff", "gap_filled;match_strength", ";".join(CATALOGUE)]
    firms: list[dict[str, object]] = []
    for at, firm in enumerate(listed):
        said = {
            "segments": segments[at % len(segments)], "role": roles[at % len(roles)],
            "unfounded": features[at % len(features)],
        }  # fmt: skip
        firms.append(
            dict(firm) | {name: value for name, value in said.items() if value is not None}
        )
    return firms


def test_no_sentence_of_a_corrected_firm_says_otherwise_than_its_value(scorer: Scorer) -> None:
    firms = corrected_firms(scorer.city)
    scores = with_points(scorer.score(firms, as_of=TODAY), 3)  # type: ignore[arg-type]
    read, false = false_sentences(scores, scorer.wording, scorer.city)
    assert [(said.feature, said.value, said.text) for said in false] == []
    texts = [said.text for said in sentences(scores, scorer.wording, scorer.city)]
    for part in (
        "set by an officer",
        "an officer puts it in",
        "none of the city's",
        "called wrong",
    ):
        assert any(part in text for text in texts), part
    assert read.total() > 1_000


def test_a_sentence_of_a_correction_that_is_not_there_is_caught(scorer: Scorer) -> None:
    firm = {"name": "甲有限公司", "segments": next(iter(scorer.city.segments))}
    scores = with_points(scorer.score([firm], as_of=TODAY), 3)
    said = [each for each in sentences(scores, scorer.wording, scorer.city)
            if "人工认定" in each.text or "an officer" in each.text]  # fmt: skip
    assert said
    for each in said:
        assert is_true(each)
        record = {name: value for name, value in each.record.items() if name != "segments"}
        assert not is_true(dataclasses.replace(each, words="灯具", record=record))
