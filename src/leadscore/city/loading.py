"""Opens a city profile and reports every mistake in it at once."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from leadscore.city.profile import City, rings
from leadscore.city.segments import (
    ADD,
    DROP,
    LIBRARY,
    WORD_LISTS,
    is_known,
    library_chain,
    library_chains,
    library_segments,
    named_in_library,
    plain,
    with_library,
)
from leadscore.errors import CityError, Detail
from leadscore.terminal import cut
from leadscore.text import LANGUAGES, Text, room_words
from leadscore.validation import Steps, details, unreadable, wanted

WORDS = room_words("city")

Step = str | int
Document = dict[str, Any]
Item = tuple[tuple[Step, ...], Document]

_SHOWN: Final = 60
_LISTED: Final = 12
# Steps that pydantic adds to a path and no file has: which shape of points, "the key itself".
_INNER: Final = frozenset({"NumericPoints", "LevelPoints", "[key]"})
_WITH_ID: Final = ("place", "target_region", "event", "sought")
_AT: Final = re.compile(r"(?P<reason>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)")


def load_city(path: Path) -> City:
    """Read a city profile from a TOML file in UTF-8, with or without byte-order mark.

    Raises CityError if the file can't be opened or read as TOML, or with **all** its mistakes as
    details: the key (``chain[mobile].segment[screen].supply``), what stands there, what is allowed.
    """
    try:
        raw = path.read_bytes()
    except (OSError, ValueError) as fault:  # a NUL in a path is a ValueError
        name = WORDS["loading.the_profile"].format(source=path)
        raise CityError(unreadable(name, fault)) from fault
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        raise CityError(WORDS["loading.no_utf8"].format(source=path, line=line)) from None
    return parse_city(text, source=path.name)


def parse_city(text: str, *, source: str = "profile") -> City:
    """Read a profile from TOML text, as `load_city` does; ``source`` is what errors call it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise CityError(_toml_fault(str(fault), text, source)) from None
    except RecursionError:
        raise CityError(WORDS["loading.too_deep"].format(source=source)) from None
    wrong = [*_unknown_in_library(document), *_wrong_changes(document)]
    document = with_library(document)
    try:
        city = City.model_validate(document)
    except ValidationError as fault:
        city = None
        wrong += _mistakes(fault, document)
    # The raw document is read once more for what spans several tables, so a wrong type in one place
    # never hides a ring in another; what is not of the shape that a check needs is passed over,
    # since the models report it.
    for check in (_repeats, _dangling, _rings, _contradicting_words):
        wrong += check(document)
    if city is None or wrong:
        raise CityError(WORDS["loading.invalid"].format(source=source, count=len(wrong)), wrong)
    return city


def _toml_fault(message: str, text: str, source: str) -> Text:
    # The place of a syntax error, which tomllib gives in words, in both languages.
    match = _AT.fullmatch(message)
    if match:
        line, column = int(match["line"]), int(match["column"])
        reason, shown = match["reason"], show(text.split("\n")[line - 1].strip())
        place = WORDS["loading.at_line"].format(line=line, column=column, shown=shown)
    else:
        reason = message.removesuffix(" (at end of document)")
        place = Text("", "") if reason == message else WORDS["loading.at_end"]
    return WORDS["loading.no_toml"].format(source=source, place=place, reason=reason)


def _mistakes(fault: ValidationError, document: Document) -> list[Detail]:
    # What pydantic found, one detail for each place and wish. A list is "too short" only because
    # pydantic left out the items it refused if there is an error below it.
    errors = fault.errors(include_url=False)
    above = {error["loc"][:depth] for error in errors for depth in range(len(error["loc"]))}
    real = [e for e in errors if e["type"] != "too_short" or e["loc"] not in above]
    return details(
        real, shown=show, place=lambda steps: key_path(document, _in_file(steps)), wish=_wish
    )


def _in_file(steps: Steps) -> list[Step]:
    return [step for step in steps if step not in _INNER]


def show(value: object) -> str:
    """Return ``value`` as the file writes it, near enough, cut to a readable length."""
    return cut(json.dumps(value, ensure_ascii=False, default=str), _SHOWN)


