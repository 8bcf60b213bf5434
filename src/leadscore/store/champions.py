"""Who serves a city, who served before, and going back: rows that are only ever added."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.errors import ModelError
from leadscore.registry.models import ModelRegistry, is_expert, log_notice
from leadscore.store.database import APPEND_ONLY, METADATA, columns_of, insert_rows, take_turns
from leadscore.text import Text, room_words

WORDS = room_words("store")

Act = Literal["expert", "trained", "by_hand", "rolled_back", "profile"]
"""How a version came to serve: by retraining, by a person, or by going back. Homes of earlier
programs also tell of the expert model, and of a champion's card under a changed profile."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """One change of champion: what serves from then on, who wanted it and why.

    The version names a card: under another supply than it was trained with, it serves by a version
    of its own, see `leadscore.learning.expert.under_supply`. An expert model stands for the expert
    card as the profile has it.
    """

    city: Annotated[str, {"primary_key": True}]
    number: Annotated[int, {"primary_key": True, "autoincrement": False}]  # in the city, from 1
    version: str
    act: Act
    reason: str | None
    by: str
    at: datetime


CHAMPIONS = sa.Table("champions", METADATA, *columns_of(Promotion), info=APPEND_ONLY)


def history(connection: Connection, city_id: str) -> list[Promotion]:
    """Return every change of a city's champion, the oldest first."""
    query = sa.select(CHAMPIONS).where(CHAMPIONS.c.city == city_id).order_by(CHAMPIONS.c.number)
    return [Promotion(*row) for row in connection.execute(query)]


def champion_line(connection: Connection, city_id: str) -> list[str]:
    """Return the champion and, one after another, those to go back to; sound or not.

    Where no model was ever promoted it is empty: the expert model serves.
    """
    return line_of(history(connection, city_id))


def add_promotions(connection: Connection, promotions: Iterable[Promotion]) -> None:
    """Add changes of champions, as they were made or taken over."""
    columns = CHAMPIONS.c.keys()
    rows = [{name: getattr(each, name) for name in columns} for each in promotions]
    insert_rows(connection, CHAMPIONS, rows)


def promote(
    connection: Connection, registry: ModelRegistry, city_id: str, version: str, *, act: Act,
    by: str, now: datetime, reason: str | None = None,
) -> bool:  # fmt: skip
    """Let a version serve a city from now on, and tell whether that is a change.

    The reason is kept. A person (``"by_hand"``) needs one to overrule gates that failed, or at
    which nothing could be measured, each time. A ModelError without it, if the version can't be
    used, or is one of another city.
    """
    take_turns(connection, CHAMPIONS)
    manifest = registry.manifest(version)
    if manifest.city.id != city_id:
        places = {"version": version, "owner": manifest.city.id, "city": city_id}
        raise ModelError(WORDS["champions.other_city"].format(**places))
    before = history(connection, city_id)
    if line_of(before)[:1] == [version]:
        return False
    given = _in_one_line(reason or "")
    decision = manifest.decision
    if act == "by_hand" and decision and decision.unpassed and not given:
        sentences = [gate.sentence for gate in decision.unpassed]
        zh, en = "".join(s.zh for s in sentences), " ".join(s.en for s in sentences)
        gates = Text(zh=zh, en=en)
        message = WORDS["champions.needs_reason"].format(version=version, gates=gates)
        raise ModelError(message)
    number = before[-1].number + 1 if before else 1
    promotion = Promotion(city_id, number, version, act, given or None, by, now)
    add_promotions(connection, [promotion])
    return True


def _in_one_line(reason: str) -> str:
    r"""Return what a person wrote without what a terminal might obey.

    >>> _in_one_line("the fair\n was\x1b[2J late ")
    'the fair was[2J late'
    """
    return " ".join("".join(c for c in reason if c.isprintable() or c.isspace()).split())


def roll_back(
    connection: Connection, registry: ModelRegistry, city_id: str, *, by: str, now: datetime,
    expert: Callable[[], str], reason: str | None = None,
    notify: Callable[[Text], object] = log_notice,
) -> str:  # fmt: skip
    """Let the champion before the present one serve again, and return it.

    Twice goes back twice. One that can't be used is passed over, and ``notify`` told. ``expert``
    builds the expert model and returns its version: it goes before a trained champion where nothing
    else does. A ModelError if there is nothing to go back to.
    """
    take_turns(connection, CHAMPIONS)
    served = champion_line(connection, city_id)
    if served:
        registry.check_key(served[0])
    again = partial(
        promote, connection, registry, city_id, act="rolled_back", by=by, now=now, reason=reason
    )
    for version in served[1:]:
        try:
            again(version)
        except ModelError as fault:
            why = Text(zh=fault.render("zh"), en=fault.render("en"))
            notify(WORDS["champions.passed_over"].format(version=version, reason=why))
        else:
            return version
    if not served or is_expert(city_id, served[0]):
        raise ModelError(WORDS["champions.nothing_before"].format(city=city_id))
    version = expert()
    again(version)
    return version


def line_of(promotions: Iterable[Promotion]) -> list[str]:
    """Return the champion that a history leaves, and one after another those to go back to."""
    # Each lies on the one to go back to. Going back takes champions off, so that going back twice
    # leads further back. An expert model takes the place of an older one, which belongs to a
    # profile or a program that is gone; so did, once, a champion under a changed profile.
    stack: list[str] = []
    for step in promotions:
        if step.act == "rolled_back":
            while stack and stack[-1] != step.version:
                stack.pop()
        elif stack and (
            step.act == "profile"
            or (is_expert(step.city, stack[-1]) and is_expert(step.city, step.version))
        ):
            stack.pop()
        if stack[-1:] != [step.version]:
            stack.append(step.version)
    return stack[::-1]
