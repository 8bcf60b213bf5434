"""The model registry: save, load, promote, go back; which version serves and served before."""

from __future__ import annotations

import json
import logging
import pickle
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from leadscore.errors import Detail, ModelError
from leadscore.files import append_line, place_file
from leadscore.registry.manifest import Manifest, damaged, same_model
from leadscore.registry.versions import (
    A_NAME,
    SigningKey,
    Version,
    Versions,
    check_name,
    is_name,
    not_plain,
    read_plain,
    registry_refusals,
)
from leadscore.text import Text, room_words

if TYPE_CHECKING:
    from leadscore.learning.model import Model

WORDS = room_words("registry")


Act = Literal["expert", "trained", "by_hand", "rolled_back", "profile"]
"""How a version came to serve: as the expert model, by retraining, by a person, by going back, or
as the champion's own card under a profile that says another supply."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """One change of champion.

    Attributes
    ----------
    when
        Aware time.
    version
        What serves from then on.
    act
        How it came to that.
    reason
        What a person gave as the reason, if any did.
    previous
        What served until then, or None if nothing did.
    """

    when: datetime
    version: str
    act: Act
    reason: str | None
    previous: str | None

    def to_line(self) -> str:
        """Return it as a line of JSON that a person can read."""
        plain = {**asdict(self), "when": self.when.isoformat(timespec="seconds")}
        return json.dumps(plain, ensure_ascii=False)

    @classmethod
    def from_line(cls, line: str) -> Promotion:
        """Return what `to_line` wrote.

        Raises
        ------
        ValueError
            If the line was cut short, or changed to what it can't be.
        """
        plain = json.loads(line)
        if not isinstance(plain, dict) or not plain.keys() >= set(cls.__slots__):
            raise ValueError(line)
        when, version, act, reason, previous = (plain[name] for name in cls.__slots__)
        names = is_name(version) and (previous is None or is_name(previous))
        if not names or act not in get_args(Act) or not isinstance(reason, str | None):
            raise ValueError(line)
        said = None if reason is None else in_one_line(reason)
        return cls(datetime.fromisoformat(when), version, act, said, previous)


def in_one_line(reason: str) -> str:
    r"""Return what a person wrote without what a terminal might obey.

    >>> in_one_line("the fair\n was\x1b[2J late ")
    'the fair was[2J late'
    """
    return " ".join("".join(c for c in reason if c.isprintable() or c.isspace()).split())


def is_expert(city_id: str, version: str) -> bool:
    """Tell by its name whether a version is an expert model of a city."""
    return version.startswith(f"{city_id}-expert-")


def succession(city_id: str, history: Iterable[Promotion]) -> list[str]:
    """Return the champions that a history leaves, each on top of the one to go back to.

    Going back takes champions off, so that going back twice leads further back. An expert model
    takes the place of an older one: that belongs to a profile or a program that is gone. So does a
    champion under a changed profile.
    """
    stack: list[str] = []
    for step in history:
        if step.previous is not None:
            uncover(stack, step.previous)
        if step.act == "rolled_back":
            del stack[-1:]
            if step.version not in stack:
                stack.clear()
            uncover(stack, step.version)
            continue
        if step.act == "profile" or (step.act == "expert" and _expert_on_top(city_id, stack)):
            del stack[-1:]
        if stack[-1:] != [step.version]:
            stack.append(step.version)
    return stack


def _expert_on_top(city_id: str, stack: list[str]) -> bool:
    return bool(stack) and is_expert(city_id, stack[-1])


def uncover(stack: list[str], version: str) -> None:
    """Take off what lies on a version, whose change was never made; put it on if it is missing."""
    while version in stack and stack[-1] != version:
        stack.pop()
    if not stack or stack[-1] != version:
        stack.append(version)


_log = logging.getLogger(__name__)

_SETTLED_NS = 100_000_000
"""A file that changed less than so long ago may change again and show the same time."""


class _Read(NamedTuple):
    pointer: Path
    stamp: tuple[int, ...]
    named: str


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Return what tells a file from the one that takes its place, its time first."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size, status.st_mode


class Champions:
    """The pointers and their histories, beside the versions.

    Parameters
    ----------
    folder
        The folder of models.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, _Read] = {}

    def champion(self, city_id: str) -> str | None:
        """Return the version that serves a city, or None if none was ever promoted.

        Raises
        ------
        ModelError
            If the pointer names no version, or is gone though the history tells of one.
        """
        read = self._read.get(city_id)  # every request asks
        if read is not None and read.stamp == _stamp(read.pointer):
            return read.named
        pointer = self._file(city_id, "champion")
        before = _stamp(pointer)
        with registry_refusals(self.folder):
            try:
                named = read_plain(pointer).decode("utf-8", errors="replace").strip()
            except FileNotFoundError:
                if not self.history(city_id):
                    return None
                named = ""
        if not is_name(named):
            message = WORDS["models.bad_pointer"].format(city=city_id)
            raise ModelError(message, [Detail(pointer.name, ascii(named), A_NAME)])
        if before is not None and before[0] + _SETTLED_NS < time.time_ns():
            self._read[city_id] = _Read(pointer, before, named)
        return named

    def crown(self, city_id: str, promotion: Promotion) -> None:
        """Write a change down, then make it."""
        history = self._file(city_id, "history.jsonl")
        with registry_refusals(self.folder):
            if history.is_symlink():
                raise not_plain(history)
            append_line(history, promotion.to_line())
            place_file(self._file(city_id, "champion"), f"{promotion.version}\n".encode())

    def history(self, city_id: str) -> list[Promotion]:
        """Return every change of a city's champion, the oldest first.

        A line that can't be read is passed over with a warning in the log.
        """
        path = self._file(city_id, "history.jsonl")
        with registry_refusals(self.folder):
            try:
                lines = read_plain(path).decode("utf-8", errors="replace").split("\n")
            except FileNotFoundError:
                return []
        told = []
        for number, line in enumerate(lines, start=1):
            try:
                told += [Promotion.from_line(line)] if line.strip() else []
            except (ValueError, TypeError, RecursionError):
                _log.warning("%s, line %d can't be read and is passed over", path.name, number)
        return told

    def line(self, city_id: str) -> list[str]:
        """Return the champion and those to go back to, one after another; the newest first.

        Where the pointer is damaged, the history alone tells.
        """
        stack = succession(city_id, self.history(city_id))
        try:
            champion = self.champion(city_id)
        except ModelError:
            champion = None
        if champion is not None:
            uncover(stack, champion)
        return stack[::-1]

    def _file(self, city_id: str, ending: str) -> Path:
        check_name(city_id)
        return self.folder / f"{city_id}.{ending}"


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
_TRIES = 3


