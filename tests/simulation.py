"""SIMULATED histories of courting, whose truth is known: invented firms, never real outcomes.

What became of real firms is confidential and scarce, and nobody knows the likelihood that was
behind it. Here both are made up: every firm bears the name 虚构… (invented) and a credit code of
the division 99, which does not exist, and every row of every file says that it is simulated.
Nothing made here may stand beside the samples, train a model that serves, or be quoted as a result
about a real city.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from leadscore.city.loading import load_city
from leadscore.city.profile import City
from leadscore.features.build import FirmFeatures
from leadscore.features.catalogue import DIRECTIONS
from leadscore.files import shipped
from leadscore.learning.expert import expert_scorecard
from leadscore.learning.scorecard import CategoricalTable, NumericTable, Scorecard, Table
from leadscore.lists.cleaning import clean
from leadscore.lists.reading import from_frame
from leadscore.lists.values.codes import ALPHABET

Experts = Literal["right", "half", "wrong"]

SAYS_SO = "模拟数据：虚构企业，仅供测试 SIMULATED: an invented firm, for tests only"
QUARTER_DAYS = 91
HORIZON_DAYS = 365

_NAME_MARKS = "安柏辰川达恩丰谷海嘉凯澜铭宁沛启融盛拓维欣远泽志博创鼎飞冠恒"
_TRADES = ("光电", "电子", "科技", "精密", "智能", "新材")
_HOMES = (
    ("广东省", "深圳市"), ("广东省", "东莞市"), ("江苏省", "苏州市"), ("浙江省", "杭州市"),
    ("上海市", "上海市"), ("北京市", "北京市"), ("湖北省", "武汉市"), ("四川省", "成都市"),
    ("福建省", "厦门市"), ("山东省", "青岛市"), ("陕西省", "西安市"), ("湖南省", "长沙市"),
)  # fmt: skip
_DEEDS = {
    "maker": "{0}、{1}的研发、生产和销售",
    "design": "{0}、{1}的研发、设计",
    "equipment": "{0}生产设备的研发、制造",
    "trade": "{0}、{1}的批发、零售",
    "service": "{0}检测服务、维修服务",
}
_DEED_SHARES = (0.62, 0.12, 0.1, 0.1, 0.06)
_ELSEWHERE = ("物业管理、餐饮服务", "生猪养殖、饲料销售", "服装制造、销售", "道路货物运输、仓储")
_INDUSTRIES = (
    "计算机、通信和其他电子设备制造业",
    "专用设备制造业",
    "软件和信息技术服务业",
    "批发业",
)
_TITLES = ("高新技术企业", "专精特新中小企业", "专精特新小巨人企业", "制造业单项冠军")
_ROUNDS = ("天使轮", "A轮", "B轮", "C轮", "D轮", "战略投资", "未融资")
_LOST_FOR = ("选择其他城市", "暂缓扩产", "土地价格", "人才不足", "联系中断")


@dataclass(frozen=True)
class History:
    """A SIMULATED history: what offices would have kept, and the truth behind it.

    Attributes
    ----------
    city
        The city that courts.
    lists
        Day and list of each quarter, with the Chinese headers of an office's file; texts.
    outcomes
        What an officer noted until ``until``: columns 企业名称, 统一社会信用代码, 阶段, 日期, 原因
        and 备注. Every seventh firm is noted by name alone.
    pursuits
        One row per firm contacted: ``credit_code, name, listed, contacted, likelihood`` (true),
        ``lands`` (whether it will sign within the horizon, known only to the simulation).
    truth
        The card that drew the outcomes.
    known
        The lists as they were read on their days: canonical columns and ``as_of``.
    until
        The last day that anybody knows of.
    """

    city: City
    lists: tuple[tuple[date, pd.DataFrame], ...]
    outcomes: pd.DataFrame
    pursuits: pd.DataFrame
    truth: Scorecard
    known: pd.DataFrame
    until: date

    def write(self, folder: Path) -> tuple[list[Path], Path]:
        """Write one CSV a quarter and the outcomes, as an office keeps them; return the paths."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for day, listed in self.lists:
            paths.append(folder / f"SIMULATED-{day:%Y-%m-%d}.csv")
            listed.to_csv(paths[-1], index=False, encoding="utf-8-sig")
        outcomes = folder / "SIMULATED-outcomes.csv"
        self.outcomes.to_csv(outcomes, index=False, encoding="utf-8-sig")
        return paths, outcomes

    def snapshots(self) -> pd.DataFrame:
        """Return the lists as a `SnapshotStore` gives them back."""
        day = self.known["as_of"].astype("datetime64[us]")
        return self.known.assign(
            as_of=day, kept=(day + pd.Timedelta(hours=9)).dt.tz_localize(UTC), model="expert",
            source="SIMULATED",
        )  # fmt: skip

    def events(self) -> pd.DataFrame:
        """Return the outcomes as an `OutcomeStore` gives them back."""
        kept, count = self.outcomes, len(self.outcomes)
        codes = kept["企业名称"].map(self.pursuits.set_index("name")["credit_code"])
        stage = kept["阶段"].map({zh: id_ for id_, zh in _STAGES.items()})
        day = pd.to_datetime(kept["日期"]).astype("datetime64[us]")
        recorded = pd.Timestamp(self.until, tz=UTC)
        return pd.DataFrame(
            {
                "entry": np.arange(1, count + 1), "firm": codes.astype("str"),
                "credit_code": kept["统一社会信用代码"].astype("str"),
                "name": kept["企业名称"].astype("str"),
                "former_names": pd.Series(np.nan, index=kept.index, dtype="str"),
                "stage": stage.astype("str"), "day": day,
                "reason": kept["原因"].astype("str"), "withdrawn": False,
                "recorded": pd.Series(recorded, index=kept.index).astype("datetime64[us, UTC]"),
                "source": "SIMULATED", "sheet": pd.Series(np.nan, index=kept.index, dtype="str"),
                "row": np.arange(2, count + 2), "file": "0" * 64,
            }
        )  # fmt: skip


