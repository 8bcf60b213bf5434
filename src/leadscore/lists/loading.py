"""One call from a file to firms that can be scored."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from leadscore.lists.cleaning import CleanList, clean
from leadscore.lists.identity import settle_repeats
from leadscore.lists.reading import read_list


def load_list(path: Path, *, today: date) -> CleanList:
    """Read a list, clean its cells and set repeats aside.

    Parameters
    ----------
    path
        The file, as `reading.read_list` takes it.
    today
        Days after it are not believed.

    Returns
    -------
    CleanList
        Each firm once. ``rows_in`` is the number of firms plus that of the rows set aside.

    Raises
    ------
    ListError
        If the file can't be read at all.
    """
    return settle_repeats(clean(read_list(path), today=today))
