"""One name per thing: no text of the program, its pages or its documents uses another one.

The glossary is the table "Words" of CONTRIBUTING.md. Below stands, for the terms that used to have
several names, what else they were called.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
CODE = ROOT / "src" / "leadscore"


class Term(NamedTuple):
    """A name in both languages, and patterns of other names of the same thing."""

    zh: str
    en: str
    not_zh: str
    not_en: str


TERMS = (
    Term(
        "优先级", "priority",
        r"优先度|优先指数|综合得分|总得分|总分", r"priority (?:score|rank)|total score",
    ),
    Term("排名", "ranking", r"排行|榜单|名单排序", r"league table|leader ?board|ranked list"),
    Term("任务", "job", r"作业", r"background (?:task|work)|\btask queue"),
    Term(
        "在用模型", "champion", r"(?:现役|生效|当前|现行|使用中的|正式)模型",
        r"(?:live|active|current|serving|production|incumbent) model|model (?:in use|that serves)",
    ),
    Term("招商人员", "officer", r"招商(?:干部|专员|员)|官员", r"\bofficials\b|case ?workers?"),
    Term("搁置", "paused", r"搁置 ?\{|搁置\d|是否搁置", r"\bset aside\b|\bparked\b|\bshelved\b"),
    Term(
        "未入列", "left out", r"行不参与评分|(?:剔除|丢弃)的?行|已单列",
        r"\brows? (?:dropped|discarded|skipped|rejected)\b",
    ),
    Term("几率", "odds", r"胜算|赔率", r"\bchances double\b"),
    Term("回测", "backtest", r"预演|演练", r"\brehears"),
)  # fmt: skip


def texts() -> Iterator[tuple[str, str, str]]:
    """Yield where a text stands, its language, and the text."""
    for path in sorted(CODE.rglob("*.toml")):
        for key, words in _pairs(tomllib.loads(path.read_text("utf-8"))):
            for lang in ("zh", "en"):
                yield f"{path.relative_to(ROOT)}: {key}", lang, words[lang]
    columns = tomllib.loads((ROOT / "data" / "columns.toml").read_text("utf-8"))
    for key, words in _pairs(columns):
        for lang in ("zh", "en"):
            yield f"data/columns.toml: {key}", lang, words[lang]
    for path in sorted((CODE / "web" / "templates").glob("*.html")):
        plain = re.sub(r"\{[{%#].*?[}%#]\}|<[^>]*>", " ", path.read_text("utf-8"), flags=re.DOTALL)
        yield str(path.relative_to(ROOT)), "en", plain
    for name in ("README.md", "docs/running.md", "README.zh-CN.md", "docs/running.zh-CN.md"):
        prose = re.sub(r"```.*?```|`[^`]*`", " ", (ROOT / name).read_text("utf-8"), flags=re.DOTALL)
        yield name, "zh" if "zh-CN" in name else "en", prose
    for path in sorted((CODE / "cli").glob("*.py")):
        for help_text in re.findall(r'help="((?:[^"\\]|\\.)*)"', path.read_text("utf-8")):
            yield str(path.relative_to(ROOT)), "zh", help_text
            yield str(path.relative_to(ROOT)), "en", help_text


def _pairs(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Mapping[str, str]]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            if set(value) == {"zh", "en"} and all(isinstance(each, str) for each in value.values()):
                yield f"{above}{name}", value
            else:
                yield from _pairs(value, f"{above}{name}.")
        elif isinstance(value, list):
            for each in value:
                if isinstance(each, Mapping):
                    yield from _pairs(each, f"{above}{name}.")


@pytest.mark.parametrize("term", TERMS, ids=[term.en for term in TERMS])
def test_nothing_has_another_name(term: Term) -> None:
    forbidden = {"zh": re.compile(term.not_zh), "en": re.compile(term.not_en, re.IGNORECASE)}
    found = [
        (where, match[0], text[max(0, match.start() - 30) : match.end() + 30])
        for where, lang, text in texts()
        if (match := forbidden[lang].search(text))
    ]
    assert found == [], f"say {term.zh} / {term.en}"


@pytest.mark.parametrize("term", TERMS, ids=[term.en for term in TERMS])
def test_every_term_stands_in_the_glossary_and_is_used(term: Term) -> None:
    glossary = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("## Words")[1].split("\n## ")[0]
    assert term.zh in glossary
    assert term.en in glossary
    for lang, word in (("zh", term.zh), ("en", term.en)):
        assert any(word in text.lower() for _, own, text in texts() if own == lang), word


def test_paused_is_a_stage_and_nothing_else() -> None:
    # Of a stage other stages are named beside it, or it is the name of the stage itself.
    others = [
        where
        for where, lang, text in texts()
        if lang == "zh" and "搁置" in text and text != "搁置" and not re.search("流失|阶段", text)
    ]
    assert others == []


def test_the_test_sees_another_name() -> None:
    """Each pattern finds what it is there for, so that a typo in it does not pass all texts."""
    seen = {
        "priority": ("综合得分", "total score"), "ranking": ("排行", "league table"),
        "job": ("作业", "background task"), "champion": ("当前模型", "model in use"),
        "officer": ("官员", "officials"), "paused": ("搁置 {", "set aside"),
        "left out": ("行不参与评分", "rows dropped"), "odds": ("胜算", "chances double"),
        "backtest": ("预演", "rehearsal"),
    }  # fmt: skip
    for term in TERMS:
        zh, en = seen[term.en]
        assert re.search(term.not_zh, zh)
        assert re.search(term.not_en, en)
