"""What the endpoint takes and gives: strict models, the firm's made from the canonical columns."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from leadscore.lists.columns import CANONICAL, Column
from leadscore.ranking.vetoes import WORDING
from leadscore.store.access.users import Role

MAX_FIRMS = 1_000
"""Firms in one request; longer lists are ranked from a file."""
MAX_CHARACTERS = 32_767
"""Characters of a name or a text: what a cell of a spreadsheet holds."""
MAX_SHORT = 200
"""Characters of everything else: a number, a date, a code, a status or a place."""

_PROSE = frozenset({"name", "former", "text", "list", "remark"})
_NUMBERS = frozenset({"amount", "share", "count", "staff", "year"})

_EXAMPLES: dict[str, object] = {
    "name": "深圳市某某光电有限公司",
    "registered_capital_cny": "5000万人民币",
    "founded_on": "2011-06-08",
    "staff": "100-499人",
    "province": "广东省",
    "city": "深圳市",
    "main_business": "LED外延片、芯片的研发、生产和销售",
    "rd_share": 0.12,
}

_EXAMPLE_ANSWER: dict[str, object] = {
    "model": "invented-expert-0123456789",
    "city": "invented",
    "scores": [
        {
            "name": "深圳市某某光电有限公司",
            "grade": "B",
            "priority": 0.31,
            "likelihood": 0.36,
            "fit": 0.78,
            "segment": "led.chip",
            "role": "maker",
            "reasons": [
                {
                    "feature": "gap",
                    "value": 0.75,
                    "points": 18.2,
                    "text": "补缺口：LED芯片，本地薄弱",
                }
            ],
            "base_points": -34.8,
            "veto": None,
            "problems": [
                {
                    "where": "firms[0].founded_on",
                    "got": "2024-02-30",
                    "wanted": "日期",
                    "code": "bad_date",
                }
            ],
        }
    ],
}

STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


def _with_example(example: Any) -> ConfigDict:
    return ConfigDict(**STRICT, json_schema_extra={"examples": [example]})


def takes_numbers(column: Column) -> bool:
    """Return whether a JSON number is taken as well as text: where leading zeros mean nothing."""
    return column.kind in _NUMBERS or column.kind == "date"


def longest(column: Column) -> int:
    """Return how many characters a value of the column may have."""
    return MAX_CHARACTERS if column.kind in _PROSE else MAX_SHORT


def _field(column: Column) -> Any:
    """Return type and description of one column; text is read as a cell of a list is."""
    examples = [_EXAMPLES[column.name]] if column.name in _EXAMPLES else None
    words = f"{column.meaning.zh} {column.meaning.en}"
    written = Annotated[str, Field(max_length=longest(column))]
    if column.name == "name":
        name = Annotated[written, Field(min_length=1)]
        return name, Field(description=words, examples=examples)
    if column.kind in _NUMBERS:
        taken: Any = written | int | float | None
        words += f" 数字（{column.unit}）或名单的写法。 A number ({column.unit}), or as in lists."
    else:
        taken = written | int | None if takes_numbers(column) else written | None
    return taken, Field(default=None, description=words, examples=examples)


Firm: type[BaseModel] = create_model(
    "Firm",
    __config__=STRICT,
    __doc__="A firm: canonical columns, each as a list would write it or as a number in its unit.",
    **{column.name: _field(column) for column in CANONICAL},
)


class ScoreRequest(BaseModel):
    """Firms to score; one that stands twice is scored twice."""

    model_config = _with_example({"firms": [_EXAMPLES]})

    firms: list[Firm] = Field(min_length=1, max_length=MAX_FIRMS)  # type: ignore[valid-type]
    store: bool = Field(
        default=False,
        description="也保存这些企业和评分（官员或管理员）；库里已有的企业并入原有记录。 Keep the "
        "firms and their scores, too (officers and administrators); a firm that the store knows is "
        "joined with what is known of it.",
    )

    def given(self) -> list[dict[str, object]]:
        """Return the firms as records of the columns that were sent, in the order of columns."""
        firms: list[BaseModel] = self.firms
        return [
            {key: value for key, value in vars(firm).items() if key in firm.model_fields_set}
            for firm in firms
        ]


class ReasonAnswer(BaseModel):
    """What one feature adds to the score."""

    model_config = STRICT

    feature: str = Field(description="Id of the feature.")
    value: float | str | None = Field(description="The firm's value; null if unknown.")
    points: float = Field(
        description="Its exact share of the log-odds; 20 points double the odds. "
        "The points of all reasons and base_points add up to the log-odds."
    )
    text: str = Field(description="The same in words.")


class CellProblem(BaseModel):
    """A value that could not be taken as it stood; it counts as missing."""

    model_config = STRICT

    where: str = Field(description="JSON path of the value.", examples=["firms[0].founded_on"])
    got: str
    wanted: str
    code: str = Field(description="Stable name of the kind.", examples=["bad_date"])


class FirmScore(BaseModel):
    """The score of one firm."""

    model_config = STRICT

    name: str
    grade: Literal["A", "B", "C", "D"]
    priority: float = Field(ge=0, le=1, description="Order of the ranking: expected gap value.")
    likelihood: float = Field(ge=0, le=1, description="Probability that the firm lands.")
    fit: float = Field(ge=0, le=1, description="How much of a gap the firm would fill.")
    segment: str | None = Field(description="Best-fitting segment, chain.segment; null if none.")
    role: str | None = Field(description="What the firm does in it; null if none.")
    reasons: list[ReasonAnswer] = Field(
        description="Every feature with points, the weightiest first."
    )
    base_points: float = Field(description="Points of a firm of which no feature says anything.")
    veto: str | None = Field(
        description="Why not to court the firm at all, as a stable key; null if nothing speaks "
        "against it. The score stands beside it unchanged. One of " + ", ".join(WORDING) + ".",
    )
    problems: list[CellProblem]
    firm: int | None = Field(
        default=None, description="Number of the firm in the store, if `store` was asked for."
    )


class ScoreAnswer(BaseModel):
    """The scores, in the order asked."""

    model_config = _with_example(_EXAMPLE_ANSWER)

    model: str = Field(description="Version of the model.")
    city: str = Field(description="Id of the city profile.")
    scores: list[FirmScore]


class ErrorDetail(BaseModel):
    """One place at which the request is wrong."""

    model_config = STRICT

    where: str = Field(description="JSON path, header, or line and column of the body.")
    got: str
    wanted: str


class ErrorWords(BaseModel):
    """What is wrong."""

    model_config = STRICT

    code: str = Field(description="Stable name of the kind of error.")
    message: str
    details: list[ErrorDetail]


class ErrorAnswer(BaseModel):
    """The body of every error."""

    model_config = STRICT

    error: ErrorWords


class Health(BaseModel):
    """The process answers."""

    model_config = STRICT

    status: Literal["ok"]


class ShortcomingAnswer(BaseModel):
    """Something that is not as it should be."""

    model_config = STRICT

    code: str = Field(description="Stable name.", examples=["worker_down"])
    message: str


class Readiness(BaseModel):
    """How the service is; degraded says why. Without its database it answers with 503."""

    model_config = STRICT

    status: Literal["ready", "degraded"]
    model: str = Field(description="Version of the model that scores.")
    city: str
    because: list[ShortcomingAnswer]


class Me(BaseModel):
    """Who calls."""

    model_config = STRICT

    actor: str = Field(examples=["li.na"])
    role: Role = Field(
        description="viewer 只看，officer 登记，administrator 管理，auditor 审计（只读）"
    )
    permissions: list[str] = Field(examples=[["read", "score", "signed_in"]])
    csrf_token: str | None = Field(
        description="浏览器的写入请求须在 X-CSRF-Token 里带上它；密钥不用。 A browser sends it "
        "with every writing, in X-CSRF-Token; null for keys, which need none."
    )
