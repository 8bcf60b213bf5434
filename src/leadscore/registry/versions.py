"""Keeps each version in a folder of its own, whole and signed, and hands out checked bytes only."""

from __future__ import annotations

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

from leadscore import validation
from leadscore.errors import Detail, ModelError
from leadscore.files import place_folder, place_secret
from leadscore.registry.manifest import (
    ARTEFACT,
    MANIFEST,
    SIGNATURE,
    Manifest,
    check_artefact,
    composed,
    damaged,
    parsed,
)
from leadscore.text import Text, room_words
from leadscore.validation import refusals

WORDS = room_words("registry")


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
A_NAME = WORDS["versions.a_name"]


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
        raise ModelError(
            WORDS["versions.bad_name"].format(name=repr(name)), [Detail("name", repr(name), A_NAME)]
        )


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
    return ModelError(WORDS["versions.link"].format(path=path))


def registry_refusals(folder: Path) -> AbstractContextManager[None]:
    """Turn what the operating system refuses in the folder of models into words with a way out."""
    return validation.refusals(ModelError, WORDS["versions.the_folder"].format(folder=folder))


_KEY_BYTES = 32
_MOST_BYTES = 65_536
_OPEN_TO_OTHERS = stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP
_FORM = re.compile(rb"hmac-sha256 ([0-9a-f]{8}) [0-9a-f]{64}\n")

_SO_LONG = Text(zh=f"{_KEY_BYTES} 到 {_MOST_BYTES} 字节", en=f"{_KEY_BYTES} to {_MOST_BYTES} bytes")


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
            raise ModelError(WORDS["versions.no_key"].format(path=self.path, version=version))
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
            raise ModelError(WORDS["versions.other_key"].format(version=version, path=self.path))
        raise damaged(version, SIGNATURE, _shown(found), WORDS["versions.its_signature"])

    def _read(self) -> bytes | None:
        with self._refusals():
            if self.path.resolve().is_relative_to(self._shelf.resolve()):
                raise ModelError(
                    WORDS["versions.inside"].format(path=self.path, folder=self._shelf)
                )
            if not self.path.exists():
                return None
            with self.path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                secret = file.read(_MOST_BYTES + 1)
        if os.name != "nt" and mode & _OPEN_TO_OTHERS:
            detail = Detail(str(self.path), f"{stat.S_IMODE(mode):o}", WORDS["versions.only_you"])
            raise ModelError(WORDS["versions.readable"].format(path=self.path), [detail])
        if not _KEY_BYTES <= len(secret) <= _MOST_BYTES:
            detail = Detail(str(self.path), str(len(secret)), _SO_LONG)
            raise ModelError(WORDS["versions.short"].format(path=self.path), [detail])
        return secret

    def _refusals(self) -> AbstractContextManager[None]:
        return refusals(
            ModelError, WORDS["versions.the_key"].format(path=self.path), "LEADSCORE_KEY_FILE"
        )


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
    manifest: Manifest | None
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
        with registry_refusals(self.folder):
            return place_folder(path, files)

    def there(self, version: str) -> bool:
        """Tell whether anything bears the name of a version, sound or not."""
        path = self.path(version)
        with registry_refusals(self.folder):
            return path.is_symlink() or path.exists()

    def checked(self, version: str) -> tuple[Manifest, bytes]:
        """Return manifest and artefact; the only place from which bytes go on to be opened.

        Nothing that the folder holds is believed, or even parsed, before the signature is checked.

        Raises
        ------
        ModelError
            If the version isn't there, or anything in it isn't as it was saved.
        """
        path = self.path(version)
        with registry_refusals(self.folder):
            if path.is_symlink():
                raise not_plain(path)
            if not path.is_dir():
                raise ModelError(WORDS["versions.no_model"].format(version=version))
            content, signature = (self._read(version, name) for name in (MANIFEST, SIGNATURE))
            self.key.verify(version, content, signature)
            manifest = parsed(version, content)
            artefact = self._read(version, manifest.artefact.file)
        check_artefact(manifest, artefact)
        return manifest, artefact

    def listed(self) -> Iterator[Version]:
        """Yield every version, sound or not, in no particular order."""
        with registry_refusals(self.folder):
            found = list(self.folder.iterdir()) if self.folder.is_dir() else []
            folders = [path for path in found if is_name(path.name) and path.is_dir()]
        for path in folders:
            manifest = fault = None
            try:
                manifest, _ = self.checked(path.name)
            except ModelError as error:
                fault = error
            created = manifest.created if manifest else None
            if created is None:
                created = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
            yield Version(path.name, created, manifest, fault)

    def set_aside(self, version: str, fault: ModelError, notify: Callable[[Text], object]) -> None:
        """Rename what can't be used to ``<version>.damaged-1`` (2, 3, ...), and say so."""
        path = self.path(version)
        with registry_refusals(self.folder):
            taken = {other.name for other in self.folder.glob(f"{version}.damaged-*")}
            names = (f"{version}.damaged-{n}" for n in count(1))
            aside = path.with_name(next(name for name in names if name not in taken))
            try:
                path.rename(aside)
            except FileNotFoundError:  # another process was quicker
                return
        reason = Text(zh=fault.render("zh"), en=fault.render("en"))
        notify(WORDS["versions.set_aside"].format(version=version, aside=aside.name, reason=reason))

    def _read(self, version: str, name: str) -> bytes:
        try:
            return read_plain(self.path(version) / name)
        except FileNotFoundError as error:
            if name == SIGNATURE:
                raise ModelError(WORDS["versions.unsigned"].format(version=version)) from error
            raise damaged(version, name, "-", WORDS["versions.the_file"]) from error

    def path(self, version: str) -> Path:
        """Return the folder of a version.

        Raises
        ------
        ModelError
            If the name could lead elsewhere.
        """
        check_name(version)
        return self.folder / version
