"""The scorecard itself: how to read a score, what matters most, then feature by feature."""

from __future__ import annotations

from leadscore.features.catalogue import CATALOGUE
from leadscore.learning.modelpage import numbers
from leadscore.learning.modelpage.bars import level_bars, reach_bar
from leadscore.learning.modelpage.curves import curve
from leadscore.learning.modelpage.entries import CardTables, Entry, FeatureTable
from leadscore.learning.modelpage.markup import Html, joined, tag
from leadscore.learning.modelpage.reading import BASE, SILENT, how_to_read
from leadscore.learning.modelpage.sheets import folded, note, section, table
from leadscore.learning.modelpage.wording import Wording
from leadscore.learning.scorecard import points_to_log_odds
from leadscore.text import Text

READING = Text(zh="怎样读一个分数", en="How to read a score")
HEADING = Text(zh="评分卡", en="The scorecard")
_HEADING_SAYS = Text(
    zh="按影响大小排列。曲线或条形是分值，未知（名单里没有这项资料）单独列出。",
    en="The weightiest first. Curves and bars are points; “unknown”, where the list does not say, "
    "stands apart.",
)
_BANDS_SAY = Text(
    zh="浅色带和细线是 90% 区间，灰色条是其后的结果数：数据少的地方区间宽。",
    en=" Shades and whiskers are 90% bands, grey bars the outcomes behind them: where there are "
    "few, bands are wide.",
)
_OVERALL = Text(zh="哪些特征最重要", en="What matters most")
_OVERALL_SAYS = Text(
    zh="每项特征从最低分到最高分，按跨度排列；点开看曲线。",
    en="Each feature from its lowest to its highest points, by how far they reach; each leads to "
    "its own chart.",
)
_TOTAL = Text(zh="比基础分", en="above or below the base")
_LIKELY = Text(zh="落地可能性", en="likelihood")
_LADDER = (-40, -20, 0, 20, 40, 60, 80)
_NUMBERS = Text(zh="看数字", en="The numbers")
_FEATURE = Text(zh="特征", en="feature")
_LOWEST = Text(zh="最低", en="lowest")
_HIGHEST = Text(zh="最高", en="highest")
_SPAN = Text(zh="分值范围", en="range of points")
_REACHES = Text(zh="跨度 {points} 分", en="reach {points} points")
_RISING = Text(zh="数值越高，分值不降", en="a higher value never lowers it")
_FALLING = Text(zh="数值越高，分值不升", en="a higher value never raises it")
_MISSING = Text(zh="未知：{why}", en="unknown: {why}")
_EXPERTS = Text(zh="专家的理由：{why}", en="The experts’ reason: {why}")
_ENTRY = Text(zh="取值", en="value")
_POINTS = Text(zh="分值", en="points")
_BAND = Text(zh="90% 区间", en="90% band")
_COUNT = Text(zh="结果数", en="outcomes")
_POSITIVE = Text(zh="达到目标", en="positive")
_POSITIVE_SHARE = Text(zh="{positive}（{share}）", en="{positive} ({share})")


def reading_section(tables: CardTables, words: Wording) -> Html:
    """Return what points mean, with the likelihoods of this card."""
    base = numbers.likelihood(numbers.chance(tables.base))
    said = words.say(BASE, points=words.points(tables.base_points), likelihood=base)
    steps = [
        (words.signed(f"{above:+d}") if above else "0",
         numbers.likelihood(numbers.chance(tables.base + points_to_log_odds(float(above)))))
        for above in _LADDER
    ]  # fmt: skip
    return section(
        "reading",
        words.say(READING),
        tag("p", said + how_to_read(tables, words)),
        tag("div", _ladder(steps, words), class_="box ladder"),
    )


def card_section(tables: CardTables, words: Wording) -> Html:
    """Return the overview and a card for each feature."""
    entries = [entry for each in tables.features for entry in each.entries]
    banded = any(words.band(entry) for entry in entries)
    anchors = {each.feature: f"feature-{at}" for at, each in enumerate(tables.features, start=1)}
    silent = words.say(Text(zh="、", en=", ")).join(map(words.feature, tables.silent))
    return section(
        "card",
        words.say(HEADING),
        note(words.say(_HEADING_SAYS) + (words.say(_BANDS_SAY) if banded else "")),
        _overview(tables, words, anchors) if tables.features else None,
        tag(
            "div",
            [_card(each, anchors[each.feature], words) for each in tables.features],
            class_="cards",
        ),
        note(words.say(SILENT, names=silent)) if silent else None,
    )


