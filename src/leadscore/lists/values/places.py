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
from leadscore.lists.columns import normal_header, simplified
from leadscore.lists.values.words import one_form

MUNICIPALITIES = ("11", "12", "31", "50", "81", "82")
"""Provinces that are one city: their city code is the province code and 00."""

_ROAD = r"(?![东西南北中一二三四五六七八九十环新老]{0,2}(?:大?[路街道巷弄里]|大街|胡同))"
_LESSER = r"(?![区县旗镇乡村里湾山河湖])"
_NO_ROAD = re.compile(_ROAD)
_NO_ROAD_OR_LESSER = re.compile(_ROAD + _LESSER)
_PADDING = re.compile(
    r"^(?:(?:省|自治区)?直辖县级行政区划|市辖区|生产建设兵团(?:第?[一二三四五六七八九十\d]+师)?"
    r"|[\s,/\-·—、|>→\\;:_()])+"
)
_LEAD = re.compile(
    r"^(?:[\[【(]?(?:邮编|邮政编码)?:?\d{6}[\]】)]?(?!\d)[,、;]?"
    r"|(?:企业|公司)?(?:注册|登记|通[讯信]|办公|经营|联系)?(?:地址|住所地?|所在地|地点):"
    r"|(?:中华人民共和国|中国)[·,/\-]?)*[\[(]?"
)
# What stands behind the name of a city where firms gather; the city is meant.
_ZONE = re.compile(
    r"(?:国家级)?(?:高新|高新技术|高新技术产业|经济|经济技术|经开|开发|工业|产业|综合保税|保税|新)+"
    r"(?:开发区|园区|园|区)$"
)
_BETWEEN = re.compile(r"[、,，;；/|\s和与及]+")  # between places of one cell
_LEVEL = re.compile(r"(?:新区|自治县|自治旗|特区|县|区|旗|市)$")
_CHINA = re.compile(r"^(?:prchina|china|prc)|(?:prchina|china|prc)$")
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
    inside stand behind a province, by its code; an English name may mean several places. Counties
    are the further names, of today and of the past, that only one place has borne; cells are all
    names and short names, each with all places that a cell of nothing else may mean by it.
    """

    places: dict[str, Place]
    bare: frozenset[str]
    inside: dict[str, dict[str, Place]]
    english: dict[str, tuple[Place, ...]]
    counties: dict[str, Place]
    cells: dict[str, tuple[Place, ...]]


@lru_cache(maxsize=4096)
def place_of_code(code: str) -> Place:
    """Return the place that 2, 4 or 6 digits of GB/T 2260 mean; nowhere if no province has them.

    Codes that were given up mean the place of today.

    >>> [place_of_code(code).city for code in ("360727", "310115", "419001", "371202")]
    ['3607', '3100', '419001', '3701']
    """
    names, former = _codes(), _former()
    if code not in names and (now := former.get(code) or former.get(code[:4])):
        code = now
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
    digits = re.sub(r"\.0+$", "", one_form(cell))
    place = place_of_code(digits) if digits.isdigit() else NOWHERE
    return place.city or place.province


def province_name(firm: Mapping[str, Any]) -> str | None:
    """Return the province of a firm by one name for each, as written where it is none of China.

    >>> (
    ...     province_name({"province": "广东", "province_code": "44"}),
    ...     province_name({"province": "某省"}),
    ... )
    ('广东省', '某省')
    """
    code = firm.get("province_code")
    row = _codes().get(code) if isinstance(code, str) else None
    return row["name"] if row else firm.get("province")


def beginning(text: str, province: str | None = None) -> Place:
    """Return the place that a text begins with; nowhere if it begins with none.

    Only the beginning speaks: 福州儒江西路 is not in Jiangxi, and a street that is named after a
    province (江西中路) is not in it either. ``province`` has two digits, if it is known.

    >>> beginning("江西省赣州市龙南市龙南经济技术开发区"), beginning("江西中路170号")
    (Place(province='36', city='3607'), Place(province=None, city=None))
    """
    plain = _plain(text)
    place = _beginning(plain, province)
    if place.city is None and (simple := plain.translate(simplified())) != plain:
        place = _beginning(simple, province)
    return place


def _beginning(text: str, province: str | None) -> Place:
    directory = divisions()
    rest = _LEAD.sub("", text)
    name = _leading(rest, directory.places, directory.bare, _NO_ROAD_OR_LESSER)
    place = directory.places[name] if name else NOWHERE
    if province and province == place.province and name == rest:
        # 吉林 in a city column of 吉林省 is the city, not the province once more.
        return directory.inside.get(province, {}).get(rest, place)
    if name and place.province and place.city is None:
        return _inside(directory, rest[len(name) :], place.province, place)
    if province and place.province != province:
        within = _inside(directory, rest, province, NOWHERE)
        if within.city:
            return within
    county = None if name else _leading(rest, directory.counties, directory.counties, _NO_ROAD)
    return directory.counties[county] if county else place


def named_places(text: str, province: str | None = None) -> frozenset[Place]:
    """Return the places that a cell of nothing but a name may mean, in a province if it is known.

    >>> [place.city for place in named_places("昆山")], len(named_places("朝阳区"))
    (['3205'], 2)
    """
    plain = _plain(text).translate(simplified())
    cells = divisions().cells
    places = cells.get(plain) or cells.get(_ZONE.sub("", plain), ())
    return frozenset(place for place in places if province in {None, place.province})


def english_place(text: str, province: str | None = None) -> Place:
    """Return the province or city that an English name means; nowhere if none, or if several.

    Several names are parted by commas, the narrowest first or last.

    >>> english_place("Shenzhen, Guangdong").city, english_place("Fuzhou", "36").city
    ('4403', '3610')
    """
    parts = [part for part in re.split(r"[,，/;|>]", text[:_READ]) if part.strip()]
    named = [place for part in parts for place in _english(part) or _english_pair(part)]
    wide = {place.province for place in named if place.city is None}
    inside = province or (wide.pop() if len(wide) == 1 else None)
    near = [place for place in named if place.city and inside in {None, place.province}]
    fit = near or [place for place in named if place.city is None]
    return fit[0] if len(set(fit)) == 1 else NOWHERE


def _english(part: str) -> tuple[Place, ...]:
    known, key = divisions().english, _CHINA.sub("", normal_header(part))
    for suffix in ("", "province", "prov", "city", "municipality", "autonomousregion", "sar"):
        if key.endswith(suffix) and key.removesuffix(suffix) in known:
            return known[key.removesuffix(suffix)]
    return ()


def _english_pair(part: str) -> tuple[Place, ...]:
    words = re.split(r"[\s\-]+", part.strip())[:8]
    pairs = (
        _english(" ".join(words[:at])) + _english(" ".join(words[at:]))
        for at in range(1, len(words))
        if _english(" ".join(words[:at])) and _english(" ".join(words[at:]))
    )
    return next(pairs, ())


def in_brackets(name: str) -> Place:
    """Return the place that stands alone in brackets in a firm's name, as in 某某(深圳)有限公司."""
    places = divisions().places
    inside = re.findall(r"\(([^()]{2,12})\)", _plain(name, len(name)))
    return next((places[word] for word in inside if word in places), NOWHERE)


