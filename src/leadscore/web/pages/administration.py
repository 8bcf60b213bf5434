"""Administration: users, keys, the audit, jobs and the profile, each on a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from leadscore.web.access.permissions import requires
from leadscore.web.pages import shell
from leadscore.web.pages.administration_audit import audit_pages
from leadscore.web.pages.administration_city import city_pages
from leadscore.web.pages.administration_frame import address, places
from leadscore.web.pages.administration_jobs import job_pages
from leadscore.web.pages.administration_keys import key_pages
from leadscore.web.pages.administration_users import user_pages

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site


def administration_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/administration``, which leads to the first of its pages that one may see."""

    @pages.get("/administration")
    @requires("read")
    def administration() -> Response:
        return shell.go(address(places()[0]))

    for add in (user_pages, key_pages, audit_pages, job_pages, city_pages):
        add(site, pages)
