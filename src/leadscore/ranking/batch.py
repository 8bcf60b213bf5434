"""Ranks a list: reads it, cleans it, scores its firms and puts them in order."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import pandas as pd

from leadscore.errors import LeadscoreError
from leadscore.features.catalogue import Firm
from leadscore.lists.cleaning import CleanList
from leadscore.lists.corrections import NO_CORRECTIONS, Correction, KnownCorrections
from leadscore.lists.mapping import NO_MAPPING, read_mapped
from leadscore.lists.own_columns import own_headers, own_values, with_own_columns
from leadscore.lists.problems import Problem
from leadscore.lists.understanding import firms_of, plain_attributes
from leadscore.ranking.order import Columns, ranking_columns, ranking_table, reasons_of
from leadscore.ranking.reasons import corrections_line
from leadscore.ranking.score import CHUNK, FirmScore, Scorer
from leadscore.ranking.vetoes import Exclusions
from leadscore.text import Lang, Text, room_words

if TYPE_CHECKING:
    from concurrent.futures import Future

WORDS = room_words("ranking")

_LONG_LIST = 20_000  # rows from which processes pay: each takes nearly a second of a core to start
_MOST_PROCESSES = 8  # that score a list unasked: each takes about 150 MB
_PIECES = 4  # for each process, so that none waits long for the last one
_WATCH_SECONDS = 1.0  # between two looks whether the parent lives
_NO_EXCLUSIONS = Exclusions()


class LostProcessError(LeadscoreError):
    """A process that scored a part of a list ended before its time."""

    code = "lost_process"


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
    """A ranked list."""

    table: pd.DataFrame  # see `leadscore.ranking.order.ranking_table`
    problems: tuple[Problem, ...]  # everything that could not be taken as it stood
    notices: tuple[Text, ...]  # what the reader should know of the file as a whole
    counts: Counts  # where every row went
    model: str  # version of the model that scored
    firms: pd.DataFrame  # as they were scored: canonical columns, ``row`` and ``sheet``
    corrected: int = 0  # firms of which officers had corrected something

    def attributes(self, lang: Lang) -> dict[str, object]:
        """Return what the table alone does not say, as plain values for its ``attrs``.

        They are ``counts`` (a sentence), ``corrected`` (how many firms) and those of
        `plain_attributes`.
        """
        counts = {"counts": self.counts.sentence().pick(lang), "corrected": self.corrected}
        return counts | plain_attributes(self.problems, self.notices, lang)


def rank_list(
    listed: Path | pd.DataFrame, scorer: Scorer, *, today: date, lang: Lang,
    exclusions: Exclusions = _NO_EXCLUSIONS, worded: int | None = None, processes: int | None = 1,
    mapping: Mapping[str, str] = NO_MAPPING, corrections: KnownCorrections = NO_CORRECTIONS,
    loaded: Callable[[CleanList], Callable[[int], object]] = lambda _: lambda _: None,
) -> Ranking:  # fmt: skip
    """Rank a file or a table of firms.

    ``mapping`` says what columns mean, see `leadscore.lists.mapping`; ``corrections`` are what
    officers know better of some of the firms. Raises ListError if the file
    can't be read as a list, or the mapping names what isn't there.
    """
    read = read_mapped(listed, mapping)
    if processes is None:
        processes = processes_for(sum(len(table.rows) for table in read.meant.tables)) or 1
    task = _Task(today, exclusions, lang, reasons=worded is None)
    with scoring_processes(scorer, 0 if processes == 1 else processes) as score:
        cleaned, own = firms_of(read, today=today), own_values(read)
        del read  # the text of a long list
        cleaned, made = _corrected(cleaned, corrections)
        firms, progress = cleaned.records, loaded(cleaned)
        size = min(CHUNK, len(firms) // (_PIECES * processes) + 1)
        pieces = [firms[at : at + size] for at in range(0, max(len(firms), 1), size)]
        columns: Columns = {}
        for piece, more in zip(pieces, score(task.columns, pieces), strict=True):
            for name, values in more.items():
                columns.setdefault(name, []).extend(values)
            progress(len(piece))
    table = ranking_table(columns, cleaned.firms, scorer.model)
    if worded is not None:
        first = table.index[table["rank"].notna()][:worded]
        scores = task.scores(scorer, [firms[at] for at in first])
        table.loc[first, "reasons"] = [reasons_of(score, scorer.wording, lang) for score in scores]
    if made:
        lines = {at: corrections_line(of, scorer.wording, lang) for at, of in made.items()}
        table["corrections"] = pd.Series([lines.get(at) for at in table.index], table.index, "str")
    if own:
        rows = cleaned.firms.loc[table.index, ["sheet", "row"]]
        sheets = rows["sheet"].astype(object).where(rows["sheet"].notna(), None)
        keys = zip(sheets.tolist(), rows["row"].tolist(), strict=True)
        table = with_own_columns(table, own_headers(own), [own.get(key, {}) for key in keys])
    table = table.reset_index(drop=True)
    vetoed = int(table["veto"].notna().sum())
    set_aside = sum(problem.set_aside for problem in cleaned.problems)
    counts = Counts(cleaned.rows_in, len(table) - vetoed, vetoed, set_aside)
    return Ranking(
        table, cleaned.problems, cleaned.notices, counts, scorer.model, cleaned.firms, len(made)
    )


def _corrected(
    cleaned: CleanList, corrections: KnownCorrections
) -> tuple[CleanList, dict[int, tuple[Correction, ...]]]:
    # The firms as they count, and what was corrected of each, by its place.
    applied = [corrections.applied(firm) for firm in cleaned.records] if corrections else []
    made = {at: of for at, (_, of) in enumerate(applied) if of}
    if made:
        cleaned = replace(cleaned, records=[firm for firm, _ in applied])
    return cleaned, made


@dataclass(frozen=True)
class _Task:
    as_of: date
    exclusions: Exclusions
    lang: Lang
    reasons: bool

    def scores(self, scorer: Scorer, firms: Sequence[Firm]) -> list[FirmScore]:
        return scorer.score(firms, as_of=self.as_of, exclusions=self.exclusions)

    def columns(self, scorer: Scorer, firms: Sequence[Firm]) -> Columns:
        scores = self.scores(scorer, firms)
        return ranking_columns(scores, scorer, self.lang, reasons=self.reasons)


_Result = TypeVar("_Result")
_Work = Callable[[Scorer, Sequence[Firm]], _Result]


class _Score(Protocol):
    def __call__(
        self, work: _Work[_Result], pieces: Iterable[Sequence[Firm]]
    ) -> Iterator[_Result]: ...


@contextmanager
def scoring_processes(scorer: Scorer, processes: int) -> Iterator[_Score]:
    """Give a function that does some work with a scorer on pieces of a list, and yields in order.

    0 ``processes`` are none: then it is done here, when it is asked for. Others start at once,
    while the list is still being cleaned, and are gone when the block ends, or this process does.
    The work is to be picklable. Raises `LostProcessError` if one of them ends before.
    """
    if not processes:
        yield lambda work, pieces: (work(scorer, piece) for piece in pieces)
        return
    # Late, for start-up time: most lists are short.
    from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor

    packed = pickle.dumps(scorer)
    pool = ProcessPoolExecutor(processes, initializer=_end_with, initargs=(os.getpid(),))

    def score(work: _Work[_Result], pieces: Iterable[Sequence[Firm]]) -> Iterator[_Result]:
        # Not by the pool's own map: a pool can kill its processes only where no work was cancelled
        # and all that was handed in has its place in the queue, two pieces for each process.
        futures: deque[Future[_Result]] = deque()
        for piece in pieces:
            futures.append(pool.submit(_done, packed, work, piece))
            if len(futures) == 2 * processes:
                yield futures.popleft().result()
        while futures:
            yield futures.popleft().result()

    try:
        with _interrupts_left_here():
            for _ in range(processes):
                pool.submit(_start, packed)
        yield score
    except BrokenProcessPool as error:
        raise LostProcessError(WORDS["batch.lost"]) from error
    finally:
        pool.shutdown(kill_workers=True)


def _end_with(parent: int) -> None:
    # Where the parent is killed nobody tells its processes, and they wait for work for ever.
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent watchdog", daemon=True).start()


@contextmanager
def _interrupts_left_here() -> Iterator[None]:
    # Processes that start within ignore Ctrl-C, which ends them through this one. Only a main
    # thread can see to that, and only a main thread is interrupted.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _start(packed: bytes) -> None:
    _unpacked(packed)


def _done(packed: bytes, work: _Work[_Result], firms: Sequence[Firm]) -> _Result:
    return work(_unpacked(packed), firms)


@lru_cache(maxsize=1)
def _unpacked(packed: bytes) -> Scorer:
    scorer: Scorer = pickle.loads(packed)  # noqa: S301 (bytes of the process that started this one)
    return scorer


def processes_for(rows: int, *, spared: int = 0) -> int:
    """Return how many processes pay for a list, of those cores that are not ``spared``.

    0 if they don't: then the list is scored here.
    """
    if rows < _LONG_LIST:
        return 0
    from joblib import cpu_count  # late, as in `scoring_processes`

    return max(1, min(int(cpu_count()) - spared, _MOST_PROCESSES))
