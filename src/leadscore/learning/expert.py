"""The expert card: as a scorecard, as the prior of what is learned, as the model of day one."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadscore.city.profile import City, LevelPoints, NumericPoints
from leadscore.errors import CityError, Detail
from leadscore.features.catalogue import CATALOGUE, DIRECTIONS, Feature, Value
from leadscore.features.extract import (
    SEGMENT_FEATURES,
    FeatureExtractor,
    features_frame,
    segment_contexts,
)
from leadscore.features.footprint import kilometres
from leadscore.files import shipped
from leadscore.learning.model import Model, Posterior
from leadscore.learning.reference import Reference, reference_card
from leadscore.learning.scorecard import (
    CategoricalTable,
    NumericTable,
    Scorecard,
    Table,
    log_odds_to_points,
    logistic,
    points_to_log_odds,
)
from leadscore.registry.manifest import AverageFirm
from leadscore.registry.models import ModelRegistry, expert_version, log_notice
from leadscore.text import Text, room_words

if TYPE_CHECKING:
    from leadscore.learning.card import AdditiveCard

WORDS = room_words("learning")


def expert_scorecard(city: City, reference: Reference | None = None) -> Scorecard:
    """Return the profile's card over the whole catalogue; a feature that it leaves out is worth 0.

    Where the profile asks for it, what it leaves out is worth what the reference card says: the
    shipped one, unless another is given. The intercept is the log-odds of ``base_likelihood``, or
    such that of a hundred usual firms ``signed_of_100`` are expected to land; 20 points double
    the odds. A CityError has every mistake at once: a feature that does not exist, levels for a
    number or a level that the feature does not have, points that run against the feature's
    direction.
    """
    mistakes = list(_mistakes(city))
    if mistakes:
        raise CityError(WORDS["expert.headline"].format(count=len(mistakes)), mistakes)
    beneath = _beneath(city, reference)
    tables = tuple(
        beneath[key] if key in beneath else _table(feature, city)
        for key, feature in CATALOGUE.items()
    )
    base = city.card.base_likelihood
    if base is None:
        return _expecting((city.card.signed_of_100 or 0.0) / 100.0, tables, city)
    return Scorecard(intercept=math.log(base / (1.0 - base)), tables=tables)


def _beneath(city: City, reference: Reference | None) -> dict[str, Table]:
    # The tables of the reference card that the city neither writes itself nor leaves out.
    if reference is None and city.card.reference == "none":
        return {}
    tables = (reference or reference_card()).tables
    return {name: table for name, table in tables.items() if name not in city.card.features}


def _expecting(share: float, tables: tuple[Table, ...], city: City) -> Scorecard:
    # The mean likelihood of usual firms, their features taken as independent, rises with the
    # intercept. Likelihoods are no straight line: that of the average firm lies below their mean.
    spread = _sums_of_points(tables, _usual_shares(city))
    low, high = -_WIDEST, _WIDEST
    for _ in range(60):
        middle = (low + high) / 2.0
        mean = math.fsum(weight * logistic(middle + sum_) for sum_, weight in spread)
        low, high = (middle, high) if mean < share else (low, middle)
    return Scorecard(intercept=(low + high) / 2.0, tables=tables)


_WIDEST = 40.0  # log-odds
_GRAIN = 0.05  # of the sums, in log-odds: a thousandth of the likelihood


def _sums_of_points(tables: Sequence[Table], shares: _Shares) -> list[tuple[float, float]]:
    sums = {0: 1.0}
    for table in tables:
        known = shares.get(table.feature, [])
        unknown = (None, max(1.0 - math.fsum(share for _, share in known), 0.0))
        steps: dict[int, float] = {}
        for value, share in (*known, unknown):
            step = round(float(table.entries[table.code(value)]) / _GRAIN)
            steps[step] = steps.get(step, 0.0) + share
        added: dict[int, float] = {}
        for at, weight in sums.items():
            for step, share in steps.items():
                added[at + step] = added.get(at + step, 0.0) + weight * share
        sums = added
    total = math.fsum(sums.values())
    return [(at * _GRAIN, weight / total) for at, weight in sums.items()]


def _levels_of(feature: Feature, city: City) -> tuple[str, ...]:
    if feature.id == "chain":
        return (*(chain.id for chain in city.chains), *feature.levels)
    return tuple(feature.levels)


def _table(feature: Feature, city: City) -> NumericTable | CategoricalTable:
    written = city.card.features.get(feature.id)
    unknown = points_to_log_odds(written.unknown) if written else 0.0
    if feature.kind == "level":
        levels = _levels_of(feature, city)
        given = written if isinstance(written, LevelPoints) else None
        points = [given.levels.get(level, given.other) if given else 0.0 for level in levels]
        return CategoricalTable(
            feature=feature.id, levels=levels, values=points_to_log_odds(np.array(points)),
            other=points_to_log_odds(given.other) if given else 0.0, unknown=unknown,
        )  # fmt: skip
    steps = written if isinstance(written, NumericPoints) else None
    return NumericTable(
        feature=feature.id,
        edges=np.array(steps.edges if steps else (), dtype=float),
        values=points_to_log_odds(np.array(steps.points if steps else (0.0,))),
        unknown=unknown,
    )


def _mistakes(city: City) -> Iterator[Detail]:
    for key, written in city.card.features.items():
        where = f"card.feature.{key}"
        if key not in CATALOGUE:
            yield Detail(where, key, _one_of(key, CATALOGUE))
            continue
        feature = CATALOGUE[key]
        shape = "levels" if isinstance(written, LevelPoints) else "edges"
        if (shape == "levels") != (feature.kind == "level"):
            wanted = "levels" if feature.kind == "level" else "edges_and_points"
            yield Detail(where, shape, WORDS[f"expert.{wanted}"])
        elif isinstance(written, LevelPoints):
            allowed = _levels_of(feature, city)
            for level in written.levels:
                if level not in allowed:
                    yield Detail(f"{where}.levels.{level}", level, _one_of(level, allowed))
        elif (np.diff(written.points) * feature.direction < 0).any():
            wanted = "never_falling" if feature.direction > 0 else "never_rising"
            points = str(list(written.points))
            yield Detail(f"{where}.points", points, WORDS[f"expert.{wanted}"])


def _one_of(key: str, known: Iterable[str]) -> Text:
    names = list(known)
    near = difflib.get_close_matches(key, names, n=1)
    if near:
        return WORDS["expert.perhaps"].format(near=near[0])
    return WORDS["expert.one_of"].format(names=", ".join(names))


def new_card(city: City, prior_strength: float = 50.0) -> AdditiveCard:
    """Return a card that isn't fitted yet, and starts from what the city's experts say."""
    # Late, for start-up time: importing scikit-learn takes longer than scoring a list.
    from leadscore.learning.card import AdditiveCard

    prior = expert_scorecard(city)
    return AdditiveCard(prior=prior, prior_strength=prior_strength, directions=DIRECTIONS)


def fit_expert(city: City) -> Model:
    """Return the model fitted on no outcomes at all: its card is the expert card exactly.

    How sure it is says `prior_posterior`.
    """
    fitted = new_card(city).fit(features_frame([]), np.empty(0, dtype=np.int64)).fitted()
    average = average_candidate(city, fitted.scorecard)
    posterior = prior_posterior(city, fitted.scorecard)
    return Model(FeatureExtractor(city), replace(fitted, average=average, posterior=posterior))


_BASE_WIDTH = math.log(1.6)
"""An office's word for how many firms land may be off by a factor of 1.6."""
_DOUBTED = 0.5
"""Points that people wrote may be off by half of what they say..."""
_LEAST_WIDTH = float(points_to_log_odds(2.0))
"""...and by two points at least, but where a feature says nothing of any firm."""


