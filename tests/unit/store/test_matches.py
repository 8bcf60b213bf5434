"""What is kept beside a score says what the score says: matches, profile, and what it rests on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from tests.kept_lists import BLADES, NOW, TODAY, lakeport, scorer, take_in

from leadscore.store.acts import enter_outcome
from leadscore.store.current_ranking import FIRM_SEGMENTS, SCORES
from leadscore.store.database import Database
from leadscore.store.facets import candidates, firms_here, nearest
from leadscore.store.firms import FIRMS, field_record, known_firm
from leadscore.store.scoring import keep_asked, rescore

TWO = {"name": "甲有限公司", "main_business": "风电叶片的研发、生产和销售；医学影像设备的贸易"}


def kept(database: Database) -> dict[int, list[tuple[Any, ...]]]:
    """Return the matches of each firm as they are kept, the strongest first."""
    matches: dict[int, list[tuple[Any, ...]]] = {}
    query = select(FIRM_SEGMENTS).order_by(FIRM_SEGMENTS.c.segment)
    with database.read() as connection:
        for firm, *match in connection.execute(query):
            matches.setdefault(firm, []).append(tuple(match))
    return matches


def scored(database: Database) -> dict[int, list[tuple[Any, ...]]]:
    """Return the matches of each firm as a score of what is known of it has them."""
    with database.read() as connection:
        rows = connection.execute(select(FIRMS.c.id, FIRMS.c.record)).all()
    scores = scorer().score([known_firm(row.record) for row in rows], as_of=TODAY)
    return {
        row.id: sorted(
            (m.segment, m.segment.partition(".")[0], m.role, m.use, m.strength, m.fit, priority)
            for m, priority in scorer().in_gaps(score)
        )
        for row, score in zip(rows, scores, strict=True)
        if scorer().in_gaps(score)
    }


def test_every_match_of_a_list_is_kept_as_its_score_has_it(database: Database) -> None:
    two = {"name": "乙有限公司", "main_business": "风电叶片、风电塔筒的研发、生产"}
    take_in(database, TWO, two, {"name": "丙有限公司", "main_business": BLADES})
    assert kept(database) == scored(database)
    assert len(kept(database)) > 1
    assert max(map(len, kept(database).values())) > 1
    with database.read() as connection:
        rows = connection.execute(select(SCORES.c.segments, SCORES.c.firm_id)).all()
    for row in rows:
        named = {each.partition(":")[0] for each in (row.segments or "").split(";") if each}
        assert named >= {match[0] for match in kept(database).get(row.firm_id, [])}


def test_a_score_names_its_profile_and_the_digest_of_what_it_rests_on(database: Database) -> None:
    take_in(database, TWO, {"name": "乙有限公司", "founded_on": "2016-11-01", "staff": 5})
    query = select(SCORES.c.profile, SCORES.c.facts, FIRMS.c.record)
    query = query.join_from(SCORES, FIRMS, FIRMS.c.id == SCORES.c.firm_id)
    with database.read() as connection:
        rows = connection.execute(query).all()
    assert len(rows) == 2
    for row in rows:
        assert row.profile == lakeport().digest
        assert row.facts == field_record(known_firm(row.record))[0]


def test_matches_are_replaced_when_a_firm_is_scored_anew(database: Database) -> None:
    take_in(database, TWO)
    before = kept(database)
    assert before == scored(database)
    take_in(database, TWO | {"main_business": "面包、糕点的生产和销售"})
    assert kept(database) == scored(database) != before
    with database.write() as connection:
        keep_asked(connection, [TWO], scorer=scorer(), today=TODAY, now=NOW)
    assert kept(database) == scored(database) == before
    rescore(database, scorer=scorer("m2"), today=TODAY, clock=lambda: NOW)
    assert kept(database) == before


def test_an_outcome_leaves_the_matches_as_they_are(database: Database) -> None:
    take_in(database, TWO)
    before = kept(database)
    with database.write() as connection:
        enter_outcome(
            connection, 1, stage="visited", day=TODAY, reason=None, withdrawn=False,
            actor="li.na", now=NOW, today=TODAY,
        )  # fmt: skip
    assert kept(database) == before


def test_who_is_here_is_listed_with_the_segments_it_works_in(database: Database) -> None:
    take_in(database, TWO | {"stage": "投产"}, {"name": "乙有限公司", "main_business": BLADES})
    with database.read() as connection:
        (here,) = firms_here(connection)
        assert candidates(connection, ["wind.blade"])["wind.blade"].number == 1
    assert (here.name, here.stage, here.segments) == ("甲有限公司", "producing", ("wind.blade",))
    assert lakeport().beside(here.segments) == lakeport().beside(["wind.blade", "nowhere"]) != ()
    assert "wind.blade" not in lakeport().beside(here.segments)


def test_who_comes_nearest_to_a_segment_that_nobody_works_in(database: Database) -> None:
    weak = TWO | {"main_business": "面包的生产和销售；风电叶片、面粉、糕点、饼干、糖果、饮料的贸易"}
    take_in(database, weak, {"name": "乙有限公司", "main_business": BLADES})
    with database.read() as connection:
        assert nearest(connection, []) == {}
        near = nearest(connection, ["wind.blade", "wind.tower"])
    assert near["wind.tower"] == []
    assert [firm.name for firm in near["wind.blade"]] == ["乙有限公司", "甲有限公司"]
    assert near["wind.blade"][0].strength > near["wind.blade"][1].strength > 0
