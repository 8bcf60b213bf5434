"""The scoring of the current champion: another model is taken up while the service runs.

Who reads a page must find the champion's name over the champion's scores, so which one it is is
looked up for every request: that costs the reading of one line.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import date, datetime

from leadscore.errors import LeadscoreError
from leadscore.learning.shelf.shelf import Shelf
from leadscore.ranking.score import Scorer
from leadscore.web.metrics import ModelState
from leadscore.web.scored import FirmScoring

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
        """Return the version that should score, or None if none was promoted.

        Raises
        ------
        ModelError
            If the shelf can't be read.
        """
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
            created = self._shelf.manifest(version).get("created")
            return datetime.fromisoformat(str(created)) if created else None
        except (LeadscoreError, ValueError):
            return None
