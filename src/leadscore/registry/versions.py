"""Keeps each version in a folder of its own, whole and signed, and hands out checked bytes only."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from leadscore.errors import Detail, ModelError
from leadscore.files import place_folder, place_secret
from leadscore.registry.manifest import (
    ARTEFACT,
    MANIFEST,
    SIGNATURE,
    check_artefact,
    composed,
    damaged,
    parsed,
)
from leadscore.text import Text

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
A_NAME = Text(
    zh="字母、数字、“-”“_”“.”，不超过100个字符，以字母或数字开头",
    en="letters, digits, - _ and . in at most 100 characters, the first a letter or digit",
)
_BAD_NAME = Text(
    zh="“{name}”不能作模型或城市的名称。请改用别的名称。",
    en="{name} can't be the name of a model or a city. Use another name.",
)
_NOT_ALLOWED = Text(
    zh="不许读写{place}。请取得权限，或用环境变量 {setting} 指定另一处。",
    en="not allowed to read and write {place}. Get permission, or name another place with "
    "{setting}.",
)
_REFUSED = Text(
    zh="{place}不能使用（{reason}）。请用环境变量 {setting} 指定另一处。",
    en="{place} can't be used ({reason}). Name another place with {setting}.",
)
_LINK = Text(
    zh="{path} 不是普通的文件或文件夹（例如是链接），模型库不予读取。请移走它，换成真正的文件。",
    en="{path} is no plain file or folder (a link, perhaps), and the shelf of models doesn't "
    "follow it. Remove it, and put the real thing in its place.",
)
_THE_FOLDER = Text(zh="模型文件夹 {folder} ", en="the folder of models {folder}")
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def is_name(name: object) -> bool:
    """Tell whether a text can name a version or a city, and leads nowhere else."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def check_name(name: str) -> None:
    """Refuse a name that could lead out of the folder.

    Raises
    ------
    ModelError
        If it is no name.
    """
    if not is_name(name):
        raise ModelError(_BAD_NAME.format(name=repr(name)), [Detail("name", repr(name), A_NAME)])


def read_plain(path: Path) -> bytes:
    """Return the content of a file that is a file and no link to one.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    ModelError
        If it is a link, a pipe, a folder.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise not_plain(path)
    return path.read_bytes()


def not_plain(path: Path) -> ModelError:
    """Return the error that says that something isn't what it should be, but a link, say."""
    return ModelError(_LINK.format(path=path))


