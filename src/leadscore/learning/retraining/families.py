"""The families of cards that compete for a city, and which of them forecasts it best."""

from __future__ import annotations

from collections.abc import Mapping

from leadscore.city.profile import City
from leadscore.features.catalogue import DIRECTIONS
from leadscore.language import Text
from leadscore.learning.cards.additive import AdditiveModel
from leadscore.learning.cards.boosted import BoostedCard
from leadscore.learning.cards.card import AdditiveCard
from leadscore.learning.evaluation.forecasts import evaluate
from leadscore.learning.outcomes.lessons import Rules
from leadscore.learning.retraining.expert import expert_scorecard
from leadscore.learning.retraining.rehearsal import Rehearsal
from leadscore.learning.tables.columns import Floats

CARD, BOOSTED = "card", "boosted"

FAMILIES = {
    CARD: Text(zh="评分卡", en="card"),
    BOOSTED: Text(zh="提升树评分卡", en="boosted card"),
}


def make_model(family: str, city: City, rules: Rules) -> AdditiveModel:
    """Return a model of a family, not fitted yet."""
    if family == BOOSTED:
        return BoostedCard(directions=DIRECTIONS, random_state=rules.seed)
    return AdditiveCard(
        prior=expert_scorecard(city), prior_strength=rules.prior_strength, directions=DIRECTIONS
    )


def rehearsed(city: City, rehearsal: Rehearsal) -> dict[str, Floats]:
    """Return each competing family's forecasts of the later pursuits; empty if there are none.

    The boosted family competes only where it has enough to learn from.
    """
    if not rehearsal.later:
        return {}
    rules = rehearsal.lessons.rules
    families = (CARD, BOOSTED) if rehearsal.learned >= rules.boosted_from else (CARD,)
    return {each: rehearsal.rehearse(make_model(each, city, rules)) for each in families}


def forward_losses(rehearsal: Rehearsal, forecasts: Mapping[str, Floats]) -> dict[str, float]:
    """Return the log loss of each family's forecasts of the later pursuits."""
    found = {
        family: evaluate(rehearsal.later_y, p, weight=rehearsal.later_weight, n_bootstrap=0)
        for family, p in forecasts.items()
    }
    losses = {family: each.measures["log_loss"].value for family, each in found.items()}
    return {family: loss for family, loss in losses.items() if loss is not None}


def best_family(losses: Mapping[str, float]) -> str:
    """Return the family of the least loss; the card where nothing tells them apart."""
    return min(losses, key=lambda family: (losses[family], family != CARD), default=CARD)
