"""The commands for models: which there are, what is in one, which serves, and learning anew."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leadscore.cli.group import (
    ACTOR,
    FILE,
    Run,
    acting,
    city_option,
    cli,
    day_option,
    opened,
    with_run,
)
from leadscore.numbers import count
from leadscore.terminal import echo, minute
from leadscore.text import Lang, room_words

if TYPE_CHECKING:
    from leadscore.city.profile import City
    from leadscore.registry.models import ModelRegistry, Version
    from leadscore.settings import Settings

WORDS = room_words("cli")

_HEADS = ("mark", "version", "kind", "as_of", "saved", "outcomes", "log_loss", "auc", "gates")
_KINDS = ("expert", "trained", "damaged")
_NONE = "-"
_reason_option = click.option(
    "--reason", metavar="TEXT", help="Why; kept in the history. 理由，会留存。"
)


def _open(run: Run, city: Path | None) -> tuple[Settings, City, ModelRegistry]:
    settings = run.settings()
    from leadscore.startup import open_city, open_registry

    return settings, open_city(settings, city), open_registry(settings)


def _let_store_follow(
    run: Run, settings: Settings, registry: ModelRegistry, city_id: str, action: str, version: str,
    details: dict[str, Any],
) -> None:  # fmt: skip
    """Mirror the models, ask for new scores where they are by another model, and say so.

    Nothing is done where nothing was ever kept: the service mirrors the models when it starts. The
    champion was changed already, so that whoever has to go back to another model can do so when the
    database is away; the same command, given again, makes up for it.
    """
    if settings.database is None and not settings.database_file.exists():
        return
    with acting(run, action) as doing:
        from leadscore.store.models import sync_models

        doing.about, doing.details = ("model", version), details
        job = sync_models(doing.connection, registry, city_id, by=ACTOR, now=doing.now)
    if job is not None:
        run.say(WORDS["models.scores_anew"].format(job=job))


@cli.group()
def models() -> None:
    """See the models, and choose which one serves. 查看模型，选定由哪个评分。"""


@models.command("list")
@city_option
@with_run
def list_models(run: Run, city: Path | None) -> None:
    """List a city's models, the newest first. 列出模型，新的在前。"""
    _, profile, registry = _open(run, city)
    versions = registry.versions(profile.id)
    if not versions:
        run.say(WORDS["models.none_yet"].format(city=profile.name))
        return
    serving = next(iter(registry.line(profile.id)), None)
    history = registry.history(profile.id)
    heads = [WORDS[f"models.head.{head}"] for head in _HEADS]
    rows = [_row(version, version.name == serving, run.lang) for version in versions]
    run.say_table(heads, rows, ("left",) * 5 + ("right",) * 3)
    run.say(WORDS["models.legend"])
    last = next((step for step in reversed(history) if step.version == serving), None)
    if last:
        act, because = WORDS[f"models.act.{last.act}"], WORDS["models.because"]
        since = WORDS["models.since"].format(when=minute(last.when), version=last.version, act=act)
        reason = because.format(reason=last.reason).pick(run.lang) if last.reason else ""
        echo(since.pick(run.lang) + reason)
    for version in versions:
        if version.fault:
            echo(f"! {version.name}\n{version.fault.render(run.lang)}")
    registry.champion(profile.id)  # says so if the pointer is damaged


def _row(version: Version, serves: bool, lang: Lang) -> list[str]:
    from leadscore.registry.manifest import Manifest

    manifest = version.manifest or Manifest(content={})
    kind = manifest.kind or "damaged"
    measures = (manifest.measured("log_loss"), manifest.measured("auc"))
    promoted = manifest.decision.promoted if manifest.decision else None
    gates = {None: None, True: "passed", False: "failed"}[promoted]
    return [
        ("*" if serves else "") + ("!" if version.fault else ""), version.name,
        WORDS[f"models.kind.{kind}"].pick(lang) if kind in _KINDS else kind,
        str(manifest.as_of or _NONE), f"{version.created:%Y-%m-%d}",
        _NONE if manifest.learned is None else count(manifest.learned),
        *(_NONE if value is None else f"{value:.4f}" for value in measures),
        WORDS[f"models.gates.{gates}"].pick(lang) if gates else _NONE,
    ]  # fmt: skip


