"""The board by stage: a firm is moved by drag or by a form, which records its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from sqlalchemy import Connection, select

from leadscore.lists.values.words import STAGES
from leadscore.store import board
from leadscore.store.board import BoardFilter
from leadscore.store.current_ranking import STANDINGS
from leadscore.store.firms import read_firm
from leadscore.store.outcomes import outcomes_of
from leadscore.store.ranking import veto_of
from leadscore.text import Lang
from leadscore.web.api import Dependencies
from leadscore.web.auth import caller, requires
from leadscore.web.errors import InvalidRequestError, store_refusals
from leadscore.web.idempotent import Act, Answer, written
from leadscore.web.pages import shell
from leadscore.web.pages.firm import (
    enter_given,
    entries_of,
    given_day,
    given_stage,
    segment_names,
    undo_last,
)
from leadscore.web.pages.shell import DUE_SOON, TRANSLATIONS, local_path, remark, whole_number

_FILTERS = ("owner", "chain", "segment", "overdue")


def board_pages(dependencies: Dependencies, pages: Blueprint) -> None:
    """Add ``/board``, the form by which a firm is moved there, and what that does."""

    @pages.get("/board")
    @requires("read")
    def show_board() -> Response:
        asked, today, lang = _asked(), dependencies.today(), dependencies.page_lang()
        city = dependencies.scorer().city
        with store_refusals(), dependencies.database.read() as connection:
            counts = board.count_columns(connection, asked, today=today)
            columns = [
                _column(connection, stage, asked, counts.get(stage), today, lang)
                for stage in STAGES
            ]
            named, moved = board.owners(connection), _moved(connection)
        return shell.page(
            dependencies, "board.html", title=TRANSLATIONS["board.title"], columns=columns,
            asked=asked, filtered=asked != BoardFilter(), today=today, moved=moved,
            back=_address(asked), owners=sorted({*named, *filter(None, [_person(asked.owner)])}),
            chains=city.chains, segment_names=segment_names(city, lang), soon=today + DUE_SOON,
            total=sum(count.firms for count in counts.values()), me=caller().actor,
        )  # fmt: skip

    @pages.get("/board/column")
    @requires("read")
    def more_cards() -> Response:
        asked, today, lang = _asked(), dependencies.today(), dependencies.page_lang()
        stage, start = request.args.get("stage", ""), shell.number_asked("start") or 0
        if stage not in STAGES:
            wanted = TRANSLATIONS["shell.one_of"].format(values=", ".join(STAGES))
            shell.ignore("stage", stage, wanted)
            stage = next(iter(STAGES))
        with store_refusals(), dependencies.database.read() as connection:
            counts = board.count_columns(connection, asked, today=today)
            column = _column(
                connection, stage, asked, counts.get(stage), today, lang, start=min(start, 10**6)
            )
        city = dependencies.scorer().city
        return shell.page(
            dependencies, "board_column.html", title=STAGES[stage], column=column, asked=asked,
            back=_address(asked), today=today, segment_names=segment_names(city, lang),
            soon=today + DUE_SOON,
        )  # fmt: skip

    @pages.get("/board/move")
    @requires("record")
    def move_form() -> Response:
        number = whole_number(request.args.get("firm", "")) or 0
        chosen = request.args.get("stage", "")
        with store_refusals(), dependencies.database.read() as connection:
            firm = read_firm(connection, number)
            now = connection.scalar(select(STANDINGS.c.stage).where(STANDINGS.c.firm_id == firm.id))
        return shell.page(
            dependencies, "board_move.html",
            title=TRANSLATIONS["board.move_firm"].format(name=firm.name), firm=firm, stage_now=now,
            chosen=chosen if chosen in STAGES else _following(now), today=dependencies.today(),
            back=local_path(request.args.get("next") or "/board"),
        )  # fmt: skip

    @pages.post("/board/move")
    @requires("record")
    @written(dependencies.access, "outcome.add")
    def move(act: Act) -> Answer:
        number = whole_number(request.form.get("firm", "")) or 0
        before = entries_of(act, number)
        stage, day = given_stage(), given_day(dependencies.today())
        reason = remark(TRANSLATIONS["firm.acts.long_reason"])
        if stage == "lost" and reason is None:
            raise InvalidRequestError(TRANSLATIONS["board.why_lost"])
        entry = enter_given(dependencies, act, number, stage, day, reason)
        if entry in before:
            return _back(number, "firm.acts.stood_already", stage=stage)
        return _back(number, None, entry.entry, stage=stage)

    @pages.post("/board/undo")
    @requires("record")
    @written(dependencies.access, "outcome.add")
    def undo_move(act: Act) -> Answer:
        number = whole_number(request.form.get("firm", "")) or 0
        entry = undo_last(dependencies, act, number)
        return _back(number, "firm.acts.undone", stage=entry.stage, withdrawn=entry.withdrawn)


def _following(stage: str | None) -> str:
    # Where most firms go next: the stage after this one, as long as they go on.
    stages: list[str] = list(STAGES)
    if stage not in stages[: stages.index("producing")]:
        return stage or "contacted"
    return stages[stages.index(stage) + 1]


def _asked() -> BoardFilter:
    given = {name: request.args.get(name, "").strip()[:100] for name in _FILTERS}
    plain = {name: text.replace("\0", "") or None for name, text in given.items()}
    return BoardFilter(
        plain["owner"], plain["chain"], plain["segment"], overdue=plain["overdue"] is not None
    )


def _person(owner: str | None) -> str | None:
    return None if owner == "none" else owner


def _values(asked: BoardFilter) -> dict[str, str]:
    values = {name: getattr(asked, name) for name in ("owner", "chain", "segment")}
    return {name: value for name, value in values.items() if value} | (
        {"overdue": "yes"} if asked.overdue else {}
    )


def _address(asked: BoardFilter, path: str = "/board", **more: object) -> str:
    values = {**_values(asked), **more}
    return f"{path}?{urlencode(values)}" if values else path


def _column(
    connection: Connection, stage: str, asked: BoardFilter, count: board.ColumnCount | None,
    today: date, lang: Lang, *, start: int = 0,
) -> dict[str, Any]:  # fmt: skip
    rows: Sequence[Mapping[str, Any]] = []
    if count:
        rows = [
            {**row, "veto_text": veto_of(row, lang)}
            for row in board.column_cards(connection, stage, asked, today=today, start=start)
        ]
    firms, end = count.firms if count else 0, start + len(rows)
    return {
        "stage": stage, "firms": firms, "overdue": count.overdue if count else 0, "cards": rows,
        "more": _address(asked, "/board/column", stage=stage, start=end)
        if rows and end < firms else None,
    }  # fmt: skip


def _moved(connection: Connection) -> dict[str, Any] | None:
    # What was just recorded, as the address names it; it can be taken back while nothing followed.
    number, entered = (whole_number(request.args.get(name, "")) for name in ("moved", "entry"))
    if number is None or entered is None:
        return None
    firm = read_firm(connection, number)
    newest = max(
        outcomes_of(connection, [firm]).get(number, []), key=lambda one: one.entry, default=None
    )
    if newest is None or newest.entry != entered:
        return None
    return {"firm": firm, "entry": newest}


def _back(
    firm_id: int, say: str | None, entry: int | None = None, **details: object
) -> Answer:  # fmt: skip
    back = local_path(request.form.get("next") or "/board")
    if entry is not None:
        joint = "&" if "?" in back else "?"
        back += f"{joint}{urlencode({'moved': firm_id, 'entry': entry})}"
    return shell.done(back, "firm", firm_id, say=say, **details)
