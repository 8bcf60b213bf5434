"""Many firms at once: what is selected stays selected, and each act can be counted and undone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.kept_lists import BLADES, BREAD, NOW, TODAY, code, standings, take_in

from leadscore.store import bulk, shortlists
from leadscore.store.bulk import BulkKind
from leadscore.store.database import Database
from leadscore.store.facets import how_many
from leadscore.store.firms import FIRMS, exclusions_of
from leadscore.store.pursuits import pursuits_of
from leadscore.store.ranking import RankingFilter

LATER = NOW + timedelta(minutes=5)
MADE = [
    {"name": f"第{number}号叶片有限公司", "credit_code": code(number), "main_business": BLADES}
    for number in range(1, 6)
]


@pytest.fixture
def filled(database: Database) -> Database:
    take_in(database, *MADE)
    return database


def selected(database: Database, **asked: Any) -> int:
    with database.write() as connection:
        meant = RankingFilter.of(**asked)
        chosen = bulk.select_firms(connection, meant, owner="li", now=NOW)
        assert chosen == bulk.read_selection(connection, chosen.id, owner="li", now=NOW)
        assert chosen.total == how_many(connection, meant)
        return chosen.id


def act(
    database: Database, kind: BulkKind, selection: int | None = None, **arguments: Any
) -> bulk.BulkAct:
    firms = arguments.pop("firms", ())
    with database.write() as connection:
        return bulk.begin_act(
            connection, kind, arguments, by="li", now=NOW, today=TODAY, selection=selection,
            firms=firms,
        )  # fmt: skip


def undo(database: Database, number: int) -> bulk.BulkAct:
    with database.write() as connection:
        return bulk.undo_act(connection, number, by="li", now=LATER, today=TODAY)


def counts(database: Database, done: bulk.BulkAct) -> Mapping[str | None, int]:
    with database.read() as connection:
        return bulk.counts_of(connection, done.id)


def count(database: Database, **asked: Any) -> int:
    with database.read() as connection:
        return how_many(connection, RankingFilter.of(**asked))


def touch(database: Database, firm: int) -> None:
    with database.write() as connection:
        more = update(FIRMS).where(FIRMS.c.id == firm).values(version=FIRMS.c.version + 1)
        connection.execute(more)


def numbers(database: Database) -> list[int]:
    with database.read() as connection:
        return list(connection.scalars(select(FIRMS.c.id).order_by(FIRMS.c.id)))


def test_firms_that_come_later_are_not_among_the_selected(filled: Database) -> None:
    selection = selected(filled, text="叶片")
    take_in(filled, {"name": "后来的叶片有限公司", "main_business": BLADES})
    assert count(filled, text="叶片") == 6
    assert count(filled, selection=selection) == 5
    done = act(filled, "exclude", selection, reason="moved away")
    assert (done.total, counts(filled, done)) == (5, {"done": 5})
    assert count(filled, veto="no") == 1


def test_a_firm_that_has_changed_meanwhile_is_left_alone_and_told(filled: Database) -> None:
    selection, second = selected(filled), numbers(filled)[1]
    touch(filled, second)
    with filled.read() as connection:
        changed = bulk.selected_of(connection, selection, numbers(filled))
    assert [firm for firm, is_changed in changed.items() if is_changed] == [second]
    done = act(filled, "exclude", selection, reason="moved away")
    assert counts(filled, done) == {"done": 4, "changed": 1}
    with filled.read() as connection:
        (row,) = bulk.firms_of_act(connection, done.id, ["changed"])
        assert row.firm_id == second
    with filled.write() as connection:
        again = bulk.repeat_act(connection, done.id, by="li", now=LATER, today=TODAY)
    assert counts(filled, again) == {"done": 1}
    assert count(filled, veto="no") == 0


def test_what_we_have_changed_ourselves_is_still_as_selected(filled: Database) -> None:
    selection = selected(filled)
    act(filled, "exclude", selection, reason="moved away")
    done = act(filled, "owner", selection, owner="wu")
    assert counts(filled, done) == {"done": 5}


ACTS: dict[BulkKind, dict[str, Any]] = {
    "stage": {"stage": "visited", "day": "2026-11-20"},
    "owner": {"owner": "wu"},
    "exclude": {"reason": "moved away"},
    "include": {},
    "add": {"shortlist": 1},
    "remove": {"shortlist": 1},
}


def state(database: Database) -> list[Any]:
    """Return what acts change of firms."""
    with database.read() as connection:
        firms = numbers(database)
        pursuits = pursuits_of(connection, firms)
        excluded = exclusions_of(connection, firms)
        return [
            (
                standings(database)[made["name"]].stage, standings(database)[made["name"]].veto,
                [pursuit.owner for pursuit in pursuits.get(firm, []) if pursuit.owner],
                excluded.get(firm),
                how_many(connection, RankingFilter.of(shortlist=1, firms=[firm])),
            )
            for firm, made in zip(firms, MADE, strict=True)
        ]  # fmt: skip


@pytest.mark.parametrize("kind", [*ACTS])
def test_an_act_is_done_once_and_undone_as_it_was(filled: Database, kind: BulkKind) -> None:
    with filled.write() as connection:
        shortlists.shortlist_named(connection, "好的", actor="li", now=NOW)
    some = numbers(filled)[:2]
    if kind in ("remove", "include"):
        before = "add" if kind == "remove" else "exclude"
        act(filled, before, firms=some, **ACTS[before])  # type: ignore[arg-type]
    first = state(filled)
    done = act(filled, kind, firms=some, **ACTS[kind])
    assert counts(filled, done) == {"done": 2}
    assert state(filled)[:2] != first[:2]
    assert state(filled)[2:] == first[2:]
    again = act(filled, kind, firms=some, **ACTS[kind])
    assert counts(filled, again) == {"same": 2}
    undone = undo(filled, done.id)
    assert counts(filled, undone) == {"done": 2}
    # Who records the first stage has the firm in hand, also once it is withdrawn.
    for row, was in zip(state(filled), first, strict=True):
        assert row[:2] + row[3:] == was[:2] + was[3:]
        assert row[2] == was[2] or kind == "stage"
    with pytest.raises(bulk.UndoneActError):
        undo(filled, done.id)
    with filled.read() as connection:
        assert bulk.undone_by(connection, done.id) == undone.id
        assert [each.id for each in bulk.acts_on_firm(connection, some[0])][:2] == [
            undone.id, done.id,
        ]  # fmt: skip


def test_an_undoing_leaves_alone_what_others_have_changed_since(filled: Database) -> None:
    some = numbers(filled)[:2]
    done = act(filled, "exclude", firms=some, reason="moved away")
    act(filled, "exclude", firms=some[:1], reason="under investigation")
    assert counts(filled, undo(filled, done.id)) == {"changed": 1, "done": 1}
    with filled.read() as connection:
        assert exclusions_of(connection, some)[some[0]].reason == "under investigation"


@pytest.mark.parametrize(
    ("kind", "arguments", "where"),
    [
        ("stage", {"stage": "lost", "day": "2026-11-20"}, "reason"),
        ("stage", {"stage": "odd", "day": "2026-11-20"}, "stage"),
        ("stage", {"stage": "visited", "day": "2026-11-25"}, "day"),
        ("stage", {"stage": "visited", "day": ""}, "day"),
        ("exclude", {"reason": " "}, "reason"),
    ],
)
def test_what_an_act_lacks_is_said_before_anything_is_done(
    filled: Database, kind: BulkKind, arguments: dict[str, Any], where: str
) -> None:
    with pytest.raises(bulk.BulkActError) as fault:
        act(filled, kind, firms=numbers(filled), **arguments)
    assert fault.value.details[0].where == where
    with filled.read() as connection:
        assert connection.scalar(select(bulk.BULK_ACTS.c.id)) is None


def test_a_firm_that_cant_be_taken_does_not_sink_the_others(filled: Database) -> None:
    first, second, *_ = numbers(filled)
    act(filled, "stage", firms=[first], stage="visited", day="2026-11-20")
    with filled.write() as connection, pytest.raises(bulk.UnknownFirmError):
        bulk.begin_act(
            connection, "owner", {"owner": "wu"}, by="li", now=NOW, today=TODAY,
            firms=[second, 999],
        )  # fmt: skip
    done = act(filled, "stage", firms=[first, second], stage="visited", day="2026-11-20")
    assert counts(filled, done) == {"same": 1, "done": 1}


def test_many_are_done_by_a_job_portion_by_portion(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PORTION", 2)
    done = act(filled, "exclude", selected(filled), reason="moved away")
    assert done.job_id is not None
    assert counts(filled, done) == {None: 5}
    portions = []
    for _ in range(4):
        with filled.write() as connection:
            portions.append(bulk.go_on(connection, done.id, now=LATER, today=TODAY))
    assert portions == [{"done": 2}, {"done": 2}, {"done": 1}, None]
    with filled.read() as connection:
        assert bulk.read_act(connection, done.id).ended_at == LATER


def test_a_selection_is_somebodys_and_ends(filled: Database) -> None:
    selection = selected(filled)
    with filled.read() as connection:
        for owner, now in (("wu", NOW), ("li", NOW + bulk.KEPT + timedelta(seconds=1))):
            with pytest.raises(bulk.UnknownSelectionError):
                bulk.read_selection(connection, selection, owner=owner, now=now)
        with pytest.raises(bulk.BulkActError):
            bulk.select_firms(connection, RankingFilter.of(text=BREAD), owner="li", now=NOW)
    for _ in range(25):
        selected(filled)
    with filled.read() as connection:
        kept = connection.scalars(select(shortlists.SELECTIONS.c.id)).all()
        members = connection.scalars(select(shortlists.SELECTION_FIRMS.c.selection_id)).all()
    assert len(kept) == 20
    assert {*members} == {*kept}
