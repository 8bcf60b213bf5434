"""What stands beside a saved model: the manifest that says what it is, and its signature."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import platform
import re
import secrets
import stat
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from leadscore.city.profile import City
from leadscore.errors import Detail, ModelError
from leadscore.files import fingerprint, place_secret
from leadscore.learning.evaluation import Evaluation, GateState
from leadscore.text import Text, room_words
from leadscore.validation import json_path, refusals

WORDS = room_words("registry")


ARTEFACT = "card.npz"
PICKLED = "pipeline.joblib"
"""The artefact of a model of format 1."""
MANIFEST = "manifest.json"
SIGNATURE = "signature"
_SCHEMA = 2
_ARTEFACTS = {1: PICKLED, _SCHEMA: ARTEFACT}
"""What the artefact of each schema is called; models of all of them open."""
ONLY_THE_REGISTRY_KNOWS = ("schema", "version", "artefact", "code", "libraries")
"""What the registry writes into a manifest, whatever the maker says."""
_CODE = ("city", "features", "learning", "lists")
_PROJECT = re.compile(r"[A-Za-z0-9._-]+")  # with which "flask-openapi[swagger]>=5.0" begins
_SHIPPED = (
    "average_firm.toml", "cells.toml", "columns.toml", "lexicon.toml", "rates.toml",
    "reference_card.toml", "uses.toml", "codes/capitals.csv", "codes/divisions.csv",
    "codes/former.csv", "codes/names.csv", "codes/traditional.csv",
)  # fmt: skip

_A_MANIFEST = WORDS["manifest.a_manifest"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Artefact(_Part):
    """The file of the model: what it is called, and the SHA-256 of its bytes in hex."""

    file: str = ""
    sha256: str = ""


class CityPart(_Part):
    """The city that a model is for; format 1 kept the digest of its profile and not the profile."""

    id: str | None = None
    profile: dict[str, Any] | None = None
    digest: str | None = None


class Outcomes(_Part):
    """How many outcomes a model learned from, from when, and how many firms taught nothing.

    Of those known ``assumed`` are of firms whose snapshots were all later than first contact: what
    hardly changes was taken from there, see `leadscore.learning.training_data.training_set`.
    """

    known: int = 0
    positive: int = 0
    assumed: int = 0
    assumed_positive: int = 0
    open: int = 0
    left_out: dict[str, int] = {}
    contacted_from: str | None = None
    contacted_to: str | None = None


class Trial(_Part):
    """Where the backtest split the pursuits, how many stood on either side, and whom it met."""

    split: str | None = None
    train: int = 0
    later: int = 0
    champion: str | None = None


@dataclass(frozen=True, slots=True)
class AverageFirm:
    """What each feature adds, on average over some firms; from there points are counted.

    ``points`` by feature, 20 of which double the odds; ``firms`` is how many they are the mean of,
    ``own`` whether those are the office's as it trained the model, else those of
    ``average_firm.toml``.
    """

    points: Mapping[str, float]
    firms: int
    own: bool


@dataclass(frozen=True, slots=True)
class CardRow:
    """The intercept, or one entry of a table, with its points; None for what is not known."""

    feature: str
    kind: str
    entry: str
    low: float | None
    high: float | None
    log_odds: float
    points: float
    points_low: float | None
    points_high: float | None
    count: float | None
    positives: float | None


class GatePart(_Part):
    """What a gate said; earlier programs knew passed and failed only."""

    id: str = ""
    state: GateState = "failed"
    sentence: Text
    figures: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_programs(cls, value: Any) -> Any:
        if isinstance(value, dict) and "state" not in value:
            return {**value, "state": "passed" if value.get("passed") else "failed"}
        return value

    @property
    def passed(self) -> bool:
        """Whether it was measured, and is met."""
        return self.state == "passed"


class DecisionPart(_Part):
    """Whether a challenger came to serve, and who overruled the gates for what reason."""

    promoted: bool | None = None
    gates: tuple[GatePart, ...] = ()
    overruled: str | None = None

    @property
    def failed(self) -> tuple[GatePart, ...]:
        """The gates that were measured and are not met."""
        return tuple(gate for gate in self.gates if gate.state == "failed")

    @property
    def unmeasured(self) -> tuple[GatePart, ...]:
        """The gates at which nothing could be measured."""
        return tuple(gate for gate in self.gates if gate.state == "not_measured")

    @property
    def unpassed(self) -> tuple[GatePart, ...]:
        """All gates that are no reason to let a model serve: failed, or not measured."""
        return tuple(gate for gate in self.gates if not gate.passed)


class Manifest(_Part):
    """What a manifest says that the program goes by; None for what one of its format doesn't say.

    ``kind`` is ``expert`` or ``trained``; ``card_of`` the version whose card this one has, where
    that was trained under another supply; ``content`` the whole of it, as JSON has it.
    """

    version: str = ""
    kind: str | None = None
    city: CityPart = CityPart()
    created: datetime | None = None
    as_of: date | None = None
    family: str | None = None
    target: str | None = None
    horizon_days: int | None = None
    outcomes: Outcomes | None = None
    trial: Trial = Trial()
    decision: DecisionPart | None = None
    scorecard: dict[str, Any] | None = None
    average: AverageFirm | None = None
    table: tuple[CardRow, ...] = ()
    measures: dict[str, Evaluation | None] | None = None
    card_of: str | None = None
    artefact: Artefact = Artefact()
    code: str | None = None
    content: dict[str, Any] = Field(repr=False)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Read a manifest of any format; pydantic's ValidationError if a part is of no known form.

        >>> Manifest.of({"kind": "expert", "outcomes": 0}).learned
        0
        """
        return cls.model_validate({**content, "content": dict(content)})

    @field_validator("outcomes", mode="before")
    @classmethod
    def _counted(cls, value: object) -> object:
        return None if isinstance(value, int) else value  # of an expert model: 0

    @property
    def learned(self) -> int | None:
        """How many outcomes it learned from."""
        if self.kind == "expert":
            return 0
        return None if self.outcomes is None else self.outcomes.known

    def measured(self, name: str) -> float | None:
        """Return a measure of the model on later pursuits, such as ``auc``; None if it has none."""
        challenger = (self.measures or {}).get("challenger")
        measure = challenger.measures.get(name) if challenger else None
        return measure.value if measure else None

    def part(self, key: str) -> Mapping[str, Any]:
        """Return a part as it was written, whatever its format says there; empty without one."""
        part = self.content.get(key)
        return part if isinstance(part, dict) else {}

    def is_under(self, city: City) -> bool:
        """Tell whether a model was made under just this profile."""
        if self.city.profile is not None:
            return City.model_validate(self.city.profile) == city
        return self.city.digest == city.digest


