"""What every page has: language, words, files, who is logged in, where one may go, messages."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import secrets
from collections.abc import Mapping
from datetime import timedelta
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    after_this_request,
    g,
    render_template,
    request,
)
from jinja2 import StrictUndefined
from markupsafe import Markup
from pydantic import BaseModel, ValidationError

from leadscore import numbers
from leadscore.errors import Detail, LeadscoreError
from leadscore.features.catalogue import CATALOGUE
from leadscore.learning.evaluation import MARKS
from leadscore.lists.outcome_columns import MILESTONES
from leadscore.lists.values.words import STAGES
from leadscore.registry.models import ModelRegistry
from leadscore.report.render import STYLE
from leadscore.store.board import count_due
from leadscore.store.first_steps import FirstSteps, first_steps
from leadscore.text import LANGUAGES, Text, read_words, shown
from leadscore.validation import wanted
from leadscore.web.api import LANGUAGE_COOKIE, Dependencies
from leadscore.web.auth import CSRF_FIELD, Caller, Permission, csrf_token, current_caller, requires
from leadscore.web.errors import InvalidRequestError, named_language
from leadscore.web.idempotent import FIELD, Answer

FOLDER = Path(__file__).parents[1] / "translations"


@cache
def read_translations(folder: Path = FOLDER) -> Mapping[str, Text]:
    """Return the words of all files of a folder by key, such as ``ranking.title``."""
    return read_words(*sorted(folder.glob("*.toml")))


TRANSLATIONS = read_translations()


STATIC = Path(__file__).parents[1] / "static"
_ELSEWHERE = {"styles/model-sections.css": STYLE}
"""Files of other parts of the program, by the names under which they are served."""
_CACHED_A_YEAR = "public, max-age=31536000, immutable"
_WORTH_PACKING = 1_000
_TEXTS = {".css", ".js", ".svg", ".txt", ".toml"}


class Assets:
    """The files of the pages, each under an address that changes with the content of any."""

    def __init__(self, folder: Path = STATIC) -> None:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        self._content = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
        self._content |= {name: path.read_bytes() for name, path in _ELSEWHERE.items()}
        digest = hashlib.sha256()
        for name, content in self._content.items():
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        self.version = digest.hexdigest()[:12]
        self.packed = cache(self._packed)

    def address(self, name: str) -> str:
        """Return the path at which a file is served."""
        if name not in self._content:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"

    def content(self, name: str) -> bytes | None:
        """Return a file, or None if there is none of that name."""
        return self._content.get(name)

    def _packed(self, name: str) -> bytes | None:
        content = self._content[name]
        if Path(name).suffix not in _TEXTS or len(content) < _WORTH_PACKING:
            return None
        return gzip.compress(content, mtime=0)


assets = cache(Assets)


def asset_routes(_dependencies: Dependencies, pages: Blueprint) -> None:
    """Add the addresses of all files; those of another version are served, but not kept."""

    @pages.get("/static/<version>/<path:name>")
    @requires("public")
    def static_file(version: str, name: str) -> Response:
        content = assets().content(name)
        if content is None:
            abort(404)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        packed = assets().packed(name) if request.accept_encodings["gzip"] else None
        response = Response(packed or content, mimetype=kind)
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = (
            _CACHED_A_YEAR if version == assets().version else "no-cache"
        )
        response.set_etag(f"{assets().version}{'-gzip' if packed else ''}")
        response.make_conditional(request)
        return response


NAME = "pages"  # name of the blueprint of all pages

POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)
"""The Content-Security-Policy of all pages: nothing inline, nothing from elsewhere."""

THEME_COOKIE = "leadscore_theme"
THEMES = ("light", "dark")


def theme() -> str | None:
    """Return ``light`` or ``dark`` if one was chosen; else the system decides."""
    chosen = request.cookies.get(THEME_COOKIE)
    return chosen if chosen in THEMES else None


def _wants_page() -> bool:
    # As browsers do, and programs rarely.
    if "text/html" not in request.headers.get("Accept", ""):
        return False
    if request.blueprint is not None:
        return request.blueprint == NAME
    return request.endpoint is None and not request.path.startswith(("/api/", "/openapi/"))


def by_htmx() -> bool:
    """Tell whether a script of our pages asks, and not the browser itself."""
    return request.headers.get("HX-Request") == "true"


LONGEST_REASON = 2_000  # characters of a reason; as many as the API takes


def ignore(name: str, found: str, wanted: Text) -> None:
    """Let the page of this request say that it leaves a parameter of its address unread."""
    detail = Detail(name, shown(found), wanted)
    g.ignored = [*(each for each in ignored() if each != detail), detail]


def ignored() -> list[Detail]:
    """Return the parameters that this request leaves unread: name, what was found and wanted."""
    return g.get("ignored", [])  # type: ignore[no-any-return]


_WANTED = {
    key.rpartition(".")[2]: TRANSLATIONS[key]
    for key in (
        "shell.wanted.grade", "shell.wanted.veto", "shell.wanted.chain", "shell.wanted.segment",
        "shell.wanted.role", "shell.wanted.stage", "shell.wanted.owner", "shell.wanted.region",
        "shell.wanted.text", "shell.wanted.list", "shell.wanted.shortlist", "shell.wanted.sort",
        "shell.wanted.cursor",
    )
}  # fmt: skip
_Query = TypeVar("_Query", bound=BaseModel)


def readable(query: type[_Query], values: Mapping[str, Any]) -> _Query:
    """Return the query of an address, without what can't be read of it, which is ignored.

    ``values`` are texts and lists of texts by name; of a list only the wrong values are left out.
    """
    plain = {name: [*each] if isinstance(each, list) else each for name, each in values.items()}
    while True:
        try:
            return query.model_validate(plain)
        except ValidationError as error:
            mistakes = {mistake["loc"][:2]: mistake for mistake in error.errors(include_url=False)}
        for place, mistake in sorted(mistakes.items(), key=str, reverse=True):
            name, *index = place
            if index and isinstance(plain.get(str(name)), list) and isinstance(index[0], int):
                found = plain[str(name)].pop(index[0])
            else:
                found = plain.pop(str(name))
            wish = _WANTED.get(str(name)) or wanted(mistake)
            ignore(str(name), found if isinstance(found, str) else str(len(found)), wish)


def number_asked(name: str) -> int | None:
    """Return the number under a name of the address; None if there is none, or no number."""
    text = request.args.get(name, "").strip()
    number = whole_number(text)
    if text and number is None:
        ignore(name, text, TRANSLATIONS["shell.a_number"])
    return number


def whole_number(text: str, *, digits: int = 15) -> int | None:
    """Return the number that a text is; None if it is none, or longer than so many digits.

    >>> whole_number("017"), whole_number(""), whole_number("-1"), whole_number("٣")
    (17, None, None, None)
    """
    plain = text.isascii() and text.isdigit() and len(text) <= digits
    return int(text) if plain else None


def remark(too_long: Text) -> str | None:
    """Return the reason that the form gives, None if it gives none."""
    text = request.form.get("reason", "").strip()
    if len(text) > LONGEST_REASON or "\0" in text:
        raise InvalidRequestError(too_long.format(most=LONGEST_REASON))
    return text or None


HOME = "/ranking"
FIRST = "/"
"""Where one arrives: the page of the day."""


def local_path(wanted: str | None) -> str:
    """Return an address of this service, or the first page if it is anything else.

    >>> local_path("/firms/3?x=1"), local_path("//elsewhere.example/"), local_path(None)
    ('/firms/3?x=1', '/', '/')
    """
    if not wanted or len(wanted) > 2_000 or not wanted.startswith("/"):
        return FIRST
    # Browsers read a backslash as a slash, and leave out tabs and line ends.
    if any(letter == "\\" or ord(letter) <= 32 for letter in wanted):
        return FIRST
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return FIRST
    return FIRST if parts.scheme or parts.netloc else wanted


def prepare(app: Flask, dependencies: Dependencies) -> None:
    """Give the templates of an application what they use; a name that isn't given is an error."""
    environment = app.jinja_env
    environment.undefined = StrictUndefined
    environment.trim_blocks = environment.lstrip_blocks = True

    def t(key: str, **places: object) -> str:
        text = TRANSLATIONS[key].pick(dependencies.page_lang())
        return text.format(**places) if places else text

    environment.globals.update(
        t=t, words=TRANSLATIONS, gate_marks=MARKS, asset=assets().address, stages=STAGES,
        milestone_names=MILESTONES,
        firm_roles=CATALOGUE["role"].levels, longest_reason=LONGEST_REASON,
    )  # fmt: skip
    environment.filters.update(
        likelihood=numbers.likelihood,
        share=numbers.share,
        points=partial(numbers.points, decimals=1),  # tenths, since they add up
        span=lambda ends: numbers.interval(*ends),
        count=numbers.count,
        day=lambda value: numbers.day(value, dependencies.page_lang()),
        moment=lambda value: numbers.moment(value, dependencies.page_lang()),
        words=lambda text: text.pick(dependencies.page_lang()),
    )


