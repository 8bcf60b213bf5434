"""A long list is scored in pieces by several processes; that changes nothing but the time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from tests.kept_lists import scorer

from leadscore.ranking.batch import LostProcessError, Ranking, rank_list
from leadscore.ranking.vetoes import Exclusions
from leadscore.text import Lang

TODAY = date(2026, 11, 24)
SAMPLE = Path("data/samples/electronics.csv")
ALONE = """
import signal
import sys
from datetime import date
from pathlib import Path
from tests.kept_lists import scorer
from leadscore.ranking.batch import rank_list

# Whoever runs the tests in the background may have them ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

def loaded(cleaned):
    print("scoring", flush=True)
    sys.stdin.readline()
    return lambda count: None

rank_list(
    Path(sys.argv[1]), scorer(), today=date(2026, 11, 24), lang="en", processes=2, loaded=loaded
)
print("ranked", flush=True)
"""


def ranked(
    processes: int, *, lang: Lang = "zh", worded: int | None = None, steps: list[int] | None = None
) -> Ranking:
    progress = ([] if steps is None else steps).append
    return rank_list(
        SAMPLE, scorer(), today=TODAY, lang=lang, processes=processes, worded=worded,
        loaded=lambda _: progress,
    )  # fmt: skip


@pytest.fixture(scope="module")
def alone() -> Ranking:
    return ranked(1)


def test_two_processes_rank_as_one_does(alone: Ranking) -> None:
    steps: list[int] = []
    together = ranked(2, steps=steps)
    pd.testing.assert_frame_equal(together.table, alone.table)
    pd.testing.assert_frame_equal(together.firms, alone.firms)
    assert together.problems == alone.problems
    assert together.notices == alone.notices
    assert together.counts == alone.counts
    assert len(steps) > 2
    assert sum(steps) == len(alone.table)


@pytest.mark.parametrize("processes", [1, 2])
def test_only_the_firms_that_are_shown_get_their_reasons_in_words(
    alone: Ranking, processes: int
) -> None:
    table = ranked(processes, worded=3).table
    assert table["reasons"].notna().tolist() == [True] * 3 + [False] * (len(table) - 3)
    assert table["reasons"][:3].tolist() == alone.table["reasons"][:3].tolist()
    others = [name for name in table.columns if name != "reasons"]
    pd.testing.assert_frame_equal(table[others], alone.table[others])


class Deadly(Exclusions):
    """Ends the process that unpickles it, as the system does where memory is short."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (1,)


class Faulty(Exclusions):
    """Fails in the process that uses it."""

    def __getattribute__(self, name: str) -> object:
        if name == "credit_codes":
            raise ZeroDivisionError
        return super().__getattribute__(name)

    def __reduce__(self) -> tuple[object, ...]:
        return Faulty, ()


def test_a_lost_process_is_told_in_words() -> None:
    with pytest.raises(LostProcessError) as caught:
        rank_list(
            SAMPLE, scorer(), today=TODAY, lang="en", processes=2, exclusions=Deadly()
        )  # fmt: skip
    assert "--processes 1" in caught.value.render("zh")
    assert "--processes 1" in caught.value.render("en")


def test_a_fault_in_a_piece_is_raised_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        rank_list(SAMPLE, scorer(), today=TODAY, lang="en", processes=2, exclusions=Faulty())


@pytest.fixture
def group() -> Iterator[subprocess.Popen[str]]:
    """Rank the sample by two processes in a process group of its own, up to the scoring."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", ALONE, str(SAMPLE)], text=True, start_new_session=True,
        stdin=pipe, stdout=pipe, stderr=pipe,
    )  # fmt: skip
    with process:
        assert process.stdout
        assert process.stdout.readline() == "scoring\n"
        yield process


def test_nobody_is_left_behind_by_one_that_is_killed(group: subprocess.Popen[str]) -> None:
    group.kill()
    group.wait()
    assert left(group.pid) == []


def left(group: int) -> list[str]:
    """Return the states of processes of a group that have not ended after at most 10 s.

    What was killed ends a moment later.
    """
    until = time.monotonic() + 10
    states = [""]
    while states and time.monotonic() < until:
        listed = subprocess.run(
            ["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True
        )  # fmt: skip
        processes = [line.split() for line in listed.stdout.splitlines()]
        states = [state for number, state in processes if int(number) == group and state[0] != "Z"]
    return states


def test_no_process_outlives_the_ranking(group: subprocess.Popen[str]) -> None:
    said, _ = group.communicate("go on\n")
    assert said == "ranked\n"
    assert group.returncode == 0
    assert not left(group.pid)


def test_an_interrupt_ends_every_process(group: subprocess.Popen[str]) -> None:
    os.killpg(group.pid, signal.SIGINT)
    said, complaints = group.communicate()
    assert said == ""
    assert complaints.count("Traceback") == 1
    assert complaints.rstrip().endswith("KeyboardInterrupt")
    assert group.returncode == -signal.SIGINT
    assert not left(group.pid)
