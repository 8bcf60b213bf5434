"""What if a firm were otherwise: change values and see the score move; nothing of it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from flask import Blueprint, Response, request

from leadscore import numbers
from leadscore.lists.cleaning import clean_records
from leadscore.lists.columns import Column, column
from leadscore.lists.corrections import CORRECTABLE
from leadscore.lists.values.words import STATUSES
from leadscore.ranking.score import Scorer
from leadscore.ranking.vetoes import WORDING
from leadscore.store.current_ranking import Score
from leadscore.store.facts import facts_of
from leadscore.store.firms import Firm, read_firm
from leadscore.store.scoring import Record, change_between, score_firms
from leadscore.text import Lang, room_words
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import InvalidRequestError, store_refusals
from leadscore.web.openapi import longest
from leadscore.web.pages import shell
from leadscore.web.pages.firm import difference, segment_names
from leadscore.web.pages.shell import TRANSLATIONS
from leadscore.web.routes.firms import record_of

WORDS = room_words("web")

_REGION = ("province", "city")
_CODES = ("province_code", "city_code")


def supposed(
    firm: Firm, known: Record, form: Mapping[str, str], today: date, lang: Lang
) -> tuple[Record, dict[str, list[dict[str, Any]]]]:
    """Return the record of a firm with other values, and the fields that say so, by group.

    ``known`` is its record as it counts, what officers corrected included.
    What is written is read as a cell of a list would be; what can't be understood counts as not
    known, and its field says so. A field that says what it said is left as it is kept.
    """
    columns = [column(name) for names in CORRECTABLE.values() for name in names]
    present = {each.name: _written(each, known.get(each.name), lang) for each in columns}
    texts = {
        each.name: _text(form[each.name], each, lang) if each.name in form else present[each.name]
        for each in columns
    }
    changed = {name: text for name, text in texts.items() if text != present[name]}
    record, problems = _record(firm, known, changed, today, lang)
    fields = {
        group: [
            {
                "name": name,
                "label": column(name).label,
                "kind": column(name).kind,
                "text": texts[name],
                "most": longest(column(name)),
                "changed": name in changed,
                "problem": problems.get(name) if name in changed else None,
            }
            for name in names
        ]
        for group, names in CORRECTABLE.items()
    }
    return record, fields


def scored(scorer: Scorer, records: Sequence[Record], today: date) -> list[Score]:
    """Return the scores of records as a model gives them on a day; none of them is kept."""
    scores = score_firms(scorer, records, as_of=today)
    now = datetime.combine(today, datetime.min.time(), UTC)
    return [
        Score(id=0, firm_id=0, snapshot_id=None, scored_at=now, **score.row) for score in scores
    ]


def _record(
    firm: Firm, known: Record, changed: Mapping[str, str], today: date, lang: Lang
) -> tuple[Record, dict[str, str]]:
    moved = any(name in changed for name in _REGION)
    region = {name: known[name] for name in _REGION if moved and name in known}
    texts = {name: text for name, text in (region | dict(changed)).items() if text}
    (clean,) = clean_records([{"name": firm.name, **texts}], today=today)
    read = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in clean.firm.items()
        if name != "name"
    }
    gone = {*changed, *(_CODES if moved else ())}
    record = {name: value for name, value in known.items() if name not in gone}
    record |= {name: value for name, value in read.items() if name in gone}
    problems = {
        problem.column: problem.wanted.pick(lang) for problem in clean.problems if problem.column
    }
    return record, problems


def _text(text: str, of: Column, lang: Lang) -> str:
    plain = text.replace("\r\n", "\n").strip()  # as browsers send the lines of a text
    if len(plain) > longest(of):
        message = WORDS["what_if.too_long"].format(label=of.label.pick(lang), most=longest(of))
        raise InvalidRequestError(message)
    return plain


def _written(of: Column, value: Any, lang: Lang) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float):
        if of.unit == "CNY":
            return numbers.cny(float(value), lang)
        return f"{value:.1%}" if of.unit == "fraction" else f"{value:g}"
    return str(value).replace("\r\n", "\n").strip()


def what_if_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/firms/<id>/what-if``.

    The form is sent as a body, for the texts of a firm are longer than an address may be, and an
    empty field means that its value is not known.
    """

    def firm_of(number: int) -> tuple[Firm, Record]:
        with store_refusals(), dependencies.database.read() as connection:
            firm = read_firm(connection, number)
            return firm, record_of(firm, facts_of(connection, [number]).get(number, ()))

    def shown(firm: Firm, known: Record) -> Response:
        lang, scorer, today = dependencies.page_lang(), dependencies.scorer(), dependencies.today()
        form = request.form if request.method == "POST" else {}
        record, fields = supposed(firm, known, form, today, lang)
        present, other = scored(scorer, [known, record], today)
        change = change_between(present, other, {scorer.model: scorer.card.points_card})
        ranges = scorer.intervals([(one.model, one.values) for one in (present, other)])
        return shell.page(
            dependencies, "what_if.html", firm=firm, groups=fields, present=present, other=other,
            title=TRANSLATIONS["what_if.heading"].format(name=firm.name),
            changed=any(field["changed"] for group in fields.values() for field in group),
            change=difference(change, scorer.wording, lang), statuses=STATUSES, vetoes=WORDING,
            segment_names=segment_names(scorer.city, lang), ranges=ranges,
            certainty=scorer.certainty(ranges[1]),
        )  # fmt: skip

    @pages.get("/firms/<int:id>/what-if")
    @requires("read")
    def what_if(id: int) -> Response:  # noqa: A002 (as the address has it)
        return shown(*firm_of(id))

    @pages.post("/firms/<int:id>/what-if")
    @requires("score")
    def what_if_supposed(id: int) -> Response:  # noqa: A002
        return shown(*firm_of(id))
