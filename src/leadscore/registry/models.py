"""The model registry: save, load, promote, go back; which version serves and served before."""

from __future__ import annotations

import json
import logging
import pickle
import re
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, TypeAdapter

from leadscore.errors import Detail, ModelError
from leadscore.files import append_line, place_file, place_folder
from leadscore.registry.manifest import (
    ARTEFACT,
    MANIFEST,
    SIGNATURE,
    Manifest,
    SigningKey,
    check_artefact,
    city_part,
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
_log = logging.getLogger(__name__)

Act = Literal["expert", "trained", "by_hand", "rolled_back", "profile"]
"""How a version came to serve: as the expert model, by retraining, by a person, by going back, or
as the champion's own card under a profile that says another supply."""

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
_Name = Annotated[str, Field(pattern=_NAME)]
# A file that changed less than so long ago may change again and show the same time.
_SETTLED_NS = 100_000_000
_TRIES = 3
_UNREADABLE = (
    AttributeError, EOFError, IndexError, KeyError, ModelError, TypeError, ValueError,
    pickle.UnpicklingError, zipfile.BadZipFile,
)  # fmt: skip


def _in_one_line(reason: str) -> str:
    r"""Return what a person wrote without what a terminal might obey.

    >>> _in_one_line("the fair\n was\x1b[2J late ")
    'the fair was[2J late'
    """
    return " ".join("".join(c for c in reason if c.isprintable() or c.isspace()).split())


@dataclass(frozen=True, slots=True)
class Promotion:
    """One change of champion: what serves from then on, why, and what served until then."""

    when: datetime
    version: _Name
    act: Act
    reason: Annotated[str, AfterValidator(_in_one_line)] | None
    previous: _Name | None

    def to_line(self) -> str:
        """Return it as a line of JSON that a person can read."""
        plain = {**asdict(self), "when": self.when.isoformat(timespec="seconds")}
        return json.dumps(plain, ensure_ascii=False)


_LINE = TypeAdapter(Promotion)


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


def log_notice(notice: Text) -> None:
    """Log a notice for which nobody else asked."""
    _log.warning("%s", notice.en)


class _Pointer(NamedTuple):
    path: Path
    stamp: tuple[int, ...]
    version: str


class ModelRegistry:
    """A folder with one folder per version, and per city one file that names the champion.

    The versions are signed with a key, a file outside the folder; folder and key are made when the
    first model is saved, and nothing is touched before the first use. Whatever the operating
    system refuses, a version that isn't there or isn't as it was saved, and a key that can't be
    trusted are a ModelError.
    """

    def __init__(self, folder: Path, key: Path) -> None:
        self.folder = Path(folder)
        self._key = SigningKey(Path(key), self.folder)
        self._pointers: dict[str, _Pointer] = {}

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
        told. To the manifest (see `composed`) ``city`` and ``scorecard`` of the model are added. A
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

    def check_key(self) -> None:
        """Refuse to go on with a key that is there and can't be trusted."""
        self._key.check()

    def champion(self, city_id: str) -> str | None:
        """Return the version that serves a city, or None if none was ever promoted.

        A ModelError if the pointer names no version, or is gone though the history tells of one.
        """
        pointer = self._pointers.get(city_id)  # every request asks
        if pointer is not None and pointer.stamp == _stamp(pointer.path):
            return pointer.version
        path = self._file(city_id, "champion")
        before = _stamp(path)
        with self._refusals():
            try:
                version = _read_plain(path).decode("utf-8", errors="replace").strip()
            except FileNotFoundError:
                if not self.history(city_id):
                    return None
                version = ""
        if not _is_name(version):
            message = WORDS["models.bad_pointer"].format(city=city_id)
            raise ModelError(message, [Detail(path.name, ascii(version), WORDS["models.a_name"])])
        if before is not None and before[0] + _SETTLED_NS < time.time_ns():
            self._pointers[city_id] = _Pointer(path, before, version)
        return version

    def history(self, city_id: str) -> list[Promotion]:
        """Return every change of a city's champion, the oldest first; bad lines are logged."""
        path = self._file(city_id, "history.jsonl")
        with self._refusals():
            try:
                lines = _read_plain(path).decode("utf-8", errors="replace").split("\n")
            except FileNotFoundError:
                return []
        history = []
        for number, line in enumerate(lines, start=1):
            try:
                history += [_LINE.validate_json(line)] if line.strip() else []
            except ValueError:
                _log.warning("%s, line %d can't be read and is passed over", path.name, number)
        return history

    def line(self, city_id: str) -> list[str]:
        """Return the champion and those to go back to, by the history where the pointer is bad."""
        stack = _version_history(city_id, self.history(city_id))
        try:
            champion = self.champion(city_id)
        except ModelError:
            champion = None
        if champion is not None:
            _uncover(stack, champion)
        return stack[::-1]

    def promote(
        self, city_id: str, version: str, *, act: Act, now: datetime, reason: str | None = None
    ) -> None:
        """Let a version serve a city from now on; one that serves already changes nothing.

        The reason is kept in the history. A person (``"by_hand"``) needs one to overrule failed
        gates. A ModelError without it, or if the version is of another city.
        """
        if now.tzinfo is None:
            msg = "The time of a promotion needs a time zone."
            raise ValueError(msg)
        manifest, _ = self._checked(version)
        owner = _owner_of(manifest, version, city_id)
        if owner != city_id:
            places = {"version": version, "owner": owner, "city": city_id}
            raise ModelError(WORDS["models.other_city"].format(**places))
        try:
            if self.champion(city_id) == version:
                return
        except ModelError as fault:  # the pointer that takes its place mends it
            _log.info("%s", fault)
        given = _in_one_line(reason or "")
        decision = manifest.decision
        if act == "by_hand" and decision and decision.promoted is False and not given:
            sentences = [gate.sentence for gate in decision.failed]
            zh, en = "".join(s.zh for s in sentences), " ".join(s.en for s in sentences)
            gates = Text(zh=zh, en=en)
            raise ModelError(WORDS["models.needs_reason"].format(version=version, gates=gates))
        previous = next(iter(self.line(city_id)), None)
        promotion = Promotion(now, version, act, given or None, previous)
        history = self._file(city_id, "history.jsonl")
        with self._refusals():  # first it is written down, then made
            if history.is_symlink():
                raise _not_plain(history)
            append_line(history, promotion.to_line())
            place_file(self._file(city_id, "champion"), f"{version}\n".encode())

    def rollback(
        self,
        city_id: str,
        *,
        now: datetime,
        reason: str | None = None,
        last_resort: Callable[[], str] | None = None,
        notify: Callable[[Text], object] = log_notice,
    ) -> str:
        """Let the champion before the present one serve again, and return it.

        Twice goes back twice. One that can't be used is passed over, and ``notify`` told.
        ``last_resort`` builds the expert model and returns its version: goes before a trained
        champion where nothing else does. A ModelError if there is nothing to go back to.
        """
        served = self.line(city_id)
        if served:
            self._key.require(served[0])
        for version in served[1:]:
            try:
                self.promote(city_id, version, act="rolled_back", reason=reason, now=now)
            except ModelError as fault:
                why = Text(zh=fault.render("zh"), en=fault.render("en"))
                notify(WORDS["models.passed_over"].format(version=version, reason=why))
            else:
                return version
        if last_resort is None or not served or is_expert(city_id, served[0]):
            raise ModelError(WORDS["models.nothing_before"].format(city=city_id))
        version = last_resort()
        self.promote(city_id, version, act="rolled_back", reason=reason, now=now)
        return version

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

    def _file(self, city_id: str, ending: str) -> Path:
        return self.folder / f"{_checked_name(city_id)}.{ending}"

    def _refusals(self) -> AbstractContextManager[None]:
        return refusals(ModelError, WORDS["models.the_folder"].format(folder=self.folder))


def _version_history(city_id: str, history: Iterable[Promotion]) -> list[str]:
    # The champions that a history leaves, each on top of the one to go back to. Going back takes
    # champions off, so that going back twice leads further back. An expert model takes the place of
    # an older one: that belongs to a profile or a program that is gone. So does a champion under a
    # changed profile.
    stack: list[str] = []
    for step in history:
        if step.previous is not None:
            _uncover(stack, step.previous)
        if step.act == "rolled_back":
            del stack[-1:]
            if step.version not in stack:
                stack.clear()
            _uncover(stack, step.version)
            continue
        expert_on_top = bool(stack) and is_expert(city_id, stack[-1])
        if step.act == "profile" or (step.act == "expert" and expert_on_top):
            del stack[-1:]
        if stack[-1:] != [step.version]:
            stack.append(step.version)
    return stack


def _uncover(stack: list[str], version: str) -> None:
    # Take off what lies on a version, whose change was never made; put it on if it is missing.
    while version in stack and stack[-1] != version:
        stack.pop()
    if not stack or stack[-1] != version:
        stack.append(version)


def _written(model: Model, manifest: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    from leadscore.registry.artefact import to_bytes  # late, as in `ModelRegistry.load`

    card = model.card.scorecard.to_dict()
    return to_bytes(model), {**manifest, "city": city_part(model.city), "scorecard": card}


def _owner_of(manifest: Manifest | None, version: str, city_id: str) -> str | None:
    # The id of the city that a version belongs to; without a manifest its name tells.
    if manifest is None:
        return city_id if version.startswith(f"{city_id}-") else None
    return manifest.city.id


def _is_name(name: object) -> bool:
    # Whether a text can name a version or a city, and leads nowhere else.
    return isinstance(name, str) and re.fullmatch(_NAME, name) is not None


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


def _stamp(path: Path) -> tuple[int, ...] | None:
    # What tells a file from the one that takes its place, its time first.
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size, status.st_mode
