"""A model's manifest as text and as a page: everything told, in either language, and harmless."""

from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from leadscore.city.loading import load_city
from leadscore.errors import ModelError
from leadscore.features.catalogue import CATALOGUE
from leadscore.files import shipped
from leadscore.learning.card import AdditiveCard
from leadscore.learning.expert import expert_scorecard
from leadscore.learning.metrics import evaluate
from leadscore.learning.scorecard import (
    CategoricalTable,
    NumericTable,
    Scorecard,
    log_odds_to_points,
)
from leadscore.numbers import likelihood
from leadscore.registry.manifest import Manifest
from leadscore.report import card_sections, model_sections, render_html, render_text, wording
from leadscore.report.facts import Card, read_model
from leadscore.terminal import display_width
from leadscore.text import LANGUAGES, Text, room_words

CITY = load_city(shipped("cities", "nanchang.toml"))
HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m&\"'\u2028]]>"
BROKEN = HOSTILE + "\ud800"
VOID = {"meta", "link", "br", "hr", "img", "col", "input"}


def expert() -> dict[str, Any]:
    return {
        "schema": 1,
        "version": "nanchang-expert-0123456789",
        "kind": "expert",
        "city": {"id": CITY.id, "digest": CITY.digest},
        "created": "2026-07-01T08:05:00+00:00",
        "outcomes": 0,
        "scorecard": expert_scorecard(CITY).to_dict(),
        "artefact": {"file": "card.npz", "bytes": 48211, "sha256": "9f" * 32},
        "libraries": {"python": "3.11.9", "scikit-learn": "1.9.0"},
    }


