"""What the payloads and answers of the routes over the store have in common."""

from __future__ import annotations

import re
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from flask import Response, request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import Connection
from werkzeug.wsgi import wrap_file

from leadscore.errors import Detail
from leadscore.lists.values.words import STAGES
from leadscore.lists.writing import write_ranking
from leadscore.ranking.reasons import Wording, correction_value
from leadscore.ranking.score import Scorer
from leadscore.ranking.vetoes import WORDING
from leadscore.store.corrections import machine_view
from leadscore.store.facts import Fact
from leadscore.store.firms import Firm
from leadscore.text import Lang, room_words
from leadscore.web.errors import REFUSALS, ChangedMeanwhileError, RequestError
from leadscore.web.idempotent import IDEMPOTENCY_PARAMETER
from leadscore.web.openapi import (
    LANGUAGE_PARAMETERS,
    MORE_ANSWERS,
    MORE_PARAMETERS,
    Payload,
    refusals,
)

WORDS = room_words("web")

# A query comes as text, which strict models don't take for numbers.
QUERY = ConfigDict(extra="forbid", frozen=True)

Number = Annotated[int, Field(ge=1, le=2**53)]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]


def _plain_day(value: object) -> object:
    # pydantic takes numbers, and texts of digits, for seconds since 1970.
    return value if not isinstance(value, int | float | str) or _is_day(value) else "∅"


def _is_day(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) is not None


# A day comes as text, which strict models don't take for a day.
GivenDay = Annotated[date, BeforeValidator(_plain_day), Field(strict=False)]
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


class JobAsked(Payload):
    """A job that was asked for; ``GET /api/v1/jobs/{id}`` tells how it is."""

    job_id: int


class MainReason(Payload):
    """One of the features that decide a score most."""

    feature: str
    points: float = Field(description="Share of the log-odds; 20 points double the odds.")
    text: str


CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_BLOCK = 1 << 16
_LINE_END = b"\r\n"


def described(mimetype: str) -> dict[str, Any]:
    """Return how the description of a route names a file as its answer."""
    schema = {"type": "string"} | ({} if mimetype == CSV else {"format": "binary"})
    return {"description": "文件 A file", "content": {mimetype: {"schema": schema}}}


def file_answer(content: Iterable[bytes], name: str, mimetype: str) -> Response:
    """Return an answer that a browser saves as a file, sent as it comes."""
    response = Response(content, mimetype=mimetype, direct_passthrough=True)
    plain = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
    response.headers["Content-Disposition"] = f'attachment; filename="{plain}"'
    return response


def written_file(write: Callable[[Path], object], ending: str) -> Iterator[bytes]:
    """Yield, block by block, the file that ``write`` writes where it is told to."""
    with tempfile.TemporaryDirectory(prefix="leadscore-") as folder:
        path = Path(folder) / f"answer{ending}"
        write(path)
        yield from sent_file(path)


def sent_file(path: Path) -> Iterator[bytes]:
    """Yield a file block by block."""
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block


def kept_apart(blocks: Iterable[bytes]) -> Iterable[bytes]:
    """Return the blocks from a file without a name, into which they are written at once.

    So what they are read from is let go before anything is sent, however slowly that goes. The
    server sends the file by itself, and no thread waits for whoever reads it.
    """
    stream = tempfile.TemporaryFile(prefix="leadscore-")  # noqa: SIM115 (closed once it is sent)
    try:
        stream.writelines(blocks)
        stream.seek(0)
    except BaseException:
        stream.close()
        raise
    sent = wrap_file(request.environ, stream, _BLOCK)
    weakref.finalize(sent, stream.close)  # also where nobody sends it
    return sent


def ranking_csv(parts: Iterable[pd.DataFrame], lang: Lang) -> Iterator[bytes]:
    """Yield a ranking as CSV, a part at a time, so that it never stands in memory as a whole."""
    for number, part in enumerate(parts):
        whole = b"".join(written_file(partial(write_ranking, part, lang=lang), ".csv"))
        yield whole if number == 0 else whole.partition(_LINE_END)[2]


WRITES = [*LANGUAGE_PARAMETERS, IDEMPOTENCY_PARAMETER]
"""What the description of a route that writes says, beside the parameters that its models have."""
_ETAG = {"description": "企业的版本。 The version of the firm.", "schema": {"type": "string"}}
_IF_MATCH = {
    "name": "If-Match", "in": "header", "required": True,
    "description": "所见企业的 ETag。 The ETag of the firm as it was looked at.",
    "schema": {"type": "string", "examples": ['"1"']},
}  # fmt: skip
CHANGES = [*WRITES, _IF_MATCH]  # the same of a route that changes what two officers may edit
CHANGES_PROFILE = [*WRITES, _IF_MATCH | {
    "description": "所见缺口的 ETag。 The ETag of the gaps as they were looked at."
}]  # fmt: skip
_ALWAYS = (401, 403, 422, 431, 500, 503, 507)
BODY = (400, 413, 415)  # how a JSON body may be refused


