"""The report for the leadership on a page: its period and chains chosen, to read, print or keep."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from leadscore.report.leadership import leadership_paper
from leadscore.store.leadership import ReportScope
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.pages import shell
from leadscore.web.pages.shell import TRANSLATIONS
from leadscore.web.routes.leadership import report_of, usual_period


def leadership_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/report``."""

    @pages.get("/report")
    @requires("read")
    def report() -> Response:
        lang, city = dependencies.page_lang(), dependencies.scorer().city
        today = dependencies.today()
        starts, ends, notices = _period(request.args, today)
        known = {chain.id: chain.name for chain in city.chains}
        asked = request.args.getlist("chain")
        chains = tuple(key for key in known if key in asked)
        if set(asked) - known.keys():
            notices.append("report.unknown_chain")
        scope = ReportScope(starts, ends, chains)
        told = report_of(dependencies, scope, lang)
        query = {"starts": starts.isoformat(), "ends": ends.isoformat(), "lang": lang} | (
            {"chains": ",".join(chains)} if chains else {}
        )
        return shell.page(
            dependencies, "report.html", title=TRANSLATIONS["report.title"], scope=scope,
            chains=known, notices=[TRANSLATIONS[key] for key in notices], today=today,
            files=urlencode(query, safe=","), paper=leadership_paper(told, lang),
        )  # fmt: skip


def _period(args: Mapping[str, str], today: date) -> tuple[date, date, list[str]]:
    # What can't be meant is left out, and said: a bookmark of last year must still open.
    first, last = usual_period(today)
    notices = []
    days: dict[str, date | None] = {}
    for name in ("starts", "ends"):
        given = args.get(name, "").strip()
        try:
            days[name] = date.fromisoformat(given) if given else None
        except ValueError:
            days[name] = None
            notices.append("report.no_day")
    ends = days["ends"] or last
    if ends > today:
        ends = today
        notices.append("report.to_come")
    starts = days["starts"] or min(first, ends)
    if starts > ends:
        starts = min(first, ends)
        notices.append("report.wrong_order")
    return starts, ends, list(dict.fromkeys(notices))
