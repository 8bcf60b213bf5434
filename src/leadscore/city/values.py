"""The kinds of value that a city profile is written in, each checked as it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from leadscore.language import Text

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
    """Teaches pydantic to read ``{zh = "…", en = "…"}`` as a `Text`, and to write it back."""

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
    """Turn a word of the scale into its number; leave a number to the range check."""
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
    note
        What is known, for ``public knowledge``; a remark otherwise.
    """

    kind: Literal["statement", "public knowledge"] = "statement"
    section: Label | None = None
    quote: Annotated[Label, StringConstraints(max_length=QUOTE_LIMIT)] | None = None
    note: Label | None = None

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
