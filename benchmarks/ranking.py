"""Measures the walk of a list from the start of the process: seconds and peak memory.

Runs ``leadscore rank`` as a user would, several times, each in a process of its own, and prints
medians. Usage: ``python benchmarks/ranking.py [LIST ...] [--runs N]``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
SAMPLE = HERE / "data" / "samples" / "electronics.csv"
LISTED = HERE.parent / "shared" / "data" / "firms" / "a_share_profiles.csv.gz"
COMMAND = Path(sys.executable).with_name("leadscore")


def run(*arguments: str, home: Path) -> tuple[float, float]:
    """Return seconds and peak megabytes (children included) of one run."""
    environment = os.environ | {"LEADSCORE_HOME": str(home)}
    start = time.perf_counter()
    process = subprocess.Popen([COMMAND, *arguments], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=environment)  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"leadscore {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def measure(name: str, *arguments: str, runs: int, home: Path) -> None:
    """Run a command ``runs`` times and print the medians."""
    figures = [run(*arguments, home=home) for _ in range(runs)]
    seconds = [each[0] for each in figures]
    megabytes = statistics.median(each[1] for each in figures)
    print(f"{name:42} {statistics.median(seconds):8.2f} {min(seconds):8.2f} {max(seconds):8.2f} "
          f"{megabytes:9.0f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lists", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    lists = options.lists or [path for path in (SAMPLE, LISTED) if path.exists()]
    print(f"{'':42} {'median s':>8} {'min s':>8} {'max s':>8} {'peak MB':>9}")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        measure("leadscore --help", "--help", runs=options.runs, home=home)
        for path in lists:
            for ending in (".csv", ".xlsx"):
                out = str(home / f"ranking{ending}")
                measure(f"{path.name} -> {ending}", "rank", str(path), "-o", out,
                        runs=options.runs, home=home)  # fmt: skip


if __name__ == "__main__":
    main()