def fitted(level: str = "maker") -> tuple[Scorecard, pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(7)
    n = 240
    X = pd.DataFrame(
        {
            "registered_capital_cny": np.exp(rng.normal(17.5, 1.5, n)),
            "staff": rng.integers(1, 900, n).astype(float),
            "gap_filled": rng.uniform(0, 1, n),
            "sought": rng.integers(0, 2, n).astype(float),
            "role": rng.choice([level, "trade", "design"], n),
            "age_years": rng.uniform(0, 30, n),
            "x_unheard_of": rng.normal(0, 1, n),
        }
    )
    X.loc[::9, "staff"] = np.nan
    X.loc[::11, "role"] = None
    p = 1 / (1 + np.exp(-(2 * X["gap_filled"] - 1.5 + 0.8 * (X["role"] == level))))
    y = (rng.uniform(size=n) < p).astype(int).to_numpy()
    card = AdditiveCard(max_bins=12).fit(X, y)
    return card.scorecard_, X, y


def records(card: Scorecard) -> list[dict[str, Any]]:
    """Return a card as the records that a trained manifest keeps, with bands and counts."""
    rows = [_record("", "intercept", "intercept", card.intercept)]
    for table in card.tables:
        kind = "numeric" if isinstance(table, NumericTable) else "categorical"
        if isinstance(table, NumericTable):
            lows, highs = [None, *table.edges.tolist()], [*table.edges.tolist(), None]
            for low, high, value in zip(lows, highs, table.values.tolist(), strict=True):
                rows.append(_record(table.feature, kind, f"[{low}, {high})", value, low, high))
        else:
            for level, value in zip(table.levels, table.values.tolist(), strict=True):
                rows.append(_record(table.feature, kind, level, value))
            rows.append(_record(table.feature, kind, "other", table.other))
        rows.append(_record(table.feature, kind, "unknown", table.unknown))
    return rows


def _record(
    feature: str,
    kind: str,
    entry: str,
    log_odds: float,
    low: float | None = None,
    high: float | None = None,
) -> dict[str, Any]:
    points = log_odds_to_points(log_odds)
    return {
        "feature": feature, "kind": kind, "entry": entry, "low": low, "high": high,
        "log_odds": log_odds, "points": points, "points_low": points - 6.0,
        "points_high": points + 6.0, "count": 12.0, "positives": 3.0,
    }  # fmt: skip


def pair() -> list[dict[str, Any]]:
    cells = [(a, b) for a in ("maker", "trade") for b in ("< 50", "≥ 50", "unknown")]
    return [
        _record("role × staff", "pair", f"{a} × {b}", 0.1 * at - 0.2)
        for at, (a, b) in enumerate(cells)
    ]


def trained(level: str = "maker") -> dict[str, Any]:
    card, X, y = fitted(level)
    p = 1 / (1 + np.exp(-card.decision(X)))
    groups = np.where(np.arange(len(y)) % 3 == 0, "mobile", "led")
    ours = evaluate(y, p, groups=groups, n_bootstrap=30).to_dict()
    theirs = evaluate(y, 0.5 * p + 0.2, groups=groups, n_bootstrap=30).to_dict()
    return expert() | {
        "version": "nanchang-20260630-ab12cd34ef",
        "kind": "trained",
        "family": "card",
        "as_of": "2026-06-30",
        "target": "signed",
        "horizon_days": 365,
        "outcomes": {
            "known": 240, "positive": int(y.sum()), "open": 31, "assumed": 12,
            "left_out": {"no_snapshot": 4}, "contacted_from": "2023-02-11",
            "contacted_to": "2026-05-30",
        },
        "training": {"events_sha256": "ab" * 32},
        "settings": {"prior_strength": 50, "seed": 0},
        "trial": {
            "split": "2025-11-01", "train": 140, "later": 100,
            "champion": "nanchang-expert-0123456789",
        },
        "measures": {"challenger": ours, "champion": theirs},
        "decision": {
            "promoted": False,
            "overruled": None,
            "gates": [
                {"id": "not_worse", "passed": True,
                 "sentence": {"zh": "没有变差。", "en": "It is not worse."},
                 "figures": {"difference": -0.03}},
                {"id": "stable", "passed": False,
                 "sentence": {"zh": "得分突变。", "en": "The scores jumped."},
                 "figures": {"psi": 0.41}},
                {"id": "order", "state": "not_measured", "passed": False,
                 "sentence": {"zh": "无从判断。", "en": "The order can't be told."},
                 "figures": {}},
            ],
        },
        "scorecard": card.to_dict(),
        "table": [*records(card), *pair()],
    }  # fmt: skip


@pytest.fixture(scope="module")
def kept() -> dict[str, dict[str, Any]]:
    return {"expert": expert(), "trained": trained()}


def card_of(manifest: dict[str, Any]) -> Card:
    return read_model(Manifest.of(manifest), "en", CITY).card


class Nesting(HTMLParser):
    """Follows a page as a browser's parser would, and notes what was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(page: str) -> Nesting:
    parser = Nesting()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def tree(page: str) -> ET.Element:
    head, _, rest = page.partition("\n")
    assert head == "<!DOCTYPE html>"
    return ET.fromstring(rest)  # noqa: S314 - our own page


def shown(page: str) -> str:
    """Return what a reader sees: no markup, no style, no identifiers set as code."""
    root = tree(page)
    for parent in root.iter():
        for child in list(parent):
            if child.tag in {"style", "code"}:
                parent.remove(child)
    return " ".join(root.itertext())


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", ["expert", "trained"])
def test_a_page_is_well_formed_as_html_and_as_xml(kept, kind, lang):
    page = render_html(Manifest.of(kept[kind]), lang, CITY)
    read(page)
    root = tree(page)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in root.iter():
        for name in ("aria-labelledby", "href"):
            for target in (element.get(name) or "").split():
                assert target.lstrip("#") in ids


@pytest.mark.parametrize("kind", ["expert", "trained"])
def test_a_page_runs_no_script_and_fetches_nothing(kept, kind):
    seen = read(render_html(Manifest.of(kept[kind]), "en", CITY)).seen
    assert not {tag for tag, _ in seen} & {"script", "link", "img", "iframe", "object", "base"}
    for _, attributes in seen:
        assert not {name for name in attributes if name.startswith("on") or name == "src"}
        assert (attributes.get("href") or "#").startswith("#")
    page = render_html(Manifest.of(kept[kind]), "en", CITY)
    assert "url(" not in page
    assert "@import" not in page
    assert "http:" not in page
    assert "https:" not in page
    policy = [a for _, a in seen if a.get("http-equiv") == "Content-Security-Policy"]
    assert [a["content"] for a in policy] == ["default-src 'none'; style-src 'unsafe-inline'"]


@pytest.mark.parametrize("kind", ["expert", "trained"])
def test_every_chart_says_what_it_shows_and_stands_by_a_table(kept, kind):
    root = tree(render_html(Manifest.of(kept[kind]), "en", CITY))
    charts = [e for e in root.iter("svg") if e.get("aria-hidden") != "true"]
    assert len(charts) >= len(card_of(kept[kind]).tables)
    for chart in charts:
        assert chart.get("role") == "img"
        assert [child.tag for child in chart][:2] == ["title", "desc"]
        assert all(child.text for child in list(chart)[:2])
    for article in root.iter("article"):
        assert article.find(".//svg") is not None
        assert article.find(".//details//table") is not None


def test_coordinates_stay_within_their_chart(kept):
    for chart in tree(render_html(Manifest.of(kept["trained"]), "en", CITY)).iter("svg"):
        _, _, width, height = map(float, chart.get("viewBox").split())
        for mark in chart.iter("rect"):
            x, y, w, h = (float(mark.get(k)) for k in ("x", "y", "width", "height"))
            assert -0.01 <= x <= x + w <= width + 0.01
            assert -0.01 <= y <= y + h <= height + 0.01


@pytest.mark.parametrize("kind", ["expert", "trained"])
def test_english_holds_no_chinese_and_chinese_no_english_sentence(kept, kind):
    english = shown(render_html(Manifest.of(kept[kind]), "en", CITY)) + render_text(
        Manifest.of(kept[kind]), "en", CITY
    )
    assert not re.search("[\u4e00-\u9fff]", english)
    chinese = shown(render_html(Manifest.of(kept[kind]), "zh", CITY)) + render_text(
        Manifest.of(kept[kind]), "zh", CITY
    )
    for known in ("x_unheard_of", kept[kind]["version"], "nanchang-expert-0123456789"):
        chinese = chinese.replace(known, "")
    left = set(re.findall(r"[A-Za-z]{2,}", chinese))
    assert left <= {"AUC", "Brier", "LED", "VR", "AR", "UTC", "leadscore", "manifest", "json"}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", ["expert", "trained"])
def test_no_line_of_text_is_wider_than_a_terminal(kept, kind, lang):
    lines = render_text(Manifest.of(kept[kind]), lang, CITY).splitlines()
    assert max(map(display_width, lines)) <= 100
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_bars_of_a_feature_stand_in_one_column_whatever_the_script(kept, lang):
    blocks = render_text(Manifest.of(kept["trained"]), lang, CITY).split("\n\n")
    tables = [block for block in blocks if "│" in block]
    assert len(tables) == len(card_of(kept["trained"]).tables)
    for block in tables:
        assert len({display_width(line.partition("│")[0]) for line in block.splitlines()[1:]}) == 1


def test_the_same_manifest_gives_the_same_page(kept):
    again = json.loads(json.dumps(kept["trained"]))
    for lang in LANGUAGES:
        assert render_html(Manifest.of(again), lang, CITY) == render_html(
            Manifest.of(kept["trained"]), lang, CITY
        )
        assert render_text(Manifest.of(again), lang, CITY) == render_text(
            Manifest.of(kept["trained"]), lang, CITY
        )


def test_an_expert_card_says_plainly_that_nothing_was_measured(kept):
    expert = Manifest.of(kept["expert"])
    for said in (render_text(expert, "en", CITY), shown(render_html(expert, "en", CITY))):
        assert "so there are no measures, bands or counts" in " ".join(said.split())
        assert "AUC" not in said
        assert "90%" not in said
    assert "没有检验指标" in render_text(Manifest.of(kept["expert"]), "zh", CITY)


def test_points_of_experts_are_whole_and_those_of_a_fit_have_a_decimal(kept):
    text = render_text(Manifest.of(kept["expert"]), "en", CITY)
    assert re.search(r"deregistered .*-60$", text, re.MULTILINE)
    assert re.search(r"│.* [+-]\d+\.\d +\[", render_text(Manifest.of(kept["trained"]), "en", CITY))


def test_every_feature_is_told_the_weightiest_first(kept):
    card = card_of(kept["expert"])
    reaches = [table.highest - table.lowest for table in card.tables]
    assert np.diff(reaches).max() < 1e-6
    meanings = {feature.meaning.en.lower() for feature in CATALOGUE.values()}
    assert {name.lower() for name in [t.name for t in card.tables] + card.silent} == meanings
    text = render_text(Manifest.of(kept["expert"]), "zh", CITY)
    page = shown(render_html(Manifest.of(kept["expert"]), "zh", CITY))
    for feature in CATALOGUE.values():
        assert feature.meaning.zh in " ".join(text.split("\n"))
        assert feature.meaning.zh in page


def test_a_card_reads_the_same_from_its_records_and_from_its_scorecard():
    card, _, _ = fitted()
    by_records = card_of({"table": records(card), "scorecard": card.to_dict()})
    by_card = card_of({"scorecard": card.to_dict()})
    assert by_records.base == by_card.base
    assert [t.feature for t in by_records.tables] == [t.feature for t in by_card.tables]
    for one, other in zip(by_records.tables, by_card.tables, strict=True):
        assert one.edges == other.edges
        assert [(e.part, e.label) for e in one.entries] == [
            (e.part, e.label) for e in other.entries
        ]
        assert np.allclose([e.points for e in one.entries], [e.points for e in other.entries])


def test_a_level_that_is_called_other_is_not_taken_for_all_others():
    rows = [
        _record("industry_kind", "categorical", entry, value)
        for entry, value in (("other", -0.3), ("trade", 0.2), ("other", 0.0), ("unknown", 0.1))
    ]
    rows.insert(0, _record("", "intercept", "intercept", -1.0))
    (table,) = card_of({"table": rows}).tables
    assert [entry.part for entry in table.entries] == ["level", "level", "other", "unknown"]
    text = render_text(Manifest.of({"table": rows}), "zh")
    assert "其他行业" in text
    assert "其他取值" in text


def test_bands_are_written_in_the_unit_of_the_feature():
    edges = {
        "registered_capital_cny": [5e6, 3e7, 1e8],
        "gap_filled": [0.02, 0.125],
        "staff": [50.0, 300.0],
        "gaps_matched": [1.0, 2.0, 4.0],
        "steps_to_strength": [0.5, 1.5],
        "age_years": [1.0, 3.0],
        "sought": [0.5],
    }
    tables = [NumericTable(f, np.array(e), np.arange(len(e) + 1.0), -1.0) for f, e in edges.items()]
    manifest = {"scorecard": Scorecard(0.0, tuple(tables)).to_dict()}
    zh, en = (render_text(Manifest.of(manifest), lang) for lang in LANGUAGES)
    for band in (
        "< 500万元", "500–3,000万元", "≥ 1亿元", "2%–12.5%", "< 50", "50–300", "≥ 300", "2–3",
        "≥ 4", "1–3 年", "否", "是", "未知",
    ):  # fmt: skip
        assert re.search(rf"^  {re.escape(band)} +[█│]", zh, re.MULTILINE), band
    for band in ("< CNY 5 million", "CNY 5–30 million", "≥ CNY 100 million", "≥ 3 years", "yes"):
        assert re.search(rf"^  {re.escape(band)} +[█│]", en, re.MULTILINE), band


def test_edges_close_together_are_told_apart():
    edges = np.array([1_234_567.0, 1_234_890.0, 1_235_000.0])
    table = NumericTable("registered_capital_cny", edges, np.array([0.0, 0.1, 0.2, 0.3]), 0.0)
    for lang in LANGUAGES:
        manifest = Manifest.of({"scorecard": Scorecard(0.0, (table,)).to_dict()})
        text = render_text(manifest, lang)
        labels = [line.split("│")[0].strip(" █") for line in text.splitlines() if "│" in line]
        assert len(labels) == 5
        assert len(set(labels)) == 5


def test_gates_are_told_by_sign_and_sentence_without_colour(kept):
    text = render_text(Manifest.of(kept["trained"]), "en", CITY)
    assert "  ✓ It is not worse." in text
    assert "  ✗ The scores jumped." in text
    assert "  – The order can't be told." in text
    assert "not promoted, 1 of 3 gates failed, 1 could not be measured" in text
    page = shown(render_html(Manifest.of(kept["trained"]), "zh", CITY))
    assert "✓ 通过" in page
    assert "✗ 未过" in page
    assert "– 无从检验" in page
    assert "得分突变。" in page


def test_the_reason_of_a_person_who_overruled_is_told(kept):
    manifest = copy.deepcopy(kept["trained"])
    manifest["decision"] |= {"promoted": True, "overruled": "the list was cleaned"}
    for said in (
        render_text(Manifest.of(manifest), "en"),
        shown(render_html(Manifest.of(manifest), "en")),
    ):
        assert "the list was cleaned" in said
        assert "promoted by a person, though 1 of 3 gates failed" in said.replace("Pro", "pro")


def test_hostile_text_anywhere_in_a_manifest_is_harmless():
    manifest = trained(level=HOSTILE)
    manifest["table"] += [_record(BROKEN, "categorical", BROKEN, 0.4)]
    manifest["table"] += [_record(f"role × {BROKEN}", "pair", f"{BROKEN} × {BROKEN}", 0.4)]
    for key in ("as_of", "created", "horizon_days"):
        with pytest.raises(ValidationError):
            Manifest.of(manifest | {key: BROKEN})
    for key in ("version", "family", "kind", "target"):
        manifest[key] = BROKEN
    manifest["city"] = {"id": BROKEN}
    manifest["outcomes"]["left_out"] = {BROKEN: 3}
    manifest["outcomes"]["contacted_from"] = BROKEN
    manifest["settings"] = {BROKEN: {BROKEN: [BROKEN]}}
    manifest["libraries"] = {BROKEN: BROKEN}
    manifest["trial"] |= {"split": BROKEN, "champion": BROKEN}
    groups = manifest["measures"]["challenger"]["groups"]
    groups[BROKEN] = groups["led"]
    sentence = {"zh": BROKEN, "en": BROKEN}
    gate = {"id": BROKEN, "passed": False, "sentence": sentence, "figures": {BROKEN: 1}}
    manifest["decision"] |= {"gates": [gate], "overruled": BROKEN}
    page, text = render_html(Manifest.of(manifest), "en"), render_text(Manifest.of(manifest), "en")
    tags = {tag for tag, _ in read(page).seen}
    assert "script" not in tags
    tree(page)
    for said in (page, text):
        said.encode()
        assert all(char.isprintable() or char == "\n" for char in said)
    assert "&lt;script&gt;" in page
    assert "⟨U+202E⟩" in page
    assert "⟨U+001B⟩" in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_manifest_may_lack_almost_everything(lang):
    bare = {"scorecard": expert_scorecard(CITY).to_dict()}
    tree(render_html(Manifest.of(bare), lang))
    assert render_text(Manifest.of(bare), lang)
    empty = {"scorecard": Scorecard(-1.0, ()).to_dict(), "kind": "trained", "measures": None}
    tree(render_html(Manifest.of(empty), lang))
    assert render_text(Manifest.of(empty), lang)


def test_measures_that_are_undefined_are_dashes(kept):
    manifest = copy.deepcopy(kept["trained"])
    nothing = {"value": None, "low": None, "high": None}
    for model in manifest["measures"].values():
        model["measures"] = dict.fromkeys(model["measures"], nothing)
        model["top"] = [
            {"share": 0.1, "n": 1, "lift": nothing, "captured": nothing} for _ in range(1)
        ]
        model["reliability"] = []
    tree(render_html(Manifest.of(manifest), "en"))
    text = render_text(Manifest.of(manifest), "en")
    assert re.search(r"^  AUC +– +–$", text, re.MULTILINE)
    assert "nan" not in text.lower().replace("nanchang", "")


def test_a_model_without_a_champion_to_meet_is_told_alone(kept):
    manifest = copy.deepcopy(kept["trained"])
    manifest["measures"]["champion"] = None
    page = render_html(Manifest.of(manifest), "en")
    tree(page)
    measures = render_text(Manifest.of(manifest), "en").split("Measures")[1].split("\n\n")[0]
    assert "challenger" in measures
    assert "champion" not in measures


def test_an_interval_without_one_end_says_so(kept):
    manifest = copy.deepcopy(kept["trained"])
    slope = {"value": 3.0, "low": 1.2, "high": None}
    manifest["measures"]["challenger"]["measures"]["calibration_slope"] = slope
    assert "3.00 [1.20, …]" in render_text(Manifest.of(manifest), "en")
    tree(render_html(Manifest.of(manifest), "en"))


def test_a_forecast_is_never_shown_as_certain():
    card = Scorecard(20.0, (NumericTable("staff", np.array([5.0]), np.array([0.0, 9.0]), 0.0),))
    page = shown(render_html(Manifest.of({"scorecard": card.to_dict()}), "en"))
    assert likelihood(0.99999999) == ">99.9%"
    assert ">99.9%" in page
    assert "100%" not in page


def test_what_is_no_card_is_refused():
    with pytest.raises(ModelError):
        render_html(Manifest.of({"kind": "trained"}), "en")
    with pytest.raises(ModelError):
        render_text(Manifest.of({"kind": "expert", "scorecard": {"schema": 99}}), "zh")


def test_a_pair_of_a_kept_card_is_named_by_both_features_and_values(kept):
    root = tree(render_html(Manifest.of(kept["trained"]), "en", CITY))
    named = {"".join(e.find("h3").itertext()): e for e in root.iter("article")}
    (article,) = (article for name, article in named.items() if "×" in name)
    values = [text.text for text in article.iter("text") if text.get("class") == "value"]
    assert len(values) == len(pair())
    assert "maker × ≥ 50" in "".join(article.itertext())


def test_a_kept_boosted_card_is_said_to_be_one(kept):
    manifest = kept["trained"] | {"family": "boosted"}
    assert "learned from outcomes (boosted trees)" in render_text(Manifest.of(manifest), "en")
    assert "训练的模型（提升树）" in render_text(Manifest.of(manifest), "zh")


def test_the_page_stays_small_with_many_bins_and_levels(tmp_path: Path):
    edges = np.exp(np.linspace(10, 24, 63))
    tables = [NumericTable(f"n{at}", edges, np.sin(np.arange(64.0)), 0.1) for at in range(40)]
    manifest = {"scorecard": Scorecard(0.0, tuple(tables)).to_dict()}
    path = tmp_path / "model.html"
    path.write_text(render_html(Manifest.of(manifest), "zh"), encoding="utf-8")
    assert path.stat().st_size < 1_500_000


def test_every_word_is_said_somewhere(
    kept: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    words, said = dict(room_words("report")), set()

    class Heard(dict[str, Text]):
        def __getitem__(self, key: str) -> Text:
            said.add(key)
            return super().__getitem__(key)

    monkeypatch.setattr(wording, "WORDS", Heard(words))
    trained, decision = kept["trained"], kept["trained"]["decision"]
    edges, levels = np.array([1.0, 2.0]), tuple(f"level {at}" for at in range(30))
    tables = (
        NumericTable("age_years", edges, np.array([0.0, 1.0, 2.0]), 0.0),
        NumericTable("staff", edges[:0], np.array([1.0]), 0.0),
        CategoricalTable("role", levels, np.arange(30.0), 0.0, 0.0),
        NumericTable("patents", edges, np.zeros(3), 0.0),
        NumericTable("revenue_cny", edges, np.zeros(3), 0.0),
    )
    for manifest in (
        kept["expert"],
        trained,
        trained | {"family": "boosted", "decision": decision | {"promoted": True}},
        trained | {"decision": decision | {"overruled": "the list was cleaned"}},
        {"kind": "trained", "scorecard": Scorecard(0.0, tables).to_dict()},
        trained | {"average": {"points": {"role": 2.0}, "firms": 144, "own": False}},
        kept["expert"] | {"average": {"points": {"role": 2.0}, "firms": 80, "own": True}},
    ):
        render_html(Manifest.of(manifest), "en", CITY)
        render_text(Manifest.of(manifest), "en", CITY)
    assert said == words.keys()


def test_both_languages_have_the_same_places() -> None:
    for key, text in room_words("report").items():
        zh, en = (sorted(re.findall(r"\{.*?\}", half)) for half in (text.zh, text.en))
        assert zh == en, key


@pytest.mark.parametrize("kind", ["expert", "trained"])
def test_the_sections_are_those_of_the_page(kept: dict[str, dict[str, Any]], kind: str) -> None:
    page, parts = (
        render_html(Manifest.of(kept[kind]), "zh", CITY),
        model_sections(Manifest.of(kept[kind]), "zh", CITY),
    )
    for part in (parts.contents, parts.sections, parts.status):
        assert part.strip() in page
    assert bool(parts.status) == (kind == "trained")
    card = card_sections(Manifest.of(kept[kind]), "zh", CITY)
    assert re.findall('<section id="(.*?)"', card) == ["reading", "card"]
    for section in re.findall("<section.*?</section>", card, re.DOTALL):
        assert section in page
