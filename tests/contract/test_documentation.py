"""What the READMEs and the pages of docs say and what the program does agree."""

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
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("README*.md")), *sorted(DOCS.glob("*.md"))]
LANGS = pytest.mark.parametrize("lang", ["en", "zh"])


def page(name: str, lang: str) -> str:
    """Return a page of docs in a language."""
    ending = {"en": "", "zh": ".zh-CN"}[lang]
    return (DOCS / f"{name}{ending}.md").read_text(encoding="utf-8")


def commands(group: click.Group, path: str = "") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        here = f"{path} {name}".strip()
        inner = commands(command, here) if isinstance(command, click.Group) else {here: command}
        found |= inner
    return found


@LANGS
def test_every_command_and_option_is_in_the_docs(lang: str) -> None:
    listed = page("commands", lang)
    for name, command in commands(cli).items():
        assert f"leadscore {name}" in listed
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert any(option in listed for option in parameter.opts), parameter.opts


@LANGS
def test_every_setting_is_in_the_docs(lang: str) -> None:
    listed = page("settings", lang)
    settings = {f"LEADSCORE_{name.upper()}" for name in Settings.model_fields}
    assert settings == set(re.findall(r"LEADSCORE_[A-Z_]+", listed))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_of_a_page_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target, _, part in re.findall(r"\]\((?!https?:)([^)#]*)(#([^)]*))?\)", text):
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), target
        if part and file.suffix == ".md":
            heads = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads]
            assert part in anchors, (target, part)


def test_every_page_has_its_twin_of_the_same_build() -> None:
    english = [path for path in PAGES if not path.name.endswith(".zh-CN.md")]
    for path in english:
        if path.name == "benchmarks.md":  # figures alone
            continue
        twin = path.with_name(path.name.replace(".md", ".zh-CN.md"))
        texts = [each.read_text(encoding="utf-8") for each in (path, twin)]
        assert f"]({twin.name})" in texts[0]
        assert f"]({path.name})" in texts[1]
        for mark in (r"^## ", r"^### ", r"^```", r"^\| `", r"^!\["):
            counts = [len(re.findall(mark, text, re.MULTILINE)) for text in texts]
            assert counts[0] == counts[1], (path.name, mark, counts)


def test_every_decision_is_numbered_once() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers == list(range(1, len(pages) + 1))
    for number, page in zip(numbers, pages, strict=True):
        assert page.read_text(encoding="utf-8").startswith(f"# {number}. ")


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_shows_pages_before_it_speaks_of_variables(name: str) -> None:
    readme = (ROOT / name).read_text(encoding="utf-8")
    assert readme.index("](docs/images/ranking") < readme.index("```")
    assert "LEADSCORE_" not in readme
    assert len(readme.splitlines()) < 150


def test_scores_name_what_the_docs_define() -> None:
    assert {"likelihood", "fit", "priority", "grade", "veto"} <= set(FirmScore.__dataclass_fields__)


@LANGS
def test_what_the_docs_show_of_a_list_is_what_the_program_says(lang: str, tmp_path: Path) -> None:
    sample = ROOT / "data" / "samples" / "electronics.csv"
    said = called("read", sample, "--lang", lang, home=tmp_path).stdout.splitlines()
    shown = page("lists", lang).split(
        "leadscore read data/samples/electronics.csv\n```\n\n```text\n"
    )[1]
    lines = shown.split("\n```")[0].splitlines()
    places = [said.index(line) for line in lines if line]
    assert len(places) > 15
    assert places == sorted(places)
