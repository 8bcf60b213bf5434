"""What there is to fill in: workbooks of a list and of a ledger, and the profile of a city."""

from __future__ import annotations

from functools import partial
from typing import Literal

from flask import Blueprint, Response

from leadscore.files import shipped
from leadscore.lists.templates import write_template
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.routes.payloads import XLSX, file_answer, written_file


def template_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add three files under ``/templates``; the workbooks are in the language of the pages."""

    def answer(kind: Literal["list", "ledger"]) -> Response:
        lang = dependencies.page_lang()
        write = partial(write_template, kind, lang=lang)
        return file_answer(written_file(write, ".xlsx"), f"leadscore-{kind}-{lang}.xlsx", XLSX)

    @pages.get("/templates/list.xlsx")
    @requires("read")
    def list_template() -> Response:
        return answer("list")

    @pages.get("/templates/ledger.xlsx")
    @requires("read")
    def ledger_template() -> Response:
        return answer("ledger")

    @pages.get("/templates/city.toml")
    @requires("read")
    def city_template() -> Response:
        content = shipped("templates", "city.toml").read_bytes()
        return file_answer([content], "leadscore-city.toml", "application/toml")
