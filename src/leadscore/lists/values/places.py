"""Where a firm sits: the administrative divisions that texts begin with, and one place a firm."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

from leadscore.files import shipped
from leadscore.lists.columns import normal_header

MUNICIPALITIES = ("11", "12", "31", "50", "81", "82")
"""Provinces that are one city: their city code is the province code and 00."""

_ROAD = r"(?![东西南北中一二三四五六七八九十环新老]{0,2}(?:大?[路街道巷弄里]|大街|胡同))"
_LESSER = r"(?![区县旗镇乡村里湾山河湖])"
_NO_ROAD = re.compile(_ROAD)
_NO_ROAD_OR_LESSER = re.compile(_ROAD + _LESSER)
_PADDING = re.compile(r"^(?:(?:省|自治区)?直辖县级行政区划|市辖区|[\s,/\-·—])+")
_LEAD = re.compile(r"^(?:中国|中华人民共和国)?\(?")
_READ = 40  # characters of a text that are looked at

_BRANCH = re.compile(r"公司(.{2,40}?)(?:分公司|办事处|分部)$")
# What the national list of divisions has between a province and its districts.
_NO_PLACE = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})


class Place(NamedTuple):
    """Where something is, by GB/T 2260: two digits of the province, four of the city.

    A county-level unit directly under a province has six, since four would name several.
    """

    province: str | None = None
    city: str | None = None


NOWHERE = Place()


@dataclass(frozen=True)
class Directory:
    """The divisions by name, full and short names alike.

    Bare short names, such as 江西, with a road or a lesser division behind them mean that; names
    inside stand behind a province, by its code; an English name may mean several places.
    """

    places: dict[str, Place]
    bare: frozenset[str]
    inside: dict[str, dict[str, Place]]
    english: dict[str, tuple[Place, ...]]


@lru_cache(maxsize=4096)
def place_of_code(code: str) -> Place:
    """Return the place that 2, 4 or 6 digits of GB/T 2260 mean; nowhere if no province has them.

    >>> [place_of_code(code).city for code in ("360727", "310115", "419001")]
    ['3607', '3100', '419001']
    """
    names = _codes()
    province = code[:2]
    if province not in names:
        return NOWHERE
    if province in MUNICIPALITIES:
        return Place(province, province + "00")
    city = code[: 6 if code[2:4] == "90" else 4]  # 90: directly under the province
    return Place(province, city if len(city) > len(province) and city in names else None)


def division_code(cell: str) -> str | None:
    """Return the code of the place that a cell names by its digits; missing if none.

    >>> [division_code(cell) for cell in ("360100", "3601.0", "99")]
    ['3601', '3601', None]
    """
    digits = re.sub(r"\.0+$", "", cell.strip())
    place = place_of_code(digits) if digits.isdigit() else NOWHERE
    return place.city or place.province


def beginning(text: str, province: str | None = None) -> Place:
    """Return the place that a text begins with; nowhere if it begins with none.

    Only the beginning speaks: 福州儒江西路 is not in Jiangxi, and a street that is named after a
    province (江西中路) is not in it either. ``province`` has two digits, if it is known.

    >>> beginning("江西省赣州市龙南市龙南经济技术开发区"), beginning("江西中路170号")
    (Place(province='36', city='3607'), Place(province=None, city=None))
    """
    directory = divisions()
    rest = _LEAD.sub("", _plain(text))
    name = _leading(rest, directory.places, directory.bare, _NO_ROAD_OR_LESSER)
    place = directory.places[name] if name else NOWHERE
    if province and province == place.province and name == rest:
        # 吉林 in a city column of 吉林省 is the city, not the province once more.
        return directory.inside.get(province, {}).get(rest, place)
    if name and place.province and place.city is None:
        return _inside(directory, rest[len(name) :], place.province)
    if province and place.province != province:
        within = _inside(directory, rest, province)
        return within if within.city else place
    return place


def english_place(text: str, province: str | None = None) -> Place:
    """Return the province or city that an English name means; nowhere if none, or if several.

    Several names are parted by commas, the narrowest first or last.

    >>> english_place("Shenzhen, Guangdong").city, english_place("Fuzhou", "36").city
    ('4403', '3610')
    """
    named = [place for part in re.split(r"[,，/]", text[:_READ]) for place in _english(part)]
    wide = {place.province for place in named if place.city is None}
    inside = province or (wide.pop() if len(wide) == 1 else None)
    near = [place for place in named if place.city and inside in {None, place.province}]
    fit = near or [place for place in named if place.city is None]
    return fit[0] if len(set(fit)) == 1 else NOWHERE


def _english(part: str) -> tuple[Place, ...]:
    known, key = divisions().english, normal_header(part)
    for suffix in ("", "province", "city", "municipality"):
        if key.endswith(suffix) and key.removesuffix(suffix) in known:
            return known[key.removesuffix(suffix)]
    return ()


def in_brackets(name: str) -> Place:
    """Return the place that stands alone in brackets in a firm's name, as in 某某(深圳)有限公司."""
    places = divisions().places
    inside = re.findall(r"\(([^()]{2,12})\)", _plain(name, len(name)))
    return next((places[word] for word in inside if word in places), NOWHERE)


def is_division(name: str) -> bool:
    """Tell whether a text is nothing but the name of a province or city."""
    return len(name) <= 12 and _plain(name) in divisions().places


