"""Retrains a city's model: snapshots and outcomes in, a challenger and a reasoned decision out."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from leadscore.city.profile import City
from leadscore.errors import ModelError
from leadscore.features.catalogue import DIRECTIONS
from leadscore.features.extract import FeatureExtractor
from leadscore.learning.binning import Floats
from leadscore.learning.card import AdditiveCard
from leadscore.learning.comparison import Decision, Pursuits, Standing, Trial
from leadscore.learning.evaluation import evaluate
from leadscore.learning.expert import expert_model, expert_version, fit_expert, new_card
from leadscore.learning.gates import decide
from leadscore.learning.history import in_force
from leadscore.learning.labels import LEFT_OUT
from leadscore.learning.model import Model
from leadscore.learning.scorecard import probability
from leadscore.learning.training_data import (
    Lessons,
    Rehearsal,
    Rules,
    fit,
    gather,
    measured,
    rehearsal_of,
)
from leadscore.lists.columns import CANONICAL
from leadscore.registry.manifest import Manifest, told_of
from leadscore.registry.models import Shelf, is_expert, log_notice
from leadscore.text import Text, room_words

WORDS = room_words("learning")


_ENTRY = ["firm", "stage", "day"]
_FIRM = ["as_of", *(each.name for each in CANONICAL)]
_NAME_CHARACTERS = 10


def outcomes_told(lessons: Lessons) -> dict[str, Any]:
    """Return how many outcomes there are, of which kind, and from when."""
    known, y = lessons.known, lessons.y
    days = [f"{day:%Y-%m-%d}" for day in lessons.contacted]
    return {
        "known": int(known.sum()),
        "positive": int((y == 1).sum()),
        "open": int((~known).sum()),
        "left_out": dict(lessons.taught.left_out),
        "contacted_from": days[0] if days else None,
        "contacted_to": days[-1] if days else None,
    }


def trial_told(rehearsal: Rehearsal, champion: str) -> dict[str, Any]:
    """Return how the trial was held, and against whom."""
    return {
        "split": rehearsal.split.isoformat() if rehearsal.split else None,
        "train": rehearsal.learned,
        "later": rehearsal.later,
        "twins": rehearsal.twins,
        "champion": champion,
    }


def fingerprints(lessons: Lessons) -> dict[str, str]:
    """Return SHA-256, in hex, of what was learned from; the order of rows changes nothing.

    ``events_sha256`` is that of the entries in force, ``snapshots_sha256`` of the firms that were
    known, ``rows_sha256`` of the labels, weights and features.
    """
    happened = (lessons.events["day"] <= pd.Timestamp(lessons.as_of)).to_numpy()
    rows = lessons.X.assign(
        firm=lessons.firm, contacted=lessons.contacted, y=lessons.y, weight=lessons.weight
    )
    return {
        "events_sha256": _sha256(in_force(lessons.events[happened])[_ENTRY]),
        "snapshots_sha256": _sha256(lessons.snapshots[_FIRM]),
        "rows_sha256": _sha256(rows),
    }


def table_told(card: AdditiveCard) -> list[dict[str, Any]]:
    """Return a card entry by entry as JSON records, None where one is missing or unbounded."""
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in card.to_frame().to_dict(orient="records")
    ]


def version_name(city_id: str, as_of: date, manifest: Mapping[str, Any]) -> str:
    """Return the name of a model: the same for the same manifest, whenever it was made."""
    content = {key: value for key, value in manifest.items() if key != "created"}
    plain = json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True)
    digest = hashlib.sha256(plain.encode()).hexdigest()
    return f"{city_id}-{as_of:%Y%m%d}-{digest[:_NAME_CHARACTERS]}"


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if value is pd.NA or value is None else value


def _sha256(frame: pd.DataFrame) -> str:
    head, *lines = frame.to_csv(index=False, lineterminator="\n").split("\n")
    return hashlib.sha256("\n".join([head, *sorted(lines)]).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Champion:
    """The model that serves.

    Attributes
    ----------
    version
        Its name.
    model
        Features and card.
    manifest
        What was written down of it; None for the expert model.
    """

    version: str
    model: Model
    manifest: Manifest | None

    @property
    def outcomes(self) -> int:
        """How many outcomes it learned from."""
        return (self.manifest.learned if self.manifest else None) or 0

    @property
    def learned_until(self) -> date | None:
        """The day as of which it learned; None if it learned from no outcome."""
        return self.manifest.as_of if self.manifest and self.outcomes else None

    def forecasts(self, city: City, firms: pd.DataFrame, X: pd.DataFrame) -> Floats:
        """Return the likelihood of each firm by the champion's own profile.

        Parameters
        ----------
        city
            Today's profile.
        firms
            Canonical columns.
        X
            Their features by today's profile; measured anew if the champion's is another.
        """
        features = self.model.features
        own = X if features.city.digest == city.digest else measured(features, firms)
        return probability(self.model.card.scorecard.decision(own))


def reigning(
    city: City, shelf: Shelf, *, now: datetime, write: bool, notify: Callable[[Text], object]
) -> Champion:
    """Return the champion, or the last good one before it; the expert model if no other serves.

    Parameters
    ----------
    city
        The profile.
    shelf
        Where the models live.
    now
        Aware time at which the expert model is shelved, if it has to be.
    write
        False to leave the shelf as it is.
    notify
        Told of champions that can't be used.

    Raises
    ------
    CityError
        If the card in the profile has mistakes.
    ModelError
        If the shelf can't be read or written.
    """
    for version in shelf.line(city.id):
        if is_expert(city.id, version):
            break
        try:
            return Champion(version, shelf.load(version), shelf.manifest(version))
        except ModelError as fault:
            reason = Text(zh=fault.render("zh"), en=fault.render("en"))
            notify(WORDS["retrain.passed_over"].format(version=version, reason=reason))
    if not write:
        return Champion(expert_version(city), fit_expert(city), None)
    return Champion(*expert_model(city, shelf, now, notify), None)


Step = Callable[[Text], object]


@dataclass(frozen=True, eq=False)
class Retraining:
    """What came of it.

    Attributes
    ----------
    version
        Name of the challenger.
    champion
        What served until now.
    decision
        Whether the challenger serves from now on, and why.
    manifest
        What is written down of the challenger.
    model
        Features and card, fitted.
    dry_run
        True if nothing was saved and nothing promoted.
    notices
        What one should know of the outcomes.
    """

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
        trained = WORDS["retrain.trained"].format(
            version=self.version, known=known, positive=positive
        )
        left = outcomes["left_out"].items()
        return (
            trained,
            *(
                WORDS["retrain.left"].format(count=count, why=LEFT_OUT[reason])
                for reason, count in left
            ),
            *self.notices,
        )

    @property
    def upshot(self) -> Text:
        """Which model serves from now on, in words."""
        said = (
            WORDS["retrain.dry_run"]
            if self.dry_run
            else WORDS["retrain.serves_new"]
            if self.decision.promoted
            else WORDS["retrain.serves_on"]
        )
        return said.format(version=self.version, champion=self.champion)


def retrain(
    city: City,
    events: pd.DataFrame,
    snapshots: pd.DataFrame,
    shelf: Shelf,
    *,
    as_of: date,
    now: datetime,
    rules: Rules | None = None,
    dry_run: bool = False,
    overrule: str | None = None,
    progress: Step = lambda _: None,
    notify: Step = log_notice,
) -> Retraining:
    """Train a challenger on what is known as of a day, and let it serve if it has earned it.

    It works at every number of outcomes; with none the challenger is the expert card. It is saved
    whatever is decided. The same data and seed give the same scorecard, byte for byte, in whatever
    order the rows come.

    Parameters
    ----------
    city
        The profile: its card is the prior, its words make the features.
    events, snapshots
        See `leadscore.learning.history`.
    shelf
        Where the champion is and the challenger goes.
    as_of
        What happened later is not known.
    now
        Aware time, kept as the time of creation and of promotion.
    rules
        What is forecast, and how; by default `Rules()`.
    dry_run
        Decide, but save and promote nothing.
    overrule
        Reason of a person who promotes the challenger whatever the gates say.
    progress
        Told of each stage of the walk.
    notify
        Told of models that can't be used.

    Raises
    ------
    CityError
        If the card in the profile has mistakes.
    ModelError
        If the shelf can't be read or written.
    UsageError
        If the reason to overrule is blank.
    """
    rules = rules or Rules()
    Decision((), overrule)  # refuses a blank reason before the work, not after it
    champion = reigning(city, shelf, now=now, write=not dry_run, notify=notify)
    progress(WORDS["retrain.measuring"])
    features = FeatureExtractor(city)
    lessons = gather(features, events, snapshots, as_of=as_of, rules=rules)
    told = outcomes_told(lessons)
    progress(WORDS["retrain.gathered"].format(as_of=as_of, n=len(lessons.y), **told))
    # A trained champion has learned from some of the pursuits itself.
    rehearsal = rehearsal_of(lessons, champion.learned_until)
    progress(_contest(rehearsal))
    challenger = rehearsal.rehearse(new_card(city, rules.prior_strength))
    progress(WORDS["retrain.fitting"].format(known=told["known"]))
    card = fit(new_card(city, rules.prior_strength), lessons.X, lessons.y, lessons.weight)
    progress(WORDS["retrain.judging"].format(champion=champion.version))
    trial = _trial(city, rehearsal, challenger, champion, card)
    decision = decide(trial, overruled=overrule, seed=rules.seed)
    manifest = {
        **_made_from(city, lessons, now),
        "trial": trial_told(rehearsal, champion.version),
        "measures": _measures(trial, rules.seed),
        "decision": decision.to_dict(),
        "scorecard": card.scorecard_.to_dict(),
        "table": table_told(card),
    }
    done = Retraining(
        version=version_name(city.id, as_of, manifest),
        champion=champion.version,
        decision=decision,
        manifest=manifest,
        model=Model(features, card.fitted()),
        dry_run=dry_run,
        notices=lessons.taught.labels.notices(),
    )
    if not dry_run:
        progress(WORDS["retrain.saving"].format(version=done.version))
        shelf.save(done.version, done.model, manifest, notify)
        if decision.promoted:
            shelf.promote(city.id, done.version, act="trained", now=now, reason=overrule)
    return done


def _made_from(city: City, lessons: Lessons, now: datetime) -> dict[str, Any]:
    """Return what the manifest says of the challenger's making."""
    rules = lessons.rules
    return {
        "kind": "trained",
        "city": told_of(city),
        "created": now.isoformat(),
        "as_of": lessons.as_of.isoformat(),
        "target": rules.target,
        "horizon_days": rules.horizon_days,
        "outcomes": outcomes_told(lessons),
        "training": fingerprints(lessons),
        "settings": {"prior_strength": rules.prior_strength, "seed": rules.seed},
    }


