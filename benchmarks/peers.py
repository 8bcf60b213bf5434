"""The models that the card is measured against, each fed as its own users would feed it.

Every peer sees the same columns: float64 numbers and str texts, either of them with missing values.
Libraries that take categories get them natively; what has to be encoded is encoded inside the model
and counted in its time. All run on one thread.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import leadscore.learning
from leadscore.learning import AdditiveCard
from odoo_bayes import FrequencyBayes
from tuned import ChosenLogistic, TunedTrees

OURS = "AdditiveCard"
_MANY = 20_000
"""Rows, from which on EBM is given fewer bags."""

Prepare = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Peer:
    """A model, and how it likes its columns.

    Attributes
    ----------
    make : callable
        Gives a new model with ``fit(X, y)`` and ``predict_proba(X)``. It gets the training frame,
        as some libraries want to be told their columns.
    prepare : callable
        Takes the training frame and the frame to prepare; its time is not counted.
    version : str
        Results under another version are other results.
    every : int
        Takes part in every this many-th draw of the learning curve; more than one for models that
        take seconds even on a few rows, 0 for those that take no part.
    own : bool
        Is one of this project's models.
    """

    make: Callable[[pd.DataFrame], Any]
    prepare: Prepare
    version: str
    every: int = 1
    own: bool = False


def texts_of(X: pd.DataFrame) -> list[str]:
    return [c for c in X if X[c].dtype != "float64"]


def as_they_are(train: pd.DataFrame, X: pd.DataFrame) -> pd.DataFrame:  # noqa: ARG001
    return X


def as_categories(train: pd.DataFrame, X: pd.DataFrame) -> pd.DataFrame:
    """Make texts categories of the levels seen in training; a level not seen becomes missing."""
    levels = {c: pd.CategoricalDtype(sorted(train[c].dropna().unique())) for c in texts_of(train)}
    return X.assign(**{c: X[c].where(X[c].isin(t.categories)).astype(t) for c, t in levels.items()})


def as_objects(train: pd.DataFrame, X: pd.DataFrame) -> pd.DataFrame:
    """Make texts objects, a missing one the text "missing"."""
    return X.assign(**{c: X[c].astype("object").fillna("missing") for c in texts_of(train)})


def _encoded(model: Any) -> Any:
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    texts = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (texts, make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(columns, model)


def _logistic(X: pd.DataFrame, C: float) -> Any:  # noqa: ARG001
    return _encoded(LogisticRegression(C=C, max_iter=5000))


def _chosen_logistic(X: pd.DataFrame) -> Any:  # noqa: ARG001
    return _encoded(ChosenLogistic())


def _bayes(X: pd.DataFrame) -> Any:  # noqa: ARG001
    return FrequencyBayes()


def _trees(X: pd.DataFrame) -> Any:  # noqa: ARG001
    return HistGradientBoostingClassifier(random_state=0)


def _tuned_trees(X: pd.DataFrame) -> Any:  # noqa: ARG001
    return TunedTrees()


def _lightgbm(X: pd.DataFrame) -> Any:  # noqa: ARG001
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_jobs=1, random_state=0, verbose=-1)


def _catboost(X: pd.DataFrame) -> Any:
    from catboost import CatBoostClassifier

    return CatBoostClassifier(
        cat_features=texts_of(X),
        thread_count=1,
        random_seed=0,
        verbose=False,
        allow_writing_files=False,
    )


def _ebm(X: pd.DataFrame, **settings: Any) -> Any:
    from interpret.glassbox import ExplainableBoostingClassifier

    if len(X) > _MANY:
        # Fourteen bags, as it comes, take an hour for the folds of one file and forecast alike.
        settings |= {"outer_bags": 4}
    types = ["continuous" if X[c].dtype == "float64" else "nominal" for c in X]
    return ExplainableBoostingClassifier(
        feature_names=list(X), feature_types=types, n_jobs=1, random_state=0, **settings
    )


def peers() -> dict[str, Peer]:
    """Return all peers by name."""
    of = importlib.metadata.version
    sklearn = f"scikit-learn {of('scikit-learn')}"
    lightgbm = f"lightgbm {of('lightgbm')}"
    catboost = f"catboost {of('catboost')}"
    interpret = f"interpret-core {of('interpret-core')}"
    return {
        "logistic regression, C=1": Peer(partial(_logistic, C=1.0), as_they_are, sklearn),
        "logistic regression, C=0.1": Peer(partial(_logistic, C=0.1), as_they_are, sklearn),
        "logistic regression, C by CV": Peer(_chosen_logistic, as_they_are, sklearn),
        "naive Bayes as in Odoo": Peer(_bayes, as_they_are, "naive Bayes 1"),
        "HGB": Peer(_trees, as_categories, sklearn),
        "HGB, tuned": Peer(_tuned_trees, as_categories, sklearn, every=0),
        "LightGBM": Peer(_lightgbm, as_categories, lightgbm),
        "CatBoost": Peer(_catboost, as_objects, catboost, every=3),
        "EBM without pairs": Peer(partial(_ebm, interactions=0), as_objects, interpret, every=3),
        "EBM": Peer(_ebm, as_objects, interpret, every=6),
    }


def ours(variants: dict[str, dict[str, Any]]) -> dict[str, Peer]:
    """Return the card as it comes, and cards of other settings."""
    version = _source_digest("cards.card")
    found = {OURS: Peer(partial(_card, {}), as_they_are, version, own=True)}
    for name, settings in variants.items():
        changed = f"{version} {json.dumps(settings, sort_keys=True)}"
        found[name] = Peer(partial(_card, settings), as_they_are, changed, own=True)
    return found


def _card(settings: dict[str, Any], X: pd.DataFrame) -> Any:  # noqa: ARG001
    return AdditiveCard(**settings)


def _source_digest(module: str) -> str:
    """Return a digest of the module and all that it names, so that a change is measured anew."""
    folder = Path(leadscore.learning.__file__).parent
    sources: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = folder.joinpath(*name.split(".")).with_suffix(".py")
        if name not in sources and path.is_file():
            sources[name] = path.read_text("utf-8")
            waiting += re.findall(r"leadscore\.learning\.([\w.]+)", sources[name])
    return hashlib.sha256(repr(sorted(sources.items())).encode()).hexdigest()[:10]
