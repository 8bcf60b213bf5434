"""What a city has, lacks and looks for: one frozen object, its graph of segments, its supply."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    SerializerFunctionWrapHandler,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from leadscore.text import Text

Position = Literal["upstream", "midstream", "downstream"]
Role = Literal["maker", "equipment", "materials", "design", "integration", "trade", "service"]
POSITIONS: Final[tuple[str, ...]] = get_args(Position)
Use = Literal[
    "devices", "vehicles", "storage", "appliances", "industry", "lighting", "medical", "military"
]
"""What products are for; ``devices`` are phones and other consumer electronics."""
ROLES: Final[tuple[str, ...]] = get_args(Role)
USES: Final[tuple[str, ...]] = get_args(Use)

SUPPLY_SCALE: Final = {"none": 0.0, "weak": 0.25, "partial": 0.5, "strong": 0.85, "complete": 1.0}
"""The documented scale: what a word says of how much of a segment a place has itself, 0..1."""
STRONG: Final = SUPPLY_SCALE["strong"]
"""From this supply on a segment counts as a strength of the city."""
QUOTE_LIMIT: Final = 40
"""Most characters of a quotation: enough to find the place, too few to replace the source."""


def _mistake(zh: str, en: str) -> PydanticCustomError:
    # What is wanted, in both languages.
    return PydanticCustomError("profile", "{en}", {"zh": zh, "en": en})


class Part(BaseModel):
    """A table of a profile: frozen, and no key passes that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Label = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1)]


class _Halves(Part):
    zh: Label
    en: Label


class _ReadText:
    @staticmethod
    def __get_pydantic_core_schema__(_: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: object, check: Callable[[object], _Halves]) -> Text:
            if isinstance(value, Text):
                return value
            if not isinstance(value, dict):
                shape = '{ zh = "…", en = "…" }'
                raise _mistake(f"中英文名称 {shape}", f"both names, {shape}")
            return Text(**dict(check(value)))

        written = core_schema.plain_serializer_function_ser_schema(asdict)
        halves = handler.generate_schema(_Halves)
        return core_schema.no_info_wrap_validator_function(read, halves, serialization=written)


def _supply(value: object) -> object:
    if isinstance(value, str) and value not in SUPPLY_SCALE:
        words = ", ".join(f'"{word}"' for word in SUPPLY_SCALE)
        raise _mistake(f"{words} 之一，或 0 到 1 的数", f"one of {words}, or a number 0 to 1")
    return SUPPLY_SCALE[value] if isinstance(value, str) else value


Name = Annotated[Text, _ReadText]
"""``{zh = "…", en = "…"}``, neither of them empty."""
Slug = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_]*$")]
"""An id within its table: lower-case letters, digits and ``_``."""
SegmentId = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")
]
"""``chain.segment``."""
DivisionCode = Annotated[str, StringConstraints(strict=True, pattern=r"^\d{2}(\d{2}|90\d{2})?$")]
"""First digits of a GB/T 2260 code: two for a province, four for a city, six for a county that lies
directly under a province (419001). Firms are placed no finer than that."""
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]  # never a quoted one
Fraction = Annotated[Number, Field(ge=0, le=1)]
Chance = Annotated[Number, Field(gt=0, lt=1)]  # so its log-odds are finite
Supply = Annotated[Fraction, BeforeValidator(_supply)]
"""A number 0..1 or a word of `SUPPLY_SCALE`; kept as the number."""
Labels = tuple[Label, ...]


class Evidence(Part):
    """What a line of the profile rests on.

    ``kind`` is ``statement`` for the city's own words, of which ``section`` and ``quote`` give the
    place, or ``public knowledge`` for what ``note`` says is known elsewhere.
    """

    kind: Literal["statement", "public knowledge"] = "statement"
    section: Label | None = None
    quote: Annotated[Label, StringConstraints(max_length=QUOTE_LIMIT)] | None = None
    note: Label | None = None

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.kind == "statement" and not (self.section and self.quote):
            raise _mistake(
                'section 与 quote 两项；若并非出自公文，写 kind = "public knowledge" 与 note',
                'both section and quote; if not from the statement, kind = "public knowledge" '
                "and a note",
            )
        if self.kind == "public knowledge" and (self.section or self.quote or not self.note):
            raise _mistake(
                'kind = "public knowledge" 时只写 note，不写 section 与 quote',
                'a note, and neither section nor quote, with kind = "public knowledge"',
            )
        return self


