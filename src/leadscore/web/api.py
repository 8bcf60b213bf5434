"""The routes that other programs call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from leadscore.language import Lang, Text
from leadscore.store.firms.writing import keep_asked
from leadscore.web.access.callers import Access, caller, check_may
from leadscore.web.access.cookies import csrf_token
from leadscore.web.access.permissions import PERMISSIONS, requires
from leadscore.web.asked_language import (
    check_named_language,
    named_language,
    preferred_language,
)
from leadscore.web.current import CurrentScoring
from leadscore.web.documentation import LANGUAGE_PARAMETERS, SECURED, refusals
from leadscore.web.errors import GoneError
from leadscore.web.idempotent import IDEMPOTENCY_PARAMETER, Act, Answer, check_key, written
from leadscore.web.metrics import Metrics
from leadscore.web.payloads import Health, Me, Readiness, ScoreAnswer, ScoreRequest
from leadscore.web.readiness import Condition

_SCORING = Tag(name="scoring", description="评分 Scores of firms")
_ACCESS = Tag(name="access", description="登录 Who are you?")
_OPERATION = Tag(name="operation", description="运行 Is the service well?")

_METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
_USERS = Text(
    zh="用户改由网页 /administration/users 或命令 leadscore users 管理",
    en="users are managed on the page /administration/users or by leadscore users",
)
_KEYS = Text(
    zh="密钥改由网页 /administration/keys 或命令 leadscore keys 管理",
    en="keys are managed on the page /administration/keys or by leadscore keys",
)
GONE = {
    "/session": Text(
        zh="程序请用密钥（Authorization: Bearer，由 leadscore keys add 生成），"
        "人员请到网页 /login 登录",
        en="programs show a key (Authorization: Bearer, made by leadscore keys add); people log in "
        "on the page /login",
    ),
    "/password": Text(
        zh="密码改在网页 /password 用一次性链接设置",
        en="a password is set by a one-time link on the page /password",
    ),
    "/me/password": Text(
        zh="自己的密码改在网页 /account 更改",
        en="one's own password is changed on the page /account",
    ),
    "/oidc/<path:_>": Text(
        zh="统一登录改由本单位的反向代理完成，请管理员看 docs/running.zh-CN.md；"
        "密码登录在网页 /login",
        en="the office's own log-in comes through its reverse proxy now, see docs/running.md; "
        "passwords are asked for on the page /login",
    ),
    "/users": _USERS,
    "/users/<path:_>": _USERS,
    "/keys": _KEYS,
    "/keys/<path:_>": _KEYS,
    "/audit": Text(
        zh="审计记录改在网页 /administration/audit 查看和下载，用命令 leadscore audit verify 核对",
        en="the audit is read and downloaded on the page /administration/audit, and checked by "
        "leadscore audit verify",
    ),
}
"""What was under ``/api/v1`` once, and what to do instead; an address is never used again."""


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
        check_named_language()
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
        check_named_language()
        found = condition()
        return found.body(asked_language(default_lang)), 200 if found.answers else 503

    return api


def me_routes() -> APIBlueprint:
    """Return ``/api/v1/me``."""
    api = APIBlueprint("me", __name__, url_prefix="/api/v1", abp_tags=[_ACCESS])

    @api.get(
        "/me",
        operation_id="me",
        summary="我是谁 Who am I?",
        security=SECURED,
        openapi_extensions={"x-more-parameters": LANGUAGE_PARAMETERS},
        responses={200: Me, **refusals(401, 403, 422, 431, 500)},
    )
    @requires("signed_in")
    def me() -> Response:
        check_named_language()
        found = caller()
        answer = Me(
            actor=found.actor,
            role=found.role,
            permissions=sorted(PERMISSIONS[found.role]),
            csrf_token=None if found.session is None else csrf_token(found.session),
        )
        return jsonify(answer.model_dump())

    return api


def gone_routes() -> Blueprint:
    """Return what answers 410 to every method, whoever asks; the description names none of it."""
    gone = Blueprint("gone", __name__, url_prefix="/api/v1")

    def refuse(instead: Text) -> Callable[..., Response]:
        @requires("public")
        def refused(**_: str) -> Response:
            raise GoneError(instead)

        return refused

    for number, (rule, instead) in enumerate(GONE.items()):
        gone.add_url_rule(
            rule, f"gone_{number}", refuse(instead), methods=_METHODS,
            provide_automatic_options=False,
        )  # fmt: skip
    return gone
