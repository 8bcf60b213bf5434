"""Runs with one wheel, in a process of its own, and writes down what it says of the inputs."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import math
import os
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

AS_OF = date(2026, 11, 24)
"""The day as of which lists are read and scored."""


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a part is recorded with.

    Attributes
    ----------
    source
        The files of the working tree, for the sample list.
    prepared
        Inputs that were made once for both sides.
    data
        Folder of the data that is not part of the project; None if there is none.
    home
        An empty folder for models, keys and the database.
    """

    source: Path
    prepared: Path
    data: Path | None
    home: Path


class Record:
    """Writes rows (see `comparing.Row`) to a file, one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()

    def add(
        self, source: str, table: str, key: object, values: Mapping[str, Any], label: str = ""
    ) -> None:
        """Write one row; its values are made plain."""
        row = {
            "source": source, "table": table, "key": str(key), "values": plain(values),
            "label": label,
        }  # fmt: skip
        json.dump(row, self._file, ensure_ascii=False)
        self._file.write("\n")


def plain(value: Any) -> Any:
    """Return a value as JSON has it; what is missing is None, and a text in two languages both.

    >>> plain({"a": (1, float("nan")), "b": date(2026, 11, 24)})
    {'a': [1, None], 'b': '2026-11-24'}
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else str(value) if math.isinf(value) else float(value)
    if hasattr(value, "pick"):
        return {"zh": value.pick("zh"), "en": value.pick("en")}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (datetime, date)):
        return value.isoformat() if value == value else None  # NaT is not itself
    if dataclasses.is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    if hasattr(value, "item"):
        return plain(value.item())
    if str(value) in ("<NA>", "NaT"):
        return None
    return str(value)


TASKS = {
    "million": ("million",),
    "training": ("training",),
    "homes": ("homes",),
    "lists": ("lists",),
    "cases": ("cases",),
    "service": ("pages", "api"),
    "score": ("score",),
    "bad": ("bad",),
}
"""The parts that one process records, by its task; those that take long come first."""


def recorder_of(task: str) -> Callable[..., None]:
    """Return what does a task; it takes a record for each part, and the inputs."""
    # Imported late: each needs other parts of leadscore, and a rebuild may be halfway.
    if task in ("lists", "cases"):
        from benchmarks.recorder import lists

        return lists.record_lists if task == "lists" else lists.record_cases
    if task in ("training", "homes"):
        from benchmarks.recorder import training

        return training.record_training if task == "training" else training.record_homes
    if task in ("bad", "million"):
        from benchmarks.recorder import bad_files

        return bad_files.record_bad_files if task == "bad" else bad_files.record_millions
    if task == "score":
        from benchmarks.recorder.service import record_score

        return record_score
    from benchmarks.recorder.pages import record_service

    return record_service


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    check_wheel(options.site)
    home = Path(os.environ["LEADSCORE_HOME"])
    inputs = Inputs(options.source, options.prepared, options.data, home)
    with contextlib.ExitStack() as stack:
        records = [
            stack.enter_context(Record(options.out / f"{part}.jsonl"))
            for part in TASKS[options.task]
        ]
        recorder_of(options.task)(*records, inputs)
    print(sum(os.times()[:4]))


def check_wheel(site: Path) -> None:
    """End with an error unless leadscore is imported from where the wheel was unpacked."""
    import leadscore

    if not Path(leadscore.__file__).is_relative_to(site):
        sys.exit(f"leadscore is {leadscore.__file__}, and not that of {site}")


if __name__ == "__main__":
    main()
