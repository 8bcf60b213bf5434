"""Runs the recorder; see the package's own words for how to use it."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import benchmarks.recorder
from benchmarks.recorder.comparing import (
    ABSENT,
    Comparison,
    Difference,
    Kind,
    as_text,
    compare,
    kinds,
    read_record,
)
from benchmarks.recorder.recording import TASKS
from benchmarks.recorder.revisions import BuildError, Built, build, forget_old

HERE = Path(__file__).resolve().parents[2]
REVISION = "d59c095"
PARTS = tuple(part for parts in TASKS.values() for part in parts)
_AFTERWARDS = frozenset({"__init__.py", "__main__.py", "comparing.py", "revisions.py"})
"""Modules here that records don't depend on."""
_DAY = 24 * 3600
_KINDS = 40
"""Kinds of a part that are printed, the most frequent first."""
_SHOWN = 600
"""Characters of a value that are printed; ``--json`` has all."""


class RecordingError(RuntimeError):
    """A side that could not be recorded."""


@dataclass(frozen=True)
class Recorder:
    """What a run of the recorder knows.

    Attributes
    ----------
    cache
        The folder under which everything is kept.
    data
        Folder of the data that is not part of the project.
    before, after
        The revision and the working tree.
    """

    cache: Path
    data: Path | None
    before: Built
    after: Built

    @cached_property
    def mark(self) -> str:
        """Digest of what the inputs depend on beside the revision: the data, and what is here."""
        here = self.after.source / "benchmarks" / "recorder"
        programs = [path for path in sorted(here.glob("*.py")) if path.name not in _AFTERWARDS]
        programs.append(self.after.source / "tests" / "bad_files.py")
        installed = sorted(f"{each.name} {each.version}" for each in distributions())
        digest = hashlib.sha256(repr((sys.version, installed)).encode())
        for path in programs:
            digest.update(path.read_bytes())
        for path in sorted(self.data.rglob("*")) if self.data else ():
            digest.update(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
        return digest.hexdigest()[:12]

    def prepare(self) -> Path:
        """Return the folder of the inputs that both sides are given; made once."""
        folder = self.cache / self.before.tree / f"prepared-{self.mark}"
        if not folder.exists():
            _forget(folder.parent, "prepared-*")
            making = Path(tempfile.mkdtemp(dir=self.cache, prefix="making-"))
            words = ["--prepared", str(making), "--own", str(self.before.source)]
            self._run("preparing", self.before, words)
            _put(making, folder)
        return folder

    def known_records(self, day: date, *, fresh: bool) -> Path:
        """Return the folder of the records of the revision that were made on a day."""
        folder = self.cache / self.before.tree / f"record-{self.mark}-{day}"
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        _forget(folder.parent, "record-*")
        folder.mkdir(exist_ok=True)
        return folder

    def record(self, side: Built, task: str, folder: Path, prepared: Path) -> str:
        """Record the parts of a task for one side into a folder; return what it took, in words."""
        start = time.monotonic()
        with tempfile.TemporaryDirectory(dir=folder, prefix="making-") as making:
            words = [task, "--prepared", str(prepared), "--out", making]
            processor = float(self._run("recording", side, words))
            for path in Path(making).iterdir():
                path.rename(folder / path.name)
        return f"{time.monotonic() - start:.0f} s, of the processor {processor:.0f} s"

    def record_all(
        self, wanted: list[str], prepared: Path, folders: dict[str, Path], jobs: int
    ) -> list[RecordingError]:
        """Record what is wanted and not there yet; return what went wrong.

        ``folders`` says where the records of ``before`` and ``after`` are.
        """
        sides = {"before": self.before, "after": self.after}
        faults = []
        with ThreadPoolExecutor(jobs) as pool:
            waiting = [
                (task, name, pool.submit(self.record, sides[name], task, folder, prepared))
                for task, parts in TASKS.items()
                for name, folder in folders.items()
                if set(parts) & set(wanted)
                and not all((folder / f"{part}.jsonl").exists() for part in parts)
            ]
            for task, name, job in waiting:
                try:
                    print(f"{task}, {name}: {job.result()}", flush=True)
                except RecordingError as fault:
                    print(f"{task}, {name}: could not be recorded, see below", flush=True)
                    faults.append(fault)
        return faults

    def _run(self, module: str, side: Built, words: list[str]) -> str:
        """Run a module here with the wheel of a side, and return what it prints."""
        command = [
            sys.executable, "-P", "-m", f"benchmarks.recorder.{module}", *words,
            "--site", str(side.site), "--source", str(self.after.source),
        ]  # fmt: skip
        if self.data is not None:
            command += ["--data", str(self.data)]
        with tempfile.TemporaryDirectory(prefix="recorder-") as home:
            done = subprocess.run(
                command, cwd=home, env=self._environment(side, Path(home)), capture_output=True,
                encoding="utf-8", check=False,
            )  # fmt: skip
        if done.returncode:
            shown = "\n".join(done.stderr.splitlines()[-30:])
            raise RecordingError(f"{' '.join((module, *words[:1]))} of {side.tree[:12]}:\n{shown}")
        return done.stdout

    def _environment(self, side: Built, home: Path) -> dict[str, str]:
        """Return the variables of a process that knows one wheel, one home and no other setting."""
        ours = {k: value for k, value in os.environ.items() if not k.startswith("LEADSCORE_")}
        return ours | {
            # The recorder is that of the working tree for both, as it was when the run began.
            "PYTHONPATH": os.pathsep.join((str(side.site), str(self.after.source))),
            "PYTHONHASHSEED": "0",
            "PYTHONWARNINGS": "ignore",
            "LEADSCORE_HOME": str(home / "home"),
            "LEADSCORE_LANG": "en",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recorder",
        description=benchmarks.recorder.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("revision", nargs="?", default=REVISION)
    parser.add_argument("--only", action="append", choices=PARTS, metavar="PART")
    parser.add_argument("--data", type=Path, default=os.environ.get("LEADSCORE_BENCH_DATA"))
    parser.add_argument("--first", type=int, default=3, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--cache", type=Path, default=HERE / ".bench" / "recorder")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    options = parser.parse_args()
    try:
        return run(options)
    except (BuildError, RecordingError) as error:
        print(f"a side could not be recorded: {error}", file=sys.stderr)
        return 2


def run(options: argparse.Namespace) -> int:
    start, day = time.monotonic(), date.today()
    wanted = [part for part in PARTS if not options.only or part in options.only]
    cache = options.cache.resolve()
    with ThreadPoolExecutor(2) as pool:
        sides = [pool.submit(build, HERE, each, cache) for each in (options.revision, None)]
        before, after = (side.result() for side in sides)
    forget_old(cache, {before.tree, after.tree})
    data = options.data.resolve() if options.data else None
    recorder = Recorder(cache, data, before, after)
    prepared = recorder.prepare()
    known = recorder.known_records(day, fresh=options.fresh)
    print(f"before: {options.revision}, tree {before.tree[:12]}")
    print(f"after:  the working tree, {after.tree[:12]}")
    print(f"built and prepared in {time.monotonic() - start:.0f} s", flush=True)
    if data is None:
        print("no --data and no LEADSCORE_BENCH_DATA: of the lists only the sample is recorded")
    with tempfile.TemporaryDirectory(prefix="recorder-") as scratch:
        new = Path(scratch)
        faults = recorder.record_all(
            wanted, prepared, {"before": known, "after": new}, options.jobs
        )
        if date.today() != day:
            raise RecordingError("the day changed meanwhile; run it again")
        compared = [
            compare(part, read_record(known / f"{part}.jsonl"), read_record(new / f"{part}.jsonl"))
            for part in wanted
            if (known / f"{part}.jsonl").exists() and (new / f"{part}.jsonl").exists()
        ]
    names = set(_names(before.source)) | set(_names(after.source))
    for each in compared:
        print_comparison(each, names, options.first)
    if options.json:
        found = [asdict(each) for part in compared for each in part.differences]
        options.json.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")
    count = sum(len(each.differences) for each in compared)
    print(f"\n{count:,} differences in {len(compared)} parts, {time.monotonic() - start:.0f} s")
    for fault in faults:
        print(f"\na side could not be recorded: {fault}", file=sys.stderr)
    return 2 if faults else 0


def print_comparison(compared: Comparison, names: set[str], first: int) -> None:
    """Print what differs in a part, one entry a kind."""
    gathered = kinds(compared.differences, names)
    print(f"\n== {compared.part}: {compared.rows:,} rows with {compared.values:,} values compared, "
          f"{len(compared.differences):,} differ, in {len(gathered):,} kinds")  # fmt: skip
    for kind in gathered[:_KINDS]:
        print_kind(kind, first)
    rest = gathered[_KINDS:]
    if rest:
        count = sum(len(kind.differences) for kind in rest)
        print(f"\nand {count:,} more, in {len(rest):,} kinds; --json writes all")


def print_kind(kind: Kind, first: int) -> None:
    largest = "" if kind.largest is None else f", by at most {kind.largest:.3g}"
    print(f"\n{len(kind.differences):,} x {kind.table}: {kind.column}{largest}")
    print(f"    - {_shown(kind.before)}\n    + {_shown(kind.after)}")
    for each in kind.differences[:first]:
        print(f"  {_where(each)}\n    - {_shown(each.before)}\n    + {_shown(each.after)}")


def _where(each: Difference) -> str:
    words = (each.source, each.table, f"row {each.row}" if each.row else "", each.label)
    return ", ".join(filter(None, (*words, each.column)))


def _shown(value: Any) -> str:
    text = ABSENT if value is ABSENT else as_text(value)
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"
    return cut.replace("\n", "\n      ")


def _names(source: Path) -> Iterator[str]:
    """Yield the names that a city profile gives to its segments, chains, anchors and regions."""

    def texts(value: Any, key: str) -> Iterator[str]:
        if isinstance(value, dict):
            for inner_key, inner in value.items():
                yield from texts(inner, inner_key)
        elif isinstance(value, list):
            for inner in value:
                yield from texts(inner, key)
        elif isinstance(value, str) and key in ("zh", "en", "name", "label"):
            yield value

    for path in sorted((source / "data").rglob("*.toml")):
        yield from texts(tomllib.loads(path.read_text("utf-8")), "")


def _put(made: Path, folder: Path) -> None:
    """Give a folder its name, unless another run was quicker."""
    try:
        made.rename(folder)
    except OSError:
        shutil.rmtree(made)
        if not folder.exists():
            raise


def _forget(folder: Path, pattern: str) -> None:
    """Remove what was made more than a day ago; another run may be using the rest."""
    for path in folder.glob(pattern):
        if path.stat().st_mtime < time.time() - _DAY:
            shutil.rmtree(path)


if __name__ == "__main__":
    sys.exit(main())
