"""The model registry: signed models in a folder, of which none ever changes once it is named."""

from __future__ import annotations

import hashlib
import logging
import pickle
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from leadscore.city.profile import City, differ_in_supply_only
from leadscore.errors import Detail, ModelError
from leadscore.files import place_folder
from leadscore.registry.manifest import (
    ARTEFACT,
    MANIFEST,
    SIGNATURE,
    Manifest,
    SigningKey,
    check_artefact,
    city_part,
    code_fingerprint,
    composed,
    damaged,
    parsed,
    same_model,
)
from leadscore.text import Text, room_words
from leadscore.validation import refusals

if TYPE_CHECKING:
    from leadscore.learning.model import Model

WORDS = room_words("registry")
_Used = TypeVar("_Used")
_log = logging.getLogger(__name__)

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")
"""What a version, or a city, can be called."""
_TRIES = 3
_UNREADABLE = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    ModelError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class Version:
    """A version as `ModelRegistry.versions` lists it; with a fault it has no manifest."""

    name: str
    created: datetime
    manifest: Manifest | None
    fault: ModelError | None


def is_expert(city_id: str, version: str) -> bool:
    """Tell by its name whether a version is an expert model of a city."""
    return version.startswith(f"{city_id}-expert-")


def expert_version(city: City) -> str:
    """Return the name of the expert model: the same name always gives the same scores.

    It changes with the profile and with what `code_fingerprint` covers; no machine has another.
    """
    ground = f"{city.digest}|{code_fingerprint()}"
    return f"{city.id}-expert-{hashlib.sha256(ground.encode()).hexdigest()[:10]}"


def log_notice(notice: Text) -> None:
    """Log a notice for which nobody else asked."""
    _log.warning("%s", notice.en)


