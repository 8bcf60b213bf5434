"""A firm scored alone gets the numbers and the words that it gets in a ranked list."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from leadscore.city import load_city
from leadscore.lists.cleaning import clean_records, records_of
from leadscore.lists.columns import CANONICAL
from leadscore.lists.dedupe import load_list
from leadscore.ranking.score import Scorer
from leadscore.registry.models import ModelRegistry
from leadscore.startup import champion_scorer
from leadscore.text import LANGUAGES

ROOT = Path(__file__).parents[3]
PROFILES = [ROOT / "tests" / "cities" / "lakeport.toml", *sorted(ROOT.glob("data/cities/*.toml"))]
TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module", params=PROFILES, ids=lambda path: path.stem)
def scorer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    home = tmp_path_factory.mktemp("home")
    registry = ModelRegistry(home / "models", home / "key")
    return champion_scorer(
        load_city(request.param), registry, now=datetime(2026, 11, 24, tzinfo=UTC)
    )


def test_every_firm_of_the_sample_list_scores_alike_alone_and_in_the_list(scorer: Scorer) -> None:
    listed = load_list(ROOT / "data" / "samples" / "electronics.csv", today=TODAY).firms
    scores = scorer.score(records_of(listed), as_of=TODAY)
    names = [each.name for each in CANONICAL]
    for score, row in zip(scores, listed[names].astype(object).to_dict("records"), strict=True):
        record = {str(key): value for key, value in row.items() if not pd.isna(value)}
        (cleaned,) = clean_records([record], today=TODAY)
        (alone,) = scorer.score([cleaned.firm], as_of=TODAY)
        assert dataclasses.replace(alone, firm=score.firm) == score
        for lang in LANGUAGES:
            assert alone.reasons(scorer.wording, lang) == score.reasons(scorer.wording, lang)
