"""Deduplication: which rows are one and the same firm, by code, by name, and nearly so."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from leadscore.lists.cleaning import CleanList, clean, records_of
from leadscore.lists.columns import CANONICAL, Column, column
from leadscore.lists.problems import FOUND_CHARACTERS, Problem, shown
from leadscore.lists.reading.file import read_list
from leadscore.lists.values.cells import differ
from leadscore.lists.values.places import divisions
from leadscore.lists.values.words import INVISIBLE, NONE, SEPARATOR, STAGES, STATUSES
from leadscore.text import Text, room_words

WORDS = room_words("lists")


_LEFT_OUT = re.compile(rf"{INVISIBLE}|[^\w&+#@%*]+")
_LONGEST = 2_000

_FORMS = (
    ("有限责任公司", "有限公司"),
    ("股份公司", "股份有限公司"),
    ("company", "co"),
    ("limited", "ltd"),
    ("incorporated", "inc"),
    ("corporation", "corp"),
)
"""Spellings of one legal form.

By the Company Law of China (2023, article 7) a limited liability company calls itself
有限责任公司 or 有限公司, a joint stock company 股份有限公司 or 股份公司. The two forms are not
made one: a firm changes from the first to the second when it prepares to list, but two firms of
a group may bear the same name in both forms, so that only a common credit code or a former name
tells.
"""

_LEGAL_FORM = r"(?:(?:集团)?(?:股份)?有限公司|集团公司|公司|(?:co)?ltd|inc|corp|llc|gmbh)$"


def normal_name(names: pd.Series) -> pd.Series:
    """Return the normal form of firms' names, by which the same name is known.

    Unicode NFKC, lower case, one spelling of each legal form, without spaces, brackets and other
    punctuation; what stands in the brackets stays.

    Parameters
    ----------
    names
        Text, missing allowed.

    >>> normal_name(
    ...     pd.Series(["罗门哈斯（上海）有限责任公司", "罗门哈斯 (上海) 有限公司"])
    ... ).tolist()
    ['罗门哈斯上海有限公司', '罗门哈斯上海有限公司']
    """
    at, different = pd.factorize(names)
    written = np.array([*map(normal_name_of, different), None], dtype=object)
    return pd.Series(written[at], index=names.index, dtype="str")


def normal_name_of(name: str) -> str:
    """Return the normal form of one name.

    >>> normal_name_of("罗门哈斯（上海）有限责任公司")
    '罗门哈斯上海有限公司'
    """
    key = unicodedata.normalize("NFKC", name[:_LONGEST]).lower()
    key = _LEFT_OUT.sub("", key)
    for spelling, form in _FORMS:
        key = key.replace(spelling, form)
    return key or name


def normal_former_names(former_names: pd.Series) -> pd.Series:
    """Return the normal form of each former name, on the index of its row.

    Parameters
    ----------
    former_names
        Joined by semicolons, missing allowed.

    >>> normal_former_names(pd.Series(["甲公司;乙 公司", None], dtype="str")).to_list()
    ['甲公司', '乙公司']
    """
    given = former_names.dropna()
    return normal_name(given.str.split(";").explode()).dropna().astype("str")


def stem(keys: pd.Series) -> pd.DataFrame:
    """Split normal forms into the place that they begin with and the rest without legal form.

    Parameters
    ----------
    keys
        As `normal_name` gives them, without missing values.

    Returns
    -------
    pandas.DataFrame
        Columns ``place`` (empty if none) and ``stem``, text.

    >>> stem(pd.Series(["江西志浩电子科技有限公司"])).iloc[0].tolist()
    ['江西', '志浩电子科技']
    """
    bare = keys.str.replace(_LEGAL_FORM, "", regex=True)
    places = "|".join(re.escape(name) for name in sorted(divisions().places, key=len, reverse=True))
    # Arrow's own expressions take a thousand alternatives at no cost; Python's do not.
    pattern = f"^(?P<place>(?:(?:{places})[省市]?){{0,2}})(?P<stem>(?s:.+))$"
    split = pc.extract_regex(pa.array(bare, type=pa.large_string()), pattern)
    fields = {name: pc.struct_field(split, name) for name in ("place", "stem")}
    parts: pd.DataFrame = pa.table(fields).to_pandas().set_index(keys.index)
    return parts.fillna({"place": "", "stem": ""})


Ints = NDArray[np.int64]

_BY_NAME = WORDS["dedupe.by_name"]

_JOINED = tuple(
    each for each in CANONICAL
    if each.kind in {"list", "remark"} and each.name not in {"profile", "business_scope"}
)  # fmt: skip
_COMPARED = tuple(
    each for each in CANONICAL
    if each.kind not in {"list", "remark", "former", "place", "division"}
    and each.name not in {"name", "name_en", "short_name", "website", "business_term"}
)  # fmt: skip
_GRAVEST = ("deregistered", "revoked", "liquidating")
_FIRST_WINS = {
    "status": (STATUSES, (*_GRAVEST, *(each for each in STATUSES if each not in _GRAVEST))),
    "stage": (STAGES, tuple(reversed(STAGES))),
}
"""Columns in which not the fullest row decides, and the order of their values, the strongest first.