@cache
def divisions() -> Directory:
    """Read the table that travels with the package."""
    places: dict[str, Place] = {}
    bare: set[str] = set()
    inside: dict[str, dict[str, Place]] = {}
    # Several cities have a 西湖区: alone it says nothing, behind its province it does.
    borne = Counter(row["name"] for row in _codes().values())
    for code, row in sorted(_codes().items(), key=lambda item: (len(item[0]), item[0])):
        place, short, names = place_of_code(code), row["short_name"], [row["name"]]
        if row["level"] != "county":
            names += [short, short + "州"] if row["name"].endswith("自治州") else [short]
        for name in names:
            if name not in places and borne[name] < 2:
                places[name] = place
                if name == short and row["level"] != "county":
                    bare.add(name)
        if row["level"] != "province":
            inside.setdefault(code[:2], {}).update(dict.fromkeys([*names, short], place))
    english: dict[str, tuple[Place, ...]] = {}
    for code, row in _codes().items():
        if row["name_en"]:
            key = normal_header(row["name_en"])
            english[key] = (*english.get(key, ()), place_of_code(code))
    return Directory(places, frozenset(bare), inside, english)


@cache
def _lengths() -> dict[str, tuple[int, ...]]:
    directory = divisions()
    lengths: dict[str, set[int]] = {}
    for names in (directory.places, *directory.inside.values()):
        for name in names:
            lengths.setdefault(name[0], set()).add(len(name))
    return {mark: tuple(sorted(sizes, reverse=True)) for mark, sizes in lengths.items()}


def _inside(directory: Directory, rest: str, province: str) -> Place:
    names = directory.inside.get(province, {})
    name = _leading(_PADDING.sub("", rest), names, names, _NO_ROAD)
    return names[name] if name else place_of_code(province)


def _leading(
    text: str, names: Container[str], guarded: Container[str], follows: re.Pattern[str]
) -> str | None:
    # The longest name that a text begins with, guarded ones with what may follow: one look-up for
    # each length, as a pattern of all names would take more than a second to compile.
    for end in _lengths().get(text[:1], ()):
        name = text[:end]
        if name in names and (name not in guarded or follows.match(text, end)):
            return name
    return None


def _plain(text: str, length: int = _READ) -> str:
    return "".join(unicodedata.normalize("NFKC", text[:length]).split())


@cache
def _codes() -> dict[str, dict[str, str]]:
    with shipped("codes", "divisions.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: row for row in csv.DictReader(file)}


class Settled(NamedTuple):
    """The place of one firm, as far as it is known, and what speaks against it.

    City column or address may lie in another province than the columns before them; unplaced are
    those of ``province`` and ``city`` that name no place that is known.
    """

    place: Place
    odd_city: bool
    odd_address: bool
    unplaced: tuple[str, ...]


def settle(firm: Mapping[str, Any]) -> Settled:
    """Settle the province and city of a firm.

    The first source that knows the province decides it: codes given in the list; the province,
    city and district columns (the city counts where they disagree); the beginning of the registered
    address; the division in the credit code, which stays as it was when a firm moves and so comes
    after the address; in the name a branch's own part of it, then a place alone in brackets (a
    subsidiary 江西某某（广州）有限公司 sits in the latter), then its beginning. The city comes from
    the first source that knows one in that province.

    >>> settle({"province": "江西", "registered_address": "南昌市高新区"}).place
    Place(province='36', city='3601')
    """
    code = firm.get("city_code") or firm.get("province_code")
    address, credit_code, name = map(firm.get, ("registered_address", "credit_code", "name"))
    stated, odd_city, unplaced = _of_columns(
        *(firm.get(column) or "" for column in ("province", "city", "district"))
    )
    at_address = beginning(address[:_READ]) if address else NOWHERE
    sources = [
        place_of_code(code) if code else NOWHERE,
        stated,
        at_address,
        place_of_code(credit_code[2:8]) if credit_code else NOWHERE,
    ]
    wide = next((source.province for source in sources if source.province), None)
    if wide is None and name:
        sources.append(_of_name(name))
        wide = sources[-1].province
    near = next(
        (source.city for source in sources if source.province == wide and source.city), None
    )
    odd_address = None not in {stated.province, at_address.province} and (
        stated.province != at_address.province
    )
    return Settled(Place(wide, near), odd_city, odd_address, unplaced)


@lru_cache(maxsize=4096)  # lists repeat few places
def _of_columns(province: str, city: str, district: str) -> tuple[Place, bool, tuple[str, ...]]:
    # The place that the columns of one row say, whether they disagree, which of them name no place.
    wide = _either(province)
    near = _either(city, wide.province)
    unplaced = tuple(
        name
        for name, text, place in (("province", province, wide), ("city", city, near))
        if text and place is NOWHERE and text not in _NO_PLACE
    )
    if near is NOWHERE or (near.city is None and near.province == wide.province):
        near = wide if wide.city else beginning(district, wide.province) if district else wide
    odd = bool(wide.province and near.province and wide.province != near.province)
    return (near if near.province else wide, odd, unplaced)


def _either(text: str, province: str | None = None) -> Place:
    place = beginning(text, province) if text else NOWHERE
    return place if place.province or not text else english_place(text, province)


def _of_name(name: str) -> Place:
    branch = _BRANCH.search(name)
    own = beginning(branch[1]) if branch else NOWHERE
    inside = own if own.province else in_brackets(name)
    return inside if inside.province else beginning(name)
