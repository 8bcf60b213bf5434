"""What the routes of the ranking take and give."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from leadscore.ranking.vetoes import WORDING
from leadscore.store.ranking.cursor import LONGEST, Sort
from leadscore.store.ranking.filter import RankingFilter
from leadscore.store.ranking.pages import LONGEST_PAGE, PAGE
from leadscore.web.payloads import STRICT
from leadscore.web.routes.payloads import (
    QUERY,
    Day,
    Grade,
    LangQuery,
    MainReason,
    Moment,
    Number,
    Share,
    Slug,
)
from leadscore.web.routes.ranking_files import FILE_COLUMNS

_Region = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[^\x00]+$")]
_Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
_COLUMN = "|".join(FILE_COLUMNS)
_COLUMNS = rf"^(?:{_COLUMN})(?:,(?:{_COLUMN}))*$"
_VETOES = "|".join(("yes", "no", *WORDING))


class RankingConditions(BaseModel):
    """Which firms, and in which order."""

    list_id: Number | None = Field(default=None, alias="list", description="Firms of this list.")
    chain: Slug | None = Field(default=None, description="A chain, or `none`.")
    segment: Slug | None = Field(default=None, description="A segment, or `none`.")
    role: Slug | None = Field(default=None, description="A role, or `none`.")
    region: _Region | None = Field(
        default=None,
        description="行政区划代码的开头，或省、市名称。 Beginning of a division code, or name of "
        "a province or city.",
        examples=["44", "深圳市"],
    )
    grade: Annotated[str, Field(pattern=r"^[ABCD]{1,4}$")] | None = Field(
        default=None, description="Any of these grades.", examples=["AB"]
    )
    veto: Annotated[str, Field(pattern=rf"^(?:{_VETOES})$")] | None = Field(
        default=None,
        description="`no`: firms that nothing speaks against; `yes`: the others; or one reason.",
    )
    stage: Slug | None = Field(default=None, description="A stage, or `none`.")
    text: _Text | None = Field(
        default=None,
        description="名称、代码、业务里都要有的词。 Words that must all occur in "
        "name, code or business.",
    )
    shortlist: Number | None = Field(default=None, description="Firms of this shortlist.")
    sort: Sort = Field(
        default="-priority",
        description="A minus puts the highest first; the usual order decides among equals.",
    )

    def asked(self) -> RankingFilter:
        """Return which firms are meant."""
        fields = self.model_dump(include={"chain", "segment", "role", "region", "grade", "veto",
                                          "stage", "text", "shortlist"})  # fmt: skip
        return RankingFilter(list_id=self.list_id, **fields)


class RankingQuery(RankingConditions):
    """Which firms, in which order, and told in which language."""

    model_config = QUERY

    lang: LangQuery = None


class RankingFileQuery(RankingQuery):
    """Which firms, in which order, and which of their columns."""

    columns: Annotated[str, Field(max_length=500, pattern=_COLUMNS)] | None = Field(
        default=None,
        description="列名，以逗号隔开；缺省为全部。 Columns, joined by commas; those of a written "
        "ranking if missing.",
        examples=["rank,name,grade,veto"],
    )

    def wanted(self) -> list[str]:
        """Return the columns that are asked for; none for all."""
        return self.columns.split(",") if self.columns else []


class RankingPageQuery(RankingQuery):
    """Which firms, in which order, and from where on."""

    cursor: Annotated[str, Field(min_length=1, max_length=LONGEST)] | None = Field(
        default=None, description="`next` of the page before, asked for with the same order."
    )
    limit: int = Field(default=PAGE, ge=1, le=LONGEST_PAGE)
    counts: bool = Field(default=False, description="Count the firms by chain, grade and so on.")


class RankedFirm(BaseModel):
    """A firm of the ranking, as it stands now."""

    model_config = STRICT

    id: int
    rank: int | None = Field(
        description="全部已存且未被否决的企业中的名次；按名单查询（`list`）时为该名单中的名次；"
        "其他筛选不改变名次。 Place among all firms that are kept and not vetoed; with `list`, in "
        "that list; no other filter changes it."
    )
    name: str
    credit_code: str | None
    grade: Grade
    priority: Share
    likelihood: Share
    fit: Share
    chain: str | None
    segment: str | None
    segment_name: str | None
    role: str | None
    province: str | None
    city: str | None
    veto: str | None = Field(description="Why not to court the firm, as a stable key.")
    veto_text: str | None
    stage: str | None
    excluded: bool
    overridden: bool = Field(description="Grade, segment or role are an officer's.")
    reasons: list[MainReason]
    model: str
    as_of: Day
    scored_at: Moment
    list_id: int | None = Field(description="Where the firm was last seen.")
    row: int | None


class RankingCounts(BaseModel):
    """How many firms there are, by value; `none` stands for those without one."""

    model_config = STRICT

    total: int
    chain: dict[str, int]
    segment: dict[str, int]
    role: dict[str, int]
    grade: dict[str, int]
    stage: dict[str, int]
    veto: dict[str, int]
    lists: dict[str, int]


class RankingAnswer(BaseModel):
    """A page of the ranking: firms that may be courted, then the vetoed ones."""

    model_config = STRICT

    firms: list[RankedFirm]
    next: str | None = Field(description="`cursor` of the next page.")
    counts: RankingCounts | None = Field(description="If they were asked for.")
