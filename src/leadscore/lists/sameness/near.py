"""Names that differ by a slip of the pen are pointed out, for a person to decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from leadscore.lists.sameness.firm_names import stem

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

NEIGHBOURS = 10
"""Names compared with each one, so that the work grows with the list and not with its square."""

TRADE_NAME = 2
"""Leading characters that must agree: firms differ in their trade name (字号), which is mostly two
characters, and share the words of their trade. 瑞泰科技 and 安泰科技 are two firms."""

SHORTEST_EDITED = 6
"""Characters of a name without place and legal form, below which one edit makes another name:
光明乳业 and 光明肉业 are two firms."""

_BRANCH = r"(?:分公司|分店|分厂|办事处|分部|营业部|支行|分行)$"
_COUNTING = r"[^0-9一二三四五六七八九十甲乙丙丁东西南北]"


def near_pairs(keys: pd.Series, numbers: pd.Series) -> Ints:
    """Return pairs of rows whose names are nearly the same.

    Nearly the same are names that, without place and legal form, are equal or, from
    `SHORTEST_EDITED` characters on, one edit apart behind the trade name. Their places must not
    contradict each other, and their counting words and points of the compass agree: 第一 and 第二
    are no slip. Each name is compared with its next `NEIGHBOURS` in sorted order. Two rows that
    both bear a number and differ in it are two firms and never a pair; branches are left out.

    Parameters
    ----------
    keys
        Normal forms of names, on an index ``0..n-1``, without missing values.
    numbers
        What tells firms apart for certain, such as credit codes; missing allowed.

    Returns
    -------
    numpy.ndarray
        Shape (pairs, 2), the smaller row first, sorted.

    >>> keys = pd.Series(["志浩电子科技有限公司", "江西志浩电子料技有限公司", "志浩光学有限公司"])
    >>> near_pairs(keys, pd.Series([None, None, None], dtype="str")).tolist()
    [[0, 1]]
    """
    none = np.empty((0, 2), dtype=np.int64)
    if numbers.notna().all():
        return none
    names = sorted_names(keys, numbers)
    found = [_close(names, one, other) for one, other in names.neighbours()]
    pairs = np.sort(names.rows[np.concatenate([none, *found])], axis=1)
    return np.unique(pairs, axis=0)


def sorted_names(keys: pd.Series, numbers: pd.Series) -> SortedNames:
    """Return the names that may have a near one, sorted without place and legal form."""
    parts = stem(keys)
    eligible = (parts["stem"].str.len() >= TRADE_NAME) & ~keys.str.contains(_BRANCH, regex=True)
    order = parts["stem"][eligible].sort_values(kind="stable").index
    parts = parts.loc[order]
    marks = {
        "key": keys[order],
        "trade": parts["stem"].str.slice(0, TRADE_NAME),
        "counting": parts["stem"].str.replace(_COUNTING, "", regex=True),
        "place": parts["place"].where(parts["place"] != ""),
        "number": numbers[order],
    }
    integers = {name: pd.factorize(values)[0] for name, values in marks.items()}
    return SortedNames(order.to_numpy(), parts["stem"].to_numpy(dtype=object), integers)


@dataclass(frozen=True, eq=False)
class SortedNames:
    """Sorted names, with all that decides whether two of them are worth comparing as integers.

    Attributes
    ----------
    rows
        Row of each name.
    stems
        The names without place and legal form.
    marks
        Integers that are equal where the names agree in a mark; negative where it is unknown.
    """

    rows: Ints
    stems: NDArray[np.object_]
    marks: dict[str, Ints]

    def neighbours(self) -> Iterator[tuple[Ints, Ints]]:
        """Yield the positions of pairs worth comparing, by their distance in the order."""
        for distance in range(1, NEIGHBOURS + 1):
            one = np.arange(len(self.stems) - distance)
            other = one + distance
            worth = self._same("trade", one, other) & self._same("counting", one, other)
            worth &= ~self._same("key", one, other)
            worth &= self._agree("place", one, other) & self._agree("number", one, other)
            yield one[worth], other[worth]

    def _same(self, mark: str, one: Ints, other: Ints) -> Mask:
        values = self.marks[mark]
        same: Mask = values[one] == values[other]
        return same

    def _agree(self, mark: str, one: Ints, other: Ints) -> Mask:
        values = self.marks[mark]
        unknown = (values[one] < 0) | (values[other] < 0)
        either: Mask = unknown | (values[one] == values[other])
        return either


def _close(names: SortedNames, one: Ints, other: Ints) -> Ints:
    """Return those pairs that are equal, or long enough for one edit to be a slip."""
    if not len(one):
        return np.empty((0, 2), dtype=np.int64)
    apart = process.cpdist(
        names.stems[one], names.stems[other], scorer=Levenshtein.distance, score_cutoff=1
    )
    size = np.array([len(each) for each in names.stems])
    shorter = np.minimum(size[one], size[other])
    close: Ints = np.column_stack([one, other])[apart <= (shorter >= SHORTEST_EDITED)]
    return close