def prior_posterior(city: City, card: Scorecard) -> Posterior:
    """Return how sure the card is before any outcome: each entry by itself, and the base rate.

    What the reference card says brings its own widths; of what the city says, see above.
    """
    beneath = _beneath(city, None)
    widths = [np.array([_BASE_WIDTH])]
    for table in card.tables:
        entries = table.entries
        if table.feature in beneath:
            widths.append(reference_card().widths[table.feature])
        elif entries.any():
            widths.append(np.maximum(_DOUBTED * np.abs(entries), _LEAST_WIDTH))
        else:
            widths.append(np.zeros(len(entries)))
    starts = 1 + np.cumsum([0, *(len(table.entries) for table in card.tables[:-1])])
    variance = np.concatenate(widths) ** 2
    return Posterior(np.diag(variance).astype(np.float32), starts)


_LEAST_FIRMS = 50  # fewer don't tell what is usual


def average_firm(city: City, card: Scorecard, firms: pd.DataFrame) -> AverageFirm:
    """Return the average of an office's firms, features X; of `average_candidate` if few."""
    if len(firms) < _LEAST_FIRMS:
        return average_candidate(city, card)
    added = log_odds_to_points(card.lookup(firms))
    points = dict(zip(card.names, added.mean(axis=0).tolist(), strict=True))
    return AverageFirm(points, len(firms), own=True)


