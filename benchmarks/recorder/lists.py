"""Records how lists are read, scored, worded and ordered."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.recorder import places
from benchmarks.recorder.recording import AS_OF, Inputs, Record

import leadscore


def record_lists(record: Record, inputs: Inputs) -> None:
    """Record the sample list and the lists of the data folder."""
    sample = inputs.source / "data" / "samples" / "electronics.csv"
    for path in (sample, *(listed_files(inputs.data) if inputs.data else ())):
        record_list(record, path, ("zh", "en"))


def record_cases(record: Record, inputs: Inputs) -> None:
    """Record every file of ``cases``; their reasons are in both languages all the same."""
    folder = inputs.data / "cases" if inputs.data else None
    for path in sorted(folder.iterdir()) if folder and folder.is_dir() else ():
        if path.suffix != ".tsv":
            record_list(record, path, ("zh",))
        if path.name.startswith("out"):
            record_outcomes(record, path)


def record_list(record: Record, path: Path, languages: Iterable[str]) -> None:
    """Record one list: as it is cleaned, scored and ranked."""
    source = path.name
    try:
        clean = places.load_list(path, AS_OF)
    except places.error_class() as error:
        record.add(source, "error", "", described(error))
        return
    record_clean(record, source, clean)
    labels = clean.firms["name"].tolist()
    rows = clean.firms.to_dict("records")
    for row, label, firm in zip(rows, labels, places.score(clean.firms, AS_OF), strict=True):
        values = {**firm.numbers, "matches": firm.matches, "reasons": firm.reasons}
        record.add(source, "scores", place_of(row), values, label)
    for language in languages:
        ranking = leadscore.rank(path, lang=language, today=AS_OF)
        for place, row in enumerate(ranking.to_dict("records"), 1):
            values = {"place": place, **row}
            record.add(source, f"ranking {language}", place_of(row), values, row["name"])
        record.add(source, f"ranking {language}", "attributes", ranking.attrs)


def record_outcomes(record: Record, path: Path) -> None:
    """Record a file of outcomes as it is read."""
    source = f"{path.name} as outcomes"
    try:
        record_clean(record, source, places.load_outcomes(path, AS_OF))
    except places.error_class() as error:
        record.add(source, "error", "", described(error))


def record_clean(record: Record, source: str, clean: places.CleanFirms) -> None:
    """Record what was read: values, problems, notices, and how many rows."""
    for row in clean.firms.to_dict("records"):
        record.add(source, "cleaned", place_of(row), row, str(row["name"]))
    for problem in clean.problems:
        key = f"{problem.sheet or ''} {problem.row} {problem.column} {problem.code}".strip()
        record.add(source, "problems", key, {"problem": problem})
    for number, notice in enumerate(clean.notices, 1):
        record.add(source, "notices", number, {"notice": notice})
    record.add(source, "counts", "", {"rows_in": clean.rows_in, "firms": len(clean.firms)})


def described(error: Any) -> dict[str, Any]:
    """Return what an error of leadscore says: code, message and details."""
    return {"code": error.code, "message": error.message, "details": list(error.details)}


def place_of(row: dict[str, Any]) -> str:
    """Return where a firm stands in its file."""
    sheet = row.get("sheet")
    return f"{sheet}!{row['row']}" if isinstance(sheet, str) else str(row["row"])


def listed_files(data: Path) -> list[Path]:
    """Return the lists of a data folder, as far as they are there."""
    return [
        path
        for folder in (data / "firms", data / "data" / "firms")
        for path in (folder / "registry_extract.csv", folder / "a_share_profiles.csv.gz")
        if path.exists()
    ]
