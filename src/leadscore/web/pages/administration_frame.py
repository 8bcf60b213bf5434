"""What the pages of the administration share: the way from one to the other, and their forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from flask import Response, request
from pydantic import BaseModel, Field, ValidationError

from leadscore.language import Text
from leadscore.web.access.callers import caller
from leadscore.web.access.permissions import Permission
from leadscore.web.idempotent import Answer
from leadscore.web.mistakes import plain_mistakes
from leadscore.web.pages import shell
from leadscore.web.pages.form_fields import whole_number
from leadscore.web.store_refusals import UnacceptableError

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site

_PARTS: tuple[tuple[str, Permission], ...] = (
    ("users", "administer"),
    ("keys", "administer"),
    ("audit", "audit"),
    ("jobs", "read"),
    ("city", "read"),
)
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^\w[\w.@-]*$")]
"""What a form takes for the name of a user or a key."""
_Form = TypeVar("_Form", bound=BaseModel)


def places() -> list[str]:
    """Return the pages that the caller may see."""
    found = caller()
    return [name for name, permission in _PARTS if found.may(permission)]


def address(place: str) -> str:
    """Return the address of one of the pages."""
    return f"/administration/{place}"


def framed(site: Site, place: str, **values: Any) -> Response:
    """Return a page of the administration; ``values`` are what its template uses."""
    return shell.page(
        site, f"administration_{place}.html",
        title=site.words["administration.title"].pick(site.lang()),
        place=place, places=places(), **values,
    )  # fmt: skip


def shown_once(
    site: Site, place: str, keys: tuple[str, str], name: str, secret: str, **answer: Any
) -> Answer:
    """Return the answer of a write that gives a secret: a page that shows it, and never again.

    Parameters
    ----------
    site
        What the page stands on.
    place
        The page to go back to.
    keys
        Of the words that say what it is, naming ``{name}``, and of those that say what to do.
    name
        Whose it is.
    secret
        What is shown.
    answer
        What else `leadscore.web.idempotent.Answer` takes, such as ``about``.
    """
    lang = site.lang()
    heading, says = (site.words[key].pick(lang) for key in keys)
    page = shell.page(
        site, "administration_secret.html", title=heading.format(name=name), says=says,
        secret=secret, back=address(place),
    )  # fmt: skip
    again = Answer(status=303, headers={"Location": f"{address(place)}?again=yes"})
    return Answer(page.get_data(as_text=True), again=again, **answer)


def read_form(site: Site, kind: type[_Form]) -> _Form:
    """Return the fields of the form.

    Raises
    ------
    UnacceptableError
        Saying of every field what it holds, and what it should.
    """
    given = {name: request.form.get(name, "") for name in kind.model_fields}
    try:
        return kind.model_validate_strings({k: v for k, v in given.items() if v != ""})
    except ValidationError as fault:
        details = plain_mistakes(fault).details
        said = Text(
            zh="；".join(f"{each.where}：{each.wanted.zh}" for each in details),
            en="; ".join(f"{each.where}: {each.wanted.en}" for each in details),
        )
        message = site.words["administration.wrong"].format(places=said)
        raise UnacceptableError(message, details) from fault


def asked_number(site: Site, name: str) -> int | None:
    """Return a number of the address, or None if it isn't there.

    Raises
    ------
    UnacceptableError
        If it is none.
    """
    asked = request.args.get(name, "")
    if not asked:
        return None
    number = whole_number(asked)
    if number is None:
        raise UnacceptableError(site.words["administration.place_wrong"])
    return number
