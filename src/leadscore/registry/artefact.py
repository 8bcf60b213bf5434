"""The file of a saved model, of this format and of the one before it."""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from leadscore.city.profile import City
from leadscore.features.extract import FeatureExtractor
from leadscore.learning.model import FittedCard, Model, Posterior
from leadscore.learning.scorecard import Scorecard
from leadscore.registry.manifest import PICKLED, Manifest

_UNCHANGED = (
    "sklearn.pipeline.Pipeline", "leadscore.features.build.FirmFeatures",
    "leadscore.learning.cards.card.AdditiveCard", "leadscore.learning.cards.boosted.BoostedCard",
    "leadscore.learning.fitting.posterior.Posterior", "leadscore.learning.fitting.widths.Widths",
    "leadscore.learning.tables.entries.CategoricalTable",
    "leadscore.learning.tables.entries.NumericTable",
    "leadscore.learning.tables.pairtables.CategoricalAxis",
    "leadscore.learning.tables.pairtables.NumericAxis",
    "leadscore.learning.tables.pairtables.PairTable",
    "leadscore.learning.tables.scorecard.Scorecard", "leadscore.language.Text",
    "leadscore.city.expert.LevelPoints", "leadscore.city.expert.NumericPoints",
    "leadscore.city.partners.Delivery", "leadscore.city.partners.Event",
    "leadscore.city.partners.Neighbour", "leadscore.city.partners.Place",
    "leadscore.city.partners.SoughtClass", "leadscore.city.partners.TargetRegion",
    "leadscore.city.profile.About", "leadscore.city.profile.RankingPolicy",
    "leadscore.city.profile.Statement", "leadscore.city.values.Evidence",
)  # fmt: skip
_COMPUTED = ("digest", "segments", "_delivered", "_edges", "_feeders", "_steps")
_RECORDS: Mapping[str, Mapping[str, str]] = {
    **{name: {} for name in _UNCHANGED},
    "leadscore.city.chains.Chain": {"segments": "segment"},
    "leadscore.city.chains.Segment": {"chain_id": "of chain", "key": "id"},
    "leadscore.city.expert.ExpertCard": {"features": "feature"},
    "leadscore.city.partners.Anchor": {"label": "name"},
    "leadscore.city.profile.City": {
        "about": "city", "chains": "chain", "anchors": "anchor", "places": "place",
        "neighbours": "neighbour", "target_regions": "target_region", "events": "event",
        **dict.fromkeys(_COMPUTED, ""),
    },
}  # fmt: skip
"""By the dotted name of a class, what the file of a profile called a field whose name was another;
an empty name for what was computed."""

_NUMPYS = {
    "numpy.dtype",
    "numpy.ndarray",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
}


def read_pickle(artefact: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the profile of a pickled model, as `City.model_validate` takes it, and its arrays.

    They go by the names of `to_bytes`, ``covariance`` whole. A boosted card had no more than its
    scorecard, which stands in the manifest. The signature was checked; still one of KeyError,
    TypeError, ValueError, pickle.UnpicklingError if it isn't the pickle of a model, or names what
    no model has.
    """
    steps = dict(_Unpickler(io.BytesIO(artefact)).load().fields["steps"])
    card = steps["card"].fields
    given, tables = card["directions"] or {}, card["scorecard_"].fields["tables"]
    directions = [given.get(table.fields["feature"], 0) for table in tables]
    written = {"classes": card["classes_"]}
    if card.get("posterior_") is not None:
        written |= card["posterior_"].fields
        written |= {"counts": card["counts_"], "positives": card["positives_"]}
    arrays = {name: array.values for name, array in written.items()}
    arrays["directions"] = np.array(directions, dtype=np.int64)
    return _plain(steps["features"].fields["city"]), arrays


class _Record:
    names: ClassVar[Mapping[str, str]] = {}
    fields: dict[str, Any]

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, list):  # of a `Text`, which had slots
            self.fields = dict(zip(("zh", "en"), state, strict=True))
        else:
            self.fields = state.get("__dict__", state)  # of a part of a profile, or of another


class _Array:
    # An array as joblib wrote it: its bytes stand in the file, behind what the pickle says.
    file: ClassVar[BinaryIO]
    values: NDArray[Any]

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        dtype, shape = state["dtype"], state["shape"]
        if dtype.hasobject:
            self.values = _Unpickler(self.file).load()
            return
        if state.get("numpy_array_alignment_bytes") is not None:
            self.file.read(self.file.read(1)[0])
        content = self.file.read(math.prod(shape) * dtype.itemsize)
        self.values = np.frombuffer(content, dtype).reshape(shape, order=state["order"])


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._file = file

    def find_class(self, module: str, name: str) -> Any:
        path = f"{module}.{name}"
        if path in _RECORDS:
            return type(name, (_Record,), {"names": _RECORDS[path]})
        if path in _NUMPYS:
            return super().find_class(module, name)
        if path == "joblib.numpy_pickle.NumpyArrayWrapper":
            return type(name, (_Array,), {"file": self._file})
        msg = f"a pickled model may not name {path}"
        raise pickle.UnpicklingError(msg)


def _plain(value: Any) -> Any:
    # Records as the file of a profile writes them.
    if isinstance(value, _Record):
        named = ((value.names.get(name, name), part) for name, part in value.fields.items())
        return {name: _plain(part) for name, part in named if name}
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value


def to_bytes(model: Model) -> bytes:
    """Return the artefact of a model.

    It is a file of numpy (``.npz``) with ``classes`` and ``directions``, one for each table; and
    where the card has a posterior with its ``starts``, the lower half of its ``covariance``, row by
    row, and the card's ``counts`` and ``positives``.
    """
    card = model.card
    signs = [card.directions.get(name, 0) for name in card.scorecard.features]
    arrays: dict[str, NDArray[Any]] = {"classes": card.classes, "directions": np.array(signs, int)}
    if card.posterior is not None:
        covariance = card.posterior.covariance
        arrays["counts"], arrays["positives"] = card.counts, card.positives
        arrays["starts"] = card.posterior.starts
        arrays["covariance"] = covariance[np.tril_indices(len(covariance))]
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def from_bytes(manifest: Manifest, artefact: bytes) -> Model:
    """Return the model whose signature was checked.

    Its card scores, tells its intervals and draws cards as it did when it was saved. With what
    settings it was fitted is not kept, for nobody fits it again. A KeyError, TypeError, ValueError
    or ModelError if the manifest or the artefact isn't one.
    """
    if manifest.artefact.file == PICKLED:
        profile, arrays = read_pickle(artefact)
    else:
        profile, arrays = manifest.city.profile or {}, _arrays(artefact)
    scorecard = Scorecard.from_dict(manifest.scorecard or {})
    signs = zip(scorecard.features, arrays["directions"].tolist(), strict=True)
    card = FittedCard(scorecard, arrays["classes"], {name: sign for name, sign in signs if sign})
    if "covariance" in arrays and not scorecard.pairs:
        posterior = Posterior(arrays["covariance"], arrays["starts"])
        counts, positives = arrays["counts"], arrays["positives"]
        card = replace(card, posterior=posterior, counts=counts, positives=positives)
    card = replace(card, average=manifest.average)
    return Model(FeatureExtractor(City.model_validate(profile)), card)


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
