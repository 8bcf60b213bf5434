"""Every word of the pages stands in both languages, is used, and is there where it is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leadscore.web.pages.shell import FOLDER, read_translations

WEB = FOLDER.parent
SOURCES = [*(WEB / "templates").glob("*.html"), *(WEB / "pages").glob("*.py")]
QUOTED = re.compile(r"""["']([a-z_]+(?:\.[a-z_]+)+\.?)["']""")
ASKED = re.compile(r"""(?:\bt\(|TRANSLATIONS\[|say_next\(|say=)\s*["']([a-z_.]+)["']\s*([~)\],])""")


def test_no_key_is_missing() -> None:
    words = read_translations()
    for path in SOURCES:
        for key, after in ASKED.findall(path.read_text("utf-8")):
            if after == "~":
                assert any(each.startswith(key) for each in words), f"{path.name}: {key}…"
            else:
                assert key in words, f"{path.name}: {key}"


def test_no_key_is_unused() -> None:
    asked = {key for path in SOURCES for key in QUOTED.findall(path.read_text("utf-8"))}
    prefixes = {key for path in SOURCES for key, after in ASKED.findall(path.read_text("utf-8"))
                if after == "~"}  # fmt: skip
    unused = [
        key
        for key in read_translations()
        if key not in asked and not any(key.startswith(each) for each in prefixes)
    ]
    assert unused == []


def test_both_languages_have_the_same_places() -> None:
    for key, text in read_translations().items():
        zh, en = (sorted(re.findall(r"\{(\w+)\}", half)) for half in (text.zh, text.en))
        assert zh == en, key


def test_chinese_is_chinese_and_english_is_not() -> None:
    for key, text in read_translations().items():
        words = re.sub(r"\{\w+\}", "", text.zh)
        assert re.search(r"[\u4e00-\u9fff]", words) or not re.search(r"\w", words), key
        assert not re.search(r"[\u4e00-\u9fff]", text.en), key


def test_a_key_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text('[a]\nb = { zh = "甲", en = "x" }\n', "utf-8")
    with pytest.raises(ValueError, match=r"two.toml: a\.b"):
        read_translations(tmp_path)


def test_a_key_without_a_language_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('[a]\nb = { zh = "甲" }\n', "utf-8")
    with pytest.raises(ValueError, match=r"a\.b"):
        read_translations(tmp_path)
