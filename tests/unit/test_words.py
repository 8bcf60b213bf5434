"""Every text of every room is in both languages, is used, and is there where it is asked for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import leadscore
from leadscore.text import read_words

PACKAGE = Path(leadscore.__file__).parent
IDEOGRAPH = re.compile(r"[\u3400-\u9fff]")
ROOMS = sorted(path.parent for path in PACKAGE.rglob("words.toml"))
BY_TEMPLATES = PACKAGE / "report"
"""Its words are looked up as they are said; `test_report` holds that all are."""


def asked(room: Path) -> Iterator[tuple[str, bool]]:
    """Yield the keys that modules of a room look up, and whether each is only how they begin."""
    own = room.glob("*.py") if room == PACKAGE else room.rglob("*.py")
    for path in own:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "WORDS":
                key = node.slice
                if isinstance(key, ast.Constant):
                    yield str(key.value), False
                elif isinstance(key, ast.JoinedStr) and isinstance(key.values[0], ast.Constant):
                    yield str(key.values[0].value), True


@pytest.mark.parametrize(
    "room", [room for room in ROOMS if room != BY_TEMPLATES], ids=lambda room: room.name
)
def test_words_are_there_and_used(room: Path) -> None:
    words, keys = read_words(room / "words.toml"), list(asked(room))
    begun = tuple(key for key, whole in keys if whole)
    missing = {key for key, begins in keys if not begins} - words.keys()
    unused = {key for key in words.keys() - {key for key, _ in keys} if not key.startswith(begun)}
    assert (missing, unused) == (set(), set())


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_each_half_is_in_its_language(room: Path) -> None:
    for key, text in read_words(room / "words.toml").items():
        zh, en = (re.sub(r"\{.*?\}", "", half) for half in (text.zh, text.en))
        assert IDEOGRAPH.search(zh) or not re.search(r"[a-z]{2}", zh) or zh == en, key
        assert re.search(r"[A-Za-z]", en) or not IDEOGRAPH.search(en), key


def test_a_key_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text('[a]\nb = { zh = "甲", en = "x" }\n', "utf-8")
    with pytest.raises(ValueError, match=r"two.toml: a\.b"):
        read_words(tmp_path / "one.toml", tmp_path / "two.toml")


def test_a_key_without_a_language_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('[a]\nb = { zh = "甲" }\n', "utf-8")
    with pytest.raises(ValueError, match=r"a\.b"):
        read_words(tmp_path / "one.toml")
