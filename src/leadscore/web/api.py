"""The routes that other programs call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Response, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from leadscore.language import Lang
from leadscore.store.firms.writing import keep_asked
from leadscore.web.access.callers import Access, check_may
from leadscore.web.access.permissions import requires
from leadscore.web.access.routes_session import SECURED
from leadscore.web.asked_language import (
    check_named_language,
    named_language,
    preferred_language,
)
from leadscore.web.current import CurrentScoring
from leadscore.web.documentation import LANGUAGE_PARAMETERS, refusals
from leadscore.web.idempotent import IDEMPOTENCY_PARAMETER, Act, Answer, check_key, written
from leadscore.web.metrics import Metrics
from leadscore.web.payloads import Health, Readiness, ScoreAnswer, ScoreRequest
from leadscore.web.readiness import Condition

_SCORING = Tag(name="scoring", description="评分 Scores of firms")
_OPERATION = Tag(name="operation", description="运行 Is the service well?")


def asked_language(default: Lang) -> Lang:
    """Return the language of the answer to the current request."""
    named = named_language(request.args.get("lang"))
    return named or preferred_language(request.headers.get("Accept-Language"), default)


def scoring_routes(
    current: CurrentScoring,
    metrics: Metrics,
    access: Access,
    today: Callable[[], date],
    default_lang: Lang,
) -> APIBlueprint:
    """Return ``/api/v1/score``."""
    api = APIBlueprint(
        "api", __name__, url_prefix="/api/v1", abp_tags=[_SCORING], abp_security=SECURED
    )

    @api.post(
        "/score",
        operation_id="score",
        summary="为企业评分 Score firms",
        description="一次 1 至 1,000 家，按今天所知评分；除非要求 `store`，否则不保存。读不懂的值按"
        "缺失处理并列出。 1 to 1,000 firms, as they are known today; nothing is stored unless "
        "`store` asks for it; a value that can't be read counts as missing and is told in "
        "`problems`.",
        openapi_extensions={"x-more-parameters": [*LANGUAGE_PARAMETERS, IDEMPOTENCY_PARAMETER]},
        responses={200: ScoreAnswer, **refusals(400, 401, 403, 413, 415, 422, 431, 500)},
    )
    @requires("score")
    def score(body: ScoreRequest) -> Response:
        check_named_language(request.args.get("lang"))
        check_key()  # refused also where nothing is stored, as the description has it
        if body.store:
            check_may("record")
            return score_and_keep(body)
        return jsonify(answer_to(body))

    @written(access, "firms.score")
    def score_and_keep(act: Act, body: ScoreRequest) -> Answer:
        answer = answer_to(body)
        numbers = keep_asked(
            act.connection, body.given(), scorer=current.get().scorer, today=today(), now=act.now
        )
        for each, number in zip(answer["scores"], numbers, strict=True):
            each["firm"] = number
        return Answer(answer, details={"firms": len(set(numbers))})

    def answer_to(body: ScoreRequest) -> dict[str, Any]:
        answer = current.get().answer(body.given(), asked_language(default_lang))
        metrics.observe_scores(score["likelihood"] for score in answer["scores"])
        return answer

    return api


def operation_routes(condition: Callable[[], Condition], default_lang: Lang) -> APIBlueprint:
    """Return ``/healthz`` and ``/readyz``."""
    api = APIBlueprint("operation", __name__, abp_tags=[_OPERATION])

    @api.get(
        "/healthz",
        operation_id="healthz",
        summary="进程是否在运行 Does the process answer?",
        responses={200: Health, **refusals(431, 500)},
    )
    @requires("public")
    def healthz() -> dict[str, Any]:
        return {"status": "ok"}

    @api.get(
        "/readyz",
        operation_id="readyz",
        summary="能否工作，若不好是为何 Can it work, and if not well, why?",
        openapi_extensions={"x-more-parameters": LANGUAGE_PARAMETERS},
        responses={200: Readiness, 503: Readiness, **refusals(422, 431, 500)},
    )
    @requires("public")
    def readyz() -> tuple[dict[str, Any], int]:
        check_named_language(request.args.get("lang"))
        found = condition()
        return found.body(asked_language(default_lang)), 200 if found.answers else 503

    return api
