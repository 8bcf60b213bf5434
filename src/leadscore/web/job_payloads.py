"""What the routes about jobs take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from leadscore.store.jobs.jobs import LONGEST_PAGE, State
from leadscore.web.payloads import STRICT, ErrorWords

_LARGEST = 2**63 - 1
# A query comes as text, which strict models don't take for numbers.
_QUERY = ConfigDict(extra="forbid", frozen=True)

_Number = Annotated[int, Field(ge=1, le=_LARGEST, description="任务编号 Number of the job")]
_Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]

_EXAMPLE: Any = {
    "id": 17,
    "kind": "retrain",
    "state": "running",
    "progress": 0.43,
    "words": "training the challenger (additive card) on all 212 known outcomes",
    "result": None,
    "error": None,
    "submitted_by": "li.na",
    "submitted_at": "2026-03-02T09:30:00+00:00",
    "started_at": "2026-03-02T09:30:01+00:00",
    "ended_at": None,
    "attempts": 1,
    "cancel_requested": False,
}


class JobPath(BaseModel):
    """Which job."""

    model_config = _QUERY

    id: _Number


class JobsQuery(BaseModel):
    """Which jobs, and how many."""

    model_config = _QUERY

    state: State | None = Field(None, description="只列这种状态 Only in this state")
    kind: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = Field(
        None, description="只列这一种 Only of this kind", examples=["retrain"]
    )
    before: _Number | None = Field(
        None, description="上一页的 next；只列编号更小的 `next` of the page before"
    )
    limit: int = Field(50, ge=1, le=LONGEST_PAGE, description="至多几项 At most so many")
    lang: Literal["zh", "en"] | None = Field(None, description="回答的语言 Language")


class JobAnswer(BaseModel):
    """A job as it stands."""

    model_config = ConfigDict(**STRICT, json_schema_extra={"examples": [_EXAMPLE]})

    id: int
    kind: str = Field(description="What is done: import_list, retrain, export.")
    state: State
    progress: float = Field(ge=0, le=1)
    words: str | None = Field(description="What is being done, in words; null if nothing yet.")
    result: dict[str, Any] | None = Field(description="What came of it; null unless done.")
    error: ErrorWords | None = Field(description="Why it failed; null unless failed.")
    submitted_by: str = Field(description="Who asked for it.")
    submitted_at: _Moment
    started_at: _Moment | None = Field(description="When it was begun for the last time.")
    ended_at: _Moment | None
    attempts: int = Field(ge=0, description="How often it was begun.")
    cancel_requested: bool


class JobsAnswer(BaseModel):
    """Jobs, the newest first."""

    model_config = ConfigDict(
        **STRICT, json_schema_extra={"examples": [{"jobs": [_EXAMPLE], "next": None}]}
    )

    jobs: list[JobAnswer]
    next: int | None = Field(description="`before` of the next page; null on the last.")
