"""Finds the mistakes that span several tables of a profile, even while others are still in it.

The checks read the raw document, so a wrong type in one place never hides a ring in another; what
is not of the shape that a check needs is passed over, since the models report it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from leadscore.city.graph import rings
from leadscore.city.wording import Step, key_path, one_of, show
from leadscore.errors import Detail
from leadscore.language import Text

Document = dict[str, Any]
Item = tuple[tuple[Step, ...], dict[str, Any]]
_WITH_ID: Final = ("place", "target_region", "event", "sought")

_UNIQUE: Final = Text(zh="不与第 {first} 个重复", en="no repeat of number {first}")
_NO_SEGMENT: Final = Text(zh="本画像中的环节", en="a segment of this profile")
_NO_RING: Final = Text(
    zh="不成环的供货关系；此处成环：{ring}", en="a graph without rings; this is one: {ring}"
)
_ONCE: Final = Text(
    zh="每个词只出现一次；它已在 {list} 中", en="each word once; it is in {list} already"
)


def spanning_mistakes(document: Document) -> list[Detail]:
    """Return repeats, references to nothing, rings and words that contradict each other."""
    return [
        *_repeats(document),
        *_dangling(document),
        *_rings(document),
        *_contradicting_words(document),
    ]


def _items(parent: Document, key: str, path: tuple[Step, ...] = ()) -> Iterator[Item]:
    """Yield the tables of an array of tables with their paths."""
    found = parent.get(key)
    for position, item in enumerate(found if isinstance(found, list) else []):
        if isinstance(item, dict):
            yield (*path, key, position), item


def _segments(document: Document) -> Iterator[tuple[str, Item]]:
    """Yield the segments with their full ids."""
    for path, chain in _items(document, "chain"):
        for place, segment in _items(chain, "segment", path):
            if isinstance(chain.get("id"), str) and isinstance(segment.get("id"), str):
                yield f"{chain['id']}.{segment['id']}", (place, segment)


def _texts(item: dict[str, Any], key: str) -> Iterator[tuple[int, str]]:
    found = item.get(key)
    for position, text in enumerate(found if isinstance(found, list) else []):
        if isinstance(text, str):
            yield position, text


def _repeats(document: Document) -> Iterator[Detail]:
    """Yield ids, names and deliveries that occur twice among their own kind."""
    groups = [
        *(("id", _items(document, kind)) for kind in ("chain", *_WITH_ID)),
        *(("id", _items(chain, "segment", path)) for path, chain in _items(document, "chain")),
        *(("name", _items(document, kind)) for kind in ("anchor", "neighbour")),
        *(
            ("segment", _items(neighbour, "delivers", path))
            for path, neighbour in _items(document, "neighbour")
        ),
    ]
    for key, items in groups:
        seen: dict[str, int] = {}
        for path, item in items:
            name = item.get(key)
            call = name.get("zh") if isinstance(name, dict) else name
            if not isinstance(call, str):
                continue
            first = seen.setdefault(call, int(path[-1]) + 1)
            if first != int(path[-1]) + 1:
                where = f"{key_path(document, path[:-1])}[#{int(path[-1]) + 1}].{key}"
                yield Detail(where, show(call), _UNIQUE.format(first=first))


def _dangling(document: Document) -> Iterator[Detail]:
    """Yield references to segments that the profile does not have."""
    known = [full for full, _ in _segments(document)]
    lists = [("feeds", item) for _, item in _segments(document)]
    for kind in ("anchor", "place", "sought"):
        lists += [("segments", item) for item in _items(document, kind)]
    for key, (path, item) in lists:
        for position, text in _texts(item, key):
            if text not in known:
                where = key_path(document, (*path, key, position))
                yield Detail(where, show(text), one_of(text, known, _NO_SEGMENT))
    for path, neighbour in _items(document, "neighbour"):
        for place, delivery in _items(neighbour, "delivers", path):
            named = delivery.get("segment")
            if isinstance(named, str) and named not in known:
                where = key_path(document, (*place, "segment"))
                yield Detail(where, show(named), one_of(named, known, _NO_SEGMENT))


def _rings(document: Document) -> Iterator[Detail]:
    """Yield the rings among the segments, named from the segment they were met at."""
    places = dict(_segments(document))
    edges = {
        full: [text for _, text in _texts(segment, "feeds")]
        for full, (_, segment) in places.items()
    }
    for ring in rings(edges):
        last = ring[-2]
        where = key_path(document, (*places[last][0], "feeds"))
        yield Detail(where, show(ring[-1]), _NO_RING.format(ring=" → ".join(ring)))


def _contradicting_words(document: Document) -> Iterator[Detail]:
    """Yield words that a segment lists twice, be it in one list or in two.

    Two segments may share a word: a text with it then speaks of both.
    """
    for _, (path, segment) in _segments(document):
        home: dict[str, str] = {}
        for key in ("makes", "hints", "excludes"):
            for position, text in _texts(segment, key):
                plain = unicodedata.normalize("NFKC", text).casefold().strip()
                if plain in home:
                    where = key_path(document, (*path, key, position))
                    yield Detail(where, show(text), _ONCE.format(list=home[plain]))
                home.setdefault(plain, key)
