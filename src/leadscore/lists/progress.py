"""What a cell says of how far a pursuit has come: a stage, several with their days, or a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from leadscore.lists.outcome_columns import MAY_END, MILESTONES, WRITTEN_DAY, day_in, milestone_of
from leadscore.lists.values.dates import day_of
from leadscore.lists.values.elsewhere import Here
from leadscore.lists.values.stages import stage_said
from leadscore.lists.values.words import STAGES, VOCABULARY, tidy_word

ENDS = ("lost", "paused")
_MEANT = re.compile(VOCABULARY["outcomes"]["meant"])
_BETWEEN_STEPS = re.compile(r"[\r\n\x0b;；。]+|[,，、](?=\s*(?:19|20)\d\d)|->|→|=>")
_NUMBER_BEFORE = re.compile(r"^\s*(?:[(（]?\d{1,2}[)）、]|\d{1,2}[.．](?!\d)|[①-⑳•·*-])\s*")
_AROUND_DAY = re.compile(r"^[\s:：,，、()（）\[\]【】\-—–~]+|[\s:：,，、()（）\[\]【】\-—–~]+$")
_CLAUSE = re.compile(r"[,，;；。、]")


class Said(NamedTuple):
    """What a cell says: a stage or milestone, or ``steps`` (each with its day as written).

    ``kind`` is "stage", "steps", "meant" (nothing is reached yet), "skipped" (its owner says that
    it tells none), "mixed" (steps, not all understood) or "unknown"; ``day`` is the one that the
    cell gives for the stage itself.
    """

    kind: str
    stage: str | None = None
    reason: str | None = None
    day: str | None = None
    steps: tuple[tuple[str, str, str | None], ...] = ()


class ProgressReader(dict[str, Said]):
    """Reads cells of stages, each distinct text once; ``given`` has stages or "-" by tidy word.

    >>> reader = ProgressReader({"不谈了": "lost"}, frozenset())
    >>> reader["不谈了"].stage, reader["2024.3 对接；2024.6 签约"].steps
    ('lost', (('contacted', '2024.3', None), ('signed', '2024.6', None)))
    """

    def __init__(self, given: Mapping[str, str], here: Here) -> None:
        self._given, self._here = given, here

    def __missing__(self, text: str) -> Said:
        """Read a text that was not read before, and remember it."""
        self[text] = said = self._read(text)
        return said

    def _read(self, text: str) -> Said:
        word = tidy_word(text)
        if word in self._given:
            return self._one(text)
        lines = "\n".join(_NUMBER_BEFORE.sub("", line) for line in text.splitlines())
        pieces = [_NUMBER_BEFORE.sub("", piece) for piece in _BETWEEN_STEPS.split(lines)]
        pieces = [piece for piece in pieces if piece.strip()]
        dated = [piece for piece in pieces if WRITTEN_DAY.search(piece)]
        if len(pieces) > 1 and dated:
            return self._steps(pieces)
        if len(dated) == 1 and (day := day_in(text)) and day_of(day):
            bare = _AROUND_DAY.sub("", text.replace(day, "", 1))
            said = self._one(bare)
            if said.kind == "stage" and not _CLAUSE.search(bare):
                return said._replace(day=day)
            if said.kind == "stage":
                own = [part for part in _CLAUSE.split(text) if day in part]
                same = len(own) == 1 and self._one(own[0].replace(day, "", 1)).stage == said.stage
                return said._replace(day=day if same else None)
        return self._one(text)

    def _one(self, text: str) -> Said:
        word = tidy_word(text)
        if (given := self._given.get(word)) is not None:
            return Said("skipped") if given == "-" else Said("stage", given)
        if milestone := milestone_of(text):
            return Said("stage", milestone)
        said = stage_said(text, self._here)
        if said.stage is not None:
            return Said("stage", said.stage, said.reason)
        denied = said.kind == "not_reached" and not MAY_END.search(word)
        return Said("meant" if denied or _MEANT.fullmatch(word) else "unknown")

    def _steps(self, pieces: list[str]) -> Said:
        steps = []
        for piece in pieces:
            day = day_in(piece)
            said = self._one(_AROUND_DAY.sub("", piece.replace(day, "", 1)) if day else piece)
            if said.kind in ("meant", "skipped"):
                continue
            if said.kind != "stage" or said.stage is None or day is None or day_of(day) is None:
                return Said("mixed")
            steps.append((said.stage, day, said.reason))
        reached = {*STAGES, *MILESTONES}.intersection(stage for stage, _, _ in steps)
        return Said("steps", steps=tuple(steps)) if reached else Said("meant")
