"""Records the pages of the service in both languages, and what its API answers to GET."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from typing import Any
from urllib.parse import quote

from benchmarks.recorder.recording import Inputs, Record
from benchmarks.recorder.service import LANGUAGES, Client, ServiceError, served, wait_for_jobs

_HTML = "text/html,application/xhtml+xml"
_CHOSEN = 24
"""Of so many firms of the sample one is looked at closely."""

_MOMENTS = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|[+-]\d\d:?\d\d|UTC))?"
)
_TIMES = re.compile(r"(?<![\d:])\d\d:\d\d(?::\d\d)?(?![\d:])")
_RANDOM = (
    (re.compile(r'(name="(?:csrf_token|idempotency_key)" value=")[^"]*'), r"\1*"),
    (re.compile(r'(<meta name="csrf-token" content=")[^"]*'), r"\1*"),
    (re.compile(r'(nonce=")[^"]*'), r"\1*"),
    (re.compile(r"/static/[0-9a-f]+/"), "/static/*/"),
    (re.compile(r"(cursor=)[\w%.=-]+"), r"\1*"),
    (re.compile(r"(/firms/)\d+"), r"\1*"),
    (re.compile(r'(name="firm" value=")\d+'), r"\1*"),
)
_SUMS = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
"""Digests of files, which hold the moment in which they were made."""
_BETWEEN_TAGS = re.compile(r"\s*(<[^>]*>)\s*")
_MEASURES = ("likelihood", "priority", "fit")
"""Columns of the ranking's file that are compared as numbers."""
_NUMBERED = frozenset({"id", "firm", "firm_id", "job_id", "list_id", "next", "cursor"})
"""Keys of answers whose values are numbers that a store gives out, or tokens made of them."""


def without_moments(text: str) -> str:
    """Leave moments, and digests of files that hold one, out of a text; days stay.

    >>> without_moments("saved 2026-11-24 08:15 UTC, as of 2026-11-01, at 08:15")
    'saved (moment), as of 2026-11-01, at (time)'
    """
    return _SUMS.sub("(sum)", _TIMES.sub("(time)", _MOMENTS.sub("(moment)", text)))


def lines_of(html: str) -> list[str]:
    """Return a page as lines, one a tag or text, without what is another at each request.

    >>> lines_of('<p>Rank <b>1</b></p><a href="/firms/7">甲</a>')
    ['<p>', 'Rank', '<b>', '1', '</b>', '</p>', '<a href="/firms/*">', '甲', '</a>']
    """
    for pattern, instead in _RANDOM:
        html = pattern.sub(instead, html)
    lines = _BETWEEN_TAGS.sub(r"\n\1\n", without_moments(html)).splitlines()
    return [line.strip() for line in lines if line.strip()]


def record_service(pages: Record, api: Record, inputs: Inputs) -> None:
    """Record pages and answers of a service that has the sample list, and has been worked with."""
    with served(inputs.home) as client:
        wait_for_jobs(client)
        work_with_firms(inputs, client)
        record_pages(pages, inputs, client)
        record_api(api, client, "", LANGUAGES)
        record_firms(api, inputs, client)


def record_pages(record: Record, inputs: Inputs, client: Client) -> None:
    """Record every kind of page, in both languages."""
    firms = firm_numbers(client)
    chosen = [firms[name] for name in chosen_names(inputs) if name in firms]
    gaps = client.get("/api/v1/gaps", "en").json()
    chain, segment = gaps["chains"][0]["id"], gaps["chains"][0]["segments"][0]["id"]
    version = client.get("/api/v1/models", "en").json()["models"][0]["version"]
    upload = client.upload("/import", inputs.source / "data" / "samples" / "electronics.csv")
    paths = {
        "ranking": "/ranking",
        "ranking, grades A and B": "/ranking?grade=AB",
        "ranking, a chain": f"/ranking?chain={chain}",
        "ranking, by fit": "/ranking?sort=-fit",
        "ranking, a word": f"/ranking?text={quote('研发')}",
        "ranking, with vetoes": "/ranking?veto=yes",
        "ranking, columns": "/ranking?columns=fit,stage,province",
        "ranking, picture": "/ranking?picture=on",
        "chains": "/chains",
        "model": "/model",
        "model, a version": f"/model/{version}",
        "model, retraining": "/model/retraining",
        "import": "/import",
        "import, preview": upload,
        "import, done": "/imports/1",
        "administration": "/administration",
        "administration, city": f"/administration/city?segment={segment}",
        "administration, users": "/administration/users",
        "administration, keys": "/administration/keys",
        "administration, audit": "/administration/audit",
        "administration, jobs": "/administration/jobs",
        "nothing there": "/nothing-there",
        "log in": "/login",
    }
    for number, firm in enumerate(chosen, 1):
        paths[f"firm {number}"] = f"/firms/{firm}"
        paths[f"firm {number}, brief"] = f"/firms/{firm}/brief"
        paths[f"firm {number}, what if"] = f"/firms/{firm}/what-if"
    for language in LANGUAGES:
        for name, path in paths.items():
            answer = client.get(path, language, _HTML)
            values = {
                "status": answer.status,
                "location": answer.headers.get("location"),
                "lines": lines_of(answer.text),
            }
            record.add(name, f"page {language}", "", values)
    points = client.get("/ranking/points", "en")
    record.add("ranking, picture", "points", "", {"lines": lines_of(points.text)})


