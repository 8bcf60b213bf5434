"""Retrains a city's model: snapshots and outcomes in, a challenger and a reasoned decision out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

import pandas as pd

from leadscore.city.profile import City
from leadscore.features.catalogue import DIRECTIONS
from leadscore.features.extract import FeatureExtractor
from leadscore.learning.card import AdditiveCard
from leadscore.learning.champion import Champion, current_champion
from leadscore.learning.comparison import Comparison, Decision, Pursuits, Standing
from leadscore.learning.expert import average_firm, new_card
from leadscore.learning.gates import decide
from leadscore.learning.history import LEFT_OUT, firms_of, in_force
from leadscore.learning.metrics import evaluate
from leadscore.learning.model import Model
from leadscore.learning.scorecard import Floats, probability, records_of
from leadscore.learning.training_data import (
    Backtest,
    Rules,
    TrainingData,
    backtest,
    build_dataset,
    fit,
    measured,
)
from leadscore.lists.columns import CANONICAL
from leadscore.registry.manifest import city_part
from leadscore.registry.models import ModelRegistry, log_notice
from leadscore.text import Text, room_words

WORDS = room_words("learning")

Step = Callable[[Text], object]


@dataclass(frozen=True, eq=False)
class Retraining:
    """The challenger, the champion until now, and the decision; a dry run saved nothing."""

    version: str
    champion: str
    decision: Decision
    manifest: dict[str, Any]
    model: Model
    dry_run: bool
    notices: tuple[Text, ...]

    @property
    def serves(self) -> str:
        """The version that serves from now on."""
        return self.version if self.decision.promoted and not self.dry_run else self.champion

    @property
    def preface(self) -> tuple[Text, ...]:
        """What a person should know before the decision."""
        outcomes = self.manifest["outcomes"]
        known, positive = outcomes["known"], outcomes["positive"]
        return (
            WORDS["retrain.trained"].format(version=self.version, known=known, positive=positive),
            *(
                [WORDS["retrain.assumed"].format(count=outcomes["assumed"])]
                if outcomes.get("assumed")
                else []
            ),
            *(
                WORDS["retrain.left"].format(count=count, why=LEFT_OUT[reason])
                for reason, count in outcomes["left_out"].items()
            ),
            *self.notices,
        )

    @property
    def upshot(self) -> Text:
        """Which model serves from now on, in words."""
        result = "serves_new" if self.decision.promoted else "serves_on"
        result = "dry_run" if self.dry_run else result
        return WORDS[f"retrain.{result}"].format(version=self.version, champion=self.champion)


def retrain(
    city: City,
    events: pd.DataFrame,
    snapshots: pd.DataFrame,
    registry: ModelRegistry,
    line: Sequence[str] = (),
    *,
    as_of: date,
    now: datetime,
    rules: Rules | None = None,
    facts: pd.DataFrame | None = None,
    dry_run: bool = False,
    overrule: str | None = None,
    progress: Step = lambda _: None,
    notify: Step = log_notice,
) -> Retraining:
    """Train a challenger on what is known as of a day, and decide whether it has earned to serve.

    It works at every number of outcomes; with none the challenger is the expert card. It is saved
    whatever is decided; to let it serve is for the caller, who keeps who serves. The same data and
    seed give the same scorecard, byte for byte, in whatever order the rows come.

    The card of the profile is the prior, its words make the features; for ``events`` and
    ``snapshots`` see `leadscore.learning.history`, for ``facts`` see `training_set`, for ``line``
    see `current_champion`. ``now`` is
    an aware time, kept as that of creation. A ``dry_run`` saves nothing; ``overrule`` is the reason
    of a person who promotes the challenger whatever the gates say. ``progress`` is told of each
    step, ``notify`` of models that can't be used. A CityError if the card has
    mistakes, a ModelError if the registry can't be read or written, a UsageError if the reason to
    overrule is blank.
    """
    rules = rules or Rules()
    Decision((), overrule)  # refuses a blank reason before the work, not after it
    champion = current_champion(city, registry, line, now=now, save=not dry_run, notify=notify)
    if champion.missed:
        notify(champion.missed)
    progress(WORDS["retrain.measuring"])
    features = FeatureExtractor(city)
    data = build_dataset(features, events, snapshots, as_of=as_of, rules=rules, facts=facts)
    outcomes = _outcomes(data)
    progress(WORDS["retrain.gathered"].format(as_of=as_of, n=len(data.y), **outcomes))
    # A trained champion has learned from some of the pursuits itself.
    held_out = backtest(data, champion.learned_until)
    split, learned, later = held_out.split, held_out.learned, held_out.later
    progress(
        WORDS["retrain.backtest"].format(split=split, learned=learned, later=later)
        if split
        else WORDS["retrain.no_backtest"]
    )
    challenger = held_out.forecasts(new_card(city, rules.prior_strength))
    progress(WORDS["retrain.fitting"].format(known=outcomes["known"]))
    card = fit(new_card(city, rules.prior_strength), data.X, data.y, data.weight, data.stand_ins)
    progress(WORDS["retrain.judging"].format(champion=champion.version))
    average = average_firm(city, card.scorecard_, data.standing_features)
    fitted = replace(card.fitted(), average=average)
    comparison = _comparison(city, held_out, challenger, champion, card)
    decision = decide(comparison, overruled=overrule, seed=rules.seed)
    manifest = {
        "kind": "trained", "city": city_part(city),
        "created": now.isoformat(), "as_of": as_of.isoformat(),
        "target": rules.target, "horizon_days": rules.horizon_days,
        "outcomes": outcomes, "training": _fingerprints(data),
        "settings": _settings(rules),
        "trial": {
            "split": split.isoformat() if split else None, "splits": len(held_out.splits),
            "train": learned, "later": later,
            "twins": held_out.duplicates, "champion": champion.version,
        },
        "measures": _measures(comparison, rules.seed), "decision": decision.to_dict(),
        "scorecard": card.scorecard_.to_dict(), "table": records_of(card.to_frame()),
        "average": asdict(average),
    }  # fmt: skip
    done = Retraining(
        version=_version_name(city.id, as_of, manifest), champion=champion.version,
        decision=decision, manifest=manifest, model=Model(features, fitted), dry_run=dry_run,
        notices=data.labels.notices(),
    )  # fmt: skip
    if not dry_run:
        progress(WORDS["retrain.saving"].format(version=done.version))
        registry.save(done.version, done.model, manifest, notify)
    return done


def forecasts(champion: Champion, city: City, firms: pd.DataFrame, X: pd.DataFrame) -> Floats:
    """Return the likelihood of each firm by the champion's own profile; ``X`` is by today's."""
    features = champion.model.features
    own = X if features.city.digest == city.digest else measured(features, firms)
    return probability(champion.model.card.scorecard.decision(own))


def _comparison(
    city: City, held_out: Backtest, challenger: Floats, champion: Champion, card: AdditiveCard
) -> Comparison:
    data, after = held_out.data, held_out.after
    before = ~after
    if held_out.split is not None:  # what was assumed of a later pursuit stands on neither side
        before &= (data.contacted < pd.Timestamp(held_out.split)).to_numpy()
    firm = firms_of(data.firm)
    later = Pursuits(firm[after], held_out.later_features, held_out.later_y, held_out.later_weight)
    standing, X = None, data.standing_features
    if len(X):
        own = forecasts(champion, city, data.standing, X)
        standing = Standing(X, card.predict_proba(X)[:, 1], own)
    X = data.X[before].reset_index(drop=True)
    return Comparison(
        training=Pursuits(
            firm[before], X, held_out.y[before], held_out.weight[before], data.assumed[before]
        ),
        later=later, challenger=challenger,
        champion=forecasts(champion, city, data.firms[after].reset_index(drop=True), later.X),
        scorecard=card.scorecard_, directions=DIRECTIONS, standing=standing,
        champion_outcomes=champion.outcomes, splits=len(held_out.splits),
    )  # fmt: skip


def _measures(comparison: Comparison, seed: int) -> dict[str, Any] | None:
    # How both did on the later pursuits, as a whole and by chain.
    later = comparison.later
    if not later.known.any():
        return None
    both = {"challenger": comparison.challenger, "champion": comparison.champion}
    given: dict[str, Any] = {"weight": later.weight, "groups": later.X["chain"], "seed": seed}
    return {name: evaluate(later.y, p, **given).to_dict() for name, p in both.items()}


def _outcomes(data: TrainingData) -> dict[str, Any]:
    # How many outcomes there are, of which kind, and from when.
    known, days = data.known, [f"{day:%Y-%m-%d}" for day in data.contacted]
    outcomes = {
        "known": int(known.sum()), "positive": int((data.y == 1).sum()),
        "open": int((~known).sum()), "left_out": dict(data.left_out),
        "contacted_from": days[0] if days else None, "contacted_to": days[-1] if days else None,
    }  # fmt: skip
    if data.rules.assume_unchanging:
        assumed = data.assumed & known
        outcomes |= {
            "assumed": int(assumed.sum()), "assumed_positive": int((data.y[assumed] == 1).sum()),
        }  # fmt: skip
    return outcomes


def _settings(rules: Rules) -> dict[str, Any]:
    settings = {"prior_strength": rules.prior_strength, "seed": rules.seed}
    return settings | ({"assume_unchanging": True} if rules.assume_unchanging else {})


def _fingerprints(data: TrainingData) -> dict[str, str]:
    # SHA-256, in hex, of what was learned from: the entries in force, the firms that were known,
    # the labels, weights and features. The order of rows changes nothing.
    happened = (data.events["day"] <= pd.Timestamp(data.labels.as_of)).to_numpy()
    rows = data.X.assign(firm=data.firm, contacted=data.contacted, y=data.y, weight=data.weight)
    if data.assumed.any():
        rows["known_since"] = data.firms["known_since"]
    firms = data.snapshots[["as_of", *(column.name for column in CANONICAL)]]
    return {
        "events_sha256": _sha256(in_force(data.events[happened])[["firm", "stage", "day"]]),
        "snapshots_sha256": _sha256(firms),
        "rows_sha256": _sha256(rows),
    }


def _sha256(frame: pd.DataFrame) -> str:
    head, *lines = frame.to_csv(index=False, lineterminator="\n").split("\n")
    return hashlib.sha256("\n".join([head, *sorted(lines)]).encode()).hexdigest()


def _version_name(city_id: str, as_of: date, manifest: Mapping[str, Any]) -> str:
    # The same for the same manifest, whenever it was made.
    content = {key: value for key, value in manifest.items() if key != "created"}
    plain = json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True)
    return f"{city_id}-{as_of:%Y%m%d}-{hashlib.sha256(plain.encode()).hexdigest()[:10]}"
