"""What routes stand on, and the routes that other programs call for scores."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, has_request_context, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from leadscore.errors import Detail, LeadscoreError
from leadscore.lists.cleaning import CleanRecord, clean_records
from leadscore.lists.corrections import NO_CORRECTIONS, Correction, KnownCorrections
from leadscore.lists.problems import Problem
from leadscore.ranking.order import certainty_answer
from leadscore.ranking.score import FirmScore, Scorer
from leadscore.registry.models import ModelRegistry
from leadscore.store.champions import champion_line
from leadscore.store.database import Database, UnavailableError
from leadscore.store.facts import known_corrections
from leadscore.store.profiles import Profiles
from leadscore.store.scoring import keep_asked
from leadscore.text import Lang, Text, room_words
from leadscore.web.auth import (
    PERMISSIONS,
    Access,
    caller,
    check_may,
    csrf_token,
    current_caller,
    requires,
)
from leadscore.web.errors import (
    GoneError,
    InvalidRequestError,
    asked_language,
    check_named_language,
    named_language,
    preferred_language,
)
from leadscore.web.idempotent import IDEMPOTENCY_PARAMETER, Act, Answer, check_key, written
from leadscore.web.metrics import Metrics, ModelState
from leadscore.web.openapi import (
    LANGUAGE_PARAMETERS,
    SECURED,
    Me,
    ScoreAnswer,
    ScoreRequest,
    api_blueprint,
    refusals,
)

if TYPE_CHECKING:
    from leadscore.learning.readiness import Readiness
    from leadscore.learning.training_data import Rules

WORDS = room_words("web")
LANGUAGE_COOKIE = "leadscore_lang"
_log = logging.getLogger(__name__)

_LOOK_AGAIN_AFTER_SECONDS = 2.0  # at a file of the profile that somebody may have edited


class CurrentScoring:
    """Gives the champion by now, which ``load`` opens, under the profile as it counts now."""

    def __init__(self, load: Callable[[], Scorer], registry: ModelRegistry, profiles: Profiles,
                 database: Database) -> None:  # fmt: skip
        self._load, self._registry = load, registry
        self._profiles, self._database = profiles, database
        self._lock, self._tried = threading.Lock(), float("-inf")
        self._generation = -1
        self._corrections: tuple[tuple[int, date], KnownCorrections] | None = None
        self.fault: Text | None = None  # why the champion can't be opened; the one before scores on
        # Before the champion is opened, so that a change in between is seen.
        self._mark = self._read_mark()
        self._scorer = load()
        self._created = self._created_of(self._scorer.model)

    def scorer(self, generation: int | None = None) -> Scorer:
        """Return what scores; while one thread loads another model, the others keep this one.

        ``generation`` is that of the database, if it is known. Without the database the last
        champion scores on.
        """
        if generation is None:
            try:
                generation = self._database.generation()
            except LeadscoreError:
                return self._scorer
        lately = time.monotonic() - self._tried < _LOOK_AGAIN_AFTER_SECONDS
        if lately and (generation == self._generation or self.fault is not None):
            return self._scorer
        if self._lock.acquire(blocking=False):
            try:
                self._tried = time.monotonic()
                self._take_up()
                self._generation = generation
            finally:
                self._lock.release()
        return self._scorer

    def corrections(self, generation: int | None, today: date) -> KnownCorrections:
        """Return what officers have corrected; read anew only where somebody has written since."""
        kept = self._corrections
        if generation is None:
            try:
                generation = self._database.generation()
            except LeadscoreError:
                if kept is None:
                    raise
                return kept[1]
        asked = generation, today
        if kept is None or kept[0] != asked:
            with self._database.read() as connection:
                kept = asked, known_corrections(connection, as_of=today)
            self._corrections = kept
        return kept[1]

    def model_state(self) -> ModelState:
        """Return which model scores, and how old it is."""
        return ModelState(self._scorer.model, self._created)

    def _take_up(self) -> None:
        try:
            mark = self._read_mark()
            if mark == self._mark and self.fault is None:
                return
            scorer = self._load()
        except UnavailableError:
            return  # which is told of the database, and is no fault of the champion
        except LeadscoreError as error:
            self.fault = Text(zh=error.render("zh"), en=error.render("en"))
            _log.warning("the champion can't be loaded, the model before it scores on: %s", error)
            return
        self._created = self._created_of(scorer.model)
        self._scorer, self._mark, self.fault = scorer, mark, None

    def _read_mark(self) -> tuple[list[str], str]:
        # What decides who serves, and by which profile.
        with self._database.read() as connection:
            city = self._profiles.current(connection).city
            return champion_line(connection, city.id), city.digest

    def _created_of(self, version: str) -> datetime | None:
        try:
            return self._registry.manifest(version).created
        except LeadscoreError:
            return None


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the routes and pages stand on; shared by all threads."""

    scoring: CurrentScoring
    registry: ModelRegistry
    today: Callable[[], date]  # the day as of which firms are scored
    access: Access
    profiles: Profiles
    host: str = "127.0.0.1"  # where the server listens
    # Whether the server's own worker runs; None if workers are run elsewhere.
    worker_alive: Callable[[], bool | None] = lambda: None
    default_lang: Lang = "en"  # of answers to clients that ask for none
    exports: Path = Path("exports")  # folder of the files that exports write
    rules: Callable[[], Rules] | None = None  # what a retraining forecasts; None: the usual
    # What could be learned when it was last asked: with many snapshots that takes seconds.
    readiness: dict[tuple[object, ...], Readiness] = field(default_factory=dict, repr=False)

    @property
    def database(self) -> Database:
        """The database of the store."""
        return self.access.database

    def scorer(self) -> Scorer:
        """Return what scores by now; within a request always the same."""
        if not has_request_context():
            return self.scoring.scorer()
        scorer: Scorer | None = g.get("leadscore_scorer")
        if scorer is None:
            who = current_caller()
            scorer = g.leadscore_scorer = self.scoring.scorer(who.generation if who else None)
        return scorer

    def corrections(self) -> KnownCorrections:
        """Return what officers have corrected of firms by now."""
        who = current_caller()
        return self.scoring.corrections(who.generation if who else None, self.today())

    def lang(self) -> Lang:
        """Return the language in which the API answers the current request."""
        return asked_language(self.default_lang)

    def page_lang(self) -> Lang:
        """Return the language of the current page: as chosen, else as the browser prefers."""
        chosen = named_language(request.cookies.get(LANGUAGE_COOKIE))
        accepted = request.headers.get("Accept-Language")
        return chosen or preferred_language(accepted, self.default_lang)


