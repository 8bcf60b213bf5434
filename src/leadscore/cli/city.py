"""The commands for city profiles."""

from __future__ import annotations

from pathlib import Path

import click

from leadscore.cli.group import FILE, Run, cli, lang_option, settings_of
from leadscore.terminal import say
from leadscore.text import Lang, room_words

WORDS = room_words("cli")


@cli.group()
def city() -> None:
    """Work with city profiles. 城市画像。"""


@city.command("check")
@click.argument("profile", metavar="FILE", type=FILE)
@lang_option
@click.pass_obj
def city_check(run: Run, profile: Path, lang: Lang | None) -> None:
    """Check a city profile and print its chains with their gaps. 检查画像并列出产业链与缺口。"""
    settings_of(run, lang)
    from leadscore.city import load_city, render_tree
    from leadscore.learning.expert import expert_scorecard

    loaded = load_city(profile)
    expert_scorecard(loaded)
    say(render_tree(loaded, run.lang))
    say(WORDS["city.profile_ok"].format(name=loaded.name).pick(run.lang))
