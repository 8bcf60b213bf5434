"""What the routes over the store have in common in what they take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from leadscore.lists.values.vocabularies import STAGES
from leadscore.ranking.vetoes import WORDING
from leadscore.web.payloads import STRICT

# A query comes as text, which strict models don't take for numbers.
QUERY = ConfigDict(extra="forbid", frozen=True)

Number = Annotated[int, Field(ge=1, le=2**53)]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
LangQuery = Annotated[Literal["zh", "en"] | None, Field(description="回答的语言 Language")]
Words = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"^[^\x00]*\S[^\x00]*$")]
Slug = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
Grade = Literal["A", "B", "C", "D"]
Role = Literal["maker", "equipment", "materials", "design", "integration", "trade", "service"]
Share = Annotated[float, Field(ge=0, le=1)]
Stage = Annotated[str, Field(json_schema_extra={"enum": list(STAGES)})]
Veto = Annotated[str, Field(description="One of " + ", ".join(WORDING) + ".")]


class NumberPath(BaseModel):
    """The number in the address."""

    id: Number


class LangOnly(BaseModel):
    """A query that names no more than the language."""

    model_config = QUERY

    lang: LangQuery = None


class JobAsked(BaseModel):
    """A job that was asked for; ``GET /api/v1/jobs/{id}`` tells how it is."""

    model_config = STRICT

    job_id: int


class MainReason(BaseModel):
    """One of the features that decide a score most."""

    model_config = STRICT

    feature: str
    points: float = Field(description="Share of the log-odds; 20 points double the odds.")
    text: str


def example(plain: Any, config: ConfigDict = STRICT) -> ConfigDict:
    """Return the settings of a model that shows an example."""
    return ConfigDict(**config, json_schema_extra={"examples": [plain]})
