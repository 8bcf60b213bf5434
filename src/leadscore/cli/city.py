"""The commands for city profiles, and the tree of a city's chains that it draws."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from leadscore.cli.group import FILE, Run, city_option, cli, with_run
from leadscore.errors import Detail, UsageError
from leadscore.terminal import cut, display_width, echo, fit, tame, wrap
from leadscore.text import Lang, room_words

if TYPE_CHECKING:
    from leadscore.city import City
    from leadscore.city.drafting import DraftRow
    from leadscore.city.profile import Chain, Segment
    from leadscore.ranking.coverage import Offer

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


@city.command("new")
@click.option(
    "-o", "--output", metavar="FILE", type=FILE, required=True,
    help="The profile to write. 写出的画像文件。",
)  # fmt: skip
@click.option(
    "--table", metavar="FILE", type=FILE,
    help="Segments with what the city has, seeks, and its anchors (.csv, .xlsx); asked without it. "
    "环节表：环节、供给、引进、龙头；不给则逐项询问。",
)  # fmt: skip
@click.option("--id", "city_id", help="Short id. 英文标识。")
@click.option("--name-zh", help="Name in Chinese. 中文名。")
@click.option("--name-en", help="Name in English. 英文名。")
@click.option("--division", help="First digits of the division code. 行政区划代码前几位。")
@with_run
def city_new(
    run: Run, output: Path, table: Path | None, city_id: str | None, name_zh: str | None,
    name_en: str | None, division: str | None,
) -> None:  # fmt: skip
    """Draft a city profile from a short table, or by asking. 由简表或问答生成城市画像。"""
    run.settings()
    from leadscore.city import parse_city
    from leadscore.city.drafting import profile_text, read_draft
    from leadscore.files import place_new
    from leadscore.learning.expert import expert_scorecard

    rows = read_draft(table) if table else None

    def asked(given: str | None, what: str, default: str | None = None) -> str:
        return given or click.prompt(WORDS[f"city.new.{what}"].pick(run.lang), default=default)

    city_id = asked(city_id, "id")
    if not re.fullmatch("[a-z][a-z0-9_]*", city_id):
        wanted = [Detail("--id", city_id, WORDS["city.new.bad_id"])]
        raise UsageError(WORDS["city.new.id"], wanted)
    name = asked(name_zh, "name_zh"), asked(name_en, "name_en")
    if division is None:
        division = "" if table else asked(None, "division", "")
    if rows is None:
        rows = list(_asked_rows(run.lang))
    text = profile_text(rows, city_id=city_id, name=name, division_code=division)
    expert_scorecard(parse_city(text, source=output.name))
    if not place_new(output, text.encode()):
        raise UsageError(WORDS["city.new.exists"].format(path=output))
    run.say(WORDS["city.new.written"].format(path=output, segments=len(rows)))


def _asked_rows(lang: Lang) -> Iterator[DraftRow]:
    from leadscore.city.drafting import draft_rows
    from leadscore.city.profile import SUPPLY_SCALE
    from leadscore.city.segments import library_chain, library_chains

    words = {name: WORDS[f"city.new.{name}"] for name in ("chain", "supply", "sought", "anchors")}
    rows = [["segment", "supply", "sought", "anchors"]]
    scale = "/".join(SUPPLY_SCALE)
    for chain in map(library_chain, library_chains()):
        if not click.confirm(words["chain"].format(chain=chain.name).pick(lang), default=False):
            continue
        for entry in chain.entries:
            asked = words["supply"].format(segment=entry.segment.name, scale=scale).pick(lang)
            supply = click.prompt(asked, default="-", type=click.Choice([*SUPPLY_SCALE, "-"]),
                                  show_choices=False)  # fmt: skip
            if supply != "-":
                sought = click.confirm(words["sought"].pick(lang), default=supply == "none")
                anchors = click.prompt(words["anchors"].pick(lang), default="", show_default=False)
                rows.append([entry.id, supply, "yes" if sought else "no", anchors])
    yield from draft_rows(rows, source="leadscore city new")


@city.command("coverage")
@click.argument("listed", metavar="LIST", type=FILE)
@city_option
@click.option(
    "--top", metavar="N", type=click.IntRange(1, 100), default=3, show_default=True,
    help="Firms under each gap. 每个缺口列出的家数。",
)  # fmt: skip
@with_run
def city_coverage(run: Run, listed: Path, city: Path | None, top: int) -> None:
    """Show what a list offers under each gap of the city. 名单在每个缺口下有哪些企业。"""
    settings = run.settings()
    from leadscore.lists.dedupe import load_list
    from leadscore.numbers import share
    from leadscore.ranking.coverage import coverage
    from leadscore.startup import open_scorer

    scorer, today = open_scorer(settings, city, notify=run.tell), date.today()
    scores = scorer.score(load_list(listed, today=today).records, as_of=today)

    def told(what: str, offers: list[Offer]) -> None:
        for score, match in offers[:top]:
            line = WORDS[f"city.coverage.{what}"].format(
                name=tame(str(score.firm["name"])), fit=share(match.fit),
                strength=share(match.strength), words=tame(match.words),
            ).pick(run.lang)  # fmt: skip
            echo("    " + cut(line, WIDTH - 4))

    for covered in coverage(scorer.city, scores):
        segment = covered.segment
        head = WORDS["city.coverage.head"].format(
            segment=segment.name, id=segment.id, gap=share(covered.gap),
            candidates=len(covered.candidates), here=len(covered.here),
        )  # fmt: skip
        run.say(head)
        told("candidate", covered.candidates)
        told("here", covered.here)
        if not covered.candidates:
            words = "、".join(covered.looked_for)
            echo("    " + WORDS["city.coverage.looked_for"].format(words=words).pick(run.lang))
            told("nearest", covered.nearest)


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
