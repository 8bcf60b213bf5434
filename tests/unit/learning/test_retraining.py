"""Retraining in one process: what it learns from, what it decides, what it writes down."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from tests.simulation import SAYS_SO, History, of_wrong_experts, simulate, simulated_city

from leadscore.city import City, load_city
from leadscore.errors import UsageError
from leadscore.features.build import FirmFeatures
from leadscore.learning.champion import current_champion
from leadscore.learning.expert import expert_scorecard, new_card
from leadscore.learning.history import effective_weights, firms_of
from leadscore.learning.retrain import Retraining, forecasts, retrain
from leadscore.learning.scorecard import Scorecard, probability
from leadscore.learning.training_data import Rules, TrainingData, backtest, build_dataset
from leadscore.registry.models import ModelRegistry
from leadscore.text import Text

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def city() -> City:
    return simulated_city()


@pytest.fixture(scope="module")
def history() -> History:
    return of_wrong_experts()


@pytest.fixture(scope="module")
def data(city: City, history: History) -> TrainingData:
    features = FirmFeatures(city).fit(history.known)
    return build_dataset(
        features, history.events(), history.snapshots(), as_of=history.until, rules=Rules()
    )


def registry_in(folder: Path) -> ModelRegistry:
    return ModelRegistry(folder / "models", folder / "keys" / "models.key")


def retrained(history: History, registry: ModelRegistry, **changes: object) -> Retraining:
    given = {
        "events": history.events(), "snapshots": history.snapshots(), "as_of": history.until,
        "now": NOW, **changes,
    }  # fmt: skip
    return retrain(history.city, registry=registry, **given)  # type: ignore[arg-type]


def plain(done: Retraining) -> str:
    return json.dumps(done.manifest["scorecard"])


@pytest.fixture(scope="module")
def told() -> list[Text]:
    """Return what was told while `promoted` was learned."""
    return []


@pytest.fixture(scope="module")
def promoted(
    history: History, told: list[Text], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Retraining, ModelRegistry]:
    registry = registry_in(tmp_path_factory.mktemp("promoted"))
    return retrained(history, registry, progress=told.append), registry


# --- the simulation ------------------------------------------------------------------------


def test_the_simulation_is_what_it_claims_to_be(history: History, data: TrainingData) -> None:
    pursuits = history.pursuits
    assert len(pursuits) == 600
    # The officers see what the experts expect; that and what is true agree on average.
    assert 0.08 < pursuits["likelihood"].mean() < 0.2
    assert abs(pursuits["lands"].mean() - pursuits["likelihood"].mean()) < 0.04
    assert 0.2 < (~data.known).mean() < 0.33
    assert set(history.outcomes["备注"]) == {SAYS_SO}
    assert all(set(listed["备注"]) == {SAYS_SO} for _, listed in history.lists)
    assert history.outcomes["企业名称"].str.startswith("虚构").all()


def test_the_simulation_draws_the_same_history_again(city: City) -> None:
    one, other = (simulate(city, pursuits=24, quarters=4, seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(one.outcomes, other.outcomes)
    pd.testing.assert_frame_equal(one.known, other.known)


# --- learning ------------------------------------------------------------------------------


def test_a_better_challenger_is_promoted_and_says_why(
    promoted: tuple[Retraining, ModelRegistry],
) -> None:
    done, registry = promoted
    assert done.decision.promoted, done.decision.render("en")
    assert done.version == done.serves
    assert registry.manifest(done.version)
    assert done.champion.startswith("nanchang-expert-")
    for lang in ("zh", "en"):
        assert len(done.decision.render(lang).splitlines()) == 1 + len(done.decision.gates)
    assert done.version in done.upshot.zh
    assert done.version in done.upshot.en


def test_the_manifest_tells_what_was_learned_from(
    promoted: tuple[Retraining, ModelRegistry], history: History, data: TrainingData
) -> None:
    done, registry = promoted
    kept = registry.manifest(done.version).content
    assert kept["kind"] == "trained"
    assert Scorecard.from_dict(kept["scorecard"]) == done.model.card.scorecard
    known = int(data.known.sum())
    assert kept["outcomes"]["known"] == known
    assert kept["outcomes"]["open"] == 600 - known
    assert kept["outcomes"]["contacted_to"] <= history.until.isoformat()
    assert all(len(digest) == 64 for digest in kept["training"].values())
    assert kept["trial"]["champion"] == done.champion
    assert kept["trial"]["later"] >= known // 3
    assert kept["measures"]["challenger"]["n"] == kept["measures"]["champion"]["n"]
    assert kept["decision"]["promoted"] is True


def test_the_model_on_the_shelf_scores_as_the_one_that_was_trained(
    promoted: tuple[Retraining, ModelRegistry], history: History
) -> None:
    done, registry = promoted
    firms = history.snapshots()
    saved = registry.load(done.version).decision_function(firms)
    np.testing.assert_array_equal(saved, done.model.decision_function(firms))


def test_fitting_the_pipeline_itself_gives_the_same_card(
    promoted: tuple[Retraining, ModelRegistry], city: City, data: TrainingData
) -> None:
    done, _ = promoted
    card = new_card(city, Rules().prior_strength)
    pipeline = Pipeline([("features", FirmFeatures(city)), ("card", card)])
    pipeline.fit(
        data.firms[data.known],
        data.y[data.known].astype(int),
        card__sample_weight=effective_weights(data.weight[data.known]),
    )
    assert plain(done) == json.dumps(pipeline.named_steps["card"].scorecard_.to_dict())


def test_neither_the_order_of_rows_nor_a_second_run_changes_a_byte(
    promoted: tuple[Retraining, ModelRegistry], history: History, tmp_path: Path
) -> None:
    done, _ = promoted
    events = history.events().sample(frac=1, random_state=0)
    snapshots = history.snapshots().sample(frac=1, random_state=0)
    again = retrained(
        history,
        registry_in(tmp_path),
        events=events,
        snapshots=snapshots,
        now=NOW + timedelta(days=1),
    )
    assert plain(again) == plain(done)
    assert again.version == done.version


def test_the_same_data_again_teach_nothing_new(
    promoted: tuple[Retraining, ModelRegistry], history: History
) -> None:
    done, registry = promoted
    again = retrained(history, registry, line=[done.version])
    assert plain(again) == plain(done)
    assert again.champion == done.version
    assert not again.decision.promoted
    assert "enough" in {gate.id for gate in again.decision.failed}
    assert again.serves == done.version


def test_with_no_outcomes_the_challenger_is_the_expert_card_and_is_kept_but_not_promoted(
    history: History, tmp_path: Path
) -> None:
    registry = registry_in(tmp_path)
    done = retrained(history, registry, events=history.events().iloc[:0])
    assert plain(done) == json.dumps(expert_scorecard(history.city).to_dict())
    assert not done.decision.promoted
    assert done.manifest["measures"] is None
    assert done.serves == done.champion
    assert registry.manifest(done.version).learned == 0


def test_with_open_pursuits_only_nothing_is_learned(history: History, tmp_path: Path) -> None:
    events = history.events()
    first = history.lists[0][0] + timedelta(days=95)
    begun = events[events["stage"] == "contacted"]
    done = retrained(history, registry_in(tmp_path), events=begun, as_of=first)
    assert done.manifest["outcomes"]["known"] == 0
    assert done.manifest["outcomes"]["open"] > 0
    assert plain(done) == json.dumps(expert_scorecard(history.city).to_dict())
    assert not done.decision.promoted


def test_nothing_at_all_is_no_error(history: History, tmp_path: Path) -> None:
    done = retrained(
        history,
        registry_in(tmp_path),
        events=history.events().iloc[:0],
        snapshots=history.snapshots().iloc[:0],
    )
    assert not done.decision.promoted
    assert plain(done) == json.dumps(expert_scorecard(history.city).to_dict())


def test_a_dry_run_leaves_no_trace(history: History, tmp_path: Path) -> None:
    done = retrained(history, registry_in(tmp_path), dry_run=True)
    assert done.decision.promoted
    assert done.serves == done.champion
    assert list(tmp_path.iterdir()) == []
    assert "试算" in done.upshot.zh


def test_a_person_may_overrule_with_a_reason_that_is_kept(history: History, tmp_path: Path) -> None:
    registry = registry_in(tmp_path)
    no_events = history.events().iloc[:0]
    done = retrained(history, registry, events=no_events, overrule="新口径，领导已批准")
    assert done.decision.promoted
    assert done.decision.failed
    assert done.serves == done.version
    assert registry.manifest(done.version).decision.overruled == "新口径，领导已批准"
    with pytest.raises(UsageError):
        retrained(history, registry_in(tmp_path / "blank"), events=no_events, overrule="  ")


@pytest.mark.usefixtures("promoted")
def test_progress_speaks_both_languages(told: list[Text]) -> None:
    assert len(told) >= 5
    assert all(text.zh and text.en and text.zh != text.en for text in told)
    assert not any("{" in text.zh + text.en for text in told)


# --- forward in time -----------------------------------------------------------------------


def test_the_backtest_knows_nothing_of_the_day_on_which_it_ends(data: TrainingData) -> None:
    held_out = backtest(data)
    assert held_out.split is not None
    split = pd.Timestamp(held_out.split)
    assert (data.contacted[held_out.after] >= split).all()
    learned = ~np.isnan(held_out.y)
    assert (data.contacted[learned] < split).all()
    ends = data.events[data.events["stage"].isin(["signed", "lost"])]
    ended = ends.groupby("firm")["day"].min().reindex(data.firm).to_numpy()
    over = (data.contacted + pd.Timedelta(days=365)).to_numpy()
    assert (np.fmin(ended, over)[learned] < split.to_numpy()).all()
    # The later two thirds of what is known today, by four models that learned step by step.
    assert held_out.later == pytest.approx(data.known.sum() * 2 / 3, abs=12)
    assert len(held_out.splits) == 4
    assert list(held_out.splits) == sorted(set(held_out.splits))


def test_nobody_is_judged_by_a_firm_that_was_pursued_before(
    city: City, history: History, data: TrainingData, tmp_path: Path
) -> None:
    held_out = backtest(data)
    assert held_out.split is not None
    events = history.events()
    early = (events["stage"] == "lost") & (events["day"] < pd.Timestamp(held_out.split))
    lost = events[early].drop_duplicates("firm").head(20)
    again = [
        lost.assign(stage=stage, day=pd.Timestamp(held_out.split) + pd.Timedelta(days=days))
        for stage, days in (("contacted", 1), ("lost", 40))
    ]
    events = pd.concat([events, *again], ignore_index=True)
    events = events.assign(entry=np.arange(1, len(events) + 1))
    twice = build_dataset(
        FirmFeatures(city).fit(history.known), events, history.snapshots(),
        as_of=history.until, rules=Rules(),
    )  # fmt: skip
    assert 9 < len(twice.firm) - len(data.firm) <= len(lost)
    judged = backtest(twice)
    known = ~np.isnan(judged.later_y)
    firms = firms_of(twice.firm)
    of_later = set(firms[judged.after][known])
    assert not of_later & set(firms[~judged.after])
    done = retrained(history, registry_in(tmp_path), events=events)
    (separate,) = (gate for gate in done.decision.gates if gate.id == "separate")
    assert separate.passed


@pytest.mark.parametrize("unnamed", [[], ["credit_code"], ["name"]])
@pytest.mark.parametrize("apart", [1, 200])
def test_pursuits_of_one_firm_never_stand_on_both_sides_however_it_is_named(
    city: City, history: History, data: TrainingData, unnamed: list[str], apart: int
) -> None:
    split = pd.Timestamp(backtest(data).split)
    events = history.events()
    lost = events[(events["stage"] == "lost") & (events["day"] < split)]
    lost = lost[lost["credit_code"].notna()].drop_duplicates("firm").head(30)
    assert len(lost) > 9
    again = [
        lost.assign(stage=stage, day=split + pd.Timedelta(days=days), **dict.fromkeys(unnamed))
        for stage, days in (("contacted", apart), ("signed", apart + 40))
    ]
    events = pd.concat([events, *again], ignore_index=True)
    twice = build_dataset(
        FirmFeatures(city).fit(history.known), events.assign(entry=np.arange(1, len(events) + 1)),
        history.snapshots(), as_of=history.until, rules=Rules(),
    )  # fmt: skip
    assert 9 < len(twice.firm) - len(data.firm) <= len(lost)
    for learned_until in (None, (split - pd.Timedelta(days=90)).date(), split.date()):
        held_out = backtest(twice, learned_until)
        firms = firms_of(twice.firm)
        judged = firms[held_out.after][~np.isnan(held_out.later_y)]
        assert len(judged)
        assert not set(judged) & set(firms[~np.isnan(held_out.y)])


def test_what_happened_later_is_not_known(history: History, tmp_path: Path) -> None:
    early = date(2025, 6, 30)
    events, snapshots = history.events(), history.snapshots()
    then = retrained(
        history,
        registry_in(tmp_path / "then"),
        events=events[events["day"] <= pd.Timestamp(early)],
        snapshots=snapshots[snapshots["as_of"] <= pd.Timestamp(early)],
        as_of=early,
    )
    now = retrained(history, registry_in(tmp_path / "now"), as_of=early)
    assert now.version == then.version


def test_a_trained_champion_is_judged_on_pursuits_that_began_after_it_learned(
    history: History, data: TrainingData, tmp_path: Path
) -> None:
    registry, early = registry_in(tmp_path), date(2024, 9, 30)
    first = retrained(history, registry, as_of=early, overrule="first of two")
    second = retrained(history, registry, line=[first.version])
    assert second.champion == first.version
    split = second.manifest["trial"]["split"]
    assert split > early.isoformat()
    since = (data.contacted > pd.Timestamp(early)).to_numpy() & data.known
    assert 0 < second.manifest["trial"]["later"] <= since.sum() * 2 // 3 + 8
    # The challenger of the trial has seen more than the champion did.
    assert second.manifest["trial"]["train"] > first.manifest["outcomes"]["known"]


def test_a_champion_of_an_older_profile_is_judged_by_its_own_profile(
    promoted: tuple[Retraining, ModelRegistry], history: History, tmp_path: Path
) -> None:
    done, registry = promoted
    written = (ROOT / "data" / "cities" / "nanchang.toml").read_text("utf-8")
    profile = tmp_path / "nanchang.toml"
    changed = written.replace("neighbour_discount = 0.6", "neighbour_discount = 0.1")
    profile.write_text(changed, "utf-8")
    city, firms = load_city(profile), history.snapshots()
    assert city.digest != history.city.digest
    champion = current_champion(city, registry, [done.version], now=NOW, save=False)
    assert champion.version == done.version
    assert champion.learned_until == history.until
    X = FirmFeatures(city).fit(firms).transform(firms)
    np.testing.assert_array_equal(
        forecasts(champion, city, firms, X), probability(done.model.decision_function(firms))
    )


def test_a_champion_that_can_not_be_used_is_passed_over_and_told(
    history: History, tmp_path: Path
) -> None:
    registry, told = registry_in(tmp_path), []
    events = history.events().iloc[:0]
    first = retrained(history, registry, events=events, overrule="damaged soon")
    (tmp_path / "models" / first.version / "card.npz").write_bytes(b"damaged")
    line = [first.version]
    champion = current_champion(history.city, registry, line, now=NOW, notify=told.append)
    assert champion.version == first.champion
    assert champion.learned_until is None
    assert champion.missed is not None
    assert first.version in champion.missed.zh
    assert first.version in champion.missed.en
    assert told == []
