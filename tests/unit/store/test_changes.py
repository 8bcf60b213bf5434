"""The difference between two scores is split exactly, or not at all."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from tests.kept_lists import BLADES, BREAD, NOW, TODAY, hand_in, lakeport, scorer, take_in

from leadscore.learning.model import FittedCard, Model
from leadscore.learning.scorecard import PointsCard, Scorecard, with_entries
from leadscore.ranking.score import Scorer
from leadscore.registry.manifest import AverageFirm
from leadscore.store.current_ranking import score_history
from leadscore.store.database import Database
from leadscore.store.list_import import take_in_list
from leadscore.store.models import MODELS, scorecards
from leadscore.store.scoring import Change, change_between, rescore

EXACT = 1e-9


def other_card(seed: int) -> Scorecard:
    """Return a card with all entries moved."""
    card, random = scorer().card.scorecard, np.random.default_rng(seed)
    tables = tuple(
        with_entries(table, table.entries + random.normal(0, 0.3, len(table.entries)))
        for table in card.tables
    )
    return Scorecard(card.intercept - 0.4, tables)  # type: ignore[arg-type]


def model_of(card: Scorecard) -> Model:
    """Return a model of the city's features and a card of our own."""
    return Model(
        scorer().features, FittedCard(card, np.array([0, 1]), average=scorer().card.average)
    )


def keep_card(
    database: Database, version: str, card: Scorecard | None, average: AverageFirm | None = None
) -> None:
    manifest = card and {"scorecard": card.to_dict(), "average": average and asdict(average)}
    with database.write() as connection:
        row = {"version": version, "city": lakeport().id, "created_at": NOW, "state": "shelved",
               "manifest": manifest, "mirrored_at": NOW}  # fmt: skip
        connection.execute(MODELS.insert(), [row])


def change_of(database: Database) -> Change:
    with database.read() as connection:
        newer, older = score_history(connection, 1, limit=2)
        cards = scorecards(connection, {newer.model, older.model})
    return change_between(older, newer, cards)


def check_sum(change: Change) -> None:
    assert not change.missing
    assert change.data is not None
    assert change.model is not None
    assert change.data + change.model == pytest.approx(change.points, abs=EXACT)
    odds = [np.log(s.likelihood / (1 - s.likelihood)) for s in (change.older, change.newer)]
    assert change.points == pytest.approx((odds[1] - odds[0]) * 20 / np.log(2), abs=1e-6)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_data_and_model_parts_sum_to_the_difference(database: Database, seed: int) -> None:
    card = other_card(seed)
    keep_card(database, "m1", scorer().card.scorecard, scorer().card.average)
    keep_card(database, "m2", card, scorer().card.average)
    take_in(database, {"name": "甲有限公司", "main_business": BREAD, "staff": 20})
    take_in(database, {"name": "甲有限公司", "main_business": BLADES, "patents": 40})
    same_model = change_of(database)
    check_sum(same_model)
    assert same_model.model == 0.0
    assert same_model.points > 0
    second = Scorer(model_of(card), "m2")
    rescore(database, scorer=second, today=TODAY, clock=lambda: NOW)
    same_data = change_of(database)
    check_sum(same_data)
    assert same_data.data == 0.0
    assert same_data.base == pytest.approx(-0.4 * 20 / np.log(2), abs=EXACT)
    number = hand_in(database, {"name": "甲有限公司", "staff": 900, "province": "广东省"})
    take_in_list(database, number, scorer=scorer(), now=NOW, today=TODAY)
    both = change_of(database)
    check_sum(both)
    assert both.data
    assert both.model
    staff = next(each for each in both.features if "staff" in each.feature)
    assert (staff.before, staff.after) == (20.0, 900.0)


def test_a_card_that_is_gone_or_not_the_one_that_scored_is_told_never_guessed(
    database: Database,
) -> None:
    keep_card(database, "m1", None)
    take_in(database, {"name": "甲有限公司", "main_business": BREAD})
    take_in(database, {"name": "甲有限公司", "main_business": BLADES})
    change = change_of(database)
    assert change.missing == ("m1",)
    assert (change.data, change.model, change.features) == (None, None, ())
    assert change.points != 0
    wrong = change_between(change.older, change.newer, {"m1": PointsCard(other_card(4), {})})
    assert wrong.missing == ("m1",)
    right = change_between(change.older, change.newer, {"m1": scorer().card.points_card})
    check_sum(right)


def test_a_card_that_can_not_read_a_value_is_told(database: Database) -> None:
    take_in(database, {"name": "甲有限公司", "main_business": BLADES})
    with database.read() as connection:
        (score,) = score_history(connection, 1)
    number = next(name for name, value in score.values.items() if isinstance(value, float))
    odd = replace(score, id=2, values={**score.values, number: "much"})
    change = change_between(score, odd, {"m1": scorer().card.points_card})
    assert change.missing == ("m1",)


def test_rescoring_keeps_history_officers_words_and_other_writers(database: Database) -> None:
    take_in(database, *({"name": f"第{n}有限公司", "main_business": BLADES} for n in range(5)))
    told: list[int] = []
    second = Scorer(model_of(other_card(9)), "m2")

    def progress(count: int) -> None:
        told.append(count)
        if len(told) == 1:
            take_in(database, {"name": "第4有限公司", "staff": 7})

    done = rescore(
        database, scorer=second, today=TODAY, clock=lambda: NOW, at_once=2, progress=progress
    )
    assert (done, told) == (5, [2, 2, 1])
    with database.read() as connection:
        models = [[s.model for s in score_history(connection, firm)] for firm in range(1, 6)]
    assert models == [["m2", "m1"]] * 4 + [["m2", "m1", "m1"]]
