"""How the service describes itself, and what the scoring endpoint takes and gives."""

from __future__ import annotations

import base64
import hashlib
from difflib import get_close_matches
from importlib.metadata import version
from itertools import islice
from typing import Annotated, Any, Literal

from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.info import Info
from flask_openapi.models.license import License
from flask_openapi.models.media_type import MediaType
from flask_openapi.models.response import Response
from flask_openapi.models.tag import Tag
from flask_openapi.openapi import OpenAPI
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from leadscore.errors import Detail
from leadscore.lists.columns import CANONICAL, Column, recognise
from leadscore.ranking.vetoes import WORDING
from leadscore.store.users import Role
from leadscore.text import Text, room_words
from leadscore.validation import NOTHING, details, json_path, wanted
from leadscore.web.errors import REFUSALS, SHOWN_DETAILS, InvalidRequestError, error_body
from leadscore.web.json import json_kind

WORDS = room_words("web")

MAX_FIRMS = 1_000  # firms in one request; longer lists are ranked from a file
MAX_CHARACTERS = 32_767  # characters of a name or a text: what a cell of a spreadsheet holds
MAX_SHORT = 200  # characters of everything else: a number, a date, a code, a status or a place

_PROSE = frozenset({"name", "former", "text", "list", "remark"})
_NUMBERS = frozenset({"amount", "share", "count", "staff", "year"})

_EXAMPLES: dict[str, object] = {
    "name": "深圳市某某光电有限公司", "registered_capital_cny": "5000万人民币",
    "founded_on": "2011-06-08", "staff": "100-499人", "province": "广东省", "city": "深圳市",
    "main_business": "LED外延片、芯片的研发、生产和销售", "rd_share": 0.12,
}  # fmt: skip
_EXAMPLE_SCORE: dict[str, object] = {
    "name": "深圳市某某光电有限公司", "grade": "B", "priority": 0.31, "likelihood": 0.36,
    "likelihood_low": 0.12, "likelihood_high": 0.68, "certainty": None, "fit": 0.78,
    "segment": "led.chip", "role": "maker",
    "reasons": [
        {"feature": "gap", "value": 0.75, "points": 9.2, "text": "补缺口：LED芯片，本地薄弱"}
    ],
    "base_points": -74.6, "veto": None, "corrections": [],
    "problems": [
        {"where": "firms[0].founded_on", "got": "2024-02-30", "wanted": "日期", "code": "bad_date"}
    ],
}  # fmt: skip

STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Payload(BaseModel):
    """What is sent or answered: no other fields, no other types, no NaN."""

    model_config = STRICT


def example(plain: Any) -> ConfigDict:
    """Return the settings of a model that shows an example."""
    return ConfigDict(**STRICT, json_schema_extra={"examples": [plain]})


def _takes_numbers(column: Column) -> bool:
    # Where leading zeros mean nothing.
    return column.kind in _NUMBERS or column.kind == "date"


def longest(column: Column) -> int:
    """Return how many characters a value of the column may have."""
    return MAX_CHARACTERS if column.kind in _PROSE else MAX_SHORT


def _field(column: Column) -> Any:
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
        taken = written | int | None if _takes_numbers(column) else written | None
    return taken, Field(default=None, description=words, examples=examples)


Firm: type[BaseModel] = create_model(
    "Firm",
    __config__=STRICT,
    __doc__="A firm: canonical columns, each as a list would write it or as a number in its unit.",
    **{column.name: _field(column) for column in CANONICAL},
)


class ScoreRequest(BaseModel):
    """Firms to score; one that stands twice is scored twice."""

    model_config = example({"firms": [_EXAMPLES]})

    firms: list[Firm] = Field(min_length=1, max_length=MAX_FIRMS)  # type: ignore[valid-type]
    store: bool = Field(
        default=False,
        description="也保存这些企业和评分（官员或管理员）；库里已有的企业并入原有记录。 Keep the "
        "firms and their scores, too (officers and administrators); a firm that the store knows is "
        "joined with what is known of it.",
    )

    plain: bool = Field(
        default=False,
        description="不计人工修正，只按所给资料评分。 Leave out what officers have corrected of "
        "these firms, and score what is given alone.",
    )

    def given(self) -> list[dict[str, object]]:
        """Return the firms as records of the columns that were sent, in the order of columns."""
        firms: list[BaseModel] = self.firms
        given = [(vars(firm), firm.model_fields_set) for firm in firms]
        return [{key: values[key] for key in values if key in sent} for values, sent in given]


class ReasonAnswer(Payload):
    """What one feature adds to the score."""

    feature: str = Field(description="Id of the feature.")
    value: float | str | None = Field(description="The firm's value; null if unknown.")
    points: float = Field(
        description="By how much it lifts the log-odds above those of an average firm, exactly. "
        "20 points double the odds: 10 % become 18 %, 50 % become 67 %. "
        "The points of all reasons and base_points add up to the log-odds."
    )
    text: str = Field(description="The same in words.")


class CellProblem(Payload):
    """A value that could not be taken as it stood; it counts as missing."""

    where: str = Field(description="JSON path of the value.", examples=["firms[0].founded_on"])
    got: str
    wanted: str
    code: str = Field(description="Stable name of the kind.", examples=["bad_date"])


