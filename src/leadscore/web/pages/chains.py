"""Chains: what the city has and lacks along each, and which firms might fill the gaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.pages import shell
from leadscore.web.pages.shell import TRANSLATIONS
from leadscore.web.routes.gaps import gaps_answer, here_answer

POSITIONS = ("upstream", "midstream", "downstream")  # columns of a map, from left to right

ROW = 100
"""Height of a row in the units of the picture, which is stretched over rows of equal height."""
WIDTH = 1_000

_LEFT, _RIGHT = (0, 365, 730), (270, 635, 1_000)
_BEND = 60
_LARGE, _MEDIUM = 0.7, 0.4


def chain_map(chain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a chain of ``GET /api/v1/gaps``, with its segments in columns and lines between."""
    segments = sorted(chain["segments"], key=lambda segment: POSITIONS.index(segment["position"]))
    columns = {
        position: [segment for segment in segments if segment["position"] == position]
        for position in POSITIONS
    }
    places = {
        segment["id"]: (number, row)
        for number, column in enumerate(columns.values())
        for row, segment in enumerate(column)
    }
    drawn = [
        _line(places[segment["id"]], places[fed])
        for segment in chain["segments"]
        for fed in segment["feeds"]
        if fed in places
    ]
    return dict(chain) | {
        "columns": columns, "segments": segments,
        "height": ROW * max(map(len, columns.values())),
        "lines": [line for line, _ in drawn], "ends": sorted({end for _, end in drawn}),
    }  # fmt: skip


def gap_level(gap: float) -> str:
    """Return how large a gap (0..1) is, in one of three steps.

    >>> gap_level(0.75), gap_level(0.5), gap_level(0.15)
    ('large', 'medium', 'small')
    """
    return "large" if gap >= _LARGE else "medium" if gap >= _MEDIUM else "small"


def _line(source: tuple[int, int], target: tuple[int, int]) -> tuple[str, str]:
    (from_column, from_row), (to_column, to_row) = source, target
    from_y, to_y = (ROW * row + ROW // 2 for row in (from_row, to_row))
    if from_column < to_column:
        start, end, out, into = _RIGHT[from_column], _LEFT[to_column], _BEND, -_BEND
    elif from_column > to_column:
        start, end, out, into = _LEFT[from_column], _RIGHT[to_column], -_BEND, _BEND
    elif from_column + 1 < len(POSITIONS):  # out into the space at the right, and back
        start = end = _RIGHT[from_column]
        out = into = _BEND
    else:  # there is none at the right of the last column
        start = end = _LEFT[from_column]
        out = into = -_BEND
    curve = f"M{start} {from_y}C{start + out} {from_y} {end + into} {to_y} {end} {to_y}"
    return curve, f"M{end} {to_y}h0"


def chain_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/chains`` and ``/chains/here``."""

    @pages.get("/chains/here")
    @requires("read")
    def here() -> Response:
        answer = here_answer(dependencies, dependencies.page_lang())
        return shell.page(
            dependencies, "chains_here.html", title=TRANSLATIONS["chains.here.title"],
            city=dependencies.scorer().city.name, **answer,
        )  # fmt: skip

    @pages.get("/chains")
    @requires("read")
    def chains() -> Response:
        answer = gaps_answer(dependencies, dependencies.page_lang())
        maps = [chain_map(chain) for chain in answer["chains"]]
        segments = [segment for chain in maps for segment in chain["segments"]]
        return shell.page(
            dependencies, "chains.html", title=TRANSLATIONS["chains.title"], city=answer, maps=maps,
            names={segment["id"]: segment["name"] for segment in segments}, positions=POSITIONS,
            width=WIDTH, level=gap_level, nobody=not any(each["candidates"] for each in segments),
        )  # fmt: skip
