"""Markup by construction: every text is escaped unless it was made here, so none can break out."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

_PLAIN_SPACES = {"Zs": " ", "Zl": " ", "Zp": " "}
_VOID = frozenset({"meta", "link", "br", "hr", "img", "col"})


@dataclass(frozen=True, slots=True)
class Html:
    """Markup that is known to be well-formed, as `tag` makes it."""

    text: str


Child: TypeAlias = "Html | str | Iterable[Html | str] | None"
Attribute: TypeAlias = "str | float | bool | None"


def harmless(text: str) -> str:
    r"""Return one line in which what can't be seen is named instead of obeyed.

    Control characters, directions of writing, lone surrogates and unassigned ones become their
    code; any space becomes a plain one.

    >>> harmless("a\u202eb\nc\u3000d")
    'a⟨U+202E⟩b⟨U+000A⟩c d'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _named(char) for char in text)


def _named(char: str) -> str:
    return _PLAIN_SPACES.get(unicodedata.category(char), f"⟨U+{ord(char):04X}⟩")


def escaped(text: str) -> str:
    """Return a text as it may stand in markup, within an element or an attribute.

    >>> escaped('<script>"')
    '&lt;script&gt;&quot;'
    """
    return html.escape(harmless(text))


def tag(element: str, /, *children: Child, **attributes: Attribute) -> Html:
    """Return an element; what is text among its children and attributes is escaped.

    Attributes that are None or False are left out; a trailing underscore of a name is dropped and
    others become hyphens. The result is well-formed as HTML and as XML.

    >>> tag("p", "a < b", tag("b", "c"), class_="note", data_x=1.50).text
    '<p class="note" data-x="1.5">a &lt; b<b>c</b></p>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    inner = "".join(_child(child) for child in children)
    if not inner and element in _VOID:
        return Html(f"<{element}{written}/>")
    return Html(f"<{element}{written}>{inner}</{element}>")


def joined(*children: Child) -> Html:
    """Return several pieces as one."""
    return Html("".join(_child(child) for child in children))


def number(value: float) -> str:
    """Return a coordinate with two decimals at most, never ``-0``.

    >>> number(12.0), number(-0.001), number(3.14159)
    ('12', '0', '3.14')
    """
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def _attribute(value: str | float | bool) -> str:
    if value is True:
        return ""
    return escaped(value) if isinstance(value, str) else number(value)


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child.text
    if isinstance(child, str):
        return escaped(child)
    return "".join(_child(each) for each in child)
