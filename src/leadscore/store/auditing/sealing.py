"""The key that seals the audit: a file outside the database, so that who can write can't forge."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from leadscore.durable import place_secret
from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.store.faults import StoreError, refusals

_KEY_BYTES = 32
_MOST_BYTES = 65_536
_OPEN_TO_OTHERS = stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP

_NO_KEY = Text(
    zh="找不到审计记录的密钥文件 {path}，无法核对或续写已有的审计记录。请从备份恢复该文件。",
    en="the key of the audit, {path}, isn't there, so the records that there are can neither be "
    "checked nor continued. Restore it from a backup.",
)
_BAD_KEY = Text(
    zh="审计记录的密钥文件 {path} 不可用。请从备份恢复该文件，并运行 chmod 600 {path}。",
    en="the key of the audit, {path}, can't be used. Restore it from a backup, and run "
    "chmod 600 {path}.",
)
_SO_LONG = Text(zh=f"{_KEY_BYTES} 到 {_MOST_BYTES} 字节", en=f"{_KEY_BYTES} to {_MOST_BYTES} bytes")
_ONLY_YOU = Text(zh="只有所有者可读写（600）", en="readable by its owner only (600)")


class SealingKey:
    """A file of random bytes, made on first use; nothing is touched before that.

    Parameters
    ----------
    path
        Where the key lies.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._secret: bytes | None = None

    def make(self) -> None:
        """Make the key unless there is one; of two processes the first makes it.

        Raises
        ------
        StoreError
            If it can't be made.
        """
        with refusals(self.path.parent):
            if not self.path.exists():
                place_secret(self.path, secrets.token_bytes(_KEY_BYTES))

    def seal(self, purpose: str, content: bytes) -> str:
        """Return the HMAC-SHA-256 of a purpose and a content, in 64 hex digits.

        Raises
        ------
        StoreError
            If the key isn't there or can't be trusted.
        """
        if self._secret is None:
            self._secret = self._read()
        return hmac.digest(self._secret, purpose.encode() + b"\0" + content, hashlib.sha256).hex()

    def holds(self, purpose: str, content: bytes, seal: str) -> bool:
        """Tell whether a seal is the one that this key gives."""
        return hmac.compare_digest(self.seal(purpose, content).encode(), seal.encode())

    def _read(self) -> bytes:
        with refusals(self.path.parent):
            if not self.path.exists():
                raise StoreError(_NO_KEY.format(path=self.path))
            with self.path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                secret = file.read(_MOST_BYTES + 1)
        if os.name != "nt" and mode & _OPEN_TO_OTHERS:
            detail = Detail(str(self.path), f"{stat.S_IMODE(mode):o}", _ONLY_YOU)
            raise StoreError(_BAD_KEY.format(path=self.path), [detail])
        if not _KEY_BYTES <= len(secret) <= _MOST_BYTES:
            detail = Detail(str(self.path), str(len(secret)), _SO_LONG)
            raise StoreError(_BAD_KEY.format(path=self.path), [detail])
        return secret
