"""From firms asked for to the answer: the same walk as a list takes, for a list of any length."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

import pandas as pd

from leadscore.errors import Detail
from leadscore.language import Lang, Text
from leadscore.lists import clean, from_records
from leadscore.lists.problems import Problem
from leadscore.ranking.scoring import Scorer, Scores
from leadscore.web.errors import InvalidRequestError

_NOT_FIRMS = Text(
    zh="有{count}项不是可以评分的企业", en="{count} of the items can't be scored as firms"
)
_A_FIRM = Text(zh="一家有名称的企业", en="a firm with a name")


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

    def answer(self, firms: Sequence[Mapping[str, object]], lang: Lang) -> dict[str, object]:
        """Return the answer (see `leadscore.web.payloads.ScoreAnswer`) in the order of the firms.

        Raises
        ------
        InvalidRequestError
            If a list would set one of the firms aside, such as one without a name.
        """
        today = self._clock()
        cleaned = clean(from_records(firms), today=today)
        problems = _by_row(cleaned.problems)
        _check_all_there(len(firms), cleaned.firms["row"], problems)
        scores = self.scorer.score(cleaned.firms, as_of=today)
        return {
            "model": self.scorer.model,
            "city": self.scorer.city.id,
            "scores": _scores(scores, problems, lang),
        }


def _by_row(problems: Iterable[Problem]) -> Mapping[int, list[Problem]]:
    """Group what is wrong by the firm (numbered from 1, as the rows of a list are)."""
    grouped: defaultdict[int, list[Problem]] = defaultdict(list)
    for problem in problems:
        if problem.row is not None:
            grouped[problem.row].append(problem)
    return grouped


def _check_all_there(asked: int, rows: pd.Series, problems: Mapping[int, list[Problem]]) -> None:
    lost = sorted(set(range(1, asked + 1)) - set(rows))
    if not lost:
        return
    details = []
    for row in lost:
        why = next((problem for problem in problems.get(row, []) if problem.set_aside), None)
        where = f"firms[{row - 1}]"
        details.append(Detail(where, why.found, why.wanted) if why else Detail(where, "∅", _A_FIRM))
    raise InvalidRequestError(_NOT_FIRMS.format(count=len(lost)), details)


def _scores(
    scores: Scores, problems: Mapping[int, list[Problem]], lang: Lang
) -> list[dict[str, object]]:
    """Return one answer a firm; columns become lists once, so that the loop only picks."""
    best = scores.measured.best
    columns = zip(
        scores.firms["name"].to_list(),
        scores.grade.tolist(),
        scores.priority.tolist(),
        scores.likelihood.tolist(),
        scores.fit.tolist(),
        _or_none(best["segment"]),
        _or_none(best["role"]),
        _or_none(scores.veto),
        scores.firms["row"].to_list(),
        strict=True,
    )
    return [
        {
            "name": name,
            "grade": grade,
            "priority": priority,
            "likelihood": likelihood,
            "fit": fit,
            "segment": segment,
            "role": role,
            "reasons": _reasons(scores, firm, lang),
            "base_points": scores.base_points,
            "veto": veto,
            "problems": [_problem(problem, lang) for problem in problems.get(row, [])],
        }
        for firm, (name, grade, priority, likelihood, fit, segment, role, veto, row) in enumerate(
            columns
        )
    ]


def _reasons(scores: Scores, firm: int, lang: Lang) -> list[dict[str, object]]:
    return [
        {
            "feature": reason.feature,
            "value": reason.value,
            "points": reason.points,
            "text": reason.text.pick(lang),
        }
        for reason in scores.reasons(firm)
    ]


def _problem(problem: Problem, lang: Lang) -> dict[str, object]:
    assert problem.row is not None  # noqa: S101 (grouped by row)
    firm = f"firms[{problem.row - 1}]"
    return {
        "where": f"{firm}.{problem.column}" if problem.column else firm,
        "got": problem.found,
        "wanted": problem.wanted.pick(lang),
        "code": problem.code,
    }


def _or_none(column: pd.Series) -> list[str | None]:
    return [value if isinstance(value, str) else None for value in column.to_list()]