@contextlib.contextmanager
def refusals(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses in the folder of models into words with a way out."""
    with refusals_at(_THE_FOLDER.format(folder=folder), "LEADSCORE_HOME"):
        yield


@contextlib.contextmanager
def refusals_at(place: Text, setting: str) -> Iterator[None]:
    """Turn what the operating system refuses at a place into words.

    Parameters
    ----------
    place
        What the place is called.
    setting
        The environment variable that names another.
    """
    try:
        yield
    except OSError as error:
        message = _NOT_ALLOWED if error.errno in _DENIED else _REFUSED
        reason = error.strerror or str(error)
        named = message.format(place=place, reason=reason, setting=setting)
        raise ModelError(named) from error


_KEY_BYTES = 32
_MOST_BYTES = 65_536
_OPEN_TO_OTHERS = stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP
_FORM = re.compile(rb"hmac-sha256 ([0-9a-f]{8}) [0-9a-f]{64}\n")

_THE_KEY = Text(zh="模型签名的密钥文件 {path} ", en="the key file {path}")
_NO_KEY = Text(
    zh="找不到模型签名的密钥文件 {path}，无法核对模型“{version}”是否可信。请从备份恢复该文件，"
    "或用环境变量 LEADSCORE_KEY_FILE 指明它在何处；若已遗失，请运行 leadscore retrain "
    "重新训练，届时会生成新的密钥。",
    en="the key that models are signed with, {path}, isn't there, so whether the model {version} "
    "can be trusted can't be checked. Restore it from a backup, or say where it is with "
    "LEADSCORE_KEY_FILE; if it is lost, run leadscore retrain, which makes a new one.",
)
_OTHER_KEY = Text(
    zh="模型“{version}”是用另一把密钥签名的，不能使用。请把当时的密钥恢复到 {path}"
    "（或用环境变量 LEADSCORE_KEY_FILE 指明它）；若已遗失，请运行 leadscore retrain 重新训练。",
    en="the model {version} was signed with another key and must not be used. Restore that key "
    "to {path} (or name it with LEADSCORE_KEY_FILE); if it is lost, run leadscore retrain.",
)
_SHORT = Text(
    zh="模型签名的密钥文件 {path} 不是一把可用的密钥。请从备份恢复；若已遗失，请删去该文件，"
    "下次运行会生成新的，此前的模型须用 leadscore retrain 重新训练。",
    en="the file {path} is no key that models can be signed with. Restore it from a backup; if "
    "the key is lost, remove the file: the next run makes a new one, and leadscore retrain makes "
    "the models anew.",
)
_SO_LONG = Text(zh=f"{_KEY_BYTES} 到 {_MOST_BYTES} 字节", en=f"{_KEY_BYTES} to {_MOST_BYTES} bytes")
_READABLE = Text(
    zh="模型签名的密钥文件 {path} 别人也能读写：谁拿到它，谁就能伪造模型。"
    "请运行 chmod 600 {path}；若该磁盘不能保存权限，请用环境变量 LEADSCORE_KEY_FILE 换一处。",
    en="others may read or change the key that models are signed with, {path}, and whoever has it "
    "can forge a model. Run chmod 600 {path}; if the disk can't keep permissions, name another "
    "place with LEADSCORE_KEY_FILE.",
)
_ONLY_YOU = Text(zh="只有所有者可读写（600）", en="readable by its owner only (600)")
_INSIDE = Text(
    zh="模型签名的密钥文件 {path} 放在模型文件夹 {folder} 里面，能改模型的人也就能改签名。"
    "请用环境变量 LEADSCORE_KEY_FILE 把它放到别处。",
    en="the key that models are signed with, {path}, lies inside the folder of models, {folder}: "
    "whoever can change a model could sign it too. Put it elsewhere with LEADSCORE_KEY_FILE.",
)
_ITS_SIGNATURE = Text(zh="与清单相符的签名", en="the signature of its manifest")


class SigningKey:
    """A file of random bytes, made on first use, that signs what is saved.

    Nothing is touched before the first use.

    Parameters
    ----------
    path
        Where the key lies.
    shelf
        The folder of models, in which it must not lie.
    """

    def __init__(self, path: Path, shelf: Path) -> None:
        self.path, self._shelf = path, shelf

    def check(self) -> None:
        """Refuse a key that is there and can't be trusted.

        Raises
        ------
        ModelError
            If it is too short, open to others, inside the shelf, or can't be read.
        """
        self._read()

    def require(self, version: str) -> bytes:
        """Return the key with which a version is to be checked.

        Raises
        ------
        ModelError
            As `check`, or if it isn't there.
        """
        secret = self._read()
        if secret is None:
            raise ModelError(_NO_KEY.format(path=self.path, version=version))
        return secret

    def sign(self, version: str, manifest: bytes) -> bytes:
        """Return the signature of a manifest, making the key if there is none.

        Raises
        ------
        ModelError
            If the key can't be trusted, read or made.
        """
        if self._read() is None:
            with self._refusals():  # of two processes the first makes it
                place_secret(self.path, secrets.token_bytes(_KEY_BYTES))
        return _signature(self.require(version), version, manifest)

    def verify(self, version: str, manifest: bytes, found: bytes) -> None:
        """Refuse a manifest whose signature isn't the one that this key gives.

        Raises
        ------
        ModelError
            If it differs, or the key is missing or can't be trusted.
        """
        secret = self.require(version)
        if hmac.compare_digest(_signature(secret, version, manifest), found):
            return
        other = _FORM.fullmatch(found)
        if other and other[1] != _id(secret):
            raise ModelError(_OTHER_KEY.format(version=version, path=self.path))
        raise damaged(version, SIGNATURE, _shown(found), _ITS_SIGNATURE)

    def _read(self) -> bytes | None:
        with self._refusals():
            if self.path.resolve().is_relative_to(self._shelf.resolve()):
                raise ModelError(_INSIDE.format(path=self.path, folder=self._shelf))
            if not self.path.exists():
                return None
            with self.path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                secret = file.read(_MOST_BYTES + 1)
        if os.name != "nt" and mode & _OPEN_TO_OTHERS:
            detail = Detail(str(self.path), f"{stat.S_IMODE(mode):o}", _ONLY_YOU)
            raise ModelError(_READABLE.format(path=self.path), [detail])
        if not _KEY_BYTES <= len(secret) <= _MOST_BYTES:
            detail = Detail(str(self.path), str(len(secret)), _SO_LONG)
            raise ModelError(_SHORT.format(path=self.path), [detail])
        return secret

    def _refusals(self) -> AbstractContextManager[None]:
        return refusals_at(_THE_KEY.format(path=self.path), "LEADSCORE_KEY_FILE")


def _signature(secret: bytes, version: str, manifest: bytes) -> bytes:
    """Return what the signature file holds, to the last byte: any other byte is a refusal."""
    signed = b"leadscore model\0" + version.encode() + b"\0" + manifest
    digest = hmac.digest(secret, signed, hashlib.sha256).hex()
    return b"hmac-sha256 %s %s\n" % (_id(secret), digest.encode())


def _id(secret: bytes) -> bytes:
    """Return a name for a key that tells it from others and tells nothing of it."""
    return hashlib.sha256(b"leadscore key\0" + secret).hexdigest()[:8].encode()


def _shown(found: bytes) -> str:
    return ascii(found[:40].decode("ascii", "replace")) if found else "-"


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
