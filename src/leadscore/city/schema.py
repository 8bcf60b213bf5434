"""The parts that a city profile is written in: values, chains, partners, the expert card."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from leadscore.text import Text

Position = Literal["upstream", "midstream", "downstream"]
Role = Literal["maker", "equipment", "materials", "design", "integration", "trade", "service"]
POSITIONS: Final[tuple[str, ...]] = get_args(Position)
ROLES: Final[tuple[str, ...]] = get_args(Role)

SUPPLY_SCALE: Final[dict[str, float]] = {
    "none": 0.0,
    "weak": 0.25,
    "partial": 0.5,
    "strong": 0.85,
    "complete": 1.0,
}
"""The documented scale: what a word says of how much of a segment a place has itself, 0..1."""
STRONG: Final = SUPPLY_SCALE["strong"]
"""From this supply on a segment counts as a strength of the city."""
QUOTE_LIMIT: Final = 40
"""Most characters of a quotation: enough to find the place, too few to replace the source."""


def mistake(zh: str, en: str) -> PydanticCustomError:
    """Return an error for a validator to raise, with what is wanted in both languages."""
    return PydanticCustomError("profile", "{en}", {"zh": zh, "en": en})


class Part(BaseModel):
    """A table of the profile: frozen, and no key passes that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Label = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1)]
"""Text with something in it."""


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
                raise mistake(
                    '中英文名称 { zh = "…", en = "…" }', 'both names, { zh = "…", en = "…" }'
                )
            halves = check(value)
            return Text(zh=halves.zh, en=halves.en)

        return core_schema.no_info_wrap_validator_function(
            read,
            handler.generate_schema(_Halves),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda text: {"zh": text.zh, "en": text.en}
            ),
        )


