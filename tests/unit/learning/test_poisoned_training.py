"""Bad training data, through the whole walk of retraining: refused with a reason, or harmless.

The history is simulated, and unspoiled it promotes a challenger; each test spoils it in one way.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.simulation import History, noted_wrongly, of_wrong_experts, regret

from leadscore.learning.comparison import Gate
from leadscore.learning.expert import expert_scorecard
from leadscore.learning.retrain import Retraining, retrain
from leadscore.learning.scorecard import Scorecard
from leadscore.registry.models import ModelRegistry

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
AMOUNTS = ["registered_capital_cny", "paid_in_capital_cny", "revenue_cny"]


@pytest.fixture(scope="module")
def history() -> History:
    return of_wrong_experts()


@pytest.fixture(scope="module")
def sound(history: History, tmp_path_factory: pytest.TempPathFactory) -> Retraining:
    done = trained(history, tmp_path_factory.mktemp("sound"))
    assert done.decision.promoted, done.decision.render("en")
    return done


def trained(
    history: History,
    folder: Path,
    events: pd.DataFrame | None = None,
    snapshots: pd.DataFrame | None = None,
) -> Retraining:
    """Walk on a real registry, and check that it says and does the same."""
    events = history.events() if events is None else events
    registry = ModelRegistry(folder / "models", folder / "models.key")
    done = retrain(
        history.city,
        events.assign(entry=np.arange(1, len(events) + 1)),
        history.snapshots() if snapshots is None else snapshots,
        registry,
        as_of=history.until,
        now=NOW,
    )
    assert registry.manifest(done.version)
    assert done.decision.promoted == (done.serves == done.version)
    assert registry.manifest(done.version).decision.promoted == done.decision.promoted
    return done


def failed(done: Retraining, gate: str) -> Gate:
    """Return the gate that refused, having made sure that it did and the champion serves on."""
    assert not done.decision.promoted
    assert done.serves == done.champion
    found = {each.id: each for each in done.decision.failed}
    assert gate in found, done.decision.render("en")
    return found[gate]


def card_of(done: Retraining) -> Scorecard:
    card: Scorecard = done.model.card.scorecard
    return card


def test_unspoiled_it_comes_nearer_to_the_truth_than_the_experts(
    sound: Retraining, history: History
) -> None:
    assert regret(card_of(sound), history) < regret(expert_scorecard(history.city), history)


def test_only_failures_teach_no_difference(history: History, tmp_path: Path) -> None:
    events = history.events()
    done = trained(history, tmp_path, events[events["stage"] != "signed"])
    gate = failed(done, "enough")
    assert gate.figures["training_positive"] == 0
    assert "只有一种结果" in gate.sentence.zh
    assert "one kind of outcome only" in gate.sentence.en


def test_only_successes_teach_no_difference(history: History, tmp_path: Path) -> None:
    events = history.events()
    contacted = events[events["stage"] == "contacted"]
    signed = contacted.assign(stage="signed", day=contacted["day"] + pd.Timedelta(days=100))
    signed = signed[signed["day"] <= pd.Timestamp(history.until)]
    done = trained(history, tmp_path, pd.concat([contacted, signed], ignore_index=True))
    assert "只有一种结果" in failed(done, "enough").sentence.zh


def test_a_column_that_is_missing_for_all_does_no_harm(
    sound: Retraining, history: History, tmp_path: Path
) -> None:
    snapshots = history.snapshots().assign(registered_capital_cny=np.nan)
    done = trained(history, tmp_path, snapshots=snapshots)
    # Nothing was learned of the column; when it is known again, the experts' word counts for it,
    # less only as far as the outcomes contradict the experts as a whole.
    tables = {table.feature: table for table in card_of(done).tables}
    experts = {table.feature: table for table in expert_scorecard(history.city).tables}
    learned, written = (each["registered_capital_cny"] for each in (tables, experts))
    at = np.array([1e6, 1e7, 5e7, 2e8, 1e9, 1e10])
    said, kept = np.diff(written.lookup(at)), np.diff(learned.lookup(at))
    shares = kept[said != 0] / said[said != 0]
    np.testing.assert_allclose(shares, shares[0], rtol=1e-3)
    assert 0 < shares[0] <= 1
    assert regret(card_of(done), history) < regret(card_of(sound), history) + 0.01


@pytest.mark.parametrize("draw", range(6))
def test_flipped_labels_are_found_out(draw: int, history: History, tmp_path: Path) -> None:
    """30 % of the ends are noted as their opposite, to learn from and to be judged by alike."""
    done = trained(history, tmp_path, noted_wrongly(history.events(), 0.3, draw))
    assert not done.decision.promoted
    gates = {gate.id: gate for gate in done.decision.failed}
    # What gives it away is that little is learned, or that all is drawn towards even odds.
    assert gates.keys() & {"order", "stability"}
    reasons = " ".join(gate.sentence.zh for gate in gates.values())
    assert "记错" in reasons or "记反" in reasons


@pytest.mark.parametrize("column", ["intended_investment_cny", "event"])
def test_a_field_that_was_filled_in_after_the_outcome_is_named(
    column: str, history: History, tmp_path: Path
) -> None:
    events, snapshots = history.events(), history.snapshots()
    won = snapshots["credit_code"].isin(events["firm"][events["stage"] == "signed"])
    leak = {
        "intended_investment_cny": (5e8, np.nan),
        "event": (history.city.events[0].name.zh, "来访"),
    }
    yes, no = leak[column]
    spoiled = snapshots.assign(**{column: np.where(won, yes, no)})
    spoiled = spoiled.astype({column: snapshots[column].dtype})
    gate = failed(trained(history, tmp_path, snapshots=spoiled), "leak")
    assert gate.figures["feature"] == column
    assert "结果出来之后" in gate.sentence.zh


def test_five_pursuits_are_too_few_to_judge_by(history: History, tmp_path: Path) -> None:
    events = history.events()
    five = history.pursuits["credit_code"].iloc[:5]
    done = trained(history, tmp_path, events[events["firm"].isin(five)])
    gate = failed(done, "enough")
    assert gate.figures["later"] <= 5
    assert done.manifest["outcomes"]["known"] == 5


def entered_again(history: History, codes: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Enter the old pursuits once more, 400 days later under other names, and codes if any."""
    events, snapshots, later = history.events(), history.snapshots(), pd.Timedelta(days=400)
    old = history.pursuits.loc[history.pursuits["contacted"] < "2024-04-01", "credit_code"]
    parts = []
    for table, key, days in (
        (events, "firm", ["day"]),
        (snapshots, "credit_code", ["as_of", "kept", "founded_on"]),
    ):
        again = table[table[key].isin(old)]
        code = again[key].str.replace("91", codes, n=1) if codes else np.nan
        moved = {day: again[day] + later for day in days if codes or day != "founded_on"}
        name = again["name"].str.replace("虚构", "虚造")
        again = again.assign(name=name, credit_code=code, **moved)
        parts.append(pd.concat([table, again.astype({"credit_code": "str"})], ignore_index=True))
    return parts[0], parts[1]


