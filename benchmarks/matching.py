"""Measures how well business text is matched to segments, and how fast.

Ranks the firms of a universe by their strength in each segment, as read from main business and
profile only, and prints the average precision against firms known to work in it; beside it that
of plainly counting the same words. Segments with fewer than three known firms are left out.
Then the whole list is matched, with all its columns, for the speed.
Usage: ``python benchmarks/matching.py [--data DIR] [--city FILE] [--ablate]``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from leadscore.city import City, load_city
from leadscore.city.matching import TEXT_COLUMNS, Matcher, Weights
from leadscore.city.matching.vocabulary import load_lexicon, normal_form

HERE = Path(__file__).resolve().parent.parent
COLUMNS = {
    "公司名称": "name",
    "主营业务": "main_business",
    "公司简介": "profile",
    "申万三级行业": "sw_industry",
}
LEAST = 3
RUNS = 5
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


def truth_by_segment(folder: Path, universe: pd.Series) -> dict[str, np.ndarray]:
    """Return for each segment with enough known firms which firms of the universe they are."""
    truth = pd.read_csv(folder / "segment_truth_dev.csv")
    found = {s: universe.isin(group).to_numpy() for s, group in truth.groupby("segment")["ts_code"]}
    return {segment: known for segment, known in found.items() if known.sum() >= LEAST}


def precision(truth: dict[str, np.ndarray], score: Callable[[str], np.ndarray]) -> dict[str, float]:
    """Return the average precision of each segment's score."""
    return {s: float(average_precision_score(known, score(s))) for s, known in truth.items()}


def matched(matcher: Matcher, firms: pd.DataFrame) -> Callable[[str], np.ndarray]:
    """Return the strength of every firm in a segment."""
    matches = [
        {match.segment: match.strength for match in each}
        for each in matcher.match_all(firms.to_dict("records"))
    ]

    def score(segment: str) -> np.ndarray:
        return np.array([each.get(segment, 0.0) for each in matches])

    return score


def counted(city: City, firms: pd.DataFrame) -> Callable[[str], np.ndarray]:
    """Return how often the words of a segment stand in the texts of every firm."""
    texts = [normal_form(t) for t in firms.fillna("").agg("\n".join, axis=1)]

    def score(segment: str) -> np.ndarray:
        words = [
            normal_form(w) for w in (*city.segments[segment].makes, *city.segments[segment].hints)
        ]
        return np.array([sum(text.count(word) for word in words) for text in texts])

    return score


def print_precision(city: City, firms: pd.DataFrame, truth: dict[str, np.ndarray]) -> None:
    rules = precision(truth, matched(Matcher(city), firms))
    counts = precision(truth, counted(city, firms))
    print(f"{'average precision':26} {'firms':>6} {'matched':>8} {'counted':>8}")
    for segment in sorted(truth):
        print(f"{segment:26} {truth[segment].sum():6} {rules[segment]:8.3f} {counts[segment]:8.3f}")
    means = [float(np.mean(list(each.values()))) for each in (rules, counts)]
    print(f"{f'mean, {len(firms)} firms ranked':26} {'':6} {means[0]:8.3f} {means[1]:8.3f}")


def print_ablation(city: City, firms: pd.DataFrame, truth: dict[str, np.ndarray]) -> None:
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
        mean = np.mean(list(precision(truth, matched(matcher, firms)).values()))
        print(f"{name:40} {mean:6.3f}")


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
    parser.add_argument("--data", type=Path, default=HERE.parent / "shared" / "data" / "firms")
    parser.add_argument("--city", type=Path, default=HERE / "data" / "cities" / "nanchang.toml")
    parser.add_argument("--ablate", action="store_true", help="also measure without each rule")
    options = parser.parse_args()
    city = load_city(options.city)
    everyone = pd.read_csv(options.data / "a_share_profiles.csv.gz", dtype="str")
    everyone = everyone.rename(columns=COLUMNS)
    universe = pd.read_csv(options.data / "segment_universe_dev.csv")["ts_code"]
    firms = everyone.set_index("ts_code").loc[universe, ["main_business", "profile"]]
    truth = truth_by_segment(options.data, universe)
    print_precision(city, firms, truth)
    if options.ablate:
        print_ablation(city, firms, truth)
    print_speed(city, everyone[list(COLUMNS.values())])


if __name__ == "__main__":
    main()
