"""The ranking: whom to court, in which order, and why; all that is asked stands in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import Connection, RowMapping

from leadscore.city import City
from leadscore.features.catalogue import CATALOGUE
from leadscore.jobs.kinds import RESCORE
from leadscore.lists.values.words import STAGES
from leadscore.ranking.reasons import Wording
from leadscore.ranking.vetoes import WORDING
from leadscore.store import acts
from leadscore.store.current_ranking import values_of
from leadscore.store.filters import (
    NONE,
    RankingFilter,
    drop_view,
    read_cursor,
    rename_view,
    save_view,
    saved_views,
)
from leadscore.store.firms import firm_to_change
from leadscore.store.jobs import open_jobs
from leadscore.store.lists import OPEN, kept_lists
from leadscore.store.ranking import (
    MOST_POINTS,
    Choices,
    Quarters,
    choices,
    mean_likelihood,
    points,
    quarters,
    ranking_page,
)
from leadscore.store.shortlists import (
    add_to_shortlist,
    drop_shortlist,
    shortlist_named,
    shortlists,
    take_from_shortlist,
)
from leadscore.text import Lang
from leadscore.web.auth import caller, requires
from leadscore.web.errors import store_refusals
from leadscore.web.idempotent import Act, Answer, noted, written
from leadscore.web.pages import shell
from leadscore.web.pages.addresses import (
    COLUMNS,
    Asked,
    RankingForm,
    checked,
    columns_text,
    view_address,
)
from leadscore.web.pages.shell import HOME, Site, remember
from leadscore.web.pages.waterfall import Interval, intervals
from leadscore.web.routes.ranking import main_reasons, ranking_file

ORDER = ("grade", "chain", "segment", "role", "region", "stage", "list", "shortlist", "veto")
_OPEN = ("grade", "chain")
_FREE = "no"
_ALWAYS = ("shortlist",)
"""Filters that are shown with a single value, too: it need not hold all firms."""

Counts = Mapping[str, int]
"""Firms by value."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a filter; its address sets it, or takes it back where it is chosen."""

    key: str
    name: str
    count: int
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A filter."""

    key: str
    choices: list[Choice]
    open: bool


@dataclass(frozen=True, slots=True)
class Namer:
    """Names the values of filters in a language."""

    city: City
    lists: Mapping[int, str]
    shortlists: Mapping[int, str]
    lang: Lang

    def name(self, facet: str, value: str) -> str | None:
        """Return a value in words; None if the template must say that there is none."""
        if value == NONE:
            return None
        texts = {
            "chain": {chain.id: chain.name for chain in self.city.chains},
            "segment": {key: each.name for key, each in self.city.segments.items()},
            "role": CATALOGUE["role"].levels,
            "stage": STAGES,
            "veto": WORDING,
        }.get(facet, {})
        if value in texts:
            return texts[value].pick(self.lang)
        named = {"list": self.lists, "shortlist": self.shortlists}.get(facet)
        return value if named is None else named.get(int(value), f"#{value}")


def facets_of(counted: Choices, asked: Asked, namer: Namer) -> list[Facet]:
    """Return all filters that have something to choose, in the order in which they stand."""
    by: dict[str, Counts] = {
        name: {value or NONE: many for value, many in counts.items()}
        for name, counts in counted.by.items()
    }
    for name, numbers in (("list", counted.lists), ("shortlist", counted.shortlists)):
        by[name] = {str(number): many for number, many in numbers.items()}
    found = []
    for key in ORDER:
        choices = _choices(key, by[key], asked, namer)
        chosen = any(each.chosen for each in choices)
        if chosen or len(choices) > (key not in _ALWAYS):
            found.append(Facet(key, choices, chosen or key in _OPEN))
    return found


def _choices(key: str, counts: Counts, asked: Asked, namer: Namer) -> list[Choice]:
    now = asked.values.get(key, "")
    values = dict(counts)
    if key == "veto":
        # None of them: that is the firms that may be courted, which has a value of its own.
        values = {(_FREE if value == NONE else value): many for value, many in values.items()}
    if key == "region":
        values.pop(NONE, None)
    if now and key != "grade":
        values.setdefault(now, 0)
    # By name, since numbers of lists and shortlists only say which came first.
    order = sorted(values, key=lambda value: (-values[value], namer.name(key, value) or "", value))
    if key in ("grade", "stage"):
        order = sorted(values, key=lambda value: (_place(value), value))
    return [
        Choice(
            value,
            ("" if value == _FREE and key == "veto" else namer.name(key, value)) or "",
            values[value],
            asked.with_(key, _toggled(key, now, value)),
            value in now if key == "grade" else value == now,
        )
        for value in order
    ]


def _place(value: str) -> int:
    return list(STAGES).index(value) if value in STAGES else -1


def _toggled(key: str, now: str, value: str) -> str | None:
    if key == "grade":
        return "".join(sorted(set(now) ^ {value}))
    return None if value == now else value


_FIT = 0.5


@dataclass(frozen=True, slots=True)
class Picture:
    """What the page says of the picture in words and numbers."""

    quarters: Quarters
    fit: float
    likelihood: float
    most: int


def picture_of(connection: Connection, meant: RankingFilter) -> Picture:
    """Return what the page says of the picture."""
    likelihood = mean_likelihood(connection)
    found = quarters(connection, meant, fit=_FIT, likelihood=likelihood)
    return Picture(found, _FIT, likelihood, MOST_POINTS)


def ranking_picture(site: Site, pages: Blueprint) -> None:
    """Add ``/ranking/points``, which the script of the picture asks for."""
    backing = site.backing

    @pages.get("/ranking/points")
    @requires("read")
    def ranking_points() -> Response:
        meant, lang = checked(Asked.of(request.args)).asked(), site.lang()
        with store_refusals(), backing.database.read() as connection:
            rows = points(connection, meant)
            likelihood = mean_likelihood(connection)
        return jsonify(
            {
                "points": [_point(row, lang) for row in rows],
                "lines": {"fit": _FIT, "likelihood": likelihood},
            }
        )


def _point(row: RowMapping, lang: Lang) -> tuple[int, str, float, float, str, str | None]:
    veto = row["veto"] and WORDING[row["veto"]].pick(lang)
    fit, likelihood = round(row["fit"], 4), round(row["likelihood"], 4)
    return row["firm_id"], row["name"], fit, likelihood, row["grade"], veto


def ranking_views(site: Site, pages: Blueprint) -> None:
    """Add the addresses by which a user keeps views of the ranking."""
    access, form = site.backing.access, RankingForm(site.words)

    @pages.post("/ranking/views")
    @requires("read")
    @written(access, "view.save")
    def save(act: Act) -> Answer:
        asked = Asked.of(dict(parse_qsl(form.query())))
        save_view(act.connection, act.actor, form.name(), asked.view, now=act.now)
        return shell.done(form.back(), say="ranking.views.saved")

    @pages.post("/ranking/views/<int:id>/rename")
    @requires("read")
    @written(access, "view.rename")
    def rename(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        rename_view(act.connection, act.actor, id, form.name())
        return shell.done(form.back(), say="ranking.views.renamed", about=_view(id))

    @pages.post("/ranking/views/<int:id>/delete")
    @requires("read")
    @written(access, "view.delete")
    def delete(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        drop_view(act.connection, act.actor, id)
        return shell.done(form.back(), say="ranking.views.deleted", about=_view(id))


def _view(number: int) -> tuple[str, str]:
    return "view", str(number)


def ranking_acts(site: Site, pages: Blueprint) -> None:
    """Add the addresses to which the chosen firms are sent."""
    access, form = site.backing.access, RankingForm(site.words)

    @pages.post("/ranking/export")
    @requires("read")
    def export_chosen() -> Response:
        firms, kind = form.firms(), form.kind()
        noted(access, "ranking.export", details={"format": kind, "firms": len(firms)})
        return ranking_file(
            site.backing, kind, RankingFilter(list_id=form.list_id(), firms=tuple(firms)),
            sort=form.sort(), lang=site.lang(), columns=form.file_columns(),
        )  # fmt: skip

    @pages.post("/ranking/exclude")
    @requires("record")
    @written(access, "firm.exclude")
    def exclude_chosen(act: Act) -> Answer:
        firms, reason = form.firms(), form.reason()
        for firm_id in firms:
            version = firm_to_change(act.connection, firm_id).version
            acts.exclude(
                act.connection, firm_id, reason, version=version, actor=act.actor, now=act.now
            )
        return shell.done(
            form.back(), say="ranking.acts.excluded", about=_firms(firms), details={"firms": firms}
        )

    @pages.post("/ranking/shortlists")
    @requires("record")
    @written(access, "shortlist.add")
    def shortlist_chosen(act: Act) -> Answer:
        firms, number = form.firms(), form.shortlist()
        if number is None:  # a new name goes before the one that the menu happens to show
            number = shortlist_named(act.connection, form.name(), actor=act.actor, now=act.now)
        add_to_shortlist(act.connection, number, firms, actor=act.actor, now=act.now)
        return shell.done(
            form.back(), say="ranking.acts.shortlisted", about=_shortlist(number),
            details={"firms": firms},
        )  # fmt: skip

    @pages.post("/ranking/shortlists/<int:id>/remove")
    @requires("record")
    @written(access, "shortlist.remove")
    def take_chosen_out(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        firms = form.firms()
        take_from_shortlist(act.connection, id, firms)
        return shell.done(
            form.back(), say="ranking.acts.taken_out", about=_shortlist(id),
            details={"firms": firms},
        )  # fmt: skip

    @pages.post("/ranking/shortlists/<int:id>/delete")
    @requires("record")
    @written(access, "shortlist.delete")
    def delete_shortlist(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        drop_shortlist(act.connection, id)
        return shell.done(HOME, say="ranking.acts.shortlist_deleted", about=_shortlist(id))


def _firms(firms: list[int]) -> tuple[str, str]:
    return ("firm", str(firms[0])) if len(firms) == 1 else ("firms", str(len(firms)))


def _shortlist(number: int) -> tuple[str, str]:
    return "shortlist", str(number)


COLUMNS_COOKIE = "leadscore_columns"
_CHOOSE = "choose"


def ranking_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/ranking`` and what belongs to it, and ``/`` that leads there."""
    backing = site.backing
    ranking_acts(site, pages)
    ranking_views(site, pages)
    ranking_picture(site, pages)

    @pages.get("/")
    @requires("signed_in")
    def home() -> Response:
        return shell.go(HOME)

    @pages.get("/ranking")
    @requires("read")
    def ranking() -> Response:
        if request.args.get("columns") == _CHOOSE:
            return _choose_columns()
        asked = Asked.of(request.args, request.cookies.get(COLUMNS_COOKIE))
        lang, scorer, query = site.lang(), backing.scorer(), checked(asked)
        meant = query.asked()
        with store_refusals(), backing.database.read() as connection:
            after = read_cursor(query.cursor, query.sort) if query.cursor else None
            page = ranking_page(connection, meant, sort=query.sort, after=after, limit=query.limit)
            values = values_of(connection, [row["score_id"] for row in page.firms])
            lists = kept_lists(connection, before=None, limit=100)
            short = shortlists(connection)
            several = len(lists) > 1 or meant.list_id is not None
            counts = choices(connection, meant, lists=several, shortlists=bool(short))
            views = saved_views(connection, caller().actor)
            rescoring = open_jobs(connection, RESCORE)
            picture = picture_of(connection, meant) if asked.picture else None
        sure = intervals(scorer, [(row["model"], values[row["score_id"]]) for row in page.firms])
        namer = Namer(
            scorer.city,
            {each.id: each.file_name for each in lists},
            {each.id: each.name for each in short},
            lang,
        )
        firms = [
            _firm(scorer.wording, row, interval, lang)
            for row, interval in zip(page.firms, sure, strict=True)
        ]
        return shell.page(
            site,
            "ranking.html",
            title=site.words["ranking.title"].pick(lang),
            city=scorer.city.name.pick(lang),
            model=scorer.model,
            profile=backing.profiles.number_of(scorer.city),
            rescoring=bool(rescoring),
            asked=asked,
            firms=firms,
            total=counts.total,
            facets=facets_of(counts, asked, namer),
            next=page.next and asked.following(page.next.written(), len(page.firms)),
            busy=next((each for each in lists if each.state in OPEN), None),
            something=bool(lists),
            all_columns=tuple(COLUMNS),
            shortlists=short,
            shortlist=next((each for each in short if each.id == meant.shortlist), None),
            view_list=[
                (view, view_address(view.query), view.query == asked.view) for view in views
            ],
            picture_shown=picture,
            may_record=caller().may("record"),
        )


def _choose_columns() -> Response:
    columns = columns_text(request.args.getlist("column"))
    others = {name: value for name, value in request.args.items() if name != "columns"}
    response = shell.go(Asked.of(others | {"columns": columns}).here)
    remember(response, COLUMNS_COOKIE, columns)
    return response


def _firm(wording: Wording, row: Any, interval: Interval | None, lang: Lang) -> dict[str, Any]:
    role = CATALOGUE["role"].levels.get(row["role"])
    stage = STAGES.get(row["stage"])
    return {
        "id": row["firm_id"],
        "rank": row["rank"],
        "name": row["name"],
        "credit_code": row["credit_code"],
        "place": row["city"] or row["province"],
        "segment": wording.segment(row["segment"], lang),
        "role": role and role.pick(lang),
        "grade": row["grade"],
        "overridden": row["overridden"],
        "priority": row["priority"],
        "likelihood": row["likelihood"],
        "interval": interval,
        "fit": row["fit"],
        "reason": next(main_reasons(wording, row, lang), None),
        "stage": stage and stage.pick(lang),
        "model": row["model"],
        "veto": row["veto"] and WORDING[row["veto"]].pick(lang),
    }
