"""The expert card: the points that people wrote in the city profile, as a scorecard."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator

import numpy as np

from leadscore.city.expert import LevelPoints, NumericPoints
from leadscore.city.profile import City
from leadscore.errors import CityError, Detail
from leadscore.features.catalogue import CATALOGUE
from leadscore.features.feature import Feature
from leadscore.language import Text
from leadscore.learning.tables.scorecard import (
    CategoricalTable,
    NumericTable,
    Scorecard,
    points_to_log_odds,
)

_HEADLINE = Text(
    zh="城市画像的评分卡有{count}处错误，请按下列各处修改",
    en="the card of the city profile has {count} mistake(s); mend the places below",
)


def expert_scorecard(city: City) -> Scorecard:
    """Return the profile's card over the whole catalogue; a feature that it leaves out is worth 0.

    The intercept is the log-odds of ``base_likelihood``; 20 points double the odds.

    Raises
    ------
    CityError
        With every mistake at once: a feature that does not exist, levels for a number or a level
        that the feature does not have, points that run against the feature's direction.
    """
    mistakes = list(_mistakes(city))
    if mistakes:
        raise CityError(_HEADLINE.format(count=len(mistakes)), mistakes)
    base = city.card.base_likelihood
    tables = tuple(_table(feature, city) for feature in CATALOGUE.values())
    return Scorecard(intercept=math.log(base / (1.0 - base)), tables=tables)


def levels_of(feature: Feature, city: City) -> tuple[str, ...]:
    """Return the levels that a feature can take in this city."""
    if feature.id == "chain":
        return (*(chain.id for chain in city.chains), *feature.levels)
    return tuple(feature.levels)


def _table(feature: Feature, city: City) -> NumericTable | CategoricalTable:
    written = city.card.features.get(feature.id)
    unknown = points_to_log_odds(written.unknown) if written else 0.0
    if feature.kind == "level":
        levels = levels_of(feature, city)
        given = written if isinstance(written, LevelPoints) else None
        points = [given.levels.get(level, given.other) if given else 0.0 for level in levels]
        return CategoricalTable(
            feature=feature.id,
            levels=levels,
            values=points_to_log_odds(np.array(points)),
            other=points_to_log_odds(given.other) if given else 0.0,
            unknown=unknown,
        )
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
            yield Detail(where, key, _known_names(key, CATALOGUE))
            continue
        feature = CATALOGUE[key]
        if isinstance(written, LevelPoints) != (feature.kind == "level"):
            yield Detail(
                where, "levels" if isinstance(written, LevelPoints) else "edges", _shape(feature)
            )
        elif isinstance(written, LevelPoints):
            allowed = levels_of(feature, city)
            for level in written.levels:
                if level not in allowed:
                    yield Detail(f"{where}.levels.{level}", level, _known_names(level, allowed))
        else:
            steps = np.diff(written.points) * feature.direction
            if (steps < 0).any():
                yield Detail(f"{where}.points", str(list(written.points)), _ordered(feature))


def _known_names(key: str, known: Iterable[str]) -> Text:
    names = list(known)
    near = difflib.get_close_matches(key, names, n=1)
    if near:
        return Text(zh="是不是“{near}”？", en='perhaps "{near}"?').format(near=near[0])
    return Text(zh="其中之一：{names}", en="one of: {names}").format(names=", ".join(names))


def _shape(feature: Feature) -> Text:
    if feature.kind == "level":
        return Text(zh="levels（类别的分值）", en="levels, since it is a category")
    return Text(zh="edges 与 points（数值的分段）", en="edges and points, since it is a number")


def _ordered(feature: Feature) -> Text:
    if feature.direction > 0:
        return Text(zh="分值不随数值升高而下降", en="points that never fall as the value rises")
    return Text(zh="分值不随数值升高而上升", en="points that never rise as the value rises")