def documented(
    operation: str, answer: Any, *refused: int, status: int = 200,
    more: list[dict[str, Any]] = LANGUAGE_PARAMETERS[1:], links: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return what the description says of a route; its words are those of ``words.toml``.

    ``more`` are parameters that no model of it has. ``links`` say which values of the answer are
    parameters of other operations (``{"firm.id": "/firms/0/id"}``); ``$`` begins an expression.
    """
    words = {"summary": WORDS[f"operations.{operation}.summary"]}
    if more_words := WORDS.get(f"operations.{operation}.description"):
        words["description"] = more_words
    leads: dict[str, Any] = {}
    for place, value in (links or {}).items():
        other, _, parameter = place.partition(".")
        lead = leads.setdefault(other, {"operationId": other, "parameters": {}})
        lead["parameters"][parameter] = value if value[0] == "$" else f"$response.body#{value}"
    answers = {"links": leads} if leads else {}
    if any(value.endswith(".ETag") for value in (links or {}).values()):
        answers["headers"] = {"ETag": _ETAG}
    return {key: f"{text.zh} {text.en}" for key, text in words.items()} | {
        "operation_id": operation,
        "openapi_extensions": {MORE_PARAMETERS: more, MORE_ANSWERS: {str(status): answers}},
        "responses": {status: answer, **refusals(*sorted({*_ALWAYS, *refused}))},
    }


class PreconditionRequiredError(RequestError):
    """A change that doesn't say of what."""

    code = "precondition_required"
    status = 428


def etag(version: int) -> dict[str, str]:
    """Return the header that names a version."""
    return {"ETag": f'"{version}"'}


def matched_tag(tag: str) -> str:
    """Return the ETag of what the request is about to change, or refuse it."""
    given = request.headers.get("If-Match")
    if given is None:
        raise PreconditionRequiredError(
            REFUSALS[428][1], [Detail("If-Match", "∅", WORDS["payloads.an_etag"])]
        )
    if not request.if_match.contains(tag):
        raise ChangedMeanwhileError(
            REFUSALS[412][1], [Detail("If-Match", given, WORDS["payloads.an_etag"])]
        )
    return tag


def fields_of(answer: type[BaseModel], source: object) -> dict[str, Any]:
    """Return the fields of an answer as an object has them, days and moments in ISO 8601."""
    values = {name: getattr(source, name) for name in answer.model_fields}
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
    }


def moment(value: datetime | None) -> str | None:
    """Return a moment as the answers write it."""
    return None if value is None else value.isoformat()


class CorrectionAnswer(Payload):
    """What an officer knows better of the firm."""

    id: int
    field: str = Field(description="A column of lists, segments, role, use, grade or reason.")
    value: float | str | list[str] | None = Field(
        description="null: it is not known after all. Of `reason` the feature that counts as "
        "unknown."
    )
    text: str = Field(description="Field and value in words.")
    reason: str
    by: str
    at: Moment
    valid_from: Day
    withdrawn_at: Moment | None
    withdrawn_by: str | None


class MachineAnswer(Payload):
    """What the firm would be without what was corrected."""

    rank: int | None
    grade: Grade
    priority: Share
    likelihood: Share
    fit: Share
    segment: str | None
    segment_name: str | None
    role: str | None
    veto: str | None


class CorrectionChangeAnswer(CorrectionAnswer):
    """A correction that began to count between two scores, or ceased to."""

    began: bool


def correction_answer(fact: Fact, wording: Wording, lang: Lang) -> dict[str, Any]:
    """Return a correction as the answers show it."""
    label, value = correction_value(fact.correction, wording, lang)
    text = WORDS["payloads.correction"].format(label=label, value=value).pick(lang)
    return {
        "id": fact.id, "field": fact.field, "value": fact.value, "text": text,
        "reason": fact.reason or "", "by": fact.recorded_by, "at": moment(fact.recorded_at),
        "valid_from": fact.valid_from.isoformat(), "withdrawn_at": moment(fact.withdrawn_at),
        "withdrawn_by": fact.withdrawn_by,
    }  # fmt: skip


def machine_answer(
    scorer: Scorer, connection: Connection, firm: Firm, today: date, lang: Lang
) -> dict[str, Any]:
    """Return what a firm that was corrected would be without that, as the answers show it."""
    view = machine_view(connection, firm, scorer=scorer, today=today)
    row = view.score.row
    same = ("grade", "priority", "likelihood", "fit", "segment", "role", "veto")
    return {name: row[name] for name in same} | {
        "rank": view.rank,
        "segment_name": scorer.wording.segment(row["segment"], lang),
    }
