"""The file of a saved model: what of a fitted pipeline is too large for its manifest.

The manifest says what a model is: the city profile that its features are measured by, and the
scorecard. The artefact adds arrays: how sure each entry of the card is, and what stands behind it.
Neither is a pickle, and neither names a class, so that a model opens whatever has become of the
code and of scikit-learn since. Models of format 1 are pickles: see
`leadscore.learning.shelf.pickled`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from leadscore.city.profile import City
from leadscore.features.build import FirmFeatures
from leadscore.learning.cards.card import AdditiveCard
from leadscore.learning.fitting.posterior import Posterior
from leadscore.learning.shelf.manifest import PICKLED, told_of
from leadscore.learning.shelf.pickled import read_pickle
from leadscore.learning.tables.scorecard import Scorecard
from leadscore.lists.blank import blank_firms

Arrays = Mapping[str, NDArray[Any]]


def said_by(pipeline: Pipeline) -> dict[str, Any]:
    """Return what the manifest of a fitted pipeline has to hold, so that it can be opened."""
    steps = pipeline.named_steps
    return {
        "city": told_of(steps["features"].city),
        "scorecard": steps["card"].scorecard_.to_dict(),
    }


def to_bytes(pipeline: Pipeline) -> bytes:
    """Return the artefact of a fitted pipeline of features and card.

    It is a file of numpy (``.npz``) with ``classes`` and ``directions``, one for each table; and
    where the card has a posterior with its ``starts``, the lower half of its ``covariance``, row by
    row, and the card's ``counts`` and ``positives``.
    """
    card: AdditiveCard = pipeline.named_steps["card"]
    directions = card.directions or {}
    arrays: dict[str, NDArray[Any]] = {
        "classes": card.classes_,
        "directions": np.array([directions.get(name, 0) for name in card.scorecard_.features], int),
    }
    if card.posterior_ is not None:
        covariance = card.posterior_.covariance
        arrays["counts"], arrays["positives"] = card.counts_, card.positives_
        arrays["starts"] = card.posterior_.starts
        arrays["covariance"] = covariance[np.tril_indices(len(covariance))]
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def from_bytes(manifest: Mapping[str, Any], artefact: bytes) -> Pipeline:
    """Return the pipeline of a model whose signature was checked.

    Its card scores, tells its intervals and draws cards as it did when it was saved. With what
    settings it was fitted is not kept, for nobody fits it again.

    Raises
    ------
    KeyError, TypeError, ValueError, ModelError
        If the manifest or the artefact isn't one.
    """
    if manifest["artefact"]["file"] == PICKLED:
        profile, arrays = read_pickle(artefact)
    else:
        profile, arrays = manifest["city"]["profile"], _arrays(artefact)
    scorecard = Scorecard.from_dict(manifest["scorecard"])
    features = FirmFeatures(City.model_validate(profile)).fit(blank_firms(0))
    return Pipeline([("features", features), ("card", _card(scorecard, arrays))])


def _arrays(artefact: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(artefact), allow_pickle=False) as file:
        arrays = dict(file)
    if "covariance" in arrays:
        half = arrays["covariance"]
        size = int(np.sqrt(2 * len(half)))
        covariance = np.zeros((size, size), dtype=half.dtype)
        covariance[np.tril_indices(size)] = half
        arrays["covariance"] = covariance + np.tril(covariance, -1).T
    return arrays


def _card(scorecard: Scorecard, arrays: Arrays) -> AdditiveCard:
    ways = zip(scorecard.features, arrays["directions"].tolist(), strict=True)
    card = AdditiveCard(directions={name: way for name, way in ways if way} or None)
    card.scorecard_, card.intercept_ = scorecard, scorecard.intercept
    card.classes_ = arrays["classes"]
    card.feature_names_in_ = np.array(scorecard.features, dtype=object)
    card.n_features_in_ = len(scorecard.features)
    card.posterior_ = None
    if "covariance" in arrays and not scorecard.pairs:
        card.posterior_ = Posterior(arrays["covariance"], arrays["starts"])
        card.counts_, card.positives_ = arrays["counts"], arrays["positives"]
    return card
