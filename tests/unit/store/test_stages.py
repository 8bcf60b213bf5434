"""How far a firm has come follows from its outcomes, whichever way they came in."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from tests.kept_lists import BLADES, NOW, TODAY, code, firms, scorer, standings, take_in

from leadscore.store.acts import BadOutcomeError, enter_outcome, exclude
from leadscore.store.corrections import correct
from leadscore.store.current_ranking import refresh, veto_now
from leadscore.store.database import Database
from leadscore.store.firms import ChangedFirmError, UnknownFirmError
from leadscore.store.outcomes import append_entries, firms_with_outcomes


def from_file(database: Database, **fields: Any) -> None:
    entry = {"credit_code": None, "name": None, "former_names": None, "stage": "visited",
             "day": TODAY, "reason": None, "withdrawn": False, "sheet": None, "row": 2,
             "file": "f" * 64}  # fmt: skip
    with database.write() as connection:
        append_entries(connection, [entry | fields], source="跟进.csv", actor="cli", now=NOW)
        refresh(connection, firms_with_outcomes(connection), now=NOW)


def stages(database: Database) -> dict[str, tuple[str | None, str | None]]:
    return {name[0]: (row.stage, row.veto) for name, row in standings(database).items()}


def test_outcomes_of_a_file_belong_to_the_firm_of_their_code_or_name(database: Database) -> None:
    take_in(database, {"name": "甲有限公司", "credit_code": code(1)}, {"name": "乙有限公司"},
            {"name": "丙有限公司", "credit_code": code(3), "stage": "洽谈"})  # fmt: skip
    from_file(database, credit_code=code(1), name="另一个名称")
    from_file(database, name="乙 有限责任公司", stage="contacted")
    from_file(database, credit_code=code(3), stage="lost", day=TODAY - timedelta(days=3))
    from_file(database, credit_code=code(9))
    assert stages(database) == {
        "甲": ("visited", None), "乙": ("contacted", None), "丙": ("lost", "resting")
    }  # fmt: skip
    assert [firm.version > 1 for firm in firms(database)] == [True, True, True]
    from_file(database, credit_code=code(1), withdrawn=True)
    assert stages(database)["甲"] == (None, None)


def test_outcomes_that_were_there_first_count_for_a_list_that_comes_later(
    database: Database,
) -> None:
    from_file(database, name="甲有限公司", stage="signed")
    take_in(database, {"name": "甲有限公司", "main_business": BLADES})
    assert stages(database) == {"甲": ("signed", None)}


def test_the_latest_day_decides_and_officers_words_survive_a_new_list(database: Database) -> None:
    take_in(database, {"name": "甲有限公司", "main_business": BLADES})
    with database.write() as connection:
        for stage, day in (("negotiating", date(2026, 11, 10)), ("contacted", date(2026, 9, 1))):
            enter_outcome(
                connection, 1, stage=stage, day=day, reason=None, withdrawn=False, actor="li.na",
                now=NOW, today=TODAY,
            )  # fmt: skip
        firm = correct(
            connection, 1, {"grade": "A"}, "known", version=3, scorer=scorer(), actor="li.na",
            now=NOW, today=TODAY,
        )  # fmt: skip
        exclude(connection, 1, "later", version=firm.version, actor="li.na", now=NOW)
    take_in(database, {"name": "甲有限公司", "staff": 5})
    row = standings(database)["甲有限公司"]
    assert (row.stage, row.veto, row.grade, row.overridden) == (
        "negotiating", "excluded", "A", True
    )  # fmt: skip


def test_what_cannot_be_is_refused(database: Database) -> None:
    take_in(database, {"name": "甲有限公司"})
    same = {"reason": None, "actor": "li.na", "now": NOW, "today": TODAY}
    tomorrow = TODAY + timedelta(days=1)
    with database.write() as connection:
        with pytest.raises(BadOutcomeError):
            enter_outcome(connection, 1, stage="lost", day=tomorrow, withdrawn=False, **same)  # type: ignore[arg-type]
        with pytest.raises(BadOutcomeError):
            enter_outcome(connection, 1, stage="lost", day=TODAY, withdrawn=True, **same)  # type: ignore[arg-type]
        with pytest.raises(UnknownFirmError):
            exclude(connection, 5, "x", version=1, actor="li.na", now=NOW)
        with pytest.raises(ChangedFirmError):
            exclude(connection, 1, "x", version=2, actor="li.na", now=NOW)


@pytest.mark.parametrize(
    ("scored", "stage", "excluded", "wanted"),
    [
        (None, None, False, None),
        (None, "lost", False, None),
        (None, "visited", False, None),
        (None, "signed", False, None),
        (None, "registered", False, "already_here"),
        ("in_pursuit", "visited", False, None),  # of a score by an earlier program
        ("already_here", "visited", False, "already_here"),
        ("already_here", "visited", True, "excluded"),
        ("revoked", "visited", True, "revoked"),
    ],
)
def test_the_first_veto_that_holds_is_shown(
    scored: str | None, stage: str | None, excluded: bool, wanted: str | None
) -> None:
    assert veto_now(scored, stage, excluded=excluded) == wanted