def _ladder(steps: list[tuple[str, str]], words: Wording) -> Html:
    """Return the likelihood at some distances from the base; lying, for a glance along it."""
    headers = [words.say(_TOTAL), *(above for above, _ in steps)]
    return table(
        words.say(READING), headers, [[words.say(_LIKELY), *(chance for _, chance in steps)]]
    )


def _overview(tables: CardTables, words: Wording, anchors: dict[str, str]) -> Html:
    ends = {each.feature: [entry.points for entry in each.entries] for each in tables.features}
    points = [0.0, *(end for each in ends.values() for end in each)]
    widest = min(points), max(points)
    rows: list[list[Html | str]] = [
        [
            tag("a", words.feature(each.feature), href=f"#{anchors[each.feature]}"),
            words.points(min(ends[each.feature])),
            reach_bar(min(ends[each.feature]), max(ends[each.feature]), widest),
            words.points(max(ends[each.feature])),
        ]
        for each in tables.features
    ]
    headers = [words.say(each) for each in (_FEATURE, _LOWEST, _SPAN, _HIGHEST)]
    return tag(
        "div",
        tag("h3", words.say(_OVERALL)),
        note(words.say(_OVERALL_SAYS)),
        table(words.say(_OVERALL), headers, rows),
        class_="box reach",
    )


def _card(each: FeatureTable, anchor: str, words: Wording) -> Html:
    heading = tag("h3", words.feature(each.feature), id=f"{anchor}-heading")
    return tag(
        "article",
        heading,
        tag("div", [tag("span", said) for said in _meta(each, words)], class_="meta"),
        tag("div", _chart(each, f"{anchor}-chart", words), class_="scroll"),
        _why(each, words),
        folded(words.say(_NUMBERS), _entries(each, words)),
        class_="box",
        id=anchor,
        aria_labelledby=f"{anchor}-heading",
    )


def _meta(each: FeatureTable, words: Wording) -> list[str]:
    reach = numbers.points(each.reach, whole=words.whole).lstrip("+")
    said = [words.family(each.feature), words.say(_REACHES, points=reach)]
    feature = CATALOGUE.get(each.feature)
    if feature and feature.direction:
        said.append(words.say(_RISING if feature.direction > 0 else _FALLING))
    if feature and each.unknown and each.unknown.points:
        said.append(words.say(_MISSING, why=feature.missing))
    return [each for each in said if each]


def _why(each: FeatureTable, words: Wording) -> Html | None:
    written = words.city.card.features.get(each.feature) if words.city else None
    return tag("p", words.say(_EXPERTS, why=written.why), class_="why") if written else None


def _chart(each: FeatureTable, name: str, words: Wording) -> Html | None:
    feature = CATALOGUE.get(each.feature)
    if each.kind == "numeric" and len(each.known) > 1 and not (feature and feature.kind == "flag"):
        return curve(name, each, words)
    return level_bars(name, each, words)


def _entries(each: FeatureTable, words: Wording) -> Html:
    """Return the table of a feature, without the columns of which nothing is known."""
    banded = any(words.band(entry) for entry in each.entries)
    counted = any(entry.count is not None for entry in each.entries)
    told = any(entry.positives is not None for entry in each.entries)
    columns = [
        (_ENTRY, True),
        (_POINTS, True),
        (_BAND, banded),
        (_COUNT, counted),
        (_POSITIVE, told),
    ]
    rows = []
    for entry in each.entries:
        cells = [
            words.entry(entry, each),
            words.points(entry.points),
            words.band(entry) or numbers.NOTHING,
            numbers.count(entry.count),
            _positive(entry, words),
        ]
        rows.append([cell for cell, (_, shown) in zip(cells, columns, strict=True) if shown])
    headers = [words.say(heading) for heading, shown in columns if shown]
    return joined(table(words.feature(each.feature), headers, rows))


def _positive(entry: Entry, words: Wording) -> str:
    if entry.positives is None or not entry.count:
        return numbers.count(entry.positives)
    share = numbers.percent(entry.positives / entry.count)
    return words.say(_POSITIVE_SHARE, positive=numbers.count(entry.positives), share=share)
