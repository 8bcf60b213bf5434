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
from leadscore.ranking.score import FirmScore, Scorer
from leadscore.registry.models import Shelf
from leadscore.text import Lang, room_words
from leadscore.web.errors import InvalidRequestError
from leadscore.web.metrics import ModelState

WORDS = room_words("web")


class FirmScoring:
    """Scores firms as they are known today."""

    def __init__(self, scorer: Scorer, clock: Callable[[], date]) -> None:
        self.scorer = scorer
        self._clock = clock

    def answer(self, firms: Sequence[Mapping[str, object]], lang: Lang) -> dict[str, Any]:
        """Return the answer (see `leadscore.web.openapi.ScoreAnswer`) in the order of the firms."""
        today = self._clock()
        cleaned = clean_records(firms, today=today)
        _check_all_there(cleaned)
        scores = self.scorer.score([each.firm for each in cleaned], as_of=today)
        return {
            "model": self.scorer.model,
            "city": self.scorer.city.id,
            "scores": [
                self._score(score, clean, lang)
                for score, clean in zip(scores, cleaned, strict=True)
            ],
        }

    def _score(self, score: FirmScore, clean: CleanRecord, lang: Lang) -> dict[str, object]:
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
                for reason in score.reasons(self.scorer.wording, lang)
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
    """Gives the scoring of the champion, whichever that is by now.

    Parameters
    ----------
    scorer
        What scores at first.
    shelf
        Where the champion is named.
    load
        Returns a scorer of the champion.
    today
        Returns the day as of which firms are scored.
    """

    def __init__(
        self, scorer: Scorer, shelf: Shelf, load: Callable[[], Scorer], today: Callable[[], date]
    ) -> None:
        self._shelf, self._load, self._today = shelf, load, today
        self._scoring = FirmScoring(scorer, today)
        self._champion = self._named()
        self._created = self._created_of(scorer.model)
        self._lock, self._failed = threading.Lock(), float("-inf")

    def get(self) -> FirmScoring:
        """Return the scoring; while one thread loads another model, the others keep this one."""
        named = self._named()
        if named != self._champion and self._lock.acquire(blocking=False):
            try:
                self._take_up(named)
            finally:
                self._lock.release()
        return self._scoring

    def champion(self) -> str | None:
        """Return the version that should score, or None if none was promoted."""
        return self._shelf.champion(self._scoring.scorer.city.id)

    def model_state(self) -> ModelState:
        """Return which model scores, and how old it is."""
        return ModelState(self._scoring.scorer.model, self._created)

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
        self._scoring, self._champion = FirmScoring(scorer, self._today), named

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
