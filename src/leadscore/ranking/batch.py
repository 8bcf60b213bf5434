"""Ranks a list: reads it, cleans it, scores its firms and puts them in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.dedupe import load_list, settle_repeats
from leadscore.lists.problems import Problem
from leadscore.lists.reading.file import from_frame
from leadscore.ranking.order import ranking_table
from leadscore.ranking.score import Scorer
from leadscore.ranking.vetoes import Exclusions
from leadscore.text import Lang, Text, room_words

WORDS = room_words("ranking")


_NO_EXCLUSIONS = Exclusions()


@dataclass(frozen=True)
class Counts:
    """Where every row of the list went: ``rows = ranked + vetoed + set_aside``."""

    rows: int
    ranked: int
    vetoed: int
    set_aside: int

    def sentence(self) -> Text:
        """Return the sum in words."""
        return WORDS["batch.sentence"].format(
            rows=self.rows, ranked=self.ranked, vetoed=self.vetoed, set_aside=self.set_aside
        )


@dataclass(frozen=True)
class Ranking:
    """A ranked list.

    Attributes
    ----------
    table
        See `leadscore.ranking.order.ranking_table`.
    problems
        Everything that could not be taken as it stood.
    notices
        What the reader should know of the file as a whole.
    counts
        Where every row went.
    model
        Version of the model that scored.
    firms
        The firms that were scored, as they were known: canonical columns, ``row`` and ``sheet``.
    """

    table: pd.DataFrame
    problems: tuple[Problem, ...]
    notices: tuple[Text, ...]
    counts: Counts
    model: str
    firms: pd.DataFrame

    def attributes(self, lang: Lang) -> dict[str, object]:
        """Return what the table alone does not say, as plain values for its ``attrs``.

        A frame among them would break comparing, joining and Parquet, hence the plain values:
        ``counts`` (a sentence), ``notices`` (sentences) and ``problems`` (a dict each, with the
        columns of `leadscore.lists.writing.write_problems`).
        """
        problems = ({**asdict(each), "wanted": each.wanted.pick(lang)} for each in self.problems)
        return {
            "counts": self.counts.sentence().pick(lang),
            "notices": [notice.pick(lang) for notice in self.notices],
            "problems": _Shared(problems),
        }


class _Shared(list[dict[str, object]]):
    """A list that is not copied: pandas copies ``attrs`` at every step, and it may be long."""

    def __deepcopy__(self, memo: dict[int, object]) -> _Shared:
        return self


def rank_list(
    listed: Path | pd.DataFrame,
    scorer: Scorer,
    *,
    today: date,
    lang: Lang,
    exclusions: Exclusions = _NO_EXCLUSIONS,
    loaded: Callable[[CleanList], Callable[[int], object]] = lambda _: lambda _: None,
) -> Ranking:
    """Rank a file or a table of firms.

    Parameters
    ----------
    listed
        A file that `leadscore.lists.read_list` reads, or a DataFrame with columns under any of the
        names that it knows.
    scorer
        The model with its city.
    today
        Day as of which the firms are scored.
    lang
        Language of the reasons.
    exclusions
        Firms that are not to be courted.
    loaded
        Called once with the clean list before it is scored; what it returns is called with the
        number of firms scored so far by each step.

    Raises
    ------
    ListError
        If the file can't be read as a list.
    """
    if isinstance(listed, pd.DataFrame):
        cleaned = settle_repeats(clean(from_frame(listed), today=today))
    else:
        cleaned = load_list(listed, today=today)
    scores = scorer.score(
        cleaned.records, as_of=today, exclusions=exclusions, progress=loaded(cleaned)
    )
    table = ranking_table(scores, cleaned.firms, scorer, lang=lang)
    vetoed = int(table["veto"].notna().sum())
    counts = Counts(
        rows=cleaned.rows_in,
        ranked=len(table) - vetoed,
        vetoed=vetoed,
        set_aside=sum(problem.set_aside for problem in cleaned.problems),
    )
    return Ranking(table, cleaned.problems, cleaned.notices, counts, scorer.model, cleaned.firms)
