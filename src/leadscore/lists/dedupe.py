"""Deduplication: which rows are one and the same firm, by code, by name, and nearly so."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from leadscore.lists.cleaning import CleanList, Firm, clean, firms_table, records_of
from leadscore.lists.columns import CANONICAL, column
from leadscore.lists.problems import FOUND_CHARACTERS, Problem
from leadscore.lists.reading import read_list
from leadscore.lists.values.cells import differ
from leadscore.lists.values.places import divisions
from leadscore.lists.values.words import INVISIBLE, NONE, SEPARATOR, STAGES, STATUSES, VOCABULARY
from leadscore.text import Text, room_words, shown

WORDS = room_words("lists")

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

_LEFT_OUT = re.compile(rf"{INVISIBLE}|[^\w&+#@%*]+")
_LEGAL_FORM = r"(?:(?:集团)?(?:股份)?有限公司|集团公司|公司|(?:co)?ltd|inc|corp|llc|gmbh)$"
_BRANCH = r"(?:分公司|分店|分厂|办事处|分部|营业部|支行|分行)$"
_COUNTING = r"[^0-9一二三四五六七八九十甲乙丙丁东西南北]"

_JOINED = tuple(
    one.name for one in CANONICAL
    if one.kind in {"list", "remark"} and one.name not in {"profile", "business_scope"}
)  # fmt: skip
_COMPARED = tuple(
    one for one in CANONICAL
    if one.kind not in {"list", "remark", "former", "place", "division"}
    and one.name not in {"name", "name_en", "short_name", "website", "business_term"}
)  # fmt: skip
_FIRST_WINS = {
    "status": (STATUSES, [*dict.fromkeys(["deregistered", "revoked", "liquidating", *STATUSES])]),
    "stage": (STAGES, [*reversed(STAGES)]),
}
"""Columns in which not the fullest row decides, and the order of their values, the strongest first.

A firm that any row calls deregistered must not be ranked as if it were alive, and a pursuit has
come as far as the row that saw it furthest; lost and paused come last of all.
"""


def load_list(path: Path, *, today: date) -> CleanList:
    """Read a list, clean its cells and set repeats aside; days after ``today`` are not believed.

    ``rows_in`` is the number of firms plus that of the rows set aside. Raises `ListError` if the
    file can't be read at all.
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
    Rows over which one name is merged in a workbook are no repeats but one firm from the start.
    """
    cleaned = join_merged_rows(cleaned)
    firms = cleaned.firms
    names = normal_name(firms["name"])
    groups = group_rows(firms, names)
    folded = fold_repeats(firms, groups.of_row)
    kept = folded.kept.tolist()
    sheets = [problem.sheet for problem in cleaned.problems]
    sheets += firms["sheet"].dropna().unique().tolist()
    order = {sheet: place for place, sheet in enumerate(dict.fromkeys(sheets))}
    flags = _flags(firms, names, groups.undecided, folded.kept)
    problems = [*cleaned.problems, *folded.problems, *flags]
    problems.sort(key=lambda problem: (order.get(problem.sheet, -1), problem.row or -1))
    return replace(
        cleaned,
        records=[folded.merged.get(at, cleaned.records[at]) for at in kept],
        rows=[cleaned.rows[at] for at in kept],
        sheets=[cleaned.sheets[at] for at in kept],
        problems=tuple(problems),
        table=folded.firms,
    )


def join_merged_rows(cleaned: CleanList) -> CleanList:
    """Make one firm of the rows over which its name is merged: lists and remarks are joined.

    Of other columns the first known value counts; where the rows differ, a problem tells it. Rows
    with several credit codes stay several firms. Where rows are joined, ``rows_in`` counts them as
    the one firm that they are.
    """
    if not cleaned.continued:
        return cleaned
    places = {key: at for at, key in enumerate(zip(cleaned.sheets, cleaned.rows, strict=True))}
    groups: dict[int, list[int]] = {}
    for (sheet, row), first in cleaned.continued.items():
        at, below = places.get((sheet, first)), places.get((sheet, row))
        if at is not None and below is not None:
            groups.setdefault(at, [at]).append(below)
    records, joined, problems = [*cleaned.records], set(), [*cleaned.problems]
    for at, group in groups.items():
        rows = [cleaned.records[place] for place in group]
        if len({row["credit_code"] for row in rows if "credit_code" in row}) > 1:
            continue
        records[at] = _merged(rows)
        joined |= set(group[1:])
        for place in group[1:]:
            if different := _different(cleaned.records[place], records[at]):
                wanted = WORDS["dedupe.merged_rows"].format(listed=_listed(different))
                found = shown(str(records[at]["name"]), FOUND_CHARACTERS)
                where = cleaned.rows[place], cleaned.sheets[place]
                problems.append(Problem(where[0], None, found, wanted, "conflict", where[1]))
    kept = [at for at in range(len(records)) if at not in joined]
    return CleanList(
        [records[at] for at in kept],
        [cleaned.rows[at] for at in kept],
        [cleaned.sheets[at] for at in kept],
        tuple(problems),
        cleaned.rows_in - len(joined),
        cleaned.notices,
    )


def normal_name(names: pd.Series) -> pd.Series:
    """Return the normal form of firms' names (missing allowed), by which the same name is known.

    Unicode NFKC, lower case, one spelling of each legal form, without spaces, brackets and other
    punctuation; what stands in the brackets stays.

    >>> normal_name(pd.Series(["罗门哈斯（上海）有限责任公司"])).tolist()
    ['罗门哈斯上海有限公司']
    """
    at, different = pd.factorize(names)
    written = np.array([*map(normal_name_of, different), None], dtype=object)
    return pd.Series(written[at], index=names.index, dtype="str")


def normal_name_of(name: str) -> str:
    """Return the normal form of one name, see `normal_name`."""
    key = _LEFT_OUT.sub("", unicodedata.normalize("NFKC", name[:2_000]).lower())
    for spelling, form in VOCABULARY["legal_forms"].items():
        key = key.replace(spelling, form)
    return key or name


def normal_former_names(former_names: pd.Series) -> pd.Series:
    """Return the normal form of each former name, on the index of its row."""
    given = former_names.dropna()
    return normal_name(given.str.split(";").explode()).dropna().astype("str")


def stem(keys: pd.Series) -> pd.DataFrame:
    """Split normal forms into the ``place`` that they begin with and the ``stem``, both text.

    The stem is the rest without legal form; the place is empty if there is none.

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


