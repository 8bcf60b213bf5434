"""The last mark of the audit in a file outside the database: an older copy of it is noticed."""

from __future__ import annotations

import logging
import re
import threading
from pathlib import Path

from leadscore.store.auditing.sealing import SealingKey

_LOG = logging.getLogger(__name__)
_PURPOSE = "audit anchor"
_FORM = re.compile(r"(\d{1,18}) ([0-9a-f]{64}) ([0-9a-f]{64})\n")


class Anchor:
    """A file of one sealed line: number and seal of the last record that was committed.

    Parameters
    ----------
    path
        Where it lies.
    key
        What seals it.
    """

    def __init__(self, path: Path, key: SealingKey) -> None:
        self.path, self._key = path, key
        self._turn = threading.Lock()

    def advance(self, sequence: int, mac: str) -> None:
        """Write the mark unless a later one stands there; what the system refuses is logged.

        Of several processes one may put the mark back by what the others wrote at that moment; the
        next record puts it right.
        """
        try:
            with self._turn:
                found = self.read()
                if found is None or found[0] < sequence:
                    self._write(sequence, mac)
        except OSError:
            _LOG.exception("the last mark of the audit could not be written to %s", self.path)
        except ValueError:
            # What was tampered with stays as it is, for `audit verify` to find.
            _LOG.error("%s is not what was written there", self.path)

    def replace(self, sequence: int, mac: str) -> None:
        """Write the mark whatever stands there: after a backup was restored on purpose.

        Raises
        ------
        OSError
            If the system refuses.
        """
        with self._turn:
            self._write(sequence, mac)

    def read(self) -> tuple[int, str] | None:
        """Return number and seal of the record, or None if none was ever written.

        Raises
        ------
        ValueError
            If the file isn't what was written there.
        OSError
            If the system refuses.
        """
        try:
            text = self.path.read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        found = _FORM.fullmatch(text)
        if not found or not self._key.holds(_PURPOSE, _content(int(found[1]), found[2]), found[3]):
            raise ValueError(text[:100])
        return int(found[1]), found[2]

    def _write(self, sequence: int, mac: str) -> None:
        seal = self._key.seal(_PURPOSE, _content(sequence, mac))
        # Not synced to the disk: a mark lost with the power is one that lags, which is no fault.
        part = self.path.with_name(f".{self.path.name}.{threading.get_ident()}.part")
        part.write_text(f"{sequence} {mac} {seal}\n", encoding="ascii")
        part.replace(self.path)


def _content(sequence: int, mac: str) -> bytes:
    return f"{sequence}:{mac}".encode()
