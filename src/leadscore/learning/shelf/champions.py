"""Knows which version serves a city, and which ones served it before, when and why.

``<city>.champion`` names the champion and is replaced as a whole: it alone is the truth.
``<city>.history.jsonl`` tells how it came to that, one line of JSON a change, and only ever grows.
A change is written down before it is made. So none is made without a record, and a record whose
change was never made (the power failed between the two) shows as such: the next one does not name
it as the version before.
"""

from __future__ import annotations

import logging
from pathlib import Path

from leadscore.durable import append_line, place_file
from leadscore.errors import Detail, ModelError
from leadscore.language import Text
from leadscore.learning.shelf.folder import (
    A_NAME,
    check_name,
    is_name,
    not_plain,
    read_plain,
    refusals,
)
from leadscore.learning.shelf.succession import Promotion, succession, uncover

_log = logging.getLogger(__name__)

_BAD_POINTER = Text(
    zh="指明“{city}”现役模型的文件已损坏或丢失。请用 leadscore models promote 重新指定现役模型。",
    en="the file that names the champion of {city} is damaged or gone. Promote a model anew with "
    "leadscore models promote.",
)


class Champions:
    """The pointers and their histories, beside the versions.

    Parameters
    ----------
    folder
        The folder of models.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def champion(self, city_id: str) -> str | None:
        """Return the version that serves a city, or None if none was ever promoted.

        Raises
        ------
        ModelError
            If the pointer names no version, or is gone though the history tells of one.
        """
        pointer = self._file(city_id, "champion")
        with refusals(self.folder):
            try:
                named = read_plain(pointer).decode("utf-8", errors="replace").strip()
            except FileNotFoundError:
                if not self.history(city_id):
                    return None
                named = ""
        if not is_name(named):
            message = _BAD_POINTER.format(city=city_id)
            raise ModelError(message, [Detail(pointer.name, ascii(named), A_NAME)])
        return named

    def crown(self, city_id: str, promotion: Promotion) -> None:
        """Write a change down, then make it."""
        history = self._file(city_id, "history.jsonl")
        with refusals(self.folder):
            if history.is_symlink():
                raise not_plain(history)
            append_line(history, promotion.to_line())
            place_file(self._file(city_id, "champion"), f"{promotion.version}\n".encode())

    def history(self, city_id: str) -> list[Promotion]:
        """Return every change of a city's champion, the oldest first.

        A line that can't be read is passed over with a warning in the log.
        """
        path = self._file(city_id, "history.jsonl")
        with refusals(self.folder):
            try:
                lines = read_plain(path).decode("utf-8", errors="replace").split("\n")
            except FileNotFoundError:
                return []
        told = []
        for number, line in enumerate(lines, start=1):
            try:
                told += [Promotion.from_line(line)] if line.strip() else []
            except (ValueError, TypeError, RecursionError):
                _log.warning("%s, line %d can't be read and is passed over", path.name, number)
        return told

    def line(self, city_id: str) -> list[str]:
        """Return the champion and those to go back to, one after another; the newest first.

        Where the pointer is damaged, the history alone tells.
        """
        stack = succession(city_id, self.history(city_id))
        try:
            champion = self.champion(city_id)
        except ModelError:
            champion = None
        if champion is not None:
            uncover(stack, champion)
        return stack[::-1]

    def _file(self, city_id: str, ending: str) -> Path:
        check_name(city_id)
        return self.folder / f"{city_id}.{ending}"