class CertaintyAnswer(Payload):
    """How sure the model is of the likelihood."""

    likelihood_low: float | None = Field(
        ge=0, le=1,
        description="The lower end of the 90 % range of the likelihood, by what the model has "
        "learned; null if the score is by another model, or the model does not record it.",
    )  # fmt: skip
    likelihood_high: float | None = Field(ge=0, le=1, description="Its upper end.")
    certainty: str | None = Field(
        description="How little evidence there is, in words; null where there is enough."
    )


class FirmScore(CertaintyAnswer):
    """The score of one firm."""

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
    base_points: float = Field(
        description="Points of an average firm, which the model fixes: those of the reasons are "
        "the difference from it. Its likelihood is 1 / (1 + 2 ** (-base_points / 20))."
    )
    veto: str | None = Field(
        description="Why not to court the firm at all, as a stable key; null if nothing speaks "
        "against it. The score stands beside it unchanged. One of " + ", ".join(WORDING) + "."
    )
    corrections: list[str] = Field(
        description="What officers have corrected of the firm, by field; the score counts it."
    )
    problems: list[CellProblem]
    firm: int | None = Field(
        default=None, description="Number of the firm in the store, if `store` was asked for."
    )


class ScoreAnswer(BaseModel):
    """The scores, in the order asked."""

    model_config = example({
        "model": "invented-expert-0123456789", "city": "invented", "corrected": 0,
        "scores": [_EXAMPLE_SCORE],
    })  # fmt: skip

    model: str = Field(description="Version of the model.")
    city: str = Field(description="Id of the city profile.")
    corrected: int = Field(description="Firms of which officers have corrected something.")
    scores: list[FirmScore]


class ErrorDetail(Payload):
    """One place at which the request is wrong."""

    where: str = Field(description="JSON path, header, or line and column of the body.")
    got: str
    wanted: str


class ErrorWords(Payload):
    """What is wrong."""

    code: str = Field(description="Stable name of the kind of error.")
    message: str
    details: list[ErrorDetail]


class ErrorAnswer(Payload):
    """The body of every error."""

    error: ErrorWords


class Health(Payload):
    """The process answers."""

    status: Literal["ok"]


class ShortcomingAnswer(Payload):
    """Something that is not as it should be."""

    code: str = Field(description="Stable name.", examples=["worker_down"])
    message: str


class Readiness(Payload):
    """How the service is; degraded says why. Without its database it answers with 503."""

    status: Literal["ready", "degraded"]
    model: str = Field(description="Version of the model that scores.")
    city: str
    because: list[ShortcomingAnswer]


class Me(Payload):
    """Who calls."""

    actor: str = Field(examples=["li.na"])
    role: Role = Field(
        description="viewer 只看，officer 登记，administrator 管理，auditor 审计（只读）"
    )
    permissions: list[str] = Field(examples=[["read", "score", "signed_in"]])
    csrf_token: str | None = Field(
        description="浏览器的写入请求须在 X-CSRF-Token 里带上它；密钥不用。 A browser sends it "
        "with every writing, in X-CSRF-Token; null for keys, which need none."
    )


DOCUMENT = "/openapi"  # where the pages of the documentation live

MORE_PARAMETERS = "x-more-parameters"
"""Under this name a route lists parameters that no model of it has."""

MORE_ANSWERS = "x-more-answers"
"""Under this name a route lists links and headers of its answers, by status."""

LANGUAGE_PARAMETERS = [
    {
        "name": "lang", "in": "query", "required": False,
        "description": "回答的语言，先于请求头。 Language of the answer; beats the header.",
        "schema": {"type": "string", "enum": ["zh", "en"]},
    },
    {
        "name": "Accept-Language", "in": "header", "required": False,
        "description": "回答的语言。 Language of the answer.",
        "schema": {"type": "string", "examples": ["zh-CN, en;q=0.5"]},
    },
]  # fmt: skip

SECURITY_SCHEMES: dict[str, Any] = {
    "key": {"type": "http", "scheme": "bearer", "description": "密钥 An API key, ls_…"},
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-leadscore"},
}
"""How one may say who one is."""

SECURED: list[dict[str, list[Any]]] = [{"key": []}, {"session": []}]
"""What a route that isn't public names in its description."""


def api_blueprint(name: str, words: str, *, tag: str | None = None) -> APIBlueprint:
    """Return a blueprint under ``/api/v1`` for callers who say who they are, with its tag."""
    return APIBlueprint(
        name, __name__, url_prefix="/api/v1", abp_security=SECURED,
        abp_tags=[Tag(name=tag or name, description=words)],
    )  # fmt: skip


# The links are relative, so that the page works at /openapi/ and at /openapi/swagger.
_SCRIPT = (
    'SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui", validatorUrl: null, '
    "deepLinking: true})"
)
PAGE = f"""<!DOCTYPE html>
<html lang="zh">
<head>
<meta charset="utf-8">
<title>leadscore</title>
<link rel="icon" href="swagger/images/swagger.svg">
<link rel="stylesheet" href="swagger/css/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="swagger/js/swagger-ui-bundle.js"></script>
<script>{_SCRIPT}</script>
</body>
</html>
"""
"""The page of the documentation, all of it served from here."""