@models.command("show")
@click.argument("version", metavar="[VERSION]", required=False)
@click.option(
    "--html", metavar="FILE", type=FILE,
    help="Write one page with curves and tables. 写成一个网页文件。",
)  # fmt: skip
@city_option
@with_run
def show_model(run: Run, version: str | None, html: Path | None, city: Path | None) -> None:
    """Show a model's scorecard and measures; by default the champion's. 显示模型，默认为在用。"""
    _, profile, registry = _open(run, city)
    from leadscore.report import render_html, render_text

    chosen = version or registry.champion(profile.id)
    if chosen is None:
        run.say(WORDS["models.none_yet"].format(city=profile.name))
        return
    manifest = registry.manifest(chosen)
    if html is None:
        echo(render_text(manifest, run.lang, profile))
        return
    from leadscore.lists.writing import check_distinct, replacing

    check_distinct({"--html": html, "--city": city})
    page = render_html(manifest, run.lang, profile).encode()
    with replacing(html) as file:
        file.write(page)
    run.say(WORDS["models.written"].format(path=html))


@models.command("promote")
@click.argument("version", metavar="VERSION")
@_reason_option
@city_option
@with_run
def promote_model(run: Run, version: str, reason: str | None, city: Path | None) -> None:
    """Let a model serve; overruling failed gates needs a reason. 启用模型；未过检验须写理由。"""
    settings, profile, registry = _open(run, city)
    before = registry.line(profile.id)[:1]
    registry.promote(profile.id, version, act="by_hand", reason=reason, now=datetime.now(UTC))
    message = WORDS["models.served"] if before == [version] else WORDS["models.serves"]
    run.say(message.format(city=profile.name, version=version))
    _let_store_follow(
        run, settings, registry, profile.id, "model.promote", version, {"reason": reason}
    )


@models.command("rollback")
@_reason_option
@city_option
@with_run
def roll_back(run: Run, reason: str | None, city: Path | None) -> None:
    """Go back to the champion before; twice goes further. 退回前一个模型，可连续退回。"""
    settings, profile, registry = _open(run, city)
    now, line = datetime.now(UTC), registry.line(profile.id)

    def expert() -> str:
        # Needs scikit-learn, which takes a second: only where no other model is left.
        from leadscore.learning.expert import expert_model

        return expert_model(profile, registry, now, run.tell)[0]

    version = registry.rollback(
        profile.id, now=now, reason=reason, last_resort=expert, notify=run.tell
    )
    previous = line[0] if line else None
    run.say(WORDS["models.back"].format(city=profile.name, version=version, previous=previous))
    details = {"reason": reason}
    _let_store_follow(run, settings, registry, profile.id, "model.rollback", version, details)


@cli.command()
@click.option(
    "--as-of", metavar="DATE", help="Learn what was known on that day. 按当日所知学习。 [today]"
)
@city_option
@click.option(
    "--dry-run", is_flag=True, help="Decide, but save and promote nothing. 只作试算，不保存。"
)
@click.option(
    "--promote-anyway", metavar="REASON",
    help="Promote whatever the gates say; the reason is kept. 写明理由，强制启用。",
)  # fmt: skip
@with_run
def retrain(
    run: Run, as_of: str | None, city: Path | None, dry_run: bool, promote_anyway: str | None
) -> None:
    """Learn from outcomes; a better model serves from then on. 从结果中学习，更好才启用。"""
    settings = run.settings()
    from leadscore.learning.retrain import retrain as learn
    from leadscore.startup import open_city, open_registry, training_rules
    from leadscore.store.outcomes import read_outcomes
    from leadscore.store.snapshots import read_snapshots

    day = day_option(as_of or None, "--as-of")
    with opened(settings) as database, database.read() as connection:
        events, snapshots = read_outcomes(connection), read_snapshots(connection)
    profile, registry = open_city(settings, city), open_registry(settings)
    done = learn(
        profile, events, snapshots, registry, as_of=day, now=datetime.now(UTC),
        rules=training_rules(settings), dry_run=dry_run, overrule=promote_anyway,
        progress=run.tell, notify=run.tell,
    )  # fmt: skip
    for text in done.preface:
        run.say(text)
    echo(done.decision.render(run.lang))
    run.say(done.upshot)
    if not dry_run:
        details = {"as_of": day.isoformat(), "promoted": done.decision.promoted}
        _let_store_follow(
            run, settings, registry, profile.id, "model.retrain", done.serves, details
        )
