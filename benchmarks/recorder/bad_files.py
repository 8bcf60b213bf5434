"""Makes the bad files of the tests once for both sides, and records what is said of each."""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path
from typing import Any

import pandas as pd
from benchmarks.recorder import places
from benchmarks.recorder.lists import described, record_clean
from benchmarks.recorder.recording import AS_OF, Inputs, Record

_MILLION = "million"
"""How the names of the files begin that take as long as all others together, and longer."""
_IN_FULL = 500
"""Firms of a file that are recorded value by value; of the others a digest a column."""


def make_bad_files(folder: Path, makers: Any) -> None:
    """Write every bad file, each into a folder of its maker's name.

    ``makers`` is the module `tests.bad_files`.
    """
    for name, maker in vars(makers).items():
        makes_one = inspect.isfunction(maker) and list(inspect.signature(maker).parameters) == [
            "folder"
        ]
        if makes_one and not name.startswith("_"):
            (folder / name).mkdir(parents=True)
            maker(folder / name)


def record_bad_files(record: Record, inputs: Inputs) -> None:
    """Record the error or the cleaned table of each bad file, but for those of a million rows."""
    for folder in _folders(inputs):
        if not folder.name.startswith(_MILLION):
            _record_files(record, folder)


def record_millions(record: Record, inputs: Inputs) -> None:
    """Record the cleaned tables of the files of a million rows."""
    for folder in _folders(inputs):
        if folder.name.startswith(_MILLION):
            _record_files(record, folder)


def _folders(inputs: Inputs) -> list[Path]:
    return sorted((inputs.prepared / "bad").iterdir())


def _record_files(record: Record, folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        _record_file(record, folder.name, path)


def _record_file(record: Record, source: str, path: Path) -> None:
    try:
        clean = places.load_list(path, AS_OF)
    except places.error_class() as error:
        record.add(source, "error", "", described(error))
        return
    firms = clean.firms
    first = places.CleanFirms(
        firms.iloc[:_IN_FULL], clean.problems[:_IN_FULL], clean.notices, clean.rows_in
    )
    record_clean(record, source, first)
    counts = {"firms": len(firms), "problems": len(clean.problems)}
    if len(firms) > _IN_FULL:
        digests = {
            name: hashlib.sha256(
                pd.util.hash_pandas_object(column, index=False).to_numpy().tobytes()
            ).hexdigest()
            for name, column in firms.items()
        }
        record.add(source, "digests", "", digests)
    record.add(source, "all counts", "", counts)