def _contest(rehearsal: Rehearsal) -> Text:
    if rehearsal.split is None:
        return WORDS["retrain.no_contest"]
    learned, later = rehearsal.learned, rehearsal.later
    return WORDS["retrain.contest"].format(split=rehearsal.split, learned=learned, later=later)


def _trial(
    city: City, rehearsal: Rehearsal, challenger: Floats, champion: Champion, card: AdditiveCard
) -> Trial:
    """Return what the decision is made from."""
    lessons, before, after = rehearsal.lessons, ~rehearsal.after, rehearsal.after
    firms = lessons.taught.firms[after].reset_index(drop=True)
    later = Pursuits(
        firm=lessons.firm[after],
        X=rehearsal.later_features,
        y=rehearsal.later_y,
        weight=rehearsal.later_weight,
    )
    standing = None
    if len(lessons.standing):
        standing = Standing(
            X=lessons.standing_features,
            challenger=card.predict_proba(lessons.standing_features)[:, 1],
            champion=champion.forecasts(city, lessons.standing, lessons.standing_features),
        )
    return Trial(
        training=Pursuits(
            firm=lessons.firm[before],
            X=lessons.X[before].reset_index(drop=True),
            y=rehearsal.y[before],
            weight=rehearsal.weight[before],
        ),
        later=later,
        challenger=challenger,
        champion=champion.forecasts(city, firms, later.X),
        scorecard=card.scorecard_,
        directions=DIRECTIONS,
        standing=standing,
        champion_outcomes=champion.outcomes,
    )


def _measures(trial: Trial, seed: int) -> dict[str, Any] | None:
    """Return how both did on the later pursuits, as a whole and by chain."""
    later = trial.later
    if not later.known.any():
        return None
    chains = later.X["chain"]
    return {
        name: evaluate(later.y, p, weight=later.weight, groups=chains, seed=seed).to_dict()
        for name, p in (("challenger", trial.challenger), ("champion", trial.champion))
    }