_STAGES = {
    "contacted": "对接", "visited": "考察", "negotiating": "洽谈", "signed": "签约", "lost": "流失"
}  # fmt: skip


def simulate(
    city: City,
    *,
    experts: Experts = "half",
    pursuits: int = 600,
    quarters: int = 12,
    first: date = date(2023, 1, 4),
    sharpness: float = 2.0,
    seed: int = 0,
) -> History:
    """Draw a SIMULATED history.

    Parameters
    ----------
    city
        Any profile; the firms work in its segments, and its expert card is the officers' guide.
    experts
        How much of the truth the profile's card tells: all of it, about half of its features, or
        none. Nothing outside the features matters, and none runs against its direction.
    pursuits, quarters
        Firms contacted in all, in equal parts a quarter.
    first
        Day of the first list.
    sharpness
        How many times as far apart the entries are, on which the experts are wrong, as those that
        they wrote: the more, the more there is to learn.
    seed
        The same seed draws the same history.
    """
    rng = np.random.default_rng(seed)
    contacts = pursuits // quarters
    firms = _firms(city, 2 * contacts * quarters, rng)
    listed_in = np.repeat(np.arange(quarters), 2 * contacts)
    features, expert = FirmFeatures(city).fit(firms), expert_scorecard(city)
    lists, read, chosen, free = [], [], [], np.zeros(0, dtype=np.int64)
    for quarter in range(quarters):
        day = first + timedelta(days=QUARTER_DAYS * quarter)
        again = rng.permutation(free)[: contacts // 2]
        here = np.concatenate([np.flatnonzero(listed_in == quarter), again])
        frame = _as_listed(firms.iloc[here], quarter, rng)
        known = clean(from_frame(frame), today=day).firms.drop(columns=["row", "sheet"])
        read.append(known.assign(as_of=pd.Timestamp(day)))
        lists.append((day, frame))
        X = features.transform(read[-1])
        picked = _picked(expert.decision(X), contacts, rng)
        chosen.append(X.iloc[picked].assign(firm=here[picked], listed=pd.Timestamp(day)))
        free = np.setdiff1d(np.concatenate([free, here]), here[picked])
    met = pd.concat(chosen, ignore_index=True)
    truth = _truth(expert, met, experts, sharpness, rng)
    until = first + timedelta(days=QUARTER_DAYS * quarters)
    table = _pursuits(met, firms, truth, rng)
    outcomes = _outcomes(table, until, rng)
    known = pd.concat(read, ignore_index=True)
    return History(city, tuple(lists), outcomes, table, truth, known, until)


# --- firms ---------------------------------------------------------------------------------


@cache
def simulated_city() -> City:
    """Return the shipped city with the card of an invented office."""
    city = load_city(shipped("cities", "nanchang.toml"))
    written = tomllib.loads(
        (Path(__file__).parent / "cities" / "office_card.toml").read_text("utf-8")
    )
    return City.model_validate(city.model_dump(mode="json", by_alias=True) | written)


@cache
def of_wrong_experts() -> History:
    """Return the history of 600 pursuits that better models are learned from; drawn only once.

    What it holds is shared by all who ask for it: take copies before changing anything.
    """
    return simulate(simulated_city(), experts="wrong", sharpness=3, seed=1)


def noted_wrongly(events: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """Return the events with a share of the pursuits that ended noted as their opposite."""
    ended = events["stage"].isin(["signed", "lost"])
    firms = events["firm"][ended].drop_duplicates()
    flipped = ended & events["firm"].isin(firms.sample(frac=share, random_state=seed))
    opposite = events["stage"].map({"signed": "lost", "lost": "signed"})
    return events.assign(stage=events["stage"].mask(flipped, opposite))


def regret(card: Scorecard, history: History) -> float:
    """Return by how much a card's log loss exceeds the truth's, on all firms as they truly are."""
    X = FirmFeatures(history.city).fit(history.known).transform(history.known)
    p, q = (expit(each.decision(X)) for each in (history.truth, card))
    return float(np.mean(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))))