def scores_answer(
    scorer: Scorer, firms: Sequence[Mapping[str, object]], *, today: date, lang: Lang,
    corrections: KnownCorrections = NO_CORRECTIONS,
) -> dict[str, Any]:  # fmt: skip
    """Return the scores of firms as `leadscore.web.openapi.ScoreAnswer` describes them.

    ``corrections`` are what officers know better of some of them. Raises InvalidRequestError if a
    list would set one of them aside, such as one without a name.
    """
    cleaned = clean_records(firms, today=today)
    _check_all_there(cleaned)
    applied = [corrections.applied(clean.firm) for clean in cleaned]
    scores = scorer.score([firm for firm, _ in applied], as_of=today)
    return {
        "model": scorer.model,
        "city": scorer.city.id,
        "corrected": sum(bool(made) for _, made in applied),
        "scores": [
            _score_answer(score, clean, made, scorer, lang)
            for score, clean, (_, made) in zip(scores, cleaned, applied, strict=True)
        ],
    }


def _score_answer(
    score: FirmScore, clean: CleanRecord, made: Sequence[Correction], scorer: Scorer, lang: Lang
) -> dict[str, object]:
    best = score.best
    return {
        "name": score.firm["name"],
        **{name: getattr(score, name) for name in ("grade", "priority", "likelihood", "fit")},
        "segment": best and best.segment,
        "role": best and best.role,
        "reasons": [reason._asdict() for reason in score.reasons(scorer.wording, lang)],
        "base_points": score.base_points,
        "veto": score.veto,
        "corrections": [one.field for one in made],
        "problems": [_problem(problem, lang) for problem in clean.problems],
        **certainty_answer(scorer, score.interval, lang),
    }


