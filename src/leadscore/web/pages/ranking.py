"""The ranking: whom to court, in which order, and why; all that is asked stands in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from leadscore.features.catalogue import CATALOGUE
from leadscore.jobs.kinds import RESCORE
from leadscore.language import Lang
from leadscore.lists.values.vocabularies import STAGES
from leadscore.ranking.reasons import Wording
from leadscore.ranking.vetoes import WORDING
from leadscore.store.firms.shortlists import shortlists
from leadscore.store.jobs.jobs import open_jobs
from leadscore.store.lists.lists import OPEN, kept_lists
from leadscore.store.ranking.choices import choices
from leadscore.store.ranking.cursor import read_cursor
from leadscore.store.ranking.pages import ranking_page
from leadscore.store.ranking.saved_views import saved_views
from leadscore.store.ranking.score_values import values_of
from leadscore.web.access.callers import caller
from leadscore.web.access.permissions import requires
from leadscore.web.pages import shell
from leadscore.web.pages.addresses import Asked, view_address
from leadscore.web.pages.columns import COLUMNS, columns_text
from leadscore.web.pages.facets import Namer, facets_of
from leadscore.web.pages.intervals import Interval, intervals
from leadscore.web.pages.local_paths import HOME
from leadscore.web.pages.preferences import remember
from leadscore.web.pages.ranking_acts import ranking_acts
from leadscore.web.pages.ranking_picture import picture_of, ranking_picture
from leadscore.web.pages.ranking_query import checked
from leadscore.web.pages.ranking_views import ranking_views
from leadscore.web.routes.ranking import main_reasons
from leadscore.web.store_refusals import store_refusals

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site

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
    """Go to the address that says which columns were chosen, and remember them."""
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
