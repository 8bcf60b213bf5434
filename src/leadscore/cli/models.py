"""The commands for models: which there are, what is in one, which serves, and learning anew."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leadscore.cli.group import (
    ACTOR,
    FILE,
    Run,
    acting,
    cli,
    lang_option,
    not_after_today,
    settings_of,
)
from leadscore.numbers import count
from leadscore.terminal import Align, say, table, tell
from leadscore.text import Lang, Text, room_words

if TYPE_CHECKING:
    from leadscore.city.profile import City
    from leadscore.registry.models import Act, Promotion, Shelf, Version
    from leadscore.settings import Settings

WORDS = room_words("cli")


def let_store_follow(
    run: Run, lang: Lang | None, settings: Settings, shelf: Shelf, city_id: str, *, action: str,
    version: str, details: dict[str, Any],
) -> None:  # fmt: skip
    """Mirror the models, ask for new scores where they are by another model, and say so.

    Nothing is done where nothing was ever kept: the service mirrors the models when it starts.

    Parameters
    ----------
    run, lang
        Of the command.
    settings
        Where the database is.
    shelf
        On which the champion was changed already: whoever has to go back to another model can do
        so when the database is away.
    city_id
        Whose champion.
    action
        What the audit calls it, such as ``model.promote``.
    version
        The model that it is about.
    details
        What more the audit tells.

    Raises
    ------
    StoreError
        If the database can't be used; the same command, given again, makes up for it.
    """
    if settings.database is None and not settings.database_file.exists():
        return
    with acting(run, lang, action) as doing:
        from leadscore.jobs.tasks import tell_store

        doing.about, doing.details = ("model", version), details
        job = tell_store(doing.connection, shelf, city_id, by=ACTOR, now=doing.now)
    if job is not None:
        say(WORDS["models.scores_anew"].format(job=job).pick(run.lang))


_HEADERS: tuple[tuple[Text, Align], ...] = (
    (WORDS["models.headers"], "left"),
    (WORDS["models.headers_2"], "left"),
    (WORDS["models.headers_3"], "left"),
    (WORDS["models.headers_4"], "left"),
    (WORDS["models.headers_5"], "left"),
    (WORDS["models.headers_6"], "right"),
    (WORDS["models.headers_7"], "right"),
    (WORDS["models.headers_8"], "right"),
    (WORDS["models.headers_9"], "left"),
)
_KINDS = {
    "expert": WORDS["models.kinds_expert"],
    "trained": WORDS["models.kinds_trained"],
    None: WORDS["models.kinds_none"],
}
_GATES = {
    True: WORDS["models.gates_true"],
    False: WORDS["models.gates_false"],
}
_ACTS: dict[Act, Text] = {
    "expert": WORDS["models.acts_expert"],
    "trained": WORDS["models.acts_trained"],
    "by_hand": WORDS["models.acts_by_hand"],
    "rolled_back": WORDS["models.acts_rolled_back"],
    "profile": WORDS["models.acts_profile"],
}
_NONE = "-"


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
    lines = table(rows, [align for _, align in _HEADERS])
    faults = [
        f"! {version.name}\n{version.fault.render(lang)}" for version in versions if version.fault
    ]
    last = next((step for step in reversed(history) if step.version == champion), None)
    return "\n".join(
        [
            *lines,
            WORDS["models.legend"].pick(lang),
            *([_since(last, lang)] if last else []),
            *faults,
        ]
    )


def _row(version: Version, serves: bool, lang: Lang) -> list[str]:
    from leadscore.registry.manifest import Manifest

    told = version.manifest or Manifest(content={})
    mark = ("*" if serves else "") + ("!" if version.fault else "")
    return [
        mark,
        version.name,
        _named(_KINDS, told.kind, lang),
        str(told.as_of or _NONE),
        f"{version.created:%Y-%m-%d}",
        _NONE if told.learned is None else count(told.learned),
        _measure(told.measured("log_loss")),
        _measure(told.measured("auc")),
        _named(_GATES, told.decision.promoted if told.decision else None, lang),
    ]


def _named(names: Mapping[Any, Text], found: object, lang: Lang) -> str:
    if found in names:
        return names[found].pick(lang)
    return _NONE if found is None else str(found)


def _measure(value: float | None) -> str:
    return _NONE if value is None else f"{value:.4f}"


def _since(step: Promotion, lang: Lang) -> str:
    because = WORDS["models.because"].format(reason=step.reason).pick(lang) if step.reason else ""
    when = f"{step.when.astimezone():%Y-%m-%d %H:%M}"
    return (
        WORDS["models.since"]
        .format(when=when, version=step.version, act=_ACTS[step.act])
        .pick(lang)
        + because
    )


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
        say(WORDS["models.none_yet"].format(city=profile.name).pick(run.lang))
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
        say(WORDS["models.none_yet"].format(city=profile.name).pick(run.lang))
        return
    manifest = shelf.manifest(chosen)
    if html is None:
        say(render_text(manifest.content, run.lang, profile))
        return
    from leadscore.lists.writing import check_distinct, replacing

    check_distinct({"--html": html, "--city": city})
    page = render_html(manifest.content, run.lang, profile).encode()
    with replacing(html) as file:
        file.write(page)
    say(WORDS["models.written"].format(path=html).pick(run.lang))


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
    message = WORDS["models.served"] if before == [version] else WORDS["models.serves"]
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
        from leadscore.learning.expert import ensure_expert

        return ensure_expert(profile, shelf, now, notify)

    previous = next(iter(shelf.line(profile.id)), None)
    version = shelf.rollback(profile.id, now=now, reason=reason, last_resort=expert, notify=notify)
    say(
        WORDS["models.back"]
        .format(city=profile.name, version=version, previous=previous)
        .pick(run.lang)
    )
    let_store_follow(
        run, lang, settings, shelf, profile.id, action="model.rollback", version=version,
        details={"reason": reason},
    )  # fmt: skip


def _open(run: Run, lang: Lang | None, city: Path | None) -> tuple[Settings, City, Shelf]:
    settings = settings_of(run, lang)
    from leadscore.startup import open_city, open_shelf

    return settings, open_city(settings, city), open_shelf(settings)


@cli.command()
@click.option(
    "--as-of", metavar="DATE", help="Learn what was known on that day. 按当日所知学习。 [today]"
)
@click.option("--city", metavar="FILE", type=FILE, help="City profile. 城市画像文件。")
@click.option(
    "--dry-run", is_flag=True, help="Decide, but save and promote nothing. 只作试算，不保存。"
)
@click.option(
    "--promote-anyway",
    metavar="REASON",
    help="Promote whatever the gates say; the reason is kept. 写明理由，强制启用。",
)
@lang_option
@click.pass_obj
def retrain(
    run: Run, as_of: str | None, city: Path | None, dry_run: bool, promote_anyway: str | None,
    lang: Lang | None,
) -> None:  # fmt: skip
    """Learn from outcomes; a better model serves from then on. 从结果中学习，更好才启用。"""
    settings = settings_of(run, lang)
    from leadscore.learning.retrain import retrain as walk
    from leadscore.learning.training_data import Rules
    from leadscore.startup import open_city, open_database, open_shelf
    from leadscore.store.outcomes import read_outcomes
    from leadscore.store.snapshots import read_snapshots

    def told(text: Text) -> None:
        tell(text.pick(run.lang))

    today = date.today()
    day = not_after_today(as_of, "--as-of", today=today) if as_of else today
    with contextlib.closing(open_database(settings)) as database, database.read() as connection:
        events, snapshots = read_outcomes(connection), read_snapshots(connection)
    profile, shelf = open_city(settings, city), open_shelf(settings)
    done = walk(
        profile,
        events,
        snapshots,
        shelf,
        as_of=day,
        now=datetime.now(UTC),
        rules=Rules(
            target=settings.target,
            horizon_days=settings.horizon_days,
            prior_strength=settings.prior_strength,
        ),
        dry_run=dry_run,
        overrule=promote_anyway,
        progress=told,
        notify=told,
    )
    for text in done.preface:
        say(text.pick(run.lang))
    say(done.decision.render(run.lang))
    say(done.upshot.pick(run.lang))
    if not dry_run:
        let_store_follow(
            run, lang, settings, shelf, profile.id, action="model.retrain", version=done.serves,
            details={"as_of": day.isoformat(), "promoted": done.decision.promoted},
        )  # fmt: skip