class ModelRegistry:
    """A folder with one folder per version; who serves is not its affair.

    The versions are signed with a key, a file outside the folder; folder and key are made when the
    first model is saved, and nothing is touched before the first use. Whatever the operating
    system refuses, a version that isn't there or isn't as it was saved, and a key that can't be
    trusted are a ModelError.
    """

    def __init__(self, folder: Path, key: Path) -> None:
        self.folder = Path(folder)
        self._key = SigningKey(Path(key), self.folder)

    def save(
        self,
        version: str,
        model: Model,
        manifest: Mapping[str, Any],
        notify: Callable[[Text], object] = log_notice,
    ) -> None:
        """Save a fitted model under a new name; the same model again changes nothing.

        A version is there wholly or not at all, and of two writers the first wins. One that is
        there and can't be used is renamed to ``<version>.damaged-1`` (2, 3, ...), and ``notify``
        told. To the manifest (see `composed`) ``city``, ``scorecard`` and
        ``average`` of the model are added. A
        ModelError if the version exists with other content.
        """
        artefact, manifest = _written(model, manifest)
        self._key.check()
        for _ in range(_TRIES):
            if self._put(version, artefact, manifest):
                return
            try:
                kept, saved = self._checked(version)
            except ModelError as fault:
                self._set_aside(version, fault, notify)
                continue
            if saved != artefact and not same_model(kept.content, manifest):
                raise ModelError(WORDS["models.taken"].format(version=version))
            return
        self._checked(version)

    def load(self, version: str) -> Model:
        """Return the model of a version, its bytes checked before anything is read from them."""
        manifest, artefact = self._checked(version)
        # Imported late: going back to another champion opens nothing, and must be quick.
        from leadscore.registry.artefact import from_bytes

        try:
            return from_bytes(manifest, artefact)
        except _UNREADABLE as error:
            wanted = WORDS["models.this_code"]
            raise damaged(version, manifest.artefact.file, str(error), wanted) from error

    def manifest(self, version: str) -> Manifest:
        """Return the manifest of a version, after the same checks as `load`."""
        return self._checked(version)[0]

    def versions(self, city_id: str | None = None) -> list[Version]:
        """Return all versions, or those of a city (damaged ones by name), the newest first."""
        with self._refusals():
            paths = list(self.folder.iterdir()) if self.folder.is_dir() else []
            folders = [path for path in paths if _is_name(path.name) and path.is_dir()]
        versions = []
        for path in folders:
            manifest = fault = None
            try:
                manifest, _ = self._checked(path.name)
            except ModelError as error:
                fault = error
            created = manifest.created if manifest else None
            if created is None:
                created = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
            if city_id is None or _owner_of(manifest, path.name, city_id) == city_id:
                versions.append(Version(path.name, created, manifest, fault))
        return sorted(versions, key=lambda version: (version.created, version.name), reverse=True)

    def ensure(
        self,
        version: str,
        build: Callable[[], tuple[Model, Mapping[str, Any]]],
        notify: Callable[[Text], object] = log_notice,
    ) -> Model:
        """Return the model of a version that can be built at any time, building it if need be.

        The name is determined by what ``build`` builds from: the model, and what `save` wants to
        know of it. A version that can't be used is set aside as `save` does, and built anew.
        """
        self._key.check()
        built: tuple[bytes, Mapping[str, Any]] | None = None
        for _ in range(_TRIES):  # another process may set aside what this one has just built
            path = self._path(version)
            with self._refusals():
                there = path.is_symlink() or path.exists()
            if there:
                try:
                    return self.load(version)
                except ModelError as fault:
                    self._set_aside(version, fault, notify)
            if built is None:
                built = _written(*build())
            self._put(version, *built)
        return self.load(version)

    def version_under(self, city: City, version: str) -> str:
        """Return by which version the card of a version serves a city as it is today.

        Where nothing but supply differs from the profile that it was trained with, that is a
        version of its own, ``VERSION-s1a2b3c4d``, which may be still to be made; see
        `leadscore.learning.champion.under_supply`. A ModelError if the version can't be used.
        """
        manifest = self.manifest(version)
        if manifest.is_under(city):
            return version
        kept = manifest.city.profile
        own = City.model_validate(kept) if kept else self.load(version).city
        if not differ_in_supply_only(own, city):
            return version
        first = manifest.card_of or version
        return first if self.manifest(first).is_under(city) else f"{first}-s{city.digest[:8]}"

    def serving(self, city: City, line: Sequence[str]) -> tuple[str, ModelError | None]:
        """Return the version that serves a city, and why it is not the first of the champions.

        It is what `leadscore.learning.champion.current_champion` opens, told by the manifests
        alone, without a library of tables.
        """
        version, fault = self.first_usable(
            city, line, lambda version: self.version_under(city, version)
        )
        return version or expert_version(city), fault

    def first_usable(
        self, city: City, line: Sequence[str], use: Callable[[str], _Used]
    ) -> tuple[_Used | None, ModelError | None]:
        """Return what comes of using the first trained champion that can be used, None for none.

        Beside it stands why the first one of the line could not be.
        """
        self.check_key()
        fault: ModelError | None = None
        for version in takewhile(lambda version: not is_expert(city.id, version), line):
            try:
                return use(version), fault
            except ModelError as error:
                fault = fault or error
        return None, fault

    def check_key(self, version: str | None = None) -> None:
        """Refuse to go on with a key that can't be trusted, or isn't there to check a version."""
        if version is None:
            self._key.check()
        else:
            self._key.require(version)

    def _put(self, version: str, artefact: bytes, manifest: Mapping[str, Any]) -> bool:
        # Put a version in place unless one is there; tell whether it was this one.
        path, text = self._path(version), composed(version, manifest, artefact).encode()
        files = {ARTEFACT: artefact, MANIFEST: text, SIGNATURE: self._key.sign(version, text)}
        with self._refusals():
            return place_folder(path, files)

    def _checked(self, version: str) -> tuple[Manifest, bytes]:
        # Manifest and artefact; the only place from which bytes go on to be opened. Nothing that
        # the folder holds is believed, or even parsed, before the signature is checked.
        path = self._path(version)
        with self._refusals():
            if path.is_symlink():
                raise _not_plain(path)
            if not path.is_dir():
                raise ModelError(WORDS["models.no_model"].format(version=version))
            content, signature = (self._part(version, name) for name in (MANIFEST, SIGNATURE))
            self._key.verify(version, content, signature)
            manifest = parsed(version, content)
            artefact = self._part(version, manifest.artefact.file)
        check_artefact(manifest, artefact)
        return manifest, artefact

    def _part(self, version: str, name: str) -> bytes:
        try:
            return _read_plain(self._path(version) / name)
        except FileNotFoundError as error:
            if name == SIGNATURE:
                raise ModelError(WORDS["models.unsigned"].format(version=version)) from error
            raise damaged(version, name, "-", WORDS["models.the_file"]) from error

    def _set_aside(self, version: str, fault: ModelError, notify: Callable[[Text], object]) -> None:
        path = self._path(version)
        with self._refusals():
            taken = {other.name for other in self.folder.glob(f"{version}.damaged-*")}
            names = (f"{version}.damaged-{n}" for n in count(1))
            aside = path.with_name(next(name for name in names if name not in taken))
            try:
                path.rename(aside)
            except FileNotFoundError:  # another process was quicker
                return
        reason = Text(zh=fault.render("zh"), en=fault.render("en"))
        notify(WORDS["models.set_aside"].format(version=version, aside=aside.name, reason=reason))

    def _path(self, version: str) -> Path:
        return self.folder / _checked_name(version)

    def _refusals(self) -> AbstractContextManager[None]:
        return refusals(ModelError, WORDS["models.the_folder"].format(folder=self.folder))


def _written(model: Model, manifest: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    from leadscore.registry.artefact import to_bytes  # late, as in `ModelRegistry.load`

    card, average = model.card.scorecard.to_dict(), model.card.average
    told = {} if average is None else {"average": asdict(average)}
    return to_bytes(model), {
        **manifest, "city": city_part(model.city), "scorecard": card, **told
    }  # fmt: skip


def _owner_of(manifest: Manifest | None, version: str, city_id: str) -> str | None:
    # The id of the city that a version belongs to; without a manifest its name tells.
    if manifest is None:
        return city_id if version.startswith(f"{city_id}-") else None
    return manifest.city.id


def _is_name(name: object) -> bool:
    # Whether a text can name a version or a city, and leads nowhere else.
    return isinstance(name, str) and NAME.fullmatch(name) is not None


def _checked_name(name: str) -> str:
    if not _is_name(name):
        detail = Detail("name", repr(name), WORDS["models.a_name"])
        raise ModelError(WORDS["models.bad_name"].format(name=repr(name)), [detail])
    return name


def _read_plain(path: Path) -> bytes:
    # The content of a file that is a file and no link to one, no pipe, no folder.
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise _not_plain(path)
    return path.read_bytes()


def _not_plain(path: Path) -> ModelError:
    return ModelError(WORDS["models.link"].format(path=path))