def key_path(document: Document, path: Sequence[Step]) -> str:
    """Return a path of keys and list positions with ids in the place of positions.

    >>> document = {"chain": [{"id": "mobile", "segment": [{"id": "screen"}, {}]}]}
    >>> key_path(document, ["chain", 0, "segment", 0, "supply"])
    'chain[mobile].segment[screen].supply'
    >>> key_path(document, ["chain", 0, "segment", 1, "id"])
    'chain[mobile].segment[#2].id'
    """
    words: list[str] = []
    here: Any = document
    for step in path:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(step, int):
            words[-1:] = [f"{words[-1] if words else ''}[{_handle(here, step)}]"]
        else:
            words.append(step)
    return ".".join(words)


def _handle(item: object, position: int) -> str:
    if isinstance(item, dict):
        name = item.get("name")
        named = name.get("zh") if isinstance(name, dict) else name
        for handle in (item.get("id"), named, item.get("segment")):
            if isinstance(handle, str) and handle.strip() and handle.isprintable():
                return handle.strip()
    return f"#{position + 1}"


def nearest(word: str, allowed: Collection[str]) -> str | None:
    """Return the allowed word that was probably meant, if one is near enough.

    >>> nearest("suply", ["supply", "feeds"]), nearest("odm", ["led.chip", "mobile.odm"])
    ('supply', 'mobile.odm')
    """
    ends = [full for full in allowed if full.endswith(f".{word}")]
    return next(iter(ends or difflib.get_close_matches(word, allowed, n=1)), None)


def one_of(word: str, allowed: Collection[str], what: Text) -> Text:
    """Return what is allowed and what was probably meant; a long list only if nothing is near."""
    guess = nearest(word, allowed)
    if guess:
        what = WORDS["loading.guess"].format(what=what, guess=guess)
    if not guess or len(allowed) <= _LISTED:
        what = WORDS["loading.allowed"].format(what=what, names=", ".join(allowed))
    return what


def _wish(error: ErrorDetails) -> Text:
    if error["type"] != "extra_forbidden":
        return wanted(error)
    *above, key = _in_file(error["loc"])
    return one_of(str(key), _keys_at(above), WORDS["loading.unknown_key"])


def _keys_at(path: Sequence[Step]) -> list[str]:
    tables = [_annotations(City)]
    for step in map(str, path):
        kinds = [keys[step] for keys in tables if step in keys]
        if kinds:
            tables = [keys for kind in kinds for keys in _tables_in(kind)]
    keys = list(dict.fromkeys(key for keys in tables for key in keys if " " not in key))
    if "makes" in keys:
        keys += [LIBRARY, ADD, DROP]
    return [*keys, LIBRARY] if "segment" in keys and "name" in keys else keys


