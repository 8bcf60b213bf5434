"""The model shelf: versions that never change, checked before use, and one champion per city."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import pickle
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import joblib

from leadscore.errors import Detail, ModelError
from leadscore.language import Text
from leadscore.learning.durable import place_file, place_folder
from leadscore.learning.manifest import ARTEFACT, MANIFEST, check, composed, damaged, parsed

_log = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_A_NAME = Text(
    zh="字母、数字、“-”“_”“.”，不超过100个字符，以字母或数字开头",
    en="letters, digits, - _ and . in at most 100 characters, the first a letter or digit",
)
_BAD_NAME = Text(
    zh="“{name}”不能作模型或城市的名称。请改用别的名称。",
    en="{name} can't be the name of a model or a city. Use another name.",
)
_BAD_POINTER = Text(
    zh="指明“{city}”现役模型的文件已损坏。请重新指定现役模型，或删去该文件。",
    en="the file that names the champion of {city} is damaged. Promote a model anew, or remove "
    "the file.",
)
_NO_MODEL = Text(
    zh="模型库里没有“{version}”。请换用已有的版本，或重新生成模型。",
    en="there is no model {version} on the shelf. Use a version that is there, or build it anew.",
)
_TAKEN = Text(
    zh="模型“{version}”已经存在而且内容不同；保存过的版本不会改动。请换一个版本名。",
    en="the model {version} exists already with other content, and a saved version never changes. "
    "Use another name.",
)
_NOT_ALLOWED = Text(
    zh="不许读写模型文件夹 {folder}。请取得权限，或用环境变量 LEADSCORE_HOME 指定另一个文件夹。",
    en="not allowed to read and write in the folder of models, {folder}. Get permission, or name "
    "another folder with LEADSCORE_HOME.",
)
_REFUSED = Text(
    zh="模型文件夹 {folder} 不能使用（{reason}）。请用环境变量 LEADSCORE_HOME 指定另一个文件夹。",
    en="the folder of models, {folder}, can't be used ({reason}). Name another folder with "
    "LEADSCORE_HOME.",
)
_SET_ASIDE = Text(
    zh="模型“{version}”不能使用，已改名为“{aside}”并重新生成。原因：{reason}",
    en="the model {version} could not be used; it was renamed to {aside} and built anew. "
    "Reason: {reason}",
)
_THE_FILE = Text(zh="保存模型时写下的文件", en="the file that was written with the model")
_THIS_CODE = Text(
    zh="能由现在这个版本的 leadscore 读取的模型",
    en="a model that this version of leadscore can read",
)
# What unpickling raises when the code has moved on since the model was saved.
_UNREADABLE = (
    AttributeError,
    ImportError,
    KeyError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)
_TRIES = 3
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def _log_notice(notice: Text) -> None:
    _log.warning("%s", notice.en)


class Shelf:
    """A folder with one folder per version, and per city one file that names the champion.

    Nothing is touched before the first use.

    Parameters
    ----------
    folder
        Where the models live; made when the first is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def save(self, version: str, pipeline: object, manifest: Mapping[str, Any]) -> None:
        """Save a fitted pipeline under a new name; the same content again changes nothing.

        A version is there wholly or not at all, and of two writers the first wins.

        Parameters
        ----------
        version
            Name of the model.
        pipeline
            What joblib can save.
        manifest
            See `leadscore.learning.manifest.composed`.

        Raises
        ------
        ModelError
            If the folder can't be written, or the version exists with other content.
        """
        artefact = _pickled(pipeline)
        if not self._put(version, artefact, manifest) and self._verified(version)[1] != artefact:
            raise ModelError(_TAKEN.format(version=version))

    def load(self, version: str) -> Any:
        """Return the pipeline of a version, its bytes checked before anything is unpickled.

        Raises
        ------
        ModelError
            If it isn't there, is damaged, or was saved with another scikit-learn.
        """
        _, artefact = self._verified(version)
        try:
            return joblib.load(io.BytesIO(artefact))
        except _UNREADABLE as error:
            raise damaged(version, ARTEFACT, str(error), _THIS_CODE) from error

    def manifest(self, version: str) -> dict[str, Any]:
        """Return the manifest of a version, after the same checks as `load`."""
        return self._verified(version)[0]

    def ensure(
        self,
        version: str,
        build: Callable[[], tuple[object, Mapping[str, Any]]],
        notify: Callable[[Text], object] = _log_notice,
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
            If the folder can't be written.
        """
        artefact: bytes | None = None
        for _ in range(_TRIES):  # another process may set aside what this one has just built
            with self._refusals():
                present = self._path(version).exists()
            if present:
                try:
                    return self.load(version)
                except ModelError as fault:
                    self._set_aside(version, fault, notify)
            if artefact is None:
                pipeline, manifest = build()
                artefact = _pickled(pipeline)
            self._put(version, artefact, manifest)
        return self.load(version)

    def champion(self, city_id: str) -> str | None:
        """Return the version that serves a city, or None if none was promoted.

        Raises
        ------
        ModelError
            If the pointer names no version.
        """
        pointer = self._pointer(city_id)
        with self._refusals():
            if not pointer.exists():
                return None
            named = pointer.read_bytes().decode("utf-8", errors="replace").strip()
        if not _NAME.fullmatch(named):
            message = _BAD_POINTER.format(city=city_id)
            raise ModelError(message, [Detail(pointer.name, repr(named), _A_NAME)])
        return named

    def promote(self, city_id: str, version: str) -> None:
        """Let a version serve a city from now on.

        Raises
        ------
        ModelError
            If the version isn't there or sound, or the pointer can't be written.
        """
        self._verified(version)
        pointer, content = self._pointer(city_id), f"{version}\n".encode()
        with self._refusals():
            if not (pointer.exists() and pointer.read_bytes() == content):
                place_file(pointer, content)

    def _verified(self, version: str) -> tuple[dict[str, Any], bytes]:
        """Return manifest and artefact; the only place from which bytes go on to be unpickled."""
        path = self._path(version)
        with self._refusals():
            if not path.is_dir():
                raise ModelError(_NO_MODEL.format(version=version))
            contents = {}
            for name in (MANIFEST, ARTEFACT):
                try:
                    contents[name] = (path / name).read_bytes()
                except FileNotFoundError as error:
                    raise damaged(version, name, "-", _THE_FILE) from error
        manifest = parsed(version, contents[MANIFEST])
        check(manifest, contents[ARTEFACT])
        return manifest, contents[ARTEFACT]

    def _put(self, version: str, artefact: bytes, manifest: Mapping[str, Any]) -> bool:
        """Put a version in place unless one is there; tell whether it was this one."""
        path, text = self._path(version), composed(version, manifest, artefact)
        with self._refusals():
            return place_folder(path, {ARTEFACT: artefact, MANIFEST: text.encode()})

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
        notify(_SET_ASIDE.format(version=version, aside=aside.name, reason=reason))

    def _path(self, version: str) -> Path:
        _check_name(version)
        return self.folder / version

    def _pointer(self, city_id: str) -> Path:
        _check_name(city_id)
        return self.folder / f"{city_id}.champion"

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        """Turn what the operating system refuses into words with a way out."""
        try:
            yield
        except OSError as error:
            message = _NOT_ALLOWED if error.errno in _DENIED else _REFUSED
            reason = error.strerror or str(error)
            raise ModelError(message.format(folder=self.folder, reason=reason)) from error


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ModelError(_BAD_NAME.format(name=repr(name)), [Detail("name", repr(name), _A_NAME)])


def _pickled(pipeline: object) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(pipeline, buffer)
    return buffer.getvalue()
