"""What the README says and what the program does agree."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from tests.commands import called

from leadscore.cli import cli
from leadscore.ranking.score import FirmScore
from leadscore.settings import Settings

ROOT = Path(__file__).parents[2]
READMES = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")]


def commands(group: click.Group, path: str = "") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        here = f"{path} {name}".strip()
        inner = commands(command, here) if isinstance(command, click.Group) else {here: command}
        found |= inner
    return found


@pytest.mark.parametrize("readme", READMES, ids=["en", "zh"])
def test_every_command_and_option_is_in_the_readme(readme: str) -> None:
    for name, command in commands(cli).items():
        assert f"leadscore {name}" in readme
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert any(option in readme for option in parameter.opts), parameter.opts


@pytest.mark.parametrize("readme", READMES, ids=["en", "zh"])
def test_every_setting_is_in_the_readme(readme: str) -> None:
    settings = {f"LEADSCORE_{name.upper()}" for name in Settings.model_fields}
    assert settings == set(re.findall(r"LEADSCORE_[A-Z_]+", readme))


@pytest.mark.parametrize("readme", READMES, ids=["en", "zh"])
def test_links_of_the_readme_lead_somewhere(readme: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", readme):
        assert (ROOT / target).exists(), target


def test_every_decision_is_numbered_once() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers == list(range(1, len(pages) + 1))
    for number, page in zip(numbers, pages, strict=True):
        assert page.read_text(encoding="utf-8").startswith(f"# {number}. ")


def test_scores_name_what_the_readme_defines() -> None:
    assert {"likelihood", "fit", "priority", "grade", "veto"} <= set(FirmScore.__dataclass_fields__)


@pytest.mark.parametrize(("readme", "lang"), list(zip(READMES, ("en", "zh"), strict=True)))
def test_what_the_readme_shows_of_a_list_is_what_the_program_says(
    readme: str, lang: str, tmp_path: Path
) -> None:
    sample = ROOT / "data" / "samples" / "electronics.csv"
    said = called("read", sample, "--lang", lang, home=tmp_path).stdout.splitlines()
    shown = readme.split("leadscore read data/samples/electronics.csv\n```\n\n```text\n")[1]
    lines = shown.split("\n```")[0].splitlines()
    places = [said.index(line) for line in lines if line]
    assert len(places) > 15
    assert places == sorted(places)
