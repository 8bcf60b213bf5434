"""The ranking: whom to court, in which order, and why; all that is asked stands in the address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, jsonify, request
from pydantic import ValidationError
from sqlalchemy import Connection

from leadscore.city import City
from leadscore.errors import Detail
from leadscore.features.catalogue import CATALOGUE
from leadscore.lists.values.words import STAGES
from leadscore.ranking.vetoes import WORDING
from leadscore.store import acts, shortlists
from leadscore.store import ranking as stored
from leadscore.store.firms import firm_to_change
from leadscore.store.jobs import open_jobs
from leadscore.store.lists import OPEN, KeptList, kept_lists
from leadscore.store.models import RESCORE
from leadscore.text import Lang, Text
from leadscore.web.api import Dependencies
from leadscore.web.auth import caller, requires
from leadscore.web.errors import InvalidRequestError, store_refusals
from leadscore.web.idempotent import Act, Answer, noted, written
from leadscore.web.openapi import plain_mistakes
from leadscore.web.pages import shell
from leadscore.web.pages.shell import (
    HOME,
    LONGEST_REASON,
    TRANSLATIONS,
    local_path,
    remember,
    whole_number,
)
from leadscore.web.routes.ranking import (
    FileKind,
    RankingPageQuery,
    page_asked,
    ranked_firms,
    ranking_file,
)

COLUMNS = (
    "credit_code", "reason", "segment", "place", "grade", "priority", "likelihood", "fit", "stage",
    "model",
)  # fmt: skip
"""The columns that can be chosen, in their order."""
_IN_FILES = {
    "reason": ("reasons",), "segment": ("segment_name", "role_name"), "place": ("province", "city"),
}  # fmt: skip
"""What those that have another name there are in a file."""

USUAL_COLUMNS = ("reason", "segment", "grade", "priority", "likelihood", "fit", "stage")

_NONE = "none"


def read_columns(text: str | None) -> tuple[str, ...] | None:
    """Return the columns that a text names; None if it names none that there is.

    >>> read_columns("fit,grade,odd"), read_columns("none"), read_columns("odd"), read_columns(None)
    (('grade', 'fit'), (), None, None)
    """
    if text == _NONE:
        return ()
    named = set((text or "").split(","))
    return tuple(name for name in COLUMNS if name in named) or None


def columns_text(columns: Iterable[str]) -> str:
    """Return columns as an address has them; `read_columns` reads it.

    >>> columns_text(("fit", "grade")), columns_text(())
    ('grade,fit', 'none')
    """
    named = set(columns)
    return ",".join(name for name in COLUMNS if name in named) or _NONE


def file_columns(columns: Iterable[str]) -> str:
    """Return the columns of a file that holds what the page shows: rank, firm and veto always.

    >>> file_columns(["segment", "fit"])
    'rank,name,segment_name,role_name,fit,veto'
    """
    chosen = [each for name in columns for each in _IN_FILES.get(name, (name,))]
    return ",".join(("rank", "name", *chosen, "veto"))


FILTERS = (
    "text", "list", "chain", "segment", "role", "region", "grade", "stage", "veto", "shortlist",
)  # fmt: skip
_USUAL_ORDER = "-priority"
_MOST_BEFORE = 10**7
_PICTURE = {"picture": "on"}


@dataclass(frozen=True, slots=True)
class RankingAddress:
    """What an address asks for; nothing of it is checked yet."""

    values: Mapping[str, str]  # filters and order that are set
    shown: Mapping[str, str]  # `columns` and `picture`, as far as the address says so
    place: Mapping[str, str]  # the cursor, if any
    before: int  # how many firms the pages before have shown
    columns: tuple[str, ...]  # by the address, else as chosen last, else the usual ones

    @classmethod
    def of(cls, args: Mapping[str, str], remembered: str | None = None) -> RankingAddress:
        """Read the arguments of an address; empty ones count as absent, as forms send them."""
        known = {name: args[name].strip() for name in (*FILTERS, "sort") if name in args}
        cursor = args.get("cursor", "")
        before = whole_number(args.get("before", ""), digits=8) or 0
        named = read_columns(args.get("columns"))
        columns = named if named is not None else read_columns(remembered)
        return cls(
            {name: value for name, value in known.items() if value},
            ({} if named is None else {"columns": columns_text(named)})
            | (_PICTURE if args.get("picture") == "on" else {}),
            {"cursor": cursor} if cursor else {},
            min(before, _MOST_BEFORE) if cursor else 0,
            USUAL_COLUMNS if columns is None else columns,
        )

    @property
    def sort(self) -> str:
        """The order."""
        return self.values.get("sort", _USUAL_ORDER)

    @property
    def filtered(self) -> bool:
        """Whether any filter is set."""
        return any(name in self.values for name in FILTERS)

    @property
    def picture(self) -> bool:
        """Whether the picture stands beside the table."""
        return "picture" in self.shown

    @property
    def kept(self) -> dict[str, str]:
        """All that a form of the page sends along, so that it changes no more than it says."""
        return {**self.values, **self.shown}

    @property
    def here(self) -> str:
        """The address of just this page."""
        before = {"before": str(self.before)} if self.before else {}
        return _address(HOME, {**self.kept, **self.place, **before})

    @property
    def view(self) -> str:
        """What a saved view keeps of it: filters, order, columns and picture, but not the page."""
        named = {**self.kept, "columns": columns_text(self.columns)}
        return _address(HOME, named).partition("?")[2]

    @property
    def points(self) -> str:
        """The address of the points of the picture."""
        return _address(f"{HOME}/points", self.values)

    def with_(self, name: str, value: str | None) -> str:
        """Return the address of the same with one thing set, or not set."""
        return _address(HOME, {**self.kept, name: value})

    def cleared(self) -> str:
        """Return the address of the whole ranking, shown in the same way."""
        return _address(HOME, self.shown)

    def sorted_by(self, name: str) -> str:
        """Return the address of the same in another order; the one that holds is turned round."""
        first = name if name == "name" else f"-{name}"
        turned = name if first.startswith("-") else f"-{name}"
        return self.with_("sort", turned if self.sort == first else first)

    def direction(self, name: str) -> str | None:
        """Return the value of aria-sort of a column."""
        if self.sort.removeprefix("-") != name:
            return None
        return "descending" if self.sort.startswith("-") else "ascending"

    def following(self, cursor: str, shown: int) -> str:
        """Return the address of the next page."""
        before = str(self.before + shown)
        return _address(HOME, {**self.kept, "cursor": cursor, "before": before})

    def file(self, kind: str, lang: Lang) -> str:
        """Return the address of exactly this as a file, ``xlsx`` or ``csv``."""
        more = {"columns": file_columns(self.columns), "lang": lang}
        return _address(f"/api/v1/ranking.{kind}", {**self.values, **more})


def view_address(query: str) -> str:
    """Return the address of a saved view; of what it says only what a ranking can be asked.

    >>> view_address("grade=A&x=1&columns=fit"), view_address("")
    ('/ranking?grade=A&columns=fit', '/ranking')
    """
    return _address(HOME, RankingAddress.of(dict(parse_qsl(query))).kept)


def _address(path: str, values: Mapping[str, str | None]) -> str:
    kept = {name: value for name, value in values.items() if value}
    if kept.get("sort") == _USUAL_ORDER:
        del kept["sort"]
    return f"{path}?{urlencode(kept, safe=',')}" if kept else path


def _checked(asked: RankingAddress) -> RankingPageQuery:
    try:
        return RankingPageQuery.model_validate({**asked.values, **asked.place})
    except ValidationError as error:
        raise plain_mistakes(error) from error


LONGEST_NAME = 100  # characters of the name of a shortlist or a view
LONGEST_QUERY = 2_000


def _chosen_firms() -> list[int]:
    # At least one.
    given = (whole_number(text) for text in request.form.getlist("firm"))
    numbers = {number for number in given if number is not None}
    if not numbers:
        raise InvalidRequestError(TRANSLATIONS["ranking.acts.choose_firms"])
    if len(numbers) > stored.LONGEST_PAGE:
        wanted = TRANSLATIONS["ranking.acts.fewer_firms"].format(most=stored.LONGEST_PAGE)
        raise InvalidRequestError(wanted, [Detail("firm", str(len(numbers)), wanted)])
    return sorted(numbers)


def _given(field: str, longest: int, otherwise: Text) -> str:
    text = request.form.get(field, "").replace("\0", "").strip()
    if not text or len(text) > longest:
        raise InvalidRequestError(otherwise)
    return text


def _given_name() -> str:
    message = TRANSLATIONS["ranking.acts.give_name"].format(most=LONGEST_NAME)
    return _given("name", LONGEST_NAME, message)


_FACETS = ("grade", "chain", "segment", "role", "region", "stage", "list", "shortlist", "veto")
_OPEN = ("grade", "chain")
_FREE = "no"
_ALWAYS = ("shortlist",)
"""Filters that are shown with a single value, too: it need not hold all firms."""
_FIT = 0.5
"""Where the picture is divided; by likelihood, at its mean over all firms that may be courted."""


def _names_of(
    city: City, lists: Sequence[KeptList], short: Sequence[shortlists.Shortlist], lang: Lang
) -> Mapping[str, Mapping[str, str]]:
    # What values are called, by filter; a value that is no key is its own name.
    texts: dict[str, Mapping[str, Text]] = {
        "chain": {chain.id: chain.name for chain in city.chains},
        "segment": {key: segment.name for key, segment in city.segments.items()},
        "role": CATALOGUE["role"].levels,
        "stage": STAGES,
        "veto": WORDING,
    }
    named = {name: {key: text.pick(lang) for key, text in of.items()} for name, of in texts.items()}
    return named | {
        "list": {str(each.id): each.file_name for each in lists},
        "shortlist": {str(each.id): each.name for each in short},
    }


def _facets_of(
    counted: stored.Choices, asked: RankingAddress, names: Mapping[str, Mapping[str, str]]
) -> list[dict[str, Any]]:
    # All filters that have something to choose, in the order in which they stand.
    by = {
        name: {value or stored.NONE: number for value, number in counts.items()}
        for name, counts in counted.by.items()
    }
    for name, numbers in (("list", counted.lists), ("shortlist", counted.shortlists)):
        by[name] = {str(key): number for key, number in numbers.items()}
    facets = []
    for key in _FACETS:
        choices = _choices(key, by[key], asked, names.get(key, {}))
        chosen = any(choice["chosen"] for choice in choices)
        if chosen or len(choices) > (key not in _ALWAYS):
            facets.append({"key": key, "choices": choices, "open": chosen or key in _OPEN})
    return facets


def _choices(
    key: str, counts: Mapping[str, int], asked: RankingAddress, names: Mapping[str, str]
) -> list[dict[str, Any]]:
    now = asked.values.get(key, "")
    values = dict(counts)
    if key == "veto" and stored.NONE in values:  # firms that may be courted have their own value
        values[_FREE] = values.pop(stored.NONE)
    if key == "region":
        values.pop(stored.NONE, None)
    if now and key != "grade":
        values.setdefault(now, 0)

    def name(value: str) -> str:  # "" where the template must say that there is none
        if value == stored.NONE:
            return ""
        if key in ("list", "shortlist"):
            return names.get(str(int(value)), f"#{value}")
        return names.get(value, value)

    # By name, since numbers of lists and shortlists only say which came first.
    order = sorted(values, key=lambda value: (-values[value], name(value), value))
    if key in ("grade", "stage"):
        places = {stage: place for place, stage in enumerate(STAGES)}
        order = sorted(values, key=lambda value: (places.get(value, -1), value))
    several = key == "grade"

    def toggled(value: str) -> str | None:
        if several:
            return "".join(sorted(set(now) ^ {value}))
        return None if value == now else value

    # The address of a choice sets it, or takes it back where it is chosen.
    return [
        {
            "key": value,
            "name": "" if key == "veto" and value == _FREE else name(value),
            "count": values[value],
            "address": asked.with_(key, toggled(value)),
            "chosen": value in now if several else value == now,
        }
        for value in order
    ]


def _ranking_picture(dependencies: Dependencies, pages: Blueprint) -> None:

    @pages.get("/ranking/points")
    @requires("read")
    def ranking_points() -> Response:
        meant, lang = _checked(RankingAddress.of(request.args)).asked(), dependencies.page_lang()
        with store_refusals(), dependencies.database.read() as connection:
            rows = stored.points(connection, meant)
            likelihood = stored.mean_likelihood(connection)
        drawn = [
            (
                row["firm_id"], row["name"], round(row["fit"], 4), round(row["likelihood"], 4),
                row["grade"], row["veto"] and WORDING[row["veto"]].pick(lang),
            )
            for row in rows
        ]  # fmt: skip
        return jsonify({"points": drawn, "lines": {"fit": _FIT, "likelihood": likelihood}})


def _ranking_views(dependencies: Dependencies, pages: Blueprint) -> None:
    access = dependencies.access

    @pages.post("/ranking/views")
    @requires("read")
    @written(access, "view.save")
    def save(act: Act) -> Answer:
        query = request.form.get("query", "")
        if len(query) > LONGEST_QUERY:
            raise InvalidRequestError(TRANSLATIONS["ranking.acts.long_query"])
        asked = RankingAddress.of(dict(parse_qsl(query)))
        shortlists.save_view(act.connection, act.actor, _given_name(), asked.view, now=act.now)
        return shell.done(_back(), say="ranking.views.saved")

    @pages.post("/ranking/views/<int:id>/rename")
    @requires("read")
    @written(access, "view.rename")
    def rename(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        shortlists.rename_view(act.connection, act.actor, id, _given_name())
        return shell.done(_back(), "view", id, say="ranking.views.renamed")

    @pages.post("/ranking/views/<int:id>/delete")
    @requires("read")
    @written(access, "view.delete")
    def delete(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        shortlists.drop_view(act.connection, act.actor, id)
        return shell.done(_back(), "view", id, say="ranking.views.deleted")


def _ranking_acts(dependencies: Dependencies, pages: Blueprint) -> None:
    access = dependencies.access

    @pages.post("/ranking/export")
    @requires("read")
    def export_chosen() -> Response:
        firms, form = _chosen_firms(), request.form
        kind: FileKind = "csv" if form.get("format") == "csv" else "xlsx"
        sorts = (sort for sort in stored.SORTS if sort == form.get("sort"))
        columns = read_columns(form.get("columns"))
        noted(access, "ranking.export", details={"format": kind, "firms": len(firms)})
        return ranking_file(
            dependencies, kind,
            stored.RankingFilter(whole_number(form.get("list", "")), firms=tuple(firms)),
            sort=next(sorts, "-priority"), lang=dependencies.page_lang(),
            columns=file_columns(USUAL_COLUMNS if columns is None else columns).split(","),
        )  # fmt: skip

    @pages.post("/ranking/exclude")
    @requires("record")
    @written(access, "firm.exclude")
    def exclude_chosen(act: Act) -> Answer:
        firms = _chosen_firms()
        reason = _given("reason", LONGEST_REASON, TRANSLATIONS["ranking.acts.give_reason"])
        for firm_id in firms:
            version = firm_to_change(act.connection, firm_id).version
            acts.exclude(
                act.connection, firm_id, reason, version=version, actor=act.actor, now=act.now
            )
        about = ("firm", firms[0]) if len(firms) == 1 else ("firms", len(firms))
        return shell.done(_back(), *about, say="ranking.acts.excluded", firms=firms)

    @pages.post("/ranking/shortlists")
    @requires("record")
    @written(access, "shortlist.add")
    def shortlist_chosen(act: Act) -> Answer:
        firms = _chosen_firms()
        named = request.form.get("name", "").strip()
        number = None if named else whole_number(request.form.get("shortlist", ""))
        if number is None:  # a new name goes before the one that the menu happens to show
            number = shortlists.shortlist_named(
                act.connection, _given_name(), actor=act.actor, now=act.now
            )
        shortlists.add_to_shortlist(act.connection, number, firms, actor=act.actor, now=act.now)
        say = "ranking.acts.shortlisted"
        return shell.done(_back(), "shortlist", number, say=say, firms=firms)

    @pages.post("/ranking/shortlists/<int:id>/remove")
    @requires("record")
    @written(access, "shortlist.remove")
    def take_chosen_out(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        firms = _chosen_firms()
        shortlists.take_from_shortlist(act.connection, id, firms)
        return shell.done(_back(), "shortlist", id, say="ranking.acts.taken_out", firms=firms)

    @pages.post("/ranking/shortlists/<int:id>/delete")
    @requires("record")
    @written(access, "shortlist.delete")
    def delete_shortlist(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        shortlists.drop_shortlist(act.connection, id)
        return shell.done(HOME, "shortlist", id, say="ranking.acts.shortlist_deleted")


def _back() -> str:
    return local_path(request.form.get("next"))


COLUMNS_COOKIE = "leadscore_columns"
_CHOOSE = "choose"


def ranking_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/ranking`` and what belongs to it, and ``/`` that leads there."""
    _ranking_acts(dependencies, pages)
    _ranking_views(dependencies, pages)
    _ranking_picture(dependencies, pages)

    @pages.get("/")
    @requires("signed_in")
    def home() -> Response:
        return shell.go(HOME)

    @pages.get("/ranking")
    @requires("read")
    def ranking() -> Response:
        if request.args.get("columns") == _CHOOSE:
            return _choose_columns()
        asked = RankingAddress.of(request.args, request.cookies.get(COLUMNS_COOKIE))
        lang, scorer, query = dependencies.page_lang(), dependencies.scorer(), _checked(asked)
        meant = query.asked()
        with store_refusals(), dependencies.database.read() as connection:
            page = page_asked(connection, query)
            lists = kept_lists(connection, before=None, limit=100)
            short = shortlists.shortlists(connection)
            several = len(lists) > 1 or meant.list_id is not None
            counts = stored.choices(connection, meant, lists=several, shortlists=bool(short))
            views = shortlists.saved_views(connection, caller().actor)
            rescoring = open_jobs(connection, RESCORE)
            picture = _picture(connection, meant) if asked.picture else None
        firms = ranked_firms(scorer, page.firms, lang, most_reasons=1)
        return shell.page(
            dependencies, "ranking.html", title=TRANSLATIONS["ranking.title"],
            city=scorer.city.name, model=scorer.model,
            profile=dependencies.profiles.current().number_of(scorer.city),
            rescoring=bool(rescoring),
            certainty=scorer.certainty((0.0, 1.0)) if not scorer.learned else None,
            asked=asked, firms=firms, total=counts.total,
            facets=_facets_of(counts, asked, _names_of(scorer.city, lists, short, lang)),
            next=page.next and asked.following(page.next.written(), len(page.firms)),
            busy=next((each for each in lists if each.state in OPEN), None),
            something=bool(lists), all_columns=COLUMNS, shortlists=short,
            shortlist=next((each for each in short if each.id == meant.shortlist), None),
            view_list=[
                (view, view_address(view.query), view.query == asked.view) for view in views
            ],
            picture_shown=picture,
            may_record=caller().may("record"),
        )  # fmt: skip


def _picture(connection: Connection, meant: stored.RankingFilter) -> dict[str, Any]:
    likelihood = stored.mean_likelihood(connection)
    counted = stored.quarters(connection, meant, fit=_FIT, likelihood=likelihood)
    return {"quarters": counted, "fit": _FIT, "likelihood": likelihood, "most": stored.MOST_POINTS}


def _choose_columns() -> Response:
    columns = columns_text(request.args.getlist("column"))
    others = {name: value for name, value in request.args.items() if name != "columns"}
    response = shell.go(RankingAddress.of(others | {"columns": columns}).here)
    remember(response, COLUMNS_COOKIE, columns)
    return response
