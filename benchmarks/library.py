"""Measures the segment library on listed firms' industry classes, chain by chain.

A firm is matched to a chain if its main business and profile alone give some segment of it a
strength of at least 0.3. A class that speaks for a chain is one of `CLASSES`: every firm of a core
class ought to be found (recall), and a firm that is found ought to be of a core class or of one
that holds firms of that chain among others (precision).
Usage: ``python benchmarks/library.py --firms FILE [--misses CHAIN]``, FILE a CSV with the columns
公司名称, 主营业务, 公司简介 and 申万三级行业.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

import pandas as pd

from leadscore.city.matching import Matcher
from leadscore.city.segments import library_chain, library_chains
from leadscore.files import shipped

STRENGTH = 0.3
COLUMNS = {"公司名称": "name", "主营业务": "main_business", "公司简介": "profile"}
CLASSES = tomllib.loads((Path(__file__).parent / "library_classes.toml").read_text("utf-8"))


class _Chain:
    # What a matcher asks of a city: its segments.
    def __init__(self, chain_id: str) -> None:
        self.segments = {entry.id: entry.segment for entry in library_chain(chain_id).entries}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--firms", type=Path, required=True)
    parser.add_argument("--misses", help="print the firms that are wrong of one chain")
    asked = parser.parse_args()
    firms = pd.read_csv(asked.firms).dropna(subset=["申万三级行业"])
    firms["class"] = firms["申万三级行业"].str.removesuffix("Ⅲ")
    records = firms.rename(columns=COLUMNS)[list(COLUMNS.values())].to_dict("records")
    print(f"{len(firms)} firms; segments and words are of {shipped('segments').name}/")
    print("| chain | segments | words | firms of its classes | matched | precision | recall |")
    print("|---|---|---|---|---|---|---|")
    for chain_id in library_chains():
        if chain_id not in CLASSES or asked.misses not in (None, chain_id):
            continue
        segments = _Chain(chain_id).segments
        core = firms["class"].isin(CLASSES[chain_id]["core"])
        near = core | firms["class"].isin(CLASSES[chain_id]["near"])
        best = [
            max(matches, key=lambda match: match.strength, default=None)
            for matches in Matcher(_Chain(chain_id)).match_all(records)
        ]
        matched = pd.Series(
            [match is not None and match.strength >= STRENGTH for match in best], firms.index
        )
        words = sum(len(s.makes) + len(s.hints) + len(s.excludes) for s in segments.values())
        precision, recall = near[matched].mean(), matched[core].mean()
        print(
            f"| {chain_id} | {len(segments)} | {words} | {core.sum()} | {matched.sum()} "
            f"| {precision:.2f} | {recall:.2f} |"
        )
        if asked.misses:
            _print_misses(firms.assign(best=best), matched, core, near)


def _print_misses(
    firms: pd.DataFrame, matched: pd.Series, core: pd.Series, near: pd.Series
) -> None:
    for title, wrong in (
        ("matched, of another class", matched & ~near),
        ("not found", core & ~matched),
    ):
        print(f"\n## {title}: {wrong.sum()}")
        for _, firm in firms[wrong].iterrows():
            best = firm["best"]
            said = f"{best.segment} {best.strength:.2f} {best.words}" if best else "-"
            print(f"{firm['公司名称']} [{firm['class']}] {said} | {str(firm['主营业务'])[:70]}")


if __name__ == "__main__":
    main()
