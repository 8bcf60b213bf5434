"""The commands for models: which there are, what is in one, which serves, and learning anew."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leadscore.cli.group import (
    ACTOR,
    FILE,
    Doing,
    Run,
    acting,
    audit_trail,
    city_option,
    cli,
    day_option,
    opened,
    with_run,
)
from leadscore.errors import ModelError
from leadscore.numbers import count
from leadscore.terminal import echo, echo_err, minute
from leadscore.text import Lang, room_words

if TYPE_CHECKING:
    from leadscore.city.profile import City
    from leadscore.registry.manifest import Manifest
    from leadscore.registry.models import ModelRegistry, Version
    from leadscore.store.champions import Promotion

WORDS = room_words("cli")

_HEADS = ("mark", "version", "kind", "as_of", "saved", "outcomes", "log_loss", "auc", "gates")
_KINDS = ("expert", "trained", "damaged")
_NONE = "-"
_reason_option = click.option(
    "--reason", metavar="TEXT", help="Why; kept in the history. 理由，会留存。"
)


def _open(run: Run, city: Path | None) -> tuple[City, ModelRegistry, list[Promotion]]:
    settings = run.settings()
    from leadscore.startup import kept_database, open_city, open_registry
    from leadscore.store.champions import history

    with kept_database(settings) as database:
        profile, promotions = open_city(settings, city, database), []
        if database is not None:
            with database.read() as connection:
                promotions = history(connection, profile.id)
    return profile, open_registry(settings), promotions


@contextlib.contextmanager
def _changing(
    run: Run, city: Path | None, action: str
) -> Iterator[tuple[Doing, City, ModelRegistry]]:
    """Give a transaction in which another model comes to serve, and ask for new scores at its end.

    The block names the model as what it is about.
    """
    settings, job = run.settings(), None
    from leadscore.startup import open_profiles, open_registry

    with acting(run, action) as doing:
        from leadscore.store.champions import champion_line
        from leadscore.store.models import sync_models

        registry = open_registry(settings)
        profile = open_profiles(settings, doing.database, city).current(doing.connection).city
        yield doing, profile, registry
        line = champion_line(doing.connection, profile.id)
        serving, _ = registry.serving(profile, line)
        job = sync_models(doing.connection, registry, profile.id, serving, by=ACTOR, now=doing.now)
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
    profile, registry, promotions = _open(run, city)
    from leadscore.store.champions import line_of

    versions = registry.versions(profile.id)
    if not versions:
        run.say(WORDS["models.none_yet"].format(city=profile.name))
        return
    serving = missed = None
    try:
        serving, missed = registry.serving(profile, line_of(promotions))
    except ModelError as error:
        missed = error
    heads = [WORDS[f"models.head.{head}"] for head in _HEADS]
    rows = [_row(version, version.name == serving, run.lang) for version in versions]
    run.say_table(heads, rows, ("left",) * 5 + ("right",) * 3)
    run.say(WORDS["models.legend"])
    if serving and serving not in {version.name for version in versions}:  # it is still to be made
        run.say(WORDS["models.serves"].format(city=profile.name, version=serving))
    if promotions:
        last = promotions[-1]
        manifests = {version.name: version.manifest for version in versions}
        overruled = _gates(manifests.get(last.version)) == "overruled"
        act = "overruled" if last.act == "trained" and overruled else last.act
        since = WORDS["models.since"].format(
            when=minute(last.at), version=last.version, act=WORDS[f"models.act.{act}"]
        )
        because = WORDS["models.because"].format(reason=last.reason).pick(run.lang)
        echo(since.pick(run.lang) + (because if last.reason else ""))
    for version in versions:
        if version.fault:
            echo(f"! {version.name}\n{version.fault.render(run.lang)}")
    if missed:
        echo_err(missed.render(run.lang))


def _gates(manifest: Manifest | None) -> str | None:
    # Whether a model has passed its gates, failed some or could not be measured at some, or was
    # promoted against them.
    decision = manifest.decision if manifest else None
    if decision is None or decision.promoted is None:
        return None
    if not decision.unpassed:
        return "passed"
    if decision.promoted:
        return "overruled"
    return "failed" if decision.failed else "not_measured"


def _row(version: Version, serves: bool, lang: Lang) -> list[str]:
    from leadscore.registry.manifest import Manifest

    manifest = version.manifest or Manifest(content={})
    kind = manifest.kind or "damaged"
    measures = (manifest.measured("log_loss"), manifest.measured("auc"))
    gates = _gates(manifest)
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
    profile, registry, promotions = _open(run, city)
    from leadscore.learning.champion import current_champion
    from leadscore.report import render_html, render_text
    from leadscore.store.champions import line_of

    if version is None and not registry.versions(profile.id):
        run.say(WORDS["models.none_yet"].format(city=profile.name))
        return
    if version is None:
        line, now = line_of(promotions), datetime.now(UTC)
        manifest = current_champion(profile, registry, line, now=now, save=False).manifest
    else:
        manifest = registry.manifest(version)
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
    with _changing(run, city, "model.promote") as (doing, profile, registry):
        from leadscore.store.champions import promote

        doing.about, doing.details = ("model", version), {"reason": reason}
        changed = promote(
            doing.connection, registry, profile.id, version, act="by_hand", by=ACTOR,
            now=doing.now, reason=reason,
        )  # fmt: skip
    message = WORDS["models.serves"] if changed else WORDS["models.served"]
    run.say(message.format(city=profile.name, version=version))


@models.command("rollback")
@_reason_option
@city_option
@with_run
def roll_back(run: Run, reason: str | None, city: Path | None) -> None:
    """Go back to the champion before; twice goes further. 退回前一个模型，可连续退回。"""
    with _changing(run, city, "model.rollback") as (doing, profile, registry):
        from leadscore.store.champions import champion_line
        from leadscore.store.champions import roll_back as go_back

        def expert() -> str:  # which takes a second: only where no other model is left
            from leadscore.learning.expert import expert_model

            return expert_model(profile, registry, doing.now, run.tell)[0]

        previous = next(iter(champion_line(doing.connection, profile.id)), None)
        version = go_back(
            doing.connection, registry, profile.id, by=ACTOR, now=doing.now, reason=reason,
            expert=expert, notify=run.tell,
        )  # fmt: skip
        doing.about, doing.details = ("model", version), {"reason": reason}
    run.say(WORDS["models.back"].format(city=profile.name, version=version, previous=previous))


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
@click.option(
    "--assume-unchanging", is_flag=True,
    help="Where all snapshots are later than first contact, take founding date, industry and place "
    "as known then. 快照都晚于接触时，采用不易变的资料。",
)  # fmt: skip
@with_run
def retrain(
    run: Run, as_of: str | None, city: Path | None, dry_run: bool, promote_anyway: str | None,
    assume_unchanging: bool,
) -> None:  # fmt: skip
    """Learn from outcomes; a better model serves from then on. 从结果中学习，更好才启用。"""
    settings = run.settings()
    from leadscore.jobs.tasks import settle_retraining
    from leadscore.learning.retrain import retrain as learn
    from leadscore.startup import open_city, open_registry, training_rules
    from leadscore.store.champions import champion_line
    from leadscore.store.outcomes import read_outcomes
    from leadscore.store.snapshots import read_dated_facts, read_snapshots

    day, now, job = day_option(as_of or None, "--as-of"), datetime.now(UTC), None
    registry = open_registry(settings)
    with opened(settings) as database:
        profile = open_city(settings, city, database)
        with database.read() as connection:
            events, snapshots = read_outcomes(connection, merged=True), read_snapshots(connection)
            facts = read_dated_facts(connection)
            line = champion_line(connection, profile.id)
        rules = replace(training_rules(settings), assume_unchanging=assume_unchanging)
        done = learn(
            profile, events, snapshots, registry, line, as_of=day, now=now, rules=rules,
            facts=facts, dry_run=dry_run, overrule=promote_anyway, progress=run.tell,
            notify=run.tell,
        )  # fmt: skip
        for text in done.preface:
            run.say(text)
        echo(done.decision.render(run.lang))
        with database.write() as connection:
            job = settle_retraining(
                connection, done, registry, profile.id, line, trail=audit_trail(settings),
                by=ACTOR, now=now,
            )  # fmt: skip
    run.say(done.upshot)
    if job is not None:
        run.say(WORDS["models.scores_anew"].format(job=job))
