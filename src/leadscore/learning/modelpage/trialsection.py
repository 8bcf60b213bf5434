"""How well the model forecasts: measures, reliability, the top of the list, and chain by chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.learning.modelpage import numbers
from leadscore.learning.modelpage.dots import dots
from leadscore.learning.modelpage.facts import part
from leadscore.learning.modelpage.figures import AHEAD, CHALLENGER, CHAMPION, Compared, Figure
from leadscore.learning.modelpage.markup import Html, joined, tag
from leadscore.learning.modelpage.measures import (
    Trial,
    compared,
    compared_tops,
    reliability,
    tops,
    trial,
)
from leadscore.learning.modelpage.plotting import mark
from leadscore.learning.modelpage.sheets import folded, note, section, table
from leadscore.learning.modelpage.trialcharts import reliability_chart, won_chart
from leadscore.learning.modelpage.wording import Wording
from leadscore.text import Text, room_words

WORDS = room_words("learning")


HEADING = WORDS["trialsection.heading"]
_N = WORDS["trialsection.n"]
_CHAIN_MEASURES = ("auc", "log_loss", "brier")


def trial_section(manifest: Mapping[str, Any], words: Wording) -> Html | None:
    """Return everything that was measured, or None if the model was not tried."""
    tried = trial(manifest)
    if tried is None:
        return None
    n, positives = (numbers.count(tried.challenger.get(key)) for key in ("n", "positives"))
    return section(
        "trial",
        words.say(HEADING),
        note(words.say(WORDS["trialsection.tried"], n=n, positives=positives, level=tried.level)),
        _key(words) if tried.rivals else None,
        tag("div", _measures(tried, words), class_="box measures"),
        tag("div", _reliability(tried, words), _won(tried, words), class_="pair"),
        _chains(tried, words),
    )


def _key(words: Wording) -> Html:
    def sign(kind: str) -> Html:
        return tag(
            "svg", mark(7, 7, kind), viewBox="0 0 14 14", width=14, height=14, aria_hidden="true"
        )

    return tag(
        "p",
        tag("span", sign("challenger"), words.say(CHALLENGER)),
        tag("span", sign("champion"), words.say(CHAMPION)),
        class_="key",
    )


def _measures(tried: Trial, words: Wording) -> Html:
    headers = [words.say(WORDS["trialsection.measure"]), words.say(CHALLENGER)]
    if tried.rivals:
        headers += [words.say(CHAMPION), words.say(AHEAD)]
    rows = [
        _measure(f"dots{at}", row, tried, words)
        for at, row in enumerate(compared(tried, words) + compared_tops(tried, words))
    ]
    return table(
        words.say(WORDS["trialsection.measures"]),
        [*headers, words.say(WORDS["trialsection.picture"])],
        rows,
        words_in=len(headers) + 1,
    )


def _measure(name: str, row: Compared, tried: Trial, words: Wording) -> list[Html | str]:
    says = tag("span", row.says, class_="says")
    cells: list[Html | str] = [
        joined(row.name[:1].upper() + row.name[1:], says),
        _figure(row.challenger, row.decimals, words, percent=row.percent),
    ]
    if tried.rivals:
        champion = _figure(row.champion, row.decimals, words, percent=row.percent)
        cells += [champion, words.say(row.outcome) if row.outcome else numbers.NOTHING]
    return [*cells, dots(name, row, words) or numbers.NOTHING]


def _figure(shown: Figure, decimals: int, words: Wording, *, percent: bool = False) -> Html:
    value, interval = shown.shown(decimals, words.minus, percent=percent)
    if not interval:
        return joined(value)
    return joined(value, " ", tag("span", interval, class_="interval"))


def _both(tried: Trial, words: Wording) -> list[tuple[str, Mapping[str, Any]]]:
    both = [(words.say(CHALLENGER), tried.challenger)]
    return both + ([(words.say(CHAMPION), tried.champion)] if tried.rivals else [])


def _reliability(tried: Trial, words: Wording) -> Html | None:
    if not reliability(tried.challenger):
        return None
    rows: list[list[Html | str]] = []
    for model, evaluation in _both(tried, words):
        for row in reliability(evaluation):
            observed = _figure(Figure.of({**row, "value": row["observed"]}), 1, words, percent=True)
            ends = [
                numbers.percent(float(row[e])) for e in ("from", "to") if row.get(e) is not None
            ]
            predicted = numbers.likelihood(float(row["predicted"]))
            rows.append([model, "–".join(ends), predicted, observed, numbers.count(row.get("n"))])
    headers = (
        WORDS["trialsection.model"],
        WORDS["trialsection.bin"],
        WORDS["trialsection.predicted"],
        WORDS["trialsection.observed"],
        _N,
    )
    return _charted(
        WORDS["trialsection.reliable"],
        WORDS["trialsection.reliable_says"],
        reliability_chart("reliability", tried, words),
        headers,
        rows,
        words,
    )


def _won(tried: Trial, words: Wording) -> Html | None:
    if not tops(tried.challenger):
        return None
    rows: list[list[Html | str]] = []
    for model, evaluation in _both(tried, words):
        for row in tops(evaluation):
            lift = _figure(Figure.of(row.get("lift")), 2, words)
            captured = _figure(Figure.of(row.get("captured")), 1, words, percent=True)
            share = numbers.percent(float(row.get("share") or 0.0))
            rows.append([model, share, numbers.count(row.get("n")), lift, captured])
    headers = (
        WORDS["trialsection.model"],
        WORDS["trialsection.top"],
        _N,
        WORDS["trialsection.lift"],
        WORDS["trialsection.captured"],
    )
    return _charted(
        WORDS["trialsection.won"],
        WORDS["trialsection.won_says"],
        won_chart("won", tried, words),
        headers,
        rows,
        words,
    )


def _charted(
    heading: Text,
    says: Text,
    chart: Html,
    headers: tuple[Text, ...],
    rows: list[list[Html | str]],
    words: Wording,
) -> Html:
    sheet = table(words.say(heading), [words.say(each) for each in headers], rows)
    return tag(
        "div",
        tag("h3", words.say(heading)),
        note(words.say(says)),
        tag("div", chart, class_="scroll"),
        folded(words.say(WORDS["trialsection.numbers"]), sheet),
        class_="box",
    )


def _chains(tried: Trial, words: Wording) -> Html | None:
    groups = part(tried.challenger, "groups")
    if not groups:
        return None
    names = {row.id: row for row in compared(tried, words)}
    shown = [key for key in _CHAIN_MEASURES if key in names]
    headers = [
        words.say(WORDS["trialsection.chain"]),
        words.say(_N),
        words.say(WORDS["trialsection.positives"]),
        *(names[k].name for k in shown),
    ]
    ordered = sorted(groups.items(), key=lambda item: -float(part(groups, item[0]).get("n") or 0.0))
    rows: list[list[Html | str]] = []
    for chain, group in ordered:
        measures = part(group, "measures") if isinstance(group, Mapping) else {}
        counts = [numbers.count(part(groups, chain).get(key)) for key in ("n", "positives")]
        figures = [_figure(Figure.of(measures.get(k)), names[k].decimals, words) for k in shown]
        rows.append([words.chain(str(chain)), *counts, *figures])
    return tag(
        "div",
        tag("h3", words.say(WORDS["trialsection.chains"])),
        note(words.say(WORDS["trialsection.chains_say"])),
        table(words.say(WORDS["trialsection.chains"]), headers, rows),
        class_="box",
    )
