"""Pursuits whose snapshots are all later than first contact, and what may be learned from them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.simulation import History, simulate, simulated_city

from leadscore.city import City
from leadscore.features.extract import FeatureExtractor
from leadscore.learning.comparison import Comparison, Pursuits
from leadscore.learning.expert import expert_scorecard, new_card
from leadscore.learning.gates import decide
from leadscore.learning.readiness import readiness
from leadscore.learning.retrain import retrain
from leadscore.learning.scorecard import Scorecard
from leadscore.learning.training_data import (
    FACTS,
    UNCHANGING,
    Rules,
    TrainingData,
    backtest,
    build_dataset,
    fit,
)
from leadscore.lists.columns import CANONICAL
from leadscore.registry.models import ModelRegistry

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
ASSUMING = Rules(assume_unchanging=True)


@pytest.fixture(scope="module")
def city() -> City:
    return simulated_city()


@pytest.fixture(scope="module")
def history(city: City) -> History:
    return simulate(city, pursuits=60, quarters=6, seed=3)


@pytest.fixture(scope="module")
def features(city: City) -> FeatureExtractor:
    return FeatureExtractor(city)


def late(history: History) -> pd.DataFrame:
    """Return the snapshots as if all had been kept on the last day."""
    snapshots = history.snapshots().drop_duplicates("credit_code", keep="last")
    return snapshots.assign(as_of=pd.Timestamp(history.until))


def dataset(
    features: FeatureExtractor, history: History, snapshots: pd.DataFrame,
    rules: Rules = ASSUMING, facts: pd.DataFrame | None = None,
) -> TrainingData:  # fmt: skip
    return build_dataset(
        features, history.events(), snapshots, as_of=history.until, rules=rules, facts=facts
    )


def facts_of(*rows: tuple[str, str, object, str]) -> pd.DataFrame:
    """Return dated facts: credit code, field, value, day."""
    table = pd.DataFrame(
        [(code, None, None, field, value, day) for code, field, value, day in rows],
        columns=list(FACTS), dtype="object",
    )  # fmt: skip
    return table.astype({**FACTS, "value": "object"})


def test_late_snapshots_teach_nothing_unless_it_is_asked_for(
    features: FeatureExtractor, history: History
) -> None:
    plain = dataset(features, history, late(history), Rules())
    assert len(plain.y) == 0
    assert plain.left_out == {"snapshot_after_contact": 60}
    assert len(plain.late) == 60
    data = dataset(features, history, late(history))
    assert data.assumed.all()
    assert set(data.firms["known_since"]) == {"assumed"}
    assert len(data.y) == 60
    assert data.left_out == {}
    assert (data.firms["as_of"] == data.contacted).all()


def test_a_fact_later_than_contact_reaches_no_feature_but_three_kinds(
    features: FeatureExtractor, history: History
) -> None:
    """Whatever else the later list says, and however it is changed, X stays as it is."""
    snapshots = late(history)
    X = dataset(features, history, snapshots).X
    other = snapshots.copy()
    for column in CANONICAL:
        if column.name in (*UNCHANGING, "name", "credit_code", "former_names"):
            continue
        if column.dtype == "float64":
            other[column.name] = 7.0
        elif column.dtype.startswith("datetime"):
            other[column.name] = pd.Timestamp("2020-02-02")
        else:
            other[column.name] = "印制电路板的研发、生产，高新技术企业，D轮，存续"
    assert len(dataset(features, history, other).X) == 60
    pd.testing.assert_frame_equal(dataset(features, history, other).X, X)
    known = set(X.columns[X.notna().any()])
    assert known == {
        "industry_kind", "manufacturing", "age_years", "target_region", "same_province",
        "neighbour_city", "distance_km",
    }  # fmt: skip


def test_the_name_of_a_later_list_makes_no_segment(
    features: FeatureExtractor, history: History
) -> None:
    named = late(history).assign(name="虚构印制电路板制造有限公司", industry_class="C3982")
    X = dataset(features, history, named).X
    assert X["chain"].isna().all()
    assert X["match_strength"].isna().all()


def test_a_text_dated_before_contact_makes_the_segment_and_a_later_one_does_not(
    features: FeatureExtractor, history: History
) -> None:
    snapshots = late(history)
    plain = dataset(features, history, snapshots)
    first, second, third, fourth = (plain.firm.iloc[at] for at in (0, 1, 2, 3))
    before = f"{plain.contacted.iloc[0] - pd.Timedelta(days=1):%Y-%m-%d}"
    same = f"{plain.contacted.iloc[1]:%Y-%m-%d}"
    text = "印制电路板的研发、生产和销售"
    facts = facts_of(
        (first, "main_business", text, before), (second, "main_business", text, same),
        (third, "segments", "pcb", before), (third, "registered_capital_cny", 5e7, before),
        (third, "segments", "screen", "2030-01-01"), (fourth, "segments", "pcb", "2029-01-01"),
        (fourth, "segments", "screen", "2030-01-01"), (fourth, "staff", 80.0, "2029-01-01"),
    )  # fmt: skip
    data = dataset(features, history, snapshots, facts=facts)
    assert data.X["match_strength"].notna().tolist()[:2] == [True, False]
    assert data.firms["segments"].iloc[2:4].tolist() == [
        "pcb",
        "screen",
    ]  # an officer's, at any day
    assert data.firms["staff"].isna().all()
    assert data.X["registered_capital_cny"].iloc[2] == 5e7
    assert data.X["registered_capital_cny"].notna().sum() == 1


def test_nobody_is_judged_by_what_was_assumed(features: FeatureExtractor, history: History) -> None:
    mixed = pd.concat([history.snapshots().iloc[:0], late(history)], ignore_index=True)
    held_out = backtest(dataset(features, history, mixed))
    assert held_out.split is None
    assert held_out.learned == int(held_out.data.known.sum()) > 0
    snapshots = history.snapshots()
    codes = sorted(set(snapshots["credit_code"]))[::2]
    some = snapshots.assign(
        as_of=snapshots["as_of"].where(
            ~snapshots["credit_code"].isin(codes), pd.Timestamp(history.until)
        )
    )
    held_out = backtest(dataset(features, history, some))
    assumed = held_out.data.assumed
    assert 0 < assumed.sum() < len(assumed)
    assert held_out.split is not None
    assert not (held_out.after & assumed).any()


def test_what_came_late_lifts_no_firm_of_which_nothing_is_known(
    features: FeatureExtractor, history: History
) -> None:
    """The level of the list stays about where it was, and so does a firm without any facts."""
    data = dataset(features, history, late(history))
    assert data.stand_ins is not None
    card = fit(new_card(history.city), data.X, data.y, data.weight, data.stand_ins)
    prior, X = expert_scorecard(history.city), data.standing_features
    nothing = X.iloc[:1].copy()
    nothing.loc[:, :] = np.nan
    moved = float((card.decision_function(X) - prior.decision(X)).mean())
    alone = float(card.decision_function(nothing)[0] - prior.decision(nothing)[0])
    assert abs(moved) < 0.7
    assert abs(alone) < 0.7
    naive = fit(new_card(history.city), data.X, data.y, data.weight)
    lifted = float((naive.decision_function(X) - prior.decision(X)).mean())
    assert lifted > 1.5  # what it would be, so that the stand-ins are seen to matter


def test_stand_ins_of_nothing_change_nothing(features: FeatureExtractor, history: History) -> None:
    data = dataset(features, history, history.snapshots(), Rules())
    assert data.stand_ins is None
    none = np.full(data.X.shape, np.nan)
    plain, given = (
        fit(new_card(history.city), data.X, data.y, data.weight, stand_ins)
        for stand_ins in (None, none)
    )
    assert plain.scorecard_ == given.scorecard_


def test_the_leak_gate_looks_at_assumed_rows_by_themselves() -> None:
    y = np.tile([0.0, 1.0], 20)
    founded = pd.Series(np.where(y == 1, 30.0, 3.0) + np.arange(40) * 0.01)
    X = pd.DataFrame({"age_years": founded})
    none = Pursuits([], X[:0], [], [])
    assumed = Pursuits([f"a{at}" for at in range(40)], X, y, np.ones(40), np.ones(40, dtype=bool))
    decision = decide(Comparison(assumed, none, [], [], Scorecard(0.0, ())), n_bootstrap=10)
    (leak,) = (gate for gate in decision.gates if gate.id == "leak")
    assert leak.state == "failed"
    assert leak.figures["feature"] == "age_years"
    assert "known by later facts" in leak.sentence.en


def test_the_manifest_counts_what_was_assumed(history: History, tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "models", tmp_path / "keys" / "models.key")
    done = retrain(
        history.city, history.events(), late(history), registry, as_of=history.until, now=NOW,
        rules=ASSUMING,
    )  # fmt: skip
    kept = registry.manifest(done.version)
    assert kept.outcomes is not None
    assert kept.outcomes.assumed == kept.outcomes.known > 0
    assert kept.content["settings"]["assume_unchanging"] is True
    assert not done.decision.promoted
    assert {gate.id for gate in done.decision.unmeasured} >= {"log_loss", "better", "order"}
    assert any("later than first contact" in text.en for text in done.preface)
    plain = retrain(
        history.city, history.events(), history.snapshots(), registry, as_of=history.until,
        now=NOW, dry_run=True,
    )  # fmt: skip
    assert "assumed" not in plain.manifest["outcomes"]


def test_what_can_be_learned_adds_up_and_names_a_way_out(history: History) -> None:
    ready = readiness(
        history.events(), late(history), as_of=history.until, rules=Rules()
    )  # fmt: skip
    assert ready.pursuits == ready.won + ready.lost + ready.open == 60
    assert (ready.usable, ready.late, ready.learnable) == (0, 60, 0)
    assert ready.assumed == ready.won + ready.lost
    assert sum(year.late for year in ready.years) == 60
    (cost,) = (shortage for shortage in ready.shortages if shortage.id == "late")
    assert "60" in cost.what.zh
    assert [to for to, _ in cost.ways] == ["import_list", "retrain"]
    measurable = {need.gate for need in ready.gates if need.measurable}
    assert measurable == {"stability", "directions"}
    sound = readiness(
        history.events(), history.snapshots(), as_of=history.until, rules=Rules()
    )  # fmt: skip
    assert sound.usable == sound.learnable == sound.won + sound.lost
    assert sound.later > 0
    assert sound.split is not None
    assert {need.gate for need in sound.gates if need.measurable} > measurable


def test_without_any_outcome_the_first_step_is_a_ledger(history: History) -> None:
    ready = readiness(
        history.events()[:0], history.snapshots(), as_of=date(2026, 1, 1), rules=Rules()
    )
    assert [(short.id, short.ways[0][0]) for short in ready.shortages] == [
        ("no_outcomes", "import_outcomes")
    ]
    assert ready.to_dict()["learnable"] == 0


def test_what_was_corrected_since_contact_does_not_count(
    features: FeatureExtractor, history: History
) -> None:
    snapshots = history.snapshots()
    corrected = snapshots.assign(
        segments="pcb", corrected_on=f"{history.until:%Y-%m-%d}", staff=7_777.0
    )
    both = pd.concat([snapshots.assign(segments=None, corrected_on=None), corrected])
    both = both.reset_index(drop=True)
    data = dataset(features, history, both)
    assert not data.assumed.any()
    assert data.firms["segments"].isna().all()
    only = dataset(features, history, corrected)
    assert only.assumed.all()
    assert only.firms[["segments", "staff"]].isna().all(axis=None)