DUE_SOON = timedelta(days=7)
"""Within which a next step counts as due soon."""

NAVIGATION: tuple[tuple[str, str, Permission], ...] = (
    ("/", "today.title", "read"),
    ("/ranking", "shell.ranking", "read"),
    ("/board", "board.title", "read"),
    ("/chains", "chains.title", "read"),
    ("/report", "report.title", "read"),
    ("/import", "import.link", "record"),
    ("/model", "model.title", "read"),
    ("/administration", "administration.title", "read"),
)
"""Path, key of its words, and what one must be permitted to see it there."""

FIRST_STEPS = "/start"


def steps_done(dependencies: Dependencies) -> FirstSteps:
    """Return which of the first steps the office has done."""
    with dependencies.database.read() as connection:
        return first_steps(connection, named=dependencies.profiles.named)


def _first(
    dependencies: Dependencies, who: Caller | None
) -> tuple[tuple[str, str, Permission], ...]:
    # The way to the first steps, which goes once they are done.
    if not who or not who.may("record") or dependencies.access.demo:
        return ()
    done = steps_done(dependencies).all_done
    return () if done else ((FIRST_STEPS, "start.link", "record"),)


_FLASH_COOKIE = "leadscore_say"


def page(
    dependencies: Dependencies, template: str, *, title: str | Text, status: int = 200,
    **values: Any,
) -> Response:  # fmt: skip
    """Return a page."""
    lang, who = dependencies.page_lang(), current_caller()
    html = render_template(
        template,
        title=title.pick(lang) if isinstance(title, Text) else title,
        lang=lang,
        languages=LANGUAGES,
        theme=theme(),
        here=request.full_path.rstrip("?") if request.method == "GET" else "/",
        caller=who,
        csrf=_csrf(who),
        navigation=[
            (path, key, f"{request.path}/".startswith(f"{path}/"))
            for path, key, permission in (*_first(dependencies, who), *NAVIGATION)
            if who and who.may(permission)
        ],
        demo=dependencies.access.demo,
        learned_from=_learned_from(dependencies) if who else None,
        steps_due=_steps_due(dependencies, who) if who else 0,
        said=_said(dependencies),
        ignored=ignored(),
        form_secrets=lambda: _form_secrets(who),
        **values,
    )
    return Response(html, status)


