"""The brief for a visit as a paper: who the firm is, why go, what to say, to show and to ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from leadscore import numbers
from leadscore.features.catalogue import CATALOGUE
from leadscore.report.paper import (
    Block,
    Figure,
    Figures,
    Lines,
    Paper,
    Section,
    Space,
    Table,
)
from leadscore.text import Lang, read_words

WORDS = read_words(Path(__file__).with_name("brief.toml"))

_NOTES_MM = 24


def brief_paper(brief: Mapping[str, Any], lang: Lang) -> Paper:
    """Return the brief of a firm, as `leadscore.web.pages.brief.brief_of` has it, as a paper."""
    score = brief["score"]
    points = WORDS["points_meaning"].pick(lang)
    code = f"{brief['credit_code']} · " if brief["credit_code"] else ""
    return Paper(
        lang=lang,
        title=_say("heading", lang, name=brief["name"]),
        lead=_say("lead", lang, code=code, city=brief["city"], day=_day(brief["today"], lang)),
        warning=_say("vetoed", lang, why=brief["veto"]) if brief["veto"] else "",
        sections=list(_sections(brief, lang)),
        footer=_say(
            "footer", lang, model=score["model"], day=_day(score["as_of"], lang), points=points
        )
        if score
        else _say("unscored", lang),
    )


def _say(key: str, lang: Lang, **places: object) -> str:
    return (WORDS[key].format(**places) if places else WORDS[key]).pick(lang)


def _day(value: date | str, lang: Lang) -> str:
    return numbers.day(value, lang)


def _sections(brief: Mapping[str, Any], lang: Lang) -> Iterator[Section]:
    yield Section("who", _say("who.heading", lang), list(_who(brief, lang)))
    yield Section("gap", _say("gap.heading", lang), _gap(brief["gap"], lang), _profile(brief, lang))
    if brief["gap"]:
        yield Section("places", _say("places.heading", lang), _places(brief, lang))
    if brief["score"]:
        for key, heading in (("strong", "talk.heading"), ("weak", "talk.weak_heading")):
            yield Section(key, _say(heading, lang), _talk(brief[key], lang))
    yield Section("ask", _say("ask.heading", lang), _ask(brief, lang))
    yield Section("past", _say("past.heading", lang), _past(brief, lang))
    yield Section("notes", _say("notes.heading", lang), [Space(_NOTES_MM)])


def _figures(brief: Mapping[str, Any], lang: Lang) -> Figures:
    score, nothing = brief["score"], _say("nothing", lang)
    interval = score["interval"]
    sure = numbers.interval(*interval) if interval else _say("figure.unsure", lang)
    by_hand = _say("by_hand", lang) if brief["by_hand"] else ""
    entries = (
        ("grade", score["grade"], by_hand),
        ("rank", numbers.count(score["rank"]) if score["rank"] else nothing, ""),
        ("likelihood", numbers.likelihood(score["likelihood"]), sure),
        ("fit", numbers.share(score["fit"]), ""),
        ("stage", brief["stage"] or _say("figure.no_stage", lang), ""),
        ("role", score["role"] or nothing, ""),
    )
    return Figures([(_say(f"figure.{key}", lang), value, small) for key, value, small in entries])


def _who(brief: Mapping[str, Any], lang: Lang) -> Iterator[Block]:
    if brief["score"]:
        yield _figures(brief, lang)
    yield Lines([brief["makes"] or _say("who.unknown", lang)])
    rows = []
    for fact in brief["facts"]:
        source = fact["file"] or _say("who.by_program", lang)
        if fact["by"]:
            source = _say("who.by_officer", lang, by=fact["by"])
        elif fact["row"]:
            source = _say("who.row", lang, file=source, row=fact["row"])
        day = _day(fact["as_of"], lang)
        if fact["stale"]:
            day = _say("who.stale", lang, day=day)
        rows.append((fact["label"], fact["value"], source, day))
    if rows:
        yield _table("who", ("item", "value", "source", "as_of"), rows, (3, 6, 5, 4), lang)


def _gap(gap: Mapping[str, Any] | None, lang: Lang) -> list[Block]:
    if gap is None:
        return [Lines([_say("gap.none", lang)])]
    joint = _say("joint", lang)
    near = [
        _say("gap.near_one", lang, city=name, supply=numbers.share(supply))
        for name, supply in gap["near"]
    ]
    texts = [
        _say("gap.says", lang, chain=gap["chain"], segment=gap["segment"], supply=gap["words"]),
        *([_say("gap.sought", lang)] if gap["sought"] else []),
        _say(
            "gap.measured", lang, gap=numbers.share(gap["gap"]),
            supply=numbers.share(gap["supply"]), neighbours=numbers.share(gap["neighbours"]),
            discount=numbers.share(gap["discount"]),
        ),
        _say("gap.near", lang, names=joint.join(near)) if near else _say("gap.no_near", lang),
    ]  # fmt: skip
    for key in ("buyers", "suppliers"):
        names = joint.join(gap[key])
        texts.append(
            _say(f"gap.{key}", lang, names=names) if names else _say(f"gap.no_{key}", lang)
        )
    return [Lines(texts, "listed")]


def _profile(brief: Mapping[str, Any], lang: Lang) -> str:
    return _say("gap.source", lang, city=brief["city"], **brief["statement"])


def _places(brief: Mapping[str, Any], lang: Lang) -> list[Block]:
    rows = []
    for place in brief["places"]:
        suits = _say("joint", lang).join(place["suits"]) or _say("places.any", lang)
        number = brief["statement"]["number"]
        sections = [
            _say("places.statement", lang, number=number, section=section)
            for section in place["sections"]
        ]
        rests = _say("joint", lang).join(sections) or _say("places.general", lang)
        rows.append((place["name"], _say(f"places.{place['kind']}", lang), suits, rests))
    if not rows:
        return [Lines([_say("places.none", lang)])]
    return [_table("places", ("name", "kind", "suits", "source"), rows, (6, 2.4, 4.5, 4.5), lang)]


def _talk(points: Sequence[Mapping[str, Any]], lang: Lang) -> list[Block]:
    rows = [
        (point["text"], Figure(point["points"], "points"), how_to_use(point, lang))
        for point in points
    ]
    if not rows:
        return [Lines([_say("talk.none", lang)])]
    return [_table("talk", ("reason", "points", "say"), rows, (8, 1.8, 8), lang)]


def how_to_use(point: Mapping[str, Any], lang: Lang) -> str:
    """Return how a reason may be used in a talk; a value that is missing is to be asked for."""
    name = point["feature"]
    if point["value"] is None or name not in CATALOGUE:
        return _say("talk.unknown", lang)
    way = "up" if point["points"] > 0 else "down"
    if f"say.{name}.some" in WORDS:
        return _say(f"say.{name}.{'some' if point['value'] else 'none'}", lang)
    key = f"say.{name}.{way}"
    return _say(key if key in WORDS else f"say.{CATALOGUE[name].family}.{way}", lang)


def _ask(brief: Mapping[str, Any], lang: Lang) -> list[Block]:
    texts = [_say("ask.unknown", lang, what=what) for what in brief["unknown"]]
    texts += [_say("ask.stale", lang, what=what) for what in brief["stale"]]
    return [Lines(texts, "asked") if texts else Lines([_say("ask.nothing", lang)])]


def _past(brief: Mapping[str, Any], lang: Lang) -> list[Block]:
    rows = [
        (_day(contact["day"], lang), contact["stage"], contact["remark"], contact["by"])
        for contact in brief["contacts"]
    ]
    step = brief["next"]
    text = _say("past.no_next", lang)
    if step and step["step"]:
        on, owner = step["day"], step["owner"]
        text = _say(
            "past.next", lang, step=step["step"],
            day=_say("past.next_on", lang, day=_day(on, lang)) if on else "",
            owner=_say("past.owner", lang, owner=owner) if owner else "",
        )  # fmt: skip
    if not rows:
        return [Lines([_say("past.none", lang), text])]
    headers = ("day", "stage", "remark", "by")
    return [_table("past", headers, rows, (3.6, 2.4, 7.6, 2.4), lang), Lines([text])]


def _table(
    part: str, headers: Sequence[str], rows: Sequence[Sequence[str | Figure]],
    widths: Sequence[float], lang: Lang,
) -> Table:  # fmt: skip
    return Table([_say(f"{part}.{header}", lang) for header in headers], rows, widths)
