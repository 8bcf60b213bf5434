"""The officers' guide: the pages of ``docs`` that the READMEs lead to, shown by the service."""

from __future__ import annotations

import re
from functools import cache

from flask import Blueprint, Response, abort
from markupsafe import Markup, escape

from leadscore.files import document
from leadscore.text import Lang
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.pages import shell

FILES: dict[Lang, str] = {"zh": "guide.zh-CN.md", "en": "guide.md"}


def guide_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/guide`` and its pictures, for everybody: it holds nothing about anybody."""

    @pages.get("/guide")
    @requires("public")
    def guide() -> Response:
        title, text = _guide(dependencies.page_lang())
        return shell.page(dependencies, "guide.html", title=title, text=text)

    @pages.get("/guide/images/<name>.png")
    @requires("public")
    def picture(name: str) -> Response:
        path = document("images", f"{name}.png")
        if not re.fullmatch(r"[a-z]+-(?:zh|en)", name) or not path.is_file():
            abort(404)
        response = Response(path.read_bytes(), mimetype="image/png")
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response


@cache
def _guide(lang: Lang) -> tuple[str, Markup]:
    lines = document(FILES[lang]).read_text(encoding="utf-8").splitlines()
    # Its first lines are the title and the way to the twin, which the switch of languages is here.
    return lines[0].removeprefix("# "), rendered("\n".join(lines[3:]))


def rendered(text: str) -> Markup:
    r"""Return the HTML of what a guide is written in, a small part of Markdown.

    Raises ValueError for what it doesn't know, lest that is shown as it stands.

    >>> rendered("## A\n\n- **b** `c`\n- d")
    Markup('<h2>A</h2>\n<ul>\n<li><strong>b</strong> <code>c</code></li>\n<li>d</li>\n</ul>')
    """
    blocks = re.split(r"\n{2,}", text.strip())
    return Markup("\n").join(_block(block.splitlines()) for block in blocks)


def _block(lines: list[str]) -> Markup:
    first = lines[0]
    if heading := re.fullmatch(r"(##|###) (.+)", first):
        level = len(heading[1])
        return Markup("<h{0}>{1}</h{0}>").format(level, _inline(heading[2]))
    if picture := re.fullmatch(r"!\[([^\]]+)\]\(images/([\w-]+\.png)\)", first):
        address = f"/guide/images/{picture[2]}"
        return Markup(
            '<figure><img src="{0}" alt="{1}" loading="lazy"><figcaption>{1}</figcaption></figure>'
        ).format(address, picture[1])
    if first.startswith("| "):
        return _table(lines)
    if item := re.match(r"(- |\d+\. )", first):
        return _list("ul" if item[1] == "- " else "ol", lines)
    if re.match(r"#|```|>|<|\s|\*(?!\*)|\||!", first):
        msg = f"the guide is written in more than is known here: {first!r}"
        raise ValueError(msg)
    return Markup("<p>{}</p>").format(_inline(_joined(lines)))


def _list(tag: str, lines: list[str]) -> Markup:
    starts, items = re.compile(r"(?:- |\d+\. )"), list[list[str]]()
    for line in lines:
        if starts.match(line):
            items.append([starts.sub("", line, count=1)])
        else:
            items[-1].append(line.strip())
    parts = [Markup("<li>{}</li>").format(_inline(_joined(item))) for item in items]
    return Markup("<{0}>\n{1}\n</{0}>").format(tag, Markup("\n").join(parts))


def _table(lines: list[str]) -> Markup:
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    top = Markup("").join(Markup('<th scope="col">{}</th>').format(_inline(cell)) for cell in head)
    body = [
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            _inline(row[0]),
            Markup("").join(Markup("<td>{}</td>").format(_inline(cell)) for cell in row[1:]),
        )
        for row in rows
    ]
    return Markup(
        '<table class="plain"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    ).format(top, Markup("").join(body))


def _joined(lines: list[str]) -> str:
    # Between Chinese characters a line end is no space.
    text = "\n".join(lines)
    return re.sub(r"\n", " ", re.sub(r"(?<=[^\x00-\xff])\n(?=[^\x00-\xff])", "", text))


_MARKS = re.compile(r"\*\*(.+?)\*\*|`([^`]+)`|(?<!\*)\*([^*]+)\*(?!\*)")


def _inline(text: str) -> Markup:
    parts, at = list[Markup](), 0
    for mark in _MARKS.finditer(text):
        parts.append(escape(text[at : mark.start()]))
        tag, inner = next(
            (tag, inner)
            for tag, inner in zip(("strong", "code", "em"), mark.groups(), strict=True)
            if inner is not None
        )
        address = tag == "code" and re.fullmatch(r"/\w+", inner)
        shown = Markup("<{0}>{1}</{0}>").format(tag, inner)
        parts.append(Markup('<a href="{}">{}</a>').format(inner, shown) if address else shown)
        at = mark.end()
    return Markup("").join([*parts, escape(text[at:])])