def log_notice(notice: Text) -> None:
    """Log a notice for which nobody else asked."""
    _log.warning("%s", notice.en)


class Shelf:
    """A folder with one folder per version, and per city one file that names the champion.

    Nothing is touched before the first use.

    Parameters
    ----------
    folder
        Where the models live; made when the first is saved.
    key
        File of the key that they are signed with, outside the folder; made when the first model
        is saved.
    """

    def __init__(self, folder: Path, key: Path) -> None:
        self.folder = Path(folder)
        self._key = SigningKey(Path(key), self.folder)
        self._versions = Versions(self.folder, self._key)
        self._champions = Champions(self.folder)

    def save(
        self,
        version: str,
        model: Model,
        manifest: Mapping[str, Any],
        notify: Callable[[Text], object] = log_notice,
    ) -> None:
        """Save a fitted model under a new name; the same model again changes nothing.

        A version is there wholly or not at all, and of two writers the first wins. One that is
        there and can't be used is renamed to ``<version>.damaged-1`` (2, 3, ...).

        Parameters
        ----------
        version
            Name of the model.
        model
            Features and card, fitted.
        manifest
            See `leadscore.registry.manifest.composed`; ``city`` and ``scorecard`` are added,
            and are those of the model.
        notify
            Told when a version was set aside; by default a warning is logged.

        Raises
        ------
        ModelError
            If the folder can't be written, or the version exists with other content.
        """
        artefact, manifest = _made(model, manifest)
        self._key.check()
        for _ in range(_TRIES):
            if self._versions.put(version, artefact, manifest):
                return
            try:
                kept, saved = self._versions.checked(version)
            except ModelError as fault:
                self._versions.set_aside(version, fault, notify)
                continue
            if saved != artefact and not same_model(kept.content, manifest):
                raise ModelError(WORDS["models.taken"].format(version=version))
            return
        self._versions.checked(version)

    def load(self, version: str) -> Model:
        """Return the model of a version, its bytes checked before anything is read from them.

        Raises
        ------
        ModelError
            If it isn't there, isn't as it was signed, or is of a later program.
        """
        manifest, artefact = self._versions.checked(version)
        # Imported late: going back to another champion opens nothing, and must be quick.
        from leadscore.registry.artefact import from_bytes

        try:
            return from_bytes(manifest, artefact)
        except _UNREADABLE as error:
            raise damaged(
                version, manifest.artefact.file, str(error), WORDS["models.this_code"]
            ) from error

    def manifest(self, version: str) -> Manifest:
        """Return the manifest of a version, after the same checks as `load`."""
        return self._versions.checked(version)[0]

    def versions(self, city_id: str | None = None) -> list[Version]:
        """Return all versions, or those of a city, the newest first; damaged ones too.

        A damaged one counts to the city with whose id its name begins.
        """
        found = [
            version
            for version in self._versions.listed()
            if city_id is None or _owner_of(version.manifest, version.name, city_id) == city_id
        ]
        return sorted(found, key=lambda version: (version.created, version.name), reverse=True)

    def ensure(
        self,
        version: str,
        build: Callable[[], tuple[Model, Mapping[str, Any]]],
        notify: Callable[[Text], object] = log_notice,
    ) -> Model:
        """Return the model of a version that can be built at any time, building it if need be.

        A version that can't be used is renamed to ``<version>.damaged-1`` (2, 3, ...), kept for
        whoever wants to know, and built anew.

        Parameters
        ----------
        version
            Name that is determined by what ``build`` builds from.
        build
            Returns the model and what `save` wants to know of it.
        notify
            Told when a version was set aside; by default a warning is logged.

        Raises
        ------
        ModelError
            If the folder can't be written, or the key can't be trusted.
        """
        self._key.check()
        made: tuple[bytes, Mapping[str, Any]] | None = None
        for _ in range(_TRIES):  # another process may set aside what this one has just built
            if self._versions.there(version):
                try:
                    return self.load(version)
                except ModelError as fault:
                    self._versions.set_aside(version, fault, notify)
            if made is None:
                made = _made(*build())
            self._versions.put(version, *made)
        return self.load(version)

    def check_key(self) -> None:
        """Refuse to go on with a key that is there and can't be trusted.

        Raises
        ------
        ModelError
            Saying what to do about it.
        """
        self._key.check()

    def champion(self, city_id: str) -> str | None:
        """Return the version that serves a city, or None if none was promoted.

        Raises
        ------
        ModelError
            If the pointer names no version.
        """
        return self._champions.champion(city_id)

    def history(self, city_id: str) -> list[Promotion]:
        """Return every change of a city's champion, the oldest first."""
        return self._champions.history(city_id)

    def line(self, city_id: str) -> list[str]:
        """Return the champion and, one after another, those to go back to; sound or not."""
        return self._champions.line(city_id)

    def promote(
        self, city_id: str, version: str, *, act: Act, now: datetime, reason: str | None = None
    ) -> None:
        """Let a version serve a city from now on; one that serves already changes nothing.

        Parameters
        ----------
        city_id
            The city.
        version
            A version of that city.
        act
            How it comes to that; a person (``"by_hand"``) needs a reason to overrule failed gates.
        now
            Aware time of the change.
        reason
            What a person gives as the reason; kept in the history.

        Raises
        ------
        ModelError
            If the version isn't there, isn't sound, is of another city, or has failed its gates
            and no reason was given, or if the pointer can't be written.
        """
        if now.tzinfo is None:
            msg = "The time of a promotion needs a time zone."
            raise ValueError(msg)
        manifest, _ = self._versions.checked(version)
        owner = _owner_of(manifest, version, city_id)
        if owner != city_id:
            raise ModelError(
                WORDS["models.other_city"].format(version=version, owner=owner, city=city_id)
            )
        try:
            if self._champions.champion(city_id) == version:
                return
        except ModelError as fault:  # the pointer that takes its place mends it
            _log.info("%s", fault)
        given = in_one_line(reason or "")
        failed = _failed_gates(manifest)
        if act == "by_hand" and failed is not None and not given:
            raise ModelError(WORDS["models.needs_reason"].format(version=version, gates=failed))
        previous = next(iter(self._champions.line(city_id)), None)
        self._champions.crown(city_id, Promotion(now, version, act, given or None, previous))

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

        Twice goes back twice. One that can't be used is passed over.

        Parameters
        ----------
        city_id
            The city.
        now
            Aware time of the change.
        reason
            Kept in the history.
        last_resort
            Builds the expert model and returns its version: goes before a trained champion where
            nothing else does.
        notify
            Told which versions were passed over; by default a warning is logged.

        Raises
        ------
        ModelError
            If there is nothing to go back to, or the pointer can't be written.
        """
        served = self._champions.line(city_id)
        if served:
            self._key.require(served[0])
        for version in served[1:]:
            try:
                self.promote(city_id, version, act="rolled_back", reason=reason, now=now)
            except ModelError as fault:
                told = Text(zh=fault.render("zh"), en=fault.render("en"))
                notify(WORDS["models.passed_over"].format(version=version, reason=told))
            else:
                return version
        if last_resort is None or not served or is_expert(city_id, served[0]):
            raise ModelError(WORDS["models.nothing_before"].format(city=city_id))
        version = last_resort()
        self.promote(city_id, version, act="rolled_back", reason=reason, now=now)
        return version


def _made(model: Model, manifest: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Return the artefact and the manifest of a model."""
    from leadscore.registry.artefact import said_by, to_bytes  # late, as in `Shelf.load`

    return to_bytes(model), {**manifest, **said_by(model)}


def _owner_of(manifest: Manifest | None, version: str, city_id: str) -> str | None:
    """Return the id of the city that a version belongs to; without a manifest its name tells."""
    if manifest is None:
        return city_id if version.startswith(f"{city_id}-") else None
    return manifest.city.id


def _failed_gates(manifest: Manifest) -> Text | None:
    """Return what the gates say that a model failed, or None if it passed or met none."""
    decision = manifest.decision
    if decision is None or decision.promoted is not False:
        return None
    sentences = [gate.sentence for gate in decision.failed]
    return Text(
        zh="".join(each.zh for each in sentences), en=" ".join(each.en for each in sentences)
    )
