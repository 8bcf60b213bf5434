"""What stands beside a saved model and says what it is, so that it can be checked before use."""

from __future__ import annotations

import hashlib
import hmac
import json
import platform
import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from importlib.metadata import version as version_of
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from leadscore.city.profile import City
from leadscore.errors import Detail, ModelError
from leadscore.files import fingerprint
from leadscore.text import Text, room_words
from leadscore.validation import json_path

WORDS = room_words("registry")


ARTEFACT = "card.npz"
PICKLED = "pipeline.joblib"
"""The artefact of a model of format 1."""
MANIFEST = "manifest.json"
SIGNATURE = "signature"
_SCHEMA = 2
_ARTEFACTS = {1: PICKLED, _SCHEMA: ARTEFACT}
"""What the artefact of each schema is called; models of all of them open."""
ONLY_THE_SHELF_KNOWS = ("schema", "version", "artefact", "code", "libraries")
"""What the shelf writes into a manifest, whatever the maker says."""
_CODE = ("city", "features", "learning", "lists")
_PROJECT = re.compile(r"[A-Za-z0-9._-]+")  # with which "flask-openapi[swagger]>=5.0" begins
_SHIPPED = ("columns.toml", "lexicon.toml", "rates.toml", "codes/divisions.csv")

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
    """How many outcomes a model learned from."""

    known: int = 0


class GatePart(_Part):
    """What a gate said."""

    passed: bool = False
    sentence: Text


class DecisionPart(_Part):
    """Whether a challenger came to serve, and who overruled the gates for what reason."""

    promoted: bool | None = None
    gates: tuple[GatePart, ...] = ()
    overruled: str | None = None

    @property
    def failed(self) -> tuple[GatePart, ...]:
        """The gates that did not pass."""
        return tuple(gate for gate in self.gates if not gate.passed)


class Manifest(_Part):
    """What a manifest says that the program goes by; None for what one of its format doesn't say.

    Attributes
    ----------
    kind
        ``expert`` or ``trained``.
    as_of
        The day as of which it learned.
    card_of
        The version whose card this one has, where that was trained under another supply.
    code
        See `code_fingerprint`.
    content
        The whole of it, as JSON has it.
    """

    version: str = ""
    kind: str | None = None
    city: CityPart = CityPart()
    created: datetime | None = None
    as_of: date | None = None
    outcomes: Outcomes | None = None
    decision: DecisionPart | None = None
    scorecard: dict[str, Any] | None = None
    measures: dict[str, Any] | None = None
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
        return {"known": value} if isinstance(value, int) else value  # of an expert model

    @property
    def learned(self) -> int | None:
        """How many outcomes it learned from."""
        if self.kind == "expert":
            return 0
        return None if self.outcomes is None else self.outcomes.known

    def measured(self, name: str) -> float | None:
        """Return a measure of the model on later pursuits, such as ``auc``; None if it has none."""
        part: Any = self.measures
        for key in ("challenger", "measures", name, "value"):
            part = part.get(key) if isinstance(part, dict) else None
        return part if isinstance(part, int | float) else None

    def is_under(self, city: City) -> bool:
        """Tell whether a model was made under just this profile."""
        if self.city.profile is not None:
            return City.model_validate(self.city.profile) == city
        return self.city.digest == city.digest


def composed(version: str, given: Mapping[str, Any], artefact: bytes) -> str:
    """Return the text of a manifest: what the maker says, and what only the shelf knows.

    Parameters
    ----------
    version
        Name of the model.
    given
        Plain JSON values: ``kind``, ``city`` (see `told_of`), ``created`` (an aware datetime or
        its ISO text), ``scorecard``, and whatever else tells where the model comes from.
    artefact
        The bytes of the saved model.
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
    """Return a manifest from its bytes.

    Raises
    ------
    ModelError
        If it isn't JSON, or isn't the manifest of this version.
    """
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
    """Refuse an artefact that isn't the one of the manifest.

    Raises
    ------
    ModelError
        If the hash differs.
    """
    wanted = manifest.artefact.sha256
    found = hashlib.sha256(artefact).hexdigest()
    if not hmac.compare_digest(found.encode(), wanted.encode()):
        same = WORDS["manifest.same_hash"].format(sha256=wanted)
        raise damaged(manifest.version, manifest.artefact.file, f"SHA-256 {found}", same)


def told_of(city: City) -> dict[str, Any]:
    """Return what a manifest says of the city: its id, and the whole profile as JSON values."""
    return {"id": city.id, "profile": city.model_dump(mode="json", by_alias=True)}


def same_model(kept: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Tell whether a kept manifest says of a model what its maker says, but for when it was made.

    Two fits of one model can be pickled to different bytes; their scorecards are the same.
    """
    said = json.loads(json.dumps({**given, "created": None}, allow_nan=False))
    return bool(said.get("scorecard")) and all(
        key in kept and kept[key] == value for key, value in said.items() if key != "created"
    )


def libraries() -> dict[str, str]:
    """Return the versions of Python, of leadscore, and of every library that it needs to run."""
    found = {"python": platform.python_version()}
    for name in ("leadscore", *_required()):
        try:
            found[name] = version_of(name)
        except PackageNotFoundError:  # not needed on this platform
            continue
    return found


def _required() -> list[str]:
    needed = (line for line in requires("leadscore") or () if "extra ==" not in line)
    return sorted(found[0].lower() for found in map(_PROJECT.match, needed) if found)


@cache
def code_fingerprint() -> str:
    """Return SHA-256, in hex, of the code and the shipped tables that turn a firm into a score.

    The same on every machine; a model that was saved under another one still scores, but perhaps
    not as it would if it were trained now.
    """
    return fingerprint(_CODE, _SHIPPED)


def damaged(version: str, file: str, got: str, wanted: Text) -> ModelError:
    """Return the error that says which file of a model is not as it should be."""
    return ModelError(
        WORDS["manifest.damaged"].format(version=version),
        [Detail(f"{version}/{file}", got, wanted)],
    )
