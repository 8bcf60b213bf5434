"""Measures the walk of a list from the start of the process: seconds, seconds of processor, memory.

Runs ``leadscore rank`` as a user would, several times, each in a process of its own, and prints
medians. With ``--registry FILE`` the rows of a registry's extract are multiplied to a register in
which no two firms have the same name, code, address or business scope.
Usage: ``python benchmarks/ranking.py [LIST ...] [--runs N] [--registry FILE [--rows N]]``.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import re
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
NAMED_AFTER = "天地日月山川江海春夏秋冬金木水火东南西北安康宁和福禄寿喜龙凤鹏鹤松竹梅兰"


def register(source: Path, rows: int, target: Path) -> Path:
    """Write a register of so many firms: rows of the source, each with a name, a code, an address
    and a choice of two scopes' clauses of its own."""
    from leadscore.lists.values.codes import is_valid_code

    alphabet, dice = "0123456789ABCDEFGHJKLMNPQRTUWXY", random.Random(7)  # noqa: S311 (a choice of clauses)
    with source.open(encoding="utf-8", newline="") as stream:
        firms = list(csv.DictReader(stream))
    clauses = [re.split("[；;。]", firm["business_scope"]) for firm in firms]
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(firms[0]))
        writer.writeheader()
        for at in range(rows):
            firm, (copy, place) = dict(firms[at % len(firms)]), divmod(at, len(firms))
            own = NAMED_AFTER[copy // 30] + NAMED_AFTER[copy % 30]
            firm["name"] = firm["name"][:-4] + own + firm["name"][-4:]
            body = f"91360727MA{at:07d}"
            firm["usci"] = next(body + end for end in alphabet if is_valid_code(body + end))
            firm["registered_address"] += f"{copy + 1}号"
            pool = clauses[place] + dice.choice(clauses)
            firm["business_scope"] = "；".join(dice.sample(pool, len(pool) // 2 + 1))
            writer.writerow(firm)
    return target


def run(*arguments: str, home: Path) -> tuple[float, float, float]:
    """Return seconds, seconds of processor and peak megabytes of one run, its children's with it.

    The peak is that of the largest of its processes.
    """
    environment = os.environ | {"LEADSCORE_HOME": str(home)}
    start = time.perf_counter()
    process = subprocess.Popen([COMMAND, *arguments], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=environment)  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"leadscore {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    seconds = time.perf_counter() - start
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(name: str, *arguments: str, runs: int, home: Path) -> None:
    """Run a command ``runs`` times and print the medians."""
    figures = [run(*arguments, home=home) for _ in range(runs)]
    seconds = [each[0] for each in figures]
    processor, megabytes = (statistics.median(each[at] for each in figures) for at in (1, 2))
    print(f"{name:42} {statistics.median(seconds):8.2f} {min(seconds):8.2f} {max(seconds):8.2f} "
          f"{processor:8.2f} {megabytes:9.0f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lists", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--registry", type=Path, metavar="FILE")
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    lists = options.lists or [path for path in (SAMPLE, LISTED) if path.exists()]
    print(f"{'':42} {'median s':>8} {'min s':>8} {'max s':>8} {'CPU s':>8} "
          f"{'peak MB':>9}")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        measure("leadscore --help", "--help", runs=options.runs, home=home)
        if options.registry:
            target = home / f"register of {options.rows}.csv"
            lists.append(register(options.registry, options.rows, target))
        for path in lists:
            for ending in (".csv", ".xlsx"):
                out = str(home / f"ranking{ending}")
                measure(f"{path.name} -> {ending}", "rank", str(path), "-o", out, "--no-keep",
                        runs=options.runs, home=home)  # fmt: skip


if __name__ == "__main__":
    main()
