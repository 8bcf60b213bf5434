"""The routes that other programs call for scores, and whether the service is well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from flask import Blueprint, Response, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from leadscore.errors import LeadscoreError
from leadscore.store.jobs import QueueState
from leadscore.store.scoring import keep_asked
from leadscore.text import Lang, Text, room_words
from leadscore.web.auth import PERMISSIONS, Access, caller, check_may, csrf_token, requires
from leadscore.web.errors import GoneError, check_named_language, named_language, preferred_language
from leadscore.web.idempotent import IDEMPOTENCY_PARAMETER, Act, Answer, check_key, written
from leadscore.web.metrics import Metrics
from leadscore.web.openapi import (
    LANGUAGE_PARAMETERS,
    SECURED,
    Health,
    Me,
    Readiness,
    ScoreAnswer,
    ScoreRequest,
    refusals,
)
from leadscore.web.scoring import CurrentScoring, scores_answer

WORDS = room_words("web")


STUCK_AFTER = timedelta(minutes=10)
"""A queue from which nobody takes anything for so long is stuck."""


Code = Literal["database_away", "champion_unknown", "not_champion", "worker_down", "queue_stuck"]


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """Something that is not as it should be."""

    code: Code
    words: Text


@dataclass(frozen=True, slots=True)
class Condition:
    """How the service is."""

    model: str
    city: str
    shortcomings: tuple[Shortcoming, ...]

    @property
    def status(self) -> Literal["ready", "degraded"]:
        """In one word."""
        return "degraded" if self.shortcomings else "ready"

    @property
    def answers(self) -> bool:
        """Whether requests should be sent here at all: not without the database."""
        return all(each.code != "database_away" for each in self.shortcomings)

    def body(self, lang: Lang) -> dict[str, Any]:
        """Return the condition as plain values: status, model, city, and why it is degraded."""
        because = [
            {"code": each.code, "message": each.words.pick(lang)} for each in self.shortcomings
        ]
        return {
            "status": self.status, "model": self.model, "city": self.city, "because": because,
        }  # fmt: skip


def readiness(
    *,
    serving: str,
    city: str,
    champion: Callable[[], str | None],
    queue: Callable[[], QueueState],
    worker_alive: bool | None,
    now: datetime,
) -> Condition:
    """Look whether the service is well."""
    found = [*_of_model(serving, champion), *_of_queue(queue, now)]
    if worker_alive is False:
        found.append(Shortcoming("worker_down", WORDS["api.no_worker"]))
    return Condition(serving, city, tuple(found))


def _of_model(serving: str, champion: Callable[[], str | None]) -> Sequence[Shortcoming]:
    try:
        wanted = champion()
    except LeadscoreError:
        return [Shortcoming("champion_unknown", WORDS["api.no_champion"].format(serving=serving))]
    if wanted is None or wanted == serving:
        return []
    words = WORDS["api.other_model"].format(champion=wanted, serving=serving)
    return [Shortcoming("not_champion", words)]


def _of_queue(queue: Callable[[], QueueState], now: datetime) -> Sequence[Shortcoming]:
    try:
        state = queue()
    except LeadscoreError:
        return [Shortcoming("database_away", WORDS["api.away"])]
    waiting = state.waiting_since
    # A job may wait for hours behind another one, but not behind nobody.
    works = state.last_beat is not None and now - state.last_beat <= STUCK_AFTER
    if waiting is None or now - waiting <= STUCK_AFTER or works:
        return []
    return [
        Shortcoming(
            "queue_stuck", WORDS["api.stuck"].format(since=waiting.isoformat(timespec="minutes"))
        )
    ]


_SCORING = Tag(name="scoring", description="评分 Scores of firms")
_ACCESS = Tag(name="access", description="登录 Who are you?")
_OPERATION = Tag(name="operation", description="运行 Is the service well?")

_METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
GONE = {
    "/session": WORDS["api.gone_session"],
    "/password": WORDS["api.gone_password"],
    "/me/password": WORDS["api.gone_me_password"],
    "/oidc/<path:_>": WORDS["api.gone_oidc_path"],
    "/users": WORDS["api.users"],
    "/users/<path:_>": WORDS["api.users"],
    "/keys": WORDS["api.keys"],
    "/keys/<path:_>": WORDS["api.keys"],
    "/audit": WORDS["api.gone_audit"],
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
            act.connection, body.given(), scorer=current.scorer(), today=today(), now=act.now
        )
        for each, number in zip(answer["scores"], numbers, strict=True):
            each["firm"] = number
        return Answer(answer, details={"firms": len(set(numbers))})

    def answer_to(body: ScoreRequest) -> dict[str, Any]:
        lang = asked_language(default_lang)
        answer = scores_answer(current.scorer(), body.given(), today=today(), lang=lang)
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