def _firms(city: City, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return invented firms with the headers of an office's list, before any list was made."""
    business, role = _businesses(city, count, rng)
    province, place = np.array(_HOMES)[rng.integers(len(_HOMES), size=count)].T
    capital = np.round(np.exp(rng.normal(np.log(4000), 1.6, count)), 0)  # 万元
    revenue = np.round(np.exp(rng.normal(np.log(15000), 1.7, count)), 1)
    age = rng.gamma(2.2, 4.5, count)
    founded = pd.Timestamp("2022-12-01") - pd.to_timedelta(np.round(age * 365.25), unit="D")
    industry = np.where(role == "trade", _INDUSTRIES[3], _choice(_INDUSTRIES[:3], count, rng))
    event = [each.name.zh for each in city.events]
    anchor = [each.name for each in city.anchors]
    return pd.DataFrame(
        {
            "企业名称": _names(count, rng),
            "统一社会信用代码": _codes(count),
            "登记状态": np.where(rng.random(count) < 0.985, "存续", "停业"),
            "注册资本（万元）": _gaps(capital, 0.05, rng),
            "实缴资本（万元）": _gaps(np.round(capital * rng.beta(1.5, 1.0, count)), 0.3, rng),
            "成立日期": _gaps(founded.strftime("%Y-%m-%d").to_numpy(), 0.05, rng),
            "所属省份": province,
            "所属城市": place,
            "员工人数": _gaps(np.round(np.exp(rng.normal(5, 1.3, count))), 0.15, rng),
            "营业收入（万元）": _gaps(revenue, 0.2, rng),
            "净利润（万元）": _gaps(np.round(revenue * rng.normal(0.06, 0.1, count), 1), 0.35, rng),
            "研发投入占比": _gaps(np.round(rng.beta(1.5, 20, count), 4), 0.3, rng),
            "营业收入增长率": _gaps(np.round(rng.normal(0.1, 0.22, count), 4), 0.3, rng),
            "专利数": _gaps(np.round(rng.gamma(0.7, 50, count)), 0.2, rng),
            "分支机构数": _gaps(rng.poisson(2, count).astype(float), 0.3, rng),
            "意向投资额（万元）": _gaps(np.round(np.exp(rng.normal(9, 1.5, count))), 0.6, rng),
            "国标行业大类": _gaps(industry, 0.1, rng),
            "资质": _some(_TITLES, 0.35, count, rng),
            "融资轮次": _some(_ROUNDS, 0.4, count, rng),
            "风险提示": np.where(rng.random(count) < 0.12, "行政处罚", "无"),
            "来源活动": _some(event or ["来访"], 0.2, count, rng),
            "推荐企业": _some(anchor or ["无"], 0.12, count, rng),
            "主营业务": _gaps(business, 0.03, rng),
            "备注": SAYS_SO,
        }
    )


def _businesses(city: City, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return what each firm does, in the words of the profile's segments, and as what."""
    segments = list(city.segments.values())
    role = rng.choice(list(_DEEDS), size=count, p=_DEED_SHARES)
    where = rng.integers(len(segments), size=count)
    pick = rng.random((count, 2))
    texts = [
        _DEEDS[r].format(*(words[int(p * len(words))] for p in pair))
        for r, pair, words in zip(role, pick, (segments[w].makes for w in where), strict=True)
    ]
    aside = rng.random(count) < 0.05
    return np.where(aside, _choice(_ELSEWHERE, count, rng), np.array(texts)), role


def _names(count: int, rng: np.random.Generator) -> list[str]:
    size = len(_NAME_MARKS)
    marks = rng.permutation(size**3)[:count]
    trades = _choice(_TRADES, count, rng)
    return [
        f"虚构{_NAME_MARKS[m // size**2]}{_NAME_MARKS[m // size % size]}{_NAME_MARKS[m % size]}"
        f"{trade}有限公司"
        for m, trade in zip(marks.tolist(), trades, strict=True)
    ]


def _codes(count: int) -> list[str]:
    """Return codes whose check character holds, of the division 99, which GB/T 2260 has not."""
    bodies = [f"91990000FAKE{number:05d}" for number in range(count)]
    weights = [pow(3, place, 31) for place in range(17)]
    sums = [sum(w * ALPHABET.index(c) for w, c in zip(weights, b, strict=True)) for b in bodies]
    return [body + ALPHABET[-total % 31] for body, total in zip(bodies, sums, strict=True)]


def _as_listed(firms: pd.DataFrame, quarter: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return firms as a quarter's list has them: they grow, and patents are granted."""
    grown = 1.02**quarter * np.exp(rng.normal(0, 0.03, len(firms)))
    now = firms.assign(
        **{
            "员工人数": np.round(firms["员工人数"] * grown),
            "专利数": np.round(firms["专利数"] * grown),
            "营业收入（万元）": np.round(firms["营业收入（万元）"] * grown, 1),
        }
    )
    return now.reset_index(drop=True)


def _choice(of: Sequence[str], count: int, rng: np.random.Generator) -> np.ndarray:
    return np.array(of)[rng.integers(len(of), size=count)]


def _some(of: Sequence[str], share: float, count: int, rng: np.random.Generator) -> np.ndarray:
    return _gaps(_choice(of, count, rng), 1 - share, rng)


def _gaps(values: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Blank a share of the values, as lists do."""
    if values.dtype.kind == "f":
        return np.where(rng.random(len(values)) < share, np.nan, values)
    cells = values.astype(object)
    cells[rng.random(len(values)) < share] = None
    return cells


# --- courting ------------------------------------------------------------------------------


def _picked(log_odds: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return whom the officers contact: three in four by the score they see, the rest by chance."""
    order = np.argsort(-(log_odds + rng.normal(0, 0.7, len(log_odds))), kind="stable")
    best, rest = order[: 3 * count // 4], order[3 * count // 4 :]
    return np.concatenate([best, rng.permutation(rest)[: count - len(best)]])


def _truth(
    expert: Scorecard,
    met: pd.DataFrame,
    experts: Experts,
    sharpness: float,
    rng: np.random.Generator,
) -> Scorecard:
    """Return the card that decides, whose likelihoods are on average what the experts expect."""
    spread = {t.feature: float(t.lookup(met[t.feature]).std()) for t in expert.tables}
    by_weight = sorted(spread, key=lambda feature: -spread[feature])
    wrong = {"right": [], "half": by_weight[::2], "wrong": by_weight}[experts]
    heavy = set(by_weight[: len(by_weight) // 2])
    tables = tuple(
        _changed(table, met, 0.0 if table.feature in heavy else 2.0, sharpness, rng)
        if table.feature in wrong
        else table
        for table in expert.tables
    )
    expected = float(expit(expert.decision(met)).mean())
    added = Scorecard(0.0, tables).decision(met)
    intercept = float(brentq(lambda base: expit(base + added).mean() - expected, -20, 20))
    return Scorecard(intercept, tables)


def _changed(
    table: Table, met: pd.DataFrame, share: float, sharpness: float, rng: np.random.Generator
) -> Table:
    """Return another table than the experts': without a direction other entries, else flat.

    What they take to be light and has a direction weighs three times as much.
    """
    mean = float(table.lookup(met[table.feature]).mean())
    values = table.values.copy()
    if table.feature not in DIRECTIONS:
        usual = np.flatnonzero(values > -1.0)  # what rules a firm out goes on doing so
        values[usual] = mean + sharpness * (values[rng.permutation(usual)] - mean)
    else:
        values = mean + share * sharpness * (values - mean)
    if isinstance(table, NumericTable):
        return NumericTable(table.feature, table.edges, values, table.unknown)
    return CategoricalTable(table.feature, table.levels, values, table.other, table.unknown)


def _pursuits(
    met: pd.DataFrame, firms: pd.DataFrame, truth: Scorecard, rng: np.random.Generator
) -> pd.DataFrame:
    who = firms.iloc[met["firm"]].reset_index(drop=True)
    likelihood = expit(truth.decision(met))
    wait = pd.to_timedelta(rng.integers(3, 85, len(met)), unit="D")
    return pd.DataFrame(
        {
            "credit_code": who["统一社会信用代码"], "name": who["企业名称"],
            "listed": met["listed"], "contacted": met["listed"] + wait,
            "likelihood": likelihood, "lands": rng.random(len(met)) < likelihood,
        }
    )  # fmt: skip


def _outcomes(pursuits: pd.DataFrame, until: date, rng: np.random.Generator) -> pd.DataFrame:
    """Return what was noted until a day: two in three failures by name, the others in silence."""
    count, lands = len(pursuits), pursuits["lands"].to_numpy(dtype=bool)
    signed = np.minimum(40 + rng.gamma(4, 42, count), HORIZON_DAYS - 10)
    lost = 30 + rng.gamma(3, 65, count)
    ends = np.where(lands, signed, lost)
    quiet = ~lands & (rng.random(count) < 0.35)
    after = {
        "contacted": np.zeros(count),
        "visited": np.where(rng.random(count) < 0.7, ends * 0.3, np.nan),
        "negotiating": np.where(lands | (rng.random(count) < 0.35), ends * 0.6, np.nan),
        "signed": np.where(lands, signed, np.nan),
        "lost": np.where(lands | quiet, np.nan, lost),
    }
    reason = _choice(_LOST_FOR, count, rng)
    parts = [
        pd.DataFrame(
            {
                "企业名称": pursuits["name"],
                "统一社会信用代码": pursuits["credit_code"].where(np.arange(count) % 7 > 0),
                "阶段": _STAGES[stage],
                "日期": pursuits["contacted"] + pd.to_timedelta(np.round(days), unit="D"),
                "原因": reason if stage == "lost" else None,
                "备注": SAYS_SO,
            }
        )
        for stage, days in after.items()
    ]
    noted = pd.concat(parts).dropna(subset="日期")
    noted = noted[noted["日期"] <= pd.Timestamp(until)]
    noted = noted.sort_values(["日期", "企业名称"], kind="stable", ignore_index=True)
    return noted.assign(日期=noted["日期"].dt.strftime("%Y-%m-%d"))