_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
PAGE_POLICY = (
    f"default-src 'self'; script-src 'self' 'sha256-{_SCRIPT_HASH}'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content security policy of the documentation: nothing from elsewhere, one script by its hash."""


class DocumentedService(OpenAPI):
    """A Flask application whose description names the errors that can happen, and no others."""

    def generate_spec_json(self) -> None:
        """Describe the routes; the framework's own 422 goes where we didn't write one."""
        super().generate_spec_json()  # type: ignore[no-untyped-call]
        for path in self.spec_json["paths"].values():
            for operation in path.values():
                # Our own come last: the framework writes its parameters over those that are given.
                more = operation.pop(MORE_PARAMETERS, [])
                if more:
                    operation["parameters"] = [*operation.get("parameters", []), *more]
                for status, also in operation.pop(MORE_ANSWERS, {}).items():
                    operation["responses"][status].update(also)
                described = operation["responses"].get("422", {}).get("content", {})
                if described.get("application/json", {}).get("schema", {}).get("type") == "array":
                    del operation["responses"]["422"]


def service_info() -> Info:
    """Return what the description says of the service as a whole."""
    return Info(
        title="leadscore",
        version=version("leadscore"),
        description="为招商候选企业评分，并说明理由。 "
        "Scores the firms that a city could court, and says why.",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
    )


_EXAMPLE_PLACES = {
    400: [Detail("line 1, column 35", "NaN", WORDS["openapi.example_places_400"])],
    415: [Detail("Content-Type", "text/plain", WORDS["openapi.example_places_415"])],
    422: [Detail("firms[0].staff", "true", WORDS["openapi.example_places_422"])],
}


def refusals(*statuses: int) -> dict[str | int, Response]:
    """Return the description of errors by status, each with its own example."""
    schema = {"$ref": f"#/components/schemas/{ErrorAnswer.__name__}"}
    described: dict[str | int, Response] = {}
    for status in statuses:
        code, message = REFUSALS[status]
        places = _EXAMPLE_PLACES.get(status, [])
        media = MediaType.model_validate(
            {"schema": schema, "example": error_body(code, message, places, lang="en")}
        )
        described[status] = Response(
            description=f"{message.zh} {message.en}", content={"application/json": media}
        )
    return described


_KNOWN = {column.name: column for column in CANONICAL}
_LONGEST_NAME = 60  # characters of an unknown field that are compared with the known ones


_FIRMS = Text(zh=f"1 至 {MAX_FIRMS} 家企业组成的数组", en=f"an array of 1 to {MAX_FIRMS} firms")


def invalid_firms(error: ValidationError) -> InvalidRequestError:
    """Return the error for firms to score: each wrong place once, in the words of its column."""
    places: dict[tuple[int | str, ...], Any] = {}
    for mistake in error.errors(include_url=False):
        places.setdefault(mistake["loc"][:3], mistake)
    faults = [
        Detail(json_path(place), *_words(mistake))
        for place, mistake in islice(places.items(), SHOWN_DETAILS)
    ]
    return InvalidRequestError(WORDS["openapi.mistakes"].format(count=len(places)), faults)


def _words(mistake: Any) -> tuple[str, Text]:
    kind, loc = mistake["type"], mistake["loc"]
    got = NOTHING if kind == "missing" else json_kind(mistake["input"])
    if kind == "extra_forbidden":
        return json_kind(loc[-1]), _meant(mistake) if len(loc) > 1 else WORDS["openapi.firms_only"]
    if kind == "string_too_long":
        return got, wanted(mistake)
    if len(loc) <= 1:
        return (str(len(mistake["input"])) if kind == "too_long" else got), _FIRMS
    if len(loc) == 2:
        return got, WORDS["openapi.firm"]
    column = _KNOWN[loc[2]]
    if column.name == "name":
        return got, WORDS["openapi.name"]
    if column.kind == "date":
        return got, WORDS["openapi.date"]
    return got, WORDS["openapi.words_or_number"] if _takes_numbers(column) else WORDS[
        "openapi.words"
    ]


def _meant(mistake: Any) -> Text:
    field = str(mistake["loc"][-1])
    column = recognise(field[:_LONGEST_NAME])
    if column is not None and column.name in _KNOWN:
        return WORDS["openapi.perhaps"].format(name=column.name)
    close = get_close_matches(field[:_LONGEST_NAME], _KNOWN, n=1)
    return WORDS["openapi.perhaps"].format(name=close[0]) if close else wanted(mistake)


def plain_mistakes(error: ValidationError) -> InvalidRequestError:
    """Return the error for any other request: each wrong place once, and what is wanted there."""
    places: dict[tuple[int | str, ...], Any] = {}
    for mistake in error.errors(include_url=False):
        places.setdefault(mistake["loc"], mistake)
    faults = details(islice(places.values(), SHOWN_DETAILS), shown=json_kind)
    return InvalidRequestError(WORDS["openapi.mistakes"].format(count=len(places)), faults)