def record_api(record: Record, client: Client, prefix: str, languages: tuple[str, ...]) -> None:
    """Record what the API answers: ranking, file, firms, gaps, models, lists, problems."""
    for language in languages:
        for row in _whole_ranking(client, language):
            table = f"firms {language}"
            record.add(f"{prefix}ranking", table, row["name"], _still(row), row["name"])
        file = client.get("/api/v1/ranking.csv", language)
        for place, row in enumerate(csv.DictReader(io.StringIO(file.text.lstrip("\ufeff"))), 1):
            numbers = {name: float(row[name]) for name in _MEASURES if name in row}
            values = {"place": place, **row, **numbers}
            record.add(f"{prefix}ranking.csv", f"rows {language}", row["name"], values, row["name"])
        for path in ("gaps", "models", "lists", "lists/1", "lists/1/problems.csv"):
            answer = client.get(f"/api/v1/{path}", language)
            _record_answer(record, f"{prefix}{path}", language, answer.status, answer.text)
        for model in client.get("/api/v1/models", language).json()["models"]:
            answer = client.get(f"/api/v1/models/{model['version']}", language)
            _record_answer(record, f"{prefix}model", language, answer.status, answer.text)


def record_firms(record: Record, inputs: Inputs, client: Client) -> None:
    """Record what the API answers on some firms, after somebody has worked with them."""
    firms = firm_numbers(client)
    for language in LANGUAGES:
        for name in chosen_names(inputs):
            for path in ("", "/changes"):
                answer = client.get(f"/api/v1/firms/{firms[name]}{path}", language)
                _record_answer(
                    record, f"firms{path}", f"{language} {name}", answer.status, answer.text
                )
    document = client.get("/openapi/openapi.json", "en").json()
    for path, methods in document.pop("paths").items():
        for method, operation in methods.items():
            record.add("openapi", "operation", f"{method.upper()} {path}", {"is": operation})
    for kind, parts in document.pop("components").items():
        for name, component in parts.items():
            record.add("openapi", kind, name, {"is": component})
    record.add("openapi", "document", "", document)


def chosen_names(inputs: Inputs) -> list[str]:
    """Return the names of the firms of the sample that are looked at closely."""
    firms = json.loads((inputs.prepared / "firms.json").read_text("utf-8"))
    return [firm["name"] for firm in firms["sample"][::_CHOSEN]]


def firm_numbers(client: Client) -> dict[str, int]:
    """Return the number of each firm that the service keeps, by name."""
    return {row["name"]: row["id"] for row in _whole_ranking(client, "en")}


def work_with_firms(inputs: Inputs, client: Client) -> None:
    """Enter outcomes, an override and an exclusion, so that there is something to show."""
    firms = firm_numbers(client)
    first, second, third, *_ = [firms[name] for name in chosen_names(inputs)]
    for stage, day in (("contacted", "2026-01-12"), ("visited", "2026-03-02")):
        body: dict[str, Any] = {"stage": stage, "day": day, "reason": "recorded"}
        _write(client, "POST", f"/api/v1/firms/{first}/outcomes", body)
    _write(client, "PUT", f"/api/v1/firms/{second}/override", {"grade": "A", "reason": "recorded"})
    _write(client, "PUT", f"/api/v1/firms/{third}/exclusion", {"reason": "recorded"})


def _write(client: Client, method: str, path: str, body: dict[str, Any]) -> None:
    firm = path.rpartition("/")[0]
    seen = client.get(firm, "en").headers["etag"]
    key = hashlib.sha256(repr((method, path, body)).encode()).hexdigest()
    answer = client.ask(method, path, body, If_Match=seen, Idempotency_Key=key)
    if answer.status not in (200, 201):
        raise ServiceError(f"{method} {path}: {answer.status} {answer.text}")


def _whole_ranking(client: Client, language: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    path = "/api/v1/ranking?limit=100"
    following: str | None = ""
    while following is not None:
        page = client.get(f"{path}&cursor={following}" if following else path, language).json()
        rows += page["firms"]
        following = page["next"]
    return [{"place": place, **row} for place, row in enumerate(rows, 1)]


def _record_answer(record: Record, source: str, key: str, status: int, text: str) -> None:
    try:
        body = _still(json.loads(text))
    except ValueError:
        body = [without_moments(line) for line in text.splitlines()]
    record.add(source, "answer", key, {"status": status, "body": body})


def _still(value: Any) -> Any:
    """Leave out of an answer what no two stores have in common."""
    if isinstance(value, dict):
        return {
            key: "*" if key in _NUMBERED and isinstance(inner, (int, str)) and _is_given(key, inner)
            else _still(inner)
            for key, inner in value.items()
        }  # fmt: skip
    if isinstance(value, list):
        return [_still(inner) for inner in value]
    return without_moments(value) if isinstance(value, str) else value


def _is_given(key: str, value: int | str) -> bool:
    """Tell whether a value was given out: ids of segments and the like are names."""
    return isinstance(value, int) or key in ("next", "cursor")
