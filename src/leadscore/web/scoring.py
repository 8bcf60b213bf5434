"""The scoring service: firms in, scores of the current champion out."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from leadscore.errors import Detail, LeadscoreError
from leadscore.lists.cleaning import CleanRecord, clean_records
from leadscore.lists.problems import Problem
from leadscore.ranking.reasons import Wording
from leadscore.ranking.score import FirmScore, Scorer
from leadscore.registry.models import Shelf
from leadscore.text import Lang, room_words
from leadscore.web.errors import InvalidRequestError
from leadscore.web.metrics import ModelState

WORDS = room_words("web")


def scores_answer(
    scorer: Scorer, firms: Sequence[Mapping[str, object]], *, today: date, lang: Lang
) -> dict[str, Any]:
    """Return the scores of firms as `leadscore.web.openapi.ScoreAnswer` describes them.

    Raises
    ------
    InvalidRequestError
        If a list would set one of the firms aside, such as one without a name.
    """
    cleaned = clean_records(firms, today=today)
    _check_all_there(cleaned)
    scores = scorer.score([clean.firm for clean in cleaned], as_of=today)
    return {
        "model": scorer.model,
        "city": scorer.city.id,
        "scores": [
            _score_answer(score, clean, scorer.wording, lang)
            for score, clean in zip(scores, cleaned, strict=True)
        ],
    }


def _score_answer(
    score: FirmScore, clean: CleanRecord, wording: Wording, lang: Lang
) -> dict[str, object]:
    best = score.best
    return {
        "name": score.firm["name"],
        "grade": score.grade,
        "priority": score.priority,
        "likelihood": score.likelihood,
        "fit": score.fit,
        "segment": best and best.segment,
        "role": best and best.role,
        "reasons": [
            {
                "feature": reason.feature,
                "value": reason.value,
                "points": reason.points,
                "text": reason.text,
            }
            for reason in score.reasons(wording, lang)
        ],
        "base_points": score.base_points,
        "veto": score.veto,
        "problems": [_problem(problem, lang) for problem in clean.problems],
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


_log = logging.getLogger(__name__)

_TRY_AGAIN_AFTER_SECONDS = 2.0


class CurrentScoring:
    """Gives the champion, whichever that is by now.

    Parameters
    ----------
    scorer
        What scores at first.
    shelf
        Where the champion is named.
    load
        Returns a scorer of the champion.
    """

    def __init__(self, scorer: Scorer, shelf: Shelf, load: Callable[[], Scorer]) -> None:
        self._shelf, self._load, self._scorer = shelf, load, scorer
        self._champion = self._named()
        self._created = self._created_of(scorer.model)
        self._lock, self._failed = threading.Lock(), float("-inf")

    def scorer(self) -> Scorer:
        """Return what scores; while one thread loads another model, the others keep this one."""
        named = self._named()
        if named != self._champion and self._lock.acquire(blocking=False):
            try:
                self._take_up(named)
            finally:
                self._lock.release()
        return self._scorer

    def champion(self) -> str | None:
        """Return the version that should score, or None if none was promoted."""
        return self._shelf.champion(self._scorer.city.id)

    def model_state(self) -> ModelState:
        """Return which model scores, and how old it is."""
        return ModelState(self._scorer.model, self._created)

    def _take_up(self, named: str | None) -> None:
        by_another_thread = named == self._champion
        if by_another_thread or time.monotonic() - self._failed < _TRY_AGAIN_AFTER_SECONDS:
            return
        try:
            scorer = self._load()
        except LeadscoreError as error:
            self._failed = time.monotonic()
            _log.warning("the champion can't be loaded, the model before it scores on: %s", error)
            return
        self._created = self._created_of(scorer.model)
        self._scorer, self._champion = scorer, named

    def _named(self) -> str | None:
        try:
            return self.champion()
        except LeadscoreError:
            return None

    def _created_of(self, version: str) -> datetime | None:
        try:
            return self._shelf.manifest(version).created
        except LeadscoreError:
            return None
