"""One sentence in both languages of the house, so that neither can be forgotten."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

Lang = Literal["zh", "en"]

LANGUAGES: tuple[Lang, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """A message in Chinese and English, with optional ``{named}`` places.

    >>> Text(zh="第{row}行", en="row {row}").format(row=3).pick("zh")
    '第3行'

    A place may itself be filled with a `Text`; each language gets its own half:

    >>> inner = Text(zh="名单", en="list")
    >>> Text(zh="空的{what}", en="an empty {what}").format(what=inner).pick("en")
    'an empty list'
    """

    zh: str
    en: str

    def format(self, **places: object) -> Text:
        """Fill the named places of both halves."""

        def filled(lang: Lang) -> str:
            halves = {
                name: place.pick(lang) if isinstance(place, Text) else place
                for name, place in places.items()
            }
            return self.pick(lang).format(**halves)

        return Text(filled("zh"), filled("en"))

    def pick(self, lang: Lang) -> str:
        """Return the half that ``lang`` asks for."""
        return self.zh if lang == "zh" else self.en


def read_words(*paths: Path) -> dict[str, Text]:
    """Return the texts of TOML files by key: the names of the tables around one, joined by dots.

    A text is ``title = { zh = "模型", en = "Model" }``; ValueError if a key stands twice or lacks a
    language.
    """
    words: dict[str, Text] = {}
    for path in paths:
        for key, text in _texts(tomllib.loads(path.read_text("utf-8"))):
            if key in words:
                raise ValueError(f"{path.name}: {key} stands in another file, too")
            words[key] = text
    return words


@cache
def room_words(room: str) -> Mapping[str, Text]:
    """Return what a package of leadscore says: the texts of its ``words.toml`` by key.

    >>> room_words("ranking")["reasons.supply.none"].pick("en")
    'none available locally'
    """
    return read_words(Path(__file__).parent / room / "words.toml")


def _texts(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Text]]:
    for name, value in table.items():
        key = f"{above}{name}"
        if not isinstance(value, dict):
            raise ValueError(f"{key} must be a table with zh and en")  # noqa: TRY004 (of the file)
        if set(value) == set(LANGUAGES) and all(isinstance(half, str) for half in value.values()):
            yield key, Text(**value)
        else:
            yield from _texts(value, f"{key}.")


def shown(value: object, limit: int = 80) -> str:
    r"""Return a value as one short printable line for a message.

    Control, bidirectional and zero-width characters, and halves of surrogate pairs, are written as
    escapes, so that what is shown is what stands there and any encoding can carry it.

    >>> shown("深圳\x00某某")
    '深圳\\x00某某'
    >>> shown("甲" * 100, limit=5)
    '甲甲甲甲…'
    """
    text = str(value)
    cut = text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"
    if cut.isprintable():
        return cut
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode("ascii")
        for mark in cut
    )
