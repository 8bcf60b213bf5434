"""What a password must be, and how it is kept: by scrypt, slowly enough to spoil guessing."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from werkzeug.security import check_password_hash, generate_password_hash

from leadscore.errors import Detail
from leadscore.language import Text
from leadscore.store.faults import StoreError

SHORTEST, LONGEST = 12, 200
"""Characters of a password."""

# What attackers try first among those that are long enough, written without their digits' tail.
_COMMON = (
    "password", "passw0rd", "p@ssw0rd", "qwertyuiop", "qwerty", "1q2w3e4r5t6y", "1qaz2wsx3edc",
    "administrator", "admin", "letmein", "iloveyou", "welcome", "abcdefghijkl", "abc123abc123",
    "qwertyuiopasdfghjkl", "zxcvbnm", "asdfghjkl", "woaini", "wodemima", "leadscore", "changeme",
    "a1b2c3d4e5f6", "zhaoshang", "correcthorsebatterystaple",
)  # fmt: skip

_REFUSED = Text(zh="这个密码不能用。请换一个。", en="this password won't do. Choose another.")
_LENGTH = Text(zh=f"{SHORTEST} 至 {LONGEST} 个字符", en=f"{SHORTEST} to {LONGEST} characters")
_NOT_NAME = Text(zh="不含用户名", en="without the user's name in it")
_NOT_COMMON = Text(
    zh="不是常见的密码，也不是简单的重复或连号",
    en="none that is often used, nor a mere repetition or sequence",
)


class PasswordError(StoreError):
    """A password that is too easy to guess."""

    code = "weak_password"


def check_password(password: str, name: str) -> None:
    """Refuse a password that guessers would find.

    Raises
    ------
    PasswordError
        If it is too short or too long, holds the user's name, or is often used. It is not shown.
    """
    plain = password.casefold()
    wanted: Text | None = None
    if not SHORTEST <= len(password) <= LONGEST:
        wanted = _LENGTH
    elif name.casefold() in plain and len(name) >= 3:
        wanted = _NOT_NAME
    elif _is_common(plain):
        wanted = _NOT_COMMON
    if wanted is not None:
        raise PasswordError(_REFUSED, [Detail("password", "…", wanted)])


def _is_common(plain: str) -> bool:
    letters = plain.strip("0123456789!@#$%^&*._-+= ")
    steps = {ord(later) - ord(earlier) for earlier, later in pairwise(plain)}
    return letters in _COMMON or not letters or len(set(plain)) < 5 or len(steps) == 1


def hash_password(password: str) -> str:
    """Return what is kept of a password; takes some 50 ms and 32 MB, on purpose."""
    return generate_password_hash(password, "scrypt")


def matches(kept: str | None, password: str) -> bool:
    """Tell whether a password is the one that is kept; takes as long where none is kept."""
    same = check_password_hash(kept or _nobodys(), password[:LONGEST])
    return same and kept is not None


@cache
def _nobodys() -> str:
    return hash_password("nobody's password")
