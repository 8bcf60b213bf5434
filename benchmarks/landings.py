"""Does the likelihood put the firms that truly built in a province before the others?

For each province the listed firms from elsewhere are ordered by likelihood, with a neutral profile
that names no local supply, and by each single column. The reference card behind the likelihood is
learned from other provinces and other firms than it is judged on. ``docs/landings.md`` says what
comes out and what it is not. ``--card FILE`` learns from all provinces at once and writes the card.

``LEADSCORE_BENCH_DATA`` names a folder with ``landings/bases.csv`` (ts_code, home, province, kind:
P production, R research, O other) and ``firms/a_share_profiles.csv.gz``, which are not shipped.
Usage: ``python benchmarks/landings.py [--data DIR] [--kinds PR] [--card FILE]``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from leadscore.city import City, load_city
from leadscore.features.catalogue import DIRECTIONS
from leadscore.features.extract import FeatureExtractor
from leadscore.features.footprint import Footprint
from leadscore.files import shipped
from leadscore.learning.card import AdditiveCard
from leadscore.learning.expert import expert_scorecard
from leadscore.learning.reference import Reference
from leadscore.learning.scorecard import (
    CategoricalTable,
    NumericTable,
    Scorecard,
    log_odds_to_points,
)
from leadscore.lists.cleaning import clean, records_of
from leadscore.lists.reading import read_list

Floats = NDArray[np.float64]
TODAY = date(2026, 11, 1)
LEARNED = (
    "industry_kind", "manufacturing", "registered_capital_cny", "staff", "revenue_cny",
    "profit_margin", "distance_km", "other_places",
)  # fmt: skip
"""What a profile of a listed firm tells that holds of every city."""
# Where nobody has landed, and where the data say nothing, the card keeps these points.
START = {
    "industry_kind": {
        "manufacturing": 4, "software": 2, "research": 2, "trade": -15, "construction": -15,
        "business": -15, "other": -8,
    },
    "manufacturing": ([0.5], [-6, 3]),
    "registered_capital_cny": ([5e6, 3e7, 1e8, 5e8, 5e9], [-10, -2, 3, 6, 5, 2]),
    "staff": ([20, 100, 500, 2000, 20000], [-8, 0, 4, 6, 6, 2]),
    "revenue_cny": ([2e7, 2e8, 2e9, 2e10], [-5, 0, 4, 6, 3]),
    "profit_margin": ([0, 0.05, 0.15], [-8, 0, 3, 5]),
    "distance_km": ([1, 400, 800, 1200, 1600], [0, 0, 0, 0, 0, 0]),
    "other_places": ([0.5, 1.5, 2.5, 4.5], [0, 0, 0, 0, 0]),
}  # fmt: skip
MOST_TOLD = 20.0
"""Points that naming one other place may be worth, against naming none.

