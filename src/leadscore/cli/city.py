"""The command for city profiles, and the tree of a city's chains that it draws."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from leadscore.cli.group import FILE, Run, cli, with_run
from leadscore.terminal import cut, display_width, echo, fit, wrap
from leadscore.text import Lang, room_words

if TYPE_CHECKING:
    from leadscore.city import City
    from leadscore.city.profile import Chain, Segment

WORDS = room_words("cli")

WIDTH: Final = 100
_NAME, _NUMBER, _BAR = 60, 9, 10


@cli.group()
def city() -> None:
    """Work with city profiles. 城市画像。"""


@city.command("check")
@click.argument("profile", metavar="FILE", type=FILE)
@with_run
def city_check(run: Run, profile: Path) -> None:
    """Check a city profile and print its chains with their gaps. 检查画像并列出产业链与缺口。"""
    run.settings()
    from leadscore.city import load_city
    from leadscore.learning.expert import expert_scorecard

    loaded = load_city(profile)
    expert_scorecard(loaded)
    echo(render_tree(loaded, run.lang))
    run.say(WORDS["city.profile_ok"].format(name=loaded.name))


def render_tree(city: City, lang: Lang) -> str:
    """Return the profile as lines of at most `WIDTH` columns, where Chinese takes two.

    Each segment shows its own supply, that of the neighbours, the gap as number and bar, the
    segments it feeds and the anchors in it; counts close the drawing.
    """
    return "\n".join(line.rstrip() for line in _lines(city, lang))


def _lines(city: City, lang: Lang) -> Iterator[str]:
    codes = ", ".join(filter(None, [city.id, city.division_code]))
    yield cut(f"{city.name.pick(lang)} ({codes})", WIDTH)
    yield from _wrapped(city.statement.title.pick(lang) + " · " + city.statement.number)
    for chain in city.chains:
        yield ""
        yield from _chain(city, chain, lang)
    yield ""
    yield WORDS["tree.legend"].pick(lang)
    from leadscore.city.profile import STRONG

    segments = city.segments.values()
    counts = WORDS["tree.counts"].format(
        chains=len(city.chains), segments=len(segments),
        sought=sum(segment.sought for segment in segments),
        gaps=sum(city.gap(segment.id) >= 0.5 for segment in segments),
        strengths=sum(segment.supply >= STRONG for segment in segments), strong=STRONG,
    )  # fmt: skip
    others = WORDS["tree.others"].format(
        anchors=len(city.anchors), neighbours=len(city.neighbours),
        regions=len(city.target_regions), events=len(city.events), places=len(city.places),
        classes=len(city.sought), features=len(city.card.features),
    )  # fmt: skip
    for text in (counts, others):
        yield from _wrapped(text.pick(lang))


def _chain(city: City, chain: Chain, lang: Lang) -> Iterator[str]:
    heads = "".join(
        fit(WORDS[f"tree.heads.{head}"].pick(lang), _NUMBER, "right")
        for head in ("supply", "near", "gap")
    )
    yield fit(f"{chain.name.pick(lang)}  {chain.id}", _NAME) + heads
    groups = [
        (position, members)
        for position in ("upstream", "midstream", "downstream")
        if (members := [segment for segment in chain.segments if segment.position == position])
    ]
    for number, (position, members) in enumerate(groups, start=1):
        last = number == len(groups)
        yield ("└─ " if last else "├─ ") + WORDS[f"tree.positions.{position}"].pick(lang)
        stem = "   " if last else "│  "
        for count, segment in enumerate(members, start=1):
            yield from _segment(city, segment, stem, last=count == len(members), lang=lang)


def _segment(city: City, segment: Segment, stem: str, *, last: bool, lang: Lang) -> Iterator[str]:
    branch, mark = "└─ " if last else "├─ ", " ★" if segment.sought else ""
    gap = city.gap(segment.id)
    numbers = (segment.supply, city.neighbour_supply(segment.id), gap)
    name = f"{stem}{branch}{segment.name.pick(lang)}  {segment.key}{mark}"
    figures = "".join(fit(f"{number:.2f}", _NUMBER, "right") for number in numbers)
    yield f"{fit(name, _NAME)}{figures}  {bar(gap, _BAR)}"
    under = stem + ("      " if last else "│     ")
    names = [city.segments[target].name.pick(lang) for target in segment.feeds]
    anchors = [anchor.label.pick(lang) for anchor in city.anchors_of(segment.id)]
    for label, items in ((WORDS["tree.feeds"], names), (WORDS["tree.anchors"], anchors)):
        if items:
            colon, comma = (": ", ", ") if lang == "en" else ("：", "、")
            yield from _wrapped(comma.join(items), under, label.pick(lang) + colon)


def bar(share: float, width: int) -> str:
    """Return ``share`` (0..1) of ``width`` columns filled.

    >>> bar(0.75, 8)
    '██████░░'
    """
    filled = round(share * width)
    return "█" * filled + "░" * (width - filled)


def _wrapped(text: str, under: str = "", head: str = "") -> Iterator[str]:
    indent = under + " " * display_width(head)
    for number, line in enumerate(wrap(text, WIDTH - display_width(indent))):
        yield (indent if number else under + head) + line
