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
from leadscore.text import Text

HEADING = Text(zh="预测得准不准", en="How well it forecasts")
_TRIED = Text(
    zh="以下各项都在训练之后的 {n} 个跟进上检验，其中 {positives} 个达到目标；"
    "方括号和横线是 {level} 区间。",
    en="All of this was measured on {n} later pursuits that it had not seen, {positives} of them "
    "positive. Brackets and whiskers are {level} intervals.",
)
_MEASURE = Text(zh="指标", en="measure")
_MEASURES = Text(zh="检验指标", en="Measures")
_PICTURE = Text(zh="对比图", en="side by side")
_RELIABLE = Text(zh="预测与实际", en="Predicted and observed")
_RELIABLE_SAYS = Text(
    zh="把企业按预测的可能性分组：说 20% 的，是否真有两成落地？落在虚线上为恰当。",
    en="Firms grouped by their forecast: of those told 20%, did a fifth land? On the dashed "
    "line, yes.",
)
_WON = Text(zh="先跟进前几成，能得到多少", en="What the top of the list wins")
_WON_SAYS = Text(
    zh="时间有限，只跟进排在前面的企业，能得到全部成功企业的多少？",
    en="With time for the top of the list only, how many of the firms that land are among them?",
)
_NUMBERS = Text(zh="看数字", en="The numbers")
_MODEL = Text(zh="模型", en="model")
_BIN = Text(zh="预测区间", en="forecast from–to")
_PREDICTED = Text(zh="预测", en="predicted")
_OBSERVED = Text(zh="实际", en="observed")
_N = Text(zh="跟进数", en="pursuits")
_POSITIVES = Text(zh="达到目标", en="positive")
_TOP = Text(zh="名单前", en="top of the list")
_LIFT = Text(zh="提升", en="lift")
_CAPTURED = Text(zh="捕获率", en="captured")
_CHAIN = Text(zh="产业链", en="chain")
_CHAINS = Text(zh="各产业链", en="Chain by chain")
_CHAINS_SAY = Text(
    zh="候选模型在各条产业链上的表现；企业数少的，区间就宽，没有成败两种结果的则无法计算。",
    en="The challenger on each chain. Few pursuits make wide intervals, and where all ended alike "
    "there is nothing to compute.",
)
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
        note(words.say(_TRIED, n=n, positives=positives, level=tried.level)),
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
    headers = [words.say(_MEASURE), words.say(CHALLENGER)]
    if tried.rivals:
        headers += [words.say(CHAMPION), words.say(AHEAD)]
    rows = [
        _measure(f"dots{at}", row, tried, words)
        for at, row in enumerate(compared(tried, words) + compared_tops(tried, words))
    ]
    return table(
        words.say(_MEASURES), [*headers, words.say(_PICTURE)], rows, words_in=len(headers) + 1
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
    headers = (_MODEL, _BIN, _PREDICTED, _OBSERVED, _N)
    return _charted(
        _RELIABLE,
        _RELIABLE_SAYS,
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
    headers = (_MODEL, _TOP, _N, _LIFT, _CAPTURED)
    return _charted(_WON, _WON_SAYS, won_chart("won", tried, words), headers, rows, words)


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
        folded(words.say(_NUMBERS), sheet),
        class_="box",
    )


def _chains(tried: Trial, words: Wording) -> Html | None:
    groups = part(tried.challenger, "groups")
    if not groups:
        return None
    names = {row.id: row for row in compared(tried, words)}
    shown = [key for key in _CHAIN_MEASURES if key in names]
    headers = [
        words.say(_CHAIN),
        words.say(_N),
        words.say(_POSITIVES),
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
        tag("h3", words.say(_CHAINS)),
        note(words.say(_CHAINS_SAY)),
        table(words.say(_CHAINS), headers, rows),
        class_="box",
    )
