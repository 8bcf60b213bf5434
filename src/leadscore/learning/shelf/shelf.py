"""The shelf as the rest of the program sees it: save, load, promote, go back."""

from __future__ import annotations

import logging
import pickle
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadscore.errors import ModelError
from leadscore.language import Text
from leadscore.learning.shelf.champions import Champions
from leadscore.learning.shelf.manifest import damaged, same_model
from leadscore.learning.shelf.signing import SigningKey
from leadscore.learning.shelf.succession import Act, Promotion, in_one_line, is_expert
from leadscore.learning.shelf.versions import Version, Versions

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_log = logging.getLogger(__name__)

_TAKEN = Text(
    zh="模型“{version}”已经存在而且内容不同；保存过的版本不会改动。请换一个版本名。",
    en="the model {version} exists already with other content, and a saved version never changes. "
    "Use another name.",
)
_OTHER_CITY = Text(
    zh="模型“{version}”属于城市“{owner}”，不能用于“{city}”。请换用该城市的版本，"
    "或用 --city 指明另一份画像。",
    en="the model {version} is one of the city {owner} and can't serve {city}. Use a version of "
    "that city, or name the other profile with --city.",
)
_NEEDS_REASON = Text(
    zh="模型“{version}”没有通过检验：{gates}仍要启用，请用 --reason 写明理由，理由会留存。",
    en="the model {version} did not pass its gates: {gates} To let it serve nevertheless, give a "
    "reason with --reason; it is kept.",
)
_NOTHING_BEFORE = Text(
    zh="“{city}”没有可以退回的模型：现役模型之前没有别的完好版本。"
    "可用 leadscore models list 查看全部版本，用 leadscore models promote 指定一个。",
    en="there is no model of {city} to go back to: no sound version served before the champion. "
    "See all with leadscore models list, and choose one with leadscore models promote.",
)
_PASSED_OVER = Text(
    zh="退回时跳过了不能使用的模型“{version}”。原因：{reason}",
    en="the model {version}, which can't be used, was passed over on the way back. "
    "Reason: {reason}",
)
_THIS_CODE = Text(
    zh="能由现在这个版本的 leadscore 读取的模型",
    en="a model that this version of leadscore can read",
)
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
        pipeline: Pipeline,
        manifest: Mapping[str, Any],
        notify: Callable[[Text], object] = log_notice,
    ) -> None:
        """Save a fitted pipeline under a new name; the same model again changes nothing.

        A version is there wholly or not at all, and of two writers the first wins. One that is
        there and can't be used is renamed to ``<version>.damaged-1`` (2, 3, ...).

        Parameters
        ----------
        version
            Name of the model.
        pipeline
            Of ``features`` and ``card``, fitted.
        manifest
            See `leadscore.learning.shelf.manifest.composed`; ``city`` and ``scorecard`` are added,
            and are those of the pipeline.
        notify
            Told when a version was set aside; by default a warning is logged.

        Raises
        ------
        ModelError
            If the folder can't be written, or the version exists with other content.
        """
        artefact, manifest = _made(pipeline, manifest)
        self._key.check()
        for _ in range(_TRIES):
            if self._versions.put(version, artefact, manifest):
                return
            try:
                kept, saved = self._versions.checked(version)
            except ModelError as fault:
                self._versions.set_aside(version, fault, notify)
                continue
            if saved != artefact and not same_model(kept, manifest):
                raise ModelError(_TAKEN.format(version=version))
            return
        self._versions.checked(version)

    def load(self, version: str) -> Pipeline:
        """Return the pipeline of a version, its bytes checked before anything is read from them.

        Raises
        ------
        ModelError
            If it isn't there, isn't as it was signed, or is of a later program.
        """
        manifest, artefact = self._versions.checked(version)
        # Imported late: going back to another champion opens nothing, and must be quick.
        from leadscore.learning.shelf.artefact import from_bytes

        try:
            return from_bytes(manifest, artefact)
        except _UNREADABLE as error:
            file = manifest["artefact"]["file"]
            raise damaged(version, file, str(error), _THIS_CODE) from error

    def manifest(self, version: str) -> dict[str, Any]:
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
        build: Callable[[], tuple[Pipeline, Mapping[str, Any]]],
        notify: Callable[[Text], object] = log_notice,
    ) -> Any:
        """Return the pipeline of a version that can be built at any time, building it if need be.

        A version that can't be used is renamed to ``<version>.damaged-1`` (2, 3, ...), kept for
        whoever wants to know, and built anew.

        Parameters
        ----------
        version
            Name that is determined by what ``build`` builds from.
        build
            Returns the pipeline and what `save` wants to know of it.
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
            raise ModelError(_OTHER_CITY.format(version=version, owner=owner, city=city_id))
        try:
            if self._champions.champion(city_id) == version:
                return
        except ModelError as fault:  # the pointer that takes its place mends it
            _log.info("%s", fault)
        given = in_one_line(reason or "")
        failed = _failed_gates(manifest)
        if act == "by_hand" and failed is not None and not given:
            raise ModelError(_NEEDS_REASON.format(version=version, gates=failed))
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
                notify(_PASSED_OVER.format(version=version, reason=told))
            else:
                return version
        if last_resort is None or not served or is_expert(city_id, served[0]):
            raise ModelError(_NOTHING_BEFORE.format(city=city_id))
        version = last_resort()
        self.promote(city_id, version, act="rolled_back", reason=reason, now=now)
        return version


def _made(pipeline: Pipeline, manifest: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Return the artefact and the manifest of a pipeline."""
    from leadscore.learning.shelf.artefact import said_by, to_bytes  # late, as in `Shelf.load`

    return to_bytes(pipeline), {**manifest, **said_by(pipeline)}


def _owner_of(manifest: Mapping[str, Any] | None, version: str, city_id: str) -> str | None:
    """Return the id of the city that a version belongs to; without a manifest its name tells."""
    if manifest is None:
        return city_id if version.startswith(f"{city_id}-") else None
    city = manifest.get("city")
    return city.get("id") if isinstance(city, Mapping) else None


def _failed_gates(manifest: Mapping[str, Any]) -> Text | None:
    """Return what the gates say that a model failed, or None if it passed or met none."""
    decision = manifest.get("decision")
    if not isinstance(decision, Mapping) or decision.get("promoted") is not False:
        return None
    sentences = [gate["sentence"] for gate in decision["gates"] if not gate["passed"]]
    return Text(
        zh="".join(sentence["zh"] for sentence in sentences),
        en=" ".join(sentence["en"] for sentence in sentences),
    )
