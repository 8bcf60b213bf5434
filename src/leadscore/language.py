"""One sentence in both languages of the house, so that neither can be forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
        halves = {
            lang: {
                name: place.pick(lang) if isinstance(place, Text) else place
                for name, place in places.items()
            }
            for lang in LANGUAGES
        }
        return Text(zh=self.zh.format(**halves["zh"]), en=self.en.format(**halves["en"]))

    def pick(self, lang: Lang) -> str:
        """Return the half that ``lang`` asks for."""
        return self.zh if lang == "zh" else self.en