EvidenceList = tuple[Evidence, ...]


class _Named(Part):
    id: Slug
    name: Name


_CAME_LATER: Final = ("own_role", "uses", "materials", "equipment")


class Segment(Part):
    """One link of a chain."""

    chain_id: Slug = Field(alias="of chain")  # taken from the table around it
    key: Slug = Field(alias="id")  # the id within the chain (``screen``)
    name: Name
    position: Position
    feeds: tuple[SegmentId, ...] = ()  # whom it delivers to, in any chain
    supply: Supply  # how much of the segment the city has itself
    sought: bool = Field(default=False, strict=True)  # the city says that it looks for such firms
    own_role: Role = "maker"  # what a firm is whose own product it is; a service is integration
    uses: tuple[Use, ...] = ()  # what its products are wanted for; none means anything
    makes: Annotated[Labels, Field(min_length=1)]  # name the product: a maker uses them of itself
    materials: Labels = ()  # name what goes into it and nothing else: its suppliers use them
    equipment: Labels = ()  # name machines that are made for making it
    hints: Labels = ()  # weaker words, that others use too
    excludes: Labels = ()  # longer words that contain one of the others and mean something else
    industry: Labels = ()  # names or codes of industry classes that are a second witness
    evidence: EvidenceList = ()

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A key that came later and says nothing is not written: a kept profile stays the same.
        written: dict[str, Any] = handler(self)
        for key in _CAME_LATER:
            if getattr(self, key) == Segment.model_fields[key].default:
                written.pop(key, None)
        return written

    @property
    def id(self) -> str:
        """The full id, ``chain.segment``."""
        return f"{self.chain_id}.{self.key}"


class Chain(_Named):
    """An industry chain: a directed graph of segments, written as ``[[chain]]``."""

    segments: Annotated[tuple[Segment, ...], Field(min_length=1, alias="segment")]
    evidence: EvidenceList = ()

    @field_validator("segments", mode="before")
    @classmethod
    def _belong_here(cls, segments: Any, info: ValidationInfo) -> Any:
        # Each segment is told which chain it stands in, by a key that no TOML is likely to have.
        if not isinstance(segments, list):
            return segments
        owner = info.data.get("id", "unknown")
        return [{**s, "of chain": owner} if isinstance(s, dict) else s for s in segments]


class Anchor(Part):
    """A firm that is here already and that others may follow, written as ``[[anchor]]``."""

    label: Name = Field(alias="name")
    aliases: Labels = ()  # other names, full company names among them
    kind: Literal["group", "manufacturer", "brand", "technology"]
    # None for a group whose firms are listed on their own, so that nobody counts twice.
    segments: tuple[SegmentId, ...] = ()
    evidence: EvidenceList = ()

    @property
    def name(self) -> str:
        """The Chinese name, which lists use."""
        return self.label.zh


class Place(_Named):
    """A park, cluster or platform of the city that a firm could be shown."""

    kind: Literal["base", "cluster", "park", "centre", "laboratory", "training", "alliance"]
    segments: tuple[SegmentId, ...] = ()
    evidence: EvidenceList = ()


class Delivery(Part):
    """What a neighbour delivers of one segment; ``supply`` is 0..1, before the discount."""

    segment: SegmentId
    supply: Supply
    evidence: EvidenceList = ()


class Neighbour(Part):
    """A partner city."""

    name: Name
    division_code: DivisionCode | Literal[""] = ""
    delivers: Annotated[tuple[Delivery, ...], Field(min_length=1)]
    evidence: EvidenceList = ()


class TargetRegion(_Named):
    """Where the city looks for firms: province or city codes, matched as prefixes."""

    divisions: Annotated[tuple[DivisionCode, ...], Field(min_length=1)]
    evidence: EvidenceList = ()


class Event(_Named):
    """A fair, meeting or other occasion at which the city meets firms."""

    aliases: Labels = ()
    kind: Literal["conference", "fair", "matchmaking", "contest", "service"]
    evidence: EvidenceList = ()


class SoughtClass(_Named):
    """A class of firm that the city says it looks for.

    No ``segments`` means any segment; ``words`` betray such a firm.
    """

    segments: tuple[SegmentId, ...] = ()
    words: Labels = ()
    evidence: EvidenceList = ()


