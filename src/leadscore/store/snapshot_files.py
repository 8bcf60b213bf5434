"""Firms as they were known when they were scored, a Parquet file for each different list of them.

A journal beside the files says which list was scored on which day by which model; a file bears the
SHA-256 of its content as its name, so that the same list twice takes the room of one.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

from leadscore.language import Text
from leadscore.learning.durable import place_file
from leadscore.lists.blank import blank_firms
from leadscore.lists.columns import CANONICAL
from leadscore.store.faults import refusals
from leadscore.store.journal import append_journal, read_journal
from leadscore.store.locking import exclusive, undisturbed

_log = logging.getLogger(__name__)

_JOURNAL = "snapshots.jsonl"
_LOCK = "snapshots.lock"
_COLUMNS = [each.name for each in CANONICAL]

_DAMAGED = Text(
    zh="快照文件 {file} 不见了或已损坏，未使用；请从备份恢复",
    en="the snapshot {file} is gone or damaged and was not used; restore it from a backup",
)


def _warn(notice: Text) -> None:
    _log.warning(notice.en)


class FileSnapshots:
    """A `leadscore.learning.history.SnapshotStore` in a folder.

    Parameters
    ----------
    folder
        Where the files lie; made when the first snapshot is kept.
    notify
        Told what is wrong with them; by default a warning is logged.
    """

    def __init__(self, folder: Path, *, notify: Callable[[Text], object] = _warn) -> None:
        self._folder, self._notify = folder, notify
        self._journal = folder / _JOURNAL

    def keep(
        self, firms: pd.DataFrame, *, as_of: date, model: str, source: str, now: datetime
    ) -> str:
        """Keep firms and return the digest of their fields.

        Nothing new is kept if the same fields were kept as of the same day for the same model.

        Parameters
        ----------
        firms
            Canonical columns; others are not kept.
        as_of
            Day as of which the fields were known.
        model
            Version of the model that scored them.
        source
            Name of the list that they come from.
        now
            When they are kept; with a time zone.

        Raises
        ------
        StoreError
            If the system refuses, or another run has been writing for long.
        """
        content = _packed(firms)
        digest = hashlib.sha256(content).hexdigest()
        known = {"as_of": as_of.isoformat(), "model": model, "firms": digest}
        with refusals(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            with exclusive(self._folder / _LOCK):
                there = [_record(line) for line in read_journal(self._journal).lines]
                if any(known.items() <= record.items() for record in there):
                    return digest
                path = self._path(digest)
                if not path.exists() or path.stat().st_size != len(content):
                    place_file(path, content)
                record = {
                    "kept": now.astimezone(UTC).isoformat(timespec="seconds"),
                    **known, "rows": len(firms), "source": source,
                }  # fmt: skip
                append_journal(self._journal, [record])
        return digest

    def snapshots(self) -> pd.DataFrame:
        """Return all firms that were ever kept, in the order of keeping.

        Canonical columns, then ``as_of`` (datetime64[us]), ``kept`` (datetime64[us, UTC]),
        ``model`` and ``source``. What is damaged is told and left out.

        Raises
        ------
        StoreError
            If the system refuses.
        """
        with refusals(self._folder):
            with undisturbed(self._folder / _LOCK):
                journal = read_journal(self._journal)
            for fault in journal.faults:
                self._notify(fault)
            records = [record for record in map(_record, journal.lines) if record]
            lists = {
                digest: firms
                for digest in dict.fromkeys(str(record["firms"]) for record in records)
                if (firms := self._firms(digest)) is not None
            }
        return _joined(
            [(lists[str(each["firms"])], each) for each in records if str(each["firms"]) in lists]
        )

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.parquet"

    def _firms(self, digest: str) -> pd.DataFrame | None:
        try:
            content = self._path(digest).read_bytes()
        except FileNotFoundError:
            content = b""
        if hashlib.sha256(content).hexdigest() != digest:
            self._notify(_DAMAGED.format(file=self._path(digest).name))
            return None
        return _unpacked(content)


def _packed(firms: pd.DataFrame) -> bytes:
    """Return canonical columns as Parquet: the same firms give the same bytes."""
    buffer = io.BytesIO()
    plain = firms[_COLUMNS].reset_index(drop=True)
    plain.attrs = {}
    plain.to_parquet(buffer, compression="zstd", index=False)
    return buffer.getvalue()


def _unpacked(content: bytes) -> pd.DataFrame:
    """Return the firms of a file with today's canonical columns, whatever its time knew."""
    firms = pd.read_parquet(io.BytesIO(content))
    blank = blank_firms(0)
    return firms.reindex(columns=_COLUMNS).astype(blank.dtypes.to_dict())


def _record(line: bytes) -> dict[str, object]:
    """Return a line of the journal as a mapping, empty if it is none of ours."""
    try:
        record = json.loads(line)
        pd.Timestamp(record["as_of"]), pd.Timestamp(record["kept"])
        return dict(record) if {"firms", "model", "source"} <= record.keys() else {}
    except (KeyError, TypeError, ValueError):
        return {}


def _joined(lists: list[tuple[pd.DataFrame, dict[str, object]]]) -> pd.DataFrame:
    none: dict[str, object] = {
        "as_of": "2000-01-01",
        "kept": "2000-01-01T00:00:00+00:00",
        "model": "",
        "source": "",
    }
    parts = [
        firms.assign(
            as_of=pd.Timestamp(str(record["as_of"])).as_unit("us"),
            kept=pd.Timestamp(str(record["kept"])).tz_convert(UTC).as_unit("us"),
            model=str(record["model"]),
            source=str(record["source"]),
        )
        for firms, record in (lists or [(blank_firms(0), none)])
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.astype({"model": "str", "source": "str"})
