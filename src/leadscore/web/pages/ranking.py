"""The ranking: whom to court, in which order, and why; all that is asked stands in the address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import Connection

from leadscore.city import City
from leadscore.features.catalogue import CATALOGUE
from leadscore.lists.columns import column
from leadscore.lists.understanding import shown_value
from leadscore.lists.values.words import STAGES
from leadscore.numbers import expected as expected_count
from leadscore.ranking.vetoes import WORDING
from leadscore.store import quadrants, shortlists
from leadscore.store import ranking as stored
from leadscore.store.board import owners
from leadscore.store.bulk import (
    BULK_KINDS,
    Selection,
    UnknownSelectionError,
    read_selection,
    selected_of,
)
from leadscore.store.facets import Choices, choices, expected_landings
from leadscore.store.jobs import open_jobs
from leadscore.store.lists import OPEN, KeptList, kept_lists
from leadscore.store.models import RESCORE
from leadscore.text import Lang, Text
from leadscore.web.api import Dependencies
from leadscore.web.auth import caller, requires
from leadscore.web.errors import InvalidRequestError, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.shell import (
    HOME,
    TRANSLATIONS,
    ignore,
    local_path,
    readable,
    remember,
    whole_number,
)
from leadscore.web.routes.ranking import (
    FILTERS,
    RankingPageQuery,
    page_asked,
    ranked_firms,
)

COLUMNS = (
    "credit_code", "reason", "segment", "place", "grade", "priority", "likelihood", "fit", "stage",
    "registered_capital_cny", "staff", "revenue_cny", "main_business", "listing", "model",
)  # fmt: skip
"""The columns that can be chosen, in their order."""
_IN_FILES = {
    "reason": ("reasons",), "segment": ("segment_name", "role_name"), "place": ("province", "city"),
    "listing": ("exchange", "security_code", "listed_on"),
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


_USUAL_ORDER: stored.Sort = "-priority"
_MOST_BEFORE = 10**7
_PICTURE = (("picture", "on"),)
_SHOWN = ("columns", "picture", "selection", "cursor", "before")

Pairs = Sequence[tuple[str, str]]
"""What stands behind the question mark, in its order; a name may occur several times."""


def pairs_of(query: str | None = None) -> Pairs:
    """Return the parameters of a text, or of the address that is asked for."""
    if query is not None:
        return parse_qsl(query)
    return [*request.args.items(multi=True)]


@dataclass(frozen=True, slots=True)
class RankingAddress:
    """What an address asks for; nothing of it is checked yet."""

    filters: Mapping[str, tuple[str, ...]]  # those that are set, in the order of `FILTERS`
    order: str | None  # if the address names one
    shown: Pairs  # `columns`, `picture` and `selection`, as far as the address says so
    cursor: str | None
    before: int  # how many firms the pages before have shown
    columns: tuple[str, ...]  # by the address, else as chosen last, else the usual ones

    @classmethod
    def of(cls, pairs: Pairs, remembered: str | None = None) -> RankingAddress:
        """Read the parameters of an address; empty ones count as absent, as forms send them."""
        given: dict[str, list[str]] = {}
        for name, text in pairs:
            if value := text.strip():
                values = given.setdefault(name, [])
                # As addresses of earlier versions have grades.
                letters = name == "grade" and len(value) <= 4 and set(value) <= set("ABCD")
                values += [each for each in (value if letters else [value]) if each not in values]
        one = {name: values[0] for name, values in given.items()}
        cursor, named = one.get("cursor"), read_columns(one.get("columns"))
        columns = named if named is not None else read_columns(remembered)
        return cls(
            {name: tuple(given[name]) for name in FILTERS if name in given},
            one.get("sort"),
            (() if named is None else (("columns", columns_text(named)),))
            + (_PICTURE if one.get("picture") == "on" else ())
            + ((("selection", one["selection"]),) if one.get("selection") else ()),
            cursor,
            min(whole_number(one.get("before", ""), digits=8) or 0, _MOST_BEFORE) if cursor else 0,
            USUAL_COLUMNS if columns is None else columns,
        )

    @property
    def sort(self) -> str:
        """The order."""
        return self.order or _USUAL_ORDER

    @property
    def text(self) -> str:
        """The words that are searched for."""
        return " ".join(self.filters.get("text", ()))

    @property
    def filtered(self) -> bool:
        """Whether any filter is set."""
        return bool(self.filters)

    @property
    def picture(self) -> bool:
        """Whether the picture stands beside the table."""
        return any(name == "picture" for name, _ in self.shown)

    @property
    def selection(self) -> str:
        """The number of what somebody has selected, "" if nothing."""
        return dict(self.shown).get("selection", "")

    @property
    def asked(self) -> Pairs:
        """Filters and order."""
        filters = [(name, value) for name, values in self.filters.items() for value in values]
        return [*filters, *((("sort", self.order),) if self.order else ())]

    @property
    def kept(self) -> Pairs:
        """All that a form of the page sends along, so that it changes no more than it says."""
        return [*self.asked, *self.shown]

    @property
    def here(self) -> str:
        """The address of just this page."""
        place = [("cursor", self.cursor)] if self.cursor else []
        return _address(HOME, [*self.kept, *place, *self._before(self.before)])

    @property
    def view(self) -> str:
        """What a saved view keeps of it: filters, order, columns and picture, but not the page."""
        others = [pair for pair in self.shown if pair[0] == "picture"]
        named = [*self.asked, ("columns", columns_text(self.columns)), *others]
        return _address(HOME, named).partition("?")[2]

    @property
    def points(self) -> str:
        """The address of the points of the picture."""
        return _address(f"{HOME}/points", self.asked)

    @staticmethod
    def _before(number: int) -> Pairs:
        return [("before", str(number))] if number else []

    def with_(self, name: str, *values: str) -> str:
        """Return the address of the same with one thing set, to these values or not at all."""
        others = [pair for pair in self.kept if pair[0] != name]
        return _address(HOME, [*others, *((name, value) for value in values)])

    def toggled(self, name: str, value: str) -> str:
        """Return the address of the same with a value of a filter set, or taken back."""
        now = self.filters.get(name, ())
        kept = [each for each in now if each != value]
        return self.with_(name, *(kept if value in now else [*now, value]))

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
        before = self._before(self.before + shown)
        return _address(HOME, [*self.kept, ("cursor", cursor), *before])

    def file(self, kind: str, lang: Lang) -> str:
        """Return the address of exactly this as a file, ``xlsx`` or ``csv``."""
        more = [("columns", file_columns(self.columns)), ("lang", lang)]
        return _address(f"/api/v1/ranking.{kind}", [*self.asked, *more])


def view_address(query: str) -> str:
    """Return the address of a saved view; of what it says only what a ranking can be asked.

    >>> view_address("grade=A&x=1&columns=fit"), view_address("")
    ('/ranking?grade=A&columns=fit', '/ranking')
    """
    return _address(HOME, RankingAddress.of(pairs_of(query)).kept)


def _address(path: str, pairs: Pairs) -> str:
    kept = [pair for pair in pairs if pair[1] and pair != ("sort", _USUAL_ORDER)]
    return f"{path}?{urlencode(kept, safe=',')}" if kept else path


def understood(
    pairs: Pairs, remembered: str | None = None
) -> tuple[RankingAddress, RankingPageQuery]:
    """Return what an address asks for, as far as it can be read; the page says what can't be."""
    asked = RankingAddress.of(pairs, remembered)
    values = {name: [*given] for name, given in asked.filters.items() if name != "text"}
    one = {"text": asked.text, "sort": asked.order, "cursor": asked.cursor}
    query = readable(
        RankingPageQuery, values | {name: value for name, value in one.items() if value}
    )
    _ignore_others(pairs)
    filters = {name: tuple(map(str, getattr(query, name))) for name in values if name != "list"}
    filters |= {"list": tuple(map(str, query.list_id))}
    if query.text:
        filters["text"] = (query.text,)
    order = query.sort if asked.order else None
    kept = {name: filters[name] for name in FILTERS if filters.get(name)}
    return replace(asked, filters=kept, order=order, cursor=query.cursor), query


