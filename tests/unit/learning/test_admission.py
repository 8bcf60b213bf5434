"""What joins the history of outcomes, and what is told instead."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.kept_lists import blank_events

from leadscore.learning.history import (
    EVENTS,
    OUTCOMES,
    firm_keys,
    first_contact,
    label_pursuits,
    pursuit_keys,
    stage_days,
)
from leadscore.lists.outcomes import ENTRY_COLUMNS
from leadscore.lists.values.words import STAGES
from leadscore.store.outcomes import Admission, validate_import

CODE, OTHER_CODE = "91110000600037341L", "91360727MA35LGHK7K"
Row = tuple[str, str, str | None]


def entries(*rows: Row, **columns: list[object]) -> pd.DataFrame:
    """Entries of (firm, stage, day) from row 2 on; a stage with a leading minus is withdrawn."""
    frame = pd.DataFrame(rows, columns=["name", "stage", "day"])
    frame["withdrawn"] = frame["stage"].str.startswith("-").astype(bool)
    frame["stage"] = frame["stage"].str.removeprefix("-")
    frame["day"] = pd.to_datetime(frame["day"]).astype("datetime64[us]")
    frame["row"] = np.arange(2, len(frame) + 2)
    frame = frame.assign(**columns).reindex(columns=list(ENTRY_COLUMNS))
    texts = ("credit_code", "name", "former_names", "stage", "reason", "sheet")
    return frame.astype(dict.fromkeys(texts, "str") | {"row": "int64", "withdrawn": bool})


class Office:
    """A history in memory, and how files come to it."""

    def __init__(self) -> None:
        self.events = blank_events()

    def imports(self, listed: pd.DataFrame, file: str = "a") -> Admission:
        admission = validate_import(listed, self.events, file=file)
        aside = len(admission.problems)
        assert len(listed) == len(admission.new) + admission.known + aside
        assert all(each.set_aside for each in admission.problems)
        told = admission.new.assign(
            entry=np.arange(len(admission.new)) + len(self.events) + 1,
            recorded=pd.Timestamp("2025-01-01", tz="UTC").as_unit("us"),
            source=file,
        )
        events = pd.concat([self.events, told[list(EVENTS)]], ignore_index=True).astype(EVENTS)
        self.events = events.assign(firm=firm_keys(events)[0])
        return admission

    def days(self) -> dict[tuple[str, str], str]:
        held = stage_days(self.events).stack()
        return {key: f"{day:%Y-%m-%d}" for key, day in held.dropna().items()}


@pytest.fixture
def office() -> Office:
    return Office()


def codes(admission: Admission) -> dict[int | None, str]:
    return {each.row: each.code for each in admission.problems}


def test_the_same_again_adds_nothing(office: Office) -> None:
    listed = entries(("甲", "contacted", "2024-01-01"), ("甲", "signed", "2024-02-01"))
    assert len(office.imports(listed).new) == 2
    assert office.imports(listed).known == 2
    assert office.imports(listed, file="a copy in another format").known == 2
    twice = office.imports(entries(*[("乙", "contacted", "2024-01-01")] * 2), file="b")
    assert (len(twice.new), twice.known) == (1, 1)


def test_a_later_entry_corrects_an_earlier_one_and_the_earlier_stays_readable(
    office: Office,
) -> None:
    office.imports(entries(("甲", "signed", "2024-02-01")))
    later = office.imports(entries(("甲", "signed", "2024-03-01")), file="b")
    assert later.corrected == 1
    assert office.days() == {("甲", "signed"): "2024-03-01"}
    assert len(office.events) == 2


def test_an_old_file_imported_again_does_not_undo_its_correction(office: Office) -> None:
    old, new = entries(("甲", "signed", "2024-02-01")), entries(("甲", "signed", "2024-03-01"))
    office.imports(old)
    office.imports(new, file="b")
    again = office.imports(old)
    assert (again.known, again.superseded) == (1, 1)
    assert office.days() == {("甲", "signed"): "2024-03-01"}
    office.imports(old, file="a new file that says the old day")
    assert office.days() == {("甲", "signed"): "2024-02-01"}


def test_a_reason_that_is_new_is_added_and_one_that_is_missing_takes_none_away(
    office: Office,
) -> None:
    office.imports(entries(("甲", "lost", "2024-02-01")))
    assert len(office.imports(entries(("甲", "lost", "2024-02-01"), reason=["地价"]), "b").new) == 1
    assert office.imports(entries(("甲", "lost", "2024-02-01")), "c").known == 1


def test_what_is_withdrawn_is_gone_and_may_come_back(office: Office) -> None:
    office.imports(entries(("甲", "contacted", "2024-01-01"), ("甲", "lost", "2024-02-01")))
    office.imports(entries(("甲", "-lost", None)), file="b")
    assert office.days() == {("甲", "contacted"): "2024-01-01"}
    assert office.imports(entries(("甲", "-lost", None)), file="c").known == 1
    signed = entries(("甲", "signed", "2024-03-01"))
    assert len(office.imports(signed, file="d").new) == 1


def test_a_withdrawal_and_what_takes_its_place_may_stand_in_one_file(office: Office) -> None:
    office.imports(entries(("甲", "signed", "2024-02-01"), ("乙", "lost", "2024-02-01")))
    file = entries(("乙", "signed", "2024-03-01"), ("甲", "signed", "2024-02-11"),
                   ("甲", "-signed", "2024-02-01"), ("乙", "-lost", None))  # fmt: skip
    assert len(office.imports(file, file="b").new) == 4
    assert office.days() == {("乙", "signed"): "2024-03-01", ("甲", "signed"): "2024-02-11"}


def test_what_is_not_there_can_t_be_withdrawn(office: Office) -> None:
    office.imports(entries(("甲", "signed", "2024-02-01")))
    file = entries(("甲", "-lost", None), ("甲", "-signed", "2024-02-09"),
                   ("乙", "visited", "2024-01-01"), ("乙", "-visited", "2024-01-01"))  # fmt: skip
    assert codes(office.imports(file, file="b")) == {
        2: "nothing_to_withdraw", 3: "other_day_withdrawn",
        4: "withdrawn_and_entered", 5: "withdrawn_and_entered",
    }  # fmt: skip


def test_two_days_for_one_outcome_in_one_file_are_both_set_aside(office: Office) -> None:
    file = entries(("甲", "signed", "2024-02-01"), ("甲", "signed", "2024-03-01"),
                   ("甲", "contacted", "2024-01-01"))  # fmt: skip
    admission = office.imports(file)
    assert codes(admission) == {2: "conflicting_days", 3: "conflicting_days"}
    assert "2024-03-01" in admission.problems[0].wanted.zh
    assert office.days() == {("甲", "contacted"): "2024-01-01"}


def test_of_several_visits_the_first_counts(office: Office) -> None:
    file = entries(("甲", "visited", "2024-02-01"), ("甲", "visited", "2024-01-01"))
    assert codes(office.imports(file)) == {2: "later_again"}
    assert office.days() == {("甲", "visited"): "2024-01-01"}


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (("lost", "2024-02-01"), ("signed", "2024-03-01"), "after_loss"),
        (("lost", "2024-02-02"), ("signed", "2024-02-02"), "after_loss"),
        (("contacted", "2024-02-02"), ("signed", "2024-01-31"), "before_contact"),
    ],
)
def test_an_impossible_history_is_told(
    office: Office, first: tuple[str, str], second: tuple[str, str], code: str, *, apart: bool
) -> None:
    rows = [("甲", *first), ("甲", *second)]
    if apart:
        office.imports(entries(rows[0]))
        admission = office.imports(entries(rows[1]), file="b")
    else:
        admission = office.imports(entries(*rows[::-1]))
    assert [each.code for each in admission.problems] == [code]
    assert office.days() == {("甲", first[0]): first[1]}


@pytest.mark.parametrize(
    ("there", "new", "code"),
    [
        (("signed", "2024-03-01"), ("lost", "2024-02-05"), "lost_before"),
        (("signed", "2024-03-01"), ("contacted", "2024-04-01"), "after_outcome"),
    ],
)
def test_the_new_entry_is_blamed_for_what_it_contradicts(
    office: Office, there: tuple[str, str], new: tuple[str, str], code: str
) -> None:
    office.imports(entries(("甲", *there)))
    admission = office.imports(entries(("甲", *new)), file="b")
    assert [each.code for each in admission.problems] == [code]
    assert there[1] in admission.problems[0].wanted.en


@pytest.mark.parametrize(
    "rows",
    [
        [("contacted", "2024-03-20"), ("signed", "2024-03-01")],  # 2024年3月
        [("signed", "2024-03-20"), ("lost", "2024-04-20")],
        [("lead", "2024-01-01"), ("contacted", "2024-02-01"), ("paused", "2024-03-01")],
        [("paused", "2024-01-01"), ("contacted", "2024-02-01")],
        [("contacted", "2024-01-01"), ("lost", "2024-01-01")],
        [("signed", "2024-01-01")],
    ],
)
def test_what_may_be_true_is_believed(office: Office, rows: list[tuple[str, str]]) -> None:
    assert not office.imports(entries(*(("甲", *row) for row in rows))).problems


def test_a_firm_named_once_by_code_and_once_by_name_is_one_firm(office: Office) -> None:
    office.imports(entries(("甲（深圳）有限公司", "contacted", "2024-03-01")))
    office.imports(
        entries(("甲(深圳)有限公司", "visited", "2024-04-01"), credit_code=[CODE]), file="b"
    )
    by_code = entries(("", "signed", "2024-02-01"), credit_code=[CODE])
    by_code["name"] = by_code["name"].where(by_code["name"] != "")
    assert codes(office.imports(by_code, file="c")) == {2: "before_contact"}
    renamed = entries(("乙有限公司", "lost", "2024-05-01"), former_names=["甲（深圳）有限公司"])
    office.imports(renamed, file="d")
    assert {firm for firm, _ in office.days()} == {CODE}


def test_a_name_that_two_codes_bear_names_nobody(office: Office) -> None:
    office.imports(entries(("甲", "contacted", "2024-01-01"), credit_code=[CODE]))
    file = entries(("甲", "contacted", "2024-01-01"), ("甲", "signed", "2024-02-01"),
                   credit_code=[OTHER_CODE, None])  # fmt: skip
    assert codes(office.imports(file, file="b")) == {3: "ambiguous_firm"}


def test_an_entry_that_tells_a_code_is_new_though_its_day_is_known(office: Office) -> None:
    office.imports(entries(("甲", "contacted", "2024-01-01")))
    told = entries(("甲", "contacted", "2024-01-01"), credit_code=[CODE])
    assert len(office.imports(told, file="b").new) == 1
    assert {firm for firm, _ in office.days()} == {CODE}


def test_a_problem_says_what_is_wanted_in_both_languages(office: Office) -> None:
    problem = office.imports(
        entries(("甲", "lost", "2024-01-01"), ("甲", "signed", "2024-02-01"))
    ).problems[0]
    assert (problem.row, problem.found) == (3, "甲 2024-02-01")
    assert "流失（2024-01-01）" in problem.wanted.zh
    assert "signed" in problem.wanted.en
    assert not {"{", "}"} & set(problem.wanted.zh + problem.wanted.en)


def test_nothing_is_no_trouble(office: Office) -> None:
    assert len(office.imports(entries()).new) == 0


def test_a_firm_that_was_lost_is_pursued_again(office: Office) -> None:
    office.imports(entries(("甲", "contacted", "2024-01-05"), ("甲", "lost", "2024-02-02")))
    rows = [("甲", "visited", "2024-03-01"), ("甲", "signed", "2024-05-01")]
    admission = office.imports(entries(*rows[::-1]), file="b")
    assert not admission.problems
    labels = label_pursuits(office.events, as_of=date(2025, 6, 1))
    assert labels.table["label"].tolist() == [0.0, 1.0]
    assert labels.impossible == 0


_rows = st.tuples(
    st.sampled_from("甲乙"), st.sampled_from(list(STAGES)),
    st.dates(date(2024, 1, 1), date(2024, 3, 1)).map(str),
)  # fmt: skip


@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.lists(_rows, max_size=8), st.lists(_rows, max_size=8), st.randoms())
def test_whatever_is_imported_the_history_stays_possible_and_rows_may_come_in_any_order(
    first: list[Row], second: list[Row], random: object
) -> None:
    here, there = Office(), Office()
    for file, rows in (("a", first), ("b", second)):
        shuffled = rows.copy()
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        one, other = here.imports(entries(*rows), file), there.imports(entries(*shuffled), file)
        assert Counter(each.code for each in one.problems) == Counter(
            each.code for each in other.problems
        )
    assert here.days() == there.days()
    days = stage_days(here.events.assign(firm=pursuit_keys(here.events)))
    contact = first_contact(days)
    for stage in STAGES:
        after = days[stage] > days["lost"]
        assert not (after & (days["lost"].dt.day > 1)).any()
    for stage in OUTCOMES:
        before = days[stage] < contact
        assert not (before & (days[stage].dt.day > 1)).any()