class NumericPoints(Part):
    """Points of a numeric feature, one for each interval between edges; 20 double the odds.

    An edge, in the unit of the feature, belongs to the interval above it.
    """

    edges: Annotated[tuple[Number, ...], Field(min_length=1)]
    points: tuple[Number, ...]  # one more than edges
    unknown: Number  # where the value is missing
    why: Name  # the reason the experts gave

    @field_validator("edges")
    @classmethod
    def _ascend(cls, edges: tuple[float, ...]) -> tuple[float, ...]:
        if any(low >= high for low, high in pairwise(edges)):
            raise _mistake("严格递增的数", "numbers in strictly ascending order")
        return edges

    @field_validator("points")
    @classmethod
    def _match(cls, points: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        edges, count = info.data.get("edges"), len(points)
        if edges is not None and count != (wanted := len(edges) + 1):
            raise _mistake(
                f"{wanted} 个分值（比 edges 多一个），现有 {count} 个",
                f"{wanted} points (one more than edges), there are {count}",
            )
        return points


class LevelPoints(Part):
    """Points of a feature with named levels."""

    levels: Annotated[dict[Label, Number], Field(min_length=1)]
    other: Number  # of a level that is not listed
    unknown: Number  # where the value is missing
    why: Name  # the reason the experts gave


def _shape(value: Any) -> str:
    if isinstance(value, LevelPoints) or (isinstance(value, dict) and "levels" in value):
        return LevelPoints.__name__
    return NumericPoints.__name__


Points = Annotated[
    Annotated[NumericPoints, Tag(NumericPoints.__name__)]
    | Annotated[LevelPoints, Tag(LevelPoints.__name__)],
    Discriminator(_shape),
]


class ExpertCard(Part):
    """What experts believe before any outcome is known.

    How many firms land is said in one of two ways: ``signed_of_100`` is how many of a hundred usual
    firms that the office courts sign within the horizon, ``base_likelihood`` the likelihood of a
    firm whose every feature gets 0 points. ``features`` has the points by the name of the feature,
    written as ``[card.feature.NAME]``. With ``reference = "landings"`` a feature that is not there
    has the points of the reference card; what the city writes itself always goes first.
    """

    base_likelihood: Chance | None = None
    signed_of_100: Annotated[float, Field(gt=0.0, lt=100.0, allow_inf_nan=False)] | None = None
    reference: Literal["landings", "none"] = "none"
    features: Annotated[dict[Label, Points], Field(min_length=1, alias="feature")]

    @model_validator(mode="after")
    def _one_base(self) -> Self:
        if (self.base_likelihood is None) == (self.signed_of_100 is None):
            raise _mistake(
                "signed_of_100（每洽谈 100 家，一年内签约几家）或 base_likelihood，只写一项",
                "signed_of_100 (of 100 firms that you court, how many sign within a year) or "
                "base_likelihood: one of them, not both",
            )
        return self


class About(_Named):
    """The table ``[city]``: which city this is.

    ``division_code`` is the GB/T 2260 prefix (``3601``), or empty for an invented city.
    ``neighbour_discount`` is 0..1: what a unit of a neighbour's supply is worth to this city.
    """

    division_code: DivisionCode | Literal[""] = ""
    neighbour_discount: Fraction = 0.6


class Statement(Part):
    """The public paper that the profile rests on."""

    title: Name
    number: Label
    issuer: Name
    year: Annotated[int, Field(strict=True, ge=1949, le=2200)]


def _ordered(given: dict[Any, float], names: Sequence[Any]) -> dict[Any, float]:
    if missing := [name for name in names if name not in given]:
        raise _mistake(f"还缺 {'、'.join(missing)}", f"also {', '.join(missing)}")
    return {name: given[name] for name in names}


class RankingPolicy(Part):
    """How likelihood and fit become an order and a grade."""

    floor: Fraction  # the share of the likelihood that counts even where a firm fills no gap
    grades: dict[Literal["A", "B", "C"], Chance]  # least priority, falling; below C is D

    @field_validator("grades")
    @classmethod
    def _fall(cls, grades: dict[str, float]) -> dict[str, float]:
        ordered = _ordered(grades, "ABC")
        if any(high <= low for high, low in pairwise(ordered.values())):
            raise _mistake("依次递减：A > B > C", "falling thresholds: A > B > C")
        return ordered


class City(Part):
    """A city profile. Read one with `load_city`, which also checks what spans several tables.

    Frozen; may be copied and pickled. Attributes follow the tables of the file.
    """

    about: About = Field(alias="city")
    statement: Statement
    ranking: RankingPolicy
    roles: dict[Role, Fraction]
    chains: Annotated[tuple[Chain, ...], Field(min_length=1, alias="chain")]
    anchors: tuple[Anchor, ...] = Field(default=(), alias="anchor")
    places: tuple[Place, ...] = Field(default=(), alias="place")
    neighbours: tuple[Neighbour, ...] = Field(default=(), alias="neighbour")
    target_regions: tuple[TargetRegion, ...] = Field(default=(), alias="target_region")
    events: tuple[Event, ...] = Field(default=(), alias="event")
    sought: tuple[SoughtClass, ...] = Field(default=(), alias="sought")
    card: ExpertCard

    @field_validator("roles")
    @classmethod
    def _all_roles(cls, roles: dict[str, float]) -> dict[str, float]:
        return _ordered(roles, ROLES)

    @property
    def id(self) -> str:
        """Short name of the city, for file names and answers."""
        return self.about.id

    @property
    def name(self) -> Text:
        """Name of the city."""
        return self.about.name

    @property
    def division_code(self) -> str:
        """GB/T 2260 prefix, empty for an invented city."""
        return self.about.division_code

    @property
    def neighbour_discount(self) -> float:
        """0..1, what a unit of a neighbour's supply is worth here."""
        return self.about.neighbour_discount

    @cached_property
    def segments(self) -> dict[str, Segment]:
        """Every segment by its full id, in the order of the file."""
        return {segment.id: segment for chain in self.chains for segment in chain.segments}

    def supply(self, segment_id: str) -> float:
        """Return 0..1, how much of a segment the city has itself."""
        return self.segments[segment_id].supply

    def neighbour_supply(self, segment_id: str) -> float:
        """Return 0..1, the most that any one neighbour delivers, before the discount."""
        return self._delivered.get(segment_id, 0.0)

    def gap(self, segment_id: str) -> float:
        """Return 0..1, what is missing: ``1 - max(supply, discount * neighbour supply)``."""
        near = self.neighbour_discount * self.neighbour_supply(segment_id)
        return 1.0 - max(self.supply(segment_id), near)

    def upstream_of(self, segment_id: str) -> tuple[str, ...]:
        """Return the segments that feed this one directly."""
        return self._feeders[segment_id]

    def distance_to_strength(self, segment_id: str) -> int | None:
        """Return the fewest steps along the graph, either way, to a strength of the city.

        A strength is a segment with a supply of at least `STRONG`; it is 0 steps from itself.
        None where no strength can be reached.
        """
        return self._steps[self.segments[segment_id].id]

    def beside(self, segment_ids: Iterable[str]) -> tuple[str, ...]:
        """Return the segments that these feed or are fed by directly, without themselves.

        What a firm that works in these could grow into; in the order of the profile.
        """
        own = set(segment_ids) & self.segments.keys()
        near = {key for one in own for key in (*self.segments[one].feeds, *self.upstream_of(one))}
        return tuple(key for key in self.segments if key in near - own)

    def anchors_of(self, segment_id: str) -> tuple[Anchor, ...]:
        """Return the anchors that work in the segment."""
        return self._anchors_in([self.segments[segment_id].id])

    def buyers(self, segment_id: str) -> tuple[Anchor, ...]:
        """Return the anchors in the segments that this one feeds directly."""
        return self._anchors_in(self.segments[segment_id].feeds)

    def suppliers(self, segment_id: str) -> tuple[Anchor, ...]:
        """Return the anchors in the segments that feed this one directly."""
        return self._anchors_in(self.upstream_of(segment_id))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, in hex: the same for any layout and comments of the file."""
        content = self.model_dump(mode="json", by_alias=True)
        # What older profiles could not say must not give them another digest.
        card = content["card"]
        for name in ("base_likelihood", "signed_of_100"):
            if card[name] is None:
                del card[name]
        if card["reference"] == "none":
            del card["reference"]
        canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @cached_property
    def _delivered(self) -> dict[str, float]:
        most: dict[str, float] = {}
        for neighbour in self.neighbours:
            for delivery in neighbour.delivers:
                most[delivery.segment] = max(most.get(delivery.segment, 0.0), delivery.supply)
        return most

    @cached_property
    def _edges(self) -> dict[str, tuple[str, ...]]:
        return {segment_id: segment.feeds for segment_id, segment in self.segments.items()}

    @cached_property
    def _feeders(self) -> dict[str, tuple[str, ...]]:
        return reverse(self._edges)

    @cached_property
    def _steps(self) -> dict[str, int | None]:
        strengths = [s.id for s in self.segments.values() if s.supply >= STRONG]
        steps = distances(self._edges, strengths)
        return {segment_id: steps.get(segment_id) for segment_id in self.segments}

    def _anchors_in(self, segment_ids: Iterable[str]) -> tuple[Anchor, ...]:
        wanted = set(segment_ids)
        return tuple(anchor for anchor in self.anchors if wanted.intersection(anchor.segments))


Supplies = Mapping[str, float]  # 0..1, by the full id of a segment


def supplies(city: City) -> dict[str, float]:
    """Return the supply of every segment, in the order of the profile."""
    return {segment.id: segment.supply for segment in city.segments.values()}


def with_supplies(city: City, changed: Supplies) -> City:
    """Return the same profile with another supply of some segments; others stay.

    Raises KeyError if the city has no segment of an id; ValueError if a supply is outside 0..1.
    """
    for segment_id in changed:
        city.segments[segment_id]
    plain = city.model_dump(mode="python", by_alias=True)
    for chain in plain["chain"]:
        for segment in chain["segment"]:
            full_id = f"{chain['id']}.{segment['id']}"
            segment["supply"] = changed.get(full_id, segment["supply"])
    return City.model_validate(plain)


def differ_in_supply_only(one: City, other: City) -> bool:
    """Tell whether two profiles say the same of everything but supply; also if of that too."""
    return _without_supply(one) == _without_supply(other)


def _without_supply(city: City) -> dict[str, Any]:
    plain = city.model_dump(mode="json", by_alias=True)
    for chain in plain["chain"]:
        for segment in chain["segment"]:
            del segment["supply"]
    return plain


Edges = Mapping[str, Sequence[str]]


def reverse(edges: Edges) -> dict[str, tuple[str, ...]]:
    """Return who feeds each node, in the order of the nodes.

    >>> reverse({"chip": ["lamp"], "lamp": []})
    {'chip': (), 'lamp': ('chip',)}
    """
    feeders: dict[str, list[str]] = {node: [] for node in edges}
    for node, targets in edges.items():
        for target in targets:
            feeders[target].append(node)
    return {node: tuple(sources) for node, sources in feeders.items()}


def distances(edges: Edges, sources: Iterable[str]) -> dict[str, int]:
    """Return the fewest edges, in either direction, from each node to the nearest source.

    A node that no source can be reached from is left out.

    >>> distances({"wafer": ["chip"], "chip": ["lamp"], "lamp": [], "app": []}, ["lamp"])
    {'lamp': 0, 'chip': 1, 'wafer': 2}
    """
    feeders = reverse(edges)
    steps = dict.fromkeys(sources, 0)
    queue = deque(steps)
    while queue:
        node = queue.popleft()
        for near in (*edges[node], *feeders[node]):
            if near not in steps:
                steps[near] = steps[node] + 1
                queue.append(near)
    return steps


def rings(edges: Edges) -> list[tuple[str, ...]]:
    """Return rings of the graph, each as its nodes in order, first one repeated at the end.

    Every graph that has a ring yields at least one; cutting those found and asking again finds
    the rest. Targets that are no nodes are passed over.

    >>> rings({"a": ["b"], "b": ["c"], "c": ["a"]})
    [('a', 'b', 'c', 'a')]
    """
    closed, done = [], set[str]()
    for start in edges:
        if start in done:
            continue
        # Depth first without recursion, so that a long chain can't exhaust the stack.
        path, ways = [start], [iter(edges[start])]
        while path:
            target = next(ways[-1], None)
            if target is None:
                done.add(path.pop())
                ways.pop()
            elif target in path:
                closed.append((*path[path.index(target) :], target))
            elif target in edges and target not in done:
                path.append(target)
                ways.append(iter(edges[target]))
    return closed