def test_the_same_pursuit_on_both_sides_is_found(history: History, tmp_path: Path) -> None:
    """Alike in every feature, under another code: only a mistake or a fraud does that."""
    gate = failed(trained(history, tmp_path, *entered_again(history, codes="92")), "separate")
    assert gate.figures["twins"] > 50
    assert "不能既用来学习又用来检验" in gate.sentence.zh


def test_nobody_is_judged_by_a_pursuit_that_was_entered_again_by_name(
    sound: Retraining, history: History, tmp_path: Path
) -> None:
    """Another age and no code: it may be a sister firm, so it isn't refused but not judged by."""
    done = trained(history, tmp_path, *entered_again(history, codes=None))
    trial, unspoiled = done.manifest["trial"], sound.manifest["trial"]
    assert unspoiled["twins"] == 0
    assert trial["twins"] > 50
    assert regret(card_of(done), history) < regret(card_of(sound), history) + 0.03


@pytest.mark.parametrize("spoiled", ["recent lists", "lists of the firms that were pursued"])
def test_yuan_taken_for_ten_thousands_of_them_is_named(
    spoiled: str, history: History, tmp_path: Path
) -> None:
    snapshots = history.snapshots()
    rows = snapshots["as_of"] >= pd.Timestamp("2024-06-01")
    if spoiled != "recent lists":
        rows = snapshots["credit_code"].isin(history.pursuits["credit_code"])
    wrong = snapshots[AMOUNTS].mul(np.where(rows, 1e4, 1.0), axis=0)
    gate = failed(trained(history, tmp_path, snapshots=snapshots.assign(**wrong)), "drift")
    assert gate.figures["fault"] == "unit"
    assert "万元" in gate.sentence.zh


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_unit_that_is_wrong_everywhere_alike_is_named_too(
    share: float, history: History, tmp_path: Path
) -> None:
    """Nothing differs from side to side, but hardly a firm has a capital of a thousand 亿."""
    snapshots = history.snapshots()
    rows = np.random.default_rng(0).random(len(snapshots)) < share
    wrong = snapshots[AMOUNTS].mul(np.where(rows, 1e4, 1.0), axis=0)
    gate = failed(trained(history, tmp_path, snapshots=snapshots.assign(**wrong)), "drift")
    assert gate.figures["fault"] == "unit"
    assert "万元" in gate.sentence.zh
