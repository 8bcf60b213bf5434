"""The commands for models: which there are, what is in one, which serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leadscore.cli.champions import let_store_follow
from leadscore.cli.group import FILE, Run, cli, lang_option, settings_of
from leadscore.console import say, tell
from leadscore.language import Lang, Text
from leadscore.textwidth import Align, display_width, fit

if TYPE_CHECKING:
    from leadscore.city.profile import City
    from leadscore.learning.shelf import Shelf
    from leadscore.learning.shelf.succession import Act, Promotion
    from leadscore.learning.shelf.versions import Version
    from leadscore.settings import Settings

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


_NONE_YET = Text(
    zh="“{city}”还没有模型；首次排名（leadscore rank）时会按城市画像生成。",
    en="there is no model of {city} yet; the first ranking (leadscore rank) builds one from the "
    "city profile.",
)
_SERVES = Text(zh="“{city}”现由模型“{version}”评分。", en="the model {version} now serves {city}.")
_SERVED = Text(
    zh="“{city}”本来就由模型“{version}”评分，没有改动。",
    en="the model {version} serves {city} already; nothing was changed.",
)
_BACK = Text(
    zh="“{city}”已退回模型“{version}”；“{previous}”不再评分，但仍保存着。",
    en="{city} is back to the model {version}; {previous} no longer serves, but is kept.",
)
_WRITTEN = Text(zh="已写出 {path}", en="wrote {path}")


def _city_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--city", metavar="FILE", type=FILE, help="City profile. 城市画像文件。")(
        command
    )


def _reason_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--reason", metavar="TEXT", help="Why; kept in the history. 理由，会留存。"
    )(command)


@cli.group()
def models() -> None:
    """See the models, and choose which one serves. 查看模型，选定由哪个评分。"""


@models.command("list")
@_city_option
@lang_option
@click.pass_obj
def list_models(run: Run, city: Path | None, lang: Lang | None) -> None:
    """List a city's models, the newest first. 列出模型，新的在前。"""
    _, profile, shelf = _open(run, lang, city)

    versions = shelf.versions(profile.id)
    if not versions:
        say(_NONE_YET.format(city=profile.name).pick(run.lang))
        return
    serving = next(iter(shelf.line(profile.id)), None)
    say(model_table(versions, serving, shelf.history(profile.id), run.lang))
    shelf.champion(profile.id)  # says so if the pointer is damaged


@models.command("show")
@click.argument("version", metavar="[VERSION]", required=False)
@click.option(
    "--html",
    metavar="FILE",
    type=FILE,
    help="Write one page with curves and tables. 写成一个网页文件。",
)
@_city_option
@lang_option
@click.pass_obj
def show_model(
    run: Run, version: str | None, html: Path | None, city: Path | None, lang: Lang | None
) -> None:
    """Show a model's scorecard and measures; by default the champion's. 显示模型，默认为现役。"""
    _, profile, shelf = _open(run, lang, city)
    from leadscore.report import render_html, render_text

    chosen = version or shelf.champion(profile.id)
    if chosen is None:
        say(_NONE_YET.format(city=profile.name).pick(run.lang))
        return
    manifest = shelf.manifest(chosen)
    if html is None:
        say(render_text(manifest, run.lang, profile))
        return
    from leadscore.lists.output.replacing import check_distinct, replacing

    check_distinct({"--html": html, "--city": city})
    page = render_html(manifest, run.lang, profile).encode()
    with replacing(html) as file:
        file.write(page)
    say(_WRITTEN.format(path=html).pick(run.lang))


@models.command("promote")
@click.argument("version", metavar="VERSION")
@_reason_option
@_city_option
@lang_option
@click.pass_obj
def promote_model(
    run: Run, version: str, reason: str | None, city: Path | None, lang: Lang | None
) -> None:
    """Let a model serve; overruling failed gates needs a reason. 启用模型；未过检验须写理由。"""
    settings, profile, shelf = _open(run, lang, city)
    before = shelf.line(profile.id)[:1]
    shelf.promote(profile.id, version, act="by_hand", reason=reason, now=datetime.now(UTC))
    message = _SERVED if before == [version] else _SERVES
    say(message.format(city=profile.name, version=version).pick(run.lang))
    let_store_follow(
        run, lang, settings, shelf, profile.id, action="model.promote", version=version,
        details={"reason": reason},
    )  # fmt: skip


@models.command("rollback")
@_reason_option
@_city_option
@lang_option
@click.pass_obj
def roll_back(run: Run, reason: str | None, city: Path | None, lang: Lang | None) -> None:
    """Go back to the champion before; twice goes further. 退回前一个模型，可连续退回。"""
    settings, profile, shelf = _open(run, lang, city)
    now = datetime.now(UTC)

    def notify(notice: Text) -> None:
        tell(notice.pick(run.lang))

    def expert() -> str:
        # Needs scikit-learn, which takes a second: only where no other model is left.
        from leadscore.learning.retraining.day_one import ensure_expert

        return ensure_expert(profile, shelf, now, notify)

    previous = next(iter(shelf.line(profile.id)), None)
    version = shelf.rollback(profile.id, now=now, reason=reason, last_resort=expert, notify=notify)
    say(_BACK.format(city=profile.name, version=version, previous=previous).pick(run.lang))
    let_store_follow(
        run, lang, settings, shelf, profile.id, action="model.rollback", version=version,
        details={"reason": reason},
    )  # fmt: skip


def _open(run: Run, lang: Lang | None, city: Path | None) -> tuple[Settings, City, Shelf]:
    settings = settings_of(run, lang)
    from leadscore.startup import open_city, open_shelf

    return settings, open_city(settings, city), open_shelf(settings)
