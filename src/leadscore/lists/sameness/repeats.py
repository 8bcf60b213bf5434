"""Of several rows of one firm one is kept, filled from the others, whatever their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore.language import Text
from leadscore.lists.columns import CANONICAL, Column, column
from leadscore.lists.problems import FOUND_CHARACTERS, Problem, shown
from leadscore.lists.values.cells import differ
from leadscore.lists.values.vocabularies import STAGES, STATUSES
from leadscore.lists.values.words import NONE, SEPARATOR

Ints = NDArray[np.int64]

_REPEAT = Text(
    zh="每家企业一行；此行与{where}是同一家企业（{why}），已并入该行{rest}",
    en="each firm once; this row is the same firm as {where} ({why}) and was merged into it{rest}",
)
_DIFFERENT = Text(
    zh="；两行不一致而未采用：{columns}", en="; not taken, since the two differ: {columns}"
)
_TAKEN = Text(zh="；采用此行的{values}", en="; taken from this row: {values}")
_NOTHING = Text(zh="", en="")
_BY_CODE = Text(zh="信用代码相同", en="the same credit code")
_BY_NAME = Text(zh="名称或曾用名相同", en="the same name or former name")

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
            wanted=_REPEAT.format(
                where=row_of(into, into_sheet), why=_BY_CODE if coded else _BY_NAME, rest=rest
            ),
            code="repeat",
            sheet=sheet if isinstance(sheet, str) else None,
            set_aside=True,
        )
        for row, sheet, name, into, into_sheet, coded, rest in zip(
            lost["row"], lost["sheet"], lost["name"], won["row"], won["sheet"], by_code, differing,
            strict=True,
        )
    ]  # fmt: skip


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
    return [_TAKEN.format(values=_list_of(found)) if found else _NOTHING for found in values]


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
        _DIFFERENT.format(columns=_list_of([each.label for each in found])) if found else _NOTHING
        for found in columns
    ]


def _list_of(texts: list[Text]) -> Text:
    return Text(zh="、".join(text.zh for text in texts), en=", ".join(text.en for text in texts))