def is_division(name: str) -> bool:
    """Tell whether a text is nothing but the name of a province or city."""
    return len(name) <= 12 and _plain(name) in divisions().places


_Meanings = dict[str, set[Place]]


@cache
def divisions() -> Directory:
    """Read the tables that travel with the package."""
    places: dict[str, Place] = {}
    counties: dict[str, Place] = {}
    bare: set[str] = set()
    english: dict[str, tuple[Place, ...]] = {}
    cells: _Meanings = {}
    within: dict[str, _Meanings] = {}
    # Several cities have a 西湖区: alone it says nothing.
    borne = Counter(row["name"] for row in _codes().values())
    for code, row in sorted(_codes().items(), key=lambda item: (len(item[0]), item[0])):
        place, full, short = place_of_code(code), row["name"], row["short_name"]
        county = row["level"] == "county"
        stem = _LEVEL.sub("", full) if county else short
        names = [full] if county else [full, short]
        names += [short + "州"] if full.endswith("自治州") else []
        for name in names:
            if name not in places and borne[name] < 2:
                (counties if county and short == full else places)[name] = place
                bare |= {name} & {short} if not county else set()
        for name in {*names, short, stem if len(stem) > 1 else short}:
            cells.setdefault(name, set()).add(place)
        for name in {*names, short} if row["level"] != "province" else ():
            within.setdefault(code[:2], {}).setdefault(name, set()).add(place)
        if row["name_en"]:
            key = normal_header(row["name_en"])
            english[key] = (*english.get(key, ()), place)
    further = _further_names(borne)
    times = Counter(name for name, _ in further)
    for name, place in further:
        if name.isascii():
            english[normal_header(name)] = (place,)
            continue
        if times[name] < 2 and len(name) > 2 and name not in places:
            counties.setdefault(name, place)
        cells.setdefault(name, set()).add(place)
        within.setdefault(place.province or "", {}).setdefault(name, set()).add(place)
    inside = {
        province: {name: next(iter(held)) for name, held in named.items() if len(held) == 1}
        for province, named in within.items()
    }
    meanings = {name: tuple(held) for name, held in cells.items()}
    return Directory(places, frozenset(bare), inside, english, counties, meanings)