def _check_all_there(cleaned: Sequence[CleanRecord]) -> None:
    lost = [
        (clean, problem) for clean in cleaned for problem in clean.problems if problem.set_aside
    ]
    if lost:
        details = [
            Detail(f"firms[{clean.row - 1}]", problem.found, problem.wanted)
            for clean, problem in lost
        ]
        raise InvalidRequestError(WORDS["scoring.not_firms"].format(count=len(lost)), details)


def _problem(problem: Problem, lang: Lang) -> dict[str, object]:
    assert problem.row is not None  # noqa: S101 (grouped by row)
    firm = f"firms[{problem.row - 1}]"
    return {
        "where": f"{firm}.{problem.column}" if problem.column else firm,
        "got": problem.found,
        "wanted": problem.wanted.pick(lang),
        "code": problem.code,
    }


_ACCESS = Tag(name="access", description="登录 Who are you?")
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


def scoring_routes(dependencies: Dependencies, metrics: Metrics) -> APIBlueprint:
    """Return ``/api/v1/score``."""
    api = api_blueprint("api", "评分 Scores of firms", tag="scoring")

    @api.post(
        "/score",
        operation_id="score",
        summary="为企业评分 Score firms",
        description="一次 1 至 1,000 家，按今天所知评分；除非要求 `store`，否则不保存。读不懂的值按"
        "缺失处理并列出。 1 to 1,000 firms, as they are known today; nothing is stored unless "
        "`store` asks for it; a value that can't be read counts as missing and is told in "
        "`problems`.",
        openapi_extensions={"x-more-parameters": [*LANGUAGE_PARAMETERS, IDEMPOTENCY_PARAMETER]},
        responses={200: ScoreAnswer, **refusals(400, 401, 403, 413, 415, 422, 431, 500, 503, 507)},
    )
    @requires("score")
    def score(body: ScoreRequest) -> Response:
        check_named_language()
        check_key()  # refused also where nothing is stored, as the description has it
        if body.store:
            check_may("record")
            return score_and_keep(body)
        return jsonify(answer_to(body))

    @written(dependencies.access, "firms.score")
    def score_and_keep(act: Act, body: ScoreRequest) -> Answer:
        answer = answer_to(body)
        numbers = keep_asked(
            act.connection, body.given(), scorer=dependencies.scorer(), today=dependencies.today(),
            now=act.now,
        )  # fmt: skip
        for score, number in zip(answer["scores"], numbers, strict=True):
            score["firm"] = number
        return Answer(answer, details={"firms": len(set(numbers))})

    def answer_to(body: ScoreRequest) -> dict[str, Any]:
        answer = scores_answer(
            dependencies.scorer(), body.given(), today=dependencies.today(),
            lang=dependencies.lang(),
            corrections=NO_CORRECTIONS if body.plain else dependencies.corrections(),
        )  # fmt: skip
        metrics.observe_scores(score["likelihood"] for score in answer["scores"])
        return answer

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
        responses={200: Me, **refusals(401, 403, 422, 431, 500, 503, 507)},
    )
    @requires("signed_in")
    def me() -> Response:
        check_named_language()
        who = caller()
        return jsonify(
            actor=who.actor,
            role=who.role,
            permissions=sorted(PERMISSIONS[who.role]),
            csrf_token=None if who.session is None else csrf_token(who.session),
        )

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