class Groups(NamedTuple):
    """The number of the firm of each row, and which rows are undecided.

    Undecided are rows without a code whose name several firms with different codes bear.
    """

    of_row: Ints
    undecided: Mask


def group_rows(firms: pd.DataFrame, names: pd.Series) -> Groups:
    """Return which rows are one firm, by ``credit_code``, ``former_names`` and normal names.

    The index of ``firms`` and ``names`` is ``0..n-1``.
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
    return pairs[~shared].set_index("name")["group"], pd.Index(pairs["name"][shared].unique())


def _by_name(names: pd.Series, former: pd.Series) -> Ints:
    """Number rows without codes so that those with a common or former name have one number."""
    own, different = pd.factorize(names)
    parent = list(range(len(different)))  # a forest of connected names (union-find)

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    links = former.map(pd.Series(parent, index=different)).astype("float64").dropna()
    once = links.astype(np.int64).tolist()
    for pair in zip(pd.Series(own, index=names.index)[links.index].tolist(), once, strict=True):
        one, other = sorted(map(root, pair))
        parent[other] = one
    roots = np.array([root(node) for node in range(len(different))], dtype=np.int64)
    return np.unique(roots, return_inverse=True)[1][own].astype(np.int64)


class Folded(NamedTuple):
    """Firms after repeats are folded, in the order of the source, index ``0..n-1``.

    ``kept`` has the position of each of them in the frame before, ``merged`` those that were made
    of several rows, by that position; each row folded into another is a problem ``repeat``.
    """

    firms: pd.DataFrame
    kept: Ints
    merged: dict[int, Firm]
    problems: list[Problem]


def fold_repeats(firms: pd.DataFrame, groups: Ints) -> Folded:
    """Keep one row of each group: ``groups`` has the number of the firm of each row.

    The row with the most filled cells is kept, of a branch only if there are no others, among
    equals the one with more text, among those the one that comes first when their contents are
    sorted: the order of rows decides nothing unless two rows are the same throughout. Its empty
    cells are filled from the others in that order; lists and remarks are joined. Of several
    statuses one that ends a firm counts, of several stages the most advanced, whichever row it
    stands in.

    The frame has the canonical columns, ``row`` and ``sheet``; index ``0..n-1``.
    """
    shared = pd.Series(groups).duplicated(keep=False).to_numpy(dtype=bool, copy=True)
    if not shared.any():
        return Folded(firms, np.arange(len(firms)), {}, [])
    several = firms[shared]
    ranked = several.iloc[_order(several, groups[shared])]
    places = ranked.index.tolist()
    records = dict(zip(places, records_of(ranked), strict=True))
    spots = _spots(firms, places)
    merged: dict[int, Firm] = {}
    problems = []
    for _, group in groupby(places, key=groups.tolist().__getitem__):
        first, *others = group
        merged[first] = _merged([records[first], *(records[at] for at in others)])
        for at in others:
            wanted = _repeat(records[at], records[first], merged[first], _row_of(spots[first]))
            problems.append(_problem(spots[at], wanted, "repeat", set_aside=True))
    shared[list(merged)] = False
    kept = np.flatnonzero(~shared)
    filled = firms_table([*merged.values()], [0] * len(merged), [None] * len(merged))
    filled = filled.set_axis([*merged]).assign(row=firms["row"], sheet=firms["sheet"])
    folded = pd.concat([firms.drop(index=places), filled]).loc[kept].reset_index(drop=True)
    return Folded(folded.astype(firms.dtypes.to_dict()), kept, merged, problems)


def _order(several: pd.DataFrame, groups: Ints) -> Ints:
    content = several.drop(columns=["row", "sheet"])
    texts = [content[one.name] for one in CANONICAL if one.dtype == "str"]
    lengths = (text.str.len().fillna(0).to_numpy(dtype=float) for text in texts)
    size = sum(lengths, np.zeros(len(content)))
    filled = content.notna().sum(axis=1).to_numpy()
    branch = content["name"].str.contains(_BRANCH).fillna(value=False).to_numpy(dtype=bool)
    tie = pd.util.hash_pandas_object(content, index=False).to_numpy()
    return np.lexsort([several["row"].to_numpy(), tie, -size, -filled, branch, groups])


def _merged(rows: Sequence[Firm]) -> Firm:
    """Return one firm for several rows: the first known value of each column, or all joined."""
    merged: Firm = {}
    for row in reversed(rows):
        merged |= row
    if str(merged.get("city_code", ""))[:2] != merged.get("province_code"):
        merged.pop("city_code", None)
        merged |= {name: value for name, value in rows[0].items() if name == "city_code"}
    for name, (_, order) in _FIRST_WINS.items():
        if name in merged:
            merged[name] = min((str(row[name]) for row in rows if name in row), key=order.index)
    for name in _JOINED:
        entries = dict.fromkeys(str(row[name]) for row in rows if name in row)
        if len(entries) > 1:
            merged[name] = SEPARATOR.join(entry for entry in entries if entry != NONE)
    return merged


def _repeat(lost: Firm, kept: Firm, merged: Firm, where: Text) -> Text:
    """Say what a folded row repeats, what it changed there, and where it was not followed."""
    taken = []
    for name, (words, _) in _FIRST_WINS.items():
        own, before = lost.get(name), kept.get(name)
        if own == merged.get(name) and before not in (None, own):
            label, word = column(name).label, words[str(own)]
            taken.append(Text(zh=f"{label.zh}（{word.zh}）", en=f"{label.en} ({word.en})"))
    different = _different(lost, merged)
    return WORDS["dedupe.repeat"].format(
        where=where,
        why=WORDS["dedupe.by_code"] if "credit_code" in lost else WORDS["dedupe.by_name"],
        taken=_clause(WORDS["dedupe.taken"], taken),
        different=_clause(WORDS["dedupe.different"], different),
    )


def _different(row: Firm, merged: Firm) -> list[Text]:
    return [
        one.label
        for one in _COMPARED
        if (value := row.get(one.name)) not in (None, merged.get(one.name))
        and differ(value, merged[one.name])
    ]


def _clause(template: Text, texts: Sequence[Text]) -> Text:
    return template.format(listed=_listed(texts)) if texts else Text(zh="", en="")


def _listed(texts: Sequence[Text]) -> Text:
    return Text(zh="、".join(one.zh for one in texts), en=", ".join(one.en for one in texts))


class SortedNames(NamedTuple):
    """Sorted names, with all that decides whether two of them are worth comparing as integers.

    Stems are the names without place and legal form; marks are equal where the names agree in them
    and negative where they are unknown.
    """

    rows: Ints
    stems: NDArray[np.object_]
    marks: dict[str, Ints]

    def neighbours(self) -> Iterator[tuple[Ints, Ints]]:
        """Yield the positions of pairs worth comparing, by their distance in the order."""
        for distance in range(1, NEIGHBOURS + 1):
            one = np.arange(len(self.stems) - distance)
            other = one + distance
            same = {mark: values[one] == values[other] for mark, values in self.marks.items()}
            worth = same["trade"] & same["counting"] & ~same["key"]
            for mark in ("place", "number"):
                unknown = self.marks[mark] < 0
                worth &= same[mark] | unknown[one] | unknown[other]
            yield one[worth], other[worth]


def sorted_names(keys: pd.Series, numbers: pd.Series) -> SortedNames:
    """Return the names that may have a near one, sorted without place and legal form."""
    parts = stem(keys)
    eligible = (parts["stem"].str.len() >= TRADE_NAME) & ~keys.str.contains(_BRANCH, regex=True)
    parts = parts[eligible].sort_values("stem", kind="stable")
    stems = parts["stem"]
    marks = {
        "key": keys[parts.index],
        "trade": stems.str.slice(0, TRADE_NAME),
        "counting": stems.str.replace(_COUNTING, "", regex=True),
        "place": parts["place"].where(parts["place"] != ""),
        "number": numbers[parts.index],
    }
    integers = {name: pd.factorize(values)[0] for name, values in marks.items()}
    return SortedNames(parts.index.to_numpy(), stems.to_numpy(dtype=object), integers)


def near_pairs(keys: pd.Series, numbers: pd.Series) -> Ints:
    """Return pairs of rows whose names are nearly the same: shape (pairs, 2), sorted.

    Nearly the same are names that, without place and legal form, are equal or, from
    `SHORTEST_EDITED` characters on, one edit apart behind the trade name. Their places must not
    contradict each other, and their counting words and points of the compass agree: 第一 and 第二
    are no slip. Each name is compared with its next `NEIGHBOURS` in sorted order. Two rows that
    both bear a number (what tells firms apart for certain, such as credit codes) and differ in it
    are two firms and never a pair; branches are left out.

    ``keys`` are normal forms of names, on an index ``0..n-1``.

    >>> keys = pd.Series(["志浩电子科技有限公司", "江西志浩电子料技有限公司", "志浩光学有限公司"])
    >>> near_pairs(keys, pd.Series([None, None, None], dtype="str")).tolist()
    [[0, 1]]
    """
    pairs = [np.empty((0, 2), dtype=np.int64)]
    if numbers.notna().all():
        return pairs[0]
    rows, stems, _ = names = sorted_names(keys, numbers)
    size = np.array([len(one) for one in stems])
    for one, other in names.neighbours():
        if len(one):
            # One edit is a slip only in names that are long enough.
            most = np.minimum(size[one], size[other]) >= SHORTEST_EDITED
            apart = process.cpdist(
                stems[one], stems[other], scorer=Levenshtein.distance, score_cutoff=1
            )
            pairs.append(rows[np.column_stack([one, other])[apart <= most]])
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)


def _flags(firms: pd.DataFrame, names: pd.Series, undecided: Mask, kept: Ints) -> list[Problem]:
    own = names.iloc[kept]
    first = pd.Series(kept, index=own.to_numpy())
    before = own.map(first[~first.index.duplicated()]).to_numpy(dtype=np.int64)
    pairs = [
        (at, other, "undecided" if undecided[at] else "same_name", "same_name")
        for at, other in np.column_stack([kept, before])[before != kept].tolist()
    ]
    numbers = firms["credit_code"].fillna(firms["security_code"]).iloc[kept]
    near = near_pairs(own.reset_index(drop=True), numbers.reset_index(drop=True))
    pairs += [(at, other, "near", "near_match") for other, at in kept[near].tolist()]
    spots = _spots(firms, sorted({at for pair in pairs for at in pair[:2]}))
    problems = []
    for at, other, words, code in pairs:
        name = shown(spots[other].name, FOUND_CHARACTERS)
        wanted = WORDS[f"dedupe.{words}"].format(where=_row_of(spots[other]), name=name)
        problems.append(_problem(spots[at], wanted, code))
    return problems


class _Spot(NamedTuple):
    row: int
    sheet: object  # missing where there are no sheets
    name: str


def _spots(firms: pd.DataFrame, places: list[int]) -> dict[int, _Spot]:
    columns = (firms[name].iloc[places].tolist() for name in _Spot._fields)
    return dict(zip(places, map(_Spot, *columns), strict=True))


def _problem(spot: _Spot, wanted: Text, code: str, *, set_aside: bool = False) -> Problem:
    sheet = spot.sheet if isinstance(spot.sheet, str) else None
    found = shown(spot.name, FOUND_CHARACTERS)
    return Problem(spot.row, None, found, wanted, code, sheet, set_aside)


def _row_of(spot: _Spot) -> Text:
    words = WORDS["dedupe.row_of_sheet"] if isinstance(spot.sheet, str) else WORDS["dedupe.row"]
    return words.format(row=spot.row, sheet=spot.sheet)
