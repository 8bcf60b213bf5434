"""Parts that the page is built from: sections, tables, folded tables, chips."""

from __future__ import annotations

from collections.abc import Sequence

from leadscore.learning.modelpage.markup import Html, tag


def section(anchor: str, heading: str, *content: Html | str | None) -> Html:
    """Return a section with a heading that a link can lead to."""
    head = tag("h2", heading, id=f"{anchor}-heading")
    return tag("section", head, *content, id=anchor, aria_labelledby=f"{anchor}-heading")


def table(
    caption: str,
    headers: Sequence[str],
    rows: Sequence[Sequence[Html | str]],
    *,
    words_in: int = 1,
) -> Html:
    """Return a table whose first column heads its rows; it scrolls within itself if need be.

    Parameters
    ----------
    caption
        What the table shows, for who can't see where it stands.
    headers
        One for each column.
    rows
        Cells, as many as headers.
    words_in
        How many columns from the left hold words; the others hold numbers.
    """
    head = tag("tr", [_heading(said, at >= words_in) for at, said in enumerate(headers)])
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row"),
            [
                tag("td", cell, class_="number" if at >= words_in else None)
                for at, cell in enumerate(row[1:], start=1)
            ],
        )
        for row in rows
    ]
    whole = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", body))
    return tag("div", whole, class_="sheet", tabindex="0", role="group", aria_label=caption)


def folded(summary: str, *content: Html | str | None) -> Html:
    """Return content that opens on demand, and always in print."""
    return tag("details", tag("summary", summary), *content)


def chip(said: str, kind: str) -> Html:
    """Return a short word in a frame."""
    return tag("span", said, class_=f"chip {kind}")


def note(said: str) -> Html:
    """Return a paragraph in a quieter voice."""
    return tag("p", said, class_="note")


def definitions(rows: Sequence[tuple[str, Html | str]]) -> Html:
    """Return labels with their values."""
    return tag("dl", [tag("div", tag("dt", label), tag("dd", value)) for label, value in rows])


def _heading(said: str, number: bool) -> Html:
    return tag("th", said, scope="col", class_="number" if number else None)
