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
from leadscore.text import room_words

WORDS = room_words("learning")


READING = WORDS["cardsection.reading"]
HEADING = WORDS["cardsection.heading"]
_LADDER = (-40, -20, 0, 20, 40, 60, 80)


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
    silent = words.say(WORDS["cardsection.card_section_silent"]).join(
        map(words.feature, tables.silent)
    )
    return section(
        "card",
        words.say(HEADING),
        note(
            words.say(WORDS["cardsection.heading_says"])
            + (words.say(WORDS["cardsection.bands_say"]) if banded else "")
        ),
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
    headers = [words.say(WORDS["cardsection.total"]), *(above for above, _ in steps)]
    return table(
        words.say(READING),
        headers,
        [[words.say(WORDS["cardsection.likely"]), *(chance for _, chance in steps)]],
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
    headers = [
        words.say(each)
        for each in (
            WORDS["cardsection.feature"],
            WORDS["cardsection.lowest"],
            WORDS["cardsection.span"],
            WORDS["cardsection.highest"],
        )
    ]
    return tag(
        "div",
        tag("h3", words.say(WORDS["cardsection.overall"])),
        note(words.say(WORDS["cardsection.overall_says"])),
        table(words.say(WORDS["cardsection.overall"]), headers, rows),
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
        folded(words.say(WORDS["cardsection.numbers"]), _entries(each, words)),
        class_="box",
        id=anchor,
        aria_labelledby=f"{anchor}-heading",
    )


def _meta(each: FeatureTable, words: Wording) -> list[str]:
    reach = numbers.points(each.reach, whole=words.whole).lstrip("+")
    said = [words.family(each.feature), words.say(WORDS["cardsection.reaches"], points=reach)]
    feature = CATALOGUE.get(each.feature)
    if feature and feature.direction:
        said.append(
            words.say(
                WORDS["cardsection.rising"]
                if feature.direction > 0
                else WORDS["cardsection.falling"]
            )
        )
    if feature and each.unknown and each.unknown.points:
        said.append(words.say(WORDS["cardsection.missing"], why=feature.missing))
    return [each for each in said if each]


def _why(each: FeatureTable, words: Wording) -> Html | None:
    written = words.city.card.features.get(each.feature) if words.city else None
    return (
        tag("p", words.say(WORDS["cardsection.experts"], why=written.why), class_="why")
        if written
        else None
    )


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
        (WORDS["cardsection.entry"], True),
        (WORDS["cardsection.points"], True),
        (WORDS["cardsection.band"], banded),
        (WORDS["cardsection.count"], counted),
        (WORDS["cardsection.positive"], told),
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
    return words.say(
        WORDS["cardsection.positive_share"], positive=numbers.count(entry.positives), share=share
    )