def _annotations(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _tables_in(annotation: Any) -> list[dict[str, Any]]:
    # The keys of the tables that a value may be, each with what it holds.
    if annotation is Text:
        return [dict.fromkeys(LANGUAGES)]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [_annotations(annotation)]
    return [keys for inner in get_args(annotation) for keys in _tables_in(inner)]


def _items(parent: Document, key: str, path: tuple[Step, ...] = ()) -> Iterator[Item]:
    tables = parent.get(key)
    for position, item in enumerate(tables if isinstance(tables, list) else []):
        if isinstance(item, dict):
            yield (*path, key, position), item


def _segments(document: Document) -> Iterator[tuple[str, Item]]:
    for path, chain in _items(document, "chain"):
        for place, segment in _items(chain, "segment", path):
            if isinstance(chain.get("id"), str) and isinstance(segment.get("id"), str):
                yield f"{chain['id']}.{segment['id']}", (place, segment)


def _texts(item: Document, key: str) -> Iterator[tuple[int, str]]:
    texts = item.get(key)
    for position, text in enumerate(texts if isinstance(texts, list) else []):
        if isinstance(text, str):
            yield position, text


def _unknown_in_library(document: Document) -> Iterator[Detail]:
    for path, name, of_chain in named_in_library(document):
        if is_known(name, chain=of_chain):
            continue
        chain_id = name.partition(".")[0] if isinstance(name, str) else ""
        if of_chain or chain_id not in library_chains():
            known = library_chains() if of_chain else [entry.id for entry in library_segments()]
        else:
            known = [entry.id for entry in library_chain(chain_id).entries]
        what = WORDS[f"loading.{'library_chain' if of_chain else 'library_segment'}"]
        yield Detail(key_path(document, path), show(name), one_of(str(name), known, what))


def _wrong_changes(document: Document) -> Iterator[Detail]:
    # What a city adds to the words of the library, or leaves out of them.
    lists = [*WORD_LISTS, "feeds"]
    changed = [
        ((*place, change), segment[change])
        for path, chain in _items(document, "chain")
        for place, segment in _items(chain, "segment", path)
        for change in (ADD, DROP)
        if LIBRARY in segment and change in segment
    ]
    for place, change in changed:
        if not isinstance(change, dict):
            yield Detail(key_path(document, place), show(change), WORDS["loading.word_lists"])
            continue
        for key, words in change.items():
            where = key_path(document, (*place, key))
            if key not in lists:
                yield Detail(where, show(words), one_of(key, lists, WORDS["loading.unknown_key"]))
            elif not (isinstance(words, list) and all(map(_is_word, words))):
                yield Detail(where, show(words), WORDS["loading.word_list"])


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _repeats(document: Document) -> Iterator[Detail]:
    groups = [("id", _items(document, kind)) for kind in ("chain", *_WITH_ID)]
    for path, chain in _items(document, "chain"):
        groups.append(("id", _items(chain, "segment", path)))
    groups += [("name", _items(document, kind)) for kind in ("anchor", "neighbour")]
    for path, neighbour in _items(document, "neighbour"):
        groups.append(("segment", _items(neighbour, "delivers", path)))
    for key, items in groups:
        seen: dict[str, int] = {}
        for path, item in items:
            name = item.get(key)
            call = name.get("zh") if isinstance(name, dict) else name
            if not isinstance(call, str):
                continue
            number = int(path[-1]) + 1
            first = seen.setdefault(call, number)
            if first != number:
                where = f"{key_path(document, path[:-1])}[#{number}].{key}"
                yield Detail(where, show(call), WORDS["loading.unique"].format(first=first))


def _references(document: Document) -> Iterator[tuple[tuple[Step, ...], str]]:
    lists = [("feeds", item) for _, item in _segments(document)]
    for kind in ("anchor", "place", "sought"):
        lists += [("segments", item) for item in _items(document, kind)]
    for key, (path, item) in lists:
        for position, text in _texts(item, key):
            yield (*path, key, position), text
    for path, neighbour in _items(document, "neighbour"):
        for place, delivery in _items(neighbour, "delivers", path):
            if isinstance(segment := delivery.get("segment"), str):
                yield (*place, "segment"), segment


def _dangling(document: Document) -> Iterator[Detail]:
    known = [full for full, _ in _segments(document)]
    for path, text in _references(document):
        if text not in known:
            wish = one_of(text, known, WORDS["loading.no_segment"])
            yield Detail(key_path(document, path), show(text), wish)


def _rings(document: Document) -> Iterator[Detail]:
    segments = dict(_segments(document))
    edges = {
        key: [text for _, text in _texts(item, "feeds")] for key, (_, item) in segments.items()
    }
    for ring in rings(edges):
        where = key_path(document, (*segments[ring[-2]][0], "feeds"))
        yield Detail(where, show(ring[-1]), WORDS["loading.no_ring"].format(ring=" → ".join(ring)))


def _contradicting_words(document: Document) -> Iterator[Detail]:
    # Words that a segment lists twice, be it in one list or in two. Two segments may share a word:
    # a text with it then speaks of both.
    for _, (path, segment) in _segments(document):
        home: dict[str, str] = {}
        for key in ("makes", "materials", "equipment", "hints", "excludes"):
            for position, text in _texts(segment, key):
                word = plain(text)
                if word in home:
                    where = key_path(document, (*path, key, position))
                    yield Detail(where, show(text), WORDS["loading.once"].format(list=home[word]))
                home.setdefault(word, key)
