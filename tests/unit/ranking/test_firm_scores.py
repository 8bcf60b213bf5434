"""A firm scored alone gets the numbers and the words that it gets in a ranked list."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from leadscore.city import load_city
from leadscore.learning.shelf import Shelf
from leadscore.lists import load_list
from leadscore.lists.cleaning import clean_records
from leadscore.lists.columns import CANONICAL
from leadscore.ranking.champion import champion_scorer
from leadscore.ranking.firm_scores import FirmScorer
from leadscore.ranking.scoring import Scorer

ROOT = Path(__file__).parents[3]
PROFILES = [ROOT / "tests" / "cities" / "lakeport.toml", *sorted(ROOT.glob("data/cities/*.toml"))]
TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module", params=PROFILES, ids=lambda path: path.stem)
def scorer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    home = tmp_path_factory.mktemp("home")
    shelf = Shelf(home / "models", home / "key")
    return champion_scorer(load_city(request.param), shelf, now=datetime(2026, 11, 24, tzinfo=UTC))


def test_every_firm_of_the_sample_list_scores_alike_alone_and_in_the_list(scorer: Scorer) -> None:
    listed = load_list(ROOT / "data" / "samples" / "electronics.csv", today=TODAY).firms
    table = scorer.score(listed, as_of=TODAY)
    one_by_one = FirmScorer(scorer.features, scorer.card.scorecard_)
    names = [each.name for each in CANONICAL]
    for at, row in enumerate(listed[names].astype(object).to_dict("records")):
        record = {str(key): value for key, value in row.items() if not pd.isna(value)}
        (cleaned,) = clean_records([record], today=TODAY)
        (score,) = one_by_one.score([cleaned.firm], as_of=TODAY)
        assert score.likelihood == table.likelihood[at]
        assert score.fit == table.fit[at]
        assert score.priority == table.priority[at]
        assert score.grade == table.grade[at]
        assert score.points == table.points[at].tolist()
        assert score.veto == _known(table.veto[at])
        for lang in ("zh", "en"):
            assert score.reasons(scorer.wording, lang) == [
                {
                    "feature": reason.feature,
                    "value": reason.value,
                    "points": reason.points,
                    "text": reason.text.pick(lang),
                }
                for reason in table.reasons(at)
            ]


def _known(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value
