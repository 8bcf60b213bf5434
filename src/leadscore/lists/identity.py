"""The same firm often stands in a list twice; it is ranked once, and no row is lost over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from leadscore.language import Text
from leadscore.lists.cleaning import CleanList, clean, records_of
from leadscore.lists.problems import FOUND_CHARACTERS, Problem, shown
from leadscore.lists.reading import read_list
from leadscore.lists.sameness.firm_names import normal_former_names, normal_name, stem
from leadscore.lists.sameness.repeats import fold_repeats, row_of

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


_SAME_NAME = Text(
    zh="与{where}（{name}）不同的名称，或相同的信用代码；名称相同而信用代码不同，按两家企业计",
    en="another name than {where} ({name}), or the same credit code; with the same name and"
    " different codes they count as two firms",
)
_UNDECIDED = Text(
    zh="信用代码；{where}等几家企业同名而信用代码不同，无法确定是哪一家，按另一家企业计",
    en="a credit code; {where} and others have this name and different codes, so that nobody can"
    " tell which of them this row is, and it counts as another firm",
)
_NEAR = Text(
    zh="若与{where}（{name}）是同一家企业，请统一名称或补上信用代码；现按两家企业计",
    en="one name or a credit code for both, if this is the same firm as {where} ({name}); they"
    " count as two firms",
)


@dataclass(frozen=True, eq=False)
class Groups:
    """Which rows are one firm.

    Attributes
    ----------
    of_row
        Number of the firm of each row.
    undecided
        Rows without a code whose name several firms with different codes bear.
    """

    of_row: Ints
    undecided: NDArray[np.bool_]


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


def settle_repeats(cleaned: CleanList) -> CleanList:
    """Keep each firm once, and flag those that may be the same.

    Rows are one firm if they share a credit code; a row without one is the firm that has its name
    now, else the firm that had it before, and rows without codes are one firm if they share a name
    or one had the other's. Names are compared in their normal form. The same name with two
    different codes stays two firms. Names that are only nearly the same are flagged, never merged.

    Of the rows of one firm the fullest is kept and its empty cells are filled from the others, so
    that neither the order of rows nor that of sheets changes a firm. The others are set aside in a
    problem ``repeat`` that names the row that they repeat and the columns in which they differ.

    Parameters
    ----------
    cleaned
        As `cleaning.clean` gives it.
    """
    firms = cleaned.firms
    names = normal_name(firms["name"])
    groups = group_rows(firms, names)
    folded = fold_repeats(firms, groups.of_row)
    kept = folded.kept
    flags = _same_names(firms, names, groups, kept) + _near(firms, names, kept)
    problems = (*cleaned.problems, *folded.problems, *flags)
    order = _sheet_order(cleaned)
    problems = tuple(sorted(problems, key=lambda p: (order.get(p.sheet, -1), p.row or -1)))
    records = [cleaned.records[at] for at in kept]
    if len(folded.filled):
        merged = records_of(folded.firms.iloc[folded.filled])
        for at, record in zip(folded.filled, merged, strict=True):
            records[at] = record
    return replace(
        cleaned,
        records=records,
        rows=[cleaned.rows[at] for at in kept],
        sheets=[cleaned.sheets[at] for at in kept],
        problems=problems,
        table=folded.firms,
    )


def group_rows(firms: pd.DataFrame, names: pd.Series) -> Groups:
    """Return which rows are one firm.

    Parameters
    ----------
    firms
        Canonical columns ``credit_code`` and ``former_names``; index ``0..n-1``.
    names
        Normal forms of the names.
    """
    of_row, codes = pd.factorize(firms["credit_code"])
    of_row = of_row.astype(np.int64)
    former = normal_former_names(firms["former_names"])
    coded = of_row >= 0
    bearers = pd.Series(of_row[coded], index=names[coded].to_numpy())
    once = pd.Series(of_row[former.index], index=former.to_numpy())[coded[former.index]]
    now, several = _unique(bearers)
    before, _ = _unique(once)
    loose = ~coded
    undecided = loose & names.isin(several).to_numpy(dtype=bool)
    settled = names.map(now).astype("float64").fillna(names.map(before).astype("float64"))
    earlier = former.map(now).astype("float64").dropna()
    settled = settled.fillna(earlier[~earlier.index.duplicated()].reindex(names.index))
    joins = loose & settled.notna().to_numpy(dtype=bool) & ~undecided
    of_row[joins] = settled[joins].to_numpy(dtype=np.int64)
    rest = of_row < 0
    of_row[rest] = len(codes) + _by_name(names[rest], former[rest[former.index]])
    return Groups(of_row, undecided)


def _unique(groups: pd.Series) -> tuple[pd.Series, pd.Index]:
    """Return the group of each name that has one only, and the names that have several."""
    pairs = groups.reset_index().drop_duplicates()
    pairs.columns = pd.Index(["name", "group"])
    shared = pairs["name"].duplicated(keep=False)
    single = pairs[~shared].set_index("name")["group"]
    return single, pd.Index(pairs["name"][shared].unique())


def _by_name(names: pd.Series, former: pd.Series) -> Ints:
    """Number rows without codes so that those with a common or former name have one number."""
    own, different = pd.factorize(names)
    at = pd.Series(np.arange(len(different)), index=different)
    links = former.map(at).astype("float64").dropna()
    own_of_row = pd.Series(own, index=names.index)
    one, other = own_of_row[links.index].to_numpy(), links.to_numpy(dtype=np.int64)
    size = len(different)
    graph = coo_matrix((np.ones(len(one)), (one, other)), shape=(size, size))
    component: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return component[own]


def _flag(firms: pd.DataFrame, at: int, other: int, wanted: Text, code: str) -> Problem:
    rows, sheet = firms["row"].to_numpy(dtype=np.int64), firms["sheet"].iat[at]
    return Problem(
        row=int(rows[at]),
        column=None,
        found=shown(firms["name"].iat[at], FOUND_CHARACTERS),
        wanted=wanted.format(
            where=row_of(int(rows[other]), firms["sheet"].iat[other]),
            name=shown(firms["name"].iat[other], FOUND_CHARACTERS),
        ),
        code=code,
        sheet=sheet if isinstance(sheet, str) else None,
    )


def _same_names(firms: pd.DataFrame, names: pd.Series, groups: Groups, kept: Ints) -> list[Problem]:
    """Flag kept rows that bear the name of a firm before them, but not its code."""
    own = names.iloc[kept]
    first = pd.Series(kept, index=own.to_numpy())
    first = first[~first.index.duplicated()]
    before = own.map(first).to_numpy(dtype=np.int64)
    later = np.flatnonzero(before != kept)
    return [
        _flag(firms, at, other, _UNDECIDED if groups.undecided[at] else _SAME_NAME, "same_name")
        for at, other in zip(kept[later].tolist(), before[later].tolist(), strict=True)
    ]


def _near(firms: pd.DataFrame, names: pd.Series, kept: Ints) -> list[Problem]:
    """Flag kept rows whose name is nearly that of a row before them."""
    numbers = firms["credit_code"].fillna(firms["security_code"])
    keys = names.iloc[kept].reset_index(drop=True)
    pairs = near_pairs(keys, numbers.iloc[kept].reset_index(drop=True))
    return [_flag(firms, at, other, _NEAR, "near_match") for other, at in kept[pairs].tolist()]


def _sheet_order(clean: CleanList) -> dict[str | None, int]:
    sheets = [problem.sheet for problem in clean.problems]
    sheets += clean.firms["sheet"].dropna().unique().tolist()
    return {sheet: place for place, sheet in enumerate(dict.fromkeys(sheets))}