def _ignore_others(pairs: Pairs) -> None:
    # What `RankingAddress.of` has left out.
    named: set[str] = set()
    for name, value in pairs:
        if name not in (*FILTERS, "sort", *_SHOWN, "column", "lang"):
            ignore(name, value, TRANSLATIONS["shell.no_such_parameter"])
        elif name in named and name not in (*FILTERS, "column"):
            ignore(name, value, TRANSLATIONS["shell.one_value"])
        elif name == "before" and whole_number(value, digits=8) is None:
            ignore(name, value, TRANSLATIONS["shell.a_number"])
        elif name == "picture" and value not in ("", "on"):
            ignore(name, value, TRANSLATIONS["shell.wanted.picture"])
        elif name == "columns" and value not in ("", _NONE, _CHOOSE):
            for column in value.split(","):
                if column not in COLUMNS:
                    ignore(name, column, TRANSLATIONS["shell.wanted.columns"])
        named.add(name)


LONGEST_NAME = 100  # characters of the name of a shortlist or a view
LONGEST_QUERY = 2_000


def given_text(field: str, longest: int, otherwise: Text) -> str:
    """Return what a form says in a field; raises `InvalidRequestError` for nothing or too much."""
    text = request.form.get(field, "").replace("\0", "").strip()
    if not text or len(text) > longest:
        raise InvalidRequestError(otherwise)
    return text


