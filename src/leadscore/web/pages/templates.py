"""The workbooks to fill in, and to hand in at an import: a list and a ledger."""

from __future__ import annotations

from functools import partial
from typing import Literal

from flask import Blueprint, Response

from leadscore.lists.templates import write_template
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.routes.payloads import XLSX, file_answer, written_file


def template_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/templates/list.xlsx`` and ``/templates/ledger.xlsx``, in the language of the pages."""

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
