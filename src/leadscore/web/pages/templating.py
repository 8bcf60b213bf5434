"""What every template may use: words in the page's language, numbers, addresses of files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from flask import Flask
from jinja2 import StrictUndefined

from leadscore.web.pages import numbers
from leadscore.web.pages.site import Site


def prepare(app: Flask, site: Site) -> None:
    """Give the templates of an application what they use; a name that isn't given is an error."""
    environment = app.jinja_env
    environment.undefined = StrictUndefined
    environment.trim_blocks = environment.lstrip_blocks = True

    def t(key: str, **places: object) -> str:
        text = site.words[key].pick(site.lang())
        return text.format(**places) if places else text

    environment.globals.update(t=t, asset=site.assets.address)
    environment.filters.update(
        likelihood=numbers.likelihood,
        share=numbers.share,
        points=numbers.points,
        span=lambda ends: numbers.span(*ends),
        count=lambda value: numbers.count(value, site.lang()),
        day=_day_in(site),
    )


def _day_in(site: Site) -> Callable[[date | datetime | str], str]:
    def shown(value: date | datetime | str) -> str:
        return numbers.day(value, site.lang())

    return shown
