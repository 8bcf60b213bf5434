"""Keeps each version in a folder of its own, whole and signed, and hands out checked bytes only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from leadscore.durable import place_folder
from leadscore.errors import ModelError
from leadscore.language import Text
from leadscore.learning.shelf.folder import (
    check_name,
    is_name,
    not_plain,
    read_plain,
    refusals,
)
from leadscore.learning.shelf.manifest import (
    ARTEFACT,
    MANIFEST,
    SIGNATURE,
    check_artefact,
    composed,
    damaged,
    parsed,
)
from leadscore.learning.shelf.signing import SigningKey

_NO_MODEL = Text(
    zh="模型库里没有“{version}”。请用 leadscore models list 查看已有的版本。",
    en="there is no model {version} on the shelf. See those that are with leadscore models list.",
)
_UNSIGNED = Text(
    zh="模型“{version}”没有签名：它由旧版 leadscore 保存，或签名文件已被移走，所以不能使用。"
    "专家模型会自动重建；训练的模型请从备份恢复，或用 leadscore retrain 重新训练。",
    en="the model {version} has no signature: an older leadscore saved it, or its signature was "
    "removed, so it must not be used. An expert model is built anew by itself; restore a trained "
    "one from a backup, or train it anew with leadscore retrain.",
)
_SET_ASIDE = Text(
    zh="模型“{version}”不能使用，已改名为“{aside}”并重新生成。原因：{reason}",
    en="the model {version} could not be used; it was renamed to {aside} and built anew. "
    "Reason: {reason}",
)
_THE_FILE = Text(zh="保存模型时写下的文件", en="the file that was written with the model")


@dataclass(frozen=True)
class Version:
    """A version as `Shelf.versions` lists it.

    Attributes
    ----------
    name
        The version.
    created
        When it was made; of one whose manifest can't be trusted, when its folder was.
    manifest
        What it was made from, or None if that can't be trusted.
    fault
        Why it can't serve, or None if it can.
    """

    name: str
    created: datetime
    manifest: Mapping[str, Any] | None
    fault: ModelError | None


class Versions:
    """The folders of the versions.

    Parameters
    ----------
    folder
        Where they live; made when the first is saved.
    key
        What they are signed with.
    """

    def __init__(self, folder: Path, key: SigningKey) -> None:
        self.folder, self.key = folder, key

    def put(self, version: str, artefact: bytes, manifest: Mapping[str, Any]) -> bool:
        """Put a version in place unless one is there; tell whether it was this one."""
        path, text = self.path(version), composed(version, manifest, artefact).encode()
        files = {ARTEFACT: artefact, MANIFEST: text, SIGNATURE: self.key.sign(version, text)}
        with refusals(self.folder):
            return place_folder(path, files)

    def there(self, version: str) -> bool:
        """Tell whether anything bears the name of a version, sound or not."""
        path = self.path(version)
        with refusals(self.folder):
            return path.is_symlink() or path.exists()

    def checked(self, version: str) -> tuple[dict[str, Any], bytes]:
        """Return manifest and artefact; the only place from which bytes go on to be opened.

        Nothing that the folder holds is believed, or even parsed, before the signature is checked.

        Raises
        ------
        ModelError
            If the version isn't there, or anything in it isn't as it was saved.
        """
        path = self.path(version)
        with refusals(self.folder):
            if path.is_symlink():
                raise not_plain(path)
            if not path.is_dir():
                raise ModelError(_NO_MODEL.format(version=version))
            content, signature = (self._read(version, name) for name in (MANIFEST, SIGNATURE))
            self.key.verify(version, content, signature)
            manifest = parsed(version, content)
            artefact = self._read(version, manifest["artefact"]["file"])
        check_artefact(manifest, artefact)
        return manifest, artefact

    def listed(self) -> Iterator[Version]:
        """Yield every version, sound or not, in no particular order."""
        with refusals(self.folder):
            found = list(self.folder.iterdir()) if self.folder.is_dir() else []
            folders = [path for path in found if is_name(path.name) and path.is_dir()]
        for path in folders:
            manifest = fault = None
            try:
                manifest, _ = self.checked(path.name)
            except ModelError as error:
                fault = error
            if manifest:
                created = datetime.fromisoformat(manifest["created"])
            else:
                created = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
            yield Version(path.name, created, manifest, fault)

    def set_aside(self, version: str, fault: ModelError, notify: Callable[[Text], object]) -> None:
        """Rename what can't be used to ``<version>.damaged-1`` (2, 3, ...), and say so."""
        path = self.path(version)
        with refusals(self.folder):
            taken = {other.name for other in self.folder.glob(f"{version}.damaged-*")}
            names = (f"{version}.damaged-{n}" for n in count(1))
            aside = path.with_name(next(name for name in names if name not in taken))
            try:
                path.rename(aside)
            except FileNotFoundError:  # another process was quicker
                return
        reason = Text(zh=fault.render("zh"), en=fault.render("en"))
        notify(_SET_ASIDE.format(version=version, aside=aside.name, reason=reason))

    def _read(self, version: str, name: str) -> bytes:
        try:
            return read_plain(self.path(version) / name)
        except FileNotFoundError as error:
            if name == SIGNATURE:
                raise ModelError(_UNSIGNED.format(version=version)) from error
            raise damaged(version, name, "-", _THE_FILE) from error

    def path(self, version: str) -> Path:
        """Return the folder of a version.

        Raises
        ------
        ModelError
            If the name could lead elsewhere.
        """
        check_name(version)
        return self.folder / version
