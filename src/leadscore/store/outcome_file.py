"""Outcomes in one file of the home folder, a line an entry, for learning and for auditors."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.json as pj

from leadscore.language import Text
from leadscore.learning.history import EVENTS, blank_events
from leadscore.learning.linking import firm_keys
from leadscore.lists.values.vocabularies import STAGES
from leadscore.store.faults import refusals
from leadscore.store.journal import append_journal, read_journal
from leadscore.store.locking import exclusive, undisturbed

_log = logging.getLogger(__name__)

_FILE = "outcomes.jsonl"
_LOCK = "outcomes.lock"

_TYPES: dict[str, pa.DataType] = {
    name: {"int64": pa.int64(), "bool": pa.bool_()}.get(dtype, pa.large_string())
    for name, dtype in EVENTS.items()
    if name != "firm"
}
_PARSING = pj.ParseOptions(
    explicit_schema=pa.schema(_TYPES.items()), unexpected_field_behavior="ignore"
)

_NO_ENTRY = Text(
    zh="{file} 有 {count} 行读得出来却不是进展，已略过；请从备份恢复",
    en="{count} lines of {file} can be read but are no outcomes, and were left out; restore the "
    "file from a backup",
)


def _warn(notice: Text) -> None:
    _log.warning(notice.en)


class FileOutcomes:
    """An `leadscore.learning.history.OutcomeStore` in a folder.

    Parameters
    ----------
    folder
        Where the file lies; made when the first entry is added.
    notify
        Told what is wrong with the file; by default a warning is logged.
    """

    def __init__(self, folder: Path, *, notify: Callable[[Text], object] = _warn) -> None:
        self._folder, self._notify = folder, notify
        self._path = folder / _FILE

    def append(self, events: pd.DataFrame, *, source: str, now: datetime) -> int:
        """Add entries and return how many, once the disk has them.

        Parameters
        ----------
        events
            Columns of `EVENTS` except ``entry``, ``firm``, ``recorded`` and ``source``.
        source
            Name of the file that they come from.
        now
            When they are recorded; with a time zone.

        Raises
        ------
        StoreError
            If the system refuses, or another run has been writing for long.
        """
        if not len(events):
            return 0
        with refusals(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            with exclusive(self._folder / _LOCK):
                lines = read_journal(self._path).lines
                first = max(_last_entry(lines), len(lines)) + 1
                append_journal(self._path, _records(events, first, source, now))
        return len(events)

    def events(self) -> pd.DataFrame:
        """Return every entry ever, in the order of recording; the columns are `EVENTS`.

        Raises
        ------
        StoreError
            If the system refuses.
        """
        with refusals(self._folder), undisturbed(self._folder / _LOCK):
            journal = read_journal(self._path)
        for fault in journal.faults:
            self._notify(fault)
        table = _parsed(journal.lines)
        sound = table["stage"].isin(STAGES) & table["day"].notna() & table["recorded"].notna()
        sound &= table[["credit_code", "name"]].notna().any(axis=1)
        lost = len(journal.lines) - int(sound.sum())
        if lost:
            self._notify(_NO_ENTRY.format(file=self._path, count=lost))
            table = table[sound].reset_index(drop=True)
        table["firm"] = firm_keys(table)[0]
        return table.astype(EVENTS)[list(EVENTS)]


def _records(
    events: pd.DataFrame, first: int, source: str, now: datetime
) -> Iterator[dict[str, object]]:
    """Yield entries as plain values in the order of `EVENTS`."""
    known = events.assign(
        entry=range(first, first + len(events)),
        day=events["day"].dt.strftime("%Y-%m-%d"),
        recorded=now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        source=source,
    )[list(_TYPES)]
    plain = {
        name: known[name].astype(object).where(known[name].notna(), None).tolist()
        for name in _TYPES
    }
    for values in zip(*plain.values(), strict=True):
        yield dict(zip(plain, values, strict=True))


def _last_entry(lines: list[bytes]) -> int:
    try:
        return int(json.loads(lines[-1])["entry"])
    except (IndexError, KeyError, TypeError, ValueError):
        return 0


def _parsed(lines: list[bytes]) -> pd.DataFrame:
    """Return the lines as a table typed as `EVENTS`, without those that are no JSON of its kind."""
    if not lines:
        return blank_events()
    try:
        table = _parse(b"\n".join(lines))
    except pa.ArrowInvalid:
        table = pa.concat_tables([_TABLE, *(part for line in lines for part in _one(line))])
    frame: pd.DataFrame = table.to_pandas()
    frame["day"] = pd.to_datetime(frame["day"], format="%Y-%m-%d", errors="coerce").astype(
        "datetime64[us]"
    )
    frame["recorded"] = pd.to_datetime(
        frame["recorded"], format="ISO8601", errors="coerce", utc=True
    ).astype("datetime64[us, UTC]")
    whole = frame[["entry", "row", "withdrawn"]].notna().all(axis=1)
    return frame[whole].reset_index(drop=True)


_TABLE = _PARSING.explicit_schema.empty_table()


def _parse(lines: bytes) -> pa.Table:
    return pj.read_json(io.BytesIO(lines), parse_options=_PARSING)


def _one(line: bytes) -> list[pa.Table]:
    try:
        return [_parse(line)]
    except pa.ArrowInvalid:
        return []
