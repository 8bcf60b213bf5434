"""Signs what lies on the shelf with a key that lies elsewhere, so that nothing planted is run.

Unpickling runs code. A hash finds accidents, but whoever can plant a model can plant its hash too;
without the key nobody can plant the signature.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from contextlib import AbstractContextManager
from pathlib import Path

from leadscore.durable import place_secret
from leadscore.errors import Detail, ModelError
from leadscore.language import Text
from leadscore.learning.shelf.folder import refusals_at
from leadscore.learning.shelf.manifest import SIGNATURE, damaged

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