def given_name() -> str:
    """Return the name of a shortlist or a view that a form gives."""
    message = TRANSLATIONS["ranking.acts.give_name"].format(most=LONGEST_NAME)
    return given_text("name", LONGEST_NAME, message)


_FACETS = (
    "grade",
    "chain",
    "segment",
    "role",
    "region",
    "stage",
    "owner",
    "list",
    "shortlist",
    "veto",
)
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
    counted: Choices, asked: RankingAddress, names: Mapping[str, Mapping[str, str]]
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
    now = asked.filters.get(key, ())
    values = dict(counts)
    if key == "veto" and stored.NONE in values:  # firms that may be courted have their own value
        values[_FREE] = values.pop(stored.NONE)
    if key == "region":
        values.pop(stored.NONE, None)
    for value in now:
        values.setdefault(value, 0)

    def name(value: str) -> str:  # "" where the template must say that there is none
        if value == stored.NONE:
            return ""
        if key in ("list", "shortlist"):
            return names.get(value, f"#{value}")
        return names.get(value, value)

    # By name, since numbers of lists and shortlists only say which came first.
    order = sorted(values, key=lambda value: (-values[value], name(value), value))
    if key in ("grade", "stage"):
        places = {stage: place for place, stage in enumerate(STAGES)}
        order = sorted(values, key=lambda value: (places.get(value, -1), value))
    # The address of a choice sets it beside the others, or takes it back where it is chosen.
    return [
        {
            "key": value,
            "name": "" if key == "veto" and value == _FREE else name(value),
            "count": values[value],
            "address": asked.toggled(key, value),
            "chosen": value in now,
        }
        for value in order
    ]


