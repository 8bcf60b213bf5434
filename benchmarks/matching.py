"""Measures how well business text is matched to segments, and how fast.

Firms that people labelled by reading (``gold/CODEBOOK.md``) are ranked by their strength in each
segment, as read from main business and profile only; beside it by plainly counting the same words,
by BM25 over them, and by character n-grams learned from the labels of other firms, in five folds.
The matcher itself is fitted to nothing here. Intervals (90 %) are of a bootstrap over firms.
Registry firms are matched by all their columns. Then the whole list, for the speed.
Usage: ``python benchmarks/matching.py [--data DIR] [--city FILE] [--ablate]``.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from leadscore.city import City, load_city
from leadscore.city.matching import TEXT_COLUMNS, Match, Matcher, Weights
from leadscore.city.matching.vocabulary import load_lexicon, normal_form
from leadscore.learning.expert import fit_expert
from leadscore.lists.cleaning import clean
from leadscore.lists.reading import read_list
from leadscore.ranking.score import FirmScore, Scorer

HERE = Path(__file__).resolve().parent.parent
COLUMNS = {
    "公司名称": "name",
    "主营业务": "main_business",
    "公司简介": "profile",
    "申万三级行业": "sw_industry",
}
LEAST = 4  # firms that a segment is among the main businesses of
MAIN = 2  # centrality from which it is
SURE, HARDLY = 0.3, 0.15  # strengths from which a best segment counts, and a registry firm is found
REGISTRY_SURE = 0.25
FOLDS, DRAWS, SEED, RUNS = 5, 200, 12, 5
BAITED = 25  # firms that are baited for each segment that is sought
TODAY = date(2026, 1, 5)
Floats = NDArray[np.float64]
Strengths = Mapping[str, Floats]
"""By segment, a number for each firm: the larger, the surer is it to work there."""
GROUPS_BEHIND = {
    "head nouns: equipment": ("equipment",),
    "head nouns: materials, parts": ("materials", "parts"),
    "uses, fields and customers": (
        *("application", "uses", "fields", "audience"),
        *("recipient", "providing", "and_others"),
    ),
    "verbs: trade, design, service": ("trading", "designing", "serving", "service", "integration"),
    "honours, bodies, the past": ("bodies", "past"),
    "longer words that hold a cue": ("intact",),
}
"""Rules of the matcher by the groups of the lexicon that they rest on."""


@dataclass(frozen=True, eq=False)
class Gold:
    """Labelled firms: texts, weights, and by segment how central it is to each, 0..3."""

    texts: pd.DataFrame
    weights: Floats
    centrality: Mapping[str, NDArray[np.int64]]
    roles: Mapping[tuple[int, str], str]  # by position of the firm and segment

    @property
    def measured(self) -> list[str]:
        """Segments with enough firms of which they are a main business."""
        return [s for s, central in self.centrality.items() if (central >= MAIN).sum() >= LEAST]


def load_gold(folder: Path, city: City) -> Gold:
    """Read the labelled firms and their texts."""
    firms = pd.read_csv(folder / "gold" / "firms_dev.csv", index_col="ts_code")
    labels = pd.read_csv(folder / "gold" / "labels_dev.csv")
    texts = pd.read_csv(folder / "firms" / "a_share_profiles.csv.gz", dtype="str").set_index(
        "ts_code"
    )
    texts = texts.loc[firms.index].rename(columns=COLUMNS)[["main_business", "profile"]].fillna("")
    centrality = {segment: np.zeros(len(firms), dtype=np.int64) for segment in city.segments}
    roles = {}
    places = {code: place for place, code in enumerate(firms.index)}
    for row in labels.itertuples():
        place = places[row.ts_code]
        centrality[row.segment][place] = row.centrality
        roles[place, row.segment] = row.role
    return Gold(texts, firms["weight"].to_numpy(dtype=float), centrality, roles)


def matched(matcher: Matcher, gold: Gold) -> list[list[Match]]:
    """Match every labelled firm by its texts."""
    return matcher.match_all(gold.texts.to_dict("records"))


def strengths_of(matches: Sequence[Sequence[Match]], segments: Sequence[str]) -> Strengths:
    """Return the strength of every firm in each segment, 0 where it does not match."""
    of_firm = [{match.segment: match.strength for match in firm} for firm in matches]
    return {s: np.array([firm.get(s, 0.0) for firm in of_firm]) for s in segments}


def word_counts(city: City, gold: Gold) -> dict[str, NDArray[np.int64]]:
    """Return by segment how often each of its words stands in the text of each firm."""
    texts = [normal_form("\n".join(row)) for row in gold.texts.to_numpy()]
    counts = {}
    for name in gold.measured:
        segment = city.segments[name]
        words = {normal_form(word) for word in (*segment.makes, *segment.materials,
                                                *segment.equipment, *segment.hints)}  # fmt: skip
        counts[name] = np.array([[text.count(word) for word in words] for text in texts])
    return counts


def bm25(counts: NDArray[np.int64], lengths: Floats) -> Floats:
    """Return the BM25 of a query of all words (Robertson and Zaragoza 2009, k1 1.2, b 0.75)."""
    present = (counts > 0).sum(axis=0)
    rarity = np.log(1 + (len(counts) - present + 0.5) / (present + 0.5))
    norm = 1.2 * (0.25 + 0.75 * lengths / lengths.mean())
    return (counts * 2.2 / (counts + norm[:, None]) * rarity).sum(axis=1)


def n_grams(gold: Gold) -> Strengths:
    """Return what a logistic regression on characters says of firms that it did not learn from."""
    texts = ["\n".join(row) for row in gold.texts.to_numpy()]
    model = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(2, 4), min_df=3, sublinear_tf=True),
        LogisticRegression(C=30.0, class_weight="balanced", max_iter=300),
    )
    strengths = {}
    for segment in gold.measured:
        central = gold.centrality[segment] >= 1
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
        strengths[segment] = cross_val_predict(
            model, texts, central, cv=folds, method="decision_function"
        )
    return strengths


def average_precision(gold: Gold, segment: str, score: Floats, at: NDArray[np.int64]) -> float:
    """Return the weighted average precision among some firms, side businesses left out."""
    at = at[gold.centrality[segment][at] != 1]
    central = gold.centrality[segment][at] >= MAIN
    if not central.any():
        return float("nan")
    return float(average_precision_score(central, score[at], sample_weight=gold.weights[at]))


def first_five(gold: Gold, segment: str, score: Floats, at: NDArray[np.int64]) -> float:
    """Return which share of the five strongest firms is right."""
    strongest = at[np.argsort(-score[at], kind="stable")[:5]]
    return float((gold.centrality[segment][strongest] >= MAIN).mean())


def orders(gold: Gold, strengths: Strengths, at: NDArray[np.int64]) -> tuple[float, float]:
    """Return the mean average precision over segments, and the share of first five right."""
    both = [
        (average_precision(gold, s, strengths[s], at), first_five(gold, s, strengths[s], at))
        for s in gold.measured
    ]
    mean, five = np.nanmean(np.array(both), axis=0)
    return float(mean), float(five)


def best_and_role(
    gold: Gold, matches: Sequence[Sequence[Match]], at: NDArray[np.int64]
) -> tuple[float, float]:
    """Return for which share of firms the best segment is right, and of those the role."""
    best = [(place, matches[place][0]) for place in at.tolist() if matches[place]]
    sure = [(place, match) for place, match in best if match.strength >= SURE]
    right = [(p, match) for p, match in sure if gold.centrality[match.segment][p] > 0]
    role = np.mean([gold.roles[place, match.segment] == match.role for place, match in right])
    return len(right) / len(sure), float(role)


def interval(gold: Gold, measure: Callable[[NDArray[np.int64]], tuple[float, float]]) -> Floats:
    """Return the 5th and 95th percentile of two measures, over firms drawn with replacement."""
    draw = np.random.default_rng(SEED)
    places = np.arange(len(gold.texts))
    drawn = [measure(draw.choice(places, len(places))) for _ in range(DRAWS)]
    return np.percentile(np.array(drawn), [5, 95], axis=0)


def print_quality(city: City, gold: Gold) -> None:
    matches = matched(Matcher(city), gold)
    counts = word_counts(city, gold)
    lengths = gold.texts.map(len).sum(axis=1).to_numpy(dtype=float)
    columns = {
        "matched": strengths_of(matches, gold.measured),
        "counted": {s: many.sum(axis=1).astype(float) for s, many in counts.items()},
        "BM25": {s: bm25(many, lengths) for s, many in counts.items()},
        "n-grams": n_grams(gold),
    }
    places = np.arange(len(gold.texts))
    print(f"{'average precision':26} {'firms':>6}" + "".join(f"{name:>10}" for name in columns))
    for segment in sorted(gold.measured):
        figures = (average_precision(gold, segment, of[segment], places) for of in columns.values())
        number = (gold.centrality[segment] >= MAIN).sum()
        print(f"{segment:26} {number:6}" + "".join(f"{figure:10.3f}" for figure in figures))
    for name, strengths in columns.items():
        mean, five = orders(gold, strengths, places)
        low, high = interval(gold, lambda at, of=strengths: orders(gold, of, at))
        print(f"{name}: mean {mean:.3f} ({low[0]:.3f} to {high[0]:.3f}), "
              f"first five right {five:.3f} ({low[1]:.3f} to {high[1]:.3f})")  # fmt: skip
    best, role = best_and_role(gold, matches, places)
    low, high = interval(gold, lambda at: best_and_role(gold, matches, at))
    print(f"best segment right {best:.3f} ({low[0]:.3f} to {high[0]:.3f}), "
          f"role right {role:.3f} ({low[1]:.3f} to {high[1]:.3f})")  # fmt: skip


def print_registry(city: City, folder: Path) -> None:
    """Print the precision of sure matches and the recall of main businesses, of registry firms."""
    cleaned = clean(read_list(folder / "firms" / "registry_extract.csv"), today=date.today())
    labels = pd.read_csv(folder / "gold" / "registry_labels_dev.csv")
    central = {(row.row, row.segment): row.centrality for row in labels.itertuples()}
    strengths = {
        (row - 2, match.segment): match.strength  # rows are counted from 1, with the header
        for row, matches in zip(cleaned.rows, Matcher(city).match_all(cleaned.records), strict=True)
        for match in matches
        if row % 2 == 0
    }
    sure = [key for key, strength in strengths.items() if strength >= REGISTRY_SURE]
    main = [key for key, of in central.items() if of >= MAIN]
    precision = np.mean([key in central for key in sure])
    recall = np.mean([strengths.get(key, 0.0) >= HARDLY for key in main])
    print(f"registry: precision {precision:.3f} of {len(sure)}, recall {recall:.3f} of {len(main)}")


def print_ablation(city: City, gold: Gold) -> None:
    """Print the mean without each of the main rules."""
    lexicon = load_lexicon()
    flat = Weights(decay=1e12, dilution=0.0)
    variants = {
        "all rules": Matcher(city),
        **{
            f"- {rule}": Matcher(city, lexicon={**lexicon, **dict.fromkeys(groups, ())})
            for rule, groups in GROUPS_BEHIND.items()
        },
        "- place and length of the list": Matcher(city, weights=flat),
        "- hints count as products": Matcher(city, weights=Weights(hint=1.0, hint_reach=1.0)),
        "- reach: every relation a maker": Matcher(
            city, weights=Weights(reach=dict.fromkeys(Weights().reach, 1.0))
        ),
    }
    print()
    for name, matcher in variants.items():
        strengths = strengths_of(matched(matcher, gold), gold.measured)
        mean, five = orders(gold, strengths, np.arange(len(gold.texts)))
        print(f"{name:40} {mean:6.3f} {five:6.3f}")


def scored(scorer: Scorer, firms: Sequence[Mapping[str, Any]]) -> list[FirmScore]:
    return scorer.score(firms, as_of=TODAY)


def shuffled(text: str, draw: np.random.Generator) -> str:
    """Return the sentences of a text in another order, and the clauses of each."""
    sentences = [piece for piece in re.split("[。;；]", text) if piece.strip()]
    parts = [re.split("[,，]", sentence) for sentence in sentences]
    mixed = ["，".join(draw.permutation(np.array(clauses, dtype=object))) for clauses in parts]
    return "。".join(draw.permutation(np.array(mixed, dtype=object)))


def print_robustness(city: City, gold: Gold, firms: pd.DataFrame) -> None:
    """Print how far fit and grade move when texts are cut, shuffled, or baited."""
    scorer = Scorer(fit_expert(city), "expert")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "firms.csv"
        firms.set_index("ts_code").loc[gold.texts.index].to_csv(path)
        records = clean(read_list(path), today=TODAY).records
    works = [place for place in range(len(records))
             if any(central[place] >= MAIN for central in gold.centrality.values())]  # fmt: skip
    nothing = [place for place in range(len(records))
               if not any(central[place] for central in gold.centrality.values())]  # fmt: skip
    draw = np.random.default_rng(SEED)
    own = scored(scorer, [records[place] for place in works])
    print(f"\n{len(own)} firms that work in a segment      mean move of fit   most   same segment")
    for name, changed in {
        "without main business": lambda firm: {**firm, "main_business": None},
        "without profile": lambda firm: {**firm, "profile": None},
        "without industry class": lambda firm: {**firm, "sw_industry": None},
        "sentences and clauses shuffled": lambda firm: {**firm, **{
            column: shuffled(firm[column], draw)
            for column in ("main_business", "profile") if firm.get(column)
        }},
        "profile said twice": lambda firm: {**firm, "profile": (firm.get("profile") or "") * 2},
    }.items():  # fmt: skip
        other = scored(scorer, [changed(records[place]) for place in works])
        moves = np.array([abs(a.fit - b.fit) for a, b in zip(own, other, strict=True)])
        same = np.mean([(a.best and a.best.segment) == (b.best and b.best.segment)
                        for a, b in zip(own, other, strict=True)])  # fmt: skip
        print(f"{name:44} {moves.mean():8.3f} {np.percentile(moves, 95):8.3f} {same:12.2f}")
    sought = [segment for segment in city.segments.values() if segment.sought]
    print("\nfirms that do nothing of the kind, with a bait   "
          "firms   fit   best   not D   from D   A   from A to")  # fmt: skip
    for column in ("profile", "main_business"):
        for number in (1, 2):
            baited, before = [], []
            for segment in sought:
                words = segment.makes[:number]
                bait = "。" + "".join(f"公司还从事{word}的研发、生产和销售。" for word in words)
                for place in draw.choice(nothing, BAITED, replace=False):
                    firm = records[place]
                    before.append(firm)
                    baited.append({**firm, column: (firm.get(column) or "") + bait})
            was, now = scored(scorer, before), scored(scorer, baited)
            pairs = list(zip(was, now, strict=True))
            fits = np.array([b.fit - a.fit for a, b in pairs])
            left = sum(a.grade == "D" and b.grade != "D" for a, b in pairs)
            raised = sum(a.grade != "A" and b.grade == "A" for a, b in pairs)
            print(f"{number} sentence(s) in {column:28} {len(pairs):6} {fits.mean():6.3f} "
                  f"{np.percentile(fits, 95):6.3f} left D {left}, became A {raised}")  # fmt: skip


def print_speed(city: City, firms: pd.DataFrame) -> None:
    columns = [column for column in TEXT_COLUMNS if column in firms]
    characters = int(sum(firms[column].str.len().sum() for column in columns))
    matcher, records = Matcher(city), firms.to_dict("records")
    seconds = []
    for _ in range(RUNS):
        start = time.process_time()
        found = sum(map(len, matcher.match_all(records)))
        seconds.append(time.process_time() - start)
    middle = float(np.median(seconds))
    start = time.process_time()
    for record in records[:1_000]:
        matcher.match(record)
    alone = (time.process_time() - start) / len(records[:1_000])
    print(f"\n{len(firms)} firms, {characters} characters, {found} matches")
    print(f"{middle:.2f} CPU s ({min(seconds):.2f} to {max(seconds):.2f}), "
          f"{characters / middle / 1e6:.2f} M characters/s, "
          f"{middle / len(firms) * 1e3:.3f} ms a firm; alone {alone * 1e3:.3f} ms")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE.parent / "shared" / "data")
    parser.add_argument("--city", type=Path, default=HERE / "data" / "cities" / "nanchang.toml")
    parser.add_argument("--robust", action="store_true", help="measure only how fit moves")
    parser.add_argument("--ablate", action="store_true", help="also measure without each rule")
    options = parser.parse_args()
    city = load_city(options.city)
    gold = load_gold(options.data, city)
    everyone = pd.read_csv(options.data / "firms" / "a_share_profiles.csv.gz", dtype="str")
    if options.robust:
        print_robustness(city, gold, everyone)
        return
    print_quality(city, gold)
    print_registry(city, options.data)
    if options.ablate:
        print_ablation(city, gold)
    print_speed(city, everyone.rename(columns=COLUMNS)[list(COLUMNS.values())])


if __name__ == "__main__":
    main()