A firm that any row calls deregistered must not be ranked as if it were alive, and a pursuit has
come as far as the row that saw it furthest; lost and paused come last of all.
"""


@dataclass(frozen=True, eq=False)
class Folded:
    """Firms after repeats are folded.

    Attributes
    ----------
    firms
        One row a firm, in the order of the source, index ``0..n-1``.
    kept
        Position of each of them in the frame before.
    filled
        Positions among ``firms`` of those that were made of several rows.
    problems
        One ``repeat`` for each row that was folded into another.
    """

    firms: pd.DataFrame
    kept: Ints
    filled: Ints
    problems: list[Problem]


def fold_repeats(firms: pd.DataFrame, groups: Ints) -> Folded:
    """Keep one row of each group.

    The row with the most filled cells is kept, among equals the one with more text, among those
    the one that comes first when their contents are sorted: the order of rows decides nothing
    unless two rows are the same throughout. Its empty cells are filled from the others in that
    order; lists and remarks are joined. Of several statuses one that ends a firm counts, of several
    stages the most advanced, whichever row it stands in.

    Parameters
    ----------
    firms
        Canonical columns, ``row`` and ``sheet``; index ``0..n-1``.
    groups
        Number of the firm of each row.
    """
    shared = pd.Series(groups).duplicated(keep=False).to_numpy(dtype=bool)
    if not shared.any():
        return Folded(firms, np.arange(len(firms)), np.empty(0, dtype=np.int64), [])
    several = firms[shared]
    order = _order(several, groups[shared])
    ranked = several.iloc[order]
    of_ranked = groups[shared][order]
    first = np.r_[True, of_ranked[1:] != of_ranked[:-1]]
    winners = ranked.index.to_numpy()[first]
    of_winner = np.repeat(winners, np.diff(np.r_[np.flatnonzero(first), len(first)]))
    filled = _filled(ranked, of_winner).loc[winners]
    kept_mask = ~shared
    kept_mask[winners] = True
    kept = np.flatnonzero(kept_mask)
    merged = pd.concat([firms[~shared], filled]).loc[kept].reset_index(drop=True)
    losers = ranked.index.to_numpy()[~first]
    problems = _problems(firms, losers, of_winner[~first], filled)
    merged = merged.astype(firms.dtypes.to_dict())
    return Folded(merged, kept, np.flatnonzero(np.isin(kept, winners)), problems)


def row_of(row: int, sheet: object) -> Text:
    """Return how a row is named to people, with its sheet if it has one.

    >>> row_of(7, "展会").zh
    '工作表“展会”第 7 行'
    """
    if isinstance(sheet, str):
        return Text(zh=f"工作表“{sheet}”第 {row} 行", en=f"row {row} of sheet “{sheet}”")
    return Text(zh=f"第 {row} 行", en=f"row {row}")


def _order(several: pd.DataFrame, groups: Ints) -> Ints:
    """Sort rows by group, the best of each group first, whatever order they come in."""
    content = several.drop(columns=["row", "sheet"])
    size = np.zeros(len(content))
    for each in CANONICAL:
        if each.dtype == "str":
            size += content[each.name].str.len().fillna(0).to_numpy(dtype=float)
    filled = content.notna().sum(axis=1).to_numpy()
    tie = pd.util.hash_pandas_object(content, index=False).to_numpy()
    return np.lexsort([several["row"].to_numpy(), tie, -size, -filled, groups])


def _filled(ranked: pd.DataFrame, of_winner: Ints) -> pd.DataFrame:
    """Return one row for each winner: the first known value of each column, or all joined."""
    by_firm = ranked.groupby(of_winner, sort=False)
    filled = by_firm.first()
    winners = ranked.loc[filled.index]
    filled["row"], filled["sheet"] = winners["row"], winners["sheet"]
    stray = filled["city_code"].str.slice(0, 2) != filled["province_code"]
    filled["city_code"] = filled["city_code"].mask(stray, winners["city_code"])
    for name, (_, order) in _FIRST_WINS.items():
        strength = {value: place for place, value in enumerate(order)}
        strongest = ranked[name].map(strength).groupby(of_winner, sort=False).min()
        filled[name] = strongest.map(dict(enumerate(order))).astype("str")
    for each in _JOINED:
        entries = pd.DataFrame({"firm": of_winner, "entry": ranked[each.name].to_numpy()})
        entries = entries.dropna().drop_duplicates()
        entries = entries[entries["firm"].duplicated(keep=False)]
        entries = entries[entries["entry"] != NONE]
        if len(entries):
            joined = entries.groupby("firm", sort=False)["entry"].agg(SEPARATOR.join)
            filled.loc[joined.index, each.name] = joined
    return filled


def _problems(
    firms: pd.DataFrame, losers: Ints, winners: Ints, filled: pd.DataFrame
) -> list[Problem]:
    lost, won = firms.loc[losers].reset_index(drop=True), filled.loc[winners].reset_index(drop=True)
    by_code = (lost["credit_code"] == won["credit_code"]).fillna(False).to_numpy(dtype=bool)
    differing = [
        Text(zh=taken.zh + rest.zh, en=taken.en + rest.en)
        for taken, rest in zip(
            _taken(firms, losers, winners, won), _differing(lost, won), strict=True
        )
    ]
    return [
        Problem(
            row=int(row),
            column=None,
            found=shown(name, FOUND_CHARACTERS),
            wanted=WORDS["dedupe.repeat"].format(
                where=row_of(into, into_sheet),
                why=WORDS["dedupe.by_code"] if coded else _BY_NAME,
                rest=rest,
            ),
            code="repeat",
            sheet=sheet if isinstance(sheet, str) else None,
            set_aside=True,
        )
        for row, sheet, name, into, into_sheet, coded, rest in zip(
            lost["row"],
            lost["sheet"],
            lost["name"],
            won["row"],
            won["sheet"],
            by_code,
            differing,
            strict=True,
        )
    ]


def _taken(firms: pd.DataFrame, losers: Ints, winners: Ints, won: pd.DataFrame) -> list[Text]:
    """Return for each folded row a clause that tells what it changed in the row that was kept."""
    values: list[list[Text]] = [[] for _ in range(len(losers))]
    for name, (words, _) in _FIRST_WINS.items():
        own, kept = firms[name].take(losers).to_numpy(), firms[name].take(winners)
        changed = (own == won[name].to_numpy()) & (kept.notna() & (kept != own)).to_numpy()
        for at in np.flatnonzero(changed):
            values[at].append(
                Text(
                    zh=f"{column(name).label.zh}（{words[own[at]].zh}）",
                    en=f"{column(name).label.en} ({words[own[at]].en})",
                )
            )
    return [
        WORDS["dedupe.taken"].format(values=_list_of(found)) if found else WORDS["dedupe.nothing"]
        for found in values
    ]


def _differing(lost: pd.DataFrame, won: pd.DataFrame) -> list[Text]:
    """Return for each folded row a clause that names the columns in which it was not followed."""
    columns: list[list[Column]] = [[] for _ in range(len(lost))]
    for each in _COMPARED:
        both = (lost[each.name].notna() & won[each.name].notna()).to_numpy(dtype=bool, copy=True)
        if both.any():
            pairs = zip(lost[each.name][both], won[each.name][both], strict=True)
            both[both] = [differ(one, other) for one, other in pairs]
        for at in np.flatnonzero(both):
            columns[at].append(each)
    return [
        WORDS["dedupe.different"].format(columns=_list_of([each.label for each in found]))
        if found
        else WORDS["dedupe.nothing"]
        for found in columns
    ]


def _list_of(texts: list[Text]) -> Text:
    return Text(zh="、".join(text.zh for text in texts), en=", ".join(text.en for text in texts))


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


_UNDECIDED = WORDS["dedupe.undecided"]
_NEAR = WORDS["dedupe.near"]


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
    pairs = zip(own_of_row[links.index].tolist(), links.astype(np.int64).tolist(), strict=True)
    component = np.unique(_components(len(different), pairs), return_inverse=True)[1]
    return component[own].astype(np.int64)


def _components(size: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return the smallest node that each of so many nodes is connected with (union-find)."""
    parent = list(range(size))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for pair in pairs:
        one, other = sorted(map(root, pair))
        parent[other] = one
    return [root(node) for node in range(size)]


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
        _flag(
            firms,
            at,
            other,
            _UNDECIDED if groups.undecided[at] else WORDS["dedupe.same_name"],
            "same_name",
        )
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