The landings are read from the same profiles: who tells of one place tells of the next, and 15 times
the odds are mostly that. How much is more than telling can't be known here; a factor of two stays.
"""
TOLD = 0.5
"""What stays of the points between one other place and several, for the same reason."""
COLUMNS = ("staff", "revenue_cny", "total_assets_cny", "registered_capital_cny", "near")
FOLDS, LEAST, FIRST, DRAWS = 3, 7, 100, 2000
FEW = 10.0
"""For so many landings half of what people would have written counts in every entry; where fewer
stand behind it, or were to be expected, its width is wide."""
LISTED_ONLY, NOTHING_KNOWN = 4.0, 12.0
"""Points by which an entry may be off since all firms were listed; where next to none landed."""
KEPT = 0.2  # of the pairs without a landing, each for so many more


@dataclass(frozen=True)
class Panel:
    """Every listed firm beside every province: n firms, p provinces.

    ``X`` has what no province changes; ``distance`` and ``others`` are by province, NaN where
    unknown; ``landed`` and ``elsewhere`` are n x p; ``fold`` parts the firms.
    """

    firms: pd.DataFrame
    X: pd.DataFrame
    provinces: list[str]
    distance: Floats
    others: Floats
    landed: NDArray[np.bool_]
    elsewhere: NDArray[np.bool_]
    fold: NDArray[np.int64]

    def features(self, pairs: NDArray[np.bool_]) -> pd.DataFrame:
        """Return X of the pairs of firms and provinces that a mask chooses, in its order."""
        firm, province = np.nonzero(pairs)
        rows = self.X.iloc[firm].reset_index(drop=True)
        rows["distance_km"] = self.distance[firm, province]
        rows["other_places"] = self.others[firm, province]
        return rows


def neutral(city: City, province: str) -> City:
    """Return a profile of nowhere in particular: all segments lacking, nobody there, no region."""
    plain = city.model_dump(mode="json", by_alias=True)
    plain["city"] |= {"division_code": province}
    for chain in plain["chain"]:
        for segment in chain["segment"]:
            segment |= {"supply": 0.0, "sought": False}
    for name in ("anchor", "neighbour", "event", "sought", "target_region", "place"):
        plain[name] = []
    return City.model_validate(plain)


def panel(folder: Path, kinds: str, city: City) -> Panel:
    """Read and measure the firms, and who says that it has what in which province."""
    source = folder / "firms" / "a_share_profiles.csv.gz"
    firms = clean(read_list(source), today=TODAY).firms.reset_index(drop=True)
    # A security code belongs to one exchange, so that it tells the firm.
    keys = pd.read_csv(source, usecols=["ts_code"], dtype="str")["ts_code"]
    firms["ts_code"] = keys.iloc[firms["row"].astype(int) - 2].to_numpy()
    bases = pd.read_csv(folder / "landings" / "bases.csv", dtype="str")
    provinces = sorted(set(bases["province"]))
    X = FeatureExtractor(neutral(city, "")).transform(firms.assign(as_of=pd.Timestamp(TODAY)))
    records = records_of(firms)
    told = [[Footprint(at).features(firm) for at in provinces] for firm in records]
    shape = (len(firms), len(provinces))
    landed = np.zeros(shape, dtype=bool)
    place = {code: at for at, code in enumerate(firms["ts_code"])}
    counted = bases[bases["kind"].isin(list(kinds)) & bases["ts_code"].isin(place)]
    rows = counted["ts_code"].map(place).to_numpy()
    landed[rows, counted["province"].map(provinces.index).to_numpy()] = True
    home = firms["province_code"]
    elsewhere = np.column_stack([(home.notna() & (home != at)).to_numpy() for at in provinces])
    values = {
        name: np.array([[row[name] for row in rows] for rows in told], dtype=float)
        for name in ("distance_km", "other_places")
    }
    fold = np.random.default_rng(0).integers(0, FOLDS, len(firms))
    return Panel(
        firms, X, provinces, values["distance_km"], values["other_places"],
        landed & elsewhere, elsewhere, fold,
    )  # fmt: skip


def start() -> Scorecard:
    """Return what the card begins with."""
    tables: list[NumericTable | CategoricalTable] = []
    odds = np.log(2.0) / 20.0
    for name in LEARNED:
        said = START[name]
        if isinstance(said, dict):
            points = np.array(list(said.values()), dtype=float)
            tables.append(CategoricalTable(name, tuple(said), points * odds, 0.0, 0.0))
        else:
            edges, points = (np.array(part, dtype=float) for part in said)
            tables.append(NumericTable(name, edges, points * odds, 0.0))
    return Scorecard(float(np.log(0.01)), tuple(tables))


def learned(data: Panel, pairs: NDArray[np.bool_]) -> AdditiveCard:
    """Fit the reference card on the pairs of firms that make something, as a city courts them.

    Of those without a landing a share stands for all.
    """
    dice = np.random.default_rng(1).random(pairs.shape)
    makers = (data.X["manufacturing"] == 1).to_numpy()[:, None]
    chosen = pairs & makers & (data.landed | (dice < KEPT))
    y = data.landed[chosen].astype(np.int64)
    weight = np.where(y == 1, 1.0, 1.0 / KEPT)
    directions = {name: DIRECTIONS[name] for name in LEARNED if name in DIRECTIONS}
    # Points are for people: no more bands than the card begins with.
    card = AdditiveCard(prior=start(), directions=directions, max_bins=2)
    return card.fit(data.features(chosen)[list(LEARNED)], y, sample_weight=weight)


def _start_of(table: NumericTable | CategoricalTable) -> Floats:
    # What people would have written for the entries of a table.
    first = next(own for own in start().tables if own.feature == table.feature)
    if isinstance(first, NumericTable) and isinstance(table, NumericTable):
        at = np.searchsorted(first.edges, np.append(-np.inf, table.edges), side="right")
        return np.append(log_odds_to_points(first.values[at]), 0.0)
    levels = [first.entries[first.code(level)] for level in getattr(table, "levels", ())]
    return np.append(log_odds_to_points(np.array(levels)), [0.0, 0.0])


def as_points(card: AdditiveCard) -> dict[str, dict[str, list[float] | list[str]]]:
    """Return the card as the plain tables that are shipped, with what stands behind each entry.

    Entries are bands or levels, (other,) unknown. Points are counted from their mean over the
    firms; ``landings`` is the number behind each entry, ``widths`` how far (in points, one standard
    deviation) an entry may be off.
    """
    frame = card.to_frame(0.6827)
    rate = float(card.positives_[0] / card.counts_[0])
    tables: dict[str, dict[str, list[float] | list[str]]] = {}
    for table in card.scorecard_.tables:
        rows = frame[frame["feature"] == table.feature]
        points = log_odds_to_points(table.entries)
        counts, landings = (rows[name].to_numpy(float) for name in ("count", "positives"))
        half = (rows["points_high"] - rows["points_low"]).to_numpy(float) / 2.0
        if table.feature == "other_places":
            steps = np.diff(points[:-1]) * TOLD
            steps[0] = min(steps[0] / TOLD, MOST_TOLD)
            points[:-1] = points[0] + np.append(0.0, np.cumsum(steps))
        seen = counts > 0
        points -= np.average(points[seen], weights=counts[seen])
        # Nobody where many were to be expected tells as much as many where few were.
        behind = np.maximum(landings, counts * rate)
        words = _start_of(table) if seen.any() else np.zeros(len(points))
        points = (behind * points + FEW * words / 2.0) / (behind + FEW)
        if table.feature == "other_places":
            points[-1] = 0.0
        widths = np.where(behind < FEW, NOTHING_KNOWN, np.hypot(half, LISTED_ONLY))
        if table.feature == "other_places":
            widths[:-1] = np.hypot(widths[:-1], MOST_TOLD / 2.0)
        direction = DIRECTIONS.get(table.feature, 0)
        if direction:  # halving must not turn a known direction round
            points[:-1] = np.maximum.accumulate(points[:-1] * direction) * direction
        if isinstance(table, CategoricalTable):
            ends: dict[str, list[float] | list[str]] = {"levels": list(table.levels)}
        else:
            ends = {"edges": [float(edge) for edge in table.edges]}
        points = np.round(points) + 0.0  # whole, as people write them; no -0
        numbers = {"points": points, "widths": widths, "landings": landings, "firms": counts}
        tables[table.feature] = ends | {
            name: [round(float(value), 1) for value in values] for name, values in numbers.items()
        }
    return tables


def likelihoods(data: Panel, city: City, kinds_without: tuple[str, ...] = ()) -> Floats:
    """Return log-odds, n x p: each pair by a card that knew neither its firm nor its province."""
    scores = np.full(data.landed.shape, np.nan)
    for at, province in enumerate(data.provinces):
        others = data.elsewhere.copy()
        others[:, at] = False
        place = neutral(city, province)
        for fold in range(FOLDS):
            card = learned(data, others & (data.fold != fold)[:, None])
            tables = {k: v for k, v in as_points(card).items() if k not in kinds_without}
            reference = Reference.of({"feature": tables})
            judged = data.elsewhere & (data.fold == fold)[:, None]
            judged[:, np.arange(len(data.provinces)) != at] = False
            expert = expert_scorecard(place, reference)
            scores[judged] = expert.decision(data.features(judged))
    return scores


@dataclass(frozen=True)
class Order:
    """How good an order is in each province that is looked at: AUC, landings, and the first."""

    auc: Floats
    landings: Floats
    first: Floats

    @property
    def pooled(self) -> float:
        """AUC over all provinces, each weighing as its landings."""
        return float(self.auc @ self.landings / self.landings.sum())


def ordered(data: Panel, score: Floats, firms: NDArray[np.bool_], at: list[int]) -> Order:
    """Judge an order among some firms, n x p; firms that a column says nothing of come last."""
    auc, landings, first = [], [], []
    for province in at:
        chosen = firms[:, province] & data.elsewhere[:, province]
        y = data.landed[chosen, province]
        s = np.nan_to_num(score[chosen, province], nan=-np.inf, neginf=-1e30)
        auc.append(roc_auc_score(y, np.maximum(s, -1e30)))
        landings.append(y.sum())
        first.append(y[np.argsort(-s, kind="stable")[:FIRST]].sum())
    return Order(*(np.array(part, dtype=float) for part in (auc, landings, first)))


def best_elsewhere(columns: Mapping[str, Order]) -> tuple[Order, list[str]]:
    """Return the order by the column that is best on the other provinces, for each province."""
    names, rows = [], []
    any_order = next(iter(columns.values()))
    for at in range(len(any_order.auc)):
        others = np.arange(len(any_order.auc)) != at

        def elsewhere(name: str, others: NDArray[np.bool_] = others) -> float:
            order = columns[name]
            return float(order.auc[others] @ order.landings[others] / order.landings[others].sum())

        name = max(columns, key=elsewhere)
        names.append(name)
        rows.append((columns[name].auc[at], columns[name].landings[at], columns[name].first[at]))
    return Order(*(np.array(part) for part in zip(*rows, strict=True))), names


def ahead(one: Order, other: Order) -> tuple[float, float, float]:
    """Return by how much the pooled AUC of one is ahead, with 90 % of draws of provinces."""
    dice, size = np.random.default_rng(3), len(one.auc)
    difference, weight = one.auc - other.auc, one.landings
    drawn = dice.integers(0, size, (DRAWS, size))
    draws = (difference[drawn] * weight[drawn]).sum(1) / weight[drawn].sum(1)
    low, high = np.quantile(draws, [0.05, 0.95])
    return float(difference @ weight / weight.sum()), float(low), float(high)


def written(data: Panel, tables: Mapping[str, Mapping[str, list[float] | list[str]]]) -> str:
    """Return the reference card as the file that is shipped."""
    lines = [
        HEAD.format(
            firms=int((data.X["manufacturing"] == 1).sum()), provinces=len(data.provinces),
            landings=int(data.landed[(data.X["manufacturing"] == 1).to_numpy()].sum()),
        )
    ]  # fmt: skip
    for name, table in tables.items():
        lines.append(f"\n[feature.{name}]")
        for key, values in table.items():
            shown = [f'"{v}"' if isinstance(v, str) else f"{v:g}" for v in values]
            if key == "firms":
                shown = [f"{value:.0f}" for value in values]
            lines.append(f"{key} = [{', '.join(shown)}]")
    return "\n".join(lines) + "\n"


HEAD = """\
# 参照评分卡：上市制造企业在外省设基地、研发中心的经验，20 分使几率翻一倍。
# 由 benchmarks/landings.py --card 拟合写出，不手改；它不能说明什么，见 docs/landings.zh-CN.md。
# The reference card: what plants and research centres of listed makers in other provinces teach;
# 20 points double the odds. Fitted and written by benchmarks/landings.py --card, never by hand;
# docs/landings.md says what it is not.
#
# Of points, widths, landings and firms the last is that of the unknown, the last but one beside
# levels that of all other levels. widths: how far points may be off (one standard deviation);
# landings: how many stand behind an entry; firms: pairs of a firm and a province. In every entry
# half of what people would have written counts as ten landings, so that points which rest on
# nothing are small; there the width is 12.

