"""The segment library: what segments of industry chains are, whichever city names them.

A city says of a segment only what it has, lacks and seeks, and names it with ``library``; its
names, words, industry classes and edges come from here. Whatever stands beside ``library`` goes
before; ``add`` and ``drop`` change lists of words without repeating them.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from leadscore.city.profile import Labels, Name, Part, Segment, Slug
from leadscore.files import shipped
from leadscore.text import Text

Document = dict[str, Any]

LIBRARY: Final = "library"
"""The key by which a chain or a segment of a profile names one of the library."""
ADD, DROP = "add", "drop"
WORD_LISTS: Final = tuple(
    name for name, kind in Segment.model_fields.items() if kind.annotation == Labels
)
"""The lists of a segment that ``add`` and ``drop`` may change, ``feeds`` besides."""
_EVIDENCE_ALONE: Final = frozenset({"industry"})  # lists that share no words with others


class _About(Part):
    id: Slug
    name: Name
    about: Name


@dataclass(frozen=True, slots=True)
class Entry:
    """A segment of the library."""

    segment: Segment  # with a supply of 0, which only a city can say
    about: Text  # what it is, in a sentence
    table: Mapping[str, Any]  # as its file writes it

    @property
    def id(self) -> str:
        """The full id within the library, ``chain.segment``."""
        return self.segment.id


@dataclass(frozen=True, slots=True)
class LibraryChain:
    """A chain of the library: one file."""

    id: str
    name: Text
    about: Text
    entries: tuple[Entry, ...]


def library_chains() -> tuple[str, ...]:
    """Return the ids of all chains of the library, in their order."""
    return tuple(sorted(path.stem for path in shipped("segments").glob("*.toml")))


@lru_cache(maxsize=64)
def library_chain(chain_id: str) -> LibraryChain:
    """Read one chain; KeyError if there is none, ValueError if its file is wrong."""
    if chain_id not in library_chains():
        raise KeyError(chain_id)
    path = shipped("segments", f"{chain_id}.toml")
    document = tomllib.loads(path.read_text("utf-8"))
    if set(document) != {"chain", "segment"}:
        raise ValueError(f"{path}: wanted are the tables [chain] and [[segment]]")
    chain = _About.model_validate(document["chain"])
    if chain.id != chain_id:
        raise ValueError(f"{path}: the chain is called {chain.id}")
    return LibraryChain(
        chain_id, chain.name, chain.about,
        tuple(_entry(chain_id, table) for table in document["segment"]),
    )  # fmt: skip


def _entry(chain_id: str, table: Document) -> Entry:
    known = {key: value for key, value in table.items() if key != "about"}
    about = _About.model_validate({key: table.get(key) for key in ("id", "name", "about")}).about
    segment = Segment.model_validate({**known, "of chain": chain_id, "supply": 0.0})
    return Entry(segment, about, known)


def library_segment(full_id: str) -> Entry:
    """Return a segment by its full id; KeyError if there is none."""
    chain_id, _, _ = full_id.partition(".")
    for entry in library_chain(chain_id).entries:
        if entry.id == full_id:
            return entry
    raise KeyError(full_id)


def library_segments() -> Iterator[Entry]:
    """Return every segment of every chain; this reads the whole library."""
    for chain_id in library_chains():
        yield from library_chain(chain_id).entries


def named_in_library(document: Document) -> Iterator[tuple[tuple[str | int, ...], object, bool]]:
    """Return what a profile names: where, the name, and whether that is one of a chain."""
    for at, chain in _tables(document, "chain"):
        if LIBRARY in chain:
            yield ("chain", at, LIBRARY), chain[LIBRARY], True
        for number, segment in _tables(chain, "segment"):
            if LIBRARY in segment:
                yield ("chain", at, "segment", number, LIBRARY), segment[LIBRARY], False


def is_known(name: object, *, chain: bool) -> bool:
    """Tell whether the library has a chain, or a segment, of a name."""
    if not isinstance(name, str):
        return False
    try:
        library_chain(name) if chain else library_segment(name)
    except KeyError:
        return False
    return True


def with_library(document: Document) -> Document:
    """Return a profile as if it had written out all that it names of the library.

    What the library doesn't know is given a name and a word of its own, so that nothing else is
    found missing there. Edges lead to the city's segments only; where a city has a segment of the
    library several times, to each.
    """
    chains = document.get("chain")
    if not isinstance(chains, list):
        return document
    written = [_chain(chain) if isinstance(chain, dict) else chain for chain in chains]
    places = _places(written)
    for chain in written:
        for number, segment in _tables(chain, "segment") if isinstance(chain, dict) else ():
            if LIBRARY in segment:
                own = f"{chain.get('id')}.{segment.get('id')}"
                chain["segment"][number] = _segment(segment, own, places)
    return {**document, "chain": written}


def _tables(parent: Document, key: str) -> Iterator[tuple[int, Document]]:
    tables = parent.get(key)
    for number, table in enumerate(tables if isinstance(tables, list) else []):
        if isinstance(table, dict):
            yield number, table


def _chain(chain: Document) -> Document:
    chain = dict(chain)
    if LIBRARY in chain:
        name = chain.pop(LIBRARY)
        if is_known(name, chain=True):
            known = library_chain(name)
            halves = {"zh": known.name.zh, "en": known.name.en}
            chain = {"id": known.id, "name": halves} | chain
        else:
            chain = {"id": "unknown", "name": {"zh": "?", "en": "?"}} | chain
    if isinstance(chain.get("segment"), list):
        segments: Any = chain["segment"]
        named: Any = [_with_id(each) if isinstance(each, dict) else each for each in segments]
        chain["segment"] = named
    return chain


def _with_id(segment: Document) -> Document:
    name = segment.get(LIBRARY)
    if isinstance(name, str):
        return {"id": name.rpartition(".")[2]} | segment
    return dict(segment)


def _places(chains: Sequence[Any]) -> dict[str, list[str]]:
    # Where in the city each segment of the library stands.
    places: dict[str, list[str]] = {}
    for chain in chains:
        for _, segment in _tables(chain, "segment") if isinstance(chain, dict) else ():
            if isinstance(name := segment.get(LIBRARY), str):
                places.setdefault(name, []).append(f"{chain.get('id')}.{segment.get('id')}")
    return places


def _segment(segment: Document, own_id: str, places: Mapping[str, list[str]]) -> Document:
    name = segment.pop(LIBRARY)
    added, dropped = segment.pop(ADD, {}), segment.pop(DROP, {})
    if not is_known(name, chain=False):
        unknown = {"name": {"zh": "?", "en": "?"}, "position": "upstream", "makes": ["?"]}
        return unknown | segment
    table = dict(library_segment(name).table)
    near = [place for target in table.get("feeds", ()) for place in places.get(target, ())]
    table["feeds"] = [place for place in dict.fromkeys(near) if place != own_id]
    return _changed(table | segment, added, dropped)


def _changed(table: Document, added: object, dropped: object) -> Document:
    # A word that a city adds to one list leaves the others.
    added, dropped = (each if isinstance(each, dict) else {} for each in (added, dropped))
    moved = {
        plain(word) for key, words in added.items()
        if key in WORD_LISTS and key not in _EVIDENCE_ALONE for word in _words(words)
    }  # fmt: skip
    for key in (*WORD_LISTS, "feeds"):
        leave = set(map(plain, _words(dropped.get(key))))
        if key in WORD_LISTS and key not in _EVIDENCE_ALONE:
            leave |= moved
        if key in added or leave:
            stay = [word for word in _words(table.get(key)) if plain(word) not in leave]
            table[key] = list(dict.fromkeys([*stay, *_words(added.get(key))]))
    return table


def _words(value: object) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def plain(word: str) -> str:
    """Return a word as words of a profile are compared."""
    return unicodedata.normalize("NFKC", word).casefold().strip()