def _further_names(borne: Container[str]) -> list[tuple[str, Place]]:
    # Names beside those of the national list: of Taiwan's cities, of new areas, of the past.
    further = [(row["name"], place_of_code(row["code"])) for row in _rows("names.csv")]
    former = {(row["name"], place_of_code(row["now"])) for row in _rows("former.csv")}
    return further + sorted(pair for pair in former if pair[0] and pair[0] not in borne)


@cache
def _lengths() -> dict[str, tuple[int, ...]]:
    directory = divisions()
    lengths: dict[str, set[int]] = {}
    for names in (directory.places, directory.counties, *directory.inside.values()):
        for name in names:
            lengths.setdefault(name[0], set()).add(len(name))
    return {mark: tuple(sorted(sizes, reverse=True)) for mark, sizes in lengths.items()}


def _inside(directory: Directory, rest: str, province: str, otherwise: Place) -> Place:
    names = directory.inside.get(province, {})
    name = _leading(_PADDING.sub("", rest), names, names, _NO_ROAD)
    return names[name] if name else otherwise


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


def _rows(name: str) -> list[dict[str, str]]:
    with shipped("codes", name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _codes() -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in _rows("divisions.csv")}


@cache
def _former() -> dict[str, str]:
    return {row["code"]: row["now"] for row in _rows("former.csv")}


class Settled(NamedTuple):
    """The place of one firm, as far as it is known, and what speaks against it.

    City column or address may lie in another province than the columns before them; unplaced are
    those of ``province`` and ``city`` that name no place that is known; several are the columns
    that name a place of which there is more than one, with nothing to tell which.
    """

    place: Place
    odd_city: bool
    odd_address: bool
    unplaced: tuple[str, ...]
    several: tuple[str, ...]


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
    stated, odd_city, unplaced, several = _of_columns(
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
    if wide is None and address and _names_several(address):
        several = (*several, "registered_address")
    return Settled(Place(wide, near), odd_city, odd_address, unplaced, several)


def _names_several(address: str) -> bool:
    rest = _LEAD.sub("", _plain(address).translate(simplified()))
    cells = divisions().cells
    name = _leading(rest, cells, cells, _NO_ROAD)
    return bool(name and _LEVEL.search(name) and len(cells[name]) > 1)


@lru_cache(maxsize=4096)  # lists repeat few places
def _of_columns(
    province: str, city: str, district: str
) -> tuple[Place, bool, tuple[str, ...], tuple[str, ...]]:
    # The place that the columns of one row say, whether they disagree, which name none or several.
    wide = _either(province)
    near = _either(city, wide.province)
    unplaced = tuple(
        name
        for name, text, place in (("province", province, wide), ("city", city, near))
        if text and place is NOWHERE and text not in _NO_PLACE
    )
    unclear = {"city": city if "city" in unplaced else ""}
    if near is NOWHERE or (near.city is None and near.province == wide.province):
        near = wide if wide.city else _either(district, wide.province) if district else wide
        unclear["district"] = district if near is NOWHERE else ""
    several = tuple(
        name
        for name, text in unclear.items()
        if text and len(named_places(text, wide.province)) > 1
    )
    if len(cities := _listed_cities(city, wide.province)) > 1:
        shared = {place.province for place in cities}
        near = Place(shared.pop()) if len(shared) == 1 else NOWHERE
        several = ("city",)
    odd = bool(wide.province and near.province and wide.province != near.province)
    unplaced = tuple(name for name in unplaced if name not in several)
    return (near if near.province else wide, odd, unplaced, several)


def _listed_cities(text: str, province: str | None) -> set[Place]:
    # The cities that a list of places in one cell names: 深圳、东莞, but one for 苏州/昆山.
    first, *rest = _BETWEEN.split(text)
    if not rest:
        return set()
    cities = {_either(first, province)}
    province = province or next(iter(cities)).province
    cities |= {_either(part, province) for part in rest}
    return {place for place in cities if place.city}


def _either(text: str, province: str | None = None) -> Place:
    if text.isdigit():
        return place_of_code(text)
    own = {one for one in named_places(text, province) if one.city} if province and text else ()
    if len(own) == 1:
        return next(iter(own))
    place = beginning(text, province) if text else NOWHERE
    if place.city or not text or (place.province and place.province != province):
        return place
    named = named_places(text, province) if province or not place.province else frozenset()
    finer = {one.province for one in named if one.city}
    near = {one for one in named if one.city or one.province not in finer}
    if len(near) == 1:
        return next(iter(near))
    return place if place.province else english_place(text, province)


def _of_name(name: str) -> Place:
    branch = _BRANCH.search(name)
    own = beginning(branch[1]) if branch else NOWHERE
    inside = own if own.province else in_brackets(name)
    return inside if inside.province else beginning(name)