def go(address: str) -> Response:
    """Return an answer that sends a browser on, with a GET."""
    return Response(status=303, headers={"Location": address})


def done(address: str, *about: object, say: str | None = None, **details: object) -> Answer:
    """Return the answer of a write: go to a page, which shows a message.

    The audit gets the details, and kind and name of what was changed.
    """
    if say is not None:
        say_next(say)
    of = (str(about[0]), str(about[1])) if about else ()
    if by_htmx():  # a script would follow a redirect, and swap the page that it finds there
        return Answer(None, 204, {"HX-Redirect": address}, of, details)
    return Answer(None, 303, {"Location": address}, of, details)


def say_next(key: str) -> None:
    """Let the next page show a message."""

    @after_this_request
    def keep(response: Response) -> Response:
        # The key alone is kept: whoever could set the cookie could show no words but ours.
        response.set_cookie(_FLASH_COOKIE, key, max_age=60, httponly=True, samesite="Lax")
        return response


def _said(dependencies: Dependencies) -> str | None:
    text = TRANSLATIONS.get(request.cookies.get(_FLASH_COOKIE, ""))
    if text is None:
        return None

    @after_this_request
    def forget(response: Response) -> Response:
        response.delete_cookie(_FLASH_COOKIE, httponly=True, samesite="Lax")
        return response

    return text.pick(dependencies.page_lang())


def _csrf(who: Caller | None) -> str | None:
    return csrf_token(who.session) if who and who.session else None


def _form_secrets(who: Caller | None) -> Markup:
    fields = {FIELD: secrets.token_urlsafe(16)}
    token = _csrf(who)
    if token:
        fields[CSRF_FIELD] = token
    return Markup("").join(
        Markup('<input type="hidden" name="{}" value="{}">').format(name, value)
        for name, value in fields.items()
    )


def _learned_from(dependencies: Dependencies) -> int | None:
    try:
        return _outcomes_behind(dependencies.registry, dependencies.scorer().model)
    except LeadscoreError:
        return None


def _steps_due(dependencies: Dependencies, who: Caller) -> int:
    # Beside the way to the board on every page, also where the database is away.
    if not who.may("record"):
        return 0
    try:
        until = dependencies.today() + DUE_SOON
        return count_due(dependencies.database, who.actor, until=until)
    except LeadscoreError:
        return 0


@lru_cache(maxsize=16)
def _outcomes_behind(registry: ModelRegistry, version: str) -> int | None:
    return registry.manifest(version).learned


def preference_routes(_dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/preferences``, which keeps a choice and returns to where it was made."""

    @pages.post("/preferences")
    @requires("public")
    def preferences() -> Response:
        response = go(local_path(request.form.get("next")))
        lang, theme = named_language(request.form.get("lang")), request.form.get("theme")
        if lang:
            remember(response, LANGUAGE_COOKIE, lang)
        if theme in THEMES:
            remember(response, THEME_COOKIE, theme)
        return response


def remember(response: Response, name: str, value: str) -> None:
    """Keep a choice in the browser for a year."""
    year = 365 * 24 * 3600
    response.set_cookie(
        name, value, max_age=year, path="/", secure=request.is_secure, samesite="Lax"
    )


def refused_page(dependencies: Dependencies, status: int, message: Text) -> Response | None:
    """Return how a page answers an error; None if what was asked for is no page."""
    if not _wants_page():
        return None
    if by_htmx():  # pages.js shows the text; htmx is told to swap no error into anything
        text = message.pick(dependencies.page_lang())
        return Response(text, status, mimetype="text/plain")
    if status == 401 and request.path != "/login" and not request.path.startswith("/api/"):
        wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return go(f"/login?{urlencode({'next': wanted})}")
    response = page(dependencies, "refused.html", title=message, status=status, code=status)
    response.headers["Content-Security-Policy"] = POLICY
    return response
