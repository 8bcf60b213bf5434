"""What the routes of firms take and give."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from leadscore.lists.values.vocabularies import STAGES
from leadscore.web.payloads import STRICT
from leadscore.web.routes.payloads import (
    QUERY,
    Day,
    Grade,
    LangQuery,
    MainReason,
    Moment,
    Number,
    Role,
    Share,
    Slug,
    Words,
    example,
)

# A day comes as text, which strict models don't take for a day.
_Day = Annotated[date, Field(strict=False)]


class FieldAnswer(BaseModel):
    """What is known of a firm in one column, and where from."""

    model_config = STRICT

    column: str
    label: str
    value: float | str
    list_id: int | None = Field(description="The list that says so.")
    row: int | None
    as_of: Day = Field(description="The day as of which it is known.")
    age_days: int


class KeptScoreAnswer(BaseModel):
    """A score that the firm was given."""

    model_config = STRICT

    id: int
    model: str
    as_of: Day
    scored_at: Moment
    likelihood: Share
    fit: Share
    priority: Share
    grade: Grade
    segment: str | None
    role: str | None
    veto: str | None = Field(description="By the fields of the firm alone.")
    base_points: float
    points: dict[str, float] = Field(
        description="By feature, those that add nothing left out; with base_points they add up to "
        "the log-odds of the likelihood."
    )
    reasons: list[MainReason]


class StandingAnswer(BaseModel):
    """Where the firm stands now, officers' words included."""

    model_config = STRICT

    rank: int | None = Field(description="Place among all firms that are kept and not vetoed.")
    grade: Grade
    priority: Share
    likelihood: Share
    fit: Share
    segment: str | None
    segment_name: str | None
    role: str | None
    veto: str | None
    veto_text: str | None
    stage: str | None


class OverrideAnswer(BaseModel):
    """What counts instead of the machine's values."""

    model_config = STRICT

    grade: Grade | None
    segment: str | None
    role: str | None
    reason: str
    by: str
    at: Moment


class ExclusionAnswer(BaseModel):
    """That the firm is not to be courted."""

    model_config = STRICT

    reason: str
    by: str
    at: Moment


class OutcomeAnswer(BaseModel):
    """What became of the firm."""

    model_config = STRICT

    entry: int
    stage: str
    day: Day
    reason: str | None
    withdrawn: bool
    in_force: bool
    recorded: Moment
    recorded_by: str
    source: str


class FirmAnswer(BaseModel):
    """A firm with all that is kept of it."""

    model_config = STRICT

    id: int
    name: str
    credit_code: str | None
    created_at: Moment
    updated_at: Moment
    fields: list[FieldAnswer]
    standing: StandingAnswer | None
    override: OverrideAnswer | None
    exclusion: ExclusionAnswer | None
    scores: list[KeptScoreAnswer] = Field(description="The newest first, a hundred at most.")
    outcomes: list[OutcomeAnswer]


class NewOutcome(BaseModel):
    """That the firm reached a stage."""

    model_config = example({"stage": "visited", "day": "2026-11-20", "reason": "showed the line"})

    stage: Annotated[str, Field(pattern=f"^(?:{'|'.join(STAGES)})$")]
    day: _Day
    reason: Words | None = None
    withdrawn: bool = Field(default=False, description="True to take the stage back.")


class NewOverride(BaseModel):
    """What is to count instead of the machine's values; what isn't named stays the machine's."""

    model_config = example({"grade": "A", "reason": "The owner wants to come."})

    grade: Grade | None = None
    segment: Slug | None = None
    role: Role | None = None
    reason: Words


class NewExclusion(BaseModel):
    """Why the firm is not to be courted."""

    model_config = example({"reason": "Under investigation."})

    reason: Words


class ChangesQuery(BaseModel):
    """Which two scores; the last two if none is named."""

    model_config = QUERY

    older: Number | None = Field(default=None, description="Number of a score.")
    newer: Number | None = Field(default=None, description="Number of a score.")
    lang: LangQuery = None


class FeatureChangeAnswer(BaseModel):
    """What a feature, or a pair of them, has to do with the difference."""

    model_config = STRICT

    feature: str
    before: float | str | None
    after: float | str | None
    data_points: float = Field(description="From the firm's data.")
    model_points: float = Field(description="From another model.")


class ChangesAnswer(BaseModel):
    """Why the score changed: points = data_points + model_points."""

    model_config = ConfigDict(**STRICT)

    older: KeptScoreAnswer | None = Field(description="None where there is one score only.")
    newer: KeptScoreAnswer | None
    points: float | None
    data_points: float | None
    model_points: float | None = Field(description="base_points among them.")
    base_points: float | None
    features: list[FeatureChangeAnswer]
    missing_models: list[str] = Field(
        description="不再能取得评分卡的模型；这时不作拆分。 Models whose cards can't be had any "
        "more: then the difference is not split."
    )
