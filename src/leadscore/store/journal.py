"""A file to which lines are only ever added, each sealed to all before it, readable by anybody.

A line is a JSON object. Its last member, ``seal``, is the SHA-256, in hex, of the seal of the line
before it followed by the line itself without that member; so a line that was edited, removed or put
in between is noticed. Lines cut off the end are not, and whoever can write the file can also seal
it anew: against that helps a copy elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from leadscore.language import Text
from leadscore.learning.durable import place_file
from leadscore.store.faults import refusals

_SEAL = b',"seal":"'
_END = b'"}'
_TAIL = len(_SEAL) + 64 + len(_END)
_FRAME = re.compile(_SEAL + b"[0-9a-f]{64}" + _END)
_BOM = b"\xef\xbb\xbf"

_TORN = Text(
    zh="{file} 的最后一行没有写完（可能是断电），已忽略；那一次导入请再做一遍，已有的不会重复",
    en="the last line of {file} was not written to its end, as after a loss of power, and is "
    "ignored; import that file once more, what is there will not be added twice",
)
_EDITED = Text(
    zh="{file} 第 {lines} 行与写入时不同，或其前有行被删改；请查明是谁改动的",
    en="{file} is not as it was written: line {lines} or what stood before it was edited or "
    "removed; find out who did it",
)
_UNREADABLE = Text(
    zh="{file} 第 {lines} 行已损坏，读不出来，已略过；请从备份恢复",
    en="line {lines} of {file} is damaged and was left out; restore the file from a backup",
)
_MOST_LINES = 5


@dataclass(frozen=True, eq=False)
class JournalLines:
    """What stands in a journal.

    Attributes
    ----------
    lines
        Each line that bears a seal, as written, without its line end.
    seal
        Seal of the last of them.
    whole_bytes
        Size of the file up to the end of its last whole line.
    ended
        False if the last whole line lacks its line end.
    faults
        What is wrong with the file, in words.
    """

    lines: list[bytes]
    seal: bytes
    whole_bytes: int
    ended: bool
    faults: tuple[Text, ...]


def read_journal(path: Path) -> JournalLines:
    """Read all lines and check their seals; a journal that is not there is empty.

    Other line ends, or a byte order mark, that an editor left behind are no fault.

    Raises
    ------
    StoreError
        If the system refuses.
    """
    with refusals(path.parent):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            content = b""
    *lines, rest = content.removeprefix(_BOM).split(b"\n")
    seal, kept, edited, damaged = b"", [], [], []
    for number, ended in enumerate(lines, 1):
        line = ended.removesuffix(b"\r")
        if not _FRAME.fullmatch(line, max(len(line) - _TAIL, 0)):
            damaged.append(number)
            continue
        stated = line[-_TAIL + len(_SEAL) : -len(_END)]
        if _sealed(seal, line[:-_TAIL]) != stated:
            edited.append(number)
        seal = stated
        kept.append(line)
    faults = [
        message.format(file=path, lines=_listed(numbers))
        for numbers, message in ((edited, _EDITED), (damaged, _UNREADABLE))
        if numbers
    ]
    whole = rest[:-_TAIL] + _SEAL + (last := _sealed(seal, rest[:-_TAIL])) + _END
    if rest and rest == whole:  # all of it was written but for the line end
        return JournalLines([*kept, rest], last, len(content), ended=False, faults=tuple(faults))
    if rest:
        faults.append(_TORN.format(file=path))
    return JournalLines(kept, seal, len(content) - len(rest), ended=True, faults=tuple(faults))


def append_journal(path: Path, records: Iterable[Mapping[str, object]]) -> None:
    """Add a line for each record, and return when the disk has them all.

    What a crash left of an unfinished line is moved aside, into a file beside the journal. The
    caller holds the lock of the folder.

    Raises
    ------
    OSError
        If the system refuses; what was there is there.
    """
    known = read_journal(path)
    seal, lines = known.seal, [] if known.ended else [b"\n"]
    for record in records:
        body = json.dumps(record, ensure_ascii=False, separators=(",", ":"))[:-1].encode()
        seal = _sealed(seal, body)
        lines.append(body + _SEAL + seal + _END + b"\n")
    if not path.exists():
        place_file(path, b"")
    with path.open("ab") as file:
        if file.seek(0, os.SEEK_END) > known.whole_bytes:
            _move_aside(path, known.whole_bytes)
            file.truncate(known.whole_bytes)
        try:
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(known.whole_bytes)
            raise


def _move_aside(path: Path, start: int) -> None:
    with path.open("rb") as file, path.with_name(f"{path.name}.torn").open("ab") as aside:
        file.seek(start)
        aside.write(file.read() + b"\n")


def _sealed(seal: bytes, body: bytes) -> bytes:
    return hashlib.sha256(seal + body).hexdigest().encode()


def _listed(numbers: list[int]) -> Text:
    shown = numbers[:_MOST_LINES]
    more = len(numbers) > _MOST_LINES
    return Text(
        zh="、".join(map(str, shown)) + ("…" if more else ""),
        en=", ".join(map(str, shown)) + ("…" if more else ""),
    )