def _ranking_picture(dependencies: Dependencies, pages: Blueprint) -> None:

    @pages.get("/ranking/points")
    @requires("read")
    def ranking_points() -> Response:
        meant, lang = understood(pairs_of())[1].asked(), dependencies.page_lang()
        with store_refusals(), dependencies.database.read() as connection:
            rows = quadrants.points(connection, meant)
            likelihood = quadrants.mean_likelihood(connection)
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
        asked = RankingAddress.of(pairs_of(query))
        shortlists.save_view(act.connection, act.actor, given_name(), asked.view, now=act.now)
        return shell.done(_back(), say="ranking.views.saved")

    @pages.post("/ranking/views/<int:id>/rename")
    @requires("read")
    @written(access, "view.rename")
    def rename(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        shortlists.rename_view(act.connection, act.actor, id, given_name())
        return shell.done(_back(), "view", id, say="ranking.views.renamed")

    @pages.post("/ranking/views/<int:id>/delete")
    @requires("read")
    @written(access, "view.delete")
    def delete(act: Act, id: int) -> Answer:  # noqa: A002 (as the address has it)
        shortlists.drop_view(act.connection, act.actor, id)
        return shell.done(_back(), "view", id, say="ranking.views.deleted")


def _back() -> str:
    return local_path(request.form.get("next"))


COLUMNS_COOKIE = "leadscore_columns"
_CHOOSE = "choose"


def ranking_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/ranking`` and what belongs to it."""
    _ranking_views(dependencies, pages)
    _ranking_picture(dependencies, pages)

    @pages.get("/ranking")
    @requires("read")
    def ranking() -> Response:
        if request.args.get("columns") == _CHOOSE:
            return _choose_columns()
        asked, query = understood(pairs_of(), request.cookies.get(COLUMNS_COOKIE))
        lang, scorer, meant = dependencies.page_lang(), dependencies.scorer(), query.asked()
        with store_refusals(), dependencies.database.read() as connection:
            try:
                page = page_asked(connection, query)
            except stored.BadCursorError:
                ignore("cursor", asked.cursor or "", TRANSLATIONS["shell.wanted.cursor"])
                asked = replace(asked, cursor=None, before=0)
                page = page_asked(connection, query.model_copy(update={"cursor": None}))
            lists = kept_lists(connection, before=None, limit=100)
            short = shortlists.shortlists(connection)
            asked, selection = _selection(connection, asked, dependencies)
            selected = (
                selected_of(connection, selection.id, [row["firm_id"] for row in page.firms])
                if selection
                else {}
            )
            several = len(lists) > 1 or bool(meant.list_id)
            counts = choices(connection, meant, lists=several, shortlists=bool(short))
            expected = expected_landings(connection, meant)
            views = shortlists.saved_views(connection, caller().actor)
            rescoring = open_jobs(connection, RESCORE)
            picture = _picture(connection, meant) if asked.picture else None
            may_record = caller().may("record")
            owners_there = sorted({caller().actor, *owners(connection)}) if may_record else []
        facets = _facets_of(counts, asked, _names_of(scorer.city, lists, short, lang))
        firms = [
            firm | {"facts": facts_of(row["record"], lang)}
            for firm, row in zip(
                ranked_firms(scorer, page.firms, lang, most_reasons=1), page.firms, strict=True
            )
        ]
        return shell.page(
            dependencies, "ranking.html", title=TRANSLATIONS["ranking.title"],
            city=scorer.city.name, model=scorer.model,
            profile=dependencies.profiles.current().number_of(scorer.city),
            rescoring=bool(rescoring), today=dependencies.today(),
            gap_name=scorer.wording.segment(meant.gap, lang),
            certainty=scorer.certainty((0.0, 1.0)) if not scorer.learned else None,
            asked=asked, firms=firms, total=counts.total,
            expected=expected_count(expected),
            facets=facets,
            next=page.next and asked.following(page.next.written(), len(page.firms)),
            busy=next((each for each in lists if each.state in OPEN), None),
            something=bool(lists), all_columns=COLUMNS, shortlists=short,
            shortlist=next((each for each in short if (each.id,) == meant.shortlist), None),
            selection=selection, selected=selected, chips=_chips(asked, facets),
            me=caller().actor, owners=owners_there, act_kinds=BULK_KINDS,
            view_list=[
                (view, view_address(view.query), _same_view(view.query, asked)) for view in views
            ],
            picture_shown=picture,
            may_record=may_record,
        )  # fmt: skip


def _selection(
    connection: Connection, asked: RankingAddress, dependencies: Dependencies
) -> tuple[RankingAddress, Selection | None]:
    if not asked.selection:
        return asked, None
    try:
        number, now = whole_number(asked.selection) or 0, dependencies.access.clock()
        return asked, read_selection(connection, number, owner=caller().actor, now=now)
    except UnknownSelectionError:
        ignore("selection", asked.selection, TRANSLATIONS["shell.wanted.selection"])
        shown = tuple(pair for pair in asked.shown if pair[0] != "selection")
        return replace(asked, shown=shown), None


def _chips(asked: RankingAddress, facets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    # What is set, each with the address of the same without it.
    chips = [
        {"facet": facet["key"], "key": choice["key"], "name": choice["name"],
         "address": choice["address"]}
        for facet in facets
        for choice in facet["choices"]
        if choice["chosen"]
    ]  # fmt: skip
    if asked.text:
        text = {"facet": "text", "key": "", "name": asked.text, "address": asked.with_("text")}
        chips.insert(0, text)
    return chips


_FACTS = ("registered_capital_cny", "staff", "revenue_cny", "main_business")


def facts_of(record: Mapping[str, Any], lang: Lang) -> dict[str, str]:
    """Return the facts of a firm that a table shows, in words; what is not known is left out."""
    facts = {
        name: shown_value(column(name), record[name], lang)
        for name in _FACTS
        if record.get(name) is not None
    }
    listed = [str(record[name]) for name in ("exchange", "security_code") if record.get(name)]
    if not listed and record.get("listed_on"):
        listed = [shown_value(column("listed_on"), record["listed_on"], lang)]
    return facts | ({"listing": " ".join(listed)} if listed else {})


def _same_view(query: str, asked: RankingAddress) -> bool:
    return RankingAddress.of(pairs_of(query)).view == asked.view


def _picture(connection: Connection, meant: stored.RankingFilter) -> dict[str, Any]:
    likelihood = quadrants.mean_likelihood(connection)
    counted = quadrants.quarters(connection, meant, fit=_FIT, likelihood=likelihood)
    return {
        "quarters": counted,
        "fit": _FIT,
        "likelihood": likelihood,
        "most": quadrants.MOST_POINTS,
    }


def _choose_columns() -> Response:
    columns = columns_text(request.args.getlist("column"))
    others = [pair for pair in pairs_of() if pair[0] not in ("columns", "column")]
    response = shell.go(RankingAddress.of([*others, ("columns", columns)]).here)
    remember(response, COLUMNS_COOKIE, columns)
    return response
