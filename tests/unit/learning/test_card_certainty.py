"""A card says how sure it is, lists itself entry by entry, and can be drawn again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadscore.learning import AdditiveCard
from leadscore.learning.scorecard import CategoricalTable, NumericTable, Scorecard

PRIOR = Scorecard(
    -1.2,
    (
        NumericTable("staff", np.array([30.0, 300.0]), np.array([-0.4, 0.0, 0.4]), 0.0),
        CategoricalTable("role", ("maker", "trade"), np.array([0.5, -0.5]), 0.0, 0.0),
    ),
)


def world(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Firms with a known chance, and what became of them."""
    random = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "staff": random.lognormal(4, 1.2, n),
            "age": random.gamma(3, 4, n),
            "role": random.choice(["maker", "trade", "design"], n),
        }
    )
    slope, wave, *levels = random.normal(0, 0.5, 5)
    log_odds = -1.0 + slope * (np.log(X["staff"]) - 4) + wave * np.sin(X["age"] / 6)
    log_odds += X["role"].map(dict(zip(["maker", "trade", "design"], levels, strict=True)))
    chance = 1 / (1 + np.exp(-log_odds.to_numpy()))
    return X, chance, (random.random(n) < chance).astype(int)


@pytest.mark.parametrize(("n", "sets"), [(30, 60), (100, 60), (1000, 25)])
def test_an_interval_of_ninety_percent_covers_about_ninety_percent(n: int, sets: int) -> None:
    covered = []
    for seed in range(sets):
        X, chance, y = world(n + 300, seed)
        if 0 < y[:n].sum() < n:
            low, high = AdditiveCard().fit(X[:n], y[:n]).predict_interval(X[n:]).T
            covered.append(((low <= chance[n:]) & (chance[n:] <= high)).mean())
    assert 0.85 <= np.mean(covered) <= 0.95


def test_with_a_wrong_prior_an_interval_still_covers_what_it_says() -> None:
    # A card of experts who are wrong in every table: most of what is not known is how wrong.
    covered = []
    for seed in range(40):
        X, chance, y = world(400, seed)
        card = AdditiveCard(prior=PRIOR).fit(X[:100], y[:100])
        low, high = card.predict_interval(X[100:]).T
        covered.append(((low <= chance[100:]) & (chance[100:] <= high)).mean())
    assert 0.85 <= np.mean(covered) <= 0.97


def test_intervals_hold_the_likelihood_and_narrow_with_data() -> None:
    X, _, y = world(2000, 1)
    widths = []
    for n in (30, 300, 2000):
        card = AdditiveCard(prior=PRIOR).fit(X[:n], y[:n])
        low, high = card.predict_interval(X).T
        chance = card.predict_proba(X)[:, 1]
        assert ((low >= 0) & (low < chance) & (chance < high) & (high <= 1)).all()
        widths.append((high - low).mean())
    assert widths[0] > widths[1] > widths[2]


def test_experts_without_outcomes_have_intervals_too() -> None:
    X, _, y = world(50, 0)
    card = AdditiveCard(prior=PRIOR).fit(X[["staff", "role"]][:0], y[:0])
    low, high = card.predict_interval(X[["staff", "role"]]).T
    assert (high - low > 0.05).all()


def test_a_level_between_nothing_and_all_is_wanted() -> None:
    X, _, y = world(50, 0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        AdditiveCard().fit(X, y).predict_interval(X, level=1.0)


def test_drawn_cards_scatter_as_the_intervals_say_and_keep_directions() -> None:
    X, _, y = world(400, 3)
    card = AdditiveCard(directions={"staff": 1}).fit(X, y)
    drawn = card.sample_cards(200, random_state=0)
    for each in drawn:
        assert (np.diff(each.tables[0].values) >= 0).all()
    free = AdditiveCard().fit(X, y)
    spread = np.std([each.decision(X) for each in free.sample_cards(300, 0)], axis=0)
    low, high = free.predict_interval(X, level=0.6827).T
    half = (np.log(high / (1 - high)) - np.log(low / (1 - low))) / 2
    np.testing.assert_allclose(spread, half, rtol=0.25)


def test_the_frame_lists_every_entry_with_what_stands_behind_it() -> None:
    X, _, y = world(400, 4)
    X.loc[:20, "staff"] = np.nan
    card = AdditiveCard().fit(X, y)
    frame = card.to_frame()
    assert frame["kind"].iloc[0] == "intercept"
    for feature in X:
        mine = frame[frame["feature"] == feature]
        assert mine["count"].sum() == len(X)
        assert mine["positives"].sum() == y.sum()
        assert mine["entry"].iloc[-1] == "unknown"
    assert (frame["points_low"] <= frame["points"]).all()
    assert (frame["points"] <= frame["points_high"]).all()
    np.testing.assert_allclose(frame["points"], frame["log_odds"] * 20 / np.log(2))


def test_outcomes_that_contradict_the_experts_weaken_their_word() -> None:
    X, _, _ = world(800, 6)
    X = X[["staff", "role"]]
    opposite = -1.2 - (PRIOR.decision(X) + 1.2) * 2
    y = (np.random.default_rng(0).random(len(X)) < 1 / (1 + np.exp(-opposite))).astype(int)
    far = []
    for strength in (5.0, 50.0, 50_000.0):
        card = AdditiveCard(prior=PRIOR, prior_strength=strength).fit(X, y)
        far.append(np.abs(card.decision_function(X) - opposite).mean())
    assert max(far[:2]) < far[2] / 2
