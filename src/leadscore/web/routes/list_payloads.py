"""What the routes of lists take and give."""

from __future__ import annotations

from flask_openapi.models.file import FileStorage
from pydantic import BaseModel, ConfigDict, Field

from leadscore.store.lists.lists import State
from leadscore.web.payloads import STRICT
from leadscore.web.routes.payloads import QUERY, Day, LangQuery, Moment, Number, example

MAPPING_EXAMPLE = '{"单位": "name", "注资（万元）": "registered_capital_cny"}'


class ListUpload(BaseModel):
    """A list, as a form with a file."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    file: FileStorage = Field(description="xlsx, csv, csv.gz 或 parquet")
    # Texts, both: the framework reads what isn't one as JSON, and less strictly than we do.
    mapping: str = Field(
        default="",
        max_length=20_000,
        description="列名到标准列的对应，JSON 对象；空文字表示不读取；列也可写作“工作表!B3”。 "
        "JSON object: canonical columns by the headers that mean them, an empty text for one that "
        "is not to be read. A column may be named by its place: sheet!B3, or sheet!B where the "
        "header is to be found, without a sheet !B3 and !B. Other headers are recognised as ever.",
        examples=[MAPPING_EXAMPLE],
    )
    as_of: str = Field(
        default="",
        max_length=10,
        description="名单所知的日期，缺省为今天；较早的名单不会覆盖较新的内容。 Day as of which "
        "the list knows its firms, today if missing: an older one never overwrites a newer one.",
        json_schema_extra={"format": "date"},
    )


class ListCounts(BaseModel):
    """Where the rows went: rows = ranked + vetoed + set_aside."""

    model_config = STRICT

    rows: int
    ranked: int
    vetoed: int
    set_aside: int


class ListFault(BaseModel):
    """Why a list could not be taken in."""

    model_config = STRICT

    code: str
    message: str


class ListAnswer(BaseModel):
    """A list."""

    model_config = STRICT

    id: int
    file_name: str
    sha256: str
    uploaded_by: str
    uploaded_at: Moment
    as_of: Day
    state: State
    progress: float = Field(ge=0, le=1)
    counts: ListCounts | None = Field(description="Once it is done.")
    model: str | None = Field(description="Version of the model that scored its firms.")
    notices: list[str] = Field(description="What to know about the file as a whole.")
    error: ListFault | None = Field(description="Once it has failed.")
    job_id: int | None


class ListDetails(ListAnswer):
    """A list, with the number of problems of each kind."""

    problems: dict[str, int] = Field(
        description="By kind; GET /lists/{id}/problems.csv has them all.",
        examples=[{"repeat": 1, "bad_date": 2}],
    )


class ListAccepted(BaseModel):
    """A list that waits to be taken in."""

    model_config = example({"id": 7, "job_id": 12})

    id: int
    job_id: int


class ListsQuery(BaseModel):
    """Which lists, the newest first."""

    model_config = QUERY

    before: Number | None = Field(default=None, description="`next` of the page before.")
    limit: int = Field(default=50, ge=1, le=200)
    lang: LangQuery = None


class ListsAnswer(BaseModel):
    """Some lists, the newest first."""

    model_config = STRICT

    lists: list[ListAnswer]
    next: int | None = Field(description="`before` of the next page.")
