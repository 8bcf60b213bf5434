"""Shows a city's models as a table on the terminal, damaged ones among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadscore.language import Lang, Text
from leadscore.learning.shelf.succession import Act, Promotion
from leadscore.learning.shelf.versions import Version
from leadscore.textwidth import Align, display_width, fit

_HEADERS: tuple[tuple[Text, Align], ...] = (
    (Text(zh="", en=""), "left"),
    (Text(zh="版本", en="version"), "left"),
    (Text(zh="种类", en="kind"), "left"),
    (Text(zh="截至", en="as of"), "left"),
    (Text(zh="保存于", en="saved"), "left"),
    (Text(zh="已知结果", en="outcomes"), "right"),
    (Text(zh="对数损失", en="log loss"), "right"),
    (Text(zh="AUC", en="AUC"), "right"),
    (Text(zh="检验", en="gates"), "left"),
)
_KINDS = {
    "expert": Text(zh="专家", en="expert"),
    "trained": Text(zh="训练", en="trained"),
    None: Text(zh="已损坏", en="damaged"),
}
_GATES = {
    True: Text(zh="通过", en="passed"),
    False: Text(zh="未通过", en="failed"),
}
_ACTS: dict[Act, Text] = {
    "expert": Text(zh="专家评分卡", en="as the expert card"),
    "trained": Text(zh="训练后通过检验", en="trained, and passed its gates"),
    "by_hand": Text(zh="由人指定", en="promoted by hand"),
    "rolled_back": Text(zh="退回", en="rolled back to"),
    "profile": Text(zh="随画像修订", en="followed the profile"),
}
_LEGEND = Text(
    zh="* 现役；! 不能使用。对数损失和 AUC 是在其后的跟进上检验所得。",
    en="* champion; ! can't be used. Log loss and AUC are those on later pursuits.",
)
_SINCE = Text(zh="自 {when} 起：{version}，{act}", en="since {when}: {version}, {act}")
_BECAUSE = Text(zh="；理由：{reason}", en="; reason: {reason}")
_NONE = "-"
_GAP = "  "


def model_table(
    versions: Sequence[Version], champion: str | None, history: Sequence[Promotion], lang: Lang
) -> str:
    """Return the versions in the order given, what is wrong with them, and since when one serves.

    Parameters
    ----------
    versions
        As `Shelf.versions` returns them.
    champion
        The one that serves, if any.
    history
        As `Shelf.history` returns it.
    lang
        Language of the words.
    """
    rows = [[text.pick(lang) for text, _ in _HEADERS]]
    rows += [_row(version, version.name == champion, lang) for version in versions]
    columns = list(zip(*rows, strict=True))
    widths = [max(map(display_width, column)) for column in columns]
    aligned = [align for _, align in _HEADERS]
    lines = [_GAP.join(map(fit, row, widths, aligned)).rstrip() for row in rows]
    faults = [
        f"! {version.name}\n{version.fault.render(lang)}" for version in versions if version.fault
    ]
    last = next((step for step in reversed(history) if step.version == champion), None)
    return "\n".join([*lines, _LEGEND.pick(lang), *([_since(last, lang)] if last else []), *faults])


def _row(version: Version, serves: bool, lang: Lang) -> list[str]:
    told = version.manifest or {}
    mark = ("*" if serves else "") + ("!" if version.fault else "")
    measures = _at(told, "measures", "challenger", "measures")
    return [
        mark,
        version.name,
        _named(_KINDS, told.get("kind"), lang),
        str(told.get("as_of", _NONE)),
        f"{version.created:%Y-%m-%d}",
        _outcomes(told.get("outcomes")),
        _measure(measures, "log_loss"),
        _measure(measures, "auc"),
        _named(_GATES, _at(told, "decision", "promoted"), lang),
    ]


def _named(names: Mapping[Any, Text], found: object, lang: Lang) -> str:
    if found in names:
        return names[found].pick(lang)
    return _NONE if found is None else str(found)


def _outcomes(told: object) -> str:
    known = told.get("known") if isinstance(told, Mapping) else told
    return f"{known:,}" if isinstance(known, int) else _NONE


def _measure(measures: object, name: str) -> str:
    value = _at(measures, name, "value")
    return f"{value:.4f}" if isinstance(value, int | float) else _NONE


def _at(told: object, *keys: str) -> Any:
    for key in keys:
        told = told.get(key) if isinstance(told, Mapping) else None
    return told


def _since(step: Promotion, lang: Lang) -> str:
    because = _BECAUSE.format(reason=step.reason).pick(lang) if step.reason else ""
    when = f"{step.when.astimezone():%Y-%m-%d %H:%M}"
    return _SINCE.format(when=when, version=step.version, act=_ACTS[step.act]).pick(lang) + because