def average_candidate(city: City, card: Scorecard) -> AverageFirm:
    """Return what each table adds on average over the firms of ``average_firm.toml``."""
    shares = _usual_shares(city)
    points = {}
    for table in card.tables:
        known = shares.get(table.feature, [])
        unknown = (None, 1.0 - math.fsum(share for _, share in known))  # what the shares leave over
        means = (share * table.entries[table.code(value)] for value, share in (*known, unknown))
        points[table.feature] = float(log_odds_to_points(math.fsum(means)))
    return AverageFirm(points, int(_average()["firms"]), own=False)


@cache
def _average() -> dict[str, Any]:
    with shipped("average_firm.toml").open("rb") as file:
        return tomllib.load(file)


def _usual_shares(city: City) -> _Shares:
    told = _average()
    return _company_shares(told, city) | _segment_shares(told, city)


_Shares = dict[str, list[tuple[Value, float]]]


def _company_shares(told: Mapping[str, Any], city: City) -> _Shares:
    shares: _Shares = {name: list(levels.items()) for name, levels in told["levels"].items()}
    for name, flags in told["flags"].items():
        shares[name] = [(1.0, flags["yes"]), (0.0, flags["no"])]
    for name, numbers in told["numbers"].items():
        each = (1.0 - numbers["unknown"]) / len(numbers["values"])
        shares[name] = [(float(value), each) for value in numbers["values"]]
    own = city.division_code[:2]
    shares["distance_km"] = [
        (kilometres(home, own), share) for home, share in told["homes"].items()
    ]
    # Of a city without such regions nothing is ever said of them.
    tells = {
        "target_region": city.target_regions, "same_province": city.division_code,
        "neighbour_city": city.neighbours, "distance_km": city.division_code,
    }  # fmt: skip
    return {name: values for name, values in shares.items() if tells.get(name, True)}


def _segment_shares(told: Mapping[str, Any], city: City) -> _Shares:
    matched, strengths = told["matched"], told["strengths"]
    contexts = list(segment_contexts(city).values())
    each = matched / len(contexts)
    shares: _Shares = {
        name: [(value, each) for value in (getattr(context, name) for context in contexts)]
        for name in SEGMENT_FEATURES
    }
    shares["chain"].append(("none", 1.0 - matched))
    shares["role"] = [(role, matched * share) for role, share in told["roles"].items()]
    shares["match_strength"] = [(0.0, 1.0 - matched)]
    shares["match_strength"] += [(value, matched / len(strengths)) for value in strengths]
    shares["gap_filled"] = [
        (context.gap * strength * city.roles.get(role, 0.0), each * share / len(strengths))
        for context in contexts
        for role, share in told["roles"].items()
        for strength in strengths
    ]
    return shares


def expert_model(
    city: City,
    registry: ModelRegistry,
    now: datetime,
    notify: Callable[[Text], object] = log_notice,
) -> tuple[str, Model]:
    """Return version and model of the city's expert model, saving it if it isn't there.

    ``now`` is an aware time; ``notify`` is told when a damaged model was set aside.

    Raises
    ------
    CityError
        If the card in the profile has mistakes.
    ModelError
        If the registry can't be written, or the key can't be trusted.
    """
    version = expert_version(city)
    said = {"kind": "expert", "created": now.isoformat(), "outcomes": 0}
    return version, registry.ensure(version, lambda: (fit_expert(city), said), notify)
