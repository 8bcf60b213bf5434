"""From firms asked for to the answer: the same walk as a list takes, for a list of any length."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from leadscore.errors import Detail
from leadscore.language import Lang, Text
from leadscore.lists.cleaning import CleanRecord, clean_records
from leadscore.lists.problems import Problem
from leadscore.ranking.score import FirmScore, Scorer
from leadscore.web.errors import InvalidRequestError

_NOT_FIRMS = Text(
    zh="有{count}项不是可以评分的企业", en="{count} of the items can't be scored as firms"
)


class FirmScoring:
    """Scores firms as they are known today.

    Parameters
    ----------
    scorer
        The model with its city.
    clock
        Returns the day as of which firms are scored.
    """

    def __init__(self, scorer: Scorer, clock: Callable[[], date]) -> None:
        self.scorer = scorer
        self._clock = clock

    def answer(self, firms: Sequence[Mapping[str, object]], lang: Lang) -> dict[str, Any]:
        """Return the answer (see `leadscore.web.payloads.ScoreAnswer`) in the order of the firms.

        Raises
        ------
        InvalidRequestError
            If a list would set one of the firms aside, such as one without a name.
        """
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
                {name: getattr(reason, name) for name in ("feature", "value", "points", "text")}
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
        raise InvalidRequestError(_NOT_FIRMS.format(count=len(lost)), details)


def _problem(problem: Problem, lang: Lang) -> dict[str, object]:
    assert problem.row is not None  # noqa: S101 (grouped by row)
    firm = f"firms[{problem.row - 1}]"
    return {
        "where": f"{firm}.{problem.column}" if problem.column else firm,
        "got": problem.found,
        "wanted": problem.wanted.pick(lang),
        "code": problem.code,
    }