def composed(version: str, given: Mapping[str, Any], artefact: bytes) -> str:
    """Return the text of a manifest: what the maker says, and what only the registry knows.

    The maker's are plain JSON values: ``kind``, ``city`` (see `city_part`), ``created`` (an aware
    datetime or its ISO text), ``scorecard``, and whatever else tells where the model comes from.
    """
    created = given["created"]
    if isinstance(created, str):
        created = datetime.fromisoformat(created)
    if created.tzinfo is None:
        msg = "The time of creation needs a time zone."
        raise ValueError(msg)
    content = {
        **given,
        "schema": _SCHEMA,
        "version": version,
        "created": created.isoformat(timespec="seconds"),
        "artefact": {
            "file": ARTEFACT,
            "bytes": len(artefact),
            "sha256": hashlib.sha256(artefact).hexdigest(),
        },
        "code": code_fingerprint(),
        "libraries": libraries(),
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def parsed(version: str, content: bytes) -> Manifest:
    """Return a manifest from its bytes; a ModelError if it isn't that of this version."""
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested to no end
        raise damaged(version, MANIFEST, str(error), _A_MANIFEST) from error
    if not isinstance(manifest, dict):
        raise damaged(version, MANIFEST, type(manifest).__name__, _A_MANIFEST)
    schema, artefact = manifest.get("schema"), manifest.get("artefact")
    if manifest.get("version") != version:
        text = Text(zh=version, en=version)
        raise damaged(version, f"{MANIFEST}: version", repr(manifest.get("version")), text)
    if schema not in _ARTEFACTS:
        known = Text(zh=f"{_SCHEMA} 或更早", en=f"{_SCHEMA} or older")
        raise damaged(version, f"{MANIFEST}: schema", repr(schema), known)
    if not isinstance(artefact, dict) or artefact.get("file") != _ARTEFACTS[schema]:
        raise damaged(version, f"{MANIFEST}: artefact", repr(artefact), _A_MANIFEST)
    try:
        return Manifest.of(manifest)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = json_path(wrong["loc"])
        raise damaged(version, f"{MANIFEST}: {place}", repr(wrong["input"]), _A_MANIFEST) from error


def check_artefact(manifest: Manifest, artefact: bytes) -> None:
    """Refuse an artefact whose hash isn't the one of the manifest."""
    wanted = manifest.artefact.sha256
    digest = hashlib.sha256(artefact).hexdigest()
    if not hmac.compare_digest(digest.encode(), wanted.encode()):
        same = Text(zh=f"SHA-256 {wanted}", en=f"SHA-256 {wanted}")
        raise damaged(manifest.version, manifest.artefact.file, f"SHA-256 {digest}", same)


def city_part(city: City) -> dict[str, Any]:
    """Return what a manifest says of the city: its id, and the whole profile as JSON values."""
    return {"id": city.id, "profile": city.model_dump(mode="json", by_alias=True)}


def same_model(kept: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Tell whether a kept manifest says of a model what its maker says, but for when it was made.

    Two fits of one model can be pickled to different bytes; their scorecards are the same.
    """
    wanted = json.loads(json.dumps({**given, "created": None}, allow_nan=False))
    return bool(wanted.get("scorecard")) and all(
        key in kept and kept[key] == value for key, value in wanted.items() if key != "created"
    )


def libraries() -> dict[str, str]:
    """Return the versions of Python, of leadscore, and of every library that it needs to run."""
    needed = (line for line in requires("leadscore") or () if "extra ==" not in line)
    projects = sorted(match[0].lower() for match in map(_PROJECT.match, needed) if match)
    versions = {"python": platform.python_version()}
    for name in ("leadscore", *projects):
        with contextlib.suppress(PackageNotFoundError):  # not needed on this platform
            versions[name] = version_of(name)
    return versions


@cache
def code_fingerprint() -> str:
    """Return SHA-256, in hex, of the code and the shipped tables that turn a firm into a score.

    A model that was saved under another one still scores, perhaps not as if it were trained now.
    """
    return fingerprint(_CODE, _SHIPPED)


def damaged(version: str, file: str, got: str, wanted: Text) -> ModelError:
    """Return the error that says which file of a model is not as it should be."""
    return ModelError(
        WORDS["manifest.damaged"].format(version=version),
        [Detail(f"{version}/{file}", got, wanted)],
    )


_KEY_BYTES, _MOST_BYTES = 32, 65_536
_OPEN_TO_OTHERS = stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP
_FORM = re.compile(rb"hmac-sha256 ([0-9a-f]{8}) [0-9a-f]{64}\n")


class SigningKey:
    """A file of random bytes, made on first use, that signs what is saved.

    A ModelError if the key is short, open to others, inside the folder of models, or unreadable.
    """

    def __init__(self, path: Path, models: Path) -> None:
        self.path, self._models = path, models

    def check(self) -> None:
        """Refuse a key that is there and can't be trusted."""
        self._read()

    def require(self, version: str) -> bytes:
        """Return the key with which a version is to be checked; a ModelError if it isn't there."""
        secret = self._read()
        if secret is None:
            raise ModelError(WORDS["key.missing"].format(path=self.path, version=version))
        return secret

    def sign(self, version: str, manifest: bytes) -> bytes:
        """Return the signature of a manifest, making the key if there is none."""
        if self._read() is None:
            with self._refusals():  # of two processes the first makes it
                place_secret(self.path, secrets.token_bytes(_KEY_BYTES))
        return _signature(self.require(version), version, manifest)

    def verify(self, version: str, manifest: bytes, signature: bytes) -> None:
        """Refuse a manifest whose signature isn't the one that this key gives."""
        secret = self.require(version)
        if hmac.compare_digest(_signature(secret, version, manifest), signature):
            return
        other = _FORM.fullmatch(signature)
        if other and other[1] != _key_id(secret):
            raise ModelError(WORDS["key.other"].format(version=version, path=self.path))
        shown = ascii(signature[:40].decode("ascii", "replace")) if signature else "-"
        raise damaged(version, SIGNATURE, shown, WORDS["key.signature"])

    def _read(self) -> bytes | None:
        path = self.path
        with self._refusals():
            if path.resolve().is_relative_to(self._models.resolve()):
                raise ModelError(WORDS["key.inside"].format(path=path, folder=self._models))
            if not path.exists():
                return None
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                secret = file.read(_MOST_BYTES + 1)
        if os.name != "nt" and mode & _OPEN_TO_OTHERS:
            detail = Detail(str(path), f"{stat.S_IMODE(mode):o}", WORDS["key.only_you"])
            raise ModelError(WORDS["key.readable"].format(path=path), [detail])
        if not _KEY_BYTES <= len(secret) <= _MOST_BYTES:
            detail = Detail(str(path), str(len(secret)), WORDS["key.length"])
            raise ModelError(WORDS["key.short"].format(path=path), [detail])
        return secret

    def _refusals(self) -> AbstractContextManager[None]:
        place = WORDS["key.file"].format(path=self.path)
        return refusals(ModelError, place, "LEADSCORE_KEY_FILE")


def _signature(secret: bytes, version: str, manifest: bytes) -> bytes:
    # What the signature file holds, to the last byte: any other byte is a refusal.
    signed = b"leadscore model\0" + version.encode() + b"\0" + manifest
    digest = hmac.digest(secret, signed, hashlib.sha256).hex()
    return b"hmac-sha256 %s %s\n" % (_key_id(secret), digest.encode())


def _key_id(secret: bytes) -> bytes:
    # A name for a key that tells it from others and tells nothing of it.
    return hashlib.sha256(b"leadscore key\0" + secret).hexdigest()[:8].encode()
