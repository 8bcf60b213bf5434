"""The routes by which firms are mended: added, merged and split again, hidden and shown again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from leadscore.errors import Detail
from leadscore.lists.cleaning import clean_records
from leadscore.lists.columns import column
from leadscore.store.firms import Firm, read_firm
from leadscore.store.merging import hidden_firms, hide, merge, show, split
from leadscore.store.scoring import keep_asked
from leadscore.text import room_words
from leadscore.web.api import Dependencies
from leadscore.web.auth import requires
from leadscore.web.errors import InvalidRequestError, invalid
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.openapi import Payload, api_blueprint, example, longest
from leadscore.web.routes.firms import (
    AS_SEEN,
    FirmAnswer,
    changed_firm,
    matched_version,
)
from leadscore.web.routes.payloads import (
    BODY,
    CHANGES,
    QUERY,
    WRITES,
    LangQuery,
    Moment,
    Number,
    NumberPath,
    Words,
    documented,
    moment,
)

WORDS = room_words("web")

ADDED = (
    "name", "credit_code", "former_names", "province", "city", "main_business", "industry",
    "registered_capital_cny", "staff", "revenue_cny", "founded_on", "status", "titles",
    "listed_on", "patents", "event", "referred_by",
)  # fmt: skip
"""The columns that a firm added by hand may have, in the order of the form."""


def added_firm(
    dependencies: Dependencies, act: Act, fields: Mapping[str, object]
) -> tuple[Firm, bool]:
    """Add a firm, score it, and return it, and whether it is new rather than one of the store.

    Each value is read as the cell of a list; one that can't be read refuses the whole.
    """
    today = dependencies.today()
    for name, value in fields.items():
        if len(str(value)) > longest(column(name)):
            raise invalid(name, str(value)[:80], WORDS["mending.shorter"])
    (read,) = clean_records([fields], today=today)
    if not read.firm or read.problems:
        details = [
            Detail(problem.column or "name", problem.found, problem.wanted)
            for problem in read.problems
        ] or [Detail("name", "∅", WORDS["mending.a_name"])]
        raise InvalidRequestError(WORDS["mending.unread"].format(wanted=details[0].wanted), details)
    (number,) = keep_asked(
        act.connection, [dict(fields)], scorer=dependencies.scorer(), today=today, now=act.now,
        by=act.actor,
    )  # fmt: skip
    firm = read_firm(act.connection, number)
    return firm, firm.version == 1


class NewFirm(BaseModel):
    """A firm that no list names, in canonical columns, as a cell would say them."""

    model_config = example(
        {"fields": {"name": "甲公司", "main_business": "风电叶片", "staff": "80"}}
    )

    fields: Annotated[dict[str, str | float], Field(
        min_length=1, max_length=len(ADDED), description="By column: " + ", ".join(ADDED) + ".",
    )]  # fmt: skip


class AddedFirm(Payload):
    """The firm, and whether it is a new one."""

    firm: FirmAnswer
    new: bool = Field(description="False if the store knew it, by its code or its name.")


class NewMerge(BaseModel):
    """Into which firm, and why."""

    model_config = example({"into": 12, "into_version": 3, "reason": "The same firm, renamed."})

    into: Number
    into_version: int = Field(ge=1, description="Of that firm as it was looked at.")
    reason: Words


class NewSplit(BaseModel):
    """Which merge is to be undone."""

    model_config = example({"merge": 4})

    merge: Number


class NewHiding(BaseModel):
    """Why the firm is to stand in no ranking."""

    model_config = example({"reason": "A branch office, no firm of its own."})

    reason: Words


class HiddenAnswer(Payload):
    """A hidden firm."""

    id: int
    name: str
    reason: str
    by: str
    at: Moment


class HiddenQuery(BaseModel):
    """Which of them, by their numbers."""

    model_config = QUERY

    after: int = Field(default=0, ge=0, le=2**53, description="`next` of the page before.")
    limit: int = Field(default=100, ge=1, le=500)
    lang: LangQuery = None


class HiddenFirms(Payload):
    """Some hidden firms."""

    firms: list[HiddenAnswer]
    next: int | None = Field(description="`after` of the next page.")


def mending_routes(dependencies: Dependencies) -> APIBlueprint:
    """Return what is mended under ``/api/v1/firms``."""
    api = api_blueprint("mending", "企业 Firms", tag="firms")

    @api.post("/firms", **documented("addFirm", AddedFirm, *BODY, status=201, more=WRITES))
    @requires("record")
    @written(dependencies.access, "firm.add")
    def add(act: Act, body: NewFirm) -> Answer:
        for name, value in body.fields.items():
            if name not in ADDED:
                raise invalid(name, str(value), WORDS["mending.a_column"])
        firm, is_new = added_firm(dependencies, act, body.fields)
        shown = changed_firm(dependencies, act, firm, new=is_new)
        return Answer(
            {"firm": shown.body, "new": is_new}, 201, shown.headers, shown.about, shown.details
        )

    @api.get("/firms/hidden", **documented("hiddenFirms", HiddenFirms))
    @requires("read")
    def hidden(query: HiddenQuery) -> Response:
        with dependencies.database.read() as connection:
            firms = hidden_firms(connection, after=query.after, limit=query.limit + 1)
        shown = firms[: query.limit]
        return jsonify(
            firms=[
                {"id": firm.id, "name": firm.name, "reason": firm.hiding.reason,
                 "by": firm.hiding.by, "at": moment(firm.hiding.at)}
                for firm in shown
            ],
            next=shown[-1].id if len(firms) > len(shown) else None,
        )  # fmt: skip

    @api.post("/firms/<int:id>/merge", **documented(
        "mergeFirm", FirmAnswer, *BODY, 404, 409, 412, 428, more=CHANGES, links=AS_SEEN,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.merge")
    def merge_firm(act: Act, path: NumberPath, body: NewMerge) -> Answer:
        version = matched_version(act.connection, path.id)
        firm = merge(
            act.connection, path.id, body.into, body.reason, version=version,
            into_version=body.into_version, scorer=dependencies.scorer(), actor=act.actor,
            now=act.now, today=dependencies.today(),
        )  # fmt: skip
        return changed_firm(dependencies, act, firm, merged=path.id)

    @api.post("/firms/<int:id>/split", **documented(
        "splitFirm", FirmAnswer, *BODY, 404, 409, 412, 428, more=CHANGES, links=AS_SEEN,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.split")
    def split_firm(act: Act, path: NumberPath, body: NewSplit) -> Answer:
        version = matched_version(act.connection, path.id)
        stayed, again = split(
            act.connection, body.merge, version=version, scorer=dependencies.scorer(),
            actor=act.actor, now=act.now, today=dependencies.today(),
        )  # fmt: skip
        return changed_firm(dependencies, act, stayed, split=again.id)

    @api.put("/firms/<int:id>/hidden", **documented(
        "hideFirm", FirmAnswer, *BODY, 404, 409, 412, 428, more=CHANGES, links=AS_SEEN,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.hide")
    def hide_firm(act: Act, path: NumberPath, body: NewHiding) -> Answer:
        firm = hide(
            act.connection, path.id, body.reason, version=matched_version(act.connection, path.id),
            scorer=dependencies.scorer(), actor=act.actor, now=act.now,
            today=dependencies.today(),
        )  # fmt: skip
        return changed_firm(dependencies, act, firm)

    @api.delete("/firms/<int:id>/hidden", **documented(
        "showFirm", FirmAnswer, 404, 409, 412, 428, more=CHANGES, links=AS_SEEN,
    ))  # fmt: skip
    @requires("record")
    @written(dependencies.access, "firm.show")
    def show_firm(act: Act, path: NumberPath) -> Answer:
        firm = show(
            act.connection, path.id, version=matched_version(act.connection, path.id),
            scorer=dependencies.scorer(), now=act.now, today=dependencies.today(),
        )  # fmt: skip
        return changed_firm(dependencies, act, firm)

    return api