firms = {firms}
provinces = {provinces}
landings = {landings}
"""


def told(data: Panel, name: str, score: Mapping[str, Floats], firms: NDArray[np.bool_]) -> None:
    """Print the table of one choice of firms."""
    within = (data.landed & firms & data.elsewhere).sum(0)
    at = [place for place, count in enumerate(within) if count >= LEAST]
    orders = {key: ordered(data, values, firms, at) for key, values in score.items()}
    columns = {key: orders[key] for key in COLUMNS}
    best, names = best_elsewhere(columns)
    landings = int(best.landings.sum())
    print(f"\n{name}: {len(at)} provinces, {landings} landings")
    print(f"{'order':34} {'AUC':>6} {f'first {FIRST}':>10}   ahead of the best column (90 %)")
    for key, order in (orders | {"best column of other provinces": best}).items():
        line = f"{key:34} {order.pooled:6.3f} {int(order.first.sum()):10}"
        if key not in columns and order is not best:
            middle, low, high = ahead(order, best)
            times = order.first.sum() / best.first.sum()
            line += f"   {middle:+.3f} ({low:+.3f} to {high:+.3f}), x{times:.1f}"
        print(line)
    print("best column chosen:", ", ".join(sorted(set(names), key=names.count, reverse=True)))


def main() -> None:
    """Print the tables, or write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("LEADSCORE_BENCH_DATA"))
    parser.add_argument("--kinds", default="PR", help="which bases count: P, R, O")
    parser.add_argument("--card", type=Path, help="write the reference card there, and end")
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the folder of the data: --data or LEADSCORE_BENCH_DATA")
    city = load_city(shipped("cities", "nanchang.toml"))
    data = panel(Path(options.data), options.kinds, city)
    if options.card:
        card = as_points(learned(data, data.elsewhere))
        options.card.write_text(written(data, card), encoding="utf-8")
        return
    shape = data.landed.shape
    scores = {
        name: np.broadcast_to(data.firms[name].to_numpy(float)[:, None], shape)
        for name in COLUMNS
        if name != "near"
    }
    scores["near"] = -data.distance
    place = neutral(city, "")
    own = expert_scorecard(place.model_copy(update={"card": city.card}), NONE)
    pairs = data.elsewhere
    alone = np.full(shape, np.nan)
    alone[pairs] = own.decision(data.features(pairs))
    scores["expert card alone"] = alone
    scores["without other places"] = likelihoods(data, city, ("other_places",))
    scores["likelihood"] = likelihoods(data, city)
    matched = (data.X["match_strength"] >= SOLID).to_numpy()[:, None] & np.ones(shape, dtype=bool)
    telling = data.others > 0
    told(data, "matched firms", scores, matched)
    told(data, "all firms", scores, np.ones(shape, dtype=bool))
    told(data, "matched firms that name another place", scores, matched & telling)
    told(data, "all firms that name another place", scores, telling)


NONE = Reference({}, {}, {})
SOLID = 0.15  # a match that is more than a passing word

if __name__ == "__main__":
    main()