def _supply(value: object) -> object:
    if isinstance(value, str):
        if value not in SUPPLY_SCALE:
            words = ", ".join(f'"{word}"' for word in SUPPLY_SCALE)
            raise mistake(f"{words} 之一，或 0 到 1 的数", f"one of {words}, or a number 0 to 1")
        return SUPPLY_SCALE[value]
    return value


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
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A finite number, never a quoted one."""
Fraction = Annotated[Number, Field(ge=0, le=1)]
"""A number 0..1."""
Chance = Annotated[Number, Field(gt=0, lt=1)]
"""A number between 0 and 1, neither of them itself: its log-odds are finite."""
Supply = Annotated[Fraction, BeforeValidator(_supply)]
"""A number 0..1 or a word of `SUPPLY_SCALE`; kept as the number."""
Labels = tuple[Label, ...]
"""Several of them, in the order of the file."""


class Evidence(Part):
    """What a line of the profile rests on.

    Attributes
    ----------
    kind
        ``statement``: the city's own words; ``public knowledge``: known elsewhere, not from them.
    section, quote
        Place and words in the statement; at most `QUOTE_LIMIT` characters. Both, or neither.
    """

    kind: Literal["statement", "public knowledge"] = "statement"
    section: Label | None = None
    quote: Annotated[Label, StringConstraints(max_length=QUOTE_LIMIT)] | None = None
    note: Label | None = None  # what is known, for ``public knowledge``; a remark otherwise

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.kind == "statement" and not (self.section and self.quote):
            raise mistake(
                'section 与 quote 两项；若并非出自公文，写 kind = "public knowledge" 与 note',
                'both section and quote; if not from the statement, kind = "public knowledge" '
                "and a note",
            )
        if self.kind == "public knowledge" and (self.section or self.quote or not self.note):
            raise mistake(
                'kind = "public knowledge" 时只写 note，不写 section 与 quote',
                'a note, and neither section nor quote, with kind = "public knowledge"',
            )
        return self


class Segment(Part):
    """One link of a chain.

    Attributes
    ----------
    chain_id
        The chain it belongs to, taken from the table around it.
    feeds
        Full ids of the segments that this one delivers to, in any chain.
    sought
        True if the city says that it looks for firms of this segment.
    makes
        Words that name the product: a maker uses them of itself. At least one.
    """

    chain_id: Slug = Field(alias="of chain")
    key: Slug = Field(alias="id")  # the id within the chain (``screen``), written as ``id``
    name: Name
    position: Position  # ``upstream``, ``midstream`` or ``downstream`` within its chain
    feeds: tuple[SegmentId, ...] = ()
    supply: Supply  # 0..1, how much of the segment the city has itself
    sought: bool = Field(default=False, strict=True)
    makes: Annotated[Labels, Field(min_length=1)]
    hints: Labels = ()  # weaker words, that others use too
    excludes: Labels = ()  # longer words that contain one of the others and mean something else
    industry: Labels = ()  # names or codes of industry classes that are a second witness
    evidence: tuple[Evidence, ...] = ()

    @property
    def id(self) -> str:
        """The full id, ``chain.segment``."""
        return f"{self.chain_id}.{self.key}"


class Chain(Part):
    """An industry chain: a directed graph of segments, written as ``[[chain]]``."""

    id: Slug
    name: Name
    segments: Annotated[tuple[Segment, ...], Field(min_length=1, alias="segment")]
    evidence: tuple[Evidence, ...] = ()

    @field_validator("segments", mode="before")
    @classmethod
    def _belong_here(cls, segments: Any, info: ValidationInfo) -> Any:
        if not isinstance(segments, list):
            return segments
        owner = info.data.get("id", "unknown")
        return [{**s, "of chain": owner} if isinstance(s, dict) else s for s in segments]


EvidenceList = tuple[Evidence, ...]


class Anchor(Part):
    """A firm that is here already and that others may follow, written as ``[[anchor]]``.

    Attributes
    ----------
    segments
        Those that it works in; none for a group whose firms are listed on their own, so that nobody
        counts twice.
    """

    label: Name = Field(alias="name")  # what it is called in both languages, written as ``name``
    aliases: Labels = ()  # other names, full company names among them
    kind: Literal["group", "manufacturer", "brand", "technology"]
    segments: tuple[SegmentId, ...] = ()
    evidence: EvidenceList = ()

    @property
    def name(self) -> str:
        """The Chinese name, which lists use."""
        return self.label.zh


class Place(Part):
    """A park, cluster or platform of the city that a firm could be shown."""

    id: Slug
    name: Name
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


class TargetRegion(Part):
    """Where the city looks for firms: province or city codes, matched as prefixes."""

    id: Slug
    name: Name
    divisions: Annotated[tuple[DivisionCode, ...], Field(min_length=1)]
    evidence: EvidenceList = ()


class Event(Part):
    """A fair, meeting or other occasion at which the city meets firms."""

    id: Slug
    name: Name
    aliases: Labels = ()
    kind: Literal["conference", "fair", "matchmaking", "contest", "service"]
    evidence: EvidenceList = ()


class SoughtClass(Part):
    """A class of firm that the city says it looks for.

    No ``segments`` means any segment; ``words`` betray such a firm.
    """

    id: Slug
    name: Name
    segments: tuple[SegmentId, ...] = ()
    words: Labels = ()
    evidence: EvidenceList = ()


class NumericPoints(Part):
    """Points of a numeric feature, one for each interval between edges.

    Attributes
    ----------
    edges
        Strictly ascending, in the unit of the feature; at least one. An edge itself belongs to the
        interval above it.
    """

    edges: Annotated[tuple[Number, ...], Field(min_length=1)]
    points: tuple[Number, ...]  # one more than edges; 20 points double the odds
    unknown: Number  # points where the value is missing
    why: Name  # the reason the experts gave

    @field_validator("edges")
    @classmethod
    def _ascend(cls, edges: tuple[float, ...]) -> tuple[float, ...]:
        if any(low >= high for low, high in pairwise(edges)):
            raise mistake("严格递增的数", "numbers in strictly ascending order")
        return edges

    @field_validator("points")
    @classmethod
    def _match(cls, points: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        edges = info.data.get("edges")
        if edges is not None and len(points) != len(edges) + 1:
            wanted = len(edges) + 1
            raise mistake(
                f"{wanted} 个分值（比 edges 多一个），现有 {len(points)} 个",
                f"{wanted} points (one more than edges), there are {len(points)}",
            )
        return points


class LevelPoints(Part):
    """Points of a feature with named levels."""

    levels: Annotated[dict[Label, Number], Field(min_length=1)]  # points by level
    other: Number  # points of a level that is not listed
    unknown: Number  # points where the value is missing
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

    Attributes
    ----------
    features
        Points by the name of the feature, written as ``[card.feature.NAME]``.
    """

    base_likelihood: Chance  # chance, between 0 and 1, of a firm whose every feature gets 0 points
    features: Annotated[dict[Label, Points], Field(min_length=1, alias="feature")]
